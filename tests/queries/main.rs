//! What is asked of querysets beside rows: aggregates, groups, computed values, unions, locks, windows, plans.

// Tests name the types of rows, because they are what is tested.
#![allow(clippy::type_complexity)]

mod aggregates;
mod annotations;
mod combinations;
mod compared;
mod decimals;
mod distinct;
mod grid;
mod groups;
mod models;
mod partials;
mod picks;
mod refusals;
mod windows;
