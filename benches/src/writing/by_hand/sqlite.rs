//! Diesel: prepared statements of one row, which it keeps, in one transaction.

use diesel::{prelude::*, upsert::excluded};

use super::super::{Program, Record};
use crate::{
    Error,
    schema::{
        aircraft,
        records::{self, dsl},
    },
};

pub(in crate::writing) struct ByHand(SqliteConnection);

impl ByHand {
    pub(in crate::writing) fn connect(url: &str) -> Result<Self, Error> {
        let mut connection = SqliteConnection::establish(url.trim_start_matches("sqlite://"))?;
        // As orm-core sets it.
        diesel::sql_query("PRAGMA foreign_keys = ON").execute(&mut connection)?;
        Ok(ByHand(connection))
    }
}

/// A record's values as Diesel inserts them; a macro because its type is long.
macro_rules! values {
    ($record:expr) => {
        (
            dsl::id.eq($record.id),
            dsl::aircraft_id.eq($record.aircraft_id),
            dsl::title.eq(&$record.title),
            dsl::remark.eq(&$record.remark),
            dsl::distance.eq($record.distance),
            dsl::departs_at.eq($record.departs_at),
        )
    };
}

/// Stores a record, or changes the one that is there.
fn store_or_change(connection: &mut SqliteConnection, record: &Record) -> Result<(), Error> {
    diesel::insert_into(records::table)
        .values(values!(record))
        .on_conflict(dsl::id)
        .do_update()
        .set((
            dsl::aircraft_id.eq(excluded(dsl::aircraft_id)),
            dsl::title.eq(excluded(dsl::title)),
            dsl::remark.eq(excluded(dsl::remark)),
            dsl::distance.eq(excluded(dsl::distance)),
            dsl::departs_at.eq(excluded(dsl::departs_at)),
        ))
        .execute(connection)?;
    Ok(())
}

impl Program for ByHand {
    fn insert(&mut self, mut records: impl Iterator<Item = Record>) -> Result<(), Error> {
        self.0.transaction(|connection| {
            records.try_for_each(|record| {
                diesel::insert_into(records::table).values(values!(&record)).execute(connection)?;
                Ok(())
            })
        })
    }

    fn bulk_update(&mut self, page: &[Record]) -> Result<(), Error> {
        self.0.transaction(|connection| {
            page.iter().try_for_each(|record| {
                diesel::update(records::table.find(record.id))
                    .set((dsl::remark.eq(&record.remark), dsl::distance.eq(record.distance)))
                    .execute(connection)?;
                Ok(())
            })
        })
    }

    fn save(&mut self, records: &[Record]) -> Result<(), Error> {
        self.0.transaction(|connection| records.iter().try_for_each(|record| store_or_change(connection, record)))
    }

    fn delete_related(&mut self, last_airline: i64) -> Result<(), Error> {
        let theirs = aircraft::table.filter(aircraft::airline_id.le(last_airline)).select(aircraft::id);
        diesel::delete(records::table.filter(dsl::aircraft_id.eq_any(theirs))).execute(&mut self.0)?;
        Ok(())
    }

    fn upsert(&mut self, mut records: impl Iterator<Item = Record>) -> Result<(), Error> {
        self.0.transaction(|connection| records.try_for_each(|record| store_or_change(connection, &record)))
    }

    fn get_or_create(&mut self, record: Record) -> Result<Record, Error> {
        if let Some(found) = records::table.find(record.id).first(&mut self.0).optional()? {
            return Ok(found);
        }
        diesel::insert_into(records::table).values(values!(&record)).execute(&mut self.0)?;
        Ok(record)
    }
}
