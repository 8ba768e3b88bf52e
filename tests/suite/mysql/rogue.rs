//! Servers of MySQL's protocol that want to do harm, or are broken: an error each time, and nothing secret is told.

use std::{io, sync::Arc, time::Duration};

use diesel::{Connection, RunQueryDsl, connection::SimpleConnection, sql_query};
use orm_core::{MysqlConnection, diesel, prelude::*};
use orm_tests::{
    TestResult, random,
    rogue::{Client, END, PREPARED, Rogue, column, greeting, packet},
};
use proptest::{prelude::*, test_runner::TestRunner};

use crate::models::Number;

/// The rows of a query on a rogue's connection, whose types do not matter.
#[derive(diesel::QueryableByName, Debug)]
struct Any {
    #[diesel(sql_type = diesel::sql_types::Text)]
    #[allow(dead_code)]
    a: String,
}

fn connect(rogue: &Rogue) -> Result<MysqlConnection, String> {
    // No limit for reading: what goes on for ever hangs, and is seen.
    MysqlConnection::establish(&rogue.url("connect_timeout=20")).map_err(|error| error.to_string())
}

/// The error of connecting to a server with this script; what the client sent stands beside.
fn refused(script: impl Fn(&mut Client) -> io::Result<()> + Send + Sync + 'static) -> (String, Rogue) {
    let rogue = Rogue::new(script);
    let error = connect(&rogue).map(|_| ()).expect_err("this is no server");
    assert!(!error.contains("s3cr3t"), "{error}");
    assert!(!rogue.has_heard("s3cr3t"), "the password was sent");
    (error, rogue)
}

/// A server that lets everybody in, and then goes by `script`.
fn after_login(script: impl Fn(&mut Client) -> io::Result<()> + Send + Sync + 'static) -> Rogue {
    Rogue::new(move |client| {
        client.log_in(None)?;
        script(client)
    })
}

#[test]
fn a_rogue_that_behaves_is_a_server() -> TestResult {
    let result = [vec![1], column("a", 0xFD), vec![0, 0, 2, b'h', b'i'], END.to_vec()];
    let rogue = after_login(move |client| client.serve(&result));
    let mut connection = connect(&rogue)?;
    assert_eq!(connection.server_version(), "8.4.0-rogue");
    let rows: Vec<Any> = sql_query("SELECT a").load(&mut connection)?;
    assert_eq!(rows.iter().map(|row| row.a.as_str()).collect::<Vec<_>>(), ["hi"]);
    connection.batch_execute("SET @a = 1")?;
    Ok(())
}

/// A server may answer any statement by asking for a file.
#[test]
fn local_infile_rogue() -> TestResult {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), "the content of a file")?;
    let ask = [&[0xFB], file.path().to_string_lossy().as_bytes()].concat();
    type Statement = fn(&mut MysqlConnection) -> diesel::QueryResult<()>;
    let statements: [(&str, Statement); 3] = [
        ("in text", |connection| connection.batch_execute("SET @a = 1")),
        ("prepared", |connection| sql_query("SELECT 1").execute(connection).map(drop)),
        ("by a row", |connection| sql_query("SELECT 1").load::<Any>(connection).map(drop)),
    ];
    for (name, statement) in statements {
        for prepares in [false, true] {
            let ask = ask.clone();
            let rogue = after_login(move |client| {
                if prepares {
                    client.answer(&[PREPARED.to_vec()])?;
                }
                client.answer(std::slice::from_ref(&ask))?;
                client.listen()
            });
            let mut connection = connect(&rogue)?;
            let before = rogue.heard().len();
            let Err(error) = statement(&mut connection) else {
                // Not every way asks twice.
                assert!(prepares && name == "in text");
                continue;
            };
            assert!(error.to_string().contains("protocol") || error.to_string().contains("file"), "{error}");
            assert!(connection.batch_execute("SELECT 1").is_err(), "nothing more is sent to such a server");
            assert!(!rogue.has_heard("content of a file"), "{name}");
            assert!(rogue.heard().len() - before < 100, "{name}");
        }
    }
    let (error, rogue) = refused(move |client| {
        client.greet("mysql_native_password", false)?;
        client.answer(std::slice::from_ref(&ask))?;
        client.listen()
    });
    assert!(error.contains("cannot be understood"), "{error}");
    assert!(!rogue.has_heard("content of a file"));
    Ok(())
}

#[test]
fn a_greeting_of_another_protocol() {
    for greeting in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"220 mail ESMTP\r\n",
        b"-ERR unknown command\r\n",
        &[0; 64],
        &[0xFF; 64],
        &packet(0, &[9, b'3', 0, 0]),
        &packet(0, b""),
        &packet(0, &[10]),
        &packet(0, &[10, b'8', 0, 1, 2]),
        &packet(0, &[0xFF]),
        // A server that was made before the protocol of today.
        &packet(0, &[&b"\x0A3.23\0\x01\0\0\0abcdefgh\0\0\0"[..], &[0; 20]].concat()),
    ] {
        let greeting = greeting.to_vec();
        let (error, rogue) = refused(move |client| client.raw(&greeting));
        assert!(!error.is_empty());
        assert!(rogue.heard().is_empty(), "nothing is said to whatever that is");
    }
}

#[test]
fn a_server_that_says_nothing() {
    let rogue = Rogue::new(Client::listen);
    for url in [rogue.url("connect_timeout=0.3"), rogue.url("ssl_mode=required&connect_timeout=0.3")] {
        let error = orm_core::connect(&url).map(|_| ()).expect_err("it never answers");
        assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
        assert!(format!("{error:?}").contains("did not answer in time"), "{error:?}");
    }
    let built = Database::<Mysql>::builder().connect_timeout(Duration::from_millis(300));
    let error = built.connect(&rogue.url("")).map(|_| ()).expect_err("it never answers");
    assert!(format!("{error:?}").contains("did not answer in time"), "{error:?}");
}

/// One who says a byte now and then has said nothing in time, either: the limit is for all of connecting.
#[test]
fn a_server_that_says_a_byte_at_a_time() {
    let dribble = |client: &mut Client| loop {
        client.raw(&[7])?;
        std::thread::sleep(Duration::from_millis(20));
    };
    type Script = Box<dyn Fn(&mut Client) -> io::Result<()> + Send + Sync>;
    let scripts: [Script; 4] = [
        Box::new(move |client| {
            client.raw(&[0xFF, 0xFF, 0x0F, 0])?;
            dribble(client)
        }),
        Box::new(move |client| {
            client.greet("mysql_native_password", false)?;
            client.receive()?;
            client.raw(&[0xFF, 0xFF, 0x0F, 2])?;
            dribble(client)
        }),
        Box::new(move |client| {
            client.greet("mysql_native_password", true)?;
            client.receive()?;
            // A record of TLS.
            client.raw(&[22, 3, 3, 0x3F, 0xFF])?;
            dribble(client)
        }),
        // In the statements by which the session is set up.
        Box::new(move |client| {
            client.greet("mysql_native_password", false)?;
            client.receive()?;
            client.ok()?;
            client.receive()?;
            client.raw(&[0xFF, 0xFF, 0x0F, 1])?;
            dribble(client)
        }),
    ];
    for script in scripts {
        let rogue = Rogue::new(script);
        let error = orm_core::connect(&rogue.url("connect_timeout=0.4")).map(|_| ()).expect_err("it has no end");
        assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
        assert!(format!("{error:?}").contains("did not answer in time"), "{error:?}");
    }
}

/// What is sent before the encryption must not be taken for what comes after.
#[test]
fn plaintext_before_the_handshake() {
    let (error, rogue) = refused(|client| {
        let ok = packet(2, &[0, 0, 0, 2, 0, 0, 0]);
        client.raw(&[packet(0, &greeting("mysql_native_password", true)), ok].concat())?;
        client.listen()
    });
    assert!(error.contains("speaks before the connection is encrypted"), "{error}");
    assert!(rogue.heard().is_empty());
    // And after the client has asked for it.
    let rogue = Rogue::new(|client| {
        client.greet("mysql_native_password", true)?;
        client.receive()?;
        client.ok()?;
        client.listen()
    });
    let error = MysqlConnection::establish(&rogue.url("ssl_mode=required")).map(|_| ()).expect_err("it is not TLS");
    assert!(error.to_string().contains("cannot be encrypted"), "{error}");
    assert!(!rogue.has_heard("me\0"), "the user's name was sent");
}

/// A man in the middle who takes TLS out of the greeting.
#[test]
fn a_greeting_without_its_tls() {
    for mode in ["required", "verify_ca", "verify_identity"] {
        let rogue = Rogue::new(|client| {
            client.greet("mysql_native_password", false)?;
            client.listen()
        });
        let error = orm_core::connect(&rogue.url(&format!("ssl_mode={mode}"))).map(|_| ()).expect_err("it has no TLS");
        assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
        assert!(error.to_string().contains("has no TLS"), "{error}");
        assert!(rogue.heard().is_empty(), "neither the user nor anything else was sent");
    }
}

#[test]
fn endless_columns() -> TestResult {
    // More than can be counted where a statement is prepared; and as many as can, with names that fill a memory.
    let name =
        [&b"\x03def\0\0\0\xFC\x60\xEA"[..], &[b'c'; 60_000], &[0, 0x0C, 45, 0, 255, 0, 0, 0, 0xFD, 0, 0, 0, 0, 0]]
            .concat();
    let counts: [&[u8]; 3] = [&[0xFD, 0, 0, 1], &[0xFE, 255, 255, 255, 255, 255, 255, 255, 127], &[0xFC, 0xFF, 0xFF]];
    for count in counts {
        let name = name.clone();
        let rogue = after_login(move |client| {
            client.answer(&[count.to_vec()])?;
            loop {
                client.send(&name)?;
            }
        });
        let error = connect(&rogue)?.batch_execute("SELECT 1").expect_err("no result is like this").to_string();
        assert!(error.contains("number of columns") || error.contains("names of a result's columns"), "{error}");
    }
    Ok(())
}

#[test]
fn huge_lengths() -> TestResult {
    let scripts: [fn(&mut Client) -> io::Result<()>; 4] = [
        // A packet of 16 MiB, of which there is a little.
        |client| client.raw(&[0xFE, 0xFF, 0xFF, 1, 0]),
        // A number of columns that no machine could hold.
        |client| client.send(&[0xFE, 255, 255, 255, 255, 255, 255, 255, 255]),
        // A value of a row that is longer than the row.
        |client| {
            let row = vec![0xFE, 255, 255, 255, 255, 255, 255, 255, 127, b'x'];
            [vec![1], column("a", 0xFD), row].iter().try_for_each(|packet| client.send(packet))
        },
        |client| [vec![1], column("a", 0xFD), vec![0xFD, 9, 9]].iter().try_for_each(|packet| client.send(packet)),
    ];
    for script in scripts {
        let rogue = after_login(move |client| {
            client.receive()?;
            script(client)
        });
        let mut connection = connect(&rogue)?;
        assert!(connection.batch_execute("SELECT 1").is_err());
        assert!(connection.batch_execute("SELECT 1").is_err());
    }
    Ok(())
}

/// A stream of a server that vanishes at any byte is never shorter without an error.
#[test]
fn answers_that_are_cut_off() -> TestResult {
    let packets = [vec![2], column("a", 8), column("b", 0xFD)];
    let rows: Vec<Vec<u8>> = (1..=3_u8).map(|id| vec![0, 0, id, 0, 0, 0, 0, 0, 0, 0, 1, b'x']).collect();
    let all: Vec<u8> = packets.iter().chain(&rows).zip(1..).flat_map(|(payload, at)| packet(at, payload)).collect();
    for cut in 0..=all.len() {
        let sent = all[..cut].to_vec();
        let rogue = after_login(move |client| {
            // To what comes before the statement of the stream.
            while client.receive()?.first() != Some(&0x16) {
                client.ok()?;
            }
            client.send(PREPARED)?;
            client.receive()?;
            client.raw(&sent)
        });
        let db = Database::<Mysql>::builder().pool_size(1).test_on_checkout(false).connect(&rogue.url(""))?;
        let answer = Number::objects(&db).try_iterator(1).and_then(Iterator::collect::<orm_core::Result<Vec<_>>>);
        let error = answer.expect_err("the end of the result never came");
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{cut}: {error:?}");
    }
    Ok(())
}

/// Packets as a server sends them, some of them not.
fn any_packet() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![4 => 0..12_u8, 1 => 0xFA..=0xFF_u8, 2 => any::<u8>()];
    let name = prop_oneof![Just("id"), Just("name"), Just("")];
    prop_oneof![
        2 => Just(PREPARED.to_vec()),
        2 => Just(END.to_vec()),
        1 => Just(vec![0, 0, 0, 0x0A, 0, 0, 0]),
        1 => Just(b"\xFF\x28\x04#42000You have an error".to_vec()),
        3 => (0..4_u8).prop_map(|count| vec![count]),
        6 => (name, prop_oneof![Just(8_u8), Just(0xFD_u8), any::<u8>()]).prop_map(|(name, code)| column(name, code)),
        4 => prop::collection::vec(byte.clone(), 0..20).prop_map(|row| [&[0, 0][..], &row].concat()),
        3 => prop::collection::vec(byte, 0..60),
    ]
}

/// An answer: packets, of which some are cut, out of order, or not what their length says.
fn any_answer() -> impl Strategy<Value = Vec<u8>> {
    let flaw = prop_oneof![
        12 => Just(None),
        1 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(Some),
    ];
    prop::collection::vec((any_packet(), flaw), 0..12).prop_map(|packets| {
        let mut number = 1_u8;
        packets
            .into_iter()
            .flat_map(|(payload, flaw)| {
                let mut bytes = packet(number, &payload);
                number = number.wrapping_add(1);
                if let Some((at, byte)) = flaw {
                    let at = at.index(bytes.len());
                    bytes[at] = byte;
                }
                bytes
            })
            .collect()
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
    TestRunner::new(random::config(150)).run(&prop::collection::vec(any_answer(), 1..6), |answers| {
        let answers = Arc::new(answers);
        let rogue = after_login(move |client| {
            for answer in answers.iter() {
                while client.receive()?.first() == Some(&0x19) {} // has no answer
                client.raw(answer)?;
            }
            Ok(())
        });
        // The client may wait for what was not sent, while the server waits for the next command.
        let url = rogue.url("connect_timeout=0.5&read_timeout=0.02");
        let built = Database::<Mysql>::builder().pool_size(1).test_on_checkout(false);
        let Ok(db) = built.checkout_timeout(Duration::from_millis(50)).connect(&url) else { return Ok(()) };
        connected.set(connected.get() + 1);
        if let Ok(rows) = Number::objects(&db).try_iterator(2) {
            let _ = rows.count();
        }
        if let Ok(mut connection) = MysqlConnection::establish(&url) {
            let _ = connection.batch_execute("SELECT 1");
            let _ = sql_query("SELECT 1").load::<Any>(&mut connection);
            let _ = sql_query("SELECT 1").execute(&mut connection);
        }
        Ok(())
    })?;
    assert!(connected.get() > 75, "only {} of them could log in", connected.get());
    Ok(())
}
