//! JSON documents: `JSONB` on PostgreSQL, `JSON` on MySQL and MariaDB, text on SQLite.
//!
//! `serde_json::Value` keeps numbers as 64 bits and each key of an object once. A document that has more is refused when it is
//! read (`exact.rs`), because saving it would change it. [`JsonText`] keeps whatever a document says.

mod canonical;
mod exact;
mod text;

#[cfg(feature = "sqlite")]
use std::cmp::Ordering;

use diesel::{
    deserialize,
    serialize::{self, Output, ToSql},
};
use serde_json::Value;

pub use self::text::JsonText;
use super::{Decode, FieldType};
use crate::{backend::BackendKind, error::BoxError, sql_types};

/// The most objects and arrays within each other that `serde_json` reads.
const READABLE_DEPTH: usize = 127;

impl FieldType for Value {
    type SqlType = sql_types::Json;

    fn width(&self) -> usize {
        width(self, READABLE_DEPTH)
    }

    #[cfg(feature = "sqlite")]
    fn is_convertible(&self) -> bool {
        self.is_number()
    }

    fn validate(&self, backend: BackendKind) -> Result<(), BoxError> {
        check_depth(self, backend)?;
        if backend == BackendKind::Postgres && holds_nul(self) {
            return Err("PostgreSQL's JSONB cannot hold the character NUL".into());
        }
        if backend == BackendKind::Mysql && exact::keeps_digits() && !holds_floats_of_64_bits(self) {
            return Err("MySQL's JSON rounds numbers to 64 bits; keep a longer number as a string".into());
        }
        Ok(())
    }
}

super::diesel_reads!(Value: sql_types::Json);

/// The order of the collation `orm_json`: documents by their canonical texts, so that those that say the same are equal, then
/// whatever is not a document, by its bytes.
#[cfg(feature = "sqlite")]
pub(crate) fn compare_documents(a: &[u8], b: &[u8]) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    let canonical = |text| canonical::canonical(std::str::from_utf8(text).ok()?).ok();
    match (canonical(a), canonical(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

/// Reads a document, if a `Value` keeps all that it says.
fn read(text: &[u8]) -> deserialize::Result<Value> {
    let value = serde_json::from_slice(text).map_err(|error| {
        format!("the document cannot be read as a `serde_json::Value`: {error}; {}", text::ALTERNATIVE)
    })?;
    exact::check(text, &value)?;
    Ok(value)
}

/// Refuses a document that could not be read again, before anything walks through it without a bound.
fn check_depth(value: &Value, backend: BackendKind) -> Result<(), BoxError> {
    let greatest = greatest_depth(backend);
    if is_deeper(value, greatest) { Err(too_deep(greatest)) } else { Ok(()) }
}

/// The depth of objects and arrays that can be stored, compared, and read again. MariaDB's functions of JSON, by which it
/// checks a column of the type JSON, end at 31; MySQL's would go on to 100, and nothing tells the two apart here.
fn greatest_depth(backend: BackendKind) -> usize {
    match backend {
        BackendKind::Mysql => 31,
        BackendKind::Postgres | BackendKind::Sqlite => READABLE_DEPTH,
    }
}

#[cold]
fn too_deep(greatest: usize) -> BoxError {
    format!(
        "the document has more than {greatest} objects and arrays within each other; keep it as text, in a `String`"
    )
    .into()
}

/// Whether more objects and arrays than these stand within each other.
fn is_deeper(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(items) => depth == 0 || items.iter().any(|item| is_deeper(item, depth - 1)),
        Value::Object(map) => depth == 0 || map.values().any(|value| is_deeper(value, depth - 1)),
        _ => false,
    }
}

/// What stands deeper is not counted: it is refused.
fn width(value: &Value, depth: usize) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(_) | Value::Object(_) if depth == 0 => 0,
        Value::Array(items) => items.iter().map(|item| size_of::<Value>() + width(item, depth - 1)).sum(),
        Value::Object(map) => {
            map.iter().map(|(key, value)| key.len() + size_of::<(String, Value)>() + width(value, depth - 1)).sum()
        }
    }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

/// Of numbers that `serde_json` keeps with all of their digits: whether 64 bits do so as well.
fn holds_floats_of_64_bits(value: &Value) -> bool {
    match value {
        Value::Number(number) => exact::is_exact(number.to_string().as_bytes()),
        Value::Array(items) => items.iter().all(holds_floats_of_64_bits),
        Value::Object(map) => map.values().all(holds_floats_of_64_bits),
        _ => true,
    }
}

#[cfg(feature = "mysql")]
mod mysql {
    use diesel::mysql::{Mysql, MysqlType, MysqlValue};

    use super::*;
    use crate::backend::mysql::value;

    /// The text of a document.
    pub(super) fn document<'a>(value: &MysqlValue<'a>) -> deserialize::Result<&'a [u8]> {
        value::expect(value, &[MysqlType::String, MysqlType::Blob], "JSON")?;
        Ok(value.as_bytes())
    }

    impl Decode<Mysql> for Value {
        fn decode(value: MysqlValue<'_>) -> deserialize::Result<Self> {
            read(document(&value)?)
        }
    }
    impl ToSql<sql_types::Json, Mysql> for Value {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Mysql>) -> serialize::Result {
            check_depth(self, BackendKind::Mysql)?;
            serde_json::to_writer(out, self)?;
            Ok(serialize::IsNull::No)
        }
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use std::io::Write;

    use diesel::pg::{Pg, PgValue};

    use super::*;
    use crate::backend::postgres::value;

    /// The text of a document.
    pub(super) fn document<'a>(value: PgValue<'a>) -> deserialize::Result<&'a [u8]> {
        value::expect(&value, &[value::JSON, value::JSONB], "JSON")?;
        let is_binary = value.get_oid().get() == value::JSONB;
        match value.as_bytes() {
            // `jsonb_send` writes its version, 1, before the text.
            [1, text @ ..] if is_binary => Ok(text),
            _ if is_binary => Err("this version of JSONB is not known".into()),
            text => Ok(text),
        }
    }

    impl Decode<Pg> for Value {
        fn decode(value: PgValue<'_>) -> deserialize::Result<Self> {
            read(document(value)?)
        }
    }
    impl ToSql<sql_types::Json, Pg> for Value {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            check_depth(self, BackendKind::Postgres)?;
            out.write_all(&[1])?;
            serde_json::to_writer(out, self)?;
            Ok(serialize::IsNull::No)
        }
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use diesel::sqlite::{Sqlite, SqliteValue};

    use super::*;
    use crate::backend::sqlite::value;

    impl Decode<Sqlite> for Value {
        fn decode(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            read(value::text(value)?.as_bytes())
        }
    }
    impl ToSql<sql_types::Json, Sqlite> for Value {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            check_depth(self, BackendKind::Sqlite)?;
            out.set_value(self.to_string());
            Ok(serialize::IsNull::No)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> Value {
        (0..depth).fold(Value::Null, |inner, at| {
            if at % 2 == 0 { Value::Array(vec![inner]) } else { serde_json::json!({ "a": inner }) }
        })
    }

    #[test]
    fn what_can_be_stored_can_be_read() {
        for backend in [BackendKind::Postgres, BackendKind::Mysql, BackendKind::Sqlite] {
            let greatest = greatest_depth(backend);
            let deepest = nested(greatest);
            assert!(deepest.validate(backend).is_ok());
            assert_eq!(read(deepest.to_string().as_bytes()).ok(), Some(deepest));
            let error = nested(greatest + 1).validate(backend).expect_err("too deep").to_string();
            assert!(error.contains(&format!("more than {greatest} objects and arrays")), "{error}");
        }
        assert!(read(nested(READABLE_DEPTH + 1).to_string().as_bytes()).is_err());
    }

    #[test]
    fn a_very_deep_document_is_refused_without_walking_through_it() {
        let deep = (0..3_000).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        assert!(deep.validate(BackendKind::Sqlite).is_err());
        assert!(deep.width() > 0);
    }
}
