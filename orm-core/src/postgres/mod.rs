//! A connection of our own to PostgreSQL, which reads message by message.
#![allow(dead_code)] // while it is being built

mod authentication;
mod cancel;
mod channel_binding;
mod error;
mod login;
mod messages;
mod options;
mod reach;
mod reader;
mod refusal;

pub use self::cancel::PgCancelToken;
