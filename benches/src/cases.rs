//! What is read, and how much of it; the same for every program.

use std::{ops::ControlFlow, str::FromStr};

use crate::{
    Error,
    measure::{Checksum, Measurement, Meter},
    models::{Aircraft, Airline, Flight},
};

/// How many rows one fetch brings, where a program fetches.
pub(crate) const CHUNK: usize = 2000;

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// The whole table.
    Scan,
    /// The whole table, with two related rows to each of its rows.
    Join,
    /// The first row of the table: how long a program waits for it.
    First,
    /// The first ten rows of the table, the stream dropped, and then another statement.
    Take10,
}

impl Case {
    /// All of them, with their names.
    pub const ALL: [(&'static str, Case); 4] =
        [("scan", Case::Scan), ("join", Case::Join), ("first", Case::First), ("take10", Case::Take10)];
}

impl FromStr for Case {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match Case::ALL.iter().find(|(known, _)| *known == name) {
            Some((_, case)) => Ok(*case),
            None => {
                Err(format!("there is no case `{name}`, only {}", Case::ALL.map(|(name, _)| name).join(", ")).into())
            }
        }
    }
}

/// A flight with what `select_related` gives.
pub(crate) type Joined = (Flight, Aircraft, Option<Airline>);

/// A program: how it reads the tables. It is connected, and its connection may have run no statement yet.
pub(crate) trait Program {
    /// Gives rows of the table to `take`, until it says that it is enough.
    fn scan(&mut self, take: impl FnMut(Flight) -> ControlFlow<()>) -> Result<(), Error>;

    /// Gives rows of the table and related ones to `take`, until it says that it is enough.
    fn join(&mut self, take: impl FnMut(Joined) -> ControlFlow<()>) -> Result<(), Error>;

    /// Another statement: the number of airlines.
    fn count_airlines(&mut self) -> Result<u64, Error>;
}

/// Runs the case.
pub(crate) fn measure(program: &mut impl Program, case: Case) -> Result<Measurement, Error> {
    let mut sum = Checksum::default();
    let mut meter = Meter::start()?;
    match case {
        Case::Scan => program.scan(|flight| {
            sum.add(&flight);
            ControlFlow::Continue(())
        })?,
        Case::Join => program.join(|(flight, aircraft, airline)| {
            sum.add(&(&flight, &aircraft, &airline));
            ControlFlow::Continue(())
        })?,
        Case::First => {
            let mut stopped = Ok(());
            program.scan(|flight| {
                stopped = meter.stop();
                sum.add(&flight);
                ControlFlow::Break(())
            })?;
            stopped?;
        }
        Case::Take10 => {
            program.scan(|flight| {
                sum.add(&flight);
                if sum.rows() < 10 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            sum.add(&program.count_airlines()?);
        }
    }
    if case != Case::First {
        meter.stop()?;
    }
    meter.measured(sum)
}
