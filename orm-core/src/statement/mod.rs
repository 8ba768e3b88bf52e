//! Statements: a queryset, rows or a schema written for one backend. Nothing else here knows what SQL looks like.

pub(crate) mod assigned;
pub(crate) mod begin;
pub(crate) mod change;
pub(crate) mod combined;
#[cfg(feature = "postgres")]
pub(crate) mod copy;
#[cfg(test)]
mod dialect;
#[cfg(test)]
mod dialect_of_writing;
pub(crate) mod explain;
pub(crate) mod groups;
pub(crate) mod insert;
pub(crate) mod lock;
pub(crate) mod more;
pub(crate) mod one_row;
mod scan;
pub(crate) mod schema;
pub(crate) mod select;
pub(crate) mod template;
pub(crate) mod text_keys;
pub(crate) mod update_rows;
pub(crate) mod windows;

use diesel::{
    QueryResult,
    backend::Backend,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::Untyped,
};

use crate::model::Table;

/// A statement that gives rows. How they are read is known to the shape.
#[doc(hidden)]
pub trait Statement<DB: Backend>: Query<SqlType = Untyped> + QueryFragment<DB> + QueryId {}
impl<Q: Query<SqlType = Untyped> + QueryFragment<DB> + QueryId, DB: Backend> Statement<DB> for Q {}

/// A piece of a statement.
pub(crate) type Part<'q, DB> = &'q dyn QueryFragment<DB>;

/// `"schema"."table"`
pub(crate) fn push_table<DB: Backend>(out: &mut AstPass<'_, '_, DB>, table: &Table) -> QueryResult<()> {
    if let Some(schema) = table.schema {
        out.push_identifier(schema)?;
        out.push_sql(".");
    }
    out.push_identifier(table.name)
}

/// `"alias"."column"`
pub(crate) fn push_column<DB: Backend>(out: &mut AstPass<'_, '_, DB>, alias: &str, column: &str) -> QueryResult<()> {
    out.push_identifier(alias)?;
    out.push_sql(".");
    out.push_identifier(column)
}

/// Columns by name, with commas between.
pub(crate) fn push_columns<'n, DB: Backend>(
    out: &mut AstPass<'_, '_, DB>,
    columns: impl IntoIterator<Item = &'n str>,
) -> QueryResult<()> {
    for (i, column) in columns.into_iter().enumerate() {
        if i > 0 {
            out.push_sql(", ");
        }
        out.push_identifier(column)?;
    }
    Ok(())
}
