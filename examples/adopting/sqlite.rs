//! On SQLite: Diesel's own connection.

pub(crate) type Connection = diesel::SqliteConnection;
pub(crate) type Backend = orm_core::Sqlite;

#[path = "program.rs"]
#[allow(clippy::duplicate_mod)] // one program, for each backend
pub(crate) mod program;
