//! Rows as Diesel reads them, from a packet as it was received.

use std::sync::Arc;

use diesel::{
    mysql::{
        Mysql, MysqlValue,
        data_types::{MysqlTime, MysqlTimestampType},
    },
    row::Field as DieselField,
};

use super::{
    column::{Column, Form},
    error::Failure,
    reader::{ReadSized, Reader},
};
use crate::diesel_row::diesel_row;

/// The bits that stand before the first column's in a row's map of NULLs.
const NULL_BITS_BEFORE: usize = 2;

/// Where the values of a row lie in its packet.
#[derive(Clone, Debug, Default)]
pub(super) struct Spans(Vec<Span>);

/// `None` is NULL.
type Span = Option<(u32, u32)>;

impl Spans {
    /// Finds the values of a row of the binary protocol ("Binary Protocol Resultset Row").
    #[inline]
    pub(super) fn find(&mut self, columns: &[Column], packet: &[u8]) -> Result<(), Failure> {
        self.0.clear();
        let mut rest = Reader::new(packet);
        rest.bytes(1)?;
        let nulls = rest.bytes((columns.len() + NULL_BITS_BEFORE).div_ceil(8))?;
        for (index, column) in columns.iter().enumerate() {
            let bit = index + NULL_BITS_BEFORE;
            if nulls[bit / 8] & 1 << (bit % 8) != 0 || column.form == Form::Nothing {
                self.0.push(None);
                continue;
            }
            let value = match column.form {
                Form::Fixed(size) => rest.bytes(usize::from(size))?,
                Form::Sized | Form::Date | Form::Time | Form::Nothing => rest.sized()?,
            };
            let start = packet.len() - rest.rest().len() - value.len();
            // No packet is as long as `u32` counts.
            #[allow(clippy::cast_possible_truncation)]
            self.0.push(Some((start as u32, value.len() as u32)));
        }
        if !rest.rest().is_empty() {
            return Err(Failure::protocol("a row goes on after its last column"));
        }
        Ok(())
    }
}

/// A row that lies where it was received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowRef<'a> {
    pub(super) columns: &'a [Column],
    pub(super) packet: &'a [u8],
    pub(super) spans: &'a Spans,
}

/// A row of its own, which can be kept while others are read.
#[derive(Clone, Debug)]
pub struct MysqlRow {
    pub(super) columns: Arc<[Column]>,
    pub(super) packet: Box<[u8]>,
    pub(super) spans: Spans,
}

impl MysqlRow {
    fn as_ref(&self) -> RowRef<'_> {
        RowRef { columns: &self.columns, packet: &self.packet, spans: &self.spans }
    }
}

impl<'a> RowRef<'a> {
    #[inline(always)] // its result is large, and only a little of it is looked at
    fn field(&self, index: usize) -> Option<MysqlField<'a>> {
        let column = self.columns.get(index)?;
        let raw = match self.spans.0.get(index)? {
            None => Raw::Null,
            Some((start, length)) => {
                let (start, length) = (*start as usize, *length as usize);
                let bytes = self.packet.get(start..start + length)?;
                match column.form {
                    Form::Date => Raw::Time(date(bytes).serialize()),
                    Form::Time => Raw::Time(time(bytes).serialize()),
                    Form::Fixed(_) if cfg!(target_endian = "big") => {
                        let mut number = [0; 8];
                        number[..length].copy_from_slice(bytes);
                        number[..length].reverse();
                        Raw::Number(number, length)
                    }
                    _ => Raw::Bytes(bytes),
                }
            }
        };
        Some(MysqlField { column, raw })
    }
}

/// A date, with or without a time: of no bytes (the zero date), 4, 7 or 11.
fn date(bytes: &[u8]) -> MysqlTime {
    let at = |index: usize| bytes.get(index).copied().unwrap_or(0);
    let kind = if bytes.len() > 4 {
        MysqlTimestampType::MYSQL_TIMESTAMP_DATETIME
    } else {
        MysqlTimestampType::MYSQL_TIMESTAMP_DATE
    };
    MysqlTime::new(
        u16::from_le_bytes([at(0), at(1)]).into(),
        at(2).into(),
        at(3).into(),
        at(4).into(),
        at(5).into(),
        at(6).into(),
        u32::from_le_bytes([at(7), at(8), at(9), at(10)]).into(),
        false,
        kind,
        0,
    )
}

/// A time: of no bytes (zero), 8 or 12. Its days are hours here, as in the C library's.
fn time(bytes: &[u8]) -> MysqlTime {
    let at = |index: usize| bytes.get(index).copied().unwrap_or(0);
    let days = u32::from_le_bytes([at(1), at(2), at(3), at(4)]);
    MysqlTime::new(
        0,
        0,
        0,
        days.saturating_mul(24).saturating_add(at(5).into()),
        at(6).into(),
        at(7).into(),
        u32::from_le_bytes([at(8), at(9), at(10), at(11)]).into(),
        at(0) != 0,
        MysqlTimestampType::MYSQL_TIMESTAMP_TIME,
        0,
    )
}

/// A value of a row.
#[derive(Debug)]
pub struct MysqlField<'a> {
    column: &'a Column,
    raw: Raw<'a>,
}

/// A value as Diesel takes it.
#[derive(Debug)]
enum Raw<'a> {
    Null,
    Bytes(&'a [u8]),
    /// The lowest byte last, on machines which have it so.
    Number([u8; 8], usize),
    Time([u8; size_of::<MysqlTime>()]),
}

impl<'a> DieselField<'a, Mysql> for MysqlField<'a> {
    fn field_name(&self) -> Option<&str> {
        Some(&self.column.name)
    }

    #[inline(always)]
    fn value(&self) -> Option<MysqlValue<'_>> {
        let bytes = match &self.raw {
            Raw::Null => return None,
            Raw::Bytes(bytes) => bytes,
            Raw::Number(bytes, length) => &bytes[..*length],
            Raw::Time(bytes) => &bytes[..],
        };
        Some(MysqlValue::new(bytes, self.column.kind))
    }

    #[inline]
    fn is_null(&self) -> bool {
        matches!(self.raw, Raw::Null)
    }
}

diesel_row!(Mysql, MysqlField: RowRef<'_>, row => row);
diesel_row!(Mysql, MysqlField: MysqlRow, row => row.as_ref());

/// A value of the text protocol's row, by its position: all of them are text.
pub(super) fn text_value(packet: &[u8], position: usize) -> Result<Option<String>, Failure> {
    let mut rest = Reader::new(packet);
    for index in 0.. {
        let value = rest.sized_or_null()?;
        if index == position {
            return Ok(value.map(|value| String::from_utf8_lossy(value).into_owned()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use diesel::mysql::MysqlType;

    use super::*;

    fn column(kind: MysqlType, form: Form) -> Column {
        Column { name: "x".into(), kind, form }
    }

    fn spans(columns: &[Column], packet: &[u8]) -> Result<Vec<Span>, Failure> {
        let mut spans = Spans::default();
        spans.find(columns, packet)?;
        Ok(spans.0)
    }

    #[test]
    fn values_are_found_where_they_lie() {
        let columns = [
            column(MysqlType::Long, Form::Fixed(4)),
            column(MysqlType::String, Form::Sized),
            column(MysqlType::Tiny, Form::Fixed(1)),
        ];
        let packet = [0, 0b1_0000, 1, 0, 0, 0, 2, b'a', b'b'];
        assert_eq!(spans(&columns, &packet).ok(), Some(vec![Some((2, 4)), Some((7, 2)), None]));
    }

    #[test]
    fn a_row_that_is_too_short_or_too_long_is_an_error() {
        let columns = [column(MysqlType::Long, Form::Fixed(4))];
        assert!(spans(&columns, &[0, 0, 1, 2, 3]).is_err());
        assert!(spans(&columns, &[0, 0, 1, 2, 3, 4, 5]).is_err());
        assert!(spans(&[column(MysqlType::String, Form::Sized)], &[0, 0, 200, b'a']).is_err());
        assert!(spans(&columns, &[]).is_err());
    }

    #[test]
    fn the_days_of_a_time_are_hours() {
        let value = time(&[1, 34, 0, 0, 0, 22, 59, 58, 1, 0, 0, 0]);
        assert_eq!((value.neg, value.hour, value.minute, value.second, value.second_part), (true, 838, 59, 58, 1));
    }
}
