//! Expressions that are computed from fields, with a field's methods.

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, TypedExpressionType, ValidGrouping},
    query_builder::{AstPass, QueryFragment, QueryId},
};

use super::{Place, collation::computed, facts};
use crate::{backend::Driver, sql_types::ColumnSql};

/// Writes methods once for [`Field`](super::Field) and for [`Expr`]: `on_expressions! { where Self: …; methods }`. The names
/// `P`, `C` and `X` are taken.
macro_rules! on_expressions {
    (where Self: $bound:path; $($methods:tt)*) => {
        impl<P, C> $crate::field::Field<P, C> where Self: $bound { $($methods)* }
        impl<X> $crate::field::Expr<X> where Self: $bound { $($methods)* }
    };
    ($($methods:tt)*) => {
        impl<P, C> $crate::field::Field<P, C> { $($methods)* }
        impl<X> $crate::field::Expr<X> { $($methods)* }
    };
}
pub(crate) use on_expressions;

/// An expression that is computed from fields, such as `f.arr_delay - f.dep_delay` or
/// [`max(f.dep_delay)`](crate::dsl::max).
///
/// It has the methods of a [`Field`](super::Field): comparisons, orders, arithmetic, functions. `E` says how it is
/// written.
#[derive(Clone, Copy, Debug)]
#[must_use = "an expression does nothing until it is used in a query"]
pub struct Expr<E>(pub(crate) E);

impl<E: Expression<SqlType: TypedExpressionType>> Expression for Expr<E> {
    type SqlType = E::SqlType;
}
impl<QS, E: AppearsOnTable<QS>> AppearsOnTable<QS> for Expr<E> where Self: Expression {}
impl<QS, E: SelectableExpression<QS>> SelectableExpression<QS> for Expr<E> where Self: AppearsOnTable<QS> {}
impl<G, E: ValidGrouping<G>> ValidGrouping<G> for Expr<E> {
    type IsAggregate = E::IsAggregate;
}

// How an expression is written depends on the backend that is in use, and on paths: nothing may be cached by type.
impl<E> QueryId for Expr<E> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Driver, E> QueryFragment<DB> for Expr<E>
where
    E: QueryFragment<DB> + Expression<SqlType: ColumnSql>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        facts::known::<Self>();
        facts::expect::<E>();
        Place::write(
            E::SqlType::COLUMN,
            || "an expression".to_owned(),
            out,
            |out| computed::<DB, E::SqlType>(out, |out| self.0.walk_ast(out)),
        )
    }
}
