//! Database URLs: which backend they choose, and what is wrong with them, said before anything is sent.

use std::fmt;

#[cfg(any(feature = "postgres", feature = "mysql"))]
use super::option::{Place, Said};
use super::{disclosure, keywords};
use crate::error::{Error, ErrorKind, Result};

/// What the URL's scheme chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Postgres,
    Mysql,
    Sqlite,
}

impl Scheme {
    const KNOWN: &'static [&'static str] = &["postgres", "postgresql", "mysql", "mariadb", "sqlite"];

    fn parse(scheme: &str) -> Option<Self> {
        match scheme {
            "postgres" | "postgresql" => Some(Scheme::Postgres),
            "mysql" | "mariadb" => Some(Scheme::Mysql),
            "sqlite" => Some(Scheme::Sqlite),
            _ => None,
        }
    }

    fn feature(self) -> &'static str {
        match self {
            Scheme::Postgres => "postgres",
            Scheme::Mysql => "mysql",
            Scheme::Sqlite => "sqlite",
        }
    }

    pub(crate) fn feature_is_off(self) -> Error {
        configuration(format!(
            "this program was built without orm-core's feature `{0}`, which a `{0}` URL needs; \
             add it in Cargo.toml: orm-core = {{ features = [\"{0}\"] }}",
            self.feature()
        ))
    }
}

/// The parts of a database URL, or of libpq's `name=value` pairs. Its `Debug` shows no password.
#[doc(hidden)]
#[derive(Clone)]
pub struct DatabaseUrl {
    scheme: Scheme,
    /// The URL up to its `?`; empty for `name=value` pairs.
    base: String,
    /// The options, decoded.
    options: Vec<(String, String)>,
}

impl DatabaseUrl {
    pub(crate) fn parse(url: &str) -> Result<Self> {
        if keywords::are_in(url) {
            // Only libpq has this form.
            let options = keywords::parse(url)?;
            return Ok(DatabaseUrl { scheme: Scheme::Postgres, base: String::new(), options });
        }
        let Some((scheme, rest)) = url.split_once(':') else {
            return Err(configuration(
                "this is no database URL: it has no scheme, such as `postgres://host/name` or `sqlite://path`, and it \
                 is not of the form `host=… dbname=…` either",
            ));
        };
        let scheme = Scheme::parse(scheme).ok_or_else(|| disclosure::unknown_scheme(scheme, Scheme::KNOWN))?;
        let in_memory = scheme == Scheme::Sqlite && rest == ":memory:";
        if !rest.starts_with("//") && !in_memory {
            return Err(configuration("a database URL has `//` after its scheme"));
        }
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        match scheme {
            Scheme::Sqlite if in_memory => {}
            Scheme::Sqlite => disclosure::check_path(&rest[2..])?,
            Scheme::Postgres | Scheme::Mysql => disclosure::check_user_info(&rest[2..])?,
        }
        let mut options = Vec::new();
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let Some((name, value)) = option.split_once('=') else {
                // It may be the rest of a password with a `?` in it.
                return Err(configuration(
                    "an option in the database URL has no value; options are written `?name=value&name=value`, and a \
                     `?` in a password is written `%3F`",
                ));
            };
            options.push((name.to_owned(), decode(value)?));
        }
        Ok(DatabaseUrl { scheme, base: base.to_owned(), options })
    }

    pub(crate) fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Refuses a URL of another backend.
    pub(crate) fn expect(&self, scheme: Scheme) -> Result<()> {
        if self.scheme == scheme {
            return Ok(());
        }
        Err(configuration(format!(
            "this database is fixed to `{}`, and the URL's scheme is `{}`; use `Database` without a backend to choose \
             by URL",
            scheme.feature(),
            self.scheme.feature()
        )))
    }

    /// All before `?`; empty where the text is no URL.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// What follows `scheme:` and its slashes, decoded: for SQLite, the path.
    #[cfg(feature = "sqlite")]
    pub(crate) fn path(&self) -> Result<String> {
        let path = self.base.split_once(':').map_or("", |(_, rest)| rest);
        decode(path.strip_prefix("//").unwrap_or(path))
    }

    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn options(&self) -> &[(String, String)] {
        &self.options
    }

    /// The value of an option.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of an option, with its place.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(crate) fn said(&self, name: &'static str) -> Option<Said<'_>> {
        self.option(name).map(|value| Said { place: Place::Option(name), value: value.into() })
    }

    /// Refuses options that the backend does not know, and those that are given twice.
    pub(crate) fn check_options(&self, known: &[&str]) -> Result<()> {
        for (index, (name, _)) in self.options.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                // SQLite has no passwords; those of servers end with the only `@`.
                let is_after_password = self.scheme == Scheme::Sqlite || self.base.contains('@');
                return Err(disclosure::unknown_option(name, index + 1, known, is_after_password));
            }
            if self.options[..index].iter().any(|(seen, _)| seen == name) {
                return Err(configuration(format!("the URL's option `{name}` stands twice")));
            }
        }
        Ok(())
    }

    /// The URL without its options and without the password, if it is certain where that stands.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    fn shown(&self) -> Option<String> {
        if self.scheme == Scheme::Sqlite {
            return Some(self.base.clone());
        }
        super::authority::Authority::of(self).ok()?;
        let Some((user, hosts)) = self.base.split_once('@') else {
            // A password with a `/` and a `?` in it, before an `@` that is escaped, ends among the options.
            let has_at = self.options.iter().any(|(name, value)| name.contains('@') || value.contains('@'));
            return (!has_at).then(|| self.base.clone());
        };
        // The first `:` is the scheme's.
        let end = user.match_indices(':').nth(1).map_or(user.len(), |(at, _)| at);
        Some(format!("{}:…@{hosts}", &user[..end]))
    }

    #[cfg(not(any(feature = "postgres", feature = "mysql")))]
    fn shown(&self) -> Option<String> {
        (self.scheme == Scheme::Sqlite).then(|| self.base.clone())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.base.is_empty() {
            return match self.shown() {
                Some(shown) => f.write_str(&shown),
                None => write!(f, "{}:…", self.scheme.feature()),
            };
        }
        // The options that would stand before the `?` of a URL, but for the user, who may come with the password.
        let shown: Vec<String> = (self.options.iter())
            .filter(|(name, value)| match name.as_str() {
                "port" => value.bytes().all(|byte| byte.is_ascii_digit() || byte == b','),
                "host" | "hostaddr" | "user" | "dbname" => !value.contains(['@', ':']),
                _ => false,
            })
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        f.write_str(&shown.join(" "))
    }
}

pub(crate) fn configuration(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Configuration, message)
}

/// Percent-decoding (RFC 3986, section 2.1).
pub(crate) fn decode(text: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digit = |at: usize| tail.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(0), digit(1)) else {
            return Err(configuration("a `%` in the database URL is not followed by two hexadecimal digits"));
        };
        bytes.extend(u8::try_from(high * 16 + low));
        rest = &tail[2..];
    }
    String::from_utf8(bytes).map_err(|_| configuration("the database URL's escaped bytes are not UTF-8"))
}

/// Percent-encoding of all but RFC 3986's unreserved characters and those in `keep`.
#[cfg(any(feature = "sqlite", test))]
pub(crate) fn encode(text: &str, keep: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        let c = char::from(byte);
        if byte.is_ascii_alphanumeric() || "-._~".contains(c) || (byte.is_ascii() && keep.contains(c)) {
            out.push(c);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(url: &str, known: &[&str]) -> String {
        match DatabaseUrl::parse(url).and_then(|url| url.check_options(known)) {
            Ok(()) => "fine".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn each_mistake_has_its_own_message() {
        assert!(message("flights.db", &[]).contains("no scheme"));
        assert!(message("oracle://x", &[]).contains("unknown scheme `oracle`"));
        assert!(message("postgers://x", &[]).contains("unknown scheme `postgers`"));
        assert_eq!(message("mysql://h/d", &[]), "fine");
        assert_eq!(message("mariadb://h/d", &[]), "fine");
        assert!(message("postgres:x", &[]).contains("`//` after its scheme"));
        assert!(message("postgres://h/d?sslmode", &[]).contains("has no value"));
        assert_eq!(message("postgres://me:p%40ss@[::1]:5432/db", &[]), "fine");
        assert_eq!(message("postgres://localhost:5432/db?user=me%40example", &["user"]), "fine");
        assert!(message("postgres://h/d?a=1&a=2", &["a"]).contains("`a` stands twice"));
        assert!(message("postgres://h/d?a=%2", &["a"]).contains("two hexadecimal digits"));
        assert!(message("postgres://h/d?conect_timeout=1", &["connect_timeout"]).contains("`connect_timeout`?"));
        assert!(message("postgres://h/d?charset=1", &["a", "b"]).contains("option number 1"));
        assert!(message("postgres://me@h/d?charset=1", &["a", "b"]).contains("unknown option `charset`"));
        assert!(message("sqlite://d?cache=1", &["mode"]).contains("unknown option `cache`"));
        assert_eq!(message("postgres://h/d?connect_timeout=1", &["connect_timeout"]), "fine");
        assert!(message("password=hun ter2 host=h", &[]).contains("not followed"));
        assert!(message("host=a host=b", &["host"]).contains("`host` stands twice"));
    }

    #[test]
    fn a_url_of_another_backend_is_refused_by_its_feature() {
        let error = DatabaseUrl::parse("mariadb://h/d").and_then(|url| url.expect(Scheme::Sqlite));
        let text = error.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(text.contains("is fixed to `sqlite`, and the URL's scheme is `mysql`"), "{text}");
        assert!(Scheme::Mysql.feature_is_off().to_string().contains("features = [\"mysql\"]"));
    }

    #[test]
    fn debug_shows_no_password() {
        let shown = |url| DatabaseUrl::parse(url).map_or_else(|error| error.to_string(), |url| format!("{url:?}"));
        let servers = cfg!(any(feature = "postgres", feature = "mysql"));
        let url = shown("postgres://me:s%40cret@host/name?password=hunter2");
        assert_eq!(url, if servers { "postgres://me:…@host/name" } else { "postgres:…" });
        assert_eq!(shown("postgres://me:hunter2/name"), "postgres:…");
        assert_eq!(shown("sqlite://me@home.db"), "sqlite://me@home.db");
        let keywords = "host=h port=1 password='hun ter2' user=me application_name=hidden sslpassword=x1y2";
        assert_eq!(shown(keywords), "host=h port=1 user=me");
        assert_eq!(shown("host=h user=me:hunter2"), "host=h");
    }

    #[test]
    fn what_is_encoded_decodes() {
        let text = "a b/ü?&%";
        assert_eq!(decode(&encode(text, "/")).ok().as_deref(), Some(text));
        assert_eq!(encode("a/b c", "/"), "a/b%20c");
    }
}
