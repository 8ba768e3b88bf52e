//! Connecting to MySQL and MariaDB: servers that refuse, are silent, or are something else.

use diesel::RunQueryDsl;
use orm_tests::{logs, private_server::PrivateServer, proxy::Proxy};

use super::*;

const SECRET: &str = "s3cr3t hunter";
const ENCODED: &str = "s3cr3t%20hunter";

/// The URL of the server with another user, password and database.
fn url(bed: &Bed, user: &str, database: &str) -> String {
    let (_, rest) = bed.url().split_once('@').expect("the server's URL names a user");
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    format!("mysql://{user}:{ENCODED}@{host}/{database}")
}

fn without_secret(error: &orm_core::Error) {
    let text = shown(error);
    for secret in [SECRET, ENCODED, "s3cr3t"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(!logs::all().contains("s3cr3t"), "a password was logged");
}

#[test]
fn a_wrong_password() {
    logs::keep();
    let bed = Bed::mysql();
    let user = bed.url().split("://").nth(1).and_then(|rest| rest.split(':').next()).unwrap_or_default();
    for user in ["nobody_of_that_name", user] {
        let error = refused(&url(&bed, user, "mysql"));
        assert_eq!((error.kind(), error.backend()), (ErrorKind::Connection, Some(BackendKind::Mysql)));
        assert!(error.to_string().contains("refused the user name or the password"), "{error}");
        without_secret(&error);
    }
}

/// A password that needs escaping in the URL, and none of those that a server is spared by not looking at it.
#[test]
fn passwords_of_all_characters() -> TestResult {
    let bed = Bed::mysql();
    let user = bed.url().rsplit_once('/').map_or("user", |(_, name)| name).replace("orm_test", "u");
    for (password, encoded) in [("", ""), ("p:a/s@s?%w#d é🛫", "p%3Aa%2Fs%40s%3F%25w%23d%20%C3%A9%F0%9F%9B%AB")] {
        let database = bed.url().rsplit_once('/').map_or("", |(_, name)| name);
        bed.execute(&format!(
            "CREATE OR REPLACE USER {user}@'%' IDENTIFIED BY '{password}'; GRANT ALL ON {database}.* TO {user}@'%'"
        ));
        let good = url(&bed, &user, database).replace(ENCODED, encoded);
        let answer = orm_core::connect(&good).and_then(|db| numbers(&db, 1));
        let refused = orm_core::connect(&url(&bed, &user, database)).map(|_| ()).map_err(|error| error.kind());
        bed.execute(&format!("DROP USER {user}@'%'; DROP TABLE IF EXISTS numbers"));
        answer?;
        assert_eq!(refused, Err(ErrorKind::Connection), "the password `{password}` is looked at");
    }
    Ok(())
}

#[test]
fn a_missing_database() {
    logs::keep();
    let bed = Bed::mysql();
    let (host, _) = bed.url().rsplit_once('/').expect("the bed's URL names a database");
    let error = refused(&format!("{host}/no_such_database"));
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.to_string().contains("no such database"), "{error}");
    assert!(shown(&error).contains("no_such_database"), "{error:?}");
}

#[test]
fn a_server_that_is_not_there() {
    logs::keep();
    // A port that was free a moment ago.
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port can be had").port();
    let error = refused(&format!("mysql://me:{ENCODED}@127.0.0.1:{port}/db"));
    assert_eq!((error.kind(), error.backend()), (ErrorKind::Connection, Some(BackendKind::Mysql)));
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    without_secret(&error);
    let error = refused(&format!("mysql://me:{ENCODED}@no-such-host.invalid/db"));
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.to_string().contains("host name is not known"), "{error}");
    without_secret(&error);
}

#[test]
fn a_server_that_says_nothing() {
    logs::keep();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port can be had");
    let address = silent.local_addr().expect("it is bound");
    let builder = Database::<orm_core::Any>::builder().connect_timeout(Duration::from_millis(500));
    let error = builder.connect(&format!("mysql://me:{ENCODED}@{address}/db")).expect_err("it never answers");
    assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
    assert!(error.to_string().contains("did not answer in time"), "{error}");
    without_secret(&error);
}

#[test]
fn a_server_of_another_kind() {
    use std::io::Write;

    let greetings: [&[u8]; 4] = [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"", &[0xFF; 4096]];
    for greeting in greetings {
        let other = std::net::TcpListener::bind("127.0.0.1:0").expect("a port can be had");
        let address = other.local_addr().expect("it is bound");
        let answering = std::thread::spawn(move || {
            if let Ok((mut client, _)) = other.accept() {
                let _ = client.write_all(greeting);
            }
        });
        let builder = Database::<orm_core::Any>::builder().connect_timeout(Duration::from_secs(2));
        let error = builder.connect(&format!("mysql://me:{ENCODED}@{address}/db")).expect_err("it is no MySQL");
        assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
        without_secret(&error);
        assert!(answering.join().is_ok());
    }
}

#[test]
fn bad_values_of_options() {
    let bed = Bed::mysql();
    for (option, says) in [
        ("ssl_mode=sideways", "ssl_mode"),
        ("connect_timeout=soon", "connect_timeout"),
        ("compress=perhaps", "compress"),
        ("ssl_cert=/a", "ssl_key"),
        ("ssl_ca=/no/such/file&ssl_mode=verify_ca", "/no/such/file"),
    ] {
        let error = refused(&bed.url_with(option));
        assert_eq!(error.kind(), ErrorKind::Configuration, "{option}: {error:?}");
        assert!(shown(&error).contains(says), "{option}: {error:?}");
    }
}

/// What the pool logs when a server goes away holds no password either.
#[test]
fn a_pool_whose_server_went_away() -> TestResult {
    logs::keep();
    let bed = Bed::mysql();
    let proxy = Proxy::to(bed.url());
    let db: Database =
        Database::builder().pool_size(2).checkout_timeout(Duration::from_millis(300)).connect(proxy.url())?;
    proxy.cut_after(0);
    let error = Number::objects(&db).count().expect_err("the server is gone");
    assert!(
        matches!(error.kind(), ErrorKind::Connection | ErrorKind::ConnectionLost | ErrorKind::PoolTimeout),
        "{error:?}"
    );
    let password = bed.url().split('@').next().and_then(|front| front.rsplit(':').next()).unwrap_or_default();
    assert!(!shown(&error).contains(password) && !logs::all().contains(password));
    Ok(())
}

/// A text that the server answers to an expression.
fn ask(db: &Database<Mysql>, sql: &str) -> Result<String, Box<dyn Error>> {
    Ok(diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>(sql)).get_result(&mut *db.connection()?)?)
}

#[test]
fn settings_reach_the_server() -> TestResult {
    let bed = Bed::mysql();
    let db = Database::<Mysql>::builder()
        .statement_timeout(Duration::from_millis(1234))
        .lock_timeout(Duration::from_secs(7))
        .connect(bed.url())?;
    assert_eq!(ask(&db, "CAST(CAST(@@max_statement_time AS DECIMAL(9, 3)) AS CHAR)")?, "1.234");
    assert_eq!(ask(&db, "CAST(@@innodb_lock_wait_timeout AS CHAR)")?, "7");
    assert_eq!(ask(&db, "CAST(@@lock_wait_timeout AS CHAR)")?, "7");
    Ok(())
}

/// What the server's administrator has set does not reach into what is stored and read.
#[test]
fn a_server_with_settings_of_its_own() -> TestResult {
    let server = PrivateServer::mysql(&["sql-mode=", "autocommit=0", "character-set-server=latin1", "wait-timeout=77"]);
    let variables = "SELECT concat_ws(' ', @@global.sql_mode, @@global.autocommit, @@global.wait_timeout)";
    assert_eq!(server.texts(variables), [Some(" OFF 77".to_owned())], "the options came to the server");
    let status = std::fs::read_to_string(format!("/proc/{}/cmdline", server.pid()))?;
    assert!(status.contains("--wait-timeout=77"), "it is that server's process");

    let db = orm_core::connect(server.url())?;
    db.create_tables::<(Number,)>()?;
    let row = Number { id: 1, name: Some("naïve 🛫".into()) };
    Number::bulk_create(&db, [row.clone()])?;
    assert_eq!(server.texts("SELECT id FROM numbers"), [Some("1".to_owned())], "others see it");
    assert_eq!(Number::objects(&db).iterator(1)?.collect::<Vec<_>>(), [row]);
    let error = db.batch_execute("INSERT INTO numbers (id) VALUES ('no number')").expect_err("it is no number");
    assert_eq!(error.kind(), ErrorKind::Database, "{error:?}");
    Ok(())
}
