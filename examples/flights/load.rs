//! Makes the tables and fills them: with all rows, or not at all.

use itertools::process_results;
use orm_core::prelude::*;

use crate::{
    data,
    failure::Failure,
    models::{Airline, Airport, Flight, Plane},
    progress,
};

const DROP_TABLES: &str = "DROP TABLE IF EXISTS flights; DROP TABLE IF EXISTS planes; DROP TABLE IF EXISTS airports; \
                           DROP TABLE IF EXISTS airlines";

/// Loads the month `scale` times, and returns the number of flights.
pub(crate) fn load(db: &Database, scale: u64, replace: bool) -> Result<u64, Failure> {
    if replace {
        db.batch_execute(DROP_TABLES)?;
    } else {
        refuse_tables_that_exist(db)?;
    }
    // Not in the transaction: MySQL commits one at each CREATE TABLE.
    db.create_tables::<(Airline, Airport, Plane, Flight)>()?;
    let loaded = db.transaction(|tx| {
        process_results(data::airlines(), |rows| Airline::bulk_create(tx, rows))??;
        process_results(data::airports(), |rows| Airport::bulk_create(tx, rows))??;
        process_results(data::planes(), |rows| Plane::bulk_create(tx, rows))??;
        let bar = progress::bar("loading", scale * data::flights_in_the_month());
        process_results(bar.wrap_iter(data::flights(scale)), |rows| Flight::bulk_create(tx, rows))?.map_err(Into::into)
    });
    if loaded.is_err() {
        // What went wrong first is what the user hears of.
        let _ = db.batch_execute(DROP_TABLES);
    }
    loaded
}

/// What is there already may be the user's own.
fn refuse_tables_that_exist(db: &Database) -> Result<(), Failure> {
    let there: Vec<&str> = [table::<Airline>(db), table::<Airport>(db), table::<Plane>(db), table::<Flight>(db)]
        .into_iter()
        .flatten()
        .collect();
    if there.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "the database has a table of this name already: {}; name another --database, or drop the tables airlines, \
         airports, flights and planes by --replace",
        there.join(", ")
    )))
}

/// The name of the model's table, if it is there.
fn table<M: Model>(db: &Database) -> Option<&'static str> {
    // Whatever else is wrong, creating the table will say.
    M::objects(db).exists().is_ok().then_some(M::TABLE.name)
}
