//! PgBouncer in transaction mode, between a test and the PostgreSQL server: a client may have another of the server's
//! sessions for each transaction, and there are fewer sessions than clients.

use crate::{Bed, server, starter::Starter};

/// What a client says that prepares no statements with names.
const NO_STATEMENTS: &str = "statement_cache_size=0";

/// A running PgBouncer before an empty database. Dropping it ends it and removes the database.
#[derive(Debug)]
pub struct Pgbouncer {
    // Ended first: it keeps sessions in the database.
    starter: Starter,
    bed: Bed,
}

impl Pgbouncer {
    /// Starts one that has two sessions for all clients, and else these settings, each `name=value`.
    ///
    /// # Panics
    ///
    /// If it cannot be started, or there is no server.
    pub fn start(settings: &[&str]) -> Self {
        let bed = Bed::postgres_database();
        Pgbouncer { starter: Starter::start(&["--pgbouncer"], settings), bed }
    }

    /// Whether this release knows clients' prepared statements. For an older one, the program that starts it puts into
    /// the URL what clients have to say instead.
    pub fn knows_statements(&self) -> bool {
        !self.starter.url().contains(NO_STATEMENTS)
    }

    /// The database by way of it, for a client that may prepare statements with names.
    pub fn url(&self) -> String {
        let (url, _) = self.starter.url().split_once('?').unwrap_or((self.starter.url(), ""));
        let (direct, _) = self.bed.url().split_once('?').unwrap_or((self.bed.url(), ""));
        let (_, database) = direct.rsplit_once('/').expect("the URL names a database");
        server::with_database(url, database)
    }

    /// The same for a client that prepares none.
    pub fn url_without_statements(&self) -> String {
        format!("{}?{NO_STATEMENTS}", self.url())
    }

    /// The database itself, past the pooler.
    pub fn bed(&self) -> &Bed {
        &self.bed
    }
}
