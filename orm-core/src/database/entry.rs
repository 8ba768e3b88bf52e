//! The entries of a pool, and how their connections are made.
//!
//! r2d2 hands out entries at once; the thread that checks one out makes its connection, where it has none yet. So a server
//! that does not answer keeps nobody waiting but those who want it, whatever other pools the process has.

use std::{
    convert::Infallible,
    fmt,
    marker::PhantomData,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError, Weak},
    thread,
    time::{Duration, Instant},
};

use diesel::r2d2::R2D2Connection as _;
use r2d2::ManageConnection;

use super::{Settings, pool::Target, threads};
use crate::{
    backend::Driver,
    diesel_error,
    error::{Error, ErrorKind, Result},
};

/// Connections that nobody has used for so long are closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// Connections that are as old as this are closed when they are not in use.
const MAX_LIFETIME: Duration = Duration::from_secs(30 * 60);
/// A connection that was used so recently is not asked whether it works: whatever has closed it since is heard of without
/// asking. HikariCP trusts its connections for as long (`aliveBypassWindowMs`).
const TRUSTED_FOR: Duration = Duration::from_millis(500);
/// How often a pool is looked through for such connections.
const REAPING: Duration = Duration::from_secs(30);
/// The pause before a second attempt at a connection; it doubles with each attempt.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// A connection, with what its driver keeps beside it.
pub(crate) struct Made<DB: Driver> {
    pub(crate) link: DB::Link,
    /// Dropped after the connection.
    pub(crate) companion: DB::Companion,
    at: Instant,
}

/// An entry of a pool.
pub(crate) struct Entry<DB: Driver> {
    made: Option<Made<DB>>,
    idle_since: Instant,
    /// A user of the pool has it, and not the reaper.
    is_in_use: bool,
}

impl<DB: Driver> Entry<DB> {
    fn is_stale(&self, now: Instant) -> bool {
        let is_old = self.made.as_ref().is_some_and(|made| now.duration_since(made.at) >= MAX_LIFETIME);
        is_old || now.duration_since(self.idle_since) >= IDLE_TIMEOUT
    }
}

/// Makes entries for r2d2, and knows which are not worth keeping.
pub(crate) struct Manager<DB: Driver>(PhantomData<fn() -> DB>);

impl<DB: Driver> ManageConnection for Manager<DB> {
    type Connection = Entry<DB>;
    type Error = Infallible;

    fn connect(&self) -> Result<Entry<DB>, Infallible> {
        Ok(Entry { made: None, idle_since: Instant::now(), is_in_use: false })
    }

    fn is_valid(&self, _: &mut Entry<DB>) -> Result<(), Infallible> {
        Ok(()) // `Source::check_out` tests connections
    }

    fn has_broken(&self, entry: &mut Entry<DB>) -> bool {
        if std::mem::take(&mut entry.is_in_use) {
            entry.idle_since = Instant::now();
        }
        // A panic may have left a statement half sent; and `is_broken` is true while a transaction is open.
        thread::panicking() || entry.made.as_mut().is_none_or(|made| made.link.is_broken())
    }
}

/// An entry that is checked out, with a connection in it.
pub(crate) struct Owned<DB: Driver>(r2d2::PooledConnection<Manager<DB>>);

impl<DB: Driver> Owned<DB> {
    pub(crate) fn made(&mut self) -> &mut Made<DB> {
        match &mut self.0.made {
            Some(made) => made,
            None => unreachable!("`Source::check_out` has made it"),
        }
    }
}

impl<DB: Driver> Deref for Owned<DB> {
    type Target = DB::Link;
    #[inline]
    fn deref(&self) -> &DB::Link {
        match &self.0.made {
            Some(made) => &made.link,
            None => unreachable!("`Source::check_out` has made it"),
        }
    }
}

impl<DB: Driver> DerefMut for Owned<DB> {
    #[inline]
    fn deref_mut(&mut self) -> &mut DB::Link {
        &mut self.made().link
    }
}

impl<DB: Driver> Drop for Owned<DB> {
    fn drop(&mut self) {
        let Made { link, companion, .. } = self.made();
        DB::release(link, companion);
    }
}

/// A pool of our own, and what its connections are made of.
pub(crate) struct Source<DB: Driver> {
    pool: r2d2::Pool<Manager<DB>>,
    target: Target,
    settings: Settings,
    /// The connection that was made to learn of errors, for the pool's first user.
    first: Mutex<Option<Made<DB>>>,
}

impl<DB: Driver> Source<DB> {
    /// Makes one connection, to learn what is wrong, and the pool around it.
    pub(super) fn open(target: Target, settings: &Settings) -> Result<Arc<Self>> {
        let threads = threads::shared().map_err(|error| error.on_backend(DB::KIND))?;
        let first = make::<DB>(&target, settings)?;
        let pool = r2d2::Pool::builder()
            .max_size(settings.pool_size)
            // The rest are made when they are needed.
            .min_idle(Some(0))
            // A job of r2d2's for these would outlive the pool.
            .idle_timeout(None)
            .max_lifetime(None)
            .connection_timeout(settings.checkout_timeout)
            .test_on_check_out(false)
            .thread_pool(threads.clone())
            .build_unchecked(Manager(PhantomData));
        let source = Arc::new(Source { pool, target, settings: settings.clone(), first: Mutex::new(Some(first)) });
        let weak = Arc::downgrade(&source);
        // It ends with the first round after the pool.
        threads.execute_with_dynamic_delay(REAPING, move || Weak::upgrade(&weak).map(|source| source.reap()));
        Ok(source)
    }

    pub(super) fn pool(&self) -> &r2d2::Pool<Manager<DB>> {
        &self.pool
    }

    /// An entry with a connection that works; `None` if no entry became free in time.
    pub(super) fn check_out(&self) -> Result<Option<Owned<DB>>> {
        let deadline = Instant::now() + self.settings.checkout_timeout;
        DB::check_target(&self.target)?;
        let Ok(mut entry) = self.pool.get() else { return Ok(None) };
        entry.is_in_use = true;
        if entry.made.is_none() {
            entry.made = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
        if entry.is_stale(Instant::now()) || !self.works(&mut entry) {
            entry.made = None;
        }
        if entry.made.is_none() {
            entry.made = Some(self.make(deadline)?);
        }
        Ok(Some(Owned(entry)))
    }

    /// Tries the connection, if there is one.
    fn works(&self, entry: &mut Entry<DB>) -> bool {
        let Some(made) = entry.made.as_mut().filter(|_| self.settings.test_on_checkout) else { return true };
        if entry.idle_since.elapsed() < TRUSTED_FOR && !DB::is_closed(&mut made.link) {
            return true;
        }
        match made.link.ping() {
            Ok(()) => true,
            Err(error) => {
                log_failure(&diesel_error::ours(error, DB::KIND));
                false
            }
        }
    }

    /// Makes a connection, trying again until the deadline: a server may be on its way up.
    fn make(&self, deadline: Instant) -> Result<Made<DB>> {
        let mut pause = RETRY_PAUSE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let mut settings = self.settings.clone();
            settings.limit_connect_timeout(left.max(RETRY_PAUSE));
            let error = match make(&self.target, &settings) {
                Ok(made) => return Ok(made),
                Err(error) => error,
            };
            log_failure(&error);
            if error.kind() == ErrorKind::Configuration || Instant::now() + pause >= deadline {
                return Err(Error::new(ErrorKind::Connection, "no connection to the database could be made")
                    .with_source(error)
                    .on_backend(DB::KIND));
            }
            thread::sleep(pause);
            pause = (pause * 2).min(self.settings.checkout_timeout / 2);
        }
    }

    /// Closes connections that were idle for long, or are old; returns when to do so again.
    fn reap(&self) -> Duration {
        let mut idle = Vec::new();
        while let Some(entry) = self.pool.try_get() {
            idle.push(entry);
        }
        let now = Instant::now();
        let mut closed = Vec::new();
        // The last to go back is the first to be handed out: it is the one that was used last.
        while let Some(mut entry) = idle.pop() {
            if entry.is_stale(now) {
                closed.extend(entry.made.take());
            }
        }
        drop(closed);
        REAPING
    }
}

impl<DB: Driver> fmt::Debug for Source<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("target", &self.target).finish_non_exhaustive()
    }
}

fn make<DB: Driver>(target: &Target, settings: &Settings) -> Result<Made<DB>> {
    let mut link = DB::establish(target, settings)?;
    let companion = DB::companion(&mut link, target)?;
    Ok(Made { link, companion, at: Instant::now() })
}

fn log_failure(error: &Error) {
    log::warn!("a connection of the pool failed: {error:?}");
}
