//! Connecting to PostgreSQL.

use crate::{
    backend::BackendKind,
    database::{Settings, pool::Target, url::DatabaseUrl},
    error::Result,
    postgres::{Options, PgConnection},
};

/// Checks the URL; the connection reads it again by itself.
pub(super) fn target(url: &DatabaseUrl, settings: &Settings) -> Result<Target> {
    Options::new(url, settings)?;
    Ok(Target {
        address: url.base().to_owned(),
        url: url.clone(),
        in_memory: false,
        #[cfg(feature = "mysql")]
        killer: std::sync::Arc::default(),
        #[cfg(feature = "sqlite")]
        file: None,
    })
}

pub(super) fn establish(target: &Target, settings: &Settings) -> Result<PgConnection> {
    Options::new(&target.url, settings)
        .and_then(PgConnection::open)
        .map_err(|error| error.on_backend(BackendKind::Postgres))
}
