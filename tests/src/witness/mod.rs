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

/// What was answered to this SQL, without which the test makes no sense.
pub(crate) fn must<T>(sql: &str, answer: Answer<T>) -> T {
    answer.unwrap_or_else(|error| panic!("`{sql}` failed: {error}"))
}
