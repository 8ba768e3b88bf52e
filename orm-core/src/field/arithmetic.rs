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

use super::{Expr, Field, NativeRust, Readable};
use crate::{
    backend::{BackendKind, Driver},
    sql_types::ColumnSql,
    types::Native,
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

        impl<L, R> Readable for $name<L, R>
        where
            Self: Expression<SqlType: NativeRust>,
        {
            type Rust = <SqlTypeOf<Self> as NativeRust>::Rust;
            type Codec = Native;
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
    ($($operator:ident $method:ident $result:ident;)*) => { $(
        operators!(@on [P, C] Field<P, C>, $operator $method $result);
        operators!(@on [X] Expr<X>, $operator $method $result);
    )* };
    (@on [$($parameter:ident),*] $on:ty, $operator:ident $method:ident $result:ident) => {
        impl<$($parameter,)* Rhs> ops::$operator<Rhs> for $on
        where
            Self: Expression<SqlType: sql_types::ops::$operator<Rhs: SqlType + SingleValue>>,
            Rhs: AsExpression<<SqlTypeOf<Self> as sql_types::ops::$operator>::Rhs>,
        {
            type Output = Expr<$result<Self, Rhs::Expression>>;

            fn $method(self, right: Rhs) -> Self::Output {
                Expr($result { left: self, right: right.as_expression() })
            }
        }
    };
}
operators! {
    Add add Sum;
    Sub sub Difference;
    Mul mul Product;
    Div div Quotient;
}
