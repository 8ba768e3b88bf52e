//! Connecting: each mistake has its own message and kind, and no password is in any of them.

use std::{error::Error, time::Duration};

use orm_core::{BackendKind, prelude::*};
use orm_tests::{Bed, Pick, TestResult, on_each_backend};

use crate::models::{Number, numbers};

on_each_backend! {
    the_backend_of_a_url, a_fixed_backend_refuses_another_url, an_unknown_option, an_option_without_a_value,
    an_option_twice, every_setting_is_taken, source_chain, errors_of_queries_have_context, debug_of_a_database,
}

/// Every text that an error shows.
fn shown(error: &orm_core::Error) -> String {
    let mut text = format!("{error}\n{error:?}\n{error:#?}");
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(&format!("\n{source}\n{source:?}"));
        cause = source.source();
    }
    text
}

fn refused(url: &str) -> orm_core::Error {
    orm_core::connect(url).map(|_| ()).expect_err("the URL is not right")
}

/// Each URL is refused, with a message of its own.
fn told_apart(urls: &[(&str, &str)]) {
    let mut messages = std::collections::HashSet::new();
    for (url, says) in urls {
        let error = refused(url);
        assert_eq!(error.kind(), ErrorKind::Configuration, "{url}: {error:?}");
        assert!(error.to_string().contains(says), "{url}: {error}");
        messages.insert(error.to_string());
    }
    assert_eq!(messages.len(), urls.len());
}

#[test]
fn bad_urls_are_told_apart() {
    told_apart(&[
        ("flights.db", "no scheme"),
        ("oracle://host/db", "unknown scheme `oracle`"),
        ("postgres:host/db", "`//`"),
        ("postgres://host/db?sslmode", "has no value"),
        ("postgres://host/db?application_name=%zz", "two hexadecimal digits"),
    ]);
    told_apart(&[("", "no scheme")]);
}

/// A backend that was left out is named, with the feature that brings it.
#[test]
fn a_backend_that_is_off() {
    let urls = [
        (cfg!(feature = "postgres"), "postgres", "postgres://me:s3cr3t@localhost/db"),
        (cfg!(feature = "mysql"), "mysql", "mysql://me:s3cr3t@localhost/db"),
        (cfg!(feature = "mysql"), "mysql", "mariadb://me:s3cr3t@localhost/db"),
        (cfg!(feature = "sqlite"), "sqlite", "sqlite::memory:"),
    ];
    for (_, feature, url) in urls.into_iter().filter(|(is_on, ..)| !is_on) {
        let error = refused(url);
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(&format!("features = [\"{feature}\"]")), "{error}");
        assert!(!shown(&error).contains("s3cr3t"), "{error:?}");
    }
}

fn the_backend_of_a_url(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    assert_eq!(db.backend(), bed.backend());
    let name = Pick { postgres: "PostgreSQL", mysql: "MySQL", sqlite: "SQLite" };
    assert_eq!(db.backend().to_string(), bed.pick(name));
    Ok(())
}

fn a_fixed_backend_refuses_another_url(bed: &Bed) -> TestResult {
    let fixed: [(BackendKind, fn(&str) -> orm_core::Result<()>); _] = [
        #[cfg(feature = "postgres")]
        (BackendKind::Postgres, |url| Database::<Pg>::connect(url).map(|_| ())),
        #[cfg(feature = "mysql")]
        (BackendKind::Mysql, |url| Database::<Mysql>::connect(url).map(|_| ())),
        #[cfg(feature = "sqlite")]
        (BackendKind::Sqlite, |url| Database::<Sqlite>::connect(url).map(|_| ())),
    ];
    for (backend, connect) in fixed {
        if backend == bed.backend() {
            connect(bed.url())?;
            continue;
        }
        let error = connect(bed.url()).expect_err("it is another backend's");
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("fixed to"), "{error}");
    }
    Ok(())
}

fn an_unknown_option(bed: &Bed) -> TestResult {
    let (written, meant) = bed.pick(Pick {
        postgres: ("conect_timeout=1", "connect_timeout"),
        mysql: ("conect_timeout=1", "connect_timeout"),
        sqlite: ("moed=ro", "mode"),
    });
    let error = refused(&bed.url_with(written));
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains(&format!("did you mean `{meant}`")), "{error}");
    let error = refused(&bed.url_with("password_of_mine=hunter2"));
    assert!(!shown(&error).contains("hunter2"), "{error:?}");
    Ok(())
}

fn an_option_without_a_value(bed: &Bed) -> TestResult {
    let error = refused(&bed.url_with("application_name"));
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("has no value"), "{error}");
    Ok(())
}

fn an_option_twice(bed: &Bed) -> TestResult {
    let error = refused(&bed.url_with("mode=ro&mode=rw"));
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("`mode` stands twice"), "{error}");
    Ok(())
}

fn every_setting_is_taken(bed: &Bed) -> TestResult {
    let db: Database = Database::builder()
        .pool_size(2)
        .checkout_timeout(Duration::from_secs(3))
        .connect_timeout(Duration::from_secs(4))
        .test_on_checkout(false)
        .application_name("the suite's own")
        .statement_timeout(Duration::from_secs(50))
        .lock_timeout(Duration::from_millis(700))
        .connect(bed.url())?;
    numbers(&db, 3)?;
    assert_eq!(Number::objects(&db).iterator(2)?.count(), 3);
    Ok(())
}

/// The causes can be walked by `source`, down to Diesel's own error.
fn source_chain(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let error = Number::objects(&db).load().expect_err("there is no such table");
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(source) = cause {
        causes.push(source.to_string());
        cause = source.source();
    }
    assert!(causes.iter().any(|cause| cause.contains("numbers")), "{causes:?}");
    assert!(error.source().is_some_and(|source| source.is::<diesel::result::Error>()), "{error:?}");
    assert!(causes.iter().all(|cause| *cause != error.to_string()), "no cause is told twice: {error:?}");
    Ok(())
}

fn errors_of_queries_have_context(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let error = Number::objects(&db).filter(|n| n.name.eq("a secret")).load().expect_err("there is no such table");
    assert_eq!((error.kind(), error.backend()), (ErrorKind::Database, Some(bed.backend())));
    assert!(error.sql().is_some_and(|sql| sql.contains("WHERE")), "{error:?}");
    assert!(!shown(&error).contains("secret"), "{error:?}");
    let _: Box<dyn Error + Send + Sync> = error.into();
    Ok(())
}

fn debug_of_a_database(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let shown = format!("{db:?}");
    assert!(shown.contains(bed.pick(Pick { postgres: "Postgres", mysql: "Mysql", sqlite: "Sqlite" })), "{shown}");
    assert!(!shown.contains("://"), "{shown}");
    Ok(())
}

#[cfg(feature = "sqlite")]
mod sqlite_files {
    use super::*;

    fn error_of(path: &std::path::Path, options: &str) -> orm_core::Error {
        refused(&format!("sqlite://{}{options}", path.display()))
    }

    #[test]
    fn bad_urls_of_files_are_told_apart() {
        told_apart(&[
            ("sqlite://", "names a file"),
            ("sqlite://x.db?mode=sideways", "`mode`"),
            ("sqlite://x.db?cache=shared", "unknown option `cache`"),
        ]);
    }

    #[test]
    fn a_missing_folder() -> TestResult {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("no such folder/test.db");
        let error = error_of(&path, "");
        assert_eq!((error.kind(), error.backend()), (ErrorKind::Connection, Some(BackendKind::Sqlite)));
        assert!(error.to_string().contains("no such folder/test.db"), "{error}");
        assert!(error.source().is_some());
        Ok(())
    }

    #[test]
    fn a_file_that_is_no_database() -> TestResult {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("letter.txt");
        std::fs::write(&path, "Dear Sir or Madam, ".repeat(100))?;
        let error = error_of(&path, "");
        assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
        assert!(shown(&error).contains("not a database"), "{error:?}");
        assert_eq!(std::fs::read_to_string(&path)?.len(), 1900, "the file is as it was");
        Ok(())
    }

    #[test]
    fn a_missing_file_is_made_only_where_it_may_be() -> TestResult {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("a b?.db");
        let url = format!("sqlite://{}/a%20b%3F.db", folder.path().display());
        for mode in ["?mode=ro", "?mode=rw"] {
            let error = refused(&format!("{url}{mode}"));
            assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
        }
        assert!(!path.exists());
        orm_core::connect(&url)?;
        assert!(path.exists());
        orm_core::connect(&format!("{url}?mode=rw"))?;
        Ok(())
    }

    #[test]
    fn a_database_that_is_only_read() -> TestResult {
        let bed = Bed::sqlite();
        numbers(&bed.db()?, 5)?;
        let db = orm_core::connect(&bed.url_with("mode=ro"))?;
        assert_eq!(Number::objects(&db).iterator(2)?.count(), 5);
        let error = Number::bulk_create(&db, [crate::models::number(6)]).expect_err("it is only read");
        assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error:?}");
        Ok(())
    }

    #[test]
    fn a_folder_is_no_database() -> TestResult {
        let folder = tempfile::tempdir()?;
        assert_eq!(error_of(folder.path(), "").kind(), ErrorKind::Connection);
        Ok(())
    }
}

#[cfg(feature = "postgres")]
mod postgres_servers {
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
        let db = Database::<Pg>::builder()
            .application_name("settings")
            .connect(&bed.url_with("application_name=the%20url"))?;
        use diesel::RunQueryDsl;
        let name: String =
            diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>("current_setting('application_name')"))
                .get_result(&mut *db.connection()?)?;
        assert_eq!(name, "the url");
        Ok(())
    }
}
