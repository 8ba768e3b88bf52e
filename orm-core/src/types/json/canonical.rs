//! The canonical text of a JSON document: documents that say the same have the same one.

use super::{
    READABLE_DEPTH,
    exact::{Digits, end_of_number},
};

/// Why a text has no canonical form: it is not JSON, or too deep.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotJson;

/// The canonical text: no spaces; keys in the order of their bytes, each once, with its last value; numbers by their value,
/// so that 1, 1.0 and 10e-1 are one; characters as they are and not escaped, where they need not be.
pub(super) fn canonical(text: &str) -> Result<String, NotJson> {
    let mut parser = Parser { text, at: 0 };
    let mut out = String::with_capacity(text.len());
    parser.value(READABLE_DEPTH, &mut out)?;
    parser.skip_spaces();
    if parser.at == text.len() { Ok(out) } else { Err(NotJson) }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Whether this byte is next, behind spaces, and passes over it.
    fn takes(&mut self, byte: u8) -> bool {
        self.skip_spaces();
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8) -> Result<(), NotJson> {
        if self.takes(byte) { Ok(()) } else { Err(NotJson) }
    }

    fn value(&mut self, depth: usize, out: &mut String) -> Result<(), NotJson> {
        self.skip_spaces();
        match self.peek().ok_or(NotJson)? {
            b'{' => self.object(depth.checked_sub(1).ok_or(NotJson)?, out),
            b'[' => self.array(depth.checked_sub(1).ok_or(NotJson)?, out),
            b'"' => {
                let string = self.string()?;
                push_string(&string, out)
            }
            b'-' | b'0'..=b'9' => self.number(out),
            _ => {
                let word = ["null", "true", "false"].into_iter().find(|word| self.text[self.at..].starts_with(word));
                let word = word.ok_or(NotJson)?;
                self.at += word.len();
                out.push_str(word);
                Ok(())
            }
        }
    }

    fn object(&mut self, depth: usize, out: &mut String) -> Result<(), NotJson> {
        let mut members: Vec<(String, String)> = Vec::new();
        self.expect(b'{')?;
        if !self.takes(b'}') {
            loop {
                self.skip_spaces();
                let key = self.string()?;
                self.expect(b':')?;
                let mut value = String::new();
                self.value(depth, &mut value)?;
                members.push((key, value));
                if self.takes(b'}') {
                    break;
                }
                self.expect(b',')?;
            }
        }
        // Of those with one key, the last one comes first and stays.
        members.reverse();
        members.sort_by(|a, b| a.0.cmp(&b.0));
        members.dedup_by(|later, first| later.0 == first.0);
        out.push('{');
        for (i, (key, value)) in members.iter().enumerate() {
            out.push_str(if i == 0 { "" } else { "," });
            push_string(key, out)?;
            out.push(':');
            out.push_str(value);
        }
        out.push('}');
        Ok(())
    }

    fn array(&mut self, depth: usize, out: &mut String) -> Result<(), NotJson> {
        self.expect(b'[')?;
        out.push('[');
        if !self.takes(b']') {
            loop {
                self.value(depth, out)?;
                if self.takes(b']') {
                    break;
                }
                self.expect(b',')?;
                out.push(',');
            }
        }
        out.push(']');
        Ok(())
    }

    fn string(&mut self) -> Result<String, NotJson> {
        let start = self.at;
        self.expect(b'"')?;
        loop {
            match self.peek().ok_or(NotJson)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        serde_json::from_str(self.text.get(start..self.at).ok_or(NotJson)?).map_err(|_| NotJson)
    }

    fn number(&mut self, out: &mut String) -> Result<(), NotJson> {
        let number = &self.text[self.at..end_of_number(self.text.as_bytes(), self.at)];
        self.at += number.len();
        if !is_number(number) {
            return Err(NotJson);
        }
        let Digits { digits, exponent } = Digits::of(number.as_bytes());
        if digits.is_empty() {
            out.push('0'); // which has no sign
            return Ok(());
        }
        out.push_str(if number.starts_with('-') { "-0." } else { "0." });
        out.extend(digits.into_iter().map(char::from));
        out.push('e');
        out.push_str(&exponent.to_string());
        Ok(())
    }
}

fn push_string(string: &str, out: &mut String) -> Result<(), NotJson> {
    out.push_str(&serde_json::to_string(string).map_err(|_| NotJson)?);
    Ok(())
}

/// Whether it is a number as JSON writes them.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, power) =
        text.split_once(['e', 'E']).map_or((text, None), |(mantissa, power)| (mantissa, Some(power)));
    let (integer, fraction) =
        mantissa.split_once('.').map_or((mantissa, None), |(integer, fraction)| (integer, Some(fraction)));
    digits(integer)
        && (integer.len() == 1 || !integer.starts_with('0'))
        && fraction.is_none_or(digits)
        && power.is_none_or(|power| digits(power.strip_prefix(['+', '-']).unwrap_or(power)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_that_say_the_same_have_one_text() {
        let same = |documents: &[&str]| {
            let first = canonical(documents[0]).expect("it is JSON");
            for document in documents {
                assert_eq!(canonical(document).as_ref(), Ok(&first), "{document}");
            }
            first
        };
        same(&[
            r#"{"a":1,"b":[true,null]}"#,
            "{ \"b\" : [ true , null ] ,\n\t\"a\" : 1.0 } ",
            r#"{"a":5,"b":[true,null],"a":1}"#,
        ]);
        same(&["1", "1.0", "10e-1", "0.001E+3"]);
        same(&["0", "-0", "0.00", "0e7"]);
        same(&[r#""é/\n""#, r#""\u00e9\/\u000a""#]);
        same(&["12345678901234567890123", "1234567890123456789012.3e1"]);
    }

    #[test]
    fn documents_that_differ_have_two() {
        for (one, other) in [
            ("12345678901234567890123", "12345678901234567890124"),
            ("1", "\"1\""),
            ("[1,2]", "[2,1]"),
            ("1", "-1"),
            ("{}", "[]"),
            (r#"{"a":"b,c"}"#, r#"{"a":"b","c":1}"#),
            ("1e1000", "1e1001"),
            ("null", "\"null\""),
        ] {
            assert_ne!(canonical(one), canonical(other), "{one} and {other}");
        }
    }

    #[test]
    fn what_is_not_json_has_none() {
        for text in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\"}",
            "{a:1}",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "--1",
            "tru",
            "nul",
            "\"",
            "\"\\",
            "\"\\x\"",
            "1 2",
            "[1}",
            "{\"a\":1,}",
            "\"\n\"",
            "é",
        ] {
            assert_eq!(canonical(text), Err(NotJson), "{text}");
        }
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(canonical(&nested(READABLE_DEPTH)).is_ok());
        assert_eq!(canonical(&nested(READABLE_DEPTH + 1)), Err(NotJson));
        assert_eq!(canonical(&"[".repeat(1_000_000)), Err(NotJson));
    }
}
