//! Typed querysets on Diesel that stream big tables in constant memory.
#![cfg_attr(docsrs, feature(doc_cfg))]

// The derives name this crate by `::orm_core`, also from its own tests.
extern crate self as orm_core;

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
compile_error!("orm-core needs a backend: enable its feature `sqlite`, `postgres`, or both");

pub mod backend;
mod database;
mod diesel_error;
pub mod diesel_table;
mod error;
pub mod field;
pub mod model;
pub mod path;
pub mod prelude;
pub mod queryset;
pub mod sql_types;
mod statement;
pub mod stream;
mod transaction;
pub mod types;
mod write;

pub use diesel;
pub use orm_derive::{FieldType, Model};

#[cfg(feature = "postgres")]
pub use crate::backend::Pg;
#[cfg(feature = "sqlite")]
pub use crate::backend::Sqlite;
pub use crate::{
    backend::{Any, BackendKind},
    database::{Builder, Connection, Database, Executor, connect},
    error::{BoxError, Error, ErrorKind, Result},
    field::{Field, asc, desc},
    model::Model,
    queryset::QuerySet,
    stream::{Rows, TryRows},
    transaction::Transaction,
    types::FieldType,
    write::{Models, WritableOn},
};

/// What the derives' code uses. No part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use diesel::internal::derives::as_expression::Bound;

    use crate::model::Column;
    use crate::{
        field::Field,
        model::{MayBeNull, ModelColumn, NeverNull, RefersTo},
    };

    /// Checks the type of a key.
    pub fn refers_to<K: RefersTo<T>, T>() {}

    /// Checks that a column of the primary key cannot be NULL.
    pub fn primary_key<N: NeverNull>() {}

    /// Checks that the column of an `Option` may be NULL.
    pub fn nullable<N: MayBeNull>() {}

    /// A column that a key refers to, whose field has the type `T`.
    #[derive(Debug)]
    pub struct Referred<T>(std::marker::PhantomData<fn() -> T>);

    pub fn referred<P, C: ModelColumn>(_: Field<P, C>) -> Referred<C::Rust> {
        Referred(std::marker::PhantomData)
    }

    impl<T> Referred<T> {
        /// Checks the type of a key.
        pub fn is_referred_to_by<K: RefersTo<T>>(self) {}
    }

    /// The position of the column of a field; 0 where there is none, of which another check of the derive has complained.
    pub const fn position(columns: &[Column], field: &str) -> usize {
        let mut at = 0;
        while at < columns.len() {
            if equal(columns[at].field.as_bytes(), field.as_bytes()) {
                return at;
            }
            at += 1;
        }
        0
    }

    // Comparing is not `const` for `str` yet.
    const fn equal(a: &[u8], b: &[u8]) -> bool {
        let mut at = 0;
        while at < a.len() && at < b.len() && a[at] == b[at] {
            at += 1;
        }
        at == a.len() && at == b.len()
    }
}
