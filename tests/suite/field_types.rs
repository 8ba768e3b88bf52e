//! Every field type: what is written is read, compared, ordered, and seen by SQL of one's own.

use std::str::FromStr;

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use itertools::Itertools;
use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_each_backend};
use uuid::Uuid;

on_each_backend! {
    integers_i8, integers_i16, integers_i32, integers_i64, integers_u8, integers_u16, integers_u32, integers_u64, floats_f32, floats_f64, booleans, texts, bytes, dates, times, dates_and_times, instants, decimals, uuids, infinite_floats_f32, infinite_floats_f64, wide_decimals, newtypes, newtypes_of_portable_types, aliases,
}

/// A test that stores each value of a list, which is given in ascending order, and finds it again in every way. Where the
/// backend lacks the capability that the list needs, it refuses the first of the values and the last.
macro_rules! round_trips {
    ($($name:ident $(if $keeps:ident)?: $type:ty = $values:expr;)+) => { $(
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
            $( if !bed.$keeps() {
                for value in [&values[0], &values[values.len() - 1]] {
                    let row = Stored { id: 1, value: value.clone(), maybe: None };
                    let error = Stored::bulk_create(&db, [row]).expect_err("the backend cannot keep it");
                    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidValue, Some("value")), "{error:?}");
                }
                return Ok(());
            } )?
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
            let some = || values.iter().step_by(2).cloned().collect_vec();
            assert_eq!(
                with_ids(all().filter(|s| s.value.eq_any(some())))?,
                oracle(&|row| some().contains(&row.value)),
                "one of some"
            );
            assert_eq!(
                with_ids(all().filter(|s| s.maybe.ne_all(some())))?,
                oracle(&|row| row.maybe.as_ref().is_some_and(|m| !some().contains(m))),
                "none of some"
            );
            assert_eq!(with_ids(all().filter(|s| s.value.eq_any(Vec::<$type>::new())))?, [0_i64; 0], "one of none");
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

pub(crate) fn date(text: &str) -> NaiveDate {
    text.parse().expect("it is a date")
}
pub(crate) fn time(text: &str) -> NaiveTime {
    text.parse().expect("it is a time")
}
pub(crate) fn at(text: &str) -> NaiveDateTime {
    text.parse().expect("it is a date and time")
}
pub(crate) fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("it is an instant")
}
pub(crate) fn decimal(text: &str) -> BigDecimal {
    BigDecimal::from_str(text).expect("it is a number")
}

#[derive(FieldType, Clone, Debug, PartialEq, PartialOrd)]
struct Code(String);

#[derive(FieldType, Clone, Debug, PartialEq, PartialOrd)]
struct Key(Uuid);

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
    floats_f32: f32 = [f32::MIN, -0.1, 0.0, f32::MIN_POSITIVE, 0.1, 16_777_217.0, f32::MAX];
    floats_f64: f64 = [f64::MIN, -0.1, 0.0, 5e-324, 0.1, 9_007_199_254_740_993.0, f64::MAX];
    infinite_floats_f32 if keeps_infinity: f32 = [f32::NEG_INFINITY, f32::MIN, f32::MAX, f32::INFINITY];
    infinite_floats_f64 if keeps_infinity: f64 = [f64::NEG_INFINITY, f64::MIN, f64::MAX, f64::INFINITY];
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
        "-99999999999999999999999999999999999.999999999999", "-10", "-9.5", "-0.000000000000000000000000001", "0",
        "0.000000000000000000000000001", "0.1", "9", "10", "12345678901234567890.12345678901234567890",
        "99999999999999999999999999999999999.999999999999999999999999999999",
    ].map(decimal);
    wide_decimals if keeps_wide_decimals: BigDecimal = [
        "-99999999999999999999999999999999999999999999.999999999999", "0", "1",
        "0.1234567890123456789012345678901", "99999999999999999999999999999999999999999999.999999999999",
    ].map(decimal).into_iter().sorted();
    uuids: Uuid = [Uuid::nil(), Uuid::from_u128(1), Uuid::from_u128(1 << 100), Uuid::max()];
    newtypes: Code = ["", "a", "b"].map(|text| Code(text.to_owned()));
    newtypes_of_portable_types: Key = [0, 1, u128::MAX].map(|key| Key(Uuid::from_u128(key)));
    aliases: AnotherAlias = ["a", "b"].map(String::from);
}
