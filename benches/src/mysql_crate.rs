//! Written by hand on the crate `mysql`: `exec_iter`, which reads row by row.

use std::ops::ControlFlow;

use mysql::{
    Conn, from_row_opt,
    prelude::{FromRow, Queryable},
};

use crate::{
    Error,
    cases::{Joined, Program},
    models::{Aircraft, Airline, Flight},
    sql,
};

pub(crate) struct MysqlCrate(Conn);

/// The columns of a flight, in its struct's order.
type FlightColumns = (i64, i64, String, Option<String>, f64, chrono::NaiveDateTime);

impl MysqlCrate {
    pub(crate) fn connect(url: &str) -> Result<Self, Error> {
        Ok(MysqlCrate(Conn::new(url)?))
    }

    fn each<T: FromRow>(&mut self, sql: &str, mut take: impl FnMut(T) -> ControlFlow<()>) -> Result<(), Error> {
        for row in self.0.exec_iter(sql, ())? {
            if take(from_row_opt(row?)?).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn flight((id, aircraft_id, title, remark, distance, departs_at): FlightColumns) -> Flight {
    Flight { id, aircraft_id, title, remark, distance, departs_at }
}

impl Program for MysqlCrate {
    fn scan(&mut self, mut take: impl FnMut(Flight) -> ControlFlow<()>) -> Result<(), Error> {
        self.each(sql::SCAN, |columns: FlightColumns| take(flight(columns)))
    }

    fn join(&mut self, mut take: impl FnMut(Joined) -> ControlFlow<()>) -> Result<(), Error> {
        // The crate reads tuples of up to twelve columns, and these are eleven.
        type Columns = (
            i64,
            i64,
            String,
            Option<String>,
            f64,
            chrono::NaiveDateTime,
            i64,
            Option<i64>,
            String,
            Option<i64>,
            Option<String>,
        );
        self.each(sql::JOIN, |columns: Columns| {
            let (id, aircraft_id, title, remark, distance, departs_at, key, airline_id, kind, airline, name) = columns;
            take((
                flight((id, aircraft_id, title, remark, distance, departs_at)),
                Aircraft { id: key, airline_id, kind },
                airline.zip(name).map(|(id, name)| Airline { id, name }),
            ))
        })
    }

    fn count_airlines(&mut self) -> Result<u64, Error> {
        Ok(self.0.query_first(sql::COUNT_AIRLINES)?.ok_or("COUNT gives a row")?)
    }
}
