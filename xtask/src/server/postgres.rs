//! A throwaway PostgreSQL server: its programs, its first folder, its settings and when it's ready.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use nix::sys::signal::Signal;

use crate::{
    failure::Failure,
    run,
    server::{
        Server, ServerOption,
        debian::Package,
        home::Home,
        launch::{self, Launch, USER},
        locale::{Available, Locale},
        programs::{self, Product},
    },
};

pub(crate) const PRODUCT: Product = Product {
    name: "PostgreSQL",
    programs: &["initdb", "postgres"],
    package: Package { name: "postgresql", before: Some(NO_MAIN_CLUSTER), services: &[] },
    other_packages: &[
        ("brew", "install postgresql"),
        ("dnf", "install postgresql-server postgresql-contrib"),
        ("zypper", "install postgresql-server postgresql-contrib"),
        ("pacman", "-S postgresql"),
        ("apk", "add postgresql postgresql-contrib icu-data-full"),
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

/// Fast shutdown, which ends the clients' sessions, then an immediate one. (SIGTERM would wait for the clients.)
const STOP: &[Signal] = &[Signal::SIGINT, Signal::SIGQUIT];

/// Starts a new, empty server. `options` override the settings made here.
pub(crate) fn start(options: &[ServerOption], locale: Locale) -> Result<Server, Failure> {
    let find = || programs::folder_with_all(PRODUCT.programs, &programs::path_and(folders()));
    let programs = programs::find_or_install(&PRODUCT, find)?;
    let home = Home::new("orm-postgres-", &ACCOUNTS)?;
    let options = options.iter().map(|option| option.for_server(&home)).collect::<Result<Vec<_>, _>>()?;
    let password = launch::password()?;
    let locale = locale.available(&home)?;
    initialise(&programs, &home, &password, &locale)?;
    let launch = Launch {
        product: PRODUCT.name,
        stop: STOP,
        command: &|port| {
            let mut command = server_command(&programs.join("postgres"), &home);
            locale.apply_to(&mut command, &home);
            command.args(["-D", "data"]).arg("-p").arg(port.to_string());
            for setting in settings(home.path()) {
                command.arg("-c").arg(setting);
            }
            command.args(&options);
            Ok(command)
        },
        is_ready,
        port_was_taken,
    };
    let (process, port) = launch.start(&home)?;
    Ok(Server { url: format!("postgres://{USER}:{password}@127.0.0.1:{port}/postgres"), process, _home: home })
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
fn initialise(programs: &Path, home: &Home, password: &str, locale: &Available) -> Result<(), Failure> {
    let password_file = home.write_secret("password", password)?;
    let mut command = server_command(&programs.join("initdb"), home);
    locale.apply_to(&mut command, home);
    command
        .arg("--pgdata=data")
        .arg(format!("--username={USER}"))
        .arg("--pwfile=password")
        // Passwords are checked even here, so that tests of a wrong one mean something.
        .args(["--auth-host=scram-sha-256", "--auth-local=scram-sha-256"])
        .args(["--encoding=UTF8", "--no-sync"])
        .args(&locale.initdb);
    let (status, output) = run::quiet(&mut command)?;
    // The server needs it no more; the whole folder goes in the end in any case.
    let _ = fs::remove_file(password_file);
    if status.success() {
        return Ok(());
    }
    Err(Failure::Other(format!("PostgreSQL's initdb failed ({status}):\n{}", output.trim_end())))
}

fn server_command(program: &Path, home: &Home) -> Command {
    // The signal shuts the server down.
    launch::command(program, home, Signal::SIGINT, &["PG"])
}

fn settings(home: &Path) -> Vec<String> {
    let sockets = launch::socket_folder(home).unwrap_or_default();
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
    .chain([format!("unix_socket_directories={}", sockets.display())])
    .collect()
}

/// Whether the server says that it accepts connections: on the last line of the file that it keeps while it runs, from
/// which PostgreSQL's own pg_ctl tells too.
fn is_ready(home: &Path, _log: &str) -> bool {
    fs::read_to_string(home.join("data/postmaster.pid")).is_ok_and(|text| says_ready(&text))
}

fn says_ready(postmaster_pid: &str) -> bool {
    postmaster_pid.lines().nth(7).is_some_and(|status| status.trim_end() == "ready")
}

fn port_was_taken(log: &str) -> bool {
    log.contains("could not bind") && log.contains("Address already in use")
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
}
