//! libpq's other way to say where a database is: `host=localhost dbname=flights password='s3 cret'`.

use super::url::configuration;
use crate::error::Result;

/// Whether a text is of this form: it begins with a word and `=`, as no URL does.
pub(super) fn are_in(text: &str) -> bool {
    let text = text.trim_start();
    let name = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    name > 0 && text[name..].trim_start().starts_with('=')
}

/// The pairs ("Keyword/Value Connection Strings" in PostgreSQL's documentation). What is wrong is said without any of
/// the text: whatever stands in it may be a part of the password.
pub(super) fn parse(text: &str) -> Result<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let Some(after) = after.trim_start().strip_prefix('=') else {
            return Err(configuration(
                "a word in the connection string is not followed by `=`; options are written `name=value`, and a value \
                 with spaces in it `name='value'`",
            ));
        };
        let (value, after) = value(after.trim_start())?;
        pairs.push((name.to_owned(), value));
        rest = after.trim_start();
    }
    Ok(pairs)
}

/// A value, which a space or its quote ends, and what follows it. A backslash takes away the next character's meaning.
fn value(text: &str) -> Result<(String, &str)> {
    let quoted = text.strip_prefix('\'');
    let text = quoted.unwrap_or(text);
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => value.extend(characters.next().map(|(_, c)| c)),
            '\'' if quoted.is_some() => return Ok((value, &text[at + 1..])),
            c if c.is_whitespace() && quoted.is_none() => return Ok((value, &text[at..])),
            c => value.push(c),
        }
    }
    match quoted {
        Some(_) => Err(configuration("a quoted value in the connection string has no closing `'`")),
        None => Ok((value, "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From "Keyword/Value Connection Strings", and what libpq's parser does with the rest.
    #[test]
    fn pairs_are_read_as_libpq_reads_them() {
        for (text, pairs) in [
            (
                "host=localhost port=5432 dbname=mydb connect_timeout=10",
                "host=localhost|port=5432|dbname=mydb|connect_timeout=10",
            ),
            ("  host = localhost\n port\t=\t5432  ", "host=localhost|port=5432"),
            ("password='a b' user=me", "password=a b|user=me"),
            (r"password='it\'s' user=me", "password=it's|user=me"),
            (r"password='back\\slash'", r"password=back\slash"),
            (r"password=a\ b\\c\'d user=me", r"password=a b\c'd|user=me"),
            ("password='' user=me", "password=|user=me"),
            ("password= user=me", "password=user=me"),
            ("password=", "password="),
            ("host='a'port=1", "host=a|port=1"),
            ("host=::1 password=x=y'z", "host=::1|password=x=y'z"),
            ("password=é🛫", "password=é🛫"),
        ] {
            assert!(are_in(text), "{text}");
            let parsed = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let parsed: Vec<_> = parsed.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!(parsed.join("|"), pairs, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_text() {
        for (text, message) in [
            ("password=my secret host=x", "not followed by `=`"),
            ("host=x secret", "not followed by `=`"),
            ("password='secret host=x", "no closing `'`"),
            (r"password='secret\'", "no closing `'`"),
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains(message) && !error.contains("secret"), "{text}: {error}");
        }
    }

    #[test]
    fn urls_are_not_of_this_form() {
        for url in ["postgres://me:p=w@h/d", "sqlite::memory:", "sqlite://a=b", "", "=x", "flights.db", "a b=c"] {
            assert!(!are_in(url), "{url}");
        }
    }
}
