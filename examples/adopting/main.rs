//! An application with `schema.rs`, `diesel_migrations` and a pool of Diesel's connections moves to models one by one.
//!
//! The application keeps its schema, its migrations, its pool and its queries. `Database::from(pool)` makes of the same
//! pool a database for querysets, `table_module` makes models of the tables that are moved, and `check_schema` says at the
//! start whether the database is what they say. The guide `orm_core::guide::adopting` explains each step.
//!
//! The connections are Diesel's own `SqliteConnection`; on PostgreSQL ours, or, with the feature `libpq`, Diesel's own; on
//! MySQL and MariaDB `orm_core::MysqlConnection`, which stands in the place of Diesel's in the pool's type, and nowhere
//! else.
//!
//! `cargo run --example adopting [-- URL]`

mod models;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::error::Error;

use diesel_migrations::{EmbeddedMigrations, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("adopting/migrations");

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    // A pool of several connections needs a database that all of them find: a file, not one in memory.
    let folder = tempfile::tempdir()?;
    let file = format!("sqlite://{}", folder.path().join("shop.db").display());
    let url = std::env::args().nth(1).unwrap_or(file);
    match url.split(':').next() {
        #[cfg(feature = "postgres")]
        Some("postgres" | "postgresql") => postgres::program::run(&url),
        #[cfg(feature = "mysql")]
        Some("mysql" | "mariadb") => mysql::program::run(&url),
        // Diesel takes the path of a SQLite file where orm-core takes a URL.
        #[cfg(feature = "sqlite")]
        Some("sqlite") => sqlite::program::run(url.strip_prefix("sqlite://").unwrap_or(&url)),
        _ => Err(format!("no enabled backend has URLs such as `{url}`").into()),
    }
}
