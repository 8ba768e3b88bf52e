//! Values whose SQL type the server infers from what they are compared with.

use std::{fmt, marker::PhantomData};

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, TypedExpressionType, ValidGrouping},
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::SqlType,
};

use crate::backend::Driver;

/// An operand of the SQL type `ST`: of a comparison, or one of the values of a list, a `CASE` or a `COALESCE`.
///
/// If it is a single text parameter, PostgreSQL infers its type from the other operand, as it does for a literal: `citext`,
/// `char(n)` or an enum. A parameter that is declared as `text` would be compared by the rules of `text`.
#[must_use = "an expression does nothing until it is used in a query"]
pub struct Inferred<ST, E>(Value<E>, PhantomData<fn() -> ST>);

/// The expression of an [`Inferred`], as what is bound for it.
#[doc(hidden)]
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "postgres"), derive(Debug))]
pub struct Value<E>(pub(crate) E);

impl<ST, E> Inferred<ST, E> {
    pub(crate) fn new(expression: E) -> Self {
        Inferred(Value(expression), PhantomData)
    }
}

impl<ST, E: Clone> Clone for Inferred<ST, E> {
    fn clone(&self) -> Self {
        Inferred(self.0.clone(), PhantomData)
    }
}
impl<ST, E: Copy> Copy for Inferred<ST, E> {}

impl<ST, E: fmt::Debug> fmt::Debug for Inferred<ST, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.0.fmt(f)
    }
}

// Diesel shows the values of a statement by this. An expression need not implement `Debug`.
#[cfg(feature = "postgres")]
impl<E: QueryFragment<diesel::pg::Pg>> fmt::Debug for Value<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = diesel::debug_query::<diesel::pg::Pg, _>(&self.0).to_string();
        let value = shown.strip_prefix("$1 -- binds: [").and_then(|rest| rest.strip_suffix(']'));
        f.write_str(value.unwrap_or(&shown))
    }
}

// `E` is not bound, so that the compiler speaks of a wrong operand once, as one that cannot be compared.
impl<ST: SqlType + TypedExpressionType, E> Expression for Inferred<ST, E> {
    type SqlType = ST;
}
impl<QS, ST, E: AppearsOnTable<QS>> AppearsOnTable<QS> for Inferred<ST, E> where Self: Expression {}
impl<QS, ST, E: SelectableExpression<QS>> SelectableExpression<QS> for Inferred<ST, E> where Self: AppearsOnTable<QS> {}
impl<G, ST, E: ValidGrouping<G>> ValidGrouping<G> for Inferred<ST, E> {
    type IsAggregate = E::IsAggregate;
}

impl<ST, E> QueryId for Inferred<ST, E> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Driver, ST, E: QueryFragment<DB>> QueryFragment<DB> for Inferred<ST, E> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        DB::push_inferred(&self.0, out)
    }
}
