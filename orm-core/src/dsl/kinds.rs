//! The kinds of aggregates: what each gives of an expression, and how each backend computes it.

use diesel::{
    expression::Expression,
    sql_types::{self, BigInt, Double, IntoNullable, Nullable, SqlType},
};

use crate::{
    backend::BackendKind,
    field::{NativeRust, Readable},
    types::{Native, nullable::Optionality},
};

macro_rules! kinds {
    ($($(#[$attribute:meta])* $kind:ident;)*) => { $(
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug)]
        pub struct $kind;
    )* };
}
kinds! {
    /// [`count`](super::count).
    Count;
    /// [`sum`](super::sum).
    Sum;
    /// [`avg`](super::avg).
    Avg;
    /// [`min`](super::min).
    Min;
    /// [`max`](super::max).
    Max;
    /// [`stddev`](super::stddev).
    StddevSample;
    /// [`stddev_pop`](super::stddev_pop).
    StddevPopulation;
    /// [`variance`](super::variance).
    VarianceSample;
    /// [`variance_pop`](super::variance_pop).
    VariancePopulation;
}

/// How an aggregate function is called: its name, what stands around the expression, and around the whole.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub(super) name: &'static str,
    pub(super) inner: (&'static str, &'static str),
    pub(super) outer: (&'static str, &'static str),
}

impl Call {
    const fn of(name: &'static str) -> Self {
        Call { name, inner: ("", ""), outer: ("", "") }
    }

    const fn inner(self, before: &'static str, behind: &'static str) -> Self {
        Call { inner: (before, behind), ..self }
    }

    const fn outer(self, before: &'static str, behind: &'static str) -> Self {
        Call { outer: (before, behind), ..self }
    }
}

/// What an aggregate of this kind gives of the expression `E`.
#[doc(hidden)]
pub trait Kind<E> {
    type SqlType: SqlType + sql_types::SingleValue;
    type Rust: 'static;
    type Codec;
    fn call(backend: BackendKind) -> Call;
}

impl<E> Kind<E> for Count {
    type SqlType = BigInt;
    type Rust = i64;
    type Codec = Native;
    fn call(_: BackendKind) -> Call {
        Call::of("COUNT")
    }
}

/// An SQL type whose values can be added up.
#[diagnostic::on_unimplemented(
    message = "values of the SQL type `{Self}` cannot be added up",
    label = "not a number",
    note = "`sum`, `avg` and their like take expressions of numbers"
)]
pub trait Summable: SqlType {
    /// The SQL type of a sum.
    type Sum: SqlType + sql_types::SingleValue + NativeRust;
    /// The SQL type of an average.
    type Avg: SqlType + sql_types::SingleValue + NativeRust;
    #[doc(hidden)]
    const SUM: Number;
}

/// How numbers are added up.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Number {
    Integer,
    Float,
    Decimal,
}

macro_rules! summable {
    ($($(#[$attribute:meta])* $sql:ty => $sum:ty, $avg:ty, $number:ident;)*) => { $(
        $(#[$attribute])*
        impl Summable for $sql {
            type Sum = Nullable<$sum>;
            type Avg = Nullable<$avg>;
            const SUM: Number = Number::$number;
        }
    )* };
}
summable! {
    sql_types::SmallInt => BigInt, Double, Integer;
    sql_types::Integer => BigInt, Double, Integer;
    BigInt => BigInt, Double, Integer;
    crate::sql_types::I8 => BigInt, Double, Integer;
    crate::sql_types::U8 => BigInt, Double, Integer;
    crate::sql_types::U16 => BigInt, Double, Integer;
    crate::sql_types::U32 => BigInt, Double, Integer;
    crate::sql_types::U64 => BigInt, Double, Integer;
    sql_types::Float => Double, Double, Float;
    Double => Double, Double, Float;
    #[cfg(feature = "numeric")]
    crate::sql_types::Decimal => crate::sql_types::Decimal, crate::sql_types::Decimal, Decimal;
}
impl<ST: Summable + SqlType<IsNull = sql_types::is_nullable::NotNull>> Summable for Nullable<ST> {
    type Sum = ST::Sum;
    type Avg = ST::Avg;
    const SUM: Number = ST::SUM;
}

impl<E: Expression<SqlType: Summable>> Kind<E> for Sum {
    type SqlType = <E::SqlType as Summable>::Sum;
    type Rust = <Self::SqlType as NativeRust>::Rust;
    type Codec = Native;
    fn call(backend: BackendKind) -> Call {
        let sum = Call::of("SUM");
        match (backend, E::SqlType::SUM) {
            // Sums of BIGINT are NUMERIC there; what does not fit is an error of the server's.
            (BackendKind::Postgres, Number::Integer) => sum.outer("CAST(", " AS BIGINT)"),
            // Sums of REAL would be REAL.
            (BackendKind::Postgres, Number::Float) => sum.inner("CAST(", " AS DOUBLE PRECISION)"),
            (BackendKind::Sqlite, Number::Decimal) => Call::of("orm_decimal_sum"),
            _ => sum,
        }
    }
}

impl<E: Expression<SqlType: Summable>> Kind<E> for Avg {
    type SqlType = <E::SqlType as Summable>::Avg;
    type Rust = <Self::SqlType as NativeRust>::Rust;
    type Codec = Native;
    fn call(backend: BackendKind) -> Call {
        let avg = Call::of("AVG");
        match (backend, E::SqlType::SUM) {
            // An average has as many digits after the point as what it is of, or some sixteen.
            (BackendKind::Postgres, Number::Decimal) => {
                avg.inner("", " + 0.000000000000000000000000000000").outer("TRIM_SCALE(ROUND(", ", 30))")
            }
            (BackendKind::Mysql, Number::Decimal) => avg.outer("ROUND(", ", 30)"),
            (BackendKind::Sqlite, Number::Decimal) => Call::of("orm_decimal_avg"),
            (BackendKind::Postgres, _) => avg.outer("CAST(", " AS DOUBLE PRECISION)"),
            // An average of integers would be rounded to four decimals.
            (BackendKind::Mysql, Number::Integer) => avg.inner("", " + 0e0"),
            _ => avg,
        }
    }
}

/// An SQL type whose values have a least and a greatest one on every backend.
#[diagnostic::on_unimplemented(
    message = "values of the SQL type `{Self}` have no least and no greatest one on every backend",
    label = "not in an order that `MIN` and `MAX` know",
    note = "`min` and `max` take expressions of numbers, texts, dates and times"
)]
pub trait Extreme: SqlType {}

macro_rules! extreme {
    ($($sql:ty)*) => { $( impl Extreme for $sql {} )* };
}
extreme! {
    sql_types::SmallInt sql_types::Integer BigInt sql_types::Float Double sql_types::Numeric sql_types::Text
    sql_types::Date sql_types::Time sql_types::Timestamp
    crate::sql_types::I8 crate::sql_types::U8 crate::sql_types::U16 crate::sql_types::U32 crate::sql_types::U64
    crate::sql_types::UtcTimestamp
}
#[cfg(feature = "postgres")]
extreme! { sql_types::Timestamptz sql_types::Interval sql_types::Citext }
#[cfg(feature = "mysql")]
extreme! {
    sql_types::TinyInt sql_types::Unsigned<sql_types::TinyInt> sql_types::Unsigned<sql_types::SmallInt>
    sql_types::Unsigned<sql_types::Integer> sql_types::Unsigned<BigInt> sql_types::Datetime
}
impl Extreme for crate::sql_types::Decimal {}
impl<ST: Extreme + SqlType<IsNull = sql_types::is_nullable::NotNull>> Extreme for Nullable<ST> {}

macro_rules! extremes {
    ($($kind:ident $name:literal;)*) => { $(
        impl<E> Kind<E> for $kind
        where
            E: Readable<SqlType: Extreme + IntoNullable<Nullable: SqlType + sql_types::SingleValue>>,
            <E::SqlType as SqlType>::IsNull: Optionality<E::Rust, E::Codec>,
        {
            type SqlType = <E::SqlType as IntoNullable>::Nullable;
            type Rust = <<E::SqlType as SqlType>::IsNull as Optionality<E::Rust, E::Codec>>::Rust;
            type Codec = <<E::SqlType as SqlType>::IsNull as Optionality<E::Rust, E::Codec>>::Codec;
            fn call(_: BackendKind) -> Call {
                Call::of($name)
            }
        }
    )* };
}
extremes! {
    Min "MIN";
    Max "MAX";
}

macro_rules! spreads {
    ($($kind:ident $name:literal $sqlite:literal;)*) => { $(
        impl<E: Expression<SqlType: Summable>> Kind<E> for $kind {
            type SqlType = Nullable<Double>;
            type Rust = Option<f64>;
            type Codec = Native;
            fn call(backend: BackendKind) -> Call {
                match backend {
                    BackendKind::Postgres => Call::of($name).inner("CAST(", " AS DOUBLE PRECISION)"),
                    BackendKind::Mysql => Call::of($name),
                    BackendKind::Sqlite => Call::of($sqlite),
                }
            }
        }
    )* };
}
spreads! {
    StddevSample "STDDEV_SAMP" "orm_stddev_samp";
    StddevPopulation "STDDEV_POP" "orm_stddev_pop";
    VarianceSample "VAR_SAMP" "orm_var_samp";
    VariancePopulation "VAR_POP" "orm_var_pop";
}
