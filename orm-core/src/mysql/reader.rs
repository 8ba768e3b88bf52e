//! Reading the pieces of a packet, with every length checked.

use super::error::Failure;

/// What is left of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(packet: &'a [u8]) -> Self {
        Reader(packet)
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

    /// An integer of one to nine bytes ("Length-Encoded Integer").
    #[inline]
    pub(super) fn integer(&mut self) -> Result<u64, Failure> {
        let [first] = self.array()?;
        Ok(match first {
            0xFC => u16::from_le_bytes(self.array()?).into(),
            0xFD => {
                let [a, b, c] = self.array()?;
                u32::from_le_bytes([a, b, c, 0]).into()
            }
            0xFE => u64::from_le_bytes(self.array()?),
            0xFB | 0xFF => return Err(cut_off()),
            small => small.into(),
        })
    }

    /// A length, and so many bytes ("Length-Encoded String").
    #[inline]
    pub(super) fn sized(&mut self) -> Result<&'a [u8], Failure> {
        let length = self.integer()?;
        self.bytes(usize::try_from(length).map_err(|_| cut_off())?)
    }

    /// The same, where the text protocol's NULL may stand.
    pub(super) fn sized_or_null(&mut self) -> Result<Option<&'a [u8]>, Failure> {
        if let [0xFB, rest @ ..] = self.0 {
            self.0 = rest;
            return Ok(None);
        }
        self.sized().map(Some)
    }
}

#[cold]
fn cut_off() -> Failure {
    Failure::protocol("a packet ends before its content")
}
