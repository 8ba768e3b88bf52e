//! Reading MySQL's values by their type, strictly.
//!
//! Integers and floats are in the machine's byte order, by the width of their type; decimals and text are text; times
//! are the bytes of Diesel's `MysqlTime`.

use diesel::{
    deserialize::Result,
    mysql::{MysqlType, MysqlValue},
};

use crate::{backend::number::exactly, types::narrow};

/// Refuses a value of another type.
#[inline]
pub(crate) fn expect(value: &MysqlValue<'_>, types: &[MysqlType], what: &str) -> Result<()> {
    let found = value.value_type();
    if types.contains(&found) { Ok(()) } else { Err(mismatch(found, what)) }
}

#[cold]
fn mismatch(found: MysqlType, what: &str) -> Box<dyn std::error::Error + Send + Sync> {
    let name = match found {
        MysqlType::Tiny => "TINYINT",
        MysqlType::UnsignedTiny => "TINYINT UNSIGNED",
        MysqlType::Short => "SMALLINT",
        MysqlType::UnsignedShort => "SMALLINT UNSIGNED",
        MysqlType::Long => "INT",
        MysqlType::UnsignedLong => "INT UNSIGNED",
        MysqlType::LongLong => "BIGINT",
        MysqlType::UnsignedLongLong => "BIGINT UNSIGNED",
        MysqlType::Float => "FLOAT",
        MysqlType::Double => "DOUBLE",
        MysqlType::Numeric => "DECIMAL",
        MysqlType::Time => "TIME",
        MysqlType::Date => "DATE",
        MysqlType::DateTime => "DATETIME",
        MysqlType::Timestamp => "TIMESTAMP",
        MysqlType::String => "text",
        MysqlType::Blob => "a BLOB or BINARY type",
        MysqlType::Bit => "BIT",
        MysqlType::Set => "SET",
        MysqlType::Enum => "ENUM",
        other => return format!("the column is of the type {other:?}, not {what}").into(),
    };
    format!("the column is of type {name}, not {what}").into()
}

/// A number or text, as text.
pub(crate) fn as_text(value: MysqlValue<'_>) -> Result<String> {
    match value.value_type() {
        MysqlType::Double | MysqlType::Float => float(&value).map(|number| number.to_string()),
        MysqlType::String | MysqlType::Blob | MysqlType::Numeric | MysqlType::Enum | MysqlType::Set => {
            Ok(std::str::from_utf8(value.as_bytes())?.to_owned())
        }
        _ => integer(&value).map(|number| number.to_string()),
    }
}

/// An integer of any width and sign, or a BIT; also a decimal without a fraction, which is what SUM makes of integers.
#[inline]
pub(crate) fn integer(value: &MysqlValue<'_>) -> Result<i64> {
    let bytes = value.as_bytes();
    match value.value_type() {
        MysqlType::LongLong => exactly(bytes).map(i64::from_ne_bytes),
        MysqlType::Long => exactly(bytes).map(|bytes| i64::from(i32::from_ne_bytes(bytes))),
        MysqlType::Short => exactly(bytes).map(|bytes| i64::from(i16::from_ne_bytes(bytes))),
        MysqlType::Tiny => exactly(bytes).map(|bytes| i64::from(i8::from_ne_bytes(bytes))),
        MysqlType::UnsignedLong => exactly(bytes).map(|bytes| i64::from(u32::from_ne_bytes(bytes))),
        MysqlType::UnsignedShort => exactly(bytes).map(|bytes| i64::from(u16::from_ne_bytes(bytes))),
        MysqlType::UnsignedTiny => exactly(bytes).map(|bytes| i64::from(u8::from_ne_bytes(bytes))),
        MysqlType::UnsignedLongLong => signed(u64::from_ne_bytes(exactly(bytes)?)),
        MysqlType::Bit => signed(bits(bytes)?),
        MysqlType::Numeric => {
            let decimal = std::str::from_utf8(bytes)?;
            whole(decimal)?.parse().map_err(|_| too_large(decimal))
        }
        other => Err(mismatch(other, "an integer")),
    }
}

/// As [`integer`], of those that are not negative.
#[inline]
pub(crate) fn unsigned(value: &MysqlValue<'_>) -> Result<u64> {
    let bytes = value.as_bytes();
    match value.value_type() {
        MysqlType::UnsignedLongLong => exactly(bytes).map(u64::from_ne_bytes),
        MysqlType::Bit => bits(bytes),
        MysqlType::Numeric => {
            let decimal = std::str::from_utf8(bytes)?;
            whole(decimal)?
                .parse()
                .map_err(|_| format!("the column holds {decimal}, which does not fit `u64`; use `BigDecimal`").into())
        }
        _ => narrow(integer(value)?),
    }
}

fn signed(integer: u64) -> Result<i64> {
    i64::try_from(integer).map_err(|_| too_large(&integer.to_string()))
}

/// The number that a BIT is: its bytes, the highest first.
fn bits(bytes: &[u8]) -> Result<u64> {
    if bytes.len() > size_of::<u64>() {
        return Err(format!("the server sent {} bytes where a BIT has 8 at most", bytes.len()).into());
    }
    Ok(bytes.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte)))
}

/// The digits of a decimal that is a whole number.
fn whole(decimal: &str) -> Result<&str> {
    let (integer, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    if fraction.bytes().any(|digit| digit != b'0') {
        return Err(format!("the column holds {decimal}, which is no whole number").into());
    }
    Ok(integer)
}

#[cold]
fn too_large(number: &str) -> Box<dyn std::error::Error + Send + Sync> {
    format!("the column holds {number}, which is beyond 64 bits with a sign; use `u64` or `BigDecimal`").into()
}

#[inline]
pub(crate) fn float(value: &MysqlValue<'_>) -> Result<f64> {
    let bytes = value.as_bytes();
    match value.value_type() {
        MysqlType::Double => exactly(bytes).map(f64::from_ne_bytes),
        MysqlType::Float => exactly(bytes).map(|bytes| f64::from(f32::from_ne_bytes(bytes))),
        other => Err(mismatch(other, "a float")),
    }
}

/// 0 or 1: MySQL has no type for booleans, and `BOOLEAN` is a word for `TINYINT`.
#[inline]
pub(crate) fn boolean(value: &MysqlValue<'_>) -> Result<bool> {
    let integer = match (value.value_type(), value.as_bytes()) {
        (MysqlType::Numeric, _) => return Err(mismatch(MysqlType::Numeric, "a boolean")),
        (MysqlType::Bit, [bit]) => i64::from(*bit),
        (MysqlType::Bit, _) => {
            return Err("the column has several bits, and only BIT(1) is a boolean; make the field an integer".into());
        }
        _ => integer(value)?,
    };
    match integer {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(format!("the column holds {other}, and only 0 and 1 are booleans").into()),
    }
}

#[inline]
pub(crate) fn text<'a>(value: &MysqlValue<'a>) -> Result<&'a str> {
    expect(value, &[MysqlType::String, MysqlType::Enum, MysqlType::Set], "text")?;
    Ok(std::str::from_utf8(value.as_bytes())?)
}

#[inline]
pub(crate) fn bytes<'a>(value: &MysqlValue<'a>) -> Result<&'a [u8]> {
    expect(value, &[MysqlType::Blob], "a BLOB or BINARY type")?;
    Ok(value.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown<T: ToString>(read: Result<T>) -> String {
        read.map_or_else(|error| error.to_string(), |value| value.to_string())
    }

    #[test]
    fn an_integer_is_read_by_the_width_and_sign_of_its_type() {
        let read = |bytes: &[u8], of| shown(integer(&MysqlValue::new(bytes, of)));
        assert_eq!(read(&[255], MysqlType::Tiny), "-1");
        assert_eq!(read(&[255], MysqlType::UnsignedTiny), "255");
        assert_eq!(read(&(-2_i16).to_ne_bytes(), MysqlType::Short), "-2");
        assert_eq!(read(&65_535_u16.to_ne_bytes(), MysqlType::UnsignedShort), "65535");
        assert_eq!(read(&i32::MIN.to_ne_bytes(), MysqlType::Long), "-2147483648");
        assert_eq!(read(&u32::MAX.to_ne_bytes(), MysqlType::UnsignedLong), "4294967295");
        assert_eq!(read(&i64::MIN.to_ne_bytes(), MysqlType::LongLong), "-9223372036854775808");
        assert_eq!(read(&7_u64.to_ne_bytes(), MysqlType::UnsignedLongLong), "7");
        assert!(read(&u64::MAX.to_ne_bytes(), MysqlType::UnsignedLongLong).contains("18446744073709551615"));
        assert_eq!(read(&[1, 2], MysqlType::Bit), "258");
        assert!(read(&[255; 8], MysqlType::Bit).contains("18446744073709551615"));
        assert!(read(&[0; 9], MysqlType::Bit).contains("9 bytes where a BIT has 8"));
        assert!(read(&[0, 0], MysqlType::Long).contains("2 bytes where 4"));
        assert!(read(b"1", MysqlType::String).contains("is of type text, not an integer"));
        assert!(read(&1.0_f64.to_ne_bytes(), MysqlType::Double).contains("DOUBLE, not an integer"));
    }

    #[test]
    fn an_unsigned_integer_is_read_to_its_last_bit() {
        let read = |bytes: &[u8], of| shown(unsigned(&MysqlValue::new(bytes, of)));
        assert_eq!(read(&u64::MAX.to_ne_bytes(), MysqlType::UnsignedLongLong), u64::MAX.to_string());
        assert_eq!(read(&[255; 8], MysqlType::Bit), u64::MAX.to_string());
        assert_eq!(read(b"18446744073709551615.0", MysqlType::Numeric), u64::MAX.to_string());
        assert_eq!(read(&[7], MysqlType::Tiny), "7");
        assert!(read(&[255], MysqlType::Tiny).contains("holds -1, which does not fit `u64`"));
        assert!(read(b"18446744073709551616", MysqlType::Numeric).contains("does not fit `u64`"));
        assert!(read(b"-1", MysqlType::Numeric).contains("holds -1"));
    }

    #[test]
    fn a_decimal_is_an_integer_only_without_a_fraction() {
        let read = |text: &str| shown(integer(&MysqlValue::new(text.as_bytes(), MysqlType::Numeric)));
        assert_eq!(read("-9223372036854775808"), "-9223372036854775808");
        assert_eq!(read("12.0000"), "12");
        assert!(read("0.5").contains("holds 0.5, which is no whole number"));
        assert!(read("9223372036854775808").contains("beyond 64 bits"));
    }

    #[test]
    fn only_0_and_1_are_booleans() {
        let read = |bytes: &[u8], of| shown(boolean(&MysqlValue::new(bytes, of)));
        assert_eq!(read(&[1], MysqlType::Tiny), "true");
        assert_eq!(read(&[0], MysqlType::Bit), "false");
        assert_eq!(read(&1_i64.to_ne_bytes(), MysqlType::LongLong), "true");
        assert!(read(&[2], MysqlType::Tiny).contains("holds 2"));
        assert!(read(&[0, 1], MysqlType::Bit).contains("several bits"));
        assert!(read(b"1", MysqlType::Numeric).contains("DECIMAL, not a boolean"));
    }

    #[test]
    fn floats_and_text_are_read_from_their_own_types_alone() {
        assert_eq!(float(&MysqlValue::new(&0.5_f32.to_ne_bytes(), MysqlType::Float)).ok(), Some(0.5));
        assert!(shown(float(&MysqlValue::new(b"0.5", MysqlType::Numeric))).contains("DECIMAL, not a float"));
        assert_eq!(text(&MysqlValue::new("é\0".as_bytes(), MysqlType::Enum)).ok(), Some("é\0"));
        assert!(text(&MysqlValue::new(b"a", MysqlType::Blob)).is_err());
        assert!(text(&MysqlValue::new(&[0xE9], MysqlType::String)).is_err());
        assert!(bytes(&MysqlValue::new(b"a", MysqlType::String)).is_err());
    }
}
