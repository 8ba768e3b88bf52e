//! A server of a test's own: with options of its own, or to be ended under a running stream.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
};

use orm_core::BackendKind;

use crate::witness;

/// A running server. Dropping it ends the server.
#[derive(Debug)]
pub struct PrivateServer {
    backend: BackendKind,
    url: String,
    starter: Child,
}

impl PrivateServer {
    /// Starts a PostgreSQL server with these options, each `name=value` as in its configuration. A file is copied, as for
    /// [`mysql`](Self::mysql).
    ///
    /// # Panics
    ///
    /// If the server cannot be started.
    #[cfg(feature = "postgres")]
    pub fn postgres(options: &[&str]) -> Self {
        PrivateServer::start(BackendKind::Postgres, "postgres", options)
    }

    /// Starts a MariaDB server with these options, each `name=value` or `name` as the server knows it. A value that is the
    /// absolute path of a file names a file that the server need not be allowed to read: it gets a copy.
    ///
    /// # Panics
    ///
    /// If the server cannot be started.
    #[cfg(feature = "mysql")]
    pub fn mysql(options: &[&str]) -> Self {
        PrivateServer::start(BackendKind::Mysql, "mysql", options)
    }

    fn start(backend: BackendKind, name: &str, options: &[&str]) -> Self {
        let program = std::env::var_os("ORM_TEST_SERVER_PROGRAM").filter(|program| !program.is_empty()).expect(
            "ORM_TEST_SERVER_PROGRAM is not set, so a server of this test's own cannot be started: run `cargo xtask \
             test`, or set the variable to the absolute path of target/debug/xtask",
        );
        let mut command = Command::new(program);
        command.args(["server", "--backend", name, "--until-eof"]);
        command.args(options.iter().flat_map(|option| ["--server-option", option]));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut starter = command.spawn().expect("the program of ORM_TEST_SERVER_PROGRAM can be run");
        let mut url = String::new();
        let output = starter.stdout.take().expect("it is a pipe");
        let read = BufReader::new(output).read_line(&mut url);
        // Kept from here on, so that it is ended should what follows panic.
        let mut server = PrivateServer { backend, url: url.trim_end().to_owned(), starter };
        if !matches!(read, Ok(1..)) {
            panic!("the server did not start: {}", server.complaint());
        }
        server
    }

    /// Where the server is reached.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The server's process, for signals.
    ///
    /// # Panics
    ///
    /// If the server does not answer.
    pub fn pid(&self) -> u32 {
        let file = match self.backend {
            BackendKind::Postgres => "SELECT current_setting('data_directory') || '/postmaster.pid'",
            _ => "SELECT @@pid_file",
        };
        let file = self.texts(file).pop().flatten().expect("every server has such a file");
        let text = fs::read_to_string(file).expect("the file can be read by whoever started the server");
        let first = text.lines().next().unwrap_or_default();
        first.trim().parse().expect("the file begins with a process id")
    }

    /// Runs SQL by a connection of the witness's own.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub fn execute(&self, sql: &str) {
        witness::must(sql, witness::execute(self.backend, &self.url, sql));
    }

    /// The only column of a query, each value as text, read by a connection of the witness's own.
    ///
    /// # Panics
    ///
    /// If the query fails.
    pub fn texts(&self, sql: &str) -> Vec<Option<String>> {
        witness::must(sql, witness::texts(self.backend, &self.url, sql))
    }

    fn complaint(&mut self) -> String {
        drop(self.starter.stdin.take());
        let mut text = String::new();
        let errors = self.starter.stderr.take().map(|mut errors| errors.read_to_string(&mut text));
        if matches!(errors, Some(Ok(_))) { text } else { "it does not say why".to_owned() }
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        // The end of its input is what the program waits for; it also comes when this process is killed.
        drop(self.starter.stdin.take());
        if let Err(error) = self.starter.wait() {
            log::warn!("a private server's program could not be waited for: {error}");
        }
    }
}
