//! Finding a product's server programs on this machine.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{
    failure::Failure,
    server::debian::{self, Package},
};

/// A product whose server programs are wanted.
pub(crate) struct Product {
    pub(crate) name: &'static str,
    /// The programs, which lie in one folder.
    pub(crate) programs: &'static [&'static str],
    /// Where to look when PATH has not all of them, the best first.
    pub(crate) folders: fn() -> Vec<PathBuf>,
    /// Where Debian has them.
    pub(crate) package: Package,
    /// Other systems' package managers, each with the arguments that install it.
    pub(crate) other_packages: &'static [(&'static str, &'static str)],
    /// How a user can do without.
    pub(crate) otherwise: &'static str,
}

/// The folder that holds all of the product's programs. When there is none they are installed, where that's possible.
pub(crate) fn find_or_install(product: &Product) -> Result<PathBuf, Failure> {
    let find = || first_with_all(product.programs, path_folders().into_iter().chain((product.folders)()));
    if let Some(folder) = find() {
        return Ok(folder);
    }
    debian::install(product)?;
    find().ok_or_else(|| {
        Failure::Other(format!(
            "{} was installed, but its programs {} were not found afterwards; put their folder on PATH, or {}",
            product.name,
            product.programs.join(" and "),
            product.otherwise
        ))
    })
}

/// Whether PATH has the program.
pub(crate) fn is_on_path(program: &str) -> bool {
    first_with_all(&[program], path_folders()).is_some()
}

/// The folders of `parent` whose names are `prefix` and a version, the newest version first, each with `tail`.
pub(crate) fn newest_first(parent: &str, prefix: &str, tail: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let mut found: Vec<(Vec<u32>, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let version = version(entry.file_name().to_str()?.strip_prefix(prefix)?)?;
            Some((version, entry.path().join(tail)))
        })
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, path)| path).collect()
}

/// `9.6` as `[9, 6]`, so that 10 is newer than 9.6.
fn version(text: &str) -> Option<Vec<u32>> {
    text.split('.').map(|number| number.parse().ok()).collect()
}

fn path_folders() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

fn first_with_all(programs: &[&str], folders: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    // A relative folder would be looked up again in the server's own folder, from where it's not there.
    let mut folders = folders.into_iter().filter(|folder| folder.is_absolute());
    folders.find(|folder| programs.iter().all(|program| is_program(&folder.join(program))))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn versions_are_ordered_as_numbers() {
        let parent = tempfile::tempdir().expect("a temporary folder");
        for name in ["pg@9.6", "pg@10", "pg@15", "pg@9.10", "other@17", "pg@new", "pg@"] {
            fs::create_dir(parent.path().join(name)).expect("a folder in it");
        }
        let found = newest_first(parent.path().to_str().expect("its name is plain"), "pg@", "bin");
        let expected = ["pg@15", "pg@10", "pg@9.10", "pg@9.6"].map(|name| parent.path().join(name).join("bin"));
        assert_eq!(found, expected);
        assert!(newest_first("/no/such/folder", "", "bin").is_empty());
    }

    #[test]
    fn only_a_folder_with_all_programs_counts() {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let make = |folder: &str, programs: &[&str], mode: u32| {
            let folder = parent.path().join(folder);
            fs::create_dir(&folder).expect("a folder in it");
            for program in programs {
                fs::write(folder.join(program), "").expect("a file in that");
                let permissions = fs::Permissions::from_mode(mode);
                fs::set_permissions(folder.join(program), permissions).expect("its mode can be set");
            }
            folder
        };
        let half = make("half", &["initdb"], 0o755);
        let data = make("data", &["initdb", "postgres"], 0o644);
        let full = make("full", &["initdb", "postgres"], 0o755);
        let programs = ["initdb", "postgres"];
        assert_eq!(first_with_all(&programs, [half.clone(), data.clone(), full.clone()]), Some(full));
        assert_eq!(first_with_all(&programs, [half, data, "relative".into()]), None);
    }
}
