//! Exact decimals: `NUMERIC` on PostgreSQL; on SQLite text, compared as numbers by a collation.

use bigdecimal::BigDecimal;
use diesel::{
    deserialize,
    serialize::{self, Output, ToSql},
};

use super::{Decode, FieldType};
use crate::sql_types;

impl FieldType for BigDecimal {
    type SqlType = sql_types::Decimal;

    fn width(&self) -> usize {
        usize::try_from(self.digits() / 2).unwrap_or(usize::MAX)
    }
}

super::diesel_reads!(BigDecimal: sql_types::Decimal);

/// The order of the collation `orm_decimal`: numbers by value, then whatever is not a number as text.
#[cfg(feature = "sqlite")]
pub(crate) fn compare_text(a: &str, b: &str) -> std::cmp::Ordering {
    match (a.parse::<BigDecimal>(), b.parse::<BigDecimal>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        (Ok(_), Err(_)) => std::cmp::Ordering::Less,
        (Err(_), Ok(_)) => std::cmp::Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use diesel::{
        deserialize::FromSql,
        pg::{Pg, PgValue},
        sql_types::Numeric,
    };

    use super::*;
    use crate::backend::postgres::value;

    impl Decode<Pg> for BigDecimal {
        fn decode(value: PgValue<'_>) -> deserialize::Result<Self> {
            value::expect(&value, &[value::NUMERIC], "a NUMERIC")?;
            FromSql::<Numeric, Pg>::from_sql(value)
        }
    }
    impl ToSql<sql_types::Decimal, Pg> for BigDecimal {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            ToSql::<Numeric, Pg>::to_sql(self, out)
        }
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use diesel::sqlite::{Sqlite, SqliteType, SqliteValue};

    use super::*;
    use crate::backend::sqlite::value;

    impl Decode<Sqlite> for BigDecimal {
        /// Text, as it is written here; also an integer, which other programs may have written.
        fn decode(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            if value.value_type() == Some(SqliteType::Long) {
                return Ok(value::integer(value)?.into());
            }
            Ok(value::text(value)?.parse()?)
        }
    }
    impl ToSql<sql_types::Decimal, Sqlite> for BigDecimal {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            // `Display` writes very large and very small exponents in scientific form, which reads back.
            out.set_value(self.to_string());
            Ok(serialize::IsNull::No)
        }
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use std::cmp::Ordering;

    use super::compare_text;

    #[test]
    fn decimals_are_ordered_by_value() {
        assert_eq!(compare_text("9", "10"), Ordering::Less);
        assert_eq!(compare_text("-9", "-10"), Ordering::Greater);
        assert_eq!(compare_text("1.0", "1.00"), Ordering::Equal);
        assert_eq!(compare_text("10", "x"), Ordering::Less);
    }
}
