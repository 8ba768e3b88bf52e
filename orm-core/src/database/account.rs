//! Who runs the program: whom a server's clients take where no user is named, and where his files are.

use std::path::PathBuf;

/// An account of this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: Option<String>,
    pub(crate) home: Option<PathBuf>,
}

impl Account {
    /// What the environment says, and where it says nothing, as in containers, what the system's list of accounts does.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let (name, home) = (set("USER").or_else(|| set("LOGNAME")), set("HOME").map(PathBuf::from));
        if name.is_some() && home.is_some() {
            return Account { name, home };
        }
        let listed = listed().unwrap_or_default();
        Account { name: name.or(listed.name), home: home.or(listed.home) }
    }
}

#[cfg(unix)]
fn listed() -> Option<Account> {
    use std::os::unix::fs::MetadataExt;

    // A process's own folder belongs to whom it runs as.
    let id = std::fs::metadata("/proc/self").ok()?.uid();
    find(&std::fs::read_to_string("/etc/passwd").ok()?, id)
}

#[cfg(not(unix))]
fn listed() -> Option<Account> {
    None
}

/// The account of this number in a list of the form of `/etc/passwd`.
#[cfg(unix)]
fn find(list: &str, id: u32) -> Option<Account> {
    list.lines().find_map(|line| {
        let fields: Vec<_> = line.split(':').collect();
        let [name, _, number, _, _, home, ..] = fields[..] else { return None };
        (number.parse() == Ok(id)).then(|| Account { name: Some(name.to_owned()), home: Some(home.into()) })
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_environment_goes_before_the_list() {
        let account = Account::of(|name| Some(format!("/{name}")));
        assert_eq!(account, Account { name: Some("/USER".into()), home: Some("/HOME".into()) });
        let account = Account::of(|name| (name == "LOGNAME").then(|| "me".to_owned()));
        assert_eq!(account.name.as_deref(), Some("me"));
    }

    #[test]
    fn an_account_is_found_by_its_number() {
        let list = "root:x:0:0:root:/root:/bin/sh\nbroken\nme:x:1000:1000:Me,,,:/home/me:/bin/sh\n";
        assert_eq!(find(list, 1000), Some(Account { name: Some("me".into()), home: Some("/home/me".into()) }));
        assert_eq!(find(list, 1), None);
    }
}
