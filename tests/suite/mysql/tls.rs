//! TLS to MySQL and MariaDB: which servers are believed, what is encrypted, and that whatever is large comes through,
//! compressed, too.

use std::{io, path::Path, sync::OnceLock};

use diesel::{Connection, RunQueryDsl, connection::SimpleConnection, dsl::sql, sql_types::Text};
use orm_core::{MysqlConnection, diesel, prelude::*};
use orm_tests::{
    TestResult,
    certificates::{Authority, HERE, Identity, Wanted},
    private_server::PrivateServer,
    proxy::Proxy,
    rogue::Rogue,
};

use crate::models::Number;

const MODES: [&str; 5] = ["disabled", "preferred", "required", "verify_ca", "verify_identity"];

fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(Authority::new)
}

/// A server with a certificate of the authority's for this machine. It ends when this process does.
fn server() -> &'static PrivateServer {
    static SERVER: OnceLock<PrivateServer> = OnceLock::new();
    SERVER.get_or_init(|| {
        let identity = authority().identity(Wanted { name: "mariadb", hosts: HERE, expired: false });
        let option = |name: &str, path: &Path| format!("{name}={}", path.display());
        let options = [
            option("ssl-ca", &authority().file()),
            option("ssl-cert", &identity.certificate_file),
            option("ssl-key", &identity.key_file),
        ];
        PrivateServer::mysql(&options.each_ref().map(String::as_str))
    })
}

fn with_mode(url: &str, mode: &str) -> String {
    let ca =
        if mode.starts_with("verify") { format!("&ssl_ca={}", authority().file().display()) } else { String::new() };
    format!("{url}{}ssl_mode={mode}{ca}", if url.contains('?') { '&' } else { '?' })
}

/// A server that shows this certificate, and lets everybody in.
fn rogue(identity: Option<&Identity>) -> Rogue {
    let tls = identity.map(Identity::server);
    Rogue::new(move |client| {
        client.log_in(tls.as_ref())?;
        client.serve(&[])
    })
}

/// Every mode against every kind of server.
#[test]
fn who_is_believed() {
    let wanted = |name, hosts, expired| Wanted { name, hosts, expired };
    let good = authority().identity(wanted("good", HERE, false));
    let self_signed = authority().self_signed(wanted("self-signed", HERE, false));
    let other_name = authority().identity(wanted("other-name", &["db.example.org", "10.9.8.7"], false));
    let expired = authority().identity(wanted("expired", HERE, true));
    let others = Authority::new();
    let of_others = others.identity(wanted("of-others", HERE, false));
    for (name, identity, connects) in [
        ("no TLS", None, [true, true, false, false, false]),
        ("self-signed", Some(&self_signed), [true, true, true, false, false]),
        ("another authority's", Some(&of_others), [true, true, true, false, false]),
        ("another name", Some(&other_name), [true, true, true, true, false]),
        ("expired", Some(&expired), [true, true, true, false, false]),
        ("good", Some(&good), [true; 5]),
    ] {
        for (mode, connects) in MODES.into_iter().zip(connects) {
            let rogue = rogue(identity);
            let answer = MysqlConnection::establish(&with_mode(&rogue.url(""), mode).replace("?&", "?"));
            assert_eq!(answer.is_ok(), connects, "{name}, {mode}: {:?}", answer.map(|_| ()));
            if !connects {
                assert!(
                    !rogue.has_heard("me\0") && !rogue.has_heard("s3cr3t"),
                    "{name}, {mode}: it was told who we are"
                );
            }
        }
    }
    // By another name of the same machine, which is the one of the certificate.
    let local = authority().identity(wanted("local", &["localhost"], false));
    let rogue = rogue(Some(&local));
    let url = with_mode(&rogue.url(""), "verify_identity").replace("?&", "?");
    assert!(MysqlConnection::establish(&url).is_err());
    assert!(MysqlConnection::establish(&url.replace("127.0.0.1", "localhost")).is_ok());
}

#[test]
fn the_systems_authorities_do_not_know_ours() {
    let identity = authority().identity(Wanted { name: "unknown", hosts: HERE, expired: false });
    let rogue = rogue(Some(&identity));
    for mode in ["verify_ca", "verify_identity"] {
        let error = orm_core::connect(&rogue.url(&format!("ssl_mode={mode}"))).map(|_| ()).expect_err("who is that?");
        assert!(matches!(error.kind(), ErrorKind::Connection | ErrorKind::Configuration), "{error:?}");
    }
}

#[test]
fn files_that_are_none() -> TestResult {
    let folder = tempfile::tempdir()?;
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate")?;
    let identity = authority().identity(Wanted { name: "files", hosts: HERE, expired: false });
    let (certificate, key) = (identity.certificate_file.display(), identity.key_file.display());
    for options in [
        "ssl_mode=verify_ca&ssl_ca=/no/such/file".to_owned(),
        format!("ssl_mode=verify_ca&ssl_ca={}", empty.display()),
        format!("ssl_mode=verify_ca&ssl_ca={key}"),
        format!("ssl_mode=required&ssl_cert={certificate}&ssl_key={}", empty.display()),
        format!("ssl_mode=required&ssl_cert={certificate}&ssl_key={certificate}"),
        format!("ssl_mode=required&ssl_cert={}&ssl_key={key}", authority().file().display()),
    ] {
        let error = orm_core::connect(&format!("mysql://me:s3cr3t@127.0.0.1:1/db?{options}"));
        assert_eq!(error.map(|_| ()).map_err(|error| error.kind()), Err(ErrorKind::Configuration), "{options}");
    }
    Ok(())
}

fn status(connection: &mut MysqlConnection, variable: &str) -> diesel::QueryResult<String> {
    let expression =
        format!("(SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = '{variable}')");
    diesel::select(sql::<Text>(&expression)).get_result(connection)
}

#[test]
fn data_is_encrypted() -> TestResult {
    const SECRET: &str = "SELECT 'what nobody must read'";
    for mode in MODES {
        let proxy = Proxy::listening_in(server().url());
        let mut connection = MysqlConnection::establish(&with_mode(proxy.url(), mode))?;
        connection.batch_execute(SECRET)?;
        let cipher = status(&mut connection, "Ssl_cipher")?;
        assert_eq!(cipher.is_empty(), mode == "disabled", "{mode}: {cipher}");
        assert_eq!(proxy.has_heard(SECRET), mode == "disabled", "{mode}");
        if mode != "disabled" {
            assert!(status(&mut connection, "Ssl_version")?.starts_with("TLSv1."));
            assert!(!proxy.has_heard("orm\0"), "the user's name could be read");
        }
    }
    Ok(())
}

#[test]
fn over_a_unix_socket() -> TestResult {
    let socket = server().texts("SELECT @@socket").pop().flatten().expect("there is a variable for it");
    let url = format!("{}?unix_socket={socket}", server().url());
    for (mode, encrypted) in MODES.into_iter().zip([false, false, true, true, true]) {
        let mut connection = MysqlConnection::establish(&with_mode(&url, mode))?;
        assert_eq!(!status(&mut connection, "Ssl_cipher")?.is_empty(), encrypted, "{mode}");
    }
    Ok(())
}

/// An account that has to show a certificate.
#[test]
fn certificates_of_clients() -> TestResult {
    server().execute("CREATE USER shows_x509 IDENTIFIED BY 'word' REQUIRE X509");
    server().execute("CREATE USER needs_ssl IDENTIFIED BY 'word' REQUIRE SSL");
    let (_, rest) = server().url().split_once('@').expect("the URL names a user");
    let host = rest.split('/').next().unwrap_or_default();
    let mine = authority().identity(Wanted { name: "client", hosts: &[], expired: false });
    let others = Authority::new();
    let theirs = others.identity(Wanted { name: "stranger", hosts: &[], expired: false });
    let shows = |identity: &Identity| {
        format!("&ssl_cert={}&ssl_key={}", identity.certificate_file.display(), identity.key_file.display())
    };
    let try_it = |user: &str, mode: &str, more: &str| {
        MysqlConnection::establish(&format!("{}{more}", with_mode(&format!("mysql://{user}:word@{host}"), mode)))
    };
    assert!(try_it("shows_x509", "required", "").is_err());
    assert!(try_it("shows_x509", "required", &shows(&theirs)).is_err());
    for mode in ["required", "verify_ca", "verify_identity"] {
        assert!(try_it("shows_x509", mode, &shows(&mine)).is_ok(), "{mode}");
    }
    assert!(try_it("needs_ssl", "disabled", "").is_err());
    assert!(try_it("needs_ssl", "preferred", "").is_ok());
    Ok(())
}

const WAYS: [(&str, &str); 4] = [
    ("in the clear", "ssl_mode=disabled"),
    ("encrypted", "ssl_mode=required"),
    ("compressed", "ssl_mode=disabled&compress=true"),
    ("both", "ssl_mode=required&compress=true"),
];

/// Values of more than one packet's part, in both directions, and long streams.
#[test]
fn whatever_is_large_comes_through() -> TestResult {
    server().execute("CREATE TABLE IF NOT EXISTS numbers (id BIGINT PRIMARY KEY, name LONGTEXT)");
    let mut received = Vec::new();
    for (way, options) in WAYS {
        server().execute("DELETE FROM numbers");
        let proxy = Proxy::to(server().url());
        let db = Database::<Mysql>::builder().pool_size(1).connect(&format!("{}?{options}", proxy.url()))?;
        let text = |length: usize, id: i64| {
            "abcdefghijklmnopqrstuvwxyz-".repeat(length / 27 + 1)[..length].to_owned() + &id.to_string()
        };
        let sizes = [0xFF_FFF0, 0x100_0010, 17 << 20, 10];
        for (id, size) in (1..).zip(sizes) {
            Number::bulk_create(&db, [Number { id, name: Some(text(size, id)) }])?;
        }
        let rows = Number::objects(&db).order_by(|n| n.id.asc()).iterator(10)?;
        for (row, (id, size)) in itertools::Itertools::zip_eq(rows, (1..).zip(sizes)) {
            assert!(row.name == Some(text(size, id)), "{way}: {size} bytes");
        }
        assert_eq!(
            server().texts("SELECT SUM(LENGTH(name)) FROM numbers"),
            [Some((sizes.iter().sum::<usize>() + 4).to_string())]
        );

        let before = proxy.received();
        let mut connection = db.connection()?;
        let status = status(&mut connection, "Compression")?;
        assert_eq!(status, if options.contains("compress") { "ON" } else { "OFF" }, "{way}");
        drop(connection);
        let sum: i64 = Seq::objects(&db).iterator(2_000)?.map(|row| row.seq).sum();
        assert_eq!(sum, 300_000 * 300_001 / 2, "{way}");
        received.push(proxy.received() - before);
        assert_eq!(Seq::objects(&db).iterator(2_000)?.take(7).count(), 7);
        assert_eq!(Seq::objects(&db).count()?, 300_000, "{way}");
    }
    assert!(received[2] * 2 < received[0] && received[3] * 2 < received[1], "{received:?} bytes");
    Ok(())
}

/// A long table that nobody has to fill.
#[derive(Model, Debug)]
#[model(table = "seq_1_to_300000")]
struct Seq {
    #[model(primary_key)]
    seq: i64,
}

/// A stream of the encrypted kind is cut in the middle: an error, and no end.
#[test]
fn an_encrypted_stream_that_is_cut() -> TestResult {
    for (way, options) in WAYS {
        for cut in [500, 1_000, 30_000, 100_000] {
            let proxy = Proxy::to(server().url());
            let db = Database::<Mysql>::builder().pool_size(1).connect(&format!("{}?{options}", proxy.url()))?;
            proxy.cut_after(cut);
            let error = Seq::objects(&db).try_iterator(100).and_then(|mut rows| rows.try_for_each(|row| row.map(drop)));
            assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::ConnectionLost), "{way}, after {cut} bytes");
        }
    }
    Ok(())
}

/// A server that speaks in the clear once the client has asked for TLS, and one that goes away.
#[test]
fn handshakes_that_fail() {
    type Script = fn(&mut orm_tests::rogue::Client) -> io::Result<()>;
    let scripts: [Script; 3] =
        [|_| Ok(()), |client| client.raw(b"HTTP/1.1 200 OK\r\n\r\n"), |client| client.raw(&[22, 3, 3, 0, 2, 1, 0])];
    for script in scripts {
        let rogue = Rogue::new(move |client| {
            client.greet("mysql_native_password", true)?;
            client.receive()?;
            script(client)
        });
        for mode in ["preferred", "required"] {
            let error =
                orm_core::connect(&rogue.url(&format!("ssl_mode={mode}"))).map(|_| ()).expect_err("it is no TLS");
            assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
            assert!(!rogue.has_heard("me\0"), "it does not go on in the clear");
        }
    }
}
