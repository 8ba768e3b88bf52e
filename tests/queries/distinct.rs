//! DISTINCT ordered by what is not selected, against the same of a Vec.

use std::collections::BTreeSet;

use itertools::Itertools;
use orm_core::{diesel::ExpressionMethods as _, prelude::*};
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Flight, ids, schedule};

on_each_backend! {
    by_a_field_that_is_not_selected, by_a_related_field, by_parameters, cut, in_conditions, in_unions, beside_rows,
    by_diesels_orders,
}

/// Each carrier with each of its delays, by the delay, NULL first.
fn pairs(flights: &[Flight]) -> Vec<(Option<i32>, String)> {
    flights.iter().map(|f| (f.delay, f.carrier.clone())).collect::<BTreeSet<_>>().into_iter().collect()
}

fn carriers<'a>(db: &'a Database) -> QuerySet<'a, Flight, orm_core::Any, orm_core::queryset::Values<CarrierField>> {
    Flight::objects(db).values(|f| f.carrier).distinct().order_by(|f| (f.delay.asc().nulls_first(), f.carrier.asc()))
}

type CarrierField = orm_core::Field<orm_core::path::Root<Flight>, crate::models::flights::columns::carrier>;

fn by_a_field_that_is_not_selected(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let expected = pairs(&schedule(&db)?).into_iter().map(|(_, carrier)| carrier).collect_vec();
    assert_eq!(carriers(&db).load()?, expected);
    assert_eq!(carriers(&db).iterator(2)?.collect_vec(), expected);
    assert_eq!(carriers(&db).count()?, u64::try_from(expected.len())?);
    assert_eq!(
        bed.number("SELECT COUNT(*) FROM (SELECT DISTINCT carrier, delay FROM flights) AS pairs"),
        i64::try_from(expected.len())?
    );
    assert_eq!(carriers(&db).first()?, expected.first().cloned());
    assert_eq!(carriers(&db).last()?, expected.last().cloned());
    assert_eq!(carriers(&db).reverse().load()?, expected.iter().rev().cloned().collect_vec());
    assert!(carriers(&db).exists()?);
    // What is ordered by what is selected is distinct as it is without an order.
    let by_itself = Flight::objects(&db).values(|f| f.carrier).distinct().order_by(|f| f.carrier.desc());
    assert_eq!((by_itself.load()?, by_itself.count()?), (["UA", "DL", "B6", "AA"].map(String::from).into(), 4));
    Ok(())
}

fn by_a_related_field(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let flights = Flight::objects(&db).distinct().order_by(|f| (f.dest().city.desc().nulls_last(), f.id.asc()));
    assert_eq!(ids(&flights)?, [8, 10, 3, 4, 6, 1, 2, 7, 5, 9]);
    assert_eq!((flights.count()?, flights.clone().limit(3).count()?), (10, 3));
    let joined = flights.clone().select_related(|f| f.origin()).load()?;
    assert_eq!(joined.iter().map(|(f, _)| f.id).collect_vec(), [8, 10, 3, 4, 6, 1, 2, 7, 5, 9]);
    assert_eq!(flights.limit(2).update(|f| f.seats.set(1))?, 2);
    assert_eq!(bed.number("SELECT SUM(id) FROM flights WHERE seats = 1"), 18);
    Ok(())
}

fn by_parameters(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let tens = Flight::objects(&db).values(|f| f.seats / 5).distinct().order_by(|f| (f.seats / 5).desc());
    assert_eq!(tens.load()?, [22, 21, 20]);
    assert_eq!(tens.count()?, 3);
    let late = Flight::objects(&db)
        .values(|f| f.carrier)
        .distinct()
        .order_by(|f| (f.delay.gt(10).asc().nulls_first(), f.carrier.asc()));
    let expected =
        flights.iter().map(|f| (f.delay.map(|delay| delay > 10), f.carrier.clone())).collect::<BTreeSet<_>>();
    assert_eq!(late.load()?, expected.iter().map(|(_, carrier)| carrier.clone()).collect_vec());
    assert_eq!(late.count()?, u64::try_from(expected.len())?);
    Ok(())
}

fn cut(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let expected = pairs(&schedule(&db)?).into_iter().map(|(_, carrier)| carrier).collect_vec();
    for (limit, offset) in [(2, 0), (3, 1), (5, 4), (9, 6), (1, 99)] {
        let some = carriers(&db).limit(limit).offset(offset);
        let expected =
            expected.iter().skip(usize::try_from(offset)?).take(usize::try_from(limit)?).cloned().collect_vec();
        assert_eq!(some.load()?, expected);
        assert_eq!((some.count()?, some.exists()?), (u64::try_from(expected.len())?, !expected.is_empty()));
    }
    Ok(())
}

fn in_conditions(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let of = |carriers: &[String]| flights.iter().filter(|f| carriers.contains(&f.carrier)).map(|f| f.id).collect_vec();
    let all = Flight::objects(&db).order_by(|f| f.id.asc());
    assert_eq!(ids(&all.clone().filter(|f| f.carrier.is_in(carriers(&db))))?.len(), 10);
    let expected = pairs(&flights).into_iter().map(|(_, carrier)| carrier).collect_vec();
    for limit in 1..4 {
        let first = carriers(&db).limit(limit);
        let expected = of(&expected[..usize::try_from(limit)?]);
        assert_eq!(ids(&all.clone().filter(|f| f.carrier.is_in(first.clone())))?, expected);
        assert_eq!(all.clone().exclude(|f| f.carrier.is_in(first)).count()?, 10 - u64::try_from(expected.len())?);
    }
    assert_eq!(all.filter(|_| orm_core::dsl::exists(carriers(&db).offset(99))).count()?, 0);
    Ok(())
}

fn in_unions(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let expected = pairs(&flights).into_iter().map(|(_, carrier)| carrier).collect_vec();
    let first = || carriers(&db).limit(3);
    let codes = Flight::objects(&db).filter(|f| f.id.eq(1)).values(|f| f.origin_code);
    let both = first().union_all([codes]).order_by(|code| code.asc());
    assert_eq!(both.load()?, expected[..3].iter().cloned().chain(["JFK".to_owned()]).sorted().collect_vec());
    assert_eq!(both.count()?, 4);
    // An order without a limit has no meaning there.
    let plain = Flight::objects(&db).values(|f| f.carrier);
    assert_eq!(carriers(&db).union_all([plain.clone()]).count()?, 14);
    assert_eq!(plain.difference([carriers(&db)]).count()?, 0);
    let models = || Flight::objects(&db).distinct().order_by(|f| f.dest().city.desc().nulls_last()).limit(2);
    assert_eq!(ids(&models().union([models()]).order_by(|f| f.id.asc()))?, [8, 10]);
    Ok(())
}

fn beside_rows(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let query = Flight::objects(&db).distinct().order_by(|f| (f.dest().city.desc().nulls_last(), f.id.asc())).limit(2);
    let rows: Vec<(Flight, (i32, Option<String>))> = query.annotate(|f| (f.seats + 1, f.dest().city)).load()?;
    assert_eq!(rows.iter().map(|(f, (seats, _))| (f.id, *seats)).collect_vec(), [(8, 109), (10, 111)]);
    let tuples = Flight::objects(&db)
        .values(|f| (f.carrier, f.origin().city))
        .distinct()
        .order_by(|f| (f.seats.desc(), f.delay.asc()))
        .limit(3);
    let expected = [("AA", "New York"), ("DL", "Chicago"), ("UA", "New York")];
    assert_eq!(tuples.load()?, expected.map(|(carrier, city)| (carrier.to_owned(), city.to_owned())));
    Ok(())
}

/// They are one piece of SQL, whose expression cannot be selected.
fn by_diesels_orders(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let query = Flight::objects(&db).values(|f| f.carrier).distinct();
    let query = query.order_by(|_| orm_core::diesel::dsl::sql::<orm_core::diesel::sql_types::Integer>("seats").desc());
    for error in [query.load().expect_err("it is refused"), query.count().expect_err("it is refused")] {
        assert_eq!((error.kind(), error.model()), (ErrorKind::InvalidQuery, Some("Flight")));
        assert!(error.to_string().contains("orm_core::asc(expression)"), "{error}");
    }
    Ok(())
}
