//! Choosing among values.

use orm_core::{
    dsl::{case_when, coalesce, concat, greatest, least, value},
    prelude::*,
};
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Note, notes};

on_each_backend! {
    the_first_that_is_not_null, joined_texts, greatest_and_least, null_where_equal, cases, newtypes,
}

fn the_first_that_is_not_null(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = notes(&db)?;
    let query = Note::objects(&db).order_by(|n| n.id.asc());
    let found: Vec<String> = query.clone().values(|n| coalesce((n.other, n.text))).load()?;
    assert_eq!(found, rows.iter().map(|n| n.other.clone().unwrap_or(n.text.clone())).collect::<Vec<_>>());
    let found: Vec<String> = query.clone().values(|n| coalesce((n.other, "?"))).load()?;
    assert_eq!(found, rows.iter().map(|n| n.other.clone().unwrap_or("?".into())).collect::<Vec<_>>());
    let found: Vec<Option<String>> =
        query.clone().values(|n| coalesce((n.other, n.other.lower(), None::<String>))).load()?;
    assert_eq!(found, rows.iter().map(|n| n.other.clone()).collect::<Vec<_>>());
    assert_eq!(query.filter(|n| coalesce((n.other, "none", n.text)).eq("none")).count()?, 2);
    Ok(())
}

fn joined_texts(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = notes(&db)?;
    let query = Note::objects(&db).order_by(|n| n.id.asc());
    let joined = |n: &Note| format!("{}, {}!", n.text, n.other.as_deref().unwrap_or_default());
    let found = query.clone().values(|n| concat((n.text, ", ", n.other, "!"))).load()?;
    assert_eq!(found, rows.iter().map(joined).collect::<Vec<_>>());
    assert_eq!(query.clone().values(|n| concat((n.other,))).first()?, Some(String::new()));
    let found =
        query.filter(|n| concat((n.text, n.other)).eq("aa").and(n.text.contains(concat(("a", n.other.left(0))))));
    assert_eq!(found.values(|n| n.id).load()?, [3]);
    Ok(())
}

#[derive(Model, Clone, Debug)]
struct Pair {
    #[model(primary_key)]
    id: i64,
    a: i32,
    b: Option<i32>,
    c: Option<f64>,
}

fn pairs(db: &Database) -> orm_core::Result<Vec<Pair>> {
    let rows = vec![
        Pair { id: 1, a: 1, b: Some(2), c: Some(0.5) },
        Pair { id: 2, a: 3, b: Some(-2), c: None },
        Pair { id: 3, a: 5, b: None, c: Some(7.25) },
    ];
    db.create_tables::<(Pair,)>()?;
    Pair::bulk_create(db, rows.clone())?;
    Ok(rows)
}

fn greatest_and_least(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = pairs(&db)?;
    let query = Pair::objects(&db).order_by(|p| p.id.asc());
    let found: Vec<(Option<i32>, i32, Option<i32>)> =
        query.clone().values(|p| (greatest((p.a, p.b)), greatest((p.a, 2, 4)), least((p.b, p.a, 0)))).load()?;
    let oracle = |p: &Pair| (p.b.map(|b| b.max(p.a)), p.a.max(4), p.b.map(|b| b.min(p.a).min(0)));
    assert_eq!(found, rows.iter().map(oracle).collect::<Vec<_>>());
    let found = query.clone().values(|p| least((p.c, 1.0))).load()?;
    assert_eq!(found, [Some(0.5), None, Some(1.0)]);
    assert_eq!(query.filter(|p| greatest((p.a, p.b)).gt(1)).count()?, 2);
    Ok(())
}

fn null_where_equal(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    pairs(&db)?;
    let query = Pair::objects(&db).order_by(|p| p.id.asc());
    let found: Vec<(Option<i32>, Option<i32>)> = query.clone().values(|p| (p.a.nullif(3), p.b.nullif(p.a))).load()?;
    assert_eq!(found, [(Some(1), Some(2)), (None, Some(-2)), (Some(5), None)]);
    assert_eq!(query.filter(|p| p.b.nullif(2).is_null()).count()?, 2);
    Ok(())
}

fn cases(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    pairs(&db)?;
    let query = Pair::objects(&db).order_by(|p| p.id.asc());
    let found: Vec<(String, Option<i32>, i32)> = query
        .clone()
        .values(|p| {
            (
                case_when(p.b.gt(0), "above").when(p.b.lt(0), "below").otherwise("?"),
                case_when(p.b.gt(0), p.a).when(p.b.lt(0), p.b).or_null(),
                case_when(p.b.is_null(), -1).otherwise(p.a),
            )
        })
        .load()?;
    let words = |word: &str, n, m| (word.to_owned(), n, m);
    assert_eq!(found, [words("above", Some(1), 1), words("below", Some(-2), 3), words("?", None, -1)]);
    // A nullable value makes all of it nullable.
    let found: Vec<Option<i32>> = query.clone().values(|p| case_when(p.a.gt(1), p.b).otherwise(0)).load()?;
    assert_eq!(found, [Some(0), Some(-2), None]);
    let found =
        query.clone().values(|p| (case_when(p.a.gt(1), true).otherwise(false), case_when(p.a.gt(1), 0.5).or_null()));
    assert_eq!(found.load()?, [(false, None), (true, Some(0.5)), (true, Some(0.5))]);
    let by_case = query.order_by(|p| case_when(p.b.is_null(), 0).otherwise(p.a).asc()).values(|p| p.id);
    assert_eq!(by_case.load()?, [3, 1, 2]);
    assert_eq!(
        Pair::objects(&db).filter(|p| value(3).eq(p.a)).values(|p| (p.id, value("x"))).load()?,
        [(2, "x".to_owned())]
    );
    Ok(())
}

/// How a flight is.
#[derive(FieldType, Clone, Copy, Debug, PartialEq)]
enum State {
    Planned,
    Flown,
}

#[derive(Model, Clone, Debug)]
struct Trip {
    #[model(primary_key)]
    id: i64,
    state: Option<State>,
}

/// What is a type of the program's stays one.
fn newtypes(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Trip,)>()?;
    Trip::bulk_create(&db, [Trip { id: 1, state: None }, Trip { id: 2, state: Some(State::Planned) }])?;
    let query = Trip::objects(&db).order_by(|t| t.id.asc());
    let states: Vec<State> = query.clone().values(|t| coalesce((t.state, State::Flown))).load()?;
    assert_eq!(states, [State::Flown, State::Planned]);
    let states: Vec<State> =
        query.clone().values(|t| case_when(t.state.is_null(), State::Planned).otherwise(State::Flown)).load()?;
    assert_eq!(states, [State::Planned, State::Flown]);
    assert_eq!(query.values(|t| t.state.nullif(State::Planned)).load()?, [None, None]);
    Ok(())
}
