//! Which of several PostgreSQL servers is taken, what is said of the others, and how a statement is cancelled.

use std::{
    io,
    net::TcpListener,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread,
    time::Duration,
};

use diesel::{Connection, RunQueryDsl, connection::SimpleConnection, dsl::sql, sql_types::Text};
use orm_core::{BackendKind, diesel, prelude::*};
use orm_tests::{
    TestResult,
    certificates::{HERE, Wanted},
    private_server::PrivateServer,
    proxy::Proxy,
    rogue::{Client, Rogue, data_row, error_response, message, row_description},
};

use super::{
    PgConnection,
    private::{ENCODED, PASSWORD, ask, authority, host, server, socket_folder, url},
};

/// The `host:port` of a URL.
fn place(url: &str) -> &str {
    url.rsplit('@').next().and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default()
}

/// The user `scram` on these servers.
fn on(servers: &[&str], options: &str) -> String {
    format!("postgres://scram:{ENCODED}@{}/postgres?{options}", servers.join(","))
}

/// A port where nobody listens: one that was free a moment ago.
fn nobody() -> io::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// A server whose sessions are read-only, as a standby's are.
fn read_only() -> &'static PrivateServer {
    static SERVER: OnceLock<PrivateServer> = OnceLock::new();
    SERVER.get_or_init(|| {
        let server = PrivateServer::postgres(&["default_transaction_read_only=on"]);
        let role = format!("CREATE ROLE scram LOGIN PASSWORD '{PASSWORD}'");
        server.execute(&format!("BEGIN READ WRITE; {role}; COMMIT"));
        server
    })
}

/// A server that says this of itself, and answers every question by this text.
fn rogue(settings: &'static [&'static str], answer: &'static str) -> Rogue {
    Rogue::new(move |client| {
        client.startup()?;
        client.say(b'R', &[0; 4])?;
        client.settings()?;
        for setting in settings {
            client.say(b'S', setting.as_bytes())?;
        }
        client.say(b'Z', b"I")?;
        while let (b'Q', _) = client.hear()? {
            let row = data_row(&[Some(answer.as_bytes())]);
            let end = [message(b'C', b"SELECT 1\0"), message(b'Z', b"I")].concat();
            client.raw(&[row_description(1, 25), row, end].concat())?;
        }
        Ok(())
    })
}

/// The first server that is as it is wanted is taken.
#[test]
fn the_first_that_fits_is_taken() -> TestResult {
    let (dead, usual, read_only) = (nobody()?, host(), place(read_only().url()));
    for (servers, wanted, taken) in [
        (vec![usual, read_only], "any", Some(usual)),
        (vec![read_only, usual], "any", Some(read_only)),
        (vec![&dead, read_only, usual], "any", Some(read_only)),
        (vec![&dead, read_only, usual], "read-write", Some(usual)),
        (vec![&dead, usual, read_only], "read-only", Some(read_only)),
        (vec![&dead, usual], "read-only", None),
        (vec![&dead, read_only], "read-write", None),
        (vec![usual], "primary", Some(usual)),
        (vec![usual, read_only], "standby", None),
        (vec![&dead, usual, read_only], "prefer-standby", Some(usual)),
    ] {
        let url = on(&servers, &format!("target_session_attrs={wanted}"));
        let answer = ask(&url, "'127.0.0.1:' || current_setting('port')").map_err(|error| error.to_string());
        match taken {
            Some(taken) => assert_eq!(answer.as_deref(), Ok(taken), "{servers:?}, {wanted}"),
            None => {
                let error = answer.expect_err("none of them fits");
                assert!(error.contains("none of the servers could be used"), "{error}");
                assert!(servers.iter().all(|server| error.contains(server)), "each is named: {error}");
                assert!(error.contains("target_session_attrs") && !error.contains("s3cr3t"), "{error}");
            }
        }
    }
    Ok(())
}

/// A standby says so, or is asked where it is older than PostgreSQL 14. Here a rogue speaks for it.
#[test]
fn standbys() {
    const OFF: &str = "default_transaction_read_only\0off\0";
    let new_standby = || rogue(&["in_hot_standby\0on\0", OFF], "never asked");
    let new_primary = || rogue(&["in_hot_standby\0off\0", OFF], "never asked");
    let old_standby = || rogue(&[], "t");
    let old_primary = || rogue(&[], "f");
    for (name, make, is_standby) in [
        ("new standby", &new_standby as &dyn Fn() -> Rogue, true),
        ("new primary", &new_primary, false),
        ("old standby", &old_standby, true),
        ("old primary", &old_primary, false),
    ] {
        for (wanted, fits) in
            [("any", true), ("standby", is_standby), ("primary", !is_standby), ("prefer-standby", true)]
        {
            let rogue = make();
            let url = rogue.postgres_url(&format!("sslmode=disable&target_session_attrs={wanted}"));
            assert_eq!(PgConnection::establish(&url).is_ok(), fits, "{name}, {wanted}");
            let is_asked = rogue.has_heard("pg_is_in_recovery");
            let is_to_be_asked = name.starts_with("old") && wanted != "any";
            assert_eq!(is_asked, is_to_be_asked, "{name}, {wanted}");
        }
    }
    for (name, make, writes) in [
        ("new standby", &new_standby as &dyn Fn() -> Rogue, false),
        ("new primary", &new_primary, true),
        ("old, read-only", &|| rogue(&[], "on"), false),
        ("old, read-write", &|| rogue(&[], "off"), true),
        ("new, read-only", &|| rogue(&["in_hot_standby\0off\0", "default_transaction_read_only\0on\0"], "?"), false),
    ] {
        for (wanted, fits) in [("read-write", writes), ("read-only", !writes)] {
            let rogue = make();
            let url = rogue.postgres_url(&format!("sslmode=disable&target_session_attrs={wanted}"));
            assert_eq!(PgConnection::establish(&url).is_ok(), fits, "{name}, {wanted}");
        }
    }
    // The one that is preferred is taken, wherever it stands; else any.
    let (primary, standby) = (new_primary(), new_standby());
    let both = primary.postgres_url("sslmode=disable&target_session_attrs=prefer-standby&application_name=both");
    let servers = format!("{},{}", place(&primary.postgres_url("")), place(&standby.postgres_url("")));
    let both = both.replace(place(&primary.postgres_url("")), &servers);
    assert!(PgConnection::establish(&both).is_ok());
    assert!(standby.has_heard("both"));
}

/// Who refuses the user is believed: the password is not tried on others. Who has no room, or is starting, is not the
/// last.
#[test]
fn who_is_asked_after_a_refusal() -> TestResult {
    for (sqlstate, goes_on) in
        [("28P01", false), ("28000", false), ("3D000", false), ("42501", false), ("53300", true), ("57P03", true)]
    {
        let rogue = Rogue::new(move |client| {
            client.startup()?;
            client.raw(&error_response("FATAL", sqlstate, "no"))?;
            client.listen()
        });
        let first = rogue.postgres_url("");
        let answer = ask(&on(&[place(&first), host()], "sslmode=prefer"), "current_user::text");
        assert_eq!(answer.is_ok(), goes_on, "{sqlstate}: {answer:?}");
        assert!(!rogue.has_heard("s3cr3t"));
    }
    Ok(())
}

/// A server that says nothing takes its share of the time, and no more.
#[test]
fn servers_that_say_nothing() -> TestResult {
    let silent = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
    let [first, second] = [&silent[0], &silent[1]].map(|silent| silent.local_addr().map(|address| address.to_string()));
    let (first, second) = (first?, second?);
    for mode in ["disable", "require"] {
        let options = format!("sslmode={mode}&connect_timeout=8");
        assert_eq!(ask(&on(&[&first, host()], &options), "current_user::text")?, "scram", "{mode}");
        let error = orm_core::connect(&on(&[&first], "connect_timeout=0.3")).map(|_| ()).expect_err("it says nothing");
        assert_eq!(error.kind(), ErrorKind::Connection);
        assert!(error.to_string().contains("did not answer in time"), "{error}");
    }
    let error =
        orm_core::connect(&on(&[&first, &second], "connect_timeout=0.4")).map(|_| ()).expect_err("nor this one");
    let shown = format!("{error:?}");
    assert!(shown.contains(&first) && shown.contains(&second) && shown.contains("in time"), "{shown}");
    Ok(())
}

#[test]
fn connections_are_spread() -> TestResult {
    let proxies = [Proxy::to(server().url()), Proxy::to(server().url())];
    let servers = proxies.each_ref().map(|proxy| place(proxy.url()));
    for _ in 0..40 {
        PgConnection::establish(&on(&servers, "load_balance_hosts=random"))?;
    }
    assert!(proxies.iter().all(|proxy| proxy.received() > 0), "each is taken at times");
    let proxies = [Proxy::to(server().url()), Proxy::to(server().url())];
    let servers = proxies.each_ref().map(|proxy| place(proxy.url()));
    for _ in 0..10 {
        PgConnection::establish(&on(&servers, ""))?;
    }
    assert_eq!(proxies[1].received(), 0, "they are taken in their order otherwise");
    Ok(())
}

/// A statement is cancelled from another thread, by any way to the server, and the connection goes on.
#[test]
fn a_statement_is_cancelled() -> TestResult {
    let folder = socket_folder();
    for options in ["sslmode=disable".to_owned(), "sslmode=require".to_owned(), format!("host={folder}")] {
        let mut connection = PgConnection::establish(&url("scram", &options))?;
        let token = connection.cancel_token();
        token.cancel()?; // nothing is running
        let pid: String = diesel::select(sql::<Text>("pg_backend_pid()::text")).get_result(&mut connection)?;
        let canceller = thread::spawn({
            let token = token.clone();
            move || -> Result<(), orm_core::Error> {
                let runs = format!("SELECT 1 FROM pg_stat_activity WHERE pid = {pid} AND wait_event = 'PgSleep'");
                while server().texts(&runs).is_empty() {
                    thread::sleep(Duration::from_millis(10));
                }
                token.cancel()
            }
        });
        let slept = connection.batch_execute("SELECT pg_sleep(600)");
        canceller.join().expect("it does not panic")?;
        let error = slept.expect_err("it was cancelled").to_string();
        assert!(error.contains("canceling statement due to user request"), "{options}: {error}");
        assert_eq!(diesel::select(sql::<Text>("'still here'")).get_result::<String>(&mut connection)?, "still here");
    }
    Ok(())
}

/// The secret goes where the connection is, and encrypted if the connection is.
#[test]
fn where_a_cancel_request_goes() -> TestResult {
    const TLS_REQUEST: i32 = 80_877_103;
    const CANCEL_REQUEST: i32 = 80_877_102;
    let identity = authority().identity(Wanted { name: "cancelled", hosts: HERE, expired: false });
    for encrypted in [false, true] {
        let tls = identity.server();
        let requests = Arc::<Mutex<Vec<(bool, i32, Vec<u8>)>>>::default();
        let told = requests.clone();
        let rogue = Rogue::new(move |client: &mut Client| {
            let (mut code, mut body) = client.first_message()?;
            let is_encrypted = code == TLS_REQUEST;
            if is_encrypted {
                client.raw(b"S")?;
                client.encrypt(&tls)?;
                (code, body) = client.first_message()?;
            }
            if code == CANCEL_REQUEST {
                told.lock().unwrap_or_else(PoisonError::into_inner).push((is_encrypted, code, body));
                return Ok(());
            }
            client.say(b'R', &[0; 4])?;
            client.settings()?;
            client.say(b'Z', b"I")?;
            client.listen()
        });
        let options = if encrypted { "sslmode=require" } else { "sslmode=disable" };
        let connection = PgConnection::establish(&rogue.postgres_url(options))?;
        let token = connection.cancel_token();
        drop(connection);
        token.cancel()?;
        let shown = format!("{token:?}");
        assert!(shown.contains(place(&rogue.postgres_url(""))) && !shown.contains("s3cr3t"), "{shown}");
        let requests = requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        assert_eq!(requests, [(encrypted, CANCEL_REQUEST, vec![0, 0, 0, 7, 1, 2, 3, 4])]);
    }
    Ok(())
}

/// A server that does not say how, and one that is gone.
#[test]
fn what_cannot_be_cancelled() -> TestResult {
    let keyless = Rogue::new(|client| {
        client.startup()?;
        client.say(b'R', &[0; 4])?;
        client.say(b'Z', b"I")?;
        client.listen()
    });
    let error = PgConnection::establish(&keyless.postgres_url("sslmode=disable"))?.cancel_token().cancel();
    let error = error.expect_err("there is no key");
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.to_string().contains("has not said how to cancel"), "{error}");

    let own = PrivateServer::postgres(&[]);
    let token = PgConnection::establish(own.url())?.cancel_token();
    drop(own);
    let error = token.cancel().expect_err("the server is gone");
    assert_eq!((error.kind(), error.backend()), (ErrorKind::Connection, Some(BackendKind::Postgres)));
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    Ok(())
}
