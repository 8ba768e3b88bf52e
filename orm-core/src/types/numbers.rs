//! Floats and booleans.

use diesel::{
    deserialize,
    sql_types::{Bool, Double, Float},
};

use super::{Decode, FieldType};
use crate::{backend::BackendKind, error::BoxError};

impl FieldType for f64 {
    type SqlType = Double;

    fn validate(&self, backend: BackendKind) -> Result<(), BoxError> {
        storable(backend, *self)
    }
}

impl FieldType for f32 {
    type SqlType = Float;

    fn validate(&self, backend: BackendKind) -> Result<(), BoxError> {
        storable(backend, f64::from(*self))
    }
}

impl FieldType for bool {
    type SqlType = Bool;
}

/// SQLite turns NaN into NULL without a word; MySQL knows neither NaN nor infinities.
fn storable(backend: BackendKind, float: f64) -> Result<(), BoxError> {
    match backend {
        BackendKind::Sqlite if float.is_nan() => Err("SQLite cannot store NaN; use an `Option` and `None`".into()),
        BackendKind::Mysql if !float.is_finite() => {
            Err("MySQL cannot store NaN or an infinity; use an `Option` and `None`".into())
        }
        _ => Ok(()),
    }
}

/// The same number as an `f32`, if there is one.
#[allow(clippy::cast_possible_truncation)] // checked right after
fn exact(wide: f64) -> deserialize::Result<f32> {
    let narrow = wide as f32;
    if f64::from(narrow) == wide || wide.is_nan() {
        Ok(narrow)
    } else {
        Err(format!("the column holds {wide}, which `f32` cannot hold exactly; use `f64`").into())
    }
}

#[cfg(feature = "mysql")]
mod mysql {
    use diesel::mysql::{Mysql, MysqlValue};

    use super::{Decode, deserialize, exact};
    use crate::backend::mysql::value;

    impl Decode<Mysql> for f64 {
        #[inline]
        fn decode(value: MysqlValue<'_>) -> deserialize::Result<Self> {
            value::float(&value)
        }
    }
    impl Decode<Mysql> for f32 {
        #[inline]
        fn decode(value: MysqlValue<'_>) -> deserialize::Result<Self> {
            exact(value::float(&value)?)
        }
    }
    impl Decode<Mysql> for bool {
        #[inline]
        fn decode(value: MysqlValue<'_>) -> deserialize::Result<Self> {
            value::boolean(&value)
        }
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use diesel::pg::{Pg, PgValue};

    use super::{Decode, deserialize, exact};
    use crate::backend::postgres::value;

    impl Decode<Pg> for f64 {
        #[inline]
        fn decode(value: PgValue<'_>) -> deserialize::Result<Self> {
            value::float(value)
        }
    }
    impl Decode<Pg> for f32 {
        #[inline]
        fn decode(value: PgValue<'_>) -> deserialize::Result<Self> {
            exact(value::float(value)?)
        }
    }
    impl Decode<Pg> for bool {
        #[inline]
        fn decode(value: PgValue<'_>) -> deserialize::Result<Self> {
            value::boolean(value)
        }
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use diesel::sqlite::{Sqlite, SqliteValue};

    use super::{Decode, deserialize, exact};
    use crate::backend::sqlite::value;

    impl Decode<Sqlite> for f64 {
        #[inline]
        fn decode(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            value::float(value)
        }
    }
    impl Decode<Sqlite> for f32 {
        #[inline]
        fn decode(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            exact(value::float(value)?)
        }
    }
    impl Decode<Sqlite> for bool {
        #[inline]
        fn decode(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            match value::integer(value)? {
                0 => Ok(false),
                1 => Ok(true),
                other => Err(format!("the column holds {other}, and only 0 and 1 are booleans").into()),
            }
        }
    }
}
