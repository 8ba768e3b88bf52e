//! Locking the rows that are read: `for_update` and its relatives.

use super::{QuerySet, Selected, Shape, rows::Rows};
use crate::{
    backend::{Backend, BackendKind, Driver, PartsOf, Task},
    database::Kind,
    diesel_error,
    error::{Error, ErrorKind, Result},
    field::facts::facts_of,
    model::Model,
    session::Session,
    statement::lock::{Held, Lock, Strength},
};

/// What was asked for; whether it can be had is seen by the terminals.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Locking {
    strength: Option<Strength>,
    nowait: bool,
    skip_locked: bool,
}

impl<M: Model, B: Backend, S> QuerySet<'_, M, B, S> {
    /// Locks the rows that are read until the transaction ends, as if they were to be changed: others that would change or lock
    /// them wait.
    ///
    /// The queryset has to be on a [`Transaction`](crate::Transaction), for a lock ends with its transaction. The terminals
    /// that read rows lock them: [`load`](Self::load), [`first`](Self::first), [`get`](Self::get), and the streams, row by row as
    /// they are read. Where related models are joined, the root's rows are locked, and, on MariaDB, which cannot leave them out,
    /// the related ones as well.
    ///
    /// Another transaction that has locked such a row is waited for, as long as the server allows: `lock_timeout` on
    /// PostgreSQL, where it is no limit unless it is set, `innodb_lock_wait_timeout` on MySQL and MariaDB; then it is
    /// [`ErrorKind::LockTimeout`]. [`nowait`](Self::nowait) and [`skip_locked`](Self::skip_locked) do not wait.
    ///
    /// ```no_run
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Seat { #[model(primary_key)] id: i64, taken_by: Option<String> }
    /// # let db = orm_core::connect("postgres://localhost/flights")?;
    /// let seat = db.transaction(|tx| {
    ///     let free = Seat::objects(tx).filter(|s| s.taken_by.is_null()).order_by(|s| s.id.asc());
    ///     // Each of several programs takes another one.
    ///     let Some(seat) = free.for_update().skip_locked().first()? else { return Ok(None) };
    ///     Seat::objects(tx).filter(|s| s.id.eq(seat.id)).update(|s| s.taken_by.set("Ada"))?;
    ///     Ok::<_, orm_core::Error>(Some(seat.id))
    /// })?;
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    ///
    /// # Errors of the terminals
    ///
    /// [`ErrorKind::InvalidQuery`], before anything is sent: on SQLite, which locks the whole database (begin the transaction by
    /// [`build_transaction().immediate()`](crate::TransactionBuilder::immediate) there); on a database rather than in a
    /// transaction; with [`distinct`](Self::distinct) and [`values_as`](Self::values_as), whose rows are not the table's; on
    /// PostgreSQL with windows; and of
    /// [`count`](Self::count), [`exists`](Self::exists), [`update`](QuerySet::update) and [`delete`](QuerySet::delete), of
    /// which the first two read no rows, and the others lock what they change by themselves, as
    /// [`update_or_create`](QuerySet::update_or_create) does.
    /// [`ErrorKind::ReadOnly`] in a read-only transaction on PostgreSQL.
    pub fn for_update(self) -> Self {
        self.locked(Strength::Update)
    }

    /// Locks the rows that are read as [`for_update`](Self::for_update) does, but lets others insert rows that refer to them.
    ///
    /// PostgreSQL alone has this; elsewhere the terminals return [`ErrorKind::InvalidQuery`] before anything is sent.
    pub fn for_no_key_update(self) -> Self {
        self.locked(Strength::NoKeyUpdate)
    }

    /// Locks the rows that are read until the transaction ends, so that nobody changes them; others may lock them so, too.
    ///
    /// All else is as with [`for_update`](Self::for_update).
    pub fn for_share(self) -> Self {
        self.locked(Strength::Share)
    }

    /// Leaves out the rows that another transaction has locked, rather than waiting; for workers that share a queue.
    ///
    /// It is said beside [`for_update`](Self::for_update) or [`for_share`](Self::for_share). MySQL has it since 8.0, MariaDB
    /// since 10.6; older servers refuse the statement. [`get_or_create`](QuerySet::get_or_create) refuses it, and `nowait`: a
    /// row that is left out would be taken for one that is not there.
    pub fn skip_locked(mut self) -> Self {
        self.locking.skip_locked = true;
        self
    }

    /// Fails with [`ErrorKind::LockTimeout`] where another transaction has locked a row, rather than waiting.
    ///
    /// It is said beside [`for_update`](Self::for_update) or [`for_share`](Self::for_share). After the failure the transaction
    /// can only be rolled back; to go on, read in a [nested transaction](crate::Transaction::transaction).
    pub fn nowait(mut self) -> Self {
        self.locking.nowait = true;
        self
    }

    fn locked(mut self, strength: Strength) -> Self {
        self.locking.strength = Some(strength);
        self
    }

    /// The lock, where the statement can have it; in the session that it will be sent in, where it will be sent.
    pub(super) fn lock<DB: Driver>(&self, session: Option<Session<'_, DB>>) -> Result<Option<Lock>>
    where
        B: PartsOf<DB>,
    {
        let Locking { strength, nowait, skip_locked } = self.locking;
        let refused =
            |why: &str| Err(Error::new(ErrorKind::InvalidQuery, why).on_backend(DB::KIND).on_model(M::TABLE.model));
        let held = match (strength, nowait, skip_locked) {
            (None, false, false) => return Ok(None),
            (_, true, true) => {
                return refused(
                    "`nowait` fails at a locked row and `skip_locked` leaves it out; leave one of the two out",
                );
            }
            (_, true, false) => Held::Fail,
            (_, false, true) => Held::Skip,
            (_, false, false) => Held::Wait,
        };
        let Some(strength) = strength else {
            return refused(
                "`nowait` and `skip_locked` say how a lock is waited for; call `for_update` or `for_share`, too",
            );
        };
        if DB::KIND == BackendKind::Sqlite {
            return refused(
                "SQLite locks the whole database and no rows: leave `for_update` and `for_share` out, and begin the transaction by \
                 `build_transaction().immediate()`, which lets nobody else write",
            );
        }
        if strength == Strength::NoKeyUpdate && DB::KIND != BackendKind::Postgres {
            return refused("PostgreSQL alone has `for_no_key_update`; call `for_update`");
        }
        if self.distinct {
            return refused("a row of `distinct` may be several of the table's, so that it cannot be locked");
        }
        if !matches!(self.more.rows, Rows::Table) || !self.more.distinct_on.is_empty() {
            return refused(
                "these rows are of a union, or the first or last of some, so that none of the table's can be locked; lock the \
                 table's own rows, by a queryset of their keys",
            );
        }
        if !matches!(self.columns, Selected::Tables(_) | Selected::Annotated(..) | Selected::Fields(_)) {
            return refused(
                "what is selected by an expression of Diesel's may be computed from many rows, so that no row can be locked; \
                 select models, or `values`",
            );
        }
        if DB::KIND == BackendKind::Postgres && self.has_windows::<DB>()? {
            return refused(
                "PostgreSQL locks no rows of a query with windows, whose values are of other rows, too; leave the windows out, or lock \
                 the rows by a queryset of their keys",
            );
        }
        if matches!(session, Some(Session::Pool(_))) {
            return refused(
                "a lock ends with its transaction, and this queryset is in none: make it in `db.transaction(|tx| …)`, on `tx`",
            );
        }
        Ok(Some(Lock { strength, held }))
    }

    /// Whether what is selected or ordered by has windows of ours.
    fn has_windows<DB: Driver>(&self) -> Result<bool>
    where
        B: PartsOf<DB>,
    {
        let selected = match &self.columns {
            Selected::Fields(part) | Selected::Annotated(_, part) => Some(part),
            _ => None,
        };
        for part in selected.into_iter().chain(self.order.iter().map(|key| &key.part)) {
            let facts = facts_of::<DB>(B::part(part));
            if facts.map_err(|error| diesel_error::ours(error, DB::KIND).on_model(M::TABLE.model))?.window {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Refuses what is said of rows that others have locked, where such a row would be taken for one that is not there.
    pub(super) fn without_lock_options(&self, terminal: &str) -> Result<()> {
        if !self.locking.nowait && !self.locking.skip_locked {
            return Ok(());
        }
        Err(self.lock_refused(format!(
            "`{terminal}` waits where another transaction has locked the row or is storing it: leave `nowait` and `skip_locked` \
             out"
        )))
    }

    /// Refuses rows that PostgreSQL cannot lock, for what locks by itself.
    pub(super) fn check_lockable(&self, terminal: &str) -> Result<()>
    where
        S: Shape,
    {
        struct Check<'q, 'a, M, B: Backend, S>(&'q QuerySet<'a, M, B, S>, &'q str);
        impl<M: Model, B: Backend, S: Shape> Task<B> for Check<'_, '_, M, B, S> {
            type Output = Result<()>;
            fn on<DB: Driver>(self, _: Session<'_, DB>) -> Result<()>
            where
                B: PartsOf<DB>,
            {
                let Check(rows, terminal) = self;
                if DB::KIND != BackendKind::Postgres {
                    return Ok(());
                }
                let united = matches!(rows.more.rows, Rows::Combined(_) | Rows::Listed(..));
                if !united && rows.more.distinct_on.is_empty() && !rows.has_windows::<DB>()? {
                    return Ok(());
                }
                Err(rows.lock_refused(format!(
                    "`{terminal}` locks the row, and PostgreSQL locks none of a union, of `distinct_on` or of a query with windows; \
                     use a queryset of conditions"
                )))
            }
        }
        B::run(self.on, Check(self, terminal))
    }

    /// Refuses a lock, for what locks by itself.
    pub(super) fn without_second_lock(&self, terminal: &str) -> Result<()> {
        let Locking { strength: None, nowait: false, skip_locked: false } = self.locking else {
            return Err(self.lock_refused(format!(
                "`{terminal}` locks the row by itself, and waits where another transaction has locked it: leave `for_update` and \
                 its options out"
            )));
        };
        Ok(())
    }

    fn lock_refused(&self, why: String) -> Error {
        Error::new(ErrorKind::InvalidQuery, why).on_backend(B::run(self.on, Kind)).on_model(M::TABLE.model)
    }

    /// Refuses a lock, for terminals that read no rows.
    pub(super) fn without_lock<DB: Driver>(&self, terminal: &str) -> Result<()> {
        let Locking { strength: None, nowait: false, skip_locked: false } = self.locking else {
            return Err(Error::new(
                ErrorKind::InvalidQuery,
                format!(
                    "`{terminal}` does not lock the rows that a queryset gives: leave `for_update` and its options out, or read the \
                     rows by `load` or a stream, which lock them"
                ),
            )
            .on_backend(DB::KIND)
            .on_model(M::TABLE.model));
        };
        Ok(())
    }
}
