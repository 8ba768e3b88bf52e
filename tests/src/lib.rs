//! The harness of the suite: a database of its own for each test, on every backend.
//!
//! - `suite/` is the suite, one binary; each of its modules has one subject. A test is a plain function that takes a
//!   [`Bed`]; [`on_each_backend!`](crate::on_each_backend) makes of its name one test for each backend that is enabled,
//!   so that `streams::sqlite::fused` and `streams::postgres::fused` are the same code. `Database<Any>` runs all of it;
//!   `fixed.rs` is compiled once more for `Database<Sqlite>` and `Database<Pg>`.
//! - Where backends differ on purpose, a body asks for a named capability ([`Bed::keeps_nul_in_text`] and its
//!   neighbours); no body has a `cfg`. Subjects that only one backend has stand in modules that are enabled as a whole.
//! - [`Bed::texts`] and [`Bed::number`] are the witness: SQL written by hand, read by a connection that orm-core knows
//!   nothing of.
//! - [`proxy`] stands between a test and its server, counts bytes and cuts connections; [`logs`] keeps what is logged.
//! - `probe/` reads a table in a process of its own, so that its memory can be measured.
//!
//! The PostgreSQL server is found by the variable `ORM_TEST_POSTGRES_URL`; `cargo xtask test` starts one. A backend
//! that is enabled and has no server is a failure, never a skip.

mod bed;
pub mod logs;
pub mod panics;
#[cfg(feature = "postgres")]
pub mod proxy;
mod witness;

pub use bed::Bed;

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
