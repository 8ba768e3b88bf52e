//! Reading PostgreSQL's binary values by their type, strictly.
//!
//! The formats are those of the server's `*send` functions; the OIDs are fixed in its `pg_type.dat`.

use std::{borrow::Cow, fmt};

use diesel::{deserialize::Result, pg::PgValue};

use super::type_names::name_of;
use crate::{backend::number::exactly, error::BoxError};

pub(crate) const BOOL: u32 = 16;
pub(crate) const BYTEA: u32 = 17;
pub(crate) const INT8: u32 = 20;
pub(crate) const INT2: u32 = 21;
pub(crate) const INT4: u32 = 23;
pub(crate) const FLOAT4: u32 = 700;
pub(crate) const FLOAT8: u32 = 701;

const NAME: u32 = 19;
pub(super) const TEXT: u32 = 25;
pub(super) const TEXT_ARRAY: u32 = 1009;
const UNKNOWN: u32 = 705;
const BPCHAR: u32 = 1042;
const VARCHAR: u32 = 1043;
const TEXT_NAME: &str = "text";

#[cfg(feature = "chrono")]
pub(crate) const DATE: u32 = 1082;
#[cfg(feature = "chrono")]
pub(crate) const TIME: u32 = 1083;
#[cfg(feature = "chrono")]
pub(crate) const TIMESTAMP: u32 = 1114;
#[cfg(feature = "chrono")]
pub(crate) const TIMESTAMPTZ: u32 = 1184;
#[cfg(feature = "numeric")]
pub(crate) const NUMERIC: u32 = 1700;
#[cfg(feature = "uuid")]
pub(crate) const UUID: u32 = 2950;
#[cfg(feature = "serde_json")]
pub(crate) const JSON: u32 = 114;
#[cfg(feature = "serde_json")]
pub(crate) const JSONB: u32 = 3802;

/// Refuses a value of another type.
#[inline]
pub(crate) fn expect(value: &PgValue<'_>, oids: &[u32], what: &str) -> Result<()> {
    let oid = value.get_oid().get();
    if oids.contains(&oid) { Ok(()) } else { Err(mismatch(oid, what)) }
}

#[cold]
fn mismatch(oid: u32, wanted: &str) -> BoxError {
    WrongType { oid, name: name_of(oid).map(Cow::Borrowed), wanted: wanted.to_owned() }.into()
}

/// A column of another type than its field can be read from.
#[derive(Debug)]
pub(crate) struct WrongType {
    oid: u32,
    name: Option<Cow<'static, str>>,
    wanted: String,
}

impl WrongType {
    /// With the type's name by `name`, if it is not one of PostgreSQL's own.
    pub(super) fn named_by(mut self: Box<Self>, name: impl FnOnce(u32) -> Option<String>) -> Box<Self> {
        if self.name.is_none() {
            self.name = name(self.oid).map(Cow::Owned);
        }
        self
    }
}

impl fmt::Display for WrongType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "the column is of type {name}, not {}", self.wanted)?,
            None => write!(f, "the column is of the type with OID {}, not {}", self.oid, self.wanted)?,
        }
        if self.wanted == TEXT_NAME {
            f.write_str("; to read it as text, cast it: `CAST(… AS text)`")?;
        }
        Ok(())
    }
}

impl std::error::Error for WrongType {}

#[inline]
pub(crate) fn integer(value: PgValue<'_>) -> Result<i64> {
    let bytes = value.as_bytes();
    match value.get_oid().get() {
        INT8 => exactly(bytes).map(i64::from_be_bytes),
        INT4 => exactly(bytes).map(|bytes| i64::from(i32::from_be_bytes(bytes))),
        INT2 => exactly(bytes).map(|bytes| i64::from(i16::from_be_bytes(bytes))),
        other => Err(mismatch(other, "an integer")),
    }
}

#[inline]
pub(crate) fn float(value: PgValue<'_>) -> Result<f64> {
    let bytes = value.as_bytes();
    match value.get_oid().get() {
        FLOAT8 => exactly(bytes).map(f64::from_be_bytes),
        FLOAT4 => exactly(bytes).map(|bytes| f64::from(f32::from_be_bytes(bytes))),
        other => Err(mismatch(other, "a float")),
    }
}

#[inline]
pub(crate) fn boolean(value: PgValue<'_>) -> Result<bool> {
    expect(&value, &[BOOL], "a boolean")?;
    match value.as_bytes() {
        [0] => Ok(false),
        [1] => Ok(true),
        _ => Err("the server sent no boolean".into()),
    }
}

#[inline]
pub(crate) fn text<'a>(value: PgValue<'a>) -> Result<&'a str> {
    let oid = value.get_oid().get();
    // Enums and the like come as `text`, from `postgres/user_types.rs`.
    if !matches!(oid, TEXT | VARCHAR | BPCHAR | NAME | UNKNOWN) {
        return Err(mismatch(oid, TEXT_NAME));
    }
    Ok(std::str::from_utf8(value.as_bytes())?)
}

#[inline]
pub(crate) fn bytes<'a>(value: PgValue<'a>) -> Result<&'a [u8]> {
    expect(&value, &[BYTEA], "bytea")?;
    Ok(value.as_bytes())
}
