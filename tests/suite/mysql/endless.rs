//! Servers of MySQL's protocol whose answers have no end: each is an error that says what the server did.

use std::io;

use diesel::{Connection, RunQueryDsl, connection::SimpleConnection, r2d2::R2D2Connection, sql_query};
use orm_core::{MysqlConnection, diesel, prelude::*};
use orm_tests::{
    TestResult,
    random::in_time,
    rogue::{Client, END, PREPARED, Rogue, column},
};

use crate::models::Number;

/// OK, and another result follows.
const MORE: &[u8] = &[0, 0, 0, 0x0A, 0, 0, 0];
/// The end of a result, and another one follows.
const END_AND_MORE: &[u8] = &[0xFE, 0, 0, 0x0A, 0, 0, 0];

fn after_login(script: impl Fn(&mut Client) -> io::Result<()> + Send + Sync + 'static) -> Rogue {
    Rogue::new(move |client| {
        client.log_in(None)?;
        script(client)
    })
}

fn for_ever(client: &mut Client, packets: &[Vec<u8>]) -> io::Result<()> {
    loop {
        packets.iter().try_for_each(|packet| client.send(packet))?;
    }
}

type Way = fn(&str) -> Result<(), String>;

fn connect(url: &str) -> MysqlConnection {
    MysqlConnection::establish(url).expect("it lets everybody in")
}

fn told(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

fn in_text(url: &str) -> Result<(), String> {
    connect(url).batch_execute("SELECT 1; SELECT 2").map_err(told)
}

fn executed(url: &str) -> Result<(), String> {
    sql_query("UPDATE t SET a = 1").execute(&mut connect(url)).map(drop).map_err(told)
}

fn pinged(url: &str) -> Result<(), String> {
    connect(url).ping().map_err(told)
}

fn database(url: &str) -> orm_core::Result<Database<Mysql>> {
    Database::<Mysql>::builder().pool_size(1).test_on_checkout(false).connect(url)
}

fn streamed(url: &str) -> Result<(), String> {
    let db = database(url).map_err(told)?;
    let rows: orm_core::Result<Vec<Number>> = Number::objects(&db).try_iterator(2).and_then(Iterator::collect);
    rows.map(drop).map_err(told)
}

/// A stream that is dropped while its first result is at its end, and more of them follow; and a statement on another
/// connection.
fn dropped(url: &str) -> Result<(), String> {
    let db = database(url).map_err(told)?;
    drop(Number::objects(&db).try_iterator(1).map_err(told)?.next());
    db.batch_execute("SELECT 1").map_err(told)
}

fn refused(
    what: &'static str,
    way: Way,
    script: impl Fn(&mut Client) -> io::Result<()> + Send + Sync + 'static,
) -> String {
    // No limit for reading: what goes on for ever hangs.
    let url = after_login(script).url("connect_timeout=100");
    in_time(what, move || way(&url)).expect_err(what)
}

/// Answers a command, after what has to be done before it.
fn to_the_query(client: &mut Client) -> io::Result<()> {
    loop {
        match client.receive()?.first() {
            Some(0x16) => client.send(PREPARED)?,
            Some(0x17) => return Ok(()),
            Some(0x19) => {}
            _ => client.ok()?,
        }
    }
}

#[test]
fn results_without_end() {
    let ends = || vec![MORE.to_vec()];
    let result = || vec![vec![1], column("a", 8), END_AND_MORE.to_vec()];
    let error = refused("a batch", in_text, move |client| {
        client.receive()?;
        for_ever(client, &ends())
    });
    assert!(error.contains("says more often than there are statements that one is done"), "{error}");
    let error = refused("a statement", executed, move |client| {
        to_the_query(client)?;
        for_ever(client, &ends())
    });
    assert!(error.contains("says more often than there are statements that one is done"), "{error}");
    let error = refused("a stream", streamed, move |client| {
        to_the_query(client)?;
        for_ever(client, &result())
    });
    assert!(error.contains("more than one result"), "{error}");
}

/// Of a stream that is dropped early, no second result is waited for.
#[test]
fn results_behind_a_stream_that_is_dropped() {
    let url = after_login(|client| {
        to_the_query(client)?;
        let row = |id: u8| vec![0, 0, id, 0, 0, 0, 0, 0, 0, 0, 1, b'x'];
        for packet in [vec![2], column("id", 8), column("name", 0xFD), row(1), row(2), END_AND_MORE.to_vec()] {
            client.send(&packet)?;
        }
        for_ever(client, &[vec![1], column("a", 8), END_AND_MORE.to_vec()])
    })
    .url("connect_timeout=100");
    assert_eq!(in_time("a stream that is dropped", move || dropped(&url)), Ok(()));
}

#[test]
fn rows_of_commands() {
    let error = refused("a ping", pinged, |client| {
        client.receive()?;
        client.send(&[1])?;
        client.send(&column("a", 0xFD))?;
        for_ever(client, &[b"\x02hi".to_vec()])
    });
    assert!(error.contains("answers a command by rows that has none"), "{error}");
}

/// A server that asks for another proof again and again, or says again and again that there is more to say.
#[test]
fn logins_without_end() {
    let switch = [b"\xFEmysql_native_password\0", &[b'x'; 20][..], &[0]].concat();
    for (what, again) in
        [("a switch", switch), ("a proof that is known", vec![1, 3]), ("more data", vec![1, 9]), ("nothing", vec![])]
    {
        let rogue = Rogue::new(move |client| {
            client.greet("caching_sha2_password", false)?;
            loop {
                client.receive()?;
                for _ in 0..100 {
                    client.send(&again)?;
                }
            }
        });
        let url = rogue.url("connect_timeout=100");
        let error = in_time(what, move || MysqlConnection::establish(&url).map(drop)).expect_err(what).to_string();
        assert!(error.contains("protocol"), "{what}: {error}");
    }
}

#[test]
fn empty_packets_without_end() -> TestResult {
    let error = refused("empty packets", in_text, |client| {
        client.receive()?;
        for_ever(client, &[vec![]])
    });
    assert!(error.contains("a packet is empty"), "{error}");
    let error = refused("ends without a result", streamed, |client| {
        to_the_query(client)?;
        for_ever(client, &[END.to_vec()])
    });
    assert!(error.contains("protocol"), "{error}");
    Ok(())
}
