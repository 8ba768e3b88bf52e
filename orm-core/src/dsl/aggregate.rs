//! Aggregates: one value of many rows.
//!
//! They are not Diesel's, because types differ from backend to backend: a sum of `BIGINT` is `NUMERIC` on PostgreSQL and
//! `DECIMAL` on MySQL, an average of integers there has four decimals. Here both are what they are everywhere.

use std::marker::PhantomData;

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
    result::Error::QueryBuilderError,
    sql_types::{self, BoolOrNullableBool, SingleValue},
};

use super::kinds::{
    Avg, Count, Kind, Max, Min, StddevPopulation, StddevSample, Sum, VariancePopulation, VarianceSample,
};
use crate::{
    backend::{BackendKind, Driver},
    field::{Expr, Place, Readable, facts},
    queryset::condition::NoAggregate,
};

/// `COUNT(*)`: the number of rows.
pub fn count_star() -> Expr<Aggregate<Count, Everything>> {
    aggregate(Everything)
}

/// `COUNT(expression)`: the number of rows in which the expression is not NULL.
///
/// `count(f.city).distinct()` is the number of different values.
pub fn count<E: Expression>(expression: E) -> Expr<Aggregate<Count, E>> {
    aggregate(expression)
}

/// `SUM(expression)`: of integers an `i64`, of floats an `f64`, of decimals a decimal; `None` where there is no row in which
/// the expression is not NULL.
///
/// It does not wrap: a sum that its type cannot hold is an error. Sums of decimals are exact on every backend.
pub fn sum<E: Expression>(expression: E) -> Expr<Aggregate<Sum, E>> {
    aggregate(expression)
}

/// `AVG(expression)`, of numbers, as an `f64`; `None` where there is no row in which the expression is not NULL.
///
/// The average of decimals is a decimal, rounded to 30 digits after the point.
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

/// `STDDEV_SAMP(expression)`: the standard deviation of a population of which the rows are a sample; `None` of fewer than
/// two values.
pub fn stddev<E: Expression>(expression: E) -> Expr<Aggregate<StddevSample, E>> {
    aggregate(expression)
}

/// `STDDEV_POP(expression)`: the standard deviation of the rows themselves; `None` of no value.
pub fn stddev_pop<E: Expression>(expression: E) -> Expr<Aggregate<StddevPopulation, E>> {
    aggregate(expression)
}

/// `VAR_SAMP(expression)`: the variance of a population of which the rows are a sample; `None` of fewer than two values.
pub fn variance<E: Expression>(expression: E) -> Expr<Aggregate<VarianceSample, E>> {
    aggregate(expression)
}

/// `VAR_POP(expression)`: the variance of the rows themselves; `None` of no value.
pub fn variance_pop<E: Expression>(expression: E) -> Expr<Aggregate<VariancePopulation, E>> {
    aggregate(expression)
}

fn aggregate<K, E>(of: E) -> Expr<Aggregate<K, E>> {
    Expr(Aggregate { of, rows: AllRows, distinct: false, kind: PhantomData })
}

/// An aggregate of the kind `K` of the expression `E`, of all rows or of those for which a condition is true.
#[derive(Debug)]
#[must_use = "an expression does nothing until it is used in a query"]
pub struct Aggregate<K, E, F = AllRows> {
    of: E,
    rows: F,
    distinct: bool,
    kind: PhantomData<fn() -> K>,
}

impl<K, E: Clone, F: Clone> Clone for Aggregate<K, E, F> {
    fn clone(&self) -> Self {
        Aggregate { of: self.of.clone(), rows: self.rows.clone(), distinct: self.distinct, kind: PhantomData }
    }
}
impl<K, E: Copy, F: Copy> Copy for Aggregate<K, E, F> {}

impl<K, E: Expression<SqlType: SingleValue>, F> Expr<Aggregate<K, E, F>> {
    /// Takes each value once, however often it is there: `count(f.city).distinct()`.
    pub fn distinct(self) -> Self {
        Expr(Aggregate { distinct: true, ..self.0 })
    }
}

impl<K, E> Expr<Aggregate<K, E>> {
    /// Takes the rows for which the condition is true: `sum(f.seats).filter(f.cancelled.eq(false))`.
    ///
    /// It is SQL's `FILTER (WHERE …)`; on MySQL and MariaDB, which have none, a `CASE`.
    pub fn filter<C>(self, condition: C) -> Expr<Aggregate<K, E, Where<C>>>
    where
        C: Expression<SqlType: BoolOrNullableBool> + ValidGrouping<(), IsAggregate: NoAggregate>,
    {
        let Aggregate { of, distinct, .. } = self.0;
        Expr(Aggregate { of, rows: Where(condition), distinct, kind: PhantomData })
    }
}

/// What [`count_star`] counts.
#[derive(Clone, Copy, Debug)]
pub struct Everything;

/// An aggregate of all rows.
#[derive(Clone, Copy, Debug)]
pub struct AllRows;

/// An aggregate of the rows for which the condition `C` is true.
#[derive(Clone, Copy, Debug)]
pub struct Where<C>(C);

/// Which rows an aggregate is of.
#[doc(hidden)]
pub trait OfRows<DB: Driver> {
    fn condition(&self) -> Option<&dyn QueryFragment<DB>>;
}
impl<DB: Driver> OfRows<DB> for AllRows {
    fn condition(&self) -> Option<&dyn QueryFragment<DB>> {
        facts::known::<Self>();
        None
    }
}
impl<DB: Driver, C: QueryFragment<DB>> OfRows<DB> for Where<C> {
    fn condition(&self) -> Option<&dyn QueryFragment<DB>> {
        facts::known::<Self>();
        facts::expect::<C>();
        Some(&self.0)
    }
}
impl<QS> AppearsOnTable<QS> for AllRows {}
impl<QS, C: AppearsOnTable<QS>> AppearsOnTable<QS> for Where<C> {}
impl Expression for AllRows {
    type SqlType = sql_types::Untyped;
}
impl<C: Expression> Expression for Where<C> {
    type SqlType = C::SqlType;
}

impl<K: Kind<E>, E, F> Expression for Aggregate<K, E, F> {
    type SqlType = K::SqlType;
}
impl<K: Kind<E>, E, F> Readable for Aggregate<K, E, F> {
    type Rust = K::Rust;
    type Codec = K::Codec;
}
impl<QS, K: Kind<E>, E: AppearsOnTable<QS>, F: AppearsOnTable<QS>> AppearsOnTable<QS> for Aggregate<K, E, F> {}
impl<QS, K: Kind<E>, E: SelectableExpression<QS>, F: AppearsOnTable<QS>> SelectableExpression<QS>
    for Aggregate<K, E, F>
{
}
impl<G, K, E: ValidGrouping<(), IsAggregate: NoAggregate>, F> ValidGrouping<G> for Aggregate<K, E, F> {
    type IsAggregate = is_aggregate::Yes;
}
impl<K, E, F> QueryId for Aggregate<K, E, F> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Driver, K: Kind<E>, E: QueryFragment<DB>, F: OfRows<DB>> QueryFragment<DB> for Aggregate<K, E, F> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.write(None, out)
    }
}

impl<K, E, F> Aggregate<K, E, F> {
    /// Writes it, with the window that it is over.
    pub(super) fn write<'b, DB>(
        &'b self,
        window: Option<&'b dyn QueryFragment<DB>>,
        mut out: AstPass<'_, 'b, DB>,
    ) -> QueryResult<()>
    where
        DB: Driver,
        K: Kind<E>,
        E: QueryFragment<DB>,
        F: OfRows<DB>,
    {
        facts::known::<Self>();
        facts::expect::<E>();
        facts::expect::<F>();
        if self.distinct && window.is_some() {
            let why = "an aggregate of distinct values has no value over a window on any backend; leave `distinct` out, or `over`";
            return Err(QueryBuilderError(why.into()));
        }
        if window.is_none() {
            facts::aggregate();
        }
        let call = K::call(DB::KIND);
        let condition = self.rows.condition();
        let by_case = if DB::KIND == BackendKind::Mysql { condition } else { None };
        out.push_sql(call.outer.0);
        out.push_sql(call.name);
        out.push_sql(if self.distinct { "(DISTINCT " } else { "(" });
        if let Some(condition) = by_case {
            out.push_sql("CASE WHEN ");
            condition.walk_ast(out.reborrow())?;
            out.push_sql(" THEN ");
        }
        // The star of `COUNT(*)` is no value that a CASE could have.
        if by_case.is_some() && DB::sql(&self.of)? == STAR {
            out.push_sql("1");
        } else {
            out.push_sql(call.inner.0);
            let place = if self.distinct { Place::Compared } else { Place::Elsewhere };
            place.of(|| self.of.walk_ast(out.reborrow()))?;
            out.push_sql(call.inner.1);
        }
        out.push_sql(if by_case.is_some() { " END)" } else { ")" });
        if by_case.is_none()
            && let Some(condition) = condition
        {
            out.push_sql(" FILTER (WHERE ");
            condition.walk_ast(out.reborrow())?;
            out.push_sql(")");
        }
        if let Some(window) = window {
            out.push_sql(" OVER (");
            window.walk_ast(out.reborrow())?;
            out.push_sql(")");
        }
        out.push_sql(call.outer.1);
        Ok(())
    }
}

const STAR: &str = "*";

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
        facts::known::<Self>();
        out.push_sql(STAR);
        Ok(())
    }
}
