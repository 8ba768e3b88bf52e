//! What a connection is told: read from its URL, and from the pool's settings.

use std::{fmt, time::Duration};

use crate::{
    database::{
        Settings,
        account::Account,
        authority::Authority,
        option::Said,
        url::{DatabaseUrl, Scheme, configuration},
    },
    error::Result,
    net::{
        address::Address,
        socket::Timeouts,
        tls::{TlsMode, TlsSettings},
    },
};

const PORT: u16 = 3306;

/// The options that may stand in a URL.
const OPTIONS: &[&str] = &[
    "compress",
    "connect_timeout",
    "enable_cleartext_plugin",
    "read_timeout",
    "ssl_ca",
    "ssl_cert",
    "ssl_key",
    "ssl_mode",
    "unix_socket",
    "write_timeout",
];

/// The values of `ssl_mode`, as MySQL's own clients call them.
const TLS_MODES: &[(&str, TlsMode)] = &[
    ("disabled", TlsMode::Disabled),
    ("preferred", TlsMode::Preferred),
    ("required", TlsMode::Required),
    ("verify_ca", TlsMode::VerifyCa),
    ("verify_identity", TlsMode::VerifyIdentity),
];

/// What a connection is told.
#[derive(Clone)]
pub(crate) struct Options {
    pub(super) address: Address,
    pub(super) user: String,
    pub(super) password: String,
    pub(super) database: Option<String>,
    pub(super) tls: TlsSettings,
    pub(super) timeouts: Timeouts,
    pub(super) compress: bool,
    /// Whether the password may be sent as it is, where the server asks for that.
    pub(super) cleartext: bool,
    /// Told to the server, whose administrators can see it.
    pub(super) program: Option<String>,
    pub(super) statement_timeout: Option<Duration>,
    pub(super) lock_timeout: Option<Duration>,
}

impl Options {
    /// # Errors
    ///
    /// If the URL is not right; nothing is sent anywhere.
    pub(crate) fn new(url: &DatabaseUrl, settings: &Settings) -> Result<Self> {
        url.expect(Scheme::Mysql)?;
        url.check_options(OPTIONS)?;
        let option = |name: &str| url.option(name);
        let switch = |name| url.said(name).map_or(Ok(false), |said| said.switch());
        let duration = |name| url.said(name).as_ref().map(Said::duration).transpose();
        let authority = Authority::of(url)?;
        let address = match option("unix_socket") {
            Some("") => return Err(configuration("the URL's option `unix_socket` is the path of a socket")),
            Some(path) => Address::Unix(path.into()),
            None => {
                let [host] = &authority.hosts[..] else {
                    return Err(configuration("a MySQL URL names one host, and this one names several"));
                };
                Address::Tcp {
                    host: host.name.clone().unwrap_or_else(|| "localhost".to_owned()),
                    port: host.port.unwrap_or(PORT),
                }
            }
        };
        let file = |name| url.said(name).as_ref().map(Said::file).transpose();
        let identity = match (file("ssl_cert")?, file("ssl_key")?) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((certificate, key)),
            _ => return Err(configuration("the URL's options `ssl_cert` and `ssl_key` need each other")),
        };
        let mode = url.said("ssl_mode").map(|mode| mode.choice(TLS_MODES)).transpose()?;
        if identity.is_some() && mode.is_none_or(|mode| mode < TlsMode::Required) {
            return Err(configuration(
                "the URL's `ssl_cert` means nothing to a connection that may be made without TLS; add \
                 `ssl_mode=required`, or better `verify_identity`",
            ));
        }
        if option("ssl_ca").is_some() && mode.is_none_or(|mode| mode < TlsMode::VerifyCa) {
            return Err(configuration(
                "the URL's `ssl_ca` means nothing where the server's certificate is not checked; add \
                 `ssl_mode=verify_ca` or `verify_identity`",
            ));
        }
        let tls = TlsSettings {
            mode: mode.unwrap_or_default(),
            authorities: file("ssl_ca")?,
            identity,
            ..TlsSettings::default()
        };
        let timeouts = Timeouts {
            connect: Some(duration("connect_timeout")?.unwrap_or(settings.connect_timeout())),
            read: duration("read_timeout")?,
            write: duration("write_timeout")?,
        };
        Ok(Options {
            address,
            user: authority.user.or_else(|| Account::of(|name| std::env::var(name).ok()).name).unwrap_or_default(),
            password: authority.password.unwrap_or_default(),
            database: authority.database,
            tls,
            timeouts,
            compress: switch("compress")?,
            cleartext: switch("enable_cleartext_plugin")?,
            program: settings.application_name.clone(),
            statement_timeout: settings.statement_timeout,
            lock_timeout: settings.lock_timeout,
        })
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("address", &self.address)
            .field("user", &self.user)
            .field("database", &self.database)
            .field("tls", &self.tls.mode)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(url: &str) -> std::result::Result<Options, String> {
        DatabaseUrl::parse(url)
            .and_then(|url| Options::new(&url, &Settings::default()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn each_option_is_understood() {
        let all = options(
            "mysql://me:secret@db:3307/flights?ssl_mode=VERIFY_IDENTITY&ssl_ca=/ca.pem&ssl_cert=/c.pem&ssl_key=/k.pem\
             &connect_timeout=1&read_timeout=0.5&write_timeout=2&compress=true",
        )
        .expect("this URL is right");
        assert_eq!(all.address, Address::Tcp { host: "db".into(), port: 3307 });
        assert_eq!(
            (all.user.as_str(), all.password.as_str(), all.database.as_deref()),
            ("me", "secret", Some("flights"))
        );
        assert_eq!(all.tls.mode, TlsMode::VerifyIdentity);
        assert_eq!(all.tls.identity, Some(("/c.pem".into(), "/k.pem".into())));
        assert_eq!(all.timeouts.read, Some(Duration::from_millis(500)));
        assert!(all.compress && !all.cleartext);
        assert!(!format!("{all:?}").contains("secret"));
        let socket = options("mariadb://me@localhost/flights?unix_socket=/run/mysqld/mysqld.sock").expect("so is this");
        assert_eq!(socket.address, Address::Unix("/run/mysqld/mysqld.sock".into()));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (option, message) in [
            ("conect_timeout=1", "did you mean `connect_timeout`?"),
            ("ssl_mode=on", "`verify_identity`"),
            ("ssl_ca=/ca.pem", "add `ssl_mode=verify_ca`"),
            ("ssl_mode=required&ssl_cert=/c.pem", "need each other"),
            ("ssl_cert=/c.pem&ssl_key=/k.pem", "ssl_mode=required"),
            ("read_timeout=0", "above zero"),
            ("read_timeout=-1", "above zero"),
            ("read_timeout=soon", "above zero"),
            ("compress=1", "`true` or `false`"),
            ("unix_socket=", "path of a socket"),
        ] {
            let error = options(&format!("mysql://me@host/db?{option}")).expect_err(option);
            assert!(error.contains(message), "{option}: {error}");
        }
    }
}
