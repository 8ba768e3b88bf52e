//! Running other programs: a titled step, a quiet helper, and ending either with all that it started.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read, Seek},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};

use crate::{failure::Failure, signals};

/// How often a wait looks whether its program has ended or a signal has come.
pub(crate) const POLL: Duration = Duration::from_millis(20);

/// How long a program may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(5);

/// `cargo`, the one that runs xtask, in the workspace's folder.
pub(crate) fn cargo() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = bound_to_xtask(&cargo, Signal::SIGTERM);
    command.current_dir(workspace());
    command
}

/// The workspace's folder. Cargo names the package's folder when it runs xtask; the one known when xtask was built
/// serves when the program is started by hand.
pub(crate) fn workspace() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// A command that also ends, by `signal`, when xtask is killed in a way that leaves it no time to end the command
/// itself. Only where `setpriv` can do that (Linux); elsewhere the plain command.
pub(crate) fn bound_to_xtask(program: impl AsRef<OsStr>, signal: Signal) -> Command {
    static SUPPORTED: OnceLock<bool> = OnceLock::new();
    let supported = *SUPPORTED.get_or_init(|| {
        let mut probe = Command::new("setpriv");
        probe.args(["--pdeathsig", "TERM", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    });
    if !supported {
        return Command::new(program);
    }
    // setpriv becomes the program: the process id stays the same.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", signal.as_str(), "--"]).arg(program);
    command
}

/// Prints the title and runs the command, whose output goes where xtask's goes.
pub(crate) fn step(title: &str, command: &mut Command) -> Result<(), Failure> {
    eprintln!("\n=== {title}");
    let status = run(command)?;
    if status.success() { Ok(()) } else { Err(Failure::Step { title: title.to_owned(), status }) }
}

/// Runs the command and returns how it ended and all that it printed.
pub(crate) fn quiet(command: &mut Command) -> Result<(ExitStatus, String), Failure> {
    let mut both = kept()?;
    command.stdout(shared(&both)?).stderr(shared(&both)?);
    let status = run(command)?;
    Ok((status, text_of(&mut both)?))
}

/// The same, but what it printed to standard output and what it said besides apart.
pub(crate) fn quiet_apart(command: &mut Command) -> Result<(ExitStatus, String, String), Failure> {
    let (mut output, mut errors) = (kept()?, kept()?);
    command.stdout(shared(&output)?).stderr(shared(&errors)?);
    let status = run(command)?;
    Ok((status, text_of(&mut output)?, text_of(&mut errors)?))
}

/// A file that takes a program's output, so that waiting needs no threads that empty pipes.
fn kept() -> Result<File, Failure> {
    tempfile::tempfile().map_err(not_kept)
}

fn shared(file: &File) -> Result<File, Failure> {
    file.try_clone().map_err(not_kept)
}

fn text_of(file: &mut File) -> Result<String, Failure> {
    let mut output = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut output)).map_err(not_kept)?;
    Ok(String::from_utf8_lossy(&output).into_owned())
}

fn not_kept(error: io::Error) -> Failure {
    Failure::Other(format!("could not keep a program's output in a temporary file: {error}"))
}

/// Runs the command to its end, or ends it and all that it started when xtask is asked to stop.
fn run(command: &mut Command) -> Result<ExitStatus, Failure> {
    // In a process group of its own, so that ending it reaches what it started (rustc, test programs) and nothing
    // else. A terminal's Ctrl-C then comes to xtask alone, which passes it on. Nothing here reads from a terminal.
    command.process_group(0).stdin(Stdio::null());
    let mut child = spawn(command)?;
    loop {
        if let Some(status) = poll(&mut child)? {
            return Ok(status);
        }
        if let Some(signal) = signals::take() {
            end_group(&mut child, Signal::try_from(signal).unwrap_or(Signal::SIGTERM));
            return Err(Failure::Interrupted(signal));
        }
        thread::sleep(POLL);
    }
}

/// Starts the command.
pub(crate) fn spawn(command: &mut Command) -> Result<Child, Failure> {
    command.spawn().map_err(|error| {
        Failure::Other(format!("could not start `{}`: {error}", command.get_program().to_string_lossy()))
    })
}

/// How the child ended, if it has.
fn poll(child: &mut Child) -> Result<Option<ExitStatus>, Failure> {
    child.try_wait().map_err(|error| Failure::Other(format!("could not wait for a program: {error}")))
}

/// Waits until the child has ended, at most for `limit`. Tells whether it has.
pub(crate) fn ended_within(child: &mut Child, limit: Duration) -> bool {
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(None) if start.elapsed() < limit => thread::sleep(POLL),
            Ok(None) => return false,
            // An error means that there is no such child any more.
            Ok(Some(_)) | Err(_) => return true,
        }
    }
}

/// Sends the signal to the child alone.
pub(crate) fn signal(child: &Child, signal: Signal) {
    // An error means that the child has ended.
    let _ = kill(process_id(child), signal);
}

/// Sends the signal to the child's process group.
fn signal_group(child: &Child, signal: Signal) {
    // An error means that nothing of the group is left.
    let _ = killpg(process_id(child), signal);
}

fn process_id(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("a process id comes from the system as a signed number"))
}

/// Asks the child's process group to end, and makes it end when it has not within the grace time or when a second
/// request to stop comes.
fn end_group(child: &mut Child, signal: Signal) {
    signal_group(child, signal);
    let start = Instant::now();
    while start.elapsed() < GRACE && signals::take().is_none() && !ended_within(child, POLL) {}
    // Also when the child itself has ended: what it had started may not have.
    signal_group(child, Signal::SIGKILL);
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_returns_status_and_both_outputs() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let (status, output) = quiet(&mut command).expect("sh runs");
        assert_eq!((status.code(), output.as_str()), (Some(3), "out\nerr\n"));
        let (status, output, errors) = quiet_apart(&mut command).expect("sh runs");
        assert_eq!((status.code(), output.as_str(), errors.as_str()), (Some(3), "out\n", "err\n"));
    }

    #[test]
    fn a_failed_step_names_its_title() {
        let failure = step("Step title", Command::new("sh").args(["-c", "exit 7"])).expect_err("it exits with 7");
        assert_eq!(failure.exit_code(), 7);
        assert!(failure.to_string().contains("Step title"), "{failure}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let failure = quiet(&mut Command::new("no-such-program-here")).expect_err("there is no such program");
        assert!(failure.to_string().contains("`no-such-program-here`"), "{failure}");
    }

    #[test]
    fn ending_a_group_ends_what_the_child_started() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new("sh");
        // The shell ends at once on SIGTERM, its own child ignores it.
        command.args(["-c", "sh -c 'trap \"\" TERM; echo $$ > pid; while :; do sleep 1; done' & wait"]);
        let mut child = spawn(command.current_dir(&folder).process_group(0)).expect("sh runs");
        let pid = loop {
            let text = std::fs::read_to_string(folder.path().join("pid")).unwrap_or_default();
            match text.trim().parse() {
                Ok(pid) => break Pid::from_raw(pid),
                Err(_) => thread::sleep(POLL),
            }
        };
        end_group(&mut child, Signal::SIGTERM);
        let start = Instant::now();
        while kill(pid, None).is_ok() && !is_zombie(pid) {
            assert!(start.elapsed() < GRACE, "the grandchild is still there");
            thread::sleep(POLL);
        }
    }

    /// In a container whose first process collects no orphans, a killed one stays listed.
    fn is_zombie(pid: Pid) -> bool {
        std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
    }
}
