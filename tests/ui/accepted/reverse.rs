//! Ways back between modules, in functions, by raw identifiers, of models that a macro writes, and of several names at
//! once.

use orm_core::prelude::*;

mod airports {
    use orm_core::prelude::*;

    #[derive(Model)]
    pub(crate) struct Airport {
        #[model(primary_key)]
        pub(crate) code: String,
    }
}

mod flights {
    use orm_core::prelude::*;

    // Both are needed: the method is one of the accessors.
    use super::airports::{Airport, AirportFields};

    #[derive(Model)]
    pub(super) struct Flight {
        #[model(primary_key)]
        pub(super) id: i64,
        #[model(belongs_to(super::airports::Airport, name = origin, reverse = departures))]
        pub(super) origin_code: String,
        #[model(belongs_to(Airport, name = dest, reverse = arrivals))]
        #[model(belongs_to(crate::reverse::airports::Airport, name = first_dest, reverse = first_arrival, unique))]
        pub(super) dest_code: String,
    }
}

#[test]
fn models_in_modules() -> orm_core::Result<()> {
    let db = orm_core::connect("sqlite::memory:")?;
    db.create_tables::<(airports::Airport, flights::Flight)>()?;
    airports::Airport::bulk_create(&db, ["JFK", "ORD"].map(|code| airports::Airport { code: code.into() }))?;
    let flight = flights::Flight { id: 1, origin_code: "JFK".into(), dest_code: "ORD".into() };
    flights::Flight::bulk_create(&db, [flight])?;
    let airports = airports::Airport::objects(&db).order_by(|a| a.code.asc());
    let rows = airports.values(|a| (a.departures().count(), a.arrivals().count(), a.first_arrival().id)).load()?;
    assert_eq!(rows, [(1, 0, None), (0, 1, Some(1))]);
    Ok(())
}

#[test]
fn models_in_a_function() -> orm_core::Result<()> {
    #[derive(Model)]
    struct Author {
        #[model(primary_key)]
        id: i64,
    }

    #[derive(Model)]
    #[model(primary_key(author, follower), many_to_many(of = followed, by = followers))]
    struct Follow {
        #[model(belongs_to(Author, name = of, reverse = follows_of))]
        author: i64,
        #[model(belongs_to(Author, name = by))]
        follower: i64,
    }

    let db = orm_core::connect("sqlite::memory:")?;
    db.create_tables::<(Author, Follow)>()?;
    Author::bulk_create(&db, [Author { id: 1 }, Author { id: 2 }])?;
    Follow::bulk_create(&db, [Follow { author: 1, follower: 2 }])?;
    let authors = Author::objects(&db).order_by(|a| a.id.asc());
    let rows = authors.values(|a| (a.followers().count(), a.followed().count(), a.follows_of().count())).load()?;
    assert_eq!(rows, [(1, 0, 1), (0, 1, 0)]);
    Ok(())
}

#[derive(Model)]
#[model(table = "match")]
struct r#Match {
    #[model(primary_key)]
    r#type: i64,
    #[model(belongs_to(r#Match, name = r#in, reverse = r#loop))]
    r#use: Option<i64>,
}

#[test]
fn keywords_may_be_names() -> orm_core::Result<()> {
    let db = orm_core::connect("sqlite::memory:")?;
    let query = r#Match::objects(&db).filter(|m| m.r#loop().any(|n| n.r#in().r#type.eq(1))).values(|m| m.r#type);
    assert_eq!(
        query.sql()?,
        "SELECT `match`.`type` FROM `match` WHERE (EXISTS (SELECT 1 FROM `match` AS `match__loop` \
         LEFT JOIN `match` AS `match__loop__in` ON `match__loop__in`.`type` = `match__loop`.`use` \
         WHERE (`match__loop`.`use` = `match`.`type`) AND ((`match__loop__in`.`type` = ?))))"
    );
    Ok(())
}

macro_rules! children_of {
    ($parent:ident, $child:ident, $back:ident) => {
        #[derive(Model)]
        struct $child {
            #[model(primary_key)]
            id: i64,
            #[model(belongs_to($parent, name = parent, reverse = $back))]
            parent_id: i64,
        }
    };
}

#[derive(Model)]
struct Root {
    #[model(primary_key)]
    id: i64,
}
children_of!(Root, Branch, branches);
children_of!(Branch, Leaf, leaves);

#[test]
fn models_of_a_macro() -> orm_core::Result<()> {
    let db = orm_core::connect("sqlite::memory:")?;
    db.create_tables::<(Root, Branch, Leaf)>()?;
    Root::bulk_create(&db, [Root { id: 1 }])?;
    Branch::bulk_create(&db, [Branch { id: 2, parent_id: 1 }])?;
    Leaf::bulk_create(&db, [Leaf { id: 3, parent_id: 2 }])?;
    assert_eq!(Root::objects(&db).values(|r| r.branches().sum(|b| b.leaves().count())).get()?, Some(1));
    Ok(())
}
