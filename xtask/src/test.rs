//! `cargo xtask test`: builds everything and runs every test, on throwaway servers where they are needed.

use std::{env, ffi::OsString};

use lexopt::{Arg, Parser, ValueExt};

use crate::{
    backend::Backend,
    command::Command,
    failure::Failure,
    run,
    server::{Access, Kind, Locale, pgbouncer},
};

pub(crate) const COMMAND: Command = Command {
    name: "test",
    arguments: "[--backend sqlite|postgres|mysql|all] [--postgres-url URL] [--mysql-url URL]
       [--postgres-locale c|icu|libc] [--] [filter…]",
    about: "\
Builds everything, then runs the tests and the documentation's examples.
Starts PostgreSQL and MariaDB servers for them and removes them afterwards;
installs Debian's packages when the servers' programs (or PgBouncer, which
some tests of PostgreSQL need) are missing and it may.
--backend       the backend to test; default: all of them
--postgres-url  an existing server to use instead, whose user may create
                databases (or set ORM_TEST_POSTGRES_URL)
--mysql-url     the same for MySQL and MariaDB (or ORM_TEST_MYSQL_URL)
--postgres-locale
                the locale of the PostgreSQL server that is started: c (the
                default), icu (American English) or libc (a language that the
                system has, or American English, which is then made of Debian's
                package `locales`); on an existing server it is another's choice
filter          handed to the test programs, as by cargo test -- filter",
    run: test,
};

/// Tells the tests which program starts a server: this one. Some need a server with options of their own.
const PROGRAM_VARIABLE: &str = "ORM_TEST_SERVER_PROGRAM";

/// The command line, read.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    backend: Backend,
    /// The existing servers that were named.
    urls: Vec<(Kind, String)>,
    postgres_locale: Locale,
    filters: Vec<OsString>,
}

fn test(parser: &mut Parser) -> Result<(), Failure> {
    let options = read_options(parser, |kind| env::var(kind.url_variable()).ok())?;
    // Asked now, because the build may put another file in this one's place.
    let program =
        env::current_exe().map_err(|error| Failure::Other(format!("could not find xtask's program: {error}")))?;
    if options.backend.includes(Backend::Postgres) {
        // The tests start it themselves, several at once: it is installed before.
        pgbouncer::find_or_install()?;
    }
    let mut servers = Vec::new();
    for kind in options.backend.servers() {
        let url = options.url(kind).map(str::to_owned);
        servers.push(Access::to_server_of(kind, url, options.postgres_locale)?);
    }
    let result = run_steps(&options, &servers, &program.into());
    if result.is_err() {
        servers.iter_mut().for_each(Access::tell_if_it_has_ended);
    }
    result
}

impl Options {
    /// The existing server that was named, if one was.
    fn url(&self, wanted: Kind) -> Option<&str> {
        self.urls.iter().find(|(kind, _)| *kind == wanted).map(|(_, url)| url.as_str())
    }
}

fn read_options(parser: &mut Parser, from_environment: impl Fn(Kind) -> Option<String>) -> Result<Options, Failure> {
    let mut options =
        Options { backend: Backend::All, urls: Vec::new(), postgres_locale: Locale::default(), filters: Vec::new() };
    let mut named = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("backend") => options.backend = parser.value()?.parse()?,
            Arg::Long("postgres-url") => named.push((Kind::Postgres, parser.value()?.string()?)),
            Arg::Long("postgres-locale") => options.postgres_locale = parser.value()?.parse()?,
            Arg::Long("mysql-url") => named.push((Kind::Mysql, parser.value()?.string()?)),
            Arg::Long("help") | Arg::Short('h') => return Err(Failure::HelpWanted),
            Arg::Value(filter) => options.filters.push(filter),
            other => return Err(other.unexpected().into()),
        }
    }
    let needed = options.backend.servers();
    if let Some((kind, _)) = named.iter().find(|(kind, _)| !needed.contains(kind)) {
        return Err(Failure::Usage(format!("--{}-url means nothing with this --backend", kind.name())));
    }
    if options.postgres_locale != Locale::C && !needed.contains(&Kind::Postgres) {
        return Err(Failure::Usage("--postgres-locale means nothing with this --backend".to_owned()));
    }
    for kind in needed {
        let argument = named.iter().rev().find(|(of, _)| *of == kind).map(|(_, url)| url.clone());
        // An empty variable is what a script has that was told no server.
        let Some(url) = argument.or_else(|| from_environment(kind).filter(|url| !url.is_empty())) else { continue };
        if !kind.has_url(&url) {
            // The URL itself is not shown: it holds a password.
            return Err(Failure::Usage(format!(
                "the server named by --{}-url or {} must look like {}",
                kind.name(),
                kind.url_variable(),
                kind.example_url()
            )));
        }
        options.urls.push((kind, url));
    }
    if options.postgres_locale != Locale::C && options.url(Kind::Postgres).is_some() {
        return Err(Failure::Usage("--postgres-locale is for a server that is started, and one was named".to_owned()));
    }
    Ok(options)
}

fn run_steps(options: &Options, servers: &[Access], program: &OsString) -> Result<(), Failure> {
    for (what, arguments) in steps(options) {
        let mut command = run::cargo();
        command.args(&arguments).env(PROGRAM_VARIABLE, program);
        // None of a backend that is not tested, so that a test that needs it all the same fails.
        for kind in Kind::ALL {
            command.env_remove(kind.url_variable());
        }
        for server in servers {
            command.env(server.kind().url_variable(), server.url());
        }
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
    const MYSQL_URL: &str = "mysql://me:secret@localhost/orm";

    fn read(arguments: &[&str], postgres: Option<&str>) -> Result<Options, Failure> {
        let environment = |kind| if kind == Kind::Postgres { postgres.map(str::to_owned) } else { None };
        read_options(&mut Parser::from_args(arguments), environment)
    }

    #[test]
    fn everything_is_tested_by_default() {
        let options = read(&[], None).expect("no argument is needed");
        let expected = Options { backend: Backend::All, urls: vec![], postgres_locale: Locale::C, filters: vec![] };
        assert_eq!(options, expected);
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
        let url = |arguments: &[&str], environment| {
            read(arguments, environment).expect("it is valid").url(Kind::Postgres).map(str::to_owned)
        };
        assert_eq!(url(&["--postgres-url", URL], Some("postgres://other")).as_deref(), Some(URL));
        assert_eq!(url(&[], Some(URL)).as_deref(), Some(URL));
        assert_eq!(url(&[], Some("")), None);
        assert_eq!(url(&["--backend", "sqlite"], Some(URL)), None);
        assert_eq!(url(&["--backend", "mysql"], Some(URL)), None);
    }

    #[test]
    fn each_backend_has_its_own_server() {
        let options = read(&["--mysql-url", MYSQL_URL], Some(URL)).expect("they are valid");
        assert_eq!((options.url(Kind::Postgres), options.url(Kind::Mysql)), (Some(URL), Some(MYSQL_URL)));
        let options = read(&["--backend=mysql", "--mysql-url", "mariadb://localhost/orm"], None);
        assert_eq!(options.expect("that is its other name").url(Kind::Mysql), Some("mariadb://localhost/orm"));
    }

    #[test]
    fn a_server_that_cannot_be_used_is_refused() {
        for backend in ["sqlite", "mysql"] {
            let read = read(&["--backend", backend, "--postgres-url", URL], None);
            assert!(matches!(read, Err(Failure::Usage(_))), "{backend}");
        }
        assert!(matches!(read(&["--backend", "postgres", "--mysql-url", MYSQL_URL], None), Err(Failure::Usage(_))));
        for (arguments, environment) in [(&[][..], Some(MYSQL_URL)), (&["--mysql-url", URL], None)] {
            let failure = read(arguments, environment).expect_err("it is another product").to_string();
            assert!(failure.contains("must look like") && !failure.contains("secret"), "{failure}");
        }
    }

    #[test]
    fn a_locale_is_of_a_server_that_is_started() {
        assert_eq!(read(&["--postgres-locale=icu"], None).expect("it is valid").postgres_locale, Locale::Icu);
        assert!(matches!(read(&["--postgres-locale", "icu"], Some(URL)), Err(Failure::Usage(_))));
        assert!(matches!(read(&["--backend=sqlite", "--postgres-locale=libc"], None), Err(Failure::Usage(_))));
        assert!(matches!(read(&["--postgres-locale=en"], None), Err(Failure::Usage(_))));
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
