//! Guides, each about one thing that a program may want.
//!
//! - [`adopting`]: an application on plain Diesel moves to models one by one.

pub mod adopting;
