//! The connection that kills statements of others.

use std::sync::{Mutex, PoisonError};

use super::{error::Failure, handshake, options::Options, session, session::Place, wire::Wire};
use crate::net::{socket::Deadline, tls::Tls};

/// The server closes the connection when it has not been used for so many seconds.
const IDLE_TIMEOUT: u32 = 60;

/// Kills statements by a connection of its own, which is made for the first kill and kept for the next ones.
#[derive(Debug, Default)]
pub(crate) struct Killer {
    idle: Mutex<Option<Side>>,
}

/// A connection beside others.
#[derive(Debug)]
struct Side {
    wire: Wire,
    /// The connections that this server has shown, with their numbers. A number is not given again, and this connection would not
    /// be open if the server had been started again.
    known: Vec<(u32, Place)>,
}

/// The most connections that are known.
const MOST_KNOWN: usize = 64;

/// What was sent to end a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Nothing: the server had ended it before.
    Nothing,
    /// A kill, which hits the statement or the next one.
    Kill,
    /// Perhaps two, of which one may hit the next statement in any case.
    Kills,
}

impl Killer {
    /// Kills the statement that the connection with this number, at this place, is waiting for.
    pub(super) fn kill(&self, id: u32, place: &Place, options: &Options, tls: Option<&Tls>) -> Result<Sent, Failure> {
        let deadline = Deadline::after(options.timeouts.connect);
        let mut broke = false;
        let kept = self.take().and_then(|mut side| side.wire.check_connection().is_ok().then_some(side));
        if let Some(mut side) = kept {
            side.wire.set_deadline(deadline);
            let answer = side.kill(id, place);
            if !side.wire.is_lost() {
                self.keep(side);
                return answer;
            }
            // The server may have read the kill.
            broke = true;
        }
        let mut side = Side::connect(options, tls, deadline)?;
        let answer = side.kill(id, place);
        self.keep(side);
        answer.map(|sent| if broke { Sent::Kills } else { sent })
    }

    /// Closes the connection, where a server has no room for another one.
    pub(crate) fn close(&self) {
        drop(self.take());
    }

    fn take(&self) -> Option<Side> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn keep(&self, side: Side) {
        if !side.wire.is_lost() && !side.wire.is_busy() {
            *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(side);
        }
    }
}

impl Side {
    fn connect(options: &Options, tls: Option<&Tls>, deadline: Deadline) -> Result<Self, Failure> {
        let mut wire = handshake::log_in(options, tls, deadline)
            .map(Wire::new)
            .map_err(|error| Failure::Lost(format!("{error:?}").into()))?;
        wire.execute_with_next(format!("SET SESSION wait_timeout = {IDLE_TIMEOUT}").into());
        Ok(Side { wire, known: Vec::new() })
    }

    fn kill(&mut self, id: u32, place: &Place) -> Result<Sent, Failure> {
        if !self.known.iter().any(|known| known.0 == id && known.1 == *place) {
            // A proxy may have led us to another server, or the server been started anew, and somebody else has this number.
            match session::seen(&mut self.wire, &id.to_string())? {
                Some(seen) if seen.place == *place => {
                    if self.known.len() == MOST_KNOWN {
                        self.known.remove(0);
                    }
                    self.known.push((id, seen.place));
                    if seen.command == "Sleep" {
                        return Ok(Sent::Nothing);
                    }
                }
                _ => return Err(Failure::Lost("the server does not show it to a second connection".into())),
            }
        }
        self.wire.query(&format!("KILL QUERY {id}"))?;
        Ok(Sent::Kill)
    }
}
