//! `bulk_update`: rows from any iterator, each with values of its own, in one transaction.

use std::{borrow::Borrow, collections::HashSet, marker::PhantomData};

use diesel::connection::Connection as _;

use super::{
    WritableOn, WriteTask,
    bulk_create::{MOST_BYTES, check, in_one_transaction},
    instance::no_keys,
};
use crate::{
    backend::{Backend, Driver, Handle, PartsOf},
    database::Kind,
    error::{Error, Result},
    model::{Model, ToRow},
    session::Session,
    statement::{
        insert::most_rows,
        update_rows::{CountRows, Head, UpdateRows},
    },
    stream::load::in_statement,
};

/// All rows or none.
pub(crate) fn bulk_update<B: Backend, M: Model + WritableOn<B>, T: Borrow<M>>(
    on: Handle<'_, B>,
    rows: &mut dyn Iterator<Item = T>,
    columns: &[usize],
) -> Result<u64> {
    struct UpdateAll<'r, T>(&'r mut dyn Iterator<Item = T>, &'r [usize]);
    impl<B: Backend, M: Model, T: Borrow<M>> WriteTask<B, M> for UpdateAll<'_, T> {
        type Output = Result<u64>;
        fn on<DB: Driver>(self, session: Session<'_, DB>) -> Result<u64>
        where
            B: PartsOf<DB>,
            M: ToRow<DB>,
        {
            update_all::<DB, M, T>(session, self.0, self.1)
        }
    }
    no_keys::<M>(columns).map_err(|error| error.on_backend(B::run(on, Kind)))?;
    in_one_transaction::<B, _>(on, |tx| M::write(tx, UpdateAll(rows, columns)))
}

fn update_all<DB: Driver, M: Model + ToRow<DB>, T: Borrow<M>>(
    session: Session<'_, DB>,
    rows: &mut dyn Iterator<Item = T>,
    columns: &[usize],
) -> Result<u64> {
    let most_rows = most_rows::<DB>(M::PRIMARY_KEY.len() + columns.len());
    let mut batch: Vec<T> = Vec::new();
    let mut keys = HashSet::new();
    let checked = [M::PRIMARY_KEY, columns].concat();
    let (mut sent, mut found) = (0, 0);
    // A row whose key is in the batch already, to begin the next one: a statement would write one of them, and not say which.
    let mut again: Option<T> = None;
    loop {
        let mut bytes = 0;
        batch.clear();
        keys.clear();
        // The user's iterator runs here, while no connection is held, so that it may read in the same transaction.
        while batch.len() < most_rows
            && bytes < MOST_BYTES
            && let Some(row) = again.take().or_else(|| rows.next())
        {
            check::<DB, M>(row.borrow(), &checked, Some(sent + batch.len() as u64 + 1))?;
            if !keys.insert(row.borrow().key()) {
                again = Some(row);
                break;
            }
            bytes += row.borrow().width();
            batch.push(row);
        }
        if batch.is_empty() {
            return Ok(found);
        }
        found += update::<DB, M, T>(session, &batch, columns, batch.len() == most_rows, sent)?;
        sent += batch.len() as u64;
    }
}

/// Updates these rows, of which so many were sent before, and returns how many of them are there.
fn update<DB: Driver, M: Model + ToRow<DB>, T: Borrow<M>>(
    session: Session<'_, DB>,
    rows: &[T],
    columns: &[usize],
    recurs: bool,
    sent: u64,
) -> Result<u64> {
    let failed = |error: Error| {
        let (first, last) = (sent + 1, sent + rows.len() as u64);
        let head = DB::sql(&Head(columns, PhantomData::<fn() -> M>));
        in_statement(error.on_model(M::TABLE.model), head.map(|head| format!("{head} … (rows {first} to {last})")))
    };
    let statement = UpdateRows { rows, columns, recurs, model: PhantomData::<fn() -> M> };
    let updated = session.lease()?.run(|connection| connection.execute_returning_count(&statement)).map_err(failed)?;
    if updated == rows.len() || rows.len() == 1 {
        return Ok(updated as u64);
    }
    // Some are not there, or the database takes the keys of two for one: 9.5 and 9.50, or `a` and `A` in some collations. Of
    // such two it has written one, and does not say which.
    let count = CountRows::<T, M>::new(rows);
    let there = session.lease()?.run(|connection| DB::read_integer(connection, count)).map_err(failed)?;
    if u64::try_from(there).is_ok_and(|there| there <= updated as u64) {
        return Ok(updated as u64);
    }
    // Once more, by halves until none has two of them, so that the last one stays.
    let (before, behind) = rows.split_at(rows.len() / 2);
    let updated = update::<DB, M, T>(session, before, columns, false, sent)?;
    Ok(updated + update::<DB, M, T>(session, behind, columns, false, sent + before.len() as u64)?)
}
