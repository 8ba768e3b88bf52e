//! Transactions of which more is said than that they are one, and those that are run again.

use std::{fmt, time::Duration};

use super::{
    Transaction, atomically,
    options::{Attempt, IsolationLevel, Options},
    step,
};
use crate::{
    backend::{Any, Backend, Handle},
    database::Database,
    error::{Error, Result},
};
#[cfg(doc)]
use crate::{error::ErrorKind, stream::TryRows};

impl<B: Backend> Database<B> {
    /// A transaction of which more is to be said: how far it is kept apart from others, whether it writes, and how often
    /// it is run again where it loses against another one.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Airport,)>()?;
    /// use orm_core::IsolationLevel;
    ///
    /// let builder = db.build_transaction().isolation(IsolationLevel::Serializable).immediate().retries(5);
    /// let known = builder.atomic(|tx| {
    ///     let known = Airport::objects(tx).count()?;
    ///     Airport::bulk_create(tx, [Airport { code: "JFK".into(), city: "New York".into() }])?;
    ///     Ok(known)
    /// })?;
    /// assert_eq!(known, 0);
    /// let cities = db.build_transaction().read_only().atomic(|tx| Airport::objects(tx).values(|a| a.city).load())?;
    /// assert_eq!(cities, ["New York"]);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn build_transaction(&self) -> TransactionBuilder<'_, B> {
        TransactionBuilder {
            database: &self.inner,
            options: Options::default(),
            retries: 0,
            first_pause: Duration::from_millis(10),
            longest_pause: Duration::from_secs(1),
        }
    }
}

/// What a transaction is told before it begins; made by [`Database::build_transaction`].
///
/// All of it holds for this one transaction: the connection goes back to its pool as it was, however the transaction
/// ends. In a test transaction of Diesel's (`begin_test_transaction`), which has begun already, the isolation level,
/// `read_only` and `immediate` have no effect.
#[must_use = "nothing happens until `atomic` or `run` is called"]
pub struct TransactionBuilder<'d, B: Backend = Any> {
    database: &'d B::Database,
    options: Options,
    retries: u32,
    first_pause: Duration,
    longest_pause: Duration,
}

impl<B: Backend> TransactionBuilder<'_, B> {
    /// How far it is kept apart from others. What is usual, where this is not called, the [levels](IsolationLevel) tell.
    pub fn isolation(mut self, level: IsolationLevel) -> Self {
        self.options.isolation = Some(level);
        self
    }

    /// Refuses whatever writes to a table: a statement that does is an error ([`ErrorKind::ReadOnly`]).
    ///
    /// On SQLite this is `PRAGMA query_only`, which is switched off again when the transaction ends.
    pub fn read_only(mut self) -> Self {
        self.options.read_only = true;
        self
    }

    /// Begins as a writer, on SQLite by `BEGIN IMMEDIATE`.
    ///
    /// SQLite has one writer at a time. A transaction that has read may write only if nobody else has written since;
    /// otherwise its first write fails at once ([`ErrorKind::LockTimeout`]), however long it might have waited. One that
    /// is `immediate` waits for the other writer when it begins, and then cannot fail so: whatever reads first and writes
    /// later should be. Others may read meanwhile.
    ///
    /// PostgreSQL, MySQL and MariaDB lock what is written and nothing else, so there it has no effect.
    pub fn immediate(mut self) -> Self {
        self.options.immediate = true;
        self
    }

    /// How many times it is run again, at most, where it loses against another transaction; 0 unless it is set.
    ///
    /// It has lost where the database says so, of a statement or of COMMIT: a serialization failure or a deadlock
    /// ([`ErrorKind::SerializationFailure`]; on PostgreSQL SQLSTATE 40001 and 40P01, on MySQL and MariaDB error 1213 and
    /// its like), and on SQLite that the database is locked. All of it is rolled back then, and `f` is called again, in a
    /// new transaction. So `f` should do nothing that cannot be undone by a rollback; [`Transaction::on_commit`] is for
    /// the rest, and forgets what an attempt that failed has registered.
    ///
    /// Nothing else is tried again: no error of `f`'s own, no lock that a server has waited for in vain
    /// ([`ErrorKind::LockTimeout`]), no lost connection ([`ErrorKind::ConnectionLost`]), and above all no COMMIT that was sent
    /// and not answered ([`ErrorKind::OutcomeUnknown`]), because it may have succeeded. An attempt also counts as lost if the failure happened in a
    /// [nested transaction](Transaction::transaction) and `f` returned the error without another statement in between.
    ///
    /// A stream by [`iterator`](crate::QuerySet::iterator) panics where it breaks, and a panic is not tried again: in such
    /// a transaction, take [`try_iterator`](crate::QuerySet::try_iterator) or `load`.
    pub fn retries(mut self, times: u32) -> Self {
        self.retries = times;
        self
    }

    /// How long it waits before it is run again: about `first`, twice as long each time, and no longer than `longest`;
    /// 10 milliseconds and 1 second unless they are set.
    ///
    /// Up to a half of each pause is left off at random, so that two that met do not meet again. No connection is held
    /// meanwhile.
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        (self.first_pause, self.longest_pause) = (first, longest);
        self
    }

    /// Runs `f` in the transaction: committed when it returns `Ok`, rolled back when it returns `Err` or panics.
    ///
    /// All else is as in [`Database::atomic`].
    ///
    /// # Errors
    ///
    /// What `f` returns in the last attempt; an error of BEGIN or COMMIT; [`ErrorKind::TransactionAborted`] if `f`
    /// returned `Ok` although a statement had failed; [`ErrorKind::InvalidQuery`] for `read_only` with `immediate`. If it
    /// lost against another transaction in the last of several attempts, the database's error says how many there were
    /// ([`Error::attempts`]).
    pub fn atomic<T>(self, f: impl FnMut(&Transaction<B>) -> Result<T>) -> Result<T> {
        self.run(f)
    }

    /// Runs `f` in the transaction, as [`atomic`](Self::atomic) does, with an error type of the program's own.
    ///
    /// # Errors
    ///
    /// As [`atomic`](Self::atomic).
    pub fn run<T, E>(self, mut f: impl FnMut(&Transaction<B>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<Error>, // E0283? Call `atomic`, or end the closure with `Ok::<_, orm_core::Error>(…)`
    {
        self.options.check()?;
        let of = self.retries.saturating_add(1);
        let mut number = 1;
        loop {
            let attempt = (of > 1).then_some(Attempt { number, of });
            match once(self.database, &Options { attempt, ..self.options }, &mut f) {
                Err(failed) if failed.lost && number < of => {
                    let pause = self.pause(number);
                    log::debug!(
                        "a transaction lost against another one in attempt {number} of {of}; again in {pause:?}"
                    );
                    std::thread::sleep(pause);
                    number += 1;
                }
                answer => return answer.map_err(|failed| failed.error),
            }
        }
    }

    /// The pause after so many attempts.
    fn pause(&self, attempts: u32) -> Duration {
        let doubled = self.first_pause.saturating_mul(1 << attempts.saturating_sub(1).min(30));
        doubled.min(self.longest_pause).mul_f64(1.0 - fastrand::f64() / 2.0)
    }
}

impl<B: Backend> fmt::Debug for TransactionBuilder<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransactionBuilder")
            .field("options", &self.options)
            .field("retries", &self.retries)
            .finish_non_exhaustive()
    }
}

/// A transaction that was not committed.
pub(crate) struct Failed<E> {
    pub(crate) error: E,
    /// The database said that it lost against another one, and all of it is rolled back.
    lost: bool,
}

/// One attempt at a transaction; what was registered for its commit runs when its connection is back in the pool.
pub(crate) fn once<B: Backend, T, E: From<Error>>(
    database: &B::Database,
    options: &Options,
    f: impl FnOnce(&Transaction<B>) -> Result<T, E>,
) -> Result<T, Failed<E>> {
    let inner = B::begin_with(database, options).map_err(|error| {
        let lost = error.is_lost_to_another();
        Failed { error: error.into(), lost }
    })?;
    let transaction = Transaction { inner };
    let handle = Handle::Transaction(&transaction.inner);
    match atomically::<B, _, _>(handle, |_| f(&transaction)) {
        Ok(value) => {
            let hooks = step::take_hooks::<B>(handle);
            drop(transaction);
            hooks.run();
            Ok(value)
        }
        Err(error) => Err(Failed { error, lost: step::is_lost::<B>(handle) }),
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_limit_and_differ() -> Result<()> {
        let db = crate::connect("sqlite::memory:")?;
        let of = |first, longest| {
            db.build_transaction().backoff(Duration::from_millis(first), Duration::from_millis(longest))
        };
        let within = |attempts, least: u64, most: u64| {
            let pause = of(10, 1000).pause(attempts);
            assert!(pause >= Duration::from_millis(least) && pause <= Duration::from_millis(most), "{pause:?}");
        };
        for _ in 0..100 {
            within(1, 5, 10);
            within(2, 10, 20);
            within(7, 320, 640);
            within(8, 500, 1000);
            within(u32::MAX, 500, 1000);
        }
        assert_ne!(of(1000, 1000).pause(1), of(1000, 1000).pause(1));
        assert_eq!(of(0, 1000).pause(40), Duration::ZERO);
        assert_eq!(of(10, 0).pause(3), Duration::ZERO);
        Ok(())
    }
}
