//! A connection of our own to PostgreSQL, which reads message by message.
#![allow(dead_code)] // while it is being built

mod error;
mod messages;
mod reader;
