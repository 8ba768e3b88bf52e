//! The project's own commands: `cargo xtask <command>`. This file picks the command and turns its result into an
//! exit code.

#[cfg(not(unix))]
compile_error!(
    "xtask runs on Unix only. On Windows use WSL, or run `cargo test --workspace --exclude xtask` \
     with ORM_TEST_POSTGRES_URL and ORM_TEST_MYSQL_URL naming a server each"
);

mod backend;
mod bench;
mod command;
mod compile_time;
mod failure;
mod fuzz;
mod lint;
mod run;
mod serve;
mod server;
mod signals;
mod test;

use std::process::ExitCode;

use lexopt::{Arg, Parser};

use crate::{command::Command, failure::Failure};

/// Every command, in the order in which the help names them.
const COMMANDS: &[Command] =
    &[test::COMMAND, serve::COMMAND, lint::COMMAND, fuzz::COMMAND, bench::COMMAND, compile_time::COMMAND];

fn main() -> ExitCode {
    // Whatever a command starts must be ended when xtask is asked to stop, so listening comes first.
    match signals::listen().and_then(|()| dispatch(&mut Parser::from_env())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::HelpWanted) => {
            command::print_help(COMMANDS);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn dispatch(parser: &mut Parser) -> Result<(), Failure> {
    let name = match parser.next()? {
        None => return Err(Failure::Usage("no command was given".to_owned())),
        Some(Arg::Long("help") | Arg::Short('h')) => return Err(Failure::HelpWanted),
        Some(Arg::Value(name)) => name.to_string_lossy().into_owned(),
        Some(other) => return Err(other.unexpected().into()),
    };
    if name == "help" {
        return Err(Failure::HelpWanted);
    }
    match COMMANDS.iter().find(|command| command.name == name) {
        Some(command) => (command.run)(parser),
        None => Err(Failure::Usage(format!("there is no command `{name}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(arguments: &[&str]) -> Failure {
        match dispatch(&mut Parser::from_args(arguments)) {
            Ok(()) => panic!("{arguments:?} was accepted"),
            Err(failure) => failure,
        }
    }

    #[test]
    fn unknown_words_are_usage_errors_of_one_line() {
        for arguments in [&[][..], &["tset"], &["--tset"], &["-x"], &["lint", "more"], &["test", "--backend", "oracle"]]
        {
            let failure = failure(arguments);
            assert_eq!(failure.exit_code(), 2, "{arguments:?}: {failure}");
            assert_eq!(failure.to_string().lines().count(), 1, "{arguments:?}: {failure}");
        }
        assert!(failure(&["tset"]).to_string().starts_with("there is no command `tset`"));
    }

    #[test]
    fn help_can_be_asked_for_anywhere() {
        for arguments in [&["help"][..], &["--help"], &["-h"], &["test", "--help"], &["lint", "-h"]] {
            assert!(matches!(failure(arguments), Failure::HelpWanted), "{arguments:?}");
        }
    }

    #[test]
    fn the_readme_and_the_guide_name_commands_that_there_are() {
        for text in [include_str!("../../README.md"), include_str!("../../CONTRIBUTING.md")] {
            let named: Vec<&str> = text
                .split("cargo xtask ")
                .skip(1)
                .filter_map(|rest| rest.split(|c: char| !(c.is_ascii_lowercase() || c == '-')).next())
                .collect();
            assert!(!named.is_empty());
            for name in named {
                let known = name == "help" || COMMANDS.iter().any(|command| command.name == name);
                assert!(known, "there is no `cargo xtask {name}`");
            }
        }
    }
}
