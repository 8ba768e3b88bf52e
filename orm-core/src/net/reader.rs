//! Reading the pieces of a message, with every length checked.

use std::io;

/// What is left of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Reader(message)
    }

    /// What is left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// So many bytes.
    #[inline]
    pub(crate) fn bytes(&mut self, count: usize) -> io::Result<&'a [u8]> {
        let Some((bytes, rest)) = self.0.split_at_checked(count) else { return Err(cut_off()) };
        self.0 = rest;
        Ok(bytes)
    }

    /// So many bytes, as an array.
    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let Some((bytes, rest)) = self.0.split_first_chunk() else { return Err(cut_off()) };
        self.0 = rest;
        Ok(*bytes)
    }

    /// A text, which a zero byte ends.
    #[cfg(feature = "postgres")]
    pub(crate) fn text(&mut self) -> io::Result<&'a [u8]> {
        let end = self.0.iter().position(|byte| *byte == 0).ok_or_else(cut_off)?;
        let text = self.bytes(end)?;
        self.bytes(1)?;
        Ok(text)
    }
}

/// The error of a message that ends before its content.
#[cold]
pub(crate) fn cut_off() -> io::Error {
    io::Error::other("the server does not keep to the protocol: a message ends before its content")
}
