//! The way to a server: TCP or a Unix socket, TLS on top of either, and time limits.
//!
//! `address.rs` says where a server is, `socket.rs` reaches it, `tls.rs` says how much is believed of who answers,
//! `established.rs` tells Diesel of it, `loss.rs` says why a connection is lost, `effects.rs` what a statement may commit, `received.rs` holds what has come, `reader.rs` takes a message of it apart, and `statements.rs` keeps the statements
//! that a connection has prepared. It knows nothing of any database's protocol.

pub(crate) mod address;
pub(crate) mod effects;
pub(crate) mod established;
pub(crate) mod loss;
#[cfg(all(test, feature = "postgres"))]
pub(crate) mod memory;
#[cfg(all(test, feature = "mysql"))]
pub(crate) mod random;
pub(crate) mod reader;
pub(crate) mod received;
pub(crate) mod socket;
pub(crate) mod statements;
pub(crate) mod tls;
