//! Streams that end before their time: dropped, forgotten, panicked through, cut off, killed, failing at a row.

use std::time::Duration;

use itertools::Itertools;
use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, ok, on_each_backend, panics};

use crate::models::{Number, number, numbers};

on_each_backend! {
    endless_table_is_read_from_its_start, early_drop_gives_the_connection_back, panic_in_consumer, catch_unwind_reuse,
    forget_iterator, err_then_stop, iterator_panics_with_the_error, an_error_is_not_lost_behind_a_full_chunk, after_a_panic_in_decoding_there_is_nothing,
    early_drop_in_a_transaction, opening_fails_before_the_first_row,
}

/// A pool of one connection: what is not given back is missed at once.
fn one_connection(bed: &Bed) -> orm_core::Result<Database> {
    Database::builder().pool_size(1).checkout_timeout(Duration::from_millis(500)).connect(bed.url())
}

/// A view of so many rows that it never ends, unless only some of them are asked for.
fn endless(bed: &Bed) {
    let series = bed.series(9_000_000_000_000);
    bed.execute(&format!("CREATE VIEW numbers AS SELECT n AS id, 'name' AS name FROM ({series}) AS s"));
}

/// A view that fails at its `row`, and has more rows behind it.
fn failing_at(bed: &Bed, row: i64) {
    let (series, (error, _)) = (bed.series(1000), bed.failure("n"));
    bed.execute(&format!(
        "CREATE VIEW numbers AS SELECT CASE WHEN n = {row} THEN {error} ELSE n END AS id, 'x' AS name FROM ({series}) AS s"
    ));
}

/// First-row latency, without a clock: whoever reads all of it first never gives the first row.
fn endless_table_is_read_from_its_start(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    endless(bed);
    for chunk in [1, 10, 2000] {
        let read = Number::objects(&db).iterator(chunk)?.take(10).map(|n| n.id).collect_vec();
        assert_eq!(read, (1..=10).collect_vec());
    }
    let mut tried = Number::objects(&db).try_iterator(5000)?;
    assert_eq!(tried.next().transpose()?.map(|n| n.id), Some(1));
    Ok(())
}

fn early_drop_gives_the_connection_back(bed: &Bed) -> TestResult {
    let db = one_connection(bed)?;
    endless(bed);
    for taken in [0, 1, 10, 100] {
        let mut rows = Number::objects(&db).iterator(50)?;
        assert_eq!(rows.by_ref().take(taken).count(), taken);
        drop(rows);
        assert_eq!(Number::objects(&db).limit(3).load()?.len(), 3, "after {taken} rows");
    }
    Ok(())
}

fn panic_in_consumer(bed: &Bed) -> TestResult {
    let db = one_connection(bed)?;
    numbers(&db, 500)?;
    let reader = db.clone();
    let thread = std::thread::spawn(move || {
        for row in Number::objects(&reader).order_by(|n| n.id.asc()).iterator(7).expect("it opens") {
            assert!(row.id < 10, "row 10 came");
        }
    });
    assert!(thread.join().is_err());
    assert_eq!(Number::objects(&db).count()?, 500);
    // A transaction that was left open would hold the only connection's locks, or refuse this.
    db.transaction(|tx| Number::bulk_create(tx, [number(501)]))?;
    assert_eq!(bed.number("SELECT count(*) FROM numbers"), 501);
    Ok(())
}

fn catch_unwind_reuse(bed: &Bed) -> TestResult {
    let db = one_connection(bed)?;
    numbers(&db, 100)?;
    let mut rows = Number::objects(&db).order_by(|n| n.id.asc()).iterator(7)?;
    let message = panics::message(|| rows.by_ref().for_each(|row| assert!(row.id < 10, "row 10 came")));
    assert_eq!(message, "row 10 came");
    // The stream outlived the panic, and goes on where it was.
    assert_eq!(rows.map(|row| row.id).collect_vec(), (11..=100).collect_vec());
    assert_eq!(Number::objects(&db).count()?, 100);

    let message = panics::message(|| {
        db.transaction(|tx| {
            Number::bulk_create(tx, [number(101)])?;
            let rows = Number::objects(tx).iterator(7)?;
            rows.for_each(|row| assert!(row.id < 10, "row 10 came"));
            ok(())
        })
    });
    assert_eq!(message, "row 10 came");
    assert_eq!(Number::objects(&db).count()?, 100, "what the panicked transaction wrote is gone");
    Ok(())
}

/// A forgotten stream keeps its connection for ever; nothing else is hurt.
fn forget_iterator(bed: &Bed) -> TestResult {
    let db: Database =
        Database::builder().pool_size(2).checkout_timeout(Duration::from_millis(300)).connect(bed.url())?;
    numbers(&db, 100)?;
    let mut rows = Number::objects(&db).iterator(7)?;
    rows.next();
    std::mem::forget(rows);
    assert_eq!(
        Number::objects(&db).order_by(|n| n.id.asc()).iterator(7)?.collect_vec(),
        (1..=100).map(number).collect_vec()
    );
    Number::bulk_create(&db, [number(101)])?;
    assert_eq!(Number::objects(&db).count()?, 101);
    let mut rows = Number::objects(&db).iterator(7)?;
    rows.next();
    std::mem::forget(rows);
    let error = Number::objects(&db).count().expect_err("both connections are forgotten");
    assert_eq!(error.kind(), ErrorKind::PoolTimeout);
    Ok(())
}

fn err_then_stop(bed: &Bed) -> TestResult {
    let db = one_connection(bed)?;
    failing_at(bed, 50);
    for chunk in [1, 7, 49, 50, 2000] {
        // As a careless consumer does it: with an iterator that starts again, this has no end.
        let read = Number::objects(&db).try_iterator(chunk)?.filter_map(Result::ok).map(|n| n.id).collect_vec();
        // PostgreSQL throws away the rows of the fetch in which it fails.
        assert!(read.len() <= 49, "{} rows in chunks of {chunk}", read.len());
        assert_eq!(read, (1..=i64::try_from(read.len())?).collect_vec());
        if chunk == 1 {
            assert_eq!(read.len(), 49);
        }

        let mut rows = Number::objects(&db).try_iterator(chunk)?;
        let error = rows.find_map(Result::err).expect("row 50 fails");
        assert_eq!(error.kind(), ErrorKind::Database);
        assert!(error.sql().is_some_and(|sql| sql.contains("FROM")), "{error:?}");
        for _ in 0..5 {
            assert!(rows.next().is_none());
        }
        drop(rows);
        assert_eq!(Number::objects(&db).limit(10).load()?.len(), 10, "the connection is good");
    }
    Ok(())
}

fn iterator_panics_with_the_error(bed: &Bed) -> TestResult {
    let db = one_connection(bed)?;
    failing_at(bed, 50);
    let mut rows = Number::objects(&db).iterator(1)?;
    assert_eq!(rows.by_ref().take(49).count(), 49);
    let message = panics::message(|| rows.next());
    assert!(message.contains("the stream broke after 49 rows"), "{message}");
    assert!(message.contains(bed.failure("id").1), "{message}");
    assert_eq!(rows.next(), None);
    drop(rows);
    assert_eq!(Number::objects(&db).limit(10).load()?.len(), 10, "the connection is good");
    Ok(())
}

/// Rows that were read before the error are given before it.
/// A type of the user's, whose reading panics at 5.
#[derive(Clone, Debug, PartialEq)]
struct Fragile(i64);

impl orm_core::FieldType for Fragile {
    type SqlType = orm_core::diesel::sql_types::BigInt;
}
impl<DB: orm_core::diesel::backend::Backend> orm_core::types::Decode<DB> for Fragile
where
    i64: orm_core::types::Decode<DB>,
{
    fn decode(value: DB::RawValue<'_>) -> orm_core::diesel::deserialize::Result<Self> {
        let value = <i64 as orm_core::types::Decode<DB>>::decode(value)?;
        assert_ne!(value, 5, "as the test wants it");
        Ok(Fragile(value))
    }
}

/// Who catches the panic and goes on finds the end, and no later rows.
fn after_a_panic_in_decoding_there_is_nothing(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 100)?;
    let mut rows = Number::objects(&db).order_by(|n| n.id.asc()).values_as::<Fragile, _>(|n| n.id).try_iterator(2)?;
    let mut read = Vec::new();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        read.extend(rows.by_ref().map_while(|row| row.ok()).map(|row| row.0));
    }));
    assert!(caught.is_err());
    assert!((3..=4).contains(&read.len()), "{read:?}");
    assert!(rows.next().is_none());
    Ok(())
}

fn an_error_is_not_lost_behind_a_full_chunk(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    failing_at(bed, 5);
    let results =
        Number::objects(&db).try_iterator(4)?.map(|row| row.map(|n| n.id).map_err(|e| e.kind())).collect_vec();
    let expected = (1..=4).map(Ok).chain([Err(ErrorKind::Database)]).collect_vec();
    assert_eq!(results, expected);
    Ok(())
}

/// The error that lies beyond the point where the stream was dropped is never met, and COMMIT commits.
fn early_drop_in_a_transaction(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    failing_at(bed, 500);
    db.batch_execute("CREATE TABLE written (id BIGINT)")?;
    let answer = db.transaction(|tx| {
        tx.batch_execute("INSERT INTO written VALUES (1)")?;
        let read = Number::objects(tx).iterator(10)?.take(20).count();
        tx.batch_execute("INSERT INTO written VALUES (2)")?;
        ok(read)
    })?;
    assert_eq!(answer, 20);
    assert_eq!(bed.number("SELECT count(*) FROM written"), 2);
    Ok(())
}

/// A statement that cannot run says so when the stream opens, or as its first row; never as an empty result.
fn opening_fails_before_the_first_row(bed: &Bed) -> TestResult {
    let db = one_connection(bed)?;
    let error = match Number::objects(&db).try_iterator(10) {
        Err(error) => error,
        Ok(mut rows) => rows.next().expect("there is no such table").expect_err("there is no such table"),
    };
    assert_eq!(error.kind(), ErrorKind::UndefinedTable);
    assert!(std::error::Error::source(&error).is_some_and(|s| s.to_string().contains("numbers")), "{error:?}");
    numbers(&db, 3)?;
    assert_eq!(Number::objects(&db).iterator(10)?.count(), 3);
    Ok(())
}
