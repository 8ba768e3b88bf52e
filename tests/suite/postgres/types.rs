//! Each type of PostgreSQL's own that Diesel knows, through `PgConnection` and through libpq: what is written is what the
//! server shows, and what the server has is what is read.

use std::str::FromStr;

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use diesel::{
    Connection, RunQueryDsl,
    data_types::{PgDate, PgInterval, PgLsn, PgMoney, PgNumeric, PgTime, PgTimestamp},
    deserialize::{self, FromSql, FromSqlRow},
    dsl::sql,
    expression::AsExpression,
    pg::{Pg, PgValue},
    serialize::{self, IsNull, Output, ToSql},
    sql_types::{
        self, BigInt, Binary, Bool, CChar, Cidr, Date, Double, Float, Inet, Integer, Interval, Json, Jsonb, MacAddr,
        MacAddr8, Money, Numeric, Oid, SmallInt, Text, Time, Timestamp, Timestamptz,
    },
};
use orm_core::diesel;
use orm_tests::{Bed, TestResult, on_postgres};
use serde_json::json;
use uuid::Uuid;

use super::{PgConnection, raw::round_trips};

on_postgres! {
    boolean, smallint, integer, bigint, oid, real, double, numeric, numeric_of_a_scale, numeric_of_servers, text, varchar,
    char_fixed, name, char_of_one_byte, bytea, date, date_of_servers, time, time_of_servers, timestamp, timestamptz,
    timestamp_of_servers, timestamptz_of_servers, interval, uuid, json, jsonb, inet, cidr, macaddr, macaddr8, money,
    pg_lsn, a_timestamptz_is_the_same_moment_in_every_zone, what_does_not_fit, nul_in_text, long_values, many_columns,
}

round_trips! {
    boolean: "BOOLEAN", Bool, bool = [true => "true", false => "false"];
    smallint: "SMALLINT", SmallInt, i16 = [i16::MIN => i16::MIN, -1 => -1, 0 => 0, i16::MAX => i16::MAX];
    integer: "INTEGER", Integer, i32 = [i32::MIN => i32::MIN, -1 => -1, 0 => 0, i32::MAX => i32::MAX];
    bigint: "BIGINT", BigInt, i64 = [i64::MIN => i64::MIN, -1 => -1, 0 => 0, i64::MAX => i64::MAX];
    oid: "OID", Oid, u32 = [0 => 0, 1 => 1, u32::MAX => u32::MAX];
    real: "REAL", Float, f32 = [
        0.0 => "0", -0.0 => "-0", 0.1 => "0.1", f32::MAX => "3.4028235e+38", f32::MIN_POSITIVE => "1.1754944e-38",
        f32::from_bits(1) => "1e-45", f32::NAN => "NaN", f32::INFINITY => "Infinity", f32::NEG_INFINITY => "-Infinity",
    ];
    double: "DOUBLE PRECISION", Double, f64 = [
        0.0 => "0", -0.0 => "-0", 0.1 + 0.2 => "0.30000000000000004", f64::MAX => "1.7976931348623157e+308",
        f64::from_bits(1) => "5e-324", f64::NAN => "NaN", f64::INFINITY => "Infinity", f64::NEG_INFINITY => "-Infinity",
    ];
    numeric: "NUMERIC", Numeric, BigDecimal = [
        decimal("0") => "0", decimal("-1") => "-1", decimal("0.0001") => "0.0001", decimal("10000") => "10000",
        decimal("-12345678901234567890.00000000000000000012345") => "-12345678901234567890.00000000000000000012345",
        decimal(&"9".repeat(1000)) => "9".repeat(1000),
    ];
    numeric_of_a_scale: "NUMERIC(30, 4)", Numeric, BigDecimal = [
        decimal("1.0000") => "1.0000", decimal("-99999999999999999999999999.9999") => "-99999999999999999999999999.9999",
    ];
    numeric_of_servers: "NUMERIC", Numeric, PgNumeric = [
        PgNumeric::NaN => "NaN",
        PgNumeric::Positive { weight: 0, scale: 2, digits: vec![1, 5000] } => "1.50",
        PgNumeric::Negative { weight: 1, scale: 0, digits: vec![1, 1] } => "-10001",
    ];
    text: "TEXT", Text, String = [
        String::new() => "", "é😀\u{301}".to_owned() => "é😀\u{301}", "'\"\\%$1\u{1}\n".to_owned() => "'\"\\%$1\u{1}\n",
    ];
    varchar: "VARCHAR(5)", Text, String = [String::new() => "", "ééééé".to_owned() => "ééééé", "a  ".to_owned() => "a  "];
    name: "NAME", Text, String = ["a name".to_owned() => "a name", "n".repeat(63) => "n".repeat(63)];
    char_of_one_byte: "\"char\"", CChar, u8 = [b'a' => "a", b'~' => "~", b' ' => " "];
    bytea: "BYTEA", Binary, Vec<u8> = [
        vec![] => "\\x", vec![0, 1, 0xFF, b'\'', b'\\'] => "\\x0001ff275c", vec![0; 3000] => format!("\\x{}", "00".repeat(3000)),
    ];
    date: "DATE", Date, NaiveDate = [
        day("2000-01-01") => "2000-01-01", day("1999-12-31") => "1999-12-31", day("0001-01-01") => "0001-01-01",
        day("2024-02-29") => "2024-02-29", day("+99999-12-31") => "99999-12-31", day("-0043-03-15") => "0044-03-15 BC",
    ];
    date_of_servers: "DATE", Date, PgDate = [
        PgDate(i32::MAX) => "infinity", PgDate(i32::MIN) => "-infinity", PgDate(0) => "2000-01-01",
    ];
    time: "TIME", Time, NaiveTime = [
        clock("00:00:00") => "00:00:00", clock("23:59:59.999999") => "23:59:59.999999", clock("12:00:00.5") => "12:00:00.5",
    ];
    // A day's end is a time of PostgreSQL's, and none of chrono's.
    time_of_servers: "TIME", Time, PgTime = [PgTime(86_400_000_000) => "24:00:00", PgTime(1) => "00:00:00.000001"];
    timestamp: "TIMESTAMP", Timestamp, NaiveDateTime = [
        moment("2000-01-01T00:00:00") => "2000-01-01 00:00:00", moment("1969-12-31T23:59:59.999999") => "1969-12-31 23:59:59.999999",
        moment("-4712-01-02T00:00:00") => "4713-01-02 00:00:00 BC", moment("+99999-12-31T12:00:00.1") => "99999-12-31 12:00:00.1",
    ];
    // The witness's session is in UTC.
    timestamptz: "TIMESTAMPTZ", Timestamptz, DateTime<Utc> = [
        moment("2024-06-30T20:00:00.5").and_utc() => "2024-06-30 20:00:00.5+00",
        moment("1883-11-18T12:03:58").and_utc() => "1883-11-18 12:03:58+00",
    ];
    timestamp_of_servers: "TIMESTAMP", Timestamp, PgTimestamp = [
        PgTimestamp(i64::MAX) => "infinity", PgTimestamp(i64::MIN) => "-infinity", PgTimestamp(-1) => "1999-12-31 23:59:59.999999",
    ];
    timestamptz_of_servers: "TIMESTAMPTZ", Timestamptz, PgTimestamp = [
        PgTimestamp(i64::MAX) => "infinity", PgTimestamp(i64::MIN) => "-infinity", PgTimestamp(0) => "2000-01-01 00:00:00+00",
    ];
    interval: "INTERVAL", Interval, PgInterval = [
        PgInterval::new(0, 0, 0) => "00:00:00", PgInterval::new(1, 2, 15) => "1 year 3 mons 2 days 00:00:00.000001",
        PgInterval::new(-3_600_000_000, 40, -1) => "-1 mons +40 days -01:00:00",
    ];
    uuid: "UUID", sql_types::Uuid, Uuid = [
        Uuid::nil() => "00000000-0000-0000-0000-000000000000", Uuid::max() => "ffffffff-ffff-ffff-ffff-ffffffffffff",
        Uuid::from_u128(0x123e4567_e89b_12d3_a456_426655440000) => "123e4567-e89b-12d3-a456-426655440000",
    ];
    json: "JSON", Json, serde_json::Value = [
        json!(null) => "null", json!({"a": [1, -2.5, "é\"\n"]}) => "{\"a\":[1,-2.5,\"é\\\"\\n\"]}", json!("") => "\"\"",
    ];
    jsonb: "JSONB", Jsonb, serde_json::Value = [
        json!(null) => "null", json!({"b": 1, "a": [true, {}]}) => "{\"a\": [true, {}], \"b\": 1}", json!([]) => "[]",
    ];
    inet: "INET", Inet, Network = [
        Network::v4([192, 168, 0, 1], 32, false) => "192.168.0.1/32", Network::v4([10, 1, 2, 3], 8, false) => "10.1.2.3/8",
        Network::v6(1, 128, false) => "::1/128", Network::v6(0x2001_0db8_u128 << 96 | 1, 64, false) => "2001:db8::1/64",
    ];
    cidr: "CIDR", Cidr, Network = [
        Network::v4([10, 0, 0, 0], 8, true) => "10.0.0.0/8", Network::v6(0x2001_0db8_u128 << 96, 32, true) => "2001:db8::/32",
    ];
    macaddr: "MACADDR", MacAddr, [u8; 6] = [[8, 0, 0x2b, 1, 2, 0xFF] => "08:00:2b:01:02:ff", [0; 6] => "00:00:00:00:00:00"];
    macaddr8: "MACADDR8", MacAddr8, [u8; 8] = [[8, 0, 0x2b, 1, 2, 3, 4, 0xFF] => "08:00:2b:01:02:03:04:ff"];
    money: "MONEY", Money, PgMoney = [
        PgMoney(0) => "$0.00", PgMoney(-123_456) => "-$1,234.56", PgMoney(i64::MAX) => "$92,233,720,368,547,758.07",
    ];
    pg_lsn: "PG_LSN", sql_types::PgLsn, PgLsn = [PgLsn(0) => "0/0", PgLsn(u64::MAX) => "FFFFFFFF/FFFFFFFF", PgLsn(1 << 32) => "1/0"];
}

fn char_fixed(bed: &Bed) -> TestResult {
    // The server fills it up, and its own text of it is without what it filled it with.
    bed.execute("CREATE TABLE t (v CHAR(5)); INSERT INTO t VALUES (NULL), (''), ('ééé'), ('abcde')");
    let connection = &mut PgConnection::establish(bed.url())?;
    let insert = diesel::sql_query("INSERT INTO t VALUES ($1)").bind::<Text, _>("zz ");
    assert_eq!(insert.execute(connection)?, 1);
    let query = sql::<sql_types::Nullable<Text>>("SELECT v FROM t ORDER BY v COLLATE \"C\" NULLS FIRST");
    let expected = [None, Some("     "), Some("abcde"), Some("zz   "), Some("ééé  ")];
    assert_eq!(query.load::<Option<String>>(connection)?, expected.map(|text| text.map(str::to_owned)));
    Ok(())
}

/// A network address in the server's own form, for the crates that Diesel knows are not needed here.
#[derive(Clone, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = Inet)]
#[diesel(sql_type = Cidr)]
struct Network(Vec<u8>);

impl Network {
    fn v4(address: [u8; 4], bits: u8, is_cidr: bool) -> Self {
        Network([&[2, bits, u8::from(is_cidr), 4][..], &address].concat())
    }

    fn v6(address: u128, bits: u8, is_cidr: bool) -> Self {
        Network([&[3, bits, u8::from(is_cidr), 16][..], &address.to_be_bytes()].concat())
    }
}

macro_rules! as_it_is {
    ($($sql:ty),+) => { $(
        impl ToSql<$sql, Pg> for Network {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                std::io::Write::write_all(out, &self.0)?;
                Ok(IsNull::No)
            }
        }

        impl FromSql<$sql, Pg> for Network {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                Ok(Network(value.as_bytes().to_vec()))
            }
        }
    )+ };
}

as_it_is!(Inet, Cidr);

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
    text.parse().expect("it is a date and time")
}

fn a_timestamptz_is_the_same_moment_in_every_zone(bed: &Bed) -> TestResult {
    use diesel::connection::SimpleConnection;

    let connection = &mut PgConnection::establish(bed.url())?;
    let expected = moment("2024-06-30T20:00:00").and_utc();
    for zone in ["UTC", "Asia/Kolkata", "America/St_Johns"] {
        connection.batch_execute(&format!("SET TIME ZONE '{zone}'"))?;
        let query = sql::<Timestamptz>("SELECT '2024-07-01 01:30:00+05:30'::timestamptz");
        assert_eq!(query.get_result::<DateTime<Utc>>(connection)?, expected, "{zone}");
    }
    Ok(())
}

/// What is behind Diesel's sentence that a field cannot be read.
fn what_does_not_fit(bed: &Bed) -> TestResult {
    let ours = &mut PgConnection::establish(bed.url())?;
    let libpqs = &mut diesel::PgConnection::establish(bed.url())?;
    macro_rules! fails {
        ($sql:ty, $rust:ty, $query:literal, $cause:literal) => {
            let error = sql::<$sql>($query).get_result::<$rust>(ours).expect_err($query);
            let libpqs = sql::<$sql>($query).get_result::<$rust>(libpqs).expect_err($query);
            assert_eq!(format!("{error:?}"), format!("{libpqs:?}"));
            assert!(format!("{error:?}").contains($cause), "{error:?}");
        };
    }
    fails!(Numeric, BigDecimal, "SELECT 'NaN'::numeric", "NaN");
    fails!(Numeric, BigDecimal, "SELECT 'Infinity'::numeric", "");
    fails!(Integer, i32, "SELECT NULL::int", "UnexpectedNull");
    fails!(Integer, i32, "SELECT 5000000000::bigint", "");
    fails!(BigInt, i64, "SELECT 5::int", "");
    fails!(Double, f64, "SELECT 5::real", "");
    fails!(sql_types::Uuid, Uuid, "SELECT 'x'", "");
    fails!(Date, NaiveDate, "SELECT 'infinity'::date", "");
    fails!(Text, String, "SELECT '\\xff'::bytea", "Utf8");
    assert_eq!(sql::<Integer>("SELECT 7").get_result::<i32>(ours)?, 7);
    Ok(())
}

fn nul_in_text(bed: &Bed) -> TestResult {
    let connection = &mut PgConnection::establish(bed.url())?;
    let bound = diesel::sql_query("SELECT $1").bind::<Text, _>("a\0b").execute(connection);
    assert!(bound.is_err(), "the server has no such character");
    for answer in [
        diesel::sql_query("SELECT 'a\0b'").execute(connection),
        diesel::connection::SimpleConnection::batch_execute(connection, "SELECT 1; \0 SELECT 2").map(|()| 0),
    ] {
        assert!(answer.is_err(), "what is behind it must not be left out");
    }
    assert_eq!(sql::<Integer>("SELECT 7").get_result::<i32>(connection)?, 7);
    Ok(())
}

/// Lengths around those of buffers, there and back.
fn long_values(bed: &Bed) -> TestResult {
    let connection = &mut PgConnection::establish(bed.url())?;
    bed.execute("CREATE TABLE t (n INT PRIMARY KEY, v BYTEA NOT NULL)");
    let sizes = [0, 1, 8_191, 8_192, 8_193, 65_535, 65_536, 65_537, 1 << 20, 17 << 20];
    for (n, size) in (0..).zip(sizes) {
        let bytes: Vec<u8> = (0..=250).cycle().take(size).collect();
        let insert = diesel::sql_query("INSERT INTO t VALUES ($1, $2)").bind::<Integer, _>(n);
        insert.bind::<Binary, _>(&bytes).execute(connection)?;
        let shown = bed.texts(&format!("SELECT length(v) || ' ' || md5(v) FROM t WHERE n = {n}"));
        let read: Vec<u8> = sql::<Binary>(&format!("SELECT v FROM t WHERE n = {n}")).get_result(connection)?;
        assert!(read == bytes, "{size} bytes come back as they were");
        let md5: String = sql::<Text>("SELECT md5(").bind::<Binary, _>(&bytes).sql(")").get_result(connection)?;
        assert_eq!(shown, [Some(format!("{size} {md5}"))]);
    }
    let lengths = sql::<Binary>("SELECT v FROM t ORDER BY n DESC").load::<Vec<u8>>(connection)?;
    assert!(lengths.iter().map(Vec::len).eq(sizes.into_iter().rev()));
    Ok(())
}

fn many_columns(bed: &Bed) -> TestResult {
    let ours = &mut PgConnection::establish(bed.url())?;
    let libpqs = &mut diesel::PgConnection::establish(bed.url())?;
    // Every third is NULL; 1,664 is the server's limit.
    let column = |n: i32| if n % 3 == 0 { format!("NULL::text AS c{n}") } else { format!("{n}::int AS c{n}") };
    for count in [1, 2, 255, 256, 1_664] {
        let query =
            format!("SELECT {} FROM generate_series(1, 3)", (0..count).map(column).collect::<Vec<_>>().join(", "));
        let rows = super::raw::rows(ours, diesel::sql_query(&query))?;
        assert_eq!(rows, super::raw::rows(libpqs, diesel::sql_query(&query))?);
        for (n, field) in (0..count).zip(&rows[2]) {
            assert_eq!(field.name, Some(format!("c{n}")));
            assert_eq!(field.value, (n % 3 != 0).then(|| (23, n.to_be_bytes().to_vec())));
        }
        assert_eq!((rows.len(), rows[0].len()), (3, usize::try_from(count)?));
    }
    let none = super::raw::rows(ours, diesel::sql_query("SELECT FROM generate_series(1, 3)"))?;
    assert!(none.len() == 3 && none.iter().all(Vec::is_empty), "rows without columns are rows");
    Ok(())
}
