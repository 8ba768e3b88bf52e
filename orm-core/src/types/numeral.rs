//! Decimals as texts spell them, compared without being computed: `1e20000000` has twenty million digits.

#![cfg_attr(not(feature = "numeric"), allow(dead_code))]

use std::cmp::Ordering;

/// A number, taken apart.
#[derive(Debug)]
pub(crate) struct Numeral<'t> {
    negative: bool,
    /// The digits before the point and after it, without zeros before the first other digit.
    digits: [&'t [u8]; 2],
    /// How many digits the number has before the point; of 0.001 it is -2.
    magnitude: i64,
}

impl<'t> Numeral<'t> {
    /// `-12.50`, `.5`, `5.`, `1e-7`, `1.5E+300`.
    pub(crate) fn parse(text: &'t [u8]) -> Option<Self> {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] | rest => (false, rest),
        };
        let (number, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
            Some(at) => (&text[..at], exponent(&text[at + 1..])?),
            None => (text, 0),
        };
        let (whole, fraction) = match number.iter().position(|byte| *byte == b'.') {
            Some(at) => (&number[..at], &number[at + 1..]),
            None => (number, &[][..]),
        };
        let is_number = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
        if whole.len() + fraction.len() == 0 || !is_number(whole) || !is_number(fraction) {
            return None;
        }
        let significant = |part: &'t [u8]| {
            let zeros = part.iter().take_while(|digit| **digit == b'0').count();
            (&part[zeros..], i64::try_from(zeros).unwrap_or(i64::MAX))
        };
        let (whole, _) = significant(whole);
        let (digits, magnitude) = if whole.is_empty() {
            let (fraction, zeros) = significant(fraction);
            ([whole, fraction], zeros.saturating_neg())
        } else {
            ([whole, fraction], i64::try_from(whole.len()).unwrap_or(i64::MAX))
        };
        Some(Numeral { negative, digits, magnitude: magnitude.saturating_add(exponent) })
    }

    fn is_zero(&self) -> bool {
        self.digits().all(|digit| digit == b'0')
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.digits.iter().copied().flatten().copied()
    }

    /// -1, 0 or 1.
    fn sign(&self) -> i8 {
        match (self.is_zero(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    fn cmp_absolute(&self, other: &Self) -> Ordering {
        self.magnitude.cmp(&other.magnitude).then_with(|| {
            let (mut left, mut right) = (self.digits(), other.digits());
            loop {
                match (left.next(), right.next()) {
                    (None, None) => return Ordering::Equal,
                    // The shorter one goes on with zeros.
                    (a, b) => match a.unwrap_or(b'0').cmp(&b.unwrap_or(b'0')) {
                        Ordering::Equal => {}
                        different => return different,
                    },
                }
            }
        })
    }
}

impl Ord for Numeral<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = self.sign();
        sign.cmp(&other.sign()).then_with(|| match sign {
            0 => Ordering::Equal,
            1 => self.cmp_absolute(other),
            _ => other.cmp_absolute(self),
        })
    }
}
impl PartialOrd for Numeral<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Numeral<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Numeral<'_> {}

/// The exponent; one that is beyond all numbers is as great as can be.
fn exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value =
        digits.iter().fold(0_i64, |value, digit| value.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    Some(if negative { -value } else { value })
}

/// The order of the collation `orm_decimal`: numbers by value, then whatever is not a number, by its bytes.
pub(crate) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    match (Numeral::parse(a), Numeral::parse(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

#[cfg(all(test, feature = "numeric"))]
mod tests {
    use bigdecimal::BigDecimal;

    use super::*;

    #[test]
    fn numerals_are_ordered_as_the_numbers_are() {
        let texts = [
            "0",
            "-0",
            "0.000",
            "0e5",
            ".5",
            "5.",
            "05",
            "+5",
            "-5",
            "4.99999999999999999999",
            "5.00",
            "50e-1",
            "0.05e2",
            "1e3",
            "1000",
            "999.9",
            "-1e3",
            "-999.9",
            "1e-3",
            "0.001",
            "0.0010000001",
            "1E+20",
            "100000000000000000001",
            "-0.05",
            "00.050",
            "123456789012345678901234567890.123",
            "1.5e300",
            "1.5e-300",
            "-1.5e300",
        ];
        for a in texts {
            for b in texts {
                let number = |text: &str| text.parse::<BigDecimal>().expect("it is a number");
                assert_eq!(compare(a.as_bytes(), b.as_bytes()), number(a).cmp(&number(b)), "{a} and {b}");
            }
        }
    }

    #[test]
    fn huge_exponents_take_no_longer() {
        let sorted = ["-1e99999999999999999999", "-1e20000000", "1e-20000000", "1", "1e20000000", "1.5e20000000"];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                assert_eq!(compare(a.as_bytes(), b.as_bytes()), i.cmp(&j), "{a} and {b}");
            }
        }
    }

    #[test]
    fn what_is_not_a_number_comes_last() {
        for text in ["", "-", ".", "1_000", "1e", "1e1.5", "e5", "0x10", "1 ", "NaN", "Infinity", "٣"] {
            assert!(Numeral::parse(text.as_bytes()).is_none(), "{text}");
            assert_eq!(compare(b"1e300", text.as_bytes()), Ordering::Less, "{text}");
        }
        assert_eq!(compare(b"a", b"b"), Ordering::Less);
    }
}
