//! Connections of our own where Diesel's programs put a connection: in its pool, in generic code, in migrations. The same
//! bodies for each, as in `fixed`.

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
