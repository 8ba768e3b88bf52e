//! Ending a result that is not wanted any more, without reading what is left of it.
//!
//! Only a statement that reads is ended. One that writes, such as `CALL` or `INSERT … RETURNING`, would be undone or half
//! done, so what it returns is read to its end.
//!
//! The protocol has no word for that. A second connection tells the server to kill the statement; what the server had
//! sent by then is read and thrown away. A kill that comes too late would hit the connection's next statement, so one
//! that is nothing is sent for it to hit. Where the server cannot be told, the connection is given up.

use std::time::Duration;

use super::{MysqlConnection, error::Failure, handshake, session, wire::Wire};
use crate::net::socket::Deadline;

/// How much is read and thrown away after the kill. More than this is in no buffer between here and the server, so a
/// server that sends more has not listened.
const MOST: usize = 64 << 20;

/// How long the end of a result is waited for: longer than pieces of one answer are apart, and not worth a thought where
/// a statement goes on.
const A_MOMENT: Duration = Duration::from_millis(20);

/// The number of "Query execution was interrupted".
const INTERRUPTED: u16 = 1317;

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
        let received = self.wire.receive_by(Deadline::after(Some(A_MOMENT)))?;
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
            let still_runs = match connection.kill_from_another_connection() {
                Ok(still_runs) => still_runs,
                // A transaction is worth some reading, for it would be lost with the connection.
                Err(failure) if connection.wire.in_transaction() => {
                    log::debug!("a statement cannot be ended on the server, so some of it is read: {failure}");
                    connection.throw_away().map_err(|_| failure)?;
                    false
                }
                Err(failure) => return Err(failure),
            };
            connection.read_what_was_sent(still_runs)
        })
    }

    fn read_what_was_sent(&mut self, still_runs: bool) -> Result<(), Failure> {
        let was_open = self.wire.in_transaction();
        let was_killed = match self.throw_away() {
            Ok(()) => false,
            // Another error is of no interest any more, but for what it means to a transaction.
            Err(failure) if failure.number().is_some() => failure.number() == Some(INTERRUPTED),
            Err(failure) => return Err(failure),
        };
        if still_runs && !was_killed {
            // The statement ended by itself, so the kill may still be on its way to the next one.
            match self.wire.query("DO 0") {
                Ok(_) => {}
                Err(failure) if failure.number() == Some(INTERRUPTED) => {}
                Err(failure) => return Err(failure),
            }
        }
        self.ask_for_state(was_open)
    }

    /// Kills the statement; `false` if the server had ended it before.
    fn kill_from_another_connection(&self) -> Result<bool, Failure> {
        let Some(place) = &self.place else {
            return Err(Failure::Lost("the server knows it by another number".into()));
        };
        let deadline = Deadline::after(self.options.timeouts.connect);
        let mut other = handshake::log_in(&self.options, self.tls.as_ref(), deadline)
            .map(Wire::new)
            .map_err(|error| Failure::Lost(format!("{error:?}").into()))?;
        let id = self.wire.id();
        // A proxy may have led us to another server, or the server been started anew, and somebody else has this number.
        match session::seen(&mut other, &id.to_string())? {
            Some(seen) if seen.place == *place => {
                if seen.command == "Sleep" {
                    return Ok(false);
                }
                other.query(&format!("KILL QUERY {id}"))?;
                Ok(true)
            }
            _ => Err(Failure::Lost("the server does not show it to a second connection".into())),
        }
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
