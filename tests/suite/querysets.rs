//! Querysets of one table: which rows, in which order, and what the terminals answer.

use std::num::NonZeroUsize;

use itertools::Itertools;
use orm_core::{
    diesel::dsl::{avg, count, count_star, max, min, not, sum},
    prelude::*,
};
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Airport, Flight, Number, flight, schedule};

on_each_backend! {
    filter_and_exclude_share_no_row_and_cover_all, conditions_are_joined_by_and, or_stays_in_its_parentheses,
    comparisons, comparisons_of_two_fields, arithmetic, null_never_equals, eq_any_of_nothing,
    order_by_several_keys, nulls_first_and_last, order_without_a_word_on_nulls, reverse_twice_is_nothing,
    reverse_turns_nulls_round, reverse_needs_an_order, reverse_of_diesels_order_is_an_error, a_later_order_replaces,
    order_by_an_expression, distinct, distinct_counts, limit_and_offset, first, first_without_an_order, get,
    count_of_everything, exists, values_of_one_field, values_of_many_fields, values_as_expressions, aggregates,
    sum_overflow, sum_of_nothing, sql_is_what_is_sent, sql_of_a_bad_queryset, debug_of_a_queryset, clones_are_equal_and_apart,
    a_queryset_crosses_threads, borrowed_values, a_function_may_take_and_return_one, order_of_calls_does_not_matter,
    an_empty_table, fetch_bytes_is_no_limit,
}

/// Rows with ids 1 to 6, whose names are NULL, `a` or `b`.
fn named(db: &Database) -> orm_core::Result<Vec<Number>> {
    let rows = [Some("b"), None, Some("a"), Some("b"), None, Some("a")]
        .into_iter()
        .zip(1..)
        .map(|(name, id)| Number { id, name: name.map(Into::into) })
        .collect_vec();
    db.create_tables::<(Number,)>()?;
    Number::bulk_create(db, rows.clone())?;
    Ok(rows)
}

fn ids<S: orm_core::queryset::ReadableOn<orm_core::Any, Row = Number> + orm_core::queryset::Shape<Row = Number>>(
    query: QuerySet<'_, Number, orm_core::Any, S>,
) -> orm_core::Result<Vec<i64>> {
    Ok(query.load()?.into_iter().map(|row| row.id).collect())
}

fn filter_and_exclude_share_no_row_and_cover_all(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    named(&db)?;
    let all = || Number::objects(&db).order_by(|n| n.id.asc());
    macro_rules! parts {
        ($condition:expr, $expected:expr) => {
            let (kept, rest) = (ids(all().filter($condition))?, ids(all().exclude($condition))?);
            assert_eq!(kept, $expected, "{}", all().filter($condition).sql()?);
            assert_eq!(kept.iter().chain(&rest).copied().sorted().collect_vec(), (1..=6).collect_vec());
        };
    }
    parts!(|n| n.name.eq("a"), [3, 6]);
    parts!(|n| n.name.ne("a"), [1, 4]);
    parts!(|n| n.name.is_null(), [2, 5]);
    parts!(|n| n.name.eq("a").and(n.id.gt(4)), [6]);
    parts!(|n| n.name.eq("a").or(n.id.gt(4)), [3, 5, 6]);
    parts!(|n| not(n.name.eq("a")), [1, 4]);
    parts!(|n| n.name.eq_any(["a", "b"]), [1, 3, 4, 6]);
    parts!(|n| n.name.ne_all(["a"]), [1, 4]);
    parts!(|n| n.name.gt("a"), [1, 4]);
    parts!(|n| n.name.starts_with("b"), [1, 4]);
    parts!(|n| n.id.between(2, 4), [2, 3, 4]);
    parts!(|n| n.id.not_between(2, 4), [1, 5, 6]);
    Ok(())
}

fn conditions_are_joined_by_and(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    named(&db)?;
    let query = Number::objects(&db).filter(|n| n.id.gt(1)).exclude(|n| n.name.eq("a")).filter(|n| n.id.lt(6));
    assert_eq!(ids(query.order_by(|n| n.id.asc()))?, [2, 4, 5]);
    Ok(())
}

fn or_stays_in_its_parentheses(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    named(&db)?;
    let query = Number::objects(&db)
        .filter(|n| n.id.eq(1).or(n.id.eq(2)))
        .filter(|n| n.id.eq(2).or(n.id.eq(3)))
        .exclude(|n| n.id.eq(5).or(n.id.eq(6)));
    assert_eq!(ids(query)?, [2]);
    Ok(())
}

fn comparisons(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let (_, flights) = schedule(&db)?;
    let all = || Flight::objects(&db).order_by(|f| f.id.asc());
    macro_rules! agree {
        ($query:expr, $oracle:expr) => {
            assert_eq!(
                $query.load()?,
                flights.iter().filter(|f| $oracle(f)).cloned().collect_vec(),
                "{}",
                $query.sql()?
            );
        };
    }
    let is = |f: &Flight, test: fn(f64) -> bool| f.dep_delay.is_some_and(test);
    agree!(all().filter(|f| f.dep_delay.lt(20.5)), |f: &Flight| is(f, |d| d < 20.5));
    agree!(all().filter(|f| f.dep_delay.le(20.5)), |f: &Flight| is(f, |d| d <= 20.5));
    agree!(all().filter(|f| f.dep_delay.gt(0.0)), |f: &Flight| is(f, |d| d > 0.0));
    agree!(all().filter(|f| f.dep_delay.ge(0.0)), |f: &Flight| is(f, |d| d >= 0.0));
    agree!(all().filter(|f| f.dep_delay.between(-3.0, 0.0)), |f: &Flight| is(f, |d| (-3.0..=0.0).contains(&d)));
    agree!(all().filter(|f| f.seats.gt(103)), |f: &Flight| f.seats > 103);
    agree!(all().filter(|f| f.id.eq_any([1, 6, 999])), |f: &Flight| [1, 6].contains(&f.id));
    agree!(all().filter(|f| f.scheduled_at.ge(flights[3].scheduled_at)), |f: &Flight| f.scheduled_at
        >= flights[3].scheduled_at);
    agree!(all().filter(|f| f.origin_code.ne("JFK")), |f: &Flight| f.origin_code != "JFK");
    Ok(())
}

fn comparisons_of_two_fields(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let ids = |query: QuerySet<'_, Flight>| query.order_by(|f| f.id.asc()).values(|f| f.id).load();
    assert_eq!(ids(Flight::objects(&db).filter(|f| f.origin_code.lt(f.dest_code)))?, [1, 2, 3, 6]);
    assert_eq!(ids(Flight::objects(&db).filter(|f| f.origin().hub_code.eq(f.dest().code)))?, [0_i64; 0]);
    assert_eq!(ids(Flight::objects(&db).filter(|f| f.dest().city.gt(f.dest().hub().city)))?, [0_i64; 0]);
    Ok(())
}

fn arithmetic(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let found = Flight::objects(&db).filter(|f| (f.dep_delay + 10.0).gt(100.0)).values(|f| f.id).load()?;
    assert_eq!(found, [4]);
    let ids = Flight::objects(&db).filter(|f| (f.id * 2_i64 - 1_i64).eq(7)).values(|f| f.id).load()?;
    assert_eq!(ids, [4]);
    Ok(())
}

fn null_never_equals(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    named(&db)?;
    assert_eq!(Number::objects(&db).filter(|n| n.name.eq(None::<&str>)).count()?, 0);
    assert_eq!(Number::objects(&db).filter(|n| n.name.ne(None::<&str>)).count()?, 0);
    assert_eq!(Number::objects(&db).exclude(|n| n.name.eq(None::<&str>)).count()?, 6);
    assert_eq!(Number::objects(&db).filter(|n| n.name.is_not_null()).count()?, 4);
    Ok(())
}

fn eq_any_of_nothing(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    named(&db)?;
    assert_eq!(Number::objects(&db).filter(|n| n.id.eq_any(Vec::<i64>::new())).count()?, 0);
    assert_eq!(Number::objects(&db).exclude(|n| n.id.eq_any(Vec::<i64>::new())).count()?, 6);
    Ok(())
}

fn order_by_several_keys(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let (_, flights) = schedule(&db)?;
    let read = Flight::objects(&db).order_by(|f| (f.origin_code.desc(), f.dest_code.asc(), f.id.desc())).load()?;
    let oracle = flights
        .into_iter()
        .sorted_by(|a, b| b.origin_code.cmp(&a.origin_code).then(a.dest_code.cmp(&b.dest_code)).then(b.id.cmp(&a.id)));
    assert_eq!(read, oracle.collect_vec());
    Ok(())
}

fn nulls_first_and_last(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    named(&db)?;
    let all = || Number::objects(&db);
    assert_eq!(ids(all().order_by(|n| (n.name.asc().nulls_first(), n.id.asc())))?, [2, 5, 3, 6, 1, 4]);
    assert_eq!(ids(all().order_by(|n| (n.name.asc().nulls_last(), n.id.asc())))?, [3, 6, 1, 4, 2, 5]);
    assert_eq!(ids(all().order_by(|n| (n.name.desc().nulls_first(), n.id.asc())))?, [2, 5, 1, 4, 3, 6]);
    assert_eq!(ids(all().order_by(|n| (n.name.desc().nulls_last(), n.id.asc())))?, [1, 4, 3, 6, 2, 5]);
    Ok(())
}

fn order_without_a_word_on_nulls(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    named(&db)?;
    let up = ids(Number::objects(&db).order_by(|n| (n.name.asc(), n.id.asc())))?;
    let down = ids(Number::objects(&db).order_by(|n| (n.name.desc(), n.id.asc())))?;
    if bed.sorts_null_last() {
        assert_eq!((up, down), (vec![3, 6, 1, 4, 2, 5], vec![2, 5, 1, 4, 3, 6]));
    } else {
        assert_eq!((up, down), (vec![2, 5, 3, 6, 1, 4], vec![1, 4, 3, 6, 2, 5]));
    }
    Ok(())
}

fn reverse_twice_is_nothing(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    named(&db)?;
    let query = Number::objects(&db).order_by(|n| (n.name.desc().nulls_first(), n.id.asc()));
    assert_eq!(query.clone().reverse().reverse().sql()?, query.sql()?);
    assert_eq!(ids(query.clone().reverse().reverse())?, ids(query)?);
    Ok(())
}

fn reverse_turns_nulls_round(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    named(&db)?;
    macro_rules! turned {
        ($order:expr) => {
            let query = Number::objects(&db).order_by($order);
            let mut backward = ids(query.clone().reverse())?;
            backward.reverse();
            assert_eq!(ids(query)?, backward);
        };
    }
    turned!(|n| (n.name.asc(), n.id.asc()));
    turned!(|n| (n.name.desc(), n.id.asc()));
    turned!(|n| (n.name.asc().nulls_first(), n.id.desc()));
    turned!(|n| (n.name.desc().nulls_last(), n.id.asc()));
    turned!(|n| n.id.desc());
    Ok(())
}

fn reverse_needs_an_order(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    named(&db)?;
    let query = Number::objects(&db).reverse();
    for error in [
        query.load().map(|_| ()),
        query.clone().iterator(5).map(|_| ()),
        query.first().map(|_| ()),
        query.sql().map(|_| ()),
    ] {
        let error = error.expect_err("there is nothing to turn round");
        assert_eq!(error.kind(), ErrorKind::InvalidQuery);
        assert!(error.to_string().contains("order_by"), "{error}");
    }
    assert_eq!(query.order_by(|n| n.id.asc()).first()?.map(|row| row.id), Some(6), "an order may come later");
    Ok(())
}

fn reverse_of_diesels_order_is_an_error(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    named(&db)?;
    let query = Number::objects(&db).order_by(|n| (n.id + 1_i64).desc());
    assert_eq!(ids(query.clone())?, [6, 5, 4, 3, 2, 1]);
    let error = query.reverse().load().expect_err("Diesel's order cannot be taken apart");
    assert_eq!(error.kind(), ErrorKind::InvalidQuery);
    assert!(error.to_string().contains("orm_core::asc"), "{error}");
    Ok(())
}

fn order_by_an_expression(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    named(&db)?;
    let query = Number::objects(&db).order_by(|n| desc(n.id * -1_i64));
    assert_eq!(ids(query.clone())?, [1, 2, 3, 4, 5, 6]);
    assert_eq!(ids(query.reverse())?, [6, 5, 4, 3, 2, 1]);
    let query = Number::objects(&db).order_by(|n| (asc(n.name.is_null()), n.id.desc()));
    assert_eq!(ids(query)?, [6, 4, 3, 1, 5, 2]);
    Ok(())
}

fn a_later_order_replaces(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    named(&db)?;
    assert_eq!(ids(Number::objects(&db).order_by(|n| n.id.desc()).order_by(|n| n.id.asc()))?, [1, 2, 3, 4, 5, 6]);
    Ok(())
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

fn limit_and_offset(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    named(&db)?;
    let oracle = [1, 2, 3, 4, 5, 6];
    for limit in [None, Some(0), Some(1), Some(3), Some(6), Some(7), Some(i64::MAX.unsigned_abs())] {
        for offset in [0, 1, 5, 6, 7, 1000] {
            let mut query = Number::objects(&db).order_by(|n| n.id.asc()).offset(offset);
            if let Some(limit) = limit {
                query = query.limit(limit);
            }
            let taken = usize::try_from(limit.unwrap_or(100)).unwrap_or(usize::MAX);
            let expected = oracle.into_iter().skip(usize::try_from(offset)?).take(taken).collect_vec();
            assert_eq!(ids(query.clone())?, expected, "limit {limit:?}, offset {offset}");
            assert_eq!(query.clone().iterator(2)?.map(|row| row.id).collect_vec(), expected);
            assert_eq!(query.count()?, expected.len() as u64, "count with limit {limit:?}, offset {offset}");
            assert_eq!(query.exists()?, !expected.is_empty());
            assert_eq!(query.first()?.map(|row| row.id), expected.first().copied());
        }
    }
    Ok(())
}

fn first(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = named(&db)?;
    assert_eq!(Number::objects(&db).order_by(|n| n.id.desc()).first()?.as_ref(), rows.last());
    assert_eq!(Number::objects(&db).filter(|n| n.id.gt(6)).first()?, None);
    assert_eq!(Number::objects(&db).order_by(|n| n.id.asc()).values(|n| n.name).offset(1).first()?, Some(None));
    Ok(())
}

fn first_without_an_order(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Airport,)>()?;
    let airport = |code: &str| crate::models::airport(code, "City", None);
    Airport::bulk_create(&db, ["M", "C", "A", "X"].map(airport))?;
    assert_eq!(Airport::objects(&db).first()?, Some(airport("A")), "the smallest primary key");
    assert_eq!(Airport::objects(&db).offset(1).first()?, Some(airport("C")));
    assert_eq!(Airport::objects(&db).select_related(|a| a.hub()).first()?, Some((airport("A"), None)));
    Ok(())
}

fn get(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = named(&db)?;
    assert_eq!(Number::objects(&db).filter(|n| n.id.eq(3)).get()?, rows[2]);
    let none = Number::objects(&db).filter(|n| n.id.eq(33)).get().expect_err("there is none");
    assert_eq!((none.kind(), none.model()), (ErrorKind::NotFound, Some("Number")));
    let many = Number::objects(&db).filter(|n| n.name.eq("a")).get().expect_err("there are two");
    assert_eq!((many.kind(), many.model()), (ErrorKind::MultipleRows, Some("Number")));
    assert!(many.sql().is_some_and(|sql| sql.contains("WHERE")), "{many:?}");
    assert_eq!(Number::objects(&db).filter(|n| n.name.eq("a")).order_by(|n| n.id.asc()).limit(1).get()?.id, 3);
    Ok(())
}

fn count_of_everything(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    assert_eq!(Flight::objects(&db).count()?, 6);
    assert_eq!(Flight::objects(&db).order_by(|f| f.dest().city.asc()).count()?, 6, "an order drops no row");
    assert_eq!(Flight::objects(&db).select_related(|f| (f.origin(), f.dest())).count()?, 6);
    assert_eq!(Flight::objects(&db).filter(|f| f.dest().city.eq("Chicago")).count()?, 2);
    assert_eq!(Flight::objects(&db).filter(|f| f.dest().city.is_null()).count()?, 1);
    assert_eq!(Flight::objects(&db).exclude(|f| f.dest().city.eq("Chicago")).count()?, 4);
    assert_eq!(Flight::objects(&db).values(|f| f.origin().city).distinct().count()?, 2);
    assert_eq!(Flight::objects(&db).values(|f| f.dest().city).count()?, 6);
    Ok(())
}

fn exists(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    assert!(Flight::objects(&db).exists()?);
    assert!(!Flight::objects(&db).limit(0).exists()?);
    assert!(!Flight::objects(&db).filter(|f| f.id.gt(6)).exists()?);
    assert!(Flight::objects(&db).filter(|f| f.origin().hub().city.eq("Chicago")).exists()?);
    assert!(!Flight::objects(&db).filter(|f| f.origin().hub().city.eq("Boston")).exists()?);
    assert!(Flight::objects(&db).order_by(|f| f.id.desc()).offset(5).exists()?);
    assert!(!Flight::objects(&db).offset(6).exists()?);
    Ok(())
}

fn an_empty_table(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Number,)>()?;
    let query = Number::objects(&db);
    assert_eq!((query.count()?, query.exists()?, query.first()?, query.load()?), (0, false, None, vec![]));
    assert_eq!(query.get().map_err(|error| error.kind()), Err(ErrorKind::NotFound));
    assert_eq!(query.iterator(5)?.next(), None);
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

fn sql_is_what_is_sent(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let query =
        Flight::objects(&db).filter(|f| f.origin().city.eq("New York")).order_by(|f| f.id.desc()).limit(3).offset(1);
    let expected = bed.pick(
        r#"SELECT "flights"."id", "flights"."scheduled_at", "flights"."dep_delay", "flights"."origin_code", "flights"."dest_code", "flights"."seats" FROM "flights" INNER JOIN "airports" AS "flights__origin" ON "flights__origin"."code" = "flights"."origin_code" WHERE (("flights__origin"."city" = $1)) ORDER BY "flights"."id" DESC LIMIT 3 OFFSET 1"#,
        "SELECT `flights`.`id`, `flights`.`scheduled_at`, `flights`.`dep_delay`, `flights`.`origin_code`, `flights`.`dest_code`, `flights`.`seats` FROM `flights` INNER JOIN `airports` AS `flights__origin` ON `flights__origin`.`code` = `flights`.`origin_code` WHERE ((`flights__origin`.`city` = ?)) ORDER BY `flights`.`id` DESC LIMIT 3 OFFSET 1",
    );
    assert_eq!(query.sql()?, expected);
    Ok(())
}

fn sql_of_a_bad_queryset(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let query = Number::objects(&db).reverse();
    assert_eq!(query.sql().map_err(|error| error.kind()), Err(ErrorKind::InvalidQuery));
    assert!(format!("{query:?}").contains("cannot be reversed"), "{query:?}");
    Ok(())
}

fn debug_of_a_queryset(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let query = Number::objects(&db).filter(|n| n.id.eq(77));
    assert_eq!(format!("{query:?}"), format!("QuerySet({})", query.sql()?));
    assert!(!format!("{query:?}").contains("77"), "{query:?}");
    Ok(())
}

fn clones_are_equal_and_apart(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    named(&db)?;
    let base = Number::objects(&db).filter(|n| n.id.gt(1)).order_by(|n| n.id.asc());
    let narrow = base.clone().filter(|n| n.id.lt(4));
    assert_eq!(ids(narrow)?, [2, 3]);
    assert_eq!(ids(base.clone().limit(1))?, [2]);
    assert_eq!(ids(base.clone())?, [2, 3, 4, 5, 6]);
    assert_eq!((ids(base.clone())?, base.count()?), (ids(base.clone())?, 5));
    Ok(())
}

fn a_queryset_crosses_threads(bed: &Bed) -> TestResult {
    fn is_send_and_sync<T: Send + Sync + Clone>(_: &T) {}
    let db = bed.db()?;
    named(&db)?;
    let query = Number::objects(&db).filter(|n| n.id.gt(2)).order_by(|n| n.id.asc());
    is_send_and_sync(&query);
    is_send_and_sync(&db);
    let counts: Vec<_> = std::thread::scope(|scope| {
        let threads = (0..4).map(|_| {
            let query = query.clone();
            scope.spawn(move || ids(query))
        });
        threads
            .collect_vec()
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| panic!("it panicked")))
            .collect()
    });
    for count in counts {
        assert_eq!(count?, [3, 4, 5, 6]);
    }
    Ok(())
}

/// Values in conditions may be borrowed from where the queryset was made.
fn borrowed_values(bed: &Bed) -> TestResult {
    fn with_name<'a>(db: &'a Database, name: &'a str) -> QuerySet<'a, Number> {
        Number::objects(db).filter(move |n| n.name.eq(name))
    }
    let db = bed.db()?;
    named(&db)?;
    let owned = String::from("a");
    let query = with_name(&db, &owned);
    assert_eq!(query.clone().order_by(|n| n.id.asc()).iterator(1)?.map(|row| row.id).collect_vec(), [3, 6]);
    assert_eq!(query.count()?, 2);
    // A stream needs the value no longer once it is open.
    let rows = {
        let short = String::from("b");
        Number::objects(&db).filter(|n| n.name.eq(short.clone())).order_by(|n| n.id.asc()).iterator(1)?
    };
    assert_eq!(rows.map(|row| row.id).collect_vec(), [1, 4]);
    Ok(())
}

fn a_function_may_take_and_return_one(bed: &Bed) -> TestResult {
    fn late(db: &Database) -> QuerySet<'_, Flight> {
        Flight::objects(db).filter(|f| f.dep_delay.gt(15.0))
    }
    fn from<'a>(query: QuerySet<'a, Flight>, code: &'a str) -> QuerySet<'a, Flight> {
        query.filter(|f| f.origin_code.eq(code))
    }
    let db = bed.db()?;
    schedule(&db)?;
    assert_eq!(from(late(&db), "JFK").values(|f| f.id).load()?, [1]);
    Ok(())
}

fn order_of_calls_does_not_matter(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    named(&db)?;
    let one = Number::objects(&db).limit(2).order_by(|n| n.id.desc()).filter(|n| n.name.is_not_null()).offset(1);
    let other = Number::objects(&db).filter(|n| n.name.is_not_null()).offset(1).order_by(|n| n.id.desc()).limit(2);
    assert_eq!(one.sql()?, other.sql()?);
    assert_eq!(ids(one)?, [4, 3]);
    let values = Number::objects(&db).values(|n| n.id).filter(|n| n.id.gt(4)).order_by(|n| n.name.asc()).load()?;
    assert_eq!(values.into_iter().sorted().collect_vec(), [5, 6]);
    Ok(())
}

fn fetch_bytes_is_no_limit(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    named(&db)?;
    assert_eq!(Number::objects(&db).fetch_bytes(NonZeroUsize::MIN).load()?.len(), 6);
    assert_eq!(Number::objects(&db).fetch_bytes(NonZeroUsize::MIN).iterator(100)?.count(), 6);
    Ok(())
}
