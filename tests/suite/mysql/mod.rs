//! What MySQL and MariaDB alone have: the connection to them, and what their servers do.

mod abandoned;
mod bytes;
mod connection;
mod diesel;
mod endless;
mod errors;
mod faults;
mod iterators;
mod limits;
mod login;
mod reasons;
mod rogue;
mod rows;
mod servers;
mod sessions;
mod statements;
mod tls;
mod transactions;
mod types;
