//! Servers of PostgreSQL's protocol whose answers have no end: each is an error that says what the server did.

use std::io;

use diesel::{
    Connection, QueryResult, RunQueryDsl, connection::SimpleConnection, r2d2::R2D2Connection as _, sql_query,
};
use orm_core::{diesel, prelude::*};
use orm_tests::{
    TestResult,
    certificates::{Authority, HERE, Wanted},
    random::in_time,
    rogue::{Client, OID_OF_TEXT, Rogue, data_row, error_response, message, row_description, stream_begun},
};

use super::PgConnection;

/// What a stream reads from such a server.
#[derive(Model, Debug)]
#[model(table = "rogue")]
struct Streamed {
    #[model(primary_key)]
    a: String,
}

/// What `Diesel` reads from it.
#[derive(diesel::QueryableByName, Debug)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::Text)]
    #[allow(dead_code)]
    a: String,
}

/// There is no limit for reading, so that what goes on for ever hangs.
const OPTIONS: &str = "connect_timeout=100&sslmode=disable";

fn database(url: &str) -> orm_core::Result<Database<Pg>> {
    Database::<Pg>::builder().pool_size(1).test_on_checkout(false).connect(url)
}

fn told(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

type Way = fn(&str) -> Result<usize, String>;

/// All rows of a stream.
fn streamed(url: &str) -> Result<usize, String> {
    let db = database(url).map_err(told)?;
    let rows = Streamed::objects(&db).try_iterator(4).map_err(told)?;
    let rows: orm_core::Result<Vec<_>> = rows.collect();
    rows.map(|rows| rows.len()).map_err(told)
}

/// A stream in a transaction that is dropped early, and a statement after it.
fn dropped_in_a_transaction(url: &str) -> Result<usize, String> {
    let db = database(url).map_err(told)?;
    db.transaction(|tx| {
        drop(Streamed::objects(tx).try_iterator(4)?.next());
        tx.batch_execute("SELECT 1")?;
        Ok::<_, orm_core::Error>(1)
    })
    .map_err(told)
}

fn on_a_connection(url: &str, f: impl FnOnce(&mut PgConnection) -> QueryResult<usize>) -> Result<usize, String> {
    let mut connection = PgConnection::establish(url).map_err(told)?;
    f(&mut connection).map_err(told)
}

fn loaded(url: &str) -> Result<usize, String> {
    on_a_connection(url, |connection| sql_query("SELECT rogue").load::<Row>(connection).map(|rows| rows.len()))
}

fn executed(url: &str) -> Result<usize, String> {
    on_a_connection(url, |connection| sql_query("SELECT rogue").execute(connection))
}

fn in_text(url: &str) -> Result<usize, String> {
    on_a_connection(url, |connection| connection.batch_execute("SELECT rogue").map(|()| 0))
}

/// The error of each way with a server of this script.
fn refused(
    what: &'static str,
    ways: &[Way],
    script: impl Fn(&mut Client) -> io::Result<()> + Send + Sync + 'static,
) -> Vec<String> {
    let url = Rogue::new(script).postgres_url(OPTIONS);
    ways.iter()
        .map(|way| {
            let (way, url) = (*way, url.clone());
            in_time(what, move || way(&url)).expect_err(what)
        })
        .collect()
}

/// Answers as a server does up to this request, then by `first`, and then by `again` for ever.
fn for_ever(client: &mut Client, request: u8, first: &[u8], again: &[u8]) -> io::Result<()> {
    client.let_in()?;
    client.behave(&[b"hi"], &[(request, first.to_vec())], true)?;
    let many = again.repeat(1_000);
    loop {
        client.raw(&many)?;
    }
}

fn done() -> Vec<u8> {
    message(b'C', b"SELECT 1\0")
}

fn row() -> Vec<u8> {
    data_row(&[Some(b"hi")])
}

/// A server that answers each request for rows as if there were more, and gives none, or fewer than were asked for, or more;
/// and one that suspends a portal which was executed without a row limit.
#[test]
fn portals_that_give_other_numbers_of_rows() {
    const TOO_FEW: &str = "suspended a portal before it had sent the rows that were asked for";
    const TOO_MANY: &str = "sent more rows of a portal than were asked for";
    const UNLIMITED: &str = "suspended a portal that was executed without a row limit";
    let suspended = || message(b's', b"");
    for (rows, in_pieces) in [(0, TOO_FEW), (1, TOO_FEW), (3, TOO_FEW), (5, TOO_MANY)] {
        let answer = [row().repeat(rows), suspended()].concat();
        let ways: [Way; 2] = [dropped_in_a_transaction, streamed];
        let errors = refused("a portal that is suspended", &ways, move |client| {
            client.let_in()?;
            client.behave(&[b"hi"], &[(b'E', answer.clone())], false)
        });
        for (error, expected) in errors.iter().zip([in_pieces, UNLIMITED]) {
            assert!(error.contains(expected) && error.contains("[ConnectionLost]"), "{rows} rows: {error}");
        }
    }
}

/// Messages that have their place once, or so often as was asked for, and come for ever.
#[test]
fn messages_without_end() {
    const ALL: [Way; 4] = [streamed, dropped_in_a_transaction, loaded, executed];
    const PREPARED: [Way; 2] = [loaded, executed];
    let error = || error_response("ERROR", "22012", "division by zero");
    let none = Vec::new;
    // The name, the request that is answered, the ways of running, what comes before, and what comes without end.
    type Case = (&'static str, u8, &'static [Way], Vec<u8>, Vec<u8>);
    let cases: Vec<Case> = vec![
        ("ParseComplete", b'P', &ALL, none(), message(b'1', b"")),
        ("BindComplete", b'B', &ALL, none(), message(b'2', b"")),
        ("ParameterDescription", b'D', &PREPARED, none(), message(b't', &[0, 0])),
        ("RowDescription", b'D', &[streamed], none(), row_description(1, OID_OF_TEXT)),
        ("CloseComplete", b'P', &PREPARED, none(), message(b'3', b"")),
        ("CloseComplete", b'C', &[dropped_in_a_transaction], none(), message(b'3', b"")),
        ("CommandComplete", b'E', &ALL, none(), done()),
        ("EmptyQueryResponse", b'E', &ALL, none(), message(b'I', b"")),
        ("PortalSuspended", b'E', &ALL, none(), message(b's', b"")),
        ("ErrorResponse", b'E', &ALL, none(), error()),
        ("rows behind an error", b'E', &[streamed, dropped_in_a_transaction], error(), row()),
        ("ends behind an error", b'E', &ALL, error(), done()),
        ("rows of a portal", b'E', &[dropped_in_a_transaction], none(), row()),
        ("rows behind the end of a portal", b'E', &[streamed, dropped_in_a_transaction], done(), row()),
        ("CopyInResponse", b'E', &PREPARED, none(), message(b'G', &[0, 0, 0])),
        ("CopyOutResponse", b'E', &PREPARED, none(), message(b'H', &[0, 0, 0])),
        ("CopyData", b'E', &PREPARED, none(), message(b'd', b"data")),
        ("CopyDone", b'E', &PREPARED, none(), message(b'c', b"")),
        ("CommandComplete", b'Q', &[in_text], none(), done()),
        ("EmptyQueryResponse", b'Q', &[in_text], none(), message(b'I', b"")),
        ("RowDescription", b'Q', &[in_text], none(), row_description(1, OID_OF_TEXT)),
        ("results", b'Q', &[in_text], none(), [row_description(1, OID_OF_TEXT), row(), done()].concat()),
        ("ErrorResponse", b'Q', &[in_text], none(), error()),
        ("CopyInResponse", b'Q', &[in_text], none(), message(b'G', &[0, 0, 0])),
        ("CopyOutResponse", b'Q', &[in_text], none(), message(b'H', &[0, 0, 0])),
        ("ParseComplete", b'Q', &[in_text], none(), message(b'1', b"")),
    ];
    for (what, request, ways, first, again) in cases {
        let errors = refused(what, ways, move |client| for_ever(client, request, &first, &again));
        for error in errors {
            assert!(error.contains("does not keep to the protocol"), "{what}: {error}");
        }
    }
}

/// The commands of a stream's own transaction give no rows, in whatever number.
#[test]
fn rows_of_commands() {
    let flood = |of: &'static str| {
        move |client: &mut Client| {
            client.let_in()?;
            let mut state = *b"I";
            loop {
                let (kind, body) = client.hear()?;
                let says = |word: &str| body.windows(word.len()).any(|part| part == word.as_bytes());
                if kind == b'Q' && says(of) {
                    if of == "SHOW" {
                        client.raw(&message(b'C', b"BEGIN\0"))?;
                    }
                    client.raw(&row_description(1, OID_OF_TEXT))?;
                    let many = row().repeat(1_000);
                    loop {
                        client.raw(&many)?;
                    }
                }
                match kind {
                    b'Q' if says("SHOW") => {
                        state = *b"T";
                        // With a time limit, a stream is read in pieces, and rolled back when it is dropped.
                        let limit = if of == "ROLLBACK" { "1s" } else { "0" };
                        client.raw(&stream_begun(says("; SET"), limit))?;
                    }
                    b'Q' => {
                        state = if says("BEGIN") { *b"T" } else { *b"I" };
                        let command = message(b'C', b"SET\0");
                        client.raw(&[command.repeat(1 + usize::from(says(";"))), message(b'Z', &state)].concat())?;
                    }
                    b'P' => client.say(b'1', b"")?,
                    b'B' => client.say(b'2', b"")?,
                    b'D' => client.raw(&row_description(1, OID_OF_TEXT))?,
                    b'E' if of == "ROLLBACK" && body.ends_with(&[0, 0, 0, 4]) => {
                        client.raw(&[row().repeat(4), message(b's', b"")].concat())?;
                    }
                    b'E' => client.raw(&[row(), done()].concat())?,
                    b'S' => client.say(b'Z', &state)?,
                    _ => {}
                }
            }
        }
    };
    for of in ["BEGIN", "SHOW", "COMMIT"] {
        for error in refused(of, &[streamed], flood(of)) {
            assert!(error.contains("does not keep to the protocol"), "{of}: {error}");
        }
    }
    // Nobody hears of it, but the connection is not used again.
    let url = Rogue::new(flood("ROLLBACK")).postgres_url(OPTIONS);
    in_time("a ROLLBACK that gives rows", move || {
        let db = database(&url).expect("it lets everybody in");
        let mut rows = Streamed::objects(&db).try_iterator(4).expect("it gives rows");
        assert!(rows.next().is_some_and(|row| row.is_ok()));
        drop(rows);
        let mut rows = Streamed::objects(&db).try_iterator(4).expect("the pool makes another connection");
        assert!(rows.next().is_some_and(|row| row.is_ok()));
    });
}

/// Whoever drops a stream reads no more of it than buffers hold, from a server that takes no notice of a cancel.
#[test]
fn rows_without_end_behind_a_cancel() {
    let server = Rogue::new(|client| {
        client.let_in()?;
        client.behave(&[b"hi"], &[(b'E', row().repeat(1_000))], true)?;
        let many = row().repeat(10_000);
        loop {
            client.raw(&many)?;
        }
    });
    let url = server.postgres_url(OPTIONS);
    in_time("a stream that is dropped", move || {
        let db = database(&url).expect("it lets everybody in");
        for _ in 0..2 {
            // The second one has another connection.
            let mut rows = Streamed::objects(&db).try_iterator(4).expect("it gives rows");
            assert!(rows.next().is_some_and(|row| row.is_ok()));
        }
    });
}

/// A cancel that the server takes notice of when the stream has ended by itself hits nothing that is of use.
#[test]
fn a_cancel_that_takes_effect_late() {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };
    let cancelled = Arc::new(AtomicBool::new(false));
    let script = cancelled.clone();
    let server = Rogue::new(move |client| {
        if client.let_in().is_err() {
            // A request to cancel: the connection is closed when it has been taken in.
            script.store(true, Ordering::SeqCst);
            return Ok(());
        }
        client.behave(&[b"hi"], &[(b'E', row())], true)?;
        while !script.load(Ordering::SeqCst) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let ready = |state: &[u8]| message(b'Z', state);
        // The ends of the statement and of its transaction.
        client.raw(&[done(), ready(b"T"), message(b'C', b"COMMIT\0"), ready(b"I")].concat())?;
        // And now the signal arrives.
        let mut late = Some(error_response("ERROR", "57014", "canceling statement due to user request"));
        loop {
            let (kind, body) = client.hear()?;
            if kind != b'Q' || body.starts_with(b"COMMIT") {
                continue; // it was sent before
            }
            let answer = late.take().unwrap_or_else(done);
            client.raw(&[answer, ready(b"I")].concat())?;
        }
    });
    let url = server.postgres_url(OPTIONS);
    in_time("a statement after a stream that was dropped", move || {
        let db = database(&url).expect("it lets everybody in");
        let mut rows = Streamed::objects(&db).try_iterator(1).expect("it gives rows");
        assert!(rows.next().is_some_and(|row| row.is_ok()));
        drop(rows);
        db.batch_execute("SELECT 1").expect("the cancel was not for it");
    });
    assert!(cancelled.load(Ordering::SeqCst), "the stream was cancelled");
}

/// What may come at any time, and as often as a server likes, ends with the time that was set.
#[test]
fn notices_defeat_no_deadline() {
    let any_time = [
        message(b'N', b"SNOTICE\0VNOTICE\0C00000\0Mby the way\0\0"),
        message(b'S', b"application_name\0other\0"),
        message(b'A', b"\0\0\0\x07channel\0payload\0"),
    ];
    for again in any_time {
        let server = Rogue::new(move |client| {
            client.let_in()?;
            loop {
                if client.hear()?.0 == b'Q' {
                    loop {
                        client.raw(&again)?;
                    }
                }
            }
        });
        let url = server.postgres_url("connect_timeout=0.3&sslmode=disable");
        let error = in_time("a check of a connection", move || {
            let mut connection = PgConnection::establish(&url).expect("it lets everybody in");
            connection.ping()
        });
        let error = error.expect_err("no connection passes its check").to_string();
        assert!(error.contains("time"), "{error}");
    }
}

/// TLS has messages of its own, which hold no data.
#[test]
fn tickets_without_end() -> TestResult {
    let authority = Authority::new();
    let identity = authority.identity(Wanted { name: "server", hosts: HERE, expired: false });
    let mut config = (*identity.server()).clone();
    config.send_tls13_tickets = 20_000;
    let config = std::sync::Arc::new(config);
    let server = Rogue::new(move |client| {
        client.first_message()?;
        client.raw(b"S")?;
        client.encrypt(&config)?;
        client.listen()
    });
    let url = server.postgres_url("connect_timeout=100&sslmode=require");
    let error = in_time("a TLS connection without data", move || PgConnection::establish(&url).map(drop));
    let error = error.expect_err("the server says nothing").to_string();
    // rustls has a limit of its own for what comes at once.
    assert!(error.contains("TLS records without data") || error.contains("buffer full"), "{error}");
    Ok(())
}
