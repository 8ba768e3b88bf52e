//! Proving who we are, in the way that the server asks for.

use postgres_protocol::{
    authentication::{
        md5_hash,
        sasl::{self, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256},
    },
    message::frontend,
};

use super::{
    channel_binding::end_point,
    error::Failure,
    login::notice,
    messages::Messages,
    options::{ChannelBinding, Options},
    refusal::Refusal,
};
use crate::net::reader::Reader;

/// A server that asks again and again is none.
const MOST_MESSAGES: usize = 100;

/// What stands behind an AuthenticationRequest.
mod request {
    pub(super) const OK: i32 = 0;
    pub(super) const CLEARTEXT: i32 = 3;
    pub(super) const MD5: i32 = 5;
    pub(super) const SASL: i32 = 10;
    pub(super) const SASL_CONTINUE: i32 = 11;
    pub(super) const SASL_FINAL: i32 = 12;
}

/// The exchange that proves who we are.
pub(super) struct Authentication<'a> {
    messages: &'a mut Messages,
    options: &'a Options,
    password: Option<&'a str>,
    /// Why there is no password, if the password file is to blame.
    no_file: Option<&'a str>,
    progress: Progress,
}

enum Progress {
    /// The server has asked for nothing yet.
    Nothing,
    /// It has the password, or its MD5.
    Sent,
    /// SCRAM has begun.
    Scram { exchange: Box<ScramSha256>, is_bound: bool },
    /// The server has proven that it knows the password as well.
    Proven { is_bound: bool },
}

impl<'a> Authentication<'a> {
    pub(super) fn new(
        messages: &'a mut Messages,
        options: &'a Options,
        password: Option<&'a str>,
        no_file: Option<&'a str>,
    ) -> Self {
        Authentication { messages, options, password, no_file, progress: Progress::Nothing }
    }

    /// Answers the server until it says that we are in.
    pub(super) fn finish(mut self) -> Result<(), Refusal> {
        for _ in 0..MOST_MESSAGES {
            match self.messages.next()? {
                b'R' => {
                    let body = self.messages.body().to_vec();
                    let mut body = Reader::new(&body);
                    let asked = i32::from_be_bytes(body.array()?);
                    if asked == request::OK {
                        return self.check_end();
                    }
                    self.answer(asked, body)?;
                    self.messages.flush()?;
                }
                b'N' => notice(self.messages.body()),
                b'E' => return Err(Failure::server(self.messages.body()).into()),
                b'v' => return Err(Failure::protocol("it knows no version 3.0 of it").into()),
                _ => return Err(Failure::protocol("this is no answer of a PostgreSQL server").into()),
            }
        }
        Err(Failure::protocol("its answers to the login do not come to an end").into())
    }

    fn answer(&mut self, asked: i32, mut body: Reader<'_>) -> Result<(), Refusal> {
        match (asked, &mut self.progress) {
            (request::CLEARTEXT, Progress::Nothing) => self.send_password(),
            (request::MD5, Progress::Nothing) => {
                self.check(self.options.security.ways.md5, "md5")?;
                let salt = body.array()?;
                let hash = md5_hash(self.options.user.as_bytes(), self.password()?.as_bytes(), salt);
                self.put_password(hash.as_bytes())
            }
            (request::SASL, Progress::Nothing) => self.begin_scram(body),
            (request::SASL_CONTINUE, Progress::Scram { exchange, .. }) => {
                let first = body.rest();
                if !is_in_order(first, exchange.message()) {
                    return Err(broken("its first message has no nonce of its own, or no iterations"));
                }
                exchange.update(first).map_err(|error| broken(&error.to_string()))?;
                frontend::sasl_response(exchange.message(), self.messages.out()).map_err(Failure::from)?;
                Ok(())
            }
            (request::SASL_FINAL, Progress::Scram { exchange, is_bound }) => {
                exchange.finish(body.rest()).map_err(|error| broken(&error.to_string()))?;
                self.progress = Progress::Proven { is_bound: *is_bound };
                Ok(())
            }
            (2 | 4 | 6 | 7 | 9, Progress::Nothing) => {
                let name = match asked {
                    2 => "Kerberos V5",
                    4 => "crypt",
                    6 => "SCM credentials",
                    7 => "GSSAPI",
                    _ => "SSPI",
                };
                Err(Refusal::ours("the server wants a way to log in that is not known here", name))
            }
            _ => Err(Failure::protocol("it asks for what does not belong there").into()),
        }
    }

    /// Whether what has been done is what was wanted, now that the server says that we are in.
    fn check_end(&self) -> Result<(), Refusal> {
        let is_bound = match self.progress {
            Progress::Nothing => {
                self.check(self.options.security.ways.none, "none")?;
                false
            }
            Progress::Sent => false,
            Progress::Scram { .. } => {
                return Err(Refusal::ours(
                    "the server did not prove that it knows the password",
                    "it let us in before SCRAM had come to its end",
                ));
            }
            Progress::Proven { is_bound } => is_bound,
        };
        if self.options.security.channel_binding == ChannelBinding::Require && !is_bound {
            return Err(unbound("it let us in without"));
        }
        Ok(())
    }

    /// Refuses what `require_auth` and `channel_binding` do not allow, before anything is sent.
    fn check(&self, is_allowed: bool, name: &str) -> Result<(), Refusal> {
        if !is_allowed {
            return Err(Refusal::ours(
                "the server asks for a way to log in that `require_auth` does not allow",
                format!("it asks for `{name}`"),
            ));
        }
        if self.options.security.channel_binding == ChannelBinding::Require {
            return Err(unbound(&format!("it asks for `{name}`")));
        }
        Ok(())
    }

    fn password(&self) -> Result<&'a str, Refusal> {
        self.password.filter(|password| !password.is_empty()).ok_or_else(|| {
            let looked = "neither the URL nor PGPASSWORD nor the password file has one for this server";
            Refusal::ours("the server wants a password, and none is given", self.no_file.unwrap_or(looked))
        })
    }

    /// Sends the password as it is, where nobody can read along, or where that was said to be fine.
    fn send_password(&mut self) -> Result<(), Refusal> {
        let ways = self.options.security.ways;
        self.check(ways.password, "password")?;
        if !(ways.password_was_named || self.messages.socket().is_private()) {
            return Err(Refusal::ours(
                "the server wants the password itself, and this connection is not encrypted; use `sslmode=require`, or \
                 better `verify-full`, or say `require_auth=password` where nobody else can listen",
                "it asks for `password`",
            ));
        }
        let password = self.password()?;
        self.put_password(password.as_bytes())
    }

    fn put_password(&mut self, password: &[u8]) -> Result<(), Refusal> {
        frontend::password_message(password, self.messages.out())
            .map_err(|_| Refusal::ours("the password cannot be sent", "it has a zero byte in it"))?;
        self.progress = Progress::Sent;
        Ok(())
    }

    fn begin_scram(&mut self, mut body: Reader<'_>) -> Result<(), Refusal> {
        let mut offered = Vec::new();
        while let name @ [_, ..] = body.text()? {
            offered.push(name);
        }
        let offers = |name: &str| offered.contains(&name.as_bytes());
        if !(offers(SCRAM_SHA_256) || offers(SCRAM_SHA_256_PLUS)) {
            let names = offered.iter().map(|name| String::from_utf8_lossy(name)).collect::<Vec<_>>().join(", ");
            return Err(Refusal::ours("the server wants a way to log in that is not known here", names));
        }
        let security = &self.options.security;
        if !security.ways.scram {
            self.check(false, "scram-sha-256")?;
        }
        let password = self.password()?;
        let socket = self.messages.socket();
        if offers(SCRAM_SHA_256_PLUS) && !socket.is_encrypted() {
            // Somebody in between has TLS with the server, and none with us.
            return Err(Refusal::ours(
                "the server binds the login to TLS, and this connection has none: somebody seems to sit in between",
                "it offers SCRAM-SHA-256-PLUS",
            ));
        }
        let can_bind = socket.is_encrypted() && security.channel_binding != ChannelBinding::Disable;
        let (name, binding) = if can_bind && offers(SCRAM_SHA_256_PLUS) {
            // Going on without it would be what somebody in between wants.
            let Some(hash) = socket.proven_certificate().and_then(end_point) else {
                return Err(Refusal::ours(
                    "the login cannot be bound to the server's certificate; `channel_binding=disable` does without",
                    "the certificate cannot be read, the server has not proven that it has its key, or its signature \
                     has no hash",
                ));
            };
            (SCRAM_SHA_256_PLUS, sasl::ChannelBinding::tls_server_end_point(hash))
        } else if security.channel_binding == ChannelBinding::Require {
            return Err(unbound(match socket.is_encrypted() {
                true => "it does not offer SCRAM-SHA-256-PLUS",
                false => "the connection is not encrypted",
            }));
        } else if !offers(SCRAM_SHA_256) {
            return Err(Refusal::ours(
                "the server lets nobody in without channel binding; leave out `channel_binding=disable`",
                "it offers SCRAM-SHA-256-PLUS alone",
            ));
        } else if can_bind {
            // The server is told that it could be done, so that it notices if somebody has taken its offer away.
            (SCRAM_SHA_256, sasl::ChannelBinding::unrequested())
        } else {
            (SCRAM_SHA_256, sasl::ChannelBinding::unsupported())
        };
        let is_bound = name == SCRAM_SHA_256_PLUS;
        let exchange = Box::new(ScramSha256::new(password.as_bytes(), binding));
        frontend::sasl_initial_response(name, exchange.message(), self.messages.out()).map_err(Failure::from)?;
        self.progress = Progress::Scram { exchange, is_bound };
        Ok(())
    }
}

fn unbound(why: &str) -> Refusal {
    Refusal::ours("the login is not bound to the server's certificate, as `channel_binding=require` wants", why)
}

/// SCRAM's steps are checked by the crate; it takes no more than 100,000 iterations.
fn broken(why: &str) -> Refusal {
    Refusal::ours("the server did not prove that it knows the password", why)
}

/// Whether SCRAM's first message of the server has what the crate does not ask for: a nonce that goes on where ours
/// ends, and iterations at all. Without them, what we prove could be proven again by whoever hears it, or be guessed.
fn is_in_order(first: &[u8], ours: &[u8]) -> bool {
    let [Ok(first), Ok(ours)] = [first, ours].map(str::from_utf8) else { return false };
    let (Some((_, ours)), Some(first)) = (ours.rsplit_once("r="), first.strip_prefix("r=")) else { return false };
    let mut fields = first.split(',');
    let nonce = fields.next().unwrap_or_default();
    let iterations = fields.find_map(|field| field.strip_prefix("i=")?.parse::<u32>().ok());
    nonce.len() > ours.len() && iterations.is_some_and(|iterations| iterations > 0)
}
