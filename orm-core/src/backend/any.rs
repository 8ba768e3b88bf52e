//! The backend that is chosen at run time, by URL.
//!
//! `Any` is no Diesel backend, so choosing costs nothing per row: a piece of a query can be written for every enabled
//! backend, and the statement picks the one that is really there.
//!
//! The list of backends stands once, in `for_each_backend!`; all that has to be said of each of them is made from it.

use std::{fmt, sync::Arc};

use diesel::query_builder::QueryFragment;

use super::{Backend, Handle, IntoPart, PartsOf, Task};
use crate::{
    database::{
        Settings,
        url::{DatabaseUrl, Scheme},
    },
    error::Result,
    transaction::Options,
};

/// Any of the enabled backends, chosen by URL; the default of every `B` here.
#[derive(Clone, Copy, Debug)]
pub enum Any {}

/// The list of backends: the driver, its variant, its module, its feature and its name. What is made of it says
/// `#[cfg(feature = …)]` wherever a disabled backend has no place.
macro_rules! for_each_backend {
    ($callback:ident $($context:tt)*) => {
        $callback! {
            [$($context)*]
            (Pg, Postgres, postgres, "postgres", "PostgreSQL")
            (Mysql, Mysql, mysql, "mysql", "MySQL")
            (Sqlite, Sqlite, sqlite, "sqlite", "SQLite")
        }
    };
}
pub(crate) use for_each_backend;

/// An expression for the backend that a `Handle<Any>` is of: `on_backend!(handle, DB, session => task.on::<DB>(session))`.
macro_rules! on_backend {
    (
        [@arms $on:expr, $DB:ident, $session:ident => $body:expr]
        $(($driver:ident, $variant:ident, $module:ident, $feature:literal, $name:literal))*
    ) => {
        match $on { $(
            #[cfg(feature = $feature)]
            $crate::backend::Handle::Database($crate::backend::AnyDatabase::$variant(database)) => {
                type $DB = $crate::backend::$driver;
                let $session: $crate::session::Session<'_, $DB> = $crate::backend::Handle::Database(database).into();
                $body
            }
            #[cfg(feature = $feature)]
            $crate::backend::Handle::Transaction($crate::backend::AnyTransaction::$variant(transaction)) => {
                type $DB = $crate::backend::$driver;
                let $session: $crate::session::Session<'_, $DB> =
                    $crate::backend::Handle::Transaction(transaction).into();
                $body
            }
        )* }
    };
    ($on:expr, $DB:ident, $session:ident => $body:expr) => {
        $crate::backend::for_each_backend!(on_backend @arms $on, $DB, $session => $body)
    };
}
pub(crate) use on_backend;

macro_rules! any {
    ([] $(($driver:ident, $variant:ident, $module:ident, $feature:literal, $name:literal))*) => {
        /// A fragment of every enabled backend.
        #[doc(hidden)]
        pub trait AnyPart: Send + Sync {
            $(
                #[cfg(feature = $feature)]
                fn $module(&self) -> &dyn QueryFragment<super::$driver>;
            )*
        }

        impl<E: $($module::WrittenPart +)* Send + Sync> AnyPart for E {
            $(
                #[cfg(feature = $feature)]
                fn $module(&self) -> &dyn QueryFragment<super::$driver> {
                    self
                }
            )*
        }

        /// A shape that each enabled backend can read.
        #[doc(hidden)]
        pub trait ShapeOnEach: $($module::ReadShape +)* {}
        #[diagnostic::do_not_recommend]
        impl<S: $($module::ReadShape +)*> ShapeOnEach for S {}

        /// A row that each enabled backend can write.
        #[doc(hidden)]
        pub trait RowOnEach: $($module::WrittenRow +)* {}
        #[diagnostic::do_not_recommend]
        impl<R: $($module::WrittenRow +)*> RowOnEach for R {}

        /// A row that each enabled backend can write, of a model that each can read.
        #[doc(hidden)]
        pub trait StoredOnEach: $($module::StoredRow +)* {}
        #[diagnostic::do_not_recommend]
        impl<R: $($module::StoredRow +)*> StoredOnEach for R {}

        $(
            /// What is asked of a type where this backend is enabled, and nothing where it is not: an `impl`'s `where`
            /// clause cannot be cut out by `cfg`.
            mod $module {
                bound!($feature WrittenPart: ::diesel::query_builder::QueryFragment<crate::backend::$driver>);
                bound!($feature ReadShape: crate::queryset::shape::ShapeOn<crate::backend::$driver>);
                bound!($feature WrittenRow: crate::model::ToRow<crate::backend::$driver>);
                bound!($feature StoredRow: crate::model::Stored<crate::backend::$driver>);
            }

            #[cfg(feature = $feature)]
            impl PartsOf<super::$driver> for Any {
                fn part<'p>(part: &'p Self::Part<'_>) -> &'p dyn QueryFragment<super::$driver> {
                    part.$module()
                }
            }
        )*

        /// A database of the backend that the URL chose.
        #[derive(Clone)]
        #[non_exhaustive]
        pub enum AnyDatabase { $(
            #[doc = $name]
            #[cfg(feature = $feature)]
            $variant(<super::$driver as Backend>::Database),
        )* }

        /// A transaction on it.
        #[non_exhaustive]
        pub enum AnyTransaction { $(
            #[doc = $name]
            #[cfg(feature = $feature)]
            $variant(<super::$driver as Backend>::Transaction),
        )* }

        impl Backend for Any {
            type Part<'a> = dyn AnyPart + 'a;
            type Database = AnyDatabase;
            type Transaction = AnyTransaction;

            fn open(url: &DatabaseUrl, settings: &Settings) -> Result<AnyDatabase> {
                match url.scheme() {
                    $(
                        #[cfg(feature = $feature)]
                        Scheme::$variant => super::$driver::open(url, settings).map(AnyDatabase::$variant),
                    )*
                    #[allow(unreachable_patterns)] // reached where a backend's feature is off
                    scheme => Err(scheme.feature_is_off()),
                }
            }

            fn begin_with(database: &AnyDatabase, options: &Options) -> Result<AnyTransaction> {
                match database { $(
                    #[cfg(feature = $feature)]
                    AnyDatabase::$variant(database) => {
                        super::$driver::begin_with(database, options).map(AnyTransaction::$variant)
                    }
                )* }
            }

            fn run<T: Task<Self>>(on: Handle<'_, Self>, task: T) -> T::Output {
                on_backend!(on, DB, session => task.on::<DB>(session))
            }
        }

        impl fmt::Debug for AnyDatabase {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(
                    #[cfg(feature = $feature)]
                    AnyDatabase::$variant(database) => database.fmt(f),
                )* }
            }
        }

        impl fmt::Debug for AnyTransaction {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(
                    #[cfg(feature = $feature)]
                    AnyTransaction::$variant(transaction) => transaction.fmt(f),
                )* }
            }
        }
    };
}

macro_rules! bound {
    ($feature:literal $name:ident: $bound:path) => {
        #[cfg(feature = $feature)]
        #[doc(hidden)]
        pub trait $name: $bound {}
        #[cfg(feature = $feature)]
        #[diagnostic::do_not_recommend]
        impl<T: $bound> $name for T {}
        #[cfg(not(feature = $feature))]
        #[doc(hidden)]
        pub trait $name {}
        #[cfg(not(feature = $feature))]
        #[diagnostic::do_not_recommend]
        impl<T> $name for T {}
    };
}

for_each_backend!(any);

impl<'a, E: AnyPart + 'a> IntoPart<'a, Any> for E {
    fn into_part(self) -> Arc<<Any as Backend>::Part<'a>> {
        Arc::new(self)
    }
}
