//! Functions of floats: SQLite has them only where it was built so.

use diesel::{
    QueryResult, SqliteConnection,
    sql_types::{Double, Nullable, Text},
};

use super::Outcome;

#[diesel::declare_sql_function]
extern "SQL" {
    #[sql_name = "orm_math"]
    fn math_of_one(name: Text, value: Nullable<Double>) -> Nullable<Double>;
    #[sql_name = "orm_power"]
    fn math_power(base: Nullable<Double>, exponent: Nullable<Double>) -> Nullable<Double>;
}

pub(super) fn register(connection: &mut SqliteConnection) -> QueryResult<()> {
    math_of_one_utils::register_impl(connection, |name: String, value: Option<f64>| {
        Outcome(value.map(|value| of_one(&name, value)).transpose())
    })?;
    math_power_utils::register_impl(connection, |base: Option<f64>, exponent: Option<f64>| {
        let (Some(base), Some(exponent)) = (base, exponent) else { return Outcome(Ok(None)) };
        Outcome(finite("the power", base.powf(exponent)).map(Some))
    })
}

fn of_one(name: &str, value: f64) -> Result<f64, String> {
    let result = match name {
        "floor" => value.floor(),
        "ceil" => value.ceil(),
        "round" => value.round(),
        "sqrt" => value.sqrt(),
        "exp" => value.exp(),
        "ln" => value.ln(),
        "sin" => value.sin(),
        "cos" => value.cos(),
        "tan" => value.tan(),
        "asin" => value.asin(),
        "acos" => value.acos(),
        "atan" => value.atan(),
        "degrees" => value.to_degrees(),
        "radians" => value.to_radians(),
        other => return Err(format!("there is no function `{other}`")),
    };
    if value.is_finite() { finite(&format!("the {name} of a value"), result) } else { Ok(result) }
}

/// A result that is no number is an error, as it is on PostgreSQL.
fn finite(what: &str, result: f64) -> Result<f64, String> {
    if result.is_finite() { Ok(result) } else { Err(format!("{what} is no number")) }
}
