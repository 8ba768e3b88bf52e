//! Connecting to MySQL and MariaDB.

use diesel::{Connection, ConnectionError};

use crate::{
    backend::BackendKind,
    database::{
        Settings,
        pool::Target,
        url::{DatabaseUrl, Scheme, encode},
    },
    error::{Error, ErrorKind, Result, Text},
    mysql::MysqlConnection,
};

pub(super) fn target(url: &DatabaseUrl, _: &Settings) -> Result<Target> {
    url.expect(Scheme::Mysql)?;
    url.check_options(&[])?;
    let query: Vec<String> =
        url.options().iter().map(|(name, value)| format!("{name}={}", encode(value, "/"))).collect();
    Ok(Target { address: format!("{}?{}", url.base(), query.join("&")), url: url.clone(), in_memory: false })
}

pub(super) fn establish(target: &Target, _: &Settings) -> Result<MysqlConnection> {
    MysqlConnection::establish(&target.address).map_err(|error| {
        let text = match error {
            ConnectionError::BadConnection(text) | ConnectionError::InvalidConnectionUrl(text) => text,
            other => other.to_string(),
        };
        Error::new(ErrorKind::Connection, "no connection to the server could be made")
            .on_backend(BackendKind::Mysql)
            .with_source(Text(target.url.redact(text.trim())))
    })
}
