//! INSERT of many rows.

use diesel::{
    QueryResult,
    query_builder::{AstPass, QueryFragment, QueryId},
};

use super::{push_columns, push_table};
use crate::{
    backend::Driver,
    model::{Model, ToRow},
};

/// `INSERT INTO … VALUES (…), (…)`.
pub(crate) struct Insert<'r, M> {
    pub(crate) rows: &'r [M],
    /// The positions of the columns that are written.
    pub(crate) columns: &'r [usize],
    /// The statement will come again, with as many rows: worth keeping prepared.
    pub(crate) recurs: bool,
}

impl<M> QueryId for Insert<'_, M> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<M: ToRow<DB>, DB: Driver> QueryFragment<DB> for Insert<'_, M> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if !self.recurs {
            out.unsafe_to_cache_prepared();
        }
        push_head::<M, DB>(&mut out, self.columns)?;
        for (i, row) in self.rows.iter().enumerate() {
            out.push_sql(if i == 0 { " (" } else { ", (" });
            for (j, column) in self.columns.iter().enumerate() {
                if j > 0 {
                    out.push_sql(", ");
                }
                row.bind(*column, out.reborrow())?;
            }
            out.push_sql(")");
        }
        Ok(())
    }
}

/// The statement without its rows, which is what an error shows.
pub(crate) struct Head<'r, M> {
    columns: &'r [usize],
    model: std::marker::PhantomData<fn() -> M>,
}

impl<'r, M> Head<'r, M> {
    pub(crate) fn new(columns: &'r [usize]) -> Self {
        Head { columns, model: std::marker::PhantomData }
    }
}

impl<M: Model, DB: Driver> QueryFragment<DB> for Head<'_, M> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        push_head::<M, DB>(&mut out, self.columns)
    }
}

fn push_head<M: Model, DB: Driver>(out: &mut AstPass<'_, '_, DB>, columns: &[usize]) -> QueryResult<()> {
    out.push_sql("INSERT INTO ");
    push_table(out, M::TABLE)?;
    out.push_sql(" (");
    push_columns(out, columns.iter().map(|at| M::TABLE.columns[*at].name))?;
    out.push_sql(") VALUES");
    Ok(())
}
