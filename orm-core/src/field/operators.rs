//! Comparisons and arithmetic of fields. Each makes its operand an expression and then calls Diesel's.

use std::ops;

use diesel::{
    dsl,
    expression::{AsExpression, Expression},
    expression_methods::ExpressionMethods,
    internal::table_macro::ops as diesel_ops,
    sql_types::{self, SingleValue, SqlType},
};

use super::Field;
use crate::types::operand::Operand;

/// The SQL type of an expression.
type SqlTypeOf<E> = <E as Expression>::SqlType;

macro_rules! comparisons {
    ($($(#[$doc:meta])* $method:ident => $output:ident;)*) => { $(
        $(#[$doc])*
        pub fn $method<T, E>(self, other: T) -> dsl::$output<Self, E>
        where
            T: Operand<SqlTypeOf<Self>, Expression = E>,
            E: Expression<SqlType = SqlTypeOf<Self>>,
        {
            ExpressionMethods::$method(self, other.into_expression())
        }
    )* };
}

/// Comparisons with values of the field's type, and with other fields.
impl<P, C> Field<P, C>
where
    Self: Expression<SqlType: SqlType + SingleValue>,
{
    comparisons! {
        /// `=`
        eq => Eq;
        /// `<>`: also not true where either side is NULL.
        ne => NotEq;
        /// `<`
        lt => Lt;
        /// `<=`
        le => LtEq;
        /// `>`
        gt => Gt;
        /// `>=`
        ge => GtEq;
    }

    /// `BETWEEN`: both ends belong to it.
    pub fn between<L, U, LE, UE>(self, lower: L, upper: U) -> dsl::Between<Self, LE, UE>
    where
        L: Operand<SqlTypeOf<Self>, Expression = LE>,
        U: Operand<SqlTypeOf<Self>, Expression = UE>,
        LE: Expression<SqlType = SqlTypeOf<Self>>,
        UE: Expression<SqlType = SqlTypeOf<Self>>,
    {
        ExpressionMethods::between(self, lower.into_expression(), upper.into_expression())
    }

    /// `NOT BETWEEN`: below the lower end or above the upper.
    pub fn not_between<L, U, LE, UE>(self, lower: L, upper: U) -> dsl::NotBetween<Self, LE, UE>
    where
        L: Operand<SqlTypeOf<Self>, Expression = LE>,
        U: Operand<SqlTypeOf<Self>, Expression = UE>,
        LE: Expression<SqlType = SqlTypeOf<Self>>,
        UE: Expression<SqlType = SqlTypeOf<Self>>,
    {
        ExpressionMethods::not_between(self, lower.into_expression(), upper.into_expression())
    }
}

macro_rules! arithmetic {
    ($($operator:ident $method:ident;)*) => { $(
        impl<P, C, Rhs> ops::$operator<Rhs> for Field<P, C>
        where
            Self: Expression<SqlType: sql_types::ops::$operator<Rhs: SqlType + SingleValue>>,
            Rhs: AsExpression<<SqlTypeOf<Self> as sql_types::ops::$operator>::Rhs>,
        {
            type Output = diesel_ops::$operator<Self, Rhs::Expression>;

            fn $method(self, rhs: Rhs) -> Self::Output {
                diesel_ops::$operator::new(self, rhs.as_expression())
            }
        }
    )* };
}

arithmetic! {
    Add add;
    Sub sub;
    Mul mul;
    Div div;
}
