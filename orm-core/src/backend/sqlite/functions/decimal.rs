//! Decimals, which are text here: computed as decimals, and never as floats.

use bigdecimal::{BigDecimal, RoundingMode};
use diesel::{
    QueryResult, SqliteConnection, deserialize,
    deserialize::{FromSql, Queryable},
    sql_types::{Integer, Nullable, Text},
    sqlite::{Sqlite, SqliteType, SqliteValue},
};

use super::Outcome;
use crate::types::Decode;

#[diesel::declare_sql_function]
extern "SQL" {
    #[sql_name = "orm_exact"]
    fn exact(value: Nullable<Text>) -> Nullable<Text>;
    #[sql_name = "orm_decimal"]
    fn decimal_of_two(operator: Text, left: Nullable<Text>, right: Nullable<Text>) -> Nullable<Text>;
    #[sql_name = "orm_decimal_abs"]
    fn decimal_abs(value: Nullable<Text>) -> Nullable<Text>;
    #[sql_name = "orm_decimal_round"]
    fn decimal_round(mode: Text, value: Nullable<Text>, digits: Integer) -> Nullable<Text>;
}

/// A decimal as an argument, read as a column is: the text of ours, or a number of another program's column.
// What it is not is reported by the function: Diesel reports of an argument that it could not be read, and not why.
#[derive(Debug)]
struct Number(Result<BigDecimal, String>);

impl FromSql<Text, Sqlite> for Number {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Number(Decode::<Sqlite>::decode(value).map_err(|error| error.to_string())))
    }
}

impl Queryable<Text, Sqlite> for Number {
    type Row = Self;
    fn build(row: Self) -> deserialize::Result<Self> {
        Ok(row)
    }
}

/// A decimal as text: what is text already stays as it is.
#[derive(Debug)]
struct Exact(Result<String, String>);

impl FromSql<Text, Sqlite> for Exact {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Exact(match value.value_type() {
            Some(SqliteType::Text) => Ok(value.read_text().to_owned()),
            _ => Number::from_sql(value)?.0.map(|number| number.to_string()),
        }))
    }
}

impl Queryable<Text, Sqlite> for Exact {
    type Row = Self;
    fn build(row: Self) -> deserialize::Result<Self> {
        Ok(row)
    }
}

pub(super) fn register(connection: &mut SqliteConnection) -> QueryResult<()> {
    exact_utils::register_impl(connection, |value: Option<Exact>| Outcome(value.map(|value| value.0).transpose()))?;
    decimal_of_two_utils::register_impl(
        connection,
        |operator: String, left: Option<Number>, right: Option<Number>| {
            let (Some(left), Some(right)) = (left, right) else { return Outcome(Ok(None)) };
            Outcome((|| compute(&operator, &left.0?, &right.0?).map(Some))())
        },
    )?;
    decimal_abs_utils::register_impl(connection, |value: Option<Number>| {
        Outcome(value.map(|value| Ok(value.0?.abs().to_string())).transpose())
    })?;
    decimal_round_utils::register_impl(connection, |mode: String, value: Option<Number>, digits: i32| {
        Outcome(value.map(|value| Ok(round(&mode, &value.0?, digits.into()).to_string())).transpose())
    })
}

fn compute(operator: &str, left: &BigDecimal, right: &BigDecimal) -> Result<String, String> {
    let result = match operator {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        other => return Err(format!("decimals have no operator `{other}`")),
    };
    Ok(result.to_string())
}

fn round(mode: &str, value: &BigDecimal, digits: i64) -> BigDecimal {
    let mode = match mode {
        "floor" => RoundingMode::Floor,
        "ceil" => RoundingMode::Ceiling,
        // Halves away from zero.
        _ => RoundingMode::HalfUp,
    };
    // No decimal has more digits before the point or after it (see `types::decimal`); two billion zeros would not end.
    value.with_scale_round(digits.clamp(-131_072, 16_383), mode)
}
