//! Text: case of every alphabet, and regular expressions.

use std::{cell::RefCell, collections::VecDeque};

use diesel::{
    QueryResult, SqliteConnection,
    sql_types::{Bool, Integer, Nullable, Text},
};
use regex::{Regex, RegexBuilder};

use super::Outcome;

#[diesel::declare_sql_function]
extern "SQL" {
    #[sql_name = "orm_lower"]
    fn lower_text(text: Nullable<Text>) -> Nullable<Text>;
    #[sql_name = "orm_upper"]
    fn upper_text(text: Nullable<Text>) -> Nullable<Text>;
    #[sql_name = "orm_fold"]
    fn fold_text(text: Nullable<Text>) -> Nullable<Text>;
    #[sql_name = "orm_regex"]
    fn regex_text(text: Nullable<Text>, pattern: Nullable<Text>, ignore_case: Bool) -> Nullable<Bool>;
    #[sql_name = "orm_search"]
    fn search_text(text: Nullable<Text>, needle: Nullable<Text>, anchor: Integer, ignore_case: Bool) -> Nullable<Bool>;
    #[sql_name = "orm_reverse"]
    fn reverse_text(text: Nullable<Text>) -> Nullable<Text>;
    #[sql_name = "orm_pad"]
    fn pad_text(text: Nullable<Text>, length: Nullable<Integer>, fill: Nullable<Text>, left: Bool) -> Nullable<Text>;
}

pub(super) fn register(connection: &mut SqliteConnection) -> QueryResult<()> {
    lower_text_utils::register_impl(connection, |text: Option<String>| text.map(|text| lower(&text)))?;
    upper_text_utils::register_impl(connection, |text: Option<String>| text.map(|text| upper(&text)))?;
    fold_text_utils::register_impl(connection, |text: Option<String>| text.map(|text| fold(&text)))?;
    regex_text_utils::register_impl(connection, |text: Option<String>, pattern: Option<String>, ignore_case: bool| {
        let (Some(text), Some(pattern)) = (text, pattern) else { return Outcome(Ok(None)) };
        Outcome(is_match(&text, &pattern, ignore_case).map(Some))
    })?;
    search_text_utils::register_impl(
        connection,
        |text: Option<String>, needle: Option<String>, anchor: i32, ignore_case: bool| {
            let (text, needle) = (text?, needle?);
            Some(if ignore_case {
                search(&fold(&text), &fold(&needle), anchor)
            } else {
                search(&text, &needle, anchor)
            })
        },
    )?;
    reverse_text_utils::register_impl(connection, |text: Option<String>| {
        text.map(|text| text.chars().rev().collect::<String>())
    })?;
    pad_text_utils::register_impl(
        connection,
        |text: Option<String>, length: Option<i32>, fill: Option<String>, left: bool| {
            Some(pad(&text?, length?, &fill?, left))
        },
    )
}

/// Whether the needle is anywhere in the text, at its start, at its end, or all of it.
fn search(text: &str, needle: &str, anchor: i32) -> bool {
    match anchor {
        0 => text.contains(needle),
        1 => text.starts_with(needle),
        2 => text.ends_with(needle),
        _ => text == needle,
    }
}

/// Each character by itself, as servers do it: what would become several characters stays as it is.
fn lower(text: &str) -> String {
    text.chars().map(|c| c.to_lowercase().next().unwrap_or(c)).collect()
}

/// As [`lower`]: `ß` has no capital of one character.
fn upper(text: &str) -> String {
    text.chars().map(capital).collect()
}

fn capital(c: char) -> char {
    let mut capitals = c.to_uppercase();
    match (capitals.next(), capitals.next()) {
        (Some(capital), None) => capital,
        _ => c,
    }
}

/// Equal for characters that are equal both in small letters and in capitals: `İ` is not `i`, whose capital is `I`.
fn fold(text: &str) -> String {
    let fold = |c: char| {
        let small = c.to_lowercase().next().unwrap_or(c);
        if capital(small) == capital(c) { small } else { c }
    };
    text.chars().map(fold).collect()
}

/// How many patterns stay compiled: a statement has few, and asks for them row by row.
const KEPT: usize = 8;

type Compiled = (String, bool, Regex);

fn is_match(text: &str, pattern: &str, ignore_case: bool) -> Result<bool, String> {
    thread_local! {
        static PATTERNS: RefCell<VecDeque<Compiled>> = const { RefCell::new(VecDeque::new()) };
    }
    PATTERNS.with_borrow_mut(|patterns| {
        let known = patterns.iter().position(|(known, ignores, _)| known == pattern && *ignores == ignore_case);
        match known {
            Some(0) => {}
            Some(at) => patterns.swap(0, at),
            None => {
                patterns.truncate(KEPT - 1);
                patterns.push_front((pattern.to_owned(), ignore_case, compile(pattern, ignore_case)?));
            }
        }
        Ok(patterns.front().is_some_and(|(_, _, regex)| regex.is_match(text)))
    })
}

/// Compiles the pattern, or says what is wrong with it, without quoting it: it is a bound value.
pub(crate) fn compile(pattern: &str, ignore_case: bool) -> Result<Regex, String> {
    RegexBuilder::new(pattern).case_insensitive(ignore_case).build().map_err(|error| {
        let text = error.to_string();
        // The parser's message shows the pattern, and ends with the kind of the mistake, which quotes nothing.
        let kind = text.lines().next_back().unwrap_or_default();
        let kind = kind.strip_prefix("error: ").unwrap_or(kind);
        format!("the pattern is not a regular expression that can be searched for: {kind}")
    })
}

/// The text with so many characters, cut or filled up.
fn pad(text: &str, length: i32, fill: &str, left: bool) -> String {
    let length = usize::try_from(length).unwrap_or(0);
    let missing = length.saturating_sub(text.chars().count());
    let filling = fill.chars().cycle().take(missing);
    if left {
        filling.chain(text.chars()).take(length).collect()
    } else {
        text.chars().chain(filling).take(length).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_that_of_every_alphabet_and_keeps_the_number_of_characters() {
        assert_eq!((lower("ÅNGSTRÖM İ Σ"), upper("straße ñ σ")), ("ångström i σ".into(), "STRAßE Ñ Σ".into()));
    }

    #[test]
    fn letters_of_two_alphabets_are_not_each_others_capitals() {
        assert_eq!(fold("İıIi ÅÉß \u{212A}ſ ǅ"), "İıii åéß \u{212A}ſ ǆ");
    }

    #[test]
    fn a_pattern_is_compiled_once_and_a_bad_one_says_why() {
        for _ in 0..3 {
            assert_eq!(is_match("Straße 5", r"^\w+ [0-9]$", false), Ok(true));
            assert_eq!(is_match("ÉCOLE", "école", true), Ok(true));
            assert_eq!(is_match("ÉCOLE", "école", false), Ok(false));
        }
        for number in 0..20 {
            assert_eq!(is_match("7", &number.to_string(), false), Ok(number == 7));
        }
        for (pattern, kind) in [
            ("(hunter2", "unclosed group"),
            ("hunter2\\y", "unrecognized escape sequence"),
            ("a{2,1}hunter2", "invalid repetition count range"),
            ("(?P<hunter2>a)(?P<hunter2>b)", "duplicate capture group name"),
            (r"\p{hunter2}", "Unicode property not found"),
            ("hunter2\nerror: hunter2\n(", "unclosed group"),
            ("(?x)hunter2\n(", "unclosed group"),
            (r"(hunter2\w{1000}){1000}", "exceeds size limit"),
        ] {
            let error = is_match("a", pattern, false).expect_err(pattern);
            assert!(error.starts_with("the pattern is not a regular expression") && error.contains(kind), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn padding_counts_characters() {
        assert_eq!(pad("né", 5, "xy", true), "xyxné");
        assert_eq!((pad("né", 1, "x", false), pad("né", -1, "x", true)), ("n".into(), String::new()));
        assert_eq!(pad("né", 4, "", false), "né");
    }
}
