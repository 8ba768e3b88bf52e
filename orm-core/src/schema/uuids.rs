//! Whether a column holds UUIDs in the form in which a field writes them and compares with them.

use super::stored::Misfit;
use crate::sql_types::{ColumnSql, ColumnType, Uuid, UuidSimple, UuidText};

/// A form in which UUIDs are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// PostgreSQL's type, or 16 bytes.
    Plain,
    /// Text of so many characters.
    Text(u32),
}

impl Form {
    fn of(sql: ColumnType) -> Option<Self> {
        match sql {
            _ if sql == Uuid::COLUMN => Some(Form::Plain),
            _ if sql == UuidText::COLUMN => Some(Form::Text(36)),
            _ if sql == UuidSimple::COLUMN => Some(Form::Text(32)),
            _ => None,
        }
    }
}

/// What a type of a column is to a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Live {
    /// Text, whose greatest length is perhaps declared.
    Text(Option<u32>),
    /// Bytes, or PostgreSQL's type.
    Plain,
    /// MariaDB's type, which is sent and compared as text of 36 characters.
    OfMariadb,
}

impl Live {
    fn of(declared: &str, uuid_is_text: bool) -> Option<Self> {
        let declared = declared.to_ascii_lowercase();
        let (name, inside) = declared.split_once('(').unwrap_or((&declared, ""));
        let length = inside.split(')').next().and_then(|length| length.trim().parse().ok());
        match name.trim() {
            "char" | "character" | "bpchar" | "varchar" | "character varying" => Some(Live::Text(length)),
            "tinytext" | "text" | "mediumtext" | "longtext" => Some(Live::Text(None)),
            "binary" | "varbinary" | "blob" | "bytea" => Some(Live::Plain),
            "uuid" if uuid_is_text => Some(Live::OfMariadb),
            "uuid" => Some(Live::Plain),
            _ => None,
        }
    }
}

/// Whether a field that keeps UUIDs as `sql` fits a column that is declared so; `None` where the rules for its other types say.
pub(crate) fn misfit(sql: ColumnType, declared: &str, uuid_is_text: bool) -> Option<Option<Misfit>> {
    const TEXT: &str = "`#[model(sql_type = orm_core::sql_types::UuidText)]`";
    const SIMPLE: &str = "`#[model(sql_type = orm_core::sql_types::UuidSimple)]`";
    let why = match (Form::of(sql)?, Live::of(declared, uuid_is_text)?) {
        (Form::Text(36), Live::OfMariadb) => return Some(None),
        (_, Live::OfMariadb) => {
            format!("which is compared as text of 36 characters; give the field {TEXT}")
        }
        (Form::Text(length), Live::Text(found)) if found.is_none_or(|found| found == length) => return Some(None),
        // A longer `varchar` holds it as well; a longer `char` is padded on PostgreSQL.
        (Form::Text(length), Live::Text(Some(found))) if found > length && is_variable(declared) => return Some(None),
        (Form::Text(32), Live::Text(Some(36))) => {
            format!("which holds UUIDs with hyphens, it seems; give the field {TEXT}")
        }
        (Form::Text(36), Live::Text(Some(32))) => {
            format!("which holds UUIDs without hyphens, it seems; give the field {SIMPLE}")
        }
        (Form::Text(length), Live::Text(_)) => format!("which is not for text of {length} characters; change it"),
        (Form::Text(_), Live::Plain) => "which does not hold text; remove `sql_type` from the field".to_owned(),
        (Form::Plain, Live::Text(Some(32))) => {
            format!("and UUIDs in it are not found by 16 bytes; give the field {SIMPLE}")
        }
        (Form::Plain, Live::Text(Some(36))) => {
            format!("and UUIDs in it are not found by 16 bytes; give the field {TEXT}")
        }
        (Form::Plain, Live::Text(_)) => format!(
            "and UUIDs in it are not found by 16 bytes; give the field {TEXT}, or {SIMPLE} where they have no hyphens"
        ),
        (Form::Plain, Live::Plain) => return None,
    };
    Some(Some(Misfit::reading(why)))
}

fn is_variable(declared: &str) -> bool {
    declared.to_ascii_lowercase().contains("var")
}

/// Whether a key and the column that it refers to keep UUIDs in two forms, so that they are never equal.
pub(crate) fn differ(key: ColumnType, referred: ColumnType) -> bool {
    let (key, referred) = (Form::of(key), Form::of(referred));
    key != referred && (key.is_some() || referred.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(sql: ColumnType, declared: &str) -> Option<String> {
        misfit(sql, declared, true).expect("a type of UUIDs").map(|misfit| misfit.why)
    }

    #[test]
    fn each_form_has_its_columns() {
        for fit in ["char(36)", "varchar(36)", "VARCHAR(50)", "text", "LONGTEXT", "uuid"] {
            assert_eq!(told(UuidText::COLUMN, fit), None, "{fit}");
        }
        for fit in ["char(32)", "character(32)", "character varying(32)", "text"] {
            assert_eq!(told(UuidSimple::COLUMN, fit), None, "{fit}");
        }
        assert_eq!(misfit(Uuid::COLUMN, "BINARY(16)", true), None);
        assert_eq!(misfit(Uuid::COLUMN, "uuid", false), None);
        assert_eq!(misfit(diesel::sql_types::Text::COLUMN, "char(36)", true), None);
    }

    #[test]
    fn the_form_that_fits_is_named() {
        for (sql, declared, cure) in [
            (Uuid::COLUMN, "char(32)", "::UuidSimple)"),
            (Uuid::COLUMN, "CHAR(36)", "::UuidText)"),
            (Uuid::COLUMN, "varchar(50)", "where they have no hyphens"),
            (Uuid::COLUMN, "uuid", "::UuidText)"),
            (UuidSimple::COLUMN, "uuid", "::UuidText)"),
            (UuidSimple::COLUMN, "char(36)", "::UuidText)"),
            (UuidText::COLUMN, "char(32)", "::UuidSimple)"),
            (UuidText::COLUMN, "char(40)", "not for text of 36 characters"),
            (UuidText::COLUMN, "varchar(20)", "not for text of 36 characters"),
            (UuidText::COLUMN, "binary(16)", "remove `sql_type`"),
        ] {
            assert!(told(sql, declared).is_some_and(|why| why.contains(cure)), "{declared}: {:?}", told(sql, declared));
        }
    }
}
