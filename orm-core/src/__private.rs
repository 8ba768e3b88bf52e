//! What the derives' code uses. No part of the public interface.

pub use diesel::internal::derives::as_expression::Bound;

use crate::model::Column;
pub use crate::stream::row::peek;

/// The position of the column of a field. The derive checks that there is one.
///
/// # Panics
///
/// While the user's crate is compiled, if there is none.
pub const fn position(columns: &[Column], field: &str) -> usize {
    let mut at = 0;
    while at < columns.len() {
        if equal(columns[at].field.as_bytes(), field.as_bytes()) {
            return at;
        }
        at += 1;
    }
    panic!("`key` names no field of the target")
}

// Comparing is not `const` for `str` yet.
const fn equal(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}
