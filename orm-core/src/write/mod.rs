//! Writing, as far as loading data needs it: tables and rows.

mod bulk_create;
mod create_tables;

pub(crate) use self::bulk_create::bulk_create;
pub use self::{bulk_create::WritableOn, create_tables::Models};
