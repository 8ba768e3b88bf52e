//! Reading what MySQL writes behind its length.

use std::io;

pub(super) use crate::net::reader::Reader;
use crate::net::reader::cut_off;

/// The pieces of a packet that begin with their length.
pub(super) trait ReadSized<'a> {
    /// An integer of one to nine bytes ("Length-Encoded Integer").
    fn integer(&mut self) -> io::Result<u64>;

    /// A length, and so many bytes ("Length-Encoded String").
    fn sized(&mut self) -> io::Result<&'a [u8]>;

    /// The same, where the text protocol's NULL may stand.
    fn sized_or_null(&mut self) -> io::Result<Option<&'a [u8]>>;
}

impl<'a> ReadSized<'a> for Reader<'a> {
    #[inline]
    fn integer(&mut self) -> io::Result<u64> {
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

    #[inline]
    fn sized(&mut self) -> io::Result<&'a [u8]> {
        let length = self.integer()?;
        self.bytes(usize::try_from(length).map_err(|_| cut_off())?)
    }

    fn sized_or_null(&mut self) -> io::Result<Option<&'a [u8]>> {
        if self.rest().first() == Some(&0xFB) {
            self.bytes(1)?;
            return Ok(None);
        }
        self.sized().map(Some)
    }
}
