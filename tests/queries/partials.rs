//! `only`: structs of some fields.

use itertools::Itertools;
use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Flight, airports, schedule};

on_each_backend! { some_fields, ordered_and_cut, distinct, the_statement, misfits_name_their_field, of_a_union }

#[derive(PartialModel, Debug, PartialEq)]
#[model(of = Flight)]
struct Departure {
    delay: Option<i32>,
    id: i64,
    #[model(path = origin.city)]
    from: String,
    #[model(path = dest.city)]
    to: Option<String>,
    #[model(path = origin.hub.code)]
    hub: Option<String>,
}

#[derive(PartialModel, Debug, PartialEq)]
#[model(of = Flight)]
struct Carrier {
    carrier: String,
}

fn departures(flights: &[Flight]) -> Vec<Departure> {
    let all = airports();
    let airport = |code: &str| all.iter().find(|a| a.code == code);
    flights
        .iter()
        .map(|f| Departure {
            delay: f.delay,
            id: f.id,
            from: airport(&f.origin_code).map(|a| a.city.clone()).unwrap_or_default(),
            to: airport(&f.dest_code).map(|a| a.city.clone()),
            hub: airport(&f.origin_code).and_then(|a| a.hub_code.clone()),
        })
        .collect()
}

fn some_fields(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let query = Flight::objects(&db).order_by(|f| f.id.asc()).only::<Departure>();
    assert_eq!(query.load()?, departures(&flights));
    assert_eq!(query.clone().iterator(3)?.collect_vec(), departures(&flights));
    assert_eq!(query.try_iterator(3)?.collect::<orm_core::Result<Vec<_>>>()?, departures(&flights));
    Ok(())
}

fn ordered_and_cut(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let some = Flight::objects(&db).only::<Departure>().filter(|f| f.seats.gt(103)).order_by(|f| f.id.desc()).limit(2);
    let expected = departures(&[flights[9].clone(), flights[8].clone()]);
    assert_eq!(some.load()?, expected);
    assert_eq!((some.count()?, some.last()?.as_ref()), (2, expected.last()));
    assert_eq!(Flight::objects(&db).only::<Departure>().first()?.map(|d| d.id), Some(1));
    Ok(())
}

fn distinct(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let carriers = Flight::objects(&db).only::<Carrier>().distinct().order_by(|f| f.carrier.asc());
    assert_eq!(carriers.load()?.into_iter().map(|c| c.carrier).collect_vec(), ["AA", "B6", "DL", "UA"]);
    assert_eq!(carriers.count()?, 4);
    Ok(())
}

fn the_statement(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let sql = Flight::objects(&db).only::<Carrier>().sql()?.replace(['"', '`'], "");
    assert_eq!(sql, "SELECT flights.carrier FROM flights");
    Ok(())
}

/// What stands there can be changed behind the back of the types.
fn misfits_name_their_field(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    if bed.backend() != orm_core::BackendKind::Sqlite {
        return Ok(());
    }
    bed.execute("UPDATE airports SET city = 7 WHERE code = 'LGA'");
    bed.execute("UPDATE flights SET delay = 'late' WHERE id = 4");
    let late = Flight::objects(&db).filter(|f| f.id.eq(4)).only::<Departure>();
    let error = late.get().expect_err("it is no number");
    assert_eq!((error.kind(), error.model(), error.field()), (ErrorKind::Decode, Some("Flight"), Some("delay")));
    Ok(())
}

fn of_a_union(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let of = |id: i64| Flight::objects(&db).filter(move |f| f.id.eq(id));
    let both = of(1).union([of(5)]).order_by(|f| f.id.asc()).only::<Departure>();
    assert_eq!(both.load()?, departures(&[flights[0].clone(), flights[4].clone()]));
    Ok(())
}
