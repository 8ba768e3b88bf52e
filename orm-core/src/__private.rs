//! What the derives' code uses. No part of the public interface.

pub use diesel::internal::derives::as_expression::Bound;

pub use crate::{
    queryset::partial::{PartialColumn, read_partial},
    types::PortableValue,
};

use crate::model::Column;
use crate::{
    field::Field,
    model::{MayBeNull, ModelColumn, NeverNull, RefersTo},
    types::default::{DefaultsToNow, HasDefault},
};

/// Checks the type of a key.
pub fn refers_to<K: RefersTo<T>, T>() {}

/// Checks that a column of the primary key cannot be NULL.
pub fn primary_key<N: NeverNull>() {}

/// Checks that the column of an `Option` may be NULL.
pub fn nullable<N: MayBeNull>() {}

/// A column that a key refers to, whose field has the type `T`.
#[derive(Debug)]
pub struct Referred<T>(std::marker::PhantomData<fn() -> T>);

pub fn referred<P, C: ModelColumn>(_: Field<P, C>) -> Referred<C::Rust> {
    Referred(std::marker::PhantomData)
}

impl<T> Referred<T> {
    /// Checks the type of a key.
    pub fn is_referred_to_by<K: RefersTo<T>>(self) {}
}

/// The position of the column of a field; 0 where there is none, of which another check of the derive has complained.
pub const fn position(columns: &[Column], field: &str) -> usize {
    let mut at = 0;
    while at < columns.len() {
        if equal(columns[at].field.as_bytes(), field.as_bytes()) {
            return at;
        }
        at += 1;
    }
    0
}

/// Checks, at compile time, that the default `now()` is one of its field's type.
pub const fn default_is_now<T: DefaultsToNow>() {}

/// Checks, at compile time, that a default is of its field's type, spelled as its values are, and one of the texts that the
/// field may hold.
///
/// # Panics
///
/// If it is another text.
pub const fn default_of<T: HasDefault>(_: T::Literal, text: Option<&str>) {
    let Some(default) = text else { return };
    T::SPELLING.expect(default);
    let Some(texts) = T::TEXTS else { return };
    let mut at = 0;
    while at < texts.len() {
        if equal(texts[at].as_bytes(), default.as_bytes()) {
            return;
        }
        at += 1;
    }
    panic!("the default is the text of no variant of the field's type")
}

// Comparing is not `const` for `str` yet.
const fn equal(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}
