//! INSERT of many rows.

use std::{collections::HashSet, fmt, ops::Range};

use diesel::{
    QueryResult,
    connection::Connection,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::Untyped,
};

use super::{
    push_column, push_columns, push_table,
    text_keys::{self, TextKey},
};
use crate::{
    backend::{BackendKind, Driver},
    error::Error,
    field::document::no_key,
    model::{Insertable, Model, Table, ToRow},
    queryset::shape::ShapeOn,
    session::Lease,
    stream::load,
};

/// The most rows of one statement: more make it longer, and no faster.
const MOST_ROWS: usize = 500;

/// Rows that are to be stored together.
pub struct Batch<'r, M> {
    pub(crate) rows: &'r [M],
    /// The positions of the columns that are written.
    pub(crate) columns: &'r [usize],
    pub(crate) conflict: &'r Conflict,
    /// Unique keys by which a row may be in conflict although its text differs.
    pub(crate) text_keys: &'r [TextKey],
}

impl<M> Batch<'_, M> {
    fn insert<'s>(&'s self, rows: &'s [M], returning: bool, recurs: bool) -> Insert<'s, M> {
        Insert { rows, columns: self.columns, conflict: self.conflict, text_keys: self.text_keys, returning, recurs }
    }
}

/// What happens to a row whose unique key is there already.
#[derive(Clone, Debug)]
pub(crate) enum Conflict {
    /// It is an error.
    Fail,
    /// The row is left out; where keys are named, for those alone.
    Ignore { keys: Vec<usize> },
    /// The row that is there gets these columns.
    Update { keys: Vec<usize>, columns: Vec<usize> },
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
    let mut first = 0;
    while first < batch.rows.len() {
        let rows = &batch.rows[first..first + together::<DB, M>(batch, first, most_rows)];
        let insert = batch.insert(rows, false, rows.len() == most_rows);
        stored += counted::<DB, M>(link, &insert).map_err(|error| Unstored {
            error,
            rows: first..first + rows.len(),
            row: None,
        })?;
        first += rows.len();
    }
    Ok(stored)
}

/// How many rows of the batch, from this one on, one statement stores.
fn together<DB: Driver, M: ToRow<DB>>(batch: &Batch<'_, M>, first: usize, most_rows: usize) -> usize {
    let rows = &batch.rows[first..batch.rows.len().min(first + most_rows)];
    let Conflict::Update { keys, .. } = batch.conflict else { return rows.len() };
    // Where a statement cannot change a row twice, the second time is left to the next.
    let mut seen = HashSet::new();
    let mut is_again =
        |row| DB::once_in_a_statement(&KeyOf { row, columns: keys }).is_some_and(|key| !seen.insert(key));
    rows.iter().position(&mut is_again).unwrap_or(rows.len())
}

/// The values by which rows are told apart.
struct KeyOf<'r, M> {
    row: &'r M,
    columns: &'r [usize],
}

impl<M: ToRow<DB>, DB: Driver> QueryFragment<DB> for KeyOf<'_, M> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.columns.iter().try_for_each(|column| self.row.bind(*column, out.reborrow()))
    }
}

/// Runs the statement, and returns how many rows were stored, or have changed one that was there. Where it fails on MySQL,
/// some rows may have been stored.
pub(crate) fn counted<DB: Driver, M: ToRow<DB>>(link: &mut DB::Link, insert: &Insert<'_, M>) -> QueryResult<usize> {
    if DB::KIND != BackendKind::Mysql {
        return link.execute_returning_count(insert);
    }
    // MySQL counts a row that it changes as two, and one that it leaves as it is as one.
    match insert.conflict {
        Conflict::Fail => link.execute_returning_count(insert),
        // Each row was stored, or has changed another.
        Conflict::Update { .. } => link.execute_returning_count(insert).map(|_| insert.rows.len()),
        Conflict::Ignore { .. } => {
            DB::execute_with_next(link, NONE_KEPT)?;
            link.execute_returning_count(insert)?;
            let kept = DB::read_integer(link, Sql("SELECT CAST(@orm_core_kept AS SIGNED)"))?;
            Ok(insert.rows.len().saturating_sub(usize::try_from(kept).unwrap_or(0)))
        }
    }
}

/// Stores a batch, and adds the rows as they are stored to `out`.
pub(crate) fn returned<DB: Driver, R: ToRow<DB>, S: ShapeOn<DB>>(
    lease: &mut Lease<DB>,
    batch: &Batch<'_, R>,
    out: &mut Vec<S::Row>,
) -> Result<(), Error> {
    let most_rows = most_rows::<DB>(batch.columns.len());
    let mut first = 0;
    while first < batch.rows.len() {
        let rows = &batch.rows[first..first + together::<DB, R>(batch, first, most_rows)];
        first += rows.len();
        let insert = batch.insert(rows, true, false);
        out.extend(load::read::<DB, S, _>(lease, insert)?);
    }
    Ok(())
}

/// How many rows a statement has left out.
const NONE_KEPT: &str = "SET @orm_core_kept = 0";

/// How the server's error begins to show the expression by which MySQL's upserts fail: a sum that no BIGINT holds, whatever the
/// session's `sql_mode` is, of numbers that no program adds.
#[cfg(feature = "mysql")]
pub(crate) const ANOTHER_KEY: &str = "9223372036854770062 + 1062000 *";

/// SQL without values.
pub(crate) struct Sql(pub(crate) &'static str);

impl QueryId for Sql {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Driver> QueryFragment<DB> for Sql {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(self.0);
        Ok(())
    }
}

/// `INSERT INTO … VALUES (…), (…)`.
pub(crate) struct Insert<'r, M> {
    pub(crate) rows: &'r [M],
    pub(crate) columns: &'r [usize],
    pub(crate) conflict: &'r Conflict,
    /// As in [`Batch`].
    pub(crate) text_keys: &'r [TextKey],
    /// The rows are wanted back, as they are stored.
    pub(crate) returning: bool,
    /// The statement will come again, with as many rows: worth keeping prepared.
    pub(crate) recurs: bool,
}

impl<M> QueryId for Insert<'_, M> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<M> Query for Insert<'_, M> {
    type SqlType = Untyped;
}

impl<M: ToRow<DB>, DB: Driver> QueryFragment<DB> for Insert<'_, M> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if !self.recurs {
            out.unsafe_to_cache_prepared();
        }
        if !self.text_keys.is_empty() {
            let push_head = |out: &mut AstPass<'_, 'b, DB>| push_head::<M, DB>(out, self.columns);
            text_keys::push_insert::<M, DB>(&mut out, self.rows, self.columns, self.text_keys, push_head)?;
            return self.push_end(out);
        }
        push_head::<M, DB>(&mut out, self.columns)?;
        out.push_sql(" VALUES");
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
        self.push_end(out)
    }
}

impl<M: Insertable> Insert<'_, M> {
    /// ` ON CONFLICT … RETURNING …`
    fn push_end<DB: Driver>(&self, mut out: AstPass<'_, '_, DB>) -> QueryResult<()> {
        let table = M::Model::TABLE;
        push_conflict(&mut out, table, self.conflict)?;
        if self.returning {
            out.push_sql(" RETURNING ");
            push_columns(&mut out, table.columns.iter().map(|column| column.name))?;
        }
        Ok(())
    }
}

/// Whether the row that is there has the new one's values of these columns. NULL is in conflict with nothing, so a row that is
/// met by it is met by another key.
fn push_is_named<DB: Driver>(out: &mut AstPass<'_, '_, DB>, table: &Table, keys: &[usize]) -> QueryResult<()> {
    for (i, column) in keys.iter().enumerate() {
        let column = &table.columns[*column];
        if column.sql.is_document() {
            return Err(no_key(table, column));
        }
        let name = column.name;
        out.push_sql(if i == 0 { "" } else { " AND " });
        push_column(out, table.name, name)?;
        out.push_sql(" = VALUES(");
        out.push_identifier(name)?;
        out.push_sql(")");
    }
    Ok(())
}

fn push_conflict<DB: Driver>(out: &mut AstPass<'_, '_, DB>, table: &Table, conflict: &Conflict) -> QueryResult<()> {
    let (keys, columns) = match conflict {
        Conflict::Fail => return Ok(()),
        Conflict::Ignore { keys } => (keys, None),
        Conflict::Update { keys, columns } => (keys, Some(columns)),
    };
    let name = |column: &usize| table.columns[*column].name;
    if DB::KIND == BackendKind::Mysql {
        // It cannot be told which key is meant, and INSERT IGNORE ignores much else. A column is assigned its own value; on the way
        // there, rows that are left out are counted, and a row that is there by another key than the named one fails.
        let own = name(&table.primary_key[0]);
        let kept = if columns.is_none() { "@orm_core_kept := @orm_core_kept + 1" } else { "1" };
        out.push_sql(" ON DUPLICATE KEY UPDATE ");
        out.push_identifier(own)?;
        out.push_sql(" = IF(");
        if keys.is_empty() {
            out.push_sql(kept);
        } else {
            out.push_sql("IF(");
            push_is_named(out, table, keys)?;
            out.push_sql(", ");
            out.push_sql(kept);
            out.push_sql(", 9223372036854770062 + 1062000 * (");
            push_column(out, table.name, own)?;
            out.push_sql(" IS NOT NULL))");
        }
        for end in [", ", ", "] {
            out.push_sql(end);
            push_column(out, table.name, own)?;
        }
        out.push_sql(")");
        for column in columns.into_iter().flatten() {
            out.push_sql(", ");
            out.push_identifier(name(column))?;
            out.push_sql(" = VALUES(");
            out.push_identifier(name(column))?;
            out.push_sql(")");
        }
        return Ok(());
    }
    out.push_sql(" ON CONFLICT");
    if !keys.is_empty() {
        out.push_sql(" (");
        push_columns(out, keys.iter().map(name))?;
        out.push_sql(")");
    }
    let Some(columns) = columns else {
        out.push_sql(" DO NOTHING");
        return Ok(());
    };
    for (i, column) in columns.iter().enumerate() {
        out.push_sql(if i == 0 { " DO UPDATE SET " } else { ", " });
        out.push_identifier(name(column))?;
        out.push_sql(" = ");
        push_column(out, "excluded", name(column))?;
    }
    Ok(())
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

impl<M: Insertable, DB: Driver> QueryFragment<DB> for Head<'_, M> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        push_head::<M, DB>(&mut out, self.columns)?;
        out.push_sql(" VALUES");
        Ok(())
    }
}

/// `INSERT INTO … (…)`
fn push_head<M: Insertable, DB: Driver>(out: &mut AstPass<'_, '_, DB>, columns: &[usize]) -> QueryResult<()> {
    out.push_sql("INSERT INTO ");
    push_table(out, M::Model::TABLE)?;
    out.push_sql(" (");
    push_columns(out, columns.iter().map(|at| M::Model::TABLE.columns[*at].name))?;
    out.push_sql(")");
    Ok(())
}
