//! The data's files, which are part of the program, as iterators over models.

use std::{io::Read, str::FromStr};

use csv::{Reader, StringRecord};
use flate2::read::GzDecoder;

use crate::{
    failure::Failure,
    models::{Airline, Airport, Flight, Plane},
};

pub(crate) fn airlines() -> impl Iterator<Item = Result<Airline, Failure>> {
    rows(include_bytes!("../data/airlines.csv").as_slice(), |row| {
        Ok(Airline { code: row.get("carrier")?, name: row.get("name")? })
    })
}

pub(crate) fn airports() -> impl Iterator<Item = Result<Airport, Failure>> {
    rows(include_bytes!("../data/airports.csv").as_slice(), |row| {
        Ok(Airport {
            code: row.get("faa")?,
            name: row.get("name")?,
            latitude: row.get("lat")?,
            longitude: row.get("lon")?,
            altitude: row.get("alt")?,
            utc_offset: row.get("tz")?,
            dst: row.get("dst")?,
            time_zone: row.optional("tzone")?,
        })
    })
}

pub(crate) fn planes() -> impl Iterator<Item = Result<Plane, Failure>> {
    rows(include_bytes!("../data/planes.csv").as_slice(), |row| {
        Ok(Plane {
            tail_number: row.get("tailnum")?,
            built_in: row.optional("year")?,
            kind: row.get("type")?,
            manufacturer: row.get("manufacturer")?,
            model: row.get("model")?,
            engines: row.get("engines")?,
            seats: row.get("seats")?,
            speed: row.optional("speed")?,
            engine: row.get("engine")?,
        })
    })
}

/// The month's flights, `copies` times, unpacked as they are read. Their ids go on from copy to copy.
pub(crate) fn flights(copies: u64) -> impl Iterator<Item = Result<Flight, Failure>> {
    let month = |_| {
        rows(flights_file(), |row| {
            Ok(Flight {
                id: 0,
                year: row.get("year")?,
                month: row.get("month")?,
                day: row.get("day")?,
                dep_time: row.optional("dep_time")?,
                sched_dep_time: row.get("sched_dep_time")?,
                dep_delay: row.optional("dep_delay")?,
                arr_time: row.optional("arr_time")?,
                sched_arr_time: row.get("sched_arr_time")?,
                arr_delay: row.optional("arr_delay")?,
                carrier: row.get("carrier")?,
                number: row.get("flight")?,
                tail_number: row.optional("tailnum")?,
                origin_code: row.get("origin")?,
                dest_code: row.get("dest")?,
                air_time: row.optional("air_time")?,
                distance: row.get("distance")?,
                hour: row.get("hour")?,
                minute: row.get("minute")?,
                scheduled_at: row.get("time_hour")?,
            })
        })
    };
    (0..copies).flat_map(month).zip(1..).map(|(flight, id)| Ok(Flight { id, ..flight? }))
}

/// How many flights the month has.
pub(crate) fn flights_in_the_month() -> u64 {
    Reader::from_reader(flights_file()).into_records().map(|_| 1).sum()
}

fn flights_file() -> GzDecoder<&'static [u8]> {
    GzDecoder::new(include_bytes!("../data/flights-2013-01.csv.gz"))
}

/// The rows of a file, one at a time.
fn rows<T>(file: impl Read, read: impl Fn(&Row<'_>) -> Result<T, Failure>) -> impl Iterator<Item = Result<T, Failure>> {
    let mut reader = Reader::from_reader(file);
    let header = reader.headers().cloned();
    let mut record = StringRecord::new();
    std::iter::from_fn(move || {
        let header = match &header {
            Ok(header) => header,
            Err(error) => return Some(Err(Failure::new(error.to_string()))),
        };
        match reader.read_record(&mut record) {
            Ok(true) => Some(read(&Row { header, record: &record })),
            Ok(false) => None,
            Err(error) => Some(Err(error.into())),
        }
    })
}

struct Row<'r> {
    header: &'r StringRecord,
    record: &'r StringRecord,
}

impl Row<'_> {
    fn get<T: FromStr>(&self, column: &str) -> Result<T, Failure> {
        self.optional(column)?.ok_or_else(|| self.misfit(column))
    }

    /// `NA` stands for a value that is not there.
    fn optional<T: FromStr>(&self, column: &str) -> Result<Option<T>, Failure> {
        let position = self.header.iter().position(|name| name == column);
        match position.and_then(|position| self.record.get(position)) {
            Some("NA") => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| self.misfit(column)),
            None => Err(self.misfit(column)),
        }
    }

    fn misfit(&self, column: &str) -> Failure {
        let line = self.record.position().map_or(0, csv::Position::line);
        Failure::new(format!("line {line} of the data has no usable value in the column `{column}`"))
    }
}
