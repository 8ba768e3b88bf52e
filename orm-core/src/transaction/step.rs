//! The beginning and the end of transactions and savepoints, on the backend that is there.

use super::{Hook, Hooks};
use crate::{
    backend::{Backend, Driver, Handle, PartsOf, Task},
    error::Result,
    session::Session,
};

/// The beginning or the end of a transaction or savepoint.
pub(super) enum Step {
    Begin,
    Commit(usize),
    Rollback(usize),
}

impl<B: Backend> Task<B> for Step {
    /// The level of the savepoint.
    type Output = Result<usize>;

    fn on<DB: Driver>(self, session: Session<'_, DB>) -> Result<usize>
    where
        B: PartsOf<DB>,
    {
        let Session::Transaction(inner) = session else {
            return Ok(0); // a step is only taken on transactions
        };
        match self {
            Step::Begin => inner.begin_savepoint(),
            Step::Commit(level) => inner.commit(level).map(|()| level),
            Step::Rollback(level) => inner.rollback(level).map(|()| level),
        }
    }
}

/// Registers what is to run after the commit.
pub(super) fn on_commit<B: Backend>(transaction: Handle<'_, B>, hook: Hook) {
    B::run(transaction, OnCommit(hook));
}

/// What was registered, once it is committed.
pub(super) fn take_hooks<B: Backend>(transaction: Handle<'_, B>) -> Hooks {
    B::run(transaction, TakeHooks)
}

/// Whether the transaction lost against another one, and all of it is rolled back.
pub(super) fn is_lost<B: Backend>(transaction: Handle<'_, B>) -> bool {
    B::run(transaction, IsLost)
}

struct OnCommit(Hook);

impl<B: Backend> Task<B> for OnCommit {
    type Output = ();

    fn on<DB: Driver>(self, session: Session<'_, DB>)
    where
        B: PartsOf<DB>,
    {
        if let Session::Transaction(inner) = session {
            inner.on_commit(self.0);
        }
    }
}

struct TakeHooks;

impl<B: Backend> Task<B> for TakeHooks {
    type Output = Hooks;

    fn on<DB: Driver>(self, session: Session<'_, DB>) -> Hooks
    where
        B: PartsOf<DB>,
    {
        match session {
            Session::Transaction(inner) => inner.take_hooks(),
            Session::Pool(_) | Session::PoolForRawSql(_) => Hooks::default(),
        }
    }
}

struct IsLost;

impl<B: Backend> Task<B> for IsLost {
    type Output = bool;

    fn on<DB: Driver>(self, session: Session<'_, DB>) -> bool
    where
        B: PartsOf<DB>,
    {
        matches!(session, Session::Transaction(inner) if inner.is_lost())
    }
}
