//! Runs each example as its users do, as a program, and compares what it says and writes.
//!
//! `process.rs` runs a program, `databases.rs` gives it a database, and `oracle.rs` knows what the reports of `flights`
//! have to be, from the data alone.

mod databases;
mod flights_failures;
mod flights_reports;
mod oracle;
mod process;
mod quickstart;
mod short_examples;
