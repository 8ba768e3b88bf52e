//! Databases: connecting by URL, and what a connection pool is told.

pub(crate) mod pool;
pub(crate) mod url;

use std::{fmt, marker::PhantomData, time::Duration};

use self::url::DatabaseUrl;
use crate::{
    backend::{Any, Backend, BackendKind, Driver, Handle, PartsOf, Task},
    error::{Error, ErrorKind, Result},
    transaction::{Session, Transaction, atomically},
};

pub use self::pool::Connection;

/// Connects to the database that the URL names, with the usual settings; [`Database::builder`] changes them.
///
/// | URL | database |
/// | --- | --- |
/// | `postgres://user:password@host:5432/name` (or `postgresql://`) | PostgreSQL; options after `?` are libpq's |
/// | `sqlite://path/to/file.db`, `sqlite:///absolute/path.db` | a SQLite file, made if it is not there; `?mode=ro`, `?mode=rw` |
/// | `sqlite::memory:` | a SQLite database in memory, shared by the connections of this pool |
///
/// # Errors
///
/// [`ErrorKind::Configuration`] for an unknown scheme, a missing feature, or a bad URL or option;
/// [`ErrorKind::Connection`] where the server cannot be reached or refuses the user. One connection is made at once,
/// so that these are known here.
///
/// ```
/// let db = orm_core::connect("sqlite::memory:")?;
/// db.batch_execute("CREATE TABLE airports (code TEXT PRIMARY KEY)")?;
/// # Ok::<(), orm_core::Error>(())
/// ```
pub fn connect(url: &str) -> Result<Database> {
    Database::connect(url)
}

/// A database: a pool of connections to it.
///
/// It is cheap to clone, and clones share the pool. The backend is chosen by the URL (`Database`, which is
/// `Database<Any>`) or fixed at compile time (`Database<Pg>`, `Database<Sqlite>`), for its own operators and types.
pub struct Database<B: Backend = Any> {
    pub(crate) inner: B::Database,
}

impl<B: Backend> Database<B> {
    /// Connects with the usual settings: up to 10 connections, and 30 seconds to get one.
    ///
    /// # Errors
    ///
    /// As [`connect`]; also [`ErrorKind::Configuration`] where the URL is of another backend than `B`.
    pub fn connect(url: &str) -> Result<Self> {
        Self::builder().connect(url)
    }

    /// Settings to connect with.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use orm_core::prelude::*;
    /// let db: Database = Database::builder()
    ///     .pool_size(4)
    ///     .checkout_timeout(Duration::from_secs(5))
    ///     .application_name("nightly export")
    ///     .connect("sqlite::memory:")?;
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn builder() -> Builder<B> {
        Builder { settings: Settings::default(), backend: PhantomData }
    }

    /// Runs SQL of your own: one statement, or several separated by semicolons, without values.
    ///
    /// Never put values into the text; this is for schemas and settings.
    ///
    /// # Errors
    ///
    /// Whatever the database says.
    pub fn batch_execute(&self, sql: &str) -> Result<()> {
        B::run(Handle::Database(&self.inner), BatchExecute(sql))
    }

    /// Runs `f` in a transaction: committed when it returns `Ok`, rolled back when it returns `Err` or panics.
    ///
    /// After a statement of the transaction has failed, nothing more can be done in it, on every backend: what `f`
    /// answers then, the transaction is rolled back, and the answer is an error. So `Ok` always means committed.
    /// To go on after a failure, wrap what may fail in a [nested transaction](Transaction::transaction).
    ///
    /// ```
    /// # mod doc { use orm_core::prelude::*;
    /// # #[derive(Model)] pub struct Airport { #[model(primary_key)] pub code: String, pub city: String }
    /// # pub fn load(db: &Database) -> orm_core::Result<()> {
    /// db.transaction(|tx| {
    ///     Airport::bulk_create(tx, [Airport { code: "JFK".into(), city: "New York".into() }])?;
    ///     assert_eq!(Airport::objects(tx).count()?, 1);
    ///     orm_core::Result::Ok(())
    /// })
    /// # } }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(doc::Airport,)>()?;
    /// # doc::load(&db)
    /// ```
    ///
    /// # Errors
    ///
    /// What `f` returns; an error of BEGIN or COMMIT; [`ErrorKind::TransactionAborted`] where `f` returned `Ok`
    /// although a statement had failed.
    pub fn transaction<T, E: From<Error>>(&self, f: impl FnOnce(&Transaction<B>) -> Result<T, E>) -> Result<T, E> {
        let transaction = Transaction { inner: B::begin(&self.inner)? };
        atomically::<B, _, _>(Handle::Transaction(&transaction.inner), |_| f(&transaction))
    }

    /// The backend that is really there.
    pub fn backend(&self) -> BackendKind {
        struct Kind;
        impl<B: Backend> Task<B> for Kind {
            type Output = BackendKind;
            fn on<DB: Driver>(self, _: Session<'_, DB>) -> BackendKind
            where
                B: PartsOf<DB>,
            {
                DB::KIND
            }
        }
        B::run(Handle::Database(&self.inner), Kind)
    }
}

impl<DB: Driver<Database = pool::Pool<DB>>> Database<DB> {
    /// A connection of the pool, for statements of Diesel's own.
    ///
    /// When it is dropped it goes back to the pool; a transaction that was left open on it, by `BEGIN` or by Diesel,
    /// is rolled back first.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PoolTimeout`] where none becomes free in time; [`ErrorKind::Connection`] where a new one cannot be
    /// made.
    pub fn connection(&self) -> Result<Connection<DB>> {
        self.inner.raw()
    }
}

impl<B: Backend> Clone for Database<B> {
    fn clone(&self) -> Self {
        Database { inner: self.inner.clone() }
    }
}

impl<B: Backend> fmt::Debug for Database<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.inner).finish()
    }
}

/// What `Model::objects` takes: a [`Database`], a [`Transaction`], or a reference to one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no database",
    label = "neither a `Database` nor a `Transaction`",
    note = "`orm_core::connect(url)` gives a database; `db.transaction(|tx| …)` gives a transaction"
)]
pub trait Executor {
    /// The backend that it is of.
    type Backend: Backend;
    #[doc(hidden)]
    fn handle(&self) -> Handle<'_, Self::Backend>;
}

impl<B: Backend> Executor for Database<B> {
    type Backend = B;
    fn handle(&self) -> Handle<'_, B> {
        Handle::Database(&self.inner)
    }
}

#[diagnostic::do_not_recommend]
impl<X: Executor + ?Sized> Executor for &X {
    type Backend = X::Backend;
    fn handle(&self) -> Handle<'_, X::Backend> {
        (**self).handle()
    }
}

pub(crate) struct BatchExecute<'s>(pub(crate) &'s str);

impl<B: Backend> Task<B> for BatchExecute<'_> {
    type Output = Result<()>;
    fn on<DB: Driver>(self, session: Session<'_, DB>) -> Result<()>
    where
        B: PartsOf<DB>,
    {
        let mut lease = session.lease_for_raw_sql()?;
        lease.run(|connection| diesel::connection::SimpleConnection::batch_execute(connection, self.0))
    }
}

/// What a pool and its connections are told; see [`Builder`].
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) pool_size: u32,
    pub(crate) checkout_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) test_on_checkout: bool,
    pub(crate) application_name: Option<String>,
    pub(crate) statement_timeout: Option<Duration>,
    pub(crate) lock_timeout: Option<Duration>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            pool_size: 10,
            checkout_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
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
    /// The most connections at one time; 10 unless it is set. Each open stream holds one. Zero is an error on connect.
    pub fn pool_size(self, connections: u32) -> Self {
        self.with(|settings| settings.pool_size = connections)
    }

    /// How long to wait for a connection of the pool to become free; 30 seconds unless it is set.
    pub fn checkout_timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.checkout_timeout = timeout)
    }

    /// How long a server may take to accept a new connection; 10 seconds unless it is set. PostgreSQL counts whole
    /// seconds, at least two. An option in the URL goes before it.
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.connect_timeout = timeout)
    }

    /// Whether a connection is tried before the pool hands it out; on unless it is set. It costs a round trip, and
    /// without it the first statement after a server's restart fails.
    pub fn test_on_checkout(self, test: bool) -> Self {
        self.with(|settings| settings.test_on_checkout = test)
    }

    /// The name that PostgreSQL shows in `pg_stat_activity`. SQLite has no use for it.
    pub fn application_name(self, name: impl Into<String>) -> Self {
        self.with(|settings| settings.application_name = Some(name.into()))
    }

    /// How long PostgreSQL may work on one statement, and on each fetch of a stream. SQLite has no such limit.
    pub fn statement_timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.statement_timeout = Some(timeout))
    }

    /// How long SQLite waits for another connection's lock (its `busy_timeout`), and PostgreSQL for any lock (its
    /// `lock_timeout`, which is left to the server unless this is set); 5 seconds on SQLite unless it is set.
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
