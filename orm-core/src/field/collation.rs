//! Collations of expressions on SQLite, where decimals, times and instants, and JSON documents are text.
//!
//! SQLite compares by the collation that stands explicitly beside an operand, the left one first, then by that of a
//! column; the results of functions, subqueries and CASE have none. Every expression of a type with a collation is
//! therefore written with it, wherever it stands: in comparisons, orders, groups, DISTINCT, set operations, aggregates
//! and windows. Columns of other programs' tables, which are declared without it, are compared in the same way.
//!
//! A decimal column of another program may hold numbers. SQLite makes numbers of the texts that such a column is compared
//! with; beside what is computed of it, it does not. So what is computed is text, whatever it was computed of.

use diesel::{QueryResult, query_builder::AstPass};

use crate::{
    backend::{BackendKind, Driver},
    model::Table,
    sql_types::{ColumnSql, ColumnType},
    statement::push_column,
};

/// Writes an expression of the SQL type `ST` so that it is compared as values of that type are.
pub(crate) fn collated<'b, DB: Driver, ST: ColumnSql>(
    out: AstPass<'_, 'b, DB>,
    write: impl FnOnce(AstPass<'_, 'b, DB>) -> QueryResult<()>,
) -> QueryResult<()> {
    collated_as(ST::COLUMN, out, write)
}

/// Writes what is computed, of the SQL type `ST`, so that it is compared as values of that type are.
pub(crate) fn computed<'b, DB: Driver, ST: ColumnSql>(
    out: AstPass<'_, 'b, DB>,
    write: impl FnOnce(AstPass<'_, 'b, DB>) -> QueryResult<()>,
) -> QueryResult<()> {
    collated::<DB, ST>(out, |mut out| match DB::exact_function(ST::COLUMN) {
        Some(function) => {
            out.push_sql(function);
            out.push_sql("(");
            write(out.reborrow())?;
            out.push_sql(")");
            Ok(())
        }
        None => write(out),
    })
}

/// Writes an expression of this type so that it is compared as values of that type are.
pub(crate) fn collated_as<'b, DB: Driver>(
    column: ColumnType,
    mut out: AstPass<'_, 'b, DB>,
    write: impl FnOnce(AstPass<'_, 'b, DB>) -> QueryResult<()>,
) -> QueryResult<()> {
    let Some(collation) = DB::collation(column) else { return write(out) };
    out.push_sql("(");
    write(out.reborrow())?;
    out.push_sql(" COLLATE ");
    out.push_sql(collation);
    out.push_sql(")");
    Ok(())
}

/// `"alias"."column"`, of a column that is compared or ordered by.
pub(crate) fn push_compared<DB: Driver>(
    out: &mut AstPass<'_, '_, DB>,
    alias: &str,
    table: &Table,
    column: &str,
) -> QueryResult<()> {
    match table.columns.iter().find(|known| known.name == column) {
        Some(known) if DB::KIND == BackendKind::Mysql && known.sql.is_document() => {
            Err(super::document::no_key(table, known))
        }
        Some(known) => collated_as(known.sql, out.reborrow(), |mut out| push_column(&mut out, alias, column)),
        None => push_column(out, alias, column),
    }
}
