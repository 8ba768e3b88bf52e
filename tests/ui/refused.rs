//! Programs that the compiler must refuse, and what it says of each: `refused/<family>/<mistake>.rs` and `.stderr`.
//!
//! A message stands on the user's own words, says what to do, is short, and one mistake gives one error. After a change
//! for the better, `TRYBUILD=overwrite cargo test -p orm-ui-tests --test refused` writes the files anew; read them.
//! `cargo test -p orm-ui-tests --test refused -- trybuild=name` tries only the programs with that name.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The wording of messages changes between compilers; the files hold what this one says.
const COMPILER: &str = "rustc 1.95.";

/// Longer than this, nobody reads a message.
const MOST_LINES: usize = 25;

/// Set in the process that compiles.
const COMPILES: &str = "ORM_UI_COMPILES";

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

#[test]
fn the_compiler_refuses_each_and_says_why() -> Result {
    if std::env::var_os(COMPILES).is_some() {
        let cases = trybuild::TestCases::new();
        cases.compile_fail("refused/*/*.rs");
        return Ok(());
    }
    let version = compiler()?;
    if !version.starts_with(COMPILER) {
        eprintln!("not run: the messages are those of `{COMPILER}x`, and this is `{}`", version.trim());
        return Ok(());
    }
    // Nothing is linked, so no C library has to be there; these variables keep the build scripts from looking for them.
    // A process cannot safely set variables of its own, so it starts itself anew.
    let status = Command::new(std::env::current_exe()?)
        .args(["the_compiler_refuses_each_and_says_why", "--exact", "--nocapture"])
        .args(std::env::args().filter(|argument| argument.starts_with("trybuild=")))
        .env(COMPILES, "1")
        .env("SQLITE3_LIB_DIR", env!("CARGO_MANIFEST_DIR"))
        .env("PQ_LIB_DIR", env!("CARGO_MANIFEST_DIR"))
        .status()?;
    assert!(status.success(), "the compiler says something else than the files; see above");
    Ok(())
}

#[test]
fn every_message_is_short() -> Result {
    let mut messages = 0;
    for program in programs()? {
        let path = program.with_extension("stderr");
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let lines = text.trim_end().lines().count();
        assert!(lines <= MOST_LINES, "{} has {lines} lines, more than {MOST_LINES}", path.display());
        messages += 1;
    }
    assert!(messages > 50, "only {messages} programs were found");
    Ok(())
}

#[test]
fn no_message_speaks_of_internals() -> Result {
    for program in programs()? {
        let path = program.with_extension("stderr");
        let text = fs::read_to_string(&path)?;
        for word in
            ["OperandOf", "AsExpression", "RootedAt", "IntoPart", "ShapeOn", "AnyPart", "diesel::internal", "__DB"]
        {
            assert!(!text.contains(word), "{} speaks of `{word}`", path.display());
        }
    }
    Ok(())
}

#[test]
fn no_message_is_left_of_a_program_that_is_gone() -> Result {
    for path in files("stderr")? {
        assert!(path.with_extension("rs").exists(), "{} belongs to no program", path.display());
    }
    Ok(())
}

fn programs() -> Result<Vec<PathBuf>> {
    files("rs")
}

/// The files of each family with this extension.
fn files(extension: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for family in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("refused"))? {
        let family = family?.path();
        if family.is_dir() {
            for file in fs::read_dir(family)? {
                let file = file?.path();
                if file.extension().is_some_and(|found| found == extension) {
                    files.push(file);
                }
            }
        }
    }
    Ok(files)
}

fn compiler() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    Ok(String::from_utf8(Command::new(rustc).arg("--version").output()?.stdout)?)
}
