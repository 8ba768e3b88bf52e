//! A server that ends a session says why, if it does, and its reason is the error in whatever the connection was doing: in the clear,
//! over TLS, compressed and over a Unix socket.

use std::{path::Path, sync::OnceLock, thread, time::Duration};

use diesel::{RunQueryDsl, dsl::sql, sql_types::BigInt};
use orm_core::{diesel, prelude::*};
use orm_tests::{
    TestResult,
    certificates::{Authority, HERE, Wanted},
    ok,
    private_server::PrivateServer,
    rogue::{Client, Rogue},
};

use crate::stream_mysql::scalar;

#[derive(Model, Clone, Debug)]
#[model(table = "reasons_written")]
struct Written {
    #[model(primary_key)]
    id: i64,
}

#[derive(Model, Debug)]
#[model(table = "reasons")]
struct Row {
    #[model(primary_key)]
    id: i64,
}

fn server() -> &'static PrivateServer {
    static SERVER: OnceLock<PrivateServer> = OnceLock::new();
    SERVER.get_or_init(|| {
        let authority = Authority::new();
        let identity = authority.identity(Wanted { name: "mariadb", hosts: HERE, expired: false });
        let option = |name: &str, path: &Path| format!("{name}={}", path.display());
        let options = [
            option("ssl-ca", &authority.file()),
            option("ssl-cert", &identity.certificate_file),
            option("ssl-key", &identity.key_file),
        ];
        let server = PrivateServer::mysql(&options.each_ref().map(String::as_str));
        server.execute("CREATE VIEW reasons AS SELECT seq AS id FROM seq_1_to_1000000000");
        server.execute("CREATE TABLE reasons_written (id BIGINT PRIMARY KEY)");
        server
    })
}

fn urls() -> [(&'static str, String); 4] {
    let url = server().url();
    let with = |option: String| format!("{url}{}{option}", if url.contains('?') { '&' } else { '?' });
    let socket = server().texts("SELECT @@socket").pop().flatten().expect("it has a socket").replace('/', "%2F");
    [
        ("in the clear", with("ssl_mode=disabled".into())),
        ("TLS", with("ssl_mode=required".into())),
        ("compressed", with("ssl_mode=disabled&compress=true".into())),
        ("a Unix socket", with(format!("unix_socket={socket}"))),
    ]
}

fn connect(url: &str) -> orm_core::Result<Database<Mysql>> {
    Database::<Mysql>::builder().pool_size(1).test_on_checkout(false).connect(url)
}

const ID: &str = "CAST(CONNECTION_ID() AS SIGNED)";

fn id_of(tx: &Transaction<Mysql>) -> i64 {
    tx.with_connection(|connection| diesel::select(sql::<BigInt>(ID)).get_result(connection))
        .expect("each has a number")
}

/// Ends a session, and waits until it is gone.
fn end(id: i64) {
    server().execute(&format!("KILL CONNECTION {id}"));
    let sessions = format!("SELECT CAST(ID AS CHAR(20)) FROM information_schema.PROCESSLIST WHERE ID = {id}");
    while !server().texts(&sessions).is_empty() {
        thread::sleep(Duration::from_millis(2));
    }
}

type Phase = fn(&Database<Mysql>) -> orm_core::Result<()>;

const PHASES: [(&str, Phase); 8] = [
    ("a statement that reads", |db| {
        end(scalar(db, ID).expect("it is idle"));
        Written::objects(db).count().map(drop)
    }),
    ("a stream that is opened", |db| {
        end(scalar(db, ID).expect("it is idle"));
        Row::objects(db).try_iterator(10).map(drop)
    }),
    ("the first statement of a transaction", |db| {
        end(scalar(db, ID).expect("it is idle"));
        db.transaction(|tx| Written::create(tx, Written { id: 1 }).map(drop))
    }),
    ("bulk_create", |db| {
        end(scalar(db, ID).expect("it is idle"));
        Written::bulk_create(db, (0..1_000).map(|id| Written { id })).map(drop)
    }),
    ("a statement in a transaction", |db| {
        db.transaction(|tx| {
            end(id_of(tx));
            Written::create(tx, Written { id: 2 }).map(drop)
        })
    }),
    ("a stream in a transaction", |db| {
        db.transaction(|tx| {
            let id = id_of(tx);
            let mut rows = Row::objects(tx).try_iterator(10)?;
            assert!(rows.next().is_some_and(|row| row.is_ok()));
            server().execute(&format!("KILL CONNECTION {id}"));
            rows.find_map(Result::err).map_or(Ok(()), Err)
        })
    }),
    ("COMMIT after an error that nobody has looked at", |db| {
        db.transaction(|tx| {
            end(id_of(tx));
            let _ = tx.batch_execute("SELECT 1");
            Ok(())
        })
    }),
    ("COMMIT after a stream that was dropped", |db| {
        db.transaction(|tx| {
            let id = id_of(tx);
            let mut rows = Row::objects(tx).try_iterator(10)?;
            assert!(rows.next().is_some_and(|row| row.is_ok()));
            server().execute(&format!("KILL CONNECTION {id}"));
            drop(rows);
            Ok(())
        })
    }),
];

#[test]
fn a_session_that_is_killed_in_each_phase() -> TestResult {
    for (way, url) in urls() {
        for (phase, run) in PHASES {
            let db = connect(&url)?;
            let error = run(&db).expect_err(phase);
            assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{phase}, {way}: {error:?}");
            assert_eq!(Written::objects(&db).count()?, 0, "{phase}, {way}: the pool makes another one");
        }
    }
    Ok(())
}

/// A server says so to whoever is idle, and does not wait for the next command.
#[test]
fn a_commit_of_a_session_that_is_killed() -> TestResult {
    for (way, url) in urls() {
        let db = connect(&url)?;
        let answer = db.transaction(|tx| {
            Written::create(tx, Written { id: 3 })?;
            end(id_of(tx));
            ok(())
        });
        let error = answer.expect_err("it is rolled back");
        // What is compressed cannot be looked at before it is waited for.
        let may_be_unknown = way == "compressed" && error.kind() == ErrorKind::OutcomeUnknown;
        assert!(error.kind() == ErrorKind::ConnectionLost || may_be_unknown, "{way}: {error:?}");
        assert_eq!(Written::objects(&db).count()?, 0, "{way}");
    }
    Ok(())
}

/// The server's last packet has a number of its own, or that of an answer.
#[test]
fn reasons_that_the_server_gives() -> TestResult {
    for (number, sqlstate, text) in [
        (1053_u16, "08S01", "Server shutdown in progress"),
        (1927, "70100", "Connection was killed"),
        (4031, "HY000", "The client was disconnected by the server because of inactivity"),
        (1184, "08S01", "Aborted connection"),
    ] {
        let word = [&[0xFF], &number.to_le_bytes()[..], b"#", sqlstate.as_bytes(), text.as_bytes()].concat();
        // Before anything is asked, and in answer to something.
        for is_early in [true, false] {
            let word = word.clone();
            let rogue = Rogue::new(move |client: &mut Client| {
                client.log_in(None)?;
                client.receive()?;
                // OK, and a transaction is open.
                client.send(&[0, 0, 0, 3, 0, 0, 0])?;
                if !is_early {
                    client.receive()?;
                }
                client.send(&word)
            });
            let db = connect(&rogue.url(""))?;
            db.transaction(|tx| {
                if is_early {
                    thread::sleep(Duration::from_millis(50));
                }
                for _ in 0..2 {
                    let error = tx.batch_execute("SELECT 1").expect_err("the server is gone");
                    let told = (error.kind(), error.sqlstate());
                    assert_eq!(told, (ErrorKind::ConnectionLost, Some(sqlstate)), "{number}: {error:?}");
                    assert!(format!("{error:?}").contains(text), "{number}: {error:?}");
                }
                ok(())
            })
            .map_err(|error| assert!(format!("{error:?}").contains(text), "{number}: {error:?}"))
            .expect_err("it is not committed");
        }
    }
    Ok(())
}
