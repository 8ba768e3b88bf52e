//! The crate `mysql`: INSERT statements of many rows, and prepared statements for one.

use mysql::{Conn, TxOpts, Value, prelude::Queryable};

use super::super::{Program, Record};
use crate::Error;

const COLUMNS: &str = "id, aircraft_id, title, remark, distance, departs_at";
const SET_ALL: &str = "aircraft_id = VALUES(aircraft_id), title = VALUES(title), remark = VALUES(remark), \
                       distance = VALUES(distance), departs_at = VALUES(departs_at)";
/// The rows of a statement.
const ROWS: usize = 1000;

pub(in crate::writing) struct ByHand(Conn);

impl ByHand {
    pub(in crate::writing) fn connect(url: &str) -> Result<Self, Error> {
        Ok(ByHand(Conn::new(url)?))
    }

    /// Stores all of them in one transaction, with `end` at the end of each statement.
    fn store(&mut self, records: impl Iterator<Item = Record>, end: &str) -> Result<(), Error> {
        let mut transaction = self.0.start_transaction(TxOpts::default())?;
        let mut records = records.peekable();
        while records.peek().is_some() {
            let batch: Vec<Record> = records.by_ref().take(ROWS).collect();
            let rows = vec!["(?, ?, ?, ?, ?, ?)"; batch.len()].join(", ");
            let bound: Vec<Value> = batch.iter().flat_map(values).collect();
            transaction.exec_drop(format!("INSERT INTO records ({COLUMNS}) VALUES {rows} {end}"), bound)?;
        }
        transaction.commit()?;
        Ok(())
    }
}

fn values(record: &Record) -> [Value; 6] {
    [
        record.id.into(),
        record.aircraft_id.into(),
        record.title.as_str().into(),
        record.remark.as_deref().into(),
        record.distance.into(),
        record.departs_at.into(),
    ]
}

impl Program for ByHand {
    fn insert(&mut self, records: impl Iterator<Item = Record>) -> Result<(), Error> {
        self.store(records, "")
    }

    fn bulk_update(&mut self, page: &[Record]) -> Result<(), Error> {
        // The rows are whole, so that an INSERT that meets them all is allowed; it is the fastest way there is.
        let end = "ON DUPLICATE KEY UPDATE remark = VALUES(remark), distance = VALUES(distance)";
        self.store(page.iter().cloned(), end)
    }

    fn save(&mut self, records: &[Record]) -> Result<(), Error> {
        let mut transaction = self.0.start_transaction(TxOpts::default())?;
        let statement = transaction.prep(format!(
            "INSERT INTO records ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE {SET_ALL}"
        ))?;
        for record in records {
            transaction.exec_drop(&statement, values(record).to_vec())?;
        }
        transaction.commit()?;
        Ok(())
    }

    fn delete_related(&mut self, last_airline: i64) -> Result<(), Error> {
        self.0.exec_drop(
            "DELETE records FROM records JOIN aircraft ON aircraft.id = records.aircraft_id WHERE aircraft.airline_id <= ?",
            (last_airline,),
        )?;
        Ok(())
    }

    fn upsert(&mut self, records: impl Iterator<Item = Record>) -> Result<(), Error> {
        self.store(records, &format!("ON DUPLICATE KEY UPDATE {SET_ALL}"))
    }

    fn get_or_create(&mut self, record: Record) -> Result<Record, Error> {
        // The crate keeps prepared statements by their text.
        let found: Option<(i64, i64, String, Option<String>, f64, chrono::NaiveDateTime)> =
            self.0.exec_first(format!("SELECT {COLUMNS} FROM records WHERE id = ?"), (record.id,))?;
        if let Some((id, aircraft_id, title, remark, distance, departs_at)) = found {
            return Ok(Record { id, aircraft_id, title, remark, distance, departs_at });
        }
        self.0.exec_drop(
            format!("INSERT INTO records ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"),
            values(&record).to_vec(),
        )?;
        Ok(record)
    }
}
