//! Connecting to MySQL and MariaDB.

use crate::{
    backend::BackendKind,
    database::{Settings, pool::Target, url::DatabaseUrl},
    error::{Error, ErrorKind, Result},
    mysql::{MysqlConnection, Options},
};

/// Checks the URL; the connection reads it again by itself.
pub(super) fn target(url: &DatabaseUrl, settings: &Settings) -> Result<Target> {
    Options::new(url, settings)?;
    Ok(Target {
        address: url.base().to_owned(),
        url: url.clone(),
        in_memory: false,
        #[cfg(feature = "sqlite")]
        file: None,
    })
}

pub(super) fn establish(target: &Target, settings: &Settings) -> Result<MysqlConnection> {
    Options::new(&target.url, settings)
        .and_then(MysqlConnection::open)
        .and_then(|connection| check_version(&connection).map(|()| connection))
        .map_err(|error| error.on_backend(BackendKind::Mysql))
}

/// Fails if the server is too old.
pub(super) fn check_version(connection: &MysqlConnection) -> Result<()> {
    if is_supported(connection.server_version()) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Connection,
        "the server is too old: querysets need MySQL 8.0.17 or MariaDB 10.2.2, or a newer one",
    )
    .on_backend(BackendKind::Mysql))
}

/// Whether it has common table expressions, and a collation that compares text by its code points.
fn is_supported(version: &str) -> bool {
    version_of(version) >= if version.contains("MariaDB") { (10, 2, 2) } else { (8, 0, 17) }
}

/// Whether it knows `INSERT … RETURNING`.
pub(super) fn returns_rows(version: &str) -> bool {
    version.contains("MariaDB") && version_of(version) >= (10, 5, 0)
}

fn version_of(version: &str) -> (u32, u32, u32) {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_are_too_old_are_known_by_their_version() {
        for version in ["8.0.17", "8.4.3", "9.0.0-debug", "10.2.2-MariaDB", "11.8.3-MariaDB-ubu2404"] {
            assert!(is_supported(version), "{version}");
        }
        for version in ["5.7.44-log", "8.0.16", "10.2.1-MariaDB", "5.5.68-MariaDB"] {
            assert!(!is_supported(version), "{version}");
        }
    }

    #[test]
    fn mariadb_alone_returns_rows_and_not_in_every_version() {
        assert!(returns_rows("10.5.4-MariaDB-log") && returns_rows("11.8.3-MariaDB-ubu2404"));
        assert!(!returns_rows("10.4.32-MariaDB") && !returns_rows("8.4.3") && !returns_rows("9.0.0-debug"));
    }
}
