//! Pools of the program's own, which lend their connections to a database of ours.

use std::{ops::DerefMut, sync::Arc, time::Duration};

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};

use super::{Database, pool::Pool};
use crate::{
    backend::{Any, AnyDatabase, Backend, Driver},
    diesel_error,
    error::{Error, ErrorKind, Result},
};

/// Something that is somebody else's, and goes back when it is dropped.
pub(crate) type Lent<T> = Box<dyn DerefMut<Target = T> + Send>;

/// A pool of the program's own, whatever it is made of.
pub(crate) trait Lender<DB: Driver>: Send + Sync {
    fn lend(&self) -> std::result::Result<Lent<DB::Link>, r2d2::Error>;
    fn limits(&self) -> Limits;
}

/// How large a pool is, and how patient.
pub(crate) struct Limits {
    pub(super) state: r2d2::State,
    pub(super) max_size: u32,
    pub(super) timeout: Duration,
}

impl Limits {
    pub(super) fn of<M: r2d2::ManageConnection>(pool: &r2d2::Pool<M>) -> Self {
        Limits { state: pool.state(), max_size: pool.max_size(), timeout: pool.connection_timeout() }
    }
}

/// A connection whose pool can be made a [`Database<B>`](Database), or a `Database` of any backend.
///
/// These are [`PgConnection`](crate::PgConnection), [`MysqlConnection`](crate::MysqlConnection), Diesel's
/// `SqliteConnection`, and, by the feature `libpq`, Diesel's own `PgConnection`.
#[diagnostic::on_unimplemented(
    message = "a pool of `{Self}` cannot be made a database of the backend `{B}`",
    note = "Diesel's `PgConnection` needs orm-core's feature `libpq`; in the place of Diesel's `MysqlConnection` take \
            `orm_core::MysqlConnection`"
)]
pub trait Adoptable<B: Backend>: Sized + Send + 'static {
    #[doc(hidden)]
    fn adopt<M: r2d2::ManageConnection<Connection = Self>>(pool: r2d2::Pool<M>) -> B::Database;
}

impl<B: Backend, M: r2d2::ManageConnection> From<r2d2::Pool<M>> for Database<B>
where
    M::Connection: Adoptable<B>,
{
    /// See [a pool of your own](Database#a-pool-of-your-own).
    fn from(pool: r2d2::Pool<M>) -> Self {
        Database { inner: <M::Connection>::adopt(pool) }
    }
}

struct Program<DB: Driver, M: r2d2::ManageConnection> {
    pool: r2d2::Pool<M>,
    link: fn(r2d2::PooledConnection<M>) -> Lent<DB::Link>,
}

impl<DB: Driver, M: r2d2::ManageConnection> Lender<DB> for Program<DB, M> {
    fn lend(&self) -> std::result::Result<Lent<DB::Link>, r2d2::Error> {
        self.pool.get().map(self.link)
    }

    fn limits(&self) -> Limits {
        Limits::of(&self.pool)
    }
}

macro_rules! adoptable {
    ($connection:ty, $driver:ident, $variant:ident, $pooled:ident => $link:expr) => {
        impl Adoptable<crate::backend::$driver> for $connection {
            fn adopt<M: r2d2::ManageConnection<Connection = Self>>(
                pool: r2d2::Pool<M>,
            ) -> <crate::backend::$driver as Backend>::Database {
                Pool::of_program(Arc::new(Program { pool, link: |$pooled| Box::new($link) }))
            }
        }

        impl Adoptable<Any> for $connection {
            fn adopt<M: r2d2::ManageConnection<Connection = Self>>(pool: r2d2::Pool<M>) -> AnyDatabase {
                AnyDatabase::$variant(<Self as Adoptable<crate::backend::$driver>>::adopt(pool))
            }
        }
    };
}

#[cfg(feature = "sqlite")]
adoptable!(diesel::SqliteConnection, Sqlite, Sqlite, pooled => pooled);
#[cfg(feature = "mysql")]
adoptable!(crate::MysqlConnection, Mysql, Mysql, pooled => pooled);
#[cfg(feature = "postgres")]
adoptable!(crate::PgConnection, Pg, Postgres, pooled => Box::new(crate::backend::postgres::PgLink::Lent(Box::new(pooled))));
#[cfg(feature = "libpq")]
adoptable!(diesel::PgConnection, Pg, Postgres, pooled => Box::new(crate::backend::postgres::PgLink::Diesels(Box::new(pooled))));

/// Makes a connection of the program's own fit for our statements, or refuses it.
pub(super) fn take_over<DB: Driver>(link: &mut DB::Link) -> Result<()> {
    let ours = |error| diesel_error::ours(error, DB::KIND);
    let status = AnsiTransactionManager::transaction_manager_status_mut(link);
    let is_known = status.transaction_depth().map_err(ours)?.is_some();
    let is_open = if is_known {
        !is_in_test_transaction::<DB>(link)
    } else {
        let is_open = DB::has_unknown_transaction(link).map_err(ours)?;
        if is_open {
            // So that the program's pool discards it, as it does where Diesel knows of the transaction.
            AnsiTransactionManager::transaction_manager_status_mut(link).set_in_error();
        }
        is_open
    };
    if is_open {
        return Err(Error::new(
            ErrorKind::ConnectionInUse,
            "a transaction was open already on the connection that the program's pool gave, so nothing was sent on it: end \
             transactions before a connection goes back to the pool",
        )
        .on_backend(DB::KIND));
    }
    DB::prepare(link)
}

/// Whether all that happens on the connection is undone in the end (`begin_test_transaction`).
pub(super) fn is_in_test_transaction<DB: Driver>(link: &mut DB::Link) -> bool {
    let status = AnsiTransactionManager::transaction_manager_status_mut(link);
    matches!(status.transaction_depth(), Ok(Some(_))) && !AnsiTransactionManager::is_broken_transaction_manager(link)
}

/// Ends what raw SQL has begun and not ended. The rest of the session is the program's: it stays as it is.
pub(super) fn give_back<DB: Driver>(link: &mut DB::Link) -> diesel::QueryResult<()> {
    if is_in_test_transaction::<DB>(link) {
        return Ok(());
    }
    if DB::has_unknown_transaction(link)? { link.batch_execute("ROLLBACK") } else { Ok(()) }
}

/// The error where a connection of ours is wanted, and there is one of Diesel's.
pub(crate) fn is_foreign<DB: Driver>() -> Error {
    Error::new(
        ErrorKind::Configuration,
        "the connections of this database are Diesel's own, of the program's pool: take one from that pool, or in a \
         transaction call `with_diesel_connection`",
    )
    .on_backend(DB::KIND)
}
