//! What raw SQL sets in a transaction is gone when the next one begins, however the transaction ended.

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, ok, on_each_backend};

use crate::models::{add, values, with_counters};

on_each_backend! { a_session_is_renewed }

fn a_session_is_renewed(bed: &Bed) -> TestResult {
    if bed.backend() == orm_core::BackendKind::Sqlite {
        return what_sqlite_keeps(bed);
    }
    let db = with_counters(bed, 1, 1)?;
    let is_gone = |after: &str| {
        let found = db.transaction(|tx| tx.batch_execute("INSERT INTO kept VALUES (1)"));
        assert_eq!(found.map_err(|error| error.kind()), Err(ErrorKind::UndefinedTable), "after {after}");
    };
    let keep = |tx: &Transaction| tx.batch_execute("CREATE TEMPORARY TABLE kept (id INTEGER)");
    db.transaction(|tx| {
        keep(tx)?;
        add(tx, 1)
    })?;
    is_gone("a commit");
    db.transaction(|tx| {
        tx.transaction(keep)?;
        tx.transaction(|_| ok(()))
    })?;
    is_gone("a commit with savepoints");
    let failed: Result<(), Box<dyn std::error::Error>> = db.transaction(|tx| {
        keep(tx)?;
        Err("no".into())
    });
    assert!(failed.is_err());
    is_gone("a rollback");
    db.build_transaction().isolation(orm_core::IsolationLevel::Serializable).run(keep)?;
    is_gone("a transaction of which more was said");
    assert_eq!(values(bed), [1]);
    Ok(())
}

/// Its connections cannot be renewed, as the documentation says; transactions on them are right all the same.
fn what_sqlite_keeps(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 1, 1)?;
    db.transaction(|tx| tx.batch_execute("CREATE TEMPORARY TABLE kept (id INTEGER)"))?;
    db.transaction(|tx| {
        tx.batch_execute("INSERT INTO kept VALUES (1)")?;
        add(tx, 1)
    })?;
    assert_eq!(values(bed), [1]);
    Ok(())
}
