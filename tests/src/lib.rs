//! The harness of the suite: a database of its own for each test, on every backend.
//!
//! - `suite/` is the suite's first binary; each of its modules has one subject. Large subjects have a binary of their own:
//!   `oracle/` asks generated questions, and answers them a second time in plain Rust. A test is a plain function that takes a
//!   [`Bed`]; [`on_each_backend!`](crate::on_each_backend) makes of its name one test for each backend that is enabled,
//!   so that `streams::sqlite::fused` and `streams::postgres::fused` are the same code. `Database<Any>` runs all of it;
//!   `fixed/` is compiled once more for the databases whose backend is fixed.
//! - Where backends differ on purpose, a body asks for a named capability ([`Bed::keeps_nul_in_text`] and its
//!   neighbours), or for one of several texts by [`Pick`]; no body has a `cfg`. Subjects that only one backend has stand
//!   in modules that are enabled as a whole.
//! - [`Bed::texts`] and [`Bed::number`] are the witness: SQL written by hand, read by a connection that orm-core knows
//!   nothing of.
//! - [`proxy`] stands between a test and its server, counts bytes and round trips, and cuts connections; [`logs`] keeps what is logged.
//! - [`private_server`] starts a server for one test, where the others' server would not do, and [`pgbouncer`] a pooler
//!   before the others' server; [`rogue`] is a server that says what no server says, and [`certificates`] makes
//!   certificates for either.
//! - [`random`] has the settings of random tests, which print their seeds.
//! - `probe/` reads a table in a process of its own, so that its memory can be measured.
//!
//! The servers are found by the variables `ORM_TEST_POSTGRES_URL` and `ORM_TEST_MYSQL_URL`; `cargo xtask test` starts
//! them. A backend that is enabled and has no server is a failure, never a skip. The tests of the backend `mysql` need
//! MariaDB: they take their long tables from its `SEQUENCE` engine, which MySQL does not have.

mod bed;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub mod certificates;
pub mod logs;
pub mod panics;
#[cfg(feature = "postgres")]
pub mod pgbouncer;
mod pick;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub mod private_server;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub mod proxy;
pub mod random;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub mod rogue;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod server;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod starter;
mod witness;

pub use crate::{bed::Bed, pick::Pick, witness::Witness};

/// What a test returns.
pub type TestResult = Result<(), Box<dyn std::error::Error>>;

/// Makes one test for each enabled backend of each function named; all of them take a `&Bed`.
///
/// A function that is left out is reported by the compiler as never used.
#[macro_export]
macro_rules! on_each_backend {
    ($($name:ident),+ $(,)?) => {
        #[cfg(feature = "sqlite")]
        mod sqlite {
            $( #[test] fn $name() -> $crate::TestResult { super::$name(&$crate::Bed::sqlite()) } )+
        }
        #[cfg(feature = "postgres")]
        mod postgres {
            $( #[test] fn $name() -> $crate::TestResult { super::$name(&$crate::Bed::postgres()) } )+
        }
        #[cfg(feature = "mysql")]
        mod mysql {
            $( #[test] fn $name() -> $crate::TestResult { super::$name(&$crate::Bed::mysql()) } )+
        }
    };
}

/// Makes tests of functions that take a `&Bed` on PostgreSQL.
#[macro_export]
macro_rules! on_postgres {
    ($($name:ident),+ $(,)?) => {
        mod postgres {
            $( #[test] fn $name() -> $crate::TestResult { super::$name(&$crate::Bed::postgres()) } )+
        }
    };
}

/// Makes tests of functions that take a `&Bed` on MySQL and MariaDB.
#[macro_export]
macro_rules! on_mysql {
    ($($name:ident),+ $(,)?) => {
        mod mysql {
            $( #[test] fn $name() -> $crate::TestResult { super::$name(&$crate::Bed::mysql()) } )+
        }
    };
}

/// Makes tests of functions that take a `&Bed` on SQLite.
#[macro_export]
macro_rules! on_sqlite {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $( #[test] fn $name() -> $crate::TestResult { super::$name(&$crate::Bed::sqlite()) } )+
        }
    };
}

/// `Ok`, with the error type that a closure of `transaction` needs to be told.
///
/// # Errors
///
/// Never.
pub fn ok<T>(value: T) -> orm_core::Result<T> {
    Ok(value)
}
