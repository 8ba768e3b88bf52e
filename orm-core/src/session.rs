//! Sessions: where statements run, and who has a connection while.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, ThreadId},
};

use diesel::{
    QueryResult,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
};

use crate::{
    backend::{Driver, Handle},
    database::pool::{self, Pool, Pooled},
    diesel_error,
    error::{Error, ErrorKind, Reason, Result},
    quoted_values,
    transaction::{Attempt, Hook, Hooks, Options},
};

/// A transaction on one driver: its connection, or who has it.
#[doc(hidden)]
pub struct Inner<DB: Driver> {
    slot: Arc<Slot<DB>>,
    /// How many transactions were open before: none, but for Diesel's test transaction on a connection of the program's.
    before: usize,
    read_only: bool,
}

struct Slot<DB: Driver> {
    state: Mutex<State<DB>>,
    /// Told when a statement gives the connection back.
    free: Condvar,
}

struct State<DB: Driver> {
    connection: Holder<DB>,
    /// The first failure of a statement, after which only rolling back is allowed.
    failed: Option<Failure>,
    /// The user had the connection, so a statement may have failed unseen.
    lent: bool,
    /// The user had the connection at any time, so the session may not be as it was.
    dirty: bool,
    /// The savepoints that are open, by the thread that opened each.
    savepoints: Vec<ThreadId>,
    /// A statement lost against another transaction, and no other statement ran since.
    lost: bool,
    attempt: Option<Attempt>,
    /// What is to run after the commit.
    hooks: Hooks,
    /// Undoes, when the transaction has ended, what was set for it.
    undo: Option<&'static str>,
}

/// Why a transaction can only be rolled back.
#[derive(Clone)]
struct Failure {
    kind: ErrorKind,
    reason: Reason,
}

impl Failure {
    fn new(reason: impl Into<String>) -> Self {
        Failure { kind: ErrorKind::TransactionAborted, reason: Reason { text: reason.into(), sqlstate: None } }
    }

    fn of(error: &Error, text: String) -> Self {
        Failure { kind: error.kind(), reason: Reason { text, sqlstate: error.sqlstate().map(str::to_owned) } }
    }

    /// The error of what is done in the transaction after it: with its reason, if the connection was lost, or else this
    /// sentence.
    fn error(&self, otherwise: &str) -> Error {
        match self.kind {
            ErrorKind::ConnectionLost | ErrorKind::OutcomeUnknown => {
                Error::new(ErrorKind::ConnectionLost, "the connection was lost earlier in this transaction")
            }
            _ => Error::new(ErrorKind::TransactionAborted, otherwise),
        }
        .with_source(self.reason.clone())
    }
}

enum Holder<DB: Driver> {
    Idle(Pooled<DB>),
    /// A statement is running, on this or another thread.
    Statement,
    /// A stream has it for as long as it is open, or code of the user's.
    Exclusive,
    /// Nobody: the transaction has ended. A stream that was forgotten keeps the slot, and must not keep the connection.
    Nobody,
}

impl<DB: Driver> Inner<DB> {
    pub(crate) fn begin(pool: &Pool<DB>, options: &Options) -> Result<Self> {
        let mut connection = pool.get()?;
        connection.begin_reading();
        let before = depth::<DB>(&mut connection)?;
        let begun = match before {
            0 => DB::begin_transaction(&mut connection, options),
            _ => DB::begin_savepoint(&mut connection).map(|()| None),
        };
        let undo = begun.map_err(|error| of_attempt(diesel_error::ours(error, DB::KIND), options.attempt))?;
        let state = State {
            connection: Holder::Idle(connection),
            failed: None,
            lent: false,
            dirty: false,
            savepoints: Vec::new(),
            lost: false,
            attempt: options.attempt,
            hooks: Hooks::default(),
            undo,
        };
        let slot = Arc::new(Slot { state: Mutex::new(state), free: Condvar::new() });
        Ok(Inner { slot, before, read_only: options.read_only })
    }

    /// Opens a savepoint, and returns its level: how many are open with it.
    pub(crate) fn begin_savepoint(&self) -> Result<usize> {
        // It cannot be had in a transaction that has failed, so what a rollback to it forgets happened since.
        let mut lease = Lease::borrow(&self.slot, Purpose::Statement)?;
        lease.run(DB::begin_savepoint)?;
        let mut state = self.slot.lock();
        state.savepoints.push(thread::current().id());
        Ok(state.savepoints.len())
    }

    /// Commits the savepoint of this level; level 0 is the transaction itself.
    pub(crate) fn commit(&self, level: usize) -> Result<()> {
        if let Some(failure) = self.slot.lock().failed.clone() {
            return Err(failure
                .error(
                    "the transaction was rolled back: a statement in it had failed, although `Ok` was returned. To go on \
                     after a failure, wrap what may fail in `tx.transaction(…)`",
                )
                .on_backend(DB::KIND));
        }
        let lent = std::mem::take(&mut self.slot.lock().lent);
        let mut lease = Lease::borrow(&self.slot, Purpose::Statement)?;
        // With another depth, Diesel would release a savepoint where it should commit, and say that all is well.
        if depth::<DB>(&mut lease)? != self.before + level + 1 || self.slot.lock().savepoints.len() != level {
            return Err(Error::new(
                ErrorKind::TransactionAborted,
                "the transaction was rolled back: a transaction that was begun inside it was not ended",
            )
            .on_backend(DB::KIND));
        }
        let committed = lease.run(|connection| {
            if lent {
                // PostgreSQL answers COMMIT with ROLLBACK, and no error, where a failure went unseen.
                DB::check_transaction(connection)?;
            }
            DB::commit(connection)
        });
        committed.map_err(|error| if self.read_only { error.of_read() } else { error })?;
        let mut state = self.slot.lock();
        state.savepoints.truncate(level.saturating_sub(1));
        state.hooks.release(level);
        drop(state);
        if level == 0 {
            self.undo_settings(&mut lease);
        }
        Ok(())
    }

    /// Makes the connection as it was before the transaction, which has ended.
    fn undo_settings(&self, lease: &mut Lease<DB>) {
        let undo = self.slot.lock().undo.take();
        if let Some(undo) = undo
            && let Err(error) = lease.batch_execute(undo)
        {
            log::warn!("`{undo}` failed, so the connection is discarded: {error}");
            AnsiTransactionManager::transaction_manager_status_mut(&mut **lease).set_in_error();
        }
    }

    /// Registers what is to run after the commit, in the innermost savepoint of this thread.
    pub(crate) fn on_commit(&self, hook: Hook) {
        let mut state = self.slot.lock();
        let is_ours = state.savepoints.last().is_some_and(|thread| *thread == thread::current().id());
        let level = if is_ours { state.savepoints.len() } else { 0 };
        state.hooks.push(level, hook);
    }

    /// What is to run, now that all is committed.
    pub(crate) fn take_hooks(&self) -> Hooks {
        std::mem::take(&mut self.slot.lock().hooks)
    }

    /// Whether the database said that the transaction lost against another one, and all of it is rolled back.
    pub(crate) fn is_lost(&self) -> bool {
        let state = self.slot.lock();
        state.lost && state.failed.is_none() && matches!(state.connection, Holder::Idle(_))
    }

    /// The connection, for code of the user's.
    pub(crate) fn lend(&self) -> Result<Lease<DB>> {
        let lease = Lease::borrow(&self.slot, Purpose::Exclusive)?;
        let mut state = self.slot.lock();
        (state.lent, state.dirty) = (true, true);
        drop(state);
        Ok(lease)
    }

    /// Rolls back to before the savepoint of this level, and with it all that were opened since.
    pub(crate) fn rollback(&self, level: usize) -> Result<()> {
        let rolled_back = Lease::borrow(&self.slot, Purpose::Rollback).and_then(|mut lease| {
            while depth::<DB>(&mut lease)? > self.before + level {
                DB::roll_back(&mut lease).map_err(|error| diesel_error::ours(error, DB::KIND))?;
            }
            if level == 0 {
                self.undo_settings(&mut lease);
            }
            Ok(())
        });
        let mut state = self.slot.lock();
        let forgotten = state.hooks.forget(level);
        match &rolled_back {
            Ok(()) => {
                state.savepoints.truncate(level.saturating_sub(1));
                state.failed = None;
            }
            // What should be undone is still there, so nothing around it may be committed.
            Err(error) => {
                let reason = format!("a part of it could not be rolled back: {error}");
                state.failed.get_or_insert_with(|| Failure::of(error, reason));
            }
        }
        drop(state);
        drop(forgotten); // what users have captured in them may take its time
        rolled_back
    }
}

/// The error, with the number of attempts where it ended the last of several.
fn of_attempt(error: Error, attempt: Option<Attempt>) -> Error {
    match attempt {
        Some(Attempt { number, of }) if number == of && error.is_lost_to_another() => error.after_attempts(of),
        _ => error,
    }
}

/// How many transactions and savepoints Diesel knows to be open.
fn depth<DB: Driver>(link: &mut DB::Link) -> Result<usize> {
    let depth = AnsiTransactionManager::transaction_manager_status_mut(link).transaction_depth();
    // Diesel only knows that the connection is of no use.
    let depth = depth.map_err(|error| diesel_error::ours(DB::loss(link).unwrap_or(error), DB::KIND))?;
    Ok(depth.map_or(0, |depth| usize::try_from(depth.get()).unwrap_or(usize::MAX)))
}

impl<DB: Driver> Drop for Inner<DB> {
    fn drop(&mut self) {
        // Nothing is open by now, and all is as it was, unless the user's own SQL has opened or set something.
        let mut state = self.slot.lock();
        let dirty = state.dirty;
        match std::mem::replace(&mut state.connection, Holder::Nobody) {
            Holder::Idle(mut connection) => {
                drop(state);
                if dirty {
                    pool::reset(&mut connection);
                }
            }
            other => state.connection = other,
        }
    }
}

impl<DB: Driver> fmt::Debug for Inner<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("backend", &DB::KIND).finish_non_exhaustive()
    }
}

impl<DB: Driver> Slot<DB> {
    fn lock(&self) -> MutexGuard<'_, State<DB>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where statements of one driver run: on any connection of a pool, or on a transaction's.
#[doc(hidden)]
pub enum Session<'a, DB: Driver> {
    Pool(&'a Pool<DB>),
    /// The same, for SQL of the program's own, which may leave a connection dirty.
    PoolForRawSql(&'a Pool<DB>),
    Transaction(&'a Inner<DB>),
}

impl<DB: Driver> Clone for Session<'_, DB> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<DB: Driver> Copy for Session<'_, DB> {}

impl<DB: Driver> fmt::Debug for Session<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Session::Pool(pool) | Session::PoolForRawSql(pool) => pool.fmt(f),
            Session::Transaction(transaction) => transaction.fmt(f),
        }
    }
}

impl<'a, DB> From<Handle<'a, DB>> for Session<'a, DB>
where
    DB: Driver<Database = Pool<DB>, Transaction = Inner<DB>>,
{
    fn from(handle: Handle<'a, DB>) -> Self {
        match handle {
            Handle::Database(pool) => Session::Pool(pool),
            Handle::Transaction(transaction) => Session::Transaction(transaction),
        }
    }
}

impl<DB: Driver> Session<'_, DB> {
    /// The session for SQL of the program's own that reads: a function that it calls may set or lock something, which the
    /// pool's next user shall not meet.
    pub(crate) fn for_raw_sql(self) -> Self {
        match self {
            Session::Pool(pool) | Session::PoolForRawSql(pool) => Session::PoolForRawSql(pool),
            Session::Transaction(inner) => {
                inner.slot.lock().dirty = true;
                self
            }
        }
    }

    /// The connection, for one statement.
    pub(crate) fn lease(&self) -> Result<Lease<DB>> {
        self.lease_for(Purpose::Statement)
    }

    /// A connection on which a single statement is committed by itself; `None` in a transaction, be it Diesel's test
    /// transaction on a connection of the program's.
    pub(crate) fn lease_that_commits(&self) -> Result<Option<Lease<DB>>> {
        if matches!(self, Session::Transaction(_)) {
            return Ok(None);
        }
        let mut lease = self.lease()?;
        Ok((depth::<DB>(&mut lease)? == 0).then_some(lease))
    }

    /// The connection, for a stream that has it to itself until it is dropped.
    #[cfg(any(feature = "mysql", feature = "sqlite"))]
    pub(crate) fn lease_for_stream(&self) -> Result<Lease<DB>> {
        self.lease_for(Purpose::Exclusive)
    }

    /// The connection, for SQL that may leave it dirty.
    pub(crate) fn lease_for_raw_sql(&self) -> Result<Lease<DB>> {
        self.lease_for(Purpose::RawSql)
    }

    fn lease_for(&self, purpose: Purpose) -> Result<Lease<DB>> {
        match self {
            Session::Pool(pool) | Session::PoolForRawSql(pool) => {
                let mut connection = pool.get()?;
                if matches!(purpose, Purpose::Exclusive) {
                    connection.begin_reading();
                }
                let dirty = matches!(self, Session::PoolForRawSql(_)) || matches!(purpose, Purpose::RawSql);
                Ok(Lease { connection: Some(connection), home: Home::Pool { dirty } })
            }
            Session::Transaction(inner) => Lease::borrow(&inner.slot, purpose),
        }
    }

    /// A way to the transaction's connection that outlives the session; `None` for a pool.
    #[cfg(feature = "postgres")]
    pub(crate) fn share(&self) -> Option<Shared<DB>> {
        match self {
            Session::Pool(_) | Session::PoolForRawSql(_) => None,
            Session::Transaction(inner) => Some(Shared { slot: inner.slot.clone() }),
        }
    }
}

/// A transaction's connection, borrowed anew for each statement.
#[cfg(feature = "postgres")]
pub(crate) struct Shared<DB: Driver> {
    slot: Arc<Slot<DB>>,
}

#[cfg(feature = "postgres")]
impl<DB: Driver> Shared<DB> {
    pub(crate) fn lease(&self) -> Result<Lease<DB>> {
        Lease::borrow(&self.slot, Purpose::Statement)
    }
}

#[derive(Clone, Copy)]
enum Purpose {
    Statement,
    /// A stream, or code of the user's, which might ask for the connection again and wait for itself.
    Exclusive,
    RawSql,
    Rollback,
}

/// A connection, for as long as it is needed; dropped, it goes back where it came from.
pub(crate) struct Lease<DB: Driver> {
    /// `None` only while it is dropped.
    connection: Option<Pooled<DB>>,
    home: Home<DB>,
}

enum Home<DB: Driver> {
    Pool { dirty: bool },
    Transaction(Arc<Slot<DB>>),
}

impl<DB: Driver> Lease<DB> {
    fn borrow(slot: &Arc<Slot<DB>>, purpose: Purpose) -> Result<Self> {
        let mut state = slot.lock();
        let in_use = |why: String| Err(Error::new(ErrorKind::ConnectionInUse, why).on_backend(DB::KIND));
        let taken = match purpose {
            Purpose::Exclusive => Holder::Exclusive,
            Purpose::Statement | Purpose::RawSql | Purpose::Rollback => Holder::Statement,
        };
        loop {
            if let Some(failure) = &state.failed
                && !matches!(purpose, Purpose::Rollback)
            {
                return Err(failure
                    .error("an earlier statement of this transaction failed, so it can only be rolled back")
                    .on_backend(DB::KIND));
            }
            // Savepoints end in the order in which they began, so two threads cannot each have their own.
            if state.savepoints.last().is_some_and(|thread| *thread != thread::current().id()) {
                return in_use(
                    "another thread has a nested transaction open in this transaction (`bulk_create` is one, too); \
                     wait for it to end"
                        .into(),
                );
            }
            match &state.connection {
                Holder::Idle(_) => break,
                Holder::Statement => state = slot.free.wait(state).unwrap_or_else(PoisonError::into_inner),
                Holder::Nobody => return in_use("its transaction has ended".into()),
                Holder::Exclusive => {
                    return in_use(format!(
                        "an open stream (or `with_connection`) has this transaction's connection, and {} cannot run \
                         another statement on it: drop the stream or collect its rows first, or stream from the \
                         database instead of the transaction",
                        DB::KIND
                    ));
                }
            }
        }
        if let Holder::Idle(connection) = &mut state.connection
            && !matches!(purpose, Purpose::Rollback)
            && !DB::in_transaction(connection)
        {
            const ENDED: &str = "the transaction has ended already, and nothing more is sent in it: by a COMMIT or ROLLBACK of \
                                 the program's own, or by a statement such as CREATE TABLE on MySQL, which commits what \
                                 was done before";
            state.failed = Some(Failure::new(ENDED));
            return Err(Error::new(ErrorKind::TransactionAborted, ENDED).on_backend(DB::KIND));
        }
        if matches!(purpose, Purpose::RawSql) {
            (state.lent, state.dirty) = (true, true);
        }
        if !matches!(purpose, Purpose::Rollback) {
            // What was lost was in a savepoint, and the transaction goes on without it.
            state.lost = false;
        }
        let Holder::Idle(connection) = std::mem::replace(&mut state.connection, taken) else {
            unreachable!("the loop above ends only where it is idle, and the lock is held since");
        };
        Ok(Lease { connection: Some(connection), home: Home::Transaction(slot.clone()) })
    }

    /// Runs a statement; what fails at the database is remembered by the transaction.
    pub(crate) fn run<T>(&mut self, f: impl FnOnce(&mut DB::Link) -> QueryResult<T>) -> Result<T> {
        f(self).map_err(|error| self.failed(error))
    }

    /// Our error for Diesel's, remembered by the transaction.
    pub(crate) fn failed(&self, error: diesel::result::Error) -> Error {
        self.reporter().failed(error)
    }

    /// The error, after which what was written does not stay: it is remembered by the transaction.
    pub(crate) fn spoiled(&self, error: Error) -> Error {
        if let Home::Transaction(slot) = &self.home {
            slot.lock().failed.get_or_insert_with(|| Failure::new(error.to_string()));
        }
        error
    }

    /// What tells the transaction of failures, for where the connection itself is borrowed.
    pub(crate) fn reporter(&self) -> Reporter<DB> {
        Reporter(match &self.home {
            Home::Pool { .. } => None,
            Home::Transaction(slot) => Some(slot.clone()),
        })
    }
}

/// Tells a transaction of failures.
pub(crate) struct Reporter<DB: Driver>(Option<Arc<Slot<DB>>>);

impl<DB: Driver> Reporter<DB> {
    /// Our error for Diesel's, remembered by the transaction where it is the database's own word.
    pub(crate) fn failed(&self, error: diesel::result::Error) -> Error {
        let Some(slot) = self.0.as_ref().filter(|_| diesel_error::is_the_databases(&error)) else {
            return diesel_error::ours(error, DB::KIND);
        };
        let mut state = slot.lock();
        // Later errors of the transaction repeat it.
        let error = quoted_values::hide(error, DB::KIND);
        let reason = error.to_string();
        let error = of_attempt(diesel_error::ours(error, DB::KIND), state.attempt);
        state.failed.get_or_insert_with(|| Failure::of(&error, reason));
        state.lost |= error.is_lost_to_another();
        error
    }
}

impl<DB: Driver> Deref for Lease<DB> {
    type Target = DB::Link;
    fn deref(&self) -> &DB::Link {
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("it is taken only when the lease is dropped"),
        }
    }
}

impl<DB: Driver> DerefMut for Lease<DB> {
    fn deref_mut(&mut self) -> &mut DB::Link {
        match &mut self.connection {
            Some(connection) => connection,
            None => unreachable!("it is taken only when the lease is dropped"),
        }
    }
}

impl<DB: Driver> Drop for Lease<DB> {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        match &self.home {
            Home::Pool { dirty: true } => pool::reset(&mut connection),
            Home::Pool { dirty: false } => {}
            Home::Transaction(slot) => {
                slot.lock().connection = Holder::Idle(connection);
                // All of them: whoever goes away without it, because the transaction failed, wakes nobody.
                slot.free.notify_all();
            }
        }
    }
}
