//! Writing: tables and rows.

mod bulk_create;
mod bulk_update;
mod create;
mod create_missing_tables;
mod create_tables;
mod insertion;
mod instance;
mod tasks;

pub(crate) use self::{
    bulk_create::{bulk_create, in_one_transaction},
    bulk_update::bulk_update,
    create::Create,
    instance::{Delete, Refresh, Save, SaveFields},
    tasks::{StoreTask, WriteTask},
};
pub use self::{
    create_tables::Models,
    insertion::Insertion,
    tasks::{StorableOn, WritableOn},
};
