//! Commands and their answers.
//!
//! A [`Wire`] knows whether it is in the middle of a result, and which state the server says its transaction is in; it
//! knows nothing of Diesel's queries.

use std::sync::Arc;

use mysql_common::{
    constants::{CapabilityFlags, StatusFlags},
    io::ParseBuf,
    packets::{CommonOkPacket, OkPacket, OkPacketDeserializer, OkPacketKind, OldEofPacket, ResultSetTerminator},
};

use super::{
    column::Column,
    error::Failure,
    handshake::{Greeted, error_packet},
    packets::Packets,
    parameters::{self, Parameter},
    reader::Reader,
    row::{MysqlRow, RowRef, Spans},
};
use crate::net::socket::{Deadline, Timeouts};

const COM_INIT_DB: u8 = 0x02;
const COM_QUERY: u8 = 0x03;
const COM_PING: u8 = 0x0E;
const COM_STMT_PREPARE: u8 = 0x16;
const COM_STMT_EXECUTE: u8 = 0x17;
const COM_STMT_CLOSE: u8 = 0x19;
const COM_RESET_CONNECTION: u8 = 0x1F;

/// No result has more columns: they are counted in 16 bits where a statement is prepared.
const MOST_COLUMNS: u64 = 0xFFFF;
/// The bytes of all their definitions, which are names for the most part.
const MOST_OF_COLUMNS: usize = 64 << 20;

/// A connection that is logged in.
#[derive(Debug)]
pub(super) struct Wire {
    packets: Packets,
    capabilities: CapabilityFlags,
    id: u32,
    version: String,
    /// What the server said last of its state; errors do not say.
    status: StatusFlags,
    state: State,
    columns: Arc<[Column]>,
    spans: Spans,
    /// The largest packet that the server takes.
    max_allowed_packet: usize,
    /// Statements that the server shall forget, once something is sent.
    useless: Vec<Prepared>,
    /// Why the connection is gone.
    lost: String,
}

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
            state: State::Ready,
            columns: Arc::new([]),
            spans: Spans::default(),
            max_allowed_packet: usize::MAX,
            useless: Vec::new(),
            lost: String::new(),
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
            self.lost = match why {
                Failure::Lost(why) => why.to_string(),
                other => other.to_string(),
            };
        }
    }

    fn lost_before(&self) -> Failure {
        Failure::Lost(format!("it broke before: {}", self.lost).into())
    }

    /// Runs SQL as text: one statement, or several with semicolons between.
    pub(super) fn query(&mut self, sql: &str) -> Result<Answer, Failure> {
        self.command(COM_QUERY, sql.as_bytes())?;
        self.answer(false)
    }

    /// Asks whether the server is there, and for its state.
    pub(super) fn ping(&mut self) -> Result<(), Failure> {
        self.command(COM_PING, &[])?;
        self.answer(false).map(drop)
    }

    /// Makes the session as new, but for the database.
    pub(super) fn reset(&mut self) -> Result<(), Failure> {
        self.command(COM_RESET_CONNECTION, &[])?;
        self.answer(false)?;
        self.useless.clear();
        Ok(())
    }

    /// Makes this the database in which names without one are looked up.
    pub(super) fn choose_database(&mut self, name: &str) -> Result<(), Failure> {
        self.command(COM_INIT_DB, name.as_bytes())?;
        self.answer(false).map(drop)
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

    pub(super) fn execute(&mut self, statement: Prepared, values: &[Parameter]) -> Result<Answer, Failure> {
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
        self.send(&packet)?;
        self.answer(true)
    }

    /// Lets the server forget a statement, with the next command: there is no answer to it.
    pub(super) fn forget(&mut self, statement: Prepared) {
        self.useless.push(statement);
    }

    /// Reads the next row of the result; `false` after the last one.
    #[inline]
    pub(super) fn next_row(&mut self) -> Result<bool, Failure> {
        match self.state {
            State::Rows { binary } => self.guarded(|wire| wire.read_row(binary)),
            State::Ready | State::MoreResults => Ok(false),
            State::Lost => Err(self.lost_before()),
        }
    }

    /// The row in hand, where it was received.
    #[inline]
    pub(super) fn row(&self) -> RowRef<'_> {
        RowRef { columns: &self.columns, packet: self.packets.packet(), spans: &self.spans }
    }

    /// The row in hand, of the text protocol.
    pub(super) fn text_row(&self) -> &[u8] {
        self.packets.packet()
    }

    /// A copy of the row in hand.
    pub(super) fn owned_row(&self) -> MysqlRow {
        MysqlRow { columns: self.columns.clone(), packet: self.packets.packet().into(), spans: self.spans.clone() }
    }

    /// Passes over one packet of a result, and goes on to the next result at the end of one.
    pub(super) fn skip(&mut self) -> Result<(), Failure> {
        match self.state {
            State::Rows { .. } => self.guarded(|wire| wire.read_row_or_end().map(drop)),
            State::MoreResults => self.answer(false).map(drop),
            State::Ready => Ok(()),
            State::Lost => Err(self.lost_before()),
        }
    }

    /// Reads what is left of all results of a command, and says how many rows that was.
    pub(super) fn skip_all(&mut self) -> Result<u64, Failure> {
        let mut rows = 0;
        while self.is_busy() {
            match self.state {
                State::Rows { .. } => rows += u64::from(self.guarded(Wire::read_row_or_end)?),
                _ => self.skip()?,
            }
        }
        Ok(rows)
    }

    /// The size of the packet in hand.
    pub(super) fn packet_size(&self) -> usize {
        self.packets.packet().len()
    }

    #[inline]
    fn read_row(&mut self, binary: bool) -> Result<bool, Failure> {
        let is_row = self.read_row_or_end()?;
        if is_row && binary {
            self.spans.find(&self.columns, self.packets.packet())?;
        }
        Ok(is_row)
    }

    /// Reads the next packet of a result; `false` for the one that ends it.
    #[inline]
    fn read_row_or_end(&mut self) -> Result<bool, Failure> {
        self.next_packet()?;
        let packet = self.packets.packet();
        // A row of text may begin like this, too, with a value of 16 MiB and more.
        let ends = packet.first() == Some(&0xFE) && packet.len() < 0x00FF_FFFF;
        if ends {
            self.end_of_rows()?;
        }
        Ok(!ends)
    }

    fn end_of_rows(&mut self) -> Result<(), Failure> {
        let packet = self.packets.packet();
        let ok = if self.capabilities.contains(CapabilityFlags::CLIENT_DEPRECATE_EOF) {
            ok_packet::<ResultSetTerminator>(packet, self.capabilities)?
        } else {
            ok_packet::<OldEofPacket>(packet, self.capabilities)?
        };
        self.status = ok.status_flags();
        self.after_result();
        Ok(())
    }

    fn after_result(&mut self) {
        self.state = match self.status.contains(StatusFlags::SERVER_MORE_RESULTS_EXISTS) {
            true => State::MoreResults,
            false => State::Ready,
        };
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
            wire.packets.flush()
        })
    }

    /// Reads what a command, or the next statement of several, was answered with.
    fn answer(&mut self, binary: bool) -> Result<Answer, Failure> {
        self.state = State::Ready;
        self.guarded(|wire| {
            wire.next_packet()?;
            let packet = wire.packets.packet();
            match packet.first() {
                Some(0x00) => {
                    let ok = ok_packet::<CommonOkPacket>(packet, wire.capabilities)?;
                    let affected = ok.affected_rows();
                    wire.status = ok.status_flags();
                    wire.after_result();
                    Ok(Answer::Done { affected })
                }
                // Never offered, so nothing is sent, and nothing more is heard from such a server.
                Some(0xFB) => Err(Failure::protocol("it asks for a file of this machine, which it does not get")),
                _ => {
                    let count = Reader::new(packet).integer()?;
                    wire.read_columns(count)?;
                    wire.state = State::Rows { binary };
                    Ok(Answer::Rows)
                }
            }
        })
    }

    fn read_columns(&mut self, count: u64) -> Result<(), Failure> {
        if count == 0 || count > MOST_COLUMNS {
            return Err(Failure::protocol("a result has no such number of columns"));
        }
        let mut columns = Vec::new();
        let mut size = 0;
        for _ in 0..count {
            self.next_packet()?;
            size += self.packets.packet().len();
            // Of what is kept for as long as the rows are read, a server alone must not say how much it is.
            if size > MOST_OF_COLUMNS {
                return Err(Failure::protocol("the names of a result's columns are longer than any server's"));
            }
            columns.push(Column::parse(self.packets.packet())?);
        }
        if !self.capabilities.contains(CapabilityFlags::CLIENT_DEPRECATE_EOF) {
            self.next_packet()?;
        }
        // The same statement again, most of the time; its rows may share what they know of their columns.
        if *self.columns != *columns {
            self.columns = columns.into();
        }
        Ok(())
    }

    /// Reads a packet; an error of the server's is one here, too.
    #[inline]
    fn next_packet(&mut self) -> Result<(), Failure> {
        self.packets.next()?;
        match self.packets.packet().first() {
            Some(0xFF) => Err(error_packet(self.packets.packet(), self.capabilities)),
            Some(_) => Ok(()),
            None => Err(Failure::protocol("a packet is empty")),
        }
    }

    /// Does something, and keeps in mind what an error means for the connection.
    #[inline]
    fn guarded<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, Failure> {
        let answer = f(self);
        if let Err(failure) = &answer {
            self.failed(failure);
        }
        answer
    }

    #[cold]
    fn failed(&mut self, failure: &Failure) {
        if matches!(failure, Failure::Lost(_)) {
            self.close(failure);
        } else if matches!(failure, Failure::Server(_)) {
            self.state = State::Ready;
        }
    }
}

pub(super) fn ok_packet<K: OkPacketKind>(
    packet: &[u8],
    capabilities: CapabilityFlags,
) -> Result<OkPacket<'_>, Failure> {
    ParseBuf(packet)
        .parse::<OkPacketDeserializer<'_, K>>(capabilities)
        .map(OkPacketDeserializer::into_inner)
        .map_err(|_| Failure::protocol("an OK packet cannot be read"))
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
