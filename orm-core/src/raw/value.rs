//! What may be bound to a placeholder.

use crate::types::FieldType;

/// A value that [`RawQuery::bind`](super::RawQuery::bind) takes: of any type that a field may have, or `&str` or `&[u8]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be bound to a raw statement",
    label = "not of a type that a field of a model may have",
    note = "bind an owned value of a field's type, or `&str` or `&[u8]`"
)]
pub trait BindValue {
    /// The type of a field that has such values.
    type Value: FieldType;
    /// The value.
    fn into_value(self) -> Self::Value;
}

#[diagnostic::do_not_recommend]
impl<T: FieldType> BindValue for T {
    type Value = T;
    fn into_value(self) -> T {
        self
    }
}

impl BindValue for &str {
    type Value = String;
    fn into_value(self) -> String {
        self.to_owned()
    }
}

impl BindValue for &[u8] {
    type Value = Vec<u8>;
    fn into_value(self) -> Vec<u8> {
        self.to_vec()
    }
}

impl BindValue for Option<&str> {
    type Value = Option<String>;
    fn into_value(self) -> Option<String> {
        self.map(str::to_owned)
    }
}
