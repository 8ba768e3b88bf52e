//! UPDATE of many rows, each with values of its own.

use std::{borrow::Borrow, marker::PhantomData};

use diesel::{
    QueryResult,
    query_builder::{AstPass, QueryFragment, QueryId},
};

use super::{push_column, push_columns, push_table};
use crate::{
    backend::{BackendKind, Driver},
    field::collation::push_compared,
    model::{Model, Table, ToRow},
};

/// The name of the new values, as a table.
const GIVEN: &str = "given_rows";

/// The statement: each row's columns go to the row with its key.
pub(crate) struct UpdateRows<'r, T, M> {
    pub(crate) rows: &'r [T],
    /// The positions of the columns that are written, none of which is of the key.
    pub(crate) columns: &'r [usize],
    /// The statement will come again, with as many rows: worth keeping prepared.
    pub(crate) recurs: bool,
    /// The rows of a union may be written as VALUES.
    pub(crate) values: bool,
    pub(crate) model: PhantomData<fn() -> M>,
}

impl<T, M> QueryId for UpdateRows<'_, T, M> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T: Borrow<M>, M: Model + ToRow<DB>, DB: Driver> QueryFragment<DB> for UpdateRows<'_, T, M> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if !self.recurs {
            out.unsafe_to_cache_prepared();
        }
        let table = M::TABLE;
        match DB::KIND {
            BackendKind::Mysql => {
                out.push_sql("UPDATE ");
                push_aliased(&mut out, table)?;
                out.push_sql(" INNER JOIN ");
                self.push_union(&mut out)?;
                push_matches(&mut out, table, " ON ")?;
                self.push_sets(&mut out)
            }
            BackendKind::Sqlite => {
                self.push_with(&mut out)?;
                out.push_sql("UPDATE ");
                push_table(&mut out, table)?;
                self.push_sets(&mut out)?;
                out.push_sql(" FROM ");
                out.push_identifier(GIVEN)?;
                push_matches(&mut out, table, " WHERE ")
            }
            BackendKind::Postgres => {
                out.push_sql("UPDATE ");
                push_table(&mut out, table)?;
                self.push_sets(&mut out)?;
                out.push_sql(" FROM ");
                self.push_list(&mut out)?;
                push_matches(&mut out, table, " WHERE ")
            }
        }
    }
}

impl<T, M: Model> UpdateRows<'_, T, M> {
    /// The columns of which values are sent: those of the key come first.
    fn written(&self) -> impl Iterator<Item = usize> {
        M::PRIMARY_KEY.iter().chain(self.columns).copied()
    }

    fn push_values<'b, DB: Driver>(&self, row: &'b M, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        M: ToRow<DB>,
    {
        for (i, column) in self.written().enumerate() {
            if i > 0 {
                out.push_sql(", ");
            }
            row.bind(column, out.reborrow())?;
        }
        Ok(())
    }

    /// `(SELECT "flights"."id" FROM "flights" WHERE 1 = 0 UNION ALL SELECT …) AS "given_rows"`
    fn push_union<'b, DB: Driver>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        T: Borrow<M>,
        M: ToRow<DB>,
    {
        let table = M::TABLE;
        // Rows of the table come first, though there are none, and tell what the columns' types and collations are.
        for (i, column) in self.written().enumerate() {
            let column = &table.columns[column];
            out.push_sql(if i == 0 { "(SELECT " } else { ", " });
            push_column(out, table.name, column.name)?;
            if column.sql.is_boolean() || column.sql.is_integer() || column.sql.is_decimal() {
                // The column may be a BIT, and a union of a BIT and a number is text, whose characters an assignment to a
                // BIT takes for bits. Adding 0 keeps all digits of a decimal.
                out.push_sql(" + 0 AS ");
                out.push_identifier(column.name)?;
            }
        }
        out.push_sql(" FROM ");
        push_table(out, table)?;
        out.push_sql(" WHERE 1 = 0");
        for (i, row) in self.rows.iter().enumerate() {
            out.push_sql(match (self.values, i) {
                (false, _) => " UNION ALL SELECT ",
                (true, 0) => " UNION ALL VALUES (",
                (true, _) => ", (",
            });
            self.push_values(row.borrow(), out)?;
            if self.values {
                out.push_sql(")");
            }
        }
        out.push_sql(") AS ");
        out.push_identifier(GIVEN)
    }

    /// `WITH "given_rows" ("id", "delay") AS (VALUES …) `
    fn push_with<'b, DB: Driver>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        T: Borrow<M>,
        M: ToRow<DB>,
    {
        out.push_sql("WITH ");
        out.push_identifier(GIVEN)?;
        self.push_names(out)?;
        out.push_sql(" AS (");
        self.push_rows(out)?;
        out.push_sql(") ");
        Ok(())
    }

    /// `(VALUES …) AS "given_rows" ("id", "delay")`
    fn push_list<'b, DB: Driver>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        T: Borrow<M>,
        M: ToRow<DB>,
    {
        out.push_sql("(");
        self.push_rows(out)?;
        out.push_sql(") AS ");
        out.push_identifier(GIVEN)?;
        self.push_names(out)
    }

    /// `VALUES (…), (…)`
    fn push_rows<'b, DB: Driver>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        T: Borrow<M>,
        M: ToRow<DB>,
    {
        if DB::KIND == BackendKind::Postgres && self.written().any(|column| M::COLUMNS[column].sql.is_text()) {
            out.push_sql("VALUES (");
            self.push_types(out)?;
            out.push_sql(")");
            return self.rows.iter().try_for_each(|row| {
                out.push_sql(", (");
                self.push_values(row.borrow(), out)?;
                out.push_sql(")");
                Ok(())
            });
        }
        for (i, row) in self.rows.iter().enumerate() {
            out.push_sql(if i == 0 { "VALUES (" } else { ", (" });
            self.push_values(row.borrow(), out)?;
            out.push_sql(")");
        }
        Ok(())
    }

    /// `NULL, (SELECT "code" FROM "flights" WHERE 1 = 0)`: a row of NULLs, whose key matches no row. Text of a list has
    /// the type `text` unless another value of the list has the column's, which may be `citext`, `char(n)` or an enum.
    fn push_types<DB: Driver>(&self, out: &mut AstPass<'_, '_, DB>) -> QueryResult<()> {
        for (i, column) in self.written().enumerate() {
            let column = &M::COLUMNS[column];
            out.push_sql(if i == 0 { "" } else { ", " });
            if !column.sql.is_text() {
                out.push_sql("NULL");
                continue;
            }
            out.push_sql("(SELECT ");
            push_column(out, M::TABLE.name, column.name)?;
            out.push_sql(" FROM ");
            push_table(out, M::TABLE)?;
            out.push_sql(" WHERE 1 = 0)");
        }
        Ok(())
    }

    /// ` ("id", "delay")`
    fn push_names<DB: Driver>(&self, out: &mut AstPass<'_, '_, DB>) -> QueryResult<()> {
        out.push_sql(" (");
        push_columns(out, self.written().map(|column| M::COLUMNS[column].name))?;
        out.push_sql(")");
        Ok(())
    }

    /// ` SET "delay" = "given_rows"."delay"`
    fn push_sets<DB: Driver>(&self, out: &mut AstPass<'_, '_, DB>) -> QueryResult<()> {
        for (i, column) in self.columns.iter().enumerate() {
            out.push_sql(if i == 0 { " SET " } else { ", " });
            let name = M::COLUMNS[*column].name;
            if DB::KIND == BackendKind::Mysql {
                push_column(out, M::TABLE.name, name)?;
            } else {
                out.push_identifier(name)?;
            }
            out.push_sql(" = ");
            push_column(out, GIVEN, name)?;
        }
        Ok(())
    }
}

/// How many of the rows given have their key in the table, each counted by itself: more than were updated where the database
/// takes the keys of some for one. Of the rows nothing but the keys is sent.
pub(crate) struct CountRows<'r, T, M>(UpdateRows<'r, T, M>);

impl<'r, T, M> CountRows<'r, T, M> {
    pub(crate) fn new(rows: &'r [T], values: bool) -> Self {
        CountRows(UpdateRows { rows, columns: &[], recurs: false, values, model: PhantomData })
    }
}

impl<T: Borrow<M>, M: Model + ToRow<DB>, DB: Driver> QueryFragment<DB> for CountRows<'_, T, M> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        if DB::KIND == BackendKind::Sqlite {
            self.0.push_with(&mut out)?;
        }
        out.push_sql("SELECT COUNT(*) FROM ");
        push_aliased(&mut out, M::TABLE)?;
        out.push_sql(" INNER JOIN ");
        match DB::KIND {
            BackendKind::Mysql => self.0.push_union(&mut out)?,
            BackendKind::Postgres => self.0.push_list(&mut out)?,
            BackendKind::Sqlite => out.push_identifier(GIVEN)?,
        }
        push_matches(&mut out, M::TABLE, " ON ")?;
        if DB::KIND == BackendKind::Mysql {
            // It reads what is there now, as the UPDATE did, and not what was there when the transaction began.
            out.push_sql(" FOR UPDATE");
        }
        Ok(())
    }
}

/// The table, by the name that its columns are written with.
fn push_aliased<DB: Driver>(out: &mut AstPass<'_, '_, DB>, table: &Table) -> QueryResult<()> {
    push_table(out, table)?;
    if table.schema.is_some() {
        out.push_sql(" AS ");
        out.push_identifier(table.name)?;
    }
    Ok(())
}

/// ` WHERE "flights"."id" = "given_rows"."id"`
fn push_matches<DB: Driver>(out: &mut AstPass<'_, '_, DB>, table: &Table, word: &str) -> QueryResult<()> {
    for (i, column) in table.primary_key.iter().enumerate() {
        let name = table.columns[*column].name;
        out.push_sql(if i == 0 { word } else { " AND " });
        push_compared(out, table.name, table, name)?;
        out.push_sql(" = ");
        push_column(out, GIVEN, name)?;
    }
    Ok(())
}

/// The statement without its rows, which is what an error shows.
pub(crate) struct Head<'r, M>(pub(crate) &'r [usize], pub(crate) PhantomData<fn() -> M>);

impl<M: Model, DB: Driver> QueryFragment<DB> for Head<'_, M> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("UPDATE ");
        push_table(&mut out, M::TABLE)?;
        out.push_sql(" SET ");
        push_columns(&mut out, self.0.iter().map(|column| M::COLUMNS[*column].name))
    }
}
