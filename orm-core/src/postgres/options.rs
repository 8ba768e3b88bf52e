//! What a connection is told: read from its URL, from the environment as libpq has it, and from the pool's settings.
//!
//! `options/given.rs` is what is said and where, `options/environment.rs` the environment, `options/hosts.rs` the
//! servers, `options/security.rs` what is asked of them, `options/password_file.rs` libpq's file of passwords.

mod environment;
mod given;
mod hosts;
mod password_file;
mod security;
#[cfg(test)]
mod tests;

use std::{fmt, path::PathBuf, time::Duration};

use socket2::TcpKeepalive;

pub(crate) use self::environment::Environment;
use self::given::Given;
pub(super) use self::{
    hosts::Host,
    security::{ChannelBinding, Security, SslMode},
};
use crate::{
    database::{
        Settings,
        disclosure::check_database,
        milliseconds,
        option::Said,
        url::{DatabaseUrl, configuration},
    },
    error::Result,
    net::{
        socket::{TcpSettings, Timeouts},
        statements::KEPT,
        tls::TlsSettings,
    },
};

/// What a connection is told.
#[derive(Clone)]
pub(crate) struct Options {
    /// At least one.
    pub(super) hosts: Vec<Host>,
    /// The host where none is named, which the password file calls `localhost`.
    usual_host: String,
    pub(super) user: String,
    password: Option<String>,
    password_file: Option<PathBuf>,
    pub(super) database: String,
    pub(super) security: Security,
    pub(super) timeouts: Timeouts,
    pub(super) tcp: TcpSettings,
    /// The servers are tried in any order.
    pub(super) any_order: bool,
    pub(super) wanted: Wanted,
    /// What the session begins with, beside the user's and the database's names.
    pub(super) parameters: Vec<(&'static str, String)>,
    /// How many prepared statements are kept; none where what stands before the server cannot tell sessions apart.
    pub(super) statement_cache_size: usize,
}

/// Which of the servers is wanted (`target_session_attrs`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    PreferStandby,
}

const WANTED: &[(&str, Wanted)] = &[
    ("any", Wanted::Any),
    ("read-write", Wanted::ReadWrite),
    ("read-only", Wanted::ReadOnly),
    ("primary", Wanted::Primary),
    ("standby", Wanted::Standby),
    ("prefer-standby", Wanted::PreferStandby),
];

impl Options {
    /// # Errors
    ///
    /// If the URL is not right, or the environment; nothing is sent anywhere.
    pub(crate) fn new(url: &DatabaseUrl, settings: &Settings) -> Result<Self> {
        Self::read(url, settings, &Environment::of_process())
    }

    pub(crate) fn read(url: &DatabaseUrl, settings: &Settings, environment: &Environment<'_>) -> Result<Self> {
        let given = Given::new(url, environment)?;
        let Some(user) = given.text("user").or_else(|| environment.user()) else {
            return Err(configuration("no user is named, by the URL or by the environment"));
        };
        let any_order = given.choice("load_balance_hosts", &[("disable", false), ("random", true)])?.unwrap_or(false);
        let password_file = match given.text("passfile") {
            Some(path) => Some(path.into()),
            None => environment.password_file(),
        };
        let duration = |name| given.in_url(name).as_ref().map(Said::duration).transpose();
        let database = given.text("dbname").unwrap_or_else(|| user.clone());
        check_database(&database)?;
        Ok(Options {
            hosts: hosts::read(&given)?,
            usual_host: environment.host(),
            database,
            password: given.text("password"),
            password_file,
            security: Security::read(&given)?,
            timeouts: Timeouts {
                connect: connect_timeout(&given, settings)?,
                read: duration("read_timeout")?,
                write: duration("write_timeout")?,
            },
            tcp: tcp(&given, any_order)?,
            any_order,
            wanted: given.choice("target_session_attrs", WANTED)?.unwrap_or(Wanted::Any),
            parameters: parameters(&given, settings)?,
            statement_cache_size: match given.number("statement_cache_size")? {
                Some(number) => usize::try_from(number).unwrap_or(usize::MAX),
                None => KEPT,
            },
            user,
        })
    }

    pub(super) fn tls(&self) -> &TlsSettings {
        &self.security.tls
    }

    /// The password for this server: the one that is given, or else the password file's.
    ///
    /// # Errors
    ///
    /// Why the password file is passed over, in words.
    pub(super) fn password(&self, host: &Host) -> Result<Option<String>, String> {
        match (&self.password, &self.password_file) {
            (Some(password), _) => Ok(Some(password.clone())),
            (None, None) => Ok(None),
            (None, Some(file)) => {
                let wanted = password_file::Wanted {
                    host: host.name_in_password_file(&self.usual_host),
                    port: host.port,
                    database: &self.database,
                    user: &self.user,
                };
                password_file::look_up(file, &wanted)
            }
        }
    }
}

/// Zero is no limit, as in libpq. What the program says goes before the environment.
fn connect_timeout(given: &Given<'_>, settings: &Settings) -> Result<Option<Duration>> {
    let said = match (given.in_url("connect_timeout"), settings.connect_timeout) {
        (Some(said), _) => Some(said),
        (None, Some(limit)) => return Ok(Some(limit)),
        (None, None) => given.in_environment("connect_timeout"),
    };
    let Some(said) = said else { return Ok(Some(settings.connect_timeout())) };
    match said.seconds() {
        Some(limit) => Ok((!limit.is_zero()).then_some(limit)),
        None => Err(said.wrong("is a number of seconds, such as `10` or `0.5`; `0` waits for ever")),
    }
}

/// What is not said is as for other servers; zero leaves it to the system, as in libpq.
fn tcp(given: &Given<'_>, any_order: bool) -> Result<TcpSettings> {
    let mut tcp = TcpSettings { any_order, ..TcpSettings::default() };
    let seconds = |name| given.number(name).map(|number| number.map(|number| Duration::from_secs(number.into())));
    let (idle, interval) = (seconds("keepalives_idle")?, seconds("keepalives_interval")?);
    let count = given.number("keepalives_count")?;
    if given.choice("keepalives", &[("1", true), ("0", false)])? == Some(false) {
        tcp.keepalive = None;
    } else if idle.or(interval).is_some() || count.is_some() {
        let mut keepalive = TcpKeepalive::new();
        if let Some(idle) = idle.or(Some(TcpSettings::IDLE)).filter(|idle| !idle.is_zero()) {
            keepalive = keepalive.with_time(idle);
        }
        if let Some(interval) = interval.or(Some(TcpSettings::INTERVAL)).filter(|interval| !interval.is_zero()) {
            keepalive = keepalive.with_interval(interval);
        }
        #[cfg(unix)]
        if let Some(count) = count.filter(|count| *count != 0) {
            keepalive = keepalive.with_retries(count);
        }
        tcp.keepalive = Some(keepalive);
    }
    if let Some(limit) = given.number("tcp_user_timeout")? {
        tcp.unacknowledged = (limit != 0).then(|| Duration::from_millis(limit.into()));
    }
    Ok(tcp)
}

/// What the session begins with. The server takes these after the command-line `options`, so that what results are read
/// by is as it must be; and of the limits, those that `options` sets are left to it.
fn parameters(given: &Given<'_>, settings: &Settings) -> Result<Vec<(&'static str, String)>> {
    if let Some(said) = given.in_url("client_encoding")
        && !["", "auto", "utf8", "utf-8", "unicode"].contains(&said.value.to_lowercase().as_str())
    {
        return Err(said.wrong("is `UTF8`: texts here are in no other encoding"));
    }
    let mut parameters = Vec::from(
        [("client_encoding", "UTF8"), ("DateStyle", "ISO"), ("TimeZone", "UTC")].map(|(n, v)| (n, v.to_owned())),
    );
    let name = match (given.in_url("application_name"), &settings.application_name) {
        (Some(said), _) => Some(said.value.into_owned()),
        (None, Some(name)) => Some(name.clone()),
        (None, None) => given.in_environment("application_name").map(|said| said.value.into_owned()),
    };
    parameters.extend(name.or_else(|| given.text("fallback_application_name")).map(|name| ("application_name", name)));
    let options = given.text("options");
    let set = options.as_deref().map(set_by_options).unwrap_or_default();
    let limits = [("statement_timeout", settings.statement_timeout), ("lock_timeout", settings.lock_timeout)];
    for (name, limit) in limits {
        if let Some(limit) = limit
            && !set.iter().any(|set| set == name)
        {
            parameters.push((name, milliseconds(limit).to_string()));
        }
    }
    parameters.extend(options.map(|options| ("options", options)));
    Ok(parameters)
}

/// The settings that command-line options name: `-c name=value`, `-cname=value` or `--name=value`. Spaces separate them,
/// but for those after a backslash.
fn set_by_options(options: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut characters = options.chars();
    while let Some(c) = characters.next() {
        match (c, words.last_mut()) {
            (c, _) if c.is_ascii_whitespace() => words.push(String::new()),
            ('\\', Some(word)) => word.extend(characters.next()),
            (c, Some(word)) => word.push(c),
            (_, None) => {}
        }
    }
    words.retain(|word| !word.is_empty());
    let mut set = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let setting = match word.strip_prefix("-c").or_else(|| word.strip_prefix("--")) {
            Some("") => words.next().map(String::as_str),
            other => other,
        };
        set.extend(
            setting.and_then(|setting| setting.split_once('=')).map(|(name, _)| name.to_lowercase().replace('-', "_")),
        );
    }
    set
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("hosts", &self.hosts)
            .field("user", &self.user)
            .field("database", &self.database)
            .field("security", &self.security)
            .finish_non_exhaustive()
    }
}
