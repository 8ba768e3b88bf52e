//! TLS to PostgreSQL: which servers are believed, what is encrypted, who shows a certificate, and that a login is bound
//! to the server's own.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use diesel::{Connection, RunQueryDsl, connection::SimpleConnection, dsl::sql, sql_types::Text};
use orm_core::{diesel, prelude::*};
use orm_tests::{
    TestResult,
    certificates::{Authority, HERE, Identity, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, Wanted},
    private_server::PrivateServer,
    proxy::Proxy,
    rogue::{Client, Rogue},
};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::{
    PgConnection,
    private::{authority, host, identity, server, socket_folder, url},
};

const TLS_REQUEST: i32 = 80_877_103;

/// Modes of TLS, with the authority's file where it is needed, or counts.
fn modes() -> [(&'static str, String); 7] {
    let root = format!("&sslrootcert={}", authority().file().display());
    [
        ("disable", String::new()),
        ("allow", String::new()),
        ("prefer", String::new()),
        ("require", String::new()),
        ("require", root.clone()),
        ("verify-ca", root.clone()),
        ("verify-full", root),
    ]
    .map(|(mode, root)| (mode, format!("sslmode={mode}{root}")))
}

/// A server that shows this certificate, and lets everybody in.
fn rogue(tls: Option<Arc<ServerConfig>>) -> Rogue {
    Rogue::new(move |client| {
        if client.first_message()?.0 == TLS_REQUEST {
            match &tls {
                Some(tls) => {
                    client.raw(b"S")?;
                    client.encrypt(tls)?;
                }
                None => client.raw(b"N")?,
            }
            client.first_message()?;
        }
        be_nice(client)
    })
}

fn be_nice(client: &mut Client) -> io::Result<()> {
    client.say(b'R', &[0; 4])?;
    client.settings()?;
    client.say(b'Z', b"I")?;
    client.behave(&[], &[], false)
}

/// Every mode against every kind of server. As libpq's, `require` with a file of authorities is like `verify-ca`.
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
        ("no TLS", None, [true, true, true, false, false, false, false]),
        ("self-signed", Some(&self_signed), [true, true, true, true, false, false, false]),
        ("another authority's", Some(&of_others), [true, true, true, true, false, false, false]),
        ("another name", Some(&other_name), [true, true, true, true, true, true, false]),
        ("expired", Some(&expired), [true, true, true, true, false, false, false]),
        ("good", Some(&good), [true; 7]),
    ] {
        for ((mode, options), connects) in modes().into_iter().zip(connects) {
            let rogue = rogue(identity.map(Identity::server));
            let answer = PgConnection::establish(&rogue.postgres_url(&options));
            assert_eq!(answer.is_ok(), connects, "{name}, {options}: {:?}", answer.map(|_| ()));
            if !connects {
                assert!(
                    !rogue.has_heard("user\0me") && !rogue.has_heard("s3cr3t"),
                    "{name}, {mode}: it was told who we are"
                );
            }
        }
    }
    // By another name of the same machine, which is the one of the certificate; or by that name and another address.
    let local = authority().identity(wanted("local", &["localhost", "db.example.org"], false));
    let rogue = rogue(Some(local.server()));
    let url = rogue.postgres_url(&format!("sslmode=verify-full&sslrootcert={}", authority().file().display()));
    assert!(PgConnection::establish(&url).is_err());
    assert!(PgConnection::establish(&url.replace("127.0.0.1", "localhost")).is_ok());
    let url = format!("{}&hostaddr=127.0.0.1", url.replace("127.0.0.1", "db.example.org"));
    assert!(PgConnection::establish(&url).is_ok());
}

#[test]
fn the_systems_authorities_do_not_know_ours() {
    let identity = authority().identity(Wanted { name: "unknown", hosts: HERE, expired: false });
    let rogue = rogue(Some(identity.server()));
    for options in ["sslmode=verify-full", "sslrootcert=system", "sslmode=verify-full&sslrootcert=system"] {
        let error = orm_core::connect(&rogue.postgres_url(options)).map(|_| ()).expect_err("who is that?");
        assert!(matches!(error.kind(), ErrorKind::Connection | ErrorKind::Configuration), "{error:?}");
        assert!(!rogue.has_heard("user\0me"));
    }
}

#[test]
fn files_that_are_none() -> TestResult {
    let folder = tempfile::tempdir()?;
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate")?;
    let identity = authority().identity(Wanted { name: "files", hosts: HERE, expired: false });
    let (certificate, key) = (identity.certificate_file.display(), identity.key_file.display());
    make_private(&identity);
    make_private_file(&empty);
    for options in [
        "sslmode=verify-ca&sslrootcert=/no/such/file".to_owned(),
        "sslmode=require&sslrootcert=/no/such/file".to_owned(),
        format!("sslmode=verify-full&sslrootcert={}", empty.display()),
        format!("sslmode=verify-full&sslrootcert={key}"),
        format!("sslmode=require&sslcert={certificate}&sslkey={}", empty.display()),
        format!("sslmode=require&sslcert=/no/such/file&sslkey={key}"),
        format!("sslmode=require&sslcert={}&sslkey={key}", authority().file().display()),
    ] {
        let error = orm_core::connect(&format!("postgres://me:s3cr3t@127.0.0.1:1/db?{options}"));
        assert_eq!(error.map(|_| ()).map_err(|error| error.kind()), Err(ErrorKind::Configuration), "{options}");
    }
    Ok(())
}

/// As keys must be that are read.
fn make_private(identity: &Identity) {
    make_private_file(&identity.key_file);
}

fn make_private_file(path: &std::path::Path) {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(path, mode).expect("the file is ours");
}

fn is_encrypted(connection: &mut PgConnection) -> diesel::QueryResult<bool> {
    let told = "(SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid())";
    let told: String = diesel::select(sql::<Text>(told)).get_result(connection)?;
    Ok(told == "true")
}

#[test]
fn data_is_encrypted() -> TestResult {
    const SECRET: &str = "SELECT 'what nobody must read'";
    for (mode, options) in modes() {
        let proxy = Proxy::listening_in(&url("scram", &options));
        let mut connection = PgConnection::establish(proxy.url())?;
        connection.batch_execute(SECRET)?;
        let in_the_clear = matches!(mode, "disable" | "allow");
        assert_eq!(is_encrypted(&mut connection)?, !in_the_clear, "{options}");
        assert_eq!(proxy.has_heard(SECRET), in_the_clear, "{options}");
        assert_eq!(proxy.has_heard("scram\0"), in_the_clear, "{options}: the user's name");
    }
    Ok(())
}

/// `allow` and `prefer` go the other way where the server lets nobody in by the first; the others do not.
#[test]
fn users_who_may_come_by_one_way_alone() -> TestResult {
    for ((mode, options), (encrypted, clear)) in modes().into_iter().zip([
        (false, true),
        (true, true),
        (true, true),
        (true, false),
        (true, false),
        (true, false),
        (true, false),
    ]) {
        for (user, connects) in [("encrypted", encrypted), ("in_the_clear", clear)] {
            match PgConnection::establish(&url(user, &options)) {
                Ok(mut connection) => {
                    assert!(connects, "{user}, {mode}");
                    assert_eq!(is_encrypted(&mut connection)?, user == "encrypted", "{user}, {mode}");
                }
                Err(error) => {
                    assert!(!connects, "{user}, {mode}: {error}");
                    assert!(error.to_string().contains("does not let this user in"), "{error}");
                }
            }
        }
    }
    Ok(())
}

/// A wrong password is no reason to try it once more without TLS.
#[test]
fn a_wrong_password_is_tried_once() {
    let proxy = Proxy::listening_in(&url("scram", "").replace("s3cr3t", "wrong"));
    assert!(PgConnection::establish(proxy.url()).is_err());
    assert!(!proxy.has_heard("scram\0"), "it was tried in the clear");
}

/// As with libpq, what stays on this machine is not encrypted, whatever the mode.
#[test]
fn over_a_unix_socket() -> TestResult {
    for (_, options) in modes() {
        let folder = socket_folder();
        let options = format!("{options}&host={folder}");
        let mut connection = PgConnection::establish(&url("scram", &options))?;
        assert!(!is_encrypted(&mut connection)?, "{options}");
    }
    Ok(())
}

#[test]
fn certificates_of_clients() {
    let mine = authority().identity(Wanted { name: "shows", hosts: &[], expired: false });
    let anothers = authority().identity(Wanted { name: "trusted", hosts: &[], expired: false });
    let others = Authority::new();
    let theirs = others.identity(Wanted { name: "shows", hosts: &[], expired: false });
    let shows = |identity: &Identity| {
        make_private(identity);
        format!("sslcert={}&sslkey={}", identity.certificate_file.display(), identity.key_file.display())
    };
    let try_it = |options: &str| PgConnection::establish(&url("shows", options)).map(|_| ());
    assert!(try_it("sslmode=require").is_err(), "no certificate");
    assert!(try_it(&format!("sslmode=require&{}", shows(&theirs))).is_err(), "another authority's");
    assert!(try_it(&format!("sslmode=require&{}", shows(&anothers))).is_err(), "another user's");
    for (mode, options) in modes() {
        assert_eq!(try_it(&format!("{options}&{}", shows(&mine))).is_ok(), mode != "disable", "{mode}");
    }
    assert!(try_it(&format!("sslmode=require&sslcertmode=disable&{}", shows(&mine))).is_err());
    // A certificate binds nothing to the server's; and it is no password.
    assert!(try_it(&format!("sslmode=require&channel_binding=require&{}", shows(&mine))).is_err());
    assert!(try_it(&format!("sslmode=require&require_auth=scram-sha-256&{}", shows(&mine))).is_err());
    assert!(try_it(&format!("sslmode=require&require_auth=none&{}", shows(&mine))).is_ok());
}

/// PostgreSQL 17's way: TLS from the first byte.
#[test]
fn tls_without_asking_for_it() {
    let identity = authority().identity(Wanted { name: "direct", hosts: HERE, expired: false });
    for (protocols, connects) in [(vec![b"postgresql".to_vec()], true), (vec![], false), (vec![b"h2".to_vec()], false)]
    {
        let mut tls = ServerConfig::clone(&identity.server());
        tls.alpn_protocols = protocols.clone();
        let tls = Arc::new(tls);
        let rogue = Rogue::new(move |client| {
            client.encrypt(&tls)?;
            client.first_message()?;
            be_nice(client)
        });
        let url = rogue.postgres_url("sslmode=require&sslnegotiation=direct");
        let answer = PgConnection::establish(&url).map(|_| ());
        assert_eq!(answer.is_ok(), connects, "{protocols:?}: {answer:?}");
        assert_eq!(rogue.has_heard("user\0me"), connects, "{protocols:?}");
    }
    // This server is older, and takes it for nonsense; or it is not, and takes it.
    let answer = PgConnection::establish(&url("scram", "sslmode=require&sslnegotiation=direct")).map(|_| ());
    let version = server().texts("SELECT current_setting('server_version_num')").pop().flatten();
    let knows = version.and_then(|version| version.parse().ok()).is_some_and(|version: u32| version >= 170_000);
    assert_eq!(answer.is_ok(), knows, "{answer:?}");
}

/// A login is bound to the certificate where both sides can do that, and where it must be.
#[test]
fn logins_that_are_bound() {
    for (user, options, connects) in [
        ("scram", "sslmode=require&channel_binding=require", true),
        ("scram", "sslmode=require&channel_binding=prefer", true),
        ("scram", "sslmode=require&channel_binding=disable", true),
        ("scram", "sslmode=disable&channel_binding=prefer", true),
        ("scram", "sslmode=disable&channel_binding=require", false),
        ("scram", "sslmode=prefer&channel_binding=require", true),
        ("md5_user", "sslmode=require&channel_binding=require", false),
        ("clear_user", "sslmode=require&channel_binding=require", false),
        ("trusted", "sslmode=require&channel_binding=require", false),
    ] {
        let answer = PgConnection::establish(&url(user, options)).map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(answer.is_ok(), connects, "{user}, {options}: {answer:?}");
        if let Err(error) = answer {
            assert!(error.contains("not bound"), "{error}");
        }
    }
    let folder = socket_folder();
    let error = PgConnection::establish(&url("scram", &format!("channel_binding=require&host={folder}"))).map(|_| ());
    assert!(error.is_err_and(|error| error.to_string().contains("not bound")));
}

/// The server hashes its certificate as we do, by the signature's algorithm.
#[test]
fn logins_that_are_bound_to_another_hash() {
    let wanted = Wanted { name: "p384", hosts: HERE, expired: false };
    let identity = authority().self_signed_by(wanted, &PKCS_ECDSA_P384_SHA384);
    let option = |name: &str, path: &std::path::Path| format!("{name}={}", path.display());
    let server = PrivateServer::postgres(&[
        "ssl=on",
        &option("ssl_cert_file", &identity.certificate_file),
        &option("ssl_key_file", &identity.key_file),
    ]);
    for binding in ["disable", "prefer", "require"] {
        let url = format!("{}?sslmode=require&channel_binding={binding}", server.url());
        let answer = PgConnection::establish(&url).map(|_| ());
        assert!(answer.is_ok(), "{binding}: {answer:?}");
    }
}

/// A signature by Ed25519 has no hash. A login that cannot be bound is none, unless that was said to be fine.
#[test]
fn logins_that_cannot_be_bound() {
    let identity = authority().self_signed_by(Wanted { name: "ed25519", hosts: HERE, expired: false }, &PKCS_ED25519);
    let tls = identity.server();
    let rogue = Rogue::new(move |client| {
        client.first_message()?;
        client.raw(b"S")?;
        client.encrypt(&tls)?;
        client.first_message()?;
        client.say(b'R', b"\0\0\0\x0ASCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0")?;
        client.hear().map(drop)
    });
    for binding in ["prefer", "require", "disable"] {
        let url = rogue.postgres_url(&format!("sslmode=require&channel_binding={binding}"));
        let error = PgConnection::establish(&url).map(|_| ()).expect_err("it goes away at the latest").to_string();
        let goes_on = binding == "disable";
        assert_eq!(error.contains("`channel_binding=disable` does without"), !goes_on, "{binding}: {error}");
        assert_eq!(rogue.has_heard("n,,n=,r="), goes_on, "{binding}");
    }
}

/// Shows a certificate without having its key: what it signs is signed by another.
#[derive(Debug)]
struct Stolen(Arc<CertifiedKey>);

impl ResolvesServerCert for Stolen {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// The server's certificate with the key of somebody else.
fn stolen() -> Result<Arc<ServerConfig>, Box<dyn std::error::Error>> {
    let provider = rustls::crypto::ring::default_provider();
    let thief = authority().self_signed(Wanted { name: "thief", hosts: HERE, expired: false });
    let key = rustls::pki_types::PrivateKeyDer::from_pem_file(&thief.key_file)?;
    let key = provider.key_provider.load_private_key(key)?;
    let certificate = CertificateDer::from_pem_file(&identity().certificate_file)?;
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Stolen(Arc::new(CertifiedKey::new(vec![certificate], key)))));
    Ok(Arc::new(config))
}

/// TLS to the real server, as the server sees it from any client.
fn to_the_server() -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_file(authority().file()).map_err(io::Error::other)?;
    roots.add(root).map_err(io::Error::other)?;
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut stream = TcpStream::connect(host())?;
    stream.write_all(&[&8_i32.to_be_bytes()[..], &TLS_REQUEST.to_be_bytes()].concat())?;
    stream.read_exact(&mut [0])?;
    let name = ServerName::try_from("127.0.0.1").map_err(io::Error::other)?;
    let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    Ok(StreamOwned::new(connection, stream))
}

/// Somebody who sits between a client and the server, with TLS to either, and passes on what they say until the server
/// lets him in; whether it did.
fn in_between(tls: Arc<ServerConfig>) -> (Rogue, Arc<AtomicBool>) {
    let is_in = Arc::<AtomicBool>::default();
    let told = is_in.clone();
    let rogue = Rogue::new(move |client| {
        client.first_message()?;
        client.raw(b"S")?;
        client.encrypt(&tls)?;
        let (code, body) = client.first_message()?;
        let mut server = to_the_server()?;
        let length = i32::try_from(body.len() + 8).map_err(io::Error::other)?;
        server.write_all(&[&length.to_be_bytes()[..], &code.to_be_bytes(), &body].concat())?;
        loop {
            let mut header = [0; 5];
            server.read_exact(&mut header)?;
            let [kind, length @ ..] = header;
            let mut body = vec![0; usize::try_from(i32::from_be_bytes(length)).map_err(io::Error::other)? - 4];
            server.read_exact(&mut body)?;
            match (kind, &body[..]) {
                (b'R', [0, 0, 0, 0]) => {
                    told.store(true, Ordering::SeqCst);
                    return Ok(());
                }
                (b'R', [0, 0, 0, code, ..]) => {
                    client.say(kind, &body)?;
                    if *code != 12 {
                        let (kind, body) = client.hear()?;
                        let length = i32::try_from(body.len() + 4).map_err(io::Error::other)?;
                        server.write_all(&[&[kind][..], &length.to_be_bytes(), &body].concat())?;
                    }
                }
                _ => client.say(kind, &body)?,
            }
        }
    });
    (rogue, is_in)
}

/// The oracle is the real server: it lets in who has proven to know the password, and nobody whose client sees another
/// certificate than its own.
#[test]
fn nobody_sits_in_between() -> TestResult {
    let own = authority().identity(Wanted { name: "between", hosts: HERE, expired: false });
    for (name, tls, bindings) in [
        ("a certificate of his own", own.server(), [true, false, false]),
        ("a stolen certificate", stolen()?, [true, false, false]),
    ] {
        for (binding, comes_through) in ["disable", "prefer", "require"].into_iter().zip(bindings) {
            let (rogue, is_in) = in_between(tls.clone());
            let address = rogue.postgres_url("");
            let address = address.rsplit('@').next().and_then(|rest| rest.split('/').next()).unwrap_or_default();
            let options = format!("sslmode=require&channel_binding={binding}");
            let answer = PgConnection::establish(&url("scram", &options).replace(host(), address));
            assert!(answer.is_err(), "he closes the connection at the latest");
            assert_eq!(is_in.load(Ordering::SeqCst), comes_through, "{name}, {binding}: {:?}", answer.map(|_| ()));
        }
    }
    Ok(())
}

/// A server that speaks in the clear once the client has asked for TLS, and one that goes away.
#[test]
fn handshakes_that_fail() {
    type Script = fn(&mut Client) -> io::Result<()>;
    let scripts: [Script; 3] = [
        |client| client.raw(b"S"),
        |client| {
            client.raw(b"S")?;
            client.listen()
        },
        |client| {
            client.raw(b"S")?;
            client.raw(&[22, 3, 3, 0, 2, 1, 0])
        },
    ];
    for (index, script) in scripts.into_iter().enumerate() {
        let rogue = Rogue::new(move |client| {
            client.first_message()?;
            script(client)
        });
        for mode in ["prefer", "require"] {
            let url = rogue.postgres_url(&format!("sslmode={mode}&connect_timeout=1"));
            let error = orm_core::connect(&url).map(|_| ()).expect_err("it is no TLS");
            assert_eq!(error.kind(), ErrorKind::Connection, "{index}: {error:?}");
            assert!(!rogue.has_heard("user\0me"), "{index}: it does not go on in the clear");
        }
    }
}
