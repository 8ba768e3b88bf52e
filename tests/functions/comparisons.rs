//! Comparisons of what may be NULL with what may not, of every field type, and conditions as values.

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use orm_core::{
    diesel::expression_methods::NullableExpressionMethods,
    dsl::{case_when, coalesce, count_star, now},
    prelude::*,
};
use orm_tests::{Bed, TestResult, on_each_backend};
use serde_json::json;
use uuid::Uuid;

use crate::models::{Note, notes};

on_each_backend! { every_type_and_nullability, instants_and_expressions, conditions_as_values }

/// A type of the program's own over a standard type.
#[derive(FieldType, Clone, Debug, PartialEq)]
struct Code(String);

/// A type of the program's own over a portable type.
#[derive(FieldType, Clone, Copy, Debug, PartialEq)]
struct Ticket(Uuid);

/// Asserts which rows a condition finds.
macro_rules! finds {
    ($db:ident, $($ids:tt $condition:expr;)+) => { $(
        let found = Pair::objects(&$db).filter($condition).order_by(|p| p.id.asc()).values(|p| p.id).load()?;
        assert_eq!(found, Vec::<i64>::from($ids), "{}", stringify!($condition));
    )+ };
}

/// The matrix of one type: its table, whether it has an order, and two of its values, the lower one first.
macro_rules! matrix {
    ($bed:expr, $($table:literal $order:ident $rust:ty: $low:expr, $high:expr;)+) => { $( {
        #[derive(Model, Clone, Debug)]
        #[model(table = $table)]
        struct Pair {
            #[model(primary_key)]
            id: i64,
            sure: $rust,
            maybe: Option<$rust>,
        }

        let db = $bed.db()?;
        db.create_tables::<(Pair,)>()?;
        let (low, high): ($rust, $rust) = ($low, $high);
        let rows = [
            (1, &low, None),
            (2, &low, Some(&low)),
            (3, &low, Some(&high)),
            (4, &high, Some(&low)),
        ];
        Pair::bulk_create(&db, rows.map(|(id, sure, maybe)| Pair { id, sure: sure.clone(), maybe: maybe.cloned() }))?;
        let lowest = &low;
        let low = || lowest.clone();
        finds! { db,
            // Fields.
            [2] |p| p.sure.eq(p.maybe);
            [2] |p| p.maybe.eq(p.sure);
            [3, 4] |p| p.sure.ne(p.maybe);
            [3, 4] |p| p.maybe.ne(p.sure);
            [2] |p| p.sure.is_in([p.maybe]);
            [2] |p| p.maybe.is_in([p.sure]);
            [3, 4] |p| p.sure.not_in([p.maybe]);
            // Values.
            [1, 2, 3] |p| p.sure.eq(low());
            [1, 2, 3] |p| p.sure.eq(lowest);
            [1, 2, 3] |p| p.sure.eq(Some(low()));
            [] |p| p.sure.eq(None::<$rust>);
            [2, 4] |p| p.maybe.eq(low());
            [2, 4] |p| p.maybe.eq(lowest);
            [2, 4] |p| p.maybe.eq(Some(low()));
            [] |p| p.maybe.eq(None::<$rust>);
            [1, 2, 3] |p| p.sure.is_in([low()]);
            [1, 2, 3] |p| p.sure.is_in([Some(low()), None]);
            [2, 4] |p| p.maybe.is_in([low()]);
            [2, 4] |p| p.maybe.is_in([Some(low()), None]);
            // Expressions, and Diesel's `nullable`.
            [1, 2] |p| p.sure.eq(coalesce((p.maybe, p.sure)));
            [2] |p| p.sure.eq(coalesce((p.maybe, p.maybe)));
            [2, 3, 4] |p| p.maybe.eq(coalesce((p.maybe, p.sure)));
            [1, 2] |p| coalesce((p.maybe, p.sure)).eq(p.sure);
            [2] |p| p.maybe.eq(p.sure.nullable());
            [2] |p| p.sure.eq(p.maybe.nullable());
            [1, 2, 3, 4] |p| p.sure.eq(p.sure.nullable());
        }
        matrix!(@ordered $order db low);
        let compared = Pair::objects(&db).order_by(|p| p.id.asc());
        let compared = compared.values(|p| (p.sure.eq(low()), p.sure.eq(p.maybe), p.maybe.is_null())).load()?;
        let expected: [(bool, Option<bool>, bool); 4] =
            [(true, None, true), (true, Some(true), false), (true, Some(false), false), (false, Some(false), false)];
        assert_eq!(compared, expected, $table);
        Pair::objects(&db).filter(|p| p.id.eq(1)).update(|p| p.maybe.set(p.sure))?;
        Pair::objects(&db).filter(|p| p.id.eq(3)).update(|p| p.maybe.set(low()))?;
        finds! { db, [1, 2, 3] |p| p.sure.eq(p.maybe); }
    } )+ };
    (@ordered ordered $db:ident $low:ident) => {
        finds! { $db,
            [3] |p| p.sure.lt(p.maybe);
            [3] |p| p.maybe.gt(p.sure);
            [2, 3] |p| p.sure.le(p.maybe);
            [2, 3] |p| p.maybe.ge(p.sure);
            [4] |p| p.maybe.lt(p.sure);
            [4] |p| p.sure.gt(Some($low()));
            [3] |p| p.maybe.gt($low());
            [2] |p| p.sure.between(p.maybe, p.maybe);
            [2, 4] |p| p.maybe.between($low(), p.sure);
            [3] |p| p.maybe.not_between($low(), Some($low()));
        }
    };
    (@ordered unordered $db:ident $low:ident) => {};
}

fn every_type_and_nullability(bed: &Bed) -> TestResult {
    let date = NaiveDate::from_ymd_opt(2024, 2, 29).ok_or("a date")?;
    let time = NaiveTime::from_hms_micro_opt(10, 0, 0, 250_000).ok_or("a time")?;
    let at = NaiveDateTime::new(date, time);
    matrix! { bed,
        "of_i8" ordered i8: -1, 5;
        "of_u8" ordered u8: 1, 200;
        "of_i16" ordered i16: -1, 500;
        "of_u16" ordered u16: 1, 60_000;
        "of_i32" ordered i32: -1, 70_000;
        "of_u32" ordered u32: 1, 4_000_000_000;
        "of_i64" ordered i64: -1, 5_000_000_000;
        "of_u64" ordered u64: 1, 5_000_000_000;
        "of_f32" ordered f32: -0.5, 10.25;
        "of_f64" ordered f64: -0.5, 10.25;
        "of_bool" ordered bool: false, true;
        "of_text" ordered String: "a".into(), "b".into();
        "of_bytes" ordered Vec<u8>: vec![0, 1], vec![0, 2];
        "of_decimal" ordered BigDecimal: BigDecimal::from(9), "10.5".parse()?;
        "of_date" ordered NaiveDate: date, date + TimeDelta::days(1);
        "of_time" ordered NaiveTime: time, time + TimeDelta::hours(1);
        "of_date_time" ordered NaiveDateTime: at, at + TimeDelta::days(1);
        "of_instant" ordered DateTime<Utc>: at.and_utc(), at.and_utc() + TimeDelta::days(1);
        "of_uuid" ordered Uuid: Uuid::from_u128(1), Uuid::from_u128(2);
        "of_json" unordered serde_json::Value: json!({"a": 1}), json!([2]);
        "of_codes" ordered Code: Code("a".into()), Code("b".into());
        "of_tickets" ordered Ticket: Ticket(Uuid::from_u128(1)), Ticket(Uuid::from_u128(2));
    }
    Ok(())
}

/// An offer, which may expire.
#[derive(Model, Clone, Debug)]
struct Offer {
    #[model(primary_key)]
    id: i64,
    created: DateTime<Utc>,
    modified: Option<DateTime<Utc>>,
    expires: Option<DateTime<Utc>>,
    price: BigDecimal,
    reduced: Option<BigDecimal>,
}

fn instants_and_expressions(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Offer,)>()?;
    let (past, future) = (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH + TimeDelta::days(100_000));
    let offer = |id, modified, expires, reduced: Option<i64>| Offer {
        id,
        created: past,
        modified,
        expires,
        price: 10.into(),
        reduced: reduced.map(BigDecimal::from),
    };
    Offer::bulk_create(
        &db,
        [
            offer(1, None, Some(future), Some(9)),
            offer(2, Some(past), Some(past), Some(10)),
            offer(3, Some(future), None, None),
        ],
    )?;
    let ids = |query: QuerySet<'_, Offer>| query.order_by(|o| o.id.asc()).values(|o| o.id).load();
    let all = || Offer::objects(&db);
    assert_eq!(ids(all().filter(|o| o.expires.gt(now())))?, [1]);
    assert_eq!(ids(all().filter(|o| now().gt(o.expires)))?, [2]);
    assert_eq!(ids(all().filter(|o| o.modified.eq(o.created)))?, [2]);
    assert_eq!(ids(all().filter(|o| o.created.lt(o.modified)))?, [3]);
    assert_eq!(ids(all().filter(|o| o.price.gt(o.reduced)))?, [1]);
    assert_eq!(ids(all().filter(|o| o.price.ge(o.reduced + BigDecimal::from(1))))?, [1]);
    assert_eq!(ids(all().filter(|o| (o.price + BigDecimal::from(1)).gt(o.reduced)))?, [1, 2]);
    assert_eq!(ids(all().filter(|o| o.created.between(o.modified, now())))?, [2]);
    assert_eq!(ids(all().filter(|o| o.modified.is_in([o.created])))?, [2]);
    Ok(())
}

fn conditions_as_values(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = notes(&db)?;
    let all = || Note::objects(&db).order_by(|n| n.id.asc());
    // Selected.
    type Selected = (bool, Option<bool>, bool, Option<bool>, bool);
    let values: Vec<Selected> = all()
        .values(|n| (n.id.gt(15), n.other.eq("a"), n.other.is_null(), n.id.lt(5).and(n.other.ne("a")), !n.id.gt(15)))
        .load()?;
    let expected = rows.iter().map(|n| {
        let other = n.other.as_deref();
        let both = if n.id < 5 { other.map(|other| other != "a") } else { Some(false) };
        (n.id > 15, other.map(|other| other == "a"), other.is_none(), both, n.id <= 15)
    });
    assert_eq!(values, expected.collect::<Vec<_>>());
    // Beside whole rows.
    let annotated: Vec<(Note, (bool, Option<bool>))> =
        all().annotate(|n| (n.text.eq("a").or(n.other.is_null()), n.other.between("a", "b"))).load()?;
    for (note, (either, between)) in annotated {
        assert_eq!(either, note.text == "a" || note.other.is_none(), "{note:?}");
        let oracle = note.other.as_deref().map(|other| ("a"..="b").contains(&other));
        // Letters beyond ASCII are where the collation puts them.
        assert!(between == oracle || !note.other.as_deref().is_some_and(str::is_ascii), "{note:?} {between:?}");
    }
    // In an order, in a CASE, as the key of groups, and assigned.
    let ordered = all().order_by(|n| (n.other.is_null().desc(), n.id.gt(15).desc(), n.id.asc())).values(|n| n.id);
    let mut expected = rows.clone();
    expected.sort_by_key(|n| (n.other.is_some(), n.id <= 15, n.id));
    assert_eq!(ordered.load()?, expected.iter().map(|n| n.id).collect::<Vec<_>>());
    let cases = all().values(|n| case_when(n.id.lt(3), n.other.is_null()).otherwise(n.id.gt(15))).load()?;
    let expected = rows.iter().map(|n| if n.id < 3 { n.other.is_none() } else { n.id > 15 });
    assert_eq!(cases, expected.collect::<Vec<bool>>());
    let groups: Vec<(bool, i64)> = Note::objects(&db)
        .group_by(|n| n.id.gt(15))
        .aggregate(|_| count_star())
        .order_by(|late, _| late.asc())
        .load()?;
    assert_eq!(groups, [(false, 15), (true, 6)]);
    assert_eq!(bed.number("SELECT COUNT(*) FROM notes WHERE id > 15"), 6);
    Ok(())
}
