//! `bulk_create`: rows from any iterator, in one transaction.

use std::{collections::BTreeSet, ops::Range};

use super::{WritableOn, WriteTask};
use crate::{
    backend::{Backend, Driver, Handle, PartsOf},
    error::{BoxError, Error, ErrorKind, Result},
    model::{Insertable, Model, ToRow},
    session::{Lease, Session},
    statement::{
        insert::{Batch, Conflict, Head, Unstored},
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
    struct InsertAll<'r, R>(&'r mut dyn Iterator<Item = R>, &'r Conflict);
    impl<B: Backend, R> WriteTask<B, R> for InsertAll<'_, R> {
        type Output = Result<u64>;
        fn on<DB: Driver>(self, session: Session<'_, DB>) -> Result<u64>
        where
            B: PartsOf<DB>,
            R: ToRow<DB>,
        {
            let mut stored = 0;
            insert_all(session, self.0, self.1, |lease, batch, sent| {
                // A trigger of the database's may have dropped some.
                let rows = DB::store(lease, batch).map_err(|unstored| unstored_rows(lease, batch, sent, unstored))?;
                stored += rows as u64;
                Ok(())
            })?;
            Ok(stored)
        }
    }
    in_one_transaction::<B, _>(on, |tx| R::write(tx, InsertAll(rows, conflict)))
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

/// Gives the rows to `store` in batches, each with the number of rows before it.
pub(super) fn insert_all<DB: Driver, R: ToRow<DB>>(
    session: Session<'_, DB>,
    rows: &mut dyn Iterator<Item = R>,
    conflict: &Conflict,
    mut store: impl FnMut(&mut Lease<DB>, &Batch<'_, R>, u64) -> Result<()>,
) -> Result<()> {
    let columns = some_columns::<R::Model>(columns_for::<R>(conflict))?;
    is_a_key::<DB, R::Model>(session, conflict)?;
    let text_keys = text_keys::<DB, R::Model>(session, conflict, &columns)?;
    let mut batch: Vec<R> = Vec::new();
    let mut sent = 0;
    loop {
        let most_rows = DB::batch_rows(columns.len(), sent);
        let mut bytes = 0;
        batch.clear();
        // The user's iterator runs here, while no connection is held, so that it may read in the same transaction.
        while batch.len() < most_rows
            && let Some(row) = rows.next()
        {
            check(&row, &columns, Some(sent + batch.len() as u64 + 1))?;
            bytes += row.width();
            batch.push(row);
            if bytes >= MOST_BYTES {
                break;
            }
        }
        if batch.is_empty() {
            return Ok(());
        }
        let mut lease = session.lease()?;
        store(&mut lease, &Batch { rows: &batch, columns: &columns, conflict, text_keys: &text_keys }, sent)?;
        drop(lease);
        sent += batch.len() as u64;
    }
}

/// Refuses fields by which no row could be in conflict, where the database would not: it would store every row again.
fn is_a_key<DB: Driver, M: Model>(session: Session<'_, DB>, conflict: &Conflict) -> Result<()> {
    let (Conflict::Ignore { keys } | Conflict::Update { keys, .. }) = conflict else { return Ok(()) };
    if keys.is_empty() {
        return Ok(()); // any key is meant
    }
    let unique = session.lease()?.run(|link| DB::unique_keys(link, M::TABLE));
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
    session: Session<'_, DB>,
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
    let keys = session.lease()?.run(|link| DB::text_keys(link, M::TABLE));
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

/// The error for rows of a batch that could not be stored.
pub(super) fn unstored_rows<DB: Driver, R: ToRow<DB>>(
    lease: &Lease<DB>,
    batch: &Batch<'_, R>,
    sent: u64,
    unstored: Unstored,
) -> Error {
    let mut error = lease.failed(unstored.error);
    if let Some(row) = unstored.row {
        error = error.on_row(sent + row as u64 + 1).with_key(batch.rows.get(row).and_then(ToRow::<DB>::key));
    }
    with_head(error, batch, sent, unstored.rows)
}

/// The error with what was stored when it happened: some rows of this batch.
pub(super) fn of_rows<DB: Driver, R: ToRow<DB>>(error: Error, batch: &Batch<'_, R>, sent: u64) -> Error {
    with_head(error, batch, sent, 0..batch.rows.len())
}

fn with_head<DB: Driver, R: ToRow<DB>>(error: Error, batch: &Batch<'_, R>, sent: u64, rows: Range<usize>) -> Error {
    let (first, last) = (sent + rows.start as u64 + 1, sent + rows.end as u64);
    let head = DB::sql(&Head::<R>::new(batch.columns));
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
