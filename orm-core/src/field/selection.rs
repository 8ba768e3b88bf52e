//! What `values` and `values_as` read.

use diesel::{
    backend::Backend,
    expression::Expression,
    row::Row,
    sql_types::{self, Nullable, SqlType, is_nullable},
};

use super::{Expr, Field};
use crate::{
    model::ModelColumn,
    path::{Optional, Path, Required},
    stream::row::{ColumnError, ColumnName, RowReader},
    types::{Codec, FieldType, Native, nullable::Optionality},
};

/// Fields whose Rust types are known: a field, or a tuple of up to 16.
#[diagnostic::on_unimplemented(
    message = "`values` takes fields, and this is none",
    label = "not a field, nor a tuple of up to 16 fields",
    note = "for any other expression use `values_as` and name the types: `values_as::<(i64, String), _>(|f| …)`"
)]
pub trait Selection: Expression {
    /// What a row reads as.
    type Row: 'static;
    /// The model and field of each column, for error messages.
    fn names(out: &mut Vec<ColumnName>);
}

/// A [`Selection`] that can be read from the backend `DB`.
#[diagnostic::on_unimplemented(message = "these fields cannot be read from `{DB}`")]
pub trait SelectionOn<DB: Backend>: Selection {
    /// Reads the fields from the next columns of a row.
    ///
    /// # Errors
    ///
    /// If a value does not fit its field.
    fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<Self::Row, ColumnError>;
}

/// What a column reads as at the end of a path of such a nullability.
pub trait Along<N> {
    /// The Rust type.
    type Rust: 'static;
    /// How it is read.
    type Codec;
}

impl<C: ModelColumn> Along<Required> for C {
    type Rust = C::Rust;
    type Codec = C::Codec;
}

impl<C: ModelColumn> Along<Optional> for C
where
    <C::SqlType as SqlType>::IsNull: Optionality<C::Rust, C::Codec>,
{
    type Rust = <<C::SqlType as SqlType>::IsNull as Optionality<C::Rust, C::Codec>>::Rust;
    type Codec = <<C::SqlType as SqlType>::IsNull as Optionality<C::Rust, C::Codec>>::Codec;
}

/// An expression whose values are read as a certain Rust type.
#[diagnostic::on_unimplemented(
    message = "it is not known which Rust type an expression `{Self}` is read as",
    note = "use `values_as` and name the types: `values_as::<(i64, String), _>(|f| …)`"
)]
pub trait Readable: Expression {
    /// The Rust type.
    type Rust: 'static;
    /// How it is read.
    type Codec;
}

impl<P: Path, C: ModelColumn + Along<P::Null>> Readable for Field<P, C>
where
    Self: Expression,
{
    type Rust = <C as Along<P::Null>>::Rust;
    type Codec = <C as Along<P::Null>>::Codec;
}

impl<E: Readable> Readable for Expr<E>
where
    Self: Expression,
{
    type Rust = E::Rust;
    type Codec = E::Codec;
}

/// An SQL type whose values are read as one Rust type, wherever they were computed.
#[diagnostic::on_unimplemented(message = "values of the SQL type `{Self}` have no Rust type of their own")]
pub trait NativeRust {
    /// The Rust type.
    type Rust: FieldType;
    /// The Rust type where it may be NULL.
    type Optional: FieldType;
}

impl<ST: NativeRust + SqlType<IsNull = is_nullable::NotNull>> NativeRust for Nullable<ST> {
    type Rust = ST::Optional;
    type Optional = ST::Optional;
}

macro_rules! native {
    ($($(#[$attribute:meta])* $sql:ty => $rust:ty;)*) => { $(
        $(#[$attribute])*
        impl NativeRust for $sql {
            type Rust = $rust;
            type Optional = Option<$rust>;
        }
    )* };
}
native! {
    sql_types::Bool => bool;
    sql_types::SmallInt => i16;
    sql_types::Integer => i32;
    sql_types::BigInt => i64;
    sql_types::Float => f32;
    sql_types::Double => f64;
    sql_types::Text => String;
    sql_types::Binary => Vec<u8>;
    crate::sql_types::I8 => i8;
    crate::sql_types::U8 => u8;
    crate::sql_types::U16 => u16;
    crate::sql_types::U32 => u32;
    crate::sql_types::U64 => u64;
    #[cfg(feature = "chrono")]
    sql_types::Date => chrono::NaiveDate;
    #[cfg(feature = "chrono")]
    sql_types::Time => chrono::NaiveTime;
    #[cfg(feature = "chrono")]
    sql_types::Timestamp => chrono::NaiveDateTime;
    #[cfg(feature = "chrono")]
    crate::sql_types::UtcTimestamp => chrono::DateTime<chrono::Utc>;
    #[cfg(feature = "uuid")]
    crate::sql_types::Uuid => uuid::Uuid;
    #[cfg(feature = "serde_json")]
    crate::sql_types::Json => serde_json::Value;
    #[cfg(feature = "numeric")]
    crate::sql_types::Decimal => bigdecimal::BigDecimal;
}

impl<E: Readable> Selection for Expr<E>
where
    Self: Expression,
{
    type Row = E::Rust;

    fn names(out: &mut Vec<ColumnName>) {
        out.push(ColumnName::default());
    }
}

impl<E: Readable<Codec: Codec<E::Rust, DB>>, DB: Backend> SelectionOn<DB> for Expr<E>
where
    Self: Expression,
{
    #[inline]
    fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<Self::Row, ColumnError> {
        row.read::<E::Codec, _, _>()
    }
}

impl<P: Path, C: ModelColumn + Along<P::Null>> Selection for Field<P, C>
where
    Self: Expression,
{
    type Row = <C as Along<P::Null>>::Rust;

    fn names(out: &mut Vec<ColumnName>) {
        let table = <C::Model as crate::model::Model>::TABLE;
        let field = table.position(C::NAME).map(|at| table.columns[at].field);
        out.push(ColumnName { model: Some(table.model), field });
    }
}

impl<P: Path, C: ModelColumn + Along<P::Null>, DB: Backend> SelectionOn<DB> for Field<P, C>
where
    Self: Expression,
    <C as Along<P::Null>>::Codec: Codec<<C as Along<P::Null>>::Rust, DB>,
{
    #[inline]
    fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<Self::Row, ColumnError> {
        row.read::<<C as Along<P::Null>>::Codec, _, _>()
    }
}

/// Rust types that an expression of the SQL type `ST` can be read as, for `values_as`.
#[diagnostic::on_unimplemented(
    message = "an expression of SQL type `{ST}` cannot be read as `{Self}`",
    label = "not the Rust type of this expression",
    note = "for a tuple of expressions name a tuple of as many types, in the same order"
)]
pub trait ReadAs<ST, DB: Backend>: Sized {
    /// Reads the next columns of a row.
    ///
    /// # Errors
    ///
    /// If a value does not fit its type.
    fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<Self, ColumnError>;
}

#[diagnostic::do_not_recommend]
impl<T: FieldType, DB: Backend> ReadAs<T::SqlType, DB> for T
where
    Native: Codec<T, DB>,
{
    #[inline]
    fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<Self, ColumnError> {
        row.read::<Native, _, _>()
    }
}

macro_rules! tuples {
    ($(($T:ident $S:ident $at:tt))+) => {
        impl<$($T: Selection),+> Selection for ($($T,)+)
        where
            Self: Expression,
        {
            type Row = ($($T::Row,)+);

            fn names(out: &mut Vec<ColumnName>) {
                $( $T::names(out); )+
            }
        }
        impl<DB: Backend, $($T: SelectionOn<DB>),+> SelectionOn<DB> for ($($T,)+)
        where
            Self: Expression,
        {
            #[inline]
            fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<Self::Row, ColumnError> {
                Ok(($($T::read(row)?,)+))
            }
        }
        #[diagnostic::do_not_recommend]
        impl<DB: Backend, $($S, $T: ReadAs<$S, DB>),+> ReadAs<($($S,)+), DB> for ($($T,)+) {
            #[inline]
            fn read<'r, R: Row<'r, DB>>(row: &mut RowReader<'_, R>) -> Result<Self, ColumnError> {
                Ok(($($T::read(row)?,)+))
            }
        }
    };
}
crate::tuples::for_each_tuple!(16 tuples);
