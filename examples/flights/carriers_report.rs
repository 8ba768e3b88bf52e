//! `carriers.csv`: what each airline's flights come to, by `chunk_by` over a stream in the airlines' order.

use std::io::Write;

use csv::Writer;
use itertools::{Itertools, process_results};
use orm_core::prelude::*;

use crate::{failure::Failure, models::Flight, progress};

const HEADER: [&str; 6] = ["carrier", "airline", "flights", "cancelled", "mean_dep_delay", "max_dep_delay"];

/// Writes the report and returns the number of its rows.
pub(crate) fn write(db: &Database, chunk_size: usize, flights: u64, out: impl Write) -> Result<u64, Failure> {
    let mut csv = Writer::from_writer(out);
    csv.write_record(HEADER)?;
    let mut written = 0;
    let rows = Flight::objects(db)
        .values(|f| (f.carrier, f.airline().name, f.dep_time, f.dep_delay))
        .order_by(|f| f.carrier.asc())
        .try_iterator(chunk_size)?;
    // `process_results` lets adaptors see bare rows, and ends with the error if the stream breaks.
    process_results(progress::bar("carriers.csv", flights).wrap_iter(rows), |rows| {
        let by_airline = rows.chunk_by(|(carrier, airline, ..)| (carrier.clone(), airline.clone()));
        for ((carrier, airline), flights) in &by_airline {
            let mut summary = Summary::default();
            flights.for_each(|(_, _, dep_time, dep_delay)| summary.add(dep_time, dep_delay));
            csv.write_record([
                carrier,
                airline,
                summary.flights.to_string(),
                summary.cancelled.to_string(),
                summary.mean_delay(),
                summary.longest_delay.map_or_else(String::new, |delay| delay.to_string()),
            ])?;
            written += 1;
        }
        csv.flush()?;
        Ok(written)
    })?
}

/// What is kept of an airline's flights while they go by.
#[derive(Default)]
struct Summary {
    flights: u64,
    cancelled: u64,
    delayed: u32,
    delay: i64,
    longest_delay: Option<i32>,
}

impl Summary {
    fn add(&mut self, dep_time: Option<i32>, dep_delay: Option<i32>) {
        self.flights += 1;
        self.cancelled += u64::from(dep_time.is_none());
        if let Some(delay) = dep_delay {
            self.delayed += 1;
            self.delay += i64::from(delay);
            self.longest_delay = self.longest_delay.max(Some(delay));
        }
    }

    /// Of the flights that have one; empty where none has.
    fn mean_delay(&self) -> String {
        match self.delayed {
            0 => String::new(),
            delayed => format!("{:.2}", self.delay as f64 / f64::from(delayed)),
        }
    }
}
