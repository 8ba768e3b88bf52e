//! Reading SQLite's values, strictly: SQLite lets any value stand in any column, and converts it when asked.

use diesel::{
    deserialize::{FromSql, Result},
    sql_types::Text,
    sqlite::{Sqlite, SqliteValue},
};

pub(crate) use diesel::sqlite::SqliteType;

/// Refuses a value of another storage class.
#[inline]
pub(crate) fn expect(value: &SqliteValue<'_, '_, '_>, class: SqliteType, what: &str) -> Result<()> {
    let found = value.value_type();
    if found == Some(class) { Ok(()) } else { Err(mismatch(found, what)) }
}

#[cold]
fn mismatch(found: Option<SqliteType>, what: &str) -> Box<dyn std::error::Error + Send + Sync> {
    let found = match found {
        Some(SqliteType::Text) => "text",
        Some(SqliteType::Binary) => "a BLOB",
        Some(SqliteType::Float | SqliteType::Double) => "a float",
        Some(SqliteType::SmallInt | SqliteType::Integer | SqliteType::Long) => "an integer",
        None => "NULL",
    };
    format!("the column holds {found}, not {what}").into()
}

#[inline]
pub(crate) fn integer(mut value: SqliteValue<'_, '_, '_>) -> Result<i64> {
    expect(&value, SqliteType::Long, "an integer")?;
    Ok(value.read_long())
}

#[inline]
pub(crate) fn float(mut value: SqliteValue<'_, '_, '_>) -> Result<f64> {
    match value.value_type() {
        Some(SqliteType::Double) => Ok(value.read_double()),
        // A column without REAL affinity keeps 2.0 as the integer 2.
        Some(SqliteType::Long) => exact(value.read_long()),
        other => Err(mismatch(other, "a float")),
    }
}

/// The same number as an `f64`, if there is one.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // checked right after
fn exact(integer: i64) -> Result<f64> {
    let float = integer as f64;
    if float as i128 == i128::from(integer) {
        Ok(float)
    } else {
        Err(format!("the column holds {integer}, which `f64` cannot hold exactly").into())
    }
}

#[inline]
pub(crate) fn text(value: SqliteValue<'_, '_, '_>) -> Result<String> {
    expect(&value, SqliteType::Text, "text")?;
    FromSql::<Text, Sqlite>::from_sql(value)
}

/// An integer or text, as text.
pub(crate) fn as_text(mut value: SqliteValue<'_, '_, '_>) -> Result<String> {
    match value.value_type() {
        Some(SqliteType::Long) => Ok(value.read_long().to_string()),
        _ => text(value),
    }
}

#[cfg(test)]
mod tests {
    use super::exact;

    #[test]
    fn an_integer_is_a_float_only_where_none_of_it_is_lost() {
        assert_eq!(exact(1 << 53).ok(), Some(9_007_199_254_740_992.0));
        assert!(exact((1 << 53) + 1).is_err());
        assert!(exact(i64::MAX).is_err());
    }
}
