//! A throwaway PostgreSQL server: its programs, its first folder, its settings and when it's ready.

use std::{
    fs::{self, File},
    io::{self, Read},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use crate::{
    failure::Failure,
    run,
    server::{
        Server,
        debian::Package,
        home::Home,
        process::Process,
        programs::{self, Product},
    },
    signals,
};

pub(crate) const PRODUCT: Product = Product {
    name: "PostgreSQL",
    programs: &["initdb", "postgres"],
    folders,
    package: Package { name: "postgresql", prepare: Some(NO_MAIN_CLUSTER) },
    other_packages: &[
        ("brew", "install postgresql"),
        ("dnf", "install postgresql-server"),
        ("zypper", "install postgresql-server"),
        ("pacman", "-S postgresql"),
        ("apk", "add postgresql"),
    ],
    otherwise: "name an existing server with --postgres-url URL",
};

/// Debian's package makes and starts a server of its own when it is installed for the first time, which nobody here
/// has asked for. A file that is already there is the machine's owner's choice.
const NO_MAIN_CLUSTER: &str = "\
f=/etc/postgresql-common/createcluster.conf
test -e $f || { mkdir -p ${f%/*} && echo 'create_main_cluster = false' > $f && echo \"Wrote $f\"; }";

/// The accounts that may run the server when xtask runs as root. Debian makes the first; every Unix has the second.
const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];

const USER: &str = "orm";

/// How long the server may take until it accepts connections.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often another port is tried when another program has taken the one that was free.
const PORT_TRIES: usize = 5;

/// The longest folder name in which the server can make a socket: the system's limit is about 100 bytes, of which the
/// socket's own name takes some.
const LONGEST_SOCKET_FOLDER: usize = 80;

/// Fast shutdown, which ends the clients' sessions, then an immediate one. (SIGTERM would wait for the clients.)
const STOP: &[Signal] = &[Signal::SIGINT, Signal::SIGQUIT];

/// Starts a new, empty server.
pub(crate) fn start() -> Result<Server, Failure> {
    let programs = programs::find_or_install(&PRODUCT)?;
    start_on(&programs, || free_port().map_err(|error| Failure::Other(format!("no port is free: {error}"))))
}

fn start_on(programs: &Path, mut choose_port: impl FnMut() -> Result<u16, Failure>) -> Result<Server, Failure> {
    let home = Home::new("orm-postgres-", &ACCOUNTS)?;
    let password = password().map_err(|error| Failure::Other(format!("could not make a password: {error}")))?;
    initialise(programs, &home, &password)?;
    for _ in 0..PORT_TRIES {
        let port = choose_port()?;
        if let Some(process) = launch(programs, &home, port)? {
            let url = format!("postgres://{USER}:{password}@127.0.0.1:{port}/postgres");
            return Ok(Server { url, process, _home: home });
        }
    }
    Err(Failure::Other(format!(
        "the PostgreSQL server found its port taken {PORT_TRIES} times, although it was free a moment before; try again"
    )))
}

/// Where PostgreSQL's programs lie when they're not on PATH.
fn folders() -> Vec<PathBuf> {
    let mut folders = programs::newest_first("/usr/lib/postgresql", "", "bin");
    folders.extend(folder_from_pg_config());
    folders.push("/usr/local/pgsql/bin".into());
    for homebrew in ["/opt/homebrew/opt", "/usr/local/opt", "/home/linuxbrew/.linuxbrew/opt"] {
        folders.extend(programs::newest_first(homebrew, "postgresql@", "bin"));
        folders.push(Path::new(homebrew).join("postgresql/bin"));
    }
    folders
}

/// What PostgreSQL itself says. Debian's pg_config can belong to the client alone, so it comes after the folders.
fn folder_from_pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().into())
}

/// Makes the server's data folder.
fn initialise(programs: &Path, home: &Home, password: &str) -> Result<(), Failure> {
    let password_file = home.write_secret("password", password)?;
    let mut command = server_command(&programs.join("initdb"), home);
    command
        .arg("--pgdata=data")
        .arg(format!("--username={USER}"))
        .arg("--pwfile=password")
        // Passwords are checked even here, so that tests of a wrong one mean something.
        .args(["--auth-host=scram-sha-256", "--auth-local=scram-sha-256"])
        // The C locale also keeps the log's language the one that this file reads.
        .args(["--encoding=UTF8", "--locale=C", "--no-sync"]);
    let (status, output) = run::quiet(&mut command)?;
    // The server needs it no more; the whole folder goes in the end in any case.
    let _ = fs::remove_file(password_file);
    if status.success() {
        return Ok(());
    }
    Err(Failure::Other(format!("PostgreSQL's initdb failed ({status}):\n{}", output.trim_end())))
}

/// Starts the server and waits until it accepts connections. `None`: another program has taken the port.
fn launch(programs: &Path, home: &Home, port: u16) -> Result<Option<Process>, Failure> {
    let mut command = server_command(&programs.join("postgres"), home);
    command.args(["-D", "data"]).arg("-p").arg(port.to_string());
    for setting in settings(home.path()) {
        command.arg("-c").arg(setting);
    }
    let mut process = Process::start(PRODUCT.name, &mut command, home.path().join("log"), STOP)?;
    let start = Instant::now();
    loop {
        if is_ready(home.path()) {
            return Ok(Some(process));
        }
        if let Some(story) = process.how_it_ended() {
            return if port_was_taken(&process.log()) { Ok(None) } else { Err(Failure::Other(story)) };
        }
        if start.elapsed() > PATIENCE {
            let seconds = PATIENCE.as_secs();
            return Err(Failure::Other(process.story(&format!("was not ready after {seconds} seconds"))));
        }
        signals::check()?;
        thread::sleep(run::POLL);
    }
}

/// A command with the server's account and folder, without what the caller's environment says about PostgreSQL.
fn server_command(program: &Path, home: &Home) -> Command {
    // Should xtask be killed, this signal shuts the server down.
    let mut command = run::bound_to_xtask(program, Signal::SIGINT);
    home.apply_to(&mut command);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
    command.env("LC_ALL", "C");
    command
}

fn settings(home: &Path) -> Vec<String> {
    let sockets = home.to_string_lossy();
    let sockets = if sockets.len() > LONGEST_SOCKET_FOLDER { "" } else { &sockets };
    [
        // Only this machine reaches the server.
        "listen_addresses=127.0.0.1",
        // What it stores needs not outlive it.
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        // Test programs run many tests at once, each with some connections.
        "max_connections=200",
        // Not UTC, and not a whole number of hours away from it, so that a confusion of time zones shows.
        "timezone=Asia/Kolkata",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([format!("unix_socket_directories={sockets}")])
    .collect()
}

/// Whether the server says that it accepts connections: on the last line of the file that it keeps while it runs, from
/// which PostgreSQL's own pg_ctl tells too.
fn is_ready(home: &Path) -> bool {
    fs::read_to_string(home.join("data/postmaster.pid")).is_ok_and(|text| says_ready(&text))
}

fn says_ready(postmaster_pid: &str) -> bool {
    postmaster_pid.lines().nth(7).is_some_and(|status| status.trim_end() == "ready")
}

fn port_was_taken(log: &str) -> bool {
    log.contains("could not bind") && log.contains("Address already in use")
}

/// A port that was free a moment ago.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// A random password that needs no escaping in a URL.
fn password() -> io::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_is_read_from_the_eighth_line() {
        let file = |status: &str| format!("1\n/data\n1700000000\n5432\n/tmp\n127.0.0.1\n 1 2\n{status}\n");
        assert!(says_ready(&file("ready   ")));
        assert!(!says_ready(&file("starting")));
        assert!(!says_ready("1\n/data\n"));
    }

    #[test]
    fn a_taken_port_is_told_from_other_trouble() {
        assert!(port_was_taken(
            "LOG:  could not bind IPv4 address \"127.0.0.1\": Address already in use\n\
             FATAL:  could not create any TCP/IP sockets\n"
        ));
        assert!(!port_was_taken("FATAL:  could not map anonymous shared memory: Cannot allocate memory\n"));
    }

    #[test]
    fn passwords_differ() {
        let passwords = [password(), password()].map(|password| password.expect("random bytes are to be had"));
        assert_eq!(passwords[0].len(), 32);
        assert_ne!(passwords[0], passwords[1]);
    }

    #[test]
    fn sockets_lie_in_the_folder_unless_its_name_is_too_long() {
        let last = |home: &str| settings(Path::new(home)).pop();
        assert_eq!(last("/tmp/a").as_deref(), Some("unix_socket_directories=/tmp/a"));
        assert_eq!(last(&format!("/tmp/{}", "a".repeat(100))).as_deref(), Some("unix_socket_directories="));
    }
}
