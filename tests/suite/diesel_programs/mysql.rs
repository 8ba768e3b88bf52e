//! `MysqlConnection`.

use orm_core::diesel;

/// What the bodies name.
type OurConnection = orm_core::MysqlConnection;
type B = diesel::mysql::Mysql;

fn bed() -> orm_tests::Bed {
    orm_tests::Bed::mysql()
}

#[path = "bodies.rs"]
#[allow(clippy::duplicate_mod)] // the bodies are compiled once for each connection
mod bodies;
