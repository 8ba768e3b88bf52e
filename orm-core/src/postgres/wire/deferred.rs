//! Commands that wait for the next statement, to travel with it: BEGIN, SAVEPOINT and RELEASE.
//!
//! They go before the statement in its request, by the extended protocol and without a Sync between. So if BEGIN fails, the
//! server skips the statement, which cannot run outside of the transaction.

use std::borrow::Cow;

use bytes::BytesMut;
use postgres_protocol::message::frontend;

use super::{
    Parameters, Request, Status, Unsendable, Wire,
    answers::{Reading, kind},
    bind,
};
use crate::postgres::error::Failure;

/// A command that has not been sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::postgres) enum Deferred {
    Begin(Cow<'static, str>),
    /// The savepoint of this level, by the name that Diesel gives it.
    Savepoint(u32),
    Release(u32),
}

impl Deferred {
    pub(in crate::postgres) fn sql(&self) -> Cow<'static, str> {
        match self {
            Deferred::Begin(sql) => sql.clone(),
            Deferred::Savepoint(level) => format!("SAVEPOINT diesel_savepoint_{level}").into(),
            Deferred::Release(level) => format!("RELEASE SAVEPOINT diesel_savepoint_{level}").into(),
        }
    }
}

/// Writes commands that a statement, or a Sync, follows.
pub(super) fn write(commands: &[Deferred], out: &mut BytesMut) -> Result<(), Unsendable> {
    let none = Parameters { types: Vec::new(), values: Vec::new() };
    for command in commands {
        frontend::parse("", &command.sql(), [], out)?;
        bind("", "", &none, out)?;
        frontend::execute("", 0, out)?;
    }
    Ok(())
}

/// The answer to a deferred command.
const ANSWER: [u8; 3] = [kind::PARSED, kind::BOUND, kind::COMPLETE];

/// How many messages answer so many commands.
pub(super) fn messages(commands: usize) -> usize {
    commands * ANSWER.len()
}

/// Whether a message of this kind may come next where so many are still to come.
pub(super) fn is_next(left: usize, kind: u8) -> bool {
    kind == ANSWER[(ANSWER.len() - left % ANSWER.len()) % ANSWER.len()]
}

impl Wire {
    /// Keeps a command until the next statement is sent.
    pub(in crate::postgres) fn defer(&mut self, command: Deferred) {
        self.deferred.push(command);
    }

    /// The commands that have not been sent.
    pub(in crate::postgres) fn deferred(&self) -> &[Deferred] {
        &self.deferred
    }

    /// Drops the last command, which has not been sent.
    pub(in crate::postgres) fn undo_deferred(&mut self) {
        self.deferred.pop();
    }

    /// Drops all commands that have not been sent.
    pub(in crate::postgres) fn clear_deferred(&mut self) {
        self.deferred.clear();
    }

    /// Whether a transaction is to begin with the next statement.
    pub(in crate::postgres) fn has_unsent_begin(&self) -> bool {
        matches!(self.deferred.first(), Some(Deferred::Begin(_)))
    }

    /// Whether a command may wait: a transaction is open or about to be, and no stream of it fetches rows at the same time, which
    /// would then be read before a savepoint instead of in it.
    pub(in crate::postgres) fn may_defer(&self) -> bool {
        self.lost.is_none() && self.status() == Status::Open && self.in_flight.is_empty() && self.portals.are_none()
    }

    /// Takes note that the deferred commands were sent with a statement, and returns how many they were.
    pub(super) fn deferred_were_sent(&mut self) -> usize {
        if self.has_unsent_begin() {
            // Until the server says how it went, it is not for a statement outside of a transaction that we wait.
            self.status = Status::Open;
        }
        let sent = self.deferred.len();
        self.deferred.clear();
        sent
    }

    /// Sends the deferred commands in a request of their own, before what cannot be sent with them: SQL as text, which ends its
    /// own request, and would be run even if BEGIN failed.
    pub(super) fn send_deferred(&mut self) -> Result<(), Failure> {
        if self.deferred.is_empty() {
            return Ok(());
        }
        let commands = self.deferred.clone();
        self.send(|out| {
            write(&commands, out)?;
            frontend::sync(out);
            Ok(())
        })?;
        self.in_flight.push_back(Request::Statement);
        self.reading = Some(Reading::deferred(self.deferred_were_sent()));
        self.skip_all()
    }
}
