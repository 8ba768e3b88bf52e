//! What PostgreSQL alone has: the connection to it, and what its servers do.

mod copy;
mod copy_types;
mod differential;
mod raw;
mod types;
mod types_made_of_others;
mod users_types;

pub(crate) use diesel::PgConnection;
use orm_core::diesel;
