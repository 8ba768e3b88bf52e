//! `PgConnection`.

use orm_core::diesel;

/// What the bodies name.
type OurConnection = orm_core::PgConnection;
type B = diesel::pg::Pg;

fn bed() -> orm_tests::Bed {
    orm_tests::Bed::postgres()
}

#[path = "bodies.rs"]
#[allow(clippy::duplicate_mod)] // the bodies are compiled once for each connection
mod bodies;
