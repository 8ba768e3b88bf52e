//! Streams on SQLite: steps that are taken, locks that are held, connections that are shared.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use diesel::sql_types::BigInt;
use itertools::Itertools;
use orm_core::{diesel, prelude::*};
use orm_tests::{Bed, TestResult, ok, on_sqlite};

use crate::models::{Number, number, numbers};

on_sqlite! {
    early_drop_o1, first_row_latency, nested_query_same_conn, sqlite_writer_busy, a_writer_does_not_stop_a_reader,
    memory_databases_are_shared_by_their_pool, a_second_statement_while_a_stream_is_open_is_refused,
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// Counts how often it was called, and returns what it is given.
    fn counted(id: BigInt) -> BigInt;
}

/// A pool of one connection, which counts the rows of the view `numbers` that were really made.
fn counting(bed: &Bed, counter: &'static AtomicI64) -> Result<Database<Sqlite>, Box<dyn std::error::Error>> {
    let db = Database::<Sqlite>::builder().pool_size(1).connect(bed.url())?;
    counted_utils::register_impl(&mut *db.connection()?, |id: i64| {
        counter.fetch_add(1, Ordering::SeqCst);
        id
    })?;
    db.batch_execute(
        "CREATE TEMP VIEW numbers AS WITH RECURSIVE series (id) AS (VALUES (1) UNION ALL SELECT id + 1 FROM series \
         WHERE id < 10000000000) SELECT counted(id) AS id, 'name' AS name FROM series",
    )?;
    Ok(db)
}

fn early_drop_o1(bed: &Bed) -> TestResult {
    static COUNTER: AtomicI64 = AtomicI64::new(0);
    let db = counting(bed, &COUNTER)?;
    assert_eq!(Number::objects(&db).iterator(1000)?.take(10).count(), 10);
    let made = COUNTER.load(Ordering::SeqCst);
    assert!((10..=1000).contains(&made), "{made} rows were made for 10");
    assert_eq!(Number::objects(&db).limit(3).load()?.len(), 3, "the connection goes on");
    Ok(())
}

fn first_row_latency(bed: &Bed) -> TestResult {
    static COUNTER: AtomicI64 = AtomicI64::new(0);
    let db = counting(bed, &COUNTER)?;
    let mut rows = Number::objects(&db).iterator(100_000)?;
    assert!(COUNTER.load(Ordering::SeqCst) <= 1, "no more is read than opening needs");
    assert_eq!(rows.next().map(|row| row.id), Some(1));
    let made = COUNTER.load(Ordering::SeqCst);
    assert!(made <= 100, "{made} rows were made for the first");
    assert_eq!(rows.by_ref().take(4_999).count(), 4_999);
    let made = COUNTER.load(Ordering::SeqCst);
    assert!((5_000..50_000).contains(&made), "{made} rows were made for 5,000");
    Ok(())
}

/// A query inside the loop goes to another connection; in a transaction there is none, and it is refused.
fn nested_query_same_conn(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 50)?;
    for row in Number::objects(&db).iterator(7)? {
        assert_eq!(Number::objects(&db).filter(|n| n.id.eq(row.id)).get()?, row);
    }
    Ok(())
}

fn a_second_statement_while_a_stream_is_open_is_refused(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 50)?;
    let written = db.transaction(|tx| {
        Number::bulk_create(tx, [number(51)])?;
        let mut rows = Number::objects(tx).iterator(7)?;
        rows.next();
        let refused = |error: orm_core::Error| {
            assert_eq!(error.kind(), ErrorKind::ConnectionInUse);
            assert!(error.to_string().contains("drop the stream"), "{error}");
        };
        refused(Number::objects(tx).count().expect_err("the stream has the connection"));
        refused(Number::objects(tx).load().expect_err("the stream has the connection"));
        refused(Number::objects(tx).iterator(3).map(|_| ()).expect_err("the stream has the connection"));
        refused(Number::bulk_create(tx, [number(52)]).expect_err("the stream has the connection"));
        refused(tx.batch_execute("SELECT 1").expect_err("the stream has the connection"));
        refused(tx.transaction(|_| ok(())).expect_err("the stream has the connection"));
        // Being refused has failed nothing: the stream goes on, and so does the transaction.
        assert_eq!(rows.count(), 50);
        Number::bulk_create(tx, [number(53)])
    })?;
    assert_eq!(written, 1);
    assert_eq!(Number::objects(&db).order_by(|n| n.id.desc()).values(|n| n.id).limit(3).load()?, [53, 51, 50]);
    Ok(())
}

fn sqlite_writer_busy(bed: &Bed) -> TestResult {
    let db: Database = Database::builder().lock_timeout(Duration::from_millis(50)).connect(bed.url())?;
    numbers(&db, 50)?;
    let mut rows = Number::objects(&db).order_by(|n| n.id.asc()).iterator(7)?;
    rows.next();
    db.transaction(|tx| {
        Number::bulk_create(tx, [number(51)])?;
        let error = Number::bulk_create(&db, [number(52)]).expect_err("the transaction has the file's only write lock");
        assert_eq!(error.kind(), ErrorKind::LockTimeout, "{error:?}");
        ok(())
    })?;
    assert_eq!(rows.map(|row| row.id).collect_vec(), (2..=50).collect_vec(), "the reader is complete");
    Number::bulk_create(&db, [number(52)])?;
    assert_eq!(Number::objects(&db).count()?, 52);
    Ok(())
}

fn a_writer_does_not_stop_a_reader(bed: &Bed) -> TestResult {
    let db: Database = Database::builder().lock_timeout(Duration::from_millis(50)).connect(bed.url())?;
    numbers(&db, 50)?;
    assert_eq!(bed.texts("SELECT journal_mode FROM pragma_journal_mode"), [Some("wal".to_owned())]);
    db.transaction(|tx| {
        Number::bulk_create(tx, [number(51)])?;
        assert_eq!(Number::objects(&db).iterator(7)?.count(), 50);
        assert_eq!(Number::objects(tx).iterator(7)?.count(), 51);
        ok(())
    })?;
    Ok(())
}

fn memory_databases_are_shared_by_their_pool(_: &Bed) -> TestResult {
    let (one, other) = (orm_core::connect("sqlite::memory:")?, orm_core::connect("sqlite::memory:")?);
    numbers(&one, 20)?;
    assert!(Number::objects(&other).count().is_err(), "another pool has another database");
    let mut rows = Number::objects(&one).iterator(4)?;
    rows.next();
    // On a second connection of the same pool.
    assert_eq!(Number::objects(&one).count()?, 20);
    assert_eq!(rows.count(), 19);
    Ok(())
}
