//! Reading the pieces of a message, with every length checked.

use super::error::Failure;

/// What is left of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Reader(body)
    }

    pub(super) fn left(&self) -> usize {
        self.0.len()
    }

    /// So many bytes.
    #[inline]
    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Failure> {
        let Some((bytes, rest)) = self.0.split_at_checked(count) else { return Err(cut_off()) };
        self.0 = rest;
        Ok(bytes)
    }

    /// So many bytes, as an array.
    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Failure> {
        let Some((bytes, rest)) = self.0.split_first_chunk() else { return Err(cut_off()) };
        self.0 = rest;
        Ok(*bytes)
    }

    /// A text, which a zero byte ends.
    pub(super) fn text(&mut self) -> Result<&'a [u8], Failure> {
        let end = self.0.iter().position(|byte| *byte == 0).ok_or_else(cut_off)?;
        let text = self.bytes(end)?;
        self.bytes(1)?;
        Ok(text)
    }
}

#[cold]
fn cut_off() -> Failure {
    Failure::protocol("a message ends before its content")
}
