//! What a field may be compared with.

use diesel::{
    expression::{AsExpression, Expression, TypedExpressionType},
    sql_types::{Nullable, SingleValue, SqlType, is_nullable},
};

use super::{inferred::Inferred, portable_value::PortableValue};
use crate::{
    backend::BackendKind,
    error::BoxError,
    sql_types::{Document, Portable, SqlKind, Standard, Textual},
};

/// A value, or an expression, that a field of the SQL type `ST` may be compared with.
///
/// Either side may be NULL where the other may not. `Kind` says what the operand is, and is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be compared with a field of SQL type `{ST}`",
    label = "neither a value of the field's type nor a field of the same SQL type"
)]
pub trait Operand<ST, Kind = kind::Plain> {
    /// The expression that it becomes: of the SQL type `ST`, nullable or not.
    type Expression: Expression;
    /// Makes it an expression; a value becomes a bind parameter.
    fn into_expression(self) -> Self::Expression;
}

/// Kinds of operands: they keep the implementations of [`Operand`] apart.
pub mod kind {
    /// A value, or a standard type's expression of exactly the SQL type.
    #[derive(Debug)]
    pub struct Plain;
    /// A portable type's expression of exactly the SQL type.
    #[derive(Debug)]
    pub struct Computed;
    /// An expression that cannot be NULL, beside one that may.
    #[derive(Debug)]
    pub struct NeverNull;
    /// An expression that may be NULL, beside one that cannot.
    #[derive(Debug)]
    pub struct MayBeNull;
    /// An `Option` of a value, beside an expression that cannot be NULL.
    #[derive(Debug)]
    pub struct Optional;
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

macro_rules! expressions {
    ($($kind:ident: $field:ty, $sql:ty, where ST: ($($bound:tt)*);)*) => { $(
        #[diagnostic::do_not_recommend]
        impl<ST, E> Operand<$field, kind::$kind> for E
        where
            E: Expression<SqlType = $sql>,
            ST: $($bound)*,
        {
            type Expression = E;
            fn into_expression(self) -> E {
                self
            }
        }
    )* };
}
expressions! {
    Computed: ST, ST, where ST: (SqlKind<Kind: OfValues>);
    NeverNull: Nullable<ST>, ST, where ST: (SqlType<IsNull = is_nullable::NotNull>);
    MayBeNull: ST, Nullable<ST>, where ST: (SqlType<IsNull = is_nullable::NotNull>);
}

#[diagnostic::do_not_recommend]
impl<ST, V, E, O> Operand<ST, kind::Optional> for Option<V>
where
    ST: SqlType<IsNull = is_nullable::NotNull>,
    V: Operand<ST, Expression = E>,
    Self: Operand<Nullable<ST>, Expression = O>,
    O: Expression,
{
    type Expression = O;
    fn into_expression(self) -> O {
        Operand::<Nullable<ST>>::into_expression(self)
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

/// Whose values are told by [`PortableOperand`].
#[doc(hidden)]
pub trait OfValues {}
impl OfValues for Portable {}
impl OfValues for Document {}

/// Values of the portable SQL types; [`operand!`](crate::types::operand!) implements it for types of yours.
pub trait PortableOperand<ST> {
    /// The expression that it becomes.
    type Expression: Expression<SqlType = ST>;
    /// Makes it an expression.
    fn into_expression(self) -> Self::Expression;
    /// Says why a backend has no such value.
    #[doc(hidden)]
    fn check(&self, backend: BackendKind) -> Result<(), BoxError> {
        let _ = backend;
        Ok(())
    }
}

// Of the standard types, Diesel says the same.
impl<T, ST> PortableOperand<Nullable<ST>> for Option<T>
where
    T: PortableOperand<ST>,
    ST: SqlType<IsNull = is_nullable::NotNull>,
    Nullable<ST>: TypedExpressionType,
{
    type Expression = PortableValue<Nullable<ST>, Self>;
    fn into_expression(self) -> Self::Expression {
        PortableValue::checked(self, <Self as PortableOperand<Nullable<ST>>>::check)
    }
    fn check(&self, backend: BackendKind) -> Result<(), BoxError> {
        self.as_ref().map_or(Ok(()), |value| value.check(backend))
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
    fn inside<V>(item: &Self::Item<V>) -> Option<&V>;
}

impl<ST: SqlType + TypedExpressionType> Carries<ST> for ST {
    type Item<V> = V;
    fn wrap<V>(value: V) -> V {
        value
    }
    fn inside<V>(item: &V) -> Option<&V> {
        Some(item)
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
    fn inside<V>(item: &Option<V>) -> Option<&V> {
        item.as_ref()
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
        $crate::__operand!(@both $rust, $rust => $sql);
        $crate::__operand!(@both $rust, &'__a $rust => $sql);
    };
    (@both $rust:ty, $from:ty => $sql:ty) => {
        $crate::__operand!(@portable $rust, $from => $sql);
        $crate::__operand!(@checked_term $rust, $from => $sql);
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
    (@portable $rust:ty, $from:ty => $sql:ty) => {
        impl<'__a, __ST> $crate::types::operand::PortableOperand<__ST> for $from
        where
            __ST: $crate::types::operand::Carries<$sql>,
        {
            type Expression = $crate::__private::PortableValue<__ST, __ST::Item<Self>>;
            fn into_expression(self) -> Self::Expression {
                $crate::__private::PortableValue::checked(__ST::wrap(self), |item, backend| {
                    match <__ST as $crate::types::operand::Carries<$sql>>::inside(item) {
                        ::core::option::Option::Some(value) => {
                            $crate::types::operand::PortableOperand::<$sql>::check(value, backend)
                        }
                        ::core::option::Option::None => ::core::result::Result::Ok(()),
                    }
                })
            }
            fn check(&self, backend: $crate::BackendKind) -> ::core::result::Result<(), $crate::BoxError> {
                $crate::types::FieldType::validate(::core::borrow::Borrow::<$rust>::borrow(self), backend)
            }
        }
    };
    (@checked_term $rust:ty, $from:ty => $sql:ty) => {
        impl<'__a> $crate::types::Term<$sql> for $from {
            type SqlType = $sql;
            type Expression = $crate::__private::PortableValue<$sql, Self>;
            fn into_term(self) -> Self::Expression {
                $crate::__private::PortableValue::checked(self, <Self as $crate::types::Term<$sql>>::check)
            }
            fn check(&self, backend: $crate::BackendKind) -> ::core::result::Result<(), $crate::BoxError> {
                $crate::types::FieldType::validate(::core::borrow::Borrow::<$rust>::borrow(self), backend)
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
    ($($rust:ty => $sql:ty;)*) => { $(
        crate::__operand!(@portable $rust, $rust => $sql);
        crate::__operand!(@portable $rust, &'__a $rust => $sql);
        crate::__operand!(@checked_term $rust, $rust => $sql);
        crate::__operand!(@checked_term $rust, &'__a $rust => $sql);
    )* };
}

portable_operands! {
    i8 => crate::sql_types::I8;
    u8 => crate::sql_types::U8;
    u16 => crate::sql_types::U16;
    u32 => crate::sql_types::U32;
    u64 => crate::sql_types::U64;
}
#[cfg(feature = "uuid")]
portable_operands! { uuid::Uuid => crate::sql_types::Uuid; }
#[cfg(feature = "serde_json")]
portable_operands! { serde_json::Value => crate::sql_types::Json; }
#[cfg(feature = "chrono")]
portable_operands! {
    chrono::DateTime<chrono::Utc> => crate::sql_types::UtcTimestamp;
    chrono::NaiveDate => diesel::sql_types::Date;
    chrono::NaiveTime => diesel::sql_types::Time;
    chrono::NaiveDateTime => diesel::sql_types::Timestamp;
}
#[cfg(feature = "numeric")]
portable_operands! { bigdecimal::BigDecimal => crate::sql_types::Decimal; }

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

#[cfg(feature = "uuid")]
further_operands! {
    uuid::Uuid => UuidText;
    uuid::Uuid => UuidSimple;
}
