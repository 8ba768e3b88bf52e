//! A database for one test.

use std::sync::atomic::{AtomicU64, Ordering};

use orm_core::{BackendKind, Database};

use crate::witness;

/// A database that one test has to itself; it is removed with this.
#[derive(Debug)]
pub struct Bed {
    backend: BackendKind,
    url: String,
    /// What is removed at the end.
    trash: Trash,
}

#[derive(Debug)]
enum Trash {
    #[allow(dead_code)] // dropping it removes the folder
    Folder(tempfile::TempDir),
    /// SQL for the server.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    Server(String),
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
        Bed { backend: BackendKind::Sqlite, url, trash: Trash::Folder(folder) }
    }

    /// An empty schema, which is the `search_path` of the URL.
    ///
    /// # Panics
    ///
    /// If there is no server.
    #[cfg(feature = "postgres")]
    pub fn postgres() -> Self {
        let name = unique_name();
        witness::on_server(&format!("CREATE SCHEMA {name}"));
        let url = with_option(&server_url(), &format!("options=-c%20search_path%3D{name}"));
        Bed {
            backend: BackendKind::Postgres,
            url,
            trash: Trash::Server(format!("SET lock_timeout = '5s'; DROP SCHEMA {name} CASCADE")),
        }
    }

    /// A PostgreSQL database of its own, for what a schema does not keep apart.
    ///
    /// # Panics
    ///
    /// If there is no server, or its user may not create databases.
    #[cfg(feature = "postgres")]
    pub fn postgres_database() -> Self {
        let name = unique_name();
        witness::on_server(&format!("CREATE DATABASE {name}"));
        let server = server_url();
        let (base, options) = server.split_once('?').map_or((server.as_str(), None), |(b, o)| (b, Some(o)));
        let host = base.rsplit_once('/').map_or(base, |(host, _)| host);
        let url = format!("{host}/{name}{}", options.map_or_else(String::new, |options| format!("?{options}")));
        Bed { backend: BackendKind::Postgres, url, trash: Trash::Server(format!("DROP DATABASE {name} WITH (FORCE)")) }
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

    /// What is written differently on each backend.
    pub fn pick<'t>(&self, postgres: &'t str, sqlite: &'t str) -> &'t str {
        match self.backend {
            BackendKind::Postgres => postgres,
            _ => sqlite,
        }
    }

    /// The column `value` of a statement, as text, read by a connection of the witness's own.
    ///
    /// # Panics
    ///
    /// If the statement fails.
    pub fn texts(&self, sql: &str) -> Vec<Option<String>> {
        witness::texts(self.backend, &self.url, sql)
    }

    /// The only `value` of a statement, an integer.
    ///
    /// # Panics
    ///
    /// If the statement fails, or there is not one row.
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
        witness::execute(self.backend, &self.url, sql);
    }

    /// Whether other statements may run in a transaction while a stream is open in it.
    pub fn shares_a_connection_with_a_stream(&self) -> bool {
        self.backend == BackendKind::Postgres
    }

    /// Whether text may hold the character NUL.
    pub fn keeps_nul_in_text(&self) -> bool {
        self.backend == BackendKind::Sqlite
    }

    /// Whether dates are kept as text.
    pub fn dates_are_text(&self) -> bool {
        self.backend == BackendKind::Sqlite
    }

    /// Whether a column may hold NaN.
    pub fn keeps_nan(&self) -> bool {
        self.backend == BackendKind::Postgres
    }

    /// Whether NULL is greater than every value where an order does not say.
    pub fn sorts_null_last(&self) -> bool {
        self.backend == BackendKind::Postgres
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        match &self.trash {
            Trash::Folder(_) => {}
            Trash::Server(sql) => {
                #[cfg(feature = "postgres")]
                witness::try_on_server(sql);
                let _ = sql;
            }
        }
    }
}

/// The server that `cargo xtask test` started, or the user named.
///
/// # Panics
///
/// If there is none.
#[cfg(feature = "postgres")]
pub(crate) fn server_url() -> String {
    std::env::var("ORM_TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty()).expect(
        "ORM_TEST_POSTGRES_URL is not set, so there is no PostgreSQL server to test on: run `cargo xtask test`, which \
         starts one, or set the variable, or switch the feature `postgres` off",
    )
}

fn with_option(url: &str, option: &str) -> String {
    format!("{url}{}{option}", if url.contains('?') { '&' } else { '?' })
}

#[cfg_attr(not(feature = "postgres"), allow(dead_code))]
fn unique_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("orm_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
