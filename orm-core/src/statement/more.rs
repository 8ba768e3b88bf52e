//! What a SELECT may have beside its columns, conditions and order.

use diesel::{QueryResult, query_builder::AstPass};

use super::{Part, combined::Combined, groups::Groups, push_column, push_table, select::Select};
use crate::{backend::Driver, field::collation::push_compared, model::Table};

/// What few statements have.
pub(crate) struct More<'q, DB: Driver> {
    /// `DISTINCT ON`
    pub(crate) distinct_on: Vec<Part<'q, DB>>,
    pub(crate) source: Source<'q, DB>,
    pub(crate) groups: Option<Groups<'q, DB>>,
    /// A condition on windows; only of rows that are chosen for another statement.
    pub(crate) qualify: Option<Part<'q, DB>>,
}

impl<DB: Driver> Default for More<'_, DB> {
    fn default() -> Self {
        More { distinct_on: Vec::new(), source: Source::Table, groups: None, qualify: None }
    }
}

/// Where the rows of the root come from.
pub(crate) enum Source<'q, DB: Driver> {
    /// Its table.
    Table,
    /// Its table, but only the rows whose keys another statement gives.
    Chosen(Box<Select<'q, DB>>),
    /// Whole rows of the table, from several statements.
    Combined(Combined<'q, DB>),
    /// Values from several statements, whose columns are named before the SELECT.
    Listed(Combined<'q, DB>, usize),
}

impl<'q, DB: Driver> More<'q, DB> {
    /// Whether the rows are those of the table for which the conditions are true.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.source, Source::Table) && self.distinct_on.is_empty()
    }

    /// `WITH … (…) AS (…)`
    pub(super) fn push_list<'b>(&self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        'q: 'b,
    {
        match &self.source {
            Source::Listed(combined, columns) => combined.push_list(out, *columns),
            _ => Ok(()),
        }
    }
}

/// The name of the statement that gives the keys.
const CHOSEN: &str = "__chosen";

/// What a column of the primary key is called there.
pub(super) fn key_name(at: usize) -> String {
    format!("__k{}", at + 1)
}

/// What a condition on windows is called there.
pub(super) const QUALIFIES: &str = "__q";

/// `(SELECT … AS "__k1" …) AS "__chosen" INNER JOIN "table" ON "table"."id" = "__chosen"."__k1"`
pub(super) fn push_chosen<'q: 'b, 'b, DB: Driver>(
    out: &mut AstPass<'_, 'b, DB>,
    chosen: &Select<'q, DB>,
    table: &'static Table,
) -> QueryResult<()> {
    out.push_sql("(");
    chosen.write(out.reborrow())?;
    out.push_sql(") AS ");
    out.push_identifier(CHOSEN)?;
    out.push_sql(" INNER JOIN ");
    push_table(out, table)?;
    if table.schema.is_some() {
        out.push_sql(" AS ");
        out.push_identifier(table.name)?;
    }
    for (i, at) in table.primary_key.iter().enumerate() {
        out.push_sql(if i == 0 { " ON " } else { " AND " });
        push_compared(out, table.name, table, table.columns[*at].name)?;
        out.push_sql(" = ");
        push_column(out, CHOSEN, &key_name(i))?;
    }
    if chosen.more.qualify.is_some() {
        out.push_sql(" AND ");
        push_column(out, CHOSEN, QUALIFIES)?;
    }
    Ok(())
}

/// So many pieces, with commas between.
pub(super) fn push_list<'b, DB: Driver>(
    out: &mut AstPass<'_, 'b, DB>,
    pieces: usize,
    mut push: impl FnMut(&mut AstPass<'_, 'b, DB>, usize) -> QueryResult<()>,
) -> QueryResult<()> {
    for at in 0..pieces {
        if at > 0 {
            out.push_sql(", ");
        }
        push(out, at)?;
    }
    Ok(())
}
