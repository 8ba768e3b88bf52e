//! Transactions: committed or rolled back, and nothing between.
//!
//! `options.rs` is what may be said of one before it begins, `builder.rs` says it and runs what lost again, `hooks.rs` is
//! what happens after a commit, `step.rs` begins and ends transactions and savepoints on the backend that is there.

mod builder;
mod hooks;
mod options;
mod step;

use std::fmt;

use diesel::QueryResult;

use self::step::Step;
pub use self::{builder::TransactionBuilder, options::IsolationLevel};
pub(crate) use self::{
    builder::once,
    hooks::{Hook, Hooks},
    options::{Attempt, Options},
};
#[cfg(doc)]
use crate::Database;
#[cfg(any(doc, feature = "libpq"))]
use crate::error::ErrorKind;
use crate::{
    backend::{Any, Backend, Driver, Handle},
    database::{BatchExecute, Executor, adopted::is_foreign},
    error::{Error, Result},
    session::{Inner, Session},
};

/// A transaction, which the closure of [`Database::atomic`](crate::Database::atomic) and of
/// [`Database::transaction`](crate::Database::transaction) receives.
///
/// `Model::objects(tx)` makes querysets that run in it, on its one connection. On PostgreSQL, statements may run
/// between the rows of an open stream. On MySQL and SQLite an open stream has the connection to itself, and a second
/// statement is an error ([`ErrorKind::ConnectionInUse`]) before anything is sent: collect the rows first, or stream from the
/// database instead of the transaction.
pub struct Transaction<B: Backend = Any> {
    pub(crate) inner: B::Transaction,
}

impl<B: Backend> Transaction<B> {
    /// Runs `f` in a transaction inside this one, by a savepoint: what it did is undone when it returns `Err` or
    /// panics, and the outer transaction goes on.
    ///
    /// # Errors
    ///
    /// As [`Database::atomic`](crate::Database::atomic).
    pub fn atomic<T>(&self, f: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        self.transaction(f)
    }

    /// Runs `f` in a transaction inside this one, as [`atomic`](Self::atomic) does, with an error type of the program's own.
    ///
    /// # Errors
    ///
    /// As [`Database::transaction`](crate::Database::transaction).
    pub fn transaction<T, E>(&self, f: impl FnOnce(&Self) -> Result<T, E>) -> Result<T, E>
    where
        E: From<Error>, // E0283? Call `atomic`, or end the closure with `Ok::<_, orm_core::Error>(…)`
    {
        nested(self.handle(), |_| f(self))
    }

    /// Has `f` run when the transaction has been committed, for what a rollback cannot undo: to send a message, to wake
    /// a worker, to empty a cache.
    ///
    /// What was registered runs in order, on this thread, after COMMIT has succeeded and before
    /// [`Database::transaction`](crate::Database::transaction) returns. The connection is back in the pool by then, so
    /// `f` may use the database; it is in no transaction. What was registered in a [nested
    /// transaction](Self::transaction) waits for the outermost commit, too, and is forgotten where the nested one is
    /// rolled back. Nothing runs where the transaction is rolled back, where COMMIT fails, or where nobody knows whether it
    /// succeeded because the connection was lost ([`ErrorKind::OutcomeUnknown`]); nor where the process ends before. (What must not be missed is
    /// written to a table in the same transaction, and done by whoever reads that.)
    ///
    /// Nothing that `f` does can undo the commit. If it panics, the others run all the same, and then the panic goes on;
    /// of errors it has to take care itself.
    ///
    /// In a test transaction of Diesel's (`begin_test_transaction`), which is never committed, the outermost transaction
    /// of ours counts.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Airport,)>()?;
    /// let (tell, told) = std::sync::mpsc::channel();
    /// db.atomic(|tx| {
    ///     let tell = tell.clone();
    ///     tx.on_commit(move || {
    ///         let _ = tell.send("a new airport");
    ///     });
    ///     Airport::bulk_create(tx, [Airport { code: "JFK".into(), city: "New York".into() }])
    /// })?;
    /// assert_eq!(told.recv(), Ok("a new airport"));
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn on_commit(&self, f: impl FnOnce() + Send + 'static) {
        step::on_commit(self.handle(), Box::new(f));
    }

    /// Runs SQL of your own in the transaction: one statement, or several separated by semicolons, without values.
    ///
    /// What it sets for a session is gone after the transaction, as after
    /// [`Database::batch_execute`](crate::Database::batch_execute).
    ///
    /// # Errors
    ///
    /// Whatever the database says.
    pub fn batch_execute(&self, sql: &str) -> Result<()> {
        B::run(self.handle(), BatchExecute(sql))
    }
}

impl<DB: Driver<Transaction = Inner<DB>>> Transaction<DB> {
    /// Lends the transaction's connection to statements of Diesel's own.
    ///
    /// After the transaction the session is made as new, as after [`Database::connection`](crate::Database::connection).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ConnectionInUse`] while a stream has the connection to itself;
    /// [`ErrorKind::TransactionAborted`] after a statement has failed; what `f` returns, as the database's error;
    /// [`ErrorKind::Configuration`] where the connection is Diesel's own `PgConnection` of the program's pool, which
    /// `with_diesel_connection` lends.
    pub fn with_connection<T>(&self, f: impl FnOnce(&mut DB::Connection) -> QueryResult<T>) -> Result<T> {
        let mut lease = self.inner.lend()?;
        let Some(connection) = DB::connection_mut(&mut lease) else { return Err(is_foreign::<DB>()) };
        let answer = f(connection);
        answer.map_err(|error| lease.failed(error))
    }
}

#[cfg(feature = "libpq")]
impl Transaction<crate::backend::Pg> {
    /// Lends the transaction's connection to statements of the program's own, where it is Diesel's `PgConnection`, of a
    /// pool that was [made a database](Database#a-pool-of-your-own). So the program's queries and querysets are committed
    /// together.
    ///
    /// # Errors
    ///
    /// As [`with_connection`](Self::with_connection); [`ErrorKind::Configuration`] where the connection is our own.
    pub fn with_diesel_connection<T>(&self, f: impl FnOnce(&mut diesel::PgConnection) -> QueryResult<T>) -> Result<T> {
        let mut lease = self.inner.lend()?;
        let Some(connection) = lease.diesels_mut() else {
            return Err(Error::new(
                ErrorKind::Configuration,
                "this transaction's connection is `orm_core::PgConnection`: call `with_connection`",
            ));
        };
        let answer = f(connection);
        answer.map_err(|error| lease.failed(error))
    }
}

impl<B: Backend> Executor for Transaction<B> {
    type Backend = B;
    fn handle(&self) -> Handle<'_, B> {
        Handle::Transaction(&self.inner)
    }
}

impl<B: Backend> fmt::Debug for Transaction<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Transaction").field(&self.inner).finish()
    }
}

/// Runs `f` in a savepoint of the transaction.
pub(crate) fn nested<'t, B: Backend, T, E: From<Error>>(
    transaction: Handle<'t, B>,
    f: impl FnOnce(Handle<'t, B>) -> Result<T, E>,
) -> Result<T, E> {
    let level = B::run(transaction, Step::Begin)?;
    at_level(transaction, level, f)
}

/// Runs statements that may fail, so that a transaction goes on after that: in a savepoint, where there is one. `f` is none of
/// the user's, and does not panic.
pub(crate) fn attempt<DB: Driver, T>(session: Session<'_, DB>, f: impl FnOnce() -> Result<T>) -> Result<T> {
    let Session::Transaction(inner) = session else { return f() };
    let level = inner.begin_savepoint()?;
    let answer = f().and_then(|value| inner.commit(level).map(|()| value));
    if answer.is_err()
        && let Err(error) = inner.rollback(level)
    {
        // As in `at_level`.
        log::debug!("rolling back failed, too: {error:?}");
    }
    answer
}

/// Runs statements that are done together or not at all: in a transaction of their own, where there is none. `f` is none of
/// the user's, and does not panic.
pub(crate) fn whole<DB: Driver, T>(
    session: Session<'_, DB>,
    f: impl FnOnce(Session<'_, DB>) -> Result<T>,
) -> Result<T> {
    let (Session::Pool(pool) | Session::PoolForRawSql(pool)) = session else { return f(session) };
    let inner = Inner::begin(pool, &Options::default())?;
    let answer = f(Session::Transaction(&inner)).and_then(|value| inner.commit(0).map(|()| value));
    if answer.is_err()
        && let Err(error) = inner.rollback(0)
    {
        // As in `at_level`.
        log::debug!("rolling back failed, too: {error:?}");
    }
    answer
}

/// Runs `f` in a transaction that has begun, and ends it.
pub(crate) fn atomically<'t, B: Backend, T, E: From<Error>>(
    transaction: Handle<'t, B>,
    f: impl FnOnce(Handle<'t, B>) -> Result<T, E>,
) -> Result<T, E> {
    at_level(transaction, 0, f)
}

/// Runs `f`, and ends the savepoint of this level; level 0 is the transaction itself.
fn at_level<'t, B: Backend, T, E: From<Error>>(
    transaction: Handle<'t, B>,
    level: usize,
    f: impl FnOnce(Handle<'t, B>) -> Result<T, E>,
) -> Result<T, E> {
    let mut guard = RollbackOnPanic { transaction: Some(transaction), level };
    let answer = f(transaction);
    guard.transaction = None;
    let answer = answer.and_then(|value| {
        B::run(transaction, Step::Commit(level))?;
        Ok(value)
    });
    if answer.is_err()
        && let Err(error) = B::run(transaction, Step::Rollback(level))
    {
        // It is remembered, so that nothing around it is committed. The user hears of what went wrong first.
        log::debug!("rolling back failed, too: {error:?}");
    }
    answer
}

/// Rolls back when the closure unwinds, so that a caught panic leaves nothing behind.
struct RollbackOnPanic<'t, B: Backend> {
    transaction: Option<Handle<'t, B>>,
    level: usize,
}

impl<B: Backend> Drop for RollbackOnPanic<'_, B> {
    fn drop(&mut self) {
        if let Some(transaction) = self.transaction
            && let Err(error) = B::run(transaction, Step::Rollback(self.level))
        {
            log::debug!("rolling back after a panic failed: {error:?}");
        }
    }
}
