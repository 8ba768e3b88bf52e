//! INSERT of many rows.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    ops::Range,
};

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

/// Rows that are to be stored together.
pub struct Batch<'r, M> {
    pub(crate) rows: &'r [M],
    /// How many rows of the bulk operation come before them.
    pub(crate) before: u64,
    /// The positions of the columns that are written.
    pub(crate) columns: &'r [usize],
    pub(crate) conflict: &'r Conflict,
    /// Unique keys by which a row may be in conflict although its text differs.
    pub(crate) text_keys: &'r [TextKey],
}

impl<M> Batch<'_, M> {
    pub(crate) fn insert<'s>(&'s self, rows: &'s [M], returning: bool, recurs: bool) -> Insert<'s, M> {
        Insert { rows, columns: self.columns, conflict: self.conflict, text_keys: self.text_keys, returning, recurs }
    }

    /// The positions in the bulk operation of some of these rows.
    pub(crate) fn positions(&self, rows: Range<usize>) -> Range<u64> {
        self.before + rows.start as u64..self.before + rows.end as u64
    }

    /// Why some of these rows could not be stored.
    pub(crate) fn unstored(&self, rows: Range<usize>, error: diesel::result::Error) -> Unstored {
        Unstored { error, rows: self.positions(rows), row: None }
    }
}

/// What statements of a bulk operation have answered, and those whose answers are still to come.
pub struct Answers<DB: Driver> {
    /// In order, each with the positions of its rows.
    to_come: VecDeque<(DB::Ticket, Range<u64>)>,
    /// The rows that were stored. A trigger of the database's may have dropped some.
    pub(crate) stored: u64,
}

impl<DB: Driver> Default for Answers<DB> {
    fn default() -> Self {
        Answers { to_come: VecDeque::new(), stored: 0 }
    }
}

impl<DB: Driver> fmt::Debug for Answers<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").field("to_come", &self.to_come.len()).field("stored", &self.stored).finish()
    }
}

impl<DB: Driver> Answers<DB> {
    /// Takes note of a statement that was sent ahead with these rows.
    pub(crate) fn expect(&mut self, ticket: DB::Ticket, rows: Range<u64>) {
        self.to_come.push_back((ticket, rows));
    }

    /// Takes note that the last of them was sent more rows.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    pub(crate) fn expect_more(&mut self, rows: usize) {
        if let Some((_, known)) = self.to_come.back_mut() {
            known.end += rows as u64;
        }
    }

    /// The position of the first row whose statement has not been answered.
    pub(crate) fn first_to_come(&self) -> Option<u64> {
        self.to_come.front().map(|(_, rows)| rows.start)
    }

    /// Takes the answers that are there, so that a failure is known before more is sent.
    pub(crate) fn take_received(&mut self, link: &mut DB::Link) -> Result<(), Unstored> {
        while let Some((ticket, rows)) = self.to_come.front() {
            let is_there = DB::has_answer(link, ticket);
            if !is_there.map_err(|error| Unstored { error, rows: rows.clone(), row: None })? {
                break;
            }
            self.take_first(link)?;
        }
        Ok(())
    }

    /// Waits for the answers to all statements that have no rows from this position on.
    pub(crate) fn wait(&mut self, link: &mut DB::Link, position: u64) -> Result<(), Unstored> {
        while self.to_come.front().is_some_and(|(_, rows)| rows.end <= position) {
            self.take_first(link)?;
        }
        Ok(())
    }

    fn take_first(&mut self, link: &mut DB::Link) -> Result<(), Unstored> {
        let Some((ticket, rows)) = self.to_come.pop_front() else { return Ok(()) };
        match DB::answer(link, ticket) {
            Ok(stored) => {
                self.stored += stored as u64;
                Ok(())
            }
            Err((error, row)) => {
                // A server that names a row that there is not is not believed.
                let row = row.map(|row| rows.start + row as u64).filter(|row| *row < rows.end);
                Err(Unstored { error, rows, row })
            }
        }
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
    /// The rows of the statement that failed, as positions in the bulk operation.
    pub(crate) rows: Range<u64>,
    /// The row at which it failed, if that is certain.
    pub(crate) row: Option<u64>,
}

/// How many rows of so many columns one statement stores at most.
pub(crate) fn most_rows<DB: Driver>(columns: usize) -> usize {
    (DB::PARAMETERS / columns).clamp(1, DB::MOST_ROWS)
}

/// Stores a batch, by as few statements as it takes, or sends them ahead.
pub(crate) fn insert<DB: Driver, M: ToRow<DB>>(
    link: &mut DB::Link,
    batch: &Batch<'_, M>,
    answers: &mut Answers<DB>,
) -> Result<(), Unstored> {
    let most_rows = most_rows::<DB>(batch.columns.len());
    let mut first = 0;
    while first < batch.rows.len() {
        let together = together::<DB, M>(link, batch, first, most_rows);
        let rows = first..first + together.map_err(|error| batch.unstored(first..first + 1, error))?;
        first = rows.end;
        let insert = batch.insert(&batch.rows[rows.clone()], false, rows.len() == most_rows);
        match DB::send_ahead(link, &insert).map_err(|error| batch.unstored(rows.clone(), error))? {
            Some(ticket) => answers.expect(ticket, batch.positions(rows)),
            None => {
                // Whatever has failed before is the reason why this one would fail.
                answers.wait(link, u64::MAX)?;
                let stored = counted::<DB, M>(link, &insert).map_err(|error| batch.unstored(rows, error))?;
                answers.stored += stored as u64;
            }
        }
    }
    Ok(())
}

/// Whether a single INSERT stores the batch.
pub(crate) fn is_one_statement<DB: Driver, M: ToRow<DB>>(
    link: &mut DB::Link,
    batch: &Batch<'_, M>,
) -> QueryResult<bool> {
    let most_rows = most_rows::<DB>(batch.columns.len());
    Ok(!is_counted_by_variables::<DB>(batch.conflict)
        && together::<DB, M>(link, batch, 0, most_rows)? == batch.rows.len())
}

/// How many rows of the batch, from this one on, one statement stores.
fn together<DB: Driver, M: ToRow<DB>>(
    link: &mut DB::Link,
    batch: &Batch<'_, M>,
    first: usize,
    most_rows: usize,
) -> QueryResult<usize> {
    let rows = &batch.rows[first..batch.rows.len().min(first + most_rows)];
    let Conflict::Update { keys, .. } = batch.conflict else { return Ok(rows.len()) };
    // Where a statement cannot change a row twice, the second time is left to the next.
    let mut seen = HashSet::new();
    for (at, row) in rows.iter().enumerate() {
        if let Some(key) = DB::once_in_a_statement(link, &KeyOf { row, columns: keys })?
            && !seen.insert(key)
        {
            return Ok(at);
        }
    }
    Ok(rows.len())
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

/// Whether statements beside the INSERT tell what has become of its rows.
fn is_counted_by_variables<DB: Driver>(conflict: &Conflict) -> bool {
    DB::KIND == BackendKind::Mysql && matches!(conflict, Conflict::Ignore { .. })
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
        let together = lease.run(|link| together::<DB, R>(link, batch, first, most_rows))?;
        let rows = &batch.rows[first..first + together];
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
