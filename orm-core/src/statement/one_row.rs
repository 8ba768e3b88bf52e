//! Statements about one row, which is found by its key.

use diesel::{
    QueryResult,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::Untyped,
};

use super::{assigned::Assignments, push_columns, push_table};
use crate::{
    backend::{BackendKind, Driver},
    field::collation::push_compared,
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
    /// It is read.
    Select,
    /// It is read as it is now. A transaction of MySQL's that updates a row without changing it goes on seeing the row as it was
    /// when the transaction first read, or not at all, unless it reads with a lock.
    SelectCurrent,
    /// It is read, and has the key that the database has just made for it.
    SelectMade(u64),
}

impl<R> QueryId for OneRow<'_, R> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<R> Query for OneRow<'_, R> {
    type SqlType = Untyped;
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
            Action::Select | Action::SelectCurrent | Action::SelectMade(_) => {
                out.push_sql("SELECT ");
                push_columns(&mut out, table.columns.iter().map(|column| column.name))?;
                out.push_sql(" FROM ");
                push_table(&mut out, table)?;
            }
        }
        let made = match self.action {
            Action::SelectMade(made) => {
                out.unsafe_to_cache_prepared(); // the next one has another key
                Some(made)
            }
            _ => None,
        };
        out.push_sql(" WHERE ");
        push_is_row(self.row, made, &mut out)?;
        if matches!(self.action, Action::SelectCurrent) && DB::KIND == BackendKind::Mysql {
            out.push_sql(" FOR UPDATE");
        }
        Ok(())
    }
}

/// Whether a row of the table has this row's key.
fn push_is_row<'b, R: ToRow<DB>, DB: Driver>(
    row: &'b R,
    made: Option<u64>,
    out: &mut AstPass<'_, 'b, DB>,
) -> QueryResult<()> {
    let table = R::Model::TABLE;
    for (i, column) in table.primary_key.iter().enumerate() {
        out.push_sql(if i == 0 { "" } else { " AND " });
        push_compared(out, table.name, table, table.columns[*column].name)?;
        out.push_sql(" = ");
        match made {
            Some(made) if is_made::<R>(*column) => out.push_sql(&made.to_string()),
            _ => row.bind(*column, out.reborrow())?,
        }
    }
    Ok(())
}

/// Whether the database has made this column of the key, so that the row does not know it.
pub(crate) fn is_made<R: Insertable>(column: usize) -> bool {
    R::Model::COLUMNS[column].generated && std::any::TypeId::of::<R>() != std::any::TypeId::of::<R::Model>()
}

/// An update of the row whose key this row has, by assignments.
pub(crate) struct SetOneRow<'q, DB: Driver, R> {
    pub(crate) row: &'q R,
    pub(crate) assignments: Assignments<'q, DB>,
}

impl<DB: Driver, R> QueryId for SetOneRow<'_, DB, R> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<R: ToRow<DB>, DB: Driver> QueryFragment<DB> for SetOneRow<'_, DB, R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        let table = R::Model::TABLE;
        out.push_sql("UPDATE ");
        if self.assignments.values_first {
            return self.assignments.push_values_first(&mut out, table, |out| push_is_row(self.row, None, out));
        }
        push_table(&mut out, table)?;
        self.assignments.push(&mut out, table, false)?;
        out.push_sql(" WHERE ");
        push_is_row(self.row, None, &mut out)
    }
}
