//! The suite. See the harness, `orm_tests`, for how it is laid out.

mod bulk_create;
mod conditions;
mod connecting;
mod create_tables;
mod field_kinds;
mod field_types;
mod fixed;
mod fuzz;
mod memory;
mod models;
#[cfg(feature = "mysql")]
mod mysql_abandoned;
#[cfg(feature = "mysql")]
mod mysql_bytes;
#[cfg(feature = "mysql")]
mod mysql_connection;
#[cfg(feature = "mysql")]
mod mysql_diesel;
#[cfg(feature = "mysql")]
mod mysql_errors;
#[cfg(feature = "mysql")]
mod mysql_faults;
#[cfg(feature = "mysql")]
mod mysql_iterators;
#[cfg(feature = "mysql")]
mod mysql_limits;
#[cfg(feature = "mysql")]
mod mysql_login;
#[cfg(feature = "mysql")]
mod mysql_rogue;
#[cfg(feature = "mysql")]
mod mysql_rows;
#[cfg(feature = "mysql")]
mod mysql_servers;
#[cfg(feature = "mysql")]
mod mysql_sessions;
#[cfg(feature = "mysql")]
mod mysql_statements;
#[cfg(feature = "mysql")]
mod mysql_tls;
#[cfg(feature = "mysql")]
mod mysql_transactions;
#[cfg(feature = "mysql")]
mod mysql_types;
mod nesting;
mod orders;
#[cfg(feature = "postgres")]
mod pgbouncer;
mod plain_diesel;
mod pool;
mod querysets;
mod relations;
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
