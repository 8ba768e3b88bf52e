//! Streams and statements that share a connection, and answers that are not read to their end.

use std::time::Duration;

use diesel::{Connection, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::BigInt};
use orm_core::{PgConnection, diesel, prelude::*};
use orm_tests::{Bed, TestResult, ok};

use crate::{
    models::Number,
    stream_postgres::{one_connection, scalar},
};

#[derive(diesel::QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// A view whose row of this number cannot be had.
fn fails_at(bed: &Bed, row: i64) {
    bed.execute(&format!(
        "CREATE OR REPLACE VIEW numbers AS SELECT n + 0 * (1 / (n - {row})) AS id, 'x' AS name \
         FROM generate_series(1::bigint, 100000) AS n"
    ));
}

/// Without a transaction, a statement is stored at the end of its answer: who asks for one row hears if it is not.
#[test]
fn what_fails_at_the_commit_fails() -> TestResult {
    let bed = Bed::postgres();
    bed.execute(
        "CREATE TABLE parents (id BIGINT PRIMARY KEY); \
         CREATE TABLE children (id BIGINT REFERENCES parents DEFERRABLE INITIALLY DEFERRED)",
    );
    let mut connection = PgConnection::establish(bed.url())?;
    for rows in ["(1)", "(1), (2), (3)"] {
        let insert = format!("INSERT INTO children VALUES {rows} RETURNING id");
        let loaded = sql_query(&insert).load::<Id>(&mut connection);
        assert!(loaded.is_err(), "no parent is there");
    }
    let first = sql_query("INSERT INTO children VALUES (1) RETURNING id").get_result::<Id>(&mut connection);
    let Err(diesel::result::Error::DatabaseError(kind, _)) = first else { panic!("it is not stored") };
    assert!(matches!(kind, diesel::result::DatabaseErrorKind::ForeignKeyViolation), "{kind:?}");
    assert_eq!(bed.number("SELECT count(*) FROM children"), 0);
    bed.execute("INSERT INTO parents VALUES (1)");
    let stored = sql_query("INSERT INTO children VALUES (1) RETURNING id").get_result::<Id>(&mut connection)?;
    assert_eq!((stored.id, bed.number("SELECT count(*) FROM children")), (1, 1));
    Ok(())
}

/// What is behind the rows that were asked for is no failure of the next statement.
#[test]
fn the_connection_goes_on_after_a_result_that_fails_unread() -> TestResult {
    let bed = Bed::postgres();
    let mut connection = PgConnection::establish(bed.url())?;
    for row in [2, 3, 2000, 50_000] {
        fails_at(&bed, row);
        let rows = sql_query("SELECT id FROM numbers").load_iter::<Id, _>(&mut connection)?;
        let first = rows.take(1).next().transpose();
        // Of the next row it hears at once.
        assert_eq!(first.map(|id| id.map(|id| id.id)).ok(), if row == 2 { None } else { Some(Some(1)) }, "row {row}");
        std::thread::sleep(Duration::from_millis(150));
        assert_eq!(sql_query("SELECT 42::bigint AS id").get_result::<Id>(&mut connection)?.id, 42);
    }
    Ok(())
}

/// A plain statement is executed to its end, although nobody reads it: it may write, and that cannot be seen.
#[test]
fn what_a_view_writes_is_stored() -> TestResult {
    let bed = Bed::postgres();
    bed.execute(
        "CREATE TABLE written (id BIGINT); \
         CREATE FUNCTION write(n BIGINT) RETURNS BIGINT LANGUAGE sql AS 'INSERT INTO written VALUES (n) RETURNING id'; \
         CREATE VIEW writing AS SELECT write(n) AS id FROM generate_series(1::bigint, 20000) AS n",
    );
    let mut connection = PgConnection::establish(bed.url())?;
    let first = sql_query("SELECT id FROM writing").get_result::<Id>(&mut connection)?;
    assert_eq!(first.id, 1);
    drop(connection);
    assert_eq!(bed.number("SELECT count(*) FROM written"), 20_000);
    Ok(())
}

/// What was asked ahead for a stream fails its transaction; whoever comes next is told of that, and not of something else.
#[test]
fn a_failure_of_what_was_asked_ahead_is_told() -> TestResult {
    let bed = Bed::postgres();
    let db = one_connection(bed.url())?;
    fails_at(&bed, 8);
    let told = |error: &orm_core::Error| {
        let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        assert_eq!((error.sqlstate(), cause.contains("division by zero")), (Some("22012"), true), "{error:?}");
    };
    // By another statement.
    let answer = db.transaction(|tx| {
        let mut rows = Number::objects(tx).try_iterator(100)?;
        assert!(rows.next().is_some_and(|row| row.is_ok()));
        Number::objects(tx).count()
    });
    told(&answer.expect_err("the eighth row was on its way"));
    // By another stream.
    let answer = db.transaction(|tx| {
        let mut rows = Number::objects(tx).try_iterator(100)?;
        assert!(rows.next().is_some_and(|row| row.is_ok()));
        Number::objects(tx).try_iterator(100).map(|_| ())
    });
    told(&answer.expect_err("the eighth row was on its way"));
    // By nobody: it is not committed.
    let answer = db.transaction(|tx| {
        let mut rows = Number::objects(tx).try_iterator(100)?;
        assert!(rows.next().is_some_and(|row| row.is_ok()));
        ok(())
    });
    assert_eq!(answer.map_err(|error| error.kind()), Err(ErrorKind::TransactionAborted));
    assert_eq!(scalar(&db, "42::bigint")?, 42);
    Ok(())
}

/// Rust lets anybody forget a stream; the pool gets its connection back all the same.
#[test]
fn a_stream_forgotten_in_a_transaction_keeps_no_connection() -> TestResult {
    let bed = Bed::postgres();
    let db = one_connection(bed.url())?;
    crate::stream_postgres::wide_view(&bed, 1000);
    db.transaction(|tx| {
        let mut rows = Number::objects(tx).iterator(10)?;
        assert_eq!(rows.next().map(|row| row.id), Some(1));
        std::mem::forget(rows);
        ok(())
    })?;
    assert_eq!(scalar(&db, "42::bigint")?, 42);
    assert_eq!(Number::objects(&db).iterator(10)?.count(), 1000);
    Ok(())
}

#[test]
fn a_commit_behind_a_comment_is_one() -> TestResult {
    let bed = Bed::postgres();
    let mut connection = PgConnection::establish(bed.url())?;
    for commit in ["COMMIT", "/* done */ COMMIT", "-- done\n ; COMMIT"] {
        connection.batch_execute("BEGIN")?;
        assert!(connection.batch_execute("SELECT 1 / 0").is_err());
        assert!(connection.batch_execute(commit).is_err(), "{commit}: it is rolled back");
        connection.batch_execute("SELECT 1")?;
    }
    Ok(())
}
