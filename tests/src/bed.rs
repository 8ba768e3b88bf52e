//! A database for one test.

use std::fmt;
#[cfg(any(feature = "postgres", feature = "mysql"))]
use std::sync::atomic::{AtomicU64, Ordering};

use orm_core::{BackendKind, Database};

#[cfg(any(feature = "postgres", feature = "mysql"))]
use crate::server::{self, Cleanup};
use crate::witness::{self, Witness};

/// A database that one test has to itself; it is removed with this.
#[derive(Debug)]
pub struct Bed {
    backend: BackendKind,
    url: String,
    /// Whose drop removes the database.
    _home: Box<dyn fmt::Debug + Send + Sync>,
}

impl Bed {
    /// An empty SQLite file in a folder of its own.
    ///
    /// # Panics
    ///
    /// If there is no place for temporary files.
    #[cfg(feature = "sqlite")]
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder is needed for SQLite's file");
        let url = format!("sqlite://{}/test.db", folder.path().display());
        Bed { backend: BackendKind::Sqlite, url, _home: Box::new(folder) }
    }

    /// An empty schema, which is the `search_path` of the URL.
    ///
    /// # Panics
    ///
    /// If there is no server.
    #[cfg(feature = "postgres")]
    pub fn postgres() -> Self {
        let name = unique_name();
        let option = format!("options=-c%20search_path%3D{name}");
        Bed::on_server(
            BackendKind::Postgres,
            &format!("CREATE SCHEMA {name}"),
            |server| with_option(server, &option),
            format!("SET lock_timeout = '5s'; DROP SCHEMA {name} CASCADE"),
        )
    }

    /// A PostgreSQL database of its own, for what a schema does not keep apart.
    ///
    /// # Panics
    ///
    /// If there is no server, or its user may not create databases.
    #[cfg(feature = "postgres")]
    pub fn postgres_database() -> Self {
        Bed::postgres_database_of("")
    }

    /// The same, with options of `CREATE DATABASE`, such as its locale.
    ///
    /// # Panics
    ///
    /// As [`postgres_database`](Self::postgres_database); also if the server does not know the locale.
    #[cfg(feature = "postgres")]
    pub fn postgres_database_of(options: &str) -> Self {
        let name = unique_name();
        Bed::on_server(
            BackendKind::Postgres,
            &format!("CREATE DATABASE {name} {options}"),
            |server| server::with_database(server, &name),
            format!("DROP DATABASE {name} WITH (FORCE)"),
        )
    }

    /// An empty database on the MySQL or MariaDB server.
    ///
    /// # Panics
    ///
    /// If there is no server, or its user may not create databases.
    #[cfg(feature = "mysql")]
    pub fn mysql() -> Self {
        let name = unique_name();
        Bed::on_server(
            BackendKind::Mysql,
            &format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"),
            |server| server::with_database(server, &name),
            // A stream that a test has forgotten keeps a lock for ever.
            format!("SET lock_wait_timeout = 5; DROP DATABASE {name}"),
        )
    }

    #[cfg(any(feature = "postgres", feature = "mysql"))]
    fn on_server(backend: BackendKind, create: &str, url: impl FnOnce(&str) -> String, cleanup: String) -> Self {
        let server = server::url(backend);
        witness::must(create, witness::execute(backend, &server, create));
        Bed { backend, url: url(&server), _home: Box::new(Cleanup { backend, sql: cleanup }) }
    }

    /// The backend, as the URL chooses it.
    pub fn backend(&self) -> BackendKind {
        self.backend
    }

    /// The database's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL with another option: `name=value`, encoded.
    pub fn url_with(&self, option: &str) -> String {
        with_option(&self.url, option)
    }

    /// The database, by its URL.
    ///
    /// # Errors
    ///
    /// As [`orm_core::connect`].
    pub fn db(&self) -> orm_core::Result<Database> {
        orm_core::connect(&self.url)
    }

    /// A connection of the witness's that is kept.
    ///
    /// # Panics
    ///
    /// If none can be opened.
    pub fn witness(&self) -> Witness {
        witness::must("connect", Witness::connect(self.backend, &self.url))
    }

    /// The only column of a query, each value as text, read by a connection of the witness's own.
    ///
    /// # Panics
    ///
    /// If the query fails.
    pub fn texts(&self, sql: &str) -> Vec<Option<String>> {
        witness::must(sql, witness::texts(self.backend, &self.url, sql))
    }

    /// The only value of a query, an integer.
    ///
    /// # Panics
    ///
    /// If the query fails, or there is not one row.
    pub fn number(&self, sql: &str) -> i64 {
        let [Some(number)] = &self.texts(sql)[..] else { panic!("`{sql}` gives no single value") };
        number.parse().unwrap_or_else(|_| panic!("`{sql}` gives `{number}`, which is no integer"))
    }

    /// Runs SQL by a connection of the witness's own.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub fn execute(&self, sql: &str) {
        witness::must(sql, witness::execute(self.backend, &self.url, sql));
    }
}

fn with_option(url: &str, option: &str) -> String {
    format!("{url}{}{option}", if url.contains('?') { '&' } else { '?' })
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
fn unique_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("orm_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
