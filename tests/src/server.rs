//! The servers that tests use: where they are, and SQL for one as a whole.

use orm_core::BackendKind;

use crate::witness;

/// The server that `cargo xtask test` started, or the user named.
///
/// # Panics
///
/// If there is none.
pub(crate) fn url(backend: BackendKind) -> String {
    let (variable, feature) = match backend {
        BackendKind::Postgres => ("ORM_TEST_POSTGRES_URL", "postgres"),
        BackendKind::Mysql => ("ORM_TEST_MYSQL_URL", "mysql"),
        other => unreachable!("{other} has no server"),
    };
    std::env::var(variable).ok().filter(|url| !url.is_empty()).unwrap_or_else(|| {
        panic!(
            "{variable} is not set, so there is no {backend} server to test on: run `cargo xtask test`, which starts \
             one, or set the variable, or switch the feature `{feature}` off"
        )
    })
}

/// The URL with another database.
pub(crate) fn with_database(url: &str, name: &str) -> String {
    let (base, options) = url.split_once('?').map_or((url, None), |(base, options)| (base, Some(options)));
    let authority = base.find("://").map_or(0, |at| at + 3);
    let host = base[authority..].find('/').map_or(base, |slash| &base[..authority + slash]);
    format!("{host}/{name}{}", options.map_or_else(String::new, |options| format!("?{options}")))
}

/// SQL that is run on a server when this is dropped. That it fails is told and passed over.
#[derive(Debug)]
pub(crate) struct Cleanup {
    pub(crate) backend: BackendKind,
    pub(crate) sql: String,
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        if let Err(error) = witness::execute(self.backend, &url(self.backend), &self.sql) {
            log::warn!("`{}` failed: {error}", self.sql);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_gets_another_database() {
        let to = |url| with_database(url, "new");
        assert_eq!(to("mysql://me:word@host:1/old"), "mysql://me:word@host:1/new");
        assert_eq!(to("mysql://host"), "mysql://host/new");
        assert_eq!(to("postgres://host/old?a=/b"), "postgres://host/new?a=/b");
    }
}
