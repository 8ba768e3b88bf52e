//! On PostgreSQL: our connection, which needs no C library. Diesel's own would do, too: `diesel::PgConnection`, by
//! orm-core's feature `libpq`, with `with_diesel_connection` in the place of `with_connection`.

pub(crate) type Connection = orm_core::PgConnection;
pub(crate) type Backend = orm_core::Pg;

#[path = "program.rs"]
#[allow(clippy::duplicate_mod)] // one program, for each backend
pub(crate) mod program;
