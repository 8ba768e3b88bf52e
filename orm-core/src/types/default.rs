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
}

/// A field type whose column can have a default.
///
/// `#[derive(FieldType)]` implements it. `K` has no meaning; it keeps the derive's implementations valid for types that
/// cannot have one.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` cannot have a default",
    label = "no default of this type can be declared on every backend",
    note = "a default is a literal of an integer, a float, a `bool`, text, or a decimal as text; let the program set others"
)]
pub trait HasDefault<K = ()> {
    /// The type of the literal.
    type Literal: Copy;
    /// The only texts that may be stored, where they are limited.
    const TEXTS: Option<&'static [&'static str]> = None;
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
}

impl ColumnDefault {
    /// Whether it is a number, or text that is one, such as `-1.50`.
    pub(crate) fn is_number(self) -> bool {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match self {
            ColumnDefault::Number(_) => true,
            ColumnDefault::Boolean(_) => false,
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
    fn a_number_may_be_text() {
        for text in ["0", "-1", "9.99", "-0.50"] {
            assert!(ColumnDefault::Text(text).is_number(), "{text}");
        }
        for text in ["", "-", ".5", "5.", "1e3", "x", "1.2.3", "NaN", "--1"] {
            assert!(!ColumnDefault::Text(text).is_number(), "{text}");
        }
    }
}
