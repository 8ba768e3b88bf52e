//! Commands; their answers are read in `wire/answers.rs`.
//!
//! A [`Wire`] knows whether it is in the middle of a result, and which state the server says its transaction is in; it
//! knows nothing of Diesel's queries.

mod answers;

use std::sync::Arc;

use mysql_common::constants::{CapabilityFlags, StatusFlags};

#[cfg(test)]
pub(super) use self::answers::ok_packet;
use super::{
    column::Column,
    error::Failure,
    handshake::{Greeted, error_packet},
    packets::Packets,
    parameters::{self, Parameter},
    reader::Reader,
    row::Spans,
};
use crate::net::{
    effects::Words,
    loss::Loss,
    socket::{Deadline, Timeouts},
};

const COM_INIT_DB: u8 = 0x02;
const COM_QUERY: u8 = 0x03;
const COM_PING: u8 = 0x0E;
const COM_STMT_PREPARE: u8 = 0x16;
const COM_STMT_EXECUTE: u8 = 0x17;
const COM_STMT_CLOSE: u8 = 0x19;
const COM_RESET_CONNECTION: u8 = 0x1F;

/// A connection that is logged in.
#[derive(Debug)]
pub(super) struct Wire {
    packets: Packets,
    capabilities: CapabilityFlags,
    id: u32,
    version: String,
    /// What the server said last of its state; errors do not say.
    status: StatusFlags,
    /// The key that the last command has stored, as its answer said.
    last_insert_id: u64,
    state: State,
    columns: Arc<[Column]>,
    spans: Spans,
    /// How many statements the command may still say that it has done. A procedure has any number of results with rows, but
    /// one end.
    done_left: usize,
    /// The largest packet that the server takes.
    max_allowed_packet: usize,
    /// Statements that the server shall forget, once something is sent.
    useless: Vec<Prepared>,
    /// Whether the transaction that is open may have changed something.
    has_written: bool,
    /// Whether something was sent that may commit, and has not been answered.
    is_at_stake: bool,
    /// Why the connection is gone.
    lost: Option<Loss>,
}

/// What the statements of MySQL and MariaDB do. In a transaction, whatever is not known may commit, as CREATE TABLE does.
const WORDS: Words = Words {
    harmless: &[
        "BEGIN",
        "DO",
        "KILL",
        "RELEASE",
        "ROLLBACK",
        "SAVEPOINT",
        "SET",
        "SHOW",
        "START",
        "USE",
        "EXPLAIN",
        "DESCRIBE",
        "DESC",
    ],
    stay: Some(&["DELETE", "INSERT", "REPLACE", "SELECT", "UPDATE", "VALUES", "WITH", "TABLE"]),
    ends: &["COMMIT"],
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A command may be sent.
    Ready,
    /// Rows of a result are still to be read, in the binary protocol or in text.
    Rows { binary: bool },
    /// Another result follows the one that has been read.
    MoreResults,
    /// The connection is gone.
    Lost,
}

/// What a command was answered with.
#[derive(Debug)]
pub(super) enum Answer {
    /// It is done, and has changed so many rows.
    Done { affected: u64 },
    /// Rows follow.
    Rows,
}

/// A statement that the server has prepared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prepared {
    pub(super) id: u32,
    pub(super) parameters: u16,
}

impl Wire {
    pub(super) fn new(greeted: Greeted) -> Self {
        Wire {
            packets: greeted.packets,
            capabilities: greeted.capabilities,
            id: greeted.id,
            version: greeted.version,
            status: StatusFlags::SERVER_STATUS_AUTOCOMMIT,
            last_insert_id: 0,
            state: State::Ready,
            columns: Arc::new([]),
            spans: Spans::default(),
            done_left: 0,
            max_allowed_packet: usize::MAX,
            useless: Vec::new(),
            has_written: false,
            is_at_stake: false,
            lost: None,
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.id
    }

    pub(super) fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn set_version(&mut self, version: String) {
        self.version = version;
    }

    /// Limits for each piece that is read or written from here on.
    pub(super) fn set_timeouts(&mut self, timeouts: &Timeouts) -> Result<(), Failure> {
        Ok(self.packets.socket_mut().set_timeouts(timeouts.read, timeouts.write)?)
    }

    /// A deadline for all that is read and written, until [`Wire::set_timeouts`].
    pub(super) fn set_deadline(&mut self, deadline: Deadline) {
        self.packets.socket_mut().set_deadline(deadline);
    }

    pub(super) fn set_max_allowed_packet(&mut self, size: usize) {
        self.max_allowed_packet = size;
    }

    /// The key that the last command has stored in an `AUTO_INCREMENT` column; 0 if none.
    pub(super) fn last_insert_id(&self) -> u64 {
        self.last_insert_id
    }

    /// Whether the server says that a transaction is open.
    pub(super) fn in_transaction(&self) -> bool {
        self.status.contains(StatusFlags::SERVER_STATUS_IN_TRANS)
    }

    /// Whether the server commits each statement where no transaction is open.
    pub(super) fn autocommits(&self) -> bool {
        self.status.contains(StatusFlags::SERVER_STATUS_AUTOCOMMIT)
    }

    pub(super) fn is_lost(&self) -> bool {
        self.state == State::Lost
    }

    /// Whether a result has not been read to its end.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.state, State::Rows { .. } | State::MoreResults)
    }

    /// Whether the next packet has been received already.
    pub(super) fn has_packet(&self) -> bool {
        self.packets.has_one()
    }

    /// Receives once more, if something comes before the deadline; whether it did.
    pub(super) fn receive_by(&mut self, deadline: Deadline) -> Result<bool, Failure> {
        self.guarded(|wire| wire.packets.receive_by(deadline))
    }

    /// Gives the connection up; whoever uses it after this is told why.
    pub(super) fn close(&mut self, why: &Failure) {
        if self.state != State::Lost {
            self.packets.close();
            self.state = State::Lost;
            self.lost = Some(why.loss());
        }
    }

    /// Notes the reason of a loss that was noticed before the reason was known.
    pub(super) fn was_lost_by(&mut self, reason: &Failure) {
        if self.state == State::Lost {
            self.lost = Some(reason.loss());
        }
    }

    /// The failure of whatever is asked of a connection that is lost.
    pub(super) fn lost_before(&self) -> Failure {
        Failure::Lost(self.lost.as_ref().map_or_else(|| "it broke before".into(), Loss::before))
    }

    /// Runs SQL as text: one statement, or several with semicolons between.
    pub(super) fn query(&mut self, sql: &str) -> Result<Answer, Failure> {
        self.prepare_to_send(sql)?;
        self.command(COM_QUERY, sql.as_bytes())?;
        self.done_left = sql.matches(';').count() + 1;
        self.answer(false)
    }

    /// Asks whether the server is there, and for its state.
    pub(super) fn ping(&mut self) -> Result<(), Failure> {
        self.command(COM_PING, &[])?;
        self.done()
    }

    /// Makes the session as new, but for the database.
    pub(super) fn reset(&mut self) -> Result<(), Failure> {
        self.command(COM_RESET_CONNECTION, &[])?;
        self.done()?;
        self.useless.clear();
        Ok(())
    }

    /// Makes this the database in which names without one are looked up.
    pub(super) fn choose_database(&mut self, name: &str) -> Result<(), Failure> {
        self.command(COM_INIT_DB, name.as_bytes())?;
        self.done()
    }

    /// Reads the answer to a command that returns no rows.
    fn done(&mut self) -> Result<(), Failure> {
        self.done_left = 1;
        match self.answer(false)? {
            Answer::Done { .. } if !self.is_busy() => Ok(()),
            _ => self.guarded(|_| Err(Failure::protocol("it answers a command by rows that has none"))),
        }
    }

    pub(super) fn prepare(&mut self, sql: &str) -> Result<Prepared, Failure> {
        self.command(COM_STMT_PREPARE, sql.as_bytes())?;
        self.guarded(|wire| {
            wire.next_packet()?;
            let mut packet = Reader::new(wire.packets.packet());
            let [0] = packet.array()? else { return Err(Failure::protocol("a statement is not prepared")) };
            let id = u32::from_le_bytes(packet.array()?);
            let columns = u16::from_le_bytes(packet.array()?);
            let parameters = u16::from_le_bytes(packet.array()?);
            // What it says of parameters and columns is said again when it is executed, or of no use.
            for count in [parameters, columns] {
                for _ in 0..count {
                    wire.next_packet()?;
                }
                if count > 0 && !wire.capabilities.contains(CapabilityFlags::CLIENT_DEPRECATE_EOF) {
                    wire.next_packet()?;
                }
            }
            Ok(Prepared { id, parameters })
        })
    }

    /// Executes a prepared statement of this SQL, of which it may be known that it only reads.
    pub(super) fn execute(
        &mut self,
        statement: Prepared,
        values: &[Parameter],
        sql: &str,
        only_reads: bool,
    ) -> Result<Answer, Failure> {
        if usize::from(statement.parameters) != values.len() {
            return Err(Failure::Value(
                format!(
                    "the statement has {} parameters, and {} values were given",
                    statement.parameters,
                    values.len()
                )
                .into(),
            ));
        }
        let mut packet = vec![COM_STMT_EXECUTE];
        packet.extend(statement.id.to_le_bytes());
        packet.push(0); // no cursor
        packet.extend(1u32.to_le_bytes()); // once
        parameters::write(values, &mut packet)?;
        if !only_reads {
            self.prepare_to_send(sql)?;
        }
        self.send(&packet)?;
        self.done_left = 1;
        self.answer(true)
    }

    /// Lets the server forget a statement, with the next command: there is no answer to it.
    pub(super) fn forget(&mut self, statement: Prepared) {
        self.useless.push(statement);
    }

    /// Keeps in mind what is at stake when a statement is sent, until it is answered.
    ///
    /// Where it may commit, this looks at what the server has said since its last answer: a connection that it has closed is lost
    /// before anything is sent, and not with an unknown outcome after it.
    fn prepare_to_send(&mut self, sql: &str) -> Result<(), Failure> {
        let effects = WORDS.effects(sql, self.in_transaction() || !self.autocommits(), self.has_written);
        if effects.commits {
            self.check_connection()?;
        }
        self.is_at_stake = effects.commits && self.state == State::Ready;
        self.has_written |= effects.writes;
        Ok(())
    }

    /// Looks at what the server has said since its last answer: if it has said anything, the connection is lost.
    pub(super) fn check_connection(&mut self) -> Result<(), Failure> {
        if self.state != State::Ready {
            return Ok(());
        }
        self.guarded(|wire| {
            wire.packets.receive_now()?;
            if !wire.packets.has_one() {
                return Ok(());
            }
            wire.next_packet()?;
            Err(Failure::protocol("it speaks without having been asked"))
        })
    }

    /// Sends a command.
    fn command(&mut self, command: u8, body: &[u8]) -> Result<(), Failure> {
        self.send(&[&[command], body].concat())
    }

    /// Sends a command's packet.
    fn send(&mut self, packet: &[u8]) -> Result<(), Failure> {
        match self.state {
            State::Ready => {}
            State::Lost => return Err(self.lost_before()),
            State::Rows { .. } | State::MoreResults => return Err(Failure::Busy),
        }
        let size = packet.len();
        if size >= self.max_allowed_packet {
            self.is_at_stake = false;
            return Err(Failure::TooLarge { size, limit: self.max_allowed_packet });
        }
        self.guarded(|wire| {
            for statement in wire.useless.drain(..) {
                let [a, b, c, d] = statement.id.to_le_bytes();
                wire.packets.begin()?;
                wire.packets.put(&[COM_STMT_CLOSE, a, b, c, d]);
            }
            wire.packets.begin()?;
            wire.packets.put(packet);
            let sent = wire.packets.flush();
            if sent.is_err() {
                wire.is_at_stake &= wire.packets.was_sent();
                // A server that ends a connection says why before it closes it.
                if wire.packets.find_last_error() {
                    return Err(error_packet(wire.packets.packet(), wire.capabilities).into_loss());
                }
            }
            sent
        })
    }

    /// Does something, and keeps in mind what an error means for the connection.
    #[inline]
    fn guarded<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, Failure> {
        f(self).map_err(|failure| self.failed(failure))
    }

    #[cold]
    fn failed(&mut self, failure: Failure) -> Failure {
        if failure.is_loss() {
            self.close(&failure);
            if std::mem::take(&mut self.is_at_stake) {
                return Failure::Lost(Loss { is_unknown: true, ..failure.loss() });
            }
        } else if matches!(failure, Failure::Server(_)) {
            self.is_ready();
        }
        failure
    }

    /// Takes in that the last command has been answered.
    fn is_ready(&mut self) {
        self.state = State::Ready;
        self.is_at_stake = false;
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.state == State::Ready {
            // COM_QUIT, so that the server does not log a connection that was broken off.
            let begun = self.packets.begin();
            self.packets.put(&[0x01]);
            let _ = begun.and_then(|()| self.packets.flush());
        }
    }
}
