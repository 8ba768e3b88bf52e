//! Tables whose names are not free in Rust, and tables of several models.

use orm_core::{diesel, prelude::*};

/// Tables of Prisma, Entity Framework and Chinook are named as their models.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "Album")]
struct Album {
    #[model(primary_key, column = "AlbumId")]
    id: i64,
    #[model(column = "Title")]
    title: String,
}

#[derive(Model, Debug, PartialEq)]
#[model(table = "TrackFields")]
struct Track {
    #[model(primary_key)]
    id: i64,
}

#[test]
fn a_table_may_be_named_as_its_struct() -> orm_core::Result<()> {
    use diesel::{QueryDsl, RunQueryDsl};

    let db = Database::<Sqlite>::connect("sqlite::memory:")?;
    db.create_tables::<(Album, Track)>()?;
    let album = Album::create(&db, Album { id: 1, title: "Facelift".into() })?;
    assert_eq!(Album::objects(&db).filter(|a| a.title.eq("Facelift")).get()?, album);
    let titles: Vec<String> =
        album_table::table.select(album_table::title).load(&mut *db.connection()?).expect("the table is there");
    assert_eq!(titles, ["Facelift"]);
    assert_eq!(Track::objects(&db).filter(|t| t.id.eq(1)).count()?, 0);
    Ok(())
}

/// Two models of one table: all columns, and some.
#[derive(Model, Clone, Debug, PartialEq)]
struct User {
    #[model(primary_key)]
    id: i64,
    name: String,
    score: Option<f32>,
}

#[derive(Model, Debug, PartialEq)]
#[model(table = "users")]
struct Slim {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Slim, name = same, key = name, reverse = others, optional))]
    name: String,
}

#[derive(Model, Debug, PartialEq)]
#[model(table = "users", module = names_of_users)]
struct NameOfUser {
    #[model(primary_key)]
    id: i64,
    name: String,
}

#[test]
fn a_table_may_have_several_models() -> orm_core::Result<()> {
    use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};

    let db = Database::<Sqlite>::connect("sqlite::memory:")?;
    db.create_tables::<(User,)>()?;
    User { id: 3, name: "Ada".into(), score: Some(0.5) }.save(&db)?;
    assert_eq!(User::objects(&db).filter(|u| u.score.eq(0.5_f32)).count()?, 1);
    assert_eq!(Slim::objects(&db).filter(|s| s.id.eq(3)).get()?, Slim { id: 3, name: "Ada".into() });
    assert_eq!(Slim::objects(&db).order_by(|s| s.id.asc()).try_iterator(1)?.count(), 1);
    let connection = &mut *db.connection()?;
    let score = user_table::table.select(user_table::score).first(connection);
    assert_eq!(score, Ok(Some(0.5_f32)));
    let slim = slim_table::table.filter(slim_table::id.eq(3)).select(slim_table::name).first(connection);
    assert_eq!(slim, Ok("Ada".to_owned()));
    let name = names_of_users::table.select(names_of_users::name).first(connection);
    assert_eq!(name, Ok("Ada".to_owned()));
    Ok(())
}

/// Items of one's own, named as what is generated.
mod taken {
    use super::*;

    pub(super) struct OrderFields;
    pub(super) mod orders {
        pub(in super::super) const OWN: i32 = 1;
    }
    #[derive(Model, Debug)]
    pub(super) struct Order {
        #[model(primary_key, generated)]
        pub(super) id: i64,
        #[model(belongs_to(Order, name = before, reverse = after))]
        pub(super) before_id: Option<i64>,
    }
    pub(super) struct NewLine;
    #[derive(Model, Debug)]
    #[model(new = LineToBe)]
    pub(super) struct Line {
        #[model(primary_key, generated)]
        pub(super) id: i64,
        pub(super) text: String,
    }
    pub(super) use orders::OWN;
}

#[test]
fn own_items_go_before_generated_ones() -> orm_core::Result<()> {
    use taken::{Line, LineToBe, NewOrder, Order, order_table};

    let db = orm_core::connect("sqlite::memory:")?;
    db.create_tables::<(Order, Line)>()?;
    let order = Order::create(&db, NewOrder { before_id: None })?;
    assert_eq!(Order::objects(&db).filter(|o| o.id.eq(order.id)).count()?, 1);
    assert_eq!(Line::create(&db, LineToBe { text: "a".into() })?.id, 1);
    let (_, _, _) = (taken::OrderFields, taken::NewLine, order_table::id);
    assert_eq!(taken::OWN, 1);
    Ok(())
}

/// One model for each name: keywords of every edition and what looks like none.
macro_rules! tables {
    ($($model:ident $table:literal)*) => {
        $(
            #[derive(Model, Debug)]
            #[model(table = $table)]
            struct $model {
                #[model(primary_key)]
                id: i64,
                #[model(column = $table)]
                text: Option<String>,
            }
        )*

        #[test]
        fn any_text_may_be_the_name_of_a_table() -> orm_core::Result<()> {
            $(
                let db = orm_core::connect("sqlite::memory:")?;
                db.create_tables::<($model,)>()?;
                $model { id: 1, text: Some($table.into()) }.save(&db)?;
                let found = $model::objects(&db).filter(|row| row.text.eq($table)).values(|row| row.text).get()?;
                assert_eq!(found.as_deref(), Some($table));
            )*
            Ok(())
        }
    };
}

tables! {
    Abstract "abstract" As "as" Async "async" Auto "auto" Await "await" Become "become" Boxed "box" Break "break"
    Const "const" Continue "continue" Crate "crate" Default_ "default" Do "do" Dyn "dyn" Else "else" Enum "enum"
    Extern "extern" False "false" Final "final" FnTable "fn" For "for" Gen "gen" If "if" Impl "impl" In "in" Let "let"
    Loop "loop" Macro "macro" MacroRules "macro_rules" Match "match" Mod "mod" Move "move" Mut "mut" Override "override"
    Priv "priv" Pub "pub" Raw "raw" Ref "ref" Return "return" Safe "safe" SelfValue "self" SelfType "Self" Static "static"
    StaticLifetime "'static" Struct "struct" Super "super" Trait "trait" True "true" Try "try" Type "type"
    Typeof "typeof" Union "union" Unsafe "unsafe" Unsized "unsized" Use "use" Virtual "virtual" Where "where"
    While "while" Yield "yield" Underscore "_" TwoUnderscores "__"
    Words "two words" Digit "2013" DigitFirst "1st" Dots "a.b" Quotes "a\"b`c'd" Hyphen "a-b" Accent "étés" Kanji "航空"
    Emoji "✈" Space " " Percent "%s" Braces "{}" Comment "/* a -- b" Backslash "a\\b"
    OptionTable "Option" ResultTable "Result" StringTable "String" Byte "u8" Text "str" Std "std" Core "core"
    Columns "columns" Relations "relations" Names "names" Table "table" OrmCore "orm_core" Diesel "diesel"
}

/// Fields and relations that are keywords.
#[derive(Model, Debug, PartialEq)]
#[model(primary_key(r#gen, try))]
struct Keywords {
    r#gen: i64,
    r#try: i64,
    r#async: i32,
    r#await: i32,
    r#dyn: i32,
    r#abstract: i32,
    r#become: i32,
    r#box: i32,
    r#do: i32,
    r#final: i32,
    r#macro: i32,
    r#override: i32,
    r#priv: i32,
    r#typeof: i32,
    r#unsized: i32,
    r#virtual: i32,
    r#yield: i32,
    union: i32,
    auto: i32,
    raw: i32,
    safe: i32,
    default: i32,
    str: i32,
    i64: i32,
    bool: i32,
    std: i32,
    table: i32,
    table_: i32,
}

#[derive(Model, Debug, PartialEq)]
struct Generator {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Generator, reverse = yield))]
    gen_id: Option<i64>,
    #[model(belongs_to(Generator, name = final))]
    box_id: Option<i64>,
    #[model(belongs_to(Generator, name = own, key = id))]
    self_id: Option<i64>,
}

#[test]
fn fields_and_relations_may_be_keywords() -> orm_core::Result<()> {
    let db = orm_core::connect("sqlite::memory:")?;
    db.create_tables::<(Generator, Keywords)>()?;
    let first = Generator { id: 1, gen_id: None, box_id: None, self_id: None };
    first.save(&db)?;
    Generator { id: 2, gen_id: Some(1), box_id: Some(1), self_id: Some(2) }.save(&db)?;
    let found = Generator::objects(&db)
        .filter(|g| g.r#gen().id.eq(1).and(g.r#final().id.eq(1)).and(g.own().id.eq(2)))
        .values(|g| g.id);
    assert_eq!(found.get()?, 2);
    let made = Generator::objects(&db).filter(|g| g.r#yield().any(|g| g.id.eq(2)));
    assert_eq!(made.get()?, first);
    let keywords = Keywords::objects(&db).filter(|k| k.r#gen.eq(1).and(k.r#yield.eq(k.table_)).and(k.str.eq(k.std)));
    assert_eq!(keywords.count()?, 0);
    let _ = (keywords_table::table__, keywords_table::table_);
    Ok(())
}
