//! Ending a result that is not wanted any more, without reading what is left of it.
//!
//! What is left is read, unless that takes longer than a moment. Then the server is told to cancel the statement, over a
//! second connection; what it had sent by then is read and thrown away. Only a statement that reads, and that stands in
//! no transaction, is cancelled: another would be undone, and with it the transaction. A transaction of a stream's own is
//! there for its reading alone, so that it may be cancelled as well. Of any other, the result is read to its end.

use std::time::Duration;

use super::{PgConnection, error::Failure, wire::Status};
use crate::net::{socket::Deadline, statements};

/// How long the end of a result is waited for: longer than pieces of one answer are apart, and not worth a thought where
/// a statement goes on.
const A_MOMENT: Duration = Duration::from_millis(20);

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
        let rest =
            if self.only_reads && self.wire.status() == Status::Idle { self.end_soon() } else { self.wire.skip_all() };
        if let Err(error) = self.checked(rest) {
            log::debug!("a statement failed after some of its rows were read, and its other rows were not: {error}");
        }
    }

    /// Reads and throws away what is in flight, and cancels the statement if that takes longer than a moment. Whoever drops a
    /// result does not want to wait for a server that hangs, so all of it ends in the time that connecting may take.
    pub(super) fn end_soon(&mut self) -> Result<(), Failure> {
        let deadline = Deadline::after(Some(A_MOMENT));
        loop {
            if self.wire.discard_received()? {
                return self.set_timeouts();
            }
            if !self.wire.receive_by(deadline)? {
                break;
            }
        }
        if let Err(why) = self.wire.cancel().cancel() {
            log::debug!("a statement cannot be cancelled on the server, so its result is read: {why:?}");
        }
        let ended = self.within_connect_timeout(|connection| connection.wire.discard_in_flight());
        if let Err(Failure::Lost(why)) = &ended {
            log::debug!("a result could not be ended early, so its connection is given up: {why}");
        }
        ended
    }
}

/// Whether a statement does nothing but read; what begins with `WITH` may write.
pub(super) fn only_reads(sql: &str) -> bool {
    statements::only_reads(sql, &["SELECT", "SHOW", "TABLE", "VALUES"])
}
