//! Diesel's own `load_iter`, in each of its modes.

use std::ops::ControlFlow;

use diesel::{Connection, RunQueryDsl, connection::DefaultLoadingMode};

use crate::{
    Error,
    cases::{Joined, Program},
    models::Flight,
    schema::{count_airlines, flights, joined},
};

/// A program on `load_iter`.
macro_rules! program {
    ($(#[$attribute:meta])* $name:ident: $connection:ty, $mode:ty, $address:expr) => {
        $(#[$attribute])*
        pub(crate) struct $name($connection);

        $(#[$attribute])*
        impl $name {
            pub(crate) fn connect(url: &str) -> Result<Self, Error> {
                let address: fn(&str) -> &str = $address;
                Ok($name(Connection::establish(address(url))?))
            }
        }

        $(#[$attribute])*
        impl Program for $name {
            fn scan(&mut self, mut take: impl FnMut(Flight) -> ControlFlow<()>) -> Result<(), Error> {
                for flight in flights::table.load_iter::<Flight, $mode>(&mut self.0)? {
                    if take(flight?).is_break() {
                        break;
                    }
                }
                Ok(())
            }

            fn join(&mut self, mut take: impl FnMut(Joined) -> ControlFlow<()>) -> Result<(), Error> {
                for row in joined!().load_iter::<Joined, $mode>(&mut self.0)? {
                    if take(row?).is_break() {
                        break;
                    }
                }
                Ok(())
            }

            fn count_airlines(&mut self) -> Result<u64, Error> {
                count_airlines!(&mut self.0)
            }
        }
    };
}
// The default holds the whole result in memory.
program!(#[cfg(feature = "postgres")] Whole: diesel::PgConnection, DefaultLoadingMode, |url| url);
program!(
    #[cfg(feature = "postgres")]
    RowByRow: diesel::PgConnection, diesel::pg::PgRowByRowLoadingMode, |url| url
);
program!(
    #[cfg(feature = "sqlite")]
    Stepping: diesel::SqliteConnection, DefaultLoadingMode, |url| url.strip_prefix("sqlite://").unwrap_or(url)
);
// It holds the whole result in memory, too.
program!(#[cfg(feature = "diesel-mysql")] Stored: diesel::MysqlConnection, DefaultLoadingMode, |url| url);
