//! Written by hand on the crate `sqlx`: `fetch`, which reads row by row, on a runtime of this thread alone.
//!
//! A stream that is dropped early leaves the rest to the connection's next statement, which downloads it. sqlx has
//! nothing on the protocol's portals, so whoever wants no more than some rows has to say so in the SQL.

use std::ops::ControlFlow;

use futures_util::TryStreamExt;
use sqlx_core::{
    connection::Connection, decode::Decode, query::query, query_scalar::query_scalar, row::Row, types::Type,
};
use sqlx_postgres::{PgConnection, PgRow, Postgres};
use tokio::runtime::{self, Runtime};

use crate::{
    Error,
    cases::{Joined, Program},
    models::{Aircraft, Airline, Flight},
    sql,
};

pub(crate) struct Sqlx {
    // Dropped in this order: a connection needs its runtime.
    connection: PgConnection,
    runtime: Runtime,
}

impl Sqlx {
    pub(crate) fn connect(url: &str) -> Result<Self, Error> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let connection = runtime.block_on(PgConnection::connect(url))?;
        Ok(Sqlx { connection, runtime })
    }

    fn each(
        &mut self,
        sql: &'static str,
        mut take: impl FnMut(&PgRow) -> Result<ControlFlow<()>, Error>,
    ) -> Result<(), Error> {
        self.runtime.block_on(async {
            let mut rows = query(sql).fetch(&mut self.connection);
            while let Some(row) = rows.try_next().await? {
                if take(&row)?.is_break() {
                    break;
                }
            }
            Ok(())
        })
    }
}

fn get<'a, T: Decode<'a, Postgres> + Type<Postgres>>(row: &'a PgRow, column: usize) -> Result<T, Error> {
    Ok(row.try_get(column)?)
}

fn flight(row: &PgRow) -> Result<Flight, Error> {
    Ok(Flight {
        id: get(row, 0)?,
        aircraft_id: get(row, 1)?,
        title: get(row, 2)?,
        remark: get(row, 3)?,
        distance: get(row, 4)?,
        departs_at: get(row, 5)?,
    })
}

fn joined(row: &PgRow) -> Result<Joined, Error> {
    let aircraft = Aircraft { id: get(row, 6)?, airline_id: get(row, 7)?, kind: get(row, 8)? };
    let airline = match get(row, 9)? {
        Some(id) => Some(Airline { id, name: get(row, 10)? }),
        None => None,
    };
    Ok((flight(row)?, aircraft, airline))
}

impl Program for Sqlx {
    fn scan(&mut self, mut take: impl FnMut(Flight) -> ControlFlow<()>) -> Result<(), Error> {
        self.each(sql::SCAN, |row| Ok(take(flight(row)?)))
    }

    fn join(&mut self, mut take: impl FnMut(Joined) -> ControlFlow<()>) -> Result<(), Error> {
        self.each(sql::JOIN, |row| Ok(take(joined(row)?)))
    }

    fn count_airlines(&mut self) -> Result<u64, Error> {
        let count = query_scalar(sql::COUNT_AIRLINES).fetch_one(&mut self.connection);
        let count: i64 = self.runtime.block_on(count)?;
        Ok(count.try_into()?)
    }
}
