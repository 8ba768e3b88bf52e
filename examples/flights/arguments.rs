//! The command line.

use std::{num::NonZeroUsize, path::PathBuf};

use lexopt::{Arg, Parser, ValueExt};

use crate::failure::Failure;

pub(crate) const HELP: &str = "\
Loads the flights that left New York City's airports in January 2013 into a
database, and streams them out again as DIR/flights.csv and DIR/carriers.csv.

Usage: flights [options]

  --database URL   the database, such as postgres://user:password@host/name,
                   mysql://user:password@host/name or sqlite://path/to/file.db;
                   its tables airlines, airports, flights and planes are made,
                   and they stay
                   [default: a SQLite file, removed at the end]
  --replace        drop these four tables first, with all that is in them,
                   where the database has them already
  --chunk-size N   how many rows are fetched at a time, at most [default: 2000]
  --scale N        load the month N times, under new ids [default: 1]
  --out DIR        the folder for the reports, made if it is not there; reports
                   of an earlier run are replaced [default: flights-out]
  -h, --help       print this text
";

/// What the command line asks for.
pub(crate) enum Command {
    Help,
    Run(Arguments),
}

pub(crate) struct Arguments {
    /// The database's URL; without one, a SQLite file for this run.
    pub(crate) database: Option<String>,
    pub(crate) replace: bool,
    pub(crate) chunk_size: usize,
    pub(crate) scale: u64,
    pub(crate) out: PathBuf,
}

impl Command {
    pub(crate) fn read(mut parser: Parser) -> Result<Self, Failure> {
        let mut all =
            Arguments { database: None, replace: false, chunk_size: 2000, scale: 1, out: "flights-out".into() };
        while let Some(argument) = parser.next().map_err(mistake)? {
            match argument {
                Arg::Long("database") => all.database = Some(text(&mut parser, "database")?),
                Arg::Long("replace") => all.replace = true,
                Arg::Long("chunk-size") => all.chunk_size = at_least_one(&mut parser, "chunk-size")?.get(),
                Arg::Long("scale") => all.scale = at_least_one(&mut parser, "scale")?.get() as u64,
                Arg::Long("out") => all.out = parser.value().map_err(mistake)?.into(),
                Arg::Long("help") | Arg::Short('h') => return Ok(Command::Help),
                // Its text is not shown: it may be a URL with a password.
                Arg::Value(_) => {
                    return Err(Failure::new("every argument has a name, as in `--database URL`; see --help"));
                }
                unknown => return Err(mistake(unknown.unexpected())),
            }
        }
        if all.replace && all.database.is_none() {
            return Err(Failure::new("--replace needs a --database whose tables it is to drop; see --help"));
        }
        Ok(Command::Run(all))
    }
}

fn text(parser: &mut Parser, option: &str) -> Result<String, Failure> {
    let value = parser.value().map_err(mistake)?;
    value.string().map_err(|_| Failure::new(format!("the value of --{option} is no UTF-8")))
}

fn at_least_one(parser: &mut Parser, option: &str) -> Result<NonZeroUsize, Failure> {
    text(parser, option)?
        .parse()
        .map_err(|_| Failure::new(format!("--{option} takes a whole number of at least 1; see --help")))
}

fn mistake(error: lexopt::Error) -> Failure {
    Failure::new(match error {
        // The value is not shown here either.
        lexopt::Error::UnexpectedValue { option, .. } => format!("the option `{option}` takes no value; see --help"),
        other => format!("{other}; see --help"),
    })
}
