//! Abandons a result early, without reading the remaining rows.
//!
//! A plain statement may write, whatever it looks like (a view may call a function), and is undone where it is cut short.
//! So what is left of its result is read to its end. The transaction of a stream is there for its reading alone, so it is
//! cancelled on the server, over a second connection, unless little is left of it.
//!
//! The server takes notice of a cancel only between rows, and not while it waits to send one: what it had sent by then is read
//! and discarded. A cancel that comes too late would hit the connection's next statement. The server signals the process
//! before it closes the second connection, whose end is waited for. Where the statement has ended otherwise by then, an empty
//! query is sent, too, to absorb a signal that something between us and the server may have delayed.

use std::time::Duration;

use super::{PgConnection, error::Failure};
use crate::net::socket::Deadline;

/// How long the end of a result is waited for before it is cancelled: a cancel costs the server a process.
const GRACE: Duration = Duration::from_millis(10);
/// How much of a result is discarded before it is cancelled: reading it takes as long as a cancel, which is no longer waited
/// for once more than this has come, because the server goes on for as long as it is read.
const LITTLE: usize = 128 << 10;
/// How much is discarded behind a cancel. The buffers between here and the server do not hold more, so a server that sends
/// more goes on with the statement.
const MOST: usize = 64 << 20;

impl PgConnection {
    /// Ends what is left of the last statement's result.
    pub(crate) fn finish(&mut self) {
        if !self.wire.is_busy() {
            return;
        }
        if std::thread::panicking() {
            // While it unwinds, the pool discards the connection in any case.
            return self.give_up(&Failure::Lost("a panic, while a result was read".into()));
        }
        let rest = self.wire.skip_all();
        if let Err(error) = self.checked(rest) {
            log::warn!("a statement failed after some of its rows were read, and its other rows were not: {error}");
        }
    }

    /// Ends a stream whose transaction ends with what is in flight. Whoever drops a stream does not want to wait for a server
    /// that hangs, so it takes no longer than connecting may take, twice; if it cannot be ended, the connection is closed.
    pub(super) fn abandon(&mut self) -> Result<(), Failure> {
        let is_settled = self.discard_a_little();
        self.set_timeouts()?;
        // An error of rows that nobody wants is of no interest.
        if let Err(failure) = is_settled.as_ref()
            && failure.is_loss()
        {
            return is_settled.map(drop);
        }
        if is_settled.is_ok_and(|is_settled| is_settled) {
            return Ok(());
        }
        let ended = if self.wire.only_ends() { self.discard() } else { self.cancel_and_discard() };
        if let Err(why) = &ended {
            log::debug!("a stream cannot be ended on the server, so its connection is closed: {why:?}");
            self.give_up(&Failure::Lost("a stream could not be ended early".into()));
        }
        ended
    }

    fn cancel_and_discard(&mut self) -> Result<(), Failure> {
        if let Err(why) = self.wire.cancel().cancel() {
            // The request may be on its way still, and would hit the next statement.
            return Err(Failure::Lost(format!("it cannot be cancelled: {why:?}").into()));
        }
        self.discard()?;
        if self.wire.was_cancelled() {
            return Ok(());
        }
        match self.within_connect_timeout(|connection| connection.wire.ping()) {
            Err(failure) if failure.is_loss() => Err(failure),
            _ => Ok(()),
        }
    }

    /// Reads and discards what is in flight; an error in it is of no interest, unless the connection is lost.
    fn discard(&mut self) -> Result<(), Failure> {
        match self.within_connect_timeout(|connection| connection.wire.discard_in_flight(MOST)) {
            Err(failure) if failure.is_loss() => Err(failure),
            _ => Ok(()),
        }
    }

    /// Discards what comes within the grace period; returns whether that was all.
    fn discard_a_little(&mut self) -> Result<bool, Failure> {
        let (deadline, mut budget) = (Deadline::after(Some(GRACE)), LITTLE);
        loop {
            if self.wire.discard_received(&mut budget)? {
                return Ok(true);
            }
            if budget == 0 || !self.wire.receive_by(deadline)? {
                return Ok(false);
            }
        }
    }
}
