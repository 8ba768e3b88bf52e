//! A server that ends a session says why, and its reason is the error, with its SQLSTATE, in whatever the connection was doing: in
//! the clear, over TLS and over a Unix socket.

use std::{thread, time::Duration};

use diesel::{Connection, RunQueryDsl, sql_query};
use orm_core::{diesel, prelude::*};
use orm_tests::{
    TestResult, ok,
    rogue::{Rogue, error_response},
};

use super::{
    PgConnection,
    private::{ENCODED, server, socket_folder, url},
};
use crate::stream_postgres::scalar;

/// Rows that the server makes, so many that it cannot have sent all of them.
#[derive(Model, Debug)]
#[model(table = "reasons")]
struct Row {
    #[model(primary_key)]
    id: i64,
}

/// The rows that are written.
#[derive(Model, Clone, Debug)]
#[model(table = "reasons_written")]
struct Written {
    #[model(primary_key)]
    id: i64,
}

/// A URL for each kind of connection, with these settings of the session (`options`).
fn urls(settings: &str) -> [(&'static str, String); 3] {
    let options = format!("options={}", settings.replace(' ', "%20").replace('=', "%3D"));
    let folder = socket_folder().replace('/', "%2F");
    let socket =
        format!("postgres://scram:{ENCODED}@/postgres?host={folder}&port={}&{options}", super::private::port());
    [
        ("in the clear", url("scram", &format!("sslmode=disable&{options}"))),
        ("TLS", url("scram", &format!("sslmode=require&{options}"))),
        ("a Unix socket", socket),
    ]
}

fn set_up() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        server().execute("CREATE VIEW reasons AS SELECT id FROM generate_series(1::bigint, 1000000) AS id");
        server().execute("CREATE TABLE reasons_written (id BIGINT PRIMARY KEY)");
        server().execute("GRANT SELECT ON reasons TO PUBLIC; GRANT ALL ON reasons_written TO PUBLIC");
    });
}

fn connect(url: &str) -> orm_core::Result<Database<Pg>> {
    Database::<Pg>::builder().pool_size(1).test_on_checkout(false).connect(url)
}

const PID: &str = "pg_backend_pid()::bigint";

fn pid(connection: &mut PgConnection) -> i64 {
    diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(PID))
        .get_result(connection)
        .expect("every session has a process")
}

fn terminate(pid: i64) {
    server().execute(&format!("SELECT pg_terminate_backend({pid}, 10000)"));
}

#[track_caller]
fn is_reason(error: &orm_core::Error, sqlstate: &str, reason: &str, way: &str) {
    assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::ConnectionLost, Some(sqlstate)), "{way}: {error:?}");
    assert!(format!("{error:?}").contains(reason), "{way}: {error:?}");
}

const ADMINISTRATOR: &str = "terminating connection due to administrator command";

/// The reader of a stream in a transaction takes too long for a row; one of a pool may take as long as it likes.
#[test]
fn a_stream_that_is_idle_for_too_long() -> TestResult {
    set_up();
    for (way, url) in urls("-c idle_in_transaction_session_timeout=200") {
        for (taken, chunk) in [(1, 1), (150, 100), (5, 2_000)] {
            let db = connect(&url)?;
            let answer = db.transaction(|tx| {
                let mut rows = Row::objects(tx).try_iterator(chunk)?;
                assert_eq!(rows.by_ref().take(taken).filter(Result::is_ok).count(), taken);
                thread::sleep(Duration::from_millis(600));
                let error = rows.find_map(Result::err).expect("a stream is not complete without its end");
                is_reason(&error, "25P03", "idle-in-transaction timeout", way);
                assert!(rows.next().is_none());
                ok(())
            });
            assert!(answer.is_err());
        }
        let db = connect(&url)?;
        let mut rows = Row::objects(&db).try_iterator(2_000)?;
        assert_eq!(rows.by_ref().take(5).filter(Result::is_ok).count(), 5);
        thread::sleep(Duration::from_millis(600));
        assert_eq!(rows.filter(Result::is_ok).count(), 999_995, "{way}");
    }
    Ok(())
}

type Phase = fn(&Database<Pg>, &dyn Fn(i64)) -> orm_core::Result<()>;

fn pid_of(tx: &Transaction<Pg>) -> i64 {
    tx.with_connection(|connection| Ok(pid(connection))).expect("it is the connection's own")
}

/// What a connection is about to do, or in the middle of, when it is ended.
const PHASES: [(&str, Phase); 12] = [
    ("a statement that reads", |db, end| {
        end(scalar(db, PID).expect("it is idle"));
        Row::objects(db).filter(|r| r.id.lt(0)).count().map(drop)
    }),
    ("a stream that is opened", |db, end| {
        end(scalar(db, PID).expect("it is idle"));
        Row::objects(db).try_iterator(10).map(drop)
    }),
    ("a write", |db, end| {
        end(scalar(db, PID).expect("it is idle"));
        db.batch_execute("INSERT INTO reasons_written VALUES (1)")
    }),
    ("BEGIN", |db, end| {
        end(scalar(db, PID).expect("it is idle"));
        db.transaction(|_| ok(()))
    }),
    ("bulk_create", |db, end| {
        end(scalar(db, PID).expect("it is idle"));
        Written::bulk_create(db, (0..1_000).map(|id| Written { id })).map(drop)
    }),
    ("a statement in a transaction", |db, end| {
        db.transaction(|tx| {
            end(pid_of(tx));
            Written::create(tx, Written { id: 2 }).map(drop)
        })
    }),
    ("COPY in a transaction", |db, end| {
        db.transaction(|tx| {
            end(pid_of(tx));
            Written::bulk_create(tx, (0..1_000).map(|id| Written { id })).map(drop)
        })
    }),
    ("COMMIT", |db, end| {
        db.transaction(|tx| {
            Written::create(tx, Written { id: 3 })?;
            end(pid_of(tx));
            Ok(())
        })
    }),
    ("a stream in a transaction", |db, end| {
        db.transaction(|tx| {
            let mut rows = Row::objects(tx).try_iterator(10)?;
            assert!(rows.next().is_some_and(|row| row.is_ok()));
            end(pid_of(tx));
            rows.find_map(Result::err).map_or(Ok(()), Err)
        })
    }),
    ("COMMIT after a stream that was dropped", |db, end| {
        db.transaction(|tx| {
            Written::create(tx, Written { id: 4 })?;
            let id = pid_of(tx);
            let mut rows = Row::objects(tx).try_iterator(10)?;
            assert!(rows.next().is_some_and(|row| row.is_ok()));
            end(id);
            drop(rows);
            Ok(())
        })
    }),
    ("a statement after a stream that was dropped", |db, end| {
        db.transaction(|tx| {
            let id = pid_of(tx);
            let mut rows = Row::objects(tx).try_iterator(10)?;
            assert!(rows.next().is_some_and(|row| row.is_ok()));
            end(id);
            drop(rows);
            Written::create(tx, Written { id: 5 }).map(drop)
        })
    }),
    ("COMMIT after an error that nobody has looked at", |db, end| {
        db.transaction(|tx| {
            end(pid_of(tx));
            let _ = tx.batch_execute("SELECT 1");
            Ok(())
        })
    }),
];

#[test]
fn an_administrator_in_each_phase() -> TestResult {
    set_up();
    for (way, url) in urls("-c statement_timeout=0") {
        for (phase, run) in PHASES {
            let db = connect(&url)?;
            let error = run(&db, &terminate).expect_err(phase);
            is_reason(&error, "57P01", ADMINISTRATOR, &format!("{phase}, {way}"));
            assert_eq!(
                server().texts("SELECT id::text FROM reasons_written"),
                Vec::<Option<String>>::new(),
                "{phase}, {way}"
            );
            assert_eq!(
                Row::objects(&db).filter(|r| r.id.eq(7)).count()?,
                1,
                "{phase}, {way}: the pool makes another one"
            );
        }
    }
    Ok(())
}

/// A session that is idle for too long, and is then used.
#[test]
fn a_session_that_is_idle_for_too_long() -> TestResult {
    set_up();
    for (way, url) in urls("-c idle_session_timeout=200") {
        let db = connect(&url)?;
        let id = scalar(&db, PID)?;
        let sessions = format!("SELECT pid::text FROM pg_stat_activity WHERE pid = {id}");
        while !server().texts(&sessions).is_empty() {
            thread::sleep(Duration::from_millis(10));
        }
        let error = db.batch_execute("INSERT INTO reasons_written VALUES (1)").expect_err("it was closed");
        is_reason(&error, "57P05", "idle-session timeout", way);
    }
    Ok(())
}

/// What Diesel's programs hear, of statements and of what is asked after them.
#[test]
fn diesels_errors_keep_the_reason() -> TestResult {
    set_up();
    for (way, url) in urls("-c statement_timeout=0") {
        let mut connection = PgConnection::establish(&url)?;
        terminate(pid(&mut connection));
        for _ in 0..3 {
            let error = sql_query("SELECT 1").execute(&mut connection).expect_err("it is gone");
            let diesel::result::Error::DatabaseError(kind, information) = error else { panic!("{way}: {error:?}") };
            assert!(matches!(kind, diesel::result::DatabaseErrorKind::ClosedConnection), "{way}");
            assert!(information.message().contains(ADMINISTRATOR), "{way}: {}", information.message());
            assert!(information.details().is_some_and(|details| details.contains("SQLSTATE 57P01")), "{way}");
        }
    }
    Ok(())
}

/// Whatever its SQLSTATE is, a fatal error ends the connection.
#[test]
fn any_fatal_error_is_a_loss() -> TestResult {
    for sqlstate in ["08P01", "40001", "57P02", "57P03", "57P04", "53100", "XX000", "23505", "57014"] {
        let server = Rogue::new(move |client| {
            client.let_in()?;
            client.behave(&[b"hi"], &[(b'Q', error_response("FATAL", sqlstate, "a reason"))], true)
        });
        let db = connect(&server.postgres_url("sslmode=disable"))?;
        let error = db.batch_execute("SELECT 1 /* rogue */").expect_err("it is fatal");
        is_reason(&error, sqlstate, "a reason", sqlstate);
    }
    Ok(())
}
