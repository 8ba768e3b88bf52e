//! A throwaway pgbouncer, the pooler that stands between clients and a PostgreSQL server: in transaction mode, where a
//! client has another of the server's sessions for each transaction.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
    process::Command,
};

use nix::sys::signal::Signal;

use crate::{
    failure::Failure,
    run,
    server::{
        Kind, Server, ServerOption,
        debian::Package,
        home::Home,
        launch::{self, Launch},
        programs::{self, Product},
    },
};

const PRODUCT: Product = Product {
    name: "PgBouncer",
    programs: &["pgbouncer"],
    package: Package { name: "pgbouncer", before: None, services: &["pgbouncer"] },
    other_packages: &[
        ("brew", "install pgbouncer"),
        ("dnf", "install pgbouncer"),
        ("zypper", "install pgbouncer"),
        ("pacman", "-S pgbouncer"),
        ("apk", "add pgbouncer"),
    ],
    otherwise: "leave PostgreSQL out with --backend sqlite or --backend mysql",
};

/// The accounts that may run it when xtask runs as root. Debian's package counts on the first.
const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];

/// Some releases wait for the clients at the first signal; none does at the second.
const STOP: &[Signal] = &[Signal::SIGTERM, Signal::SIGQUIT];

/// The first release that knows clients' prepared statements in transaction mode.
const KNOWS_STATEMENTS: [u32; 2] = [1, 21];

/// What a client of an older release has to say: it prepares no statements with names.
const NO_STATEMENTS: &str = "statement_cache_size=0";

/// Installs the program, unless it is there.
pub(crate) fn find_or_install() -> Result<PathBuf, Failure> {
    programs::find_or_install(&PRODUCT, || {
        programs::first_of(PRODUCT.programs, &programs::path_and(["/usr/sbin".into(), "/usr/local/sbin".into()]))
    })
}

/// Starts one before the server of this URL. Its own URL has the same user, password and database, and what orm-core
/// has to be told. `options` override the settings made here.
pub(crate) fn start(server_url: &str, options: &[ServerOption]) -> Result<Server, Failure> {
    let behind = Behind::parse(server_url)?;
    let program = find_or_install()?;
    let knows_statements = version(&program)?.as_slice() >= KNOWS_STATEMENTS.as_slice();
    let home = Home::new("orm-pgbouncer-", &ACCOUNTS)?;
    home.write_secret("users.txt", behind.users())?;
    let launch = Launch {
        product: PRODUCT.name,
        stop: STOP,
        command: &|port| {
            home.write_secret("pgbouncer.ini", settings(&behind, port, knows_statements, options))?;
            // The signal ends it at once.
            let mut command = launch::command(&program, &home, Signal::SIGQUIT, &["PG"]);
            command.arg("pgbouncer.ini");
            Ok(command)
        },
        is_ready: |_, log| log.contains("process up: PgBouncer"),
        port_was_taken: |log| log.contains("Address already in use"),
    };
    let (process, port) = launch.start(&home)?;
    Ok(Server { url: behind.url_at(port, knows_statements), process, _home: home })
}

/// The release of the program.
fn version(program: &Path) -> Result<Vec<u32>, Failure> {
    let (_, output) = run::quiet(Command::new(program).arg("--version"))?;
    let version = output.lines().next().and_then(|line| programs::version(line.strip_prefix("PgBouncer ")?.trim()));
    version.ok_or_else(|| {
        Failure::Other(format!("`{} --version` tells no version but this:\n{}", program.display(), output.trim_end()))
    })
}

/// The server behind it, from its URL.
#[derive(Debug, PartialEq, Eq)]
struct Behind<'a> {
    /// User and password as they stand in the URL.
    login: &'a str,
    user: String,
    password: String,
    host: String,
    port: &'a str,
    /// The database with the slash before it, or nothing.
    database: &'a str,
}

impl<'a> Behind<'a> {
    fn parse(url: &'a str) -> Result<Self, Failure> {
        let read = || {
            let (_, rest) = url.split_once("://").filter(|_| Kind::Postgres.has_url(url))?;
            let rest = rest.split_once('?').map_or(rest, |(rest, _)| rest);
            let (authority, database) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let (login, address) = authority.rsplit_once('@')?;
            let (user, password) = login.split_once(':')?;
            // The last colon may be one of a numeric address.
            let (host, port) = match address.rsplit_once(':') {
                Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
                _ => (address, "5432"),
            };
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let behind =
                Behind { login, user: decode(user)?, password: decode(password)?, host: decode(host)?, port, database };
            (!behind.host.is_empty()).then_some(behind)
        };
        read().ok_or_else(|| {
            // The URL itself is not shown: it holds a password.
            Failure::Usage(format!(
                "for PgBouncer {} must name the server, as {} does",
                Kind::Postgres.url_variable(),
                Kind::Postgres.example_url()
            ))
        })
    }

    /// The file by which clients are known, and the server is logged in to.
    fn users(&self) -> String {
        let quoted = |text: &str| text.replace('"', "\"\"");
        format!("\"{}\" \"{}\"\n", quoted(&self.user), quoted(&self.password))
    }

    /// How orm-core reaches the server by way of this port.
    fn url_at(&self, port: u16, knows_statements: bool) -> String {
        let Behind { login, database, .. } = self;
        let option = if knows_statements { String::new() } else { format!("?{NO_STATEMENTS}") };
        format!("postgres://{login}@127.0.0.1:{port}{database}{option}")
    }
}

/// `%40` as `@`; nothing if that gives no text.
fn decode(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

fn settings(behind: &Behind<'_>, port: u16, knows_statements: bool, options: &[ServerOption]) -> String {
    let host = behind.host.replace('\'', "''");
    let mut text = format!("[databases]\n* = host='{host}' port={}\n[pgbouncer]\n", behind.port);
    let lines = [
        // Only this machine reaches it.
        "listen_addr = 127.0.0.1",
        "unix_socket_dir =",
        "auth_type = scram-sha-256",
        "auth_file = users.txt",
        "pool_mode = transaction",
        // Few, so that clients do change sessions.
        "default_pool_size = 2",
        "max_client_conn = 200",
        // A client that waits for itself is told so while the test still runs.
        "query_wait_timeout = 30",
    ];
    let statements = knows_statements.then(|| "max_prepared_statements = 100".to_owned());
    let lines = lines.map(str::to_owned).into_iter().chain(statements).chain([format!("listen_port = {port}")]);
    // The last line with a name counts.
    for line in lines.chain(options.iter().map(ServerOption::for_file)) {
        let _ = writeln!(text, "{line}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_read_from_its_url() {
        let url = "postgres://o%40rm:se%22cret@127.0.0.1:5433/post%20gres?sslmode=disable";
        let behind = Behind::parse(url).expect("it is valid");
        let parts = [&behind.user, &behind.password, &behind.host].map(String::as_str);
        assert_eq!((parts, behind.port), (["o@rm", "se\"cret", "127.0.0.1"], "5433"));
        assert_eq!(behind.users(), "\"o@rm\" \"se\"\"cret\"\n");
        assert_eq!(behind.url_at(7, true), "postgres://o%40rm:se%22cret@127.0.0.1:7/post%20gres");
        assert_eq!(
            behind.url_at(7, false),
            "postgres://o%40rm:se%22cret@127.0.0.1:7/post%20gres?statement_cache_size=0"
        );
        let behind = Behind::parse("postgresql://a:b@[::1]").expect("it is valid");
        assert_eq!((behind.host.as_str(), behind.port, behind.database), ("::1", "5432", ""));
    }

    #[test]
    fn a_url_without_what_is_needed_is_refused_and_not_shown() {
        for url in ["mysql://a:secret@h/d", "postgres://h/d", "postgres://secret@h/d", "postgres://a:secret@/d", ""] {
            let failure = Behind::parse(url).expect_err("something is missing").to_string();
            assert!(failure.contains("ORM_TEST_POSTGRES_URL") && !failure.contains("secret"), "{failure}");
        }
        assert!(Behind::parse("postgres://a:%zz@h").is_err() && Behind::parse("postgres://a:%4@h").is_err());
    }

    #[test]
    fn options_stand_after_the_settings_that_they_override() {
        let behind = Behind::parse("postgres://a:b@host:1/d").expect("it is valid");
        let options = ["default_pool_size=1".to_owned()].map(|text| ServerOption::parse(&text).expect("it is valid"));
        let text = settings(&behind, 6432, false, &options);
        assert!(text.starts_with("[databases]\n* = host='host' port=1\n[pgbouncer]\n"), "{text}");
        assert!(text.ends_with("listen_port = 6432\ndefault_pool_size = 1\n"), "{text}");
        assert!(!text.contains("max_prepared_statements"), "{text}");
        assert!(settings(&behind, 6432, true, &[]).contains("max_prepared_statements"));
    }
}
