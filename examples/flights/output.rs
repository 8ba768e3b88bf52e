//! Report files that are there whole or not at all.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::failure::Failure;

/// A file that gets its name when it is finished. Until then it has another one in the same folder, and is removed
/// when it is dropped.
pub(crate) struct ReportFile {
    unfinished: NamedTempFile,
    path: PathBuf,
}

impl ReportFile {
    /// Makes the folder too, if it is not there.
    pub(crate) fn create(folder: &Path, name: &str) -> Result<Self, Failure> {
        let path = folder.join(name);
        fs::create_dir_all(folder)
            .map_err(Failure::with(format!("the folder `{}` cannot be made", folder.display())))?;
        if path.is_dir() {
            return Err(Failure::new(format!("`{}` cannot be written: a folder has that name", path.display())));
        }
        let unfinished = new_file(folder, &format!(".{name}."))
            .map_err(Failure::with(format!("`{}` cannot be written", path.display())))?;
        Ok(ReportFile { unfinished, path })
    }

    pub(crate) fn as_file(&self) -> &File {
        self.unfinished.as_file()
    }

    /// Gives the file its name, in place of what had it.
    pub(crate) fn finish(self) -> Result<PathBuf, Failure> {
        match self.unfinished.persist(&self.path) {
            Ok(_) => Ok(self.path),
            Err(error) => Err(Failure::with(format!("`{}` cannot be written", self.path.display()))(error.error)),
        }
    }
}

fn new_file(folder: &Path, prefix: &str) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(".part");
    // Temporary files are their owner's alone by default; a report is for whom the user's umask allows.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}
