//! Rows of every type at once, at random: what is written is what the server shows, and what is read again.

use bigdecimal::{BigDecimal, num_bigint::BigInt as Digits};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use diesel::{
    Connection, Insertable, QueryDsl, Queryable, RunQueryDsl,
    mysql::sql_types::{Datetime, Unsigned},
    sql_types::{
        BigInt, Binary, Bool, Date, Double, Float, Integer, Json, Nullable, Numeric, SmallInt, Text, Time, Timestamp,
        TinyInt,
    },
};
use orm_core::{MysqlConnection, diesel};
use orm_tests::{Bed, TestResult, on_mysql, random};
use proptest::{
    collection::vec,
    option::of,
    prelude::*,
    test_runner::{TestCaseError, TestRunner},
};

on_mysql! { random_rows }

diesel::table! {
    use super::*;
    everything (id) {
        id -> Integer,
        tiny -> Nullable<TinyInt>,
        byte -> Nullable<Unsigned<TinyInt>>,
        small -> Nullable<SmallInt>,
        large -> Nullable<BigInt>,
        unsigned -> Nullable<Unsigned<BigInt>>,
        flag -> Nullable<Bool>,
        single -> Nullable<Float>,
        double -> Nullable<Double>,
        decimal -> Nullable<Numeric>,
        day -> Nullable<Date>,
        clock -> Nullable<Time>,
        moment -> Nullable<Datetime>,
        stamp -> Nullable<Timestamp>,
        word -> Nullable<Text>,
        bytes -> Nullable<Binary>,
        document -> Nullable<Json>,
    }
}

const TABLE: &str = "CREATE TABLE everything (id INT PRIMARY KEY, tiny TINYINT, byte TINYINT UNSIGNED, small SMALLINT, \
                     large BIGINT, `unsigned` BIGINT UNSIGNED, flag BOOL, single FLOAT, `double` DOUBLE, \
                     `decimal` DECIMAL(35, 10), day DATE, clock TIME(6), moment DATETIME(6), stamp TIMESTAMP(6) NULL, \
                     word LONGTEXT, bytes LONGBLOB, document JSON)";

#[derive(Insertable, Queryable, Clone, Debug, PartialEq)]
#[diesel(table_name = everything)]
struct Row {
    id: i32,
    tiny: Option<i8>,
    byte: Option<u8>,
    small: Option<i16>,
    large: Option<i64>,
    unsigned: Option<u64>,
    flag: Option<bool>,
    single: Option<f32>,
    double: Option<f64>,
    decimal: Option<BigDecimal>,
    day: Option<NaiveDate>,
    clock: Option<NaiveTime>,
    moment: Option<NaiveDateTime>,
    stamp: Option<NaiveDateTime>,
    word: Option<String>,
    bytes: Option<Vec<u8>>,
    document: Option<serde_json::Value>,
}

fn a_day() -> impl Strategy<Value = NaiveDate> {
    (1..=9999, 1..=366_u32).prop_filter_map("the 366th of a short year", |(y, d)| NaiveDate::from_yo_opt(y, d))
}

fn a_clock() -> impl Strategy<Value = NaiveTime> {
    (0..86_400_u32, 0..1_000_000_u32)
        .prop_filter_map("every second exists", |(s, us)| NaiveTime::from_num_seconds_from_midnight_opt(s, us * 1000))
}

/// Text of all kinds of characters, and of lengths around those where it is written in another way.
fn a_word() -> impl Strategy<Value = String> {
    prop_oneof![4 => any::<String>(), 2 => "[ -~]{0,30}", 1 => (245..256_usize).prop_map(|n| "x".repeat(n)),
        1 => (65_530..65_540_usize).prop_map(|n| "y".repeat(n))]
}

fn a_row() -> impl Strategy<Value = Row> {
    let integers = (of(any::<i8>()), of(any::<u8>()), of(any::<i16>()), of(any::<i64>()), of(any::<u64>()));
    let digits = -(10_i128.pow(35) - 1)..10_i128.pow(35);
    let finite = (of(any::<f32>()), of(any::<f64>()))
        // A column of MariaDB's holds no zero with a sign.
        .prop_map(|(s, d)| {
            (s.filter(|s: &f32| s.is_finite()).map(|s| s + 0.0), d.filter(|d: &f64| d.is_finite()).map(|d| d + 0.0))
        });
    let numbers = (of(any::<bool>()), finite, of(digits.prop_map(|n| BigDecimal::new(Digits::from(n), 10))));
    let moment = (a_day(), a_clock()).prop_map(|(day, clock)| day.and_time(clock));
    let stamp = (1..i64::from(i32::MAX), 0..1_000_000_u32).prop_filter_map("every second exists", |(s, us)| {
        DateTime::from_timestamp(s, us * 1000).map(|stamp| stamp.naive_utc())
    });
    let times = (of(a_day()), of(a_clock()), of(moment), of(stamp));
    let bytes = prop_oneof![vec(any::<u8>(), 0..40), vec(any::<u8>(), 245..256)];
    let document = prop_oneof![
        a_word().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(|n| serde_json::json!({ "n": [n, null] })),
    ];
    (integers, numbers, times, (of(a_word()), of(bytes), of(document))).prop_map(
        |(integers, (flag, (single, double), decimal), (day, clock, moment, stamp), (word, bytes, document))| Row {
            id: 0,
            tiny: integers.0,
            byte: integers.1,
            small: integers.2,
            large: integers.3,
            unsigned: integers.4,
            flag,
            single,
            double,
            decimal,
            day,
            clock,
            moment,
            stamp,
            word,
            bytes,
            document,
        },
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// An expression of SQL, and how the server shows its value for a row.
type Shown = (&'static str, fn(&Row) -> Option<String>);

const SHOWN: &[Shown] = &[
    ("tiny", |row| row.tiny.map(|v| v.to_string())),
    ("byte", |row| row.byte.map(|v| v.to_string())),
    ("small", |row| row.small.map(|v| v.to_string())),
    ("large", |row| row.large.map(|v| v.to_string())),
    ("`unsigned`", |row| row.unsigned.map(|v| v.to_string())),
    ("flag", |row| row.flag.map(|v| u8::from(v).to_string())),
    ("`decimal`", |row| row.decimal.as_ref().map(|v| v.with_scale(10).to_plain_string())),
    ("day", |row| row.day.map(|v| v.to_string())),
    ("clock", |row| row.clock.map(|v| v.format("%H:%M:%S%.6f").to_string())),
    ("moment", |row| row.moment.map(|v| v.format("%Y-%m-%d %H:%M:%S%.6f").to_string())),
    ("UNIX_TIMESTAMP(stamp)", |row| row.stamp.map(|v| v.and_utc().format("%s%.6f").to_string())),
    ("HEX(word)", |row| row.word.as_ref().map(|v| hex(v.as_bytes()))),
    ("HEX(bytes)", |row| row.bytes.as_ref().map(|v| hex(v))),
    ("HEX(document)", |row| row.document.as_ref().map(|v| hex(v.to_string().as_bytes()))),
];

fn check(bed: &Bed, connection: &mut MysqlConnection, written: &[Row]) -> TestResult {
    bed.execute("TRUNCATE TABLE everything");
    // One by one, which is a statement that is kept, and all in one.
    let (first, others) = written.split_at(written.len() / 2);
    for row in first {
        diesel::insert_into(everything::table).values(row).execute(connection)?;
    }
    diesel::insert_into(everything::table).values(others).execute(connection)?;
    for (sql, shown) in SHOWN {
        let expected: Vec<_> = written.iter().map(shown).collect();
        assert_eq!(bed.texts(&format!("SELECT {sql} FROM everything ORDER BY id")), expected, "{sql}");
    }
    let bits = |text: Option<String>| text.map(|text| text.parse::<f64>().map(f64::to_bits)).transpose();
    for (sql, shown) in
        [("single", (|row| row.single.map(f64::from)) as fn(&Row) -> Option<f64>), ("`double`", |row| row.double)]
    {
        let texts = bed.texts(&format!("SELECT CAST({sql} AS DOUBLE) FROM everything ORDER BY id"));
        let stored: Vec<_> = texts.into_iter().map(bits).collect::<Result<_, _>>()?;
        assert_eq!(stored, written.iter().map(|row| shown(row).map(f64::to_bits)).collect::<Vec<_>>(), "{sql}");
    }
    assert_eq!(everything::table.order(everything::id).load::<Row>(connection)?, written);
    let streamed: Vec<Row> =
        everything::table.order(everything::id).load_iter::<Row, _>(connection)?.collect::<Result<_, _>>()?;
    assert_eq!(streamed, written);
    Ok(())
}

fn random_rows(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = std::cell::RefCell::new(MysqlConnection::establish(bed.url())?);
    TestRunner::new(random::config(40)).run(&vec(a_row(), 1..12), |mut written| {
        (1..).zip(&mut written).for_each(|(id, row)| row.id = id);
        check(bed, &mut connection.borrow_mut(), &written).map_err(|error| TestCaseError::fail(error.to_string()))
    })?;
    Ok(())
}
