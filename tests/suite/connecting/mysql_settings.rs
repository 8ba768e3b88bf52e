//! Connecting to MySQL and MariaDB: options, settings and passwords.

use diesel::RunQueryDsl;
use orm_tests::private_server::PrivateServer;

use super::{
    servers::{ENCODED, url},
    *,
};

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
