//! Options for a throwaway server that whoever starts it has given.

use std::{fs, path::Path};

use crate::{failure::Failure, server::home::Home};

/// The value of `--server-option`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerOption {
    name: String,
    value: Option<String>,
}

impl ServerOption {
    /// Reads `name=value`, or `name` alone.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return Err(Failure::Usage(format!(
                "`{text}` is no server option; they look like name=value, without dashes"
            )));
        }
        Ok(ServerOption { name: name.to_owned(), value: value.map(str::to_owned) })
    }

    /// A line of a file of settings.
    pub(super) fn for_file(&self) -> String {
        format!("{} = {}", self.name, self.value.as_deref().unwrap_or_default())
    }

    /// The server's argument. Should the value be a file, it names a copy in the server's folder instead, for the
    /// server's account may not be able to read the file itself.
    pub(super) fn for_server(&self, home: &Home) -> Result<String, Failure> {
        let Some(value) = &self.value else { return Ok(format!("--{}", self.name)) };
        let path = Path::new(value);
        if !(path.is_absolute() && path.is_file()) {
            return Ok(format!("--{}={value}", self.name));
        }
        let content = fs::read(path)
            .map_err(|error| Failure::Other(format!("could not read the server option's file {value}: {error}")))?;
        let copy = home.write_secret(&format!("option-{}", self.name), content)?;
        Ok(format!("--{}={}", self.name, copy.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_with_and_without_a_value() {
        let home = Home::new("orm-xtask-test-", &["nobody"]).expect("a home can be made");
        let argument =
            |text| ServerOption::parse(text).and_then(|option| option.for_server(&home)).expect("it is valid");
        assert_eq!(argument("wait-timeout=2"), "--wait-timeout=2");
        assert_eq!(argument("init-connect=SET @a = 1"), "--init-connect=SET @a = 1");
        assert_eq!(argument("skip-ssl"), "--skip-ssl");
        let line = |text| ServerOption::parse(text).map(|option| option.for_file()).expect("it is valid");
        assert_eq!([line("pool_size=3"), line("pool_size")], ["pool_size = 3", "pool_size = "]);
        assert_eq!(argument("ssl-key=/no/such/file"), "--ssl-key=/no/such/file");
        for text in ["", "=1", "--wait-timeout=2", "1=2"] {
            assert!(matches!(ServerOption::parse(text), Err(Failure::Usage(_))), "{text}");
        }
    }

    #[test]
    fn a_file_is_copied_to_where_the_server_can_read_it() {
        let home = Home::new("orm-xtask-test-", &["nobody"]).expect("a home can be made");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let key = folder.path().join("key.pem");
        fs::write(&key, [0xFF, 0]).expect("a file in it");
        let option = ServerOption::parse(&format!("ssl-key={}", key.display())).expect("it is valid");
        let argument = option.for_server(&home).expect("the file can be read");
        let copy = home.path().join("option-ssl-key");
        assert_eq!(argument, format!("--ssl-key={}", copy.display()));
        assert_eq!(fs::read(copy).expect("it is there"), [0xFF, 0]);
    }
}
