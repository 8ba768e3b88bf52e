//! What a pool and its connections are told.

use std::{fmt, marker::PhantomData, time::Duration};

use super::{Database, url::DatabaseUrl};
use crate::{
    backend::{Any, Backend},
    error::{Error, ErrorKind, Result},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What a pool and its connections are told; see [`Builder`].
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) pool_size: u32,
    pub(crate) checkout_timeout: Duration,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) test_on_checkout: bool,
    pub(crate) application_name: Option<String>,
    pub(crate) statement_timeout: Option<Duration>,
    pub(crate) lock_timeout: Option<Duration>,
}

/// A limit in whole milliseconds, as servers take it: rounded up, because 0 means none, and within 32 bits.
pub(crate) fn milliseconds(limit: Duration) -> u32 {
    u32::try_from(limit.as_nanos().div_ceil(1_000_000)).unwrap_or(u32::MAX).clamp(1, i32::MAX.unsigned_abs())
}

impl Settings {
    /// Makes a server answer within this time, unless the URL says otherwise.
    pub(super) fn limit_connect_timeout(&mut self, limit: Duration) {
        // Where it is not set, the environment may have a say.
        if limit < self.connect_timeout.unwrap_or(CONNECT_TIMEOUT) {
            self.connect_timeout = Some(limit);
        }
    }

    /// How long a server may take to accept a new connection, where the URL does not say so.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(crate) fn connect_timeout(&self) -> Duration {
        self.connect_timeout.unwrap_or(CONNECT_TIMEOUT)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            pool_size: 10,
            checkout_timeout: Duration::from_secs(30),
            connect_timeout: None,
            test_on_checkout: true,
            application_name: None,
            statement_timeout: None,
            lock_timeout: None,
        }
    }
}

/// Settings to connect with; made by [`Database::builder`].
#[must_use = "settings do nothing until `connect` is called"]
#[derive(Clone)]
pub struct Builder<B: Backend = Any> {
    settings: Settings,
    backend: PhantomData<fn() -> B>,
}

impl<B: Backend> Builder<B> {
    pub(super) fn new() -> Self {
        Builder { settings: Settings::default(), backend: PhantomData }
    }

    /// The most connections at one time; 10 unless it is set. Each open stream holds one. Zero is an error on connect.
    pub fn pool_size(self, connections: u32) -> Self {
        self.with(|settings| settings.pool_size = connections)
    }

    /// How long to wait for a connection of the pool to become free; 30 seconds unless it is set. A new connection that the
    /// server refuses is tried again within this time.
    pub fn checkout_timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.checkout_timeout = timeout)
    }

    /// How long a server may take to accept a new connection; 10 seconds unless it is set. An option in the
    /// URL goes before it.
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.connect_timeout = Some(timeout))
    }

    /// Whether a connection is tried before the pool hands it out; on unless it is set. Without it, the first statement after
    /// a server's restart fails.
    ///
    /// A connection that was in use within the last half second is handed out at once, unless the server has closed it; to
    /// try any other takes a round trip.
    pub fn test_on_checkout(self, test: bool) -> Self {
        self.with(|settings| settings.test_on_checkout = test)
    }

    /// The name that PostgreSQL shows in `pg_stat_activity`, and MySQL in `performance_schema.session_connect_attrs`.
    /// SQLite has no use for it.
    pub fn application_name(self, name: impl Into<String>) -> Self {
        self.with(|settings| settings.application_name = Some(name.into()))
    }

    /// How long PostgreSQL may work on one statement, and on each piece of a stream (some 64 KiB); MariaDB on one statement, with all
    /// rows of a stream; MySQL on one SELECT. SQLite has no such limit. With a limit, PostgreSQL reads streams
    /// [in pieces](crate::stream#what-a-stream-costs-on-postgresql), which costs round trips and parallel plans.
    pub fn statement_timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.statement_timeout = Some(timeout))
    }

    /// How long SQLite waits for another connection's lock (its `busy_timeout`), PostgreSQL for any lock (its
    /// `lock_timeout`), and MySQL for a row's or a table's (`innodb_lock_wait_timeout`, `lock_wait_timeout`, in whole
    /// seconds); 5 seconds on SQLite unless it is set, and left to the server on the others.
    pub fn lock_timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.lock_timeout = Some(timeout))
    }

    /// Connects.
    ///
    /// # Errors
    ///
    /// As [`Database::connect`].
    pub fn connect(self, url: &str) -> Result<Database<B>> {
        if self.settings.pool_size == 0 || self.settings.checkout_timeout.is_zero() {
            return Err(Error::new(
                ErrorKind::Configuration,
                "a pool needs room for at least one connection, and a checkout timeout above zero",
            ));
        }
        let url = DatabaseUrl::parse(url)?;
        Ok(Database { inner: B::open(&url, &self.settings)? })
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }
}

impl<B: Backend> fmt::Debug for Builder<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
    }
}
