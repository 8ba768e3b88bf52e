//! Defaults of columns: `#[model(default = …)]`.

/// The default of a column, as [`create_tables`](crate::Database::create_tables) declares it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ColumnDefault {
    /// A number, as it is written in SQL.
    Number(&'static str),
    /// Text.
    Text(&'static str),
    /// A boolean.
    Boolean(bool),
    /// The date or time of the statement that inserts the row, in UTC: `default = now()`.
    Now,
}

/// A field type whose column can have a default.
///
/// `#[derive(FieldType)]` implements it. `K` has no meaning; it keeps the derive's implementations valid for types that
/// cannot have one.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` cannot have a default",
    label = "no default of this type can be declared on every backend",
    note = "a default is a literal of an integer, a float, a `bool` or text; decimals, dates and times are written as text; \
            let the program set others"
)]
pub trait HasDefault<K = ()> {
    /// The type of the literal.
    type Literal: Copy;
    /// The only texts that may be stored, where they are limited.
    const TEXTS: Option<&'static [&'static str]> = None;
    /// How the text of a literal is spelled.
    const SPELLING: Spelling = Spelling::Any;
}

/// A field type whose column can have the default `now()`: dates and timestamps.
///
/// `#[derive(FieldType)]` implements it for newtypes. `K` has no meaning, as in [`HasDefault`].
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` cannot have the default `now()`",
    label = "`now()` is for dates and timestamps",
    note = "they are `NaiveDate`, `NaiveDateTime`, `DateTime<Utc>`, an `Option` of one, and newtypes of them"
)]
pub trait DefaultsToNow<K = ()> {}

#[diagnostic::do_not_recommend]
impl<K, T: DefaultsToNow<K>> DefaultsToNow<K> for Option<T> {}

/// How the text of a default is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// In any way.
    Any,
    /// `2013-01-31`
    Date,
    /// `10:00:00`, with up to six digits of a fraction.
    Time,
    /// `2013-01-31 10:00:00`, also with `T` between, with up to six digits of a fraction.
    Timestamp,
    /// As [`Timestamp`](Self::Timestamp), with `Z` or `+00:00` behind it.
    Instant,
}

impl Spelling {
    /// Fails to compile the program if the text is spelled otherwise.
    ///
    /// # Panics
    ///
    /// If it is.
    pub(crate) const fn expect(self, text: &str) {
        let text = text.as_bytes();
        match self {
            Spelling::Any => {}
            Spelling::Date if ends(is_date(text, 0), text) => {}
            Spelling::Time if ends(is_time(text, 0), text) => {}
            Spelling::Timestamp if ends(is_timestamp(text), text) => {}
            Spelling::Instant if is_instant(text) => {}
            Spelling::Date => panic!("the default of a date is a text such as \"2013-01-31\""),
            Spelling::Time => panic!("the default of a time is a text such as \"10:00:00\""),
            Spelling::Timestamp => panic!("the default of a timestamp is a text such as \"2013-01-31 10:00:00\""),
            Spelling::Instant => panic!("the default of an instant is a text such as \"2013-01-31 10:00:00Z\", in UTC"),
        }
    }
}

/// The number that `digits` bytes from `at` on spell.
const fn number(text: &[u8], at: usize, digits: usize) -> Option<u32> {
    let (mut value, mut i) = (0, 0);
    while i < digits {
        if at + i >= text.len() || !text[at + i].is_ascii_digit() {
            return None;
        }
        value = value * 10 + (text[at + i] - b'0') as u32;
        i += 1;
    }
    Some(value)
}

const fn is(text: &[u8], at: usize, byte: u8) -> bool {
    at < text.len() && text[at] == byte
}

/// Whether the text ends where its last part does.
const fn ends(end: Option<usize>, text: &[u8]) -> bool {
    match end {
        Some(end) => end == text.len(),
        None => false,
    }
}

/// Where a date that begins at `at` ends. Every backend has the years from 1 to 9999.
const fn is_date(text: &[u8], at: usize) -> Option<usize> {
    let (Some(year), Some(month), Some(day)) = (number(text, at, 4), number(text, at + 5, 2), number(text, at + 8, 2))
    else {
        return None;
    };
    let days = match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    let is_there = year > 0 && day > 0 && day <= days && is(text, at + 4, b'-') && is(text, at + 7, b'-');
    if is_there { Some(at + 10) } else { None }
}

/// Where a time that begins at `at` ends.
const fn is_time(text: &[u8], at: usize) -> Option<usize> {
    let (Some(hour), Some(minute), Some(second)) =
        (number(text, at, 2), number(text, at + 3, 2), number(text, at + 6, 2))
    else {
        return None;
    };
    if hour > 23 || minute > 59 || second > 59 || !is(text, at + 2, b':') || !is(text, at + 5, b':') {
        return None;
    }
    let mut end = at + 8;
    if is(text, end, b'.') {
        let mut digits = 0;
        while number(text, end + 1 + digits, 1).is_some() {
            digits += 1;
        }
        if digits == 0 || digits > 6 {
            return None;
        }
        end += 1 + digits;
    }
    Some(end)
}

const fn is_timestamp(text: &[u8]) -> Option<usize> {
    match is_date(text, 0) {
        Some(at) if is(text, at, b' ') || is(text, at, b'T') => is_time(text, at + 1),
        _ => None,
    }
}

const fn is_instant(text: &[u8]) -> bool {
    let Some(end) = is_timestamp(text) else { return false };
    match text.len() - end {
        1 => text[end] == b'Z',
        6 => {
            is(text, end, b'+')
                && is(text, end + 3, b':')
                && matches!((number(text, end + 1, 2), number(text, end + 4, 2)), (Some(0), Some(0)))
        }
        _ => false,
    }
}

macro_rules! of_its_own_type {
    ($($type:ty),*) => { $(
        #[diagnostic::do_not_recommend]
        impl<K> HasDefault<K> for $type {
            type Literal = $type;
        }
    )* };
}
of_its_own_type!(i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, bool);

#[diagnostic::do_not_recommend]
impl<K> HasDefault<K> for String {
    type Literal = &'static str;
}

#[cfg(feature = "numeric")]
#[diagnostic::do_not_recommend]
impl<K> HasDefault<K> for bigdecimal::BigDecimal {
    type Literal = &'static str;
}

#[diagnostic::do_not_recommend]
impl<K, T: HasDefault<K>> HasDefault<K> for Option<T> {
    type Literal = T::Literal;
    const TEXTS: Option<&'static [&'static str]> = T::TEXTS;
    const SPELLING: Spelling = T::SPELLING;
}

#[cfg(feature = "chrono")]
mod temporal {
    use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

    use super::*;

    macro_rules! spelled {
        ($($type:ty: $spelling:ident),*) => { $(
            #[diagnostic::do_not_recommend]
            impl<K> HasDefault<K> for $type {
                type Literal = &'static str;
                const SPELLING: Spelling = Spelling::$spelling;
            }
        )* };
    }
    spelled!(NaiveDate: Date, NaiveTime: Time, NaiveDateTime: Timestamp, DateTime<Utc>: Instant);

    #[diagnostic::do_not_recommend]
    impl<K> DefaultsToNow<K> for NaiveDate {}
    #[diagnostic::do_not_recommend]
    impl<K> DefaultsToNow<K> for NaiveDateTime {}
    #[diagnostic::do_not_recommend]
    impl<K> DefaultsToNow<K> for DateTime<Utc> {}
}

impl ColumnDefault {
    /// Whether it is a number, or text that is one, such as `-1.50`.
    pub(crate) fn is_number(self) -> bool {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match self {
            ColumnDefault::Number(_) => true,
            ColumnDefault::Boolean(_) | ColumnDefault::Now => false,
            ColumnDefault::Text(text) => {
                let text = text.strip_prefix('-').unwrap_or(text);
                let (integer, fraction) = text.split_once('.').unwrap_or((text, "0"));
                digits(integer) && digits(fraction)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_have_one_spelling() {
        let is_spelled = |spelling: Spelling, text: &str| std::panic::catch_unwind(|| spelling.expect(text)).is_ok();
        for (spelling, right, wrong) in [
            (
                Spelling::Date,
                &["2013-01-31", "0001-01-01", "2024-02-29", "9999-12-31"][..],
                &["2013-1-31", "2013-02-30", "0000-01-01", "2023-02-29", "2013-13-01", "2013-01-00", "2013-01-31 ", ""]
                    [..],
            ),
            (
                Spelling::Time,
                &["10:00:00", "23:59:59.999999", "00:00:00.5"],
                &["24:00:00", "10:00", "10:60:00", "10:00:00.", "10:00:00.1234567", "10:00:00Z"],
            ),
            (
                Spelling::Timestamp,
                &["2013-01-31 10:00:00", "2013-01-31T10:00:00.25"],
                &["2013-01-31", "2013-01-31  10:00:00", "2013-01-31 10:00:00Z"],
            ),
            (
                Spelling::Instant,
                &["2013-01-31 10:00:00Z", "2013-01-31T10:00:00.25+00:00"],
                &[
                    "2013-01-31 10:00:00",
                    "2013-01-31 10:00:00+01:00",
                    "2013-01-31 10:00:00z",
                    "2013-01-31 10:00:00-00:00",
                ],
            ),
        ] {
            assert!(right.iter().all(|text| is_spelled(spelling, text)), "{spelling:?}");
            for text in wrong {
                assert!(!is_spelled(spelling, text), "{spelling:?} {text}");
            }
        }
    }

    #[test]
    fn a_number_may_be_text() {
        for text in ["0", "-1", "9.99", "-0.50"] {
            assert!(ColumnDefault::Text(text).is_number(), "{text}");
        }
        for text in ["", "-", ".5", "5.", "1e3", "x", "1.2.3", "NaN", "--1"] {
            assert!(!ColumnDefault::Text(text).is_number(), "{text}");
        }
    }
}
