//! Read-only transactions: nothing is written in them, and everything after them.

use orm_core::{IsolationLevel, prelude::*};
use orm_tests::{Bed, TestResult, ok, on_each_backend, panics};

use crate::models::{Counter, add, value, values, with_counters};

on_each_backend! {
    what_writes_is_refused, reading_is_not, the_connection_writes_again, a_stream_of_one, it_says_what_it_is,
}

fn what_writes_is_refused(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 1, 1)?;
    for level in [None, Some(IsolationLevel::Serializable)] {
        let builder = || match level {
            Some(level) => db.build_transaction().read_only().isolation(level),
            None => db.build_transaction().read_only(),
        };
        let stored = builder().run(|tx| Counter::bulk_create(tx, [Counter { id: 2, value: 0 }]));
        assert_eq!(stored.map_err(|error| error.kind()), Err(ErrorKind::ReadOnly));
        for sql in ["INSERT INTO counters VALUES (3, 3)", "UPDATE counters SET value = 5", "DELETE FROM counters"] {
            let answer = builder().run(|tx| tx.batch_execute(sql));
            assert_eq!(answer.map_err(|error| error.kind()), Err(ErrorKind::ReadOnly), "{sql}");
        }
        let swallowed = builder().run(|tx| {
            let _ = add(tx, 1);
            ok(())
        });
        assert_eq!(swallowed.map_err(|error| error.kind()), Err(ErrorKind::TransactionAborted));
    }
    assert_eq!(values(bed), [0]);
    Ok(())
}

fn reading_is_not(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 3, 1)?;
    let (all, one) = db.build_transaction().read_only().run(|tx| {
        let inner = tx.transaction(|inner| value(inner, 2))?;
        Ok::<_, orm_core::Error>((Counter::objects(tx).count()?, inner))
    })?;
    assert_eq!((all, one), (3, 0));
    Ok(())
}

/// However a read-only transaction ends, the pool's only connection is as before.
fn the_connection_writes_again(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 1, 1)?;
    let read_only = || db.build_transaction().read_only();
    let writes = |expected: i64| -> TestResult {
        db.transaction(|tx| add(tx, 1))?;
        db.batch_execute("UPDATE counters SET value = value + 1")?;
        assert_eq!(values(bed), [expected]);
        Ok(())
    };
    read_only().run(|tx| value(tx, 1))?;
    writes(2)?;
    let failed: Result<(), Box<dyn std::error::Error>> = read_only().run(|_| Err("no".into()));
    assert!(failed.is_err());
    writes(4)?;
    assert!(read_only().run(|tx| tx.batch_execute("SELECT * FROM no_such_table")).is_err());
    writes(6)?;
    assert!(read_only().run(|tx| add(tx, 1)).is_err());
    writes(8)?;
    panics::message(|| {
        read_only().run(|tx| {
            assert_eq!(value(tx, 1)?, -1);
            ok(())
        })
    });
    writes(10)?;
    // The program's own end of it.
    let _ = read_only().run(|tx| tx.batch_execute("COMMIT"));
    writes(12)?;
    let _ = read_only().run(|tx| tx.batch_execute("ROLLBACK"));
    writes(14)?;
    Ok(())
}

fn a_stream_of_one(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 500, 1)?;
    let ids: Vec<i64> = db.build_transaction().read_only().run(|tx| {
        Ok::<_, orm_core::Error>(
            Counter::objects(tx).order_by(|c| c.id.asc()).iterator(7)?.take(100).map(|c| c.id).collect(),
        )
    })?;
    assert!(ids.into_iter().eq(1..=100));
    db.transaction(|tx| add(tx, 1))?;
    assert_eq!(values(bed)[0], 1);
    Ok(())
}

fn it_says_what_it_is(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 1, 1)?;
    let shown = format!("{:?}", db.build_transaction().read_only().retries(3));
    assert!(shown.contains("read_only: true") && shown.contains("retries: 3"), "{shown}");
    Ok(())
}
