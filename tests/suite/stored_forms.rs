//! What stands in the database: read and written by SQL by hand, and copied from backend to backend.

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use itertools::Itertools;
use orm_core::prelude::*;
use orm_tests::{Bed, Pick, TestResult, on_each_backend};
use serde_json::json;
use uuid::Uuid;

use crate::field_types::{at, date, decimal, instant, time};

on_each_backend! {
    the_witness_reads_what_was_written, what_the_witness_wrote_is_read, fields_of_diesels_sql_types,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Everything {
    #[model(primary_key)]
    id: i64,
    small: i8,
    wide: u64,
    single: f32,
    double: f64,
    yes: bool,
    text: String,
    bytes: Vec<u8>,
    date: NaiveDate,
    time: NaiveTime,
    at: NaiveDateTime,
    instant: DateTime<Utc>,
    amount: BigDecimal,
    uuid: Uuid,
    json: serde_json::Value,
    nothing: Option<DateTime<Utc>>,
}

fn everything() -> Everything {
    Everything {
        id: 1,
        small: -128,
        wide: 9_223_372_036_854_775_807,
        single: 1.5,
        double: -2.25,
        yes: true,
        text: "naïve 🛫".into(),
        bytes: vec![0, 1, 254, 255],
        date: date("2013-01-31"),
        time: time("10:00:00.25"),
        at: at("2013-01-31T10:00:00.000001"),
        instant: instant("2013-01-31T10:00:00+05:30"),
        amount: decimal("-12345678901234567890.50"),
        uuid: Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
        json: json!({"a": [1, null]}),
        nothing: None,
    }
}

fn the_witness_reads_what_was_written(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Everything,)>()?;
    Everything::bulk_create(&db, [everything()])?;
    // What each column is, in SQL written by hand for each backend.
    let seen = [
        ("small = -128", "small = -128", "small = -128 AND typeof(small) = 'integer'"),
        ("wide = 9223372036854775807", "wide = 9223372036854775807", "wide = 9223372036854775807"),
        ("single = 1.5", "single = 1.5", "single = 1.5"),
        ("\"double\" = -2.25", "`double` = -2.25", "\"double\" = -2.25"),
        ("yes", "yes = 1", "yes = 1"),
        ("text = 'naïve 🛫'", "text = BINARY 'naïve 🛫'", "text = 'naïve 🛫'"),
        ("bytes = '\\x0001feff'", "bytes = x'0001feff'", "bytes = x'0001feff'"),
        ("date = DATE '2013-01-31'", "date = DATE '2013-01-31'", "date = '2013-01-31'"),
        ("\"time\" = TIME '10:00:00.25'", "`time` = TIME '10:00:00.25'", "\"time\" LIKE '10:00:00.25%'"),
        (
            "at = TIMESTAMP '2013-01-31 10:00:00.000001'",
            "at = TIMESTAMP '2013-01-31 10:00:00.000001'",
            "at = '2013-01-31 10:00:00.000001'",
        ),
        (
            "instant = TIMESTAMPTZ '2013-01-31 04:30:00+00'",
            "instant = TIMESTAMP '2013-01-31 04:30:00'",
            "instant = '2013-01-31 04:30:00+00:00'",
        ),
        (
            "amount = -12345678901234567890.50",
            "amount = -12345678901234567890.50",
            "CAST(amount AS TEXT) = '-12345678901234567890.50' COLLATE BINARY",
        ),
        (
            "uuid = '01234567-89ab-cdef-0123-456789abcdef'",
            "uuid = x'0123456789abcdef0123456789abcdef'",
            "uuid = x'0123456789abcdef0123456789abcdef'",
        ),
        ("json = '{\"a\": [1, null]}'::jsonb", "json_extract(json, '$.a[0]') = 1", "json_extract(json, '$.a[0]') = 1"),
        ("nothing IS NULL", "nothing IS NULL", "\"nothing\" IS NULL"),
    ];
    for (postgres, mysql, sqlite) in seen {
        let condition = bed.pick(Pick { postgres, mysql, sqlite });
        let sql = format!("SELECT count(*) FROM everythings WHERE {condition}");
        assert_eq!(bed.number(&sql), 1, "{condition}");
    }
    Ok(())
}

fn what_the_witness_wrote_is_read(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Everything,)>()?;
    bed.execute(bed.pick(Pick {
        postgres: "SET TimeZone = 'America/New_York'; INSERT INTO everythings VALUES (1, -128, 9223372036854775807, 1.5, -2.25, true, \
         'naïve 🛫', '\\x0001feff', '2013-01-31', '10:00:00.25', '2013-01-31 10:00:00.000001', \
         '2013-01-30 23:30:00', -12345678901234567890.50, '01234567-89ab-cdef-0123-456789abcdef', '{\"a\": [1, null]}', NULL)",
        mysql: "SET time_zone = '+00:00'; \
         INSERT INTO everythings VALUES (1, -128, 9223372036854775807, 1.5, -2.25, 1, 'naïve 🛫', x'0001feff', \
         '2013-01-31', '10:00:00.25', '2013-01-31 10:00:00.000001', '2013-01-31 04:30:00', \
         -12345678901234567890.50, x'0123456789abcdef0123456789abcdef', '{\"a\": [1, null]}', NULL)",
        sqlite: "INSERT INTO everythings VALUES (1, -128, 9223372036854775807, 1.5, -2.25, 1, 'naïve 🛫', x'0001feff', \
         '2013-01-31', '10:00:00.25', '2013-01-31 10:00:00.000001', '2013-01-30T23:30:00-05:00', \
         '-12345678901234567890.50', x'0123456789abcdef0123456789abcdef', '{\"a\": [1, null]}', NULL)",
    }));
    assert_eq!(Everything::objects(&db).get()?, everything());
    assert_eq!(Everything::objects(&db).iterator(1)?.collect_vec(), [everything()]);
    Ok(())
}

/// A field with an SQL type of Diesel's is read by Diesel.
fn fields_of_diesels_sql_types(bed: &Bed) -> TestResult {
    #[derive(Model, Clone, Debug, PartialEq)]
    struct Plain {
        #[model(primary_key)]
        id: i64,
        #[model(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
        text: Option<String>,
        #[model(sql_type = diesel::sql_types::Integer)]
        number: i32,
    }
    let db = bed.db()?;
    db.create_tables::<(Plain,)>()?;
    let rows = [Plain { id: 1, text: None, number: 5 }, Plain { id: 2, text: Some("x".into()), number: -5 }];
    Plain::bulk_create(&db, rows.clone())?;
    assert_eq!(Plain::objects(&db).order_by(|p| p.id.asc()).iterator(1)?.collect_vec(), rows);
    assert_eq!(Plain::objects(&db).filter(|p| p.text.eq("x").and(p.number.lt(0))).get()?, rows[1]);
    Ok(())
}

/// What one backend stores, each other reads equal.
#[test]
fn rows_copied_from_backend_to_backend_are_equal() -> TestResult {
    let beds: [fn() -> Bed; _] = [
        #[cfg(feature = "sqlite")]
        Bed::sqlite,
        #[cfg(feature = "postgres")]
        Bed::postgres,
        #[cfg(feature = "mysql")]
        Bed::mysql,
    ];
    beds.into_iter().array_combinations().try_for_each(|[from, to]| copied(&from(), &to()))
}

fn copied(from: &Bed, to: &Bed) -> TestResult {
    let (from, to) = (from.db()?, to.db()?);
    for db in [&from, &to] {
        db.create_tables::<(Everything,)>()?;
    }
    let rows = (1..=100)
        .map(|id| Everything {
            id,
            small: i8::try_from(id).unwrap_or(0),
            nothing: Some(instant("2013-11-03T06:30:00.5Z")).filter(|_| id % 3 == 0),
            ..everything()
        })
        .collect_vec();
    Everything::bulk_create(&from, rows.clone())?;
    Everything::bulk_create(&to, Everything::objects(&from).iterator(7)?)?;
    assert_eq!(Everything::objects(&to).order_by(|e| e.id.asc()).load()?, rows);
    let (there, back) =
        (Everything::objects(&to).order_by(|e| e.id.asc()), Everything::objects(&from).order_by(|e| e.id.asc()));
    assert!(there.iterator(9)?.eq(back.iterator(11)?));
    Ok(())
}
