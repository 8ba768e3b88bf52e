//! What a field may be compared with.

use diesel::{
    expression::{AsExpression, Expression, TypedExpressionType},
    sql_types::{Nullable, SingleValue, SqlType},
};

use super::{inferred::Inferred, portable_value::PortableValue};
use crate::{
    field::{Expr, Field},
    sql_types::{Document, Portable, SqlKind, Standard, Textual},
};

/// A value, or an expression, that a field of the SQL type `ST` may be compared with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be compared with a field of SQL type `{ST}`",
    label = "neither a value of the field's type nor a field of the same SQL type"
)]
pub trait Operand<ST> {
    /// The expression that it becomes.
    type Expression: Expression<SqlType = ST>;
    /// Makes it an expression; a value becomes a bind parameter.
    fn into_expression(self) -> Self::Expression;
}

// The expressions are parameters, here and below, so that the compiler speaks of `Operand` and not of what it leads to.
#[diagnostic::do_not_recommend]
impl<ST, T, E> Operand<ST> for T
where
    ST: SqlKind,
    T: OperandOf<ST, ST::Kind, Expression = E>,
    E: Expression<SqlType = ST>,
{
    type Expression = E;
    fn into_expression(self) -> E {
        OperandOf::into_expression(self)
    }
}

/// [`Operand`] by the [kind](SqlKind) of the SQL type.
pub trait OperandOf<ST, Kind> {
    /// The expression that it becomes.
    type Expression: Expression<SqlType = ST>;
    /// Makes it an expression.
    fn into_expression(self) -> Self::Expression;
}

#[diagnostic::do_not_recommend]
impl<ST, T, E> OperandOf<ST, Standard> for T
where
    ST: SqlType + TypedExpressionType,
    T: AsExpression<ST, Expression = E>,
    E: Expression<SqlType = ST>,
{
    type Expression = E;
    fn into_expression(self) -> E {
        self.as_expression()
    }
}

#[diagnostic::do_not_recommend]
impl<ST, T, E> OperandOf<ST, Textual> for T
where
    ST: SqlType + TypedExpressionType,
    T: AsExpression<ST, Expression = E>,
    E: Expression<SqlType = ST>,
{
    type Expression = Inferred<ST, E>;
    fn into_expression(self) -> Inferred<ST, E> {
        Inferred::new(self.as_expression())
    }
}

#[diagnostic::do_not_recommend]
impl<ST, T, E> OperandOf<ST, Portable> for T
where
    ST: SqlType,
    T: PortableOperand<ST, Expression = E>,
    E: Expression<SqlType = ST>,
{
    type Expression = E;
    fn into_expression(self) -> E {
        PortableOperand::into_expression(self)
    }
}

#[diagnostic::do_not_recommend]
impl<ST, T, E> OperandOf<ST, Document> for T
where
    ST: SqlType,
    T: PortableOperand<ST, Expression = E>,
    E: Expression<SqlType = ST>,
{
    type Expression = E;
    fn into_expression(self) -> E {
        PortableOperand::into_expression(self)
    }
}

/// [`Operand`] for the portable SQL types; [`operand!`](crate::types::operand!) implements it for types of yours.
pub trait PortableOperand<ST> {
    /// The expression that it becomes.
    type Expression: Expression<SqlType = ST>;
    /// Makes it an expression.
    fn into_expression(self) -> Self::Expression;
}

impl<P, C, ST> PortableOperand<ST> for Field<P, C>
where
    Self: Expression<SqlType = ST>,
{
    type Expression = Self;
    fn into_expression(self) -> Self {
        self
    }
}

impl<E, ST> PortableOperand<ST> for Expr<E>
where
    Self: Expression<SqlType = ST>,
{
    type Expression = Self;
    fn into_expression(self) -> Self {
        self
    }
}

// Of the standard types, Diesel says the same.
impl<T, ST> PortableOperand<Nullable<ST>> for Option<T>
where
    T: PortableOperand<ST>,
    ST: SqlType<IsNull = diesel::sql_types::is_nullable::NotNull>,
    Nullable<ST>: TypedExpressionType,
{
    type Expression = PortableValue<Nullable<ST>, Self>;
    fn into_expression(self) -> Self::Expression {
        PortableValue::new(self)
    }
}

/// A value as an expression of the SQL type `ST`, for places that take a Diesel expression.
///
/// Diesel's own methods take a plain value where its `AsExpression` knows it; for the portable types
/// (UUID, JSON, UTC timestamps, decimals, unsigned integers) use this.
///
/// ```
/// # use orm_core::{diesel::prelude::*, sql_types::U32, types::operand::value};
/// let five = value::<U32, _>(5_u32);
/// ```
pub fn value<ST, T>(value: T) -> T::Expression
where
    T: Operand<ST>,
    ST: SqlType + SingleValue,
{
    value.into_expression()
}

/// An SQL type whose values are those of `ST`: itself, or `Nullable` of it.
#[doc(hidden)]
pub trait Carries<ST>: SqlType + TypedExpressionType {
    /// What a value is bound as.
    type Item<V>;
    fn wrap<V>(value: V) -> Self::Item<V>;
}

impl<ST: SqlType + TypedExpressionType> Carries<ST> for ST {
    type Item<V> = V;
    fn wrap<V>(value: V) -> V {
        value
    }
}

impl<ST: SqlType> Carries<ST> for Nullable<ST>
where
    Self: SqlType + TypedExpressionType,
{
    type Item<V> = Option<V>;
    fn wrap<V>(value: V) -> Option<V> {
        Some(value)
    }
}

/// Lets a type of yours be compared with fields of its SQL type: `operand!(Code => Text)`.
///
/// The type needs Diesel's `ToSql` for that SQL type. It gets Diesel's `AsExpression`, too, so that it can be used
/// wherever Diesel takes a value. `#[derive(FieldType)]` does this by itself.
// One implementation for the SQL type and `Nullable` of it: in another crate the compiler cannot tell the two apart
// where the SQL type is `<Inner as FieldType>::SqlType`.
#[doc(hidden)]
#[macro_export]
macro_rules! __operand {
    ($rust:ty => $sql:ty) => {
        $crate::__operand!(@both $rust => $sql);
        $crate::__operand!(@both &'__a $rust => $sql);
    };
    (@both $from:ty => $sql:ty) => {
        $crate::__operand!(@portable $from => $sql);
        $crate::__operand!(@term $from => $sql);
        impl<'__a, __ST> $crate::diesel::expression::AsExpression<__ST> for $from
        where
            __ST: $crate::types::operand::Carries<$sql>,
        {
            type Expression = $crate::__private::Bound<__ST, __ST::Item<Self>>;
            fn as_expression(self) -> Self::Expression {
                $crate::__private::Bound::new(__ST::wrap(self))
            }
        }
    };
    (@portable $from:ty => $sql:ty) => {
        impl<'__a, __ST> $crate::types::operand::PortableOperand<__ST> for $from
        where
            __ST: $crate::types::operand::Carries<$sql>,
        {
            type Expression = $crate::__private::PortableValue<__ST, __ST::Item<Self>>;
            fn into_expression(self) -> Self::Expression {
                $crate::__private::PortableValue::new(__ST::wrap(self))
            }
        }
    };
    (@term $from:ty => $sql:ty) => {
        impl<'__a> $crate::types::Term<$sql> for $from {
            type SqlType = $sql;
            type Expression = $crate::__private::PortableValue<$sql, Self>;
            fn into_term(self) -> Self::Expression {
                $crate::__private::PortableValue::new(self)
            }
        }
    };
}

/// The same for types of other crates, for which Diesel's `AsExpression` cannot be implemented here.
macro_rules! portable_operands {
    ($($rust:ty => $sql:ident;)*) => { $(
        crate::__operand!(@portable $rust => crate::sql_types::$sql);
        crate::__operand!(@portable &'__a $rust => crate::sql_types::$sql);
        crate::__operand!(@term $rust => crate::sql_types::$sql);
        crate::__operand!(@term &'__a $rust => crate::sql_types::$sql);
    )* };
}

/// Further SQL types of a Rust type that `portable_operands!` has one for already: implemented for the SQL type and for
/// `Nullable` of it one by one, because two implementations for whatever carries an SQL type would overlap.
#[cfg(feature = "uuid")]
macro_rules! further_operands {
    ($($rust:ty => $sql:ident;)*) => { $(
        further_operands!(@one $rust => $sql);
        further_operands!(@one &'__a $rust => $sql);
    )* };
    (@one $from:ty => $sql:ident) => {
        crate::__operand!(@term $from => crate::sql_types::$sql);
        impl<'__a> PortableOperand<crate::sql_types::$sql> for $from {
            type Expression = PortableValue<crate::sql_types::$sql, Self>;
            fn into_expression(self) -> Self::Expression {
                PortableValue::new(self)
            }
        }
        impl<'__a> PortableOperand<Nullable<crate::sql_types::$sql>> for $from {
            type Expression = PortableValue<Nullable<crate::sql_types::$sql>, Option<Self>>;
            fn into_expression(self) -> Self::Expression {
                PortableValue::new(Some(self))
            }
        }
    };
}

portable_operands! {
    i8 => I8;
    u8 => U8;
    u16 => U16;
    u32 => U32;
    u64 => U64;
}
#[cfg(feature = "uuid")]
portable_operands! { uuid::Uuid => Uuid; }
#[cfg(feature = "uuid")]
further_operands! {
    uuid::Uuid => UuidText;
    uuid::Uuid => UuidSimple;
}
#[cfg(feature = "serde_json")]
portable_operands! { serde_json::Value => Json; }
#[cfg(feature = "chrono")]
portable_operands! { chrono::DateTime<chrono::Utc> => UtcTimestamp; }
#[cfg(feature = "numeric")]
portable_operands! { bigdecimal::BigDecimal => Decimal; }
