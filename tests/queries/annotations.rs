//! `annotate` and `values` of what is computed for each row.

use itertools::Itertools;
use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Airport, Flight, airports, schedule};

on_each_backend! {
    of_models, of_related_models, streamed, ordered_filtered_and_cut, counted_without_what_is_computed, of_a_union,
}

fn of_models(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let rows: Vec<(Flight, (Option<i32>, i32))> =
        Flight::objects(&db).order_by(|f| f.id.asc()).annotate(|f| (f.delay * 2, f.seats + 1)).load()?;
    let expected = flights.into_iter().map(|f| (f.clone(), (f.delay.map(|delay| delay * 2), f.seats + 1)));
    assert_eq!(rows, expected.collect_vec());
    let one: Vec<(Flight, Option<String>)> =
        Flight::objects(&db).filter(|f| f.id.eq(5)).annotate(|f| f.dest().city).load()?;
    assert_eq!(one.into_iter().map(|(f, city)| (f.id, city)).collect_vec(), [(5, None)]);
    Ok(())
}

fn of_related_models(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let rows: Vec<((Flight, Airport, Option<Airport>), (Option<i32>, Option<String>))> = Flight::objects(&db)
        .filter(|f| f.id.eq_any([2, 9]))
        .order_by(|f| f.id.asc())
        .select_related(|f| (f.origin(), f.dest()))
        .annotate(|f| (f.delay + 100, f.origin().hub().city))
        .load()?;
    let airport = |code: &str| airports().into_iter().find(|a| a.code == code);
    let shown = rows.into_iter().map(|((f, from, to), values)| (f.id, Some(from), to, values)).collect_vec();
    assert_eq!(
        shown,
        [
            (2, airport("LGA"), airport("ORD"), (Some(97), Some("New York".into()))),
            (9, airport("ORD"), None, (Some(100), None)),
        ]
    );
    Ok(())
}

fn streamed(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let rows = Flight::objects(&db).order_by(|f| f.id.desc()).annotate(|f| f.id * 3).iterator(3)?;
    assert_eq!(rows.collect_vec(), flights.into_iter().rev().map(|f| (f.clone(), f.id * 3)).collect_vec());
    Ok(())
}

fn ordered_filtered_and_cut(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let query = Flight::objects(&db)
        .annotate(|f| f.delay * 3)
        .filter(|f| f.delay.is_not_null())
        .order_by(|f| (f.delay * 3).asc())
        .limit(2);
    let left = query.load()?.into_iter().map(|(f, left)| (f.id, left)).collect_vec();
    assert_eq!(left, [(2, Some(-9)), (9, Some(0))]);
    assert_eq!(query.first()?.map(|(f, _)| f.id), Some(2));
    assert_eq!(query.last()?.map(|(f, _)| f.id), Some(9));
    Ok(())
}

fn counted_without_what_is_computed(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    assert_eq!(Flight::objects(&db).annotate(|f| f.dest().city).count()?, 10);
    assert_eq!(Flight::objects(&db).annotate(|f| f.seats / 10).distinct().count()?, 10);
    assert!(Flight::objects(&db).annotate(|f| f.seats / 10).exists()?);
    Ok(())
}

fn of_a_union(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let of = |carrier: &'static str| Flight::objects(&db).filter(move |f| f.carrier.eq(carrier));
    let rows = of("DL").union([of("B6")]).annotate(|f| f.origin().city).order_by(|f| f.id.asc()).load()?;
    assert_eq!(
        rows.into_iter().map(|(f, city)| (f.id, city)).collect_vec(),
        [(6, "Zürich's 100%_\\".into()), (7, "New York".into()), (9, "Chicago".to_owned())]
    );
    Ok(())
}
