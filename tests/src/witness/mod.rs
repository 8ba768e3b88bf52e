//! The witness: plain connections that orm-core knows nothing of.

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod by_diesel;
#[cfg(feature = "mysql")]
mod mysql;

use orm_core::BackendKind;

/// What a witness answers; an error is told as text.
pub(crate) type Answer<T> = Result<T, String>;

/// The only column of a query, each value as text.
pub(crate) fn texts(backend: BackendKind, url: &str, sql: &str) -> Answer<Vec<Option<String>>> {
    match backend {
        #[cfg(feature = "postgres")]
        BackendKind::Postgres => by_diesel::texts(&mut by_diesel::postgres(url)?, sql),
        #[cfg(feature = "mysql")]
        BackendKind::Mysql => mysql::texts(url, sql),
        #[cfg(feature = "sqlite")]
        BackendKind::Sqlite => by_diesel::texts(&mut by_diesel::sqlite(url)?, sql),
        other => unreachable!("no test runs on {other}"),
    }
}

/// Runs one or more statements.
pub(crate) fn execute(backend: BackendKind, url: &str, sql: &str) -> Answer<()> {
    match backend {
        #[cfg(feature = "postgres")]
        BackendKind::Postgres => by_diesel::execute(&mut by_diesel::postgres(url)?, sql),
        #[cfg(feature = "mysql")]
        BackendKind::Mysql => mysql::execute(url, sql),
        #[cfg(feature = "sqlite")]
        BackendKind::Sqlite => by_diesel::execute(&mut by_diesel::sqlite(url)?, sql),
        other => unreachable!("no test runs on {other}"),
    }
}

/// A connection of the witness's that is kept, for tests that run thousands of statements by hand.
pub struct Witness(Connection);

enum Connection {
    #[cfg(feature = "postgres")]
    Postgres(Box<diesel::PgConnection>),
    #[cfg(feature = "mysql")]
    Mysql(Box<::mysql::Conn>),
    #[cfg(feature = "sqlite")]
    Sqlite(Box<diesel::SqliteConnection>),
}

impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Witness").finish_non_exhaustive()
    }
}

impl Witness {
    pub(crate) fn connect(backend: BackendKind, url: &str) -> Answer<Self> {
        Ok(Witness(match backend {
            #[cfg(feature = "postgres")]
            BackendKind::Postgres => Connection::Postgres(Box::new(by_diesel::postgres(url)?)),
            #[cfg(feature = "mysql")]
            BackendKind::Mysql => Connection::Mysql(Box::new(mysql::connect(url)?)),
            #[cfg(feature = "sqlite")]
            BackendKind::Sqlite => Connection::Sqlite(Box::new(by_diesel::sqlite(url)?)),
            other => unreachable!("no test runs on {other}"),
        }))
    }

    /// Runs one or more statements.
    ///
    /// # Errors
    ///
    /// What the database reports.
    pub fn try_execute(&mut self, sql: &str) -> Result<(), String> {
        match &mut self.0 {
            #[cfg(feature = "postgres")]
            Connection::Postgres(connection) => by_diesel::execute(&mut **connection, sql),
            #[cfg(feature = "mysql")]
            Connection::Mysql(connection) => mysql::execute_on(connection, sql),
            #[cfg(feature = "sqlite")]
            Connection::Sqlite(connection) => by_diesel::execute(&mut **connection, sql),
        }
    }

    /// Runs one or more statements.
    ///
    /// # Panics
    ///
    /// If one fails.
    pub fn execute(&mut self, sql: &str) {
        must(sql, self.try_execute(sql));
    }

    /// The only column of a query, each value as text.
    ///
    /// # Panics
    ///
    /// If the query fails.
    pub fn texts(&mut self, sql: &str) -> Vec<Option<String>> {
        let answer = match &mut self.0 {
            #[cfg(feature = "postgres")]
            Connection::Postgres(connection) => by_diesel::texts(&mut **connection, sql),
            #[cfg(feature = "mysql")]
            Connection::Mysql(connection) => mysql::texts_on(connection, sql),
            #[cfg(feature = "sqlite")]
            Connection::Sqlite(connection) => by_diesel::texts(&mut **connection, sql),
        };
        must(sql, answer)
    }
}

/// What was answered to this SQL, without which the test makes no sense.
pub(crate) fn must<T>(sql: &str, answer: Answer<T>) -> T {
    answer.unwrap_or_else(|error| panic!("`{sql}` failed: {error}"))
}
