//! Changing rows: update, delete, and what instances do. See the harness, `orm_tests`, for how tests are laid out.

mod assignments;
mod bulk_update;
mod create;
mod insertion;
mod instances;
mod limits;
mod meanwhile;
mod models;
#[cfg(feature = "mysql")]
mod mysql_without_returning;
mod or_create;
mod pipelines;
mod quoted_values;
mod spellings;
mod update;
