//! Abandons a result set early, without reading the remaining rows.
//!
//! Only a statement that reads is ended. One that writes, such as `CALL` or `INSERT … RETURNING`, would be undone or half
//! done, so what it returns is read to its end.
//!
//! The protocol has no command for that. A second connection sends KILL QUERY; what the server had sent by then is read and
//! discarded. A late KILL QUERY would cancel the connection's next statement, so a no-op (`DO 0`) is sent to absorb it. Where
//! the server cannot be told, the connection is closed.
//!
//! The second connection is kept for the next kill, one for each pool (see `killer.rs`).

use std::time::Duration;

use super::{MysqlConnection, error::Failure, killer::Sent};
use crate::net::socket::Deadline;

/// The most bytes that are read and discarded after the kill. More than this is in no buffer between here and the server, so a
/// server that sends more ignores the kill.
const MOST: usize = 64 << 20;

/// How long to wait for the natural end of the result before killing the statement.
const DRAIN_GRACE: Duration = Duration::from_millis(20);

/// `ER_QUERY_INTERRUPTED`.
const ER_QUERY_INTERRUPTED: u16 = 1317;

impl MysqlConnection {
    /// Ends what is left of the last statement's result.
    pub(crate) fn finish(&mut self) {
        if !self.wire.is_busy() || self.finish_what_is_here() {
            return;
        }
        // While it unwinds, the pool discards the connection in any case.
        let ended = if std::thread::panicking() {
            Err(Failure::Lost("a panic".into()))
        } else if self.only_reads {
            self.wait_or_kill()
        } else {
            return self.read_to_the_end();
        };
        if let Err(failure) = ended {
            log::debug!("a statement cannot be ended on the server, so its connection is given up: {failure}");
            self.give_up(&Failure::Lost(format!("a result could not be ended early: {failure}").into()));
        }
    }

    /// Where one row was all, as with `get_result`, what ends the result may be on its way. To wait for it costs less
    /// than to connect.
    fn wait_or_kill(&mut self) -> Result<(), Failure> {
        let received = self.wire.receive_by(Deadline::after(Some(DRAIN_GRACE)))?;
        self.wire.set_timeouts(&self.options.timeouts)?;
        if received && self.finish_what_is_here() { Ok(()) } else { self.kill() }
    }

    fn read_to_the_end(&mut self) {
        if let Err(failure) = self.wire.skip_all() {
            log::warn!("a statement failed after some of its rows were read, and its other rows were not: {failure}");
            self.failed(&failure);
        }
    }

    /// Reads what has been received already, without waiting for more; whether that was all.
    fn finish_what_is_here(&mut self) -> bool {
        while self.wire.is_busy() && self.wire.has_packet() {
            let single = if self.only_reads { self.wire.check_single_result() } else { Ok(()) };
            if let Err(failure) = single.and_then(|()| self.wire.skip()) {
                self.failed(&failure);
            }
        }
        !self.wire.is_busy()
    }

    /// Ends the statement within the time that connecting may take: whoever drops a stream does not want to wait for a
    /// server that hangs.
    fn kill(&mut self) -> Result<(), Failure> {
        self.within_connect_timeout(|connection| {
            let sent = match connection.kill_from_another_connection() {
                Ok(sent) => sent,
                // A transaction is worth some reading, for it would be lost with the connection.
                Err(failure) if connection.wire.in_transaction() => {
                    log::debug!("a statement cannot be ended on the server, so some of it is read: {failure}");
                    connection.throw_away().map_err(|_| failure)?;
                    Sent::Nothing
                }
                Err(failure) => return Err(failure),
            };
            connection.read_what_was_sent(sent)
        })
    }

    fn read_what_was_sent(&mut self, sent: Sent) -> Result<(), Failure> {
        let was_open = self.wire.in_transaction();
        let was_killed = match self.throw_away() {
            Ok(()) => false,
            // Another error is of no interest any more, but for what it means to a transaction.
            Err(failure) if failure.number().is_some() => failure.number() == Some(ER_QUERY_INTERRUPTED),
            Err(failure) => return Err(failure),
        };
        // Where the statement has ended by itself, the kill hits the next one.
        if sent == Sent::Kills || (sent == Sent::Kill && !was_killed) {
            match self.wire.query("DO 0") {
                // Its answer tells the state, too.
                Ok(_) => {
                    self.take_state(was_open);
                    return Ok(());
                }
                Err(failure) if failure.number() == Some(ER_QUERY_INTERRUPTED) => {}
                Err(failure) => return Err(failure),
            }
        }
        // Outside of a transaction there is no state to lose.
        if was_open { self.ask_for_state(was_open) } else { Ok(()) }
    }

    fn kill_from_another_connection(&self) -> Result<Sent, Failure> {
        let Some(place) = &self.place else {
            return Err(Failure::Lost("the server knows it by another number".into()));
        };
        self.killer.kill(self.wire.id(), place, &self.options, self.tls.as_ref())
    }

    fn throw_away(&mut self) -> Result<(), Failure> {
        let mut size = 0;
        while self.wire.is_busy() {
            self.wire.skip()?;
            size += self.wire.packet_size();
            if size > MOST {
                return Err(Failure::Lost("the server goes on with a statement that was killed".into()));
            }
        }
        Ok(())
    }
}
