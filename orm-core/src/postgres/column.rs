//! What a result says of its columns.

use std::{num::NonZeroU32, sync::Arc};

use super::error::Failure;
use crate::net::reader::Reader;

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    /// The type's number in `pg_type`.
    pub(super) oid: NonZeroU32,
    /// What was declared behind the type, such as the length of `VARCHAR(9)`; -1 if nothing was.
    pub(super) modifier: i32,
}

impl Column {
    /// Reads the body of a RowDescription.
    pub(super) fn parse_all(body: &[u8]) -> Result<Arc<[Column]>, Failure> {
        let mut body = Reader::new(body);
        let count = u16::from_be_bytes(body.array()?);
        // Collected as they are read: a count alone takes no memory.
        let columns: Vec<Column> = (0..count).map(|_| Column::parse(&mut body)).collect::<Result<_, _>>()?;
        if !body.rest().is_empty() {
            return Err(Failure::protocol("a description of rows goes on after its last column"));
        }
        Ok(columns.into())
    }

    fn parse(body: &mut Reader<'_>) -> Result<Self, Failure> {
        let name = String::from_utf8_lossy(body.text()?).into_owned();
        body.bytes(4 + 2)?; // the table, and the column's position in it
        let oid = NonZeroU32::new(u32::from_be_bytes(body.array()?))
            .ok_or_else(|| Failure::protocol("a column is of no type"))?;
        body.bytes(2)?; // the type's size
        let modifier = i32::from_be_bytes(body.array()?);
        body.bytes(2)?; // the format, which is known when rows are asked for
        Ok(Column { name, oid, modifier })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_read_whole_or_not_at_all() {
        let one = b"id\0\0\0\0\0\0\x01\0\0\0\x17\0\x04\xFF\xFF\xFF\xFF\0\0";
        let body = [&[0, 1], &one[..]].concat();
        let columns = Column::parse_all(&body).expect("this is what a server sends");
        let oid = NonZeroU32::new(23).expect("23 is not 0");
        assert_eq!(&columns[..], [Column { name: "id".into(), oid, modifier: -1 }]);
        for length in 0..body.len() {
            assert!(Column::parse_all(&body[..length]).is_err(), "{length} bytes");
        }
        assert!(Column::parse_all(&[&body[..], &[0]].concat()).is_err());
        assert!(Column::parse_all(&[0xFF, 0xFF]).is_err());
    }
}
