//! Logging in on a server that says anything.

use std::{collections::BTreeMap, sync::OnceLock};

use super::{
    server::{Way, proofs},
    witness::{Token, must, token},
};
use crate::{
    database::{Settings, url::DatabaseUrl},
    fuzz::Shared,
    net::socket::Socket,
    postgres::{Options, login::log_in_on, messages::Messages},
};

/// More than a login reads: its parts are limited to so many together.
const MOST_MESSAGES: usize = 2_300;
/// More than is received and not read.
const READ_AHEAD: usize = 64 << 10;

pub(super) fn way(seed: u64) -> Way {
    [Way::Trust, Way::Password, Way::Md5, Way::Scram][usize::try_from(seed % 4).unwrap_or(0)]
}

/// What the client is told of each: nothing else is allowed.
fn options(way: Way) -> &'static Options {
    static READ: [OnceLock<Options>; 4] = [const { OnceLock::new() }; 4];
    let (index, name) = match way {
        Way::Trust => (0, "none"),
        Way::Password => (1, "password"),
        Way::Md5 => (2, "md5"),
        Way::Scram => (3, "scram-sha-256"),
    };
    READ[index].get_or_init(|| {
        let url = format!(
            "postgres://me:{}@memory/db?sslmode=disable&require_auth={name}&target_session_attrs=read-write",
            super::server::PASSWORD
        );
        let url = DatabaseUrl::parse(&url).expect("it is a URL");
        Options::new(&url, &Settings::default()).expect("it is a server's")
    })
}

pub(super) fn drive(seed: u64, feed: &Shared) -> Result<(), String> {
    let way = way(seed);
    let messages = Messages::new(Socket::in_memory(Box::new(feed.clone())));
    let greeted = log_in_on(options(way), messages);
    let feed = feed.lock();
    let mut tokens = Vec::new();
    let (mut at, mut read) = (0, feed.heard());
    if let Ok(greeted) = &greeted {
        let (unread, size) = greeted.messages.held();
        must(size <= 4 * feed.heard().max(64 << 10), "the buffer is much larger than what was received")?;
        read -= unread;
    }
    while let Some(token) = token(&feed.bytes()[..read], at) {
        at = token.end;
        tokens.push(token);
    }
    let most = tokens.get(MOST_MESSAGES).map_or(usize::MAX, |last| last.end + READ_AHEAD);
    must(feed.heard() <= most, "a login has no end")?;
    let Ok(greeted) = greeted else { return must(!feed.was_honest(), "an honest server is refused") };
    must(at == read, "a login ends in the middle of a message")?;
    let is_let_in = |body: &[u8]| body.starts_with(&[0, 0, 0, 0]);
    let let_in = tokens.iter().position(|token| token.kind == b'R' && is_let_in(token.body));
    let let_in = let_in.ok_or("the server has not let us in")?;
    let (before, after) = tokens.split_at(let_in);
    let asked =
        |number: u8| before.iter().any(|token| token.kind == b'R' && token.body.starts_with(&[0, 0, 0, number]));
    let is_right = match way {
        Way::Trust => !before.iter().any(|token| token.kind == b'R'),
        Way::Password => asked(3),
        Way::Md5 => asked(5),
        Way::Scram => proves(feed.questions(), before),
    };
    must(is_right, "it was let in by another way than was allowed")?;
    // What is asked of the session comes behind its first ReadyForQuery.
    let ready =
        after.iter().position(|token| token.kind == b'Z').ok_or("a login is done before the server is ready")?;
    must(!after[..ready].iter().any(|token| token.kind == b'E'), "the server has refused and was not heard")?;
    must(tokens.last().is_some_and(|token| token.kind == b'Z'), "a login ends before the server is ready")?;
    let mut settings = BTreeMap::new();
    for token in after[..ready].iter().filter(|token| token.kind == b'S') {
        let text = |index| {
            let bytes = token.body.split(|byte| *byte == 0).nth(index).unwrap_or_default();
            String::from_utf8_lossy(bytes).into_owned()
        };
        settings.insert(text(0), text(1));
    }
    must(settings == greeted.parameters, "the settings are not what the server said")?;
    must(settings.get("server_version").map_or("", String::as_str) == greeted.version, "the version is another")
}

/// Whether the server has said what only one can that knows the password.
fn proves(questions: &[u8], said: &[Token<'_>]) -> bool {
    let start = usize::from(u16::from_be_bytes([questions[2], questions[3]]));
    let mut answers = Vec::new();
    let mut at = start;
    while let Some(answer) = token(questions, at) {
        at = answer.end;
        answers.push(String::from_utf8_lossy(answer.body).into_owned());
    }
    let body = |number: u8| {
        let token = said.iter().find(|token| token.kind == b'R' && token.body.starts_with(&[0, 0, 0, number]))?;
        Some(String::from_utf8_lossy(&token.body[4..]).into_owned())
    };
    let [first, last, ..] = &answers[..] else { return false };
    let (Some((_, first)), Some((last, _))) = (first.split_once(",,"), last.split_once(",p=")) else { return false };
    let (Some(server_first), Some(server_last)) = (body(11), body(12)) else { return false };
    server_last == format!("v={}", proofs(&format!("{first},{server_first},{last}")).1)
}
