//! Models of every visibility, in modules apart from their targets.

use orm_core::prelude::*;

mod airports {
    use orm_core::prelude::*;

    #[derive(Model)]
    pub(crate) struct Airport {
        #[model(primary_key)]
        pub(crate) code: String,
        /// For this module alone.
        city: String,
    }

    impl Airport {
        pub(super) fn new(code: &str, city: &str) -> Self {
            Airport { code: code.into(), city: city.into() }
        }

        pub(super) fn in_city<'a>(db: &'a Database, city: &'a str) -> QuerySet<'a, Airport> {
            Airport::objects(db).filter(|a| a.city.eq(city))
        }
    }

    pub(super) mod inner {
        use orm_core::prelude::*;

        #[derive(Model)]
        pub(super) struct Seen {
            #[model(primary_key)]
            pub(super) id: i64,
        }

        #[derive(Model)]
        pub(in super::super) struct Far {
            #[model(primary_key)]
            pub(in super::super) id: i64,
        }

        // Said in full, because the derive has to understand it.
        #[allow(clippy::needless_pub_self)]
        #[derive(Model)]
        pub(self) struct Own {
            #[model(primary_key)]
            pub(self) id: i64,
        }

        pub(in super::super) fn own(db: &Database) -> orm_core::Result<u64> {
            Own::objects(db).filter(|o| o.id.gt(0)).count()
        }

        pub(in super::super) fn create(db: &Database) -> orm_core::Result<()> {
            db.create_tables::<(Own,)>()
        }
    }

    pub(super) fn seen(db: &Database) -> orm_core::Result<String> {
        inner::Seen::objects(db).filter(|s| s.id.eq(1)).values(|s| s.id).sql()
    }
}

mod flights {
    use orm_core::prelude::*;

    #[derive(Model)]
    pub(super) struct Flight {
        #[model(primary_key)]
        pub(super) id: i64,
        #[model(belongs_to(super::airports::Airport, name = origin))]
        pub(super) origin_code: String,
    }
}

#[test]
fn every_visibility_works() -> orm_core::Result<()> {
    use airports::{Airport, inner};

    let db = orm_core::connect("sqlite::memory:")?;
    db.create_tables::<(Airport, flights::Flight, inner::Far)>()?;
    inner::create(&db)?;
    Airport::bulk_create(&db, [Airport::new("JFK", "New York")])?;
    flights::Flight::bulk_create(&db, [flights::Flight { id: 1, origin_code: "JFK".into() }])?;
    assert_eq!(Airport::in_city(&db, "New York").values(|a| a.code).load()?, ["JFK"]);
    let (flight, origin) = flights::Flight::objects(&db).select_related(|f| f.origin()).get()?;
    assert_eq!((flight.id, flight.origin_code, origin.code), (1, "JFK".into(), "JFK".into()));
    assert_eq!(inner::Far::objects(&db).filter(|f| f.id.eq(1)).count()?, 0);
    assert_eq!((inner::own(&db)?, airports::seen(&db)?.is_empty()), (0, false));
    Ok(())
}
