//! Messages: what goes over the wire is cut into them.
//!
//! Read by "Message Formats" in PostgreSQL's documentation: a byte for the kind, a length that counts itself, and the
//! body. A message is read where it lies in the receive buffer; nothing is copied or allocated for it. What is sent is
//! written by the crate `postgres-protocol`.

use std::{
    io::{self, Write},
    ops::Range,
    time::{Duration, Instant},
};

use bytes::BytesMut;

use super::error::{Failure, ServerWord};
use crate::net::{
    received::{KEPT, Received},
    socket::{Deadline, LAST_MESSAGE, MOST_BEFORE_LAST_MESSAGE, Socket},
};

/// A kind and a length.
const HEADER: usize = 5;
/// How long a write waits before what the server says is received.
const PAUSE: Duration = Duration::from_millis(20);
/// No message of the others is longer; libpq takes one that is for a connection that has lost its place.
const LONGEST_OF_MOST: usize = 30_000;

/// Whether messages of this kind can be long: rows, their description, COPY's data, and what is said in words.
fn may_be_long(kind: u8) -> bool {
    matches!(kind, b'D' | b'T' | b't' | b'd' | b'E' | b'N' | b'A')
}

/// The two directions of a connection, as messages.
#[derive(Debug)]
pub(super) struct Messages {
    socket: Socket,
    received: Received,
    /// Where the body of the message in hand lies.
    body: Range<usize>,
    /// To be sent.
    out: BytesMut,
    /// How long messages may be of the kinds that can be long.
    longest: usize,
    /// Whether the system has taken anything of what was to be sent last.
    was_sent: bool,
}

impl Messages {
    pub(super) fn new(socket: Socket) -> Self {
        Messages {
            socket,
            received: Received::new(),
            body: 0..0,
            out: BytesMut::new(),
            longest: LONGEST_OF_MOST,
            was_sent: false,
        }
    }

    /// Takes messages of any length from here on. Whoever has not proven yet to be the server shall not fill the memory.
    pub(super) fn trust(&mut self) {
        self.longest = i32::MAX as usize; // a length is of 32 bits with a sign
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

    /// What is in line to be sent, to write the next message behind.
    pub(super) fn out(&mut self) -> &mut BytesMut {
        &mut self.out
    }

    /// Sends what is in line. Where that fails, the server's last message is the failure, if there is one: a server that ends a
    /// connection says why before it closes it.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.flush_by(|messages| messages.socket.write_all(&messages.out).and_then(|()| messages.socket.flush()))
    }

    /// The same while the server may be answering earlier requests: what it sends is received at the same time, because it stops
    /// reading when nobody reads what it has written.
    pub(super) fn flush_and_receive(&mut self) -> Result<(), Failure> {
        self.flush_by(Self::write_and_receive)
    }

    fn flush_by(&mut self, write: impl FnOnce(&mut Self) -> io::Result<()>) -> Result<(), Failure> {
        let before = self.socket.written();
        let sent = write(self);
        self.was_sent = self.socket.written() != before;
        if let Err(error) = sent {
            return Err(self.last_message().unwrap_or_else(|| error.into()));
        }
        if self.out.len() > KEPT {
            self.out = BytesMut::new();
        }
        self.out.clear();
        Ok(())
    }

    fn write_and_receive(&mut self) -> io::Result<()> {
        let limit = self.socket.write_timeout()?;
        let pause = limit.map_or(PAUSE, |limit| limit.min(PAUSE));
        self.socket.set_write_timeout(Some(pause))?;
        let sent = self.write_with_pauses(limit);
        // A connection that is lost has none.
        let restored = self.socket.set_write_timeout(limit);
        sent.and(restored)
    }

    fn write_with_pauses(&mut self, limit: Option<Duration>) -> io::Result<()> {
        let mut at = 0;
        let mut moved = Instant::now();
        loop {
            let written = if at < self.out.len() {
                self.socket.write(&self.out[at..])
            } else {
                match self.socket.flush() {
                    Ok(()) => return Ok(()),
                    Err(error) => Err(error),
                }
            };
            match written {
                Ok(bytes) => {
                    at += bytes;
                    moved = Instant::now();
                }
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    if self.receive_all_now()? {
                        moved = Instant::now();
                    } else if limit.is_some_and(|limit| moved.elapsed() >= limit) {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Receives all that has come, without waiting for more; whether anything has.
    pub(super) fn receive_all_now(&mut self) -> io::Result<bool> {
        let mut any = false;
        if self.socket.set_waiting(false)? {
            let received = loop {
                match self.received.receive_in_time(&mut self.socket) {
                    Ok(true) => any = true,
                    Ok(false) => break Ok(()),
                    Err(error) => break Err(error),
                }
            };
            self.socket.set_waiting(true)?;
            received?;
        }
        Ok(any)
    }

    /// Whether the system has taken anything of what was to be sent last, be it in part.
    pub(super) fn was_sent(&self) -> bool {
        self.was_sent
    }

    /// The error by which the server has ended the connection, among what was received and not read.
    #[cold]
    fn last_message(&mut self) -> Option<Failure> {
        self.socket.set_deadline(Deadline::after(Some(LAST_MESSAGE)));
        let mut size = 0;
        while let Ok(kind) = self.next() {
            size += self.body().len();
            if kind == b'E'
                && let Ok(word) = ServerWord::parse(self.body())
                && (word.is_fatal() || self.longest == LONGEST_OF_MOST)
            {
                return Some(Failure::Server(Box::new(word)));
            }
            if size > MOST_BEFORE_LAST_MESSAGE {
                break;
            }
        }
        None
    }

    /// Receives what has come, without waiting for more; whether anything has.
    pub(super) fn receive_now(&mut self) -> Result<bool, Failure> {
        if !self.socket.set_waiting(false)? {
            return Ok(false);
        }
        let received = self.received.receive_in_time(&mut self.socket);
        self.socket.set_waiting(true)?;
        Ok(received?)
    }

    /// Reads the next message, and returns its kind; its content is then [`Messages::body`].
    #[inline]
    pub(super) fn next(&mut self) -> Result<u8, Failure> {
        self.received.fill(HEADER, &mut self.socket)?;
        let [kind, a, b, c, d, ..] = *self.received.unread() else {
            unreachable!("five bytes have been received");
        };
        let length = body_length(kind, [a, b, c, d], self.longest)?;
        self.received.fill(HEADER + length, &mut self.socket)?;
        self.received.take(HEADER);
        self.body = self.received.take(length);
        Ok(kind)
    }

    /// The size of the next message, whose content need not have been received yet.
    pub(super) fn next_size(&mut self) -> Result<usize, Failure> {
        self.received.fill(HEADER, &mut self.socket)?;
        let [kind, a, b, c, d, ..] = *self.received.unread() else {
            unreachable!("five bytes have been received");
        };
        Ok(HEADER + body_length(kind, [a, b, c, d], self.longest)?)
    }

    /// Whether all of the next message has been received, so that reading it does not wait.
    pub(super) fn has_one(&self) -> bool {
        let [kind, a, b, c, d, rest @ ..] = self.received.unread() else { return false };
        // One of an impossible length is an error at once.
        body_length(*kind, [*a, *b, *c, *d], self.longest).map_or(true, |length| rest.len() >= length)
    }

    /// Reads a single byte, which is no message: the answer to a wish for TLS.
    pub(super) fn next_byte(&mut self) -> Result<u8, Failure> {
        self.received.fill(1, &mut self.socket)?;
        let taken = self.received.take(1);
        Ok(self.received.taken(taken)[0])
    }

    /// The content of the message in hand.
    #[inline]
    pub(super) fn body(&self) -> &[u8] {
        self.received.taken(self.body.clone())
    }

    /// Receives once more, if something comes before the deadline; whether it did.
    pub(super) fn receive_by(&mut self, deadline: Deadline) -> Result<bool, Failure> {
        self.socket.set_deadline(deadline);
        Ok(self.received.receive_in_time(&mut self.socket)?)
    }

    /// How many bytes have been received and not been read, and how large the buffer is that they are in.
    #[cfg(test)]
    pub(super) fn held(&self) -> (usize, usize) {
        (self.received.unread().len(), self.received.size())
    }

    /// Ends the connection at once.
    pub(super) fn close(&mut self) {
        self.socket.close();
    }
}

#[inline]
fn body_length(kind: u8, length: [u8; 4], longest: usize) -> Result<usize, Failure> {
    let length = i32::from_be_bytes(length);
    // It counts itself.
    match usize::try_from(length).ok().and_then(|length| length.checked_sub(4)) {
        Some(length) if length <= LONGEST_OF_MOST || (may_be_long(kind) && length <= longest) => Ok(length),
        _ => Err(Failure::protocol("a message is longer or shorter than any can be")),
    }
}
