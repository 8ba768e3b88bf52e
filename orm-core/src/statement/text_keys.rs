//! Unique keys that compare texts, where conditions compare what the texts spell.
//!
//! SQLite keeps decimals, times and instants, and JSON documents as text. A table that another program has made keeps them
//! apart by a unique index that compares the text, and that program may write `2020-01-01T00:00Z` where this one writes
//! `2020-01-01 00:00:00+00:00`. ON CONFLICT would not meet that row, and a second one would be stored. So a new row takes
//! over the spelling of the row whose key is equal to its own, and is then in conflict with it. It is one statement, which
//! locks the database before it reads, so that no other connection can store the key in between.

use diesel::{QueryResult, query_builder::AstPass};

use super::{more::push_list, push_column, push_table};
use crate::{
    backend::Driver,
    field::collation::{collated_as, push_compared},
    model::{Model, Table, ToRow},
};

/// A unique key that compares some of its columns otherwise than conditions do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextKey {
    pub(crate) columns: Vec<usize>,
    /// Those of its columns that conditions compare by a collation, and the key by another.
    pub(crate) spelled: Vec<usize>,
}

impl TextKey {
    /// The primary key of a table, if conditions compare any of it by a collation: whatever the table's index compares by.
    pub(crate) fn of_primary_key<DB: Driver>(table: &Table) -> Option<Self> {
        let columns = table.primary_key.to_vec();
        let spelled: Vec<usize> =
            columns.iter().copied().filter(|column| DB::collation(table.columns[*column].sql).is_some()).collect();
        (!spelled.is_empty()).then_some(TextKey { columns, spelled })
    }
}

/// The rows that are to be stored, in their order.
const NEW: &str = "__new";
/// Their number.
const AT: &str = "__at";
/// A row that comes before another one.
const EARLIER: &str = "__earlier";
/// The alias of the table where its keys are read.
const OLD: &str = "__old";

/// The keys of the rows of the table that may be equal to new ones, by one of the unique keys.
fn stored_name(key: usize) -> String {
    format!("__stored{key}")
}

/// `WITH … INSERT INTO … SELECT …`: the same as `INSERT INTO … VALUES …`, but with the spellings that are stored.
pub(super) fn push_insert<'b, M: ToRow<DB>, DB: Driver>(
    out: &mut AstPass<'_, 'b, DB>,
    rows: &'b [M],
    columns: &[usize],
    keys: &[TextKey],
    push_head: impl FnOnce(&mut AstPass<'_, 'b, DB>) -> QueryResult<()>,
) -> QueryResult<()> {
    let table = M::Model::TABLE;
    push_new(out, rows, columns)?;
    for (at, key) in keys.iter().enumerate() {
        push_stored(out, table, key, at)?;
    }
    out.push_sql(" ");
    push_head(out)?;
    out.push_sql(" SELECT ");
    push_list(out, columns.len(), |out, at| push_respelled(out, table, columns[at], keys))?;
    out.push_sql(" FROM ");
    out.push_identifier(NEW)?;
    // Without a condition, ON CONFLICT would be read as the ON of a join.
    out.push_sql(" WHERE TRUE ORDER BY ");
    push_column(out, NEW, AT)
}

/// `WITH "__new" ("__at", "at", …) AS MATERIALIZED (VALUES (1, ?, …), …)`
fn push_new<'b, M: ToRow<DB>, DB: Driver>(
    out: &mut AstPass<'_, 'b, DB>,
    rows: &'b [M],
    columns: &[usize],
) -> QueryResult<()> {
    out.push_sql("WITH ");
    out.push_identifier(NEW)?;
    out.push_sql(" (");
    out.push_identifier(AT)?;
    for column in columns {
        out.push_sql(", ");
        out.push_identifier(M::Model::TABLE.columns[*column].name)?;
    }
    out.push_sql(") AS MATERIALIZED (VALUES ");
    for (at, row) in rows.iter().enumerate() {
        out.push_sql(if at == 0 { "(" } else { ", (" });
        out.push_sql(&at.to_string());
        for column in columns {
            out.push_sql(", ");
            row.bind(*column, out.reborrow())?;
        }
        out.push_sql(")");
    }
    out.push_sql(")");
    Ok(())
}

/// The bounds of the text, if there are any, let an index that compares it serve the condition.
///
/// `, "__stored0" AS MATERIALIZED (SELECT "at" FROM "visits" AS "__old" WHERE "at" COLLATE … IN (SELECT "at" FROM "__new"))`
fn push_stored<DB: Driver>(out: &mut AstPass<'_, '_, DB>, table: &Table, key: &TextKey, at: usize) -> QueryResult<()> {
    let name = |at: usize| table.columns[key.columns[at]].name;
    out.push_sql(", ");
    out.push_identifier(&stored_name(at))?;
    out.push_sql(" AS MATERIALIZED (SELECT ");
    push_list(out, key.columns.len(), |out, at| push_column(out, OLD, name(at)))?;
    out.push_sql(" FROM ");
    push_table(out, table)?;
    out.push_sql(" AS ");
    out.push_identifier(OLD)?;
    for at in 0..key.columns.len() {
        out.push_sql(if at == 0 { " WHERE " } else { " AND " });
        push_compared(out, OLD, table, name(at))?;
        out.push_sql(" IN (SELECT ");
        push_column(out, NEW, name(at))?;
        out.push_sql(" FROM ");
        out.push_identifier(NEW)?;
        out.push_sql(")");
        let column = &table.columns[key.columns[at]];
        if key.spelled.contains(&key.columns[at])
            && let Some(bounds) = DB::text_bounds(column.sql)
        {
            for ((before, behind), operator) in bounds.into_iter().zip([" >= ", " < "]) {
                out.push_sql(" AND ");
                push_column(out, OLD, column.name)?;
                out.push_sql(" COLLATE BINARY");
                out.push_sql(operator);
                out.push_sql("(SELECT ");
                out.push_sql(before);
                push_column(out, NEW, column.name)?;
                out.push_sql(behind);
                out.push_sql(" FROM ");
                out.push_identifier(NEW)?;
                out.push_sql(")");
            }
        }
    }
    out.push_sql(")");
    Ok(())
}

/// A column's new value, or the spelling of it that is stored, or that an earlier row has.
fn push_respelled<DB: Driver>(
    out: &mut AstPass<'_, '_, DB>,
    table: &Table,
    column: usize,
    keys: &[TextKey],
) -> QueryResult<()> {
    let name = table.columns[column].name;
    let of_column: Vec<(usize, &TextKey)> =
        keys.iter().enumerate().filter(|(_, key)| key.spelled.contains(&column)).collect();
    if of_column.is_empty() {
        return push_column(out, NEW, name);
    }
    out.push_sql("COALESCE(");
    for (at, key) in &of_column {
        let stored = stored_name(*at);
        // Of several rows, which only the text keeps apart, the one with the same text, or else always the same one.
        for is_same_text in [true, false] {
            out.push_sql("(SELECT ");
            push_column(out, &stored, name)?;
            out.push_sql(" FROM ");
            out.push_identifier(&stored)?;
            out.push_sql(" WHERE ");
            push_is_equal(out, table, key, &stored)?;
            for (i, column) in key.spelled.iter().enumerate() {
                let name = table.columns[*column].name;
                out.push_sql(match (is_same_text, i) {
                    (true, _) => " AND ",
                    (false, 0) => " ORDER BY ",
                    (false, _) => ", ",
                });
                push_column(out, &stored, name)?;
                out.push_sql(" COLLATE BINARY");
                if is_same_text {
                    out.push_sql(" = ");
                    push_column(out, NEW, name)?;
                }
            }
            out.push_sql(" LIMIT 1), ");
        }
    }
    for (_, key) in &of_column {
        out.push_sql("(SELECT ");
        push_column(out, EARLIER, name)?;
        out.push_sql(" FROM ");
        out.push_identifier(NEW)?;
        out.push_sql(" AS ");
        out.push_identifier(EARLIER)?;
        out.push_sql(" WHERE ");
        push_column(out, EARLIER, AT)?;
        out.push_sql(" < ");
        push_column(out, NEW, AT)?;
        out.push_sql(" AND ");
        push_is_equal(out, table, key, EARLIER)?;
        out.push_sql(" ORDER BY ");
        push_column(out, EARLIER, AT)?;
        out.push_sql(" LIMIT 1), ");
    }
    push_column(out, NEW, name)?;
    out.push_sql(")");
    Ok(())
}

/// Whether a key of this name is equal to that of the new row, as conditions compare it.
fn push_is_equal<DB: Driver>(
    out: &mut AstPass<'_, '_, DB>,
    table: &Table,
    key: &TextKey,
    alias: &str,
) -> QueryResult<()> {
    for (at, column) in key.columns.iter().enumerate() {
        let column = &table.columns[*column];
        out.push_sql(if at == 0 { "" } else { " AND " });
        collated_as(column.sql, out.reborrow(), |mut out| push_column(&mut out, alias, column.name))?;
        out.push_sql(" = ");
        push_column(out, NEW, column.name)?;
    }
    Ok(())
}
