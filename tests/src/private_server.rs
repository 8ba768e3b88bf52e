//! A server of a test's own: with options of its own, or to be ended under a running stream.

use std::fs;

use orm_core::BackendKind;

use crate::{starter::Starter, witness};

/// A running server. Dropping it ends the server.
#[derive(Debug)]
pub struct PrivateServer {
    backend: BackendKind,
    starter: Starter,
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
        PrivateServer { backend, starter: Starter::start(&["--backend", name], options) }
    }

    /// Where the server is reached.
    pub fn url(&self) -> &str {
        self.starter.url()
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
        witness::must(sql, witness::execute(self.backend, self.url(), sql));
    }

    /// The only column of a query, each value as text, read by a connection of the witness's own.
    ///
    /// # Panics
    ///
    /// If the query fails.
    pub fn texts(&self, sql: &str) -> Vec<Option<String>> {
        witness::must(sql, witness::texts(self.backend, self.url(), sql))
    }
}
