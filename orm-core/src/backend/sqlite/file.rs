//! The file of a SQLite database: whether it is still the one that was opened, and its write-ahead log.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use super::wal::Log;
use crate::{
    backend::BackendKind,
    error::{Error, ErrorKind, Result},
};

/// What tells a file from all others of this machine, also from one that took its name.
#[cfg(unix)]
pub(super) type Identity = (u64, u64);
#[cfg(not(unix))]
pub(super) type Identity = PathBuf;

/// The file of a pool's database.
#[derive(Debug)]
pub(crate) struct DatabaseFile {
    /// Absolute, so that it stays the same whatever the working directory is. Symbolic links are followed each time.
    path: PathBuf,
    /// Known once a connection has opened it.
    opened: OnceLock<Opened>,
}

#[derive(Debug)]
struct Opened {
    identity: Identity,
    log: Arc<Log>,
}

impl DatabaseFile {
    pub(super) fn new(path: PathBuf) -> Self {
        DatabaseFile { path, opened: OnceLock::new() }
    }

    /// The file's log, after a connection has opened the file.
    pub(super) fn log(&self) -> Result<Arc<Log>> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened.log.clone());
        }
        let found = identity(&self.path).and_then(|identity| {
            // SQLite's log stands beside the file, not beside a link to it.
            let log = Log::of(&identity, &self.path.canonicalize()?);
            Ok(Opened { identity, log })
        });
        let found = found.map_err(|error| self.changed("cannot be found any more").with_source(error))?;
        Ok(self.opened.get_or_init(|| found).log.clone())
    }

    /// Fails if the path no longer leads to the file that was opened.
    ///
    /// A connection goes on with a file that was deleted or replaced, and what it commits is lost with the last connection.
    pub(super) fn check(&self) -> Result<()> {
        let Some(opened) = self.opened.get() else { return Ok(()) };
        match identity(&self.path) {
            Ok(identity) if identity == opened.identity => Ok(()),
            Ok(_) => Err(self.changed("was replaced by another file")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(self.changed("was deleted or moved away")),
            Err(error) => Err(self.changed("cannot be found any more").with_source(error)),
        }
    }

    fn changed(&self, how: &str) -> Error {
        let text = format!(
            "the file of the SQLite database `{}` {how} after it was opened, so nothing is read from or written to the file \
             that was opened; drop this database, and connect again to open what is there now",
            self.path.display()
        );
        Error::new(ErrorKind::ConnectionLost, text).on_backend(BackendKind::Sqlite)
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;

    let information = fs::metadata(path)?;
    Ok((information.dev(), information.ino()))
}

/// Where a file that is open cannot be replaced.
#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<Identity> {
    fs::metadata(path)?;
    path.canonicalize()
}
