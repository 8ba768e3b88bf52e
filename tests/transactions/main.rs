//! Transactions of which more is said: isolation, read-only ones, what runs after the commit, and what is run again.

mod adopted;
mod deferred;
mod isolation;
mod models;
mod on_commit;
#[cfg(feature = "sqlite")]
mod opening;
#[cfg(feature = "mysql")]
mod pipelined;
mod read_only;
mod retries;
mod sessions;
