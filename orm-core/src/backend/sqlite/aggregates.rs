//! Aggregates that SQLite lacks: the spread of numbers, and exact sums of decimals, which are text there.

use diesel::{
    QueryResult, RunQueryDsl, SqliteConnection, define_sql_function,
    dsl::sql,
    sql_types::{Bool, Double, Nullable},
    sqlite::SqliteAggregateFunction,
};

define_sql_function! { #[aggregate] fn orm_var_samp(x: Nullable<Double>) -> Nullable<Double>; }
define_sql_function! { #[aggregate] fn orm_var_pop(x: Nullable<Double>) -> Nullable<Double>; }
define_sql_function! { #[aggregate] fn orm_stddev_samp(x: Nullable<Double>) -> Nullable<Double>; }
define_sql_function! { #[aggregate] fn orm_stddev_pop(x: Nullable<Double>) -> Nullable<Double>; }

/// Registers all of them.
pub(super) fn register(connection: &mut SqliteConnection) -> QueryResult<()> {
    orm_var_samp_utils::register_impl::<Spread<true, false>, _>(connection)?;
    orm_var_pop_utils::register_impl::<Spread<false, false>, _>(connection)?;
    orm_stddev_samp_utils::register_impl::<Spread<true, true>, _>(connection)?;
    orm_stddev_pop_utils::register_impl::<Spread<false, true>, _>(connection)?;
    #[cfg(feature = "numeric")]
    decimals::register(connection)?;
    Ok(())
}

/// Registers them where they are missing: to register one anew makes SQLite prepare statements again.
pub(super) fn register_once(connection: &mut SqliteConnection) -> QueryResult<()> {
    let known = sql::<Bool>("EXISTS (SELECT 1 FROM pragma_function_list WHERE name = 'orm_var_pop')");
    if diesel::select(known).get_result(connection)? { Ok(()) } else { register(connection) }
}

/// The variance of numbers, or its root; of a sample, or of all there are.
///
/// It is counted up by Welford's method: the mean of the squares, less the square of the mean, would lose all digits where
/// numbers are large and close together.
#[derive(Clone, Copy, Debug, Default)]
struct Spread<const SAMPLE: bool, const ROOT: bool> {
    count: f64,
    mean: f64,
    /// The sum of the squares of the distances from the mean.
    squares: f64,
}

impl<const SAMPLE: bool, const ROOT: bool> SqliteAggregateFunction<Option<f64>> for Spread<SAMPLE, ROOT> {
    type Output = Option<f64>;

    fn step(&mut self, number: Option<f64>) {
        let Some(number) = number else { return };
        self.count += 1.0;
        let distance = number - self.mean;
        self.mean += distance / self.count;
        self.squares += distance * (number - self.mean);
    }

    fn finalize(aggregator: Option<Self>) -> Option<f64> {
        let Spread { count, squares, .. } = aggregator?;
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
    use diesel::sql_types::Text;

    use super::*;

    define_sql_function! { #[aggregate] fn orm_decimal_sum(x: Nullable<Text>) -> Nullable<Text>; }
    define_sql_function! { #[aggregate] fn orm_decimal_avg(x: Nullable<Text>) -> Nullable<Text>; }

    /// The digits after the point of an average, which on MySQL are the most that there are.
    const DIGITS: i64 = 30;

    pub(super) fn register(connection: &mut SqliteConnection) -> QueryResult<()> {
        orm_decimal_sum_utils::register_impl::<Total<false>, _>(connection)?;
        orm_decimal_avg_utils::register_impl::<Total<true>, _>(connection)
    }

    /// The sum of decimals, or their average.
    #[derive(Debug, Default)]
    struct Total<const AVERAGE: bool> {
        sum: BigDecimal,
        count: u64,
        /// The first text that is no number. An aggregate cannot fail, but what it gives can be no number, either.
        misfit: Option<String>,
    }

    impl<const AVERAGE: bool> SqliteAggregateFunction<Option<String>> for Total<AVERAGE> {
        type Output = Option<String>;

        fn step(&mut self, text: Option<String>) {
            let Some(text) = text else { return };
            match text.parse::<BigDecimal>() {
                Ok(number) => self.sum += number,
                Err(_) => {
                    self.misfit.get_or_insert(text);
                }
            }
            self.count += 1;
        }

        fn finalize(aggregator: Option<Self>) -> Option<String> {
            let Total { sum, count, misfit } = aggregator.filter(|total| total.count > 0)?;
            if misfit.is_some() {
                return misfit;
            }
            if !AVERAGE {
                return Some(sum.to_string());
            }
            // Exactly: a scale of 30, and one step of long division on integers.
            let scaled = sum.with_scale_round(sum.fractional_digit_count().max(DIGITS), RoundingMode::HalfUp);
            let average = divide(&scaled, count).with_scale_round(DIGITS, RoundingMode::HalfUp).normalized();
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
        numbers.iter().for_each(|number| spread.step(*number));
        Spread::finalize(Some(spread))
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
        assert_eq!((spread::<false, false>(&[None]), Spread::<true, true>::finalize(None)), (None, None));
    }
}
