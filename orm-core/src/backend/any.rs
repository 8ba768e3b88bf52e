//! The backend that is chosen at run time, by URL.
//!
//! `Any` is no Diesel backend, so choosing costs nothing per row: a piece of a query can be written for every enabled
//! backend, and the statement picks the one that is really there.

use std::{fmt, sync::Arc};

use diesel::query_builder::QueryFragment;

#[cfg(feature = "postgres")]
use super::Pg;
#[cfg(feature = "sqlite")]
use super::Sqlite;
use super::{Backend, Handle, IntoPart, PartsOf, Task};
use crate::{
    database::{
        Settings,
        url::{DatabaseUrl, Scheme},
    },
    error::Result,
};

/// Any of the enabled backends, chosen by URL; the default of every `B` here.
#[derive(Clone, Copy, Debug)]
pub enum Any {}

/// The `cfg` of each backend in one place: an item for each that is enabled.
macro_rules! each_backend {
    ($callback:ident) => {
        #[cfg(feature = "postgres")]
        $callback! { Pg, Postgres, postgres }
        #[cfg(feature = "sqlite")]
        $callback! { Sqlite, Sqlite, sqlite }
    };
}

/// A fragment of every enabled backend. The traits below are bounds that are empty for a disabled backend: an
/// `impl`'s `where` clause cannot be cut out by `cfg`.
#[doc(hidden)]
pub trait AnyPart: Send + Sync {
    #[cfg(feature = "postgres")]
    fn postgres(&self) -> &dyn QueryFragment<Pg>;
    #[cfg(feature = "sqlite")]
    fn sqlite(&self) -> &dyn QueryFragment<Sqlite>;
}

macro_rules! bounds {
    ($($name:ident: $feature:literal => [$($bound:tt)+];)*) => { $(
        #[cfg(feature = $feature)]
        #[doc(hidden)]
        pub trait $name: $($bound)+ {}
        #[cfg(feature = $feature)]
        #[diagnostic::do_not_recommend]
        impl<T: $($bound)+> $name for T {}
        #[cfg(not(feature = $feature))]
        #[doc(hidden)]
        pub trait $name {}
        #[cfg(not(feature = $feature))]
        #[diagnostic::do_not_recommend]
        impl<T> $name for T {}
    )* };
}

bounds! {
    PostgresFragment: "postgres" => [QueryFragment<Pg>];
    SqliteFragment: "sqlite" => [QueryFragment<Sqlite>];
    PostgresShape: "postgres" => [crate::queryset::shape::ShapeOn<Pg>];
    SqliteShape: "sqlite" => [crate::queryset::shape::ShapeOn<Sqlite>];
    PostgresModel: "postgres" => [crate::model::ToRow<Pg>];
    SqliteModel: "sqlite" => [crate::model::ToRow<Sqlite>];
}

/// A shape that each enabled backend can read.
#[doc(hidden)]
pub trait ShapeOnEach: PostgresShape + SqliteShape {}
#[diagnostic::do_not_recommend]
impl<S: PostgresShape + SqliteShape> ShapeOnEach for S {}

/// A model that each enabled backend can write.
#[doc(hidden)]
pub trait ModelOnEach: PostgresModel + SqliteModel {}
#[diagnostic::do_not_recommend]
impl<M: PostgresModel + SqliteModel> ModelOnEach for M {}

impl<E: PostgresFragment + SqliteFragment + Send + Sync> AnyPart for E {
    #[cfg(feature = "postgres")]
    fn postgres(&self) -> &dyn QueryFragment<Pg> {
        self
    }
    #[cfg(feature = "sqlite")]
    fn sqlite(&self) -> &dyn QueryFragment<Sqlite> {
        self
    }
}

impl<'a, E: AnyPart + 'a> IntoPart<'a, Any> for E {
    fn into_part(self) -> Arc<<Any as Backend>::Part<'a>> {
        Arc::new(self)
    }
}

macro_rules! parts_of {
    ($driver:ident, $variant:ident, $method:ident) => {
        impl PartsOf<$driver> for Any {
            fn part<'p>(part: &'p Self::Part<'_>) -> &'p dyn QueryFragment<$driver> {
                part.$method()
            }
        }
    };
}
each_backend!(parts_of);

/// The database that a URL chose.
#[derive(Clone)]
#[non_exhaustive]
pub enum AnyDatabase {
    /// PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(<Pg as Backend>::Database),
    /// SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(<Sqlite as Backend>::Database),
}

/// A transaction on it.
#[non_exhaustive]
pub enum AnyTransaction {
    /// PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(<Pg as Backend>::Transaction),
    /// SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(<Sqlite as Backend>::Transaction),
}

impl Backend for Any {
    type Part<'a> = dyn AnyPart + 'a;
    type Database = AnyDatabase;
    type Transaction = AnyTransaction;

    fn open(url: &DatabaseUrl, settings: &Settings) -> Result<AnyDatabase> {
        match url.scheme() {
            #[cfg(feature = "postgres")]
            Scheme::Postgres => Pg::open(url, settings).map(AnyDatabase::Postgres),
            #[cfg(feature = "sqlite")]
            Scheme::Sqlite => Sqlite::open(url, settings).map(AnyDatabase::Sqlite),
            #[allow(unreachable_patterns)] // reached where a backend's feature is off
            scheme => Err(scheme.feature_is_off()),
        }
    }

    fn begin(database: &AnyDatabase) -> Result<AnyTransaction> {
        match database {
            #[cfg(feature = "postgres")]
            AnyDatabase::Postgres(database) => Pg::begin(database).map(AnyTransaction::Postgres),
            #[cfg(feature = "sqlite")]
            AnyDatabase::Sqlite(database) => Sqlite::begin(database).map(AnyTransaction::Sqlite),
        }
    }

    fn run<T: Task<Self>>(on: Handle<'_, Self>, task: T) -> T::Output {
        match on {
            #[cfg(feature = "postgres")]
            Handle::Database(AnyDatabase::Postgres(database)) => task.on::<Pg>(Handle::Database(database).into()),
            #[cfg(feature = "postgres")]
            Handle::Transaction(AnyTransaction::Postgres(tx)) => task.on::<Pg>(Handle::Transaction(tx).into()),
            #[cfg(feature = "sqlite")]
            Handle::Database(AnyDatabase::Sqlite(database)) => task.on::<Sqlite>(Handle::Database(database).into()),
            #[cfg(feature = "sqlite")]
            Handle::Transaction(AnyTransaction::Sqlite(tx)) => task.on::<Sqlite>(Handle::Transaction(tx).into()),
        }
    }
}

macro_rules! debugs {
    ($($name:ident)*) => { $(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    #[cfg(feature = "postgres")]
                    $name::Postgres(inner) => inner.fmt(f),
                    #[cfg(feature = "sqlite")]
                    $name::Sqlite(inner) => inner.fmt(f),
                }
            }
        }
    )* };
}
debugs! { AnyDatabase AnyTransaction }
