//! `aggregate`: values of all rows, against the same computed of a Vec.

use itertools::Itertools;
use orm_core::{
    dsl::{avg, count, count_star, max, min, stddev, stddev_pop, sum, variance, variance_pop},
    prelude::*,
};
use orm_tests::{Bed, Pick, TestResult, on_each_backend};

use crate::models::{Airport, Flight, schedule};

on_each_backend! {
    of_all_rows, of_one, of_no_rows, of_a_cut_queryset, of_related_fields, filtered, different_values, spreads,
    sums_that_do_not_fit, extremes_of_text, what_is_computed_of_aggregates, of_distinct_values_is_refused,
    the_statements_are_the_least, in_a_transaction,
}

fn delays(flights: &[Flight]) -> Vec<i64> {
    flights.iter().filter_map(|f| f.delay.map(i64::from)).collect()
}

#[allow(clippy::cast_precision_loss)] // small numbers
fn mean(numbers: &[i64]) -> f64 {
    numbers.iter().sum::<i64>() as f64 / numbers.len() as f64
}

fn close(a: Option<f64>, b: f64) {
    let a = a.expect("there is a value");
    assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{a} is not {b}");
}

fn of_all_rows(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let delays = delays(&flights);
    let row: (i64, i64, Option<i64>, Option<f64>, Option<i32>, Option<i32>, Option<f64>) = Flight::objects(&db)
        .aggregate(|f| {
            (count_star(), count(f.delay), sum(f.delay), avg(f.delay), min(f.delay), max(f.delay), sum(f.share))
        })?;
    assert_eq!((row.0, row.1, row.2), (10, 6, Some(delays.iter().sum())));
    close(row.3, mean(&delays));
    assert_eq!((row.4, row.5), (Some(-3), Some(120)));
    close(row.6, flights.iter().filter_map(|f| f.share).sum());
    assert_eq!(row.2, Some(bed.number("SELECT SUM(delay) FROM flights")));
    Ok(())
}

fn of_one(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let flights: i64 = Flight::objects(&db).filter(|f| f.carrier.eq("UA")).aggregate(|_| count_star())?;
    assert_eq!(flights, 4);
    let greatest: i64 = Flight::objects(&db).aggregate(|f| max(f.id))?.expect("there are flights");
    assert_eq!(greatest, 10);
    Ok(())
}

fn of_no_rows(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let none = Flight::objects(&db).filter(|f| f.id.lt(0));
    let row = none.aggregate(|f| (count_star(), sum(f.seats), avg(f.seats), max(f.carrier), stddev_pop(f.seats)))?;
    assert_eq!(row, (0, None, None, None, None));
    let nulls = Flight::objects(&db).filter(|f| f.carrier.eq("B6"));
    assert_eq!(nulls.aggregate(|f| (count_star(), count(f.delay), sum(f.delay), min(f.delay)))?, (2, 0, None, None));
    Ok(())
}

/// A limit, an offset and their order decide which rows an aggregate is of, and are not lost behind it.
fn of_a_cut_queryset(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let by_seats = Flight::objects(&db).order_by(|f| f.seats.desc());
    for (limit, offset) in [(3, 0), (4, 2), (100, 8), (0, 0), (3, 100)] {
        let rows = by_seats.clone().limit(limit).offset(offset);
        let skip = usize::try_from(offset)?;
        let take = usize::try_from(limit)?;
        let expected = flights.iter().rev().skip(skip).take(take).cloned().collect_vec();
        let row = rows.aggregate(|f| (count_star(), sum(f.seats), max(f.origin().city)))?;
        let city = expected.iter().map(|f| city_of(&f.origin_code)).max();
        let seats = expected.iter().map(|f| i64::from(f.seats)).sum1();
        assert_eq!(row.0, i64::try_from(expected.len())?, "{limit} {offset}");
        assert_eq!(row.1, seats, "{limit} {offset}");
        if bed.backend() != orm_core::BackendKind::Postgres {
            // There, text is compared by the collation of the database.
            assert_eq!(row.2, city, "{limit} {offset}");
        }
    }
    let late = Flight::objects(&db).filter(|f| f.origin().city.eq("New York")).order_by(|f| f.id.asc()).offset(2);
    assert_eq!(late.aggregate(|f| sum(f.id))?, Some(3 + 5 + 7 + 8 + 10));
    // Whole rows are different in any case.
    assert_eq!(Flight::objects(&db).distinct().aggregate(|_| count_star())?, 10);
    Ok(())
}

fn city_of(code: &str) -> String {
    crate::models::airports().into_iter().find(|a| a.code == code).map(|a| a.city).unwrap_or_default()
}

fn of_related_fields(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let row = Flight::objects(&db).aggregate(|f| (count(f.dest().city), count(f.origin().hub().city), count_star()))?;
    assert_eq!(row, (8, 3, 10));
    let row = Flight::objects(&db).select_related(|f| f.dest()).aggregate(|f| (count_star(), sum(f.seats)))?;
    assert_eq!(row, (10, Some(1055)));
    Ok(())
}

fn filtered(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let row = Flight::objects(&db).aggregate(|f| {
        (
            count_star().filter(f.delay.gt(10)),
            sum(f.delay).filter(f.carrier.eq("UA").or(f.carrier.eq("AA"))),
            count(f.delay).filter(f.delay.is_null()),
            avg(f.seats).filter(f.origin().city.eq("New York")),
            count(f.origin_code).filter(f.carrier.eq("UA")).distinct(),
            sum(f.share).filter(f.id.lt(0)),
        )
    })?;
    let of =
        |carriers: &[&str]| flights.iter().filter(|f| carriers.contains(&f.carrier.as_str())).cloned().collect_vec();
    assert_eq!(row.0, 3);
    assert_eq!(row.1, Some(delays(&of(&["UA", "AA"])).iter().sum()));
    assert_eq!(row.2, 0);
    let seats =
        flights.iter().filter(|f| ["JFK", "LGA"].contains(&&*f.origin_code)).map(|f| i64::from(f.seats)).collect_vec();
    close(row.3, mean(&seats));
    assert_eq!((row.4, row.5), (2, None));
    Ok(())
}

fn different_values(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let row = Flight::objects(&db)
        .aggregate(|f| (count(f.carrier).distinct(), sum(f.delay).distinct(), count(f.delay).distinct()))?;
    assert_eq!(row, (4, Some(20 - 3 + 120 + 7), 5));
    Ok(())
}

fn spreads(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let delays = delays(&flights);
    let row = Flight::objects(&db).aggregate(|f| {
        (stddev(f.delay), stddev_pop(f.delay), variance(f.delay), variance_pop(f.delay), variance(f.share))
    })?;
    let mean = mean(&delays);
    #[allow(clippy::cast_precision_loss)] // small numbers
    let squares: f64 = delays.iter().map(|d| (*d as f64 - mean).powi(2)).sum();
    #[allow(clippy::cast_precision_loss)]
    let n = delays.len() as f64;
    close(row.0, (squares / (n - 1.0)).sqrt());
    close(row.1, (squares / n).sqrt());
    close(row.2, squares / (n - 1.0));
    close(row.3, squares / n);
    close(row.4, squares / (n - 1.0) / 64.0);
    let one = Flight::objects(&db).filter(|f| f.id.eq(1));
    assert_eq!(one.aggregate(|f| (stddev(f.delay), variance_pop(f.delay)))?, (None, Some(0.0)));
    assert_eq!(one.aggregate(|f| variance(f.seats).filter(f.seats.lt(0)))?, None);
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Big {
    #[model(primary_key)]
    id: i64,
    number: i64,
    float: f64,
}

/// A sum beyond 64 bits is an error on every backend, and never another number.
fn sums_that_do_not_fit(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Big,)>()?;
    let big = |id, number| Big { id, number, float: 0.5 };
    Big::bulk_create(&db, [big(1, i64::MAX), big(2, 1), big(3, i64::MIN)])?;
    assert_eq!(Big::objects(&db).filter(|b| b.id.ne(2)).aggregate(|b| sum(b.number))?, Some(-1));
    let error = Big::objects(&db).filter(|b| b.id.lt(3)).aggregate(|b| sum(b.number)).expect_err("it does not fit");
    let expected =
        bed.pick(Pick { postgres: "bigint out of range", mysql: "beyond 64 bits", sqlite: "integer overflow" });
    assert!(format!("{error:?}").contains(expected), "{error:?}");
    close(Big::objects(&db).filter(|b| b.id.lt(3)).aggregate(|b| avg(b.number))?, 4_611_686_018_427_387_904.0);
    // The database goes on as before.
    assert_eq!(Big::objects(&db).aggregate(|_| count_star())?, 3);
    Ok(())
}

fn extremes_of_text(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    assert_eq!(
        Flight::objects(&db).aggregate(|f| (min(f.carrier), max(f.carrier), max(f.dest().code)))?,
        (Some("AA".into()), Some("UA".into()), Some("ZRH".into()))
    );
    assert_eq!(
        Airport::objects(&db).filter(|a| a.city.contains("%_\\")).aggregate(|a| max(a.city))?,
        Some("Zürich's 100%_\\".to_owned())
    );
    Ok(())
}

fn what_is_computed_of_aggregates(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let (late, span) = Flight::objects(&db).aggregate(|f| (sum(f.delay) - sum(f.seats), max(f.id) - min(f.id)))?;
    assert_eq!((late, span), (Some(164 - 1055), Some(9)));
    Ok(())
}

fn of_distinct_values_is_refused(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let error = Flight::objects(&db).values(|f| f.carrier).distinct().aggregate(|f| sum(f.seats)).expect_err("refused");
    assert_eq!((error.kind(), error.model()), (ErrorKind::InvalidQuery, Some("Flight")));
    assert!(error.to_string().contains("`count(f.x).distinct()`"), "{error}");
    // Values that are not made distinct have the rows that there are.
    assert_eq!(Flight::objects(&db).values(|f| f.carrier).aggregate(|f| sum(f.seats))?, Some(1055));
    let error =
        Flight::objects(&db).values_as::<i64, _>(|_| count_star()).aggregate(|_| count_star()).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::InvalidQuery);
    Ok(())
}

/// A sum that fails tells its statement, which has no join and no order that it does not need.
fn the_statements_are_the_least(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    Flight::objects(&db).update(|f| f.seats.set(i32::MAX))?;
    bed.execute("ALTER TABLE flights RENAME TO gone");
    let sql = |query: &QuerySet<'_, Flight>| {
        let error = query.aggregate(|f| sum(f.seats)).expect_err("there is no table");
        error.sql().map(|sql| sql.replace(['"', '`'], "")).unwrap_or_default()
    };
    let (before, behind) = bed.pick(Pick { postgres: ("CAST(", " AS BIGINT)"), mysql: ("", ""), sqlite: ("", "") });
    let sum = format!("SELECT {before}SUM(flights.seats){behind} FROM ");
    let placeholder = bed.pick(Pick { postgres: "$1", mysql: "?", sqlite: "?" });
    assert_eq!(sql(&Flight::objects(&db).order_by(|f| f.dest().city.asc())), format!("{sum}flights"));
    assert_eq!(
        sql(&Flight::objects(&db).filter(|f| f.id.gt(3))),
        format!("{sum}flights WHERE ((flights.id > {placeholder}))")
    );
    assert_eq!(
        sql(&Flight::objects(&db).order_by(|f| f.id.asc()).limit(3)),
        format!(
            "{sum}(SELECT flights.id AS __k1 FROM flights ORDER BY flights.id ASC LIMIT 3) AS __chosen INNER JOIN flights \
             ON flights.id = __chosen.__k1"
        )
    );
    bed.execute("ALTER TABLE gone RENAME TO flights");
    Ok(())
}

fn in_a_transaction(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let refused: Result<(), orm_core::Error> = db.transaction(|tx| {
        Airport::objects(tx).filter(|a| a.code.eq("ZRH")).update(|a| a.city.set("Nowhere"))?;
        assert_eq!(Airport::objects(tx).filter(|a| a.city.eq("Nowhere")).aggregate(|_| count_star())?, 1);
        Airport::objects(tx).filter(|a| a.city.eq("x")).get().map(|_| ())
    });
    assert_eq!(refused.map_err(|error| error.kind()), Err(ErrorKind::NotFound));
    assert_eq!(Airport::objects(&db).filter(|a| a.city.eq("Nowhere")).aggregate(|_| count_star())?, 0);
    Ok(())
}
