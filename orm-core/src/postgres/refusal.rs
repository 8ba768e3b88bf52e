//! Why a server could not be used: a sentence for it, and what was said.

use std::io;

use super::error::Failure;
use crate::{
    backend::BackendKind,
    error::{Error, ErrorKind, Text},
    net::socket::{TIMED_OUT, sentence},
};

/// Why one server could not be used.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) sentence: &'static str,
    pub(super) text: String,
    /// The server's SQLSTATE, if it spoke.
    sqlstate: Option<String>,
    /// Another server is not asked: it would be told the same, or more than it should.
    pub(super) is_final: bool,
}

impl Refusal {
    /// It was not reached.
    pub(super) fn unreached(error: &io::Error) -> Self {
        Refusal { sentence: sentence(error), text: error.to_string(), sqlstate: None, is_final: false }
    }

    /// It is not what is wanted; another may be.
    pub(super) fn unfit(sentence: &'static str, text: impl Into<String>) -> Self {
        Refusal { sentence, text: text.into(), sqlstate: None, is_final: false }
    }

    /// We do not do what it wants.
    pub(super) fn ours(sentence: &'static str, text: impl Into<String>) -> Self {
        Refusal { sentence, text: text.into(), sqlstate: None, is_final: true }
    }

    /// Whether the server lets nobody in who comes this way: by TLS, or without it.
    pub(super) fn is_about_the_way(&self) -> bool {
        self.sqlstate.as_deref() == Some("28000")
    }

    /// The same, after another refusal by the same server, if there was one.
    pub(super) fn after(mut self, first: Option<Refusal>, how: &str) -> Self {
        if let Some(first) = first {
            self.text = format!("{}; and {how}: {}", first.text, self.text);
        }
        self
    }

    /// Without the password, should a server tell it. A shorter one stands in ordinary words, and would be told by what
    /// is missing of them.
    pub(super) fn without(mut self, password: Option<&str>) -> Self {
        if let Some(password) = password.filter(|password| password.len() >= 4) {
            self.text = self.text.replace(password, "…");
        }
        self
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Failure::from(error).into()
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let sqlstate = failure.sqlstate().map(str::to_owned);
        let sentence = match sqlstate.as_deref() {
            Some("28P01") => "the server refused the user name or the password",
            // No line of pg_hba.conf, or one that rejects; no such user where he needs no password; a certificate that
            // is another's.
            Some("28000") => "the server does not let this user in, or not from this address or in this way",
            Some("3D000" | "42501") => "the server has no such database, or the user may not use it",
            Some("53300") => "the server has no room for another connection",
            Some("57P03") => "the server is starting or stopping and does not accept connections",
            Some(_) => "the server refused the connection",
            None if matches!(&failure, Failure::Lost(loss) if loss.why == TIMED_OUT) => TIMED_OUT,
            None => "no connection to the server could be made",
        };
        let is_final =
            sqlstate.as_deref().is_some_and(|state| state.starts_with("28") || matches!(state, "3D000" | "42501"));
        let mut text = failure.to_string();
        if let Failure::Server(word) = &failure {
            for more in [&word.detail, &word.hint].into_iter().flatten() {
                text = format!("{text}; {more}");
            }
        }
        Refusal { sentence, text, sqlstate, is_final }
    }
}

/// All servers' refusals as one error.
pub(super) fn error(refusals: Vec<(String, Refusal)>) -> Error {
    let sentence = match &refusals[..] {
        [(_, refusal)] => refusal.sentence,
        _ => "none of the servers could be used",
    };
    let told: Vec<_> = match &refusals[..] {
        [(server, refusal)] => vec![format!("{server}: {}", refusal.text)],
        several => several
            .iter()
            .map(|(server, refusal)| match refusal.text.as_str() {
                text if text == refusal.sentence => format!("{server}: {text}"),
                text => format!("{server}: {} ({text})", refusal.sentence),
            })
            .collect(),
    };
    Error::new(ErrorKind::Connection, sentence).on_backend(BackendKind::Postgres).with_source(Text(told.join("; ")))
}
