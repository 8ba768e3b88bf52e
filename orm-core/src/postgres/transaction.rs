//! What the server says of a transaction, as Diesel is told it.

use std::{borrow::Cow, num::NonZeroU32};

use diesel::{
    QueryResult,
    connection::{AnsiTransactionManager, TransactionDepthChange, TransactionManager, TransactionManagerStatus},
    pg::TransactionBuilder,
    result::Error,
};

use super::{
    PgConnection,
    error::Failure,
    wire::{Deferred, Status},
};

impl PgConnection {
    /// A transaction of which more is to be said: its isolation level, whether it writes, whether it waits for a snapshot
    /// without conflicts.
    ///
    /// ```no_run
    /// use diesel::{Connection, RunQueryDsl, sql_query};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut connection = orm_core::PgConnection::establish("postgres://me:secret@localhost/flights")?;
    /// connection.build_transaction().serializable().run(|connection| {
    ///     sql_query("UPDATE flights SET delay = 0 WHERE delay IS NULL").execute(connection)
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn build_transaction(&mut self) -> TransactionBuilder<'_, Self> {
        TransactionBuilder::new(self)
    }

    /// Begins a transaction by this SQL, which is sent together with the first statement. A connection that the server has
    /// closed is noticed now, and not after the statement was sent.
    pub(crate) fn begin_with_next(&mut self, sql: Cow<'static, str>) -> QueryResult<()> {
        self.finish();
        let depth = self.depth()?;
        if self.in_transaction() || depth.is_some() {
            return AnsiTransactionManager::begin_transaction_sql(self, &sql);
        }
        let checked = self.wire.check_connection();
        self.checked(checked)?;
        self.change_depth(TransactionDepthChange::IncreaseDepth)?;
        self.wire.defer(Deferred::Begin(sql));
        Ok(())
    }

    /// Opens a savepoint, together with the next statement if it may wait for that.
    pub(crate) fn begin_savepoint(&mut self) -> QueryResult<()> {
        self.finish();
        match self.depth()? {
            Some(depth) if self.wire.may_defer() => {
                self.change_depth(TransactionDepthChange::IncreaseDepth)?;
                self.wire.defer(Deferred::Savepoint(depth.get()));
                Ok(())
            }
            _ => AnsiTransactionManager::begin_transaction(self),
        }
    }

    /// Commits what was begun last. Where nothing was sent since, nothing is sent. A savepoint is released together with the
    /// next statement: RELEASE cannot fail while the transaction is open, so the next statement cannot get its error.
    pub(crate) fn commit_last(&mut self) -> QueryResult<()> {
        self.finish();
        let Some(depth) = self.depth()? else { return AnsiTransactionManager::commit_transaction(self) };
        if self.undo_deferred_at(depth) {
            return self.change_depth(TransactionDepthChange::DecreaseDepth);
        }
        if depth.get() == 1 {
            // COMMIT releases savepoints as well.
            self.wire.clear_deferred();
        } else if self.wire.may_defer() {
            self.change_depth(TransactionDepthChange::DecreaseDepth)?;
            self.wire.defer(Deferred::Release(depth.get() - 1));
            return Ok(());
        }
        AnsiTransactionManager::commit_transaction(self)
    }

    /// Rolls back what was begun last. Where nothing was sent since, nothing is sent.
    pub(crate) fn roll_back_last(&mut self) -> QueryResult<()> {
        self.finish();
        let depth = self.depth()?;
        if depth.is_some_and(|depth| self.undo_deferred_at(depth)) {
            return self.change_depth(TransactionDepthChange::DecreaseDepth);
        }
        // What is deferred releases savepoints that end now.
        self.wire.clear_deferred();
        AnsiTransactionManager::rollback_transaction(self)
    }

    /// Drops the command that has begun what is this deep, if it has not been sent.
    fn undo_deferred_at(&mut self, depth: NonZeroU32) -> bool {
        let is_unsent = match self.wire.deferred().last() {
            Some(Deferred::Begin(_)) => depth.get() == 1,
            Some(Deferred::Savepoint(level)) => *level + 1 == depth.get(),
            Some(Deferred::Release(_)) | None => false,
        };
        if is_unsent {
            self.wire.undo_deferred();
        }
        is_unsent
    }

    /// Tells Diesel of a transaction or savepoint without sending anything.
    fn change_depth(&mut self, change: TransactionDepthChange) -> QueryResult<()> {
        match AnsiTransactionManager::transaction_manager_status_mut(self) {
            TransactionManagerStatus::Valid(status) => status.change_transaction_depth(change),
            TransactionManagerStatus::InError => Err(Error::BrokenTransactionManager),
        }
    }

    /// Diesel's error for ours; what the server says of the transaction is taken in.
    pub(super) fn checked<T>(&mut self, answer: Result<T, Failure>) -> QueryResult<T> {
        self.take_in_status();
        answer.map_err(|failure| {
            self.failed(&failure);
            failure.into()
        })
    }

    /// As Diesel's own connection does it, by the state that libpq knows.
    fn take_in_status(&mut self) {
        let is_lost = self.wire.is_lost();
        let state = self.wire.status();
        let known = AnsiTransactionManager::transaction_manager_status_mut(self);
        match state {
            _ if is_lost => known.set_in_error(),
            Status::Failed => known.set_requires_rollback_maybe_up_to_top_level(true),
            // A rollback to a savepoint may have mended it.
            Status::Open => known.set_requires_rollback_maybe_up_to_top_level(false),
            // Whatever was open has ended, by whichever SQL.
            Status::Idle => *known = TransactionManagerStatus::default(),
        }
    }

    fn failed(&mut self, failure: &Failure) {
        // A type was dropped, and made again perhaps, so that its number is another one.
        if matches!(failure.sqlstate(), Some("42704" | "XX000")) {
            self.types = diesel::pg::PgMetadataCache::new();
        }
    }

    /// Why the connection is lost, if it is.
    pub(crate) fn loss(&self) -> Option<diesel::result::Error> {
        self.wire.loss().map(|loss| Failure::Lost(loss.before()).into())
    }

    /// Whether a transaction is open, be it one that has failed.
    pub(crate) fn in_transaction(&self) -> bool {
        self.wire.status() != Status::Idle
    }

    /// Fails if the transaction can only be rolled back.
    pub(crate) fn check_transaction(&mut self) -> QueryResult<()> {
        self.finish();
        match self.wire.status() {
            Status::Failed => Err(Failure::Aborted.into()),
            Status::Idle | Status::Open => Ok(()),
        }
    }

    /// How many transactions and savepoints Diesel knows to be open.
    fn depth(&mut self) -> QueryResult<Option<NonZeroU32>> {
        AnsiTransactionManager::transaction_manager_status_mut(self).transaction_depth()
    }

    /// Whether the server has a transaction open that Diesel knows nothing of.
    pub(super) fn has_unknown_transaction(&mut self) -> bool {
        self.in_transaction() && matches!(self.depth(), Ok(None))
    }

    pub(super) fn give_up(&mut self, why: &Failure) {
        self.wire.close(why);
        AnsiTransactionManager::transaction_manager_status_mut(self).set_in_error();
    }
}
