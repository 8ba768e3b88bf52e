//! Conditions and functions, against what plain Rust says of the same rows.

mod choice;
mod conditions;
mod membership;
mod models;
mod numbers;
mod text;
mod time;
