//! Values, expressions and aggregates in place of models.

use itertools::Itertools;
use orm_core::{
    diesel::dsl::{avg, count, count_star, max, min, sum},
    prelude::*,
};
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Flight, Number, flight, named, schedule};

on_each_backend! {
    distinct, distinct_counts, values_of_one_field, values_of_many_fields, values_as_expressions, aggregates, sum_overflow, sum_of_nothing,
}

fn distinct(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    named(&db)?;
    let names = Number::objects(&db).values(|n| n.name).distinct().order_by(|n| n.name.asc().nulls_last()).load()?;
    assert_eq!(names, [Some("a".to_owned()), Some("b".to_owned()), None]);
    assert_eq!(Number::objects(&db).distinct().count()?, 6, "whole rows are all different");
    Ok(())
}

fn distinct_counts(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    named(&db)?;
    let names = Number::objects(&db).values(|n| n.name).distinct();
    assert_eq!(names.count()?, 3);
    assert_eq!(names.clone().filter(|n| n.name.is_not_null()).count()?, 2);
    assert_eq!(names.clone().limit(2).count()?, 2);
    assert_eq!(names.clone().offset(1).count()?, 2);
    assert!(names.exists()?);
    Ok(())
}

fn values_of_one_field(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let delays: Vec<Option<f64>> = Flight::objects(&db).order_by(|f| f.id.asc()).values(|f| f.dep_delay).load()?;
    assert_eq!(delays, [Some(20.5), Some(-3.0), None, Some(120.0), None, Some(0.0)]);
    let cities: Vec<Option<String>> =
        Flight::objects(&db).order_by(|f| f.id.desc()).values(|f| f.dest().city).limit(2).load()?;
    assert_eq!(cities, [None, Some("New York".to_owned())]);
    // What is an `Option` already stays one `Option` behind an optional path.
    let hubs: Vec<Option<String>> =
        Flight::objects(&db).order_by(|f| f.id.asc()).values(|f| f.dest().hub_code).load()?;
    assert_eq!(hubs, [None, None, Some("JFK".to_owned()), None, Some("JFK".to_owned()), None]);
    Ok(())
}

fn values_of_many_fields(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let row = Flight::objects(&db)
        .filter(|f| f.id.eq(6))
        .values(|f| {
            (
                f.id,
                f.seats,
                f.dep_delay,
                f.origin_code,
                f.dest_code,
                f.scheduled_at,
                f.origin().city,
                f.dest().city,
                f.origin().hub().city,
                f.dest().hub().city,
                f.origin().code,
                f.dest().code,
                f.origin().hub_code,
                f.origin().hub().hub_code,
                f.id,
                f.seats,
            )
        })
        .get()?;
    let text = |text: &str| text.to_owned();
    let expected = flight(6, "LGA", "SJU", Some(0.0));
    let (
        (id, seats, delay, origin, dest, at, origin_city, dest_city),
        (hub_city, dest_hub_city, origin_code, dest_code, hub_code, hub_hub_code, id_again, seats_again),
    ) = (
        (row.0, row.1, row.2, row.3, row.4, row.5, row.6, row.7),
        (row.8, row.9, row.10, row.11, row.12, row.13, row.14, row.15),
    );
    assert_eq!(
        (id, seats, delay, origin, dest, at),
        (6, 106, Some(0.0), text("LGA"), text("SJU"), expected.scheduled_at)
    );
    let (origin_city, dest_city): (String, Option<String>) = (origin_city, dest_city);
    assert_eq!((origin_city, dest_city), (text("New York"), None));
    assert_eq!((hub_city, dest_hub_city, origin_code, dest_code), (Some(text("New York")), None, text("LGA"), None));
    assert_eq!((hub_code, hub_hub_code, id_again, seats_again), (Some(text("JFK")), None, 6, 106));
    Ok(())
}

fn values_as_expressions(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let rows = Flight::objects(&db)
        .order_by(|f| f.id.asc())
        .limit(2)
        .values_as::<(i64, bool, Option<f64>), _>(|f| (f.id + 10_i64, f.origin_code.eq("JFK"), f.dep_delay * 2.0))
        .load()?;
    assert_eq!(rows, [(11, true, Some(41.0)), (12, false, Some(-6.0))]);
    let one = Flight::objects(&db).filter(|f| f.id.eq(1)).values_as::<i64, _>(|f| f.id).get()?;
    assert_eq!(one, 1);
    Ok(())
}

fn aggregates(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let (_, flights) = schedule(&db)?;
    let row = Flight::objects(&db)
        .values_as::<(i64, i64, Option<f64>, Option<f64>, Option<i64>), _>(|f| {
            (count_star(), count(f.dep_delay), max(f.dep_delay), sum(f.dep_delay), min(f.id))
        })
        .get()?;
    let delays = flights.iter().filter_map(|f| f.dep_delay).collect_vec();
    assert_eq!(row, (6, 4, Some(120.0), Some(delays.iter().sum()), Some(1)));
    let mean = Flight::objects(&db).values_as::<Option<f64>, _>(|f| avg(f.dep_delay)).get()?;
    assert_eq!(mean, Some(delays.iter().sum::<f64>() / 4.0));
    let cities = Flight::objects(&db).values_as::<i64, _>(|f| count(f.dest().city)).get()?;
    assert_eq!(cities, 5);
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Account {
    #[model(primary_key)]
    id: i32,
    small: i32,
    float: f64,
}

/// A sum that fits no `i64` is an error or a wider number, and never wraps.
fn sum_overflow(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Account,)>()?;
    let account = |id| Account { id, small: i32::MAX, float: f64::MAX };
    Account::bulk_create(&db, [account(1), account(2), account(3)])?;
    let total = Account::objects(&db).values_as::<Option<i64>, _>(|a| sum(a.small)).get()?;
    assert_eq!(total, Some(3 * i64::from(i32::MAX)), "a sum of 32 bits has 64");
    match Account::objects(&db).values_as::<Option<f64>, _>(|a| sum(a.float)).get() {
        Ok(total) => assert_eq!(total, Some(f64::INFINITY)),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Database),
    }
    // The witness of the same on the database's side: what it adds, it adds in 64 bits, or says that it cannot.
    let product = Account::objects(&db).filter(|a| a.id.eq(1)).values_as::<i32, _>(|a| a.small * 2).get();
    assert!(product.is_err(), "{product:?} is not twice 2^31 - 1");
    Ok(())
}

fn sum_of_nothing(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Account,)>()?;
    let row = Account::objects(&db)
        .values_as::<(Option<i64>, Option<f64>, Option<i32>, i64), _>(|a| {
            (sum(a.small), avg(a.float), max(a.id), count(a.id))
        })
        .get()?;
    assert_eq!(row, (None, None, None, 0));
    Ok(())
}
