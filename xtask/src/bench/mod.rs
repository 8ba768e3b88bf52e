//! `cargo xtask bench`: runs orm-core's programs and those written by hand in turn, and prints what they took.

mod latency;
mod report;

use std::{fs, path::Path, time::Duration};

use lexopt::{Arg, Parser, ValueExt};

use self::report::{Line, Run};
use crate::{
    backend::Backend,
    command::{self, Command},
    failure::Failure,
    run,
    server::{Access, Kind, mariadb_library},
};

pub(crate) const COMMAND: Command = Command {
    name: "bench",
    arguments: "[--backend sqlite|postgres|mysql|all] [--rows N] [--rounds N] [--case NAME] [--latency MS] [--json]",
    about: "\
Measures orm-core against the same reading and writing by hand, on Diesel and
on other crates. Each program runs in a process of its own, in turn with the
others, on a server that is started for it; shown are the medians of time,
processor time (the program's own, in its code and in the system's for it)
and peak memory (Linux alone tells that one), and time and processor time as
multiples of one program's written by hand. Programs must read, or have
stored, the same rows. A fifth of the rows are written, or fewer, by the case.
--backend  the backend to measure; default: all of them
--rows     rows of the table; default: 1000000
--rounds   how often each program runs; default: 5
--case     the only case to measure, such as scan, join or insert; default: all
--latency  the round trip time of the network between programs and servers, in
           milliseconds; a proxy delays what they send. SQLite has no network
--json     one JSON object a line instead of a table",
    run: bench,
};

/// The program of each backend that the others are compared with; `benches/src/lib.rs` names them all.
const BY_HAND_ON_SQLITE: &str = "diesel";
const BY_HAND_ON_POSTGRES: &str = "libpq-cursor";
const BY_HAND_ON_MYSQL: &str = "mysql-crate";
/// The program that the one of orm-core is compared with where rows are written.
const WRITTEN_BY_HAND: &str = "by-hand";

/// The command line, read.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    backend: Backend,
    rows: u64,
    rounds: usize,
    case: Option<String>,
    latency: Duration,
    json: bool,
}

fn bench(parser: &mut Parser) -> Result<(), Failure> {
    let options = read_options(parser)?;
    let features = features(options.backend)?;
    let arguments = [&["build", "--release", "-p", "orm-bench"], features].concat();
    run::step(&format!("Build: cargo {}", arguments.join(" ")), run::cargo().args(&arguments))?;
    if options.backend.includes(Backend::Sqlite) {
        let folder = tempfile::tempdir()
            .map_err(|error| Failure::Other(format!("could not make a folder for the database: {error}")))?;
        let url = sqlite_url(folder.path())?;
        prepare(&url, &options, features)?;
        contest("sqlite", &url, BY_HAND_ON_SQLITE, &options, features)?;
    }
    // One server after the other: an idle one would disturb the measurements all the same.
    for kind in options.backend.servers() {
        let mut server = Access::to(kind, None)?;
        prepare(server.url(), &options, features)?;
        let url = match options.latency {
            Duration::ZERO => server.url().to_owned(),
            latency => latency::network_before(server.url(), latency)?,
        };
        let result = contest(kind.name(), &url, by_hand(kind), &options, features);
        if result.is_err() {
            server.tell_if_it_has_ended();
        }
        result?;
    }
    Ok(())
}

/// Those that are not on by default: Diesel's own connection to MySQL needs a C library.
fn features(backend: Backend) -> Result<&'static [&'static str], Failure> {
    if !backend.includes(Backend::Mysql) {
        return Ok(&[]);
    }
    mariadb_library::find_or_install()?;
    Ok(&["--features", "diesel-mysql"])
}

fn by_hand(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgres => BY_HAND_ON_POSTGRES,
        Kind::Mysql => BY_HAND_ON_MYSQL,
    }
}

fn read_options(parser: &mut Parser) -> Result<Options, Failure> {
    let mut options =
        Options { backend: Backend::All, rows: 1_000_000, rounds: 5, case: None, latency: Duration::ZERO, json: false };
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("backend") => options.backend = parser.value()?.parse()?,
            Arg::Long("rows") => options.rows = parser.value()?.parse()?,
            Arg::Long("rounds") => options.rounds = parser.value()?.parse()?,
            Arg::Long("case") => options.case = Some(parser.value()?.string()?),
            Arg::Long("latency") => options.latency = milliseconds(parser.value()?.parse()?)?,
            Arg::Long("json") => options.json = true,
            Arg::Long("help") | Arg::Short('h') => return Err(Failure::HelpWanted),
            other => return Err(other.unexpected().into()),
        }
    }
    if options.rows < 10 || options.rounds == 0 {
        return Err(Failure::Usage("--rows must be at least 10, and --rounds at least 1".to_owned()));
    }
    Ok(options)
}

/// At most a minute: a program would take it for a server that hangs.
fn milliseconds(latency: f64) -> Result<Duration, Failure> {
    match Duration::try_from_secs_f64(latency / 1000.0) {
        Ok(latency) if latency <= Duration::from_secs(60) => Ok(latency),
        _ => Err(Failure::Usage("--latency must be between 0 and 60000".to_owned())),
    }
}

fn sqlite_url(folder: &Path) -> Result<String, Failure> {
    let folder = fs::canonicalize(folder)
        .map_err(|error| Failure::Other(format!("could not find {}: {error}", folder.display())))?;
    Ok(format!("sqlite://{}/bench.db", folder.display()))
}

/// Fills the tables.
fn prepare(url: &str, options: &Options, features: &[&str]) -> Result<(), Failure> {
    orm_bench(&["prepare", url, &options.rows.to_string()], features).map(drop)
}

/// Runs all cases of one backend and prints each when it is done.
fn contest(backend: &str, url: &str, by_hand: &str, options: &Options, features: &[&str]) -> Result<(), Failure> {
    let orm_bench = |arguments: &[&str]| orm_bench(arguments, features);
    let network = match options.latency {
        Duration::ZERO => String::new(),
        latency if backend == "sqlite" => format!(", without the network of {latency:?}"),
        latency => format!(", round trips of {latency:?}"),
    };
    eprintln!("\n=== {backend}: {} rows, medians of {} rounds{network}", options.rows, options.rounds);
    let list = orm_bench(&["list", url])?;
    let lines: Vec<Vec<&str>> = list.lines().map(|line| line.split(' ').collect()).collect();
    let [reading, readers, writing, writers] = lines.as_slice() else {
        return Err(Failure::Other(format!("orm-bench printed no cases and programs but this:\n{list}")));
    };
    if !options.json {
        command::print(report::HEADING)?;
    }
    let cases = reading.iter().map(|case| (case, readers, by_hand));
    for (case, programs, by_hand) in cases.chain(writing.iter().map(|case| (case, writers, WRITTEN_BY_HAND))) {
        if options.case.as_ref().is_some_and(|wanted| wanted != case) {
            continue;
        }
        let by_hand = programs.iter().position(|program| *program == by_hand).ok_or_else(|| {
            Failure::Other(format!("orm-bench has no program `{by_hand}` to compare the others with"))
        })?;
        let mut runs: Vec<Vec<Run>> = programs.iter().map(|_| Vec::new()).collect();
        for _ in 0..options.rounds {
            for (program, runs) in programs.iter().zip(&mut runs) {
                runs.push(orm_bench(&["run", program, case, url])?.parse().map_err(Failure::Other)?);
            }
        }
        report::check_agreement(case, programs, &runs).map_err(Failure::Other)?;
        let lines: Vec<Line> =
            programs.iter().zip(&runs).map(|(program, runs)| Line::new(backend, case, program, runs)).collect();
        for line in &lines {
            let by_hand = &lines[by_hand];
            command::print(&if options.json { line.json(by_hand) } else { line.row(by_hand) })?;
        }
    }
    Ok(())
}

/// Runs orm-bench by cargo, which knows where it is, and returns what it printed.
fn orm_bench(arguments: &[&str], features: &[&str]) -> Result<String, Failure> {
    let mut command = run::cargo();
    command.args(["run", "--quiet", "--release", "-p", "orm-bench"]).args(features).arg("--").args(arguments);
    // Cargo's warnings are no answer.
    let (status, output, errors) = run::quiet_apart(&mut command)?;
    if status.success() {
        return Ok(output);
    }
    // Only the first argument is shown: the URL holds a password.
    Err(Failure::Other(format!("`orm-bench {}` failed ({status}):\n{}", arguments[0], errors.trim_end())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Options, Failure> {
        read_options(&mut Parser::from_args(arguments))
    }

    #[test]
    fn the_usual_bench_needs_no_argument() {
        let options = read(&[]).expect("no argument is needed");
        let usual = Options {
            backend: Backend::All,
            rows: 1_000_000,
            rounds: 5,
            case: None,
            latency: Duration::ZERO,
            json: false,
        };
        assert_eq!(options, usual);
        let options =
            read(&["--backend=mysql", "--rows", "20", "--rounds", "1", "--case=save", "--latency", "0.2", "--json"]);
        let (case, latency) = (Some("save".to_owned()), Duration::from_micros(200));
        let asked = Options { backend: Backend::Mysql, rows: 20, rounds: 1, case, latency, json: true };
        assert_eq!(options.expect("they are valid"), asked);
    }

    #[test]
    fn what_measures_nothing_is_refused() {
        for arguments in [
            &["--rows", "9"][..],
            &["--rounds", "0"],
            &["--rows", "-1"],
            &["--rows=many"],
            &["more"],
            &["--latency", "-1"],
            &["--latency", "60001"],
            &["--latency=NaN"],
        ] {
            assert!(matches!(read(arguments), Err(Failure::Usage(_))), "{arguments:?}");
        }
    }
}
