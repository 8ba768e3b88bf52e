//! Reading answers: whether a command is done, and the rows of a result one after the other.

use mysql_common::{
    constants::{CapabilityFlags, StatusFlags},
    io::ParseBuf,
    packets::{CommonOkPacket, OkPacket, OkPacketDeserializer, OkPacketKind, OldEofPacket, ResultSetTerminator},
};

use super::{Answer, State, Wire};
use crate::mysql::{
    column::Column,
    error::Failure,
    handshake::error_packet,
    reader::{ReadSized, Reader},
    row::{MysqlRow, RowRef},
};

/// No result has more columns: they are counted in 16 bits where a statement is prepared.
const MOST_COLUMNS: u64 = 0xFFFF;
/// The bytes of all their definitions, which are names for the most part.
const MOST_OF_COLUMNS: usize = 64 << 20;

impl Wire {
    /// Reads the next row of the result; `false` after the last one.
    #[inline]
    pub(in crate::mysql) fn next_row(&mut self) -> Result<bool, Failure> {
        match self.state {
            State::Rows { binary } => self.guarded(|wire| wire.read_row(binary)),
            State::Ready | State::MoreResults => Ok(false),
            State::Lost => Err(self.lost_before()),
        }
    }

    /// The row in hand, where it was received.
    #[inline]
    pub(in crate::mysql) fn row(&self) -> RowRef<'_> {
        RowRef { columns: &self.columns, packet: self.packets.packet(), spans: &self.spans }
    }

    /// The row in hand, of the text protocol.
    pub(in crate::mysql) fn text_row(&self) -> &[u8] {
        self.packets.packet()
    }

    /// A copy of the row in hand.
    pub(in crate::mysql) fn owned_row(&self) -> MysqlRow {
        MysqlRow { columns: self.columns.clone(), packet: self.packets.packet().into(), spans: self.spans.clone() }
    }

    /// Passes over one packet of a result, and goes on to the next result at the end of one.
    pub(in crate::mysql) fn skip(&mut self) -> Result<(), Failure> {
        match self.state {
            State::Rows { .. } => self.guarded(|wire| wire.read_row_or_end().map(drop)),
            State::MoreResults => self.answer(false).map(drop),
            State::Ready => Ok(()),
            State::Lost => Err(self.lost_before()),
        }
    }

    /// Fails if another result follows the one that has been read, of a statement that has one.
    pub(in crate::mysql) fn check_single_result(&mut self) -> Result<(), Failure> {
        match self.state {
            State::MoreResults => self.guarded(|_| Err(Failure::protocol("it gives a query more than one result"))),
            _ => Ok(()),
        }
    }

    /// Reads what is left of all results of a command, and says how many rows that was.
    pub(in crate::mysql) fn skip_all(&mut self) -> Result<u64, Failure> {
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
    pub(in crate::mysql) fn packet_size(&self) -> usize {
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
        if self.status.contains(StatusFlags::SERVER_MORE_RESULTS_EXISTS) {
            self.state = State::MoreResults;
        } else {
            self.has_written &= self.in_transaction() || !self.autocommits();
            self.is_ready();
        }
    }

    /// Takes in the packet in hand, which has to be an OK, of a statement that travelled ahead of another; whether a further
    /// answer to its text follows.
    pub(super) fn take_ok(&mut self) -> Result<bool, Failure> {
        let packet = self.packets.packet();
        if packet.first() != Some(&0x00) {
            return Err(Failure::protocol("it answers a statement by rows that has none"));
        }
        self.status = ok_packet::<CommonOkPacket>(packet, self.capabilities)?.status_flags();
        Ok(self.status.contains(StatusFlags::SERVER_MORE_RESULTS_EXISTS))
    }

    /// Reads what a command, or the next statement of several, was answered with.
    pub(super) fn answer(&mut self, binary: bool) -> Result<Answer, Failure> {
        self.state = State::Ready;
        self.last_insert_id = 0;
        self.guarded(|wire| {
            wire.next_packet()?;
            let packet = wire.packets.packet();
            match packet.first() {
                Some(0x00) => {
                    if wire.done_left == 0 {
                        return Err(Failure::protocol("it says more often than there are statements that one is done"));
                    }
                    wire.done_left -= 1;
                    let ok = ok_packet::<CommonOkPacket>(packet, wire.capabilities)?;
                    let (affected, last_insert_id) = (ok.affected_rows(), ok.last_insert_id().unwrap_or(0));
                    wire.status = ok.status_flags();
                    wire.last_insert_id = last_insert_id;
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
    pub(super) fn next_packet(&mut self) -> Result<(), Failure> {
        self.packets.next()?;
        match self.packets.packet().first() {
            Some(0xFF) => Err(error_packet(self.packets.packet(), self.capabilities)),
            Some(_) => Ok(()),
            None => Err(Failure::protocol("a packet is empty")),
        }
    }
}

pub(in crate::mysql) fn ok_packet<K: OkPacketKind>(
    packet: &[u8],
    capabilities: CapabilityFlags,
) -> Result<OkPacket<'_>, Failure> {
    ParseBuf(packet)
        .parse::<OkPacketDeserializer<'_, K>>(capabilities)
        .map(OkPacketDeserializer::into_inner)
        .map_err(|_| Failure::protocol("an OK packet cannot be read"))
}
