//! What the program's environment says, where the URL says nothing.

use std::path::{Path, PathBuf};

use crate::database::account::Account;

/// Where Debian's servers, and those of most other systems, have their sockets.
const SOCKET_FOLDER: &str = "/var/run/postgresql";

/// What the program's environment says. Tests have one of their own: they share a process.
pub(crate) struct Environment<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    account: Account,
    /// The folder of the server's socket, if there is one.
    socket_folder: Option<&'a Path>,
}

impl Environment<'_> {
    /// That of this process.
    pub(crate) fn of_process() -> Self {
        let variable: &dyn Fn(&str) -> Option<String> = &|name| std::env::var(name).ok();
        let folder = Path::new(SOCKET_FOLDER);
        Environment { variable, account: Account::of(variable), socket_folder: folder.is_dir().then_some(folder) }
    }

    /// A variable; one that is empty is none.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    /// Who runs the program.
    pub(super) fn user(&self) -> Option<String> {
        self.account.name.clone()
    }

    /// The host to connect to where none is named: by a Unix socket, if servers have a folder for that here.
    pub(super) fn host(&self) -> String {
        self.socket_folder.map_or_else(|| "localhost".to_owned(), |folder| folder.display().to_string())
    }

    /// libpq's password file.
    pub(super) fn password_file(&self) -> Option<PathBuf> {
        if cfg!(windows) { self.own_file("pgpass.conf") } else { Some(self.account.home.as_ref()?.join(".pgpass")) }
    }

    /// A file of libpq's folder of certificates.
    pub(super) fn own_file(&self, name: &str) -> Option<PathBuf> {
        if cfg!(windows) {
            return Some(Path::new(&self.variable("APPDATA")?).join("postgresql").join(name));
        }
        Some(self.account.home.as_ref()?.join(".postgresql").join(name))
    }
}

#[cfg(test)]
impl<'a> Environment<'a> {
    /// One in which `me` runs the program.
    pub(crate) fn of_test(variable: &'a dyn Fn(&str) -> Option<String>, socket_folder: Option<&'a Path>) -> Self {
        let home = variable("HOME").unwrap_or_else(|| "/no/such/home".to_owned());
        let account = Account { name: Some("me".to_owned()), home: Some(home.into()) };
        Environment { variable, account, socket_folder }
    }
}
