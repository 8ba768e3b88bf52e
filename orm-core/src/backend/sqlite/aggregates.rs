//! Aggregates that SQLite lacks: the spread of numbers, and exact sums of decimals, which are text there.
//!
//! With connections that this crate opens they are registered as window functions too. With those of a program's own pool
//! they are registered by Diesel, which knows aggregates alone.

use std::{collections::VecDeque, ffi::c_int};

use diesel::{
    QueryResult, RunQueryDsl, SqliteConnection, define_sql_function, deserialize,
    deserialize::{FromSql, Queryable},
    dsl::sql,
    sql_types::{Bool, Nullable, Text},
    sqlite::{Sqlite, SqliteAggregateFunction, SqliteType, SqliteValue},
};
use libsqlite3_sys::SQLITE_OK;

use super::{
    functions::Outcome,
    raw::{Aggregate, Opened, Value},
};

define_sql_function! { #[aggregate] fn orm_var_samp(x: Nullable<Text>) -> Nullable<Double>; }
define_sql_function! { #[aggregate] fn orm_var_pop(x: Nullable<Text>) -> Nullable<Double>; }
define_sql_function! { #[aggregate] fn orm_stddev_samp(x: Nullable<Text>) -> Nullable<Double>; }
define_sql_function! { #[aggregate] fn orm_stddev_pop(x: Nullable<Text>) -> Nullable<Double>; }

#[diesel::declare_sql_function]
extern "SQL" {
    #[sql_name = "orm_keep"]
    fn keep(
        value: Nullable<Text>,
        schema: Nullable<Text>,
        table: Nullable<Text>,
        name: Nullable<Text>,
        is_decimal: Bool,
    ) -> Nullable<Text>;
}

/// Registers all of them with a connection that is being opened.
pub(super) fn register_raw(connection: &Opened) -> c_int {
    let codes = [
        connection.aggregate::<Spread<true, false>>(c"orm_var_samp"),
        connection.aggregate::<Spread<false, false>>(c"orm_var_pop"),
        connection.aggregate::<Spread<true, true>>(c"orm_stddev_samp"),
        connection.aggregate::<Spread<false, true>>(c"orm_stddev_pop"),
        #[cfg(feature = "numeric")]
        connection.aggregate::<decimals::Total<false>>(c"orm_decimal_sum"),
        #[cfg(feature = "numeric")]
        connection.aggregate::<decimals::Total<true>>(c"orm_decimal_avg"),
    ];
    codes.into_iter().find(|code| *code != SQLITE_OK).unwrap_or(SQLITE_OK)
}

/// Registers all of them by Diesel, and what can only be registered when a connection is opened: `orm_keep`, which does not
/// look at the column here.
pub(super) fn register(connection: &mut SqliteConnection) -> QueryResult<()> {
    keep_utils::register_impl(
        connection,
        |value: Option<String>, _: Option<String>, _: Option<String>, _: Option<String>, _: bool| value,
    )?;
    orm_var_samp_utils::register_impl::<ByDiesel<Spread<true, false>>, _>(connection)?;
    orm_var_pop_utils::register_impl::<ByDiesel<Spread<false, false>>, _>(connection)?;
    orm_stddev_samp_utils::register_impl::<ByDiesel<Spread<true, true>>, _>(connection)?;
    orm_stddev_pop_utils::register_impl::<ByDiesel<Spread<false, true>>, _>(connection)?;
    #[cfg(feature = "numeric")]
    decimals::register(connection)?;
    Ok(())
}

/// Registers them where they are missing: to register one anew makes SQLite prepare statements again.
pub(super) fn register_once(connection: &mut SqliteConnection) -> QueryResult<()> {
    let known = sql::<Bool>("EXISTS (SELECT 1 FROM pragma_function_list WHERE name = 'orm_var_pop')");
    if diesel::select(known).get_result(connection)? { Ok(()) } else { register(connection) }
}

/// An argument, as Diesel passes it on.
#[derive(Debug)]
enum Argument {
    Integer(i64),
    Real(f64),
    Text(String),
    Other,
}

impl FromSql<Text, Sqlite> for Argument {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(match value.value_type() {
            Some(SqliteType::Long) => Argument::Integer(value.read_long()),
            Some(SqliteType::Double) => Argument::Real(value.read_double()),
            Some(SqliteType::Text) => Argument::Text(value.read_text().to_owned()),
            _ => Argument::Other,
        })
    }
}

impl Queryable<Text, Sqlite> for Argument {
    type Row = Self;
    fn build(row: Self) -> deserialize::Result<Self> {
        Ok(row)
    }
}

/// An aggregate that is registered by Diesel, which cannot fail before its end.
#[derive(Default)]
struct ByDiesel<F> {
    aggregate: F,
    failure: Option<String>,
}

impl<F: Aggregate> SqliteAggregateFunction<Option<Argument>> for ByDiesel<F> {
    type Output = Outcome<Option<F::Output>>;

    fn step(&mut self, argument: Option<Argument>) {
        let value = match &argument {
            None => Value::Null,
            Some(Argument::Integer(integer)) => Value::Integer(*integer),
            Some(Argument::Real(real)) => Value::Real(*real),
            Some(Argument::Text(text)) => Value::Text(text),
            Some(Argument::Other) => Value::Other("a BLOB"),
        };
        if let Err(reason) = self.aggregate.step(value) {
            self.failure.get_or_insert(reason);
        }
    }

    fn finalize(aggregator: Option<Self>) -> Self::Output {
        let mut aggregator = aggregator.unwrap_or_default();
        Outcome(match aggregator.failure {
            Some(reason) => Err(reason),
            None => Ok(aggregator.aggregate.value()),
        })
    }
}

/// A number as a float, or `None` for NULL.
#[allow(clippy::cast_precision_loss)] // as every database rounds integers in a standard deviation
fn float(value: Value<'_>) -> Result<Option<f64>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Integer(integer) => Ok(Some(integer as f64)),
        Value::Real(real) => Ok(Some(real)),
        Value::Text(text) => match text.parse::<f64>() {
            Ok(float) if float.is_finite() => Ok(Some(float)),
            _ => Err("an aggregate of numbers met text that is not a number, or too large for a float".into()),
        },
        Value::Other(what) => Err(format!("an aggregate of numbers met {what}")),
    }
}

/// The variance of numbers, or its root; of a sample, or of all there are.
#[derive(Clone, Debug, Default)]
struct Spread<const SAMPLE: bool, const ROOT: bool> {
    sums: Sums,
    /// The numbers, to be summed up again when one has left: taking it out of the sums would leave its rounding errors.
    numbers: VecDeque<f64>,
    stale: bool,
}

/// Sums by Welford's method: the mean of the squares, less the square of the mean, would lose all digits where numbers are
/// large and close together.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    count: f64,
    mean: f64,
    /// The sum of the squares of the distances from the mean.
    squares: f64,
}

impl Sums {
    fn add(mut self, number: f64) -> Self {
        self.count += 1.0;
        let distance = number - self.mean;
        self.mean += distance / self.count;
        self.squares += distance * (number - self.mean);
        self
    }
}

impl<const SAMPLE: bool, const ROOT: bool> Aggregate for Spread<SAMPLE, ROOT> {
    type Output = f64;

    fn step(&mut self, value: Value<'_>) -> Result<(), String> {
        if let Some(number) = float(value)? {
            self.sums = self.sums.add(number);
            self.numbers.push_back(number);
        }
        Ok(())
    }

    fn inverse(&mut self, value: Value<'_>) -> Result<(), String> {
        if float(value)?.is_some() {
            self.numbers.pop_front();
            self.stale = true;
        }
        Ok(())
    }

    fn value(&mut self) -> Option<f64> {
        if std::mem::take(&mut self.stale) {
            self.sums = self.numbers.iter().copied().fold(Sums::default(), Sums::add);
        }
        let Sums { count, squares, .. } = self.sums;
        let divisor = if SAMPLE { count - 1.0 } else { count };
        if divisor <= 0.0 {
            return None;
        }
        let variance = squares / divisor;
        Some(if ROOT { variance.sqrt() } else { variance })
    }
}

#[cfg(feature = "numeric")]
mod decimals {
    use bigdecimal::{BigDecimal, RoundingMode};

    use super::*;
    use crate::types::decimal_of_sqlite;

    define_sql_function! { #[aggregate] fn orm_decimal_sum(x: Nullable<Text>) -> Nullable<Text>; }
    define_sql_function! { #[aggregate] fn orm_decimal_avg(x: Nullable<Text>) -> Nullable<Text>; }

    /// The digits after the point of an average, which on MySQL are the most that there are.
    const DIGITS: i64 = 30;

    pub(super) fn register(connection: &mut SqliteConnection) -> QueryResult<()> {
        orm_decimal_sum_utils::register_impl::<ByDiesel<Total<false>>, _>(connection)?;
        orm_decimal_avg_utils::register_impl::<ByDiesel<Total<true>>, _>(connection)
    }

    fn decimal(value: Value<'_>) -> Result<Option<BigDecimal>, String> {
        let number = match value {
            Value::Null => return Ok(None),
            Value::Integer(integer) => Ok(integer.into()),
            Value::Real(real) => decimal_of_sqlite::from_real(real),
            Value::Text(text) => decimal_of_sqlite::from_text(text),
            Value::Other(what) => Err(format!("this is {what}, not a decimal").into()),
        };
        number.map(Some).map_err(|error| format!("in an aggregate of decimals: {error}"))
    }

    /// The sum of decimals, or their average.
    #[derive(Debug, Default)]
    pub(super) struct Total<const AVERAGE: bool> {
        sum: BigDecimal,
        count: u64,
    }

    impl<const AVERAGE: bool> Aggregate for Total<AVERAGE> {
        type Output = String;

        fn step(&mut self, value: Value<'_>) -> Result<(), String> {
            if let Some(number) = decimal(value)? {
                self.sum += number;
                self.count += 1;
            }
            Ok(())
        }

        fn inverse(&mut self, value: Value<'_>) -> Result<(), String> {
            if let Some(number) = decimal(value)? {
                self.sum -= number;
                self.count -= 1;
            }
            Ok(())
        }

        fn value(&mut self) -> Option<String> {
            let Total { sum, count } = self;
            if *count == 0 {
                return None;
            }
            if !AVERAGE {
                return Some(sum.to_string());
            }
            // Exactly: a scale of 30, and one step of long division on integers.
            let scaled = sum.with_scale_round(sum.fractional_digit_count().max(DIGITS), RoundingMode::HalfUp);
            let average = divide(&scaled, *count).with_scale_round(DIGITS, RoundingMode::HalfUp).normalized();
            Some(average.to_plain_string())
        }
    }

    /// The quotient, with more digits than are kept.
    fn divide(sum: &BigDecimal, count: u64) -> BigDecimal {
        let (digits, scale) = sum.as_bigint_and_exponent();
        let shift = bigdecimal::num_bigint::BigInt::from(10_u64).pow(20);
        // Rounded towards zero; the remainder can only matter behind the last digit that is kept.
        BigDecimal::new(digits * shift / bigdecimal::num_bigint::BigInt::from(count), scale + 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread<const SAMPLE: bool, const ROOT: bool>(numbers: &[Option<f64>]) -> Option<f64> {
        let mut spread = Spread::<SAMPLE, ROOT>::default();
        for number in numbers {
            spread.step(number.map_or(Value::Null, Value::Real)).expect("it is a number");
        }
        spread.value()
    }

    #[test]
    fn close_numbers_lose_no_digits() {
        let numbers = [Some(1e9 + 4.0), Some(1e9 + 7.0), None, Some(1e9 + 13.0), Some(1e9 + 16.0)];
        assert_eq!(spread::<true, false>(&numbers), Some(30.0));
        assert_eq!(spread::<false, false>(&numbers), Some(22.5));
        assert_eq!(spread::<true, true>(&numbers), Some(30_f64.sqrt()));
    }

    #[test]
    fn a_sample_of_one_says_nothing() {
        assert_eq!((spread::<true, false>(&[Some(3.0)]), spread::<false, true>(&[Some(3.0)])), (None, Some(0.0)));
        assert_eq!((spread::<false, false>(&[None]), spread::<true, true>(&[])), (None, None));
    }

    #[test]
    fn a_number_that_has_left_the_frame_leaves_no_error_behind() {
        let mut spread = Spread::<false, false>::default();
        for number in [1e18, 1.0, 2.0, 3.0, 4.0] {
            spread.step(Value::Real(number)).expect("it is a number");
        }
        spread.inverse(Value::Real(1e18)).expect("it is a number");
        assert_eq!(spread.value(), Some(1.25));
    }
}
