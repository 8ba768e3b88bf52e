//! JSON documents as text.

use std::{fmt, str::FromStr};

use diesel::{
    deserialize,
    serialize::{self, Output, ToSql},
};
use serde_json::Value;

use super::{canonical::canonical, greatest_depth, too_deep};
use crate::{
    backend::BackendKind,
    error::{BoxError, Error, ErrorKind},
    sql_types,
    types::{Decode, FieldType, operand},
};

/// What the errors about a `serde_json::Value` propose.
pub(super) const ALTERNATIVE: &str = "make the field an `orm_core::types::JsonText`, which keeps the document's text";

/// A JSON document as its text: a field type for documents that a `serde_json::Value` does not keep whole, such as those with
/// numbers of more than 64 bits.
///
/// It has the SQL type of `serde_json::Value`, so its columns are the same. MariaDB and SQLite keep the text as it is;
/// PostgreSQL's `JSONB` and MySQL's `JSON` keep what it says, and MySQL rounds numbers to 64 bits.
///
/// Two `JsonText`s are equal in Rust where their texts are.
///
/// ```
/// # use orm_core::{prelude::*, types::JsonText};
/// #[derive(Model)]
/// struct Payment {
///     #[model(primary_key)]
///     id: i64,
///     details: JsonText,
/// }
///
/// let db = orm_core::connect("sqlite::memory:")?;
/// db.create_tables::<(Payment,)>()?;
/// let details: JsonText = r#"{"amount": 0.1234567890123456789}"#.parse()?;
/// Payment::bulk_create(&db, [Payment { id: 1, details: details.clone() }])?;
/// assert_eq!(Payment::objects(&db).get()?.details, details);
/// # Ok::<(), orm_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JsonText(String);

impl JsonText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, as a `String`.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl FromStr for JsonText {
    type Err = Error;

    /// Takes the text of a document.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidValue`] if it is not JSON, or has more than 127 objects and arrays within each other.
    fn from_str(text: &str) -> Result<Self, Error> {
        match canonical(text) {
            Ok(_) => Ok(JsonText(text.to_owned())),
            Err(_) => Err(Error::new(
                ErrorKind::InvalidValue,
                "the text is not a JSON document with at most 127 objects and arrays within each other",
            )),
        }
    }
}

impl TryFrom<&Value> for JsonText {
    type Error = Error;

    /// The text of a value.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidValue`] if it has more than 127 objects and arrays within each other.
    fn try_from(value: &Value) -> Result<Self, Error> {
        // A deeper value must not even be written as text.
        super::check_depth(value, BackendKind::Sqlite)
            .map_err(|error| Error::new(ErrorKind::InvalidValue, error.to_string()))?;
        Ok(JsonText(value.to_string()))
    }
}

impl fmt::Display for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for JsonText {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FieldType for JsonText {
    type SqlType = sql_types::Json;

    fn width(&self) -> usize {
        self.0.len()
    }

    #[cfg(feature = "sqlite")]
    fn is_convertible(&self) -> bool {
        crate::backend::sqlite::affinity::is_convertible(&self.0)
    }

    fn validate(&self, backend: BackendKind) -> Result<(), BoxError> {
        let greatest = greatest_depth(backend);
        if depth(&self.0) > greatest {
            return Err(too_deep(greatest));
        }
        if backend == BackendKind::Postgres && holds_nul(&self.0) {
            return Err("PostgreSQL's JSONB cannot hold the character NUL".into());
        }
        Ok(())
    }
}

operand!(JsonText => sql_types::Json);

/// Takes what a server or a file holds: it may be deeper than what is written here.
fn read(text: &[u8]) -> deserialize::Result<JsonText> {
    Ok(JsonText(std::str::from_utf8(text)?.to_owned()))
}

/// The tokens of a document's structure, without what stands in strings.
fn structure(text: &str) -> impl Iterator<Item = u8> {
    let (mut in_string, mut is_escaped) = (false, false);
    text.bytes().filter(move |byte| {
        let was_in_string = in_string;
        if is_escaped {
            is_escaped = false;
        } else if in_string && *byte == b'\\' {
            is_escaped = true;
        } else if *byte == b'"' {
            in_string = !in_string;
        }
        !was_in_string
    })
}

/// How many objects and arrays stand within each other.
fn depth(text: &str) -> usize {
    let (mut depth, mut greatest) = (0_usize, 0);
    for token in structure(text) {
        match token {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        greatest = greatest.max(depth);
    }
    greatest
}

/// Whether a string has the character NUL, which JSON writes as an escape.
fn holds_nul(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'\\' && bytes.next() == Some(b'u') && bytes.clone().take(4).eq(*b"0000") {
            return true;
        }
    }
    false
}

#[cfg(feature = "mysql")]
mod mysql {
    use std::io::Write;

    use diesel::mysql::{Mysql, MysqlValue};

    use super::*;

    impl Decode<Mysql> for JsonText {
        fn decode(value: MysqlValue<'_>) -> deserialize::Result<Self> {
            read(super::super::mysql::document(&value)?)
        }
    }
    impl ToSql<sql_types::Json, Mysql> for JsonText {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Mysql>) -> serialize::Result {
            self.validate(BackendKind::Mysql)?;
            out.write_all(self.0.as_bytes())?;
            Ok(serialize::IsNull::No)
        }
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use std::io::Write;

    use diesel::pg::{Pg, PgValue};

    use super::*;

    impl Decode<Pg> for JsonText {
        fn decode(value: PgValue<'_>) -> deserialize::Result<Self> {
            read(super::super::postgres::document(value)?)
        }
    }
    impl ToSql<sql_types::Json, Pg> for JsonText {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            self.validate(BackendKind::Postgres)?;
            out.write_all(&[1])?;
            out.write_all(self.0.as_bytes())?;
            Ok(serialize::IsNull::No)
        }
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use diesel::sqlite::{Sqlite, SqliteValue};

    use super::*;
    use crate::backend::sqlite::value;

    impl Decode<Sqlite> for JsonText {
        fn decode(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            read(value::text(value)?.as_bytes())
        }
    }
    impl ToSql<sql_types::Json, Sqlite> for JsonText {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            self.validate(BackendKind::Sqlite)?;
            out.set_value(self.0.as_str());
            Ok(serialize::IsNull::No)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_documents_are_taken() {
        let text = r#" {"a": 12345678901234567890123, "a": "\u0041"} "#;
        assert_eq!(text.parse::<JsonText>().map(JsonText::into_string).ok().as_deref(), Some(text));
        let error = "{".parse::<JsonText>().expect_err("not JSON");
        assert_eq!(error.kind(), ErrorKind::InvalidValue);
        let deep = (0..3_000).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        assert!(JsonText::try_from(&deep).is_err());
        assert_eq!(JsonText::try_from(&serde_json::json!([1])).map(JsonText::into_string).ok().as_deref(), Some("[1]"));
    }

    #[test]
    fn depth_and_nul_are_seen_outside_and_inside_of_strings() {
        assert_eq!(depth(r#"[{"[[[": "{\"[["}, [[]]]"#), 3);
        assert_eq!(depth("1"), 0);
        assert!(holds_nul(r#"{"a": "\\\u0000"}"#) && holds_nul(r#"["x\u0000"]"#));
        assert!(!holds_nul(r#"["\\u0000", "\u0001", "u0000"]"#));
    }
}
