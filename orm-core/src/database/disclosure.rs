//! Decides which parts of a database URL may appear in errors and logs.
//!
//! A password that is not escaped ends up in any part of the URL: in the host, the database, an option's name or its value.
//! So text of the URL is shown only if it is a known word (a scheme, an option's name), or stands in a URL whose user and
//! password end unambiguously. All other errors name the part and its place, not its text.

use super::url::configuration;
use crate::error::{Error, Result};

/// Schemes of other databases, which are shown when they are refused.
const FOREIGN_SCHEMES: &[&str] = &[
    "cockroach",
    "cockroachdb",
    "db2",
    "duckdb",
    "file",
    "firebird",
    "http",
    "https",
    "jdbc",
    "libsql",
    "mongodb",
    "mssql",
    "oracle",
    "redis",
    "snowflake",
    "sqlite3",
    "sqlserver",
    "tcp",
    "unix",
];

/// The largest number of edits between a misspelt word and the known word that was meant.
const TYPING_ERRORS: usize = 2;

/// The characters that have a meaning in URLs, and how they are written where they have none.
const ESCAPES: &str = "write `@` as `%40`, `/` as `%2F`, `?` as `%3F`, `#` as `%23` and `:` as `%3A`";

/// The error for a scheme that is none of `known`. It shows the text only if it is certainly a scheme.
pub(super) fn unknown_scheme(text: &str, known: &[&str]) -> Error {
    let is_scheme = FOREIGN_SCHEMES.contains(&text) || closest(text, known).is_some();
    let shown = if is_scheme { format!(" `{text}`") } else { String::new() };
    let known: Vec<_> = known.iter().map(|scheme| format!("`{scheme}`")).collect();
    configuration(format!("unknown scheme{shown} in the database URL; the schemes are {}", known.join(", ")))
}

/// The error for an option that is none of `known`: it names the known option that was probably meant.
///
/// The option's own name is shown if it is a plain word, and a password cannot reach so far (`is_after_password`).
pub(super) fn unknown_option(name: &str, place: usize, known: &[&str], is_after_password: bool) -> Error {
    let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let shown = if is_word && is_after_password { format!("`{name}`") } else { format!("number {place}") };
    let hint = match closest(name, known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("the options are {}", known.join(", ")),
    };
    configuration(format!("unknown option {shown} in the database URL; {hint}"))
}

/// The known word that was probably meant.
fn closest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    // Distances are of no interest for long texts, and take time that grows with the square.
    let most = known.iter().map(|known| known.len()).max().unwrap_or(0) + TYPING_ERRORS;
    if word.len() > most {
        return None;
    }
    let (distance, meant) = known.iter().map(|known| (distance(word, known), *known)).min()?;
    (distance <= TYPING_ERRORS).then_some(meant)
}

/// Refuses a server's URL in which the user and the password may end elsewhere than at its first `@`.
///
/// `rest` is what follows `scheme://`.
pub(super) fn check_user_info(rest: &str) -> Result<()> {
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let in_authority = authority.matches('@').count();
    if in_authority > 1 || rest.matches('@').count() > in_authority {
        return Err(configuration(format!(
            "the database URL has an `@` behind the one that ends the user and the password, or a character in the user \
             or the password that ends them before it. Such characters must be escaped everywhere in the URL: {ESCAPES}"
        )));
    }
    Ok(())
}

/// Refuses a SQLite URL that has a user and a password, as only servers' URLs do. `path` is as it stands in the URL.
pub(super) fn check_path(path: &str) -> Result<()> {
    let has_drive =
        path.as_bytes().get(1) == Some(&b':') && path.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    let path = if has_drive { &path[2..] } else { path };
    if path.starts_with('/') || !is_like_user_info(path) {
        return Ok(());
    }
    Err(configuration(
        "a SQLite URL names a file, and this one seems to name a user, a password and a host. In the name of a file, write \
         `@` as `%40` and `:` as `%3A`",
    ))
}

/// Refuses a user's name that holds the password as well.
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(super) fn check_user(user: &str, has_password: bool) -> Result<()> {
    if has_password || !user.contains(':') {
        return Ok(());
    }
    Err(configuration(
        "the user in the database URL has an escaped `:`, and there is no password; the `:` between user and password is \
         not escaped",
    ))
}

/// Refuses a host whose name cannot be one, and may be a user and a password.
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) fn check_host(host: &str) -> Result<()> {
    use std::net::Ipv6Addr;

    let without_zone = host.split_once('%').map_or(host, |(address, _)| address);
    let is_name = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "-._".contains(c));
    // PostgreSQL's hosts may be folders of sockets.
    let is_folder = host.starts_with('/') && !host.contains('@');
    if is_name(host) || is_folder || without_zone.parse::<Ipv6Addr>().is_ok() {
        return Ok(());
    }
    Err(configuration(format!(
        "a host of the database has a character that no host's name has. If it belongs to the user or the password, it must \
         be escaped: {ESCAPES}; the `:` between them and the `@` behind them are not escaped"
    )))
}

/// Refuses a database's name that is a URL, or a part of one.
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) fn check_database(name: &str) -> Result<()> {
    if !name.contains("://") && !is_like_user_info(name) {
        return Ok(());
    }
    Err(configuration(
        "the database's name seems to be a URL with a user and a password; give the name alone, or the URL alone",
    ))
}

/// Whether a text may hold a user and a password before a host.
fn is_like_user_info(text: &str) -> bool {
    text.split_once(':').is_some_and(|(_, rest)| rest.contains('@'))
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
    use std::error::Error as _;

    use proptest::prelude::*;

    use super::*;
    use crate::database::{Settings, url::DatabaseUrl};

    const SECRET: &str = "hunter2";

    /// Every text that connecting by the URL shows before anything is sent; `Ok` if it would be sent.
    fn texts(url: &str) -> std::result::Result<String, String> {
        let chain = |error: Error| {
            let mut text = format!("{error} {error:?} {error:#?}");
            let mut cause = error.source();
            while let Some(source) = cause {
                text.push_str(&format!(" {source} {source:?}"));
                cause = source.source();
            }
            text
        };
        let parsed = DatabaseUrl::parse(url).map_err(chain)?;
        let settings = Settings::default();
        let mut shown = format!("{parsed:?} {parsed:#?}");
        let result: Result<String> = match url {
            #[cfg(feature = "mysql")]
            url if url.starts_with("mysql") || url.starts_with("mariadb") => {
                crate::mysql::Options::new(&parsed, &settings).map(|options| format!("{options:?}"))
            }
            #[cfg(feature = "postgres")]
            url if !url.starts_with("sqlite") => {
                crate::postgres::Options::new(&parsed, &settings).map(|options| format!("{options:?}"))
            }
            _ => parsed.check_options(&["mode"]).map(|()| String::new()),
        };
        match result {
            Ok(options) => {
                shown.push_str(&options);
                Ok(shown)
            }
            Err(error) => Err(shown + &chain(error)),
        }
    }

    #[track_caller]
    fn check(url: &str) -> bool {
        let result = texts(url);
        let is_accepted = result.is_ok();
        let shown = result.unwrap_or_else(|refused| refused);
        assert!(!shown.contains(SECRET), "{url}: {shown}");
        is_accepted
    }

    #[test]
    fn a_password_that_is_not_escaped_is_refused_and_not_shown() {
        let schemes = if cfg!(feature = "mysql") { ["postgres", "mysql"] } else { ["postgres", "postgresql"] };
        for scheme in schemes {
            for rest in [
                "us?er:hunter2@h/d",
                "us?er:hunter2@h/d?sslmode=require",
                "us?er=x:hunter2@h/d",
                "us/er:hunter2@h/d",
                "us/er:hunter2@h/d?sslmode=require",
                "us/er:1@hunter2@h/d",
                "us@er:hunter2@h/d",
                "us:er@hunter2@h/d",
                "me:pa?ss=hunter2@h/d",
                "me:12?hunter2=x@h/d",
                "me:12/hunter2?user=x@h/d",
                "me:pa/hunter2@h/d",
                "me:pa@hunter2@h/d",
                "me:hunter2/d",
                "me:/hunter2%40h/d",
                "me:9/hunter2?a%40h/d",
                "me%3Ahunter2@h/d",
                "me%3Ahunter2%40h/d",
                "me%3Ahunter2%40h%2Fd",
                "//me:hunter2@h/d",
                "//me%3Ahunter2%40h/d",
                "h/postgres:%2F%2Fme:hunter2%40h",
                "h/d?hunter2=1",
                "h/d?hunter2=1&hunter2=1",
            ] {
                assert!(!check(&format!("{scheme}://{rest}")), "{scheme}://{rest}");
            }
            for rest in ["us#er:hunter2@h/d", "me:er:hunter2@h/d", "me:hunter2#@h/d", "me:%3F%2F%40hunter2@h/d"] {
                assert!(check(&format!("{scheme}://{rest}")), "{scheme}://{rest}");
            }
        }
        for url in [
            "me:hunter2@h/d",
            "hunter2:x@h/d",
            "hunter2://h/d",
            "postgres:/me:hunter2@h/d",
            "postgres//me:hunter2@h/d",
            "sqlite://me:hunter2@h/d",
            "sqlite://us?er:hunter2@h/d=1",
            "password=pa hunter2=x host=h",
            "password=pa hunter2 host=h",
            "host=me:hunter2@h",
            "host=h dbname=postgres://me:hunter2@h/d",
            "DATABASE_URL=postgres://me:hunter2@h/d",
            "host=h sslmode=hunter2",
            "host=h port=hunter2",
            "host=h sslpassword=hunter2",
            "host=h password=x sslmode=require sslcert=/c sslkey='-----BEGIN PRIVATE KEY----- hunter2'",
        ] {
            assert!(!check(url), "{url}");
        }
    }

    /// Some text of a user or a password, each character of which is escaped or not.
    fn part() -> impl Strategy<Value = String> {
        let characters = prop::sample::select("?#/@:%&=, '\\[]+;!aZ09é".chars().collect::<Vec<_>>());
        prop::collection::vec((characters, any::<bool>()), 0..5).prop_map(|characters| {
            characters.into_iter().fold(String::new(), |mut out, (c, is_escaped)| {
                let mut buffer = [0; 4];
                let text = c.encode_utf8(&mut buffer);
                out.push_str(&if is_escaped { crate::database::url::encode(text, "") } else { text.to_owned() });
                out
            })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_url_shows_its_password(
            scheme in prop::sample::select(vec!["postgres://", "postgresql://", "mysql://", "mariadb://", "postgers://", "postgres:/", "//", ""]),
            user in part(),
            before in part(),
            after in part(),
            colon in prop::sample::select(vec![":", ":", ":", "%3A", "::"]),
            at in prop::sample::select(vec!["@", "@", "@@"]),
            rest in prop::sample::select(vec!["h", "h/d", "h:1/d", "h,i:2/d", "[::1]/d?sslmode=require", "h/d?a=1", "/d", ""]),
        ) {
            // Without an `@` that is not escaped there is no password by the rules of URLs: only common mistakes of that kind
            // are noticed, and stand in the test above. So it is with an escaped `:` before one that is not.
            prop_assume!(colon != "%3A" || ![&user, &before, &after].iter().any(|part| part.contains(':')));
            check(&format!("{scheme}{user}{colon}{before}{SECRET}{after}{at}{rest}"));
        }

        #[test]
        fn no_pair_shows_its_password(before in part(), after in part(), quote in prop::sample::select(vec!["'", ""])) {
            check(&format!("host=h password={quote}{before}{SECRET}{after}{quote} user=me"));
            check(&format!("host=h user=me password={quote}{before}{SECRET}{after}"));
        }
    }
}
