//! Parts of dates and times, which are text here. SQLite's own functions know milliseconds, and round to them.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use diesel::{
    QueryResult, SqliteConnection,
    sql_types::{BigInt, Nullable, Text},
};

use super::Outcome;
use crate::types::temporal::text;

#[diesel::declare_sql_function]
extern "SQL" {
    #[sql_name = "orm_part"]
    fn part_of_time(part: Text, kind: Text, value: Nullable<Text>) -> Nullable<Integer>;
    #[sql_name = "orm_trunc"]
    fn trunc_time(unit: Text, kind: Text, value: Nullable<Text>) -> Nullable<Text>;
    #[sql_name = "orm_shift"]
    fn shift_time(
        kind: Text,
        value: Nullable<Text>,
        days: Nullable<BigInt>,
        microseconds: Nullable<BigInt>,
    ) -> Nullable<Text>;
}

pub(super) fn register(connection: &mut SqliteConnection) -> QueryResult<()> {
    part_of_time_utils::register_impl(connection, |name: String, kind: String, value: Option<String>| {
        Outcome(value.map(|value| part(&name, read(&kind, &value)?)).transpose())
    })?;
    trunc_time_utils::register_impl(connection, |unit: String, kind: String, value: Option<String>| {
        Outcome(value.map(|value| truncate(&unit, &kind, read(&kind, &value)?)).transpose())
    })?;
    shift_time_utils::register_impl(
        connection,
        |kind: String, value: Option<String>, days: Option<i64>, microseconds: Option<i64>| {
            let (Some(value), Some(days), Some(microseconds)) = (value, days, microseconds) else {
                return Outcome(Ok(None));
            };
            Outcome(read(&kind, &value).and_then(|at| shift(&kind, at, days, microseconds)).map(Some))
        },
    )
}

/// The text of a date (`d`), a time (`t`), a date and time (`n`) or an instant (`u`), which is made one in UTC.
fn read(kind: &str, value: &str) -> Result<NaiveDateTime, String> {
    let bytes = value.as_bytes();
    let found = match kind {
        "d" => text::date(value).map(|date| date.and_time(NaiveTime::MIN)),
        "t" => {
            text::time(bytes).filter(|(_, rest)| rest.is_empty()).map(|(time, _)| NaiveDate::default().and_time(time))
        }
        "n" => text::date_time(bytes).filter(|(_, rest)| rest.is_empty()).map(|(at, _)| at),
        _ => text::date_time(bytes).and_then(|(at, rest)| at.checked_sub_signed(text::offset(rest)?)),
    };
    found.ok_or_else(|| {
        let what = match kind {
            "d" => "a date",
            "t" => "a time",
            "n" => "a date and time",
            _ => "an instant",
        };
        format!("a text that is computed with is not {what}")
    })
}

/// The text as this crate and Diesel write it.
fn write(kind: &str, at: NaiveDateTime) -> Result<String, String> {
    if kind != "t" && !(0..=9999).contains(&at.year()) {
        return Err("a time is outside the years 0 to 9999 that dates have on SQLite".to_owned());
    }
    Ok(match kind {
        "d" => at.format("%F").to_string(),
        "t" => at.format("%T%.f").to_string(),
        "n" => at.format("%F %T%.f").to_string(),
        _ if at.nanosecond() == 0 => at.format("%F %T+00:00").to_string(),
        _ => at.format("%F %T%.6f+00:00").to_string(),
    })
}

fn part(name: &str, at: NaiveDateTime) -> Result<i32, String> {
    let number = match name {
        "year" => return Ok(at.year()),
        "iso_year" => return Ok(at.iso_week().year()),
        "quarter" => at.month0() / 3 + 1,
        "month" => at.month(),
        "week" => at.iso_week().week(),
        "day" => at.day(),
        "week_day" => at.weekday().number_from_sunday(),
        "iso_week_day" => at.weekday().number_from_monday(),
        "hour" => at.hour(),
        "minute" => at.minute(),
        "second" => at.second(),
        other => return Err(format!("a time has no part `{other}`")),
    };
    i32::try_from(number).map_err(|error| error.to_string())
}

/// The beginning of the unit that the time is in; or, by the units `date` and `time`, one part alone.
fn truncate(unit: &str, kind: &str, at: NaiveDateTime) -> Result<String, String> {
    let (date, time) = (at.date(), at.time());
    let start = |date: Option<NaiveDate>| date.map(|date| date.and_time(NaiveTime::MIN));
    let within = |hour, minute, second| NaiveTime::from_hms_opt(hour, minute, second).map(|time| date.and_time(time));
    let truncated = match unit {
        "date" => return write("d", at),
        "time" => return write("t", at),
        "year" => start(NaiveDate::from_ymd_opt(date.year(), 1, 1)),
        "quarter" => start(NaiveDate::from_ymd_opt(date.year(), date.month0() / 3 * 3 + 1, 1)),
        "month" => start(NaiveDate::from_ymd_opt(date.year(), date.month(), 1)),
        "week" => start(date.checked_sub_signed(TimeDelta::days(date.weekday().num_days_from_monday().into()))),
        "day" => start(Some(date)),
        "hour" => within(time.hour(), 0, 0),
        "minute" => within(time.hour(), time.minute(), 0),
        "second" => within(time.hour(), time.minute(), time.second()),
        _ => None,
    };
    write(kind, truncated.ok_or_else(|| format!("a time has no beginning of its `{unit}`"))?)
}

fn shift(kind: &str, at: NaiveDateTime, days: i64, microseconds: i64) -> Result<String, String> {
    let shifted = TimeDelta::try_days(days)
        .and_then(|days| days.checked_add(&TimeDelta::microseconds(microseconds)))
        .and_then(|by| at.checked_add_signed(by));
    write(kind, shifted.ok_or_else(|| "a time is too near to the end of time to be moved so far".to_owned())?)
}
