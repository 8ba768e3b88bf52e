//! The models of these tests.

use orm_core::prelude::*;
use orm_tests::Bed;

/// A counter.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Counter {
    #[model(primary_key)]
    pub(crate) id: i64,
    pub(crate) value: i64,
}

/// The counters from 1 to `last`, all at 0.
pub(crate) fn counters(db: &Database, last: i64) -> orm_core::Result<()> {
    db.create_tables::<(Counter,)>()?;
    Counter::bulk_create(db, (1..=last).map(|id| Counter { id, value: 0 }))?;
    Ok(())
}

/// A database with so many counters, by a pool of so many connections.
pub(crate) fn with_counters(bed: &Bed, last: i64, connections: u32) -> orm_core::Result<Database> {
    let db = Database::builder().pool_size(connections).connect(bed.url())?;
    counters(&db, last)?;
    Ok(db)
}

/// Adds one to a counter.
pub(crate) fn add(tx: &Transaction, id: i64) -> orm_core::Result<()> {
    tx.batch_execute(&format!("UPDATE counters SET value = value + 1 WHERE id = {id}"))
}

/// The value of a counter, as this transaction sees it.
pub(crate) fn value(tx: &Transaction, id: i64) -> orm_core::Result<i64> {
    Ok(Counter::objects(tx).filter(|c| c.id.eq(id)).get()?.value)
}

/// All counters' values, by the witness.
pub(crate) fn values(bed: &Bed) -> Vec<i64> {
    bed.texts("SELECT value FROM counters ORDER BY id")
        .into_iter()
        .flatten()
        .map(|value| value.parse().expect("it is an integer"))
        .collect()
}
