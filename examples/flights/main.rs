//! Loads a month of flights into a database and streams it out again as two reports, in constant memory.
//!
//! `cargo run --release --example flights` does it in a SQLite file of its own; `-- --help` says what else it can.
//!
//! `arguments.rs` reads the command line, `models.rs` holds the tables, `data.rs` reads the files that are shipped,
//! `load.rs` stores them; each report has a file of its own, and `output.rs`, `progress.rs`, `memory.rs` and
//! `failure.rs` are what both need.

mod arguments;
mod carriers_report;
mod data;
mod failure;
mod flights_report;
mod load;
mod memory;
mod models;
mod output;
mod progress;

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
    time::Instant,
};

use orm_core::Database;

use crate::{
    arguments::{Arguments, Command},
    failure::Failure,
    output::ReportFile,
};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("flights: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    match Command::read(lexopt::Parser::from_env())? {
        Command::Help => print(arguments::HELP),
        Command::Run(Arguments { database: Some(url), chunk_size, scale, replace, out }) => {
            let db = orm_core::connect(&url)?;
            export(&db, chunk_size, scale, replace, &out)
        }
        Command::Run(Arguments { database: None, chunk_size, scale, replace, out }) => {
            // The folder goes when this returns, whatever happened.
            let folder = tempfile::tempdir().map_err(Failure::with("no temporary folder can be made"))?;
            let db = orm_core::connect(&sqlite_url(&folder.path().join("flights.db"))?)?;
            export(&db, chunk_size, scale, replace, &out)
        }
    }
}

fn export(db: &Database, chunk_size: usize, scale: u64, replace: bool, out: &Path) -> Result<(), Failure> {
    // Both files are opened before anything is loaded, so that a bad folder is known at once.
    let flights_file = ReportFile::create(out, "flights.csv")?;
    let carriers_file = ReportFile::create(out, "carriers.csv")?;

    let start = Instant::now();
    let flights = load::load(db, scale, replace)?;
    print(&format!("loaded {}\n", speed(flights, "flights", start)))?;

    let start = Instant::now();
    let written = flights_report::write(db, chunk_size, flights, flights_file.as_file())?;
    let path = flights_file.finish()?;
    print(&format!("{}: {written} rows, from {}\n", path.display(), speed(flights, "rows streamed", start)))?;

    let start = Instant::now();
    let written = carriers_report::write(db, chunk_size, flights, carriers_file.as_file())?;
    let path = carriers_file.finish()?;
    print(&format!("{}: {written} rows, from {}\n", path.display(), speed(flights, "rows streamed", start)))?;

    match memory::peak_mib() {
        Some(mib) => print(&format!("peak memory: {mib:.1} MiB\n")),
        None => Ok(()),
    }
}

fn speed(rows: u64, what: &str, start: Instant) -> String {
    let seconds = start.elapsed().as_secs_f64();
    format!("{rows} {what} in {seconds:.2} s, {:.0} per second", rows as f64 / seconds.max(1e-9))
}

/// Unlike `println!`, no panic where nobody listens any more.
fn print(text: &str) -> Result<(), Failure> {
    io::stdout().write_all(text.as_bytes()).map_err(Failure::with("standard output cannot be written"))
}

/// What `%` and `?` mean in a URL, they do not mean in a path.
fn sqlite_url(path: &Path) -> Result<String, Failure> {
    match path.to_str() {
        Some(path) => Ok(format!("sqlite://{}", path.replace('%', "%25").replace('?', "%3F"))),
        None => Err(Failure::new(format!("the temporary folder's name is no UTF-8: {}", path.display()))),
    }
}
