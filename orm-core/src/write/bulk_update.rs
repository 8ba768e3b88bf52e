//! `bulk_update`: rows from any iterator, each with values of its own, in one transaction.

use std::{
    borrow::Borrow,
    collections::{HashSet, VecDeque},
    marker::PhantomData,
};

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

/// The most batches that are on their way while the next one is gathered.
const MOST_IN_FLIGHT: usize = 8;

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
    given: &mut dyn Iterator<Item = T>,
    columns: &[usize],
) -> Result<u64> {
    let most_rows = most_rows::<DB>(M::PRIMARY_KEY.len() + columns.len());
    let mut keys = HashSet::new();
    let checked = [M::PRIMARY_KEY, columns].concat();
    let values = DB::unites_values(&mut *session.lease()?);
    let mut updates = Updates::<DB, M, T> {
        session,
        columns,
        most_rows,
        values,
        sent: VecDeque::new(),
        found: 0,
        model: PhantomData,
    };
    let mut before = 0;
    // A row whose key is in the batch already, to begin the next one: a statement would write one of them, and not say which.
    let mut again: Option<T> = None;
    loop {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        keys.clear();
        // The user's iterator runs here, while no connection is held, so that it may read in the same transaction.
        while rows.len() < most_rows
            && bytes < MOST_BYTES
            && let Some(row) = again.take().or_else(|| given.next())
        {
            check::<DB, M>(row.borrow(), &checked, Some(before + rows.len() as u64 + 1))?;
            if !keys.insert(row.borrow().key()) {
                again = Some(row);
                break;
            }
            bytes += row.borrow().width();
            rows.push(row);
        }
        if rows.is_empty() {
            break;
        }
        let count = rows.len() as u64;
        updates.send(rows, before)?;
        before += count;
    }
    while !updates.sent.is_empty() {
        updates.settle_first()?;
    }
    Ok(updates.found)
}

/// The batches whose statements were sent.
struct Updates<'s, DB: Driver, M, T> {
    session: Session<'s, DB>,
    columns: &'s [usize],
    most_rows: usize,
    /// Rows may be written as VALUES.
    values: bool,
    /// Those that were not settled, in order.
    sent: VecDeque<Sent<DB, T>>,
    /// How many rows were found.
    found: u64,
    model: PhantomData<fn() -> M>,
}

struct Sent<DB: Driver, T> {
    rows: Vec<T>,
    /// How many rows come before them.
    before: u64,
    update: Update<DB::Ticket>,
}

/// The UPDATE of a batch.
enum Update<Ticket> {
    /// It is to be answered.
    Sent(Ticket),
    /// It has changed so many rows.
    Done(usize),
}

impl<DB: Driver, M: Model + ToRow<DB>, T: Borrow<M>> Updates<'_, DB, M, T> {
    /// Sends the UPDATE of a batch, behind those that are on their way.
    fn send(&mut self, rows: Vec<T>, before: u64) -> Result<()> {
        let statement = self.statement(&rows);
        let ticket = self.session.lease()?.run(|link| DB::send_ahead(link, &statement));
        let update = match ticket.map_err(|error| self.failed(error, before, rows.len()))? {
            Some(ticket) => Update::Sent(ticket),
            None => {
                // Whatever has failed before is the reason why this one would fail.
                while !self.sent.is_empty() {
                    self.settle_first()?;
                }
                Update::Done(self.execute(&rows, before)?)
            }
        };
        self.sent.push_back(Sent { rows, before, update });
        if self.sent.len() > MOST_IN_FLIGHT { self.settle_first() } else { Ok(()) }
    }

    fn statement<'r>(&'r self, rows: &'r [T]) -> UpdateRows<'r, T, M> {
        let recurs = rows.len() == self.most_rows;
        UpdateRows { rows, columns: self.columns, recurs, values: self.values, model: PhantomData }
    }

    /// Updates these rows at once, and returns how many rows were changed.
    fn execute(&self, rows: &[T], before: u64) -> Result<usize> {
        let statement = self.statement(rows);
        let updated = self.session.lease()?.run(|link| link.execute_returning_count(&statement));
        updated.map_err(|error| self.failed(error, before, rows.len()))
    }

    /// How many rows the UPDATE of a batch has changed.
    fn answered(&self, Sent { rows, before, update }: Sent<DB, T>) -> Result<(Vec<T>, usize)> {
        match update {
            Update::Done(updated) => Ok((rows, updated)),
            Update::Sent(ticket) => {
                let answer = self.session.lease()?.run(|link| DB::answer(link, ticket).map_err(|(error, _)| error));
                let updated = answer.map_err(|error| self.failed(error, before, rows.len()))?;
                Ok((rows, updated))
            }
        }
    }

    /// Counts the rows of the first batch that was not settled.
    fn settle_first(&mut self) -> Result<()> {
        let Some(first) = self.sent.pop_front() else { return Ok(()) };
        let before = first.before;
        let (rows, updated) = self.answered(first)?;
        if updated == rows.len() || !self.has_alike(&rows, before, updated)? {
            self.found += updated as u64;
            return Ok(());
        }
        // By halves until none has two of them, so that the last one stays; and then what came behind it once more, because the
        // last of all has to stay.
        self.found += self.by_halves(&rows, before)?;
        for mut later in std::mem::take(&mut self.sent) {
            let before = later.before;
            let (rows, _) = self.answered(later)?;
            let updated = self.execute(&rows, before)?;
            later = Sent { rows, before, update: Update::Done(updated) };
            self.sent.push_back(later);
        }
        Ok(())
    }

    /// Whether the database takes the keys of two rows for one: 9.5 and 9.50, or `a` and `A` in some collations. Of such two the
    /// UPDATE has written one, and does not say which. Otherwise those that it has not changed are not there.
    fn has_alike(&self, rows: &[T], before: u64, updated: usize) -> Result<bool> {
        if updated == rows.len() || rows.len() == 1 {
            return Ok(false);
        }
        let count = CountRows::<T, M>::new(rows, self.values);
        let there = self.session.lease()?.run(|link| DB::read_integer(link, count));
        let there = there.map_err(|error| self.failed(error, before, rows.len()))?;
        Ok(u64::try_from(there).is_ok_and(|there| there > updated as u64))
    }

    /// Updates the two halves of these rows, one after the other, and returns how many rows were found.
    fn by_halves(&self, rows: &[T], before: u64) -> Result<u64> {
        let (first, second) = rows.split_at(rows.len() / 2);
        let mut found = 0;
        for (half, before) in [(first, before), (second, before + first.len() as u64)] {
            let updated = self.execute(half, before)?;
            found += match self.has_alike(half, before, updated)? {
                true => self.by_halves(half, before)?,
                false => updated as u64,
            };
        }
        Ok(found)
    }

    fn failed(&self, error: Error, before: u64, count: usize) -> Error {
        let (first, last) = (before + 1, before + count as u64);
        let head = DB::sql(&Head(self.columns, PhantomData::<fn() -> M>));
        in_statement(error.on_model(M::TABLE.model), head.map(|head| format!("{head} … (rows {first} to {last})")))
    }
}
