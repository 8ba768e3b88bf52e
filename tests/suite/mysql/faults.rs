//! What goes wrong under a statement or a stream on MySQL and MariaDB: killed, cut off, out of time, locked out; each
//! is an error of its own kind, and the pool goes on.

use std::{process::Command, time::Duration};

use diesel::connection::SimpleConnection;
use itertools::Itertools;
use orm_core::{diesel, prelude::*};
use orm_tests::{Bed, TestResult, logs, ok, on_mysql, panics, proxy::Proxy};

use crate::{
    models::{Number, number, numbers},
    stream_mysql::{one_connection, scalar, wide_view},
};

on_mysql! {
    kill_connection, kill_query, killed_while_idle, truncation_never_silent, cut_anywhere_in_a_long_stream,
    statement_timeout, lock_timeout, ddl_during_stream, ddl_between_streams, concurrent_streams, a_reader_that_is_stopped_and_goes_on,
    a_stream_leaves_its_session_as_it_was, a_reader_with_a_time_limit, several_results_compressed,
    no_bound_value_is_told,
}

const ID: &str = "CAST(CONNECTION_ID() AS SIGNED)";
const ENDLESS: i64 = 1_000_000_000_000;

fn kill_connection(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    wide_view(bed, ENDLESS);
    let id = scalar(&db, ID)?;
    let mut rows = Number::objects(&db).try_iterator(50)?;
    assert!(rows.next().is_some_and(|row| row.is_ok()));
    bed.execute(&format!("KILL {id}"));
    let error = rows.find_map(Result::err).expect("the connection is gone");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error:?}");
    assert!(rows.next().is_none());
    drop(rows);
    assert_ne!(scalar(&db, ID)?, id, "the pool makes another one");
    // In a transaction, which must not be taken for committed.
    bed.execute("CREATE TABLE written (id BIGINT PRIMARY KEY)");
    let id = scalar(&db, ID)?;
    let answer = db.transaction(|tx| {
        tx.batch_execute("INSERT INTO written VALUES (1)")?;
        let mut rows = Number::objects(tx).try_iterator(50)?;
        rows.next();
        bed.execute(&format!("KILL {id}"));
        assert!(rows.any(|row| row.is_err()));
        ok(())
    });
    assert!(answer.is_err());
    assert_eq!(scalar(&db, "(SELECT COUNT(*) FROM written)")?, 0);
    Ok(())
}

fn kill_query(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    wide_view(bed, ENDLESS);
    let id = scalar(&db, ID)?;
    for chunk in [1, 50, 5_000] {
        let mut rows = Number::objects(&db).try_iterator(chunk)?;
        assert!(rows.next().is_some_and(|row| row.is_ok()));
        bed.execute(&format!("KILL QUERY {id}"));
        let (read, errors): (Vec<_>, Vec<_>) = rows.by_ref().partition_result();
        assert!(read.iter().map(|row| row.id).eq((2..).take(read.len())), "what came is right");
        assert_eq!(errors.iter().map(orm_core::Error::kind).collect_vec(), [ErrorKind::Cancelled], "{errors:?}");
        assert!(rows.next().is_none());
        assert_eq!(scalar(&db, ID)?, id, "the connection is as good as before");
    }
    Ok(())
}

fn killed_while_idle(bed: &Bed) -> TestResult {
    for test in [true, false] {
        let db = Database::<Mysql>::builder().pool_size(1).test_on_checkout(test).connect(bed.url())?;
        let id = scalar(&db, ID)?;
        bed.execute(&format!("KILL {id}"));
        let gone = format!("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = {id}");
        while bed.number(&gone) > 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let answers = (0..3).map(|_| scalar(&db, "42").is_ok()).collect_vec();
        assert_eq!(answers, [test, true, true], "tried on checkout: {test}");
    }
    Ok(())
}

/// The connection is cut at every byte of a result: in headers, between packets, within rows, before the last one.
fn truncation_never_silent(bed: &Bed) -> TestResult {
    numbers(&bed.db()?, 3)?;
    let proxy = Proxy::to(bed.url());
    let db = Database::<Mysql>::builder().pool_size(1).test_on_checkout(false).connect(proxy.url())?;
    let read = || -> orm_core::Result<Vec<Number>> {
        Number::objects(&db).order_by(|n| n.id.asc()).try_iterator(2)?.collect()
    };
    // The number of the connection's first statement, as the server answers it, is the same for each.
    assert_eq!(scalar(&db, "42")?, 42);
    let before = proxy.received();
    assert_eq!(read()?.len(), 3);
    let all = proxy.received() - before;
    for cut in 0..all {
        let id = loop {
            // The one that was cut is found out now, where it was the session's last answer that was cut.
            if let Ok(id) = scalar(&db, ID) {
                break id;
            }
        };
        proxy.cut_after(cut);
        match read() {
            Ok(_) => panic!("whole after {cut} of {all} bytes"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionLost, "cut after {cut}: {error:?}"),
        }
        proxy.heal();
        let next = scalar(&db, ID);
        assert!(next.is_err() || next.is_ok_and(|next| next != id), "a connection that was cut is used again");
    }
    Ok(())
}

fn cut_anywhere_in_a_long_stream(bed: &Bed) -> TestResult {
    wide_view(bed, 2_000);
    for options in ["", "compress=true"] {
        for cut in [2_000, 20_000, 65_536, 65_537, 100_001] {
            let cut = if options.is_empty() { cut } else { cut / 60 };
            let proxy = Proxy::to(&bed.url_with(options));
            let db = one_connection(proxy.url())?;
            proxy.cut_after(cut);
            let (rows, errors): (Vec<_>, Vec<_>) = Number::objects(&db)
                .try_iterator(500)
                .map_or_else(|error| vec![Err(error)], Iterator::collect)
                .into_iter()
                .partition_result();
            assert!(rows.len() < 2_000, "cut after {cut} bytes");
            assert_eq!(
                errors.iter().map(orm_core::Error::kind).collect_vec(),
                [ErrorKind::ConnectionLost],
                "{errors:?}"
            );
            proxy.heal();
            assert_eq!(scalar(&db, "42")?, 42, "the pool recovers");
        }
    }
    let proxy = Proxy::to(bed.url());
    let db = one_connection(proxy.url())?;
    proxy.cut_after(30_000);
    let message = panics::message(|| Number::objects(&db).iterator(100).map(Iterator::count));
    assert!(message.contains("the stream broke after"), "{message}");
    Ok(())
}

fn statement_timeout(bed: &Bed) -> TestResult {
    let db =
        Database::<Mysql>::builder().pool_size(1).statement_timeout(Duration::from_millis(200)).connect(bed.url())?;
    let id = scalar(&db, ID)?;
    bed.execute(
        "CREATE VIEW numbers AS SELECT CAST(seq AS SIGNED) AS id, CONCAT('x', SLEEP(IF(seq = 3, 60, 0))) AS name \
         FROM seq_1_to_5",
    );
    let error = Number::objects(&db).load().expect_err("it sleeps for a minute");
    assert_eq!(error.kind(), ErrorKind::StatementTimeout, "{error:?}");
    let error = Number::objects(&db).try_iterator(1).and_then(Iterator::collect::<orm_core::Result<Vec<_>>>);
    assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::StatementTimeout));
    // Midway, where rows have come before.
    wide_view(bed, ENDLESS);
    let mut rows = Number::objects(&db).try_iterator(10)?;
    assert!(rows.next().is_some_and(|row| row.is_ok()));
    let error = rows.find_map(Result::err).expect("it would go on for days");
    assert_eq!(error.kind(), ErrorKind::StatementTimeout, "{error:?}");
    drop(rows);
    assert_eq!(scalar(&db, ID)?, id, "the connection is as good as before");
    Ok(())
}

fn lock_timeout(bed: &Bed) -> TestResult {
    numbers(&bed.db()?, 5)?;
    let db = Database::<Mysql>::builder().pool_size(1).lock_timeout(Duration::from_millis(700)).connect(bed.url())?;
    let id = scalar(&db, ID)?;
    let other = one_connection(bed.url())?;
    let mut holder = other.connection()?;
    holder.batch_execute("LOCK TABLES numbers WRITE")?;
    let error = Number::objects(&db).load().expect_err("the table is locked");
    assert_eq!(error.kind(), ErrorKind::LockTimeout, "{error:?}");
    let opened = Number::objects(&db).try_iterator(2).map(|_| ()).map_err(|error| error.kind());
    assert_eq!(opened, Err(ErrorKind::LockTimeout));
    holder.batch_execute("UNLOCK TABLES; BEGIN; UPDATE numbers SET name = 'x' WHERE id = 3")?;
    let written = db.batch_execute("UPDATE numbers SET name = 'y' WHERE id = 3").map_err(|error| error.kind());
    assert_eq!(written, Err(ErrorKind::LockTimeout));
    assert_eq!(Number::objects(&db).iterator(2)?.count(), 5, "readers do not wait for a row");
    assert_eq!(scalar(&db, ID)?, id);
    Ok(())
}

/// The table of an open stream cannot be changed; whoever tries waits or gives up, and the stream sees nothing of it.
fn ddl_during_stream(bed: &Bed) -> TestResult {
    bed.execute("CREATE TABLE base (b BIGINT); INSERT INTO base VALUES (0)");
    // More than fits in the buffers on the way, so that the statement lasts as long as the stream.
    bed.execute(
        "CREATE VIEW numbers AS SELECT CAST(seq AS SIGNED) + b AS id, REPEAT('x', 1000) AS name \
         FROM seq_1_to_100000 CROSS JOIN base",
    );
    let db = one_connection(bed.url())?;
    let impatient = Database::<Mysql>::builder().lock_timeout(Duration::from_millis(500)).connect(bed.url())?;
    let mut rows = Number::objects(&db).iterator(100)?;
    assert_eq!(rows.next().map(|row| row.id), Some(1));
    for ddl in ["ALTER TABLE base ADD COLUMN c INT", "TRUNCATE TABLE base", "DROP TABLE base"] {
        let error = impatient.batch_execute(ddl).expect_err("the stream has the table");
        assert_eq!(error.kind(), ErrorKind::LockTimeout, "{ddl}: {error:?}");
    }
    assert!(rows.map(|row| row.id).eq(2..=100_000));
    let mut rows = Number::objects(&db).iterator(100)?;
    rows.next();
    drop(rows);
    impatient.batch_execute("ALTER TABLE base ADD COLUMN c INT")?;
    impatient.batch_execute("TRUNCATE TABLE base")?;
    Ok(())
}

/// A table that was changed behind a pooled connection hurts no later query, though statements on it are kept.
fn ddl_between_streams(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    let id = scalar(&db, ID)?;
    db.create_tables::<(Number,)>()?;
    Number::bulk_create(&db, (1..=5).map(number))?;
    for change in [
        "MODIFY id INT",
        "MODIFY id SMALLINT",
        "MODIFY id BIGINT",
        "ADD COLUMN first_of_all TEXT FIRST",
        "MODIFY name VARCHAR(50)",
        "DROP COLUMN first_of_all",
        "MODIFY name TEXT AFTER id",
    ] {
        bed.execute(&format!("ALTER TABLE numbers {change}"));
        let rows = Number::objects(&db).order_by(|n| n.id.asc()).iterator(2)?.collect_vec();
        assert_eq!(rows, (1..=5).map(number).collect_vec(), "{change}");
        assert_eq!(Number::objects(&db).filter(|n| n.id.gt(2)).load()?.len(), 3);
        assert_eq!(Number::objects(&db).count()?, 5);
    }
    bed.execute("DROP TABLE numbers");
    assert!(Number::objects(&db).load().is_err());
    db.create_tables::<(Number,)>()?;
    assert_eq!(Number::objects(&db).load()?, []);
    assert_eq!(scalar(&db, ID)?, id);
    Ok(())
}

/// Many readers, fewer connections: each reads its own rows, and all come to their end.
fn concurrent_streams(bed: &Bed) -> TestResult {
    const ROWS: i64 = 100_000;
    wide_view(bed, ROWS);
    let db: Database =
        Database::builder().pool_size(4).checkout_timeout(Duration::from_secs(300)).connect(bed.url())?;
    let sums = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..8_i64)
            .map(|reader| {
                let db = &db;
                scope.spawn(move || -> orm_core::Result<bool> {
                    let rows = Number::objects(db).filter(|n| n.id.gt(reader)).try_iterator(1_000)?;
                    let mut expected = reader + 1..=ROWS;
                    for row in rows {
                        if expected.next() != Some(row?.id) {
                            return Ok(false);
                        }
                    }
                    Ok(expected.next().is_none())
                })
            })
            .collect();
        readers.into_iter().map(|reader| reader.join().expect("no reader panics")).collect::<orm_core::Result<Vec<_>>>()
    })?;
    assert_eq!(sums, [true; 8]);
    Ok(())
}

/// Ctrl-Z and `fg`, a debugger, or any other signal: with a time limit, reading is interrupted by them.
fn a_reader_that_is_stopped_and_goes_on(bed: &Bed) -> TestResult {
    // It sleeps for two seconds before each of two rows, while the reader waits.
    bed.execute(
        "CREATE VIEW numbers AS SELECT CAST(seq AS SIGNED) AS id, CONCAT(REPEAT('x', 20000), SLEEP(1)) AS name \
         FROM seq_1_to_3",
    );
    let url = bed.url_with("read_timeout=60&write_timeout=60");
    let reader = Command::new(env!("CARGO_BIN_EXE_orm-probe"))
        .args([&url, "1"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()?;
    let sleeps = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND STATE = 'User sleep'";
    while bed.number(sleeps) == 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    for signal in ["-STOP", "-CONT"] {
        assert!(Command::new("kill").args([signal, &reader.id().to_string()]).status()?.success());
        std::thread::sleep(Duration::from_millis(50));
    }
    let output = reader.wait_with_output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8(output.stdout)?.starts_with("3 6 "));
    Ok(())
}

/// A stream is patient with its reader; the session's own limit is there again after it, however it ended.
fn a_stream_leaves_its_session_as_it_was(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    let limit = || scalar(&db, "@@SESSION.net_write_timeout");
    let before = limit()?;
    let id = scalar(&db, ID)?;
    wide_view(bed, 3_000);
    assert_eq!(Number::objects(&db).iterator(100)?.count(), 3_000);
    assert_eq!(limit()?, before, "after its end");
    wide_view(bed, ENDLESS);
    assert_eq!(Number::objects(&db).iterator(100)?.take(5).count(), 5);
    assert_eq!(limit()?, before, "after it was dropped");
    let mut rows = Number::objects(&db).try_iterator(100)?;
    rows.next();
    bed.execute(&format!("KILL QUERY {id}"));
    assert!(rows.any(|row| row.is_err()));
    assert_eq!(limit()?, before, "after it broke");
    bed.execute("DROP VIEW numbers");
    assert!(Number::objects(&db).try_iterator(100).is_err());
    assert_eq!(limit()?, before, "after it could not be opened");
    bed.execute(
        "CREATE VIEW numbers AS SELECT CAST(seq AS SIGNED) + 9223372036854775800 AS id, 'x' AS name FROM seq_1_to_100",
    );
    assert!(Number::objects(&db).try_iterator(1).and_then(Iterator::collect::<orm_core::Result<Vec<_>>>).is_err());
    assert_eq!(limit()?, before, "after a row failed");
    db.transaction(|tx| {
        let limit = || crate::stream_mysql::scalar_in(tx, "@@SESSION.net_write_timeout");
        wide_view(bed, ENDLESS);
        let mut rows = Number::objects(tx).iterator(100)?;
        rows.next();
        drop(rows);
        assert_eq!(limit()?, before);
        ok(())
    })?;
    assert_eq!(scalar(&db, ID)?, id, "all of that on one connection");
    Ok(())
}

/// A limit for the server's silence is no limit for the statement's reader.
fn a_reader_with_a_time_limit(bed: &Bed) -> TestResult {
    let db = one_connection(&bed.url_with("read_timeout=0.5"))?;
    wide_view(bed, 200_000);
    let mut rows = Number::objects(&db).iterator(1_000)?;
    rows.next();
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(rows.count(), 199_999);
    let id = scalar(&db, ID)?;
    let error = db.batch_execute("SELECT SLEEP(30)").expect_err("the server says nothing for 30 seconds");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error:?}");
    assert!(format!("{error:?}").contains("in time"), "{error:?}");
    assert_ne!(scalar(&db, ID)?, id);
    Ok(())
}

/// Several results of several statements, each after the other, on a connection that is compressed.
fn several_results_compressed(bed: &Bed) -> TestResult {
    for options in ["compress=false", "compress=true"] {
        let db = one_connection(&bed.url_with(options))?;
        let mut connection = db.connection()?;
        for rows in [1, 10, 300, 5_000] {
            let select = format!("SELECT seq, REPEAT('x', 50) FROM seq_1_to_{rows}");
            connection.batch_execute(&[&select[..]; 4].join("; "))?;
        }
        drop(connection);
        assert_eq!(scalar(&db, "42")?, 42);
    }
    Ok(())
}

/// What was bound to a statement is in no error, no log, and nothing that `Debug` shows, however it ends.
fn no_bound_value_is_told(bed: &Bed) -> TestResult {
    const SECRET: &str = "a v3ry s3cr3t value";
    logs::keep();
    let password = bed.url().split('@').next().and_then(|front| front.rsplit(':').next()).unwrap_or_default();
    let db = Database::<Mysql>::builder().pool_size(1).statement_timeout(Duration::from_secs(20)).connect(bed.url())?;
    let mut shown = Vec::new();
    wide_view(bed, ENDLESS);
    let of_secret = || Number::objects(&db).filter(|n| n.name.ne(SECRET));
    shown.push(format!("{:?}", of_secret()));
    for kill in ["KILL QUERY", "KILL"] {
        let id = scalar(&db, ID)?;
        let mut rows = of_secret().try_iterator(5)?;
        rows.next();
        shown.push(format!("{rows:?}"));
        bed.execute(&format!("{kill} {id}"));
        shown.push(format!("{:#?}", rows.find_map(Result::err).expect("it was killed")));
    }
    drop(of_secret().iterator(5)?);
    shown.push(format!("{:?}", *db.connection()?));
    bed.execute("DROP VIEW numbers");
    shown.push(format!("{:#?}", of_secret().load().expect_err("there is no such table")));
    shown.push(format!("{:#?}", of_secret().try_iterator(5).map(|_| ()).expect_err("there is no such table")));
    bed.execute("CREATE TABLE numbers (id BIGINT PRIMARY KEY, name VARCHAR(5))");
    let refused = Number::bulk_create(&db, [Number { id: 1, name: Some(SECRET.to_owned()) }]);
    shown.push(format!("{:#?}", refused.expect_err("it is too long for its column")));
    shown.push(logs::all());
    for text in shown {
        assert!(!text.contains(SECRET) && !text.contains(password), "{text}");
    }
    Ok(())
}
