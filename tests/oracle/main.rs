//! Generated querysets against a second implementation: a naive evaluation over `Vec`s, with SQL's logic of three
//! values.
//!
//! `world.rs` makes the rows, `question.rs` the questions, `naive.rs` answers them in Rust, `asked.rs` asks the database,
//! and `asking.rs` does so many times. `laws/` holds generated conditions on every field
//! type against each other. The modules that are left hold the tests, one kind of question each.

mod aggregates;
mod asked;
mod asking;
mod authors;
mod laws;
mod naive;
mod question;
mod rows;
mod world;
