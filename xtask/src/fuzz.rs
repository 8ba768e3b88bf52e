//! `cargo xtask fuzz`: tells connections for a long time what no honest server says.

use std::process::Command as Program;

use lexopt::{Arg, Parser, ValueExt};

use crate::{command::Command, failure::Failure, run};

pub(crate) const COMMAND: Command = Command {
    name: "fuzz",
    arguments: "[--minutes N] [--seed N]",
    about: "\
Plays a PostgreSQL server whose answers are changed at random, for longer than
the tests do. No server is needed. A failure names its input's seed.
--minutes  how long; default: 60
--seed     the seed of the first input, to see a failure again; default: any",
    run: fuzz,
};

/// The features that are needed, and the tests' names; the profile is fast and has all checks.
const ARGUMENTS: &[&str] = &[
    "test",
    "--profile",
    "fuzz",
    "-p",
    "orm-core",
    "--lib",
    "--features",
    "postgres,bundled",
    "--",
    "hostile::fuzz_",
    "--nocapture",
];

/// The command line, read.
#[derive(Debug, PartialEq)]
struct Options {
    minutes: f64,
    seed: Option<u64>,
}

fn fuzz(parser: &mut Parser) -> Result<(), Failure> {
    let options = read_options(parser)?;
    let mut program = run::cargo();
    run::step(
        &format!("Fuzzing for {} minutes: cargo {}", options.minutes, ARGUMENTS.join(" ")),
        set(&mut program, &options),
    )
}

fn set<'a>(program: &'a mut Program, options: &Options) -> &'a mut Program {
    program.args(ARGUMENTS).env("ORM_FUZZ_MINUTES", options.minutes.to_string());
    match options.seed {
        Some(seed) => program.env("ORM_FUZZ_SEED", seed.to_string()),
        None => program.env_remove("ORM_FUZZ_SEED"),
    }
}

fn read_options(parser: &mut Parser) -> Result<Options, Failure> {
    let mut options = Options { minutes: 60.0, seed: None };
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("minutes") => options.minutes = parser.value()?.parse()?,
            Arg::Long("seed") => options.seed = Some(parser.value()?.parse()?),
            Arg::Long("help") | Arg::Short('h') => return Err(Failure::HelpWanted),
            other => return Err(other.unexpected().into()),
        }
    }
    // A month; what is longer, or no number at all, is a slip.
    if !(options.minutes > 0.0 && options.minutes <= 43_200.0) {
        return Err(Failure::Usage("--minutes must be more than 0, and 43200 at most".to_owned()));
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Options, Failure> {
        read_options(&mut Parser::from_args(arguments))
    }

    #[test]
    fn an_hour_is_fuzzed_unless_something_else_is_said() {
        assert_eq!(read(&[]).expect("nothing is needed"), Options { minutes: 60.0, seed: None });
        let options = read(&["--minutes", "0.5", "--seed=7"]).expect("they are numbers");
        assert_eq!(options, Options { minutes: 0.5, seed: Some(7) });
        for wrong in ["0", "-1", "NaN", "inf", "long"] {
            assert!(matches!(read(&[&format!("--minutes={wrong}")]), Err(Failure::Usage(_))), "{wrong}");
        }
    }

    #[test]
    fn the_tests_are_told_by_the_environment() {
        let mut program = Program::new("cargo");
        set(&mut program, &Options { minutes: 1.5, seed: Some(7) });
        let told: Vec<_> =
            program.get_envs().map(|(name, value)| (name.to_str(), value.and_then(|it| it.to_str()))).collect();
        assert_eq!(told, [(Some("ORM_FUZZ_MINUTES"), Some("1.5")), (Some("ORM_FUZZ_SEED"), Some("7"))]);
    }
}
