//! Limits of a field's values that its type does not have: `max_length`, `decimal` and `fractional_seconds`.
//!
//! Every value is checked against its field's limit before it is sent, on every backend alike. So a value is never cut or
//! rounded by the server, whose columns [`create_tables`](crate::Database::create_tables) declares with the same limit.

use crate::error::BoxError;

/// The limit of a field's values, as `#[model(…)]` declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// `max_length = n`: so many characters of text, or bytes.
    Length(u32),
    /// `decimal(precision, scale)`: so many digits, of which `scale` are after the point.
    Decimal {
        /// The digits before and after the point.
        precision: u32,
        /// The digits after the point.
        scale: u32,
    },
    /// `fractional_seconds = n`: so many digits of a second.
    FractionalSeconds(u32),
}

/// [`Limited`] by `max_length`.
#[derive(Debug)]
pub struct MaxLength;

/// [`Limited`] by `decimal`.
#[derive(Debug)]
pub struct DecimalDigits;

/// [`Limited`] by `fractional_seconds`.
#[derive(Debug)]
pub struct FractionalSeconds;

/// A type whose values can be checked against a limit of the kind `K`: [`MaxLength`], [`DecimalDigits`] or
/// [`FractionalSeconds`].
///
/// `#[derive(FieldType)]` implements it; implement it for your own field types, if a field of one is to have a limit.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` cannot have this limit",
    label = "not a limit of the field's type",
    note = "`max_length` is for text and bytes, `decimal` for `BigDecimal`, `fractional_seconds` for times and timestamps"
)]
pub trait Limited<K> {
    /// Checks the value.
    ///
    /// # Errors
    ///
    /// If the value exceeds the limit. The message does not contain the value.
    fn check(&self, limit: Limit) -> Result<(), BoxError>;
}

#[diagnostic::do_not_recommend]
impl<K, T: Limited<K>> Limited<K> for Option<T> {
    fn check(&self, limit: Limit) -> Result<(), BoxError> {
        self.as_ref().map_or(Ok(()), |value| value.check(limit))
    }
}

#[diagnostic::do_not_recommend]
impl Limited<MaxLength> for str {
    fn check(&self, limit: Limit) -> Result<(), BoxError> {
        match limit {
            // A character has at least one byte, so that short text need not be counted.
            Limit::Length(most) if self.len() > most as usize => within(self.chars().count(), most, "characters"),
            _ => Ok(()),
        }
    }
}
#[diagnostic::do_not_recommend]
impl Limited<MaxLength> for String {
    fn check(&self, limit: Limit) -> Result<(), BoxError> {
        Limited::<MaxLength>::check(self.as_str(), limit)
    }
}
#[diagnostic::do_not_recommend]
impl Limited<MaxLength> for Vec<u8> {
    fn check(&self, limit: Limit) -> Result<(), BoxError> {
        match limit {
            Limit::Length(most) => within(self.len(), most, "bytes"),
            _ => Ok(()),
        }
    }
}

fn within(length: usize, most: u32, unit: &str) -> Result<(), BoxError> {
    if length <= most as usize {
        return Ok(());
    }
    Err(format!("the value has {length} {unit}, and the field takes up to {most} (`max_length`)").into())
}

#[cfg(feature = "numeric")]
#[diagnostic::do_not_recommend]
impl Limited<DecimalDigits> for bigdecimal::BigDecimal {
    fn check(&self, limit: Limit) -> Result<(), BoxError> {
        let Limit::Decimal { precision, scale } = limit else { return Ok(()) };
        let (integer, fraction) = super::decimal::digits(self);
        if integer <= i64::from(precision - scale) && fraction <= i64::from(scale) {
            return Ok(());
        }
        Err(format!(
            "the number has {integer} digits before the point and {fraction} after it, and the field takes up to {} and \
             {scale} (`decimal({precision}, {scale})`); round it first, with `BigDecimal::round`",
            precision - scale
        )
        .into())
    }
}

#[cfg(feature = "chrono")]
mod temporal {
    use chrono::{DateTime, NaiveDateTime, NaiveTime, Timelike, Utc};

    use super::*;

    fn fraction(nanosecond: u32, limit: Limit) -> Result<(), BoxError> {
        let Limit::FractionalSeconds(digits) = limit else { return Ok(()) };
        let unit = 10_u32.pow(9_u32.saturating_sub(digits));
        if nanosecond.is_multiple_of(unit) {
            return Ok(());
        }
        Err(format!(
            "the value has a fraction of a second of more than {digits} digits, which is the field's limit \
             (`fractional_seconds = {digits}`); round it first, with chrono's `SubsecRound`"
        )
        .into())
    }

    macro_rules! limited {
        ($($type:ty),*) => { $(
            #[diagnostic::do_not_recommend]
            impl Limited<FractionalSeconds> for $type {
                fn check(&self, limit: Limit) -> Result<(), BoxError> {
                    fraction(self.nanosecond(), limit)
                }
            }
        )* };
    }
    limited!(NaiveTime, NaiveDateTime, DateTime<Utc>);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits<K>(value: &impl Limited<K>, limit: Limit) -> bool {
        value.check(limit).is_ok()
    }

    #[test]
    fn text_is_measured_in_characters_and_bytes_in_bytes() {
        let three = Limit::Length(3);
        assert!(fits(&"aüя".to_owned(), three) && fits(&"✈✈✈".to_owned(), three) && fits(&String::new(), three));
        assert!(!fits(&"aüяz".to_owned(), three) && !fits(&"a   ".to_owned(), three));
        assert!(fits(&vec![0, 1, 2], three) && !fits(&"ü✈".as_bytes().to_vec(), three));
        assert!(fits(&None::<String>, three) && !fits(&Some("four".to_owned()), three));
        let message = "secret".to_owned().check(three).expect_err("it has six characters").to_string();
        assert!(message.contains("6 characters") && message.contains("up to 3") && !message.contains("secret"));
    }

    #[cfg(feature = "numeric")]
    #[test]
    fn a_decimal_is_measured_by_the_digits_that_it_needs() {
        let limit = Limit::Decimal { precision: 5, scale: 2 };
        for (text, is_fit) in [
            ("999.99", true),
            ("-999.99", true),
            ("1000", false),
            ("1e3", false),
            ("9.999", false),
            ("9.990", true),
            ("0.001", false),
            ("0.000", true),
            ("5e-2", true),
            ("5e-3", false),
            ("00012.5", true),
        ] {
            let number: bigdecimal::BigDecimal = text.parse().expect("it is a number");
            assert_eq!(fits(&number, limit), is_fit, "{text}");
        }
    }

    #[cfg(feature = "chrono")]
    #[test]
    fn a_second_is_measured_by_its_digits() {
        let time = |nanosecond| chrono::NaiveTime::from_hms_nano_opt(1, 2, 3, nanosecond).expect("it is a time");
        for (nanosecond, digits, is_fit) in
            [(0, 0, true), (500_000_000, 0, false), (500_000_000, 1, true), (1_000, 6, true), (1_000, 5, false)]
        {
            assert_eq!(fits(&time(nanosecond), Limit::FractionalSeconds(digits)), is_fit, "{nanosecond} {digits}");
        }
    }
}
