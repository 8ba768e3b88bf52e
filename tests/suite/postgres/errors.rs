//! Errors of PostgreSQL, each provoked on a server: its SQLSTATE and its kind, whatever language it speaks, and nothing
//! of a bound value in our own words.

use std::time::Duration;

use diesel::{
    Connection, QueryResult, RunQueryDsl,
    connection::SimpleConnection,
    dsl::sql,
    r2d2::R2D2Connection,
    result::{DatabaseErrorKind, Error as DieselError},
    sql_query,
    sql_types::{BigInt, Bool, Integer, Text},
};
use orm_core::{diesel, prelude::*};
use orm_tests::{Bed, TestResult, logs, on_postgres};

use super::PgConnection;
use crate::{
    models::Number,
    stream_postgres::{one_connection, scalar, wide_view},
};

on_postgres! {
    refusals, kinds_need_no_language, serialization_failures, deadlocks, lock_timeouts, statement_timeouts, cancelled,
    killed, a_failed_transaction, not_connected, no_bound_value_is_told,
}

const TABLES: &str =
    "CREATE TABLE parents (id INT PRIMARY KEY, word TEXT NOT NULL UNIQUE, amount INT NOT NULL CHECK (amount > 0));
                      CREATE TABLE children (id INT PRIMARY KEY, parent INT REFERENCES parents (id));
                      INSERT INTO parents VALUES (1, 'a', 1); INSERT INTO children VALUES (1, 1)";

/// What our error of a statement tells: its kind, and the server's SQLSTATE.
fn told<T: std::fmt::Debug>(answer: orm_core::Result<T>) -> (ErrorKind, Option<String>) {
    let error = answer.expect_err("it has to fail");
    (error.kind(), error.sqlstate().map(str::to_owned))
}

fn state(kind: ErrorKind, sqlstate: &str) -> (ErrorKind, Option<String>) {
    (kind, Some(sqlstate.to_owned()))
}

/// Runs a statement of Diesel's on a connection of the pool.
fn run(db: &Database<Pg>, statement: &str) -> orm_core::Result<usize> {
    db.transaction(|tx| tx.with_connection(|connection| sql_query(statement).execute(connection)))
}

fn is_usable(connection: &mut PgConnection) -> bool {
    sql::<Integer>("SELECT 7").get_result::<i32>(connection).is_ok_and(|seven| seven == 7)
        && connection.ping().is_ok()
        && !connection.is_broken()
}

fn refusals(bed: &Bed) -> TestResult {
    bed.execute(TABLES);
    // Another language, where the server has one: the kinds are the same.
    let mut urls = vec![bed.url().to_owned()];
    for language in ["de_DE.UTF-8", "fr_FR.UTF-8", "es_ES.UTF-8", "ja_JP.UTF-8"] {
        let url = bed.url().replacen("options=", &format!("options=-c%20lc_messages%3D{language}%20"), 1);
        urls.extend(Database::<Pg>::connect(&url).is_ok().then_some(url));
    }
    for url in urls {
        let db = Database::<Pg>::connect(&url)?;
        for (statement, kind, sqlstate) in [
            ("INSERT INTO parents VALUES (1, 'b', 1)", ErrorKind::UniqueViolation, "23505"),
            ("UPDATE parents SET word = NULL", ErrorKind::NotNullViolation, "23502"),
            ("INSERT INTO children VALUES (2, 9)", ErrorKind::ForeignKeyViolation, "23503"),
            ("DELETE FROM parents", ErrorKind::ForeignKeyViolation, "23503"),
            ("INSERT INTO parents VALUES (2, 'b', 0)", ErrorKind::CheckViolation, "23514"),
            ("SELECT * FROM nothing", ErrorKind::UndefinedTable, "42P01"),
            ("SELECT nothing", ErrorKind::UndefinedColumn, "42703"),
            ("SELEC 1", ErrorKind::Database, "42601"),
            ("SELECT 1 / 0", ErrorKind::Database, "22012"),
        ] {
            assert_eq!(told(run(&db, statement)), state(kind, sqlstate), "{statement}");
            assert_eq!(told(db.batch_execute(statement)), state(kind, sqlstate), "{statement}");
        }
        let answer = db.transaction(|tx| {
            tx.batch_execute("SET TRANSACTION READ ONLY")?;
            tx.batch_execute("DELETE FROM children")
        });
        assert_eq!(told(answer), state(ErrorKind::ReadOnly, "25006"));
    }
    assert_eq!(bed.number("SELECT count(*) FROM parents"), 1);
    Ok(())
}

/// The words are the server's own business: every state has its kind in any language.
fn kinds_need_no_language(bed: &Bed) -> TestResult {
    let db = Database::<Pg>::connect(bed.url())?;
    for (sqlstate, kind) in [
        ("23505", ErrorKind::UniqueViolation),
        ("23503", ErrorKind::ForeignKeyViolation),
        ("23502", ErrorKind::NotNullViolation),
        ("23514", ErrorKind::CheckViolation),
        ("40001", ErrorKind::SerializationFailure),
        ("40P01", ErrorKind::SerializationFailure),
        ("25006", ErrorKind::ReadOnly),
        ("55P03", ErrorKind::LockTimeout),
        ("57014", ErrorKind::Cancelled),
        ("25P02", ErrorKind::TransactionAborted),
        ("42P01", ErrorKind::UndefinedTable),
        ("42703", ErrorKind::UndefinedColumn),
        ("42P07", ErrorKind::DuplicateTable),
        ("ZZ999", ErrorKind::Database),
    ] {
        // With words that would mislead whoever reads them.
        let message = "deadlock detected: Übertragung abgebrochen; database is locked; (SQLSTATE 23505)";
        for detail in ["", ", DETAIL = 'error 1213, SQLSTATE 40001'"] {
            let raise = format!(
                "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{sqlstate}', MESSAGE = '{message}'{detail}; END $$"
            );
            assert_eq!(told(run(&db, &raise)), state(kind, sqlstate), "{raise}");
        }
    }
    let error = Number::objects(&db).load().expect_err("there is no such table");
    assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::UndefinedTable, Some("42P01")), "of a queryset, too");
    let error = Database::<Pg>::connect("postgres://127.0.0.1:1/db").expect_err("there is no server");
    assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::Connection, None));
    Ok(())
}

fn serialization_failures(bed: &Bed) -> TestResult {
    bed.execute(TABLES);
    let db = Database::<Pg>::connect(bed.url())?;
    let answer = db.transaction(|tx| {
        tx.batch_execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT * FROM parents")?;
        bed.execute("UPDATE parents SET amount = 5");
        tx.batch_execute("UPDATE parents SET amount = amount + 1")
    });
    assert_eq!(told(answer), state(ErrorKind::SerializationFailure, "40001"));
    assert_eq!(bed.number("SELECT amount FROM parents"), 5);
    // One that is found out by COMMIT alone.
    let answer = db.transaction(|tx| {
        tx.batch_execute(
            "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; INSERT INTO children SELECT count(*) + 100, 1 FROM children",
        )?;
        let mut other = PgConnection::establish(bed.url())?;
        other.batch_execute(
            "BEGIN ISOLATION LEVEL SERIALIZABLE; INSERT INTO children SELECT count(*) + 200, 1 FROM children; COMMIT",
        )?;
        Ok::<_, Box<dyn std::error::Error>>(())
    });
    let error = answer.expect_err("one of the two has to go");
    let error = error.downcast_ref::<orm_core::Error>().ok_or("it is ours")?;
    assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::SerializationFailure, Some("40001")), "{error:?}");
    assert_eq!(bed.number("SELECT count(*) FROM children WHERE id > 1"), 1);
    // The pool's connection is as good as before.
    assert_eq!(scalar(&db, "42::bigint")?, 42);
    Ok(())
}

fn deadlocks(bed: &Bed) -> TestResult {
    bed.execute("CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 0), (2, 0)");
    let db = Database::<Pg>::connect(bed.url())?;
    let other = &mut PgConnection::establish(bed.url())?;
    // It waits for ever before it looks for a deadlock, so that it is the other one that is ended.
    other.batch_execute("SET deadlock_timeout = '1h'; BEGIN; UPDATE t SET v = 1 WHERE id = 2")?;
    let answer = db.transaction(|tx| {
        tx.batch_execute("SET LOCAL deadlock_timeout = '10ms'; UPDATE t SET v = 2 WHERE id = 1")?;
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| other.batch_execute("UPDATE t SET v = 1 WHERE id = 1; COMMIT"));
            while bed.number("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation IS NULL") == 0 {
                std::thread::sleep(Duration::from_millis(5));
            }
            let answer = tx.batch_execute("UPDATE t SET v = 2 WHERE id = 2");
            // The one that fails gives its locks up at once.
            waiting.join().expect("it does not panic").expect("it has what it waited for");
            answer
        })
    });
    assert_eq!(told(answer), state(ErrorKind::SerializationFailure, "40P01"));
    assert_eq!(bed.number("SELECT sum(v) FROM t"), 2);
    Ok(())
}

fn lock_timeouts(bed: &Bed) -> TestResult {
    bed.execute(TABLES);
    let holder = &mut PgConnection::establish(bed.url())?;
    holder.batch_execute("BEGIN; UPDATE parents SET amount = 2; LOCK TABLE children")?;
    let db = Database::<Pg>::builder().lock_timeout(Duration::from_millis(50)).connect(bed.url())?;
    for statement in [
        "UPDATE parents SET amount = 3",
        "SELECT * FROM children",
        "SELECT * FROM parents FOR UPDATE NOWAIT",
        "LOCK TABLE children NOWAIT",
    ] {
        assert_eq!(told(run(&db, statement)), state(ErrorKind::LockTimeout, "55P03"), "{statement}");
    }
    Ok(())
}

fn statement_timeouts(bed: &Bed) -> TestResult {
    let db = Database::<Pg>::builder().pool_size(1).statement_timeout(Duration::from_millis(60)).connect(bed.url())?;
    let pid = scalar(&db, "pg_backend_pid()::bigint")?;
    let timeout = state(ErrorKind::StatementTimeout, "57014");
    assert_eq!(told(run(&db, "SELECT pg_sleep(60)")), timeout);
    assert_eq!(told(db.batch_execute("SELECT 1; SELECT pg_sleep(60)")), timeout);
    // While rows come.
    assert_eq!(told(run(&db, "SELECT repeat('x', 1000) FROM generate_series(1, 1000000000)")), timeout);
    assert_eq!(scalar(&db, "pg_backend_pid()::bigint")?, pid, "the connection is as good as before");
    Ok(())
}

/// Waits until this backend sleeps, and then asks the server for something.
fn once_it_sleeps(bed: &Bed, pid: i64, ask: &str) {
    let sleeps = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid} AND wait_event = 'PgSleep'");
    while bed.number(&sleeps) == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(bed.texts(&format!("SELECT {ask}({pid})")), [Some("true".to_owned())]);
}

fn pid_of(connection: &mut PgConnection) -> QueryResult<i64> {
    sql::<BigInt>("SELECT pg_backend_pid()::bigint").get_result(connection)
}

fn cancelled(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    let pid = scalar(&db, "pg_backend_pid()::bigint")?;
    for statement in ["SELECT pg_sleep(60)", "SELECT n, pg_sleep(n - 1) FROM generate_series(1, 60) AS n"] {
        let answer = std::thread::scope(|scope| {
            scope.spawn(|| once_it_sleeps(bed, pid, "pg_cancel_backend"));
            run(&db, statement)
        });
        assert_eq!(told(answer), state(ErrorKind::Cancelled, "57014"));
    }
    assert_eq!(scalar(&db, "pg_backend_pid()::bigint")?, pid);
    Ok(())
}

/// Whatever is asked of it, it says that it is lost.
fn is_lost(connection: &mut PgConnection) -> TestResult {
    assert!(connection.is_broken());
    for _ in 0..2 {
        let answers = [
            sql_query("SELECT 1").execute(connection),
            connection.batch_execute("ROLLBACK").map(|()| 0),
            sql::<Integer>("SELECT 1").load::<i32>(connection).map(|rows| rows.len()),
            connection.ping().map(|()| 0),
        ];
        for answer in answers {
            assert!(
                matches!(answer, Err(DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, _))),
                "{answer:?}"
            );
        }
    }
    let transaction = connection.transaction(|_| Ok::<_, DieselError>(()));
    assert!(matches!(transaction, Err(DieselError::BrokenTransactionManager)), "{transaction:?}");
    Ok(())
}

fn killed(bed: &Bed) -> TestResult {
    // While it waits for an answer, between statements, and in a transaction.
    let connection = &mut PgConnection::establish(bed.url())?;
    let pid = pid_of(connection)?;
    let answer = std::thread::scope(|scope| {
        scope.spawn(|| once_it_sleeps(bed, pid, "pg_terminate_backend"));
        sql_query("SELECT pg_sleep(60)").execute(connection)
    });
    let Err(DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, information)) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(information.details(), Some("SQLSTATE 57P01"), "{information:?}");
    is_lost(connection)?;
    let connection = &mut PgConnection::establish(bed.url())?;
    bed.execute(&format!("SELECT pg_terminate_backend({}, 5000)", pid_of(connection)?));
    let answer = sql_query("SELECT 1").execute(connection);
    assert!(matches!(answer, Err(DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, _))), "{answer:?}");
    is_lost(connection)?;
    bed.execute("CREATE TABLE t (id INT)");
    let connection = &mut PgConnection::establish(bed.url())?;
    let answer = connection.transaction(|connection| {
        connection.batch_execute("INSERT INTO t VALUES (1)")?;
        bed.execute(&format!("SELECT pg_terminate_backend({}, 5000)", pid_of(connection)?));
        let inner = connection.batch_execute("INSERT INTO t VALUES (2)");
        assert!(matches!(inner, Err(DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, _))), "{inner:?}");
        Ok::<_, DieselError>(())
    });
    assert!(answer.is_err(), "though the error was passed over");
    is_lost(connection)?;
    assert_eq!(bed.number("SELECT count(*) FROM t"), 0);
    let db = one_connection(bed.url())?;
    let answer = db.transaction(|tx| {
        tx.with_connection(|connection| {
            bed.execute(&format!("SELECT pg_terminate_backend({}, 5000)", pid_of(connection)?));
            sql_query("SELECT 1").execute(connection)
        })
    });
    assert_eq!(answer.map_err(|error| error.kind()), Err(ErrorKind::ConnectionLost));
    Ok(())
}

fn a_failed_transaction(bed: &Bed) -> TestResult {
    let connection = &mut PgConnection::establish(bed.url())?;
    connection.batch_execute("BEGIN")?;
    assert!(connection.batch_execute("SELECT 1 / 0").is_err());
    for answer in [sql_query("SELECT 1").execute(connection), connection.batch_execute("SELECT 1").map(|()| 0)] {
        let Err(DieselError::DatabaseError(DatabaseErrorKind::Unknown, information)) = answer else {
            panic!("{answer:?}");
        };
        assert_eq!(information.details(), Some("SQLSTATE 25P02"));
    }
    connection.batch_execute("ROLLBACK")?;
    assert!(is_usable(connection));
    // Without Diesel's transaction to say so first.
    let db = one_connection(bed.url())?;
    let error = db.batch_execute("BEGIN; DO 'BEGIN PERFORM 1 / 0; EXCEPTION WHEN OTHERS THEN NULL; END'; SELECT 1 / 0");
    assert_eq!(told(error), state(ErrorKind::Database, "22012"));
    let answer = db.transaction(|tx| {
        tx.with_connection(|connection| {
            let _ = connection.batch_execute("SELECT 1 / 0");
            sql::<Bool>("SELECT true").get_result::<bool>(connection)
        })
    });
    assert_eq!(told(answer), state(ErrorKind::TransactionAborted, "25P02"));
    Ok(())
}

fn not_connected(bed: &Bed) -> TestResult {
    use diesel::ConnectionError::{BadConnection, InvalidConnectionUrl};
    let (server, _) = bed.url().rsplit_once('/').ok_or("a URL has slashes")?;
    for (url, is_the_urls_fault, part) in [
        ("postgres://me@127.0.0.1:1/db".to_owned(), false, "127.0.0.1:1"),
        (format!("{server}/nothing_of_this_name"), false, "nothing_of_this_name"),
        (bed.url_with("nothing=1"), true, "nothing"),
        ("sqlite://file".to_owned(), true, "postgres"),
    ] {
        match (PgConnection::establish(&url).map(drop), is_the_urls_fault) {
            (Err(BadConnection(text)), false) | (Err(InvalidConnectionUrl(text)), true) => {
                assert!(text.contains(part), "{text}");
            }
            other => panic!("{part}: {other:?}"),
        }
    }
    Ok(())
}

/// What was bound to a statement is in no error, no log, and nothing that `Debug` shows, unless the server quotes it.
fn no_bound_value_is_told(bed: &Bed) -> TestResult {
    const SECRET: &str = "a v3ry s3cr3t value";
    logs::keep();
    let password = bed.url().split('@').next().and_then(|front| front.rsplit(':').next()).unwrap_or_default();
    let db = Database::<Pg>::builder().pool_size(1).connect(bed.url())?;
    let mut shown = Vec::new();
    wide_view(bed, 10_000_000_000);
    let of_secret = || Number::objects(&db).filter(|n| n.name.ne(SECRET));
    shown.push(format!("{:?}", of_secret()));
    let pid = scalar(&db, "pg_backend_pid()::bigint")?;
    let mut rows = of_secret().try_iterator(5)?;
    rows.next();
    shown.push(format!("{rows:?}"));
    bed.execute(&format!("SELECT pg_terminate_backend({pid}, 5000)"));
    shown.push(format!("{:#?}", rows.find_map(Result::err).expect("it was killed")));
    drop(rows);
    drop(of_secret().iterator(5)?);
    let mut connection = db.connection()?;
    shown.push(format!("{:?}", *connection));
    let refused = sql_query("SELECT 1 FROM nothing WHERE a = $1").bind::<Text, _>(SECRET).execute(&mut *connection);
    shown.push(format!("{:?}", refused.expect_err("there is no such table")));
    let refused = sql_query("SELECT $1, $2").bind::<Text, _>(SECRET).execute(&mut *connection);
    shown.push(format!("{:?}", refused.expect_err("a value is missing")));
    let refused = sql_query("SELECT $1").bind::<Text, _>(format!("{SECRET}\0")).execute(&mut *connection);
    shown.push(format!("{:?}", refused.expect_err("the server has no such character")));
    drop(connection);
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
