//! Databases: connecting by URL, and what can be done with a database as a whole.

#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(crate) mod account;
pub(crate) mod adopted;
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(crate) mod authority;
mod builder;
pub(crate) mod disclosure;
mod entry;
mod keywords;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) mod option;
pub(crate) mod pool;
mod threads;
pub(crate) mod url;

use std::fmt;

pub(crate) use self::builder::{Settings, milliseconds};
pub use self::{adopted::Adoptable, builder::Builder, pool::Connection};
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::{
    backend::{Any, AnyDatabase, Backend, BackendKind, Driver, Handle, PartsOf, Task},
    error::{Error, Result},
    session::Session,
    transaction::{self, Transaction},
};

/// Connects to the database that the URL names, with the usual settings; [`Database::builder`] changes them.
///
/// | URL | database |
/// | --- | --- |
/// | `postgres://user:password@host:5432/name` (or `postgresql://`) | PostgreSQL; options after `?` are libpq's, as is `host=… dbname=…` in place of a URL |
/// | `mysql://user:password@host:3306/name` (or `mariadb://`) | MySQL or MariaDB |
/// | `sqlite://path/to/file.db`, `sqlite:///absolute/path.db` | a SQLite file, made if it is not there, and kept in WAL mode from then on; `?mode=ro`, `?mode=rw` |
/// | `sqlite::memory:` | a SQLite database in memory, shared by the connections of this pool |
///
/// In a user, a password, a name and an option, the characters `@`, `/`, `?`, `#`, `:` and `%` are percent-encoded (`@` is
/// `%40`). A server's URL with an `@` anywhere else than behind its user and password is refused, as it is not certain
/// where the password ends. No error and no log shows a part of a URL that may belong to a password.
///
/// # Errors
///
/// [`ErrorKind::Configuration`] for an unknown scheme, a missing feature, or a bad URL or option;
/// [`ErrorKind::Connection`] where the server cannot be reached or refuses the user, or the process can start no thread. One
/// connection is made at once, so that these are known here.
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
/// `Database<Any>`) or fixed at compile time (`Database<Pg>`, `Database<Mysql>`, `Database<Sqlite>`), for its own
/// operators and types.
///
/// Connections are made by the threads that need them. Those that were idle for ten minutes, or made half an hour ago, are
/// closed when nobody uses them. Two threads of the process do that for all databases.
///
/// # A SQLite file that is deleted or replaced
///
/// SQLite goes on with a file that was deleted, moved away or replaced after it was opened, and what it commits there is lost
/// with the last connection. So before a connection is taken from the pool, the path is compared with the file that was
/// opened (`stat`; symbolic links are followed, and relative paths belong to the working directory of when the database was
/// opened). If it leads to another file, or to none, that fails with [`ErrorKind::ConnectionLost`], also where a new file is
/// in its place. To go on with that, drop the database, and remove the old file's log (`…-wal`, `…-shm`) before you connect
/// again: SQLite would take it for the new file's. Streams and transactions that are open are not interrupted, and a transaction
/// that is committed then reports success. Pools of the program's own are not watched.
///
/// # A pool of your own
///
/// A program that has an r2d2 pool already makes it a database by `From`, and can move to models one by one: querysets,
/// streams, transactions and `bulk_create` take their connections from that pool, beside the program's own queries.
///
/// ```
/// use orm_core::diesel::{self, prelude::*, r2d2::{ConnectionManager, Pool}};
/// use orm_core::prelude::*;
///
/// diesel::table! {
///     airports (code) {
///         code -> Text,
///         city -> Text,
///     }
/// }
///
/// #[derive(Model)]
/// #[model(table_module = airports)]
/// struct Airport {
///     #[model(primary_key)]
///     code: String,
///     city: String,
/// }
///
/// let pool = Pool::builder().max_size(1).build(ConnectionManager::<SqliteConnection>::new(":memory:"))?;
/// let db: Database = pool.clone().into(); // or Database::<Sqlite>::from(pool.clone())
///
/// diesel::sql_query("CREATE TABLE airports (code TEXT PRIMARY KEY, city TEXT NOT NULL)").execute(&mut pool.get()?)?;
/// Airport::bulk_create(&db, [Airport { code: "JFK".into(), city: "New York".into() }])?;
/// let cities: Vec<String> = airports::table.select(airports::city).load(&mut pool.get()?)?;
/// assert_eq!(cities, ["New York"]);
/// for airport in Airport::objects(&db).iterator(2000)? {
///     assert_eq!(airport.code, "JFK");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The pool may be of any manager whose connections are [`Adoptable`]: Diesel's `SqliteConnection`,
/// [`orm_core::PgConnection`](crate::PgConnection), [`orm_core::MysqlConnection`](crate::MysqlConnection), or, by the
/// feature `libpq`, Diesel's own `PgConnection`.
///
/// - The pool's size and time limits are the program's, and so are the sessions: nothing is set in them, and what
///   [`batch_execute`](Self::batch_execute) or a raw query sets stays. What [`connect`] would have set is up to the program: on SQLite
///   `PRAGMA busy_timeout`, `foreign_keys` and `journal_mode = WAL`, without which readers and writers wait for each
///   other. Only functions and collations of this crate are registered where they are missing, and SQLite's automatic indexes
///   are turned off where they [lose rows](crate::sql_types#comparisons-on-sqlite). Diesel can register
///   neither window functions nor what looks at a column: sums of decimals and variances over windows are SQLite's error
///   there, and text in a column of numbers is not refused.
/// - Each statement, stream and transaction takes a connection, and gives it back with nothing open on it.
/// - A connection that comes with a transaction open is refused ([`ErrorKind::ConnectionInUse`]) before anything of ours
///   is done on it, and the pool discards it. With Diesel's `PgConnection` a round trip finds out whether one is, each
///   time that a connection is taken. Code that has a transaction of Diesel's open can hand its connection on to nobody:
///   open the transaction by [`transaction`](Self::transaction), which lends the connection to plain Diesel
///   ([`with_connection`](Transaction::with_connection), or `with_diesel_connection` for Diesel's `PgConnection`).
/// - A test transaction of Diesel's (`begin_test_transaction`, `TestCustomizer`) is not refused: everything happens in it,
///   by savepoints, and is undone in the end.
/// - Streams on Diesel's `PgConnection` are cursors of SQL's (`DECLARE … NO SCROLL CURSOR`, `FETCH FORWARD n`) in a
///   read-only transaction. Its errors have no SQLSTATE, so that some kinds are known by the server's English messages
///   alone; it has no cancel token.
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
        Builder::new()
    }

    /// Runs SQL of your own: one statement, or several separated by semicolons, without values.
    ///
    /// Never put values into the text; this is for schemas. What it sets for a session is gone when it returns; on SQLite it
    /// stays with the one connection of the pool that it ran on.
    ///
    /// # Errors
    ///
    /// Whatever the database says.
    pub fn batch_execute(&self, sql: &str) -> Result<()> {
        B::run(Handle::Database(&self.inner), BatchExecute(sql))
    }

    /// Runs `f` in a transaction: committed when it returns `Ok`, rolled back when it returns `Err` or panics.
    ///
    /// After a statement of the transaction has failed, nothing more can be done in it, on every backend: whatever `f`
    /// returns then, the transaction is rolled back, and the result is an error. So `Ok` always means committed.
    /// To go on after a failure, wrap what may fail in a [nested transaction](Transaction::atomic); `bulk_create`
    /// and `create_tables` are one by themselves.
    ///
    /// The error of `f` is [`orm_core::Error`](Error), which the compiler knows without being told, whatever the function
    /// around it returns:
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     let db = orm_core::connect("sqlite::memory:")?;
    ///     db.create_tables::<(Airport,)>()?;
    ///     let airports = db.atomic(|tx| {
    ///         Airport::create(tx, Airport { code: "JFK".into(), city: "New York".into() })?;
    ///         let airports = Airport::objects(tx).count()?;
    ///         Ok(airports)
    ///     })?;
    ///     assert_eq!(airports, 1);
    ///     Ok(())
    /// }
    /// ```
    ///
    /// [`transaction`](Self::transaction) is for closures that fail with an error type of the program's own.
    /// [`build_transaction`](Self::build_transaction) sets an isolation level, forbids writing, and retries a transaction
    /// that lost against another one. What is to happen after the commit and cannot be undone by a rollback is left to
    /// [`on_commit`](Transaction::on_commit).
    ///
    /// On PostgreSQL, BEGIN is sent together with the first statement, so a transaction with one statement takes two round
    /// trips, and the transaction's time (`now()`) is that of its first statement. An error of BEGIN is then the error of that
    /// statement, which is not run.
    ///
    /// If the connection is lost before COMMIT is sent, nothing is stored ([`ErrorKind::ConnectionLost`]). If it is lost after
    /// that and before the server's answer, the transaction may be committed ([`ErrorKind::OutcomeUnknown`]): look for what it
    /// writes before running it again. SQLite has no such case: where its COMMIT fails (an I/O error, a full disk, a database
    /// that stays locked), the transaction is rolled back.
    ///
    /// # Errors
    ///
    /// What `f` returns; an error of BEGIN or COMMIT, among them [`ErrorKind::OutcomeUnknown`];
    /// [`ErrorKind::TransactionAborted`] if `f` returned `Ok` although a statement had failed;
    /// [`ErrorKind::ConnectionLost`], with the server's reason, if it returned `Ok` although the connection had been lost.
    pub fn atomic<T>(&self, f: impl FnOnce(&Transaction<B>) -> Result<T>) -> Result<T> {
        self.transaction(f)
    }

    /// Runs `f` in a transaction, as [`atomic`](Self::atomic) does, with any error type that an [`Error`] converts to by
    /// `From`: an enum of the program's own, `Box<dyn std::error::Error>`, `anyhow::Error`.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Account { #[model(primary_key)] id: i64, balance: i64 }
    /// enum Refused {
    ///     Overdrawn(i64),
    ///     Database(orm_core::Error),
    /// }
    ///
    /// impl From<orm_core::Error> for Refused {
    ///     fn from(error: orm_core::Error) -> Self {
    ///         Refused::Database(error)
    ///     }
    /// }
    ///
    /// fn withdraw(db: &Database, id: i64, amount: i64) -> Result<(), Refused> {
    ///     db.transaction(|tx| {
    ///         let mut account = Account::objects(tx).filter(|a| a.id.eq(id)).get()?;
    ///         account.balance -= amount;
    ///         if account.balance < 0 {
    ///             return Err(Refused::Overdrawn(-account.balance));
    ///         }
    ///         account.save(tx)?;
    ///         Ok(())
    ///     })
    /// }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Account,)>()?;
    /// # Account::create(&db, Account { id: 1, balance: 10 })?;
    /// # assert!(matches!(withdraw(&db, 1, 15), Err(Refused::Overdrawn(5))));
    /// # assert!(withdraw(&db, 1, 5).is_ok());
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    ///
    /// The compiler has to learn that type from the code around the call: from the return type of the function, as above, from
    /// `Ok::<_, Refused>(…)` at the end of the closure, or from `|tx| -> Result<_, Refused> { … }`. Where a `?` follows
    /// the call and converts the error once more, as in a `main` that returns `Box<dyn Error>`, nothing tells it ("type
    /// annotations needed", E0283): call `atomic`, or write the type. This is as in Diesel's `Connection::transaction`.
    ///
    /// # Errors
    ///
    /// As [`atomic`](Self::atomic).
    pub fn transaction<T, E>(&self, f: impl FnOnce(&Transaction<B>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<Error>, // E0283? Call `atomic`, or end the closure with `Ok::<_, orm_core::Error>(…)`
    {
        transaction::once(&self.inner, &transaction::Options::default(), f).map_err(|failed| failed.error)
    }

    /// The backend that is really there.
    pub fn backend(&self) -> BackendKind {
        B::run(Handle::Database(&self.inner), Kind)
    }
}

impl Database<Any> {
    /// The same database as one that is fixed to PostgreSQL, for its own operators, or Diesel's connection; `None` on
    /// another backend. The pool is shared.
    #[cfg(feature = "postgres")]
    pub fn postgres(&self) -> Option<Database<crate::backend::Pg>> {
        match &self.inner {
            AnyDatabase::Postgres(pool) => Some(Database { inner: pool.clone() }),
            #[allow(unreachable_patterns)] // where it is the only backend
            _ => None,
        }
    }

    /// The same database as one that is fixed to MySQL and MariaDB, for its own operators, or its connection; `None` on
    /// another backend. The pool is shared.
    #[cfg(feature = "mysql")]
    pub fn mysql(&self) -> Option<Database<crate::backend::Mysql>> {
        match &self.inner {
            AnyDatabase::Mysql(pool) => Some(Database { inner: pool.clone() }),
            #[allow(unreachable_patterns)] // where it is the only backend
            _ => None,
        }
    }

    /// The same database as one that is fixed to SQLite; `None` on another backend. The pool is shared.
    ///
    /// ```
    /// use orm_core::diesel::{prelude::*, sql_query};
    ///
    /// let db = orm_core::connect("sqlite::memory:")?;
    /// let sqlite = db.sqlite().expect("the URL says so");
    /// sql_query("VACUUM").execute(&mut *sqlite.connection()?).expect("there is nothing to clean");
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    #[cfg(feature = "sqlite")]
    pub fn sqlite(&self) -> Option<Database<crate::backend::Sqlite>> {
        match &self.inner {
            AnyDatabase::Sqlite(pool) => Some(Database { inner: pool.clone() }),
            #[allow(unreachable_patterns)] // where it is the only backend
            _ => None,
        }
    }
}

impl<DB: Driver<Database = pool::Pool<DB>>> Database<DB> {
    /// A connection of the pool, for statements of Diesel's own.
    ///
    /// When it is dropped it goes back to the pool; a transaction that was left open on it, by `BEGIN` or by Diesel,
    /// is rolled back first. On PostgreSQL and MySQL the whole session is renewed: settings, locks, temporary tables,
    /// prepared statements and the database that was chosen are as they were. On SQLite, `PRAGMA` and the like stay for the
    /// next user of the connection.
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

/// The backend that is really there.
pub(crate) struct Kind;

impl<B: Backend> Task<B> for Kind {
    type Output = BackendKind;
    fn on<DB: Driver>(self, _: Session<'_, DB>) -> BackendKind
    where
        B: PartsOf<DB>,
    {
        DB::KIND
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
