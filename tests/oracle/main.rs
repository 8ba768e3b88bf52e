//! Generated querysets against a second implementation: a naive evaluation over `Vec`s, with SQL's logic of three
//! values.
//!
//! `world.rs` makes the rows, `question.rs` the questions, `naive.rs` answers them in Rust, and `asked.rs` asks the
//! database. The modules that are left hold the tests, one kind of question each.

mod asked;
mod naive;
mod question;
mod rows;
mod world;
