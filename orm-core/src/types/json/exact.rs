//! Whether a `serde_json::Value` keeps all that the text of a document says.

use std::sync::OnceLock;

use serde_json::Value;

use super::text::ALTERNATIVE;
use crate::error::BoxError;

/// Fails where the value that was read of the text has lost something: digits of a number, or a key that an object has twice.
///
/// It is one pass over the text, which is known to be JSON, and one over the objects of the value.
pub(super) fn check(text: &[u8], value: &Value) -> Result<(), BoxError> {
    let numbers_may_be_rounded = !keeps_digits();
    let (mut at, mut members) = (0, 0);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => at = end_of_string(text, at),
            b'-' | b'0'..=b'9' => {
                let end = end_of_number(text, at);
                if numbers_may_be_rounded && !is_exact(&text[at..end]) {
                    return Err(rounded(&text[at..end]));
                }
                at = end;
            }
            b':' => {
                members += 1;
                at += 1;
            }
            _ => at += 1,
        }
    }
    if members == members_of(value) { Ok(()) } else { Err(repeated_key()) }
}

#[cold]
fn rounded(number: &[u8]) -> BoxError {
    let number = String::from_utf8_lossy(number);
    format!(
        "the document has the number {number}, which a `serde_json::Value` would round; enable serde_json's feature \
         `arbitrary_precision`, or {ALTERNATIVE}"
    )
    .into()
}

#[cold]
fn repeated_key() -> BoxError {
    format!(
        "the document has an object with the same key twice, of which a `serde_json::Value` keeps one; {ALTERNATIVE}"
    )
    .into()
}

/// Whether the program enables serde_json's feature `arbitrary_precision`.
pub(super) fn keeps_digits() -> bool {
    static KEEPS: OnceLock<bool> = OnceLock::new();
    const NUMBER: &str = "0.1234567890123456789";
    *KEEPS.get_or_init(|| {
        let written = serde_json::from_str::<Value>(NUMBER).map(|number| number.to_string());
        written.is_ok_and(|written| written == NUMBER)
    })
}

/// The position behind the string that begins here.
fn end_of_string(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    loop {
        match text.get(at) {
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
            None => return text.len(),
        }
    }
}

/// The position behind the number that begins here.
pub(super) fn end_of_number(text: &[u8], start: usize) -> usize {
    let is_of_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    start + text[start..].iter().take_while(|byte| is_of_number(byte)).count()
}

/// Whether the number is one of 64 bits: an integer, or the decimal that an `f64` is written as.
pub(super) fn is_exact(number: &[u8]) -> bool {
    // Every integer of 18 digits has 63 bits, and every decimal of 15 digits is told from its neighbours by an `f64`.
    let is_integer = number.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'-'));
    if is_integer && number.len() <= 18 || number.len() <= 16 && !number.iter().any(|byte| matches!(byte, b'e' | b'E'))
    {
        return true;
    }
    let Ok(text) = std::str::from_utf8(number) else { return false };
    if is_integer && (text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok()) {
        return true;
    }
    let Some(float) = text.parse::<f64>().ok().filter(|float| float.is_finite()) else { return false };
    // Of two shortest decimals that are as near, serde_json and std choose different ones.
    let digits = Digits::of(number);
    [Value::from(float).to_string(), format!("{float:e}")].iter().any(|text| Digits::of(text.as_bytes()) == digits)
}

/// A number without its sign: 0.d₁d₂d₃… × 10^exponent, where neither the first nor the last digit is 0.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Digits {
    pub(super) digits: Vec<u8>,
    pub(super) exponent: i64,
}

impl Digits {
    pub(super) fn of(number: &[u8]) -> Self {
        let end = number.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(number.len());
        let (mantissa, power) = number.split_at(end);
        let power = std::str::from_utf8(power.get(1..).unwrap_or_default()).unwrap_or_default();
        // Beyond that, one exponent is as good as another.
        let mut exponent = match power.strip_prefix('-') {
            Some(power) => -power.parse::<i64>().unwrap_or(i64::MAX / 4).min(i64::MAX / 4),
            None if power.is_empty() => 0,
            None => power.trim_start_matches('+').parse::<i64>().unwrap_or(i64::MAX / 4).min(i64::MAX / 4),
        };
        let mut digits = Vec::with_capacity(mantissa.len());
        let mut behind_the_point = false;
        for byte in mantissa {
            match byte {
                b'.' => behind_the_point = true,
                b'0' if digits.is_empty() => exponent -= i64::from(behind_the_point),
                b'0'..=b'9' => {
                    digits.push(*byte);
                    exponent += i64::from(!behind_the_point);
                }
                _ => {}
            }
        }
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        if digits.is_empty() { Digits { digits, exponent: 0 } } else { Digits { digits, exponent } }
    }
}

/// The members of all objects.
fn members_of(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(members_of).sum(),
        Value::Object(map) => map.len() + map.values().map(members_of).sum::<usize>(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Value, String> {
        let value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        check(text.as_bytes(), &value).map_err(|error| error.to_string()).map(|()| value)
    }

    #[test]
    fn numbers_of_64_bits_are_kept() {
        for number in [
            "0",
            "-0",
            "0.0",
            "-0.0",
            "1.10",
            "1e2",
            "1E+2",
            "100.0e-2",
            "0.1",
            "1e22",
            "1e300",
            "-1.5e-300",
            "5e-324",
            "18446744073709551615",
            "-9223372036854775808",
            "9007199254740993",
            "100000000000000000000000",
            "0.30000000000000004",
            "1825318809793555.2",
            "1825318809793555.3",
            "1.7976931348623157e308",
            "2.2250738585072014e-308",
            "123456789012345680000",
            "0.000000000000000000000000001",
        ] {
            assert!(read(number).is_ok(), "{number}: {:?}", read(number));
        }
    }

    #[test]
    fn a_number_that_would_be_rounded_is_refused() {
        if keeps_digits() {
            return;
        }
        for number in [
            "12345678901234567890123",
            "0.1234567890123456789",
            "18446744073709551616",
            "1e-400",
            "9007199254740993.5",
            "0.30000000000000005",
            "1.00000000000000000001",
            "123456789012345678901e-3",
        ] {
            let error = read(&format!(r#"{{"a": [true, "1e999", {number} ]}}"#)).expect_err(number);
            assert!(error.contains(&format!("the number {number}, which")) && error.contains("JsonText"), "{error}");
        }
        assert!(read("1e400").is_err());
    }

    #[test]
    fn an_object_with_a_key_twice_is_refused() {
        for text in [r#"{"a":1,"a":2}"#, r#"[{"b":{"\u0061":1,"a":1}}]"#] {
            assert!(read(text).expect_err(text).contains("the same key twice"));
        }
        for text in [r#"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#, r#"{"a:b":":","\"":"\":\\"}"#, "[]", "{}", r#""a:b""#] {
            assert!(read(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn every_float_that_is_written_is_read() {
        for seed in 0..20_000_u64 {
            let bits = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17) ^ seed;
            let float = f64::from_bits(bits);
            if float.is_finite() {
                let text = Value::from(float).to_string();
                assert_eq!(read(&text).ok().and_then(|value| value.as_f64()), Some(float), "{text}");
            }
        }
    }
}
