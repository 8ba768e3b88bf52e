//! Window functions, against the same computed of a Vec.

use itertools::Itertools;
use orm_core::{
    dsl::{
        Frame, avg, count_star, cume_dist, dense_rank, first_value, lag, last_value, lead, max, nth_value, ntile,
        percent_rank, rank, row_number, sum,
    },
    prelude::*,
};
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Flight, ids, schedule};

on_each_backend! {
    numbers_of_rows, ranks, neighbours, ends_of_frames, aggregates_over_windows, frames, orders_by_windows,
    of_the_rows_that_are_left, mixed_with_fields, streamed, what_mariadb_computes_wrong,
}

fn by_carrier(flights: &[Flight]) -> Vec<(i64, Vec<Flight>)> {
    flights
        .iter()
        .map(|flight| (flight.id, flights.iter().filter(|f| f.carrier == flight.carrier).cloned().collect()))
        .collect()
}

fn numbers_of_rows(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let rows: Vec<(i64, i64, i64)> = Flight::objects(&db)
        .order_by(|f| f.id.asc())
        .values(|f| {
            (
                f.id,
                row_number().over(|w| w.partition_by(f.carrier).order_by(f.id.desc())),
                row_number().over(|w| w.order_by((f.carrier.asc(), f.id.asc()))),
            )
        })
        .load()?;
    let all = flights.iter().map(|f| (f.carrier.clone(), f.id)).sorted().collect_vec();
    let expected = by_carrier(&flights).into_iter().map(|(id, carrier)| {
        let from_end = carrier.iter().rev().position(|f| f.id == id).map_or(0, |at| at + 1);
        let among_all = all.iter().position(|(_, other)| *other == id).map_or(0, |at| at + 1);
        (id, i64::try_from(from_end).unwrap_or(0), i64::try_from(among_all).unwrap_or(0))
    });
    assert_eq!(rows, expected.collect_vec());
    Ok(())
}

fn ranks(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let rows = Flight::objects(&db)
        .filter(|f| f.delay.is_not_null())
        .order_by(|f| f.id.asc())
        .values(|f| {
            (
                f.id,
                rank().over(|w| w.order_by(f.delay.desc())),
                dense_rank().over(|w| w.order_by(f.delay.desc())),
                percent_rank().over(|w| w.order_by(f.delay.desc())),
                ntile(4).over(|w| w.order_by((f.delay.desc(), f.id.asc()))),
                cume_dist().over(|w| w.order_by(f.delay.desc())),
            )
        })
        .load()?;
    // By delay: 4 (120), 1 and 8 (20), 10 (7), 9 (0), 2 (-3).
    let expected = [
        (1, 2, 2, 0.2, 1, 0.5),
        (2, 6, 5, 1.0, 4, 1.0),
        (4, 1, 1, 0.0, 1, 1.0 / 6.0),
        (8, 2, 2, 0.2, 2, 0.5),
        (9, 5, 4, 0.8, 3, 5.0 / 6.0),
        (10, 4, 3, 0.6, 2, 4.0 / 6.0),
    ];
    for (row, wanted) in rows.iter().zip_eq(expected) {
        assert_eq!((row.0, row.1, row.2, row.4), (wanted.0, wanted.1, wanted.2, wanted.4));
        assert!((row.3 - wanted.3).abs() < 1e-9 && (row.5 - wanted.5).abs() < 1e-9, "{row:?}");
    }
    Ok(())
}

fn neighbours(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let rows: Vec<(i64, Option<i64>, Option<i32>, Option<String>)> = Flight::objects(&db)
        .order_by(|f| f.id.asc())
        .values(|f| {
            (
                f.id,
                lag(f.id, 1).over(|w| w.partition_by(f.carrier).order_by(f.id.asc())),
                lead(f.delay, 2).over(|w| w.partition_by(f.carrier).order_by(f.id.asc())),
                lead(f.dest().city, 1).over(|w| w.order_by(f.id.asc())),
            )
        })
        .load()?;
    let city = |code: &str| crate::models::airports().into_iter().find(|a| a.code == code).map(|a| a.city);
    let expected = by_carrier(&flights).into_iter().enumerate().map(|(at, (id, carrier))| {
        let mine = carrier.iter().position(|f| f.id == id).unwrap_or_default();
        let before = mine.checked_sub(1).map(|at| carrier[at].id);
        let behind = carrier.get(mine + 2).and_then(|f| f.delay);
        (id, before, behind, flights.get(at + 1).and_then(|f| city(&f.dest_code)))
    });
    assert_eq!(rows, expected.collect_vec());
    Ok(())
}

fn ends_of_frames(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let rows = Flight::objects(&db)
        .filter(|f| f.carrier.eq("UA"))
        .order_by(|f| f.id.asc())
        .values(|f| {
            (
                first_value(f.id).over(|w| w.order_by(f.id.asc())),
                last_value(f.id).over(|w| w.order_by(f.id.asc())),
                last_value(f.id)
                    .over(|w| w.order_by(f.id.asc()).rows(Frame::UnboundedPreceding, Frame::UnboundedFollowing)),
                nth_value(f.delay, 2).over(|w| w.order_by(f.id.asc())),
            )
        })
        .load()?;
    assert_eq!(
        rows,
        [
            (Some(1), Some(1), Some(8), None),
            (Some(1), Some(2), Some(8), Some(-3)),
            (Some(1), Some(5), Some(8), Some(-3)),
            (Some(1), Some(8), Some(8), Some(-3)),
        ]
    );
    Ok(())
}

fn aggregates_over_windows(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let rows: Vec<(i64, i64, Option<i64>, Option<i32>, i64)> = Flight::objects(&db)
        .order_by(|f| f.id.asc())
        .values(|f| {
            (
                f.id,
                count_star().over(|w| w.partition_by((f.carrier, f.origin_code))),
                sum(f.delay).over(|w| w.partition_by(f.carrier).order_by(f.id.asc())),
                max(f.delay).over(|w| w),
                count_star().filter(f.delay.gt(0)).over(|w| w.partition_by((f.carrier, f.origin_code))),
            )
        })
        .load()?;
    let expected = by_carrier(&flights).into_iter().map(|(id, carrier)| {
        let me = carrier.iter().find(|f| f.id == id).map(|f| f.origin_code.clone()).unwrap_or_default();
        let same = carrier.iter().filter(|f| f.origin_code == me).count();
        let so_far = carrier.iter().filter(|f| f.id <= id).filter_map(|f| f.delay.map(i64::from)).sum1();
        let late = carrier.iter().filter(|f| f.origin_code == me && f.delay > Some(0)).count();
        (id, i64::try_from(same).unwrap_or(0), so_far, Some(120), i64::try_from(late).unwrap_or(0))
    });
    assert_eq!(rows, expected.collect_vec());
    Ok(())
}

fn frames(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let rows = Flight::objects(&db)
        .order_by(|f| f.id.asc())
        .values(|f| {
            (
                sum(f.seats).over(|w| w.order_by(f.id.asc()).rows(Frame::Preceding(2), Frame::CurrentRow)),
                avg(f.seats).over(|w| w.order_by(f.id.asc()).rows(Frame::CurrentRow, Frame::Following(1))),
                count_star().over(|w| w.order_by(f.seats.asc()).range(Frame::Preceding(3), Frame::Following(3))),
            )
        })
        .load()?;
    let seats = flights.iter().map(|f| i64::from(f.seats)).collect_vec();
    #[allow(clippy::cast_precision_loss)] // small numbers
    let expected = (0..seats.len()).map(|at| {
        let next = &seats[at..seats.len().min(at + 2)];
        let near = seats.iter().filter(|s| (**s - seats[at]).abs() <= 3).count();
        (
            Some(seats[at.saturating_sub(2)..=at].iter().sum::<i64>()),
            Some(next.iter().sum::<i64>() as f64 / next.len() as f64),
            i64::try_from(near).unwrap_or(0),
        )
    });
    assert_eq!(rows, expected.collect_vec());
    Ok(())
}

fn orders_by_windows(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let by_number = Flight::objects(&db)
        .order_by(|f| (row_number().over(|w| w.partition_by(f.carrier).order_by(f.id.asc())).desc(), f.id.asc()));
    assert_eq!(ids(&by_number)?, [8, 5, 10, 2, 4, 7, 1, 3, 6, 9]);
    Ok(())
}

/// Conditions come before windows, and limits behind them.
fn of_the_rows_that_are_left(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let rows = Flight::objects(&db)
        .filter(|f| f.carrier.eq("UA"))
        .order_by(|f| f.id.desc())
        .limit(2)
        .annotate(|f| (count_star().over(|w| w), row_number().over(|w| w.order_by(f.id.asc()))))
        .load()?;
    assert_eq!(rows.into_iter().map(|(f, values)| (f.id, values)).collect_vec(), [(8, (4, 4)), (5, (4, 3))]);
    Ok(())
}

fn mixed_with_fields(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let shares = Flight::objects(&db)
        .filter(|f| f.id.le(2))
        .order_by(|f| f.id.asc())
        .values(|f| max(f.id).over(|w| w) - lag(f.id, 1).over(|w| w.order_by(f.id.asc())))
        .load()?;
    assert_eq!(shares, [None, Some(1)]);
    Ok(())
}

fn streamed(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let rows = Flight::objects(&db)
        .order_by(|f| f.id.asc())
        .annotate(|f| row_number().over(|w| w.order_by(f.id.desc())))
        .iterator(3)?;
    assert_eq!(rows.map(|(f, number)| f.id + number).collect_vec(), [11; 10]);
    Ok(())
}

/// MariaDB sorts once for windows that begin alike, and wrongly where they go on differently: right values, or none.
fn what_mariadb_computes_wrong(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let answer = Flight::objects(&db)
        .order_by(|f| f.id.asc())
        .values(|f| {
            (
                count_star().over(|w| w.partition_by((f.carrier, f.origin_code))),
                sum(f.delay).over(|w| w.partition_by(f.carrier).order_by(f.id.asc())),
                count_star().over(|w| w.partition_by(f.carrier)),
            )
        })
        .load();
    if bed.backend() == orm_core::BackendKind::Mysql {
        let error = answer.expect_err("it would be wrong");
        assert_eq!((error.kind(), error.model()), (ErrorKind::InvalidQuery, Some("Flight")));
        assert!(error.to_string().contains("by two querysets"), "{error}");
        return Ok(());
    }
    let same = by_carrier(&flights).into_iter().map(|(id, carrier)| {
        let me = carrier.iter().find(|f| f.id == id).map(|f| f.origin_code.clone()).unwrap_or_default();
        (carrier.iter().filter(|f| f.origin_code == me).count(), carrier.len())
    });
    let counted = answer?.into_iter().map(|row| (row.0, row.2)).collect_vec();
    let expected = same.map(|(a, b)| (i64::try_from(a).unwrap_or(0), i64::try_from(b).unwrap_or(0))).collect_vec();
    assert_eq!(counted, expected);
    Ok(())
}
