//! `cargo xtask test`: builds everything and runs every test, on a throwaway PostgreSQL server where one is needed.

use std::{env, ffi::OsString};

use lexopt::{Arg, Parser, ValueExt};

use crate::{
    backend::Backend,
    command::Command,
    failure::Failure,
    run,
    server::{self, Access},
};

pub(crate) const COMMAND: Command = Command {
    name: "test",
    arguments: "[--backend sqlite|postgres|all] [--postgres-url URL] [--] [filter…]",
    about: "\
Builds everything, then runs the tests and the documentation's examples.
Starts a PostgreSQL server for them and removes it afterwards; installs
Debian's package when the server's programs are missing and it may.
--backend       the backend to test; default: all of them
--postgres-url  an existing server to use instead, whose user may create
                databases (or set ORM_TEST_POSTGRES_URL)
filter          handed to the test programs, as by cargo test -- filter",
    run: test,
};

/// Tells the tests which PostgreSQL server to use; also how a user names one.
const URL_VARIABLE: &str = "ORM_TEST_POSTGRES_URL";

/// The command line, read.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    backend: Backend,
    /// The existing server that was named, if one was.
    postgres_url: Option<String>,
    filters: Vec<OsString>,
}

fn test(parser: &mut Parser) -> Result<(), Failure> {
    let options = read_options(parser, env::var(URL_VARIABLE).ok())?;
    let mut postgres = match options.backend.uses_postgres() {
        true => Some(server::postgres(options.postgres_url.clone())?),
        false => None,
    };
    let result = run_steps(&options, postgres.as_ref().map(Access::url));
    if let (Err(_), Some(server)) = (&result, &mut postgres) {
        server.tell_if_it_has_ended();
    }
    result
}

fn read_options(parser: &mut Parser, url_from_environment: Option<String>) -> Result<Options, Failure> {
    let mut options = Options { backend: Backend::All, postgres_url: None, filters: Vec::new() };
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("backend") => options.backend = parser.value()?.parse()?,
            Arg::Long("postgres-url") => options.postgres_url = Some(parser.value()?.string()?),
            Arg::Long("help") | Arg::Short('h') => return Err(Failure::HelpWanted),
            Arg::Value(filter) => options.filters.push(filter),
            other => return Err(other.unexpected().into()),
        }
    }
    if options.backend.uses_postgres() {
        // An empty variable is what a script has that was told no server.
        options.postgres_url = options.postgres_url.or(url_from_environment.filter(|url| !url.is_empty()));
    } else if options.postgres_url.is_some() {
        return Err(Failure::Usage("--postgres-url means nothing with --backend sqlite".to_owned()));
    }
    match &options.postgres_url {
        // The URL itself is not shown: it holds a password.
        Some(url) if !is_postgres_url(url) => Err(Failure::Usage(format!(
            "the server named by --postgres-url or {URL_VARIABLE} must look like postgres://user:password@host:5432/postgres"
        ))),
        _ => Ok(options),
    }
}

fn is_postgres_url(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

fn run_steps(options: &Options, postgres_url: Option<&str>) -> Result<(), Failure> {
    for (what, arguments) in steps(options) {
        let mut command = run::cargo();
        command.args(&arguments);
        match postgres_url {
            Some(url) => command.env(URL_VARIABLE, url),
            None => command.env_remove(URL_VARIABLE),
        };
        let shown: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
        run::step(&format!("{what}: cargo {}", shown.join(" ")), &mut command)?;
    }
    eprintln!("\nEverything passed.");
    Ok(())
}

/// Every cargo command, in order, with what it is for.
fn steps(options: &Options) -> Vec<(&'static str, Vec<OsString>)> {
    let features = options.backend.feature_arguments();
    let cargo = |words: &[&str], features: &[String], filters: &[OsString]| {
        let mut arguments: Vec<OsString> = words.iter().map(Into::into).collect();
        arguments.extend(features.iter().map(Into::into));
        if !filters.is_empty() {
            arguments.push("--".into());
            arguments.extend_from_slice(filters);
        }
        arguments
    };
    vec![
        ("Build", cargo(&["build", "--workspace", "--all-targets"], &features, &[])),
        (
            "Documentation's examples",
            cargo(&["test", "--workspace", "--doc"], &options.backend.documentation_arguments(), &options.filters),
        ),
        ("Tests", cargo(&["test", "--workspace", "--lib", "--bins", "--tests"], &features, &options.filters)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "postgres://me:secret@localhost/postgres";

    fn read(arguments: &[&str], environment: Option<&str>) -> Result<Options, Failure> {
        read_options(&mut Parser::from_args(arguments), environment.map(str::to_owned))
    }

    #[test]
    fn everything_is_tested_by_default() {
        let options = read(&[], None).expect("no argument is needed");
        assert_eq!(options, Options { backend: Backend::All, postgres_url: None, filters: vec![] });
    }

    #[test]
    fn filters_follow_with_or_without_dashes() {
        assert_eq!(read(&["a", "b"], None).expect("words are filters").filters, ["a", "b"]);
        let options = read(&["--backend=sqlite", "--", "a", "--nocapture"], None).expect("all may follow --");
        assert_eq!(options.filters, ["a", "--nocapture"]);
        assert!(matches!(read(&["--nocapture"], None), Err(Failure::Usage(_))));
    }

    #[test]
    fn the_argument_wins_over_the_environment() {
        let url = |arguments, environment| read(arguments, environment).expect("it is valid").postgres_url;
        assert_eq!(url(&["--postgres-url", URL], Some("postgres://other")).as_deref(), Some(URL));
        assert_eq!(url(&[], Some(URL)).as_deref(), Some(URL));
        assert_eq!(url(&[], Some("")), None);
        assert_eq!(url(&["--backend", "sqlite"], Some(URL)), None);
    }

    #[test]
    fn a_server_that_cannot_be_used_is_refused() {
        assert!(matches!(read(&["--backend", "sqlite", "--postgres-url", URL], None), Err(Failure::Usage(_))));
        let failure = read(&[], Some("mysql://me:secret@localhost")).expect_err("it is another product");
        assert!(!failure.to_string().contains("secret"), "{failure}");
    }

    #[test]
    fn filters_go_to_the_tests_and_not_to_the_build() {
        let options = read(&["--backend", "sqlite", "some_test"], None).expect("it is valid");
        let steps: Vec<String> = steps(&options)
            .iter()
            .map(|(_, arguments)| arguments.join(" ".as_ref()).to_string_lossy().into())
            .collect();
        assert_eq!(steps.len(), 3);
        assert!(!steps[0].contains("some_test"), "{steps:?}");
        assert!(steps[1].starts_with("test --workspace --doc"), "{steps:?}");
        assert!(steps[2].ends_with(" orm-tests/sqlite,orm-examples/sqlite,orm-bench/sqlite -- some_test"), "{steps:?}");
    }
}
