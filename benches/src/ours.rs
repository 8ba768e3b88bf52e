//! orm-core: `iterator` and `select_related`, with the backend chosen by the URL or fixed at compile time.

use std::ops::ControlFlow;

use orm_core::prelude::*;

use crate::{
    Error,
    cases::{CHUNK, Joined, Program},
    models::{Airline, Flight},
};

/// A program on orm-core; a macro, because bounds for any backend would be longer than what they bound.
macro_rules! program {
    ($(#[$attribute:meta])* $name:ident on $backend:ty) => {
        $(#[$attribute])*
        pub(crate) struct $name(Database<$backend>);

        $(#[$attribute])*
        impl $name {
            pub(crate) fn connect(url: &str) -> Result<Self, Error> {
                Ok($name(Database::connect(url)?))
            }
        }

        $(#[$attribute])*
        impl Program for $name {
            fn scan(&mut self, mut take: impl FnMut(Flight) -> ControlFlow<()>) -> Result<(), Error> {
                for flight in Flight::objects(&self.0).iterator(CHUNK)? {
                    if take(flight).is_break() {
                        break;
                    }
                }
                Ok(())
            }

            fn join(&mut self, mut take: impl FnMut(Joined) -> ControlFlow<()>) -> Result<(), Error> {
                let flights = Flight::objects(&self.0).select_related(|f| (f.aircraft(), f.aircraft().airline()));
                for joined in flights.iterator(CHUNK)? {
                    if take(joined).is_break() {
                        break;
                    }
                }
                Ok(())
            }

            fn count_airlines(&mut self) -> Result<u64, Error> {
                Ok(Airline::objects(&self.0).count()?)
            }
        }
    };
}
program!(Ours on Any);
program!(#[cfg(feature = "postgres")] OursOnPostgres on Pg);
program!(#[cfg(feature = "sqlite")] OursOnSqlite on Sqlite);
program!(#[cfg(feature = "mysql")] OursOnMysql on orm_core::Mysql);
