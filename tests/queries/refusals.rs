//! What is refused before anything is sent, on every backend alike: frames and windows that none or not all of them have.

use orm_core::{
    dsl::{Frame, count, count_star, first_value, sum},
    prelude::*,
};
use orm_tests::{Bed, Pick, TestResult, ok, on_each_backend};

use crate::models::{Flight, ids, schedule};

on_each_backend! { distinct_aggregates_over_windows, orders_by_aggregates, frames_that_end_first, ranges_without_a_number, locks_and_windows }

/// Asserts that a terminal is refused; there is no table, so what is sent fails otherwise.
fn refused<T: std::fmt::Debug>(answer: orm_core::Result<T>, says: &str) {
    let error = answer.expect_err(says);
    assert_eq!(error.kind(), ErrorKind::InvalidQuery, "{error:?}");
    assert!(error.model().is_some(), "{error:?}");
    assert!(format!("{error:?}").contains(says), "{error:?}");
}

fn distinct_aggregates_over_windows(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let all = || Flight::objects(&db);
    let says = "an aggregate of distinct values has no value over a window";
    refused(all().values(|f| count(f.carrier).distinct().over(|w| w)).load(), says);
    refused(all().annotate(|f| sum(f.seats).distinct().over(|w| w.partition_by(f.carrier))).first(), says);
    refused(all().order_by(|f| sum(f.seats).distinct().over(|w| w).asc()).load(), says);
    refused(all().values(|f| count(f.carrier).distinct().over(|w| w)).iterator(5).map(drop), says);
    Ok(())
}

fn orders_by_aggregates(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let all = || Flight::objects(&db);
    let says = "rows cannot be ordered by it";
    refused(all().order_by(|_| count_star().asc()).load(), says);
    refused(all().order_by(|f| (f.id.asc(), (sum(f.seats) + 1).desc())).first(), says);
    refused(all().values(|f| f.carrier).order_by(|f| sum(f.seats).desc()).distinct().count(), says);
    schedule(&db)?;
    let by_window = all().order_by(|f| (sum(f.seats).over(|w| w.partition_by(f.carrier)).desc(), f.id.asc()));
    assert_eq!(ids(&by_window)?, [1, 2, 5, 8, 3, 4, 10, 6, 7, 9]);
    Ok(())
}

fn frames_that_end_first(bed: &Bed) -> TestResult {
    use Frame::{CurrentRow, Following, Preceding, UnboundedFollowing, UnboundedPreceding};
    let db = bed.db()?;
    let frames = [
        (Following(1), Preceding(1)),
        (Following(1), CurrentRow),
        (CurrentRow, Preceding(1)),
        (UnboundedFollowing, UnboundedFollowing),
        (UnboundedPreceding, UnboundedPreceding),
        (CurrentRow, UnboundedPreceding),
        (UnboundedFollowing, CurrentRow),
    ];
    for (from, to) in frames {
        let says = "frame ends before it begins";
        let rows = Flight::objects(&db).values(|f| sum(f.seats).over(|w| w.order_by(f.id.asc()).rows(from, to)));
        refused(rows.load(), says);
        let range = Flight::objects(&db).values(|f| count_star().over(|w| w.order_by(f.id.asc()).range(from, to)));
        refused(range.load(), says);
    }
    // A frame may be empty, and may lie on one side of the row.
    schedule(&db)?;
    let sums = Flight::objects(&db).order_by(|f| f.id.asc()).limit(3);
    let sums = sums.values(|f| {
        (
            first_value(f.id).over(|w| w.order_by(f.id.asc()).rows(Preceding(1), Preceding(2))),
            first_value(f.id).over(|w| w.order_by(f.id.asc()).rows(Preceding(2), Preceding(1))),
        )
    });
    assert_eq!(sums.load()?, [(None, None), (None, Some(1)), (None, Some(1))]);
    Ok(())
}

/// A row with a value of each kind that a range cannot be counted in.
#[derive(Model, Clone, Debug)]
struct Day {
    #[model(primary_key)]
    id: i64,
    day: chrono::NaiveDate,
    at: Option<chrono::DateTime<chrono::Utc>>,
    name: String,
}

fn ranges_without_a_number(bed: &Bed) -> TestResult {
    use Frame::{CurrentRow, Following, Preceding, UnboundedFollowing, UnboundedPreceding};
    let db = bed.db()?;
    let days = || Day::objects(&db);
    let says = "a distance between values that are not numbers";
    refused(
        days().values(|d| count_star().over(|w| w.order_by(d.day.asc()).range(Preceding(30), CurrentRow))).load(),
        says,
    );
    refused(
        days().values(|d| count_star().over(|w| w.order_by(d.at.asc()).range(CurrentRow, Following(1)))).load(),
        says,
    );
    refused(
        days().values(|d| count_star().over(|w| w.order_by(d.name.asc()).range(Preceding(1), Following(1)))).load(),
        says,
    );
    let says = "its order has several keys";
    let two =
        days().values(|d| count_star().over(|w| w.order_by((d.id.asc(), d.id.desc())).range(Preceding(1), CurrentRow)));
    refused(two.load(), says);
    let none = days().values(|_| count_star().over(|w| w.range(Preceding(1), CurrentRow)));
    refused(none.load(), "and it has none");
    // Without a number, every order has a range.
    db.create_tables::<(Day,)>()?;
    let day = |id| Day { id, day: chrono::NaiveDate::default(), at: None, name: "x".into() };
    Day::bulk_create(&db, (1..=3).map(day))?;
    let counts = days().order_by(|d| d.id.asc()).values(|d| {
        (
            count_star().over(|w| w.order_by((d.day.asc(), d.name.asc())).range(UnboundedPreceding, CurrentRow)),
            count_star().over(|w| w.order_by(d.at.asc()).range(CurrentRow, UnboundedFollowing)),
            count_star().over(|w| w.order_by(d.id.asc()).range(Preceding(1), CurrentRow)),
        )
    });
    assert_eq!(counts.load()?, [(3, 3, 1), (3, 3, 2), (3, 3, 2)]);
    Ok(())
}

/// PostgreSQL alone refuses to lock rows that a window was computed of.
fn locks_and_windows(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    db.transaction(|tx| {
        let numbered = Flight::objects(tx)
            .for_update()
            .order_by(|f| (orm_core::dsl::row_number().over(|w| w.order_by(f.id.desc())).asc(), f.id.asc()));
        let says = bed.pick(Pick {
            postgres: Some("PostgreSQL locks no rows of a query with windows"),
            mysql: None,
            sqlite: Some("SQLite locks the whole database"),
        });
        match says {
            Some(says) => refused(numbered.load(), says),
            None => assert_eq!(ids(&numbered)?, (1..=10).rev().collect::<Vec<_>>()),
        }
        ok(())
    })?;
    Ok(())
}
