//! Guides, each about one thing that a program may want.
//!
//! - [`adopting`]: an application on plain Diesel moves to models one by one.
//! - [`from_django`]: what Django's ORM calls what, name by name, and where it differs.
//! - [`network`]: what each operation costs where the database is far away.

pub mod adopting;
pub mod from_django;
pub mod network;
