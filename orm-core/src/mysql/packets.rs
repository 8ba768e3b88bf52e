//! Packets: what goes over the wire is cut into them, and numbered.
//!
//! Read by "MySQL Packets" and "Compressed Packet" in MySQL's internals manual. A packet is read where it lies in the
//! receive buffer; nothing is copied or allocated for it, unless it is larger than 16 MiB and comes in parts.

use std::{
    io::{ErrorKind, Read, Write},
    ops::Range,
};

use flate2::{Compression, bufread::ZlibDecoder, write::ZlibEncoder};

use super::error::Failure;
use crate::net::socket::{Deadline, Socket};

/// The bytes of a header: three of the length, one of the number.
const HEADER: usize = 4;
/// The longest part of a packet; a packet of this length has another part, be it an empty one.
const LONGEST_PART: usize = 0x00FF_FFFF;
/// No server sends more: the upper limit of `max_allowed_packet`.
const LONGEST_PACKET: usize = 1 << 30;
/// The receive buffer to begin with.
const BUFFER: usize = 16 << 10;
/// The receive buffer once there is much to receive; fewer and larger reads cost less. It is more where a packet is.
const BUFFER_OF_STREAMS: usize = 256 << 10;
/// A buffer beyond this is given back once it is empty.
const KEPT: usize = 1 << 20;
/// A compressed packet's header: length, number, and length before it was compressed (0 if it is not).
const COMPRESSED_HEADER: usize = 7;
/// Below this, compressing does not pay; MySQL's own clients use the same limit.
const WORTH_COMPRESSING: usize = 50;

const OUT_OF_ORDER: &str = "packets are out of order";

/// The two directions of a connection, as packets.
#[derive(Debug)]
pub(super) struct Packets {
    socket: Socket,
    /// Received, from `unread.start`; beyond `unread.end` there is only room.
    buffer: Vec<u8>,
    unread: Range<usize>,
    /// Whether the last read had filled the buffer, so that there may have been more to receive.
    was_full: bool,
    /// Where the packet in hand lies.
    packet: Range<usize>,
    /// A packet that came in parts; then `packet` is a range of it.
    joined: Option<Vec<u8>>,
    /// To be sent.
    out: Vec<u8>,
    /// The number of the next packet, in either direction.
    number: u8,
    compressed: Option<Compressed>,
}

/// What is on the wire where the connection is compressed.
#[derive(Debug, Default)]
struct Compressed {
    number: u8,
    received: Vec<u8>,
}

impl Packets {
    pub(super) fn new(socket: Socket) -> Self {
        Packets {
            socket,
            buffer: vec![0; BUFFER],
            unread: 0..0,
            was_full: false,
            packet: 0..0,
            joined: None,
            out: Vec::new(),
            number: 0,
            compressed: None,
        }
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    pub(super) fn socket_mut(&mut self) -> &mut Socket {
        &mut self.socket
    }

    /// Sends what is in line, and returns the socket, to be encrypted: what has been received in the clear must not be
    /// taken for what came encrypted.
    pub(super) fn socket_to_encrypt(&mut self) -> Result<&mut Socket, Failure> {
        if !self.unread.is_empty() {
            return Err(Failure::protocol("it speaks before the connection is encrypted"));
        }
        self.flush()?;
        Ok(&mut self.socket)
    }

    /// Compresses what follows, in both directions.
    pub(super) fn compress(&mut self) {
        self.compressed = Some(Compressed::default());
    }

    /// Begins a command: packets are numbered from 0 again.
    pub(super) fn begin(&mut self) -> Result<(), Failure> {
        // A server that finds two commands in one compressed packet loses count in its answer to the second.
        if self.compressed.is_some() && !self.out.is_empty() {
            self.flush()?;
        }
        self.number = 0;
        if let Some(compressed) = &mut self.compressed {
            compressed.number = 0;
        }
        Ok(())
    }

    /// Puts a packet in line to be sent.
    pub(super) fn put(&mut self, payload: &[u8]) {
        let mut parts = payload.chunks(LONGEST_PART);
        loop {
            let part = parts.next().unwrap_or_default();
            let [a, b, c, ..] = u32::try_from(part.len()).unwrap_or(0).to_le_bytes();
            self.out.extend([a, b, c, self.number]);
            self.out.extend(part);
            self.number = self.number.wrapping_add(1);
            if part.len() < LONGEST_PART {
                break;
            }
        }
    }

    /// Sends what is in line.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        match &mut self.compressed {
            None => self.socket.write_all(&self.out)?,
            Some(compressed) => {
                for part in self.out.chunks(LONGEST_PART) {
                    let packed = pack(part, compressed.number)?;
                    compressed.number = compressed.number.wrapping_add(1);
                    self.socket.write_all(&packed)?;
                }
            }
        }
        self.socket.flush()?;
        self.out.clear();
        self.out.shrink_to(KEPT);
        Ok(())
    }

    /// Reads the next packet, whose content is then [`Packets::packet`].
    #[inline]
    pub(super) fn next(&mut self) -> Result<(), Failure> {
        if self.joined.is_some() {
            self.joined = None;
        }
        let part = self.next_part()?;
        if part.len() < LONGEST_PART {
            self.packet = part;
            return Ok(());
        }
        self.join(part)
    }

    /// Whether a whole packet has been received, so that reading it does not wait.
    pub(super) fn has_one(&self) -> bool {
        let unread = &self.buffer[self.unread.clone()];
        let [a, b, c, _, rest @ ..] = unread else { return false };
        let length = length([*a, *b, *c]);
        length < LONGEST_PART && rest.len() >= length
    }

    /// The content of the packet in hand.
    #[inline]
    pub(super) fn packet(&self) -> &[u8] {
        match &self.joined {
            None => &self.buffer[self.packet.clone()],
            Some(joined) => joined,
        }
    }

    #[cold]
    fn join(&mut self, first: Range<usize>) -> Result<(), Failure> {
        let mut joined = self.buffer[first].to_vec();
        loop {
            let part = self.next_part()?;
            joined.extend_from_slice(&self.buffer[part.clone()]);
            if joined.len() > LONGEST_PACKET + LONGEST_PART {
                return Err(Failure::protocol("a packet is larger than any server sends"));
            }
            if part.len() < LONGEST_PART {
                break;
            }
        }
        self.joined = Some(joined);
        Ok(())
    }

    #[inline]
    fn next_part(&mut self) -> Result<Range<usize>, Failure> {
        self.fill(HEADER)?;
        let start = self.unread.start;
        let [a, b, c, number] = self.buffer[start..start + HEADER] else {
            unreachable!("four bytes have been received");
        };
        let length = length([a, b, c]);
        self.fill(HEADER + length)?;
        let start = self.unread.start + HEADER;
        self.unread.start = start + length;
        // An error may come at any time: a connection that is killed is told so out of turn. Where the connection is
        // compressed it is the outer packets' numbers that count; with each flush a server sets the inner ones to them.
        if number != self.number && self.compressed.is_none() && self.buffer.get(start) != Some(&0xFF) {
            return Err(Failure::protocol(OUT_OF_ORDER));
        }
        self.number = number.wrapping_add(1);
        Ok(start..start + length)
    }

    /// Receives until there are `wanted` bytes to be read.
    #[inline]
    fn fill(&mut self, wanted: usize) -> Result<(), Failure> {
        if self.unread.len() >= wanted { Ok(()) } else { self.receive(wanted) }
    }

    #[cold]
    fn receive(&mut self, wanted: usize) -> Result<(), Failure> {
        if self.unread.start + wanted > self.buffer.len() || self.unread.is_empty() {
            self.buffer.copy_within(self.unread.clone(), 0);
            self.unread = 0..self.unread.len();
            let needed = wanted.max(self.unread.len());
            if self.buffer.len() > KEPT && needed <= BUFFER_OF_STREAMS {
                self.buffer.truncate(BUFFER_OF_STREAMS);
                self.buffer.shrink_to_fit();
            } else if std::mem::take(&mut self.was_full) && self.buffer.len() < BUFFER_OF_STREAMS {
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
        }
        while self.unread.len() < wanted {
            if self.unread.end == self.buffer.len() {
                // Twice as large at most, so that a length alone, without the bytes, does not take memory.
                let larger = (self.buffer.len() * 2).min(self.unread.start + wanted).max(BUFFER);
                self.buffer.resize(larger, 0);
            }
            let received = match &mut self.compressed {
                None => self.socket.read(&mut self.buffer[self.unread.end..])?,
                Some(compressed) => {
                    compressed.receive(&mut self.socket)?;
                    let needed = self.unread.end + compressed.received.len();
                    if self.buffer.len() < needed {
                        self.buffer.resize(needed, 0);
                    }
                    self.buffer[self.unread.end..needed].copy_from_slice(&compressed.received);
                    compressed.received.len()
                }
            };
            if received == 0 {
                return Err(Failure::Lost("the server has closed it".into()));
            }
            self.unread.end += received;
        }
        self.was_full = self.unread.end == self.buffer.len();
        Ok(())
    }

    /// Receives once more, if something comes before the deadline; whether it did.
    pub(super) fn receive_by(&mut self, deadline: Deadline) -> Result<bool, Failure> {
        // A compressed packet is read as a whole, and could not be taken up again where time ran out.
        if self.compressed.is_some() {
            return Ok(false);
        }
        if self.unread.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() + BUFFER, 0);
        }
        self.socket.set_deadline(deadline);
        match self.socket.read(&mut self.buffer[self.unread.end..]) {
            Ok(0) => Err(Failure::Lost("the server has closed it".into())),
            Ok(received) => {
                self.unread.end += received;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::TimedOut => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends the connection at once.
    pub(super) fn close(&mut self) {
        self.socket.close();
    }
}

impl Compressed {
    /// Receives one compressed packet; an empty one is passed over.
    fn receive(&mut self, socket: &mut Socket) -> Result<(), Failure> {
        loop {
            let mut header = [0; COMPRESSED_HEADER];
            socket.read_exact(&mut header)?;
            let [a, b, c, number, d, e, f] = header;
            if number != self.number {
                return Err(Failure::protocol(OUT_OF_ORDER));
            }
            self.number = number.wrapping_add(1);
            let (packed, unpacked) = (length([a, b, c]), length([d, e, f]));
            self.received.clear();
            // `take` rather than a buffer of that size: a length alone must not take memory.
            if unpacked == 0 {
                let read = socket.take(packed as u64).read_to_end(&mut self.received)?;
                if read < packed {
                    return Err(Failure::Lost("the server has closed it".into()));
                }
            } else {
                let mut body = Vec::new();
                let read = socket.take(packed as u64).read_to_end(&mut body)?;
                if read < packed {
                    return Err(Failure::Lost("the server has closed it".into()));
                }
                let read = ZlibDecoder::new(&body[..]).take(unpacked as u64 + 1).read_to_end(&mut self.received)?;
                if read != unpacked {
                    return Err(Failure::protocol("a compressed packet is not as long as it says"));
                }
            }
            if !self.received.is_empty() {
                return Ok(());
            }
        }
    }
}

fn pack(part: &[u8], number: u8) -> Result<Vec<u8>, Failure> {
    let mut packed = vec![0; COMPRESSED_HEADER];
    let mut unpacked = 0;
    if part.len() < WORTH_COMPRESSING {
        packed.extend(part);
    } else {
        let mut encoder = ZlibEncoder::new(&mut packed, Compression::fast());
        encoder.write_all(part)?;
        encoder.finish()?;
        unpacked = part.len();
        if packed.len() - COMPRESSED_HEADER > LONGEST_PART {
            // What does not get smaller may get larger than a packet can be.
            packed.truncate(COMPRESSED_HEADER);
            packed.extend(part);
            unpacked = 0;
        }
    }
    let length = u32::try_from(packed.len() - COMPRESSED_HEADER).unwrap_or(0).to_le_bytes();
    let unpacked = u32::try_from(unpacked).unwrap_or(0).to_le_bytes();
    packed[..COMPRESSED_HEADER].copy_from_slice(&[
        length[0],
        length[1],
        length[2],
        number,
        unpacked[0],
        unpacked[1],
        unpacked[2],
    ]);
    Ok(packed)
}

fn length([a, b, c]: [u8; 3]) -> usize {
    usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16
}

#[cfg(test)]
mod tests;
