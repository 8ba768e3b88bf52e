//! A stream that breaks midway, and a program that goes on.
//!
//! `iterator` panics where a stream breaks, so that nothing half done looks complete. `try_iterator` gives each row as a
//! `Result` instead. itertools' `process_results` lets adaptors that want bare rows work on it, and answers with the
//! error if there was one. `rows_given` says how many rows came before it.
//!
//! `cargo run --example broken_stream [-- URL]`

use itertools::process_results;
use orm_core::prelude::*;

#[derive(Model)]
#[model(table = "example_meters")]
struct Meter {
    #[model(primary_key)]
    id: i64,
    kilowatt_hours: u32,
}

fn main() -> orm_core::Result<()> {
    let db = orm_core::connect(&std::env::args().nth(1).unwrap_or("sqlite::memory:".into()))?;
    drop_tables(&db)?;
    db.create_tables::<(Meter,)>()?;
    Meter::bulk_create(&db, (1..=5).zip(1..).map(|(id, n)| Meter { id, kilowatt_hours: n * 100 }))?;
    report(&db)?;

    // Another program, which knows nothing of `u32`, stores what is none.
    db.batch_execute("UPDATE example_meters SET kilowatt_hours = -1 WHERE id = 4")?;
    report(&db)?;
    drop_tables(&db)
}

fn report(db: &Database) -> orm_core::Result<()> {
    let mut rows = Meter::objects(db).order_by(|m| m.id.asc()).try_iterator(2)?;
    let sum = process_results(&mut rows, |rows| rows.map(|meter| u64::from(meter.kilowatt_hours)).sum::<u64>());
    match sum {
        Ok(sum) => println!("{sum} kWh on {} meters", rows.rows_given()),
        Err(error) if error.kind() == ErrorKind::Decode => {
            println!(
                "broken after {} rows: {}::{} of the row with the key {} does not fit",
                rows.rows_given(),
                error.model().unwrap_or("?"),
                error.field().unwrap_or("?"),
                error.key().unwrap_or("?"),
            );
            // After an error there is only the end.
            assert!(rows.next().is_none());
        }
        // A lost connection, for example, is for the caller.
        Err(error) => return Err(error),
    }
    Ok(())
}

fn drop_tables(db: &Database) -> orm_core::Result<()> {
    db.batch_execute("DROP TABLE IF EXISTS example_meters")
}
