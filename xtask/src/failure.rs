//! Why a command did not succeed, and the exit code that tells so.

use std::{fmt, process::ExitStatus};

use std::os::unix::process::ExitStatusExt;

/// Why a command did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line was wrong.
    Usage(String),
    /// Help was asked for, in whatever place: not a failure, but the end of what else would be done.
    HelpWanted,
    /// A program that was run as a step failed; it has told why itself.
    Step { title: String, status: ExitStatus },
    /// xtask was asked to stop by this signal.
    Interrupted(i32),
    /// Anything else: what happened and what to do.
    Other(String),
}

impl Failure {
    /// What xtask exits with: a failed step's own code, 128 and the signal's number as shells do, 2 for a wrong
    /// command line, else 1.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            Failure::HelpWanted => 0,
            Failure::Step { status, .. } => {
                let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
                code.and_then(|code| u8::try_from(code).ok()).filter(|&code| code != 0).unwrap_or(1)
            }
            Failure::Interrupted(signal) => u8::try_from(128 + signal).unwrap_or(1),
            Failure::Other(_) => 1,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(what) => write!(f, "{what}; `cargo xtask help` tells what can be given"),
            Failure::HelpWanted => f.write_str("help was asked for"),
            Failure::Step { title, status } => write!(f, "this step failed: {title} ({status})"),
            Failure::Interrupted(signal) => write!(f, "stopped by signal {signal}"),
            Failure::Other(what) => f.write_str(what),
        }
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Failure::Usage(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(raw_status: i32) -> Failure {
        Failure::Step { title: "a step".to_owned(), status: ExitStatus::from_raw(raw_status) }
    }

    #[test]
    fn exit_codes_follow_the_cause() {
        assert_eq!(step(101 << 8).exit_code(), 101);
        assert_eq!(step(9).exit_code(), 137, "a step that was killed");
        assert_eq!(Failure::Interrupted(2).exit_code(), 130);
        assert_eq!(Failure::Usage(String::new()).exit_code(), 2);
        assert_eq!(Failure::Other(String::new()).exit_code(), 1);
    }
}
