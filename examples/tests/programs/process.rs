//! Running an example.

use std::{
    env::consts::EXE_SUFFIX,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
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

/// Cargo puts a package's examples beside its tests. It builds them before it runs all tests of the package, but not
/// before it runs only some of them; then this refuses a program that is not there, or older than its sources.
fn program(example: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("a test knows its own path");
    let target = tests.ancestors().nth(2).expect("a test is in `target/PROFILE/deps`");
    let program = target.join("examples").join(format!("{example}{EXE_SUFFIX}"));
    let build = "run `cargo build -p orm-examples --examples`";
    let Some(built) = modified(&program) else { panic!("{} is not built: {build}", program.display()) };
    // As Makefiles have it: `program: source source …`, with a backslash before each blank of a path.
    let sources = fs::read_to_string(target.join("examples").join(format!("{example}.d"))).unwrap_or_default();
    let sources = sources.split_once(": ").map_or("", |(_, sources)| sources).replace("\\ ", "\0");
    for source in sources.split_whitespace().map(|source| source.replace('\0', " ")) {
        let newer = modified(Path::new(&source)).is_some_and(|changed| changed > built);
        assert!(!newer, "{} is older than {source}: {build}", program.display());
    }
    program
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// The names of what is in a folder, sorted.
pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().expect("the folder is there");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.map(|entry| entry.file_name());
    let mut names: Vec<String> =
        entries.map(|entry| name(entry).expect("it can be read").to_string_lossy().into()).collect();
    names.sort_unstable();
    names
}
