//! Connecting to servers that refuse, are silent, or are something else, on each backend that has a server.

use std::{io::Write, net::TcpListener, thread};

use orm_tests::{logs, proxy::Proxy};

use super::*;

#[cfg(feature = "postgres")]
orm_tests::on_postgres! {
    a_wrong_password, a_missing_database, a_server_that_is_not_there, a_server_that_says_nothing,
    a_server_of_another_kind, a_pool_whose_server_went_away,
}
#[cfg(feature = "mysql")]
orm_tests::on_mysql! {
    a_wrong_password, a_missing_database, a_server_that_is_not_there, a_server_that_says_nothing,
    a_server_of_another_kind, a_pool_whose_server_went_away,
}

const SECRET: &str = "s3cr3t hunter";
pub(super) const ENCODED: &str = "s3cr3t%20hunter";

fn scheme(bed: &Bed) -> &str {
    bed.url().split_once("://").expect("a URL has a scheme").0
}

/// The URL of the server with another user, password and database.
pub(super) fn url(bed: &Bed, user: &str, database: &str) -> String {
    let (_, rest) = bed.url().split_once('@').expect("the server's URL names a user");
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    format!("{}://{user}:{ENCODED}@{host}/{database}", scheme(bed))
}

fn without_secret(error: &orm_core::Error) {
    let text = shown(error);
    for secret in [SECRET, ENCODED, "s3cr3t"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(!logs::all().contains("s3cr3t"), "a password was logged");
}

fn a_wrong_password(bed: &Bed) -> TestResult {
    logs::keep();
    let user = bed.url().split("://").nth(1).and_then(|rest| rest.split(':').next()).unwrap_or_default();
    for user in ["nobody_of_that_name", user] {
        let error = refused(&url(bed, user, "orm"));
        assert_eq!((error.kind(), error.backend()), (ErrorKind::Connection, Some(bed.backend())));
        assert!(error.to_string().contains("refused the user name or the password"), "{error}");
        without_secret(&error);
    }
    Ok(())
}

fn a_missing_database(bed: &Bed) -> TestResult {
    logs::keep();
    let base = bed.url().split('?').next().unwrap_or_default();
    let (host, _) = base.rsplit_once('/').ok_or("the bed's URL names a database")?;
    let error = refused(&format!("{host}/no_such_database"));
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.to_string().contains("no such database"), "{error}");
    assert!(shown(&error).contains("no_such_database"), "{error:?}");
    Ok(())
}

fn a_server_that_is_not_there(bed: &Bed) -> TestResult {
    logs::keep();
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let error = refused(&format!("{}://me:{ENCODED}@127.0.0.1:{port}/db", scheme(bed)));
    assert_eq!((error.kind(), error.backend()), (ErrorKind::Connection, Some(bed.backend())));
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    without_secret(&error);
    let error = refused(&format!("{}://me:{ENCODED}@no-such-host.invalid/db", scheme(bed)));
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.to_string().contains("host name is not known"), "{error}");
    without_secret(&error);
    Ok(())
}

fn a_server_that_says_nothing(bed: &Bed) -> TestResult {
    logs::keep();
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let builder = Database::<orm_core::Any>::builder().connect_timeout(Duration::from_millis(500));
    let url = format!("{}://me:{ENCODED}@{}/db", scheme(bed), silent.local_addr()?);
    let error = builder.connect(&url).expect_err("it never answers");
    assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
    assert!(error.to_string().contains("did not answer in time"), "{error}");
    without_secret(&error);
    Ok(())
}

fn a_server_of_another_kind(bed: &Bed) -> TestResult {
    let options = match bed.backend() {
        BackendKind::Postgres => "?sslmode=disable&gssencmode=disable",
        _ => "",
    };
    let greetings: [&[u8]; 4] = [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"", &[0xFF; 4096]];
    for greeting in greetings {
        let other = TcpListener::bind("127.0.0.1:0")?;
        let address = other.local_addr()?;
        let answering = thread::spawn(move || {
            if let Ok((mut client, _)) = other.accept() {
                let _ = client.write_all(greeting);
            }
        });
        let error = refused(&format!("{}://me:{ENCODED}@{address}/db{options}", scheme(bed)));
        assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
        without_secret(&error);
        assert!(answering.join().is_ok());
    }
    Ok(())
}

/// What the pool logs when a server goes away holds no password either.
fn a_pool_whose_server_went_away(bed: &Bed) -> TestResult {
    logs::keep();
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
