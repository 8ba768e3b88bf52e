//! What the server says of a transaction, as Diesel is told it.

use std::num::NonZeroU32;

use diesel::{
    QueryResult,
    connection::{AnsiTransactionManager, TransactionManager, TransactionManagerStatus},
    pg::TransactionBuilder,
};

use super::{PgConnection, error::Failure, wire::Status};

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
