//! libpq's password file: `hostname:port:database:username:password`, a server a line.

use std::{fs, io, path::Path};

/// Whose password is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) database: &'a str,
    pub(crate) user: &'a str,
}

/// The first password in the file that is for this user of this server.
///
/// # Errors
///
/// Why the file is passed over, in words.
pub(crate) fn look_up(path: &Path, wanted: &Wanted<'_>) -> Result<Option<String>, String> {
    let passed_over = |why: &str| Err(format!("the password file `{}` is passed over: {why}", path.display()));
    let information = match fs::metadata(path) {
        Ok(information) => information,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return passed_over(&error.to_string()),
    };
    if !information.is_file() {
        return passed_over("it is no plain file");
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&information.permissions()) & 0o077 != 0 {
        return passed_over("others than its owner may use it; make that `chmod 600`");
    }
    match fs::read(path) {
        Ok(text) => Ok(find(&String::from_utf8_lossy(&text), wanted)),
        Err(error) => passed_over(&error.to_string()),
    }
}

fn find(text: &str, wanted: &Wanted<'_>) -> Option<String> {
    let port = wanted.port.to_string();
    let wanted = [wanted.host, &port, wanted.database, wanted.user];
    let found = text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut rest = line.strip_suffix('\r').unwrap_or(line);
        for value in wanted {
            let (field, after) = field(rest);
            let is_any = field.is_any;
            if !(is_any || field.text == value) {
                return None;
            }
            rest = after?;
        }
        Some(field(rest).0.text)
    });
    found.filter(|password| !password.is_empty())
}

struct Field {
    text: String,
    /// A `*` alone, and not `\*`.
    is_any: bool,
}

/// What stands before the next `:`, and what follows that. A backslash takes away the next character's meaning.
fn field(text: &str) -> (Field, Option<&str>) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            ':' => return (Field { text: value, is_any: &text[..at] == "*" }, Some(&text[at + 1..])),
            '\\' => value.push(characters.next().map_or('\\', |(_, c)| c)),
            c => value.push(c),
        }
    }
    (Field { text: value, is_any: text == "*" }, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<String> {
        find(text, &Wanted { host: "db.example.org", port: 5433, database: "flights", user: "me" })
    }

    /// From "The Password File" in PostgreSQL's documentation.
    #[test]
    fn the_first_line_that_fits_is_taken() {
        for (text, password) in [
            ("db.example.org:5433:flights:me:s3cret", Some("s3cret")),
            ("*:*:*:*:any\n", Some("any")),
            (
                "# *:*:*:*:comment\n\nother:*:*:*:a\r\ndb.example.org:5432:*:*:b\r\n*:5433:flights:me:c\r\n*:*:*:*:d",
                Some("c"),
            ),
            (r"*:*:*:me:a\:b\\c", Some(r"a:b\c")),
            (r"*:*:*:m\e:x", Some("x")),
            (r"\*:*:*:me:x", None),
            ("*:*:*:you:x", None),
            ("*:*:*:me", None),
            ("*:*:*:me:\n*:*:*:me:next", None),
            ("*:*:*:me:*", Some("*")),
            ("*:*:*:me:ends:here", Some("ends")),
            ("*:*:*:me:p w'é🛫", Some("p w'é🛫")),
            ("", None),
        ] {
            assert_eq!(found(text).as_deref(), password, "{text}");
        }
        let ipv6 = Wanted { host: "::1", port: 5432, database: "a:b", user: r"m\e" };
        assert_eq!(find(r"\:\:1:5432:a\:b:m\\e:x", &ipv6).as_deref(), Some("x"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_passed_over() {
        use std::os::unix::fs::PermissionsExt;

        let path = std::env::temp_dir().join(format!("orm-core-pgpass-{}", std::process::id()));
        fs::write(&path, "*:*:*:*:s3cret").expect("a file can be written");
        let wanted = Wanted { host: "h", port: 1, database: "d", user: "u" };
        let with_mode = |mode| {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode can be set");
            look_up(&path, &wanted)
        };
        let answers = [0o600, 0o640, 0o604, 0o601].map(with_mode);
        fs::remove_file(&path).expect("it is there");
        assert_eq!(answers[0], Ok(Some("s3cret".to_owned())));
        for answer in &answers[1..] {
            let why = answer.as_ref().expect_err("others may use it");
            assert!(why.contains("chmod 600") && !why.contains("s3cret"), "{why}");
        }
        assert_eq!(look_up(&path, &wanted), Ok(None), "it is gone");
        assert!(look_up(&std::env::temp_dir(), &wanted).is_err_and(|why| why.contains("no plain file")));
    }
}
