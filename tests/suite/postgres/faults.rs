//! What goes wrong under a statement or a stream on PostgreSQL: crashed, hung, cut off, locked out, overtaken by others.
//! Each is an error of its own kind and never a short result, and the pool goes on.

use std::{process::Command, thread, time::Duration};

use diesel::{Connection, RunQueryDsl, connection::SimpleConnection, sql_query};
use itertools::Itertools;
use orm_core::{diesel, prelude::*};
use orm_tests::{Bed, TestResult, ok, on_postgres, private_server::PrivateServer, proxy::Proxy};

use super::{PgConnection, raw};
use crate::{
    models::{Number, number, numbers},
    stream_postgres::{one_connection, scalar, wide_view},
};

on_postgres! {
    cut_at_any_byte_of_a_stream, cut_at_any_byte_of_a_statement, cut_at_any_byte_of_the_login, held_back_in_a_stream,
    held_back_under_statements, lock_timeout, serialization_conflict_in_the_loop, ddl_during_stream,
    ddl_under_a_stream_of_the_same_transaction, a_reader_with_a_time_limit, a_reader_that_is_stopped_and_goes_on,
    killed_in_a_transaction, a_cancel_that_comes_too_late,
}

const PID: &str = "pg_backend_pid()::bigint";
const ENDLESS: i64 = 1_000_000_000_000;

fn signal(signal: &str, pid: impl std::fmt::Display) {
    let sent = Command::new("kill").args([signal, &pid.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "the process cannot be signalled");
}

/// A crash is an error and no end; the pool goes on as soon as there is a server again.
#[test]
fn server_crash() -> TestResult {
    let first = PrivateServer::postgres(&[]);
    let proxy = Proxy::to(&account(&first));
    let db = Database::<Pg>::builder().pool_size(1).checkout_timeout(Duration::from_secs(30)).connect(proxy.url())?;
    first.execute(&endless());
    // The throwaway server writes to its disk when it likes; what is asked for below must survive a crash.
    first.execute("CHECKPOINT");
    let pid = scalar(&db, PID)?;
    let mut rows = Number::objects(&db).try_iterator(50)?;
    assert_eq!(rows.next().transpose()?.map(|row| row.id), Some(1));
    // One process crashes, and the server ends all others, because they share its memory.
    signal("-KILL", pid);
    let error = rows.find_map(Result::err).expect("the server is gone");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error:?}");
    assert!(rows.next().is_none());
    drop(rows);
    assert_ne!(scalar(&db, PID)?, pid, "the server recovers, and so does the pool");
    let mut rows = Number::objects(&db).try_iterator(50)?;
    assert!(rows.next().is_some_and(|row| row.is_ok()));
    let other = PgConnection::establish(first.url())?;
    let mut other = other;
    let other_pid = raw::rows(&mut other, sql_query(format!("SELECT {PID}")))?;
    let bytes = other_pid[0][0].value.as_ref().map(|(_, bytes)| bytes.clone()).unwrap_or_default();
    signal("-KILL", i64::from_be_bytes(bytes.try_into().map_err(|_| "it is a bigint")?));
    let error = rows.find_map(Result::err).expect("another process has crashed");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error:?}");
    drop(rows);

    // Now all of it, for good; whoever waits for another server has that.
    let pid = scalar(&db, PID)?;
    let mut rows = Number::objects(&db).try_iterator(50)?;
    assert!(rows.next().is_some_and(|row| row.is_ok()));
    let main_process = first.pid();
    signal("-KILL", main_process);
    signal("-KILL", pid);
    let error = rows.find_map(Result::err).expect("the server is gone");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error:?}");
    drop(rows);
    drop(first);
    let impatient = Database::<Pg>::builder().checkout_timeout(Duration::from_millis(300));
    assert!(impatient.connect(proxy.url()).is_err(), "there is no server");
    let waiting = thread::spawn({
        let db = db.clone();
        move || scalar(&db, "42::bigint").map_err(|error| error.to_string())
    });
    let second = PrivateServer::postgres(&[]);
    account(&second);
    second.execute(&endless());
    proxy.redirect(second.url());
    assert_eq!(waiting.join().expect("it does not panic")?, 42);
    assert_eq!(Number::objects(&db).iterator(50)?.take(500).count(), 500);
    Ok(())
}

fn endless() -> String {
    format!(
        "CREATE VIEW numbers AS SELECT generate_series(1, {ENDLESS}::bigint) AS id, repeat('x', 100) AS name; \
             GRANT ALL ON numbers TO crash"
    )
}

/// The URL of the server for an account that is the same on each.
fn account(server: &PrivateServer) -> String {
    server.execute("CREATE ROLE crash LOGIN PASSWORD 'word'");
    let (_, rest) = server.url().split_once('@').expect("the URL names a user");
    format!("postgres://crash:word@{rest}")
}

/// A server that hangs is waited for as long as the URL says, by a reader and by whoever drops a stream.
#[test]
fn hung_server() -> TestResult {
    let server = PrivateServer::postgres(&[]);
    account(&server);
    server.execute(&endless());
    let built = || Database::<Pg>::builder().pool_size(1).connect_timeout(Duration::from_millis(900));
    let reads = built().connect(&format!("{}?read_timeout=0.5", server.url()))?;
    // The limit for connecting is also the one for ending a stream.
    let drops = built().connect(server.url())?;
    // And for the question whether an idle connection is still there.
    let idle = built().checkout_timeout(Duration::from_secs(2)).connect(server.url())?;
    let pids = [scalar(&reads, PID)?, scalar(&drops, PID)?, scalar(&idle, PID)?, i64::from(server.pid())];
    let mut read = Number::objects(&reads).try_iterator(50)?;
    let mut dropped = Number::objects(&drops).try_iterator(50)?;
    assert!(read.next().is_some() && dropped.next().is_some());
    pids.iter().for_each(|pid| signal("-STOP", pid));
    let error = read.find_map(Result::err);
    drop(dropped);
    let connecting = PgConnection::establish(&format!("{}?connect_timeout=0.3", server.url()));
    let checked_out = Number::objects(&idle).count().map_err(|error| error.kind());
    pids.iter().for_each(|pid| signal("-CONT", pid));
    assert_eq!(checked_out, Err(ErrorKind::Connection));
    let error = error.expect("it says nothing");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error:?}");
    assert!(format!("{error:?}").contains("in time"), "{error:?}");
    assert!(connecting.is_err());
    assert!(read.next().is_none());
    drop(read);
    for db in [reads, drops, idle] {
        // Patience with a machine that wakes up.
        let answer = (0..20).find_map(|_| scalar(&db, "42::bigint").ok());
        assert_eq!(answer, Some(42), "the pool goes on");
    }
    Ok(())
}

/// The connection is cut at every byte of a stream: in headers, between messages, within rows, before the last one.
fn cut_at_any_byte_of_a_stream(bed: &Bed) -> TestResult {
    numbers(&bed.db()?, 3)?;
    let proxy = Proxy::to(bed.url());
    let db = Database::<Pg>::builder().pool_size(1).test_on_checkout(false).connect(proxy.url())?;
    let read = || -> orm_core::Result<Vec<Number>> {
        Number::objects(&db).order_by(|n| n.id.asc()).try_iterator(2)?.collect()
    };
    assert_eq!(scalar(&db, "42::bigint")?, 42);
    let before = proxy.received();
    assert_eq!(read()?.len(), 3);
    let all = proxy.received() - before;
    let mut whole = Vec::new();
    for cut in (0..all).step_by(3).chain(all - 20..all) {
        let pid = loop {
            // The one that was cut is found out now, where it was the session's last answer that was cut.
            if let Ok(pid) = scalar(&db, PID) {
                break pid;
            }
        };
        proxy.cut_after(cut);
        match read() {
            Ok(rows) => {
                assert_eq!(rows, (1..=3).map(number).collect_vec(), "cut after {cut} of {all}");
                whole.push(cut);
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionLost, "cut after {cut}: {error:?}"),
        }
        proxy.heal();
        let next = scalar(&db, PID);
        assert!(next.is_err() || next.is_ok_and(|next| next != pid), "a connection that was cut is used again");
    }
    // Behind the rows there is the word that they were committed.
    assert!(whole.is_empty(), "of {all} bytes, {whole:?} were enough");
    Ok(())
}

/// And of a statement's, each way in which it can be run, in a transaction and without.
fn cut_at_any_byte_of_a_statement(bed: &Bed) -> TestResult {
    bed.execute("CREATE TABLE t (id INT PRIMARY KEY)");
    let proxy = Proxy::to(bed.url());
    type Way = fn(&mut PgConnection) -> diesel::QueryResult<usize>;
    let ways: [(&str, Way); 4] = [
        ("executed", |connection| sql_query("DELETE FROM t").execute(connection)),
        ("read", |connection| {
            raw::rows(connection, sql_query("SELECT 'a', NULL FROM generate_series(1, 2)")).map(|rows| rows.len() - 2)
        }),
        ("in a batch", |connection| connection.batch_execute("SELECT 1; SELECT 'a'; SET work_mem = '8MB'").map(|()| 0)),
        ("in a transaction", |connection| {
            connection.transaction(|connection| sql_query("DELETE FROM t").execute(connection))
        }),
    ];
    for (name, way) in ways {
        let connection = &mut PgConnection::establish(proxy.url())?;
        let before = proxy.received();
        assert_eq!(way(connection), Ok(0), "{name}");
        let all = proxy.received() - before;
        for cut in (0..all).step_by(5).chain(all - 3..all) {
            let connection = &mut PgConnection::establish(proxy.url())?;
            proxy.cut_after(cut);
            let answer = way(connection);
            proxy.heal();
            assert!(
                matches!(
                    answer,
                    Err(diesel::result::Error::DatabaseError(diesel::result::DatabaseErrorKind::ClosedConnection, _))
                        | Err(diesel::result::Error::RollbackErrorOnCommit { .. })
                ),
                "{name}, cut after {cut} of {all}: {answer:?}"
            );
            assert!(way(connection).is_err(), "{name}, cut after {cut} of {all}: it is used again");
        }
    }
    Ok(())
}

fn cut_at_any_byte_of_the_login(bed: &Bed) -> TestResult {
    let proxy = Proxy::to(bed.url());
    let before = proxy.received();
    drop(PgConnection::establish(proxy.url())?);
    let all = proxy.received() - before;
    // Each login takes its time, by what SCRAM is made for.
    for cut in (0..all).step_by(9).chain(all - 3..all) {
        proxy.cut_after(cut);
        let answer = PgConnection::establish(proxy.url()).map(drop);
        proxy.heal();
        assert!(
            matches!(answer, Err(diesel::ConnectionError::BadConnection(_))),
            "cut after {cut} of {all}: {answer:?}"
        );
    }
    assert!(all > 300, "a login has {all} bytes");
    Ok(())
}

/// A server that stops in the midst of its rows, with `read_timeout`: an error, whatever was asked for last.
fn held_back_in_a_stream(bed: &Bed) -> TestResult {
    wide_view(bed, ENDLESS);
    let proxy = Proxy::to(&bed.url_with("read_timeout=1"));
    let db = Database::<Pg>::builder().pool_size(1).connect_timeout(Duration::from_secs(2)).connect(proxy.url())?;
    for held in [0, 1, 50, 5_000, 200_001] {
        let pid = scalar(&db, PID)?;
        let mut rows = Number::objects(&db).try_iterator(100)?;
        assert!(rows.next().is_some_and(|row| row.is_ok()));
        proxy.hold_after(held);
        let (mut last, mut error) = (1, None);
        for row in rows.by_ref() {
            match row {
                Ok(row) => {
                    assert_eq!(row.id, last + 1);
                    last = row.id;
                }
                Err(broken) => error = Some(broken),
            }
        }
        let error = error.expect("nothing comes any more");
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "held after {held}: {error:?}");
        assert!(format!("{error:?}").contains("in time"), "{error:?}");
        drop(rows);
        proxy.heal();
        assert_ne!(scalar(&db, PID)?, pid);
    }
    // Whoever drops a stream waits no longer than connecting may take.
    let mut rows = Number::objects(&db).try_iterator(100)?;
    assert!(rows.next().is_some_and(|row| row.is_ok()));
    proxy.hold_after(0);
    drop(rows);
    proxy.heal();
    assert_eq!(scalar(&db, "42::bigint")?, 42);
    Ok(())
}

fn held_back_under_statements(bed: &Bed) -> TestResult {
    let proxy = Proxy::to(&bed.url_with("read_timeout=0.2"));
    for held in [0, 3, 20] {
        for way in 0..4 {
            let connection = &mut PgConnection::establish(proxy.url())?;
            proxy.hold_after(held);
            let answer = match way {
                0 => connection.batch_execute("SELECT repeat('x', 100)").map(|()| 0),
                1 => sql_query("SELECT repeat('x', 100)").execute(connection),
                2 => raw::rows(connection, sql_query("SELECT repeat('x', 100)")).map(|rows| rows.len()),
                _ => connection.transaction(|connection| sql_query("SELECT repeat('x', 100)").execute(connection)),
            };
            proxy.heal();
            let error = answer.expect_err("nothing comes any more");
            assert!(error.to_string().contains("in time") || way == 3, "{way}, held after {held}: {error}");
            // What comes late is of no use any more.
            assert!(connection.batch_execute("SELECT 1").is_err());
        }
    }
    Ok(())
}

fn lock_timeout(bed: &Bed) -> TestResult {
    numbers(&bed.db()?, 5)?;
    let db = Database::<Pg>::builder().pool_size(1).lock_timeout(Duration::from_millis(100)).connect(bed.url())?;
    let pid = scalar(&db, PID)?;
    let other = one_connection(bed.url())?;
    let mut holder = other.connection()?;
    holder.batch_execute("BEGIN; LOCK TABLE numbers")?;
    let error = Number::objects(&db).load().expect_err("the table is locked");
    assert_eq!(error.kind(), ErrorKind::LockTimeout, "{error:?}");
    let opened = Number::objects(&db).try_iterator(2).and_then(Iterator::collect::<orm_core::Result<Vec<_>>>);
    assert_eq!(opened.map_err(|error| error.kind()), Err(ErrorKind::LockTimeout));
    holder.batch_execute("ROLLBACK; BEGIN; UPDATE numbers SET name = 'x' WHERE id = 3")?;
    let written = db.batch_execute("UPDATE numbers SET name = 'y' WHERE id = 3").map_err(|error| error.kind());
    assert_eq!(written, Err(ErrorKind::LockTimeout));
    assert_eq!(Number::objects(&db).iterator(2)?.count(), 5, "readers do not wait for a row");
    assert_eq!(scalar(&db, PID)?, pid, "the connection is as good as before");
    Ok(())
}

/// Rows that are changed while they are read lose against whoever changed them before; run again, it works.
fn serialization_conflict_in_the_loop(bed: &Bed) -> TestResult {
    numbers(&bed.db()?, 30)?;
    let db = one_connection(bed.url())?;
    let mut attempts = 0;
    let mut change = || {
        attempts += 1;
        db.transaction(|tx| {
            tx.batch_execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")?;
            for row in Number::objects(tx).order_by(|n| n.id.asc()).try_iterator(4)? {
                let row = row?;
                if attempts == 1 && row.id == 7 {
                    bed.execute("UPDATE numbers SET name = 'theirs' WHERE id = 10");
                }
                tx.batch_execute(&format!("UPDATE numbers SET name = name || '!' WHERE id = {}", row.id))?;
            }
            ok(())
        })
    };
    let error = change().expect_err("row 10 has changed meanwhile");
    assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::SerializationFailure, Some("40001")), "{error:?}");
    assert_eq!(bed.number("SELECT count(*) FROM numbers WHERE name LIKE '%!'"), 0, "all of it is undone");
    change()?;
    assert_eq!(bed.number("SELECT count(*) FROM numbers WHERE name LIKE '%!'"), 30);
    assert_eq!(bed.texts("SELECT name FROM numbers WHERE id = 10"), [Some("theirs!".to_owned())]);
    Ok(())
}

/// The table of an open stream cannot be changed while the server reads it; whoever tries waits or gives up, and the stream sees
/// nothing of it.
fn ddl_during_stream(bed: &Bed) -> TestResult {
    bed.execute(
        "CREATE TABLE numbers (id BIGINT PRIMARY KEY, name TEXT); \
         INSERT INTO numbers SELECT n, repeat('x', 1000) FROM generate_series(1, 50000) AS n",
    );
    let db = one_connection(bed.url())?;
    let impatient = Database::<Pg>::builder().lock_timeout(Duration::from_millis(50)).connect(bed.url())?;
    let mut rows = Number::objects(&db).order_by(|n| n.id.asc()).iterator(100)?;
    assert_eq!(rows.next().map(|row| row.id), Some(1));
    for ddl in ["ALTER TABLE numbers ADD COLUMN c INT", "TRUNCATE TABLE numbers", "DROP TABLE numbers"] {
        let error = impatient.batch_execute(ddl).expect_err("the stream has the table");
        assert_eq!(error.kind(), ErrorKind::LockTimeout, "{ddl}: {error:?}");
    }
    // What is written is not seen.
    bed.execute("DELETE FROM numbers WHERE id > 2500; UPDATE numbers SET id = -id");
    assert!(rows.map(|row| row.id).eq(2..=50_000));
    let mut rows = Number::objects(&db).iterator(100)?;
    rows.next();
    drop(rows);
    impatient.batch_execute("ALTER TABLE numbers ADD COLUMN c INT")?;
    // What fits into the buffers has been read by the server when its first rows are taken.
    bed.execute("DELETE FROM numbers WHERE id < -20");
    let mut rows = Number::objects(&db).iterator(2)?;
    assert!(rows.next().is_some());
    bed.execute("SET lock_timeout = '10s'; TRUNCATE TABLE numbers");
    assert_eq!(rows.count(), 19);
    Ok(())
}

/// Whoever changes the table that is being read, in the transaction that reads it, is told.
fn ddl_under_a_stream_of_the_same_transaction(bed: &Bed) -> TestResult {
    numbers(&bed.db()?, 5_000)?;
    let db = one_connection(bed.url())?;
    for ddl in ["ALTER TABLE numbers ALTER COLUMN id TYPE NUMERIC", "DROP TABLE numbers"] {
        let answer = db.transaction(|tx| {
            let mut rows = Number::objects(tx).order_by(|n| n.id.asc()).try_iterator(10)?;
            assert!(rows.next().is_some_and(|row| row.is_ok()));
            tx.batch_execute(ddl)
        });
        let error = answer.expect_err("it is being read");
        // "object in use"
        assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::Database, Some("55006")), "{error:?}");
    }
    assert_eq!(Number::objects(&db).count()?, 5_000);
    Ok(())
}

/// A limit for the server's silence is no limit for the statement's reader.
fn a_reader_with_a_time_limit(bed: &Bed) -> TestResult {
    let db = one_connection(&bed.url_with("read_timeout=0.3"))?;
    wide_view(bed, 50_000);
    let mut rows = Number::objects(&db).iterator(1_000)?;
    rows.next();
    thread::sleep(Duration::from_millis(800));
    assert_eq!(rows.count(), 49_999);
    let pid = scalar(&db, PID)?;
    let error = db.batch_execute("SELECT pg_sleep(30)").expect_err("the server says nothing for 30 seconds");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error:?}");
    assert!(format!("{error:?}").contains("in time"), "{error:?}");
    assert_ne!(scalar(&db, PID)?, pid);
    Ok(())
}

/// Ctrl-Z and `fg`, a debugger, or any other signal: with a time limit, reading is interrupted by them.
fn a_reader_that_is_stopped_and_goes_on(bed: &Bed) -> TestResult {
    // It sleeps for a second before each row, while the reader waits.
    bed.execute(
        "CREATE VIEW numbers AS SELECT n AS id, repeat('x', 20000) || pg_sleep(1)::text AS name \
         FROM generate_series(1::bigint, 3) AS n",
    );
    let url = bed.url_with("read_timeout=60&write_timeout=60&application_name=stopped");
    let reader = Command::new(env!("CARGO_BIN_EXE_orm-probe"))
        .args([&url, "1"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()?;
    let sleeps = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'stopped' AND wait_event = 'PgSleep'";
    while bed.number(sleeps) == 0 {
        thread::sleep(Duration::from_millis(10));
    }
    for name in ["-STOP", "-CONT"] {
        signal(name, reader.id());
        thread::sleep(Duration::from_millis(50));
    }
    let output = reader.wait_with_output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8(output.stdout)?.starts_with("3 6 "));
    Ok(())
}

/// A transaction whose connection is gone must not be taken for committed, whoever passes the stream's error over.
fn killed_in_a_transaction(bed: &Bed) -> TestResult {
    bed.execute("CREATE TABLE written (id BIGINT PRIMARY KEY)");
    wide_view(bed, ENDLESS);
    let db = one_connection(bed.url())?;
    let answer = db.transaction(|tx| {
        tx.batch_execute("INSERT INTO written VALUES (1)")?;
        let pid = tx.with_connection(|connection| {
            diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(PID)).get_result::<i64>(connection)
        })?;
        let mut rows = Number::objects(tx).try_iterator(50)?;
        rows.next();
        bed.execute(&format!("SELECT pg_terminate_backend({pid}, 5000)"));
        assert!(rows.any(|row| row.is_err()));
        ok(())
    });
    assert!(answer.is_err());
    assert_eq!(scalar(&db, "(SELECT count(*) FROM written)")?, 0);
    Ok(())
}

/// A request to cancel says no statement, so it may hit the next one; never one of another user of the connection.
fn a_cancel_that_comes_too_late(bed: &Bed) -> TestResult {
    wide_view(bed, ENDLESS);
    let db = one_connection(bed.url())?;
    let pid = scalar(&db, PID)?;
    for taken in (1..60).chain([500, 1_000, 5_000]) {
        assert_eq!(Number::objects(&db).iterator(20)?.take(taken).count(), taken);
        // At once, while whatever ended the stream may still be on its way.
        assert_eq!(scalar(&db, "42::bigint")?, 42);
        let mut connection = db.connection()?;
        let mut rows = sql_query("SELECT id, name FROM numbers LIMIT 6000")
            .load_iter::<Row, diesel::connection::DefaultLoadingMode>(&mut *connection)?;
        assert_eq!(rows.by_ref().take(taken).filter(Result::is_ok).count(), taken);
        drop(rows);
        assert_eq!(raw::rows(&mut *connection, sql_query("SELECT pg_sleep(0.001)"))?.len(), 1);
    }
    assert_eq!(scalar(&db, PID)?, pid, "all of that on one connection");
    Ok(())
}

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    #[allow(dead_code)]
    id: i64,
}
