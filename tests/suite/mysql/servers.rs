//! Servers of MySQL's protocol that crash, hang, are full, or have no patience; each test has one of its own.

use std::{process::Command, thread, time::Duration};

use diesel::{Connection, QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::BigInt};
use orm_core::{MysqlConnection, diesel, prelude::*};
use orm_tests::{TestResult, private_server::PrivateServer, proxy::Proxy};

use crate::stream_mysql::{one_connection, scalar};

/// A table that has no end.
#[derive(Model, Debug)]
#[model(table = "seq_1_to_1000000000000")]
struct Seq {
    #[model(primary_key)]
    seq: i64,
}

/// A row as wide as a page, for results that fit in no buffer on the way.
#[derive(QueryableByName, Debug)]
struct Wide {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = diesel::sql_types::Text)]
    #[allow(dead_code)]
    name: String,
}

const WIDE: &str =
    "CREATE VIEW numbers AS SELECT CAST(seq AS SIGNED) AS id, REPEAT('x', 10000) AS name FROM seq_1_to_5000";

fn signal(signal: &str, pid: u32) {
    let sent = Command::new("kill").args([signal, &pid.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "the process cannot be signalled");
}

/// The URL of the server for an account that is the same on each.
fn account(server: &PrivateServer) -> String {
    server.execute("CREATE USER crash IDENTIFIED BY 'word'; GRANT ALL ON *.* TO crash");
    let (_, rest) = server.url().split_once('@').expect("the URL names a user");
    format!("mysql://crash:word@{rest}")
}

/// A crash is an error and no end, and the pool goes on as soon as there is a server again.
#[test]
fn server_crash() -> TestResult {
    let first = PrivateServer::mysql(&[]);
    let proxy = Proxy::to(&account(&first));
    let db = one_connection(proxy.url())?;
    let mut rows = Seq::objects(&db).try_iterator(50)?;
    assert_eq!(rows.next().transpose()?.map(|row| row.seq), Some(1));
    signal("-KILL", first.pid());
    let error = rows.find_map(Result::err).expect("the server is gone");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error:?}");
    assert!(rows.next().is_none());
    drop(rows);
    drop(first);
    let impatient = Database::<Mysql>::builder().checkout_timeout(Duration::from_millis(300));
    assert!(impatient.connect(proxy.url()).is_err(), "there is no server");

    // Whoever waits for it has the new one.
    let waiting = thread::spawn({
        let db = db.clone();
        move || scalar(&db, "42").map_err(|error| error.to_string())
    });
    let second = PrivateServer::mysql(&[]);
    account(&second);
    proxy.redirect(second.url());
    assert_eq!(waiting.join().expect("it does not panic")?, 42);
    assert_eq!(Seq::objects(&db).iterator(50)?.take(500).count(), 500);
    Ok(())
}

/// A server that hangs is waited for as long as the URL says, by a reader and by whoever drops a stream.
#[test]
fn hung_server() -> TestResult {
    let server = PrivateServer::mysql(&[]);
    server.execute(WIDE);
    let pid = server.pid();
    let built = || Database::<Mysql>::builder().pool_size(1).connect_timeout(Duration::from_millis(700));
    let read_timeout = format!("{}?read_timeout=0.5", server.url());
    let reads = built().connect(&read_timeout)?;
    // The limit for connecting is also the one for ending a stream.
    let drops = built().connect(server.url())?;
    // And for the question whether an idle connection is still there.
    let idle = built().checkout_timeout(Duration::from_secs(2)).connect(server.url())?;
    assert_eq!(scalar(&idle, "42")?, 42);
    let mut read = Seq::objects(&reads).try_iterator(50)?;
    let mut dropped = Seq::objects(&drops).try_iterator(50)?;
    assert!(read.next().is_some() && dropped.next().is_some());
    signal("-STOP", pid);
    let error = read.find_map(Result::err);
    drop(dropped);
    let connecting = MysqlConnection::establish(&format!("{}?connect_timeout=0.3", server.url()));
    let checked_out = Seq::objects(&idle).count().map_err(|error| error.kind());
    signal("-CONT", pid);
    assert_eq!(checked_out, Err(ErrorKind::Connection));
    let error = error.expect("it says nothing");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error:?}");
    assert!(format!("{error:?}").contains("in time"), "{error:?}");
    assert!(connecting.is_err());
    assert!(read.next().is_none());
    drop(read);
    for db in [reads, drops, idle] {
        // Patience with a machine that wakes up.
        let answer = (0..20).find_map(|_| scalar(&db, "42").ok());
        assert_eq!(answer, Some(42), "the pool goes on");
    }
    Ok(())
}

/// A server without patience gives up a reader that takes its time; a stream asks it for patience. Rows that Diesel
/// reads itself break as they would with any other client, which shows that the pause is long enough.
#[test]
fn slow_consumer() -> TestResult {
    let server = PrivateServer::mysql(&["net-write-timeout=2"]);
    server.execute(WIDE);
    let pause = Duration::from_secs(6);
    let plain = thread::spawn({
        let url = server.url().to_owned();
        move || -> Result<(), String> {
            let mut connection = MysqlConnection::establish(&url).map_err(|error| error.to_string())?;
            let rows = sql_query("SELECT id, name FROM numbers").load_iter::<Wide, _>(&mut connection);
            for row in rows.map_err(|error| error.to_string())? {
                if row.map_err(|error| error.to_string())?.id == 10 {
                    thread::sleep(pause);
                }
            }
            Ok(())
        }
    });
    let db = one_connection(server.url())?;
    let mut expected = 1..=5_000;
    for row in crate::models::Number::objects(&db).iterator(5)? {
        assert_eq!(Some(row.id), expected.next());
        if row.id == 10 {
            thread::sleep(pause);
        }
    }
    assert_eq!(expected.next(), None, "every row has come");
    assert_eq!(scalar(&db, "@@SESSION.net_write_timeout")?, 2);
    let error = plain.join().expect("it does not panic").expect_err("the server gave it up");
    assert!(error.contains("lost") || error.contains("closed"), "{error}");
    Ok(())
}

/// A server that takes no more connections: who drops a stream gives its connection up, and the pool goes on with the
/// place that this left.
#[test]
fn a_full_server() -> TestResult {
    let server = PrivateServer::mysql(&["max-connections=10"]);
    let url = {
        server.execute("CREATE USER plain IDENTIFIED BY 'word'; GRANT SELECT ON *.* TO plain");
        let (_, rest) = server.url().split_once('@').expect("the URL names a user");
        format!("mysql://plain:word@{rest}")
    };
    let db = one_connection(&url)?;
    let mut rows = Seq::objects(&db).try_iterator(50)?;
    assert!(rows.next().is_some_and(|row| row.is_ok()));
    let mut others = Vec::new();
    let refused = loop {
        match MysqlConnection::establish(&url) {
            Ok(mut connection) => {
                connection.batch_execute("DO 1")?;
                others.push(connection);
            }
            Err(error) => break error.to_string(),
        }
        assert!(others.len() < 20, "it is never full");
    };
    assert!(refused.contains("no room for another connection"), "{refused}");
    let error = orm_core::connect(&url).map(|_| ()).expect_err("it is full");
    assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
    drop(rows);
    assert_eq!(scalar(&db, "42")?, 42, "its place is free again");
    Ok(())
}
