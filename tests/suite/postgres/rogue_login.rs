//! Servers of PostgreSQL's protocol that do harm before anybody is logged in: each is refused, in bounded time, and
//! neither the password nor what was not asked for is told.

use std::io;

use diesel::Connection;
use orm_core::{diesel, prelude::*};
use orm_tests::{
    TestResult,
    rogue::{Client, Rogue, error_response, message},
};

use super::PgConnection;

type Script = Box<dyn Fn(&mut Client) -> io::Result<()> + Send + Sync>;

/// The error of connecting to a server with this script; what the client sent stands beside.
fn refused(what: &str, options: &str, script: Script) -> (String, Rogue) {
    let rogue = Rogue::new(script);
    // What goes on for ever hangs, and is seen.
    let url = rogue.postgres_url(&format!("{options}&connect_timeout=20"));
    let error = PgConnection::establish(&url).map(|_| ()).expect_err(what).to_string();
    assert!(!error.contains("s3cr3t"), "{what}: {error}");
    assert!(!rogue.has_heard("s3cr3t"), "{what}: the password was sent");
    assert!(!error.contains("in time"), "{what}: {error}");
    (error, rogue)
}

/// To the first message this is said, and no more.
fn says(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Script {
    Box::new(move |client| {
        client.startup()?;
        client.raw(bytes.as_ref())?;
        client.listen()
    })
}

fn request(code: i32, more: &[u8]) -> Vec<u8> {
    message(b'R', &[&code.to_be_bytes()[..], more].concat())
}

fn ready() -> Vec<u8> {
    message(b'Z', b"I")
}

#[test]
fn a_server_of_another_protocol() {
    for greeting in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"\x4A\0\0\0\x0A8.0.36\0",
        b"-ERR unknown command\r\n",
        b"\0\0\0\0\0\0\0\0\0\0",
        b"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
    ] {
        refused("another protocol", "sslmode=disable", says(greeting));
        let at_once: Script = Box::new(move |client| {
            client.raw(greeting)?;
            client.listen()
        });
        let (_, rogue) = refused("another protocol", "sslmode=require", at_once);
        assert!(!rogue.has_heard("me\0"), "the user's name was told");
    }
}

/// What no server says before it has let somebody in.
#[test]
fn what_is_out_of_order() {
    let ok = || request(0, b"");
    for (what, bytes) in [
        ("readiness without a word about the password", ready()),
        ("settings and readiness", [message(b'S', b"a\0b\0"), ready()].concat()),
        ("a key and readiness", [message(b'K', &[0; 8]), ready()].concat()),
        ("rows", message(b'D', b"\0\0")),
        ("the end of a statement", [ok(), message(b'C', b"SELECT 1\0"), ready()].concat()),
        ("a row behind the login", [ok(), message(b'D', b"\0\0"), ready()].concat()),
        ("COPY", [ok(), message(b'G', &[0, 0, 0]), ready()].concat()),
        ("a login twice", [ok(), ok(), ready()].concat()),
        ("a request for the password behind the login", [ok(), request(3, b""), ready()].concat()),
        ("an unknown message", message(b'~', b"")),
        ("an unknown message behind the login", [ok(), message(b'~', b""), ready()].concat()),
        ("a login without a code", message(b'R', b"")),
        ("a login with half a code", message(b'R', b"\0\0")),
        ("a message of length 0", b"R\0\0\0\0".to_vec()),
        ("a message of length 3", b"R\0\0\0\x03".to_vec()),
        ("a message of length -1", b"R\xFF\xFF\xFF\xFF".to_vec()),
        ("a login of the greatest length", b"R\x7F\xFF\xFF\xFF\0\0\0\0".to_vec()),
        ("a setting without an end", [ok(), message(b'S', b"a\0b"), ready()].concat()),
        ("a key that is cut off", [ok(), message(b'K', &[0; 5]), ready()].concat()),
        ("readiness of the greatest length", [ok(), b"Z\x7F\xFF\xFF\xFFI".to_vec()].concat()),
        ("an error without an end", message(b'E', b"SFATAL\0C28000")),
        ("an empty error", message(b'E', b"")),
        ("an error behind the login", [ok(), error_response("FATAL", "57P03", "not now")].concat()),
    ] {
        refused(what, "sslmode=disable", says(bytes));
    }
}

/// Ways to log in that there are not, or not here, or that want what must not be given.
#[test]
fn ways_to_log_in() {
    for code in [1, 2, 4, 6, 7, 8, 9, 13, 99, -1, i32::MIN, i32::MAX] {
        refused(&format!("the way {code}"), "sslmode=disable", says(request(code, &[0; 4])));
    }
    for (what, bytes) in [
        ("a salt that is short", request(5, b"ab")),
        ("SCRAM that goes on before it began", request(11, b"r=abc,s=QUJD,i=4096")),
        ("SCRAM that ends before it began", request(12, b"v=QUJD")),
        ("no mechanism", request(10, b"\0")),
        ("no mechanisms at all", request(10, b"")),
        ("a mechanism without an end", request(10, b"SCRAM-SHA-256")),
        ("unknown mechanisms", request(10, b"PLAIN\0OAUTHBEARER\0\0")),
        ("a channel to bind to, without TLS", request(10, b"SCRAM-SHA-256-PLUS\0\0")),
    ] {
        refused(what, "sslmode=disable", says(bytes));
    }
}

/// SCRAM up to the client's nonce; what the server says then is up to `answer`.
fn scram(answer: impl Fn(&mut Client, &str) -> io::Result<()> + Send + Sync + 'static) -> Script {
    Box::new(move |client| {
        client.startup()?;
        client.raw(&request(10, b"SCRAM-SHA-256\0\0"))?;
        let (_, first) = client.hear()?;
        let first = String::from_utf8_lossy(&first).into_owned();
        // The nonce is random and may hold `r=`, but no comma.
        let nonce = first.rsplit_once(",r=").map(|(_, nonce)| nonce.to_owned()).unwrap_or_default();
        answer(client, &nonce)?;
        client.listen()
    })
}

#[test]
fn scram_that_is_wrong_from_the_start() {
    for (what, first) in [
        ("another nonce", "r=abcdefghijklmnop,s=QUJDRA==,i=4096"),
        ("a nonce that is cut", "r=NON,s=QUJDRA==,i=4096"),
        ("no nonce", "s=QUJDRA==,i=4096"),
        ("no salt", "r=NONCExyz,i=4096"),
        ("a salt that is no base64", "r=NONCExyz,s=*,i=4096"),
        ("no iterations", "r=NONCExyz,s=QUJDRA=="),
        ("0 iterations", "r=NONCExyz,s=QUJDRA==,i=0"),
        ("-1 iterations", "r=NONCExyz,s=QUJDRA==,i=-1"),
        ("2^31 iterations", "r=NONCExyz,s=QUJDRA==,i=2147483648"),
        ("2^31 - 1 iterations", "r=NONCExyz,s=QUJDRA==,i=2147483647"),
        ("2^32 - 1 iterations", "r=NONCExyz,s=QUJDRA==,i=4294967295"),
        ("2^64 iterations", "r=NONCExyz,s=QUJDRA==,i=18446744073709551616"),
        ("iterations that are no number", "r=NONCExyz,s=QUJDRA==,i=many"),
        ("an error", "e=other-error"),
        ("nothing", ""),
        ("an extension that is mandatory", "m=ext,r=NONCExyz,s=QUJDRA==,i=4096"),
        ("no text", "\u{FFFD}\0\u{1}"),
    ] {
        let (_, rogue) = refused(
            what,
            "sslmode=disable",
            scram(move |client, nonce| client.raw(&request(11, first.replace("NONCE", nonce).as_bytes()))),
        );
        // What follows from the password would be sent as a proof.
        assert!(!rogue.has_heard(",p="), "{what}: a proof was sent");
    }
}

/// A server that does not know the password cannot sign; who does not sign is not the server.
#[test]
fn scram_that_does_not_prove_the_server() {
    type End = fn(&mut Client) -> io::Result<()>;
    let ends: [(&str, End); 8] = [
        ("a wrong signature", |client| {
            client.raw(
                &[request(12, &[b"v=", "A".repeat(43).as_bytes(), b"="].concat()), request(0, b""), ready()].concat(),
            )
        }),
        ("an empty signature", |client| client.raw(&[request(12, b"v="), request(0, b""), ready()].concat())),
        ("a signature that is no base64", |client| {
            client.raw(&[request(12, b"v=*"), request(0, b""), ready()].concat())
        }),
        ("no text at all", |client| client.raw(&[request(12, b""), request(0, b""), ready()].concat())),
        ("an error", |client| client.raw(&[request(12, b"e=invalid-proof"), request(0, b""), ready()].concat())),
        ("no signature", |client| client.raw(&[request(0, b""), ready()].concat())),
        ("another round", |client| {
            client.raw(&[request(11, b"r=abc,s=QUJDRA==,i=4096"), request(0, b""), ready()].concat())
        }),
        ("another way to log in", |client| client.raw(&request(3, b""))),
    ];
    for (what, end) in ends {
        let script = scram(move |client, nonce| {
            client.raw(&request(11, format!("r={nonce}xyz,s=QUJDRA==,i=4096").as_bytes()))?;
            client.hear()?;
            end(client)
        });
        let (_, rogue) = refused(what, "sslmode=disable", script);
        assert!(rogue.has_heard(",p="), "{what}: it came as far as the proof");
    }
}

/// Between SCRAM's beginning and its end, a server may not simply let us in: that would be a server without a password.
#[test]
fn scram_that_is_left_out() {
    refused(
        "let in in the midst of it",
        "sslmode=disable",
        scram(|client, _| client.raw(&[request(0, b""), ready()].concat())),
    );
    for options in ["sslmode=disable&require_auth=scram-sha-256", "sslmode=disable&channel_binding=require"] {
        refused("let in without it", options, says([request(0, b""), ready()].concat()));
        refused("the password in the clear", options, says(request(3, b"")));
        refused("MD5", options, says(request(5, b"salt")));
    }
}

/// What is said in the place of the byte that answers the question for TLS.
#[test]
fn what_answers_the_question_for_tls() {
    let first = |bytes: &'static [u8]| -> Script {
        Box::new(move |client| {
            client.first_message()?;
            client.raw(bytes)?;
            client.listen()
        })
    };
    for answer in [&b"X"[..], b"\0", b"s", b"R\0\0\0\x08\0\0\0\0", b"\x16\x03\x01"] {
        let (_, rogue) = refused("no answer", "sslmode=require", first(answer));
        assert!(!rogue.has_heard("user\0"), "{answer:?}: the user was told");
        // Where TLS is only preferred, it is no reason to go on in the clear on this connection either.
        let (_, rogue) = refused("no answer", "sslmode=prefer", first(answer));
        assert!(!rogue.has_heard("s3cr3t"));
    }
    let (error, rogue) = refused("no TLS", "sslmode=require", first(b"N"));
    assert!(error.contains("TLS") && !rogue.has_heard("user\0"), "{error}");
}

/// What came before the encryption must not be taken for what comes after it.
#[test]
fn plaintext_before_the_handshake() {
    let smuggled = [&b"S"[..], &request(0, b""), &ready()].concat();
    for mode in ["require", "prefer"] {
        let smuggled = smuggled.clone();
        let script: Script = Box::new(move |client| {
            client.first_message()?;
            client.raw(&smuggled)?;
            client.listen()
        });
        let (_, rogue) = refused("bytes behind the answer", &format!("sslmode={mode}"), script);
        assert!(!rogue.has_heard("user\0"), "the user was told");
    }
    // No answer to a handshake, but a login in the clear.
    let script: Script = Box::new(|client| {
        client.first_message()?;
        client.raw(b"S")?;
        client.raw(&[request(0, b""), ready()].concat())?;
        client.listen()
    });
    let (_, rogue) = refused("a login in the place of a handshake", "sslmode=require", script);
    assert!(!rogue.has_heard("user\0"));
}

#[test]
fn a_server_that_says_nothing() {
    let rogue = Rogue::new(Client::listen);
    for options in ["sslmode=disable", "sslmode=prefer", "sslmode=require"] {
        let url = rogue.postgres_url(&format!("{options}&connect_timeout=0.3"));
        let error = orm_core::connect(&url).map(|_| ()).expect_err("it never answers");
        assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
        assert!(format!("{error:?}").contains("in time"), "{error:?}");
    }
    let built = Database::<Pg>::builder().connect_timeout(std::time::Duration::from_millis(300));
    let error = built.connect(&rogue.postgres_url("sslmode=disable")).map(|_| ()).expect_err("it never answers");
    assert!(format!("{error:?}").contains("in time"), "{error:?}");
}

/// One who says a byte now and then, or ever the same, has said nothing in time, either: the limit is for all of it.
#[test]
fn a_server_that_has_no_end() -> TestResult {
    fn for_ever(client: &mut Client, bytes: &[u8]) -> io::Result<()> {
        loop {
            client.raw(bytes)?;
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
    let notice = message(b'N', b"SNOTICE\0VNOTICE\0C00000\0Mwait\0\0");
    let error = error_response("FATAL", "53300", "sorry, too many clients already");
    let scripts: [(&str, Vec<u8>, Vec<u8>); 9] = [
        ("bytes of a message", b"R\0\0\x0F\xFF".to_vec(), vec![0]),
        ("notices", vec![], notice.clone()),
        ("notices behind the login", request(0, b""), notice),
        ("settings", request(0, b""), message(b'S', b"name\0value\0")),
        ("keys", request(0, b""), message(b'K', &[0; 8])),
        ("errors", vec![], error.clone()),
        ("errors behind the login", request(0, b""), error),
        ("a very long error", b"E\x7F\xFF\xFF\xFF".to_vec(), vec![b'x'; 1 << 16]),
        ("a very long notice", b"N\x7F\xFF\xFF\xFF".to_vec(), vec![b'x'; 1 << 16]),
    ];
    for (what, first, then) in scripts {
        let rogue = Rogue::new(move |client| {
            client.startup()?;
            client.raw(&first)?;
            for_ever(client, &then)
        });
        let url = rogue.postgres_url("sslmode=disable&connect_timeout=0.4");
        let error = orm_core::connect(&url).map(|_| ()).expect_err(what);
        assert_eq!(error.kind(), ErrorKind::Connection, "{what}: {error:?}");
    }
    // A byte at a time in the place of a handshake.
    let rogue = Rogue::new(|client| {
        client.first_message()?;
        client.raw(&[b'S', 22, 3, 3, 0x3F, 0xFF])?;
        for_ever(client, &[0])
    });
    let url = rogue.postgres_url("sslmode=require&connect_timeout=0.4");
    let error = orm_core::connect(&url).map(|_| ()).expect_err("it has no end");
    assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
    Ok(())
}
