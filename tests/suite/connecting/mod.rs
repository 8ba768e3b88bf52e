//! Connecting: each mistake has its own message and kind, and no password is in any of them.

#[cfg(feature = "mysql")]
mod mysql_settings;
#[cfg(feature = "postgres")]
mod postgres_settings;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod servers;
#[cfg(feature = "sqlite")]
mod sqlite_files;

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

/// An unescaped character moves the password into another part of the URL; no error shows it there.
#[test]
fn passwords_that_are_not_escaped_are_not_shown() {
    for scheme in ["postgres", "mysql"] {
        for rest in [
            "us?er:hunter2@127.0.0.1:1/db",
            "us?er:hunter2@127.0.0.1:1/db?connect_timeout=1",
            "us/er:hunter2@127.0.0.1:1/db",
            "us@er:hunter2@127.0.0.1:1/db",
            "us#er:hunter2@127.0.0.1:1/db",
            "me:hunter2#@127.0.0.1:1/db",
            "me:1?hunter2=@127.0.0.1:1/db",
            "me:hunter2?@127.0.0.1:1/db",
            "me%3Ahunter2%40127.0.0.1:1/db",
            "me:hunter2/db",
        ] {
            let error = refused(&format!("{scheme}://{rest}"));
            assert!(!shown(&error).contains("hunter2"), "{scheme}://{rest}: {error:?}");
        }
    }
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
    type Connect = fn(&str) -> orm_core::Result<()>;
    let fixed: [(BackendKind, Connect); _] = [
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
    let option = bed.pick(Pick { postgres: "read_timeout", mysql: "read_timeout", sqlite: "mode" });
    let error = refused(&bed.url_with(&format!("{option}=1&{option}=2")));
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains(&format!("`{option}` stands twice")), "{error}");
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
    assert_eq!((error.kind(), error.backend()), (ErrorKind::UndefinedTable, Some(bed.backend())));
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
