//! JSON documents: `JSONB` on PostgreSQL, `JSON` on MySQL, text elsewhere.

use diesel::{
    deserialize,
    serialize::{self, Output, ToSql},
};
use serde_json::Value;

use super::{Decode, FieldType};
use crate::{backend::BackendKind, error::BoxError, sql_types};

impl FieldType for Value {
    type SqlType = sql_types::Json;

    fn width(&self) -> usize {
        match self {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(|item| size_of::<Value>() + item.width()).sum(),
            Value::Object(map) => map.iter().map(|(k, v)| k.len() + size_of::<(String, Value)>() + v.width()).sum(),
        }
    }

    #[cfg(feature = "sqlite")]
    fn is_convertible(&self) -> bool {
        self.is_number()
    }

    fn validate(&self, backend: BackendKind) -> Result<(), BoxError> {
        if backend == BackendKind::Postgres && holds_nul(self) {
            return Err("PostgreSQL's JSONB cannot hold the character NUL".into());
        }
        Ok(())
    }
}

super::diesel_reads!(Value: sql_types::Json);

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

#[cfg(feature = "mysql")]
mod mysql {
    use diesel::mysql::{Mysql, MysqlType, MysqlValue};

    use super::*;
    use crate::backend::mysql::value;

    impl Decode<Mysql> for Value {
        fn decode(value: MysqlValue<'_>) -> deserialize::Result<Self> {
            value::expect(&value, &[MysqlType::String, MysqlType::Blob], "JSON")?;
            Ok(serde_json::from_slice(value.as_bytes())?)
        }
    }
    impl ToSql<sql_types::Json, Mysql> for Value {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Mysql>) -> serialize::Result {
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

    impl Decode<Pg> for Value {
        fn decode(value: PgValue<'_>) -> deserialize::Result<Self> {
            value::expect(&value, &[value::JSON, value::JSONB], "JSON")?;
            let mut bytes = value.as_bytes();
            if value.get_oid().get() == value::JSONB {
                // `jsonb_send` writes its version, 1, before the text.
                bytes = match bytes {
                    [1, text @ ..] => text,
                    _ => return Err("this version of JSONB is not known".into()),
                };
            }
            Ok(serde_json::from_slice(bytes)?)
        }
    }
    impl ToSql<sql_types::Json, Pg> for Value {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
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
            Ok(serde_json::from_str(&value::text(value)?)?)
        }
    }
    impl ToSql<sql_types::Json, Sqlite> for Value {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            out.set_value(self.to_string());
            Ok(serialize::IsNull::No)
        }
    }
}
