//! URLs, keywords and environments, by tables of cases from libpq's documentation.

use std::{collections::HashMap, path::Path};

use super::{security::Ways, *};
use crate::net::tls::{TlsMode, Versions};

/// What is read of a URL in an environment of `NAME=value` pairs.
fn read_in(environment: &str, url: &str) -> std::result::Result<Options, String> {
    read_with(environment, url, &Settings::default(), None)
}

fn read_with(
    environment: &str,
    url: &str,
    settings: &Settings,
    socket_folder: Option<&str>,
) -> std::result::Result<Options, String> {
    let pairs = environment.split('|').filter_map(|pair| pair.split_once('='));
    let variables: HashMap<String, String> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let variable = |name: &str| variables.get(name).cloned();
    let environment = Environment::of_test(&variable, socket_folder.map(Path::new));
    DatabaseUrl::parse(url)
        .and_then(|url| Options::read(&url, settings, &environment))
        .map_err(|error| format!("{error:?}"))
}

fn read(url: &str) -> Options {
    read_in("", url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

/// Hosts, user, password and database, as one text.
fn told(options: &Options) -> String {
    let hosts: Vec<_> = options
        .hosts
        .iter()
        .map(|host| match host.address.to_string() {
            address if address.rsplit_once(':').is_some_and(|(name, _)| name.trim_matches(['[', ']']) == host.name) => {
                address
            }
            address => format!("{}={address}", host.name),
        })
        .collect();
    let password = options.password.as_deref().unwrap_or("-");
    format!("{} {} {password} {}", hosts.join(","), options.user, options.database)
}

/// From "Connection Strings" in PostgreSQL's documentation, the examples and more.
#[test]
fn who_and_where() {
    for (url, expected) in [
        ("postgresql://", "localhost:5432 me - me"),
        ("postgresql://localhost", "localhost:5432 me - me"),
        ("postgresql://localhost:5433", "localhost:5433 me - me"),
        ("postgresql://localhost/mydb", "localhost:5432 me - mydb"),
        ("postgresql://user@localhost", "localhost:5432 user - user"),
        ("postgresql://user:secret@localhost", "localhost:5432 user secret user"),
        (
            "postgresql://other@localhost/otherdb?connect_timeout=10&application_name=myapp",
            "localhost:5432 other - otherdb",
        ),
        ("postgresql://host1:123,host2:456/somedb?target_session_attrs=any", "host1:123,host2:456 me - somedb"),
        ("postgresql://user@localhost:5433/mydb?options=-c%20synchronous_commit%3Doff", "localhost:5433 user - mydb"),
        ("postgresql:///mydb?host=localhost&port=5433", "localhost:5433 me - mydb"),
        ("postgresql://[2001:db8::1234]/database", "[2001:db8::1234]:5432 me - database"),
        (
            "postgresql:///dbname?host=/var/lib/postgresql",
            "/var/lib/postgresql=/var/lib/postgresql/.s.PGSQL.5432 me - dbname",
        ),
        (
            "postgresql://%2Fvar%2Flib%2Fpostgresql/dbname",
            "/var/lib/postgresql=/var/lib/postgresql/.s.PGSQL.5432 me - dbname",
        ),
        ("postgresql://%2Frun:5433/dbname", "/run=/run/.s.PGSQL.5433 me - dbname"),
        ("postgres://u%40x:p%3A%2F%40@h/d%20b", "h:5432 u@x p:/@ d b"),
        ("postgres://a,[::1]:2,%2Frun/d", "a:5432,[::1]:2,/run=/run/.s.PGSQL.5432 me - d"),
        ("postgres://a,b,c/d?port=7", "a:7,b:7,c:7 me - d"),
        ("postgres://a,b/d?port=7,", "a:7,b:5432 me - d"),
        ("postgres://:5433/d", "localhost:5433 me - d"),
        ("postgres://a,,b/d", "a:5432,localhost:5432,b:5432 me - d"),
        ("postgres://u@a/d?user=v&dbname=e&password=w&host=b", "b:5432 v w e"),
        ("postgres://db.example.org/d?hostaddr=10.0.0.7", "db.example.org=10.0.0.7:5432 me - d"),
        ("postgres:///d?hostaddr=10.0.0.7,::1&port=1,2", "10.0.0.7:1,[::1]:2 me - d"),
        ("host=localhost port=5432 dbname=mydb connect_timeout=10", "localhost:5432 me - mydb"),
        ("host=a,b port=1,2 user=u password='p w'", "a:1,b:2 u p w u"),
        ("host=::1 dbname=d", "[::1]:5432 me - d"),
        ("dbname=d host=''", "localhost:5432 me - d"),
        ("dbname = d user = u", "localhost:5432 u - d"),
    ] {
        assert_eq!(told(&read(url)), expected, "{url}");
    }
}

/// From "Environment Variables".
#[test]
fn the_environment_is_asked_where_the_url_says_nothing() {
    let all = "PGHOST=a,b|PGPORT=1,2|PGUSER=u|PGPASSWORD=p|PGDATABASE=d";
    for (environment, url, expected) in [
        (all, "postgres://", "a:1,b:2 u p d"),
        (all, "postgres://v:w@c:3/e", "c:3 v w e"),
        ("PGPORT=7|PGUSER=u", "postgres://c", "c:7 u - u"),
        ("PGPORT=7", "postgres://a:8,b", "a:8,b:5432 me - me"),
        ("PGHOSTADDR=10.0.0.7", "postgres://c/d", "c=10.0.0.7:5432 me - d"),
        ("PGHOST=|PGUSER=|PGDATABASE=", "postgres://", "localhost:5432 me - me"),
        ("PGHOST=/run", "dbname=d", "/run=/run/.s.PGSQL.5432 me - d"),
    ] {
        let options = read_in(environment, url).unwrap_or_else(|error| panic!("{environment} {url}: {error}"));
        assert_eq!(told(&options), expected, "{environment} {url}");
    }
    let options = read_with("", "postgres:///d", &Settings::default(), Some("/var/run/postgresql"));
    let address = "/var/run/postgresql=/var/run/postgresql/.s.PGSQL.5432 me - d";
    assert_eq!(options.map(|options| told(&options)).as_deref(), Ok(address));
}

#[test]
fn each_option_is_understood() {
    let options = read(
        "postgres://h/d?target_session_attrs=prefer-standby&load_balance_hosts=random&connect_timeout=0.5\
         &read_timeout=2&write_timeout=3&statement_cache_size=0&keepalives=0&tcp_user_timeout=1500&passfile=/p\
         &channel_binding=require&sslmode=verify-full&sslnegotiation=direct&sslrootcert=/ca.pem\
         &ssl_min_protocol_version=TLSv1.3&sslsni=0&client_encoding=UTF8&gssencmode=prefer",
    );
    assert_eq!((options.wanted, options.any_order, options.tcp.any_order), (Wanted::PreferStandby, true, true));
    assert_eq!(options.timeouts.connect, Some(Duration::from_millis(500)));
    assert_eq!(
        options.timeouts.read.zip(options.timeouts.write),
        Some((Duration::from_secs(2), Duration::from_secs(3)))
    );
    assert_eq!((options.statement_cache_size, options.tcp.keepalive.is_some()), (0, false));
    assert_eq!(options.tcp.unacknowledged, Some(Duration::from_millis(1500)));
    assert_eq!(options.password_file.as_deref(), Some(Path::new("/p")));
    let security = &options.security;
    assert_eq!((security.mode, security.channel_binding), (SslMode::VerifyFull, ChannelBinding::Require));
    assert!(security.is_direct && security.tls.hides_name);
    assert_eq!(security.tls.protocol, Some("postgresql"));
    assert_eq!((security.tls.mode, security.tls.versions), (TlsMode::VerifyIdentity, Versions::Only13));
    assert_eq!(security.tls.authorities.as_deref(), Some(Path::new("/ca.pem")));
    let options = read("postgres://h/d");
    assert_eq!((options.wanted, options.any_order, options.statement_cache_size), (Wanted::Any, false, 100));
    assert_eq!((options.security.mode, options.security.tls.mode), (SslMode::Prefer, TlsMode::Preferred));
    assert_eq!(options.password_file.as_deref(), Some(Path::new("/no/such/home/.pgpass")));
    assert!(!options.security.is_direct && options.tcp.keepalive.is_some());
}

#[test]
fn how_long_connecting_may_take() {
    let seconds = |limit: Option<f64>| Ok(limit.map(Duration::from_secs_f64));
    let set = Settings { connect_timeout: Some(Duration::from_secs(4)), ..Settings::default() };
    let none = Settings::default();
    for (environment, url, settings, expected) in [
        ("", "postgres://h", &none, seconds(Some(10.0))),
        ("PGCONNECT_TIMEOUT=3", "postgres://h", &none, seconds(Some(3.0))),
        ("PGCONNECT_TIMEOUT=3", "postgres://h", &set, seconds(Some(4.0))),
        ("PGCONNECT_TIMEOUT=3", "postgres://h?connect_timeout=1.5", &set, seconds(Some(1.5))),
        ("", "postgres://h?connect_timeout=0", &set, seconds(None)),
        ("PGCONNECT_TIMEOUT=0", "postgres://h", &none, seconds(None)),
        ("PGCONNECT_TIMEOUT=", "postgres://h", &none, seconds(Some(10.0))),
    ] {
        let options = read_with(environment, url, settings, None);
        assert_eq!(options.map(|options| options.timeouts.connect), expected, "{environment} {url}");
    }
}

/// From "SSL Mode Descriptions", "SSL Library Initialization" and what is said of `sslrootcert`.
#[test]
fn how_much_is_asked_of_a_server() {
    let home = tempdir();
    let empty = tempdir();
    let own = home.path().join(".postgresql");
    std::fs::create_dir(&own).expect("a folder can be made");
    std::fs::write(own.join("root.crt"), "").expect("a file can be written");
    let (with, without) = (format!("HOME={}", home.path().display()), format!("HOME={}", empty.path().display()));
    let root = own.join("root.crt");
    let root = root.to_str().expect("a temporary folder's name is plain");
    for (environment, options, mode, authorities) in [
        (&without, "sslmode=disable", TlsMode::Disabled, None),
        (&without, "sslmode=allow", TlsMode::Preferred, None),
        (&without, "sslmode=prefer", TlsMode::Preferred, None),
        (&without, "sslmode=require", TlsMode::Required, None),
        (&without, "sslmode=require&sslrootcert=/ca", TlsMode::VerifyCa, Some("/ca")),
        (&without, "sslmode=verify-ca&sslrootcert=/ca", TlsMode::VerifyCa, Some("/ca")),
        (&without, "sslmode=verify-full&sslrootcert=/ca", TlsMode::VerifyIdentity, Some("/ca")),
        (&without, "sslmode=verify-full", TlsMode::VerifyIdentity, None),
        (&without, "sslmode=verify-full&sslrootcert=system", TlsMode::VerifyIdentity, None),
        (&without, "sslrootcert=system", TlsMode::VerifyIdentity, None),
        (&without, "ssl=true", TlsMode::Required, None),
        (&without, "requiressl=1", TlsMode::Required, None),
        (&with, "", TlsMode::Preferred, None),
        (&with, "sslmode=require", TlsMode::VerifyCa, Some(root)),
        (&with, "sslmode=verify-ca", TlsMode::VerifyCa, Some(root)),
        (&with, "sslmode=verify-full", TlsMode::VerifyIdentity, Some(root)),
        (&with, "sslmode=verify-full&sslrootcert=system", TlsMode::VerifyIdentity, None),
        (&with, "sslmode=disable&sslrootcert=/ca", TlsMode::Disabled, None),
    ] {
        let read = read_in(environment, &format!("postgres://h/d?{options}"))
            .unwrap_or_else(|error| panic!("{environment} {options}: {error}"));
        let read = (read.security.tls.mode, read.security.tls.authorities);
        assert_eq!(read, (mode, authorities.map(Into::into)), "{environment} {options}");
    }
    for (environment, mode) in [
        ("PGSSLMODE=require", TlsMode::Required),
        ("PGREQUIRESSL=1", TlsMode::Required),
        ("PGREQUIRESSL=0", TlsMode::Preferred),
        ("PGSSLROOTCERT=/ca", TlsMode::Preferred),
        ("PGSSLROOTCERT=/ca|PGSSLMODE=require", TlsMode::VerifyCa),
        ("PGSSLROOTCERT=system", TlsMode::VerifyIdentity),
    ] {
        let read = read_in(environment, "postgres://h/d").unwrap_or_else(|error| panic!("{environment}: {error}"));
        assert_eq!(read.security.tls.mode, mode, "{environment}");
    }
}

#[cfg(unix)]
#[test]
fn certificates_of_the_client() {
    use std::os::unix::fs::PermissionsExt;

    let home = tempdir();
    let own = home.path().join(".postgresql");
    std::fs::create_dir(&own).expect("a folder can be made");
    let environment = format!("HOME={}", home.path().display());
    let (certificate, key) = (own.join("postgresql.crt"), own.join("postgresql.key"));
    let identity = |url: &str| read_in(&environment, url).map(|options| options.security.tls.identity);
    assert_eq!(identity("postgres://h"), Ok(None));
    let alone = identity("postgres://h?sslmode=require&sslcert=/c").expect_err("there is no key");
    assert!(alone.contains("need each other"), "{alone}");
    std::fs::write(&key, "").expect("a file can be written");
    assert_eq!(identity("postgres://h?sslmode=require"), Ok(None));
    std::fs::write(&certificate, "").expect("a file can be written");
    for (mode, is_fine) in [(0o600, true), (0o640, false), (0o604, false), (0o400, true)] {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).expect("its mode can be set");
        let found = identity("postgres://h?sslmode=require");
        // Root's own keys may be read by their group.
        let is_roots = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(&key).expect("it is there")) == 0;
        if is_fine || (is_roots && mode == 0o640) {
            assert_eq!(found, Ok(Some((certificate.clone(), key.clone()))), "{mode:o}");
        } else {
            assert!(found.is_err_and(|error| error.contains("chmod 600")), "{mode:o}");
        }
    }
    assert_eq!(identity("postgres://h?sslmode=require&sslcertmode=disable"), Ok(None));
    assert_eq!(identity("postgres://h?sslmode=disable&sslcert=/c"), Ok(None));
}

/// A folder that is removed with this.
fn tempdir() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder is needed")
}

/// From what is said of `require_auth`.
#[test]
fn ways_to_log_in() {
    let ways = |value: &str| {
        read_in("", &format!("postgres://h?require_auth={value}")).map(|options| {
            let Ways { password, md5, scram, none, password_was_named } = options.security.ways;
            [password, md5, scram, none, password_was_named].map(u8::from)
        })
    };
    for (value, expected) in [
        ("", [1, 1, 1, 1, 0]),
        ("password", [1, 0, 0, 0, 1]),
        ("md5,scram-sha-256", [0, 1, 1, 0, 0]),
        ("scram-sha-256,%20none,gss", [0, 0, 1, 1, 0]),
        ("!password", [0, 1, 1, 1, 0]),
        ("!password,!none,!oauth", [0, 1, 1, 0, 0]),
    ] {
        assert_eq!(ways(value), Ok(expected), "{value}");
    }
    for (value, message) in [
        ("scram", "is a list of"),
        ("md5,!password", "no mixture"),
        ("md5,md5", "twice"),
        ("gss,sspi", "not known here"),
        ("md5,", "is a list of"),
    ] {
        let error = ways(value).expect_err(value);
        assert!(error.contains(message), "{value}: {error}");
    }
}

/// What the session begins with, and who wins where several say something.
#[test]
fn settings_of_the_session() {
    let settings = Settings {
        application_name: Some("export".into()),
        statement_timeout: Some(Duration::from_micros(1_500_001)),
        lock_timeout: Some(Duration::from_secs(2)),
        ..Settings::default()
    };
    let always = "client_encoding=UTF8|DateStyle=ISO|TimeZone=UTC|";
    let limits = "statement_timeout=1501|lock_timeout=2000";
    for (environment, url, settings, expected) in [
        ("", "postgres://h", &Settings::default(), String::new()),
        ("", "postgres://h", &settings, format!("application_name=export|{limits}")),
        ("PGAPPNAME=env", "postgres://h", &settings, format!("application_name=export|{limits}")),
        (
            "PGAPPNAME=env",
            "postgres://h?fallback_application_name=f",
            &Settings::default(),
            "application_name=env".into(),
        ),
        ("", "postgres://h?fallback_application_name=f", &Settings::default(), "application_name=f".into()),
        ("PGAPPNAME=env", "postgres://h?application_name=url", &settings, format!("application_name=url|{limits}")),
        ("PGOPTIONS=-c a=1", "postgres://h", &Settings::default(), "options=-c a=1".into()),
        ("PGOPTIONS=-c a=1", "postgres://h?options=-c%20b%3D2", &Settings::default(), "options=-c b=2".into()),
        // The limits of the URL go before those of the settings.
        (
            "",
            "postgres://h?options=-c%20statement_timeout%3D7",
            &settings,
            "application_name=export|lock_timeout=2000|options=-c statement_timeout=7".into(),
        ),
        (
            "",
            "postgres://h?options=--Statement-Timeout%3D7%20-clock_timeout%3D8",
            &settings,
            "application_name=export|options=--Statement-Timeout=7 -clock_timeout=8".into(),
        ),
        (
            "",
            r"postgres://h?options=-c%20a%3D\%20statement_timeout%3D7",
            &settings,
            format!(r"application_name=export|{limits}|options=-c a=\ statement_timeout=7"),
        ),
    ] {
        let options = read_with(environment, url, settings, None).unwrap_or_else(|error| panic!("{url}: {error}"));
        let told: Vec<_> = options.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let expected = format!("{always}{expected}");
        assert_eq!(told.join("|"), expected.trim_end_matches('|'), "{environment} {url}");
    }
}

#[test]
fn what_is_not_done_is_refused_by_name() {
    for (option, message) in [
        ("service=x", "`service` cannot be done: service files"),
        ("sslcrl=/x", "`sslcrl` cannot be done"),
        ("sslcrldir=/x", "`sslcrldir` cannot be done"),
        ("sslpassword=s3cret", "openssl pkey"),
        ("requirepeer=postgres", "verify-full"),
        ("sslcompression=1", "gives secrets away"),
        ("gssencmode=require", "Kerberos"),
        ("krbsrvname=x", "Kerberos"),
        ("gssdelegation=1", "Kerberos"),
        ("replication=database", "replication"),
        ("max_protocol_version=2.0", "version 3.0"),
        ("min_protocol_version=3.2", "version 3.0"),
        ("sslcertmode=require", "`allow` or `disable`"),
        ("ssl_mode=require", "did you mean `sslmode`?"),
        ("conect_timeout=1", "did you mean `connect_timeout`?"),
        ("sslmode=verify_full", "`verify-full`"),
        ("sslmode=verify-ca", "needs the file of the authorities"),
        ("sslrootcert=/ca", "add `sslmode=verify-full`"),
        ("sslmode=allow&sslrootcert=/ca", "add `sslmode=verify-full`"),
        ("sslmode=require&sslrootcert=system", "needs `sslmode=verify-full`"),
        ("sslnegotiation=direct", "add `sslmode=require`"),
        ("sslmode=require&sslkey=/k", "need each other"),
        ("ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2", "leave none"),
        ("ssl_max_protocol_version=TLSv1.1", "leave none"),
        ("ssl=1", "`true`"),
        ("client_encoding=LATIN1", "UTF8"),
        ("connect_timeout=soon", "number of seconds"),
        ("connect_timeout=-1", "number of seconds"),
        ("read_timeout=0", "above zero"),
        ("statement_cache_size=-1", "whole number"),
        ("keepalives=yes", "one of `1`, `0`"),
        ("keepalives_idle=1.5", "whole number"),
        ("tcp_user_timeout=99999999999", "whole number"),
        ("target_session_attrs=master", "`primary`"),
        ("load_balance_hosts=yes", "`random`"),
        ("channel_binding=on", "`require`"),
        ("port=1,2", "2 ports are named for 1 servers"),
        ("port=0", "from 1 to 65535"),
        ("port=x", "from 1 to 65535"),
        ("hostaddr=localhost", "IP address"),
        ("hostaddr=::1,::2", "different numbers"),
        ("host=%40abstract", "Unix sockets without a file"),
        ("password=a%00b", "zero byte"),
    ] {
        let error = read_in("", &format!("postgres://me:s3cret@h/d?{option}")).expect_err(option);
        assert!(error.contains(message), "{option}: {error}");
        assert!(error.contains("[Configuration]") && !error.contains("s3cret"), "{option}: {error}");
    }
    for environment in [
        "PGSERVICE=x",
        "PGSSLCRL=/x",
        "PGSSLCRLDIR=/x",
        "PGREQUIREPEER=x",
        "PGSSLCOMPRESSION=1",
        "PGGSSENCMODE=require",
        "PGSSLMODE=on",
        "PGREQUIREAUTH=gss",
        "PGPORT=x",
    ] {
        let error = read_in(environment, "postgres://h/d").expect_err(environment);
        let name = environment.split('=').next().unwrap_or_default();
        assert!(error.contains(name) || name == "PGPORT", "{environment}: {error}");
    }
    for option in ["gssencmode=disable", "sslcompression=0", "gssdelegation=0", "sslcrl=", "client_encoding=auto"] {
        assert!(read_in("", &format!("postgres://h/d?{option}")).is_ok(), "{option}");
    }
}

#[test]
fn the_password_file_is_asked_for_each_server() {
    let home = tempdir();
    let file = home.path().join(".pgpass");
    let text = "a:1:d:me:first\nlocalhost:*:*:*:here\n10.0.0.7:*:*:*:address\n/run:*:*:*:socket\n";
    std::fs::write(&file, text).expect("a file can be written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("its mode can be set");
    }
    let passwords = |environment: &str, url: &str| {
        let environment = format!("HOME={}|{environment}", home.path().display());
        let options = read_with(&environment, url, &Settings::default(), Some("/usual"))
            .unwrap_or_else(|error| panic!("{url}: {error}"));
        let each = options.hosts.iter().map(|host| match options.password(host) {
            Ok(password) => password.unwrap_or_else(|| "-".to_owned()),
            Err(why) => why,
        });
        each.collect::<Vec<_>>().join(",")
    };
    assert_eq!(passwords("", "postgres://a:1,a:2,localhost,%2Frun/d"), "first,-,here,socket");
    assert_eq!(passwords("", "postgres:///d"), "here", "the usual socket is called localhost");
    assert_eq!(passwords("", "postgres:///d?hostaddr=10.0.0.7"), "address");
    assert_eq!(passwords("", "postgres://a:1/d?hostaddr=10.0.0.7"), "first");
    assert_eq!(passwords("", "postgres://me:mine@a:1/d"), "mine");
    assert_eq!(passwords("PGPASSWORD=env", "postgres://a:1/d"), "env");
    assert_eq!(passwords("", "postgres://a:1/d?passfile=/no/such/file"), "-");
    assert_eq!(passwords("PGPASSFILE=/no/such/file", "postgres://a:1/d"), "-");
}

#[test]
fn no_password_is_shown() {
    for url in ["postgres://me:s3cret@h/d?sslpassword=", "host=h password=s3cret", "postgres://h?password=s3cret"] {
        let options = read_in("PGPASSWORD=s3cret", url).unwrap_or_else(|error| panic!("{url}: {error}"));
        assert_eq!(options.password.as_deref(), Some("s3cret"));
        assert!(!format!("{options:?} {options:#?}").contains("s3cret"), "{options:?}");
    }
}
