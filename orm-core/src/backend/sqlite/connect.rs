//! Opening SQLite databases, and how each connection is set up.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use diesel::{Connection, QueryResult, SqliteConnection, connection::SimpleConnection};

use super::{aggregates, automatic_indexes, collations, file::DatabaseFile, functions, raw};
use crate::{
    backend::BackendKind,
    database::{
        Settings, milliseconds,
        pool::Target,
        url::{DatabaseUrl, Scheme, configuration, encode},
    },
    diesel_error,
    error::{Error, ErrorKind, Result, Text},
};

const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// The URL as one of SQLite's own ("Uniform Resource Identifiers" in its documentation).
pub(super) fn target(url: &DatabaseUrl) -> Result<Target> {
    url.expect(Scheme::Sqlite)?;
    url.check_options(&["mode"])?;
    let path = url.path()?;
    if path == ":memory:" {
        // The VFS `memdb` shares a database between connections by its name, with locks as a file has them.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let address = format!("file:/orm-core-{}?vfs=memdb", NEXT.fetch_add(1, Ordering::Relaxed));
        return Ok(Target {
            address,
            url: url.clone(),
            in_memory: true,
            #[cfg(feature = "mysql")]
            killer: Default::default(),
            file: None,
        });
    }
    if path.is_empty() {
        return Err(configuration("a SQLite URL names a file, as in `sqlite://path/to/file.db`, or `sqlite::memory:`"));
    }
    let mode = url.options().iter().find(|(name, _)| name == "mode").map_or("rwc", |(_, mode)| mode);
    if !matches!(mode, "ro" | "rw" | "rwc") {
        return Err(configuration("a SQLite URL's `mode` is `ro` (read), `rw` (read and write) or `rwc` (and create)"));
    }
    // A pool opens the same file for each connection, whatever the working directory has become.
    let absolute = if cfg!(unix) { std::path::absolute(&path) } else { Ok(path.as_str().into()) };
    let absolute = absolute.map_err(|error| {
        configuration("the path of a SQLite URL is relative, and there is no working directory").with_source(error)
    })?;
    let address = format!("file:{}?mode={mode}", encode(&absolute.to_string_lossy(), "/"));
    let file = Some(DatabaseFile::new(absolute));
    Ok(Target {
        address,
        url: url.clone(),
        in_memory: false,
        #[cfg(feature = "mysql")]
        killer: Default::default(),
        file,
    })
}

pub(super) fn is_read_only(target: &Target) -> bool {
    target.address.ends_with("mode=ro")
}

pub(super) fn establish(target: &Target, settings: &Settings) -> Result<SqliteConnection> {
    let cannot_open = |cause: String| {
        let path = target.url.path().unwrap_or_default();
        Error::new(ErrorKind::Connection, format!("the SQLite database `{path}` cannot be opened"))
            .on_backend(BackendKind::Sqlite)
            .with_source(Text(cause))
    };
    let (connection, registered) = raw::opening(|| SqliteConnection::establish(&target.address));
    let mut connection = connection.map_err(|error| cannot_open(error.to_string()))?;
    let timeout = milliseconds(settings.lock_timeout.unwrap_or(LOCK_TIMEOUT));
    let setup = format!("PRAGMA busy_timeout = {timeout}; PRAGMA foreign_keys = ON;");
    let mut set_up = connection.batch_execute(&setup);
    if !target.in_memory && !is_read_only(target) {
        set_up = set_up.and_then(|()| write_ahead(&mut connection, settings.lock_timeout.unwrap_or(LOCK_TIMEOUT)));
    }
    set_up.map_err(|error| {
        let error = diesel_error::ours(error, BackendKind::Sqlite);
        match error.kind() {
            ErrorKind::LockTimeout => error,
            _ => cannot_open(std::error::Error::source(&error).map_or_else(String::new, ToString::to_string)),
        }
    })?;
    register(&mut connection, registered).map_err(|error| diesel_error::ours(error, BackendKind::Sqlite))?;
    Ok(connection)
}

/// Makes the file's journal a write-ahead log: only with that do readers and writers not wait for each other.
///
/// To change the journal's mode, SQLite begins to read and then to write, and does not wait by `busy_timeout` for another
/// connection that writes at the time, such as one that changes the mode as well.
fn write_ahead(connection: &mut SqliteConnection, timeout: Duration) -> QueryResult<()> {
    let deadline = Instant::now() + timeout;
    let mut pause = Duration::from_millis(1);
    loop {
        match connection.batch_execute("PRAGMA journal_mode = WAL") {
            Err(error) if is_locked(&error) && Instant::now() < deadline => {
                thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(50));
            }
            other => return other,
        }
    }
}

fn is_locked(error: &diesel::result::Error) -> bool {
    diesel_error::kind_of(error, BackendKind::Sqlite) == ErrorKind::LockTimeout
}

/// Registers what SQLite lacks, unless it was registered when the connection was opened.
fn register(connection: &mut SqliteConnection, registered: bool) -> QueryResult<()> {
    functions::register(connection)?;
    if !registered {
        // A SQLite that was built without extensions.
        collations::register(connection)?;
        aggregates::register(connection)?;
    }
    automatic_indexes::turn_off_if_wrong(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> String {
        DatabaseUrl::parse(url).and_then(|url| target(&url)).map_or_else(|e| e.to_string(), |t| t.address)
    }

    #[test]
    fn a_path_becomes_sqlites_own_url() {
        let folder = std::env::current_dir().unwrap_or_default();
        assert_eq!(address("sqlite://flights.db"), format!("file:{}/flights.db?mode=rwc", folder.display()));
        assert_eq!(address("sqlite:///tmp/a%20b%3F.db?mode=ro"), "file:/tmp/a%20b%3F.db?mode=ro");
        assert!(address("sqlite://").contains("names a file"));
        assert!(address("sqlite://x?mode=w").contains("`mode` is"));
        assert!(address("sqlite://x?cache=shared").contains("unknown option `cache`"));
    }

    #[test]
    fn each_database_in_memory_is_its_own() {
        assert_ne!(address("sqlite::memory:"), address("sqlite::memory:"));
    }
}
