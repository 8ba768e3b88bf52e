//! A throwaway MariaDB server (or MySQL, where that is what the machine has): its programs, its first folder, its
//! settings and when it's ready.

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
        Server,
        debian::Package,
        home::Home,
        launch::{self, Launch, USER},
        options::ServerOption,
        programs::{self, Product},
    },
};

pub(crate) const PRODUCT: Product = Product {
    name: "MariaDB",
    programs: &["mariadbd", "mariadb-install-db"],
    package: Package { name: "mariadb-server", before: None, services: &["mariadb", "mysql"] },
    other_packages: &[
        ("brew", "install mariadb"),
        ("dnf", "install mariadb-server"),
        ("zypper", "install mariadb"),
        ("pacman", "-S mariadb"),
        ("apk", "add mariadb mariadb-client"),
    ],
    otherwise: "name an existing server with --mysql-url URL",
};

/// The accounts that may run the server when xtask runs as root. Debian makes the first; every Unix has the second.
const ACCOUNTS: [&str; 2] = ["mysql", "nobody"];

/// The database that the URL names.
const DATABASE: &str = "orm";

/// A shutdown that ends the clients' sessions.
const STOP: &[Signal] = &[Signal::SIGTERM];

/// Where the server reads what it runs before it accepts connections.
const FIRST_STATEMENTS: &str = "first.sql";

/// The server's programs.
#[derive(Debug, PartialEq, Eq)]
struct Programs {
    server: PathBuf,
    /// What fills the first folder. Only MySQL's server does that itself.
    install: Option<PathBuf>,
}

/// Starts a new server with one empty database. `options` override the settings made here.
pub(crate) fn start(options: &[ServerOption]) -> Result<Server, Failure> {
    let programs = programs::find_or_install(&PRODUCT, || find(&programs::path_and(folders()), is_mariadb))?;
    let home = Home::new("orm-mariadb-", &ACCOUNTS)?;
    let options = options.iter().map(|option| option.for_server(&home)).collect::<Result<Vec<_>, _>>()?;
    let password = launch::password()?;
    initialise(&programs, &home)?;
    let first_statements = home.write_secret(FIRST_STATEMENTS, first_statements(&password))?;
    let launch = Launch {
        product: PRODUCT.name,
        stop: STOP,
        command: &|port| {
            let mut command = server_command(&programs.server, &home);
            command.args(storage_settings(home.path())).args(settings(home.path()));
            command.arg(format!("--port={port}")).args(&options);
            Ok(command)
        },
        is_ready: |_, log| says_ready(log),
        port_was_taken,
    };
    let (process, port) = launch.start(&home)?;
    // They hold the password, and the server needs them no more.
    let _ = fs::remove_file(first_statements);
    Ok(Server { url: format!("mysql://{USER}:{password}@127.0.0.1:{port}/{DATABASE}"), process, _home: home })
}

/// MariaDB's programs, else MySQL's. What is called mysqld can be either's.
fn find(folders: &[PathBuf], is_mariadb: impl Fn(&Path) -> bool) -> Option<Programs> {
    let install = || programs::first_of(&["mariadb-install-db", "mysql_install_db"], folders);
    if let (Some(server), Some(install)) = (programs::first_of(&["mariadbd"], folders), install()) {
        return Some(Programs { server, install: Some(install) });
    }
    let server = programs::first_of(&["mysqld"], folders)?;
    let install = if is_mariadb(&server) { Some(install()?) } else { None };
    Some(Programs { server, install })
}

fn is_mariadb(server: &Path) -> bool {
    // Root is refused for everything but help and the version.
    let output = Command::new(server).args(["--no-defaults", "--version"]).output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("MariaDB"))
}

/// Where the programs lie when they're not on PATH.
fn folders() -> Vec<PathBuf> {
    // A user's PATH seldom has the first.
    let mut folders: Vec<PathBuf> = ["/usr/sbin", "/usr/libexec", "/usr/bin"].map(Into::into).into();
    for product in ["mariadb", "mysql"] {
        folders.push(format!("/usr/local/{product}/bin").into());
        folders.push(format!("/usr/local/{product}/scripts").into());
        for homebrew in ["/opt/homebrew/opt", "/usr/local/opt", "/home/linuxbrew/.linuxbrew/opt"] {
            folders.push(Path::new(homebrew).join(product).join("bin"));
            folders.extend(programs::newest_first(homebrew, &format!("{product}@"), "bin"));
        }
    }
    folders
}

/// Makes the server's data folder.
fn initialise(programs: &Programs, home: &Home) -> Result<(), Failure> {
    let mut command = match &programs.install {
        Some(install) => {
            let mut command = server_command(install, home);
            // No lookup of this machine's name, no users without a name, and none without a password.
            command.args(["--force", "--skip-name-resolve", "--skip-test-db"]);
            command.arg("--auth-root-authentication-method=socket");
            command
        }
        None => {
            let mut command = server_command(&programs.server, home);
            command.arg("--initialize-insecure");
            command
        }
    };
    let (status, output) = run::quiet(command.args(storage_settings(home.path())))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::Other(format!("{}'s first folder could not be made ({status}):\n{}", PRODUCT.name, output.trim_end())))
}

/// What the server runs before it accepts connections, a statement a line.
fn first_statements(password: &str) -> String {
    [
        format!("CREATE USER '{USER}'@'%' IDENTIFIED BY '{password}'"),
        format!("GRANT ALL PRIVILEGES ON *.* TO '{USER}'@'%' WITH GRANT OPTION"),
        // Else whoever reaches the socket under the right account could do without a password.
        format!("ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}'"),
        format!("CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4"),
    ]
    .map(|statement| statement + ";\n")
    .concat()
}

fn server_command(program: &Path, home: &Home) -> Command {
    let mut command = launch::command(program, home, Signal::SIGTERM, &["MYSQL", "MARIADB"]);
    // This has to be the first argument.
    command.arg("--no-defaults");
    command
}

/// What counts when the data folder is made as well as when it is used. The prefix `loose` passes over what the
/// product at hand does not know.
fn storage_settings(home: &Path) -> Vec<String> {
    vec![
        format!("--datadir={}", home.join("data").display()),
        // A server that starts removes all temporary tables that it finds here, and would remove another's.
        format!("--tmpdir={}", home.display()),
        "--innodb-buffer-pool-size=64M".to_owned(),
        "--loose-innodb-log-file-size=64M".to_owned(),
        // What it stores needs not outlive it.
        "--loose-innodb-flush-method=nosync".to_owned(),
    ]
}

fn settings(home: &Path) -> Vec<String> {
    let socket = launch::socket_folder(home).map(|folder| folder.join("socket")).unwrap_or_default();
    [
        // Only this machine reaches the server, and nobody is looked up by name.
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        "--loose-mysqlx=OFF",
        // What it stores needs not outlive it.
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-doublewrite=OFF",
        "--sync-binlog=0",
        "--loose-sync-frm=0",
        "--skip-log-bin",
        // Test programs run many tests at once, each with some connections.
        "--max-connections=400",
        "--max-allowed-packet=64M",
        "--performance-schema=OFF",
        "--character-set-server=utf8mb4",
        // Not UTC, and not a whole number of hours away from it, so that a confusion of time zones shows.
        "--default-time-zone=+05:30",
        // The log's language is the one that this file reads.
        "--lc-messages=en_US",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([
        format!("--socket={}", socket.display()),
        format!("--pid-file={}", home.join("pid").display()),
        format!("--init-file={}", home.join(FIRST_STATEMENTS).display()),
    ])
    .collect()
}

/// Whether the server says that it accepts connections. MySQL's plugins say so of themselves, without a colon.
fn says_ready(log: &str) -> bool {
    log.contains(": ready for connections")
}

fn port_was_taken(log: &str) -> bool {
    log.contains("Bind on TCP/IP port") && log.contains("ddress already in use")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn programs_of_either_product_are_found() {
        let found = |programs: &[&str], is_mariadb: bool| {
            let folder = tempfile::tempdir().expect("a temporary folder");
            for program in programs {
                let path = folder.path().join(program);
                fs::write(&path, "").expect("a file in it");
                fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("its mode can be set");
            }
            let name = |path: PathBuf| path.strip_prefix(folder.path()).expect("it is there").display().to_string();
            find(&[folder.path().to_owned()], |_| is_mariadb).map(|found| (name(found.server), found.install.map(name)))
        };
        let both = |server: &str, install: &str| Some((server.to_owned(), Some(install.to_owned())));
        assert_eq!(found(&["mariadbd", "mariadb-install-db", "mysqld"], true), both("mariadbd", "mariadb-install-db"));
        assert_eq!(found(&["mysqld", "mysql_install_db"], true), both("mysqld", "mysql_install_db"));
        assert_eq!(found(&["mysqld"], true), None, "MariaDB's server cannot fill its first folder");
        assert_eq!(found(&["mysqld"], false), Some(("mysqld".to_owned(), None)));
        assert_eq!(found(&["mariadb-install-db"], true), None);
    }

    #[test]
    fn readiness_and_a_taken_port_are_read_from_the_log() {
        assert!(says_ready(
            "2026-01-01  1:00:00 0 [Note] /usr/sbin/mariadbd: ready for connections.\nVersion: '10.11'\n"
        ));
        assert!(says_ready("[System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections. Version: '8.4'\n"));
        assert!(!says_ready("[System] [MY-011323] [Server] X Plugin ready for connections. Bind-address: '::'\n"));
        let taken = "[ERROR] Can't start server: Bind on TCP/IP port. Got error: 98: Address already in use\n";
        assert!(port_was_taken(taken));
        assert!(!port_was_taken("[ERROR] Can't start server: Bind on TCP/IP port. Got error: 13: Permission denied\n"));
    }

    #[test]
    fn a_long_folder_has_no_socket() {
        let socket = |home: &str| settings(Path::new(home)).into_iter().find(|setting| setting.starts_with("--socket"));
        assert_eq!(socket("/tmp/a").as_deref(), Some("--socket=/tmp/a/socket"));
        assert_eq!(socket(&format!("/tmp/{}", "a".repeat(100))).as_deref(), Some("--socket="));
    }
}
