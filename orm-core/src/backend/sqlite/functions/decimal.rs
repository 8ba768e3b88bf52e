//! Decimals, which are text here: computed as decimals, and never as floats.

use bigdecimal::{BigDecimal, RoundingMode};
use diesel::{
    QueryResult, SqliteConnection,
    sql_types::{Integer, Nullable, Text},
};

use super::Outcome;

#[diesel::declare_sql_function]
extern "SQL" {
    #[sql_name = "orm_decimal"]
    fn decimal_of_two(operator: Text, left: Nullable<Text>, right: Nullable<Text>) -> Nullable<Text>;
    #[sql_name = "orm_decimal_abs"]
    fn decimal_abs(value: Nullable<Text>) -> Nullable<Text>;
    #[sql_name = "orm_decimal_round"]
    fn decimal_round(mode: Text, value: Nullable<Text>, digits: Integer) -> Nullable<Text>;
}

pub(super) fn register(connection: &mut SqliteConnection) -> QueryResult<()> {
    decimal_of_two_utils::register_impl(
        connection,
        |operator: String, left: Option<String>, right: Option<String>| {
            let (Some(left), Some(right)) = (left, right) else { return Outcome(Ok(None)) };
            Outcome(compute(&operator, &left, &right).map(Some))
        },
    )?;
    decimal_abs_utils::register_impl(connection, |value: Option<String>| {
        Outcome(value.map(|value| Ok(number(&value)?.abs().to_string())).transpose())
    })?;
    decimal_round_utils::register_impl(connection, |mode: String, value: Option<String>, digits: i32| {
        Outcome(value.map(|value| round(&mode, &value, digits)).transpose())
    })
}

fn number(text: &str) -> Result<BigDecimal, String> {
    text.parse().map_err(|_| format!("the text `{text}` is not a decimal"))
}

fn compute(operator: &str, left: &str, right: &str) -> Result<String, String> {
    let (left, right) = (number(left)?, number(right)?);
    let result = match operator {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        other => return Err(format!("decimals have no operator `{other}`")),
    };
    Ok(result.to_string())
}

fn round(mode: &str, value: &str, digits: i32) -> Result<String, String> {
    let mode = match mode {
        "floor" => RoundingMode::Floor,
        "ceil" => RoundingMode::Ceiling,
        // Halves away from zero.
        _ => RoundingMode::HalfUp,
    };
    Ok(number(value)?.with_scale_round(digits.into(), mode).to_string())
}
