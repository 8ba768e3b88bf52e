//! Ending a result that is not wanted any more.
//!
//! A plain statement may write, whatever it looks like (a view may call a function), and is undone where it is cut short.
//! So what is left of its result is read to its end. The transaction of a stream's own is there for its reading alone:
//! little of it is in flight at a time, and where that takes longer than a moment, the server is told to cancel it, over a
//! second connection.

use std::time::Duration;

use super::{PgConnection, error::Failure};
use crate::net::socket::Deadline;

/// How long what is in flight is waited for: longer than a network takes, and not worth a thought where the server has a
/// lot to do for a few rows.
const A_MOMENT: Duration = Duration::from_millis(100);

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

    /// Reads and throws away what is in flight, and cancels it if that takes longer than a moment. Whoever drops a stream does
    /// not want to wait for a server that hangs, so all of it ends in the time that connecting may take.
    pub(super) fn end_soon(&mut self) -> Result<(), Failure> {
        let is_here = self.wait_a_moment();
        self.set_timeouts()?;
        if is_here? {
            return Ok(());
        }
        let cancelled = self.wire.cancel().cancel();
        let ended = self.within_connect_timeout(|connection| connection.wire.discard_in_flight());
        match cancelled {
            Ok(()) => ended,
            // The request may be on its way still, and would hit the next statement.
            Err(why) => {
                log::debug!("a stream cannot be cancelled on the server, so its connection is given up: {why:?}");
                let why = Failure::Lost("a stream could not be ended early".into());
                self.give_up(&why);
                Err(why)
            }
        }
    }

    /// Reads what comes within a moment; whether that is all.
    fn wait_a_moment(&mut self) -> Result<bool, Failure> {
        let deadline = Deadline::after(Some(A_MOMENT));
        loop {
            if self.wire.discard_received()? {
                return Ok(true);
            }
            if !self.wire.receive_by(deadline)? {
                return Ok(false);
            }
        }
    }
}
