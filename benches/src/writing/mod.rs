//! What is written, and how much of it; the same for every program.
//!
//! `ours.rs` writes by orm-core. `by_hand/` has one program for each backend, which does what somebody would write who knows
//! that backend well. The rows that are there afterwards are read, and have to be the same.

#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod by_hand;
mod ours;

use std::str::FromStr;

use chrono::{NaiveDateTime, TimeDelta};
use orm_core::{backend::BackendKind, prelude::*};

use crate::{
    Error, backend,
    measure::{Checksum, Measurement, Meter, Mix, Row},
    models::Aircraft,
};

/// The programs that write, on every backend.
pub const PROGRAMS: [&str; 2] = ["ours", "by-hand"];

/// The rows of a page of `bulk-update`.
const PAGE: usize = 2000;
/// The airlines up to this one lose their records in `delete-related`: some three in ten.
const LAST_AIRLINE: i64 = 12;

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// All rows are stored, from an iterator.
    Insert,
    /// Two columns of all rows are changed, in pages of rows that are in memory.
    BulkUpdate,
    /// Rows are stored again one by one, in one transaction.
    Save,
    /// Rows are deleted by a condition on the row that they belong to.
    DeleteRelated,
    /// Rows are stored of which half exist, and are changed then.
    Upsert,
    /// Rows are looked for one by one, and half of them are not there and are stored.
    GetOrCreate,
}

impl Write {
    /// All of them, with their names.
    pub const ALL: [(&'static str, Write); 6] = [
        ("insert", Write::Insert),
        ("bulk-update", Write::BulkUpdate),
        ("save", Write::Save),
        ("delete-related", Write::DeleteRelated),
        ("upsert", Write::Upsert),
        ("get-or-create", Write::GetOrCreate),
    ];

    /// How many rows are written, of so many that are read in the other cases; `delete-related` has so many to look at.
    fn rows(self, flights: i64) -> i64 {
        let share = match self {
            Write::Insert | Write::BulkUpdate | Write::DeleteRelated => 5,
            Write::Upsert => 10,
            Write::Save | Write::GetOrCreate => 100,
        };
        (flights / share).max(2)
    }

    /// How many rows are there before.
    fn rows_before(self, rows: i64) -> i64 {
        match self {
            Write::Insert => 0,
            Write::BulkUpdate | Write::Save | Write::DeleteRelated => rows,
            Write::Upsert | Write::GetOrCreate => rows / 2,
        }
    }
}

impl FromStr for Write {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match Write::ALL.iter().find(|(known, _)| *known == name) {
            Some((_, write)) => Ok(*write),
            None => Err(format!("there is no case `{name}` that writes").into()),
        }
    }
}

/// A row of the table that is written.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "records")]
pub struct Record {
    /// Its key.
    #[model(primary_key)]
    pub id: i64,
    /// The aircraft that it is about.
    #[model(belongs_to(Aircraft, name = aircraft))]
    pub aircraft_id: i64,
    /// Its name.
    pub title: String,
    /// NULL in most rows.
    pub remark: Option<String>,
    /// In kilometres.
    pub distance: f64,
    /// To the microsecond.
    pub departs_at: NaiveDateTime,
}

impl Row for Record {
    fn mix(&self, into: &mut Mix) {
        crate::models::Flight {
            id: self.id,
            aircraft_id: self.aircraft_id,
            title: self.title.clone(),
            remark: self.remark.clone(),
            distance: self.distance,
            departs_at: self.departs_at,
        }
        .mix(into);
    }
}

/// The record of a number, as it is stored first.
fn record(id: i64) -> Record {
    let start = chrono::DateTime::UNIX_EPOCH.naive_utc() + TimeDelta::days(15_706);
    Record {
        id,
        aircraft_id: 1 + id % i64::try_from(crate::tables::AIRCRAFT).unwrap_or(i64::MAX),
        title: format!("flight number {id}"),
        remark: (id % 3 == 0).then(|| format!("late by {} minutes", id % 100)),
        distance: f64::from(i32::try_from(id).unwrap_or(i32::MAX)) / 7.0,
        departs_at: start + TimeDelta::seconds(id * 61) + TimeDelta::microseconds(id * 37 % 1_000_000),
    }
}

/// The record of a number, as it is stored later.
fn changed(id: i64) -> Record {
    let record = record(id);
    Record { remark: Some(format!("changed {id}")), distance: record.distance + 1.0, ..record }
}

/// A program: how it writes the table. It is connected.
trait Program {
    /// Stores all of them; none is there.
    fn insert(&mut self, records: impl Iterator<Item = Record>) -> Result<(), Error>;

    /// Changes `remark` and `distance` of the rows, which are there.
    fn bulk_update(&mut self, page: &[Record]) -> Result<(), Error>;

    /// Stores the rows one by one, in one transaction.
    fn save(&mut self, records: &[Record]) -> Result<(), Error>;

    /// Deletes the records of the aircraft of the airlines up to this one.
    fn delete_related(&mut self, last_airline: i64) -> Result<(), Error>;

    /// Stores all of them; those that are there get all values but their key.
    fn upsert(&mut self, records: impl Iterator<Item = Record>) -> Result<(), Error>;

    /// The row with this key, or else the new one, stored.
    fn get_or_create(&mut self, record: Record) -> Result<Record, Error>;
}

/// Makes the table anew for a case, runs the case on it, and reads what is there then.
///
/// # Errors
///
/// If there is no such program, and whatever it meets.
pub fn run(program: &str, write: Write, url: &str) -> Result<Measurement, Error> {
    let database = orm_core::connect(url)?;
    let flights = i64::try_from(crate::models::Flight::objects(&database).count()?)?;
    let rows = write.rows(flights);
    database.batch_execute("DROP TABLE IF EXISTS records")?;
    database.create_tables::<(Record,)>()?;
    Record::bulk_create(&database, (1..=write.rows_before(rows)).map(record))?;
    match backend(url)? {
        BackendKind::Postgres => database.batch_execute("VACUUM (ANALYZE) records")?,
        BackendKind::Mysql => database.batch_execute("ANALYZE TABLE records")?,
        _ => {}
    }
    let meter = match (backend(url)?, program) {
        (_, "ours") => measure(&mut ours::Ours::connect(url)?, write, rows)?,
        #[cfg(feature = "postgres")]
        (BackendKind::Postgres, "by-hand") => measure(&mut by_hand::postgres::ByHand::connect(url)?, write, rows)?,
        #[cfg(feature = "mysql")]
        (BackendKind::Mysql, "by-hand") => measure(&mut by_hand::mysql::ByHand::connect(url)?, write, rows)?,
        #[cfg(feature = "sqlite")]
        (BackendKind::Sqlite, "by-hand") => measure(&mut by_hand::sqlite::ByHand::connect(url)?, write, rows)?,
        _ => return Err(format!("there is no program `{program}` that writes, only {}", PROGRAMS.join(", ")).into()),
    };
    let mut sum = Checksum::default();
    for record in Record::objects(&database).iterator(PAGE)? {
        sum.add(&record);
    }
    meter.measured(sum)
}

fn measure(program: &mut impl Program, write: Write, rows: i64) -> Result<Meter, Error> {
    // What is written is made before, where it is not an iterator's part to make it.
    let records: Vec<Record> = match write {
        Write::BulkUpdate | Write::Save => (1..=rows).map(changed).collect(),
        _ => Vec::new(),
    };
    let mut meter = Meter::start()?;
    match write {
        Write::Insert => program.insert((1..=rows).map(record))?,
        Write::BulkUpdate => records.chunks(PAGE).try_for_each(|page| program.bulk_update(page))?,
        Write::Save => program.save(&records)?,
        Write::DeleteRelated => program.delete_related(LAST_AIRLINE)?,
        Write::Upsert => program.upsert((1..=rows).map(changed))?,
        Write::GetOrCreate => {
            for id in 1..=rows {
                let found = program.get_or_create(changed(id))?;
                if found.id != id {
                    return Err(format!("the row {} is not the one with the key {id}", found.id).into());
                }
            }
        }
    }
    meter.stop()?;
    Ok(meter)
}
