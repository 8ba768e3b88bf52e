//! Servers of PostgreSQL's protocol that want to do harm, or are broken: an error each time, in bounded memory, and no
//! wrong row.

use std::{process::Command, sync::Arc};

use diesel::{
    Connection, QueryResult, RunQueryDsl, connection::SimpleConnection, result::Error as DieselError, sql_query,
};
use orm_core::{diesel, prelude::*};
use orm_tests::{
    TestResult, random,
    rogue::{Instead, OID_OF_TEXT, Rogue, data_row, error_response, message, row_description, stream_begun},
};
use proptest::{prelude::*, test_runner::TestRunner};

use super::PgConnection;

/// The rows of a query on a rogue's connection.
#[derive(diesel::QueryableByName, Debug, PartialEq)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::Text)]
    a: String,
}

/// What a stream reads from it.
#[derive(Model, Debug)]
#[model(table = "rogue")]
struct Streamed {
    #[model(primary_key)]
    a: String,
}

/// A server that lets everybody in, and says something else than a server does where it is asked for `rogue`.
fn rogue(instead: Vec<Instead>, ends: bool) -> Rogue {
    Rogue::new(move |client| {
        client.let_in()?;
        client.behave(&[b"hi"], &instead, ends)
    })
}

/// What has no end is seen by its time.
const IN_TIME: &str = "connect_timeout=10&read_timeout=3";

fn connect(rogue: &Rogue) -> PgConnection {
    PgConnection::establish(&rogue.postgres_url(IN_TIME)).expect("it lets everybody in")
}

type Way = fn(&mut PgConnection) -> QueryResult<usize>;

/// The ways in which a connection runs a statement.
const WAYS: [(&str, Way); 3] = [
    ("read", |connection| sql_query("SELECT rogue").load::<Row>(connection).map(|rows| rows.len())),
    ("executed", |connection| sql_query("SELECT rogue").execute(connection)),
    ("in text", |connection| connection.batch_execute("SELECT rogue").map(|()| 1)),
];

/// The first rows of a stream: a server may have as many as it likes.
fn streamed(url: &str) -> orm_core::Result<Vec<String>> {
    let db = Database::<Pg>::builder().pool_size(1).test_on_checkout(false).connect(url)?;
    let rows = Streamed::objects(&db).try_iterator(2)?;
    rows.take(1_000).map(|row| row.map(|row| row.a)).collect()
}

#[test]
fn a_rogue_that_behaves_is_a_server() -> TestResult {
    let server = rogue(vec![], false);
    let mut connection = connect(&server);
    for _ in 0..2 {
        let rows: Vec<Row> = sql_query("SELECT rogue").load(&mut connection)?;
        assert_eq!(rows, [Row { a: "hi".to_owned() }]);
        for (name, way) in WAYS {
            assert_eq!(way(&mut connection), Ok(1), "{name}");
        }
    }
    assert_eq!(streamed(&server.postgres_url(IN_TIME))?, ["hi"]);
    Ok(())
}

/// A message of which nothing but the header is right.
fn headless(kind: u8, length: i32, rest: &[u8]) -> Vec<u8> {
    [&[kind], &length.to_be_bytes()[..], rest].concat()
}

fn values(count: u16, body: &[u8]) -> Vec<u8> {
    message(b'D', &[&count.to_be_bytes()[..], body].concat())
}

fn done() -> Vec<u8> {
    message(b'C', b"SELECT 1\0")
}

fn ready() -> Vec<u8> {
    message(b'Z', b"I")
}

/// What no server says when it executes a statement.
fn wrong_rows() -> Vec<(&'static str, Vec<u8>)> {
    let with = |wrong: Vec<u8>| [wrong, done()].concat();
    let minus = |length: i32| values(1, &length.to_be_bytes());
    vec![
        ("a row without a count", with(message(b'D', b""))),
        ("a row with half a count", with(message(b'D', b"\0"))),
        ("a row of no columns", with(values(0, b""))),
        ("a row of more columns", with(data_row(&[Some(b"a"), Some(b"b")]))),
        ("a row of very many columns", with(values(u16::MAX, &[0xFF; 100]))),
        ("a row that lacks a value", with(values(1, b""))),
        ("a row that lacks half a length", with(values(1, b"\0\0"))),
        ("a value of length -2", with(minus(-2))),
        ("a value of the least length", with(minus(i32::MIN))),
        ("a value of the greatest length", with(minus(i32::MAX))),
        ("a value that is longer than its row", with(values(1, b"\0\0\0\x09ab"))),
        ("a value that is shorter than its row", with(values(1, b"\0\0\0\x01ab"))),
        ("a message of length 0", headless(b'D', 0, &[0; 20])),
        ("a message of length 3", headless(b'D', 3, &[0; 20])),
        ("a message of length -1", headless(b'D', -1, &[0; 20])),
        ("a message of the least length", headless(b'D', i32::MIN, &[0; 20])),
        ("an end of the least length", headless(b'C', i32::MIN, &[0; 20])),
        ("an end of the greatest length", headless(b'C', i32::MAX, &[0; 20])),
        ("an unknown message", with(message(b'~', b"hello"))),
        ("a message of kind 0", with(message(0, b""))),
        ("text of another protocol", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        ("a request for COPY's data", with(message(b'G', &[0, 0, 0]))),
        ("data of COPY's", with(message(b'H', &[0, 0, 0]))),
        ("COPY in both directions", with(message(b'W', &[0, 0, 0]))),
        ("COPY's data out of nowhere", with(message(b'd', b"secret"))),
        ("COPY's end out of nowhere", with(message(b'c', b""))),
        ("a request to log in", with(message(b'R', &[0, 0, 0, 3]))),
        ("a key", with(message(b'K', &[0; 8]))),
        ("a parse that is complete", with(message(b'1', b""))),
        ("a bind that is complete", with(message(b'2', b""))),
        ("a close that is complete", with(message(b'3', b""))),
        ("no data", with(message(b'n', b""))),
        ("parameters", with(message(b't', &[0, 0]))),
        ("another description", [row_description(2, OID_OF_TEXT), data_row(&[Some(b"a"), None]), done()].concat()),
        ("readiness alone", ready()),
        ("readiness of an unknown state", [done(), message(b'Z', b"X")].concat()),
        ("readiness of no state", [done(), message(b'Z', b"")].concat()),
        ("an empty error", message(b'E', b"")),
        ("an error without an end", message(b'E', b"SERROR\0C12345\0M")),
        ("a setting without a value", with(message(b'S', b"name\0"))),
        ("a setting without an end", with(message(b'S', b"name"))),
        ("two ends", [done(), done()].concat()),
        ("rows behind the end", [done(), data_row(&[Some(b"late")])].concat()),
        ("an end behind an error", [error_response("ERROR", "42601", "no"), done()].concat()),
    ]
}

/// Each of them, and what is asked of the connection after it, is an error, and not because its time is over.
#[test]
fn what_no_server_says_about_rows() {
    let mut accepted = Vec::new();
    for (what, bytes) in wrong_rows() {
        for (name, way) in WAYS {
            // A batch is described by its rows.
            let of_text = [row_description(1, OID_OF_TEXT), bytes.clone(), ready()].concat();
            let server = rogue(vec![(b'E', bytes.clone()), (b'Q', of_text)], false);
            match way(&mut connect(&server)) {
                Err(error) if error.to_string().contains("in time") => {
                    accepted.push(format!("{what}, {name}: {error}"));
                }
                Err(_) => {}
                // Whatever is thrown away in any case is not looked at, so that a batch may have it anywhere.
                Ok(_) if name == "in text" && !what.contains("message") && !what.contains("readiness") => {}
                Ok(rows) => accepted.push(format!("{what}, {name}: {rows} rows")),
            }
        }
        // A stream whose end has come is whole, whatever is said behind it.
        if bytes.starts_with(&done()) {
            continue;
        }
        let server = rogue(vec![(b'E', bytes)], false);
        match streamed(&server.postgres_url(IN_TIME)) {
            Err(error) if !format!("{error:?}").contains("in time") => {}
            other => accepted.push(format!("{what}, streamed: {other:?}")),
        }
    }
    assert!(accepted.is_empty(), "{accepted:#?}");
}

/// What no server says when it prepares, describes and binds a statement, or is in the place of its readiness.
#[test]
fn what_no_server_says_about_statements() {
    let mut accepted = Vec::new();
    let description = |count: u16, body: &[u8]| message(b'T', &[&count.to_be_bytes()[..], body].concat());
    for (kind, what, bytes) in [
        (b'P', "a bind in the place of a parse", message(b'2', b"")),
        (b'P', "an end in the place of a parse", done()),
        (b'P', "a row in the place of a parse", data_row(&[Some(b"a")])),
        (b'P', "a parse of length 0", headless(b'1', 0, b"")),
        (b'P', "a parse of the greatest length", headless(b'1', i32::MAX, b"")),
        (b'B', "a parse in the place of a bind", message(b'1', b"")),
        (b'B', "a suspended portal in the place of a bind", message(b's', b"")),
        (
            b'D',
            "a description of columns that there are not",
            description(2, b"a\0\0\0\0\0\0\0\0\0\0\x19\0\0\0\0\0\0\0\0"),
        ),
        (b'D', "a description of very many columns", description(u16::MAX, b"")),
        (b'D', "a description without a count", message(b'T', b"")),
        (b'D', "a description whose name does not end", description(1, b"aaaa")),
        (b'D', "a description that is half there", description(1, b"a\0\0\0\0\0")),
        (b'D', "a type of number 0", row_description(1, 0)),
        (b'D', "rows in the place of a description", data_row(&[Some(b"a")])),
        (b'E', "a suspended portal, where no number of rows was asked for", message(b's', b"")),
        (b'S', "a row in the place of readiness", data_row(&[Some(b"a")])),
        (b'S', "two readinesses of which one is not known", message(b'Z', b"?")),
    ] {
        for (name, way) in &WAYS[..2] {
            let server = rogue(vec![(kind, bytes.clone())], false);
            match way(&mut connect(&server)) {
                Err(error) if !error.to_string().contains("in time") => {}
                other => accepted.push(format!("{what}, {name}: {other:?}")),
            }
        }
        // A stream's rows are whole before readiness is waited for.
        if kind != b'S' {
            let server = rogue(vec![(kind, bytes)], false);
            match streamed(&server.postgres_url(IN_TIME)) {
                Err(error) if !format!("{error:?}").contains("in time") => {}
                other => accepted.push(format!("{what}, streamed: {other:?}")),
            }
        }
    }
    assert!(accepted.is_empty(), "{accepted:#?}");
}

/// Where readiness should be is an error, alone or with readiness behind it: it is told, or the connection is given up.
#[test]
fn an_error_in_the_place_of_readiness() {
    for (severity, behind) in [("ERROR", ready()), ("ERROR", vec![]), ("FATAL", vec![])] {
        for (name, way) in &WAYS[..2] {
            let ends = behind.is_empty();
            let late = [error_response(severity, "57P01", "too late"), behind.clone()].concat();
            let server = rogue(vec![(b'S', late)], ends);
            let mut connection = connect(&server);
            let first = way(&mut connection);
            let second = connection.batch_execute("SELECT 1");
            assert!(first.is_err() || second.is_err(), "{name}, {severity}: {first:?}, {second:?}");
            assert!(first.is_err(), "{name}, {severity}: rows of a statement whose end was an error: {first:?}");
        }
    }
}

/// After what it cannot understand, nothing more is sent to such a server.
#[test]
fn a_connection_that_lost_its_place_is_given_up() {
    for bytes in [message(b'~', b""), headless(b'D', -1, b""), values(1, b"\0\0\0\x09ab"), message(b'G', &[0, 0, 0])] {
        let server = rogue(vec![(b'E', bytes.clone())], false);
        let mut connection = connect(&server);
        assert!(sql_query("SELECT rogue").load::<Row>(&mut connection).is_err());
        if bytes[0] == b'G' {
            continue; // COPY can be refused, and the connection goes on
        }
        let before = server.heard().len();
        let error = connection.batch_execute("SELECT 1").expect_err("it is lost");
        assert!(matches!(error, DieselError::DatabaseError(diesel::result::DatabaseErrorKind::ClosedConnection, _)));
        assert!(!server.has_heard("SELECT 1") && server.heard().len() == before, "{bytes:?}");
    }
}

/// 2 GiB are promised, and a process that may have far less reads them: it has to fail by itself, not by its memory.
#[test]
fn no_memory_for_promises() -> TestResult {
    let greatest = i32::MAX.to_be_bytes();
    for bytes in [
        headless(b'D', i32::MAX, &[0, 2, 0, 0, 0, 1, b'a']),
        [&values(1, b"")[..1], &greatest, &[0, 1], &greatest].concat(),
        headless(b'T', i32::MAX, &[0xFF, 0xFF]),
        headless(b'E', i32::MAX, b"SERROR\0"),
        headless(b'N', i32::MAX, b""),
        message(b'T', &[0x7F; 2]),
    ] {
        // The probe asks for the table `numbers`.
        let sent = bytes.clone();
        let server = Rogue::new(move |client| {
            client.let_in()?;
            let mut state = *b"I";
            loop {
                let (kind, body) = client.hear()?;
                if body.windows(5).any(|part| part == b"BEGIN") {
                    state = *b"T";
                }
                let asked = body.windows(7).any(|part| part == b"numbers");
                match kind {
                    b'Q' if state == *b"T" => client.raw(&stream_begun(false, "0"))?,
                    b'Q' if !asked => client.raw(&[message(b'C', b"SET\0"), message(b'Z', &state)].concat())?,
                    b'P' if asked => {
                        client.raw(&[message(b'1', b""), sent.clone()].concat())?;
                        return Ok(());
                    }
                    b'P' => client.say(b'1', b"")?,
                    b'B' => client.say(b'2', b"")?,
                    b'D' => client.say(b'n', b"")?,
                    b'E' => client.say(b'C', b"SET\0")?,
                    b'S' => client.say(b'Z', &state)?,
                    _ => {}
                }
            }
        });
        let output = Command::new("sh")
            .args(["-c", "ulimit -v 1000000; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_orm-probe")])
            .args([&server.postgres_url("connect_timeout=10"), "10"])
            .output()?;
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{bytes:?}: {told}");
        assert!(told.contains("Lost") && !told.contains("memory"), "{bytes:?}: {told}");
    }
    Ok(())
}

/// A stream of a server that vanishes at any byte is never shorter without an error.
#[test]
fn answers_that_are_cut_off() {
    let rows = [data_row(&[Some(b"a")]), data_row(&[Some(b"bc")]), done()].concat();
    for cut in 0..rows.len() {
        let server = rogue(vec![(b'E', rows[..cut].to_vec())], true);
        let error = streamed(&server.postgres_url(IN_TIME)).map(|rows| format!("{rows:?}")).expect_err("no end came");
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{cut}: {error:?}");
        for (name, way) in WAYS {
            let text = [row_description(1, OID_OF_TEXT), rows[..cut].to_vec()].concat();
            let server = rogue(vec![(b'E', rows[..cut].to_vec()), (b'Q', text)], true);
            assert!(way(&mut connect(&server)).is_err(), "{cut}, {name}");
        }
    }
}

/// What a serializable transaction has read counts only once it is committed: a stream has not ended well where that fails.
#[test]
fn a_commit_that_fails_behind_a_stream() {
    let failed = error_response("ERROR", "40001", "could not serialize access");
    for (answer, expected) in [(failed, "could not serialize access"), (message(b'C', b"ROLLBACK\0"), "rolled back")] {
        let server = Rogue::new(move |client| {
            client.let_in()?;
            let rows = [data_row(&[Some(b"a")]), data_row(&[Some(b"b")]), done()].concat();
            client.behave(&[b"hi"], &[(b'E', rows)], true)?;
            loop {
                match client.hear()? {
                    (b'S', _) => client.say(b'Z', b"T")?,
                    (b'Q', sql) if sql.starts_with(b"COMMIT") => {
                        client.raw(&[answer.clone(), message(b'Z', b"I")].concat())?;
                    }
                    (b'Q', _) => client.raw(&[done(), message(b'Z', b"I")].concat())?,
                    _ => {}
                }
            }
        });
        let url = server.postgres_url(IN_TIME);
        let db = Database::<Pg>::builder().pool_size(1).connect(&url).expect("it lets everybody in");
        let mut rows = Streamed::objects(&db).try_iterator(10).expect("it opens");
        assert_eq!(rows.by_ref().take(2).filter(Result::is_ok).count(), 2);
        let error = rows.next().expect("it is not committed").expect_err("it is not committed");
        assert!(format!("{error:?}").contains(expected), "{error:?}");
        assert!(rows.next().is_none());
        drop(rows);
        db.batch_execute("SELECT 1").expect("the connection is as good as before");
    }
}

/// Messages as a server sends them, some of them not.
fn any_message() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![
        8 => prop::sample::select(b"12345CDEGHIKNRSTVWZcdnstv".to_vec()),
        1 => any::<u8>(),
    ];
    let byte = prop_oneof![4 => 0..4_u8, 1 => 0xFA..=0xFF_u8, 2 => any::<u8>()];
    prop_oneof![
        3 => Just(row_description(1, OID_OF_TEXT)),
        4 => Just(data_row(&[Some(b"x")])),
        1 => Just(data_row(&[None])),
        3 => Just(done()),
        3 => Just(ready()),
        1 => Just(message(b'Z', b"E")),
        1 => Just(message(b'Z', b"T")),
        1 => Just(message(b's', b"")),
        1 => Just(error_response("ERROR", "22012", "division by zero")),
        4 => (kind, prop::collection::vec(byte, 0..20)).prop_map(|(kind, body)| message(kind, &body)),
    ]
}

/// Some of them cut, or not what their length says.
fn any_answer() -> impl Strategy<Value = Vec<u8>> {
    let flaw = prop_oneof![
        12 => Just(None),
        1 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(Some),
    ];
    prop::collection::vec((any_message(), flaw), 0..5).prop_map(|messages| {
        let flawed = |(mut bytes, flaw): (Vec<u8>, Option<(prop::sample::Index, u8)>)| {
            if let Some((at, byte)) = flaw {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes
        };
        messages.into_iter().flat_map(flawed).collect()
    })
}

/// Whatever a server answers, it is rows or an error; there is no panic, and an end.
#[test]
fn any_answers() -> TestResult {
    random::in_time("a connection to a server of random answers", || {
        random_answers().map_err(|error| error.to_string())
    })?;
    Ok(())
}

fn random_answers() -> TestResult {
    let connected = std::cell::Cell::new(0);
    let kind = prop::sample::select(b"PBDESQC".to_vec());
    TestRunner::new(random::config(60)).run(&prop::collection::vec((kind, any_answer()), 1..3), |instead| {
        let instead = Arc::new(instead);
        let server = Rogue::new(move |client| {
            client.let_in()?;
            client.behave(&[b"hi"], &instead, false)
        });
        // The client may wait for what was not sent, while the server waits for the next request.
        let url = server.postgres_url("connect_timeout=0.25&read_timeout=0.02");
        for (_, way) in WAYS {
            let Ok(mut connection) = PgConnection::establish(&url) else { return Ok(()) };
            let _ = way(&mut connection);
            let _ = way(&mut connection);
            let _ = connection.batch_execute("SELECT 1");
        }
        connected.set(connected.get() + 1);
        let _ = streamed(&url);
        Ok(())
    })?;
    assert!(connected.get() > 30, "only {} of them could log in", connected.get());
    Ok(())
}

/// Whose rows it takes for another statement's is what an attacker between the two wants to know.
#[test]
fn answers_to_nobody() {
    // All of an answer is there twice; the second must not become that of the next statement.
    let twice = [data_row(&[Some(b"first")]), done(), ready(), data_row(&[Some(b"stale")]), done()].concat();
    let server = rogue(vec![(b'E', twice)], false);
    let mut connection = connect(&server);
    let first = sql_query("SELECT rogue").load::<Row>(&mut connection);
    assert!(first.as_ref().is_ok_and(|rows| rows == &[Row { a: "first".to_owned() }]) || first.is_err(), "{first:?}");
    let next = sql_query("SELECT rogue").load::<Row>(&mut connection);
    assert!(next.is_err(), "{next:?}");
}

/// A client, and what it was told before it asked for anything.
#[test]
fn what_a_server_says_between_statements() -> TestResult {
    // Notices, settings and notifications may come at any time.
    let any_time = [
        message(b'N', b"SNOTICE\0VNOTICE\0C00000\0Mby the way\0\0"),
        message(b'S', b"TimeZone\0UTC\0"),
        message(b'A', b"\0\0\0\x07channel\0payload\0"),
    ]
    .concat();
    let server = rogue(vec![(b'S', [ready(), any_time.clone()].concat())], false);
    let mut connection = connect(&server);
    for _ in 0..3 {
        assert_eq!(sql_query("SELECT rogue").load::<Row>(&mut connection)?.len(), 1);
        connection.batch_execute("SELECT 1")?;
    }
    // The server's last words, before anything is asked of it.
    let farewell =
        [ready(), error_response("FATAL", "57P01", "terminating connection due to administrator command")].concat();
    let server = rogue(vec![(b'S', farewell)], true);
    let mut connection = connect(&server);
    assert_eq!(sql_query("SELECT rogue").load::<Row>(&mut connection)?.len(), 1);
    let error = connection.batch_execute("SELECT 1").expect_err("the server is gone");
    assert!(matches!(error, DieselError::DatabaseError(diesel::result::DatabaseErrorKind::ClosedConnection, _)));
    Ok(())
}
