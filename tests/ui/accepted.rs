//! Programs that must keep compiling: one module each, with what is proved by running it.

#[path = "accepted/advice.rs"]
mod advice;
#[path = "accepted/another_path.rs"]
mod another_path;
#[path = "accepted/functions.rs"]
mod functions;
#[path = "accepted/macros.rs"]
mod macros;
#[path = "accepted/names.rs"]
mod names;
#[path = "accepted/newtypes.rs"]
mod newtypes;
#[path = "accepted/relations.rs"]
mod relations;
#[path = "accepted/reverse.rs"]
mod reverse;
#[path = "accepted/strict_lints.rs"]
pub mod strict_lints;
#[path = "accepted/tables.rs"]
mod tables;
#[path = "accepted/transactions.rs"]
mod transactions;
#[path = "accepted/visibility.rs"]
mod visibility;
#[path = "accepted/wide.rs"]
mod wide;
