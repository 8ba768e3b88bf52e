//! What is asked of querysets beside rows: aggregates, groups, computed values, unions, locks, windows, plans.

mod aggregates;
mod annotations;
mod combinations;
mod decimals;
mod groups;
mod models;
mod partials;
mod picks;
mod windows;
