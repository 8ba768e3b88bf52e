//! What a field may be compared with.

use diesel::{
    expression::{AsExpression, Expression, TypedExpressionType},
    internal::derives::as_expression::Bound,
    sql_types::{Nullable, SingleValue, SqlType},
};

use crate::{
    field::Field,
    sql_types::{Portable, SqlKind, Standard},
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
impl<P, C, ST> OperandOf<ST, Portable> for Field<P, C>
where
    Field<P, C>: Expression<SqlType = ST>,
{
    type Expression = Self;
    fn into_expression(self) -> Self {
        self
    }
}

// Of the standard types, Diesel says the same.
#[diagnostic::do_not_recommend]
impl<T, ST> OperandOf<Nullable<ST>, Portable> for Option<T>
where
    T: OperandOf<ST, Portable>,
    ST: SqlType<IsNull = diesel::sql_types::is_nullable::NotNull>,
    Nullable<ST>: TypedExpressionType,
{
    type Expression = Bound<Nullable<ST>, Self>;
    fn into_expression(self) -> Self::Expression {
        Bound::new(self)
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

/// A type of the user's, for which there is Diesel's `AsExpression`; said by `operand!`.
#[doc(hidden)]
pub trait UsersOwn {}

// The standard types need no word more: for them, `AsExpression` is enough.
#[diagnostic::do_not_recommend]
impl<ST, T, E> OperandOf<ST, Portable> for T
where
    ST: SqlType + TypedExpressionType,
    T: UsersOwn + AsExpression<ST, Expression = E>,
    E: Expression<SqlType = ST>,
{
    type Expression = E;
    fn into_expression(self) -> E {
        self.as_expression()
    }
}

/// Lets a type of yours be compared with fields of its SQL type: `operand!(Code => Text)`.
///
/// The type needs Diesel's `ToSql` for that SQL type. `#[derive(FieldType)]` does this by itself.
#[doc(hidden)]
#[macro_export]
macro_rules! __operand {
    ($rust:ty => $sql:ty) => {
        const _: () = {
    $crate::__operand!(@one $rust, $sql);
    $crate::__operand!(@one &'__a $rust, $sql);
            impl $crate::types::operand::UsersOwn for $rust {}
            impl $crate::types::operand::UsersOwn for &$rust {}
        };
    };
    // One implementation for the SQL type and for it as `Nullable`: where it is that of another field type, `<String as
    // FieldType>::SqlType`, the compiler does not see that the two differ. For the same reason it is `AsExpression` and
    // not `OperandOf`, which has implementations for every type.
    (@one $from:ty, $sql:ty) => {
        impl<'__a, __ST> $crate::diesel::expression::AsExpression<__ST> for $from
        where
            __ST: $crate::types::operand::NullableOrNot<$sql>,
        {
            type Expression = __ST::Bound<Self>;
            fn as_expression(self) -> Self::Expression {
                __ST::bind(self)
            }
        }
    };
}

/// The SQL type `ST`, or `Nullable<ST>`, with a value of which an `Option` is bound: that one Diesel writes by itself.
#[doc(hidden)]
pub trait NullableOrNot<ST>: SqlType + TypedExpressionType {
    type Bound<T>: Expression<SqlType = Self>;
    fn bind<T>(value: T) -> Self::Bound<T>;
}

impl<ST: SqlType + TypedExpressionType> NullableOrNot<ST> for ST {
    type Bound<T> = Bound<ST, T>;
    fn bind<T>(value: T) -> Bound<ST, T> {
        Bound::new(value)
    }
}

impl<ST> NullableOrNot<ST> for Nullable<ST>
where
    ST: SqlType<IsNull = diesel::sql_types::is_nullable::NotNull>,
    Self: TypedExpressionType,
{
    type Bound<T> = Bound<Self, Option<T>>;
    fn bind<T>(value: T) -> Bound<Self, Option<T>> {
        Bound::new(Some(value))
    }
}

macro_rules! portable_operands {
    ($($rust:ty => $sql:ident;)*) => { $(
        portable_operands!(@one $rust, crate::sql_types::$sql);
        portable_operands!(@one &$rust, crate::sql_types::$sql);
        portable_operands!(@one $rust, Nullable<crate::sql_types::$sql>);
        portable_operands!(@one &$rust, Nullable<crate::sql_types::$sql>);
    )* };
    (@one $from:ty, $sql:ty) => {
        impl OperandOf<$sql, Portable> for $from {
            type Expression = Bound<$sql, Self>;
            fn into_expression(self) -> Self::Expression {
                Bound::new(self)
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
#[cfg(feature = "serde_json")]
portable_operands! { serde_json::Value => Json; }
#[cfg(feature = "chrono")]
portable_operands! { chrono::DateTime<chrono::Utc> => UtcTimestamp; }
#[cfg(feature = "numeric")]
portable_operands! { bigdecimal::BigDecimal => Decimal; }
