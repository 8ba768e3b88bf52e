//! `flights.csv`: every flight with what it refers to.

use std::io::Write;

use chrono::{DateTime, Utc};
use csv::Writer;
use orm_core::prelude::*;

use crate::{failure::Failure, models::Flight, progress};

const HEADER: [&str; 14] = [
    "id",
    "scheduled_at",
    "carrier",
    "airline",
    "flight",
    "tail_number",
    "plane_model",
    "origin",
    "origin_name",
    "dest",
    "dest_name",
    "dep_delay",
    "arr_delay",
    "distance",
];

/// Writes the report and returns the number of its rows.
pub(crate) fn write(db: &Database, chunk_size: usize, flights: u64, out: impl Write) -> Result<u64, Failure> {
    let mut csv = Writer::from_writer(out);
    csv.write_record(HEADER)?;
    let mut written = 0;
    let rows = Flight::objects(db)
        .select_related(|f| (f.airline(), f.plane(), f.origin(), f.dest()))
        .order_by(|f| f.id.asc())
        .try_iterator(chunk_size)?;
    for row in progress::bar("flights.csv", flights).wrap_iter(rows) {
        let (flight, airline, plane, origin, dest) = row?;
        csv.write_field(flight.id.to_string())?;
        csv.write_field(instant(flight.scheduled_at))?;
        csv.write_field(&airline.code)?;
        csv.write_field(&airline.name)?;
        csv.write_field(flight.number.to_string())?;
        csv.write_field(or_empty(flight.tail_number))?;
        csv.write_field(or_empty(plane.map(|plane| plane.model)))?;
        csv.write_field(&origin.code)?;
        csv.write_field(&origin.name)?;
        csv.write_field(&flight.dest_code)?;
        csv.write_field(or_empty(dest.map(|dest| dest.name)))?;
        csv.write_field(or_empty(flight.dep_delay))?;
        csv.write_field(or_empty(flight.arr_delay))?;
        csv.write_field(flight.distance.to_string())?;
        // The end of the record.
        csv.write_record(None::<&[u8]>)?;
        written += 1;
    }
    csv.flush()?;
    Ok(written)
}

fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn or_empty(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}
