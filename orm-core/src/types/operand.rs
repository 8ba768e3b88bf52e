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
impl<ST: SqlKind, T: OperandOf<ST, ST::Kind>> Operand<ST> for T {
    type Expression = T::Expression;
    fn into_expression(self) -> T::Expression {
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
impl<ST: SqlType + TypedExpressionType, T: AsExpression<ST>> OperandOf<ST, Standard> for T {
    type Expression = T::Expression;
    fn into_expression(self) -> T::Expression {
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

/// Lets a type of yours be compared with fields of its SQL type: `operand!(Code => Text)`.
///
/// The type needs Diesel's `ToSql` for that SQL type. `#[derive(FieldType)]` does this by itself.
#[doc(hidden)]
#[macro_export]
macro_rules! __operand {
    ($rust:ty => $sql:ty) => {
        const _: () = {
            type __Kind = <$sql as $crate::sql_types::SqlKind>::Kind;
            type __Nullable = $crate::diesel::sql_types::Nullable<$sql>;
    $crate::__operand!(@one $rust, $sql, __Kind, $rust);
    $crate::__operand!(@one &'__a $rust, $sql, __Kind, &'__a $rust);
    $crate::__operand!(@one $rust, __Nullable, __Kind, $rust);
    $crate::__operand!(@one &'__a $rust, __Nullable, __Kind, &'__a $rust);
        };
    };
    (@one $from:ty, $sql:ty, $kind:ty, $item:ty) => {
        impl<'__a> $crate::types::operand::OperandOf<$sql, $kind> for $from {
            type Expression = $crate::__private::Bound<$sql, $item>;
            fn into_expression(self) -> Self::Expression {
                $crate::__private::Bound::new(self)
            }
        }
    };
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
