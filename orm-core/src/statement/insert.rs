//! INSERT of many rows.

use std::{fmt, ops::Range};

use diesel::{
    QueryResult,
    connection::Connection,
    query_builder::{AstPass, QueryFragment, QueryId},
};

use super::{push_columns, push_table};
use crate::{
    backend::Driver,
    model::{Model, ToRow},
};

/// The most rows of one statement: more make it longer, and no faster.
const MOST_ROWS: usize = 500;

/// Rows that are to be stored together.
pub struct Batch<'r, M> {
    pub(crate) rows: &'r [M],
    /// The positions of the columns that are written.
    pub(crate) columns: &'r [usize],
}

impl<M> fmt::Debug for Batch<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}

/// Why rows of a batch could not be stored.
#[derive(Debug)]
pub struct Unstored {
    pub(crate) error: diesel::result::Error,
    /// The rows of the statement that failed, as positions in the batch.
    pub(crate) rows: Range<usize>,
    /// The row at which it failed, if that is certain.
    pub(crate) row: Option<usize>,
}

/// How many rows of so many columns one statement stores at most.
pub(crate) fn most_rows<DB: Driver>(columns: usize) -> usize {
    (DB::PARAMETERS / columns).clamp(1, MOST_ROWS)
}

/// Stores a batch, by as few statements as it takes, and returns how many rows were stored.
pub(crate) fn insert<DB: Driver, M: ToRow<DB>>(link: &mut DB::Link, batch: &Batch<'_, M>) -> Result<usize, Unstored> {
    let most_rows = most_rows::<DB>(batch.columns.len());
    let mut stored = 0;
    for (number, rows) in batch.rows.chunks(most_rows).enumerate() {
        let insert = Insert { rows, columns: batch.columns, recurs: rows.len() == most_rows };
        let first = number * most_rows;
        stored += link.execute_returning_count(&insert).map_err(|error| Unstored {
            error,
            rows: first..first + rows.len(),
            row: None,
        })?;
    }
    Ok(stored)
}

/// `INSERT INTO … VALUES (…), (…)`.
struct Insert<'r, M> {
    rows: &'r [M],
    columns: &'r [usize],
    /// The statement will come again, with as many rows: worth keeping prepared.
    recurs: bool,
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
