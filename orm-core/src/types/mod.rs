//! Which Rust types a field may have, and how each is read, strictly, from every backend.
//!
//! [`FieldType`] names a Rust type's SQL type; [`Decode`] reads it from a backend. Whether a type is one is decided by
//! these traits and not by how it is spelled, so aliases and newtypes work. For your own types use
//! `#[derive(FieldType)]`, or implement the traits:
//!
//! ```
//! use diesel::{backend::Backend, deserialize, serialize::{self, Output, ToSql}, sql_types::Text};
//! use orm_core::{diesel, types::{Decode, FieldType, operand}};
//!
//! /// A flight number such as `UA 1545`, kept as text.
//! #[derive(Clone, Debug, PartialEq)]
//! pub struct FlightNumber { text: String, carrier_length: usize }
//!
//! impl FieldType for FlightNumber {
//!     type SqlType = Text;
//! }
//! impl<DB: Backend> Decode<DB> for FlightNumber where String: Decode<DB> {
//!     fn decode(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
//!         let text = <String as Decode<DB>>::decode(value)?;
//!         let carrier_length = text.find(' ').ok_or("a flight number has a space")?;
//!         Ok(FlightNumber { text, carrier_length })
//!     }
//! }
//! impl<DB: Backend> ToSql<Text, DB> for FlightNumber where str: ToSql<Text, DB> {
//!     fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
//!         self.text.as_str().to_sql(out)
//!     }
//! }
//! // so that `f.number.eq(number)` works
//! operand!(FlightNumber => Text);
//! # fn main() {}
//! ```

/// Lets Diesel's own queries read one of the portable types, as strictly.
macro_rules! diesel_reads {
    ($rust:ty: $sql:ty) => {
        #[cfg(feature = "mysql")]
        impl ::diesel::deserialize::FromSql<$sql, ::diesel::mysql::Mysql> for $rust {
            fn from_sql(value: ::diesel::mysql::MysqlValue<'_>) -> ::diesel::deserialize::Result<Self> {
                <Self as $crate::types::Decode<::diesel::mysql::Mysql>>::decode(value)
            }
        }
        #[cfg(feature = "postgres")]
        impl ::diesel::deserialize::FromSql<$sql, ::diesel::pg::Pg> for $rust {
            fn from_sql(value: ::diesel::pg::PgValue<'_>) -> ::diesel::deserialize::Result<Self> {
                <Self as $crate::types::Decode<::diesel::pg::Pg>>::decode(value)
            }
        }
        #[cfg(feature = "sqlite")]
        impl ::diesel::deserialize::FromSql<$sql, ::diesel::sqlite::Sqlite> for $rust {
            fn from_sql(value: ::diesel::sqlite::SqliteValue<'_, '_, '_>) -> ::diesel::deserialize::Result<Self> {
                <Self as $crate::types::Decode<::diesel::sqlite::Sqlite>>::decode(value)
            }
        }
    };
}
use diesel_reads;

pub mod default;
pub(crate) mod inferred;
mod integers;
pub mod limit;
pub mod nullable;
mod numbers;
pub mod operand;
mod portable_value;
#[cfg(feature = "chrono")]
pub(crate) mod temporal;
mod term;
mod text;

#[cfg(feature = "numeric")]
mod decimal;
#[cfg(feature = "serde_json")]
mod json;
#[cfg(feature = "sqlite")]
pub(crate) mod numeral;
#[cfg(feature = "uuid")]
mod uuid;

use diesel::{backend::Backend, deserialize, deserialize::FromSql, result::UnexpectedNullError};

use crate::{backend::BackendKind, error::BoxError, sql_types::ColumnSql};

#[cfg(all(feature = "numeric", feature = "sqlite"))]
pub(crate) use self::decimal::sqlite as decimal_of_sqlite;
#[cfg(feature = "mysql")]
pub(crate) use self::integers::narrow;
#[cfg(feature = "serde_json")]
pub use self::json::JsonText;
#[cfg(all(feature = "serde_json", feature = "sqlite"))]
pub(crate) use self::json::compare_documents;
pub use self::{
    inferred::Inferred,
    portable_value::PortableValue,
    term::{IntoText, Term, Typed},
};
#[doc(inline)]
pub use crate::__operand as operand;

/// A Rust type that a field of a model may have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of a model's field",
    label = "not a type that can be stored in a column",
    note = "use an integer, a float, bool, String, Vec<u8>, or an Option of one",
    note = "with orm-core's features also the types of `chrono`, `uuid`, `serde_json` and `bigdecimal`",
    note = "for a type of your own, add `#[derive(FieldType)]` to it; for Diesel's types, `#[model(sql_type = ...)]`"
)]
pub trait FieldType: Sized + 'static {
    /// The SQL type of its column.
    type SqlType: ColumnSql;

    /// The bytes that a value holds beyond its own size, by which a fetch is bounded.
    fn width(&self) -> usize {
        0
    }

    /// Whether a SQLite column whose type is that of numbers would make another value of this one.
    #[doc(hidden)]
    fn is_convertible(&self) -> bool {
        false
    }

    /// Says why `backend` cannot store this value exactly.
    ///
    /// # Errors
    ///
    /// If writing it would round, cut or change it; the message says what to do instead.
    fn validate(&self, backend: BackendKind) -> Result<(), BoxError> {
        let _ = backend;
        Ok(())
    }
}

/// A type that can be read from a column of the backend `DB`.
///
/// Reading is strict: what does not fit is an error, never rounded, cut or converted.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot be read from `{DB}`")]
pub trait Decode<DB: Backend>: Sized {
    /// Reads a value that is not NULL.
    ///
    /// # Errors
    ///
    /// If the stored value is of another type, or does not fit.
    fn decode(value: DB::RawValue<'_>) -> deserialize::Result<Self>;

    /// Reads a value that may be NULL.
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode); also for NULL, unless the type is an `Option`.
    fn decode_nullable(value: Option<DB::RawValue<'_>>) -> deserialize::Result<Self> {
        match value {
            Some(value) => Self::decode(value),
            None => Err(Box::new(UnexpectedNullError)),
        }
    }
}

/// A field type that a column of a `table!` of the user's can be read as.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` is not the usual one for a column of SQL type `{ST}`",
    label = "another type than the column in `table_module` has",
    note = "change the field's type, or name the SQL type, so that Diesel reads it: `#[model(sql_type = …)]`"
)]
pub trait ReadFrom<ST> {
    /// How it is read.
    type Codec;
}

#[diagnostic::do_not_recommend]
impl<T: FieldType<SqlType: Is<ST>>, ST> ReadFrom<ST> for T {
    type Codec = Native;
}

/// That two types are one.
#[doc(hidden)]
pub trait Is<T> {}
impl<T> Is<T> for T {}

/// How a column's values are read as `T`.
pub trait Codec<T, DB: Backend> {
    /// Reads a value.
    ///
    /// # Errors
    ///
    /// If the stored value does not fit.
    fn decode(value: Option<DB::RawValue<'_>>) -> deserialize::Result<T>;
    /// The bytes that a value holds beyond its own size.
    fn width(value: &T) -> usize;
}

/// What may be written as `T`, by how it is read.
#[doc(hidden)]
pub trait Rules<T> {
    fn validate(value: &T, backend: BackendKind) -> Result<(), BoxError>;
    fn is_convertible(value: &T) -> bool;
    fn width(value: &T) -> usize;
}

impl<T: FieldType> Rules<T> for Native {
    fn validate(value: &T, backend: BackendKind) -> Result<(), BoxError> {
        value.validate(backend)
    }
    fn is_convertible(value: &T) -> bool {
        value.is_convertible()
    }
    fn width(value: &T) -> usize {
        value.width()
    }
}

// A field that goes through Diesel has no rules of ours.
impl<T, ST> Rules<T> for ViaDiesel<ST> {
    fn validate(_: &T, _: BackendKind) -> Result<(), BoxError> {
        Ok(())
    }
    fn is_convertible(_: &T) -> bool {
        false
    }
    fn width(_: &T) -> usize {
        0
    }
}

/// Values are read by [`Decode`], strictly.
#[derive(Debug)]
pub struct Native;

/// Values are read by Diesel's `FromSql<ST>`; for fields with an explicit `sql_type`.
#[derive(Debug)]
pub struct ViaDiesel<ST>(std::marker::PhantomData<fn() -> ST>);

impl<T: FieldType + Decode<DB>, DB: Backend> Codec<T, DB> for Native {
    #[inline]
    fn decode(value: Option<DB::RawValue<'_>>) -> deserialize::Result<T> {
        T::decode_nullable(value)
    }
    #[inline]
    fn width(value: &T) -> usize {
        value.width()
    }
}

impl<T: FromSql<ST, DB>, ST, DB: Backend> Codec<T, DB> for ViaDiesel<ST> {
    fn decode(value: Option<DB::RawValue<'_>>) -> deserialize::Result<T> {
        T::from_nullable_sql(value)
    }
    fn width(_: &T) -> usize {
        0
    }
}
