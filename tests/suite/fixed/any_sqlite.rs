//! `Database<Any>`, whose URL chooses SQLite.

/// The backend that the bodies name.
type B = orm_core::Any;

fn bed() -> orm_tests::Bed {
    orm_tests::Bed::sqlite()
}

#[path = "bodies.rs"]
#[allow(clippy::duplicate_mod)] // the bodies are compiled once for each backend
mod bodies;
