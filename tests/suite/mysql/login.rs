//! Logging in to MySQL and MariaDB: each way, what is refused, and that nothing secret goes where it should not.

use std::{error::Error, io};

use diesel::{Connection, RunQueryDsl, dsl::sql, sql_types::Text};
use orm_core::{MysqlConnection, diesel, prelude::*};
use orm_tests::{
    Bed, TestResult,
    certificates::{Authority, HERE, Wanted},
    logs, on_mysql,
    rogue::{Client, NONCE, Rogue},
};
use ring::digest::{SHA256, digest};

on_mysql! {
    each_way_of_mariadb, no_password, no_database, a_database_without_rights,
    a_unix_socket, ipv6,
}

/// An account for one test, in every database of the server; it ends with this.
struct Account<'a> {
    bed: &'a Bed,
    name: String,
}

impl<'a> Account<'a> {
    fn new(bed: &'a Bed, identified: &str, rights: &str) -> Self {
        let name = format!("u_{}", database(bed));
        bed.execute(&format!("CREATE USER {name} {identified}"));
        let account = Account { bed, name };
        if !rights.is_empty() {
            bed.execute(&format!("GRANT {rights} ON {}.* TO {}", database(bed), account.name));
        }
        account
    }

    /// The bed's URL for this account.
    fn url(&self, password: &str) -> String {
        let (_, rest) = self.bed.url().split_once('@').expect("the server's URL names a user");
        format!("mysql://{}:{password}@{rest}", self.name)
    }
}

impl Drop for Account<'_> {
    fn drop(&mut self) {
        self.bed.execute(&format!("DROP USER {}", self.name));
    }
}

/// The name of the bed's database.
fn database(bed: &Bed) -> &str {
    bed.url().rsplit('/').next().expect("a URL has a path")
}

fn ask(url: &str, expression: &str) -> Result<String, Box<dyn Error>> {
    let mut connection = MysqlConnection::establish(url)?;
    Ok(diesel::select(sql::<Text>(expression)).get_result(&mut connection)?)
}

fn refused(url: &str) -> orm_core::Error {
    logs::keep();
    let error = orm_core::connect(url).map(|_| ()).expect_err("it must be refused");
    let shown = format!("{error} {error:?} {error:#?} {}", logs::all());
    assert!(!shown.contains("s3cr3t"), "{error:?}");
    error
}

fn each_way_of_mariadb(bed: &Bed) -> TestResult {
    bed.execute("INSTALL SONAME 'auth_ed25519'");
    let long = "é'\"x".repeat(40);
    for password in ["s3cr3t", "s3cr3t of spaces, ä and 🦀", &long] {
        let encoded: String = password.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let quoted = password.replace('\'', "''");
        for identified in [
            format!("IDENTIFIED VIA mysql_native_password USING PASSWORD('{quoted}')"),
            format!("IDENTIFIED VIA ed25519 USING PASSWORD('{quoted}')"),
        ] {
            let account = Account::new(bed, &identified, "SELECT");
            let user = ask(&account.url(&encoded), "CURRENT_USER()")?;
            assert_eq!(user, format!("{}@%", account.name));
            for wrong in ["", "wrong", "s3cr3"] {
                let error = refused(&account.url(wrong));
                assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
            }
        }
    }
    // Challenges are random, and each has to be understood.
    let account = Account::new(bed, "IDENTIFIED VIA ed25519 USING PASSWORD('s3cr3t')", "");
    let host = account.url("s3cr3t");
    let server = host.rsplit_once('/').map_or(host.as_str(), |(server, _)| server);
    for _ in 0..50 {
        MysqlConnection::establish(server)?;
    }
    Ok(())
}

fn no_password(bed: &Bed) -> TestResult {
    let account = Account::new(bed, "IDENTIFIED BY ''", "SELECT");
    let url = account.url("");
    assert_eq!(ask(&url, "CURRENT_USER()")?, format!("{}@%", account.name));
    assert_eq!(ask(&url.replacen(":@", "@", 1), "CURRENT_USER()")?, format!("{}@%", account.name));
    assert_eq!(refused(&account.url("s3cr3t")).kind(), ErrorKind::Connection);
    Ok(())
}

fn no_database(bed: &Bed) -> TestResult {
    let (server, _) = bed.url().rsplit_once('/').expect("a URL has a path");
    assert_eq!(ask(server, "COALESCE(DATABASE(), 'none')")?, "none");
    Ok(())
}

fn a_database_without_rights(bed: &Bed) -> TestResult {
    let account = Account::new(bed, "IDENTIFIED BY 's3cr3t'", "");
    let error = refused(&account.url("s3cr3t"));
    assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
    assert!(error.to_string().contains("may not use it"), "{error}");
    Ok(())
}

fn a_unix_socket(bed: &Bed) -> TestResult {
    let socket = bed.texts("SELECT @@socket").pop().flatten().expect("the server has a variable for it");
    let url = bed.url_with(&format!("unix_socket={}", socket.replace('/', "%2F")));
    assert_eq!(ask(&url, "CAST(CONNECTION_ID() AS CHAR)")?.parse::<u64>().map(|_| ()), Ok(()));
    let sees = "(SELECT HOST FROM information_schema.PROCESSLIST WHERE ID = CONNECTION_ID())";
    assert_eq!(ask(&url, sees)?, "localhost");
    assert_ne!(ask(bed.url(), sees)?, "localhost");
    let error = refused(&bed.url_with("unix_socket=%2Fno%2Fsuch%2Fsocket"));
    assert!(format!("{error:?}").contains("/no/such/socket"), "{error:?}");
    // A stream is ended there, too.
    let db = Database::<Mysql>::builder().pool_size(1).connect(&url)?;
    crate::stream_mysql::early_drops_keep_the_connection(bed, &db)
}

fn ipv6(bed: &Bed) -> TestResult {
    let listener = std::net::TcpListener::bind("[::1]:0")?;
    let here = listener.local_addr()?;
    let (_, rest) = bed.url().split_once('@').expect("the server's URL names a user");
    let server = rest.split('/').next().unwrap_or_default().to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = std::net::TcpStream::connect(&server) else { return };
            let pass = |from: &std::net::TcpStream, to: &std::net::TcpStream| {
                if let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) {
                    std::thread::spawn(move || io::copy(&mut from, &mut to));
                }
            };
            pass(&client, &server);
            pass(&server, &client);
        }
    });
    let url = bed.url().replace(rest.split('/').next().unwrap_or_default(), &here.to_string());
    assert_eq!(ask(&url, "DATABASE()")?, database(bed));
    Ok(())
}

/// A server that switches to this way to log in, as it stands in the packet.
fn switching(plugin: &'static str) -> impl Fn(&mut Client) -> io::Result<()> + Send + Sync {
    move |client| {
        client.greet("mysql_native_password", false)?;
        client.receive()?;
        client.send(&[&[0xFE], plugin.as_bytes(), &[0], NONCE, &[0]].concat())?;
        client.listen()
    }
}

/// Whoever asks for the password itself does not get it, unless that was allowed, and then not in the clear.
#[test]
fn the_password_itself_is_not_told() {
    let rogue = Rogue::new(switching("mysql_clear_password"));
    let error = refused(&rogue.url(""));
    assert!(error.to_string().contains("enable_cleartext_plugin=true"), "{error}");
    let allowed = Rogue::new(switching("mysql_clear_password"));
    let error = refused(&allowed.url("enable_cleartext_plugin=true"));
    assert!(error.to_string().contains("is not encrypted"), "{error}");
    for rogue in [rogue, allowed] {
        assert!(rogue.has_heard("me\0") && !rogue.has_heard("s3cr3t"));
    }
}

#[test]
fn unknown_ways_are_refused() {
    for plugin in
        ["mysql_old_password", "dialog", "auth_gssapi_client", "parsec", "sha256_password", "of the future", ""]
    {
        let rogue = Rogue::new(switching(plugin));
        let error = refused(&rogue.url("enable_cleartext_plugin=true"));
        assert!(error.to_string().contains("not known here"), "{plugin}: {error:?}");
        assert!(format!("{error:?}").contains(plugin), "{plugin}: {error:?}");
        assert!(!rogue.has_heard("s3cr3t"));
    }
    // The oldest servers ask by a single byte.
    let rogue = Rogue::new(|client| {
        client.greet("mysql_native_password", false)?;
        client.receive()?;
        client.send(&[0xFE])?;
        client.listen()
    });
    assert!(refused(&rogue.url("")).to_string().contains("not known here"));
}

#[test]
fn a_server_that_changes_its_mind_for_ever() {
    let rogue = Rogue::new(|client| {
        client.greet("mysql_native_password", false)?;
        loop {
            client.receive()?;
            client.send(&[&b"\xFEmysql_native_password\0"[..], NONCE, &[0]].concat())?;
        }
    });
    assert!(refused(&rogue.url("")).to_string().contains("no connection"));
}

/// The password in the clear, where it was allowed and nobody can read along.
#[test]
fn the_password_goes_where_it_may() -> TestResult {
    let authority = Authority::new();
    let identity = authority.identity(Wanted { name: "server", hosts: HERE, expired: false });
    let config = identity.server();
    let over_tls = Rogue::new(move |client| {
        client.greet("mysql_native_password", true)?;
        client.receive()?;
        client.encrypt(&config)?;
        client.receive()?;
        client.send(b"\xFEmysql_clear_password\0")?;
        let password = client.receive()?;
        if password != b"s3cr3t\0" {
            return client.send(b"\xFF\x15\x04#28000Access denied");
        }
        client.ok()?;
        client.set_up()?;
        client.serve(&[])
    });
    let ca = authority.file();
    let options = format!("enable_cleartext_plugin=true&ssl_mode=verify_identity&ssl_ca={}", ca.display());
    MysqlConnection::establish(&over_tls.url(&options))?;
    assert!(over_tls.has_heard("s3cr3t"));
    Ok(())
}

/// What a server of MySQL's computes from the password and its challenge.
fn sha2_proof(password: &[u8], nonce: &[u8]) -> Vec<u8> {
    let once = digest(&SHA256, password);
    let twice = digest(&SHA256, once.as_ref());
    let mask = digest(&SHA256, &[twice.as_ref(), nonce].concat());
    once.as_ref().iter().zip(mask.as_ref()).map(|(a, b)| a ^ b).collect()
}

/// MySQL's own way. It `knows` the password's hash already, or else wants the password itself.
fn caching_sha2(
    knows: bool,
    tls: Option<std::sync::Arc<rustls::ServerConfig>>,
) -> impl Fn(&mut Client) -> io::Result<()> + Send + Sync {
    move |client| {
        client.greet("caching_sha2_password", tls.is_some())?;
        let mut response = client.receive()?;
        if let Some(tls) = &tls {
            client.encrypt(tls)?;
            response = client.receive()?;
        }
        let proof = sha2_proof(b"s3cr3t", NONCE);
        let is_right = response.windows(proof.len()).any(|window| window == proof);
        if is_right && knows {
            client.send(&[1, 3])?;
        } else {
            client.send(&[1, 4])?;
            if client.receive()? != b"s3cr3t\0" {
                return client.send(b"\xFF\x15\x04#28000Access denied");
            }
        }
        client.ok()?;
        client.set_up()?;
        client.serve(&[])
    }
}

#[test]
fn caching_sha2_by_its_proof() -> TestResult {
    let rogue = Rogue::new(caching_sha2(true, None));
    MysqlConnection::establish(&rogue.url(""))?;
    assert!(!rogue.has_heard("s3cr3t"));
    Ok(())
}

#[test]
fn caching_sha2_in_full() -> TestResult {
    let in_the_clear = Rogue::new(caching_sha2(false, None));
    let error = refused(&in_the_clear.url(""));
    assert!(error.to_string().contains("not encrypted"), "{error}");
    assert!(!in_the_clear.has_heard("s3cr3t"));

    let authority = Authority::new();
    let identity = authority.identity(Wanted { name: "server", hosts: HERE, expired: false });
    let over_tls = Rogue::new(caching_sha2(false, Some(identity.server())));
    MysqlConnection::establish(&over_tls.url("ssl_mode=required"))?;

    let folder = tempfile::tempdir()?;
    let path = folder.path().join("socket");
    let on_socket = Rogue::on_socket(&path, caching_sha2(false, None));
    MysqlConnection::establish(&on_socket.url(&format!("unix_socket={}", path.display())))?;
    assert!(on_socket.has_heard("s3cr3t"), "nobody reads along on this machine");
    Ok(())
}

/// The server may also prefer another way, and switch to this one with another challenge.
#[test]
fn caching_sha2_after_a_switch() -> TestResult {
    let nonce = b"ABCDEFGHIJKLMNOPQRST";
    let rogue = Rogue::new(move |client| {
        client.greet("mysql_native_password", false)?;
        client.receive()?;
        client.send(&[&b"\xFEcaching_sha2_password\0"[..], nonce, &[0]].concat())?;
        if client.receive()? != sha2_proof(b"s3cr3t", nonce) {
            return client.send(b"\xFF\x15\x04#28000Access denied");
        }
        client.send(&[1, 3])?;
        client.ok()?;
        client.set_up()?;
        client.serve(&[])
    });
    MysqlConnection::establish(&rogue.url(""))?;
    Ok(())
}

/// A server's message that has the password in it is shown without.
#[test]
fn a_server_that_tells_the_password() {
    let rogue = Rogue::new(|client| {
        client.greet("mysql_native_password", false)?;
        client.receive()?;
        client.send(b"\xFF\x15\x04#28000Access denied for s3cr3t")
    });
    let error = refused(&rogue.url(""));
    assert!(format!("{error:?}").contains("Access denied for …"), "{error:?}");
}
