//! Streams on MySQL and MariaDB: rows that the server sends on its own, and a network that fails.

use std::{process::Command, time::Duration};

use diesel::{RunQueryDsl, sql_types::BigInt};
use itertools::Itertools;
use orm_core::{diesel, prelude::*};
use orm_tests::{Bed, TestResult, on_mysql, panics, private_server::PrivateServer, proxy::Proxy};

use crate::models::Number;

on_mysql! {
    early_drop_is_bounded, kill_connection, kill_query, truncation_never_silent, statement_timeout, killed_while_idle,
    a_stream_that_is_dropped_keeps_its_connection,
}

fn one_connection(url: &str) -> orm_core::Result<Database<Mysql>> {
    Database::<Mysql>::builder().pool_size(1).checkout_timeout(Duration::from_secs(5)).connect(url)
}

fn scalar(db: &Database<Mysql>, sql: &str) -> Result<i64, Box<dyn std::error::Error>> {
    let expression = diesel::dsl::sql::<BigInt>(sql);
    Ok(diesel::select(expression).get_result(&mut *db.connection()?)?)
}

/// The number by which the server knows the only connection of `db`.
const ID: &str = "CAST(connection_id() AS SIGNED)";

/// SQL that makes `numbers` a view of `rows` rows of about 100 bytes.
fn wide_view(rows: i64) -> String {
    format!(
        "CREATE OR REPLACE VIEW numbers AS SELECT CAST(seq AS SIGNED) AS id, repeat('x', 100) AS name \
         FROM seq_1_to_{rows}"
    )
}

/// More than the buffers between server and client hold.
const MANY: i64 = 10_000_000_000;

/// The server sends what the buffers on the way take, and no more, however many rows there are.
fn early_drop_is_bounded(bed: &Bed) -> TestResult {
    let proxy = Proxy::to(bed.url());
    let db = one_connection(proxy.url())?;
    bed.execute(&wide_view(MANY));
    for taken in [0, 1, 10, 5_000] {
        let before = proxy.received();
        assert_eq!(Number::objects(&db).iterator(1000)?.take(taken).count(), taken);
        assert_eq!(scalar(&db, "42")?, 42, "the pool goes on");
        let sent = proxy.received() - before;
        assert!(sent < 64 << 20, "{sent} bytes for {taken} rows of 100");
    }
    Ok(())
}

fn a_stream_that_is_dropped_keeps_its_connection(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    bed.execute(&wide_view(MANY));
    let id = scalar(&db, ID)?;
    for taken in [0, 1, 3_000] {
        assert_eq!(Number::objects(&db).iterator(100)?.take(taken).count(), taken);
        assert_eq!(scalar(&db, ID)?, id, "after {taken} rows");
    }
    let running = "SELECT count(*) FROM information_schema.processlist WHERE db = database() AND info LIKE '%numbers%' \
                   AND info NOT LIKE '%processlist%'";
    assert_eq!(bed.number(running), 0, "a statement goes on");
    Ok(())
}

fn kill_connection(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    bed.execute(&wide_view(MANY));
    let id = scalar(&db, ID)?;
    let mut rows = Number::objects(&db).try_iterator(50)?;
    assert!(rows.next().is_some_and(|row| row.is_ok()));
    bed.execute(&format!("KILL {id}"));
    let error = rows.find_map(Result::err).expect("the server has ended the connection");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error:?}");
    assert!(rows.next().is_none());
    drop(rows);
    assert_ne!(scalar(&db, ID)?, id, "the pool's next one is another");
    Ok(())
}

fn kill_query(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    bed.execute(&wide_view(MANY));
    let id = scalar(&db, ID)?;
    let mut rows = Number::objects(&db).try_iterator(50)?;
    assert!(rows.next().is_some_and(|row| row.is_ok()));
    bed.execute(&format!("KILL QUERY {id}"));
    let error = rows.find_map(Result::err).expect("the server has ended the statement");
    assert_eq!(error.kind(), ErrorKind::Cancelled, "{error:?}");
    assert!(rows.next().is_none());
    drop(rows);
    assert_eq!(scalar(&db, ID)?, id, "the connection is as good as before");
    Ok(())
}

fn truncation_never_silent(bed: &Bed) -> TestResult {
    bed.execute(&wide_view(2_000));
    for cut in [1, 100, 1_000, 5_000, 20_000, 100_000, 200_000] {
        let proxy = Proxy::to(bed.url());
        let db = one_connection(proxy.url())?;
        proxy.cut_after(cut);
        let (mut rows, mut errors) = (0, Vec::new());
        match Number::objects(&db).try_iterator(500) {
            Err(error) => errors.push(error),
            Ok(stream) => {
                for row in stream {
                    match row {
                        Ok(_) => rows += 1,
                        Err(error) => errors.push(error),
                    }
                }
            }
        }
        let [error] = &errors[..] else { panic!("cut after {cut} bytes: {rows} rows, and {errors:?}") };
        assert!(
            matches!(error.kind(), ErrorKind::ConnectionLost | ErrorKind::Connection | ErrorKind::PoolTimeout),
            "cut after {cut}: {error:?}"
        );
        assert!(rows < 2_000, "cut after {cut} bytes: all {rows} rows");
        proxy.heal();
        assert_eq!(scalar(&db, "42")?, 42, "the pool recovers");
    }
    let proxy = Proxy::to(bed.url());
    let db = one_connection(proxy.url())?;
    // More than may be on its way before the cut is known.
    bed.execute(&wide_view(MANY));
    let rows = Number::objects(&db).iterator(100)?;
    proxy.cut_after(30_000);
    let message = panics::message(|| rows.count());
    assert!(message.contains("the stream broke after"), "{message}");
    Ok(())
}

fn statement_timeout(bed: &Bed) -> TestResult {
    let limit = Duration::from_millis(100);
    let db = Database::<Mysql>::builder().pool_size(1).statement_timeout(limit).connect(bed.url())?;
    bed.execute(
        "CREATE VIEW numbers AS SELECT CAST(seq AS SIGNED) AS id, CAST(sleep(60) AS CHAR) AS name FROM seq_1_to_2",
    );
    let id = scalar(&db, ID)?;
    let error = Number::objects(&db).load().expect_err("it sleeps for a minute");
    assert_eq!(error.kind(), ErrorKind::StatementTimeout, "{error:?}");
    let error = match Number::objects(&db).try_iterator(1) {
        Err(error) => error,
        Ok(mut rows) => rows.find_map(Result::err).expect("it sleeps for a minute"),
    };
    assert_eq!(error.kind(), ErrorKind::StatementTimeout, "{error:?}");
    assert_eq!(scalar(&db, ID)?, id, "the connection is as good as before");
    Ok(())
}

fn killed_while_idle(bed: &Bed) -> TestResult {
    for test in [true, false] {
        let db = Database::<Mysql>::builder().pool_size(1).test_on_checkout(test).connect(bed.url())?;
        let id = scalar(&db, ID)?;
        bed.execute(&format!("KILL {id}"));
        let gone = format!("SELECT count(*) FROM information_schema.processlist WHERE id = {id}");
        while bed.number(&gone) > 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let answers = (0..3).map(|_| scalar(&db, "42").is_ok()).collect_vec();
        assert_eq!(answers, [test, true, true], "tried on checkout: {test}");
    }
    Ok(())
}

/// A server that gives up on slow readers after a second is told to wait for this one.
#[test]
fn a_slow_consumer() -> TestResult {
    let server = PrivateServer::mysql(&["net-write-timeout=1"]);
    server.execute(&wide_view(400_000));
    let db = one_connection(server.url())?;
    let mut rows = Number::objects(&db).order_by(|n| n.id.asc()).iterator(10)?;
    let mut read = rows.by_ref().take(10).count();
    std::thread::sleep(Duration::from_secs(4));
    read += rows.count();
    assert_eq!(read, 400_000);
    Ok(())
}

#[test]
fn a_server_that_dies() -> TestResult {
    let server = PrivateServer::mysql(&[]);
    server.execute(&wide_view(MANY));
    let db = one_connection(server.url())?;
    let mut rows = Number::objects(&db).try_iterator(50)?;
    assert!(rows.next().is_some_and(|row| row.is_ok()));
    let killed = Command::new("kill").args(["-KILL", &server.pid().to_string()]).status()?;
    assert!(killed.success());
    let error = rows.find_map(Result::err).expect("the server is gone");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error:?}");
    assert!(rows.next().is_none());
    drop(rows);
    assert!(Number::objects(&db).count().is_err());
    Ok(())
}
