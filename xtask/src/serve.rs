//! `cargo xtask server`: throwaway servers for running single tests by hand, and for tests that need one of their own.

use std::{
    env,
    io::{self, Read, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use lexopt::{Arg, Parser, ValueExt};

use crate::{
    command::Command,
    failure::Failure,
    run,
    server::{Kind, Locale, Server, ServerOption, pgbouncer},
    signals,
};

pub(crate) const COMMAND: Command = Command {
    name: "server",
    arguments: "[--backend postgres|mysql | --pgbouncer] [--server-option NAME=VALUE]…
       [--postgres-locale c|icu|libc] [--until-eof]",
    about: "\
Starts the tests' servers, prints a URL a line (PostgreSQL's first) and waits
for Ctrl-C.
--backend        the only server to start; default: all of them
--pgbouncer      starts PgBouncer instead, in transaction mode, before the
                 PostgreSQL server that ORM_TEST_POSTGRES_URL names
--server-option  a setting of the server, which becomes its --NAME=VALUE; only
                 where one server is named
--postgres-locale
                 as of `cargo xtask test`
--until-eof      also stops when standard input ends",
    run: serve,
};

/// The command line, read.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    servers: Vec<Kind>,
    /// Instead of the servers.
    pgbouncer: bool,
    server_options: Vec<ServerOption>,
    postgres_locale: Locale,
    until_eof: bool,
}

fn serve(parser: &mut Parser) -> Result<(), Failure> {
    let options = read_options(parser)?;
    let end = if options.until_eof { end_of_input() } else { Arc::default() };
    let mut servers = Vec::new();
    if options.pgbouncer {
        let behind = env::var(Kind::Postgres.url_variable()).unwrap_or_default();
        servers.push(pgbouncer::start(&behind, &options.server_options)?);
    }
    for kind in &options.servers {
        servers.push(kind.start_with(&options.server_options, options.postgres_locale)?);
    }
    for server in &servers {
        // The URL alone on standard output, so that a script can read it.
        writeln!(io::stdout(), "{}", server.url())
            .map_err(|error| Failure::Other(format!("could not print the server's URL: {error}")))?;
    }
    for kind in options.servers {
        eprintln!("Tests find the {} server by {}.", kind.name(), kind.url_variable());
    }
    eprintln!("Ctrl-C stops.");
    // Ctrl-C is this command's regular end.
    while signals::take().is_none() && !end.load(Ordering::Relaxed) {
        if let Some(story) = servers.iter_mut().find_map(Server::how_it_ended) {
            return Err(Failure::Other(story));
        }
        thread::sleep(run::POLL);
    }
    Ok(())
}

fn read_options(parser: &mut Parser) -> Result<Options, Failure> {
    let mut backend = None;
    let mut options = Options {
        servers: Vec::new(),
        pgbouncer: false,
        server_options: Vec::new(),
        postgres_locale: Locale::default(),
        until_eof: false,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("backend") => {
                let name = parser.value()?.string()?;
                let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.name() == name) else {
                    let known = Kind::ALL.map(Kind::name).join(" and ");
                    return Err(Failure::Usage(format!("there is no server for backend `{name}`, only for {known}")));
                };
                backend = Some(kind);
            }
            Arg::Long("pgbouncer") => options.pgbouncer = true,
            Arg::Long("server-option") => {
                options.server_options.push(ServerOption::parse(&parser.value()?.string()?)?);
            }
            Arg::Long("postgres-locale") => options.postgres_locale = parser.value()?.parse()?,
            Arg::Long("until-eof") => options.until_eof = true,
            Arg::Long("help") | Arg::Short('h') => return Err(Failure::HelpWanted),
            other => return Err(other.unexpected().into()),
        }
    }
    match (backend, options.pgbouncer) {
        (Some(_), true) => return Err(Failure::Usage("--pgbouncer is no backend's: leave --backend out".to_owned())),
        (None, true) => {}
        (Some(kind), false) => options.servers = vec![kind],
        (None, false) => options.servers = Kind::ALL.into(),
    }
    if !options.server_options.is_empty() && options.servers.len() > 1 {
        return Err(Failure::Usage(
            "--server-option goes with --backend or --pgbouncer, for servers have no settings in common".to_owned(),
        ));
    }
    Ok(options)
}

/// Becomes true when standard input ends, as it does when whoever holds its other end is gone.
fn end_of_input() -> Arc<AtomicBool> {
    let end = Arc::<AtomicBool>::default();
    let shared = Arc::clone(&end);
    thread::spawn(move || {
        // What comes before the end means nothing.
        while matches!(io::stdin().read(&mut [0; 64]), Ok(1..)) {}
        shared.store(true, Ordering::Relaxed);
    });
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Options, Failure> {
        read_options(&mut Parser::from_args(arguments))
    }

    #[test]
    fn all_servers_are_started_unless_one_is_named() {
        let servers = |arguments| read(arguments).expect("they are valid").servers;
        assert_eq!(servers(&[]), [Kind::Postgres, Kind::Mysql]);
        assert_eq!(servers(&["--backend", "postgres"]), [Kind::Postgres]);
        assert_eq!(servers(&["--backend=mysql", "--until-eof"]), [Kind::Mysql]);
        for backend in ["sqlite", "all", "Postgres"] {
            let failure = read(&["--backend", backend]).expect_err("it has no server").to_string();
            assert!(failure.contains("only for postgres and mysql"), "{failure}");
        }
    }

    #[test]
    fn server_options_are_for_one_product() {
        let options =
            read(&["--server-option=a=1", "--backend=mysql", "--server-option", "b"]).expect("they are valid");
        let expected = ["a=1", "b"].map(|text| ServerOption::parse(text).expect("it is valid"));
        assert_eq!(options.server_options, expected);
        assert_eq!(read(&["--server-option=a=1", "--backend=postgres"]).expect("valid, too").server_options.len(), 1);
        assert!(matches!(read(&["--server-option=a=1"]), Err(Failure::Usage(_))));
    }

    #[test]
    fn pgbouncer_is_started_alone() {
        let options = read(&["--pgbouncer", "--until-eof", "--server-option=pool_size=3"]).expect("they are valid");
        assert!(options.pgbouncer && options.servers.is_empty() && options.server_options.len() == 1);
        assert!(!read(&[]).expect("nothing is needed").pgbouncer);
        assert!(matches!(read(&["--pgbouncer", "--backend=postgres"]), Err(Failure::Usage(_))));
    }
}
