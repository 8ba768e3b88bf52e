//! Logging in: from the first byte to the first ReadyForQuery.
//!
//! Read by "Start-up" and "SASL Authentication" in PostgreSQL's documentation. `reach.rs` is the way to a server,
//! `authentication.rs` proves who we are, `refusal.rs` says why it failed, `channel_binding.rs` is the hash of a
//! certificate.

use std::{collections::BTreeMap, slice};

use postgres_protocol::message::frontend;

use super::{
    authentication::Authentication,
    cancel::PgCancelToken,
    error::{Failure, ServerWord},
    messages::Messages,
    options::{Host, Options, Wanted},
    reach::{Way, reach},
    refusal::{self, Refusal},
};
use crate::net::reader::Reader;
use crate::{
    error::Error,
    net::{
        socket::{Deadline, shuffle},
        tls::Tls,
    },
};

/// More messages than any server has to say before it is ready.
const MOST_MESSAGES: usize = 1_000;

/// A server that has let us in, and waits for the first query.
#[derive(Debug)]
pub(super) struct Greeted {
    pub(super) messages: Messages,
    pub(super) cancel: PgCancelToken,
    /// As the server writes it, such as `15.4 (Debian 15.4-1)`.
    pub(super) version: String,
    /// What the server tells of the session (ParameterStatus).
    pub(super) parameters: BTreeMap<String, String>,
}

/// Connects to the first server that is as it is wanted, and logs in.
pub(super) fn log_in(options: &Options, tls: Option<&Tls>, deadline: Deadline) -> Result<Greeted, Error> {
    let mut hosts: Vec<&Host> = options.hosts.iter().collect();
    if options.any_order {
        shuffle(&mut hosts);
    }
    let passes = match &options.wanted {
        Wanted::PreferStandby => &[Wanted::Standby, Wanted::Any],
        one => slice::from_ref(one),
    };
    let mut refusals = Vec::new();
    let mut tries = passes.len() * hosts.len();
    for wanted in passes {
        refusals.clear();
        for host in &hosts {
            let answer = deadline
                .of_one(tries)
                .map_err(|error| Refusal::unreached(&error))
                .and_then(|deadline| try_server(options, host, tls, *wanted, deadline));
            tries -= 1;
            let refusal = match answer {
                Ok(mut greeted) => {
                    greeted.messages.trust();
                    greeted.messages.socket_mut().set_deadline(deadline);
                    return Ok(greeted);
                }
                Err(refusal) => refusal,
            };
            let is_final = refusal.is_final;
            refusals.push((host.address.to_string(), refusal));
            if is_final {
                return Err(refusal::error(refusals));
            }
        }
    }
    Err(refusal::error(refusals))
}

/// Logs in to one server, by one way after the other.
fn try_server(
    options: &Options,
    host: &Host,
    tls: Option<&Tls>,
    wanted: Wanted,
    deadline: Deadline,
) -> Result<Greeted, Refusal> {
    let mut first: Option<Refusal> = None;
    let mut ways = Way::all(options, host, tls).into_iter().peekable();
    while let Some(way) = ways.next() {
        let mut encrypted = false;
        let answer = reach(host, &options.tcp, way, deadline).and_then(|messages| {
            encrypted = messages.socket().is_encrypted();
            Attempt { options, host, way }.log_in(messages)
        });
        let refusal = match answer {
            Ok(mut greeted) => return fit(&mut greeted, wanted).map(|()| greeted),
            Err(refusal) => refusal.after(first.take(), if encrypted { "with TLS" } else { "without TLS" }),
        };
        // There is another way only where this one was not it already.
        let is_other = ways.peek().is_some_and(|next| encrypted == matches!(next, Way::Clear));
        if !(refusal.is_about_the_way() && is_other) {
            return Err(refusal);
        }
        first = Some(refusal);
    }
    Err(first.unwrap_or_else(|| Refusal::unfit("no connection to the server could be made", "there is no way to it")))
}

/// Logs in on a connection that is there.
#[cfg(test)]
pub(super) fn log_in_on(options: &Options, messages: Messages) -> Result<Greeted, String> {
    let attempt = Attempt { options, host: &options.hosts[0], way: Way::Clear };
    let greeted = attempt.log_in(messages).and_then(|mut greeted| {
        fit(&mut greeted, options.wanted)?;
        greeted.messages.trust();
        Ok(greeted)
    });
    greeted.map_err(|refusal| refusal.text)
}

/// One connection to one server.
struct Attempt<'a> {
    options: &'a Options,
    host: &'a Host,
    way: Way<'a>,
}

impl Attempt<'_> {
    fn log_in(&self, mut messages: Messages) -> Result<Greeted, Refusal> {
        let (password, no_file) = match self.options.password(self.host) {
            Ok(password) => (password, None),
            Err(why) => {
                log::warn!("{why}");
                (None, Some(why))
            }
        };
        let session = self.start(&mut messages).and_then(|()| {
            Authentication::new(&mut messages, self.options, password.as_deref(), no_file.as_deref()).finish()?;
            Ok(settings(&mut messages)?)
        });
        let (parameters, key) = session.map_err(|refusal| refusal.without(password.as_deref()))?;
        let encrypted = messages.socket().is_encrypted();
        let cancel = PgCancelToken::new(
            // Its name may stand for several servers.
            Host {
                address: messages.socket().peer().unwrap_or_else(|| self.host.address.clone()),
                ..self.host.clone()
            },
            self.options,
            self.way.tls().filter(|_| encrypted),
            key,
        );
        let version = parameters.get("server_version").cloned().unwrap_or_default();
        Ok(Greeted { messages, cancel, version, parameters })
    }

    /// Says who we are.
    fn start(&self, messages: &mut Messages) -> Result<(), Refusal> {
        let names = [("user", self.options.user.as_str()), ("database", self.options.database.as_str())];
        let parameters = self.options.parameters.iter().map(|(name, value)| (*name, value.as_str()));
        frontend::startup_message(names.into_iter().chain(parameters), messages.out())
            .map_err(|error| Refusal::ours("a setting of the connection cannot be sent", error.to_string()))?;
        Ok(messages.flush()?)
    }
}

/// What the server says of the session, up to ReadyForQuery: its settings, and its process with its secret.
type Session = (BTreeMap<String, String>, Option<(i32, i32)>);

fn settings(messages: &mut Messages) -> Result<Session, Failure> {
    let mut settings = BTreeMap::new();
    let mut key = None;
    for _ in 0..MOST_MESSAGES {
        match messages.next()? {
            b'S' => {
                let (name, value) = setting(messages.body())?;
                settings.insert(name, value);
            }
            b'K' => {
                let mut body = Reader::new(messages.body());
                key = Some((i32::from_be_bytes(body.array()?), i32::from_be_bytes(body.array()?)));
            }
            b'Z' => return Ok((settings, key)),
            b'N' => notice(messages.body()),
            b'E' => return Err(Failure::server(messages.body())),
            _ => return Err(Failure::protocol("it has let us in, and says something else before it is ready")),
        }
    }
    Err(Failure::protocol("it has let us in, and does not come to an end before it is ready"))
}

/// The name and the value of a setting, from the body of a ParameterStatus.
fn setting(body: &[u8]) -> Result<(String, String), Failure> {
    let mut body = Reader::new(body);
    let mut text = || Ok::<_, Failure>(String::from_utf8_lossy(body.text()?).into_owned());
    Ok((text()?, text()?))
}

/// The server may have something to say to whoever connects.
pub(super) fn notice(body: &[u8]) {
    if let Ok(word) = ServerWord::parse(body) {
        log::debug!("PostgreSQL says, while connecting: {} ({})", word.message, word.sqlstate);
    }
}

/// Whether the server is as it is wanted. Since PostgreSQL 14 servers say so by themselves; others are asked.
fn fit(greeted: &mut Greeted, wanted: Wanted) -> Result<(), Refusal> {
    let said = |name: &str| greeted.parameters.get(name).map(|value| value == "on");
    let (standby, read_only) = (said("in_hot_standby"), said("default_transaction_read_only"));
    let mut writes_nothing = || match (standby, read_only) {
        (Some(standby), Some(read_only)) => Ok(standby || read_only),
        _ => Ok::<_, Failure>(ask(&mut greeted.messages, "SHOW transaction_read_only")? == "on"),
    };
    let unfit = match wanted {
        Wanted::Any | Wanted::PreferStandby => None,
        Wanted::ReadWrite => writes_nothing()?.then_some("its sessions are read-only"),
        Wanted::ReadOnly => (!writes_nothing()?).then_some("its sessions are not read-only"),
        Wanted::Primary | Wanted::Standby => {
            let standby = match standby {
                Some(standby) => standby,
                None => ask(&mut greeted.messages, "SELECT pg_catalog.pg_is_in_recovery()")? == "t",
            };
            match (wanted, standby) {
                (Wanted::Primary, true) => Some("it is a standby"),
                (Wanted::Standby, false) => Some("it is no standby"),
                _ => None,
            }
        }
    };
    let Some(why) = unfit else { return Ok(()) };
    frontend::terminate(greeted.messages.out());
    // It is of no use either way.
    let _ = greeted.messages.flush();
    Err(Refusal::unfit("the server is not of the kind that `target_session_attrs` wants", why))
}

/// The single value, as text, that a query gives.
fn ask(messages: &mut Messages, sql: &str) -> Result<String, Failure> {
    frontend::query(sql, messages.out())?;
    messages.flush()?;
    let mut answer = None;
    for _ in 0..MOST_MESSAGES {
        match messages.next()? {
            b'D' => {
                let mut body = Reader::new(messages.body());
                let [_, _, a, b, c, d] = body.array()?; // one column, and its length
                let length = usize::try_from(i32::from_be_bytes([a, b, c, d])).unwrap_or(0);
                answer = Some(String::from_utf8_lossy(body.bytes(length)?).into_owned());
            }
            b'Z' => return answer.ok_or_else(|| Failure::protocol("it does not answer a query")),
            b'E' => return Err(Failure::server(messages.body())),
            b'T' | b'C' | b'S' | b'N' | b'A' => {}
            _ => return Err(Failure::protocol("it answers a query by something else")),
        }
    }
    Err(Failure::protocol("its answer to a query has no end"))
}
