//! The collation `orm_instant`, by which SQLite compares dates, times and instants, which are text there.
//!
//! Other programs spell one instant in several ways: with `T` or a space, with or without seconds and fractions, with
//! `Z`, an offset or nothing. The collation compares what is spelled. It accepts what reading accepts (see
//! `types::temporal`), so that a value that was read is found again.

use std::cmp::Ordering;

/// What a text spells. Text without an offset is UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Spelled {
    /// Nanoseconds since midnight.
    Time(u64),
    /// Seconds since 1970 and nanoseconds.
    Instant(i64, u32),
}

/// The order of the collation: times, then instants, then whatever is neither, by its bytes.
pub(super) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    match (spelled(a), spelled(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

fn spelled(text: &[u8]) -> Option<Spelled> {
    if text.get(2) == Some(&b':') {
        return match time(text)? {
            ((seconds, nanos), []) => Some(Spelled::Time(u64::from(seconds) * 1_000_000_000 + u64::from(nanos))),
            _ => None,
        };
    }
    let (day, rest) = date(text)?;
    let ((seconds, nanos), rest) = match rest.split_first() {
        None => ((0, 0), rest),
        Some((b' ' | b'T', rest)) => time(rest)?,
        Some(_) => return None,
    };
    Some(Spelled::Instant(day * 86_400 + i64::from(seconds) - offset(rest)?, nanos))
}

/// The number that the first `digits` bytes spell, and what follows.
fn number(text: &[u8], digits: usize) -> Option<(u32, &[u8])> {
    let (head, rest) = text.split_at_checked(digits)?;
    let mut value = 0;
    for byte in head {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u32::from(digit);
    }
    Some((value, rest))
}

/// The days since 1970-01-01 of a date, and what follows.
fn date(text: &[u8]) -> Option<(i64, &[u8])> {
    let (year, rest) = number(text, 4)?;
    let (month, rest) = number(rest.strip_prefix(b"-")?, 2)?;
    let (day, rest) = number(rest.strip_prefix(b"-")?, 2)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years from March on, so that a leap day is the last one of a year; 400 years are 146,097 days.
    let (year, month) = (i64::from(year) - i64::from(month < 3), i64::from((month + 9) % 12));
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some((days + (153 * month + 2) / 5 + i64::from(day) - 1 - 719_468, rest))
}

/// The seconds since midnight and the nanoseconds of `10:00`, `10:00:00` or `10:00:00.123456789`, and what follows.
fn time(text: &[u8]) -> Option<((u32, u32), &[u8])> {
    let (hour, rest) = number(text, 2)?;
    let (minute, rest) = number(rest.strip_prefix(b":")?, 2)?;
    if hour > 23 || minute > 59 {
        return None;
    }
    let seconds = (hour * 60 + minute) * 60;
    let Some(rest) = rest.strip_prefix(b":") else { return Some(((seconds, 0), rest)) };
    let (second, rest) = number(rest, 2)?;
    if second > 59 {
        return None;
    }
    let Some(fraction) = rest.strip_prefix(b".") else { return Some(((seconds + second, 0), rest)) };
    let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&digits) {
        return None;
    }
    let (value, rest) = number(fraction, digits)?;
    let nanos = (digits..9).fold(value, |value, _| value * 10);
    Some(((seconds + second, nanos), rest))
}

/// The seconds of nothing, `Z` or `+05:30`.
fn offset(text: &[u8]) -> Option<i64> {
    let (sign, rest) = match text {
        b"" | b"Z" => return Some(0),
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        _ => return None,
    };
    let (hours, rest) = number(rest, 2)?;
    let (minutes, rest) = number(rest.strip_prefix(b":")?, 2)?;
    (rest.is_empty() && hours < 24 && minutes < 60).then(|| sign * i64::from((hours * 60 + minutes) * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(a: &str, b: &str) -> Ordering {
        compare(a.as_bytes(), b.as_bytes())
    }

    #[test]
    fn spellings_of_one_instant_are_equal() {
        let spellings = [
            "2020-01-01 00:00:00",
            "2020-01-01T00:00:00Z",
            "2020-01-01 00:00",
            "2020-01-01",
            "2020-01-01 00:00:00.000",
            "2020-01-01 05:30:00+05:30",
            "2019-12-31 23:59:00-00:01",
            "2020-01-01 00:00:00+00:00",
        ];
        for a in spellings {
            for b in spellings {
                assert_eq!(order(a, b), Ordering::Equal, "{a} and {b}");
            }
            assert_eq!(order(a, "2020-01-01 00:00:00.000000001"), Ordering::Less, "{a}");
            assert_eq!(order(a, "2020-01-01 01:00:00+01:01"), Ordering::Greater, "{a}");
        }
        assert_eq!(order("10:00", "10:00:00.000"), Ordering::Equal);
        assert_eq!(order("09:59:59.9", "10:00"), Ordering::Less);
    }

    #[test]
    fn text_that_is_no_time_comes_last_in_the_order_of_its_bytes() {
        let sorted = ["23:59", "2020-01-01", "", "2019-02-29", "2020-01-01 24:00", "2020-01-01x", "never"];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                assert_eq!(order(a, b), i.cmp(&j), "{a} and {b}");
            }
        }
        assert_eq!(compare(b"\xff", b"2020-01-01"), Ordering::Greater);
    }

    #[cfg(feature = "chrono")]
    #[test]
    fn every_text_that_is_read_is_compared_as_it_is_read() {
        use chrono::{DateTime, Utc};

        use crate::types::temporal::text;
        let read = |text: &str| -> Option<DateTime<Utc>> {
            let (at, rest) = text::date_time(text.as_bytes())?;
            at.and_utc().checked_sub_signed(text::offset(rest)?)
        };
        let mut random = fastrand::Rng::with_seed(1);
        let mut pick = |choices: &[&str]| choices[random.usize(..choices.len())].to_owned();
        let mut texts = Vec::new();
        for _ in 0..400 {
            let year = pick(&["0000", "0001", "1899", "1900", "1969", "1970", "2000", "2023", "2024", "9999", "+2024"]);
            let month_day = pick(&["-01-01", "-02-28", "-02-29", "-03-01", "-12-31", "-13-01", "-04-31", "-1-01"]);
            let time = pick(&[" 00:00", "T23:59:59", " 23:59:60", "T12:30:15.25", " 12:30:15.250000", " 24:00", ""]);
            let offset = pick(&["", "Z", "+00:00", "-00:30", "+23:59", "-23:59", "+24:00", "+5"]);
            texts.push(format!("{year}{month_day}{time}{offset}"));
        }
        for a in &texts {
            for b in &texts {
                if let (Some(left), Some(right)) = (read(a), read(b)) {
                    assert_eq!(order(a, b), left.cmp(&right), "{a} and {b}");
                }
            }
        }
    }
}
