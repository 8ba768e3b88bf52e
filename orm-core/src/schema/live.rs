//! Tables as a database has them, in one form for all backends.

use diesel::sql_types::{BigInt, Nullable, Text};

/// A table or view of a database.
#[doc(hidden)]
#[derive(Debug)]
pub struct LiveTable {
    /// What tells it from all other tables, as foreign keys name them.
    pub(crate) identity: String,
    /// It has no keys of its own, and the database does not know which of its columns may be NULL.
    pub(crate) is_view: bool,
    pub(crate) columns: Vec<LiveColumn>,
    /// The primary key, and whatever else is unique without a condition; each by its columns.
    pub(crate) unique: Vec<Vec<String>>,
    /// The indexes that are not unique, without a condition; each by its columns.
    pub(crate) indexes: Vec<Vec<String>>,
    pub(crate) foreign_keys: Vec<LiveForeignKey>,
    /// What keeps it, where that undoes nothing: an engine of MySQL's or MariaDB's.
    pub(crate) without_transactions: Option<String>,
}

/// A column of a database.
#[doc(hidden)]
#[derive(Debug)]
pub struct LiveColumn {
    pub(crate) name: String,
    /// Its type, as the database shows it.
    pub(crate) declared: String,
    pub(crate) nullable: bool,
    /// Whether the database fills it where an INSERT leaves it out, with something that is not NULL.
    pub(crate) has_default: bool,
    /// Whether nobody but the database may fill it.
    pub(crate) is_always_generated: bool,
    /// What a backend has to say of its type besides.
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code))]
    pub(crate) remark: Remark,
}

/// What a backend has to say of a column's type besides its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remark {
    Nothing,
    /// On SQLite: the table is STRICT.
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code))]
    Strict,
    /// On SQLite: its text is compared as numbers.
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code))]
    ComparesDecimals,
}

/// A foreign key of a database.
#[derive(Debug)]
pub(crate) struct LiveForeignKey {
    /// The identity of the table that it refers to.
    pub(crate) to: String,
    /// Each of its columns with the one that it is equal to; `None` is the primary key.
    pub(crate) columns: Vec<(String, Option<String>)>,
}

/// A table that is looked for: its schema, where one is given, and its name.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    pub(crate) schema: Option<&'static str>,
    pub(crate) name: &'static str,
}

/// A row of a catalog: a column.
#[derive(Debug, diesel::QueryableByName)]
pub(crate) struct ColumnRow {
    /// The position of its table among those that were looked for.
    #[diesel(sql_type = BigInt)]
    at: i64,
    #[diesel(sql_type = Text)]
    identity: String,
    #[diesel(sql_type = BigInt)]
    is_view: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    declared: String,
    #[diesel(sql_type = BigInt)]
    nullable: i64,
    #[diesel(sql_type = BigInt)]
    has_default: i64,
    #[diesel(sql_type = BigInt)]
    is_always_generated: i64,
}

/// A row of a catalog: a column of a key.
#[derive(Debug, diesel::QueryableByName)]
pub(crate) struct KeyRow {
    #[diesel(sql_type = BigInt)]
    at: i64,
    /// What tells the key from the table's others.
    #[diesel(sql_type = Text)]
    key_name: String,
    /// Empty for what is no column but an expression.
    #[diesel(sql_type = Text)]
    column_name: String,
    /// Whether no two rows have the same values in it; of no meaning for a foreign key.
    #[diesel(sql_type = BigInt)]
    is_unique: i64,
    /// The identity of the other table, for a foreign key.
    #[diesel(sql_type = Nullable<Text>)]
    to_table: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    to_column: Option<String>,
}

/// The tables that rows of a catalog describe; `None` for each that is not there.
#[cfg_attr(not(any(feature = "mysql", feature = "postgres")), allow(dead_code))]
pub(crate) fn tables(wanted: usize, columns: Vec<ColumnRow>, keys: Vec<KeyRow>) -> Vec<Option<LiveTable>> {
    let mut tables: Vec<Option<LiveTable>> = (0..wanted).map(|_| None).collect();
    for row in columns {
        let Some(table) = usize::try_from(row.at).ok().and_then(|at| tables.get_mut(at)) else { continue };
        let table = table.get_or_insert_with(|| LiveTable {
            identity: row.identity,
            is_view: row.is_view != 0,
            columns: Vec::new(),
            unique: Vec::new(),
            indexes: Vec::new(),
            foreign_keys: Vec::new(),
            without_transactions: None,
        });
        table.columns.push(LiveColumn {
            name: row.name,
            declared: row.declared,
            nullable: row.nullable != 0,
            has_default: row.has_default != 0,
            is_always_generated: row.is_always_generated != 0,
            remark: Remark::Nothing,
        });
    }
    let mut last: Option<(i64, String)> = None;
    for row in keys {
        let Some(Some(table)) = usize::try_from(row.at).ok().and_then(|at| tables.get_mut(at)) else { continue };
        let key = (row.at, row.key_name);
        let is_new = last.as_ref() != Some(&key);
        last = Some(key);
        match row.to_table {
            Some(to) => {
                if is_new {
                    table.foreign_keys.push(LiveForeignKey { to, columns: Vec::new() });
                }
                if let Some(key) = table.foreign_keys.last_mut() {
                    key.columns.push((row.column_name, row.to_column));
                }
            }
            None => {
                let keys = if row.is_unique != 0 { &mut table.unique } else { &mut table.indexes };
                if is_new {
                    keys.push(Vec::new());
                }
                if let Some(key) = keys.last_mut() {
                    key.push(row.column_name);
                }
            }
        }
    }
    tables
}
