//! Starting a server: its command, a free port, and waiting until it accepts connections.

use std::{
    env,
    fs::File,
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
    server::{home::Home, process::Process},
    signals,
};

/// The user that every server is given.
pub(super) const USER: &str = "orm";

/// How long a server may take until it accepts connections.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often another port is tried when another program has taken the one that was free.
const PORT_TRIES: usize = 5;

/// The longest folder name in which a server can make a socket: the system's limit is about 100 bytes, of which the
/// socket's own name takes some.
const LONGEST_SOCKET_FOLDER: usize = 80;

/// How a product's server is started.
pub(super) struct Launch<'a> {
    pub(super) product: &'static str,
    /// The signals that end the server, the gentlest first.
    pub(super) stop: &'static [Signal],
    /// The server's command, given the port.
    pub(super) command: &'a dyn Fn(u16) -> Result<Command, Failure>,
    /// Whether the server accepts connections, given its folder and what it has logged.
    pub(super) is_ready: fn(&Path, &str) -> bool,
    /// Whether a server that has ended with this log found its port taken.
    pub(super) port_was_taken: fn(&str) -> bool,
}

impl Launch<'_> {
    /// Starts the server and waits until it accepts connections on the port returned.
    pub(super) fn start(&self, home: &Home) -> Result<(Process, u16), Failure> {
        self.start_on(home, || free_port().map_err(|error| Failure::Other(format!("no port is free: {error}"))))
    }

    fn start_on(
        &self,
        home: &Home,
        mut choose_port: impl FnMut() -> Result<u16, Failure>,
    ) -> Result<(Process, u16), Failure> {
        for _ in 0..PORT_TRIES {
            let port = choose_port()?;
            if let Some(process) = self.start_once(home, port)? {
                return Ok((process, port));
            }
        }
        Err(Failure::Other(format!(
            "the {} server found its port taken {PORT_TRIES} times, although it was free a moment before; try again",
            self.product
        )))
    }

    /// `None`: another program has taken the port.
    fn start_once(&self, home: &Home, port: u16) -> Result<Option<Process>, Failure> {
        let mut process = Process::start(self.product, &mut (self.command)(port)?, home.path().join("log"), self.stop)?;
        let start = Instant::now();
        loop {
            if (self.is_ready)(home.path(), &process.log()) {
                return Ok(Some(process));
            }
            if let Some(story) = process.how_it_ended() {
                return if (self.port_was_taken)(&process.log()) { Ok(None) } else { Err(Failure::Other(story)) };
            }
            if start.elapsed() > PATIENCE {
                let seconds = PATIENCE.as_secs();
                return Err(Failure::Other(process.story(&format!("was not ready after {seconds} seconds"))));
            }
            signals::check()?;
            thread::sleep(run::POLL);
        }
    }
}

/// A command with the server's account and folder. It gets `signal` should xtask be killed, and does not see the
/// caller's variables that begin with one of `prefixes`: by them clients and servers of the product are configured.
pub(super) fn command(program: &Path, home: &Home, signal: Signal, prefixes: &[&str]) -> Command {
    let mut command = run::bound_to_xtask(program, signal);
    home.apply_to(&mut command);
    for (name, _) in env::vars_os() {
        if prefixes.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command.env("LC_ALL", "C");
    command
}

/// The folder for the server's socket, unless its name is too long for one.
pub(super) fn socket_folder(home: &Path) -> Option<PathBuf> {
    (home.as_os_str().len() <= LONGEST_SOCKET_FOLDER).then(|| home.to_owned())
}

/// A port that was free a moment ago.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// A random password that needs no escaping in a URL, nor in SQL.
pub(super) fn password() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|error| Failure::Other(format!("could not make a password: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// A server that is a shell script.
    fn start(script: &str) -> (Result<(Process, u16), Failure>, u16) {
        let home = Home::new("orm-xtask-test-", &["nobody"]).expect("a home can be made");
        let launch = Launch {
            product: "test",
            stop: &[Signal::SIGTERM],
            command: &|port| {
                let mut command = command(Path::new("sh"), &home, Signal::SIGTERM, &[]);
                command.args(["-c", script, "sh", &port.to_string()]);
                Ok(command)
            },
            is_ready: |_, log| log.contains("ready"),
            port_was_taken: |log| log.contains("taken"),
        };
        let ports = Cell::new(0);
        let started = launch.start_on(&home, || {
            ports.set(ports.get() + 1);
            Ok(ports.get())
        });
        (started, ports.get())
    }

    #[test]
    fn another_port_is_tried_when_one_is_taken() {
        let (started, ports) = start("test $1 = 3 || { echo taken; exit 1; }; echo ready; exec sleep 60");
        assert_eq!((started.expect("the third port is free").1, ports), (3, 3));
        let (started, ports) = start("echo taken; exit 1");
        let failure = started.err().expect("no port is free").to_string();
        assert!(failure.contains("found its port taken 5 times"), "{failure}");
        assert_eq!(ports, 5);
    }

    #[test]
    fn another_failure_is_told_at_once() {
        let (started, ports) = start("echo no room left; exit 1");
        let failure = started.err().expect("the server ends").to_string();
        assert!(failure.contains("no room left"), "{failure}");
        assert_eq!(ports, 1);
    }

    #[test]
    fn passwords_differ() {
        let passwords = [password(), password()].map(|password| password.expect("random bytes are to be had"));
        assert_eq!(passwords[0].len(), 32);
        assert_ne!(passwords[0], passwords[1]);
    }

    #[test]
    fn sockets_lie_in_the_folder_unless_its_name_is_too_long() {
        assert_eq!(socket_folder(Path::new("/tmp/a")), Some("/tmp/a".into()));
        assert_eq!(socket_folder(Path::new(&format!("/tmp/{}", "a".repeat(100)))), None);
    }
}
