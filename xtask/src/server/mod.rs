//! A database server that lives as long as one command: its own folder, its own port, gone afterwards.
//!
//! What all products share is here and in [`home`], [`launch`], [`leftovers`], [`options`], [`process`], [`programs`]
//! and [`debian`]; one file per product says how that product's server is set up and started. [`pgbouncer`] stands before
//! another server. [`mariadb_library`] is no server, but found and installed as they are.

mod debian;
mod home;
mod launch;
mod leftovers;
mod locale;
mod mariadb;
pub(crate) mod mariadb_library;
mod options;
pub(crate) mod pgbouncer;
mod postgres;
mod process;
mod programs;

use self::{home::Home, process::Process};
pub(crate) use self::{locale::Locale, options::ServerOption};
use crate::failure::Failure;

/// The backends that need a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    Mysql,
}

impl Kind {
    pub(crate) const ALL: [Kind; 2] = [Kind::Postgres, Kind::Mysql];

    /// The backend's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Postgres => "postgres",
            Kind::Mysql => "mysql",
        }
    }

    /// Tells the tests which server to use; also how a user names one.
    pub(crate) fn url_variable(self) -> &'static str {
        match self {
            Kind::Postgres => "ORM_TEST_POSTGRES_URL",
            Kind::Mysql => "ORM_TEST_MYSQL_URL",
        }
    }

    /// What the URL of such a server looks like.
    pub(crate) fn example_url(self) -> &'static str {
        match self {
            Kind::Postgres => "postgres://user:password@host:5432/postgres",
            Kind::Mysql => "mysql://user:password@host:3306/database",
        }
    }

    /// Whether the URL is one of such a server.
    pub(crate) fn has_url(self, url: &str) -> bool {
        let schemes = match self {
            Kind::Postgres => ["postgres://", "postgresql://"],
            Kind::Mysql => ["mysql://", "mariadb://"],
        };
        schemes.iter().any(|scheme| url.starts_with(scheme))
    }

    /// Starts a new, empty server with these further settings; one of PostgreSQL has this locale.
    pub(crate) fn start_with(self, options: &[ServerOption], locale: Locale) -> Result<Server, Failure> {
        match self {
            Kind::Postgres => postgres::start(options, locale),
            Kind::Mysql => mariadb::start(options),
        }
    }
}

/// The server that a command uses: one that the user has named, or one started for the command.
pub(crate) struct Access {
    kind: Kind,
    url: String,
    started: Option<Server>,
}

impl Access {
    /// The server that the user has named, else a new one.
    pub(crate) fn to(kind: Kind, named: Option<String>) -> Result<Self, Failure> {
        Access::to_server_of(kind, named, Locale::default())
    }

    /// The same; a new server of PostgreSQL has this locale.
    pub(crate) fn to_server_of(kind: Kind, named: Option<String>, locale: Locale) -> Result<Self, Failure> {
        match named {
            Some(url) => Ok(Access { kind, url, started: None }),
            None => kind.start_with(&[], locale).map(|server| Access {
                kind,
                url: server.url.clone(),
                started: Some(server),
            }),
        }
    }

    /// Which backend the server is for.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Where the server is reached.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Prints it, if the server was started for this command and has ended by itself: what failed then failed because
    /// of that.
    pub(crate) fn tell_if_it_has_ended(&mut self) {
        if let Some(story) = self.started.as_mut().and_then(Server::how_it_ended) {
            eprintln!("\nxtask: {story}");
        }
    }
}

/// A running throwaway server. Dropping it stops it and removes all that it stored.
pub(crate) struct Server {
    url: String,
    // Fields are dropped in this order: a running server's folder can't be removed.
    process: Process,
    _home: Home,
}

impl Server {
    /// Where clients reach the server, with user and password.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What happened, if the server has ended although nobody stopped it.
    pub(crate) fn how_it_ended(&mut self) -> Option<String> {
        self.process.how_it_ended()
    }
}
