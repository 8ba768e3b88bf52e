//! What SQLite converts the values of a column to ("Determination Of Column Affinity"), and what is lost by it.

use crate::{
    model::{Column, Table},
    types::numeral::Numeral,
};

/// What the values of a column are converted to, if they can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Affinity {
    Integer,
    Text,
    /// Nothing is converted.
    Blob,
    Real,
    Numeric,
}

/// The affinity of a column that is declared so.
pub(super) fn affinity(declared: &str, strict: bool) -> Affinity {
    let declared = declared.to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    if strict && declared == "ANY" {
        Affinity::Blob
    } else if has(&["INT"]) {
        Affinity::Integer
    } else if has(&["CHAR", "CLOB", "TEXT"]) {
        Affinity::Text
    } else if declared.is_empty() || has(&["BLOB"]) {
        Affinity::Blob
    } else if has(&["REAL", "FLOA", "DOUB"]) {
        Affinity::Real
    } else {
        Affinity::Numeric
    }
}

/// Whether a column with numeric affinity would make a number of the text.
pub(crate) fn is_convertible(text: &str) -> bool {
    // SQLite's own spaces.
    let text = text.trim_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
    Numeral::parse(text.as_bytes()).is_some()
}

/// Writes a value that a column with numeric affinity would change: as itself, or as an error if it is such a column.
pub(crate) fn kept(table: &Table, column: &Column) -> (&'static str, String) {
    let literal = |name: &str| format!("'{}'", name.replace('\'', "''"));
    let schema = table.schema.map_or_else(|| "NULL".to_owned(), literal);
    let is_decimal = i32::from(column.sql.is_decimal());
    ("orm_keep(", format!(", {schema}, {}, {}, {is_decimal})", literal(table.name), literal(column.name)))
}

/// Says why a column of this type would not keep the text as it is.
pub(super) fn check_kept(text: &str, declared: &str, is_decimal: bool) -> Result<(), String> {
    match affinity(declared, declared.eq_ignore_ascii_case("ANY")) {
        Affinity::Text | Affinity::Blob => Ok(()),
        // An integer of 64 bits is kept as one, however many digits it has.
        Affinity::Integer | Affinity::Numeric if is_decimal && text.parse::<i64>().is_ok() => Ok(()),
        _ => Err(format!(
            "a value cannot be stored as it is: the column is declared `{declared}`, so that SQLite would make {}; declare \
             the column `{}`",
            if is_decimal { "a float of it, which has fewer digits" } else { "a number of this text" },
            if is_decimal { "TEXT COLLATE orm_decimal" } else { "TEXT" },
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_looks_like_a_number_is_converted() {
        for text in ["0123", " 12 ", "-1.5e3", "+5", "5.", ".5", "1e400"] {
            assert!(is_convertible(text), "{text}");
        }
        for text in ["", "1 2", "0x10", "1_000", "2020-01-01", "1e", "Infinity"] {
            assert!(!is_convertible(text), "{text}");
        }
    }
}
