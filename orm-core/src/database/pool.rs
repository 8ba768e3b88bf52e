//! Pools: r2d2, with connections on which nothing is open when they are handed out or come back.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex},
};

use super::{
    Settings,
    adopted::{self, Lender, Lent, Limits, is_foreign, take_over},
    entry::{Owned, Source},
    url::DatabaseUrl,
};
use crate::{
    backend::Driver,
    diesel_error,
    error::{Error, ErrorKind, Result},
};

/// A pool of connections of one driver.
#[doc(hidden)]
pub struct Pool<DB: Driver> {
    origin: Origin<DB>,
    /// Keeps a database in memory alive while the pool is empty.
    _anchor: Option<Arc<Mutex<DB::Link>>>,
}

/// Whose pool it is.
enum Origin<DB: Driver> {
    Own(Arc<Source<DB>>),
    Program(Arc<dyn Lender<DB>>),
}

/// A connection of a pool, until it is dropped.
pub(crate) enum Pooled<DB: Driver> {
    Own(Owned<DB>),
    /// Of the program's own pool.
    Lent(Lent<DB::Link>),
}

impl<DB: Driver> Pooled<DB> {
    /// Tells the driver that a stream or a transaction begins, which may read for long.
    pub(crate) fn begin_reading(&mut self) {
        if let Pooled::Own(owned) = self {
            DB::begin_reading(&mut owned.made().companion);
        }
    }
}

impl<DB: Driver> Deref for Pooled<DB> {
    type Target = DB::Link;
    #[inline]
    fn deref(&self) -> &DB::Link {
        match self {
            Pooled::Own(pooled) => pooled,
            Pooled::Lent(lent) => lent,
        }
    }
}

impl<DB: Driver> DerefMut for Pooled<DB> {
    #[inline]
    fn deref_mut(&mut self) -> &mut DB::Link {
        match self {
            Pooled::Own(pooled) => pooled,
            Pooled::Lent(lent) => lent,
        }
    }
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
    /// What ends statements of the pool's connections early.
    #[cfg(feature = "mysql")]
    pub(crate) killer: Arc<crate::mysql::Killer>,
    /// The database's file.
    #[cfg(feature = "sqlite")]
    pub(crate) file: Option<crate::backend::sqlite::file::DatabaseFile>,
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
        let anchor = if target.in_memory { Some(DB::establish(&target, settings)?) } else { None };
        let source = Source::open(target, settings)?;
        Ok(Pool { origin: Origin::Own(source), _anchor: anchor.map(|anchor| Arc::new(Mutex::new(anchor))) })
    }

    /// A pool of the program's own.
    pub(super) fn of_program(lender: Arc<dyn Lender<DB>>) -> Self {
        Pool { origin: Origin::Program(lender), _anchor: None }
    }

    /// A connection that only this crate's statements will run on.
    pub(crate) fn get(&self) -> Result<Pooled<DB>> {
        match &self.origin {
            Origin::Own(source) => {
                source.check_out()?.map(Pooled::Own).ok_or_else(|| self.none_became_free("`pool_size`"))
            }
            Origin::Program(lender) => {
                let mut lent = lender.lend().map_err(|error| {
                    // r2d2 tells why no connection could be made only as text, after this phrase.
                    match error.to_string().split_once("timed out waiting for connection: ") {
                        Some((_, why)) => {
                            Error::new(ErrorKind::Connection, "no connection to the database could be made")
                                .with_source(crate::error::Text(why.to_owned()))
                                .on_backend(DB::KIND)
                        }
                        None => self.none_became_free("the `max_size` of the program's pool"),
                    }
                })?;
                take_over::<DB>(&mut lent)?;
                Ok(Pooled::Lent(lent))
            }
        }
    }

    fn none_became_free(&self, size_option: &str) -> Error {
        let Limits { state, max_size, timeout } = self.limits();
        let taken = state.connections - state.idle_connections;
        Error::new(
            ErrorKind::PoolTimeout,
            format!(
                "no connection became free within {timeout:?}: {taken} of {max_size} are in use. Every open stream and \
                 transaction holds one; drop them earlier, use the transaction for nested queries, or raise {size_option}"
            ),
        )
        .on_backend(DB::KIND)
    }

    fn limits(&self) -> Limits {
        match &self.origin {
            Origin::Own(source) => Limits::of(source.pool()),
            Origin::Program(lender) => lender.limits(),
        }
    }

    /// A connection for the user's own statements.
    pub(crate) fn raw(&self) -> Result<Connection<DB>> {
        let mut pooled = self.get()?;
        if DB::connection(&pooled).is_none() {
            return Err(is_foreign::<DB>());
        }
        if let Pooled::Own(owned) = &mut pooled {
            DB::lend(owned).map_err(|error| diesel_error::ours(error, DB::KIND))?;
        }
        Ok(Connection { pooled })
    }
}

impl<DB: Driver> Clone for Pool<DB> {
    fn clone(&self) -> Self {
        let origin = match &self.origin {
            Origin::Own(source) => Origin::Own(source.clone()),
            Origin::Program(lender) => Origin::Program(lender.clone()),
        };
        Pool { origin, _anchor: self._anchor.clone() }
    }
}

impl<DB: Driver> fmt::Debug for Pool<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Limits { state, .. } = self.limits();
        f.debug_struct("Pool")
            .field("backend", &DB::KIND)
            .field("connections", &state.connections)
            .field("idle", &state.idle_connections)
            .finish_non_exhaustive()
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
        match DB::connection(&self.pooled) {
            Some(connection) => connection,
            None => unreachable!("`Pool::raw` gives no connection of another type"),
        }
    }
}

impl<DB: Driver> DerefMut for Connection<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        match DB::connection_mut(&mut self.pooled) {
            Some(connection) => connection,
            None => unreachable!("`Pool::raw` gives no connection of another type"),
        }
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

    if std::thread::panicking() && matches!(connection, Pooled::Own(_)) {
        return; // discarded in any case
    }
    let before = match connection {
        Pooled::Own(_) => 0,
        Pooled::Lent(lent) => usize::from(adopted::is_in_test_transaction::<DB>(lent)),
    };
    while let Ok(Some(depth)) =
        AnsiTransactionManager::transaction_manager_status_mut(&mut **connection).transaction_depth()
    {
        if usize::try_from(depth.get()).is_ok_and(|depth| depth <= before)
            || AnsiTransactionManager::rollback_transaction(&mut **connection).is_err()
        {
            break;
        }
    }
    let ended = match connection {
        Pooled::Own(pooled) => DB::reset(pooled),
        Pooled::Lent(lent) => adopted::give_back::<DB>(lent),
    };
    if let Err(error) = ended {
        log::warn!("a connection came back dirty and is discarded: {error}");
        AnsiTransactionManager::transaction_manager_status_mut(&mut **connection).set_in_error();
    }
}
