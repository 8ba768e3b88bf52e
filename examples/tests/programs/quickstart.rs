//! The README shows the quickstart, the SQL that it runs, and commands: each is held to what it says.

#[cfg(feature = "sqlite")]
#[allow(dead_code, reason = "it is a program, which another test runs")]
mod program {
    include!("../../quickstart.rs");

    pub(super) fn sql() -> orm_core::Result<String> {
        late(&orm_core::connect("sqlite::memory:")?).select_related(|f| f.origin()).sql()
    }
}

#[cfg(feature = "sqlite")]
use crate::process::{names_in, run};

const README: &str = include_str!("../../../README.md");
const SOURCE: &str = include_str!("../../quickstart.rs");

/// The only block of the README in this language.
fn block(language: &str) -> &'static str {
    blocks(language).next().expect("the README has such a block")
}

fn blocks(language: &str) -> impl Iterator<Item = &'static str> {
    README.split("\n```").filter_map(move |block| block.strip_prefix(language)?.strip_prefix('\n'))
}

#[test]
fn the_readme_shows_the_whole_program_in_under_40_lines() {
    assert_eq!(block("rust"), SOURCE.trim_end());
    assert!(SOURCE.lines().count() < 40);
}

#[cfg(feature = "sqlite")]
#[test]
fn the_readme_shows_the_sql_that_runs() {
    let sql = program::sql().expect("the query can be written");
    assert_eq!(block("sql").split_whitespace().collect::<Vec<_>>().join(" "), sql);
}

#[cfg(feature = "sqlite")]
#[test]
fn the_readmes_example_commands_run() {
    let commands: Vec<&str> = blocks("sh").flat_map(str::lines).filter(|line| line.contains("--example")).collect();
    assert!(!commands.is_empty());
    for command in commands {
        let arguments =
            command.strip_prefix("cargo run --release --example flights").expect("the README runs the example flights");
        let arguments: Vec<&str> = arguments.split_whitespace().skip_while(|word| *word == "--").collect();
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let ended = run("flights", &arguments, folder.path());
        assert_eq!(ended.code, Some(0), "{command}: {}", ended.err);
        assert_eq!(names_in(&folder.path().join("flights-out")), ["carriers.csv", "flights.csv"], "{command}");
    }
}
