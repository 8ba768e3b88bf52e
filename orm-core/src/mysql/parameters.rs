//! The values of a statement, as they are sent.
//!
//! Diesel has made bytes of them, for a C library; here they become the binary protocol's ("Binary Protocol Value").

use std::mem::{offset_of, size_of};

use diesel::mysql::{MysqlType, data_types::MysqlTime};
use mysql_common::constants::ColumnType;

use super::error::Failure;

/// The flag of a parameter's type that makes an integer unsigned.
const UNSIGNED: u8 = 0x80;

/// A value with its type; `None` is NULL.
pub(super) type Parameter = (MysqlType, Option<Vec<u8>>);

/// Writes what follows the head of a COM_STMT_EXECUTE: which values are NULL, all types, and the values.
pub(super) fn write(parameters: &[Parameter], out: &mut Vec<u8>) -> Result<(), Failure> {
    if parameters.is_empty() {
        return Ok(());
    }
    let nulls = out.len();
    out.resize(nulls + parameters.len().div_ceil(8), 0);
    out.push(1); // the types follow
    for (index, (kind, value)) in parameters.iter().enumerate() {
        if value.is_none() {
            out[nulls + index / 8] |= 1 << (index % 8);
        }
        out.extend(type_code(*kind)?);
    }
    for (kind, value) in parameters {
        if let Some(value) = value {
            write_value(*kind, value, out)?;
        }
    }
    Ok(())
}

/// Writes what follows the head of a COM_STMT_BULK_EXECUTE: the types of a row, and the values of all rows, each behind a byte
/// that says whether it is NULL.
pub(super) fn write_rows(rows: &[Parameter], columns: usize, out: &mut Vec<u8>) -> Result<(), Failure> {
    let Some(first) = rows.get(..columns) else { return Ok(()) };
    for (kind, _) in first {
        out.extend(type_code(*kind)?);
    }
    for row in rows.chunks(columns) {
        for ((kind, value), (declared, _)) in row.iter().zip(first) {
            if kind != declared {
                return Err(Failure::Value("the values of a column are of several types".into()));
            }
            match value {
                None => out.push(1),
                Some(value) => {
                    out.push(0);
                    write_value(*kind, value, out)?;
                }
            }
        }
    }
    Ok(())
}

fn type_code(kind: MysqlType) -> Result<[u8; 2], Failure> {
    let (code, flag) = match kind {
        MysqlType::Tiny => (ColumnType::MYSQL_TYPE_TINY, 0),
        MysqlType::UnsignedTiny => (ColumnType::MYSQL_TYPE_TINY, UNSIGNED),
        MysqlType::Short => (ColumnType::MYSQL_TYPE_SHORT, 0),
        MysqlType::UnsignedShort => (ColumnType::MYSQL_TYPE_SHORT, UNSIGNED),
        MysqlType::Long => (ColumnType::MYSQL_TYPE_LONG, 0),
        MysqlType::UnsignedLong => (ColumnType::MYSQL_TYPE_LONG, UNSIGNED),
        MysqlType::LongLong => (ColumnType::MYSQL_TYPE_LONGLONG, 0),
        MysqlType::UnsignedLongLong => (ColumnType::MYSQL_TYPE_LONGLONG, UNSIGNED),
        MysqlType::Float => (ColumnType::MYSQL_TYPE_FLOAT, 0),
        MysqlType::Double => (ColumnType::MYSQL_TYPE_DOUBLE, 0),
        MysqlType::Numeric => (ColumnType::MYSQL_TYPE_NEWDECIMAL, 0),
        MysqlType::Time => (ColumnType::MYSQL_TYPE_TIME, 0),
        MysqlType::Date => (ColumnType::MYSQL_TYPE_DATE, 0),
        // Diesel says `Timestamp` of every date with a time. As a TIMESTAMP, MariaDB would make NULL of those before 1970,
        // and compare it without its fraction by `<=>`.
        MysqlType::DateTime | MysqlType::Timestamp => (ColumnType::MYSQL_TYPE_DATETIME, 0),
        // A server takes neither bits nor the members of an ENUM or SET as such.
        MysqlType::String | MysqlType::Enum | MysqlType::Set => (ColumnType::MYSQL_TYPE_VAR_STRING, 0),
        MysqlType::Blob | MysqlType::Bit => (ColumnType::MYSQL_TYPE_BLOB, 0),
        other => return Err(Failure::Value(format!("a value of the type {other:?} cannot be sent").into())),
    };
    Ok([code as u8, flag])
}

fn write_value(kind: MysqlType, value: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
    match kind {
        // Diesel writes a boolean as an `i32`, and says that it is of one byte.
        MysqlType::Tiny if value.len() == 4 => {
            let boolean = value.try_into().map(i32::from_ne_bytes).map_err(|_| wrong_size(kind, value))?;
            out.push(u8::try_from(boolean).map_err(|_| out_of_range(kind))?);
            Ok(())
        }
        MysqlType::Tiny | MysqlType::UnsignedTiny => number::<1>(kind, value, out),
        MysqlType::Short | MysqlType::UnsignedShort => number::<2>(kind, value, out),
        MysqlType::Long | MysqlType::UnsignedLong | MysqlType::Float => number::<4>(kind, value, out),
        MysqlType::LongLong | MysqlType::UnsignedLongLong | MysqlType::Double => number::<8>(kind, value, out),
        MysqlType::Time => time(&parts(kind, value)?, out),
        MysqlType::Date | MysqlType::DateTime | MysqlType::Timestamp => date(kind, &parts(kind, value)?, out),
        _ => {
            write_length(value.len(), out);
            out.extend(value);
            Ok(())
        }
    }
}

/// Diesel writes numbers as the machine has them, and the protocol wants the lowest byte first.
fn number<const N: usize>(kind: MysqlType, value: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
    let mut bytes: [u8; N] = value.try_into().map_err(|_| wrong_size(kind, value))?;
    if cfg!(target_endian = "big") {
        bytes.reverse();
    }
    out.extend(bytes);
    Ok(())
}

/// Writes a length ("Length-Encoded Integer").
pub(super) fn write_length(length: usize, out: &mut Vec<u8>) {
    let bytes = (length as u64).to_le_bytes();
    match length {
        0..=0xFA => out.push(bytes[0]),
        0xFB..=0xFFFF => {
            out.push(0xFC);
            out.extend(&bytes[..2]);
        }
        0x1_0000..=0xFF_FFFF => {
            out.push(0xFD);
            out.extend(&bytes[..3]);
        }
        _ => {
            out.push(0xFE);
            out.extend(bytes);
        }
    }
}

/// The parts of a date or time.
#[derive(Debug)]
struct Parts {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    microsecond: u64,
    negative: bool,
}

/// Reads a `MysqlTime` from its bytes. Diesel's own way to do that refuses negative times.
fn parts(kind: MysqlType, value: &[u8]) -> Result<Parts, Failure> {
    let u32_at = |offset: usize| {
        let bytes = value.get(offset..offset + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u32::from_ne_bytes).ok_or_else(|| wrong_size(kind, value))
    };
    // A C `unsigned long`, which is of four bytes on some systems.
    let offset = offset_of!(MysqlTime, second_part);
    let microsecond = match size_of::<std::ffi::c_ulong>() {
        8 => value
            .get(offset..offset + 8)
            .and_then(|bytes| bytes.try_into().ok())
            .map(u64::from_ne_bytes)
            .ok_or_else(|| wrong_size(kind, value))?,
        _ => u32_at(offset)?.into(),
    };
    Ok(Parts {
        year: u32_at(offset_of!(MysqlTime, year))?,
        month: u32_at(offset_of!(MysqlTime, month))?,
        day: u32_at(offset_of!(MysqlTime, day))?,
        hour: u32_at(offset_of!(MysqlTime, hour))?,
        minute: u32_at(offset_of!(MysqlTime, minute))?,
        second: u32_at(offset_of!(MysqlTime, second))?,
        microsecond,
        negative: value.get(offset_of!(MysqlTime, neg)).is_some_and(|negative| *negative != 0),
    })
}

/// The literal of a date or time, from the bytes that Diesel makes of it.
pub(crate) fn literal_of_time(kind: MysqlType, value: &[u8]) -> Option<String> {
    let Parts { year, month, day, hour, minute, second, microsecond, negative } = parts(kind, value).ok()?;
    let time = format!("{hour:02}:{minute:02}:{second:02}.{microsecond:06}");
    match kind {
        _ if negative => None,
        MysqlType::Date => Some(format!("DATE'{year:04}-{month:02}-{day:02}'")),
        MysqlType::Time if day == 0 => Some(format!("TIME'{time}'")),
        MysqlType::DateTime | MysqlType::Timestamp => Some(format!("TIMESTAMP'{year:04}-{month:02}-{day:02} {time}'")),
        _ => None,
    }
}

fn date(kind: MysqlType, parts: &Parts, out: &mut Vec<u8>) -> Result<(), Failure> {
    let year = u16::try_from(parts.year).map_err(|_| out_of_range(kind))?;
    let [month, day] = small(kind, [parts.month, parts.day])?;
    out.push(if kind == MysqlType::Date { 4 } else { 11 });
    out.extend(year.to_le_bytes());
    out.extend([month, day]);
    if kind != MysqlType::Date {
        out.extend(small(kind, [parts.hour, parts.minute, parts.second])?);
        out.extend(microsecond(kind, parts)?.to_le_bytes());
    }
    Ok(())
}

fn time(parts: &Parts, out: &mut Vec<u8>) -> Result<(), Failure> {
    let kind = MysqlType::Time;
    let days = parts.day.checked_add(parts.hour / 24).ok_or_else(|| out_of_range(kind))?;
    out.push(12);
    out.push(u8::from(parts.negative));
    out.extend(days.to_le_bytes());
    out.extend(small(kind, [parts.hour % 24, parts.minute, parts.second])?);
    out.extend(microsecond(kind, parts)?.to_le_bytes());
    Ok(())
}

fn small<const N: usize>(kind: MysqlType, parts: [u32; N]) -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    for (byte, part) in bytes.iter_mut().zip(parts) {
        *byte = u8::try_from(part).map_err(|_| out_of_range(kind))?;
    }
    Ok(bytes)
}

fn microsecond(kind: MysqlType, parts: &Parts) -> Result<u32, Failure> {
    u32::try_from(parts.microsecond).ok().filter(|part| *part < 1_000_000).ok_or_else(|| out_of_range(kind))
}

fn out_of_range(kind: MysqlType) -> Failure {
    Failure::Value(format!("a value of the type {kind:?} has a part that is out of range").into())
}

fn wrong_size(kind: MysqlType, value: &[u8]) -> Failure {
    Failure::Value(format!("a value of the type {kind:?} has {} bytes, which is not its size", value.len()).into())
}

#[cfg(test)]
mod tests {
    use diesel::mysql::data_types::MysqlTimestampType;

    use super::*;

    #[test]
    fn nulls_and_types_come_before_the_values() {
        let parameters = [
            (MysqlType::UnsignedShort, Some(7u16.to_ne_bytes().to_vec())),
            (MysqlType::String, None),
            (MysqlType::String, Some(b"ab".to_vec())),
        ];
        let mut out = Vec::new();
        write(&parameters, &mut out).expect("they can be sent");
        assert_eq!(out, [0b010, 1, 2, 0x80, 0xFD, 0, 0xFD, 0, 7, 0, 2, b'a', b'b']);
    }

    #[test]
    fn rows_have_their_types_once() {
        let number = |value: Option<i32>| (MysqlType::Long, value.map(|value| value.to_ne_bytes().to_vec()));
        let text = |text: &str| (MysqlType::String, Some(text.as_bytes().to_vec()));
        let mut out = Vec::new();
        write_rows(&[number(Some(7)), text("ab"), number(None), text("")], 2, &mut out).expect("they can be sent");
        assert_eq!(out, [3, 0, 0xFD, 0, 0, 7, 0, 0, 0, 0, 2, b'a', b'b', 1, 0, 0]);
        assert!(write_rows(&[number(None), text("a")], 1, &mut out).is_err());
    }

    #[test]
    fn a_time_may_be_negative_and_longer_than_a_day() {
        let time =
            MysqlTime::new(0, 0, 0, 838, 59, 58, 1, true, MysqlTimestampType::MYSQL_TIMESTAMP_TIME, 0).serialize();
        let mut out = Vec::new();
        write_value(MysqlType::Time, &time, &mut out).expect("it can be sent");
        assert_eq!(out, [12, 1, 34, 0, 0, 0, 22, 59, 58, 1, 0, 0, 0]);
    }

    #[test]
    fn a_boolean_of_diesels_is_one_byte() {
        let mut out = Vec::new();
        write_value(MysqlType::Tiny, &1_i32.to_ne_bytes(), &mut out).expect("it can be sent");
        assert_eq!(out, [1]);
    }

    #[test]
    fn what_has_another_size_is_not_sent() {
        assert!(write_value(MysqlType::Long, &[1, 2], &mut Vec::new()).is_err());
        assert!(write_value(MysqlType::Date, &[1, 2], &mut Vec::new()).is_err());
    }

    #[test]
    fn lengths_of_every_size() {
        for (length, expected) in [
            (250, &[250][..]),
            (251, &[0xFC, 251, 0]),
            (65_536, &[0xFD, 0, 0, 1]),
            (1 << 24, &[0xFE, 0, 0, 0, 1, 0, 0, 0, 0]),
        ] {
            let mut out = Vec::new();
            write_length(length, &mut out);
            assert_eq!(out, expected);
        }
    }
}
