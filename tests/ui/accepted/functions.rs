//! Models declared in a function, with a newtype and an alias that only the function knows.

use orm_core::prelude::*;

#[test]
fn a_model_in_a_function() -> orm_core::Result<()> {
    #[derive(FieldType, Clone, Debug, PartialEq)]
    struct Code(String);

    type Miles = Option<i64>;

    #[derive(Model, Debug, PartialEq)]
    struct Airport {
        #[model(primary_key)]
        code: Code,
    }

    #[derive(Model, Debug, PartialEq)]
    struct Flight {
        #[model(primary_key)]
        id: i64,
        distance: Miles,
        #[model(belongs_to(Airport, name = origin))]
        origin_code: Code,
    }

    let db = orm_core::connect("sqlite::memory:")?;
    db.create_tables::<(Airport, Flight)>()?;
    Airport::bulk_create(&db, [Airport { code: Code("JFK".into()) }])?;
    Flight::bulk_create(&db, [Flight { id: 1, distance: Some(760), origin_code: Code("JFK".into()) }])?;
    let query = Flight::objects(&db).filter(|f| f.distance.gt(700).and(f.origin().code.eq(Code("JFK".into()))));
    let (flight, origin) = query.select_related(|f| f.origin()).get()?;
    assert_eq!((flight.id, flight.distance, origin.code), (1, Some(760), Code("JFK".into())));

    // The same names again, in a block.
    {
        #[derive(Model)]
        struct Flight {
            #[model(primary_key)]
            number: i32,
        }
        let flights = Flight::objects(&db).order_by(|f| f.number.asc());
        assert_eq!(flights.sql()?, "SELECT `flights`.`number` FROM `flights` ORDER BY `flights`.`number` ASC");
    }
    Ok(())
}
