//! A throwaway server's process: its log, and stopping it whatever happens.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use nix::sys::signal::Signal;

use crate::{failure::Failure, run};

/// How long a server may take to obey one signal before it gets the next.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many of the log's last lines a message shows.
const TAIL: usize = 20;

/// A server's process. Dropping it stops the server.
pub(crate) struct Process {
    product: &'static str,
    child: Child,
    log: PathBuf,
    stop: &'static [Signal],
}

impl Process {
    /// Starts the command with all its output going to the log. `stop` are the signals that end the server, the
    /// gentlest first.
    pub(crate) fn start(
        product: &'static str,
        command: &mut Command,
        log: PathBuf,
        stop: &'static [Signal],
    ) -> Result<Self, Failure> {
        let trouble = |error| Failure::Other(format!("could not write {product}'s log {}: {error}", log.display()));
        let output = File::create(&log).map_err(trouble)?;
        let errors = output.try_clone().map_err(trouble)?;
        // Not in xtask's process group: a terminal's Ctrl-C would end the server under the tests that still use it.
        command.process_group(0).stdin(Stdio::null()).stdout(output).stderr(errors);
        Ok(Process { product, child: run::spawn(command)?, log, stop })
    }

    /// What happened, if the server has ended although nobody stopped it.
    pub(crate) fn how_it_ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok().flatten()?;
        Some(self.story(&format!("has ended by itself ({status})")))
    }

    /// A message about the server with the end of its log.
    pub(crate) fn story(&self, what: &str) -> String {
        format!("the {} server {what}; its log ends with:\n{}", self.product, tail(&self.log()))
    }

    /// What the server has logged so far.
    pub(crate) fn log(&self) -> String {
        read_lossy(&self.log)
    }

    fn stop(&mut self) -> Option<ExitStatus> {
        for &signal in self.stop.iter().chain(&[Signal::SIGKILL]) {
            if run::ended_within(&mut self.child, Duration::ZERO) {
                break;
            }
            run::signal(&self.child, signal);
            run::ended_within(&mut self.child, PATIENCE);
        }
        self.child.try_wait().ok().flatten()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.stop().is_none() {
            eprintln!("xtask: the {} server (process {}) could not be stopped", self.product, self.child.id());
        }
    }
}

fn read_lossy(path: &Path) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// The last lines, each set in.
fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    if lines.is_empty() {
        return "    (it is empty)".to_owned();
    }
    let shown: Vec<String> =
        lines[lines.len().saturating_sub(TAIL)..].iter().map(|line| format!("    {line}")).collect();
    shown.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, folder: &Path) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::start("test", &mut command, folder.join("log"), &[Signal::SIGTERM]).expect("sh runs")
    }

    #[test]
    fn the_tail_is_the_last_lines() {
        let log: String = (0..100).map(|line| format!("line {line}\n")).collect();
        let tail = tail(&log);
        assert_eq!(tail.lines().count(), TAIL);
        assert!(tail.ends_with("    line 99"), "{tail}");
    }

    #[test]
    fn a_server_that_ends_early_tells_its_log() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut process = shell("echo no room left >&2; exit 4", folder.path());
        assert!(run::ended_within(&mut process.child, PATIENCE));
        let story = process.how_it_ended().expect("it has ended");
        assert!(story.contains("exit status: 4") && story.ends_with("    no room left"), "{story}");
    }

    #[test]
    fn stopping_ends_the_process() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut process = shell("exec sleep 60", folder.path());
        assert!(process.how_it_ended().is_none());
        assert!(process.stop().is_some());
    }
}
