//! The program that starts a server for one test: the one that `ORM_TEST_SERVER_PROGRAM` names.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
};

/// The program and its server, which runs. Dropping it ends both.
#[derive(Debug)]
pub(crate) struct Starter {
    url: String,
    program: Child,
}

impl Starter {
    /// Starts the server that these arguments of `cargo xtask server` name, with these options.
    ///
    /// # Panics
    ///
    /// If the server cannot be started.
    pub(crate) fn start(arguments: &[&str], options: &[&str]) -> Self {
        let program = std::env::var_os("ORM_TEST_SERVER_PROGRAM").filter(|program| !program.is_empty()).expect(
            "ORM_TEST_SERVER_PROGRAM is not set, so a server of this test's own cannot be started: run `cargo xtask \
             test`, or set the variable to the absolute path of target/debug/xtask",
        );
        let mut command = Command::new(program);
        command.arg("server").args(arguments).arg("--until-eof");
        command.args(options.iter().flat_map(|option| ["--server-option", option]));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = command.spawn().expect("the program of ORM_TEST_SERVER_PROGRAM can be run");
        let mut url = String::new();
        let output = program.stdout.take().expect("it is a pipe");
        let read = BufReader::new(output).read_line(&mut url);
        // Kept from here on, so that it is ended should what follows panic.
        let mut starter = Starter { url: url.trim_end().to_owned(), program };
        if !matches!(read, Ok(1..)) {
            panic!("the server did not start: {}", starter.complaint());
        }
        starter
    }

    /// Where the server is reached.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn complaint(&mut self) -> String {
        drop(self.program.stdin.take());
        let mut text = String::new();
        let errors = self.program.stderr.take().map(|mut errors| errors.read_to_string(&mut text));
        if matches!(errors, Some(Ok(_))) { text } else { "it does not say why".to_owned() }
    }
}

impl Drop for Starter {
    fn drop(&mut self) {
        // The end of its input is what the program waits for; it also comes when this process is killed.
        drop(self.program.stdin.take());
        if let Err(error) = self.program.wait() {
            log::warn!("a private server's program could not be waited for: {error}");
        }
    }
}
