//! What has been received and not yet read: messages are read where they lie.

use std::{
    io::{self, ErrorKind, Read},
    ops::Range,
};

/// The buffer to begin with.
const SMALL: usize = 16 << 10;
/// The buffer once there is much to receive; fewer and larger reads cost less. It is more where a message is.
pub(crate) const LARGE: usize = 256 << 10;
/// A buffer beyond this is given back once it is empty.
pub(crate) const KEPT: usize = 1 << 20;

/// What has been received and not yet read.
#[derive(Debug)]
pub(crate) struct Received {
    /// Received, from `unread.start`; beyond `unread.end` there is only room.
    buffer: Vec<u8>,
    unread: Range<usize>,
    /// Whether the last read had filled the buffer, so that there may have been more to receive.
    was_full: bool,
}

impl Received {
    pub(crate) fn new() -> Self {
        Received { buffer: vec![0; SMALL], unread: 0..0, was_full: false }
    }

    /// What has not been read.
    #[inline]
    pub(crate) fn unread(&self) -> &[u8] {
        &self.buffer[self.unread.clone()]
    }

    /// Reads so many bytes, and returns where they lie until more is received. There must be as many.
    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> Range<usize> {
        debug_assert!(count <= self.unread.len());
        let start = self.unread.start;
        self.unread.start = start + count;
        start..start + count
    }

    /// What was taken.
    #[inline]
    pub(crate) fn taken(&self, range: Range<usize>) -> &[u8] {
        &self.buffer[range]
    }

    /// Receives until there are `wanted` bytes to be read.
    #[inline]
    pub(crate) fn fill(&mut self, wanted: usize, from: &mut impl Read) -> io::Result<()> {
        if self.unread.len() >= wanted { Ok(()) } else { self.receive(wanted, from) }
    }

    #[cold]
    fn receive(&mut self, wanted: usize, from: &mut impl Read) -> io::Result<()> {
        if self.unread.start + wanted > self.buffer.len() || self.unread.is_empty() {
            self.buffer.copy_within(self.unread.clone(), 0);
            self.unread = 0..self.unread.len();
            let needed = wanted.max(self.unread.len());
            if self.buffer.len() > KEPT && needed <= LARGE {
                self.buffer.truncate(LARGE);
                self.buffer.shrink_to_fit();
            } else if std::mem::take(&mut self.was_full) && self.buffer.len() < LARGE {
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
        }
        while self.unread.len() < wanted {
            if self.unread.end == self.buffer.len() {
                // Twice as large at most, so that a length alone, without the bytes, does not take memory.
                let larger = (self.buffer.len() * 2).min(self.unread.start + wanted).max(SMALL);
                self.buffer.resize(larger, 0);
            }
            self.receive_some(from)?;
        }
        self.was_full = self.unread.end == self.buffer.len();
        Ok(())
    }

    /// Receives once.
    fn receive_some(&mut self, from: &mut impl Read) -> io::Result<()> {
        match from.read(&mut self.buffer[self.unread.end..])? {
            0 => Err(io::Error::new(ErrorKind::UnexpectedEof, "the server has closed it")),
            received => {
                self.unread.end += received;
                Ok(())
            }
        }
    }

    /// Receives once more, if something comes before time runs out; whether it did.
    pub(crate) fn receive_in_time(&mut self, from: &mut impl Read) -> io::Result<bool> {
        if self.unread.is_empty() {
            self.unread = 0..0;
        } else if self.unread.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() + SMALL, 0);
        }
        match self.receive_some(from) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::TimedOut => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The size of the buffer, in bytes.
    #[cfg(test)]
    pub(crate) fn size(&self) -> usize {
        self.buffer.capacity()
    }
}
