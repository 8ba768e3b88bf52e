//! The way to a server up to where it can be told something: a socket, and TLS on it.

use std::io;

use postgres_protocol::message::frontend;

use super::{
    messages::Messages,
    options::{Host, Options, SslMode},
    refusal::Refusal,
};
use crate::net::{
    socket::{Deadline, Socket, TcpSettings},
    tls::Tls,
};

/// How a server is reached.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way<'a> {
    Clear,
    Encrypted {
        tls: &'a Tls,
        /// Without asking for it first.
        is_direct: bool,
        /// Whether it is without TLS where the server has none.
        or_clear: bool,
    },
}

impl<'a> Way<'a> {
    pub(super) fn tls(self) -> Option<&'a Tls> {
        match self {
            Way::Clear => None,
            Way::Encrypted { tls, .. } => Some(tls),
        }
    }

    /// The ways that are tried, one after the other where the server does not let us in by the first.
    pub(super) fn all(options: &Options, host: &Host, tls: Option<&'a Tls>) -> Vec<Self> {
        let Some(tls) = tls.filter(|_| !host.is_local()) else {
            return vec![Way::Clear]; // as in libpq, a Unix socket needs no TLS
        };
        let encrypted = |or_clear| Way::Encrypted { tls, is_direct: options.security.is_direct, or_clear };
        match options.security.mode {
            SslMode::Disable => vec![Way::Clear],
            SslMode::Allow => vec![Way::Clear, encrypted(false)],
            SslMode::Prefer => vec![encrypted(true), Way::Clear],
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => vec![encrypted(false)],
        }
    }
}

/// Connects, and encrypts the connection. Should that fail, nothing is sent in the clear instead.
pub(super) fn reach(host: &Host, tcp: &TcpSettings, way: Way<'_>, deadline: Deadline) -> Result<Messages, Refusal> {
    let socket = Socket::connect(&host.address, tcp, deadline).map_err(|error| Refusal::unreached(&error))?;
    let mut messages = Messages::new(socket);
    let Way::Encrypted { tls, is_direct, or_clear } = way else { return Ok(messages) };
    if !is_direct {
        frontend::ssl_request(messages.out());
        messages.flush()?;
        match messages.next_byte()? {
            b'S' => {}
            b'N' if or_clear => return Ok(messages),
            b'N' => {
                return Err(Refusal::unfit(
                    "the server has no TLS, and `sslmode` asks for it; no user name and no password were sent",
                    "it answered `N` to the wish for TLS",
                ));
            }
            // What it says there could be anybody's word.
            b'E' => return Err(Refusal::unfit("the server refused to talk about TLS", "it answered with an error")),
            _ => return Err(Refusal::unfit("this is no PostgreSQL server", "it does not know the wish for TLS")),
        }
    }
    let encrypted = messages.socket_to_encrypt()?.encrypt(tls, &host.name);
    if let Err(error) = encrypted {
        if error.kind() == io::ErrorKind::TimedOut {
            return Err(Refusal::unreached(&error));
        }
        let hint = if or_clear { "; `sslmode=disable` does without TLS" } else { "" };
        return Err(Refusal::unfit("the connection to the server cannot be encrypted", format!("{error}{hint}")));
    }
    if is_direct && messages.socket().agreed_protocol().is_none() {
        return Err(Refusal::unfit(
            "the server does not know that PostgreSQL is spoken within TLS; leave out `sslnegotiation=direct`",
            "it chose no protocol (ALPN)",
        ));
    }
    Ok(messages)
}
