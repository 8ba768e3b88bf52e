//! Names that need care: raw identifiers, keywords, and the names of generated items.

use orm_core::{diesel, prelude::*};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "match")]
struct Match {
    #[model(primary_key)]
    r#type: i64,
    #[model(column = "select")]
    r#fn: String,
    #[model(belongs_to(Match))]
    loop_id: Option<i64>,
    #[model(belongs_to(Match, name = r#in))]
    r#use: Option<i64>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct r#Struct {
    #[model(primary_key)]
    id: i64,
}

/// Fields named as what is generated beside them.
#[derive(Model, Clone, Debug, PartialEq)]
struct Restaurant {
    #[model(primary_key)]
    table: i64,
    columns: i32,
    relations: i32,
    scope: i32,
    fields: i32,
    model: i32,
    row: i32,
    at: i32,
    out: i32,
    column: i32,
    backend: i32,
}

#[test]
fn keywords_may_be_names() -> orm_core::Result<()> {
    let db = orm_core::connect("sqlite::memory:")?;
    db.create_tables::<(Match, Struct)>()?;
    let first = Match { r#type: 1, r#fn: "a".into(), loop_id: None, r#use: None };
    let second = Match { r#type: 2, r#fn: "b".into(), loop_id: Some(1), r#use: Some(1) };
    Match::bulk_create(&db, [first.clone(), second.clone()])?;
    let query = Match::objects(&db).filter(|m| m.r#loop().r#fn.eq("a").and(m.r#in().r#type.eq(1)));
    assert_eq!(
        query.clone().values(|m| m.r#type).sql()?,
        "SELECT `match`.`type` FROM `match` \
         LEFT JOIN `match` AS `match__loop` ON `match__loop`.`type` = `match`.`loop_id` \
         LEFT JOIN `match` AS `match__in` ON `match__in`.`type` = `match`.`use` \
         WHERE (((`match__loop`.`select` = ?) AND (`match__in`.`type` = ?)))"
    );
    assert_eq!(query.get()?, second);
    assert_eq!(Struct::objects(&db).values(|s| s.id).sql()?, "SELECT `structs`.`id` FROM `structs`");
    Ok(())
}

#[test]
fn fields_may_be_named_as_generated_items() -> orm_core::Result<()> {
    use diesel::{QueryDsl, RunQueryDsl};

    let db = Database::<Sqlite>::connect("sqlite::memory:")?;
    db.create_tables::<(Restaurant,)>()?;
    let row = Restaurant {
        table: 1,
        columns: 2,
        relations: 3,
        scope: 4,
        fields: 5,
        model: 6,
        row: 7,
        at: 8,
        out: 9,
        column: 10,
        backend: 11,
    };
    Restaurant::bulk_create(&db, [row.clone()])?;
    assert_eq!(Restaurant::objects(&db).filter(|r| r.table.eq(1).and(r.columns.eq(2))).get()?, row);
    // For plain Diesel, what the module has already gets a `_`.
    let query =
        restaurants::table.filter(restaurants::table_.eq(1)).select((restaurants::columns_, restaurants::scope));
    let found: (i32, i32) = query.first(&mut *db.connection()?).expect("the row is there");
    assert_eq!(found, (2, 4));
    Ok(())
}
