//! Whatever a server says, what comes of it is an error or what was said, and no panic.
//!
//! `server.rs` is an honest server in memory, whose answers are changed on the way; `conversation.rs` uses a connection to
//! it as its users do, `login.rs` logs in, and `witness.rs` reads what was said by itself, to judge what came of it.

mod conversation;
mod login;
mod server;
mod witness;

use self::{conversation::Conversation, server::Honest};
use crate::fuzz::{Server, Shared, Target, fuzz};

/// A connection that is logged in.
struct Wires;

impl Target for Wires {
    fn server(seed: u64) -> Box<dyn Server> {
        Box::new(Honest::new(seed, server::Way::Trust))
    }

    fn drive(seed: u64, feed: &Shared) -> Result<(), String> {
        Conversation::begin(seed, feed)?.go_on()
    }
}

/// A login.
struct Logins;

impl Target for Logins {
    fn server(seed: u64) -> Box<dyn Server> {
        Box::new(Honest::new(seed, login::way(seed)))
    }

    fn drive(seed: u64, feed: &Shared) -> Result<(), String> {
        login::drive(seed, feed)
    }
}

#[test]
fn fuzz_answers() {
    fuzz::<Wires>(20_000);
}

#[test]
fn fuzz_logins() {
    fuzz::<Logins>(4_000);
}
