//! Running an example.

use std::{
    env::consts::EXE_SUFFIX,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

/// How a program ended, and what it said.
#[derive(Debug, PartialEq)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs an example with these arguments, in this folder, which is also where it has its temporary files.
pub(crate) fn run(example: &str, arguments: &[impl AsRef<OsStr>], folder: &Path) -> Ended {
    let output = Command::new(program(example))
        .args(arguments)
        .current_dir(folder)
        .env("TMPDIR", folder)
        .output()
        .expect("the example is a program");
    let text = |bytes| String::from_utf8(bytes).expect("the example writes UTF-8");
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Cargo builds a package's examples before its tests run, and puts them beside these.
fn program(example: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("a test knows its own path");
    let target = tests.ancestors().nth(2).expect("a test is in `target/PROFILE/deps`");
    let program = target.join("examples").join(format!("{example}{EXE_SUFFIX}"));
    assert!(program.is_file(), "{} is not built: run `cargo build -p orm-examples --examples`", program.display());
    program
}

/// The names of what is in a folder, sorted.
pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().expect("the folder is there");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.map(|entry| entry.file_name());
    let mut names: Vec<String> =
        entries.map(|entry| name(entry).expect("it can be read").to_string_lossy().into()).collect();
    names.sort_unstable();
    names
}
