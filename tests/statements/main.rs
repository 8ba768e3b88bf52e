//! Statements beyond a plain SELECT: none at all, the program's own, locks, plans. See the harness, `orm_tests`, for how tests
//! are laid out.

#[cfg(feature = "postgres")]
mod adopted;
mod explain;
mod lock_refusals;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod locks;
mod models;
mod none;
mod raw;
mod raw_values;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod sessions;
