//! `Option`: a column that may be NULL.

use diesel::{
    backend::Backend,
    deserialize,
    sql_types::{Nullable, SqlType, is_nullable},
};

use super::{Decode, FieldType, ViaDiesel};
use crate::{backend::BackendKind, error::BoxError, sql_types::ColumnSql};

impl<T> FieldType for Option<T>
where
    T: FieldType<SqlType: SqlType<IsNull = is_nullable::NotNull>>,
    Nullable<T::SqlType>: ColumnSql,
{
    type SqlType = Nullable<T::SqlType>;

    fn width(&self) -> usize {
        self.as_ref().map_or(0, T::width)
    }
    fn is_convertible(&self) -> bool {
        self.as_ref().is_some_and(T::is_convertible)
    }
    fn validate(&self, backend: BackendKind) -> Result<(), BoxError> {
        self.as_ref().map_or(Ok(()), |value| value.validate(backend))
    }
}

impl<T: Decode<DB>, DB: Backend> Decode<DB> for Option<T> {
    #[inline]
    fn decode(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        T::decode(value).map(Some)
    }
    #[inline]
    fn decode_nullable(value: Option<DB::RawValue<'_>>) -> deserialize::Result<Self> {
        value.map(T::decode).transpose()
    }
}

/// What a column reads as along a path that may find no row: an `Option`, which it may be already.
pub trait Optionality<T, K> {
    /// The type that it reads as.
    type Rust: 'static;
    /// How it is read.
    type Codec;
}

impl<T: 'static> Optionality<T, super::Native> for is_nullable::NotNull {
    type Rust = Option<T>;
    type Codec = super::Native;
}
impl<T: 'static> Optionality<T, super::Native> for is_nullable::IsNullable {
    type Rust = T;
    type Codec = super::Native;
}
impl<T: 'static, ST: SqlType<IsNull = is_nullable::NotNull>> Optionality<T, ViaDiesel<ST>> for is_nullable::NotNull {
    type Rust = Option<T>;
    type Codec = ViaDiesel<Nullable<ST>>;
}
impl<T: 'static, ST> Optionality<T, ViaDiesel<ST>> for is_nullable::IsNullable {
    type Rust = T;
    type Codec = ViaDiesel<ST>;
}
