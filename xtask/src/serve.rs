//! `cargo xtask server`: a throwaway server for running single tests by hand.

use std::{
    io::{self, Write},
    thread,
};

use lexopt::{Arg, Parser, ValueExt};

use crate::{command::Command, failure::Failure, run, server, signals};

pub(crate) const COMMAND: Command = Command {
    name: "server",
    arguments: "[--backend postgres]",
    about: "Starts the tests' PostgreSQL server, prints its URL and waits for Ctrl-C.",
    run: serve,
};

fn serve(parser: &mut Parser) -> Result<(), Failure> {
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("backend") => match parser.value()?.string()?.as_str() {
                "postgres" => {}
                other => {
                    return Err(Failure::Usage(format!("there is no server for backend `{other}`, only `postgres`")));
                }
            },
            Arg::Long("help") | Arg::Short('h') => return Err(Failure::HelpWanted),
            other => return Err(other.unexpected().into()),
        }
    }
    let mut server = server::postgres::start()?;
    // The URL alone on standard output, so that a script can read it.
    writeln!(io::stdout(), "{}", server.url())
        .map_err(|error| Failure::Other(format!("could not print the server's URL: {error}")))?;
    eprintln!("The server runs until Ctrl-C. Tests find it by ORM_TEST_POSTGRES_URL.");
    // Ctrl-C is this command's regular end.
    while signals::take().is_none() {
        if let Some(story) = server.how_it_ended() {
            return Err(Failure::Other(story));
        }
        thread::sleep(run::POLL);
    }
    Ok(())
}
