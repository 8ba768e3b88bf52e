//! Statements about one row, which is found by its key.

use diesel::{
    QueryResult,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::Untyped,
};

use super::{push_column, push_columns, push_table};
use crate::{
    backend::Driver,
    model::{Insertable, Model, ToRow},
};

/// What is done with the row whose key this row has.
pub(crate) struct OneRow<'r, R> {
    pub(crate) row: &'r R,
    pub(crate) action: Action<'r>,
}

#[derive(Clone, Copy)]
pub(crate) enum Action<'r> {
    /// These columns get this row's values.
    Update(&'r [usize]),
    Delete,
    /// It is read. Of a row that was just stored, the key that the database has made is the last that it made.
    Select,
}

impl<R> QueryId for OneRow<'_, R> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<R> Query for OneRow<'_, R> {
    type SqlType = Untyped;
}

impl<R: Insertable> OneRow<'_, R> {
    /// Whether the database has made this column of the key, so that the row does not know it.
    fn is_made(column: usize) -> bool {
        R::Model::COLUMNS[column].generated && std::any::TypeId::of::<R>() != std::any::TypeId::of::<R::Model>()
    }
}

// There are as many of these statements as there are calls in the program, so they may be kept prepared.
impl<R: ToRow<DB>, DB: Driver> QueryFragment<DB> for OneRow<'_, R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let table = R::Model::TABLE;
        match self.action {
            Action::Update(columns) => {
                out.push_sql("UPDATE ");
                push_table(&mut out, table)?;
                for (i, column) in columns.iter().enumerate() {
                    out.push_sql(if i == 0 { " SET " } else { ", " });
                    out.push_identifier(table.columns[*column].name)?;
                    out.push_sql(" = ");
                    self.row.bind(*column, out.reborrow())?;
                }
            }
            Action::Delete => {
                out.push_sql("DELETE FROM ");
                push_table(&mut out, table)?;
            }
            Action::Select => {
                out.push_sql("SELECT ");
                push_columns(&mut out, table.columns.iter().map(|column| column.name))?;
                out.push_sql(" FROM ");
                push_table(&mut out, table)?;
            }
        }
        for (i, column) in table.primary_key.iter().enumerate() {
            out.push_sql(if i == 0 { " WHERE " } else { " AND " });
            push_column(&mut out, table.name, table.columns[*column].name)?;
            out.push_sql(" = ");
            if Self::is_made(*column) {
                out.push_sql("LAST_INSERT_ID()");
            } else {
                self.row.bind(*column, out.reborrow())?;
            }
        }
        Ok(())
    }
}
