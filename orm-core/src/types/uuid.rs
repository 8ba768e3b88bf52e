//! UUIDs: PostgreSQL's own type, 16 bytes elsewhere.

use diesel::{
    deserialize,
    serialize::{self, Output, ToSql},
};
use uuid::Uuid;

use super::{Decode, FieldType};
use crate::sql_types;

impl FieldType for Uuid {
    type SqlType = sql_types::Uuid;
}
super::diesel_reads!(Uuid: sql_types::Uuid);

#[cfg(feature = "mysql")]
mod mysql {
    use std::io::Write;

    use diesel::mysql::{Mysql, MysqlType, MysqlValue};

    use super::*;
    use crate::backend::mysql::value;

    impl Decode<Mysql> for Uuid {
        /// Also reads the usual text forms, which other programs write.
        fn decode(value: MysqlValue<'_>) -> deserialize::Result<Self> {
            if value.value_type() == MysqlType::String {
                return Ok(Uuid::try_parse(value::text(&value)?)?);
            }
            value::expect(&value, &[MysqlType::Blob], "a UUID (BINARY(16), or text)")?;
            Ok(Uuid::from_slice(value.as_bytes())?)
        }
    }
    impl ToSql<sql_types::Uuid, Mysql> for Uuid {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Mysql>) -> serialize::Result {
            out.write_all(self.as_bytes())?;
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

    impl Decode<Pg> for Uuid {
        fn decode(value: PgValue<'_>) -> deserialize::Result<Self> {
            value::expect(&value, &[value::UUID], "a UUID")?;
            Ok(Uuid::from_slice(value.as_bytes())?)
        }
    }
    impl ToSql<sql_types::Uuid, Pg> for Uuid {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            out.write_all(self.as_bytes())?;
            Ok(serialize::IsNull::No)
        }
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use diesel::sqlite::{Sqlite, SqliteType, SqliteValue};

    use super::*;
    use crate::backend::sqlite::value;

    impl Decode<Sqlite> for Uuid {
        /// Also reads the usual text forms, which other programs write.
        fn decode(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            if value.value_type() == Some(SqliteType::Text) {
                return Ok(Uuid::try_parse(&value::text(value)?)?);
            }
            value::expect(&value, SqliteType::Binary, "a UUID (a BLOB of 16 bytes, or text)")?;
            Ok(Uuid::from_slice(value.read_blob())?)
        }
    }
    impl ToSql<sql_types::Uuid, Sqlite> for Uuid {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            out.set_value(self.as_bytes().as_slice());
            Ok(serialize::IsNull::No)
        }
    }
}
