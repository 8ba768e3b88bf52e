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
    /// The programs, for messages.
    pub(crate) programs: &'static [&'static str],
    /// Where Debian has them.
    pub(crate) package: Package,
    /// Other systems' package managers, each with the arguments that install it.
    pub(crate) other_packages: &'static [(&'static str, &'static str)],
    /// How a user can do without.
    pub(crate) otherwise: &'static str,
}

/// The product's programs, which `find` looks for. When there are none they are installed, where that's possible.
pub(crate) fn find_or_install<T>(product: &Product, find: impl Fn() -> Option<T>) -> Result<T, Failure> {
    if let Some(found) = find() {
        return Ok(found);
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

/// Where to look for programs: PATH's folders, then these.
pub(crate) fn path_and(folders: impl IntoIterator<Item = PathBuf>) -> Vec<PathBuf> {
    path_folders().into_iter().chain(folders).collect()
}

/// The first folder that has all of these programs.
pub(crate) fn folder_with_all(programs: &[&str], folders: &[PathBuf]) -> Option<PathBuf> {
    // A relative folder would be looked up again in the server's own folder, from where it's not there.
    let mut folders = folders.iter().filter(|folder| folder.is_absolute());
    folders.find(|folder| programs.iter().all(|program| is_program(&folder.join(program)))).cloned()
}

/// The first of these programs that is in any of the folders.
pub(crate) fn first_of(programs: &[&str], folders: &[PathBuf]) -> Option<PathBuf> {
    programs.iter().find_map(|program| Some(folder_with_all(&[program], folders)?.join(program)))
}

/// Whether PATH has the program.
pub(crate) fn is_on_path(program: &str) -> bool {
    folder_with_all(&[program], &path_folders()).is_some()
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
pub(crate) fn version(text: &str) -> Option<Vec<u32>> {
    text.split('.').map(|number| number.parse().ok()).collect()
}

fn path_folders() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
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
        let folders = [half.clone(), data.clone(), full.clone()];
        assert_eq!(folder_with_all(&programs, &folders), Some(full.clone()));
        assert_eq!(folder_with_all(&programs, &[half.clone(), data, "relative".into()]), None);
        assert_eq!(
            first_of(&["postgres", "initdb"], &folders),
            Some(full.join("postgres")),
            "the program counts first"
        );
        assert_eq!(first_of(&["missing", "initdb"], &folders), Some(half.join("initdb")));
        assert_eq!(first_of(&["missing"], &folders), None);
    }
}
