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
    pub use crate::stream::row::peek;

    /// The position of the column of a field. The derive checks that there is one.
    ///
    /// # Panics
    ///
    /// While the user's crate is compiled, if there is none.
    pub const fn position(columns: &[Column], field: &str) -> usize {
        let mut at = 0;
        while at < columns.len() {
            if equal(columns[at].field.as_bytes(), field.as_bytes()) {
                return at;
            }
            at += 1;
        }
        panic!("`key` names no field of the target")
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
