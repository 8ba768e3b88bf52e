//! Nested transactions that end otherwise than they began: `Ok` must still mean committed.

use itertools::Itertools;
use orm_core::{
    diesel::connection::{AnsiTransactionManager, TransactionManager},
    prelude::*,
};
use orm_tests::{Bed, TestResult, ok, on_each_backend};

use crate::models::{Number, number, numbers};

on_each_backend! {
    a_savepoint_that_could_not_be_undone, two_threads_in_one_transaction,
    a_stream_outlives_its_savepoint,
}

fn kind<T>(result: orm_core::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

/// On SQLite and MySQL the iterator opens a stream that keeps the connection, so that `bulk_create` can neither write nor undo.
fn a_savepoint_that_could_not_be_undone(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 2000)?;
    let answer = db.transaction(|tx| {
        Number::bulk_create(tx, [number(10_000)])?;
        let copies = std::iter::once(()).flat_map(|()| {
            let rows = Number::objects(tx).iterator(100).expect("the connection is free as yet");
            rows.map(|row| Number { id: row.id + 20_000, ..row })
        });
        ok(kind(Number::bulk_create(tx, copies)))
    });
    let stored = Number::objects(&db).filter(|n| n.id.gt(2000)).count()?;
    match answer {
        // The stream sees the row that the transaction wrote before.
        Ok(refused) => assert_eq!((refused, stored), (None, 2002), "all that was answered with Ok is there"),
        Err(error) => assert_eq!((error.kind(), stored), (ErrorKind::TransactionAborted, 0)),
    }
    Ok(())
}

/// Diesel's connection is lent by databases of a fixed backend only.
macro_rules! a_transaction_left_open_by_diesel {
    ($($feature:literal: $name:ident($bed:ident, $backend:ident);)+) => { $(
        #[cfg(feature = $feature)]
        #[test]
        fn $name() -> TestResult {
            let bed = Bed::$bed();
            numbers(&bed.db()?, 1)?;
            let db = Database::<$backend>::connect(bed.url())?;
            let answer = db.transaction(|tx| {
                Number::bulk_create(tx, [number(2)])?;
                tx.with_connection(AnsiTransactionManager::begin_transaction)
            });
            assert_eq!(kind(answer), Some(ErrorKind::TransactionAborted));
            assert_eq!(Number::objects(&db).count()?, 1);
            Ok(())
        }
    )+ };
}
a_transaction_left_open_by_diesel! {
    "sqlite": a_transaction_left_open_by_diesel_on_sqlite(sqlite, Sqlite);
    "postgres": a_transaction_left_open_by_diesel_on_postgres(postgres, Pg);
    "mysql": a_transaction_left_open_by_diesel_on_mysql(mysql, Mysql);
}

/// Savepoints of two threads would undo each other's rows: one of them is refused.
fn two_threads_in_one_transaction(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 1)?;
    let answer = db.transaction(|tx| {
        tx.transaction(|tx| {
            let other = std::thread::scope(|scope| {
                scope.spawn(|| kind(Number::bulk_create(tx, [number(3)]))).join().expect("it does not panic")
            });
            assert_eq!(other, Some(ErrorKind::ConnectionInUse));
            Number::bulk_create(tx, [number(2)])
        })?;
        std::thread::scope(|scope| {
            scope.spawn(|| Number::bulk_create(tx, [number(4)])).join().expect("it does not panic")
        })
    });
    assert_eq!(answer?, 1);
    assert_eq!(Number::objects(&db).order_by(|n| n.id.asc()).values(|n| n.id).load()?, [1, 2, 4]);
    Ok(())
}

fn a_stream_outlives_its_savepoint(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 50)?;
    let answer = db.transaction(|tx| {
        let mut kept = None;
        let inner: Result<(), String> = tx
            .transaction(|inner| {
                Number::bulk_create(inner, [number(100)])?;
                kept = Some(Number::objects(tx).iterator(3)?);
                Err(inner.batch_execute("THIS IS NO SQL").expect_err("it is none"))
            })
            .map_err(|error: orm_core::Error| error.to_string());
        assert!(inner.is_err());
        drop(kept);
        Number::bulk_create(tx, [number(101)])
    });
    let above = Number::objects(&db).filter(|n| n.id.gt(50)).values(|n| n.id).load()?.into_iter().collect_vec();
    match answer {
        Ok(_) => assert_eq!(above, [101]),
        // There the stream had the connection, so that nothing could be undone, and so nothing is committed.
        Err(error) => assert_eq!((error.kind(), above), (ErrorKind::TransactionAborted, vec![])),
    }
    Ok(())
}
