//! Arithmetic of fields: `f.arr_delay - f.dep_delay`, and with what that gives.
//!
//! These are not Diesel's operators, because Diesel writes `/` for every backend, and on MySQL a `/` of integers has a
//! fraction. There it has to be `DIV`, so that a condition finds the same rows everywhere.

use std::ops;

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, AsExpression, Expression, SelectableExpression, TypedExpressionType, ValidGrouping},
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{self, SingleValue, SqlType},
};

use super::Field;
use crate::{
    backend::{BackendKind, Driver},
    sql_types::ColumnSql,
};

/// The SQL type of an expression.
type SqlTypeOf<E> = <E as Expression>::SqlType;

/// How an operator of integers is written.
#[derive(Clone, Copy)]
enum Sign {
    Plus,
    Minus,
    Times,
    Over,
}

impl Sign {
    fn on(self, backend: BackendKind, of_integers: bool) -> &'static str {
        match self {
            Sign::Plus => " + ",
            Sign::Minus => " - ",
            Sign::Times => " * ",
            Sign::Over if of_integers && backend == BackendKind::Mysql => " DIV ",
            Sign::Over => " / ",
        }
    }
}

macro_rules! results {
    ($($(#[$attribute:meta])* $name:ident $operator:ident $sign:ident;)*) => { $(
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, QueryId, ValidGrouping)]
        #[must_use = "an expression does nothing until it is used in a query"]
        pub struct $name<L, R> {
            left: L,
            right: R,
        }

        impl<L, R> Expression for $name<L, R>
        where
            L: Expression<SqlType: sql_types::ops::$operator<Output: TypedExpressionType>>,
            R: Expression,
        {
            type SqlType = <L::SqlType as sql_types::ops::$operator>::Output;
        }
        impl<QS, L: AppearsOnTable<QS>, R: AppearsOnTable<QS>> AppearsOnTable<QS> for $name<L, R> where Self: Expression {}
        impl<QS, L: SelectableExpression<QS>, R: SelectableExpression<QS>> SelectableExpression<QS> for $name<L, R> where
            Self: AppearsOnTable<QS>
        {
        }

        impl<DB, L, R> QueryFragment<DB> for $name<L, R>
        where
            DB: Driver,
            L: QueryFragment<DB> + Expression<SqlType: ColumnSql>,
            R: QueryFragment<DB>,
        {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
                out.push_sql("(");
                self.left.walk_ast(out.reborrow())?;
                out.push_sql(Sign::$sign.on(DB::KIND, L::SqlType::COLUMN.is_integer()));
                self.right.walk_ast(out.reborrow())?;
                out.push_sql(")");
                Ok(())
            }
        }
    )* };
}
results! {
    /// `left + right`
    Sum Add Plus;
    /// `left - right`
    Difference Sub Minus;
    /// `left * right`
    Product Mul Times;
    /// `left / right`, which of integers is an integer on every backend.
    Quotient Div Over;
}

macro_rules! operators {
    ($($on:ident: $($operator:ident $method:ident $result:ident),*;)*) => { $( $(
        impl<A, B, Rhs> ops::$operator<Rhs> for $on<A, B>
        where
            Self: Expression<SqlType: sql_types::ops::$operator<Rhs: SqlType + SingleValue>>,
            Rhs: AsExpression<<SqlTypeOf<Self> as sql_types::ops::$operator>::Rhs>,
        {
            type Output = $result<Self, Rhs::Expression>;

            fn $method(self, right: Rhs) -> Self::Output {
                $result { left: self, right: right.as_expression() }
            }
        }
    )* )* };
}
operators! {
    Field: Add add Sum, Sub sub Difference, Mul mul Product, Div div Quotient;
    Sum: Add add Sum, Sub sub Difference, Mul mul Product, Div div Quotient;
    Difference: Add add Sum, Sub sub Difference, Mul mul Product, Div div Quotient;
    Product: Add add Sum, Sub sub Difference, Mul mul Product, Div div Quotient;
    Quotient: Add add Sum, Sub sub Difference, Mul mul Product, Div div Quotient;
}
