//! A database server that lives as long as one command: its own folder, its own port, gone afterwards.
//!
//! What all products share is here and in [`home`], [`leftovers`], [`process`], [`programs`] and [`debian`]; one file per product
//! says how that product's server is set up and started.

mod debian;
mod home;
mod leftovers;
pub(crate) mod postgres;
mod process;
mod programs;

use crate::{
    failure::Failure,
    server::{home::Home, process::Process},
};

/// The server that a command uses: one that the user has named, or one started for the command.
pub(crate) struct Access {
    url: String,
    started: Option<Server>,
}

impl Access {
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

/// The PostgreSQL server that the user has named, else a new one.
pub(crate) fn postgres(named: Option<String>) -> Result<Access, Failure> {
    match named {
        Some(url) => Ok(Access { url, started: None }),
        None => postgres::start().map(|server| Access { url: server.url.clone(), started: Some(server) }),
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
