//! Each type that Diesel knows of MySQL's, through `MysqlConnection`: what it writes is what the server shows, and what
//! the server has of its own text is what it reads.

use std::str::FromStr;

use bigdecimal::BigDecimal;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use diesel::{
    Connection, ExpressionMethods, IntoSql, QueryableByName, RunQueryDsl,
    dsl::sql,
    mysql::{
        data_types::{MysqlTime, MysqlTimestampType},
        sql_types::{Datetime, Unsigned},
    },
    sql_query,
    sql_types::{
        BigInt, Bool, Date, Double, Float, Integer, Json, Nullable, Numeric, SmallInt, Text, Time, Timestamp, TinyInt,
    },
};
use orm_core::{MysqlConnection, diesel};
use orm_tests::{Bed, TestResult, on_mysql};
use serde_json::json;

on_mysql! {
    tinyint, tinyint_unsigned, smallint, smallint_unsigned, mediumint, mediumint_unsigned, int, int_unsigned, bigint,
    bigint_unsigned, boolean, decimal_of_65_digits, decimal_without_a_scale, decimal_small, date, time, time_fraction,
    datetime, datetime_milliseconds, datetime_microseconds, timestamp, year, varchar, varchar_latin1,
    varchar_binary_collation, char_fixed, tinytext, text, mediumtext, longtext, json, enumeration, set, uuid, inet6,
    bit_of_one, floats, doubles, nulls_without_a_type, zero_dates, long_and_negative_times, what_does_not_fit,
    integers_of_other_widths,
}

/// Text as SQL shows it.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''").replace('\0', "\\0"))
}

/// A function for each: it writes the values and NULL, compares with what the witness reads; lets the witness write the
/// texts, and compares with what it reads then.
macro_rules! round_trips {
    ($($name:ident: $column:literal, $sql:ty, $rust:ty = [$($value:expr => $text:expr),+ $(,)?];)+) => { $(
        fn $name(bed: &Bed) -> TestResult {
            let values: Vec<Option<$rust>> = vec![None, $(Some($value)),+];
            let texts: Vec<Option<String>> = vec![None, $(Some($text.to_string())),+];
            let mut witness = format!("CREATE TABLE ours (n INT PRIMARY KEY, v {} NULL);", $column);
            witness.push_str("CREATE TABLE theirs LIKE ours;");
            for (n, text) in texts.iter().enumerate() {
                let text = text.as_deref().map_or_else(|| "NULL".to_owned(), literal);
                witness.push_str(&format!("INSERT INTO theirs VALUES ({n}, {text});"));
            }
            bed.execute(&witness);
            let connection = &mut MysqlConnection::establish(bed.url())?;
            for (n, value) in values.iter().enumerate() {
                let insert = sql_query("INSERT INTO ours VALUES (?, ?)").bind::<Integer, _>(i32::try_from(n)?);
                assert_eq!(insert.bind::<Nullable<$sql>, _>(value.clone()).execute(connection)?, 1);
            }
            assert_eq!(bed.texts("SELECT CAST(v AS CHAR) FROM ours ORDER BY n"), texts);
            for table in ["ours", "theirs"] {
                let query = sql::<Nullable<$sql>>(&format!("SELECT v FROM {table} ORDER BY n"));
                assert_eq!(query.load::<Option<$rust>>(connection)?, values, "{table}");
            }
            // As a value to compare with, it is equal to what is stored.
            for (n, value) in values.iter().enumerate() {
                let same = sql_query("SELECT COUNT(*) AS value FROM ours WHERE n = ? AND v <=> ?")
                    .bind::<Integer, _>(i32::try_from(n)?)
                    .bind::<Nullable<$sql>, _>(value.clone());
                let same: Count = same.get_result(connection)?;
                assert_eq!(same.value, 1, "{value:?}");
            }
            Ok(())
        }
    )+ };
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

round_trips! {
    tinyint: "TINYINT", TinyInt, i8 = [i8::MIN => "-128", -1 => "-1", 0 => "0", i8::MAX => "127"];
    tinyint_unsigned: "TINYINT UNSIGNED", Unsigned<TinyInt>, u8 = [0 => "0", 128 => "128", u8::MAX => "255"];
    smallint: "SMALLINT", SmallInt, i16 = [i16::MIN => "-32768", -1 => "-1", i16::MAX => "32767"];
    smallint_unsigned: "SMALLINT UNSIGNED", Unsigned<SmallInt>, u16 = [0 => "0", u16::MAX => "65535"];
    mediumint: "MEDIUMINT", Integer, i32 = [-8_388_608 => "-8388608", -1 => "-1", 8_388_607 => "8388607"];
    mediumint_unsigned: "MEDIUMINT UNSIGNED", Unsigned<Integer>, u32 = [0 => "0", 16_777_215 => "16777215"];
    int: "INT", Integer, i32 = [i32::MIN => "-2147483648", -1 => "-1", i32::MAX => "2147483647"];
    int_unsigned: "INT UNSIGNED", Unsigned<Integer>, u32 = [0 => "0", u32::MAX => "4294967295"];
    bigint: "BIGINT", BigInt, i64 = [i64::MIN => "-9223372036854775808", -1 => "-1", i64::MAX => "9223372036854775807"];
    bigint_unsigned: "BIGINT UNSIGNED", Unsigned<BigInt>, u64 = [0 => "0", u64::MAX => "18446744073709551615"];
    boolean: "BOOL", Bool, bool = [false => "0", true => "1"];
    decimal_of_65_digits: "DECIMAL(65, 30)", Numeric, BigDecimal = [
        decimal("99999999999999999999999999999999999.999999999999999999999999999999")
            => "99999999999999999999999999999999999.999999999999999999999999999999",
        decimal("-99999999999999999999999999999999999.999999999999999999999999999999")
            => "-99999999999999999999999999999999999.999999999999999999999999999999",
        decimal("-0.000000000000000000000000000001") => "-0.000000000000000000000000000001",
    ];
    decimal_without_a_scale: "DECIMAL(65, 0)", Numeric, BigDecimal = [
        decimal(&"9".repeat(65)) => "9".repeat(65), decimal("-1") => "-1", decimal("0") => "0",
    ];
    decimal_small: "DECIMAL(10, 2)", Numeric, BigDecimal = [
        decimal("0") => "0.00", decimal("-0.01") => "-0.01", decimal("12345678.9") => "12345678.90",
    ];
    date: "DATE", Date, NaiveDate = [
        day("1000-01-01") => "1000-01-01", day("0001-01-01") => "0001-01-01", day("2024-02-29") => "2024-02-29",
        day("9999-12-31") => "9999-12-31",
    ];
    time: "TIME", Time, NaiveTime = [
        clock("00:00:00") => "00:00:00", clock("12:34:56") => "12:34:56", clock("23:59:59") => "23:59:59",
    ];
    time_fraction: "TIME(6)", Time, NaiveTime = [
        clock("00:00:00") => "00:00:00.000000", clock("00:00:00.000001") => "00:00:00.000001",
        clock("23:59:59.999999") => "23:59:59.999999",
    ];
    datetime: "DATETIME", Datetime, NaiveDateTime = [
        moment("2024-02-29 00:00:00") => "2024-02-29 00:00:00", moment("9999-12-31 23:59:59") => "9999-12-31 23:59:59",
        moment("0001-01-01 00:00:01") => "0001-01-01 00:00:01",
    ];
    datetime_milliseconds: "DATETIME(3)", Datetime, NaiveDateTime = [
        moment("2024-02-29 12:00:00.001") => "2024-02-29 12:00:00.001",
        moment("1000-01-01 00:00:00.990") => "1000-01-01 00:00:00.990",
    ];
    datetime_microseconds: "DATETIME(6)", Datetime, NaiveDateTime = [
        moment("2024-02-29 00:00:00") => "2024-02-29 00:00:00.000000",
        moment("9999-12-31 23:59:59.999999") => "9999-12-31 23:59:59.999999",
    ];
    // The witness's session is in the server's zone, which is +05:30, and ours is in UTC.
    timestamp: "TIMESTAMP(6)", Timestamp, NaiveDateTime = [
        moment("1970-01-01 00:00:01") => "1970-01-01 05:30:01.000000",
        moment("2024-06-30 20:00:00.5") => "2024-07-01 01:30:00.500000",
        moment("2038-01-19 03:14:07.999999") => "2038-01-19 08:44:07.999999",
    ];
    year: "YEAR", SmallInt, i16 = [1901 => "1901", 2155 => "2155"];
    varchar: "VARCHAR(100) CHARACTER SET utf8mb4", Text, String = [
        "".into() => "", "é😀\u{301}".into() => "é😀\u{301}", "a  ".into() => "a  ", "'\"\\%\0z".into() => "'\"\\%\0z",
    ];
    varchar_latin1: "VARCHAR(100) CHARACTER SET latin1", Text, String = [
        "".into() => "", "éÿ".into() => "éÿ", "€ 5".into() => "€ 5",
    ];
    varchar_binary_collation: "VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", Text, String = [
        "A".into() => "A", "a".into() => "a", "😀".into() => "😀",
    ];
    char_fixed: "CHAR(5)", Text, String = ["".into() => "", "ab".into() => "ab", "éééééé"[..10].into() => "ééééé"];
    tinytext: "TINYTEXT", Text, String = ["".into() => "", "x".repeat(255) => "x".repeat(255)];
    text: "TEXT", Text, String = ["é".into() => "é", "x".repeat(65_535) => "x".repeat(65_535)];
    mediumtext: "MEDIUMTEXT", Text, String = ["é".into() => "é", "y".repeat(65_536) => "y".repeat(65_536)];
    longtext: "LONGTEXT", Text, String = ["".into() => "", "z".repeat(1 << 20) => "z".repeat(1 << 20)];
    json: "JSON", Json, serde_json::Value = [
        json!(null) => "null", json!({"a": [1, -2.5, "é\"\n"]}) => "{\"a\":[1,-2.5,\"é\\\"\\n\"]}", json!("") => "\"\"",
    ];
    enumeration: "ENUM('', 'a', 'é ü')", Text, String = ["".into() => "", "a".into() => "a", "é ü".into() => "é ü"];
    set: "SET('a', 'b', 'é')", Text, String = ["".into() => "", "b".into() => "b", "a,b,é".into() => "a,b,é"];
    uuid: "UUID", Text, String = [
        "123e4567-e89b-12d3-a456-426655440000".into() => "123e4567-e89b-12d3-a456-426655440000",
    ];
    inet6: "INET6", Text, String = ["::1".into() => "::1", "2001:db8::ff00:42:8329".into() => "2001:db8::ff00:42:8329"];
}

/// What is behind Diesel's sentence that a field cannot be read.
fn cause(error: diesel::result::Error) -> String {
    format!("{error:?}")
}

fn decimal(text: &str) -> BigDecimal {
    BigDecimal::from_str(text).expect("it is a number")
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("it is a date")
}

fn clock(text: &str) -> NaiveTime {
    text.parse().expect("it is a time")
}

fn moment(text: &str) -> NaiveDateTime {
    text.replace(' ', "T").parse().expect("it is a date and time")
}

/// What one query reads.
macro_rules! read {
    ($connection:expr, $sql:ty, $rust:ty, $query:expr) => {
        sql::<$sql>($query).get_result::<$rust>($connection)
    };
}

fn bit_of_one(bed: &Bed) -> TestResult {
    let connection = &mut MysqlConnection::establish(bed.url())?;
    bed.execute("CREATE TABLE t (n INT PRIMARY KEY, v BIT(1))");
    for (n, value) in [Some(false), Some(true), None].into_iter().enumerate() {
        let insert = sql_query("INSERT INTO t VALUES (?, ?)").bind::<Integer, _>(i32::try_from(n)?);
        insert.bind::<Nullable<Bool>, _>(value).execute(connection)?;
    }
    assert_eq!(bed.texts("SELECT v + 0 FROM t ORDER BY n"), [Some("0".into()), Some("1".into()), None]);
    let read: Vec<Option<bool>> = sql::<Nullable<Bool>>("SELECT v FROM t ORDER BY n").load(connection)?;
    assert_eq!(read, [Some(false), Some(true), None]);
    // Booleans that are computed come as integers of 32 or 64 bits.
    assert!(read!(connection, Bool, bool, "SELECT 1 = 1")? && !read!(connection, Bool, bool, "SELECT 1 = 2")?);
    assert!(diesel::select(true.into_sql::<Bool>().eq(true)).get_result::<bool>(connection)?);
    Ok(())
}

/// Written to a table, and read again; the witness's text of each, as the number that it is.
fn stored_floats<T: std::fmt::Debug>(
    bed: &Bed,
    column: &str,
    values: &[T],
    insert: impl Fn(i32, &T) -> diesel::QueryResult<usize>,
) -> Result<Vec<f64>, Box<dyn std::error::Error>> {
    bed.execute(&format!("CREATE TABLE t (n INT PRIMARY KEY, v {column})"));
    for (n, value) in values.iter().enumerate() {
        assert_eq!(insert(i32::try_from(n)?, value)?, 1, "{value:?}");
    }
    let texts = bed.texts("SELECT CAST(v AS DOUBLE) FROM t ORDER BY n");
    texts.into_iter().map(|text| Ok(text.ok_or("there is one")?.parse()?)).collect()
}

fn floats(bed: &Bed) -> TestResult {
    let connection = std::cell::RefCell::new(MysqlConnection::establish(bed.url())?);
    let values = [f32::MIN, f32::MAX, 0.0, 0.1, 16_777_217.0, f32::MIN_POSITIVE, f32::from_bits(1), -1.5e-30];
    let insert = |n, value: &f32| {
        let insert = sql_query("INSERT INTO t VALUES (?, ?)").bind::<Integer, _>(n).bind::<Float, _>(*value);
        insert.execute(&mut *connection.borrow_mut())
    };
    let shown = stored_floats(bed, "FLOAT", &values, insert)?;
    let read: Vec<f32> = sql::<Float>("SELECT v FROM t ORDER BY n").load(&mut *connection.borrow_mut())?;
    for ((value, shown), read) in values.iter().zip(shown).zip(read) {
        assert_eq!((f64::from(*value).to_bits(), value.to_bits()), (shown.to_bits(), read.to_bits()), "{value}");
    }
    Ok(())
}

fn doubles(bed: &Bed) -> TestResult {
    let connection = std::cell::RefCell::new(MysqlConnection::establish(bed.url())?);
    let small = [f64::MIN_POSITIVE, f64::from_bits(1), -f64::from_bits(3), 0.1 + 0.2, 1e22, 123_456_789.123_456_79];
    let values = [&[f64::MIN, f64::MAX, 0.0], &small[..]].concat();
    let insert = |n, value: &f64| {
        let insert = sql_query("INSERT INTO t VALUES (?, ?)").bind::<Integer, _>(n).bind::<Double, _>(*value);
        insert.execute(&mut *connection.borrow_mut())
    };
    let shown = stored_floats(bed, "DOUBLE", &values, insert)?;
    let connection = &mut *connection.borrow_mut();
    let read: Vec<f64> = sql::<Double>("SELECT v FROM t ORDER BY n").load(connection)?;
    for ((value, shown), read) in values.iter().zip(shown).zip(read) {
        assert_eq!((value.to_bits(), value.to_bits()), (shown.to_bits(), read.to_bits()), "{value}");
    }
    // A column of MariaDB's holds no zero with a sign: what the witness writes itself comes back without one, too.
    sql_query("INSERT INTO t VALUES (50, ?)").bind::<Double, _>(-0.0).execute(connection)?;
    bed.execute("INSERT INTO t VALUES (51, -0e0)");
    for n in [50, 51] {
        assert_eq!(bed.texts(&format!("SELECT v FROM t WHERE n = {n}")), [Some("0".to_owned())]);
        assert_eq!(read!(connection, Double, f64, &format!("SELECT v FROM t WHERE n = {n}"))?.to_bits(), 0);
    }
    // A column cannot hold these; the server says so.
    for value in [f64::NAN, f64::INFINITY] {
        let insert = sql_query("INSERT INTO t VALUES (100, ?)").bind::<Double, _>(value).execute(connection);
        assert!(insert.is_err() || bed.texts("SELECT v FROM t WHERE n = 100") == [None], "{value}");
    }
    Ok(())
}

fn nulls_without_a_type(bed: &Bed) -> TestResult {
    let connection = &mut MysqlConnection::establish(bed.url())?;
    assert_eq!(read!(connection, Nullable<Integer>, Option<i32>, "SELECT NULL")?, None);
    assert_eq!(read!(connection, Nullable<Text>, Option<String>, "SELECT NULL")?, None);
    let beside = "SELECT 1, NULL, 'a', NULL, 2 FROM seq_1_to_2";
    type Row = (i32, Option<i32>, String, Option<String>, i32);
    let rows: Vec<Row> = sql::<(Integer, Nullable<Integer>, Text, Nullable<Text>, Integer)>(beside).load(connection)?;
    assert_eq!(rows, vec![(1, None, "a".into(), None, 2); 2]);
    let error = read!(connection, Integer, i32, "SELECT NULL").expect_err("it is NULL");
    assert!(cause(error).contains("UnexpectedNull"));
    assert_eq!(read!(connection, Integer, i32, "SELECT 7")?, 7);
    Ok(())
}

fn zero_dates(bed: &Bed) -> TestResult {
    let connection = &mut MysqlConnection::establish(bed.url())?;
    bed.execute(
        "CREATE TABLE t (n INT, d DATE, m DATETIME(6), s TIMESTAMP(6) NULL);
         INSERT INTO t VALUES (1, '0000-00-00', '0000-00-00', '0000-00-00'), (2, '2024-00-10', '2024-00-10 01:02:03', NULL)",
    );
    for n in 1..=2 {
        let date = read!(connection, Date, NaiveDate, &format!("SELECT d FROM t WHERE n = {n}"));
        let moment = read!(connection, Datetime, NaiveDateTime, &format!("SELECT m FROM t WHERE n = {n}"));
        for error in [date.map(drop), moment.map(drop)] {
            let error = cause(error.expect_err("it is no date"));
            assert!(error.contains("MysqlTime { year:"), "{error}");
        }
    }
    assert!(read!(connection, Timestamp, NaiveDateTime, "SELECT s FROM t WHERE n = 1").is_err());
    let all: Vec<(MysqlTime, MysqlTime)> = sql::<(Date, Datetime)>("SELECT d, m FROM t ORDER BY n").load(connection)?;
    let parts = |time: &MysqlTime| [time.year, time.month, time.day, time.hour, time.minute, time.second];
    assert_eq!((parts(&all[0].0), parts(&all[0].1)), ([0; 6], [0; 6]));
    assert_eq!((parts(&all[1].0), parts(&all[1].1)), ([2024, 0, 10, 0, 0, 0], [2024, 0, 10, 1, 2, 3]));
    sql_query("INSERT INTO t VALUES (3, ?, ?, ?)")
        .bind::<Date, _>(all[1].0)
        .bind::<Datetime, _>(all[1].1)
        .bind::<Timestamp, _>(all[0].1)
        .execute(connection)?;
    assert_eq!(
        bed.texts("SELECT CONCAT_WS(', ', d, m, s) FROM t WHERE n = 3"),
        [Some("2024-00-10, 2024-00-10 01:02:03.000000, 0000-00-00 00:00:00.000000".to_owned())]
    );
    Ok(())
}

fn long_and_negative_times(bed: &Bed) -> TestResult {
    let connection = &mut MysqlConnection::establish(bed.url())?;
    bed.execute("CREATE TABLE t (n INT, v TIME(6)); INSERT INTO t VALUES (1, '838:59:59.999999'), (2, '-00:00:01')");
    let long = read!(connection, Time, MysqlTime, "SELECT v FROM t WHERE n = 1")?;
    let parts = (long.day, long.hour, long.minute, long.second, long.second_part, long.neg);
    assert_eq!(parts, (0, 838, 59, 59, 999_999, false));
    let error = read!(connection, Time, NaiveTime, "SELECT v FROM t WHERE n = 1").expect_err("no time of a day");
    assert!(format!("{error:?}").contains("hour: 838"), "{error:?}");
    // Diesel reads no negative ones, even into its own type; as text they can be had.
    for error in [
        read!(connection, Time, NaiveTime, "SELECT v FROM t WHERE n = 2").map(drop),
        read!(connection, Time, MysqlTime, "SELECT v FROM t WHERE n = 2").map(drop),
    ] {
        let error = cause(error.expect_err("it is negative"));
        assert!(error.contains("Negative dates/times are not yet supported"), "{error}");
    }
    assert_eq!(read!(connection, Text, String, "SELECT CAST(v AS CHAR) FROM t WHERE n = 2")?, "-00:00:01.000000");
    // They can be written: the days as such, or as hours.
    let kind = MysqlTimestampType::MYSQL_TIMESTAMP_TIME;
    for (n, (days, hours)) in [(3, (0, 838)), (4, (34, 22))] {
        let time = MysqlTime::new(0, 0, days, hours, 59, 59, 1, true, kind, 0);
        let insert = sql_query("INSERT INTO t VALUES (?, ?)").bind::<Integer, _>(n).bind::<Time, _>(time);
        insert.execute(connection)?;
    }
    assert_eq!(bed.texts("SELECT v FROM t WHERE n > 2"), vec![Some("-838:59:59.000001".to_owned()); 2]);
    let wrong = MysqlTime::new(0, 0, 0, 1, 300, 0, 0, false, kind, 0);
    let error = sql_query("DO ?").bind::<Time, _>(wrong).execute(connection).expect_err("a minute has 8 bits");
    assert!(error.to_string().contains("out of range"), "{error}");
    assert_eq!(read!(connection, Integer, i32, "SELECT 7")?, 7);
    Ok(())
}

fn what_does_not_fit(bed: &Bed) -> TestResult {
    let connection = &mut MysqlConnection::establish(bed.url())?;
    bed.execute("CREATE TABLE t (i TINYINT, t VARCHAR(2), d DECIMAL(3, 1), e ENUM('a'))");
    // The server's own mode may be anything; the session's is strict.
    for (column, value, number) in [("i", "128", 1264), ("t", "abc", 1406), ("d", "100.0", 1264), ("e", "b", 1265)] {
        let insert = sql_query(format!("INSERT INTO t ({column}) VALUES (?)")).bind::<Text, _>(value);
        match insert.execute(connection) {
            Err(diesel::result::Error::DatabaseError(_, information)) => {
                let details = information.details().unwrap_or_default();
                assert!(details.starts_with(&format!("error {number},")), "{column}: {details}");
            }
            other => panic!("{column}: {other:?}"),
        }
    }
    assert_eq!(bed.number("SELECT COUNT(*) FROM t"), 0);
    let error = read!(connection, BigInt, i64, "SELECT 18446744073709551615").expect_err("it has no sign");
    assert!(cause(error).contains("overflow"));
    let error = read!(connection, Text, String, "SELECT x'C328'").expect_err("it is no UTF-8");
    assert!(cause(error).contains("Utf8Error"));
    // In the midst of rows, of which the rest is passed over.
    let rows = sql::<TinyInt>("SELECT seq FROM seq_1_to_1000000000000").load::<i8>(connection);
    assert!(cause(rows.expect_err("128 is no i8")).contains("overflow"));
    assert_eq!(read!(connection, Integer, i32, "SELECT 7")?, 7);
    Ok(())
}

/// What is computed has a type of its own, and Diesel takes any integer for any other where it fits.
fn integers_of_other_widths(bed: &Bed) -> TestResult {
    let connection = &mut MysqlConnection::establish(bed.url())?;
    bed.execute("CREATE TABLE t (i TINYINT UNSIGNED, m MEDIUMINT, y YEAR); INSERT INTO t VALUES (200, -5, 2024)");
    assert_eq!(read!(connection, BigInt, i64, "SELECT i FROM t")?, 200);
    assert_eq!(read!(connection, BigInt, i64, "SELECT m FROM t")?, -5);
    assert_eq!(read!(connection, Unsigned<BigInt>, u64, "SELECT y FROM t")?, 2024);
    assert_eq!(read!(connection, BigInt, i64, "SELECT SUM(i) FROM t")?, 200);
    assert_eq!(read!(connection, Double, f64, "SELECT AVG(m) FROM t")?, -5.0);
    assert_eq!(read!(connection, Numeric, BigDecimal, "SELECT AVG(i) FROM t")?, decimal("200"));
    assert_eq!(read!(connection, BigInt, i64, "SELECT COUNT(*) FROM t")?, 1);
    Ok(())
}
