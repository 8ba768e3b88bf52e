//! Every field type: what is written is read, compared, ordered, and seen by SQL of one's own.

use std::str::FromStr;

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use itertools::Itertools;
use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_each_backend};
use serde_json::json;
use uuid::Uuid;

on_each_backend! {
    integers_i8, integers_i16, integers_i32, integers_i64, integers_u8, integers_u16, integers_u32, integers_u64,
    floats_f32, floats_f64, booleans, texts, bytes, dates, times, dates_and_times, instants, decimals, uuids,
    newtypes, newtypes_of_portable_types, aliases,
    json_documents, json_is_equal_by_value, enums, an_unknown_variant_is_an_error, decimals_are_ordered_by_value,
    decimals_are_equal_by_value, the_witness_reads_what_was_written, what_the_witness_wrote_is_read,
    fields_of_diesels_sql_types,
}

/// A test that stores each value of a list, which is given in ascending order, and finds it again in every way.
macro_rules! round_trips {
    ($($name:ident: $type:ty = $values:expr;)+) => { $(
        fn $name(bed: &Bed) -> TestResult {
            #[derive(Model, Clone, Debug, PartialEq)]
            struct Stored {
                #[model(primary_key)]
                id: i64,
                value: $type,
                maybe: Option<$type>,
            }
            let values: Vec<$type> = $values.into_iter().collect();
            assert!(values.len() > 1);
            let rows = values
                .iter()
                .zip(1..)
                .flat_map(|(value, id)| {
                    let row = |id, maybe| Stored { id, value: value.clone(), maybe };
                    [row(id, Some(value.clone())), row(-id, None)]
                })
                .sorted_by_key(|row| row.id)
                .collect_vec();

            let db = bed.db()?;
            db.create_tables::<(Stored,)>()?;
            assert_eq!(Stored::bulk_create(&db, rows.clone())?, rows.len() as u64);
            let all = || Stored::objects(&db).order_by(|s| s.id.asc());
            assert_eq!(all().load()?, rows);
            assert_eq!(all().iterator(3)?.collect_vec(), rows);
            let read = all().values(|s| (s.value, s.maybe)).load()?;
            assert_eq!(read, rows.iter().map(|row| (row.value.clone(), row.maybe.clone())).collect_vec());
            assert_eq!(all().values(|s| s.maybe).load()?, rows.iter().map(|row| row.maybe.clone()).collect_vec());

            let with_ids = |query: QuerySet<'_, Stored>| query.values(|s| s.id).load();
            let oracle = |test: &dyn Fn(&Stored) -> bool| rows.iter().filter(|row| test(row)).map(|row| row.id).collect_vec();
            for value in &values {
                let v = || value.clone();
                assert_eq!(with_ids(all().filter(|s| s.value.eq(v())))?, oracle(&|row| row.value == v()), "= {value:?}");
                assert_eq!(with_ids(all().filter(|s| s.value.ne(v())))?, oracle(&|row| row.value != v()), "<> {value:?}");
                assert_eq!(with_ids(all().filter(|s| s.value.lt(v())))?, oracle(&|row| row.value < v()), "< {value:?}");
                assert_eq!(with_ids(all().filter(|s| s.value.ge(v())))?, oracle(&|row| row.value >= v()), ">= {value:?}");
                assert_eq!(
                    with_ids(all().filter(|s| s.maybe.gt(v())))?,
                    oracle(&|row| row.maybe.as_ref().is_some_and(|m| *m > v())),
                    "> {value:?}"
                );
                assert_eq!(
                    with_ids(all().filter(|s| s.maybe.eq(Some(v()))))?,
                    oracle(&|row| row.maybe.as_ref() == Some(value)),
                    "= Some({value:?})"
                );
                assert_eq!(
                    with_ids(all().filter(|s| s.value.between(values[0].clone(), v())))?,
                    oracle(&|row| row.value <= v()),
                    "between the least and {value:?}"
                );
            }
            let up = Stored::objects(&db).filter(|s| s.maybe.is_not_null()).order_by(|s| (s.value.asc(), s.id.asc()));
            assert_eq!(up.clone().values(|s| s.value).load()?, values, "in order");
            let down = up.reverse().values(|s| s.value).load()?;
            assert_eq!(down.into_iter().rev().collect_vec(), values, "in reverse order");
            let distinct = Stored::objects(&db).values(|s| s.value).distinct().count()?;
            assert_eq!(distinct, values.len() as u64);
            Ok(())
        }
    )+ };
}

fn date(text: &str) -> NaiveDate {
    text.parse().expect("it is a date")
}
fn time(text: &str) -> NaiveTime {
    text.parse().expect("it is a time")
}
fn at(text: &str) -> NaiveDateTime {
    text.parse().expect("it is a date and time")
}
fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("it is an instant")
}
fn decimal(text: &str) -> BigDecimal {
    BigDecimal::from_str(text).expect("it is a number")
}

#[derive(FieldType, Clone, Debug, PartialEq, PartialOrd)]
struct Code(String);

#[derive(FieldType, Clone, Debug, PartialEq, PartialOrd)]
struct Key(Uuid);

#[derive(FieldType, Clone, Copy, Debug, PartialEq, PartialOrd)]
struct Cents(i64);

#[derive(FieldType, Clone, Copy, Debug, PartialEq, PartialOrd)]
struct Seats(u16);

type Alias = Option<i32>;
type AnotherAlias = String;

round_trips! {
    integers_i8: i8 = [i8::MIN, -1, 0, 1, i8::MAX];
    integers_i16: i16 = [i16::MIN, -1, 0, 1, i16::MAX];
    integers_i32: i32 = [i32::MIN, -1, 0, 1, i32::MAX];
    integers_i64: i64 = [i64::MIN, -1, 0, 1, i64::MAX];
    integers_u8: u8 = [0, 1, u8::MAX];
    integers_u16: u16 = [0, 1, u16::MAX];
    integers_u32: u32 = [0, 1, u32::MAX];
    integers_u64: u64 = [0, 1, i64::MAX.unsigned_abs()];
    floats_f32: f32 = [f32::NEG_INFINITY, f32::MIN, -0.1, 0.0, f32::MIN_POSITIVE, 0.1, 16_777_217.0, f32::MAX, f32::INFINITY];
    floats_f64: f64 = [f64::NEG_INFINITY, f64::MIN, -0.1, 0.0, 5e-324, 0.1, 9_007_199_254_740_993.0, f64::MAX, f64::INFINITY];
    booleans: bool = [false, true];
    // Bytewise order is that of characters only within ASCII; the server's collation is its own.
    texts: String = ["", "a", "b", "c"].map(String::from);
    bytes: Vec<u8> = [vec![], vec![0], vec![0, 0], vec![0, 255], vec![1], vec![255; 1000]];
    dates: NaiveDate = ["0001-01-01", "1582-10-15", "1970-01-01", "2000-02-29", "2013-01-31", "9999-12-31"].map(date);
    times: NaiveTime = ["00:00:00", "00:00:00.000001", "10:00:00", "10:00:00.25", "23:59:59.999999"].map(time);
    dates_and_times: NaiveDateTime = [
        "0001-01-01T00:00:00", "1969-12-31T23:59:59.999999", "1970-01-01T00:00:00", "2013-01-31T10:00:00",
        "2013-01-31T10:00:00.000001", "2013-01-31T10:00:00.1", "2013-01-31T10:00:01", "9999-12-31T23:59:59.999999",
    ].map(at);
    instants: DateTime<Utc> = [
        "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "2013-03-10T01:59:59-05:00", "2013-03-10T03:00:00-04:00",
        "2013-11-03T01:30:00-04:00", "2013-11-03T01:30:00-05:00", "2013-11-03T06:30:00.000001Z",
        "2013-11-03T06:30:00.5Z", "2013-11-03T06:30:01Z", "9999-12-31T23:59:59.999999Z",
    ].map(instant);
    decimals: BigDecimal = [
        "-99999999999999999999999999999999999999999999.999999999999", "-10", "-9.5", "-0.000000000000000000000000001", "0",
        "0.000000000000000000000000001", "0.1", "9", "10", "12345678901234567890.12345678901234567890",
        "99999999999999999999999999999999999999999999.999999999999",
    ].map(decimal);
    uuids: Uuid = [Uuid::nil(), Uuid::from_u128(1), Uuid::from_u128(1 << 100), Uuid::max()];
    newtypes: Code = ["", "a", "b"].map(|text| Code(text.to_owned()));
    newtypes_of_portable_types: Key = [0, 1, u128::MAX].map(|key| Key(Uuid::from_u128(key)));
    aliases: AnotherAlias = ["a", "b"].map(String::from);
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Document {
    #[model(primary_key)]
    id: i64,
    body: serde_json::Value,
    maybe: Option<serde_json::Value>,
}

fn json_documents(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Document,)>()?;
    let bodies = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1.5),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(1e300),
        json!(""),
        json!("a \"quoted\" 'text' \\ \u{1} é 🛫"),
        json!([]),
        json!({}),
        json!([1, [2, [3]]]),
        json!({"b": [1, null, {"c": "d"}], "a": {"": false}}),
    ];
    let rows = bodies.into_iter().zip(0..).map(|(body, id)| Document {
        id,
        maybe: Some(body.clone()).filter(|_| id % 2 == 0),
        body,
    });
    let rows = rows.collect_vec();
    Document::bulk_create(&db, rows.clone())?;
    // A JSON null is a document, and no NULL.
    assert_eq!(Document::objects(&db).order_by(|d| d.id.asc()).iterator(4)?.collect_vec(), rows);
    assert_eq!(Document::objects(&db).filter(|d| d.maybe.is_null()).count()?, 6);
    Ok(())
}

fn json_is_equal_by_value(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Document,)>()?;
    let document = |id, body| Document { id, body, maybe: None };
    Document::bulk_create(&db, [document(1, json!({"a": 1, "b": [true]})), document(2, json!({"a": 2}))])?;
    let found = Document::objects(&db).filter(|d| d.body.eq(json!({"b": [true], "a": 1}))).values(|d| d.id).load()?;
    assert_eq!(found, [1]);
    assert_eq!(Document::objects(&db).filter(|d| d.body.ne(json!({"a": 2}))).values(|d| d.id).load()?, [1]);
    Ok(())
}

#[derive(FieldType, Clone, Copy, Debug, PartialEq)]
enum Status {
    Scheduled,
    #[field_type(rename = "in the air")]
    Flying,
    CancelledByWeather,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Trip {
    #[model(primary_key)]
    id: i64,
    status: Status,
    before: Option<Status>,
    price: Cents,
    seats: Option<Seats>,
    alias: Alias,
}

fn trips(db: &Database) -> orm_core::Result<Vec<Trip>> {
    let trip = |id, status, before| Trip {
        id,
        status,
        before,
        price: Cents(i64::MAX),
        seats: Some(Seats(u16::MAX)).filter(|_| id > 1),
        alias: Some(-1).filter(|_| id > 2),
    };
    let trips = vec![
        trip(1, Status::Scheduled, None),
        trip(2, Status::Flying, Some(Status::Scheduled)),
        trip(3, Status::CancelledByWeather, Some(Status::Flying)),
    ];
    db.create_tables::<(Trip,)>()?;
    Trip::bulk_create(db, trips.clone())?;
    Ok(trips)
}

fn enums(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = trips(&db)?;
    assert_eq!(Trip::objects(&db).order_by(|t| t.id.asc()).load()?, rows);
    assert_eq!(Trip::objects(&db).filter(|t| t.status.eq(Status::Flying)).get()?, rows[1]);
    assert_eq!(Trip::objects(&db).filter(|t| t.before.eq(Status::Flying)).get()?, rows[2]);
    assert_eq!(Trip::objects(&db).filter(|t| t.price.eq(Cents(i64::MAX)).and(t.seats.is_null())).get()?, rows[0]);
    assert_eq!(Trip::objects(&db).filter(|t| t.alias.eq(-1)).values(|t| t.alias).get()?, Some(-1));
    assert_eq!(
        bed.texts("SELECT status AS value FROM trips ORDER BY id").into_iter().flatten().collect_vec(),
        ["scheduled", "in the air", "cancelled_by_weather"]
    );
    Ok(())
}

fn an_unknown_variant_is_an_error(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    trips(&db)?;
    bed.execute("UPDATE trips SET status = 'Scheduled' WHERE id = 2");
    let error = Trip::objects(&db).order_by(|t| t.id.asc()).load().expect_err("a name is kept in snake case");
    assert_eq!(
        (error.kind(), error.field(), error.row(), error.key()),
        (ErrorKind::Decode, Some("status"), Some(2), Some("2"))
    );
    assert!(format!("{error:?}").contains("none of the variants of `Status`"), "{error:?}");
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Amount {
    #[model(primary_key)]
    id: i64,
    amount: BigDecimal,
}

fn decimals_are_ordered_by_value(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Amount,)>()?;
    let texts = ["100", "9", "-9", "-100", "1e3", "0.5", "10.0", "-0.5", "1e-30", "99999999999999999999999"];
    Amount::bulk_create(&db, texts.iter().zip(0..).map(|(text, id)| Amount { id, amount: decimal(text) }))?;
    let sorted = texts.map(decimal).into_iter().sorted().collect_vec();
    assert_eq!(Amount::objects(&db).order_by(|a| a.amount.asc()).values(|a| a.amount).load()?, sorted);
    assert_eq!(Amount::objects(&db).filter(|a| a.amount.gt(decimal("9.99"))).count()?, 4);
    let largest = Amount::objects(&db).order_by(|a| a.amount.desc()).first()?.map(|a| a.amount);
    assert_eq!(largest, Some(decimal("99999999999999999999999")));
    Ok(())
}

fn decimals_are_equal_by_value(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Amount,)>()?;
    let amount = |id, text| Amount { id, amount: decimal(text) };
    Amount::bulk_create(
        &db,
        [amount(1, "1.0"), amount(2, "1.00"), amount(3, "1"), amount(4, "1.001"), amount(5, "0.1e1")],
    )?;
    assert_eq!(Amount::objects(&db).filter(|a| a.amount.eq(decimal("1.000"))).count()?, 4);
    assert_eq!(Amount::objects(&db).values(|a| a.amount).distinct().count()?, 2);
    Ok(())
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
        ("small = -128", "small = -128 AND typeof(small) = 'integer'"),
        ("wide = 9223372036854775807", "wide = 9223372036854775807"),
        ("single = 1.5", "single = 1.5"),
        ("\"double\" = -2.25", "\"double\" = -2.25"),
        ("yes", "yes = 1"),
        ("text = 'naïve 🛫'", "text = 'naïve 🛫'"),
        ("bytes = '\\x0001feff'", "bytes = x'0001feff'"),
        ("date = DATE '2013-01-31'", "date = '2013-01-31'"),
        ("\"time\" = TIME '10:00:00.25'", "\"time\" LIKE '10:00:00.25%'"),
        ("at = TIMESTAMP '2013-01-31 10:00:00.000001'", "at = '2013-01-31 10:00:00.000001'"),
        ("instant = TIMESTAMPTZ '2013-01-31 04:30:00+00'", "instant = '2013-01-31 04:30:00+00:00'"),
        ("amount = -12345678901234567890.50", "CAST(amount AS TEXT) = '-12345678901234567890.50' COLLATE BINARY"),
        ("uuid = '01234567-89ab-cdef-0123-456789abcdef'", "uuid = x'0123456789abcdef0123456789abcdef'"),
        ("json = '{\"a\": [1, null]}'::jsonb", "json_extract(json, '$.a[0]') = 1"),
        ("nothing IS NULL", "nothing IS NULL"),
    ];
    for (postgres, sqlite) in seen {
        let condition = bed.pick(postgres, sqlite);
        let sql = format!("SELECT CAST(count(*) AS TEXT) AS value FROM everythings WHERE {condition}");
        assert_eq!(bed.number(&sql), 1, "{condition}");
    }
    Ok(())
}

fn what_the_witness_wrote_is_read(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Everything,)>()?;
    bed.execute(bed.pick(
        "SET TimeZone = 'America/New_York'; INSERT INTO everythings VALUES (1, -128, 9223372036854775807, 1.5, -2.25, true, \
         'naïve 🛫', '\\x0001feff', '2013-01-31', '10:00:00.25', '2013-01-31 10:00:00.000001', \
         '2013-01-30 23:30:00', -12345678901234567890.50, '01234567-89ab-cdef-0123-456789abcdef', '{\"a\": [1, null]}', NULL)",
        "INSERT INTO everythings VALUES (1, -128, 9223372036854775807, 1.5, -2.25, 1, 'naïve 🛫', x'0001feff', \
         '2013-01-31', '10:00:00.25', '2013-01-31 10:00:00.000001', '2013-01-30T23:30:00-05:00', \
         '-12345678901234567890.50', '01234567-89ab-cdef-0123-456789abcdef', '{\"a\": [1, null]}', NULL)",
    ));
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

/// What one backend stores, the other reads equal.
#[cfg(all(feature = "sqlite", feature = "postgres"))]
#[test]
fn rows_copied_from_backend_to_backend_are_equal() -> TestResult {
    let (sqlite, postgres) = (Bed::sqlite(), Bed::postgres());
    let (from, to) = (sqlite.db()?, postgres.db()?);
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
