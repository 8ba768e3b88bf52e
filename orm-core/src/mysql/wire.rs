//! Commands; their answers are read in `wire/answers.rs`.
//!
//! A [`Wire`] knows whether it is in the middle of a result, and which state the server says its transaction is in; it
//! knows nothing of Diesel's queries.

mod answers;
mod pipeline;

use std::{borrow::Cow, sync::Arc};

use mysql_common::constants::{CapabilityFlags, MariadbCapabilities, StatusFlags};

#[cfg(test)]
pub(super) use self::answers::ok_packet;
pub(crate) use self::pipeline::Begin;
pub(super) use self::pipeline::Values;
use self::pipeline::{Command, LastPrepared};
use super::{
    column::Column,
    error::Failure,
    handshake::{Greeted, error_packet},
    packets::Packets,
    parameters::Parameter,
    reader::Reader,
    row::Spans,
    version::Version,
};
use crate::net::{
    effects::{Effects, Words},
    loss::Loss,
    socket::{Deadline, Timeouts},
};

const COM_INIT_DB: u8 = 0x02;
const COM_QUERY: u8 = 0x03;
const COM_PING: u8 = 0x0E;
const COM_STMT_PREPARE: u8 = 0x16;
const COM_STMT_EXECUTE: u8 = 0x17;
const COM_STMT_CLOSE: u8 = 0x19;
const COM_STMT_BULK_EXECUTE: u8 = 0xFA;
const COM_RESET_CONNECTION: u8 = 0x1F;

/// `ER_UNKNOWN_STMT_HANDLER`.
pub(super) const UNKNOWN_STATEMENT: u16 = 1243;
/// `ER_UNSUPPORTED_PS`.
pub(super) const UNSUPPORTED: u16 = 1295;

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
    /// SQL without rows, such as SET, that travels ahead of the next statement.
    settings: Vec<Cow<'static, str>>,
    /// The beginning of a transaction, which travels with the next statement.
    begin: Option<Begin>,
    /// Whether a statement may be prepared and executed in one round trip.
    pipelines: bool,
    /// Whether the server has agreed to execute a statement for many rows.
    has_bulk: bool,
    last_prepared: Option<LastPrepared>,
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
    /// Whether the program has read a row of its result.
    pub(super) was_read: bool,
}

impl Wire {
    pub(super) fn new(greeted: Greeted) -> Self {
        Wire {
            packets: greeted.packets,
            capabilities: greeted.capabilities,
            id: greeted.id,
            has_bulk: greeted.extended.contains(MariadbCapabilities::MARIADB_CLIENT_STMT_BULK_OPERATIONS)
                && Version::parse(&greeted.version).executes_for_rows(),
            pipelines: Version::parse(&greeted.version).executes_the_last_prepared(),
            version: greeted.version,
            status: StatusFlags::SERVER_STATUS_AUTOCOMMIT,
            last_insert_id: 0,
            state: State::Ready,
            columns: Arc::new([]),
            spans: Spans::default(),
            done_left: 0,
            max_allowed_packet: usize::MAX,
            useless: Vec::new(),
            settings: Vec::new(),
            begin: None,
            last_prepared: None,
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
        let parsed = Version::parse(&version);
        self.pipelines = parsed.executes_the_last_prepared();
        self.has_bulk &= parsed.executes_for_rows();
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
        let packet = [&[COM_QUERY], sql.as_bytes()].concat().into();
        let statements = sql.matches(';').count() + 1;
        self.run(None, Command { packet, sql, only_reads: false, binary: false, statements })
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
        self.settings.clear();
        self.begin = None;
        self.last_prepared = None;
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

    /// Prepares a statement, of which it may be known that it only reads.
    pub(super) fn prepare(&mut self, sql: &str, only_reads: bool) -> Result<Prepared, Failure> {
        self.command(COM_STMT_PREPARE, sql.as_bytes())?;
        self.guarded(|wire| wire.prepared(only_reads))
    }

    fn read_prepared(&mut self) -> Result<Prepared, Failure> {
        self.next_packet()?;
        let mut packet = Reader::new(self.packets.packet());
        let [0] = packet.array()? else { return Err(Failure::protocol("a statement is not prepared")) };
        let id = u32::from_le_bytes(packet.array()?);
        let columns = u16::from_le_bytes(packet.array()?);
        let parameters = u16::from_le_bytes(packet.array()?);
        // What it says of parameters and columns is said again when it is executed, or of no use.
        for count in [parameters, columns] {
            for _ in 0..count {
                self.next_packet()?;
            }
            if count > 0 && !self.capabilities.contains(CapabilityFlags::CLIENT_DEPRECATE_EOF) {
                self.next_packet()?;
            }
        }
        Ok(Prepared { id, parameters, was_read: false })
    }

    /// Executes a prepared statement of this SQL, of which it may be known that it only reads.
    pub(super) fn execute(
        &mut self,
        statement: Prepared,
        values: Values<'_>,
        sql: &str,
        only_reads: bool,
    ) -> Result<Answer, Failure> {
        if usize::from(statement.parameters) != values.parameters() {
            return Err(Failure::Value(
                format!(
                    "the statement has {} parameters, and {} values were given",
                    statement.parameters,
                    values.parameters()
                )
                .into(),
            ));
        }
        let packet = values.packet(statement.id)?.into();
        self.run(None, Command { packet, sql, only_reads, binary: true, statements: 1 })
    }

    /// Whether a statement can be executed for rows of these values at once.
    pub(super) fn executes_for(&self, rows: &[Parameter]) -> bool {
        /// The most bytes beside a value: whether it is NULL, and its length.
        const AROUND: usize = 1 + 9;
        let size: usize = rows.iter().map(|(_, value)| value.as_ref().map_or(0, Vec::len) + AROUND).sum();
        self.has_bulk && size < self.max_allowed_packet
    }

    /// Takes note that the server, or what stands before it, cannot execute a statement for many rows.
    pub(super) fn has_no_bulk(&mut self) {
        self.has_bulk = false;
    }

    /// Lets the server forget a statement, with the next command: there is no answer to it.
    pub(super) fn forget(&mut self, statement: Prepared) {
        self.useless.push(statement);
    }

    /// Keeps in mind what is at stake when a statement with these effects is sent, until it is answered.
    ///
    /// Where it may commit, this looks at what the server has said since its last answer: a connection that it has closed is lost
    /// before anything is sent, and not with an unknown outcome after it.
    fn stake(&mut self, effects: Effects) -> Result<(), Failure> {
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

    /// Sends a command, and nothing that is to travel with a statement.
    fn command(&mut self, command: u8, body: &[u8]) -> Result<(), Failure> {
        let packet = [&[command], body].concat();
        self.can_send(packet.len())?;
        self.write(|wire| {
            wire.packets.begin()?;
            wire.packets.put(&packet);
            Ok(())
        })
    }

    /// Fails unless a command of this size can be sent now.
    fn can_send(&self, size: usize) -> Result<(), Failure> {
        match self.state {
            State::Ready => {}
            State::Lost => return Err(self.lost_before()),
            State::Rows { .. } | State::MoreResults => return Err(Failure::Busy),
        }
        if size >= self.max_allowed_packet {
            return Err(Failure::TooLarge { size, limit: self.max_allowed_packet });
        }
        Ok(())
    }

    /// Writes what `put` puts in line, behind what is to be forgotten.
    fn write(&mut self, put: impl FnOnce(&mut Self) -> Result<(), Failure>) -> Result<(), Failure> {
        self.guarded(|wire| {
            for statement in std::mem::take(&mut wire.useless) {
                let [a, b, c, d] = statement.id.to_le_bytes();
                wire.packets.begin()?;
                wire.packets.put(&[COM_STMT_CLOSE, a, b, c, d]);
                if wire.last_prepared.is_some_and(|last| last.id == statement.id) {
                    wire.last_prepared = None;
                }
            }
            put(wire)?;
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
