//! `bulk_create`: rows from any iterator, in one transaction.

use std::{
    collections::{BTreeSet, VecDeque},
    ops::Range,
};

use super::{WritableOn, WriteTask};
use crate::{
    backend::{Backend, Driver, Handle, PartsOf},
    error::{BoxError, Error, ErrorKind, Result},
    model::{Insertable, Model, ToRow},
    session::{Lease, Session},
    statement::{
        insert::{Answers, Batch, Conflict, Head, Unstored, counted},
        text_keys::TextKey,
    },
    stream::load::in_statement,
    transaction::{atomically, nested},
};

/// The most bytes of the values of one batch: wide rows shall not fill memory, nor be more than a server takes
/// (`max_allowed_packet` on MySQL, of which 1 MiB is the least that is usual).
pub(super) const MOST_BYTES: usize = 512 << 10;

/// All rows or none.
pub(crate) fn bulk_create<B: Backend, R: WritableOn<B>>(
    on: Handle<'_, B>,
    rows: &mut dyn Iterator<Item = R>,
    conflict: &Conflict,
) -> Result<u64> {
    struct InsertFirst<'b, 'r, R>(&'b mut Batches<'r, R>, &'b Conflict);
    impl<B: Backend, R> WriteTask<B, R> for InsertFirst<'_, '_, R> {
        type Output = Result<Result<u64, Vec<R>>>;
        fn on<DB: Driver>(self, session: Session<'_, DB>) -> Self::Output
        where
            B: PartsOf<DB>,
            R: ToRow<DB>,
        {
            let first = self.0.gather::<DB>()?;
            if first.is_empty() {
                return Ok(Ok(0));
            }
            insert_at_once(session, self.0, &first, self.1).map(|stored| stored.ok_or(first))
        }
    }
    struct InsertAll<'b, 'r, R>(Vec<R>, &'b mut Batches<'r, R>, &'b Conflict);
    impl<B: Backend, R> WriteTask<B, R> for InsertAll<'_, '_, R> {
        type Output = Result<u64>;
        fn on<DB: Driver>(self, session: Session<'_, DB>) -> Result<u64>
        where
            B: PartsOf<DB>,
            R: ToRow<DB>,
        {
            insert_all(session, self.0, self.1, self.2)
        }
    }
    let mut batches = Batches::new(rows, conflict)?;
    let first = match on {
        Handle::Transaction(_) => Vec::new(),
        Handle::Database(_) => match R::write(on, InsertFirst(&mut batches, conflict))? {
            Ok(stored) => return Ok(stored),
            Err(first) => first,
        },
    };
    in_one_transaction::<B, _>(on, |tx| R::write(tx, InsertAll(first, &mut batches, conflict)))
}

/// Runs `f` in a transaction of its own, or in a part of the one that is open.
pub(crate) fn in_one_transaction<B: Backend, T>(
    on: Handle<'_, B>,
    f: impl for<'t> FnOnce(Handle<'t, B>) -> Result<T>,
) -> Result<T> {
    match on {
        Handle::Database(database) => {
            let transaction = B::begin(database)?;
            atomically::<B, _, _>(Handle::Transaction(&transaction), f)
        }
        Handle::Transaction(_) => nested(on, f),
    }
}

/// The columns that a new row has values for: all but those that the database fills.
pub(super) fn given_columns<M: Model>() -> Vec<usize> {
    (0..M::COLUMNS.len()).filter(|at| !M::COLUMNS[*at].generated).collect()
}

/// Nothing can be written where there is no column to write to.
pub(super) fn some_columns<M: Model>(columns: Vec<usize>) -> Result<Vec<usize>> {
    if columns.is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidQuery,
            "every column is filled by the database, so there is nothing to write",
        )
        .on_model(M::TABLE.model));
    }
    Ok(columns)
}

/// Rows of an iterator, in batches.
pub(super) struct Batches<'r, R> {
    rows: &'r mut dyn Iterator<Item = R>,
    /// The positions of the columns that are written.
    pub(super) columns: Vec<usize>,
    /// How many rows were gathered before the last batch.
    pub(super) before: u64,
    gathered: u64,
    is_done: bool,
    text_keys: Vec<TextKey>,
}

impl<'r, R: Insertable> Batches<'r, R> {
    pub(super) fn new(rows: &'r mut dyn Iterator<Item = R>, conflict: &Conflict) -> Result<Self> {
        let columns = some_columns::<R::Model>(columns_for::<R>(conflict))?;
        Ok(Batches { rows, columns, before: 0, gathered: 0, is_done: false, text_keys: Vec::new() })
    }

    /// The next rows, none of which the backend would change; an empty batch after the last one.
    pub(super) fn gather<DB: Driver>(&mut self) -> Result<Vec<R>>
    where
        R: ToRow<DB>,
    {
        let most_rows = DB::batch_rows(self.columns.len(), self.gathered);
        let (mut batch, mut bytes) = (Vec::new(), 0);
        self.before = self.gathered;
        // The user's iterator runs here, while no connection is held, so that it may read in the same transaction.
        while !self.is_done && batch.len() < most_rows && bytes < MOST_BYTES {
            let Some(row) = self.rows.next() else {
                self.is_done = true;
                break;
            };
            self.gathered += 1;
            check(&row, &self.columns, Some(self.gathered))?;
            bytes += row.width();
            batch.push(row);
        }
        Ok(batch)
    }

    /// Looks up what the database knows of the keys by which rows may be in conflict.
    pub(super) fn look_up_keys<DB: Driver>(&mut self, lease: &mut Lease<DB>, conflict: &Conflict) -> Result<()> {
        is_a_key::<DB, R::Model>(lease, conflict)?;
        self.text_keys = text_keys::<DB, R::Model>(lease, conflict, &self.columns)?;
        Ok(())
    }

    pub(super) fn batch<'b>(&'b self, rows: &'b [R], before: u64, conflict: &'b Conflict) -> Batch<'b, R> {
        Batch { rows, before, columns: &self.columns, conflict, text_keys: &self.text_keys }
    }
}

/// Inserts the first batch, if there are no more rows and it takes one statement, which commits by itself; `None` if not.
fn insert_at_once<DB: Driver, R: ToRow<DB>>(
    session: Session<'_, DB>,
    batches: &mut Batches<'_, R>,
    first: &[R],
    conflict: &Conflict,
) -> Result<Option<u64>> {
    if !batches.is_done {
        return Ok(None);
    }
    let Some(mut lease) = session.lease_that_commits()? else { return Ok(None) };
    batches.look_up_keys(&mut lease, conflict)?;
    let batch = batches.batch(first, 0, conflict);
    if !lease.run(|link| DB::is_one_statement(link, &batch))? {
        return Ok(None);
    }
    let insert = batch.insert(first, false, false);
    let stored = counted::<DB, R>(&mut lease, &insert);
    stored.map(|rows| Some(rows as u64)).map_err(|error| of_rows(lease.failed(error), &batch))
}

/// Inserts all batches. While one is gathered, the one before it is on its way.
fn insert_all<DB: Driver, R: ToRow<DB>>(
    session: Session<'_, DB>,
    first: Vec<R>,
    batches: &mut Batches<'_, R>,
    conflict: &Conflict,
) -> Result<u64> {
    batches.look_up_keys::<DB>(&mut session.lease()?, conflict)?;
    let mut bulk = DB::Bulk::default();
    let mut answers = Answers::<DB>::default();
    // Those that were not answered, to say which row has failed.
    let mut sent: VecDeque<(u64, Vec<R>)> = VecDeque::new();
    let mut rows = if first.is_empty() { batches.gather::<DB>()? } else { first };
    while !rows.is_empty() {
        let before = batches.before;
        sent.push_back((before, rows));
        let mut lease = session.lease()?;
        let link = &mut *lease;
        let batch = batches.batch(sent.back().map_or(&[], |(_, rows)| rows), before, conflict);
        let stored = answers
            .take_received(link)
            .and_then(|()| DB::store(link, &mut bulk, &batch, &mut answers))
            .and_then(|()| answers.wait(link, before));
        stored.map_err(|unstored| unstored_rows(&lease, &batches.columns, &sent, unstored))?;
        drop(lease);
        let to_come = answers.first_to_come();
        sent.retain(|(before, rows)| to_come.is_some_and(|first| first < before + rows.len() as u64));
        rows = batches.gather::<DB>()?;
    }
    if answers.first_to_come().is_some() {
        let mut lease = session.lease()?;
        let answered = answers.wait(&mut lease, u64::MAX);
        answered.map_err(|unstored| unstored_rows(&lease, &batches.columns, &sent, unstored))?;
    }
    Ok(answers.stored)
}

/// Refuses fields by which no row could be in conflict, where the database would not: it would store every row again.
fn is_a_key<DB: Driver, M: Model>(lease: &mut Lease<DB>, conflict: &Conflict) -> Result<()> {
    let (Conflict::Ignore { keys } | Conflict::Update { keys, .. }) = conflict else { return Ok(()) };
    if keys.is_empty() {
        return Ok(()); // any key is meant
    }
    let unique = lease.run(|link| DB::unique_keys(link, M::TABLE));
    let Some(unique) = unique.map_err(|error| error.on_model(M::TABLE.model))? else { return Ok(()) };
    let named: BTreeSet<&str> = keys.iter().map(|key| M::COLUMNS[*key].name).collect();
    let is_it = |key: &Vec<String>| {
        key.len() == named.len() && named.iter().all(|name| key.iter().any(|column| DB::is_same_name(column, name)))
    };
    if unique.iter().any(is_it) {
        return Ok(());
    }
    let named = named.into_iter().collect::<Vec<_>>().join(", ");
    Err(Error::new(
        ErrorKind::InvalidQuery,
        format!(
            "the table has no primary key and no unique index of exactly these columns ({named}), so no row is in conflict by \
             them, and nothing was stored; add the index, or name the fields of another"
        ),
    )
    .on_backend(DB::KIND)
    .on_model(M::TABLE.model))
}

/// The unique keys by which rows may be in conflict although their texts differ; each has a value for all of its columns.
fn text_keys<DB: Driver, M: Model>(
    lease: &mut Lease<DB>,
    conflict: &Conflict,
    written: &[usize],
) -> Result<Vec<TextKey>> {
    let (Conflict::Ignore { keys: named } | Conflict::Update { keys: named, .. }) = conflict else {
        return Ok(Vec::new());
    };
    let is_compared = |column: &usize| DB::collation(M::COLUMNS[*column].sql).is_some();
    let may_be_text = if named.is_empty() { written.iter().any(is_compared) } else { named.iter().any(is_compared) };
    if !may_be_text {
        return Ok(Vec::new());
    }
    let keys = lease.run(|link| DB::text_keys(link, M::TABLE));
    let mut keys = keys.map_err(|error| error.on_model(M::TABLE.model))?;
    keys.retain(|key| {
        let is_named = key.columns.len() == named.len() && named.iter().all(|column| key.columns.contains(column));
        (named.is_empty() || is_named) && key.columns.iter().all(|column| written.contains(column))
    });
    Ok(keys)
}

/// The columns that are written; of whole models also those that the database would fill, where rows are told apart by them.
fn columns_for<R: Insertable>(conflict: &Conflict) -> Vec<usize> {
    let mut columns = given_columns::<R::Model>();
    if let Conflict::Ignore { keys } | Conflict::Update { keys, .. } = conflict
        && std::any::TypeId::of::<R>() == std::any::TypeId::of::<R::Model>()
    {
        columns.extend(keys.iter().filter(|key| R::Model::COLUMNS[**key].generated));
        columns.sort_unstable();
    }
    columns
}

/// The error for rows that could not be stored.
fn unstored_rows<DB: Driver, R: ToRow<DB>>(
    lease: &Lease<DB>,
    columns: &[usize],
    sent: &VecDeque<(u64, Vec<R>)>,
    unstored: Unstored,
) -> Error {
    let (mut error, mut range) = (lease.failed(unstored.error), unstored.rows);
    if let Some(at) = unstored.row {
        error = error.on_row(at + 1);
        // A COPY may have many batches; that of the row says more.
        for (before, rows) in sent {
            let position = at.checked_sub(*before).and_then(|position| usize::try_from(position).ok());
            if let Some(row) = position.and_then(|position| rows.get(position)) {
                error = error.with_key(row.key());
                range = *before..before + rows.len() as u64;
            }
        }
    }
    with_head::<DB, R>(error, columns, range)
}

/// The error with what was stored when it happened: some rows of this batch.
pub(super) fn of_rows<DB: Driver, R: ToRow<DB>>(error: Error, batch: &Batch<'_, R>) -> Error {
    with_head::<DB, R>(error, batch.columns, batch.positions(0..batch.rows.len()))
}

fn with_head<DB: Driver, R: ToRow<DB>>(error: Error, columns: &[usize], rows: Range<u64>) -> Error {
    let (first, last) = (rows.start + 1, rows.end);
    let head = DB::sql(&Head::<R>::new(columns));
    in_statement(error.on_model(R::Model::TABLE.model), head.map(|head| format!("{head} … (rows {first} to {last})")))
}

/// Refuses a row before it is sent, if a value of these columns exceeds its field's limit, or the backend would change it.
pub(super) fn check<DB: Driver, R: ToRow<DB>>(row: &R, columns: &[usize], number: Option<u64>) -> Result<()> {
    for column in columns {
        row.validate(*column, DB::KIND).map_err(|reason| unfit::<DB, R>(row, *column, number, reason))?;
    }
    Ok(())
}

fn unfit<DB: Driver, R: ToRow<DB>>(row: &R, column: usize, number: Option<u64>, reason: BoxError) -> Error {
    let nothing = if number.is_some() { "nothing of these rows was stored" } else { "nothing was stored" };
    let error = Error::new(ErrorKind::InvalidValue, format!("a value cannot be stored as it is; {nothing}"))
        .with_source(reason)
        .on_backend(DB::KIND)
        .on_model(R::Model::TABLE.model)
        .on_field(R::Model::COLUMNS[column].field)
        .with_key(row.key());
    number.into_iter().fold(error, Error::on_row)
}
