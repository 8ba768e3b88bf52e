//! Strings and bytes.

use diesel::{
    deserialize,
    sql_types::{Binary, Text},
};

use super::{Decode, FieldType};
use crate::{backend::BackendKind, error::BoxError};

impl FieldType for String {
    type SqlType = Text;

    fn width(&self) -> usize {
        self.len()
    }
    #[cfg(feature = "sqlite")]
    fn is_convertible(&self) -> bool {
        crate::backend::sqlite::affinity::is_convertible(self)
    }
    fn validate(&self, backend: BackendKind) -> Result<(), BoxError> {
        if backend == BackendKind::Postgres && self.contains('\0') {
            return Err("PostgreSQL's text cannot hold the character NUL; remove it, or use `Vec<u8>`".into());
        }
        Ok(())
    }
}

impl FieldType for Vec<u8> {
    type SqlType = Binary;

    fn width(&self) -> usize {
        self.len()
    }
}

#[cfg(feature = "mysql")]
mod mysql {
    use diesel::mysql::{Mysql, MysqlValue};

    use super::{Decode, deserialize};
    use crate::backend::mysql::value;

    impl Decode<Mysql> for String {
        #[inline]
        fn decode(value: MysqlValue<'_>) -> deserialize::Result<Self> {
            value::text(&value).map(str::to_owned)
        }
    }
    impl Decode<Mysql> for Vec<u8> {
        #[inline]
        fn decode(value: MysqlValue<'_>) -> deserialize::Result<Self> {
            value::bytes(&value).map(<[u8]>::to_vec)
        }
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use diesel::pg::{Pg, PgValue};

    use super::{Decode, deserialize};
    use crate::backend::postgres::value;

    impl Decode<Pg> for String {
        #[inline]
        fn decode(value: PgValue<'_>) -> deserialize::Result<Self> {
            value::text(value).map(str::to_owned)
        }
    }
    impl Decode<Pg> for Vec<u8> {
        #[inline]
        fn decode(value: PgValue<'_>) -> deserialize::Result<Self> {
            value::bytes(value).map(<[u8]>::to_vec)
        }
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use diesel::sqlite::{Sqlite, SqliteValue};

    use super::{Decode, deserialize};
    use crate::backend::sqlite::value;

    impl Decode<Sqlite> for String {
        #[inline]
        fn decode(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            value::text(value)
        }
    }
    impl Decode<Sqlite> for Vec<u8> {
        #[inline]
        fn decode(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            value::expect(&value, value::SqliteType::Binary, "a BLOB")?;
            Ok(value.read_blob().to_vec())
        }
    }
}
