//! Comparisons of fields, and the boolean operators that join them.
//!
//! They shadow Diesel's methods of the same names. Diesel's do not compare what may be NULL with what may not, do not take
//! values of the portable types, and have no Rust type that `values` could read.

use std::ops::Not;

use diesel::{
    expression::{AsExpression, Expression, TypedExpressionType},
    sql_types::{Bool, BoolOrNullableBool, SingleValue, SqlType},
};

use super::{
    Expr, Field,
    expr::on_expressions,
    function::{Call, Function, Of, Words, calls},
};
use crate::{
    backend::Backend,
    dsl::{BoxedCondition, not},
    sql_types::{Comparison, SqlKind},
    types::{Native, operand::Operand},
};

/// The SQL type of an expression.
type SqlTypeOf<E> = <E as Expression>::SqlType;
/// The kind of an expression's SQL type.
type KindOf<E> = <SqlTypeOf<E> as SqlKind>::Kind;
/// An expression as it is compared for equality with one of the SQL type of `F`.
pub(crate) type Compared<F, E = F> = <KindOf<F> as Comparison>::Compared<E>;
/// The expression that `T` becomes beside `E`.
type Beside<E, T, K> = <T as Operand<SqlTypeOf<E>, K>>::Expression;
/// `=` or `<>` of `E` and `T`.
type Equality<O, E, T, K> = Of<O, (Compared<E>, Compared<E, Beside<E, T, K>>)>;
/// `BETWEEN` or `NOT BETWEEN` of `E`, `L` and `U`.
type Within<O, E, L, LK, U, UK> = Of<O, (E, Beside<E, L, LK>, Beside<E, U, UK>)>;

on_expressions! {
    where Self: Expression<SqlType: SqlType + SingleValue + SqlKind>;

    // Each method is written out, and its bound stands in its first line: what the compiler shows of it is short.
    /// `=`: not true where either side is NULL, so never of `None`; for that there is [`is_null`](Self::is_null).
    ///
    /// Either side may be NULL or not, whatever the other is: a field that is an `Option` is compared with one that is
    /// not, with an expression and with a value. The result is an `Option<bool>` where one of the sides may be NULL, and
    /// else a `bool`.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64, planned: i32, flown: Option<i32> }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Flight,)>()?;
    /// # Flight::bulk_create(&db, [(1, Some(90)), (2, Some(95)), (3, None)]
    /// #     .map(|(id, flown)| Flight { id, planned: 90, flown }))?;
    /// let flights = Flight::objects(&db).order_by(|f| f.id.asc());
    /// let late = flights.values(|f| (f.flown.gt(f.planned), f.planned.gt(60))).load()?;
    /// assert_eq!(late, [(Some(false), true), (Some(true), true), (None, true)]);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn eq<T: Operand<SqlTypeOf<Self>, K>, K>(
        self,
        other: T,
    ) -> Equality<Equal, Self, T, K> {
        let other = KindOf::<Self>::compared(other.into_expression());
        Function::expression(Equal, (KindOf::<Self>::compared(self), other))
    }

    /// `<>`: also not true where either side is NULL.
    pub fn ne<T: Operand<SqlTypeOf<Self>, K>, K>(
        self,
        other: T,
    ) -> Equality<NotEqual, Self, T, K> {
        let other = KindOf::<Self>::compared(other.into_expression());
        Function::expression(NotEqual, (KindOf::<Self>::compared(self), other))
    }

    /// `<`
    pub fn lt<T: Operand<SqlTypeOf<Self>, K>, K>(self, other: T) -> Of<Less, (Self, Beside<Self, T, K>)> {
        Function::expression(Less, (self, other.into_expression()))
    }

    /// `<=`
    pub fn le<T: Operand<SqlTypeOf<Self>, K>, K>(self, other: T) -> Of<LessOrEqual, (Self, Beside<Self, T, K>)> {
        Function::expression(LessOrEqual, (self, other.into_expression()))
    }

    /// `>`
    pub fn gt<T: Operand<SqlTypeOf<Self>, K>, K>(self, other: T) -> Of<Greater, (Self, Beside<Self, T, K>)> {
        Function::expression(Greater, (self, other.into_expression()))
    }

    /// `>=`
    pub fn ge<T: Operand<SqlTypeOf<Self>, K>, K>(self, other: T) -> Of<GreaterOrEqual, (Self, Beside<Self, T, K>)> {
        Function::expression(GreaterOrEqual, (self, other.into_expression()))
    }

    /// `BETWEEN`: both ends belong to it.
    pub fn between<L, U, LK, UK>(
        self,
        lower: L,
        upper: U,
    ) -> Within<Between, Self, L, LK, U, UK>
    where
        L: Operand<SqlTypeOf<Self>, LK>,
        U: Operand<SqlTypeOf<Self>, UK>,
    {
        Function::expression(Between, (self, lower.into_expression(), upper.into_expression()))
    }

    /// `NOT BETWEEN`: below the lower end or above the upper.
    pub fn not_between<L, U, LK, UK>(
        self,
        lower: L,
        upper: U,
    ) -> Within<NotBetween, Self, L, LK, U, UK>
    where
        L: Operand<SqlTypeOf<Self>, LK>,
        U: Operand<SqlTypeOf<Self>, UK>,
    {
        Function::expression(NotBetween, (self, lower.into_expression(), upper.into_expression()))
    }
}

on_expressions! {
    where Self: Expression;

    /// `IS NULL`
    pub fn is_null(self) -> Of<IsNull, (Self,)> {
        Function::expression(IsNull, (self,))
    }

    /// `IS NOT NULL`
    pub fn is_not_null(self) -> Of<IsNotNull, (Self,)> {
        Function::expression(IsNotNull, (self,))
    }
}

calls! {
    /// `=`
    Equal: Bool, Words::alike("({0} = {1})");
    /// `<>`
    NotEqual: Bool, Words::alike("({0} <> {1})");
    /// `<`
    Less: Bool, Words::alike("({0} < {1})"), compares = true;
    /// `<=`
    LessOrEqual: Bool, Words::alike("({0} <= {1})"), compares = true;
    /// `>`
    Greater: Bool, Words::alike("({0} > {1})"), compares = true;
    /// `>=`
    GreaterOrEqual: Bool, Words::alike("({0} >= {1})"), compares = true;
    /// `BETWEEN`
    Between: Bool, Words::alike("({0} BETWEEN {1} AND {2})"), compares = true;
    /// `NOT BETWEEN`
    NotBetween: Bool, Words::alike("({0} NOT BETWEEN {1} AND {2})"), compares = true;
    /// `AND`
    And: Bool, Words::alike("({0} AND {1})");
    /// `OR`
    Or: Bool, Words::alike("({0} OR {1})");
}

macro_rules! null_tests {
    ($($(#[$attribute:meta])* $name:ident $words:literal;)*) => { $(
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl<E> Call<(E,)> for $name {
            type SqlType = Bool;
            type Rust = bool;
            type Codec = Native;
            fn words(&self) -> Words {
                Words::alike($words)
            }
        }
    )* };
}
null_tests! {
    /// `IS NULL`
    IsNull "({0} IS NULL)";
    /// `IS NOT NULL`
    IsNotNull "({0} IS NOT NULL)";
}

macro_rules! boolean_operators {
    ($([$($generics:tt)*] $on:ty;)*) => { $(
        impl<$($generics)*> $on
        where
            Self: Expression<SqlType: BoolOrNullableBool + SqlType>,
        {
            /// `AND`: true where both conditions are true.
            pub fn and<T, ST>(self, other: T) -> Of<And, (Self, T::Expression)>
            where
                T: AsExpression<ST>,
                ST: SqlType + TypedExpressionType + BoolOrNullableBool,
            {
                Function::expression(And, (self, other.as_expression()))
            }

            /// `OR`: true where at least one of the conditions is true.
            pub fn or<T, ST>(self, other: T) -> Of<Or, (Self, T::Expression)>
            where
                T: AsExpression<ST>,
                ST: SqlType + TypedExpressionType + BoolOrNullableBool,
            {
                Function::expression(Or, (self, other.as_expression()))
            }
        }

        impl<$($generics)*> Not for $on
        where
            Self: Expression<SqlType: BoolOrNullableBool + SqlType>,
        {
            type Output = Of<crate::dsl::Negation, (Self,)>;
            fn not(self) -> Self::Output {
                not(self)
            }
        }
    )* };
}
boolean_operators! {
    [P, C] Field<P, C>;
    [X] Expr<X>;
    ['a, M, B: Backend] BoxedCondition<'a, M, B>;
}
