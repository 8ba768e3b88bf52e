//! The column types of each backend, with values of every kind that a column can hold.

pub(crate) mod mysql;
pub(crate) mod postgres;
pub(crate) mod sqlite;

/// A column type.
pub(crate) struct ColumnType {
    /// As it stands in CREATE TABLE.
    pub(crate) declared: &'static str,
    /// SQL literals of values that the type holds.
    pub(crate) values: &'static [&'static str],
    /// Values beyond what a fitting field type can hold, such as `infinity`.
    pub(crate) special: &'static [&'static str],
    /// Whether the database takes values for equal that differ in Rust: letters of both cases, blanks at the end.
    pub(crate) loose: bool,
    /// Whether values of every kind can stand in the column, whatever its type.
    pub(crate) dynamic: bool,
    pub(crate) key: Key,
    /// SQL that is run before.
    pub(crate) setup: &'static str,
}

/// How a column of the type can be a primary key.
pub(crate) enum Key {
    Whole,
    /// By so many first characters or bytes.
    Prefix(u32),
    None,
}

pub(crate) const fn column(declared: &'static str, values: &'static [&'static str]) -> ColumnType {
    ColumnType { declared, values, special: &[], loose: false, dynamic: false, key: Key::Whole, setup: "" }
}

impl ColumnType {
    pub(crate) const fn special(self, special: &'static [&'static str]) -> Self {
        ColumnType { special, ..self }
    }
    pub(crate) const fn loose(self) -> Self {
        ColumnType { loose: true, ..self }
    }
    pub(crate) const fn dynamic(self) -> Self {
        ColumnType { dynamic: true, ..self }
    }
    pub(crate) const fn keyed_by(self, key: Key) -> Self {
        ColumnType { key, ..self }
    }
    pub(crate) const fn after(self, setup: &'static str) -> Self {
        ColumnType { setup, ..self }
    }
}
