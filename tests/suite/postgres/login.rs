//! Logging in to PostgreSQL: each way, what is refused, where the password comes from, and that it goes nowhere else.

use std::{error::Error, fs, os::unix::fs::PermissionsExt, process::Command};

use diesel::Connection;
use orm_core::{BackendKind, diesel, prelude::*};
use orm_tests::{TestResult, logs, proxy::Proxy};

use super::{
    PgConnection,
    private::{ENCODED, PASSWORD, ask, host, port, server, socket_folder, url},
};

/// Why this URL is refused; no password is told, nor logged.
fn refused(url: &str) -> orm_core::Error {
    logs::keep();
    let error = orm_core::connect(url).map(|_| ()).expect_err(url);
    let shown = format!("{error} {error:?} {error:#?} {}", logs::all());
    assert!(!shown.contains("s3cr3t"), "{error:?}");
    error
}

/// Why this URL is refused, before the server is told anything that it could tell: by us, or by the server.
fn sentence(url: &str) -> String {
    let error = refused(url);
    assert_eq!((error.kind(), error.backend()), (ErrorKind::Connection, Some(BackendKind::Postgres)), "{error:?}");
    error.to_string()
}

#[test]
fn each_way() -> TestResult {
    for (user, options, way) in [
        ("scram", "sslmode=disable", "scram-sha-256"),
        ("scram", "sslmode=require", "scram-sha-256"),
        ("md5_user", "sslmode=disable", "md5"),
        ("md5_user", "sslmode=require", "md5"),
        ("clear_user", "sslmode=require", "password"),
        ("trusted", "sslmode=disable", "none"),
        ("trusted", "sslmode=require", "none"),
    ] {
        let url = |more: &str| url(user, &format!("{options}{more}"));
        assert_eq!(ask(&url(""), "current_user::text")?, user);
        for (require, connects) in [
            (way.to_owned(), true),
            (format!("!{way}"), false),
            ("password,md5,scram-sha-256,none".to_owned(), true),
            ("!gss".to_owned(), true),
        ] {
            let url = url(&format!("&require_auth={require}"));
            assert_eq!(PgConnection::establish(&url).is_ok(), connects, "{user}, {options}, {require}");
            if !connects {
                let sentence = sentence(&url);
                assert!(sentence.contains("`require_auth` does not allow"), "{sentence}");
            }
        }
        for wrong in ["wrong", "s3cr3t", "s3cr3t%2F%40%C3%BC%20"] {
            let answer = PgConnection::establish(&url("").replace(ENCODED, wrong)).map(|_| ());
            assert_eq!(answer.is_ok(), way == "none", "{user}, {options}, {wrong}");
            if way != "none" {
                let sentence = sentence(&url("").replace(ENCODED, wrong));
                assert!(sentence.contains("refused the user name or the password"), "{sentence}");
            }
        }
        if way != "none" {
            let sentence = sentence(&url("&passfile=/no/such/file").replace(&format!(":{ENCODED}"), ""));
            assert!(sentence.contains("wants a password, and none is given"), "{sentence}");
        }
    }
    Ok(())
}

/// The password itself is sent where nobody else can read it, or where that was said to be fine.
#[test]
fn passwords_in_the_clear() -> TestResult {
    let options = "sslmode=disable";
    let proxy = Proxy::listening_in(&url("clear_user", options));
    let error = refused(proxy.url());
    assert!(error.to_string().contains("this connection is not encrypted"), "{error}");
    assert!(!proxy.has_heard("s3cr3t"));
    // To allow others is not to say that it is fine.
    assert!(PgConnection::establish(&format!("{}&require_auth=!md5", proxy.url())).is_err());
    assert!(!proxy.has_heard("s3cr3t"));
    PgConnection::establish(&format!("{}&require_auth=md5,password", proxy.url()))?;
    assert!(proxy.has_heard(PASSWORD));
    let folder = socket_folder();
    assert_eq!(ask(&url("clear_user", &format!("host={folder}")), "current_user::text")?, "clear_user");
    // And otherwise never.
    for user in ["scram", "md5_user"] {
        let proxy = Proxy::listening_in(&url(user, options));
        PgConnection::establish(proxy.url())?;
        assert!(!proxy.has_heard("s3cr3t"), "{user}");
    }
    Ok(())
}

/// Passwords of any characters; those that look alike are one (SASLprep), as the server has it.
#[test]
fn passwords_of_all_characters() -> TestResult {
    let long = "é'\"x".repeat(60);
    for (index, (password, same)) in [
        ("p:a/s@s?%w#d é🛫", "p:a/s@s?%w#d é🛫"),
        (r"back\slash 'quoted'", r"back\slash 'quoted'"),
        ("I\u{ad}X \u{2168}", "IX IX"),
        ("\u{200b}\u{7}unprepared", "\u{200b}\u{7}unprepared"),
        (&long, &long),
    ]
    .into_iter()
    .enumerate()
    {
        let user = format!("characters_{index}");
        server().execute(&format!("CREATE ROLE {user} LOGIN PASSWORD '{}'", password.replace('\'', "''")));
        for password in [password, same] {
            let encoded: String = password.bytes().map(|byte| format!("%{byte:02X}")).collect();
            assert_eq!(ask(&url(&user, "").replace(ENCODED, &encoded), "current_user::text")?, user, "{password}");
            let quoted = password.replace('\\', r"\\").replace('\'', r"\'");
            let keywords = format!("host=127.0.0.1 port={} user={user} dbname=postgres password='{quoted}'", port());
            assert_eq!(ask(&keywords, "current_user::text")?, user, "{password}");
        }
        assert!(PgConnection::establish(&url(&user, "")).is_err(), "the password {password} is looked at");
    }
    Ok(())
}

#[test]
fn each_refusal_has_its_sentence() {
    let other_database = |user: &str, name: &str| url(user, "").replace("/postgres?", &format!("/{name}?"));
    for (url, says, detail) in [
        (url("nobody_of_that_name", ""), "refused the user name or the password", "28P01"),
        (url("rejected", ""), "does not let this user in", "28000"),
        (other_database("scram", "no_such_database"), "no such database", "no_such_database"),
        (other_database("scram", "closed"), "may not use it", "closed"),
        (url("crowded", ""), "no room for another connection", "53300"),
        (url("scram", "options=-c%20no_such_setting%3D1"), "refused the connection", "no_such_setting"),
        (url("scram", "options=-c%20work_mem%3Dlots"), "refused the connection", "work_mem"),
    ] {
        let error = refused(&url);
        assert_eq!((error.kind(), error.backend()), (ErrorKind::Connection, Some(BackendKind::Postgres)));
        assert!(error.to_string().contains(says), "{url}: {error}");
        let shown = format!("{error:?}");
        assert!(shown.contains(detail) && shown.contains(host()), "{url}: {error:?}");
    }
}

/// The three places that take a URL take libpq's keywords as well.
#[test]
fn keywords_in_place_of_a_url() -> TestResult {
    let keywords = format!("host=127.0.0.1 port={} user=scram dbname=postgres password='{PASSWORD}'", port());
    assert_eq!(ask(&keywords, "current_user::text")?, "scram");
    let db = orm_core::connect(&keywords)?;
    assert_eq!(db.backend(), BackendKind::Postgres);
    db.batch_execute("SELECT 1")?;
    Database::<Pg>::connect(&format!("{keywords} application_name = 'a b'"))?.batch_execute("SELECT 1")?;
    let error = refused(&format!("{keywords} sslmode=sideways"));
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error:?}");
    assert_eq!(refused(&keywords.replacen('\'', "", 1).replace("s3cr3t", "s3cr3t 2")).kind(), ErrorKind::Configuration);
    Ok(())
}

#[test]
fn a_unix_socket() -> TestResult {
    let folder = socket_folder();
    let address = "coalesce(host(inet_client_addr()), 'socket')";
    assert_eq!(ask(&url("scram", ""), address)?, "127.0.0.1");
    let encoded = folder.replace('/', "%2F");
    for url in [
        url("scram", &format!("host={folder}")),
        format!("postgres://scram:{ENCODED}@{encoded}:{}/postgres", port()),
        format!("host={folder} port={} user=scram dbname=postgres password='{PASSWORD}'", port()),
    ] {
        assert_eq!(ask(&url, address)?, "socket", "{url}");
    }
    let error = refused(&url("scram", "host=%2Fno%2Fsuch%2Ffolder"));
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    assert!(format!("{error:?}").contains("/no/such/folder/.s.PGSQL."), "{error:?}");
    Ok(())
}

#[test]
fn the_password_file() -> TestResult {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("passwords");
    let escaped = PASSWORD.replace('\\', r"\\").replace(':', r"\:");
    fs::write(&file, format!("# ours\n*:*:*:other:wrong\n127.0.0.1:{}:postgres:scram:{escaped}\n", port()))?;
    let url =
        |user: &str, host: &str| format!("postgres://{user}@{host}:{}/postgres?passfile={}", port(), file.display());
    let with_mode = |mode: u32| fs::set_permissions(&file, fs::Permissions::from_mode(mode));
    with_mode(0o600)?;
    assert_eq!(ask(&url("scram", "127.0.0.1"), "current_user::text")?, "scram");
    for (user, host) in [("md5_user", "127.0.0.1"), ("scram", "localhost")] {
        let sentence = sentence(&url(user, host));
        assert!(sentence.contains("none is given"), "{sentence}");
    }
    with_mode(0o640)?;
    let error = refused(&url("scram", "127.0.0.1"));
    assert!(format!("{error:?}").contains("chmod 600"), "{error:?}");
    Ok(())
}

/// In a process of its own, for the variables of this one are every test's.
fn in_an_environment(url: &str, variables: &[(&str, &str)]) -> Result<String, Box<dyn Error>> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orm-probe"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG")) {
        command.env_remove(name);
    }
    let output = command.args([url, "10"]).envs(variables.iter().copied()).output()?;
    let text = String::from_utf8([output.stdout, output.stderr].concat())?;
    assert!(!text.contains("s3cr3t"), "{text}");
    Ok(text)
}

/// The table that is read has two rows, whose keys have the sum of 3.
#[test]
fn variables_of_the_environment() -> TestResult {
    let all = [
        ("PGHOST", "127.0.0.1"),
        ("PGPORT", port()),
        ("PGUSER", "scram"),
        ("PGPASSWORD", PASSWORD),
        ("PGDATABASE", "postgres"),
        ("PGSSLMODE", "require"),
        ("PGAPPNAME", "the environment's"),
    ];
    let without = |name: &str| all.iter().copied().filter(|(other, _)| *other != name).collect::<Vec<_>>();
    let with = |name: &'static str, value: &'static str| {
        let mut variables = without(name);
        variables.push((name, value));
        variables
    };
    let reads = |url: &str, variables: &[(&str, &str)]| in_an_environment(url, variables);
    for url in ["postgres://", "postgresql:///", "postgres:///postgres", "dbname=postgres", "sslmode=disable"] {
        let answer = reads(url, &all)?;
        assert!(answer.starts_with("2 3 "), "{url}: {answer}");
    }
    for (variables, says) in [
        (without("PGPASSWORD"), "none is given"),
        (with("PGPASSWORD", "wrong"), "refused the user name or the password"),
        (with("PGDATABASE", "closed"), "may not use it"),
        (with("PGSSLMODE", "sideways"), "the variable `PGSSLMODE` is one of"),
        (with("PGSSLROOTCERT", "/no/such/file"), "/no/such/file"),
        (with("PGREQUIREAUTH", "md5"), "`require_auth` does not allow"),
        (with("PGTARGETSESSIONATTRS", "standby"), "`target_session_attrs` wants"),
        (with("PGSERVICE", "mine"), "`PGSERVICE` cannot be done"),
        (with("PGGSSENCMODE", "require"), "`PGGSSENCMODE` cannot be done"),
    ] {
        let answer = reads("postgres://", &variables)?;
        assert!(answer.contains(says), "{answer}");
    }
    // The URL goes before it.
    let answer = reads(&url("scram", "sslmode=disable"), &[("PGUSER", "nobody"), ("PGSSLMODE", "sideways")])?;
    assert!(answer.starts_with("2 3 "), "{answer}");
    // The file of passwords, too, named or in its place.
    let home = tempfile::tempdir()?;
    let file = home.path().join(".pgpass");
    fs::write(&file, format!("127.0.0.1:*:*:scram:{PASSWORD}"))?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
    for (name, path) in [("PGPASSFILE", &*file), ("HOME", home.path())] {
        let mut variables = without("PGPASSWORD");
        variables.push((name, path.to_str().ok_or("a plain name")?));
        let answer = reads("postgres://", &variables)?;
        assert!(answer.starts_with("2 3 "), "{name}: {answer}");
    }
    Ok(())
}

/// What the session is like, whatever the server's administrator, the URL or the environment say of it; and who wins of
/// those who may say something.
#[test]
fn settings_of_the_session() -> TestResult {
    let setting = |options: &str, name: &str| ask(&url("scram", options), &format!("current_setting('{name}')"));
    let ours = "options=-c%20TimeZone%3DAsia%2FTokyo%20-c%20DateStyle%3DGerman%20-c%20client_encoding%3DLATIN1";
    for options in ["", ours] {
        assert_eq!(setting(options, "TimeZone")?, "UTC", "{options}");
        assert!(setting(options, "DateStyle")?.starts_with("ISO"), "{options}");
        assert_eq!(setting(options, "client_encoding")?, "UTF8", "{options}");
    }
    assert_eq!(setting("", "statement_timeout")?, "0");
    assert_eq!(setting("options=-c%20statement_timeout%3D1234ms", "statement_timeout")?, "1234ms");
    assert_eq!(setting("application_name=a%20b", "application_name")?, "a b");
    assert_eq!(setting("fallback_application_name=c", "application_name")?, "c");
    assert_eq!(setting("options=-c%20application_name%3Da%5C%20b", "application_name")?, "a b");
    Ok(())
}
