//! Casts of floats to integers and of dates to text, against Rust's own.
// The casts of the oracle are those that are tested.
#![allow(clippy::cast_precision_loss)]

use chrono::NaiveDate;
use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_each_backend};

on_each_backend! { floats_to_integers, dates_to_text }

#[derive(Model, Clone, Debug)]
struct Measure {
    #[model(primary_key)]
    id: i64,
    double: f64,
    single: Option<f32>,
}

fn floats_to_integers(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Measure,)>()?;
    let doubles = [
        0.0,
        -0.5,
        0.5,
        1.5,
        2.5,
        -2.5,
        1.999_999,
        -1.999_999,
        2_147_483_647.9,
        -2_147_483_648.9,
        2_147_483_648.0,
        -2_147_483_649.0,
        4_503_599_627_370_497.5,
        9_007_199_254_740_993.0,
        9_223_372_036_854_774_784.0,
        -9_223_372_036_854_774_784.0,
        9_223_372_036_854_775_808.0,
        -1e19,
        1e300,
        1e-300,
    ];
    let single = |double: f64| (double.abs() < 1e9).then_some(double as f32);
    let rows = doubles.iter().zip(1..).map(|(double, id)| Measure { id, double: *double, single: single(*double) });
    Measure::bulk_create(&db, rows)?;
    let all = Measure::objects(&db).order_by(|m| m.id.asc());
    let whole = |x: f64, below: f64| (x.abs() < below).then(|| x.trunc() as i64);
    let small = |x: f64| whole(x, 1e15).and_then(|whole| i32::try_from(whole).ok());
    let found = all.clone().values(|m| (m.double.cast::<i64>(), m.double.cast::<i32>())).load()?;
    let expected: Vec<_> =
        doubles.iter().map(|double| (whole(*double, 9_223_372_036_854_775_808.0), small(*double))).collect();
    assert_eq!(found, expected);
    let found = all.clone().values(|m| (m.single.cast::<i64>(), m.single.cast::<i32>())).load()?;
    let singles = doubles.iter().map(|double| single(*double).map(f64::from));
    let expected: Vec<_> =
        singles.map(|single| (single.and_then(|x| whole(x, 1e15)), single.and_then(small))).collect();
    assert_eq!(found, expected);
    assert_eq!(all.filter(|m| m.double.cast::<i64>().eq(2)).count()?, 1);
    Ok(())
}

#[derive(Model, Clone, Debug)]
struct Day {
    #[model(primary_key)]
    id: i64,
    day: NaiveDate,
    other: Option<NaiveDate>,
}

fn dates_to_text(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Day,)>()?;
    let days = [(1, 1, 1), (999, 12, 31), (1970, 1, 1), (2024, 2, 29), (9999, 12, 31)]
        .map(|(year, month, day)| NaiveDate::from_ymd_opt(year, month, day));
    let rows = days.iter().flatten().zip(1..).map(|(day, id)| Day { id, day: *day, other: (id > 2).then_some(*day) });
    Day::bulk_create(&db, rows)?;
    let all = Day::objects(&db).order_by(|d| d.id.asc());
    let found: Vec<(String, Option<String>)> =
        all.clone().values(|d| (d.day.cast::<String>(), d.other.cast::<String>())).load()?;
    let expected: Vec<_> =
        days.iter().flatten().zip(1..).map(|(day, id)| (day.to_string(), (id > 2).then(|| day.to_string()))).collect();
    assert_eq!(found, expected);
    assert_eq!(all.filter(|d| d.day.cast::<String>().starts_with("2024-")).count()?, 1);
    Ok(())
}
