//! Servers whose statements do not end as they should when a stream is dropped.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use diesel::{Connection, RunQueryDsl, connection::SimpleConnection, sql_query};
use orm_core::{MysqlConnection, diesel};
use orm_tests::{
    TestResult,
    rogue::{Client, END, PREPARED, Rogue, column},
};

/// The rows of the rogue's statements.
#[derive(diesel::QueryableByName, Debug)]
struct Any {
    #[diesel(sql_type = diesel::sql_types::Text)]
    #[allow(dead_code)]
    a: String,
}

/// What the connections of a server know of one another.
#[derive(Debug, Default)]
struct State {
    /// A statement was told to end, and has not been.
    killed: AtomicBool,
    /// It ended by itself before it was told, so that the next one is hit.
    late: AtomicBool,
}

/// A server whose statements give a row, and then go by `then`; it shows them to whoever wants to end them.
fn killable(then: fn(&mut Client, &State) -> io::Result<()>) -> (Rogue, Arc<State>) {
    let state = Arc::<State>::default();
    let shared = state.clone();
    let rogue = Rogue::new(move |client| {
        client.greet("mysql_native_password", false)?;
        client.receive()?;
        client.ok()?;
        loop {
            let command = client.receive()?;
            let says = |text: &str| command.windows(text.len()).any(|window| window == text.as_bytes());
            if says("max_allowed_packet") {
                client.set_up_answer()?;
            } else if says("SELECT ID, HOST") {
                client.place_answer()?;
            } else if says("KILL QUERY 7") {
                client.ok()?;
                shared.killed.store(true, Ordering::SeqCst);
            } else if command.first() == Some(&0x16) {
                client.send(PREPARED)?;
            } else if command.first() == Some(&0x17) {
                [vec![1], column("a", 0xFD), ROW.to_vec()].iter().try_for_each(|part| client.send(part))?;
                then(client, &shared)?;
            } else if command.first() != Some(&0x19) {
                if shared.late.swap(false, Ordering::SeqCst) {
                    client.send(INTERRUPTED)?;
                } else {
                    client.ok()?;
                }
            }
        }
    });
    (rogue, state)
}

const ROW: &[u8] = &[0, 0, 1, b'x'];
const INTERRUPTED: &[u8] = b"\xFF\x25\x05#70100Query execution was interrupted";

fn wait_for_the_kill(state: &State) {
    while !state.killed.swap(false, Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Drops a stream after its first row.
fn drop_early(connection: &mut MysqlConnection) -> TestResult {
    let mut rows = sql_query("SELECT a").load_iter::<Any, _>(connection)?;
    assert!(rows.next().is_some_and(|row| row.is_ok()));
    Ok(())
}

/// A kill that comes too late: the statement has ended by itself, and the connection's next one is hit. That is never
/// one of the user's.
#[test]
fn a_late_kill_hits_no_statement() -> TestResult {
    let (rogue, state) = killable(|client, state| {
        wait_for_the_kill(state);
        state.late.store(true, Ordering::SeqCst);
        client.send(END)
    });
    let mut connection = MysqlConnection::establish(&rogue.url(""))?;
    for _ in 0..3 {
        drop_early(&mut connection)?;
        connection.batch_execute("SET @mine = 1")?;
        assert!(!state.late.load(Ordering::SeqCst), "the kill has hit something by now");
    }
    Ok(())
}

/// As it should be: the statement is interrupted, and nothing more is asked of the connection than its state.
#[test]
fn a_kill_in_time() -> TestResult {
    let (rogue, _) = killable(|client, state| {
        wait_for_the_kill(state);
        client.send(ROW)?;
        client.send(INTERRUPTED)
    });
    let mut connection = MysqlConnection::establish(&rogue.url(""))?;
    for _ in 0..3 {
        drop_early(&mut connection)?;
        connection.batch_execute("SET @mine = 1")?;
    }
    assert!(!rogue.has_heard("DO 0"));
    Ok(())
}

/// A statement that goes on after it was killed is not read to its end, which there may be none of.
#[test]
fn a_statement_that_goes_on() -> TestResult {
    let (rogue, _) = killable(|client, _| {
        let row = [&[0, 0, 0xFD, 0, 0, 1][..], &[b'x'; 1 << 16]].concat();
        loop {
            client.send(&row)?;
        }
    });
    let mut connection = MysqlConnection::establish(&rogue.url(""))?;
    drop_early(&mut connection)?;
    let error = connection.batch_execute("SET @mine = 1").expect_err("the connection was given up");
    assert!(error.to_string().contains("lost"), "{error}");
    Ok(())
}

/// One that says nothing any more is waited for as long as connecting may take.
#[test]
fn a_statement_that_falls_silent() -> TestResult {
    let (rogue, _) = killable(|client, _| client.listen());
    let mut connection = MysqlConnection::establish(&rogue.url("connect_timeout=0.5"))?;
    drop_early(&mut connection)?;
    assert!(connection.batch_execute("SET @mine = 1").is_err(), "the connection was given up");
    Ok(())
}
