//! UUIDs: a type of their own on PostgreSQL and 16 bytes elsewhere, or text where the column is one.
//!
//! A field reads the one form that it writes and compares with, and refuses the others: a UUID that was read from text
//! would not be found by the 16 bytes that a condition sends.

use diesel::{
    deserialize,
    serialize::{self, Output, ToSql},
};
use uuid::{
    Uuid,
    fmt::{Hyphenated, Simple},
};

use super::{Decode, FieldType};
use crate::{
    error::BoxError,
    sql_types::{self, UuidSimple, UuidText},
};

impl FieldType for Uuid {
    type SqlType = sql_types::Uuid;
}
super::diesel_reads!(Uuid: sql_types::Uuid);

/// Why a plain `Uuid` field does not read text.
const KEPT_AS_TEXT: &str = "a `Uuid` field is compared as 16 bytes and would not find it; give the field \
     `#[model(sql_type = orm_core::sql_types::UuidText)]` for text of 36 characters and for MariaDB's `UUID`, or `UuidSimple` \
     for 32 hexadecimal digits";

/// How a UUID is spelled in a column of text.
trait Spelling {
    const NAME: &'static str;
    const LENGTH: usize;
    fn encode<'b>(uuid: &Uuid, buffer: &'b mut [u8; Hyphenated::LENGTH]) -> &'b str;
}

impl Spelling for UuidText {
    const NAME: &'static str = "36 characters, with hyphens, in lower case";
    const LENGTH: usize = Hyphenated::LENGTH;
    fn encode<'b>(uuid: &Uuid, buffer: &'b mut [u8; Hyphenated::LENGTH]) -> &'b str {
        uuid.as_hyphenated().encode_lower(buffer)
    }
}

impl Spelling for UuidSimple {
    const NAME: &'static str = "32 hexadecimal digits in lower case";
    const LENGTH: usize = Simple::LENGTH;
    fn encode<'b>(uuid: &Uuid, buffer: &'b mut [u8; Hyphenated::LENGTH]) -> &'b str {
        uuid.as_simple().encode_lower(buffer)
    }
}

/// Reads the one spelling that conditions are written with.
fn read<S: Spelling>(text: &str) -> Result<Uuid, BoxError> {
    let spelled = |uuid: &Uuid| text.len() == S::LENGTH && S::encode(uuid, &mut [0; Hyphenated::LENGTH]) == text;
    match Uuid::try_parse(text) {
        Ok(uuid) if spelled(&uuid) => Ok(uuid),
        Ok(_) => Err(format!(
            "the column holds `{text}`, a UUID that is not spelled as {}, so that no condition would find it; update the \
             column to that spelling, or name the other type, `UuidText` or `UuidSimple`, by `sql_type`",
            S::NAME
        )
        .into()),
        Err(_) => Err(format!("the column holds text that is not a UUID of {}", S::NAME).into()),
    }
}

/// Reading and writing of the SQL types that keep UUIDs as text.
macro_rules! as_text {
    ($($sql:ident)*) => { $(
        #[cfg(feature = "mysql")]
        impl deserialize::FromSql<$sql, diesel::mysql::Mysql> for Uuid {
            fn from_sql(value: diesel::mysql::MysqlValue<'_>) -> deserialize::Result<Self> {
                read::<$sql>(crate::backend::mysql::value::text(&value)?)
            }
        }
        #[cfg(feature = "mysql")]
        impl ToSql<$sql, diesel::mysql::Mysql> for Uuid {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, diesel::mysql::Mysql>) -> serialize::Result {
                std::io::Write::write_all(out, <$sql>::encode(self, &mut [0; Hyphenated::LENGTH]).as_bytes())?;
                Ok(serialize::IsNull::No)
            }
        }
        #[cfg(feature = "postgres")]
        impl deserialize::FromSql<$sql, diesel::pg::Pg> for Uuid {
            fn from_sql(value: diesel::pg::PgValue<'_>) -> deserialize::Result<Self> {
                read::<$sql>(crate::backend::postgres::value::text(value)?)
            }
        }
        #[cfg(feature = "postgres")]
        impl ToSql<$sql, diesel::pg::Pg> for Uuid {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, diesel::pg::Pg>) -> serialize::Result {
                std::io::Write::write_all(out, <$sql>::encode(self, &mut [0; Hyphenated::LENGTH]).as_bytes())?;
                Ok(serialize::IsNull::No)
            }
        }
        #[cfg(feature = "sqlite")]
        impl deserialize::FromSql<$sql, diesel::sqlite::Sqlite> for Uuid {
            fn from_sql(value: diesel::sqlite::SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
                read::<$sql>(&crate::backend::sqlite::value::text(value)?)
            }
        }
        #[cfg(feature = "sqlite")]
        impl ToSql<$sql, diesel::sqlite::Sqlite> for Uuid {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, diesel::sqlite::Sqlite>) -> serialize::Result {
                out.set_value(<$sql>::encode(self, &mut [0; Hyphenated::LENGTH]).to_owned());
                Ok(serialize::IsNull::No)
            }
        }
    )* };
}
as_text! { UuidText UuidSimple }

#[cfg(feature = "mysql")]
mod mysql {
    use std::io::Write;

    use diesel::mysql::{Mysql, MysqlType, MysqlValue};

    use super::*;
    use crate::backend::mysql::value;

    impl Decode<Mysql> for Uuid {
        fn decode(value: MysqlValue<'_>) -> deserialize::Result<Self> {
            if value.value_type() == MysqlType::String {
                return Err(format!("the column is of type text (or `UUID`), not BINARY(16); {KEPT_AS_TEXT}").into());
            }
            value::expect(&value, &[MysqlType::Blob], "a UUID (BINARY(16))")?;
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
            if value.get_oid().get() != value::UUID && value::text(value).is_ok() {
                return Err(format!("the column is of type text, not uuid; {KEPT_AS_TEXT}").into());
            }
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
        fn decode(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            if value.value_type() == Some(SqliteType::Text) {
                return Err(format!("the column holds text, not a BLOB of 16 bytes; {KEPT_AS_TEXT}").into());
            }
            value::expect(&value, SqliteType::Binary, "a UUID (a BLOB of 16 bytes)")?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_in_one_spelling_only() {
        let uuid = Uuid::from_u128(0x6f96_19ff_8b86_d011_b42d_00c0_4fc9_64ff);
        let (text, simple) = ("6f9619ff-8b86-d011-b42d-00c04fc964ff", "6f9619ff8b86d011b42d00c04fc964ff");
        assert_eq!(read::<UuidText>(text).ok(), Some(uuid));
        assert_eq!(read::<UuidSimple>(simple).ok(), Some(uuid));
        for other in [simple, &text.to_uppercase(), &format!("{{{text}}}"), &format!("urn:uuid:{text}")] {
            let error = read::<UuidText>(other).expect_err("another spelling").to_string();
            assert!(error.contains(other) && error.contains("with hyphens, in lower case"), "{error}");
        }
        assert!(read::<UuidSimple>(text).is_err() && read::<UuidSimple>(&simple.to_uppercase()).is_err());
        for none in ["", "abc", &format!("{text} "), &simple[1..]] {
            let error = read::<UuidText>(none).expect_err("not a UUID").to_string();
            assert!(error.contains("not a UUID of 36 characters"), "{error}");
        }
    }
}
