//! Programs that read the same rows, with orm-core and by hand, and measure themselves.
//!
//! `tables.rs` fills the tables, `models.rs` says what a row becomes, `cases.rs` what is read, and `measure.rs` what is
//! measured. `sql.rs` and `schema.rs` are the statements by hand. Each of the other files is one family of programs that read;
//! `writing/` is what is written, and by whom.

pub mod cases;
#[cfg(feature = "postgres")]
mod cursor;
#[cfg(any(feature = "postgres", feature = "sqlite", feature = "diesel-mysql"))]
mod diesel_iter;
pub mod measure;
pub mod models;
#[cfg(feature = "mysql")]
mod mysql_crate;
mod ours;
#[cfg(feature = "postgres")]
mod postgres_crate;
#[cfg(any(feature = "postgres", feature = "sqlite", feature = "diesel-mysql"))]
mod schema;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod sql;
#[cfg(feature = "postgres")]
mod sqlx;
pub mod tables;
pub mod writing;

use orm_core::backend::BackendKind;

use crate::{
    cases::{Case, measure},
    measure::Measurement,
};

/// Whatever went wrong; a program only prints it.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The programs that a backend has, those of orm-core first.
pub fn programs(backend: BackendKind) -> &'static [&'static str] {
    match backend {
        BackendKind::Postgres => {
            &["ours", "ours-fixed", "libpq-cursor", "postgres-crate", "sqlx", "diesel", "diesel-row-by-row"]
        }
        BackendKind::Mysql if cfg!(feature = "diesel-mysql") => &["ours", "ours-fixed", "mysql-crate", "diesel"],
        BackendKind::Mysql => &["ours", "ours-fixed", "mysql-crate"],
        _ => &["ours", "ours-fixed", "diesel"],
    }
}

/// The backend that a URL names.
///
/// # Errors
///
/// If it names none that this is built with.
pub fn backend(url: &str) -> Result<BackendKind, Error> {
    match url.split_once("://") {
        #[cfg(feature = "postgres")]
        Some(("postgres" | "postgresql", _)) => Ok(BackendKind::Postgres),
        #[cfg(feature = "mysql")]
        Some(("mysql" | "mariadb", _)) => Ok(BackendKind::Mysql),
        #[cfg(feature = "sqlite")]
        Some(("sqlite", _)) => Ok(BackendKind::Sqlite),
        _ => Err("the URL names no backend that this program was built with".into()),
    }
}

/// Runs one program on one case.
///
/// # Errors
///
/// If there is no such program for the URL's backend, and whatever it meets.
pub fn run(program: &str, case: Case, url: &str) -> Result<Measurement, Error> {
    match (backend(url)?, program) {
        (_, "ours") => measure(&mut ours::Ours::connect(url)?, case),
        #[cfg(feature = "postgres")]
        (BackendKind::Postgres, "ours-fixed") => measure(&mut ours::OursOnPostgres::connect(url)?, case),
        #[cfg(feature = "postgres")]
        (BackendKind::Postgres, "libpq-cursor") => measure(&mut cursor::Cursor::connect(url)?, case),
        #[cfg(feature = "postgres")]
        (BackendKind::Postgres, "postgres-crate") => measure(&mut postgres_crate::PostgresCrate::connect(url)?, case),
        #[cfg(feature = "postgres")]
        (BackendKind::Postgres, "sqlx") => measure(&mut sqlx::Sqlx::connect(url)?, case),
        #[cfg(feature = "postgres")]
        (BackendKind::Postgres, "diesel") => measure(&mut diesel_iter::Whole::connect(url)?, case),
        #[cfg(feature = "postgres")]
        (BackendKind::Postgres, "diesel-row-by-row") => measure(&mut diesel_iter::RowByRow::connect(url)?, case),
        #[cfg(feature = "mysql")]
        (BackendKind::Mysql, "ours-fixed") => measure(&mut ours::OursOnMysql::connect(url)?, case),
        #[cfg(feature = "mysql")]
        (BackendKind::Mysql, "mysql-crate") => measure(&mut mysql_crate::MysqlCrate::connect(url)?, case),
        #[cfg(feature = "diesel-mysql")]
        (BackendKind::Mysql, "diesel") => measure(&mut diesel_iter::Stored::connect(url)?, case),
        #[cfg(feature = "sqlite")]
        (BackendKind::Sqlite, "ours-fixed") => measure(&mut ours::OursOnSqlite::connect(url)?, case),
        #[cfg(feature = "sqlite")]
        (BackendKind::Sqlite, "diesel") => measure(&mut diesel_iter::Stepping::connect(url)?, case),
        (backend, _) => {
            Err(format!("there is no program `{program}` for {backend}, only {}", programs(backend).join(", ")).into())
        }
    }
}
