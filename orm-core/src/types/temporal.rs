//! Dates, times and instants of `chrono`, to the microsecond.
//!
//! Databases keep microseconds, so a value with nanoseconds is refused when it is written or compared with, before anything
//! is sent. MySQL keeps instants as `DATETIME(6)` in UTC, because its `TIMESTAMP` ends in
//! 2038. SQLite keeps the ISO text forms of the years 0 to 9999, which the collation `orm_instant` compares; they are read by
//! hand because that is several times faster than chrono's format strings.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};
use diesel::{
    deserialize,
    serialize::{self, Output, ToSql},
    sql_types::{Date, Time, Timestamp},
};

use super::{Decode, FieldType};
use crate::{backend::BackendKind, error::BoxError, sql_types::UtcTimestamp};

impl FieldType for NaiveDate {
    type SqlType = Date;

    fn validate(&self, backend: BackendKind) -> Result<(), BoxError> {
        known_year(self.year(), backend)
    }
}
impl FieldType for NaiveTime {
    type SqlType = Time;

    fn validate(&self, _: BackendKind) -> Result<(), BoxError> {
        whole_microseconds(self.nanosecond())
    }
}
impl FieldType for NaiveDateTime {
    type SqlType = Timestamp;

    fn validate(&self, backend: BackendKind) -> Result<(), BoxError> {
        known_year(self.year(), backend)?;
        whole_microseconds(self.nanosecond())
    }
}
impl FieldType for DateTime<Utc> {
    type SqlType = UtcTimestamp;

    fn validate(&self, backend: BackendKind) -> Result<(), BoxError> {
        known_year(self.year(), backend)?;
        whole_microseconds(self.nanosecond())
    }
}

super::diesel_reads!(DateTime<Utc>: UtcTimestamp);

/// SQLite's dates are text with years of four digits: `+12013` and `-0044` would be out of order. MySQL has years of four digits,
/// and the year 0 is no date there.
fn known_year(year: i32, backend: BackendKind) -> Result<(), BoxError> {
    match backend {
        BackendKind::Sqlite if !(0..=9999).contains(&year) => {
            Err("on SQLite a date is text, which sorts right only from year 0 to 9999".into())
        }
        BackendKind::Mysql if !(1..=9999).contains(&year) => Err("MySQL's dates are those from year 1 to 9999".into()),
        _ => Ok(()),
    }
}

fn whole_microseconds(nanosecond: u32) -> Result<(), BoxError> {
    if nanosecond >= 1_000_000_000 {
        return Err("a leap second cannot be stored".into());
    }
    if !nanosecond.is_multiple_of(1000) {
        return Err("databases keep microseconds and this time has nanoseconds; round it first, \
                    with chrono's `SubsecRound::trunc_subsecs(6)`"
            .into());
    }
    Ok(())
}

#[cfg(feature = "mysql")]
mod mysql {
    use std::mem::offset_of;

    use diesel::{
        deserialize::FromSql,
        mysql::{Mysql, MysqlType, MysqlValue, data_types::MysqlTime},
    };

    use super::*;
    use crate::backend::mysql::value;

    /// The parts that the server sends, of whichever kind of time.
    fn parts(value: MysqlValue<'_>) -> deserialize::Result<MysqlTime> {
        if value.as_bytes().get(offset_of!(MysqlTime, neg)) == Some(&1) {
            return Err("the column holds a negative time, which is no time of a day".into());
        }
        FromSql::<Timestamp, Mysql>::from_sql(value)
    }

    /// MySQL can hold zeros, and days such as 31 February, in place of a date.
    fn date(parts: &MysqlTime) -> deserialize::Result<NaiveDate> {
        i32::try_from(parts.year)
            .ok()
            .filter(|year| *year > 0)
            .and_then(|year| NaiveDate::from_ymd_opt(year, parts.month, parts.day))
            .ok_or_else(|| {
                let (year, month, day) = (parts.year, parts.month, parts.day);
                format!("the column holds {year:04}-{month:02}-{day:02}, which is no date").into()
            })
    }

    fn time(parts: &MysqlTime) -> deserialize::Result<NaiveTime> {
        let micros = u32::try_from(parts.second_part)?;
        // A time of more than a day has its hours, or its days, above that.
        NaiveTime::from_hms_micro_opt(parts.hour, parts.minute, parts.second, micros)
            .filter(|_| micros < 1_000_000)
            .ok_or_else(|| {
                let (hour, minute, second) = (parts.hour, parts.minute, parts.second);
                format!("the column holds {hour:02}:{minute:02}:{second:02}, which is no time of a day").into()
            })
    }

    fn date_time(value: MysqlValue<'_>) -> deserialize::Result<NaiveDateTime> {
        value::expect(&value, &[MysqlType::DateTime, MysqlType::Timestamp], "a DATETIME or TIMESTAMP")?;
        let parts = parts(value)?;
        Ok(date(&parts)?.and_time(time(&parts)?))
    }

    impl Decode<Mysql> for NaiveDate {
        fn decode(value: MysqlValue<'_>) -> deserialize::Result<Self> {
            value::expect(&value, &[MysqlType::Date], "a DATE")?;
            date(&parts(value)?)
        }
    }
    impl Decode<Mysql> for NaiveTime {
        fn decode(value: MysqlValue<'_>) -> deserialize::Result<Self> {
            value::expect(&value, &[MysqlType::Time], "a TIME")?;
            let mut parts = parts(value)?;
            parts.hour = parts.day.saturating_mul(24).saturating_add(parts.hour);
            time(&parts)
        }
    }
    impl Decode<Mysql> for NaiveDateTime {
        #[inline]
        fn decode(value: MysqlValue<'_>) -> deserialize::Result<Self> {
            date_time(value)
        }
    }
    impl Decode<Mysql> for DateTime<Utc> {
        #[inline]
        fn decode(value: MysqlValue<'_>) -> deserialize::Result<Self> {
            Ok(date_time(value)?.and_utc())
        }
    }
    impl ToSql<UtcTimestamp, Mysql> for DateTime<Utc> {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Mysql>) -> serialize::Result {
            self.validate(BackendKind::Mysql)?;
            ToSql::<Timestamp, Mysql>::to_sql(&self.naive_utc(), &mut out.reborrow())
        }
    }

    #[cfg(test)]
    mod tests {
        use diesel::mysql::data_types::MysqlTimestampType;

        use super::*;

        /// What a value of these parts reads as: year, month, day, hour, minute, second, microsecond.
        fn read<T: Decode<Mysql> + ToString>(
            of: MysqlType,
            [y, mo, d, h, m, s, us]: [u32; 7],
            negative: bool,
        ) -> String {
            let kind = MysqlTimestampType::MYSQL_TIMESTAMP_DATETIME;
            let bytes = MysqlTime::new(y, mo, d, h, m, s, us.into(), negative, kind, 0).serialize();
            T::decode(MysqlValue::new(&bytes, of)).map_or_else(|error| error.to_string(), |value| value.to_string())
        }

        #[test]
        fn every_kind_of_time_is_read_to_the_microsecond() {
            let parts = [2013, 1, 31, 10, 20, 30, 250_001];
            assert_eq!(read::<NaiveDateTime>(MysqlType::DateTime, parts, false), "2013-01-31 10:20:30.250001");
            assert_eq!(read::<DateTime<Utc>>(MysqlType::Timestamp, parts, false), "2013-01-31 10:20:30.250001 UTC");
            assert_eq!(read::<NaiveDate>(MysqlType::Date, [9999, 12, 31, 0, 0, 0, 0], false), "9999-12-31");
            assert_eq!(read::<NaiveTime>(MysqlType::Time, [0, 0, 0, 23, 59, 59, 999_999], false), "23:59:59.999999");
        }

        #[test]
        fn what_is_no_date_or_time_of_a_day_is_refused() {
            let zero = read::<NaiveDate>(MysqlType::Date, [0; 7], false);
            assert!(zero.contains("holds 0000-00-00, which is no date"), "{zero}");
            let february = read::<NaiveDateTime>(MysqlType::DateTime, [2013, 2, 31, 0, 0, 0, 0], false);
            assert!(february.contains("2013-02-31"), "{february}");
            let negative = read::<NaiveTime>(MysqlType::Time, [0, 0, 0, 1, 0, 0, 0], true);
            assert!(negative.contains("negative time"), "{negative}");
            for parts in [[0, 0, 0, 24, 0, 0, 0], [0, 0, 1, 0, 0, 0, 0]] {
                let long = read::<NaiveTime>(MysqlType::Time, parts, false);
                assert!(long.contains("holds 24:00:00, which is no time of a day"), "{long}");
            }
            let date = read::<NaiveDateTime>(MysqlType::Date, [2013, 1, 1, 0, 0, 0, 0], false);
            assert!(date.contains("is of type DATE, not a DATETIME"), "{date}");
        }
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use diesel::{
        pg::{Pg, PgValue},
        sql_types::Timestamptz,
    };

    use super::*;
    use crate::backend::{number::exactly, postgres::value};

    /// Microseconds from 1970-01-01 to PostgreSQL's epoch, 2000-01-01.
    const EPOCH: i64 = 946_684_800_000_000;
    /// Days from 0001-01-01, chrono's day 1, to 2000-01-01.
    const EPOCH_DAY: i32 = 730_120;

    fn instant(value: PgValue<'_>) -> deserialize::Result<DateTime<Utc>> {
        match i64::from_be_bytes(exactly(value.as_bytes())?) {
            i64::MAX => Err("the column holds `infinity`, which is no point in time".into()),
            i64::MIN => Err("the column holds `-infinity`, which is no point in time".into()),
            micros => micros
                .checked_add(EPOCH)
                .and_then(DateTime::from_timestamp_micros)
                .ok_or_else(|| "the column holds a time outside the years that `chrono` knows".into()),
        }
    }

    impl Decode<Pg> for NaiveDateTime {
        #[inline]
        fn decode(value: PgValue<'_>) -> deserialize::Result<Self> {
            value::expect(&value, &[value::TIMESTAMP], "a TIMESTAMP (for a TIMESTAMPTZ use `DateTime<Utc>`)")?;
            instant(value).map(|instant| instant.naive_utc())
        }
    }
    impl Decode<Pg> for DateTime<Utc> {
        #[inline]
        fn decode(value: PgValue<'_>) -> deserialize::Result<Self> {
            value::expect(&value, &[value::TIMESTAMPTZ], "a TIMESTAMPTZ (for a TIMESTAMP use `NaiveDateTime`)")?;
            instant(value)
        }
    }
    impl Decode<Pg> for NaiveTime {
        fn decode(value: PgValue<'_>) -> deserialize::Result<Self> {
            value::expect(&value, &[value::TIME], "a TIME")?;
            let micros = i64::from_be_bytes(exactly(value.as_bytes())?);
            let seconds = u32::try_from(micros / 1_000_000)?;
            let nanos = u32::try_from(micros % 1_000_000)? * 1000;
            NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos)
                .ok_or_else(|| "the column holds 24:00:00, which `chrono` does not know".into())
        }
    }
    impl Decode<Pg> for NaiveDate {
        fn decode(value: PgValue<'_>) -> deserialize::Result<Self> {
            value::expect(&value, &[value::DATE], "a DATE")?;
            match i32::from_be_bytes(exactly(value.as_bytes())?) {
                i32::MAX => Err("the column holds `infinity`, which is no date".into()),
                i32::MIN => Err("the column holds `-infinity`, which is no date".into()),
                days => i32::checked_add(days, EPOCH_DAY)
                    .and_then(NaiveDate::from_num_days_from_ce_opt)
                    .ok_or_else(|| "the column holds a date outside the years that `chrono` knows".into()),
            }
        }
    }
    impl ToSql<UtcTimestamp, Pg> for DateTime<Utc> {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            whole_microseconds(self.nanosecond())?;
            ToSql::<Timestamptz, Pg>::to_sql(self, out)
        }
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use diesel::sqlite::{Sqlite, SqliteType, SqliteValue};

    use super::{text::*, *};
    use crate::backend::sqlite::value;

    impl Decode<Sqlite> for NaiveDate {
        fn decode(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            value::expect(&value, SqliteType::Text, "a date as text")?;
            date(value.read_text()).ok_or_else(|| "this text is no date; one is `2013-01-31`".into())
        }
    }
    impl Decode<Sqlite> for NaiveTime {
        fn decode(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            value::expect(&value, SqliteType::Text, "a time as text")?;
            match time(value.read_text().as_bytes()) {
                Some((time, b"")) => Ok(time),
                _ => Err("this text is no time; one is `10:00:00` or `10:00:00.250000`".into()),
            }
        }
    }
    impl Decode<Sqlite> for NaiveDateTime {
        #[inline]
        fn decode(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            value::expect(&value, SqliteType::Text, "a date and time as text")?;
            match date_time(value.read_text().as_bytes()) {
                Some((at, b"")) => Ok(at),
                Some(_) => {
                    Err("this text has a time zone, which `NaiveDateTime` cannot keep; use `DateTime<Utc>`".into())
                }
                None => Err("this text is no date and time; one is `2013-01-31 10:00:00`".into()),
            }
        }
    }
    impl Decode<Sqlite> for DateTime<Utc> {
        /// Text without an offset is UTC, as SQLite's own `CURRENT_TIMESTAMP` is.
        #[inline]
        fn decode(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            value::expect(&value, SqliteType::Text, "a date and time as text")?;
            date_time(value.read_text().as_bytes())
                .and_then(|(at, rest)| at.and_utc().checked_sub_signed(offset(rest)?))
                .ok_or_else(|| "this text is no instant; one is `2013-01-31 10:00:00+00:00`".into())
        }
    }
    impl ToSql<UtcTimestamp, Sqlite> for DateTime<Utc> {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            self.validate(BackendKind::Sqlite)?;
            // One form for one instant, so that programs without our collation sort it right: `+` comes before `.`.
            let form = if self.nanosecond() == 0 { "%F %T+00:00" } else { "%F %T%.6f+00:00" };
            out.set_value(self.format(form).to_string());
            Ok(serialize::IsNull::No)
        }
    }
}

/// The ISO forms, read by hand.
#[cfg(feature = "sqlite")]
pub(crate) mod text {
    use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

    /// The number that the first `digits` bytes spell, and what follows.
    #[inline]
    fn number(text: &[u8], digits: usize) -> Option<(u32, &[u8])> {
        let (head, rest) = text.split_at_checked(digits)?;
        let mut value = 0;
        for byte in head {
            if !byte.is_ascii_digit() {
                return None;
            }
            value = value * 10 + u32::from(byte - b'0');
        }
        Some((value, rest))
    }

    #[inline]
    fn leading_date(text: &[u8]) -> Option<(NaiveDate, &[u8])> {
        let (year, rest) = number(text, 4)?;
        let (month, rest) = number(rest.strip_prefix(b"-")?, 2)?;
        let (day, rest) = number(rest.strip_prefix(b"-")?, 2)?;
        Some((NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?, rest))
    }

    pub(crate) fn date(text: &str) -> Option<NaiveDate> {
        leading_date(text.as_bytes()).filter(|(_, rest)| rest.is_empty()).map(|(date, _)| date)
    }

    /// `10:00`, `10:00:00` or `10:00:00.123456789`, and what follows.
    #[inline]
    pub(crate) fn time(text: &[u8]) -> Option<(NaiveTime, &[u8])> {
        let (hour, rest) = number(text, 2)?;
        let (minute, rest) = number(rest.strip_prefix(b":")?, 2)?;
        let Some(rest) = rest.strip_prefix(b":") else {
            return Some((NaiveTime::from_hms_opt(hour, minute, 0)?, rest));
        };
        let (second, rest) = number(rest, 2)?;
        let Some(fraction) = rest.strip_prefix(b".") else {
            return Some((NaiveTime::from_hms_opt(hour, minute, second)?, rest));
        };
        let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&digits) {
            return None;
        }
        let (value, rest) = number(fraction, digits)?;
        let nanos = (digits..9).fold(value, |value, _| value * 10);
        Some((NaiveTime::from_hms_nano_opt(hour, minute, second, nanos)?, rest))
    }

    pub(crate) fn date_time(text: &[u8]) -> Option<(NaiveDateTime, &[u8])> {
        let (date, rest) = leading_date(text)?;
        let (time, rest) = time(rest.strip_prefix(b" ").or_else(|| rest.strip_prefix(b"T"))?)?;
        Some((date.and_time(time), rest))
    }

    /// Nothing, `Z` or `+05:30`.
    pub(crate) fn offset(text: &[u8]) -> Option<TimeDelta> {
        let (sign, rest) = match text {
            b"" | b"Z" => return Some(TimeDelta::zero()),
            [b'-', rest @ ..] => (-1, rest),
            [b'+', rest @ ..] => (1, rest),
            _ => return None,
        };
        let (hours, rest) = number(rest, 2)?;
        let (minutes, rest) = number(rest.strip_prefix(b":")?, 2)?;
        (rest.is_empty() && hours < 24 && minutes < 60)
            .then(|| TimeDelta::minutes(sign * i64::from(hours * 60 + minutes)))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_forms_that_are_written_read_back() {
            let at = |text: &str| {
                date_time(text.as_bytes())
                    .map(|(at, rest)| (at.to_string(), String::from_utf8_lossy(rest).into_owned()))
            };
            let whole = ("2013-01-31 10:00:00".to_owned(), String::new());
            assert_eq!(at("2013-01-31 10:00:00"), Some(whole.clone()));
            assert_eq!(at("2013-01-31T10:00"), Some(whole));
            assert_eq!(at("2013-01-31 10:00:00.25").map(|at| at.0).as_deref(), Some("2013-01-31 10:00:00.250"));
            assert_eq!(at("2013-01-31 10:00:00+05:30").map(|at| at.1).as_deref(), Some("+05:30"));
        }

        #[test]
        fn what_is_no_date_or_time_is_refused() {
            for text in [
                "",
                "2013",
                "2013-1-1",
                "2013-02-30",
                "2013-01-01x",
                "é013-01-01",
                "12-01-01",
                "1234567-01-01",
                "1-34-01-01",
                "-0044-03-15",
                "+2013-01-01",
                "+12013-01-01",
                "12013-01-01",
            ] {
                assert_eq!(date(text), None, "{text}");
            }
            for text in ["24:00:00", "10:60", "10", "10:00:00.", "10:00:00.1234567890", "1é:00"] {
                assert_eq!(time(text.as_bytes()), None, "{text}");
            }
            for text in ["+5:30", "+05", "+05:30x", "+24:00", "05:30"] {
                assert_eq!(offset(text.as_bytes()), None, "{text}");
            }
        }

        #[test]
        fn every_time_of_a_day_agrees_with_chrono() {
            for second in (0..86_400).step_by(7) {
                let expected = NaiveTime::from_num_seconds_from_midnight_opt(second, second * 11_000);
                let text = expected.map(|time| time.format("%T%.6f").to_string()).unwrap_or_default();
                assert_eq!(time(text.as_bytes()), expected.map(|time| (time, &b""[..])), "{text}");
            }
        }
    }
}
