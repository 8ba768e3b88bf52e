//! Reading PostgreSQL's binary values by their type, strictly.
//!
//! The formats are those of the server's `*send` functions; the OIDs are fixed in its `pg_type.dat`.

use diesel::{deserialize::Result, pg::PgValue};

use crate::backend::number::exactly;

pub(crate) const BOOL: u32 = 16;
pub(crate) const BYTEA: u32 = 17;
pub(crate) const INT8: u32 = 20;
pub(crate) const INT2: u32 = 21;
pub(crate) const INT4: u32 = 23;
pub(crate) const FLOAT4: u32 = 700;
pub(crate) const FLOAT8: u32 = 701;

const NAME: u32 = 19;
const TEXT: u32 = 25;
const UNKNOWN: u32 = 705;
const BPCHAR: u32 = 1042;
const VARCHAR: u32 = 1043;
/// The first OID that the server gives to types made by users: enums, domains, extensions' types such as `citext`.
const FIRST_USER_TYPE: u32 = 16_384;

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
fn mismatch(oid: u32, what: &str) -> Box<dyn std::error::Error + Send + Sync> {
    let name = match oid {
        BOOL => "boolean",
        BYTEA => "bytea",
        INT8 => "bigint",
        INT2 => "smallint",
        INT4 => "integer",
        FLOAT4 => "real",
        FLOAT8 => "double precision",
        TEXT | VARCHAR | BPCHAR | NAME => "text",
        114 => "json",
        1082 => "date",
        1083 => "time",
        1114 => "timestamp",
        1184 => "timestamptz",
        1700 => "numeric",
        2950 => "uuid",
        3802 => "jsonb",
        _ => return format!("the column is of the type with OID {oid}, not {what}").into(),
    };
    format!("the column is of type {name}, not {what}").into()
}

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
    if !matches!(oid, TEXT | VARCHAR | BPCHAR | NAME | UNKNOWN) && oid < FIRST_USER_TYPE {
        return Err(mismatch(oid, "text"));
    }
    Ok(std::str::from_utf8(value.as_bytes())?)
}

#[inline]
pub(crate) fn bytes<'a>(value: PgValue<'a>) -> Result<&'a [u8]> {
    expect(&value, &[BYTEA], "bytea")?;
    Ok(value.as_bytes())
}
