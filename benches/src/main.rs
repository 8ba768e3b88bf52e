//! `orm-bench prepare URL ROWS` fills the tables; `orm-bench list URL` prints the cases that read on one line and their
//! programs on the next, then those that write; `orm-bench run PROGRAM CASE URL` runs one program and prints what it
//! measured.
#![allow(clippy::print_stdout)] // that is what it is for

use std::process::ExitCode;

use orm_bench::{
    Error, backend,
    cases::Case,
    programs, run, tables,
    writing::{self, Write},
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("orm-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[&str]) -> Result<(), Error> {
    match arguments {
        ["prepare", url, rows] => tables::prepare(url, rows.parse()?),
        ["list", url] => {
            println!("{}\n{}", Case::ALL.map(|(name, _)| name).join(" "), programs(backend(url)?).join(" "));
            println!("{}\n{}", Write::ALL.map(|(name, _)| name).join(" "), writing::PROGRAMS.join(" "));
            Ok(())
        }
        ["run", program, case, url] => {
            let measured = match case.parse() {
                Ok(write) => writing::run(program, write, url)?,
                Err(_) => run(program, case.parse()?, url)?,
            };
            println!("{measured}");
            Ok(())
        }
        _ => Err("usage: orm-bench prepare URL ROWS | list URL | run PROGRAM CASE URL".into()),
    }
}
