//! Changing rows: update, delete, and what instances do. See the harness, `orm_tests`, for how tests are laid out.

mod models;
mod update;
