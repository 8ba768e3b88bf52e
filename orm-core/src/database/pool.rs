//! Pools: r2d2, with connections on which nothing is open when they are handed out or come back.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
};

use diesel::r2d2::R2D2Connection;

use super::{Settings, url::DatabaseUrl};
use crate::{
    backend::Driver,
    error::{Error, ErrorKind, Result},
};

/// A pool of connections of one driver.
#[doc(hidden)]
pub struct Pool<DB: Driver> {
    pool: r2d2::Pool<Manager<DB>>,
    /// Keeps a database in memory alive while the pool is empty.
    _anchor: Option<Arc<Mutex<DB::Connection>>>,
}

pub(crate) type Pooled<DB> = r2d2::PooledConnection<Manager<DB>>;

/// Makes the pool's connections, and knows which are not worth keeping.
pub(crate) struct Manager<DB: Driver> {
    target: Target,
    settings: Settings,
    /// The connection that was made to learn of errors, for the pool's first user.
    first: Mutex<Option<DB::Connection>>,
}

/// What a driver makes of a URL, once for all connections of a pool.
#[doc(hidden)]
pub struct Target {
    /// The address in the driver's own form, where it has one. It may hold a password.
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code))]
    pub(crate) address: String,
    /// The URL that it was made from, to take its password out of messages.
    pub(crate) url: DatabaseUrl,
    /// The database lives only as long as a connection to it.
    pub(crate) in_memory: bool,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

impl<DB: Driver> Pool<DB> {
    /// Makes one connection, to learn what is wrong, and the pool around it.
    pub(crate) fn open(url: &DatabaseUrl, settings: &Settings) -> Result<Self> {
        let target = DB::target(url, settings)?;
        let first = DB::establish(&target, settings)?;
        let anchor = if target.in_memory { Some(DB::establish(&target, settings)?) } else { None };
        let manager = Manager { target, settings: settings.clone(), first: Mutex::new(Some(first)) };
        let pool = r2d2::Pool::builder()
            .max_size(settings.pool_size)
            // The rest are made when they are needed.
            .min_idle(Some(0))
            .connection_timeout(settings.checkout_timeout)
            .test_on_check_out(settings.test_on_checkout)
            .error_handler(Box::new(LogError))
            .build_unchecked(manager);
        Ok(Pool { pool, _anchor: anchor.map(|anchor| Arc::new(Mutex::new(anchor))) })
    }

    /// A connection that only this crate's statements will run on.
    pub(crate) fn get(&self) -> Result<Pooled<DB>> {
        self.pool.get().map_err(|error| {
            let state = self.pool.state();
            let (taken, timeout) = (state.connections - state.idle_connections, self.pool.connection_timeout());
            // r2d2 tells why no connection could be made only as text, after this phrase.
            let error = error.to_string();
            match error.split_once("timed out waiting for connection: ") {
                Some((_, why)) => Error::new(ErrorKind::Connection, "no connection to the database could be made")
                    .with_source(crate::error::Text(why.to_owned())),
                None => Error::new(
                    ErrorKind::PoolTimeout,
                    format!(
                        "no connection became free within {timeout:?}: {taken} of {} are in use. Every open stream \
                         and transaction holds one; drop them earlier, use the transaction for nested queries, or \
                         raise `pool_size`",
                        self.pool.max_size()
                    ),
                ),
            }
            .on_backend(DB::KIND)
        })
    }

    /// A connection for the user's own statements.
    pub(crate) fn raw(&self) -> Result<Connection<DB>> {
        Ok(Connection { pooled: self.get()? })
    }
}

impl<DB: Driver> Clone for Pool<DB> {
    fn clone(&self) -> Self {
        Pool { pool: self.pool.clone(), _anchor: self._anchor.clone() }
    }
}

impl<DB: Driver> fmt::Debug for Pool<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.pool.state();
        f.debug_struct("Pool")
            .field("backend", &DB::KIND)
            .field("connections", &state.connections)
            .field("idle", &state.idle_connections)
            .finish_non_exhaustive()
    }
}

impl<DB: Driver> r2d2::ManageConnection for Manager<DB> {
    type Connection = DB::Connection;
    type Error = Chain;

    fn connect(&self) -> Result<DB::Connection, Chain> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        match first {
            Some(connection) => Ok(connection),
            None => DB::establish(&self.target, &self.settings).map_err(Chain),
        }
    }

    fn is_valid(&self, connection: &mut DB::Connection) -> Result<(), Chain> {
        connection.ping().map_err(|error| Chain(crate::diesel_error::ours(error, DB::KIND)))
    }

    fn has_broken(&self, connection: &mut DB::Connection) -> bool {
        // A panic may have left a statement half sent; and `is_broken` is true while a transaction is open.
        std::thread::panicking() || connection.is_broken()
    }
}

/// An error whose text is its whole chain: r2d2 keeps no more of it.
#[derive(Debug)]
pub(crate) struct Chain(Error);

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = std::error::Error::source(&self.0);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl std::error::Error for Chain {}

#[derive(Debug)]
struct LogError;

impl r2d2::HandleError<Chain> for LogError {
    fn handle_error(&self, error: Chain) {
        log::warn!("a connection of the pool failed: {error}");
    }
}

/// A connection of the pool, for statements of Diesel's own; made by [`Database::connection`](crate::Database::connection).
///
/// It derefs to Diesel's connection. A transaction left open on it is rolled back when it is dropped.
pub struct Connection<DB: Driver> {
    pooled: Pooled<DB>,
}

impl<DB: Driver> Deref for Connection<DB> {
    type Target = DB::Connection;
    fn deref(&self) -> &DB::Connection {
        &self.pooled
    }
}

impl<DB: Driver> DerefMut for Connection<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        &mut self.pooled
    }
}

impl<DB: Driver> fmt::Debug for Connection<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("backend", &DB::KIND).finish_non_exhaustive()
    }
}

impl<DB: Driver> Drop for Connection<DB> {
    fn drop(&mut self) {
        reset(&mut self.pooled);
    }
}

/// Ends what the user's own SQL may have left open; a connection on which that fails is discarded.
pub(crate) fn reset<DB: Driver>(connection: &mut Pooled<DB>) {
    use diesel::connection::{AnsiTransactionManager, TransactionManager};

    if std::thread::panicking() {
        return; // discarded in any case
    }
    while let Ok(Some(_)) =
        AnsiTransactionManager::transaction_manager_status_mut(&mut **connection).transaction_depth()
    {
        if AnsiTransactionManager::rollback_transaction(&mut **connection).is_err() {
            break;
        }
    }
    if let Err(error) = DB::reset(connection) {
        log::warn!("a connection came back dirty and is discarded: {error}");
        AnsiTransactionManager::transaction_manager_status_mut(&mut **connection).set_in_error();
    }
}
