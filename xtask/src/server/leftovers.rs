//! Folders of servers whose xtask was killed: told from folders in use by a lock, which goes with its process.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
};

/// The file in a server's folder that its xtask holds locked.
const LOCK: &str = "xtask.lock";

/// Marks the folder as in use for as long as the file returned stays open.
pub(crate) fn lock(folder: &Path) -> io::Result<File> {
    // It gets its name only once it's locked, so that no one finds it free in between.
    let unnamed = folder.join("xtask.lock.new");
    let file = File::create(&unnamed)?;
    file.lock()?;
    fs::rename(unnamed, folder.join(LOCK))?;
    Ok(file)
}

/// Removes the folders in `parent` that begin with `prefix`, belong to the account `owner` and are not in use. A
/// PostgreSQL server that should still run in one shuts down when it finds its files gone.
pub(crate) fn remove(parent: &Path, prefix: &str, owner: u32) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        // Whoever may write to `parent` can make such a folder, but not for this account.
        let ours = entry.file_name().to_string_lossy().starts_with(prefix)
            && entry.metadata().is_ok_and(|data| data.is_dir() && data.uid() == owner);
        if ours && is_free(&entry.path()) {
            // What can't be removed now may be next time.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Without a lock the folder is being made just now.
fn is_free(folder: &Path) -> bool {
    File::open(folder.join(LOCK)).is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::run;

    #[test]
    fn only_folders_without_a_living_lock_are_removed() {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let owner = fs::metadata(parent.path()).expect("it is there").uid();
        let make = |name: &str| {
            let folder = parent.path().join(name);
            fs::create_dir(&folder).expect("a folder in it");
            folder
        };
        let [used, left, new, other] = ["orm-used", "orm-left", "orm-new", "other"].map(make);
        let held = lock(&used).expect("it can be locked");
        drop(lock(&left).expect("it can be locked"));
        drop(lock(&other).expect("it can be locked"));

        remove(parent.path(), "orm-", owner + 1);
        assert!(left.exists(), "it belongs to another account");
        remove(parent.path(), "orm-", owner);
        assert_eq!([&used, &left, &new, &other].map(|folder| folder.exists()), [true, false, true, true]);
        drop(held);
        // A process that another test starts just now has a copy of the lock until it runs its own program.
        for _ in 0..500 {
            remove(parent.path(), "orm-", owner);
            if !used.exists() {
                return;
            }
            thread::sleep(run::POLL);
        }
        panic!("the folder without a lock is still there");
    }
}
