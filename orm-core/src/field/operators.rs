//! Comparisons of fields. Each makes its operand an expression and then calls Diesel's.

use diesel::{
    dsl,
    expression::Expression,
    expression_methods::ExpressionMethods,
    sql_types::{SingleValue, SqlType},
};

use super::expr::on_expressions;
use crate::{
    sql_types::{Comparison, SqlKind},
    types::operand::Operand,
};

/// The SQL type of an expression.
type SqlTypeOf<E> = <E as Expression>::SqlType;
/// The kind of an expression's SQL type.
type KindOf<E> = <SqlTypeOf<E> as SqlKind>::Kind;
/// An expression as it is compared for equality with one of the SQL type of `F`.
pub(crate) type Compared<F, E = F> = <KindOf<F> as Comparison>::Compared<E>;

/// An expression of the SQL type `ST`.
#[doc(hidden)]
pub trait ExpressionOf<ST>: Expression<SqlType = ST> {}
impl<ST, E: Expression<SqlType = ST>> ExpressionOf<ST> for E {}

on_expressions! {
    where Self: Expression<SqlType: SqlType + SingleValue + SqlKind>;

    // Each method is written out, and its bound stands in its first line: what the compiler shows of it is short.
    /// `=`: not true where either side is NULL, so never of `None`; for that there is `is_null()`.
    pub fn eq<T: Operand<SqlTypeOf<Self>, Expression = E>, E: ExpressionOf<SqlTypeOf<Self>>>(
        self,
        other: T,
    ) -> dsl::Eq<Compared<Self>, Compared<Self, E>> {
        ExpressionMethods::eq(KindOf::<Self>::compared(self), KindOf::<Self>::compared(other.into_expression()))
    }

    /// `!=`: also not true where either side is NULL.
    pub fn ne<T: Operand<SqlTypeOf<Self>, Expression = E>, E: ExpressionOf<SqlTypeOf<Self>>>(
        self,
        other: T,
    ) -> dsl::NotEq<Compared<Self>, Compared<Self, E>> {
        ExpressionMethods::ne(KindOf::<Self>::compared(self), KindOf::<Self>::compared(other.into_expression()))
    }

    /// `<`
    pub fn lt<T: Operand<SqlTypeOf<Self>, Expression = E>, E: ExpressionOf<SqlTypeOf<Self>>>(
        self,
        other: T,
    ) -> dsl::Lt<Self, E> {
        ExpressionMethods::lt(self, other.into_expression())
    }

    /// `<=`
    pub fn le<T: Operand<SqlTypeOf<Self>, Expression = E>, E: ExpressionOf<SqlTypeOf<Self>>>(
        self,
        other: T,
    ) -> dsl::LtEq<Self, E> {
        ExpressionMethods::le(self, other.into_expression())
    }

    /// `>`
    pub fn gt<T: Operand<SqlTypeOf<Self>, Expression = E>, E: ExpressionOf<SqlTypeOf<Self>>>(
        self,
        other: T,
    ) -> dsl::Gt<Self, E> {
        ExpressionMethods::gt(self, other.into_expression())
    }

    /// `>=`
    pub fn ge<T: Operand<SqlTypeOf<Self>, Expression = E>, E: ExpressionOf<SqlTypeOf<Self>>>(
        self,
        other: T,
    ) -> dsl::GtEq<Self, E> {
        ExpressionMethods::ge(self, other.into_expression())
    }

    /// `BETWEEN`: both ends belong to it.
    pub fn between<L, U, LE, UE>(self, lower: L, upper: U) -> dsl::Between<Self, LE, UE>
    where
        L: Operand<SqlTypeOf<Self>, Expression = LE>,
        U: Operand<SqlTypeOf<Self>, Expression = UE>,
        LE: ExpressionOf<SqlTypeOf<Self>>,
        UE: ExpressionOf<SqlTypeOf<Self>>,
    {
        ExpressionMethods::between(self, lower.into_expression(), upper.into_expression())
    }

    /// `NOT BETWEEN`: below the lower end or above the upper.
    pub fn not_between<L, U, LE, UE>(self, lower: L, upper: U) -> dsl::NotBetween<Self, LE, UE>
    where
        L: Operand<SqlTypeOf<Self>, Expression = LE>,
        U: Operand<SqlTypeOf<Self>, Expression = UE>,
        LE: ExpressionOf<SqlTypeOf<Self>>,
        UE: ExpressionOf<SqlTypeOf<Self>>,
    {
        ExpressionMethods::not_between(self, lower.into_expression(), upper.into_expression())
    }
}
