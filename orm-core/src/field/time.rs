//! Dates and times: their parts, the beginning of the unit that they are in, and durations.
//!
//! All is in UTC for instants, whatever the time zone of a session is.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use diesel::{
    expression::{Expression, TypedExpressionType},
    sql_types::{BigInt, Bool, Date, Integer, IntoNotNullable, SqlType, Time, Timestamp},
};

use super::{
    Expr, Readable,
    expr::on_expressions,
    function::{Call, Function, Nullness, Of, Plain, Words},
};
use crate::{
    backend::BackendKind,
    sql_types::{ColumnSql, UtcTimestamp},
    types::{FieldType, PortableValue},
};

/// The SQL type of an expression, not nullable.
type Base<E> = <<E as Expression>::SqlType as IntoNotNullable>::NotNullable;

/// What a date or time is.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Date,
    Time,
    Timestamp,
    Instant,
}

/// An SQL type of dates or times.
#[doc(hidden)]
pub trait Temporal: Plain {
    const KIND: Kind;
}
impl Temporal for Date {
    const KIND: Kind = Kind::Date;
}
impl Temporal for Time {
    const KIND: Kind = Kind::Time;
}
impl Temporal for Timestamp {
    const KIND: Kind = Kind::Timestamp;
}
impl Temporal for UtcTimestamp {
    const KIND: Kind = Kind::Instant;
}

/// An SQL type that has a date in it.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "values of the SQL type `{Self}` have no date",
    label = "not a field of dates, or of dates and times"
)]
pub trait HasDate: Temporal {
    /// A value of the type, for a date and time.
    type Value: FieldType<SqlType = Self>;
    fn value(at: NaiveDateTime) -> Self::Value;
}
impl HasDate for Date {
    type Value = NaiveDate;
    fn value(at: NaiveDateTime) -> NaiveDate {
        at.date()
    }
}
impl HasDate for Timestamp {
    type Value = NaiveDateTime;
    fn value(at: NaiveDateTime) -> NaiveDateTime {
        at
    }
}
impl HasDate for UtcTimestamp {
    type Value = DateTime<Utc>;
    fn value(at: NaiveDateTime) -> DateTime<Utc> {
        at.and_utc()
    }
}

/// An SQL type that has a time in it.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "values of the SQL type `{Self}` have no time",
    label = "not a field of times, or of dates and times"
)]
pub trait HasTime: Temporal {}
impl HasTime for Time {}
impl HasTime for Timestamp {}
impl HasTime for UtcTimestamp {}

/// An SQL type that has both.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "values of the SQL type `{Self}` have not both a date and a time",
    label = "not a field of dates and times"
)]
pub trait HasBoth: HasDate + HasTime {}
impl HasBoth for Timestamp {}
impl HasBoth for UtcTimestamp {}

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// From 1 January.
    Year,
    /// From 1 January, April, July or October.
    Quarter,
    /// From its first day.
    Month,
    /// From Monday, as ISO 8601 has it.
    Week,
    /// From midnight.
    Day,
    /// From its first minute.
    Hour,
    /// From its first second.
    Minute,
    /// A whole one.
    Second,
}

macro_rules! parts {
    ($($(#[$attribute:meta])* $method:ident $name:ident $has:ident, $postgres:literal $plus:literal, $mysql:literal;)*) => {
        on_expressions! { $(
            $(#[$attribute])*
            pub fn $method(self) -> Expr<Function<$name, (Self,)>>
            where
                Self: Expression<SqlType: IntoNotNullable>,
                Base<Self>: $has,
            {
                Function::expression($name, (self,))
            }
        )* }

        $(
            #[doc = concat!("`", stringify!($method), "`")]
            #[derive(Clone, Copy, Debug)]
            pub struct $name;

            impl<E> Call<(E,)> for $name
            where
                E: Expression<SqlType: SqlType<IsNull: Nullness> + IntoNotNullable<NotNullable: $has>>,
            {
                type SqlType = <<E::SqlType as SqlType>::IsNull as Nullness>::Of<Integer>;
                type Rust = <Self::SqlType as super::NativeRust>::Rust;
                type Codec = crate::types::Native;
                fn words(&self) -> Words {
                    const fn words(postgres: &'static str, sqlite: &'static str) -> Words {
                        Words::each(postgres, concat!("CAST(", $mysql, " AS SIGNED)"), sqlite)
                    }
                    let here = concat!("CAST(FLOOR(EXTRACT(", $postgres, "))", $plus, " AS INTEGER)");
                    match Base::<E>::KIND {
                        Kind::Date => words(here, concat!("orm_part('", stringify!($method), "', 'd', {0})")),
                        Kind::Time => words(here, concat!("orm_part('", stringify!($method), "', 't', {0})")),
                        Kind::Timestamp => words(here, concat!("orm_part('", stringify!($method), "', 'n', {0})")),
                        Kind::Instant => words(
                            concat!("CAST(FLOOR(EXTRACT(", $postgres, " AT TIME ZONE 'UTC'))", $plus, " AS INTEGER)"),
                            concat!("orm_part('", stringify!($method), "', 'u', {0})"),
                        ),
                    }
                }
            }
        )*
    };
}

parts! {
    /// The year.
    ///
    /// All parts are integers, of instants in UTC. For the rows of one year, [`in_year`](Self::in_year) can use an index.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// use chrono::NaiveDate;
    /// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64, day: NaiveDate }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Flight,)>()?;
    /// let day = NaiveDate::from_ymd_opt(2012, 12, 31).unwrap(); // a Monday
    /// Flight::bulk_create(&db, [Flight { id: 1, day }])?;
    /// let parts = Flight::objects(&db).values(|f| (f.day.year(), f.day.iso_year(), f.day.week(), f.day.week_day())).get()?;
    /// assert_eq!(parts, (2012, 2013, 1, 2));
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    year Year HasDate, "YEAR FROM {0}" "", "YEAR({0})";
    /// The year that ISO 8601 counts the week to.
    iso_year IsoYear HasDate, "ISOYEAR FROM {0}" "", "YEARWEEK({0}, 3) DIV 100";
    /// The quarter of the year, from 1 to 4.
    quarter Quarter HasDate, "QUARTER FROM {0}" "", "QUARTER({0})";
    /// The month, from 1 to 12.
    month Month HasDate, "MONTH FROM {0}" "", "MONTH({0})";
    /// The week of the year by ISO 8601, from 1 to 53: the first is that of the year's first Thursday.
    week Week HasDate, "WEEK FROM {0}" "", "WEEK({0}, 3)";
    /// The day of the month, from 1 to 31.
    day Day HasDate, "DAY FROM {0}" "", "DAYOFMONTH({0})";
    /// The day of the week, from 1 for Sunday to 7 for Saturday, as in Django.
    week_day WeekDay HasDate, "DOW FROM {0}" " + 1", "DAYOFWEEK({0})";
    /// The day of the week by ISO 8601, from 1 for Monday to 7 for Sunday.
    iso_week_day IsoWeekDay HasDate, "ISODOW FROM {0}" "", "WEEKDAY({0}) + 1";
    /// The hour, from 0 to 23.
    hour Hour HasTime, "HOUR FROM {0}" "", "HOUR({0})";
    /// The minute, from 0 to 59.
    minute Minute HasTime, "MINUTE FROM {0}" "", "MINUTE({0})";
    /// The whole seconds, from 0 to 59.
    second Second HasTime, "SECOND FROM {0}" "", "SECOND({0})";
}

on_expressions! {
    /// The date. Of an instant, that in UTC.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
    /// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64, at: NaiveDateTime }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Flight,)>()?;
    /// # let at = NaiveDate::from_ymd_opt(2013, 5, 17).unwrap().and_hms_opt(10, 30, 0).unwrap();
    /// # Flight::bulk_create(&db, [Flight { id: 1, at }])?;
    /// let parts: (NaiveDate, NaiveTime) = Flight::objects(&db).values(|f| (f.at.date(), f.at.time())).get()?;
    /// assert_eq!(parts, (at.date(), at.time()));
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn date(self) -> Expr<Function<DateOf, (Self,)>>
    where
        Self: Expression<SqlType: IntoNotNullable>,
        Base<Self>: HasBoth,
    {
        Function::expression(DateOf, (self,))
    }

    /// The time of the day, with its fraction. Of an instant, that in UTC.
    pub fn time(self) -> Expr<Function<TimeOf, (Self,)>>
    where
        Self: Expression<SqlType: IntoNotNullable>,
        Base<Self>: HasBoth,
    {
        Function::expression(TimeOf, (self,))
    }

    /// The beginning of the unit that it is in: of the month, say, its first day at midnight.
    ///
    /// What it gives has the field's own type. A date has no hours, minutes and seconds: those are refused when the
    /// statement is written.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// use chrono::NaiveDate;
    /// use orm_core::field::Unit;
    /// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64, day: NaiveDate }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Flight,)>()?;
    /// # Flight::bulk_create(&db, [Flight { id: 1, day: NaiveDate::from_ymd_opt(2013, 5, 17).unwrap() }])?;
    /// let month = Flight::objects(&db).values(|f| f.day.trunc(Unit::Month)).get()?;
    /// assert_eq!(Some(month), NaiveDate::from_ymd_opt(2013, 5, 1));
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn trunc(self, unit: Unit) -> Expr<Function<Truncated, (Self,)>>
    where
        Self: Readable<SqlType: IntoNotNullable>,
        Base<Self>: HasDate,
    {
        let has_time = Base::<Self>::KIND != Kind::Date;
        Function::expression(Truncated { unit, has_time }, (self,))
    }

    /// Whether it is in the year: between its first and its last moment, so that an index of the field can serve it.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// use chrono::NaiveDate;
    /// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64, day: NaiveDate }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Flight,)>()?;
    /// # Flight::bulk_create(&db, [Flight { id: 1, day: NaiveDate::from_ymd_opt(2013, 12, 31).unwrap() }])?;
    /// assert_eq!(Flight::objects(&db).filter(|f| f.day.in_year(2013)).count()?, 1);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn in_year(self, year: i32) -> Within<Self>
    where
        Self: Expression<SqlType: IntoNotNullable>,
        Base<Self>: HasDate,
    {
        let (first, last) = (NaiveDate::from_ymd_opt(year, 1, 1), NaiveDate::from_ymd_opt(year, 12, 31));
        let known = first.is_some() && last.is_some();
        let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
        // Databases know microseconds.
        let end = NaiveTime::MIN - TimeDelta::microseconds(1);
        let moment = |date: NaiveDate, time| PortableValue::new(Base::<Self>::value(date.and_time(time)));
        let ends = (moment(first, NaiveTime::MIN), moment(last, end));
        Function::expression(InYear { year, known }, (self, ends.0, ends.1))
    }

    /// So much later. On a date the duration has to be of whole days, and nowhere may it be of nanoseconds, or of more than
    /// 100000 days: that is refused when the statement is written.
    ///
    /// A result that the database has no date for is an error, but NULL on MySQL and MariaDB.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
    /// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64, planned: NaiveDateTime, left: NaiveDateTime }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Flight,)>()?;
    /// # let at = |minute| NaiveDate::from_ymd_opt(2013, 5, 17).unwrap().and_hms_opt(10, minute, 0).unwrap();
    /// # Flight::bulk_create(&db, [Flight { id: 1, planned: at(0), left: at(20) }, Flight { id: 2, planned: at(0), left: at(10) }])?;
    /// let late = Flight::objects(&db).filter(|f| f.left.gt(f.planned.later(TimeDelta::minutes(15))));
    /// assert_eq!(late.values(|f| f.id).load()?, [1]);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn later(self, by: TimeDelta) -> Expr<Function<Shifted, (Self, Count, Count)>>
    where
        Self: Readable<SqlType: IntoNotNullable>,
        Base<Self>: HasDate,
    {
        let days = by.num_days();
        let rest = by - TimeDelta::days(days);
        // Less than a day, so it fits.
        let microseconds = rest.num_microseconds().unwrap_or_default();
        let whole_microseconds = rest == TimeDelta::microseconds(microseconds);
        let shifted = Shifted { days, microseconds, whole_microseconds, has_time: Base::<Self>::KIND != Kind::Date };
        Function::expression(shifted, (self, PortableValue::new(days), PortableValue::new(microseconds)))
    }

    /// So much earlier, as [`later`](Self::later).
    pub fn earlier(self, by: TimeDelta) -> Expr<Function<Shifted, (Self, Count, Count)>>
    where
        Self: Readable<SqlType: IntoNotNullable>,
        Base<Self>: HasDate,
    {
        self.later(-by)
    }
}

/// Between two moments.
type Within<E> = Of<InYear, (E, Moment<Base<E>>, Moment<Base<E>>)>;
/// A moment that is given.
type Moment<ST> = PortableValue<ST, <ST as HasDate>::Value>;
/// A number that is given.
type Count = PortableValue<BigInt, i64>;

/// `date`
#[derive(Clone, Copy, Debug)]
pub struct DateOf;
/// `time`
#[derive(Clone, Copy, Debug)]
pub struct TimeOf;

impl<E> Call<(E,)> for DateOf
where
    E: Expression<SqlType: SqlType<IsNull: Nullness> + IntoNotNullable<NotNullable: HasBoth>>,
{
    type SqlType = <<E::SqlType as SqlType>::IsNull as Nullness>::Of<Date>;
    type Rust = <Self::SqlType as super::NativeRust>::Rust;
    type Codec = crate::types::Native;
    fn words(&self) -> Words {
        match Base::<E>::KIND {
            Kind::Instant => {
                Words::each("CAST({0} AT TIME ZONE 'UTC' AS DATE)", "CAST({0} AS DATE)", "orm_trunc('date', 'u', {0})")
            }
            _ => Words::each("CAST({0} AS DATE)", "CAST({0} AS DATE)", "orm_trunc('date', 'n', {0})"),
        }
    }
}

impl<E> Call<(E,)> for TimeOf
where
    E: Expression<SqlType: SqlType<IsNull: Nullness> + IntoNotNullable<NotNullable: HasBoth>>,
{
    type SqlType = <<E::SqlType as SqlType>::IsNull as Nullness>::Of<Time>;
    type Rust = <Self::SqlType as super::NativeRust>::Rust;
    type Codec = crate::types::Native;
    fn words(&self) -> Words {
        match Base::<E>::KIND {
            Kind::Instant => Words::each(
                "CAST({0} AT TIME ZONE 'UTC' AS TIME)",
                "CAST({0} AS TIME(6))",
                "orm_trunc('time', 'u', {0})",
            ),
            _ => Words::each("CAST({0} AS TIME)", "CAST({0} AS TIME(6))", "orm_trunc('time', 'n', {0})"),
        }
    }
}

/// `trunc`
#[derive(Clone, Copy, Debug)]
pub struct Truncated {
    unit: Unit,
    has_time: bool,
}

macro_rules! truncation {
    ($kind:expr, $unit:literal, $mysql:literal) => {
        match $kind {
            Kind::Date => Words::each(
                concat!("CAST(DATE_TRUNC('", $unit, "', {0}) AS DATE)"),
                concat!("CAST(", $mysql, " AS DATE)"),
                concat!("orm_trunc('", $unit, "', 'd', {0})"),
            ),
            Kind::Instant => Words::each(
                concat!("(DATE_TRUNC('", $unit, "', {0} AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')"),
                concat!("CAST(", $mysql, " AS DATETIME(6))"),
                concat!("orm_trunc('", $unit, "', 'u', {0})"),
            ),
            _ => Words::each(
                concat!("DATE_TRUNC('", $unit, "', {0})"),
                concat!("CAST(", $mysql, " AS DATETIME(6))"),
                concat!("orm_trunc('", $unit, "', 'n', {0})"),
            ),
        }
    };
}

impl<E> Call<(E,)> for Truncated
where
    E: Readable<SqlType: ColumnSql + TypedExpressionType + IntoNotNullable<NotNullable: HasDate>>,
{
    type SqlType = E::SqlType;
    type Rust = E::Rust;
    type Codec = E::Codec;
    fn words(&self) -> Words {
        let kind = Base::<E>::KIND;
        match self.unit {
            Unit::Year => truncation!(kind, "year", "(DATE({0}) - INTERVAL (DAYOFYEAR({0}) - 1) DAY)"),
            Unit::Quarter => {
                truncation!(
                    kind,
                    "quarter",
                    "(DATE({0}) - INTERVAL (DAYOFMONTH({0}) - 1) DAY - INTERVAL ((MONTH({0}) - 1) MOD 3) MONTH)"
                )
            }
            Unit::Month => truncation!(kind, "month", "(DATE({0}) - INTERVAL (DAYOFMONTH({0}) - 1) DAY)"),
            Unit::Week => truncation!(kind, "week", "(DATE({0}) - INTERVAL WEEKDAY({0}) DAY)"),
            Unit::Day => truncation!(kind, "day", "DATE({0})"),
            Unit::Hour => truncation!(kind, "hour", "DATE_FORMAT({0}, '%Y-%m-%d %H:00:00')"),
            Unit::Minute => truncation!(kind, "minute", "DATE_FORMAT({0}, '%Y-%m-%d %H:%i:00')"),
            Unit::Second => truncation!(kind, "second", "DATE_FORMAT({0}, '%Y-%m-%d %H:%i:%s')"),
        }
    }
    fn check(&self, _: BackendKind) -> Result<(), String> {
        if !self.has_time && matches!(self.unit, Unit::Hour | Unit::Minute | Unit::Second) {
            return Err(format!("a date has no `{:?}` to be truncated to", self.unit));
        }
        Ok(())
    }
}

/// `in_year`
#[derive(Clone, Copy, Debug)]
pub struct InYear {
    year: i32,
    known: bool,
}

impl<E, L, U> Call<(E, L, U)> for InYear
where
    E: Expression<SqlType: SqlType<IsNull: Nullness>>,
{
    type SqlType = <<E::SqlType as SqlType>::IsNull as Nullness>::Of<Bool>;
    type Rust = <Self::SqlType as super::NativeRust>::Rust;
    type Codec = crate::types::Native;
    fn words(&self) -> Words {
        Words::alike("({0} BETWEEN {1} AND {2})")
    }
    fn check(&self, backend: BackendKind) -> Result<(), String> {
        let date = NaiveDate::from_ymd_opt(self.year, 1, 1).filter(|_| self.known);
        let date = date.ok_or("the year is outside of those that `chrono` has (-262143 to 262142)")?;
        debug_assert_eq!(date.year(), self.year);
        date.validate(backend).map_err(|reason| reason.to_string())
    }
}

/// `later` and `earlier`
#[derive(Clone, Copy, Debug)]
pub struct Shifted {
    days: i64,
    microseconds: i64,
    whole_microseconds: bool,
    has_time: bool,
}

impl<E> Call<(E, Count, Count)> for Shifted
where
    E: Readable<SqlType: ColumnSql + TypedExpressionType + IntoNotNullable<NotNullable: HasDate>>,
{
    type SqlType = E::SqlType;
    type Rust = E::Rust;
    type Codec = E::Codec;
    fn words(&self) -> Words {
        const POSTGRES: &str = "({0} + {1} * INTERVAL '24 hours' + {2} * INTERVAL '1 microsecond')";
        const MYSQL: &str = "({0} + INTERVAL {1} DAY + INTERVAL {2} MICROSECOND)";
        match Base::<E>::KIND {
            Kind::Date => {
                Words::each("({0} + CAST({1} AS INTEGER))", "({0} + INTERVAL {1} DAY)", "orm_shift('d', {0}, {1}, 0)")
            }
            Kind::Instant => Words::each(POSTGRES, MYSQL, "orm_shift('u', {0}, {1}, {2})"),
            _ => Words::each(POSTGRES, MYSQL, "orm_shift('n', {0}, {1}, {2})"),
        }
    }
    fn check(&self, _: BackendKind) -> Result<(), String> {
        if !self.whole_microseconds {
            return Err("databases know microseconds, and this duration has nanoseconds; round it first".into());
        }
        if !self.has_time && self.microseconds != 0 {
            return Err("a date can be moved by whole days alone".into());
        }
        if self.days.abs() > 100_000 {
            return Err("a duration of more than 100000 days is not exact on every backend".into());
        }
        Ok(())
    }
}
