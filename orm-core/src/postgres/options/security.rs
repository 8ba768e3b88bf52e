//! How much is asked of a server before it is told anything: TLS, and ways to log in.

use std::path::{Path, PathBuf};

use super::given::Given;
use crate::{
    database::{option::Said, url::configuration},
    error::Result,
    net::tls::{TlsMode, TlsSettings, Versions},
};

/// libpq's `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SslMode {
    Disable,
    /// TLS where the server takes nothing else.
    Allow,
    /// TLS where the server has it.
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

const SSL_MODES: &[(&str, SslMode)] = &[
    ("disable", SslMode::Disable),
    ("allow", SslMode::Allow),
    ("prefer", SslMode::Prefer),
    ("require", SslMode::Require),
    ("verify-ca", SslMode::VerifyCa),
    ("verify-full", SslMode::VerifyFull),
];

/// The versions of TLS, by their place in time.
const TLS_VERSIONS: &[(&str, u8)] = &[("TLSv1", 10), ("TLSv1.1", 11), ("TLSv1.2", 12), ("TLSv1.3", 13)];

/// How much the server's answers are bound to its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChannelBinding {
    Disable,
    Prefer,
    Require,
}

/// What is asked of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Security {
    pub(crate) mode: SslMode,
    pub(crate) tls: TlsSettings,
    /// TLS begins without asking for it, as PostgreSQL 17 and later can.
    pub(crate) is_direct: bool,
    pub(crate) channel_binding: ChannelBinding,
    pub(crate) ways: Ways,
}

impl Security {
    pub(super) fn read(given: &Given<'_>) -> Result<Self> {
        let roots = Roots::read(given)?;
        let mode = mode(given, &roots)?;
        let (tls_mode, authorities) = match (mode, roots) {
            (SslMode::Disable, _) => (TlsMode::Disabled, None),
            (SslMode::Allow | SslMode::Prefer, Roots::File { said: Some(said), .. }) if said.is_in_url() => {
                return Err(configuration(
                    "the URL's `sslrootcert` means nothing where the server's certificate is not checked; add \
                     `sslmode=verify-full`",
                ));
            }
            (SslMode::Allow | SslMode::Prefer, _) => (TlsMode::Preferred, None),
            // As in libpq, where a file of authorities is there.
            (SslMode::Require, Roots::File { path, .. }) => (TlsMode::VerifyCa, Some(path)),
            (SslMode::Require, _) => (TlsMode::Required, None),
            (SslMode::VerifyCa, Roots::File { path, .. }) => (TlsMode::VerifyCa, Some(path)),
            (SslMode::VerifyCa, _) => {
                return Err(configuration(
                    "`sslmode=verify-ca` needs the file of the authorities that are believed: name it by \
                     `sslrootcert`, or use `verify-full`, for which the system's will do",
                ));
            }
            (SslMode::VerifyFull, Roots::File { path, .. }) => (TlsMode::VerifyIdentity, Some(path)),
            (SslMode::VerifyFull, _) => (TlsMode::VerifyIdentity, None),
        };
        let is_direct = given.choice("sslnegotiation", &[("postgres", false), ("direct", true)])?.unwrap_or(false);
        if is_direct && mode < SslMode::Require {
            return Err(configuration(
                "`sslnegotiation=direct` needs TLS in any case; add `sslmode=require`, or better `verify-full`",
            ));
        }
        let identity = if mode == SslMode::Disable { None } else { identity(given)? };
        let tls = TlsSettings {
            mode: tls_mode,
            authorities,
            identity,
            protocol: Some("postgresql"),
            versions: versions(given)?,
            hides_name: given.choice("sslsni", &[("1", false), ("0", true)])?.unwrap_or(false),
        };
        let bindings = [
            ("disable", ChannelBinding::Disable),
            ("prefer", ChannelBinding::Prefer),
            ("require", ChannelBinding::Require),
        ];
        let channel_binding = given.choice("channel_binding", &bindings)?.unwrap_or(ChannelBinding::Prefer);
        let ways = given.get("require_auth").map(|said| Ways::parse(&said)).transpose()?.unwrap_or(Ways::ANY);
        Ok(Security { mode, tls, is_direct, channel_binding, ways })
    }
}

/// Which authorities are believed.
enum Roots<'a> {
    /// No file is named, and none is in libpq's place.
    None,
    System,
    File {
        path: PathBuf,
        /// `None`: it is in libpq's place.
        said: Option<Said<'a>>,
    },
}

impl<'a> Roots<'a> {
    fn read(given: &Given<'a>) -> Result<Self> {
        Ok(match given.get("sslrootcert") {
            Some(said) if said.value == "system" => Roots::System,
            Some(said) => Roots::File { path: said.file()?, said: Some(said) },
            None => match given.environment.own_file("root.crt").filter(|path| path.exists()) {
                Some(path) => Roots::File { path, said: None },
                None => Roots::None,
            },
        })
    }
}

fn mode(given: &Given<'_>, roots: &Roots<'_>) -> Result<SslMode> {
    let mut mode = given.choice("sslmode", SSL_MODES)?;
    // What PostgreSQL 7 had, and what JDBC has in its URLs.
    let old = given.choice("requiressl", &[("0", false), ("1", true)])?;
    let ssl = given.choice("ssl", &[("true", true)])?;
    if mode.is_none() && (old == Some(true) || ssl.is_some()) {
        mode = Some(SslMode::Require);
    }
    match (mode, roots) {
        (None, Roots::System) => Ok(SslMode::VerifyFull),
        (Some(mode), Roots::System) if mode < SslMode::VerifyFull => Err(configuration(
            "`sslrootcert=system` needs `sslmode=verify-full`: anybody can have a certificate of those authorities for \
             a name of his own",
        )),
        _ => Ok(mode.unwrap_or(SslMode::Prefer)),
    }
}

/// The client's certificate and key: those that are named, or libpq's own where there are such.
fn identity(given: &Given<'_>) -> Result<Option<(PathBuf, PathBuf)>> {
    match given.get("sslcertmode").as_ref().map(|said| (&*said.value, said)) {
        None | Some(("allow", _)) => {}
        Some(("disable", _)) => return Ok(None),
        Some(("require", said)) => {
            return Err(
                said.wrong("is `allow` or `disable`; whether the server looks at a certificate is not known here")
            );
        }
        Some((_, said)) => return Err(said.wrong("is `allow` or `disable`")),
    }
    let file = |name, usual| match given.get(name) {
        Some(said) => said.file().map(Some),
        None => Ok(given.environment.own_file(usual).filter(|path| path.exists())),
    };
    let key_said = given.get("sslkey").is_some();
    match (file("sslcert", "postgresql.crt")?, file("sslkey", "postgresql.key")?) {
        (Some(certificate), Some(key)) => {
            check_key(&key)?;
            Ok(Some((certificate, key)))
        }
        (None, None) => Ok(None),
        // libpq's own key may lie there alone.
        (None, Some(_)) if !key_said => Ok(None),
        _ => Err(configuration("a client's certificate and its key need each other: `sslcert` and `sslkey`")),
    }
}

/// As libpq does: nobody else may read a key; root may let a group read it.
fn check_key(key: &Path) -> Result<()> {
    #[cfg(unix)]
    if let Ok(information) = std::fs::metadata(key) {
        use std::os::unix::fs::MetadataExt;

        let others = if information.uid() == 0 { 0o037 } else { 0o077 };
        if information.mode() & others != 0 {
            return Err(configuration(format!(
                "others than its owner may read the key `{}`; make that `chmod 600`",
                key.display()
            )));
        }
    }
    Ok(())
}

fn versions(given: &Given<'_>) -> Result<Versions> {
    let least = given.choice("ssl_min_protocol_version", TLS_VERSIONS)?.unwrap_or(12);
    let most = given.choice("ssl_max_protocol_version", TLS_VERSIONS)?.unwrap_or(13);
    match (least.max(12), most) {
        (12, 13) => Ok(Versions::Both),
        (12, 12) => Ok(Versions::Only12),
        (13, 13) => Ok(Versions::Only13),
        _ => Err(configuration(
            "of TLS, the versions 1.2 and 1.3 are spoken, and `ssl_min_protocol_version` and \
             `ssl_max_protocol_version` leave none of them",
        )),
    }
}

/// The ways to log in that a server may ask for (`require_auth`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ways {
    /// The password itself.
    pub(crate) password: bool,
    pub(crate) md5: bool,
    pub(crate) scram: bool,
    /// Nothing at all, or a certificate.
    pub(crate) none: bool,
    /// Whether the password itself was named, so that it is sent even where somebody on the way could read it.
    pub(crate) password_was_named: bool,
}

impl Ways {
    const ANY: Ways = Ways { password: true, md5: true, scram: true, none: true, password_was_named: false };
    const NONE: Ways = Ways { password: false, md5: false, scram: false, none: false, password_was_named: false };

    fn parse(said: &Said<'_>) -> Result<Self> {
        let words: Vec<&str> = said.value.split(',').map(str::trim).collect();
        let negative = words.iter().filter(|word| word.starts_with('!')).count();
        if negative != 0 && negative != words.len() {
            return Err(said.wrong("names ways that are taken, or with `!` ways that are not, and no mixture"));
        }
        let is_allowed = negative == 0;
        let mut ways = if is_allowed { Ways::NONE } else { Ways::ANY };
        for (index, word) in words.iter().enumerate() {
            let word = word.trim_start_matches('!');
            match word {
                "password" => ways.password = is_allowed,
                "md5" => ways.md5 = is_allowed,
                "scram-sha-256" => ways.scram = is_allowed,
                "none" => ways.none = is_allowed,
                // Never done here.
                "gss" | "sspi" | "oauth" => {}
                _ => {
                    return Err(said.wrong("is a list of `password`, `md5`, `scram-sha-256` and `none`"));
                }
            }
            if words[..index].iter().any(|other| other.trim_start_matches('!') == word) {
                return Err(said.wrong(&format!("names `{word}` twice")));
            }
        }
        if ways == Ways::NONE {
            return Err(said.wrong(
                "names only ways that are not known here; there are `password`, `md5`, `scram-sha-256` and `none`",
            ));
        }
        Ok(Ways { password_was_named: is_allowed && ways.password, ..ways })
    }
}
