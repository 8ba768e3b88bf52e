//! What a result says of its columns.

use diesel::mysql::MysqlType;
use mysql_common::constants::{ColumnFlags, ColumnType};

use super::{
    error::Failure,
    reader::{ReadSized, Reader},
};

/// The "character set" of bytes that are no text.
const BINARY: u16 = 63;

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: MysqlType,
    pub(super) form: Form,
}

/// How the values of a column are sent in the binary protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A number of so many bytes.
    Fixed(u8),
    /// A length, then so many bytes.
    Sized,
    /// A length, then the parts of a date or of a date and time.
    Date,
    /// A length, then the parts of a time.
    Time,
    /// Nothing: the column is of the type NULL.
    Nothing,
}

impl Column {
    /// Reads a column definition ("Protocol::ColumnDefinition41").
    pub(super) fn parse(packet: &[u8]) -> Result<Self, Failure> {
        let mut packet = Reader::new(packet);
        // The catalogue, the schema, and the table by its alias and by its name.
        for _ in 0..4 {
            packet.sized()?;
        }
        let name = String::from_utf8_lossy(packet.sized()?).into_owned();
        packet.sized()?; // the column's name in its table
        let mut rest = Reader::new(packet.sized()?);
        let character_set = u16::from_le_bytes(rest.array()?);
        rest.bytes(4)?; // the length
        let [code] = rest.array()?;
        let flags = ColumnFlags::from_bits_truncate(u16::from_le_bytes(rest.array()?));
        let (kind, form) = kind_and_form(code, flags, character_set);
        Ok(Column { name, kind, form })
    }
}

fn kind_and_form(code: u8, flags: ColumnFlags, character_set: u16) -> (MysqlType, Form) {
    let sign = |signed, unsigned| if flags.contains(ColumnFlags::UNSIGNED_FLAG) { unsigned } else { signed };
    // A type that nobody has heard of is sent as bytes with their length, as all that came since the first ones are.
    let Ok(code) = ColumnType::try_from(code) else { return (MysqlType::Blob, Form::Sized) };
    match code {
        ColumnType::MYSQL_TYPE_TINY => (sign(MysqlType::Tiny, MysqlType::UnsignedTiny), Form::Fixed(1)),
        ColumnType::MYSQL_TYPE_SHORT => (sign(MysqlType::Short, MysqlType::UnsignedShort), Form::Fixed(2)),
        ColumnType::MYSQL_TYPE_YEAR => (MysqlType::UnsignedShort, Form::Fixed(2)),
        ColumnType::MYSQL_TYPE_LONG | ColumnType::MYSQL_TYPE_INT24 => {
            (sign(MysqlType::Long, MysqlType::UnsignedLong), Form::Fixed(4))
        }
        ColumnType::MYSQL_TYPE_LONGLONG => (sign(MysqlType::LongLong, MysqlType::UnsignedLongLong), Form::Fixed(8)),
        ColumnType::MYSQL_TYPE_FLOAT => (MysqlType::Float, Form::Fixed(4)),
        ColumnType::MYSQL_TYPE_DOUBLE => (MysqlType::Double, Form::Fixed(8)),
        ColumnType::MYSQL_TYPE_DECIMAL | ColumnType::MYSQL_TYPE_NEWDECIMAL => (MysqlType::Numeric, Form::Sized),
        ColumnType::MYSQL_TYPE_DATE | ColumnType::MYSQL_TYPE_NEWDATE => (MysqlType::Date, Form::Date),
        ColumnType::MYSQL_TYPE_DATETIME | ColumnType::MYSQL_TYPE_DATETIME2 => (MysqlType::DateTime, Form::Date),
        ColumnType::MYSQL_TYPE_TIMESTAMP | ColumnType::MYSQL_TYPE_TIMESTAMP2 => (MysqlType::Timestamp, Form::Date),
        ColumnType::MYSQL_TYPE_TIME | ColumnType::MYSQL_TYPE_TIME2 => (MysqlType::Time, Form::Time),
        ColumnType::MYSQL_TYPE_BIT => (MysqlType::Bit, Form::Sized),
        // All its values are NULL, so the type does not matter.
        ColumnType::MYSQL_TYPE_NULL => (MysqlType::String, Form::Nothing),
        _ if flags.contains(ColumnFlags::ENUM_FLAG) => (MysqlType::Enum, Form::Sized),
        _ if flags.contains(ColumnFlags::SET_FLAG) => (MysqlType::Set, Form::Sized),
        ColumnType::MYSQL_TYPE_JSON => (MysqlType::String, Form::Sized),
        ColumnType::MYSQL_TYPE_GEOMETRY => (MysqlType::Blob, Form::Sized),
        // Not by BINARY_FLAG: text with a binary collation has it, too.
        _ if character_set == BINARY => (MysqlType::Blob, Form::Sized),
        _ => (MysqlType::String, Form::Sized),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_with_a_binary_collation_is_text() {
        let code = ColumnType::MYSQL_TYPE_VAR_STRING as u8;
        assert_eq!(kind_and_form(code, ColumnFlags::BINARY_FLAG, 46).0, MysqlType::String);
        assert_eq!(kind_and_form(code, ColumnFlags::BINARY_FLAG, BINARY).0, MysqlType::Blob);
    }

    #[test]
    fn a_type_of_the_future_is_bytes() {
        assert_eq!(kind_and_form(200, ColumnFlags::empty(), 45), (MysqlType::Blob, Form::Sized));
    }

    #[test]
    fn a_definition_that_is_cut_off_is_an_error() {
        assert!(Column::parse(b"\x03def\x00\x00").is_err());
    }
}
