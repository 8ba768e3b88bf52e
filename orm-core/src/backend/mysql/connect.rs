//! Connecting to MySQL and MariaDB.

use std::sync::Arc;

use crate::{
    backend::BackendKind,
    database::{Settings, pool::Target, url::DatabaseUrl},
    error::{Error, ErrorKind, Result},
    mysql::{MysqlConnection, Options, Version},
};

/// Checks the URL; the connection reads it again by itself.
pub(super) fn target(url: &DatabaseUrl, settings: &Settings) -> Result<Target> {
    Options::new(url, settings)?;
    Ok(Target {
        address: url.base().to_owned(),
        url: url.clone(),
        in_memory: false,
        killer: Arc::default(),
        #[cfg(feature = "sqlite")]
        file: None,
    })
}

pub(super) fn establish(target: &Target, settings: &Settings) -> Result<MysqlConnection> {
    let killer = &target.killer;
    Options::new(&target.url, settings)
        .and_then(|options| MysqlConnection::open(options, killer.clone()))
        .and_then(|connection| check_version(&connection).map(|()| connection))
        .map_err(|error| {
            // The server may have no room for it beside the connection that is kept for kills.
            killer.close();
            error.on_backend(BackendKind::Mysql)
        })
}

/// Fails if the server is too old.
pub(super) fn check_version(connection: &MysqlConnection) -> Result<()> {
    if Version::parse(connection.server_version()).is_supported() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Connection,
        "the server is too old: querysets need MySQL 8.0.17 or MariaDB 10.2.2, or a newer one",
    )
    .on_backend(BackendKind::Mysql))
}
