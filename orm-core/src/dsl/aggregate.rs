//! Aggregates: one value of many rows.
//!
//! They are not Diesel's, because types differ from backend to backend: a sum of `BIGINT` is `NUMERIC` on PostgreSQL and
//! `DECIMAL` on MySQL, an average of integers there has four decimals. Here both are what they are everywhere.

use std::marker::PhantomData;

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{self, BigInt, Double, IntoNullable, Nullable, SqlOrd, SqlType},
};

use crate::{
    backend::{BackendKind, Driver},
    field::{Expr, NativeRust, Readable},
    queryset::condition::NoAggregate,
    types::{Native, nullable::Optionality},
};

/// `COUNT(*)`: the number of rows.
pub fn count_star() -> Expr<Aggregate<Count, Everything>> {
    aggregate(Everything)
}

/// `COUNT(expression)`: the number of rows in which the expression is not NULL.
pub fn count<E: Expression>(expression: E) -> Expr<Aggregate<Count, E>> {
    aggregate(expression)
}

/// `SUM(expression)`: of integers an `i64`, of floats an `f64`; `None` where there is no row in which the expression is not
/// NULL.
///
/// It does not wrap: a sum that `i64` cannot hold is an error.
pub fn sum<E: Expression>(expression: E) -> Expr<Aggregate<Sum, E>> {
    aggregate(expression)
}

/// `AVG(expression)`, of numbers, as an `f64`; `None` where there is no row in which the expression is not NULL.
pub fn avg<E: Expression>(expression: E) -> Expr<Aggregate<Avg, E>> {
    aggregate(expression)
}

/// `MIN(expression)`: the least value; `None` where there is no row in which the expression is not NULL.
pub fn min<E: Expression>(expression: E) -> Expr<Aggregate<Min, E>> {
    aggregate(expression)
}

/// `MAX(expression)`: the greatest value; `None` where there is no row in which the expression is not NULL.
pub fn max<E: Expression>(expression: E) -> Expr<Aggregate<Max, E>> {
    aggregate(expression)
}

fn aggregate<K, E>(of: E) -> Expr<Aggregate<K, E>> {
    Expr(Aggregate { of, kind: PhantomData })
}

/// An aggregate of the kind `K` of the expression `E`.
#[derive(Debug)]
#[must_use = "an expression does nothing until it is used in a query"]
pub struct Aggregate<K, E> {
    of: E,
    kind: PhantomData<fn() -> K>,
}

impl<K, E: Clone> Clone for Aggregate<K, E> {
    fn clone(&self) -> Self {
        Aggregate { of: self.of.clone(), kind: PhantomData }
    }
}
impl<K, E: Copy> Copy for Aggregate<K, E> {}

/// [`count`].
#[derive(Clone, Copy, Debug)]
pub struct Count;
/// [`sum`].
#[derive(Clone, Copy, Debug)]
pub struct Sum;
/// [`avg`].
#[derive(Clone, Copy, Debug)]
pub struct Avg;
/// [`min`].
#[derive(Clone, Copy, Debug)]
pub struct Min;
/// [`max`].
#[derive(Clone, Copy, Debug)]
pub struct Max;

/// What [`count_star`] counts.
#[derive(Clone, Copy, Debug)]
pub struct Everything;

/// What an aggregate of this kind gives of the expression `E`.
#[doc(hidden)]
pub trait Kind<E> {
    type SqlType: SqlType + sql_types::SingleValue;
    type Rust: 'static;
    type Codec;
    /// What stands before and behind the expression.
    fn around<DB: Driver>() -> (&'static str, &'static str);
}

impl<E> Kind<E> for Count {
    type SqlType = BigInt;
    type Rust = i64;
    type Codec = Native;
    fn around<DB: Driver>() -> (&'static str, &'static str) {
        ("COUNT(", ")")
    }
}

/// An SQL type whose values can be added up.
#[diagnostic::on_unimplemented(
    message = "values of the SQL type `{Self}` cannot be added up",
    label = "not a number",
    note = "`sum` and `avg` take expressions of numbers"
)]
pub trait Summable: SqlType {
    /// The SQL type of a sum.
    type Sum: SqlType + sql_types::SingleValue + NativeRust;
    #[doc(hidden)]
    const SUM: Number;
}

/// How numbers are added up.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Number {
    Integer,
    Float,
}

macro_rules! summable {
    ($($sql:ty => $sum:ty, $number:ident;)*) => { $(
        impl Summable for $sql {
            type Sum = Nullable<$sum>;
            const SUM: Number = Number::$number;
        }
    )* };
}
summable! {
    sql_types::SmallInt => BigInt, Integer;
    sql_types::Integer => BigInt, Integer;
    BigInt => BigInt, Integer;
    crate::sql_types::I8 => BigInt, Integer;
    crate::sql_types::U8 => BigInt, Integer;
    crate::sql_types::U16 => BigInt, Integer;
    crate::sql_types::U32 => BigInt, Integer;
    crate::sql_types::U64 => BigInt, Integer;
    sql_types::Float => Double, Float;
    Double => Double, Float;
}
impl<ST: Summable + SqlType<IsNull = sql_types::is_nullable::NotNull>> Summable for Nullable<ST> {
    type Sum = ST::Sum;
    const SUM: Number = ST::SUM;
}

impl<E: Expression<SqlType: Summable>> Kind<E> for Sum {
    type SqlType = <E::SqlType as Summable>::Sum;
    type Rust = <Self::SqlType as NativeRust>::Rust;
    type Codec = Native;
    fn around<DB: Driver>() -> (&'static str, &'static str) {
        match (DB::KIND, E::SqlType::SUM) {
            // Sums of BIGINT are NUMERIC there; what does not fit is an error of the server's.
            (BackendKind::Postgres, Number::Integer) => ("CAST(SUM(", ") AS BIGINT)"),
            // Sums of REAL would be REAL.
            (BackendKind::Postgres, Number::Float) => ("SUM(CAST(", " AS DOUBLE PRECISION))"),
            _ => ("SUM(", ")"),
        }
    }
}

impl<E: Expression<SqlType: Summable>> Kind<E> for Avg {
    type SqlType = Nullable<Double>;
    type Rust = Option<f64>;
    type Codec = Native;
    fn around<DB: Driver>() -> (&'static str, &'static str) {
        match (DB::KIND, E::SqlType::SUM) {
            (BackendKind::Postgres, _) => ("CAST(AVG(", ") AS DOUBLE PRECISION)"),
            // An average of integers would be rounded to four decimals.
            (BackendKind::Mysql, Number::Integer) => ("AVG(", " + 0e0)"),
            _ => ("AVG(", ")"),
        }
    }
}

macro_rules! extremes {
    ($($kind:ident $around:expr;)*) => { $(
        impl<E> Kind<E> for $kind
        where
            E: Readable<SqlType: SqlOrd + IntoNullable<Nullable: SqlType + sql_types::SingleValue>>,
            <E::SqlType as SqlType>::IsNull: Optionality<E::Rust, E::Codec>,
        {
            type SqlType = <E::SqlType as IntoNullable>::Nullable;
            type Rust = <<E::SqlType as SqlType>::IsNull as Optionality<E::Rust, E::Codec>>::Rust;
            type Codec = <<E::SqlType as SqlType>::IsNull as Optionality<E::Rust, E::Codec>>::Codec;
            fn around<DB: Driver>() -> (&'static str, &'static str) {
                $around
            }
        }
    )* };
}
extremes! {
    Min ("MIN(", ")");
    Max ("MAX(", ")");
}

impl<K: Kind<E>, E> Expression for Aggregate<K, E> {
    type SqlType = K::SqlType;
}
impl<K: Kind<E>, E> Readable for Aggregate<K, E> {
    type Rust = K::Rust;
    type Codec = K::Codec;
}
impl<QS, K: Kind<E>, E: AppearsOnTable<QS>> AppearsOnTable<QS> for Aggregate<K, E> {}
impl<QS, K: Kind<E>, E: SelectableExpression<QS>> SelectableExpression<QS> for Aggregate<K, E> {}
impl<G, K, E: ValidGrouping<(), IsAggregate: NoAggregate>> ValidGrouping<G> for Aggregate<K, E> {
    type IsAggregate = is_aggregate::Yes;
}
impl<K, E> QueryId for Aggregate<K, E> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<DB: Driver, K: Kind<E>, E: QueryFragment<DB>> QueryFragment<DB> for Aggregate<K, E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let (before, behind) = K::around::<DB>();
        out.push_sql(before);
        self.of.walk_ast(out.reborrow())?;
        out.push_sql(behind);
        Ok(())
    }
}

impl Expression for Everything {
    type SqlType = sql_types::Untyped;
}
impl<QS> AppearsOnTable<QS> for Everything {}
impl<QS> SelectableExpression<QS> for Everything {}
impl<G> ValidGrouping<G> for Everything {
    type IsAggregate = is_aggregate::Never;
}
impl<DB: diesel::backend::Backend> QueryFragment<DB> for Everything {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("*");
        Ok(())
    }
}
