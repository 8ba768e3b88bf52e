//! The pool: what it says when it is empty, and that nothing dirty comes back out of it.

use std::time::Duration;

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, ok, on_each_backend};

use crate::models::{Number, number, numbers};

on_each_backend! {
    pool_exhausted, a_transaction_holds_one_connection, a_stream_at_its_end_holds_none, dirty_return_of_batch_execute,
    a_pool_of_none_is_refused, clones_share_the_pool, many_threads_share_a_small_pool,
    streams_wait_for_a_connection, a_nested_query_in_a_pool_of_one, dropped_databases_leave_no_threads,
    no_thread_can_be_started, threads_connect_at_the_same_time,
}

fn small(bed: &Bed, size: u32) -> orm_core::Result<Database> {
    Database::builder().pool_size(size).checkout_timeout(Duration::from_millis(200)).connect(bed.url())
}

fn pool_exhausted(bed: &Bed) -> TestResult {
    let db = small(bed, 1)?;
    numbers(&db, 50)?;
    let mut rows = Number::objects(&db).iterator(5)?;
    rows.next();
    let error = Number::objects(&db).count().expect_err("the stream has the only connection");
    assert_eq!(error.kind(), ErrorKind::PoolTimeout);
    for part in ["200ms", "1 of 1 are in use", "stream", "pool_size"] {
        assert!(error.to_string().contains(part), "{error} does not say {part}");
    }
    assert_eq!(Number::objects(&db).iterator(5).err().map(|error| error.kind()), Some(ErrorKind::PoolTimeout));
    assert_eq!(rows.count(), 49, "the stream does not mind");
    assert_eq!(Number::objects(&db).count()?, 50);
    Ok(())
}

/// The nested query of a naive program is told what to do, rather than left to wait for itself.
fn a_nested_query_in_a_pool_of_one(bed: &Bed) -> TestResult {
    let db = small(bed, 1)?;
    numbers(&db, 50)?;
    let answer: Result<Vec<u64>, _> =
        Number::objects(&db).iterator(5)?.map(|row| Number::objects(&db).filter(|n| n.id.lt(row.id)).count()).collect();
    assert_eq!(answer.map_err(|error| error.kind()), Err(ErrorKind::PoolTimeout));
    Ok(())
}

fn a_transaction_holds_one_connection(bed: &Bed) -> TestResult {
    let db = small(bed, 1)?;
    numbers(&db, 5)?;
    db.transaction(|tx| {
        let outside = Number::objects(&db).count().map_err(|error| error.kind());
        assert_eq!(outside, Err(ErrorKind::PoolTimeout));
        assert_eq!(Number::objects(tx).count()?, 5);
        ok(())
    })?;
    assert_eq!(Number::objects(&db).count()?, 5);
    Ok(())
}

fn a_stream_at_its_end_holds_none(bed: &Bed) -> TestResult {
    let db = small(bed, 1)?;
    numbers(&db, 50)?;
    for chunk in [1, 7, 49, 50, 51] {
        let mut rows = Number::objects(&db).iterator(chunk)?;
        assert_eq!(rows.by_ref().count(), 50);
        assert_eq!(Number::objects(&db).count()?, 50, "in chunks of {chunk}, before the stream is dropped");
        assert_eq!(rows.next(), None);
    }
    Ok(())
}

fn dirty_return_of_batch_execute(bed: &Bed) -> TestResult {
    let db = small(bed, 1)?;
    numbers(&db, 1)?;
    for sql in [
        "BEGIN; INSERT INTO numbers (id) VALUES (2)",
        "BEGIN; INSERT INTO numbers (id) VALUES (2); SAVEPOINT mine; INSERT INTO numbers (id) VALUES (3)",
    ] {
        db.batch_execute(sql)?;
        assert_eq!(Number::objects(&db).count()?, 1, "`{sql}` was left open, and is rolled back");
    }
    assert!(
        db.batch_execute("BEGIN; INSERT INTO numbers (id) VALUES (2); INSERT INTO no_such_table VALUES (1)").is_err()
    );
    assert_eq!(Number::objects(&db).count()?, 1);
    db.transaction(|tx| Number::bulk_create(tx, [number(2)]))?;
    assert_eq!(bed.number("SELECT count(*) FROM numbers"), 2);
    Ok(())
}

fn a_pool_of_none_is_refused(bed: &Bed) -> TestResult {
    for builder in
        [Database::<orm_core::Any>::builder().pool_size(0), Database::builder().checkout_timeout(Duration::ZERO)]
    {
        let error = builder.connect(bed.url()).expect_err("no connection could ever be had");
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
    Ok(())
}

fn clones_share_the_pool(bed: &Bed) -> TestResult {
    let db = small(bed, 1)?;
    numbers(&db, 5)?;
    let clone = db.clone();
    let mut rows = Number::objects(&db).iterator(1)?;
    rows.next();
    assert_eq!(Number::objects(&clone).count().map_err(|e| e.kind()), Err(ErrorKind::PoolTimeout));
    drop(rows);
    assert_eq!(Number::objects(&clone).count()?, 5);
    Ok(())
}

fn many_threads_share_a_small_pool(bed: &Bed) -> TestResult {
    let db: Database = Database::builder().pool_size(3).checkout_timeout(Duration::from_secs(60)).connect(bed.url())?;
    numbers(&db, 400)?;
    let sums: Vec<i64> = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| -> orm_core::Result<i64> {
                    let mut sum = 0;
                    for _ in 0..5 {
                        sum += Number::objects(&db).iterator(17)?.map(|row| row.id).sum::<i64>();
                    }
                    Ok(sum)
                })
            })
            .collect();
        readers
            .into_iter()
            .map(|reader| reader.join().unwrap_or_else(|_| panic!("a reader panicked")))
            .collect::<orm_core::Result<_>>()
    })?;
    assert_eq!(sums, [5 * 400 * 401 / 2; 8]);
    Ok(())
}

fn streams_wait_for_a_connection(bed: &Bed) -> TestResult {
    let db: Database = Database::builder().pool_size(1).checkout_timeout(Duration::from_secs(60)).connect(bed.url())?;
    numbers(&db, 20)?;
    let mut rows = Number::objects(&db).iterator(3)?;
    rows.next();
    let waited = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| Number::objects(&db).iterator(3).map(Iterator::count));
        assert_eq!(rows.count(), 19);
        waiting.join().unwrap_or_else(|_| panic!("the waiting thread panicked"))
    })?;
    assert_eq!(waited, 20);
    Ok(())
}

/// Runs `orm-probe` on the bed's database, and returns what it prints.
fn probe(bed: &Bed, arguments: &[&str], variables: &[(&str, &str)]) -> Result<String, Box<dyn std::error::Error>> {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_orm-probe"));
    let output = command.arg(bed.url()).args(arguments).envs(variables.iter().copied()).output()?;
    let (printed, errors) = (String::from_utf8(output.stdout)?, String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "the probe failed: {errors}");
    assert!(!errors.contains("panicked"), "{errors}");
    Ok(printed)
}

fn dropped_databases_leave_no_threads(bed: &Bed) -> TestResult {
    let threads: usize = probe(bed, &["threads", "300"], &[])?.trim().parse()?;
    assert!(threads <= 4, "300 databases have left {threads} threads");
    Ok(())
}

/// A stack larger than the address space is one that no thread can have.
fn no_thread_can_be_started(bed: &Bed) -> TestResult {
    let printed = probe(bed, &["connect"], &[("RUST_MIN_STACK", "140737488355328")])?;
    assert!(printed.contains("Err(\"Connection: ") && printed.contains("needs a thread"), "{printed}");
    Ok(())
}

fn threads_connect_at_the_same_time(bed: &Bed) -> TestResult {
    let db: Database = Database::builder().pool_size(8).connect(bed.url())?;
    numbers(&db, 10)?;
    let barrier = std::sync::Barrier::new(8);
    let counts = std::thread::scope(|scope| {
        let reader = || {
            // All streams are open at one time, each on a connection of its own.
            let mut rows = Number::objects(&db).iterator(1)?;
            rows.next();
            barrier.wait();
            ok(rows.count())
        };
        let readers: Vec<_> = (0..8).map(|_| scope.spawn(reader)).collect();
        readers
            .into_iter()
            .map(|reader| reader.join().unwrap_or_else(|_| panic!("a reader panicked")))
            .collect::<Vec<_>>()
    });
    assert!(counts.iter().all(|count| matches!(count, Ok(9))), "{counts:?}");
    Ok(())
}

/// What one backend's own connection leaves behind.
macro_rules! dirty_connections {
    ($name:ident, $backend:ty, $bed:expr, keeps_temporary_tables: $keeps:literal) => {
        #[test]
        fn $name() -> TestResult {
            use diesel::{Connection, RunQueryDsl, connection::SimpleConnection};

            let bed = $bed;
            let db = Database::<$backend>::builder().pool_size(1).connect(bed.url())?;
            db.batch_execute("CREATE TABLE written (id INTEGER)")?;
            let stored = || bed.number("SELECT count(*) FROM written");

            // In a transaction that was left open, this would be seen by nobody.
            let is_clean = || -> TestResult {
                db.connection()?.batch_execute("INSERT INTO written VALUES (9)")?;
                assert_eq!(bed.texts("SELECT id FROM written"), [Some("9".to_owned())]);
                bed.execute("DELETE FROM written");
                Ok(())
            };

            let mut connection = db.connection()?;
            connection.batch_execute("BEGIN; INSERT INTO written VALUES (1)")?;
            drop(connection);
            is_clean()?;

            let mut connection = db.connection()?;
            connection.batch_execute("BEGIN; INSERT INTO written VALUES (1)")?;
            assert!(connection.batch_execute("INSERT INTO no_such_table VALUES (1)").is_err());
            drop(connection);
            is_clean()?;

            // Diesel's own transaction, begun and not ended.
            let mut connection = db.connection()?;
            connection.begin_test_transaction()?;
            connection.batch_execute("INSERT INTO written VALUES (1)")?;
            drop(connection);
            is_clean()?;

            // What was committed stays.
            db.connection()?
                .transaction(|connection| diesel::sql_query("INSERT INTO written VALUES (1)").execute(connection))?;
            assert_eq!(stored(), 1);
            // What belongs to the session stays where a session cannot be renewed.
            db.connection()?.batch_execute("CREATE TEMPORARY TABLE kept (id INTEGER)")?;
            assert_eq!(db.connection()?.batch_execute("INSERT INTO kept VALUES (1)").is_ok(), $keeps);
            Ok(())
        }
    };
}

#[cfg(feature = "sqlite")]
dirty_connections! { dirty_return_sqlite, Sqlite, Bed::sqlite(), keeps_temporary_tables: true }
#[cfg(feature = "postgres")]
dirty_connections! { dirty_return_postgres, Pg, Bed::postgres(), keeps_temporary_tables: false }
#[cfg(feature = "mysql")]
dirty_connections! { dirty_return_mysql, Mysql, Bed::mysql(), keeps_temporary_tables: false }

/// What `with_connection` leaves behind in a transaction.
#[cfg(feature = "postgres")]
#[test]
fn a_failure_that_went_unseen_is_found_at_the_commit() -> TestResult {
    use diesel::connection::SimpleConnection;

    let bed = Bed::postgres();
    let db = Database::<Pg>::connect(bed.url())?;
    db.batch_execute("CREATE TABLE written (id INTEGER)")?;
    let answer = db.transaction(|tx| {
        tx.with_connection(|connection| {
            connection.batch_execute("INSERT INTO written VALUES (1)")?;
            let _ = connection.batch_execute("SELECT 1 / 0");
            Ok(())
        })?;
        ok(())
    });
    let error = answer.expect_err("the server rolled back");
    assert_eq!(error.kind(), ErrorKind::TransactionAborted, "{error:?}");
    assert!(std::error::Error::source(&error).is_some());
    assert_eq!(bed.number("SELECT count(*) FROM written"), 0);
    Ok(())
}
