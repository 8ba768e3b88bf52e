//! What is given, by the URL or else by the environment, and what is refused because it is not done here.

use super::environment::Environment;
use crate::{
    database::{
        authority::Authority,
        option::{Place, Said},
        url::{DatabaseUrl, Scheme, configuration},
    },
    error::Result,
};

/// The options of URLs, and the variables that stand for them ("Parameter Key Words" and "Environment Variables" in
/// PostgreSQL's documentation). The last three are ours.
const OPTIONS: &[(&str, Option<&str>)] = &[
    ("application_name", Some("PGAPPNAME")),
    ("channel_binding", Some("PGCHANNELBINDING")),
    // Ours is UTF-8, whatever programs with libpq like better: the variable is not for us.
    ("client_encoding", None),
    ("connect_timeout", Some("PGCONNECT_TIMEOUT")),
    ("dbname", Some("PGDATABASE")),
    ("fallback_application_name", None),
    ("host", Some("PGHOST")),
    ("hostaddr", Some("PGHOSTADDR")),
    ("keepalives", None),
    ("keepalives_count", None),
    ("keepalives_idle", None),
    ("keepalives_interval", None),
    ("load_balance_hosts", Some("PGLOADBALANCEHOSTS")),
    ("options", Some("PGOPTIONS")),
    ("passfile", Some("PGPASSFILE")),
    ("password", Some("PGPASSWORD")),
    ("port", Some("PGPORT")),
    ("require_auth", Some("PGREQUIREAUTH")),
    ("requiressl", Some("PGREQUIRESSL")),
    ("ssl", None),
    ("ssl_max_protocol_version", Some("PGSSLMAXPROTOCOLVERSION")),
    ("ssl_min_protocol_version", Some("PGSSLMINPROTOCOLVERSION")),
    ("sslcert", Some("PGSSLCERT")),
    ("sslcertmode", Some("PGSSLCERTMODE")),
    ("sslkey", Some("PGSSLKEY")),
    ("sslmode", Some("PGSSLMODE")),
    ("sslnegotiation", Some("PGSSLNEGOTIATION")),
    ("sslrootcert", Some("PGSSLROOTCERT")),
    ("sslsni", Some("PGSSLSNI")),
    ("target_session_attrs", Some("PGTARGETSESSIONATTRS")),
    ("tcp_user_timeout", None),
    ("user", Some("PGUSER")),
    ("read_timeout", None),
    ("statement_cache_size", None),
    ("write_timeout", None),
];

/// An option of libpq's that is not done here.
struct Refused {
    option: &'static str,
    /// Given only where passing over it would make a connection less safe, or another one.
    variable: Option<&'static str>,
    /// The values that ask for no more than is done.
    harmless: &'static [&'static str],
    instead: &'static str,
}

const fn refused(option: &'static str, variable: Option<&'static str>, instead: &'static str) -> Refused {
    Refused { option, variable, harmless: &[], instead }
}

const KERBEROS: &str = "Kerberos (GSSAPI) is not supported; use TLS and a password or a certificate";
const REVOKED: &str = "lists of revoked certificates are not read; leave them to whoever runs the server's authority";
const OAUTH: &str = "logging in by OAuth is not supported; use a password or a certificate";
const KEYS: &str = "logging in by SCRAM's keys is not supported; use the password";
const PROTOCOL: &str = "version 3.0 of the protocol is spoken, which every server since PostgreSQL 7.4 knows";

const REFUSED: &[Refused] = &[
    refused("service", Some("PGSERVICE"), "service files are not read; write what the service's section says here"),
    refused("servicefile", None, "service files are not read; write what the service's section says here"),
    refused("sslcrl", Some("PGSSLCRL"), REVOKED),
    refused("sslcrldir", Some("PGSSLCRLDIR"), REVOKED),
    refused("sslpassword", None, "a key with a password cannot be read; write it without one by `openssl pkey`"),
    refused("sslkeylogfile", None, "the keys of TLS are written nowhere"),
    refused(
        "requirepeer",
        Some("PGREQUIREPEER"),
        "who runs the server behind a Unix socket is not asked for; use TCP with `sslmode=verify-full`",
    ),
    Refused {
        option: "sslcompression",
        variable: Some("PGSSLCOMPRESSION"),
        harmless: &["0"],
        instead: "TLS compresses nothing, because that gives secrets away",
    },
    Refused {
        option: "gssencmode",
        variable: Some("PGGSSENCMODE"),
        harmless: &["disable", "prefer"],
        instead: KERBEROS,
    },
    Refused { option: "gssdelegation", variable: None, harmless: &["0"], instead: KERBEROS },
    refused("gsslib", None, KERBEROS),
    refused("krbsrvname", None, KERBEROS),
    refused("oauth_client_id", None, OAUTH),
    refused("oauth_client_secret", None, OAUTH),
    refused("oauth_issuer", None, OAUTH),
    refused("oauth_scope", None, OAUTH),
    refused("scram_client_key", None, KEYS),
    refused("scram_server_key", None, KEYS),
    Refused {
        option: "min_protocol_version",
        variable: Some("PGMINPROTOCOLVERSION"),
        harmless: &["3.0"],
        instead: PROTOCOL,
    },
    Refused { option: "max_protocol_version", variable: None, harmless: &["3.0", "3.2", "latest"], instead: PROTOCOL },
    Refused {
        option: "replication",
        variable: None,
        harmless: &["false", "off", "no", "0"],
        instead: "replication is not spoken",
    },
];

/// What is given.
pub(super) struct Given<'a> {
    url: &'a DatabaseUrl,
    authority: Authority,
    pub(super) environment: &'a Environment<'a>,
}

impl<'a> Given<'a> {
    /// # Errors
    ///
    /// If the URL is another backend's, is not right, or asks for what is not done here.
    pub(super) fn new(url: &'a DatabaseUrl, environment: &'a Environment<'a>) -> Result<Self> {
        url.expect(Scheme::Postgres)?;
        let known: Vec<_> =
            OPTIONS.iter().map(|(name, _)| *name).chain(REFUSED.iter().map(|refused| refused.option)).collect();
        url.check_options(&known)?;
        for Refused { option, variable, harmless, instead } in REFUSED {
            let said = url.said(option).or_else(|| Self::of_variable((*variable)?, environment));
            if let Some(said) = said.filter(|said| !said.value.is_empty() && !harmless.contains(&&*said.value)) {
                return Err(configuration(format!("{} cannot be done: {instead}", said.place)));
            }
        }
        let authority = Authority::of(url)?;
        let Authority { user, password, database, hosts } = &authority;
        let names = [user, password, database].into_iter().flatten().chain(hosts.iter().flat_map(|host| &host.name));
        if names.chain(url.options().iter().map(|(_, value)| value)).any(|text| text.contains('\0')) {
            return Err(configuration("the database URL has a zero byte in it, which no server takes"));
        }
        Ok(Given { url, authority, environment })
    }

    fn of_variable(name: &'static str, environment: &Environment<'_>) -> Option<Said<'static>> {
        let value = environment.variable(name)?;
        Some(Said { place: Place::Variable(name), value: value.into() })
    }

    /// What the URL says, among its options or before them. As in libpq, an option goes before what stands before it.
    pub(super) fn in_url(&self, name: &'static str) -> Option<Said<'a>> {
        self.url.said(name).or_else(|| {
            let hosts = || self.authority.hosts.iter();
            let joined = |texts: Vec<String>| texts.iter().any(|text| !text.is_empty()).then(|| texts.join(","));
            let value = match name {
                "user" => self.authority.user.clone(),
                "password" => self.authority.password.clone(),
                "dbname" => self.authority.database.clone(),
                "host" => joined(hosts().map(|host| host.name.clone().unwrap_or_default()).collect()),
                "port" => {
                    joined(hosts().map(|host| host.port.map(|port| port.to_string()).unwrap_or_default()).collect())
                }
                _ => None,
            };
            value.map(|value| Said { place: Place::Option(name), value: value.into() })
        })
    }

    /// What the environment says.
    pub(super) fn in_environment(&self, name: &'static str) -> Option<Said<'a>> {
        let (_, variable) = OPTIONS.iter().find(|(known, _)| *known == name)?;
        Self::of_variable((*variable)?, self.environment)
    }

    /// What the URL says, or else the environment. What is empty is not said, as in libpq.
    pub(super) fn get(&self, name: &'static str) -> Option<Said<'a>> {
        debug_assert!(OPTIONS.iter().any(|(known, _)| *known == name), "{name} is no option");
        self.in_url(name).filter(|said| !said.value.is_empty()).or_else(|| self.in_environment(name))
    }

    pub(super) fn text(&self, name: &'static str) -> Option<String> {
        self.get(name).map(|said| said.value.into_owned())
    }

    /// One of several words.
    pub(super) fn choice<T: Copy>(&self, name: &'static str, choices: &[(&str, T)]) -> Result<Option<T>> {
        self.get(name).map(|said| said.choice(choices)).transpose()
    }

    /// A whole number from zero.
    pub(super) fn number(&self, name: &'static str) -> Result<Option<u32>> {
        self.get(name)
            .map(|said| {
                let number = said.value.trim().parse().ok().filter(|number| *number <= i32::MAX.unsigned_abs());
                number.ok_or_else(|| said.wrong("is a whole number, zero or above"))
            })
            .transpose()
    }
}
