//! A server with TLS, and with users who log in in each of its ways.

use std::{error::Error, fs, path::Path, sync::OnceLock};

use diesel::{Connection, RunQueryDsl, dsl::sql, sql_types::Text};
use orm_core::diesel;
use orm_tests::{
    certificates::{Authority, HERE, Identity, Wanted},
    private_server::PrivateServer,
};

use super::PgConnection;

/// The password of all users but `orm`; it is such that a URL has to escape it.
pub(super) const PASSWORD: &str = "s3cr3t/@ü";
pub(super) const ENCODED: &str = "s3cr3t%2F%40%C3%BC";

/// Who may log in, from where, and how (`pg_hba.conf`). The first line that fits counts.
const RULES: &str = "\
host      all  md5_user      127.0.0.1/32  md5
local     all  clear_user                  password
host      all  clear_user    127.0.0.1/32  password
host      all  trusted       127.0.0.1/32  trust
hostssl   all  shows         127.0.0.1/32  cert
hostssl   all  encrypted     127.0.0.1/32  scram-sha-256
hostnossl all  in_the_clear  127.0.0.1/32  scram-sha-256
host      all  rejected,shows,encrypted,in_the_clear  127.0.0.1/32  reject
local     all  all                         scram-sha-256
host      all  all           127.0.0.1/32  scram-sha-256
";

/// The roles of these rules, and some more for SCRAM.
const SET_UP: &[&str] = &[
    "SET password_encryption = 'md5'; CREATE ROLE md5_user LOGIN PASSWORD 's3cr3t/@ü'",
    "CREATE ROLE clear_user LOGIN PASSWORD 's3cr3t/@ü'; CREATE ROLE scram LOGIN PASSWORD 's3cr3t/@ü'",
    "CREATE ROLE encrypted LOGIN PASSWORD 's3cr3t/@ü'; CREATE ROLE in_the_clear LOGIN PASSWORD 's3cr3t/@ü'",
    "CREATE ROLE crowded LOGIN PASSWORD 's3cr3t/@ü' CONNECTION LIMIT 0",
    "CREATE ROLE trusted LOGIN; CREATE ROLE shows LOGIN; CREATE ROLE rejected LOGIN",
    "CREATE DATABASE closed",
    "REVOKE CONNECT ON DATABASE closed FROM PUBLIC",
    "CREATE TABLE numbers (id BIGINT PRIMARY KEY, name TEXT NOT NULL); GRANT SELECT ON numbers TO PUBLIC",
    "INSERT INTO numbers VALUES (1, 'a'), (2, 'b')",
];

pub(super) fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(Authority::new)
}

/// The server's certificate.
pub(super) fn identity() -> &'static Identity {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    IDENTITY.get_or_init(|| authority().identity(Wanted { name: "postgres", hosts: HERE, expired: false }))
}

/// The server, with a certificate of the authority's for this machine. It ends when this process does.
pub(super) fn server() -> &'static PrivateServer {
    static SERVER: OnceLock<PrivateServer> = OnceLock::new();
    SERVER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder is needed for the rules");
        let rules = folder.path().join("pg_hba.conf");
        fs::write(&rules, RULES).expect("a file can be written");
        let option = |name: &str, path: &Path| format!("{name}={}", path.display());
        let options = [
            "ssl=on".to_owned(),
            option("ssl_ca_file", &authority().file()),
            option("ssl_cert_file", &identity().certificate_file),
            option("ssl_key_file", &identity().key_file),
            option("hba_file", &rules),
        ];
        let server = PrivateServer::postgres(&options.each_ref().map(String::as_str));
        SET_UP.iter().for_each(|sql| server.execute(sql));
        server
    })
}

/// The server's `host:port`.
pub(super) fn host() -> &'static str {
    let (_, rest) = server().url().split_once('@').expect("the URL names a user");
    rest.split('/').next().unwrap_or_default()
}

pub(super) fn port() -> &'static str {
    host().rsplit(':').next().unwrap_or_default()
}

/// The folder of the server's Unix socket.
pub(super) fn socket_folder() -> String {
    server().texts("SELECT current_setting('unix_socket_directories')").pop().flatten().expect("there is a setting")
}

/// A URL of the server for this user.
pub(super) fn url(user: &str, options: &str) -> String {
    format!("postgres://{user}:{ENCODED}@{}/postgres?{options}", host())
}

/// The value of an expression, read over a connection by this URL.
pub(super) fn ask(url: &str, expression: &str) -> Result<String, Box<dyn Error>> {
    let mut connection = PgConnection::establish(url)?;
    Ok(diesel::select(sql::<Text>(expression)).get_result(&mut connection)?)
}
