//! Arrays, ranges, multiranges and records, through `PgConnection` and through libpq.

use std::ops::Bound::{self, Excluded, Included, Unbounded};

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use diesel::{
    Connection, RunQueryDsl,
    dsl::sql,
    sql_types::{
        Array, BigInt, Binary, Bool, Date, Double, Integer, Interval, Json, Jsonb, Multirange, Nullable, Numeric,
        Range, Record, Text, Timestamp, Timestamptz, Uuid,
    },
};
use orm_core::diesel;
use orm_tests::{Bed, TestResult, on_postgres};
use serde_json::{Value, json};

use super::{PgConnection, raw::round_trips};

on_postgres! {
    integers, integers_with_nulls, bigints, booleans, texts, texts_with_nulls, bytes, doubles, numerics, dates, timestamps,
    uuids, jsons, jsonbs, intervals, varchars, int4range, int8range, numrange, daterange, tsrange, tstzrange,
    int4multirange, int8multirange, nummultirange, datemultirange, tsmultirange, tstzmultirange, ranges_in_an_array,
    records, records_with_nulls_and_within_records, an_array_of_two_dimensions, a_long_array,
}

type Span<T> = (Bound<T>, Bound<T>);

round_trips! {
    integers: "INT[]", Array<Integer>, Vec<i32> = [vec![] => "{}", vec![1, -2, i32::MAX] => "{1,-2,2147483647}"];
    integers_with_nulls: "INT[]", Array<Nullable<Integer>>, Vec<Option<i32>> = [
        vec![None] => "{NULL}", vec![Some(1), None, Some(3), None] => "{1,NULL,3,NULL}",
    ];
    bigints: "BIGINT[]", Array<BigInt>, Vec<i64> = [vec![i64::MIN, 0, i64::MAX] => "{-9223372036854775808,0,9223372036854775807}"];
    booleans: "BOOLEAN[]", Array<Bool>, Vec<bool> = [vec![true, false] => "{t,f}"];
    texts: "TEXT[]", Array<Text>, Vec<String> = [
        vec![String::new()] => "{\"\"}", vec!["NULL".to_owned(), "a,\"b\\".to_owned(), "é".to_owned()] => "{\"NULL\",\"a,\\\"b\\\\\",é}",
    ];
    texts_with_nulls: "TEXT[]", Array<Nullable<Text>>, Vec<Option<String>> = [vec![None, Some(String::new())] => "{NULL,\"\"}"];
    bytes: "BYTEA[]", Array<Binary>, Vec<Vec<u8>> = [vec![vec![], vec![0, 0xFF]] => "{\"\\\\x\",\"\\\\x00ff\"}"];
    doubles: "DOUBLE PRECISION[]", Array<Double>, Vec<f64> = [vec![-0.0, f64::NAN, f64::INFINITY] => "{-0,NaN,Infinity}"];
    numerics: "NUMERIC[]", Array<Numeric>, Vec<BigDecimal> = [vec![decimal("1.50"), decimal("-7")] => "{1.50,-7}"];
    dates: "DATE[]", Array<Date>, Vec<NaiveDate> = [vec![day("2024-02-29")] => "{2024-02-29}"];
    timestamps: "TIMESTAMP[]", Array<Timestamp>, Vec<NaiveDateTime> = [vec![moment("2024-02-29T01:02:03")] => "{\"2024-02-29 01:02:03\"}"];
    uuids: "UUID[]", Array<Uuid>, Vec<uuid::Uuid> = [vec![uuid::Uuid::nil()] => "{00000000-0000-0000-0000-000000000000}"];
    jsons: "JSON[]", Array<Json>, Vec<Value> = [vec![json!({"a": 1})] => "{\"{\\\"a\\\":1}\"}"];
    jsonbs: "JSONB[]", Array<Jsonb>, Vec<Value> = [vec![json!(1), json!(null)] => "{1,\"null\"}"];
    intervals: "INTERVAL[]", Array<Interval>, Vec<diesel::data_types::PgInterval> = [
        vec![diesel::data_types::PgInterval::from_days(3)] => "{\"3 days\"}",
    ];
    varchars: "VARCHAR(3)[]", Array<Text>, Vec<String> = [vec!["abc".to_owned()] => "{abc}"];
    int4range: "INT4RANGE", Range<Integer>, Span<i32> = [
        (Included(1), Excluded(5)) => "[1,5)", (Unbounded, Excluded(0)) => "(,0)", (Included(7), Unbounded) => "[7,)",
        (Unbounded, Unbounded) => "(,)", (Excluded(0), Excluded(0)) => "empty",
    ];
    int8range: "INT8RANGE", Range<BigInt>, Span<i64> = [(Included(i64::MIN), Excluded(i64::MAX)) => "[-9223372036854775808,9223372036854775807)"];
    numrange: "NUMRANGE", Range<Numeric>, Span<BigDecimal> = [
        (Included(decimal("1.5")), Included(decimal("2.50"))) => "[1.5,2.50]", (Excluded(decimal("-1")), Unbounded) => "(-1,)",
    ];
    daterange: "DATERANGE", Range<Date>, Span<NaiveDate> = [(Included(day("2024-01-01")), Excluded(day("2024-02-01"))) => "[2024-01-01,2024-02-01)"];
    tsrange: "TSRANGE", Range<Timestamp>, Span<NaiveDateTime> = [
        (Excluded(moment("2024-01-01T00:00:00")), Included(moment("2024-01-02T00:00:00"))) => "(\"2024-01-01 00:00:00\",\"2024-01-02 00:00:00\"]",
    ];
    tstzrange: "TSTZRANGE", Range<Timestamptz>, Span<DateTime<Utc>> = [
        (Included(moment("2024-01-01T00:00:00").and_utc()), Unbounded) => "[\"2024-01-01 00:00:00+00\",)",
    ];
    int4multirange: "INT4MULTIRANGE", Multirange<Integer>, Vec<Span<i32>> = [
        vec![] => "{}", vec![(Included(1), Excluded(2)), (Included(5), Unbounded)] => "{[1,2),[5,)}",
    ];
    int8multirange: "INT8MULTIRANGE", Multirange<BigInt>, Vec<Span<i64>> = [vec![(Unbounded, Unbounded)] => "{(,)}"];
    nummultirange: "NUMMULTIRANGE", Multirange<Numeric>, Vec<Span<BigDecimal>> = [
        vec![(Included(decimal("0.1")), Included(decimal("0.2"))), (Excluded(decimal("3")), Excluded(decimal("4")))] => "{[0.1,0.2],(3,4)}",
    ];
    datemultirange: "DATEMULTIRANGE", Multirange<Date>, Vec<Span<NaiveDate>> = [vec![(Included(day("2024-01-01")), Unbounded)] => "{[2024-01-01,)}"];
    tsmultirange: "TSMULTIRANGE", Multirange<Timestamp>, Vec<Span<NaiveDateTime>> = [
        vec![(Unbounded, Included(moment("2024-01-02T00:00:00")))] => "{(,\"2024-01-02 00:00:00\"]}",
    ];
    tstzmultirange: "TSTZMULTIRANGE", Multirange<Timestamptz>, Vec<Span<DateTime<Utc>>> = [
        vec![(Unbounded, Excluded(moment("2024-01-02T00:00:00").and_utc()))] => "{(,\"2024-01-02 00:00:00+00\")}",
    ];
}

fn decimal(text: &str) -> BigDecimal {
    text.parse().expect("it is a number")
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("it is a date")
}

fn moment(text: &str) -> NaiveDateTime {
    text.parse().expect("it is a date and time")
}

/// What both connections read is the same, bytes and values.
macro_rules! both_read {
    ($bed:expr, $sql:ty, $rust:ty, $query:expr => $expected:expr) => {{
        let ours = &mut PgConnection::establish($bed.url())?;
        let libpqs = &mut diesel::PgConnection::establish($bed.url())?;
        let raw = super::raw::rows(ours, diesel::sql_query($query))?;
        assert_eq!(raw, super::raw::rows(libpqs, diesel::sql_query($query))?);
        let expected: $rust = $expected;
        assert_eq!(sql::<$sql>($query).get_result::<$rust>(ours)?, expected);
        assert_eq!(sql::<$sql>($query).get_result::<$rust>(libpqs)?, expected);
    }};
}

fn ranges_in_an_array(bed: &Bed) -> TestResult {
    both_read!(bed, Array<Range<Integer>>, Vec<Span<i32>>, "SELECT ARRAY['[1,3)', '[,)']::int4range[]"
        => vec![(Included(1), Excluded(3)), (Unbounded, Unbounded)]);
    Ok(())
}

fn records(bed: &Bed) -> TestResult {
    both_read!(bed, Record<(Integer, Text)>, (i32, String), "SELECT (1, 'a'::text)" => (1, "a".to_owned()));
    // Compared with a record that is written out.
    bed.execute("CREATE TABLE t (a INT, b TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b')");
    let connection = &mut PgConnection::establish(bed.url())?;
    let query = sql::<Record<(Integer, Text)>>("SELECT (a, b) FROM t WHERE (a, b) = (")
        .bind::<Integer, _>(2)
        .sql(", ")
        .bind::<Text, _>("b")
        .sql(")");
    assert_eq!(query.load::<(i32, String)>(connection)?, [(2, "b".to_owned())]);
    Ok(())
}

fn records_with_nulls_and_within_records(bed: &Bed) -> TestResult {
    type Sql = Record<(Nullable<Integer>, Record<(Text, Nullable<Text>)>)>;
    both_read!(bed, Sql, (Option<i32>, (String, Option<String>)), "SELECT (NULL::int, ('a'::text, NULL::text))"
        => (None, ("a".to_owned(), None)));
    Ok(())
}

fn an_array_of_two_dimensions(bed: &Bed) -> TestResult {
    let connection = &mut PgConnection::establish(bed.url())?;
    let error =
        sql::<Array<Integer>>("SELECT '{{1,2},{3,4}}'::int[]").load::<Vec<i32>>(connection).expect_err("it has two");
    assert!(format!("{error:?}").contains("dimension"), "{error:?}");
    Ok(())
}

fn a_long_array(bed: &Bed) -> TestResult {
    let connection = &mut PgConnection::establish(bed.url())?;
    let numbers: Vec<i64> = (0..200_000).collect();
    let (count, read): (i64, Vec<i64>) =
        sql::<(BigInt, Array<BigInt>)>("SELECT cardinality(v)::bigint, v FROM (SELECT ")
            .bind::<Array<BigInt>, _>(&numbers)
            .sql(" AS v) AS q")
            .get_result(connection)?;
    assert!(count == 200_000 && read == numbers);
    Ok(())
}
