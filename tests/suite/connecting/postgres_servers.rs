//! Connecting to PostgreSQL: servers that refuse, are silent, or are something else.

use orm_tests::logs;

use super::*;

const SECRET: &str = "s3cr3t hunter";
const ENCODED: &str = "s3cr3t%20hunter";

/// The URL of the server with another user, password and database.
fn url(bed: &Bed, user: &str, database: &str) -> String {
    let (_, rest) = bed.url().split_once('@').expect("the server's URL names a user");
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    format!("postgres://{user}:{ENCODED}@{host}/{database}")
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
    let bed = Bed::postgres();
    let error = refused(&url(&bed, "nobody_of_that_name", "postgres"));
    assert_eq!((error.kind(), error.backend()), (ErrorKind::Connection, Some(BackendKind::Postgres)));
    let user = bed.url().split("://").nth(1).and_then(|rest| rest.split(':').next()).unwrap_or_default();
    without_secret(&error);
    let error = refused(&url(&bed, user, "postgres"));
    assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
    assert!(error.to_string().contains("refused the user name or the password"), "{error}");
    without_secret(&error);
}

#[test]
fn a_missing_database() {
    logs::keep();
    let bed = Bed::postgres();
    let (host, _) = bed.url().split_once('?').expect("the bed's URL has options");
    let host = host.rsplit_once('/').map_or(host, |(host, _)| host);
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
    let error = refused(&format!("postgres://me:{ENCODED}@127.0.0.1:{port}/db"));
    assert_eq!((error.kind(), error.backend()), (ErrorKind::Connection, Some(BackendKind::Postgres)));
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    without_secret(&error);
    let error = refused(&format!("postgres://me@no-such-host.invalid/db?password={ENCODED}"));
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.to_string().contains("host name is not known"), "{error}");
    without_secret(&error);
}

#[test]
fn a_server_that_says_nothing() {
    logs::keep();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port can be had");
    let address = silent.local_addr().expect("it is bound");
    let builder = Database::<orm_core::Any>::builder().connect_timeout(Duration::from_secs(2));
    let error = builder.connect(&format!("postgres://me:{ENCODED}@{address}/db")).expect_err("it never answers");
    assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
    assert!(error.to_string().contains("did not answer in time"), "{error}");
    without_secret(&error);
}

#[test]
fn a_server_of_another_kind() {
    use std::io::Write;

    let other = std::net::TcpListener::bind("127.0.0.1:0").expect("a port can be had");
    let address = other.local_addr().expect("it is bound");
    let answering = std::thread::spawn(move || {
        if let Ok((mut client, _)) = other.accept() {
            let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let error = refused(&format!("postgres://me:{ENCODED}@{address}/db?sslmode=disable&gssencmode=disable"));
    assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
    without_secret(&error);
    assert!(answering.join().is_ok());
}

#[test]
fn a_bad_value_of_an_option() {
    let bed = Bed::postgres();
    let error = refused(&bed.url_with("sslmode=sideways"));
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error:?}");
    assert!(shown(&error).contains("sslmode"), "{error:?}");
}

/// What the pool logs when a server goes away holds no password either.
#[test]
fn a_pool_whose_server_went_away() -> TestResult {
    logs::keep();
    let bed = Bed::postgres();
    let proxy = orm_tests::proxy::Proxy::to(bed.url());
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

#[test]
fn settings_reach_the_server() -> TestResult {
    let bed = Bed::postgres();
    let db = Database::<Pg>::builder()
        .application_name("orm suite's settings")
        .statement_timeout(Duration::from_millis(1234))
        .lock_timeout(Duration::from_millis(567))
        .connect(bed.url())?;
    let ask = |sql: &str| -> Result<String, Box<dyn Error>> {
        use diesel::RunQueryDsl;
        Ok(diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>(sql)).get_result(&mut *db.connection()?)?)
    };
    assert_eq!(ask("current_setting('statement_timeout')")?, "1234ms");
    assert_eq!(ask("current_setting('lock_timeout')")?, "567ms");
    assert_eq!(ask("application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()")?, "orm suite's settings");
    // What stands in the URL goes before the settings.
    let db =
        Database::<Pg>::builder().application_name("settings").connect(&bed.url_with("application_name=the%20url"))?;
    use diesel::RunQueryDsl;
    let name: String =
        diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>("current_setting('application_name')"))
            .get_result(&mut *db.connection()?)?;
    assert_eq!(name, "the url");
    Ok(())
}
