//! Orders: `order_by`, NULLs, `reverse`, and what `limit` and `offset` cut.

use itertools::Itertools;
use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Flight, Number, ids, named, schedule};

on_each_backend! {
    order_by_several_keys, nulls_first_and_last, order_without_a_word_on_nulls, reverse_twice_is_nothing, reverse_turns_nulls_round, reverse_needs_an_order, reverse_of_diesels_order_is_an_error, order_by_an_expression, a_later_order_replaces, limit_and_offset,
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
    let query = Number::objects(&db).order_by(|n| orm_core::diesel::ExpressionMethods::desc(n.id + 1_i64));
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
