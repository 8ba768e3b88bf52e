//! The suite. See the harness, `orm_tests`, for how it is laid out.

mod field_types;
mod memory;
mod models;
mod pool;
mod querysets;
mod relations;
mod stream_failures;
#[cfg(feature = "postgres")]
mod stream_postgres;
#[cfg(feature = "sqlite")]
mod stream_sqlite;
mod streams;
mod text;
mod transactions;
