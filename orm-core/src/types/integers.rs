//! Integers of every width, signed and unsigned.

use diesel::{
    deserialize,
    serialize::{self, Output, ToSql},
    sql_types::{BigInt, Integer, SmallInt},
};

use super::{Decode, FieldType};
use crate::{
    backend::BackendKind,
    error::BoxError,
    sql_types::{I8, U8, U16, U32, U64},
};

/// Diesel's own integer types: only reading is ours, because it has to be strict.
macro_rules! standard {
    ($($rust:ident => $sql:ident;)*) => { $(
        impl FieldType for $rust {
            type SqlType = $sql;
        }
        decode!($rust);
    )* };
}

/// The types that Diesel has on some backends only: kept in the next wider signed type.
macro_rules! portable {
    ($($rust:ident => $sql:ident in $wide:ident as $wide_sql:ident;)*) => { $(
        impl FieldType for $rust {
            type SqlType = $sql;
        }
        decode!($rust);
        written_as_signed!($rust => $sql in $wide as $wide_sql);

        #[cfg(feature = "mysql")]
        impl ToSql<$sql, diesel::mysql::Mysql> for $rust {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, diesel::mysql::Mysql>) -> serialize::Result {
                let wide = to_wide::<_, $wide>(*self)?;
                ToSql::<$wide_sql, diesel::mysql::Mysql>::to_sql(&wide, &mut out.reborrow())
            }
        }
    )* };
}

/// Writing of an unsigned integer on the backends that have signed ones only.
macro_rules! written_as_signed {
    ($rust:ident => $sql:ident in $wide:ident as $wide_sql:ident) => {
        crate::types::diesel_reads!($rust: $sql);

        #[cfg(feature = "postgres")]
        impl ToSql<$sql, diesel::pg::Pg> for $rust {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, diesel::pg::Pg>) -> serialize::Result {
                let wide = to_wide::<_, $wide>(*self)?;
                ToSql::<$wide_sql, diesel::pg::Pg>::to_sql(&wide, &mut out.reborrow())
            }
        }
        #[cfg(feature = "sqlite")]
        impl ToSql<$sql, diesel::sqlite::Sqlite> for $rust {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, diesel::sqlite::Sqlite>) -> serialize::Result {
                out.set_value(to_wide::<_, i64>(*self)?);
                Ok(serialize::IsNull::No)
            }
        }
    };
}

macro_rules! decode {
    ($rust:ident) => {
        #[cfg(feature = "mysql")]
        impl Decode<diesel::mysql::Mysql> for $rust {
            #[inline]
            fn decode(value: diesel::mysql::MysqlValue<'_>) -> deserialize::Result<Self> {
                narrow(crate::backend::mysql::value::integer(&value)?)
            }
        }
        #[cfg(feature = "postgres")]
        impl Decode<diesel::pg::Pg> for $rust {
            #[inline]
            fn decode(value: diesel::pg::PgValue<'_>) -> deserialize::Result<Self> {
                narrow(crate::backend::postgres::value::integer(value)?)
            }
        }
        #[cfg(feature = "sqlite")]
        impl Decode<diesel::sqlite::Sqlite> for $rust {
            #[inline]
            fn decode(value: diesel::sqlite::SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
                narrow(crate::backend::sqlite::value::integer(value)?)
            }
        }
    };
}

standard! {
    i16 => SmallInt;
    i32 => Integer;
    i64 => BigInt;
}
portable! {
    i8 => I8 in i16 as SmallInt;
    u8 => U8 in i16 as SmallInt;
    u16 => U16 in i32 as Integer;
    u32 => U32 in i64 as BigInt;
}

/// MySQL and MariaDB have a type for all of them, `BIGINT UNSIGNED`.
impl FieldType for u64 {
    type SqlType = U64;

    fn validate(&self, backend: BackendKind) -> Result<(), BoxError> {
        match backend {
            BackendKind::Mysql => Ok(()),
            BackendKind::Postgres | BackendKind::Sqlite => to_wide::<_, i64>(*self).map(|_| ()),
        }
    }
}
written_as_signed!(u64 => U64 in i64 as BigInt);

#[cfg(feature = "mysql")]
impl ToSql<U64, diesel::mysql::Mysql> for u64 {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, diesel::mysql::Mysql>) -> serialize::Result {
        std::io::Write::write_all(out, &self.to_ne_bytes())?;
        Ok(serialize::IsNull::No)
    }
}
#[cfg(feature = "mysql")]
impl Decode<diesel::mysql::Mysql> for u64 {
    #[inline]
    fn decode(value: diesel::mysql::MysqlValue<'_>) -> deserialize::Result<Self> {
        crate::backend::mysql::value::unsigned(&value)
    }
}
#[cfg(feature = "postgres")]
impl Decode<diesel::pg::Pg> for u64 {
    #[inline]
    fn decode(value: diesel::pg::PgValue<'_>) -> deserialize::Result<Self> {
        narrow(crate::backend::postgres::value::integer(value)?)
    }
}
#[cfg(feature = "sqlite")]
impl Decode<diesel::sqlite::Sqlite> for u64 {
    #[inline]
    fn decode(value: diesel::sqlite::SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        narrow(crate::backend::sqlite::value::integer(value)?)
    }
}

#[inline]
pub(crate) fn narrow<T: TryFrom<i64>>(value: i64) -> deserialize::Result<T> {
    T::try_from(value)
        .map_err(|_| format!("the column holds {value}, which does not fit `{}`", std::any::type_name::<T>()).into())
}

fn to_wide<T: Copy, W: TryFrom<T>>(value: T) -> Result<W, BoxError> {
    W::try_from(value).map_err(|_| {
        "a `u64` above 9223372036854775807 (`i64::MAX`) cannot be stored on PostgreSQL and SQLite; use `BigDecimal` for larger \
         numbers"
            .into()
    })
}
