//! On MySQL and MariaDB: our connection. It has to be this one, because streams read each row as the server sends it, which
//! Diesel's own cannot do.

pub(crate) type Connection = orm_core::MysqlConnection;
pub(crate) type Backend = orm_core::Mysql;

#[path = "program.rs"]
#[allow(clippy::duplicate_mod)] // one program, for each backend
pub(crate) mod program;
