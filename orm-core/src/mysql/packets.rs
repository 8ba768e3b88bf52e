//! Packets: what goes over the wire is cut into them, and numbered.
//!
//! Read by "MySQL Packets" and "Compressed Packet" in MySQL's internals manual. A packet is read where it lies in the
//! receive buffer; nothing is copied or allocated for it, unless it is larger than 16 MiB and comes in parts.

use std::{
    io::{self, ErrorKind, Read, Write},
    ops::Range,
};

use flate2::{Compression, bufread::ZlibDecoder, write::ZlibEncoder};

use super::error::Failure;
use crate::net::{
    received::{KEPT, Received},
    socket::{Deadline, LAST_MESSAGE, MOST_BEFORE_LAST_MESSAGE, Socket},
};

/// The bytes of a header: three of the length, one of the number.
const HEADER: usize = 4;
/// The longest part of a packet; a packet of this length has another part, be it an empty one.
const LONGEST_PART: usize = 0x00FF_FFFF;
/// No server sends more: the upper limit of `max_allowed_packet`.
const LONGEST_PACKET: usize = 1 << 30;
/// A compressed packet's header: length, number, and length before it was compressed (0 if it is not).
const COMPRESSED_HEADER: usize = 7;
/// Below this, compressing does not pay; MySQL's own clients use the same limit.
const WORTH_COMPRESSING: usize = 50;

/// How many compressed packets in a row may be empty.
const MOST_EMPTY: usize = 8;

const OUT_OF_ORDER: &str = "packets are out of order";

/// The two directions of a connection, as packets.
#[derive(Debug)]
pub(super) struct Packets {
    socket: Socket,
    received: Received,
    /// Where the packet in hand lies.
    packet: Range<usize>,
    /// A packet that came in parts; then `packet` is a range of it.
    joined: Option<Vec<u8>>,
    /// To be sent.
    out: Vec<u8>,
    /// The number of the next packet, in either direction.
    number: u8,
    compressed: Option<Compressed>,
    /// Whether the system has taken anything of what was to be sent last.
    was_sent: bool,
}

/// What is on the wire where the connection is compressed.
#[derive(Debug, Default)]
struct Compressed {
    number: u8,
    /// What the last compressed packet held, and how much of it was read.
    content: Vec<u8>,
    read: usize,
}

impl Packets {
    pub(super) fn new(socket: Socket) -> Self {
        Packets {
            socket,
            received: Received::new(),
            packet: 0..0,
            joined: None,
            out: Vec::new(),
            number: 0,
            compressed: None,
            was_sent: false,
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
        if !self.received.unread().is_empty() {
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

    /// Whether what is sent is compressed.
    pub(super) fn is_compressed(&self) -> bool {
        self.compressed.is_some()
    }

    /// The number of the next packet.
    pub(super) fn number(&self) -> u8 {
        self.number
    }

    /// Says the number of the next packet to be received: it goes on from those of the command that it answers, where other
    /// commands were sent behind that.
    pub(super) fn expect(&mut self, number: u8) {
        self.number = number;
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
        let before = self.socket.written();
        let sent = self.send_all();
        self.was_sent = self.socket.written() != before;
        sent
    }

    /// Whether the system has taken anything of what was to be sent last, be it in part.
    pub(super) fn was_sent(&self) -> bool {
        self.was_sent
    }

    /// Reads on to the error by which the server has ended the connection, among what was received and not read; it is then the
    /// packet in hand. Whether there is one.
    #[cold]
    pub(super) fn find_last_error(&mut self) -> bool {
        self.socket.set_deadline(Deadline::after(Some(LAST_MESSAGE)));
        let mut size = 0;
        while self.next().is_ok() && size < MOST_BEFORE_LAST_MESSAGE {
            size += self.packet().len();
            if self.packet().first() == Some(&0xFF) {
                return true;
            }
        }
        false
    }

    /// Receives what has come, without waiting for more; whether anything has.
    pub(super) fn receive_now(&mut self) -> Result<bool, Failure> {
        // A compressed packet is read as a whole, and could not be taken up again.
        if self.compressed.is_some() || !self.socket.set_waiting(false)? {
            return Ok(false);
        }
        let received = self.received.receive_in_time(&mut self.socket);
        self.socket.set_waiting(true)?;
        Ok(received?)
    }

    fn send_all(&mut self) -> Result<(), Failure> {
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
        let [a, b, c, _, rest @ ..] = self.received.unread() else { return false };
        let length = length([*a, *b, *c]);
        length < LONGEST_PART && rest.len() >= length
    }

    /// The content of the packet in hand.
    #[inline]
    pub(super) fn packet(&self) -> &[u8] {
        match &self.joined {
            None => self.received.taken(self.packet.clone()),
            Some(joined) => joined,
        }
    }

    #[cold]
    fn join(&mut self, first: Range<usize>) -> Result<(), Failure> {
        let mut joined = self.received.taken(first).to_vec();
        loop {
            let part = self.next_part()?;
            joined.extend_from_slice(self.received.taken(part.clone()));
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
        let [a, b, c, number, ..] = *self.received.unread() else {
            unreachable!("four bytes have been received");
        };
        let length = length([a, b, c]);
        self.fill(HEADER + length)?;
        self.received.take(HEADER);
        let part = self.received.take(length);
        // An error may come at any time: a connection that is killed is told so out of turn. Where the connection is
        // compressed it is the outer packets' numbers that count; with each flush a server sets the inner ones to them.
        if number != self.number
            && self.compressed.is_none()
            && self.received.taken(part.clone()).first() != Some(&0xFF)
        {
            return Err(Failure::protocol(OUT_OF_ORDER));
        }
        self.number = number.wrapping_add(1);
        Ok(part)
    }

    /// Receives until there are `wanted` bytes to be read.
    #[inline]
    fn fill(&mut self, wanted: usize) -> Result<(), Failure> {
        match &mut self.compressed {
            None => self.received.fill(wanted, &mut self.socket)?,
            Some(compressed) => {
                self.received.fill(wanted, &mut Unpacking { compressed, socket: &mut self.socket })?;
            }
        }
        Ok(())
    }

    /// Receives once more, if something comes before the deadline; whether it did.
    pub(super) fn receive_by(&mut self, deadline: Deadline) -> Result<bool, Failure> {
        // A compressed packet is read as a whole, and could not be taken up again where time ran out.
        if self.compressed.is_some() {
            return Ok(false);
        }
        self.socket.set_deadline(deadline);
        Ok(self.received.receive_in_time(&mut self.socket)?)
    }

    /// Ends the connection at once.
    pub(super) fn close(&mut self) {
        self.socket.close();
    }
}

/// What is received, once it is unpacked.
struct Unpacking<'a> {
    compressed: &'a mut Compressed,
    socket: &'a mut Socket,
}

impl Read for Unpacking<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // An empty packet is passed over.
        let mut empty = 0;
        while self.compressed.read == self.compressed.content.len() {
            if empty > MOST_EMPTY {
                return Err(broken("it sends empty compressed packets again and again"));
            }
            self.compressed.receive(self.socket)?;
            empty += 1;
        }
        let Compressed { content, read, .. } = &mut *self.compressed;
        let count = (&content[*read..]).read(buffer)?;
        *read += count;
        Ok(count)
    }
}

impl Compressed {
    /// Receives one compressed packet.
    fn receive(&mut self, socket: &mut Socket) -> io::Result<()> {
        let closed = || io::Error::new(ErrorKind::UnexpectedEof, "the server has closed it");
        let mut header = [0; COMPRESSED_HEADER];
        socket.read_exact(&mut header)?;
        let [a, b, c, number, d, e, f] = header;
        let is_in_order = number == self.number;
        self.number = number.wrapping_add(1);
        let (packed, unpacked) = (length([a, b, c]), length([d, e, f]));
        self.content.clear();
        self.read = 0;
        // `take` rather than a buffer of that size: a length alone must not take memory.
        if unpacked == 0 {
            if socket.take(packed as u64).read_to_end(&mut self.content)? < packed {
                return Err(closed());
            }
            return self.check_order(is_in_order);
        }
        let mut body = Vec::new();
        if socket.take(packed as u64).read_to_end(&mut body)? < packed {
            return Err(closed());
        }
        let read = ZlibDecoder::new(&body[..]).take(unpacked as u64 + 1).read_to_end(&mut self.content)?;
        if read != unpacked {
            return Err(broken("a compressed packet is not as long as it says"));
        }
        self.check_order(is_in_order)
    }

    /// As in [`Packets::next_part`], an error may come at any time.
    fn check_order(&self, is_in_order: bool) -> io::Result<()> {
        if is_in_order || self.content.get(HEADER) == Some(&0xFF) { Ok(()) } else { Err(broken(OUT_OF_ORDER)) }
    }
}

/// [`Failure::protocol`], for where the bytes are still to become packets.
fn broken(what: &'static str) -> io::Error {
    io::Error::other(Failure::protocol_sentence(what))
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
