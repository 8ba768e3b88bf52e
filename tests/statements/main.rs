//! Statements beyond a plain SELECT: none at all, the program's own, locks, plans. See the harness, `orm_tests`, for how tests
//! are laid out.

mod models;
mod none;
