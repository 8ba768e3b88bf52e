//! Conditions and functions, against what plain Rust says of the same rows.
// The rows' numbers are small, and the oracles plain.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod casts;
mod choice;
mod comparisons;
mod conditions;
mod membership;
mod models;
mod numbers;
mod text;
mod time;
