//! Database URLs: which backend they choose, and what is wrong with them, said before anything is sent.

use std::fmt;

use super::keywords;
#[cfg(any(feature = "postgres", feature = "mysql"))]
use super::option::{Place, Said};
use crate::error::{Error, ErrorKind, Result};

/// What the URL's scheme chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Postgres,
    Mysql,
    Sqlite,
}

impl Scheme {
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

/// A URL, taken apart; or what libpq takes instead of one. Its `Debug` shows no password.
#[doc(hidden)]
#[derive(Clone)]
pub struct DatabaseUrl {
    scheme: Scheme,
    /// All before `?`; of a text that is no URL, nothing.
    base: String,
    /// The options, decoded.
    options: Vec<(String, String)>,
    /// The password as it stands in the URL, and decoded.
    passwords: Vec<String>,
}

impl DatabaseUrl {
    pub(crate) fn parse(url: &str) -> Result<Self> {
        if keywords::are_in(url) {
            return Self::of_keywords(keywords::parse(url)?);
        }
        let Some((scheme, rest)) = url.split_once(':') else {
            return Err(configuration(
                "this is no database URL: it has no scheme, such as `postgres://host/name` or `sqlite://path`, and it \
                 is not of the form `host=… dbname=…` either",
            ));
        };
        let scheme = Scheme::parse(scheme).ok_or_else(|| {
            let known = "`postgres`, `postgresql`, `mysql`, `mariadb` and `sqlite`";
            if scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) {
                configuration(format!("unknown scheme `{scheme}` in the database URL; the schemes are {known}"))
            } else {
                // Anything else may be a password.
                configuration(format!("unknown scheme in the database URL; the schemes are {known}"))
            }
        })?;
        let in_memory = scheme == Scheme::Sqlite && rest == ":memory:";
        if !rest.starts_with("//") && !in_memory {
            return Err(configuration("a database URL has `//` after its scheme"));
        }
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        if scheme != Scheme::Sqlite && unescaped_password(rest) {
            return Err(configuration(
                "the database URL's password has a character that must be escaped: write `@` as `%40`, `/` as `%2F`, \
                 `?` as `%3F` and `:` as `%3A`",
            ));
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
        each_once(&options)?;
        let passwords = Self::passwords(rest, &options);
        Ok(DatabaseUrl { scheme, base: base.to_owned(), options, passwords })
    }

    /// Only libpq has this form.
    fn of_keywords(options: Vec<(String, String)>) -> Result<Self> {
        each_once(&options)?;
        let passwords = Self::passwords("", &options);
        Ok(DatabaseUrl { scheme: Scheme::Postgres, base: String::new(), options, passwords })
    }

    fn passwords(rest: &str, options: &[(String, String)]) -> Vec<String> {
        let authority = rest.trim_start_matches('/').split(['/', '?']).next().unwrap_or_default();
        let in_authority = authority.rsplit_once('@').and_then(|(user, _)| Some(user.split_once(':')?.1.to_owned()));
        let in_options =
            options.iter().filter(|(name, _)| matches!(name.as_str(), "password" | "sslpassword")).map(|o| o.1.clone());
        let mut all: Vec<String> = in_authority.into_iter().chain(in_options).collect();
        let decoded: Vec<String> = all.iter().filter_map(|password| decode(password).ok()).collect();
        all.extend(decoded);
        all.retain(|password| !password.is_empty());
        all
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

    /// Refuses options that the backend does not know.
    pub(crate) fn check_options(&self, known: &[&str]) -> Result<()> {
        for (name, _) in &self.options {
            if !known.contains(&name.as_str()) {
                let hint = known
                    .iter()
                    .map(|option| (distance(name, option), option))
                    .min()
                    .filter(|(distance, _)| *distance <= 2)
                    .map_or_else(String::new, |(_, option)| format!("; did you mean `{option}`?"));
                return Err(configuration(format!("unknown option `{name}` in the database URL{hint}")));
            }
        }
        Ok(())
    }

    /// The text with every password of this URL taken out.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.passwords.iter().fold(text.to_owned(), |text, password| text.replace(password.as_str(), "…"))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.base.is_empty() {
            return f.write_str(&self.redact(&self.base));
        }
        // What would stand in a URL before its options.
        let shown: Vec<String> = (self.options.iter())
            .filter(|(name, _)| matches!(name.as_str(), "host" | "hostaddr" | "port" | "user" | "dbname"))
            .map(|(name, value)| format!("{name}={}", self.redact(value)))
            .collect();
        f.write_str(&shown.join(" "))
    }
}

fn each_once(options: &[(String, String)]) -> Result<()> {
    for (index, (name, _)) in options.iter().enumerate() {
        if options[..index].iter().any(|(seen, _)| seen == name) {
            return Err(configuration(format!("the URL's option `{name}` stands twice")));
        }
    }
    Ok(())
}

/// Whether a password seems to go on where the URL's syntax has ended it.
fn unescaped_password(rest: &str) -> bool {
    let rest = rest.trim_start_matches('/');
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    // An option's value may well have an `@`; but what follows the last `:` is a port then.
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|digit| digit.is_ascii_digit()));
    let goes_on = rest.split_once('@').is_some_and(|(before, _)| !before.contains('=') || !has_port);
    authority.matches('@').count() > 1 || (!authority.contains('@') && authority.contains(':') && goes_on)
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

/// The number of edits between two words (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let cost = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
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
        assert_eq!(message("mysql://h/d", &[]), "fine");
        assert_eq!(message("mariadb://h/d", &[]), "fine");
        assert!(message("postgres:x", &[]).contains("`//` after its scheme"));
        assert!(message("postgres://h/d?sslmode", &[]).contains("has no value"));
        for password in ["pa?ss", "p@ss", "pa/ss", "pa?a=ss", "pa/a?b=ss"] {
            let message = message(&format!("postgres://me:{password}@host/db"), &[]);
            assert!(message.contains("must be escaped") && !message.contains("ss@"), "{message}");
        }
        assert_eq!(message("postgres://me:p%40ss@[::1]:5432/db", &[]), "fine");
        assert_eq!(message("postgres://localhost:5432/db?user=me@example", &["user"]), "fine");
        assert!(message("postgres://h/d?a=1&a=2", &["a"]).contains("stands twice"));
        assert!(message("postgres://h/d?a=%2", &["a"]).contains("two hexadecimal digits"));
        assert!(message("postgres://h/d?conect_timeout=1", &["connect_timeout"]).contains("`connect_timeout`?"));
        assert_eq!(message("postgres://h/d?connect_timeout=1", &["connect_timeout"]), "fine");
    }

    #[test]
    fn a_url_of_another_backend_is_refused_by_its_feature() {
        let error = DatabaseUrl::parse("mariadb://h/d").and_then(|url| url.expect(Scheme::Sqlite));
        let text = error.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(text.contains("is fixed to `sqlite`, and the URL's scheme is `mysql`"), "{text}");
        assert!(Scheme::Mysql.feature_is_off().to_string().contains("features = [\"mysql\"]"));
    }

    #[test]
    fn no_password_is_shown() {
        let url =
            DatabaseUrl::parse("postgres://me:s%40cret@host/name?password=hunter2").unwrap_or_else(|e| panic!("{e}"));
        let shown = format!("{url:?} {}", url.redact("s@cret s%40cret hunter2 me"));
        assert_eq!(shown, "postgres://me:…@host/name … … … me");
        assert!(!message("pass word://x", &[]).contains("pass word"));
        let keywords = "host=h port=1 password='hun ter2' user=me application_name=hidden sslpassword=x1y2";
        let url = DatabaseUrl::parse(keywords).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(format!("{url:?} {}", url.redact("a hun ter2 x1y2")), "host=h port=1 user=me a … …");
        assert!(message("password=hun ter2 host=h", &[]).contains("not followed"));
        assert!(message("host=a host=b", &[]).contains("`host` stands twice"));
    }

    #[test]
    fn what_is_encoded_decodes() {
        let text = "a b/ü?&%";
        assert_eq!(decode(&encode(text, "/")).ok().as_deref(), Some(text));
        assert_eq!(encode("a/b c", "/"), "a/b%20c");
    }
}
