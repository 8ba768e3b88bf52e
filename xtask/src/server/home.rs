//! A throwaway server's private folder, and the account that the server runs under.

use std::{
    env,
    fs::{self, File, Permissions},
    io,
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
};

use nix::unistd::{Uid, User};
use tempfile::TempDir;

use crate::{failure::Failure, server::leftovers};

/// A new folder that only the server's account (and root) can enter. Dropping it removes it.
pub(crate) struct Home {
    folder: TempDir,
    /// The account to change to, when xtask runs as root: database servers refuse to run as root.
    account: Option<User>,
    /// Tells other calls of xtask that the folder is in use.
    _lock: File,
}

impl Home {
    /// Makes the folder. As root, it belongs to the first of `accounts` that exists.
    pub(crate) fn new(prefix: &str, accounts: &[&str]) -> Result<Self, Failure> {
        let account = if Uid::effective().is_root() { Some(first_account(accounts)?) } else { None };
        let parent = match account {
            Some(_) => folder_open_to_all(&[env::temp_dir(), "/tmp".into(), "/var/tmp".into()])?,
            None => env::temp_dir(),
        };
        let owner = account.as_ref().map_or(Uid::effective(), |account| account.uid);
        leftovers::remove(&parent, prefix, owner.as_raw());
        let folder = tempfile::Builder::new()
            .prefix(prefix)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&parent)
            .map_err(|error| Failure::Other(format!("could not make a folder in {}: {error}", parent.display())))?;
        let lock = leftovers::lock(folder.path())
            .map_err(|error| Failure::Other(format!("could not lock {}: {error}", folder.path().display())))?;
        let home = Home { folder, account, _lock: lock };
        home.hand_over(home.path()).map_err(|error| {
            Failure::Other(format!("could not hand {} to the server's account: {error}", home.path().display()))
        })?;
        Ok(home)
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file that only the server's account can read.
    pub(crate) fn write_secret(&self, name: &str, content: impl AsRef<[u8]>) -> Result<PathBuf, Failure> {
        let path = self.path().join(name);
        // The folder keeps others out while the file's own mode isn't set yet.
        fs::write(&path, content)
            .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(0o600)))
            .and_then(|()| self.hand_over(&path))
            .map_err(|error| Failure::Other(format!("could not write {}: {error}", path.display())))?;
        Ok(path)
    }

    /// Makes the command run in this folder, under the server's account.
    pub(crate) fn apply_to(&self, command: &mut Command) {
        // The folder that xtask was called in may be closed to the account.
        command.current_dir(self.path());
        if let Some(account) = &self.account {
            // This also takes root's supplementary groups away.
            command.uid(account.uid.as_raw()).gid(account.gid.as_raw());
        }
    }

    fn hand_over(&self, path: &Path) -> io::Result<()> {
        match &self.account {
            Some(account) => chown(path, Some(account.uid.as_raw()), Some(account.gid.as_raw())),
            None => Ok(()),
        }
    }
}

fn first_account(names: &[&str]) -> Result<User, Failure> {
    // A name that can't be looked up is as good as one that doesn't exist.
    names.iter().find_map(|name| User::from_name(name).ok().flatten()).ok_or_else(|| {
        Failure::Other(format!(
            "a database server refuses to run as root, and none of the accounts {} exists to run it; \
             run this command as another user",
            names.join(", ")
        ))
    })
}

/// The first folder that every account can reach.
fn folder_open_to_all(candidates: &[PathBuf]) -> Result<PathBuf, Failure> {
    let found = candidates.iter().filter_map(|path| path.canonicalize().ok()).find(|path| is_open_to_all(path));
    found.ok_or_else(|| {
        Failure::Other(
            "the server's account can't reach any temporary folder; set TMPDIR to one open to all".to_owned(),
        )
    })
}

/// Whether every account can pass through all of the path's folders.
fn is_open_to_all(path: &Path) -> bool {
    const PASS: u32 = 0o001;
    path.ancestors().all(|folder| fs::metadata(folder).is_ok_and(|data| data.permissions().mode() & PASS != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_private_and_goes_when_dropped() {
        let home = Home::new("orm-xtask-test-", &["nobody"]).expect("a home can be made");
        let path = home.path().to_path_buf();
        let mode = fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let secret = home.write_secret("secret", "word").expect("it can be written");
        assert_eq!(fs::metadata(secret).expect("it is there").permissions().mode() & 0o777, 0o600);
        drop(home);
        assert!(!path.exists());
    }

    #[test]
    fn a_closed_parent_is_passed_over() {
        let closed = tempfile::tempdir().expect("a temporary folder");
        let inside = closed.path().join("inside");
        fs::create_dir(&inside).expect("a folder in it");
        fs::set_permissions(&inside, Permissions::from_mode(0o777)).expect("its mode can be set");
        fs::set_permissions(closed.path(), Permissions::from_mode(0o700)).expect("so can its parent's");
        assert!(!is_open_to_all(&inside));
        let found = folder_open_to_all(&[inside, "/".into()]).expect("the root folder is open");
        assert_eq!(found, Path::new("/"));
    }

    #[test]
    fn missing_accounts_are_named() {
        let failure = first_account(&["no-such-one", "nor-this"]).expect_err("neither exists");
        assert!(failure.to_string().contains("no-such-one, nor-this"), "{failure}");
    }
}
