//! What PostgreSQL alone has: the connection to it, and what its servers do.

mod connection;
mod copy;
mod copy_types;
mod differential;
mod endless;
mod errors;
mod faults;
mod login;
mod private;
mod raw;
mod reasons;
mod rogue;
mod rogue_login;
mod servers;
mod sharing;
mod statements;
mod tls;
mod transactions;
mod types;
mod types_made_of_others;
mod users_types;
mod whole_streams;

pub(crate) use orm_core::PgConnection;
