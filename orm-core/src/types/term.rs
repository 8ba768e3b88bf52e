//! What may stand beside an expression in a function or an operator: values and expressions, nullable or not.

use diesel::{
    expression::{Expression, TypedExpressionType},
    sql_types::{self, IntoNotNullable, Nullable, SingleValue, SqlType, is_nullable},
};

use super::{FieldType, PortableValue};
use crate::field::{
    Expr, Field, Readable,
    function::Nullness,
    search::{Anchor, Computed, Literal},
};
use crate::{backend::BackendKind, error::BoxError};

/// A value or an expression whose SQL type is `ST`, or `Nullable` of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no value or expression of the SQL type `{ST}`",
    label = "has another type",
    note = "expressions may be NULL or not; for another type there is `cast`"
)]
pub trait Term<ST> {
    /// Its SQL type: `ST`, or `Nullable` of it.
    type SqlType: SqlType<IsNull: Nullness> + SingleValue;
    /// The expression that it becomes.
    type Expression: Expression<SqlType = Self::SqlType>;
    /// Makes it an expression; a value becomes a bind parameter.
    fn into_term(self) -> Self::Expression;
    /// Says why a backend has no such value.
    #[doc(hidden)]
    fn check(&self, backend: BackendKind) -> Result<(), BoxError> {
        let _ = backend;
        Ok(())
    }
}

/// Expressions, of ours and of Diesel's.
macro_rules! expressions {
    ($([$($parameter:ident),*] $on:ty;)*) => { $(
        #[diagnostic::do_not_recommend]
        impl<$($parameter,)* ST> Term<ST> for $on
        where
            Self: Expression<SqlType: SqlType<IsNull: Nullness> + SingleValue + IntoNotNullable<NotNullable = ST>>,
        {
            type SqlType = <Self as Expression>::SqlType;
            type Expression = Self;
            fn into_term(self) -> Self {
                self
            }
        }
    )* };
}
expressions! {
    [P, C] Field<P, C>;
    [X] Expr<X>;
    [E] diesel::dsl::Nullable<E>;
    [E, T] diesel::expression::SqlLiteral<E, T>;
}

#[diagnostic::do_not_recommend]
impl<T, ST> Term<ST> for Option<T>
where
    T: Term<ST>,
    ST: SqlType<IsNull = is_nullable::NotNull> + SingleValue,
    Nullable<ST>: TypedExpressionType,
{
    type SqlType = Nullable<ST>;
    type Expression = PortableValue<Nullable<ST>, Self>;
    fn into_term(self) -> Self::Expression {
        PortableValue::checked(self, <Self as Term<ST>>::check)
    }
    fn check(&self, backend: BackendKind) -> Result<(), BoxError> {
        self.as_ref().map_or(Ok(()), |value| value.check(backend))
    }
}

/// Values, and references to them.
macro_rules! values {
    ($($(#[$attribute:meta])* $rust:ty => $sql:ty;)*) => { $(
        $(#[$attribute])*
        crate::__operand!(@term $rust => $sql);
    )* };
}
values! {
    bool => sql_types::Bool;
    &'__a bool => sql_types::Bool;
    i16 => sql_types::SmallInt;
    &'__a i16 => sql_types::SmallInt;
    i32 => sql_types::Integer;
    &'__a i32 => sql_types::Integer;
    i64 => sql_types::BigInt;
    &'__a i64 => sql_types::BigInt;
    f32 => sql_types::Float;
    &'__a f32 => sql_types::Float;
    f64 => sql_types::Double;
    &'__a f64 => sql_types::Double;
    String => sql_types::Text;
    &'__a String => sql_types::Text;
    &'__a str => sql_types::Text;
    std::borrow::Cow<'__a, str> => sql_types::Text;
    Vec<u8> => sql_types::Binary;
    &'__a Vec<u8> => sql_types::Binary;
    &'__a [u8] => sql_types::Binary;
}
#[cfg(all(feature = "numeric", any(feature = "postgres", feature = "mysql", feature = "sqlite")))]
values! {
    bigdecimal::BigDecimal => sql_types::Numeric;
    &'__a bigdecimal::BigDecimal => sql_types::Numeric;
}
#[cfg(feature = "postgres")]
values! {
    diesel::pg::data_types::PgInterval => sql_types::Interval;
}

/// Text for a function or a search: whatever is a `str`, or an expression of text.
#[diagnostic::on_unimplemented(message = "`{Self}` is no text", label = "neither text nor an expression of text")]
pub trait IntoText {
    /// Its SQL type: text, or nullable text.
    type SqlType: SqlType<IsNull: Nullness> + SingleValue;
    /// The expression that it becomes.
    type Expression: Expression<SqlType = Self::SqlType>;
    #[doc(hidden)]
    type Needle;
    #[doc(hidden)]
    fn into_text(self) -> Self::Expression;
    #[doc(hidden)]
    fn into_needle(self, anchor: Anchor) -> Self::Needle;
}

impl<T: AsRef<str>> IntoText for T {
    type SqlType = sql_types::Text;
    type Expression = PortableValue<sql_types::Text, String>;
    type Needle = Literal;
    fn into_text(self) -> Self::Expression {
        PortableValue::new(self.as_ref().to_owned())
    }
    fn into_needle(self, anchor: Anchor) -> Self::Needle {
        Literal::new(self.as_ref(), anchor)
    }
}

macro_rules! expressions_of_text {
    ($([$($parameter:ident),*] $on:ty;)*) => { $(
        #[diagnostic::do_not_recommend]
        impl<$($parameter),*> IntoText for $on
        where
            Self: Expression<
                SqlType: SqlType<IsNull: Nullness>
                             + SingleValue
                             + IntoNotNullable<NotNullable = sql_types::Text>,
            >,
        {
                    type SqlType = <Self as Expression>::SqlType;
            type Expression = Self;
            type Needle = Computed<Self>;
            fn into_text(self) -> Self {
                self
            }
            fn into_needle(self, _: Anchor) -> Self::Needle {
                Computed(self)
            }
        }
    )* };
}
expressions_of_text! {
    [P, C] Field<P, C>;
    [X] Expr<X>;
}

/// A value or an expression whose type is its own: what [`dsl::value`](crate::dsl::value) and
/// [`dsl::case_when`](crate::dsl::case_when) take.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a value that can be stored in a column nor an expression",
    label = "neither a value nor an expression"
)]
pub trait Typed {
    /// Its SQL type.
    type SqlType: SqlType<IsNull: Nullness> + SingleValue;
    /// The expression that it becomes.
    type Expression: Expression<SqlType = Self::SqlType> + Readable;
    #[doc(hidden)]
    fn into_typed(self) -> Self::Expression;
}

impl<T: FieldType> Typed for T
where
    PortableValue<T::SqlType, T>: Expression<SqlType = T::SqlType> + Readable,
    T::SqlType: SqlType<IsNull: Nullness>,
{
    type SqlType = T::SqlType;
    type Expression = PortableValue<T::SqlType, T>;
    fn into_typed(self) -> Self::Expression {
        PortableValue::checked(self, T::validate)
    }
}

impl Typed for &str {
    type SqlType = sql_types::Text;
    type Expression = PortableValue<sql_types::Text, String>;
    fn into_typed(self) -> Self::Expression {
        PortableValue::new(self.to_owned())
    }
}

impl<P, C> Typed for Field<P, C>
where
    Self: Readable<SqlType: SqlType<IsNull: Nullness> + SingleValue>,
{
    type SqlType = <Self as Expression>::SqlType;
    type Expression = Self;
    fn into_typed(self) -> Self {
        self
    }
}

impl<X> Typed for Expr<X>
where
    Self: Readable<SqlType: SqlType<IsNull: Nullness> + SingleValue>,
{
    type SqlType = <Self as Expression>::SqlType;
    type Expression = Self;
    fn into_typed(self) -> Self {
        self
    }
}
