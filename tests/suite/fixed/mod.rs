//! Databases whose backend is fixed at compile time: the same bodies once for `Database<Sqlite>`,
//! `Database<Pg>` and `Database<Mysql>`, and once for `Database<Any>` on each, so that no two ways to connect can come to
//! differ.
//!
//! Each file but `bodies.rs` names a backend and takes in the bodies as a module of its own.

#[cfg(feature = "mysql")]
mod any_mysql;
#[cfg(feature = "postgres")]
mod any_postgres;
#[cfg(feature = "sqlite")]
mod any_sqlite;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
