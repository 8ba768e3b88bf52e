//! The suite. See the harness, `orm_tests`, for how it is laid out.

mod adopted;
mod bulk_create;
mod conditions;
mod connecting;
mod create_tables;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod diesel_programs;
mod field_kinds;
mod field_types;
mod fixed;
mod fuzz;
mod memory;
mod models;
#[cfg(feature = "mysql")]
mod mysql;
mod nesting;
mod orders;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod outcomes;
#[cfg(feature = "postgres")]
mod pgbouncer;
mod plain_diesel;
mod pool;
#[cfg(feature = "postgres")]
mod postgres;
mod querysets;
mod relations;
#[cfg(feature = "sqlite")]
mod sqlite_log;
#[cfg(feature = "sqlite")]
mod sqlite_replaced;
mod stored_forms;
mod stream_failures;
#[cfg(feature = "mysql")]
mod stream_mysql;
#[cfg(feature = "postgres")]
mod stream_postgres;
#[cfg(feature = "sqlite")]
mod stream_sqlite;
mod streams;
mod strictness;
mod text;
mod transactions;
mod values;
