//! Conditions: which rows `filter` and `exclude` keep.

use itertools::Itertools;
use orm_core::{diesel::dsl::not, prelude::*};
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Flight, Number, ids, named, schedule};

on_each_backend! {
    filter_and_exclude_share_no_row_and_cover_all, conditions_are_joined_by_and, or_stays_in_its_parentheses, comparisons, comparisons_of_two_fields, arithmetic, null_never_equals, eq_any_of_nothing, borrowed_values,
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
