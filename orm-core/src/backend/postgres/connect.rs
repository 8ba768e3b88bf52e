//! Connecting to PostgreSQL: what libpq is told, and what its refusals mean.

use diesel::{Connection, ConnectionError, PgConnection};

use crate::{
    backend::BackendKind,
    database::{
        Settings, milliseconds,
        pool::Target,
        url::{DatabaseUrl, Scheme, encode},
    },
    error::{Error, ErrorKind, Result, Text},
};

/// libpq's options that may stand in a URL (PostgreSQL's documentation, "Parameter Key Words").
const OPTIONS: &[&str] = &[
    "application_name",
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "dbname",
    "fallback_application_name",
    "gssdelegation",
    "gssencmode",
    "gsslib",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "load_balance_hosts",
    "options",
    "passfile",
    "password",
    "port",
    "require_auth",
    "requirepeer",
    "service",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcert",
    "sslcertmode",
    "sslcompression",
    "sslcrl",
    "sslcrldir",
    "sslkey",
    "sslmode",
    "sslnegotiation",
    "sslpassword",
    "sslrootcert",
    "sslsni",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];

/// The URL with what the settings add to it; what stands in the URL goes before the settings.
pub(super) fn target(url: &DatabaseUrl, settings: &Settings) -> Result<Target> {
    url.expect(Scheme::Postgres)?;
    url.check_options(OPTIONS)?;
    let mut options = url.options().to_vec();
    let mut add = |name: &str, value: String| {
        if !options.iter().any(|(known, _)| known == name) {
            options.push((name.to_owned(), value));
        }
    };
    // libpq counts whole seconds and takes 1 for 2.
    add("connect_timeout", settings.connect_timeout().as_secs().max(2).to_string());
    if let Some(name) = &settings.application_name {
        add("application_name", name.clone());
    }
    let limits: Vec<String> =
        [("statement_timeout", settings.statement_timeout), ("lock_timeout", settings.lock_timeout)]
            .into_iter()
            .filter_map(|(name, limit)| limit.map(|limit| format!("-c {name}={}", milliseconds(limit))))
            .collect();
    if !limits.is_empty() {
        match options.iter_mut().find(|(name, _)| name == "options") {
            Some((_, given)) => *given = format!("{} {given}", limits.join(" ")),
            None => options.push(("options".to_owned(), limits.join(" "))),
        }
    }
    let query: Vec<String> = options.iter().map(|(name, value)| format!("{name}={}", encode(value, "/"))).collect();
    Ok(Target { address: format!("{}?{}", url.base(), query.join("&")), url: url.clone(), in_memory: false })
}

pub(super) fn establish(target: &Target) -> Result<PgConnection> {
    PgConnection::establish(&target.address).map_err(|error| {
        let text = match error {
            ConnectionError::BadConnection(text) | ConnectionError::InvalidConnectionUrl(text) => text,
            other => other.to_string(),
        };
        let (kind, sentence) = meaning(&text);
        Error::new(kind, sentence).on_backend(BackendKind::Postgres).with_source(Text(target.url.redact(text.trim())))
    })
}

/// libpq gives no code, so its English sentences are looked for; without one of them the sentence is a general one.
fn meaning(text: &str) -> (ErrorKind, &'static str) {
    const MEANINGS: &[(&str, ErrorKind, &str)] = &[
        ("password authentication failed", ErrorKind::Connection, "the server refused the user name or the password"),
        ("no password supplied", ErrorKind::Connection, "the server wants a password and the URL has none"),
        ("pg_hba.conf", ErrorKind::Connection, "the server accepts no such user from this address"),
        ("too many clients", ErrorKind::Connection, "the server has no room for another connection"),
        ("too many connections", ErrorKind::Connection, "the server has no room for another connection"),
        ("database \"", ErrorKind::Connection, "the server has no such database, or the user may not use it"),
        ("role \"", ErrorKind::Connection, "the server has no such user"),
        ("starting up", ErrorKind::Connection, "the server is starting and does not accept connections yet"),
        ("timeout expired", ErrorKind::Connection, "the server did not answer in time"),
        ("could not translate host name", ErrorKind::Connection, "the server's host name is not known"),
        ("Connection refused", ErrorKind::Connection, "the server cannot be reached"),
        ("No such file or directory", ErrorKind::Connection, "the server cannot be reached"),
        ("invalid", ErrorKind::Configuration, "the database URL is not right"),
    ];
    MEANINGS
        .iter()
        .find(|(phrase, ..)| text.contains(phrase))
        .map_or((ErrorKind::Connection, "no connection to the server could be made"), |(_, kind, sentence)| {
            (*kind, *sentence)
        })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn address(url: &str, settings: &Settings) -> String {
        DatabaseUrl::parse(url).and_then(|url| target(&url, settings)).map_or_else(|e| e.to_string(), |t| t.address)
    }

    #[test]
    fn settings_become_options_and_the_url_goes_before_them() {
        let settings = Settings {
            application_name: Some("nightly export".into()),
            statement_timeout: Some(Duration::from_millis(1500)),
            ..Settings::default()
        };
        assert_eq!(
            address("postgres://me@host/db?connect_timeout=3&options=-c%20x%3D1", &settings),
            "postgres://me@host/db?connect_timeout=3&options=-c%20statement_timeout%3D1500%20-c%20x%3D1\
             &application_name=nightly%20export"
        );
    }

    #[test]
    fn an_unknown_option_is_refused() {
        assert!(address("postgres://h/d?ssl_mode=require", &Settings::default()).contains("did you mean `sslmode`?"));
    }
}
