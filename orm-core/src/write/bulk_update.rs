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
    error::Result,
    model::{Model, ToRow},
    session::Session,
    statement::{
        insert::most_rows,
        update_rows::{Head, UpdateRows},
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
            check::<DB, M>(row.borrow(), Some(sent + batch.len() as u64 + 1))?;
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
        let update =
            UpdateRows { rows: &batch, columns, recurs: batch.len() == most_rows, model: PhantomData::<fn() -> M> };
        let updated = session.lease()?.run(|connection| connection.execute_returning_count(&update));
        found += updated.map_err(|error| {
            let (first, last) = (sent + 1, sent + batch.len() as u64);
            let head = DB::sql(&Head(columns, PhantomData::<fn() -> M>));
            in_statement(error.on_model(M::TABLE.model), head.map(|head| format!("{head} … (rows {first} to {last})")))
        })? as u64;
        sent += batch.len() as u64;
    }
}
