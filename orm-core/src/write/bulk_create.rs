//! `bulk_create`: rows from any iterator, in one transaction.

use crate::{
    backend::{Any, Backend, Driver, Handle, ModelOnEach, PartsOf, on_backend},
    error::{Error, ErrorKind, Result},
    model::{Model, ToRow},
    session::Session,
    statement::insert::{Batch, Head},
    stream::load::in_statement,
    transaction::atomically,
};

/// The most bytes of the values of one batch: wide rows shall not fill memory, nor be more than a server takes
/// (`max_allowed_packet` on MySQL, of which 1 MiB is the least that is usual).
const MOST_BYTES: usize = 512 << 10;

/// A model whose rows can be written to a database of the backend `B`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written to a database of the backend `{B}`",
    note = "a field's type must be one that this backend can write; `Any` needs every enabled backend to write it"
)]
pub trait WritableOn<B: Backend>: Model {
    #[doc(hidden)]
    fn insert(on: Handle<'_, B>, rows: &mut dyn Iterator<Item = Self>) -> Result<u64>;
}

#[diagnostic::do_not_recommend]
impl<DB, M> WritableOn<DB> for M
where
    DB: Driver + PartsOf<DB>,
    M: ToRow<DB>,
    for<'a> Session<'a, DB>: From<Handle<'a, DB>>,
{
    fn insert(on: Handle<'_, DB>, rows: &mut dyn Iterator<Item = Self>) -> Result<u64> {
        insert_all(on.into(), rows)
    }
}

#[diagnostic::do_not_recommend]
impl<M: ModelOnEach + Model> WritableOn<Any> for M {
    fn insert(on: Handle<'_, Any>, rows: &mut dyn Iterator<Item = Self>) -> Result<u64> {
        on_backend!(on, DB, session => insert_all::<DB, _>(session, rows))
    }
}

/// All rows or none.
pub(crate) fn bulk_create<B: Backend, M: WritableOn<B>>(
    on: Handle<'_, B>,
    rows: &mut dyn Iterator<Item = M>,
) -> Result<u64> {
    match on {
        Handle::Database(database) => {
            let transaction = B::begin(database)?;
            atomically::<B, _, _>(Handle::Transaction(&transaction), |tx| M::insert(tx, rows))
        }
        Handle::Transaction(_) => crate::transaction::nested(on, |tx| M::insert(tx, rows)),
    }
}

fn insert_all<DB: Driver, M: ToRow<DB>>(session: Session<'_, DB>, rows: &mut dyn Iterator<Item = M>) -> Result<u64> {
    let columns: Vec<usize> = (0..M::TABLE.columns.len()).filter(|at| !M::TABLE.columns[*at].generated).collect();
    if columns.is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidQuery,
            "every column is filled by the database, so there is nothing to write",
        )
        .on_model(M::TABLE.model));
    }
    let mut batch: Vec<M> = Vec::new();
    let (mut sent, mut stored) = (0, 0);
    loop {
        let most_rows = DB::batch_rows(columns.len(), sent);
        let mut bytes = 0;
        batch.clear();
        // The user's iterator runs here, while no connection is held, so that it may read in the same transaction.
        while batch.len() < most_rows
            && let Some(row) = rows.next()
        {
            check(&row, sent + batch.len() as u64 + 1)?;
            bytes += row.width();
            batch.push(row);
            if bytes >= MOST_BYTES {
                break;
            }
        }
        if batch.is_empty() {
            return Ok(stored);
        }
        let mut lease = session.lease()?;
        let rows_stored = DB::store(&mut lease, &Batch { rows: &batch, columns: &columns }).map_err(|unstored| {
            let mut error = lease.failed(unstored.error).on_model(M::TABLE.model);
            if let Some(row) = unstored.row {
                error = error.on_row(sent + row as u64 + 1).with_key(batch.get(row).map(ToRow::<DB>::key));
            }
            let (first, last) = (sent + unstored.rows.start as u64 + 1, sent + unstored.rows.end as u64);
            let head = DB::sql(&Head::<M>::new(&columns));
            in_statement(error, head.map(|head| format!("{head} … (rows {first} to {last})")))
        })?;
        drop(lease);
        sent += batch.len() as u64;
        // A trigger of the database's may have dropped some.
        stored += rows_stored as u64;
    }
}

/// Refuses a row before it is sent, where the backend would change what it says.
fn check<DB: Driver, M: ToRow<DB>>(row: &M, number: u64) -> Result<()> {
    row.validate(DB::KIND).map_err(|(column, reason)| {
        Error::new(ErrorKind::InvalidValue, "a value cannot be stored as it is; nothing of these rows was stored")
            .with_source(reason)
            .on_backend(DB::KIND)
            .on_model(M::TABLE.model)
            .on_field(M::TABLE.columns[column].field)
            .on_row(number)
            .with_key(Some(row.key()))
    })
}
