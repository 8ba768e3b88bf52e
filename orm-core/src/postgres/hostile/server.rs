//! An honest server, as far as a client can tell.
//!
//! Its statements are words of its own: `ROWS 5`, `FAIL 2` (so many rows, then an error), `UPDATE 3`, `COPY IN`, `COPY OUT`,
//! nothing at all, and `BEGIN`, `COMMIT` and `ROLLBACK`, whatever follows them.

use std::collections::HashMap;

use fastrand::Rng;
use ring::{digest, hmac, pbkdf2};

use crate::fuzz::{Batch, Server};

pub(super) const PASSWORD: &str = "s3cret";
pub(super) const VERSION: &str = "17.2 (in memory)";
const SALT: &[u8] = b"salt and pepper";

/// How it asks who is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Trust,
    Password,
    Md5,
    Scram,
}

pub(super) struct Honest {
    rng: Rng,
    way: Way,
    phase: Phase,
    /// What was asked and is no whole message yet.
    asked: Vec<u8>,
    /// The state of the transaction, as ReadyForQuery tells it.
    state: u8,
    /// An error passes over all up to the next Sync.
    is_skipping: bool,
    /// COPY waits for data; whether in the simple protocol.
    copying: Option<bool>,
    statements: HashMap<String, String>,
    portals: HashMap<String, Portal>,
    out: Batch,
}

enum Phase {
    Startup,
    /// Waits for a password, or for the first message of SCRAM.
    Asked,
    /// Waits for SCRAM's proof: the client's first message without its header, and the server's.
    Proof(String, String),
    Ready,
}

struct Portal {
    sql: String,
    given: usize,
}

/// A message of the server's.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("no message here is that long");
    [&[kind], &length.to_be_bytes()[..], body].concat()
}

fn texts(texts: &[&str]) -> Vec<u8> {
    texts.iter().flat_map(|text| [text.as_bytes(), &[0]].concat()).collect()
}

/// The number behind a word of a statement.
fn number(sql: &str) -> usize {
    sql.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// A row of two columns, the second of which is NULL at times.
pub(super) fn row(index: usize) -> Vec<Option<Vec<u8>>> {
    let number = i32::try_from(index).unwrap_or(i32::MAX).to_be_bytes().to_vec();
    let text = match index % 7 {
        3 => None,
        5 => Some(vec![b'x'; 3_000]),
        _ => Some(format!("row {index}").into_bytes()),
    };
    vec![Some(number), text]
}

impl Honest {
    pub(super) fn new(seed: u64, way: Way) -> Self {
        Honest {
            rng: Rng::with_seed(seed.rotate_left(7)),
            way,
            phase: Phase::Startup,
            asked: Vec::new(),
            state: b'I',
            is_skipping: false,
            copying: None,
            statements: HashMap::new(),
            portals: HashMap::new(),
            out: Vec::new(),
        }
    }

    fn say(&mut self, kind: u8, body: &[u8]) {
        self.out.push(message(kind, body));
        if matches!(self.phase, Phase::Ready) && self.rng.u8(..24) == 0 {
            match self.rng.u8(..3) {
                0 => self.out.push(message(b'N', &texts(&["SNOTICE", "VNOTICE", "C00000", "Mso it is", ""]))),
                1 => {
                    let settings = [["application_name", "fuzz"], ["TimeZone", "Europe/Rome"], ["TimeZone", "UTC"]];
                    self.out.push(message(b'S', &texts(&settings[self.rng.usize(..settings.len())])));
                }
                _ => self.out.push(message(b'A', &[&[0, 0, 0, 9][..], &texts(&["channel", "payload"])].concat())),
            }
        }
    }

    fn fail(&mut self, code: &str) {
        self.say(b'E', &texts(&["SERROR", "VERROR", &format!("C{code}"), "Mit failed", "Dbecause", "P3", ""]));
        if self.state == b'T' {
            self.state = b'E';
        }
        if self.state == b'I' {
            self.portals.clear();
        }
    }

    fn ready(&mut self) {
        if self.state == b'I' {
            self.portals.clear();
        }
        self.say(b'Z', &[self.state]);
    }

    fn complete(&mut self, tag: &str) {
        self.say(b'C', &texts(&[tag]));
    }

    fn columns(&mut self) {
        let column =
            |name: &str, oid: [u8; 4]| [&texts(&[name])[..], &[0; 6], &oid, &[0, 4, 255, 255, 255, 255, 0, 1]].concat();
        let body = [&[0, 2][..], &column("id", [0, 0, 0, 23]), &column("name", [0, 0, 0, 25])].concat();
        self.say(b'T', &body);
    }

    fn describe(&mut self, sql: &str) {
        if sql.starts_with("ROWS") || sql.starts_with("FAIL") { self.columns() } else { self.say(b'n', &[]) }
    }

    fn row(&mut self, index: usize) {
        let mut body = vec![0, 2];
        for value in row(index) {
            match value {
                None => body.extend([255; 4]),
                Some(value) => {
                    body.extend(u32::try_from(value.len()).expect("it is short").to_be_bytes());
                    body.extend(value);
                }
            }
        }
        self.say(b'D', &body);
    }

    /// Executes what is no matter of rows; whether it was that.
    fn other(&mut self, sql: &str, is_simple: bool) -> bool {
        match sql.split(' ').next().unwrap_or_default() {
            "" => self.say(b'I', &[]),
            "BEGIN" => {
                self.state = b'T';
                self.complete("BEGIN");
            }
            word @ ("COMMIT" | "ROLLBACK") => {
                let tag = if self.state == b'E' { "ROLLBACK" } else { word };
                self.state = b'I';
                self.complete(tag);
            }
            "UPDATE" => self.complete(sql),
            "COPY" if sql == "COPY IN" => {
                self.say(b'G', &[0, 0, 0]);
                self.copying = Some(is_simple);
            }
            "COPY" => {
                self.say(b'H', &[0, 0, 0]);
                self.say(b'd', b"1\tone\n");
                self.say(b'c', &[]);
                self.complete("COPY 1");
            }
            _ => return false,
        }
        true
    }

    fn query(&mut self, sql: &str) {
        for sql in sql.split("; ") {
            if self.state == b'E' && !sql.starts_with("ROLLBACK") && !sql.starts_with("COMMIT") {
                self.fail("25P02");
                break;
            }
            if sql.starts_with("SET") {
                self.complete("SET");
            } else if sql == "SHOW statement_timeout" {
                self.columns();
                // It changes now and then.
                let value: &[u8] = if self.rng.u8(..4) == 0 { b"\0\x01\0\0\0\x0510min" } else { b"\0\x01\0\0\0\x010" };
                self.say(b'D', value);
                self.complete("SHOW");
            } else if sql.starts_with("SHOW") {
                self.columns();
                self.say(b'D', b"\0\x01\0\0\0\x03off");
                self.complete("SHOW");
            } else if !self.other(sql, true) {
                self.columns();
                (0..number(sql)).for_each(|index| self.row(index));
                if sql.starts_with("FAIL") {
                    self.fail("22012");
                    break;
                }
                self.complete(&format!("SELECT {}", number(sql)));
            }
        }
        if self.copying.is_none() {
            self.ready();
        }
    }

    fn execute(&mut self, name: &str, most: usize) {
        let Some(Portal { sql, given }) = self.portals.get(name) else { return self.fail("34000") };
        let (sql, given) = (sql.clone(), *given);
        if self.other(&sql, false) {
            return;
        }
        let all = number(&sql);
        let end = if most == 0 { all } else { all.min(given + most) };
        (given..end).for_each(|index| self.row(index));
        if let Some(portal) = self.portals.get_mut(name) {
            portal.given = end;
        }
        // As a server does it, which does not look whether there is more.
        if most != 0 && end - given == most {
            self.say(b's', &[]);
        } else if sql.starts_with("FAIL") {
            self.fail("22012");
            self.is_skipping = true;
        } else {
            self.complete(&format!("SELECT {}", end - given));
        }
    }

    fn extended(&mut self, kind: u8, body: &[u8]) {
        let text = |index| {
            let bytes = body.split(|byte| *byte == 0).nth(index).unwrap_or_default();
            String::from_utf8_lossy(bytes).into_owned()
        };
        if self.state == b'E' && kind != b'C' {
            self.fail("25P02");
            self.is_skipping = true;
            return;
        }
        match kind {
            b'P' => {
                self.statements.insert(text(0), text(1));
                self.say(b'1', &[]);
            }
            b'B' => {
                let sql = self.statements.get(&text(1)).cloned();
                let Some(sql) = sql else {
                    self.fail("26000");
                    self.is_skipping = true;
                    return;
                };
                self.portals.insert(text(0), Portal { sql, given: 0 });
                self.say(b'2', &[]);
            }
            b'D' => {
                let name = String::from_utf8_lossy(&body[1..body.len() - 1]).into_owned();
                let is_statement = body[0] == b'S';
                let sql = match is_statement {
                    true => self.statements.get(&name).cloned(),
                    false => self.portals.get(&name).map(|portal| portal.sql.clone()),
                };
                if is_statement {
                    self.say(b't', &[0, 0]);
                }
                self.describe(&sql.unwrap_or_default());
            }
            b'E' => {
                let most = body.last_chunk().map_or(0, |most| u32::from_be_bytes(*most));
                self.execute(&text(0), usize::try_from(most).unwrap_or(usize::MAX));
                if self.out.last().is_some_and(|message| message[0] == b'E') {
                    self.is_skipping = true;
                }
            }
            b'C' => {
                if body[0] == b'P' {
                    self.portals.remove(&String::from_utf8_lossy(&body[1..body.len() - 1]).into_owned());
                }
                self.say(b'3', &[]);
            }
            _ => {}
        }
    }

    fn hear(&mut self, kind: u8, body: &[u8]) {
        if let Some(is_simple) = self.copying {
            // It passes over a Sync while it waits for data.
            if kind == b'f' {
                self.copying = None;
                self.fail("57014");
                self.is_skipping = !is_simple;
                if is_simple {
                    self.ready();
                }
            }
            return;
        }
        match kind {
            b'S' => {
                self.is_skipping = false;
                self.ready();
            }
            _ if self.is_skipping => {}
            b'Q' => self.query(&String::from_utf8_lossy(&body[..body.len() - 1])),
            _ => self.extended(kind, body),
        }
    }

    fn greet(&mut self) {
        self.say(b'R', &[0, 0, 0, 0]);
        for (name, value) in [("server_version", VERSION), ("client_encoding", "UTF8"), ("TimeZone", "UTC")] {
            self.say(b'S', &texts(&[name, value]));
        }
        self.say(b'K', &[0, 0, 0, 7, 0, 0, 0, 9]);
        self.say(b'Z', b"I");
        self.phase = Phase::Ready;
    }

    fn log_in(&mut self, body: &[u8]) {
        match std::mem::replace(&mut self.phase, Phase::Asked) {
            Phase::Startup => match self.way {
                Way::Trust => self.greet(),
                Way::Password => self.say(b'R', &[0, 0, 0, 3]),
                Way::Md5 => self.say(b'R', &[0, 0, 0, 5, 1, 2, 3, 4]),
                Way::Scram => self.say(b'R', &[&[0, 0, 0, 10][..], &texts(&["SCRAM-SHA-256", ""])].concat()),
            },
            Phase::Asked if self.way == Way::Scram => {
                let said = String::from_utf8_lossy(body).into_owned();
                let Some((_, first)) = said.split_once(",,") else { return self.fail("28P01") };
                let nonce = first.split_once("r=").map_or("", |(_, nonce)| nonce);
                let answer = format!("r={nonce}more,s={},i=2", base64(SALT));
                self.say(b'R', &[&[0, 0, 0, 11], answer.as_bytes()].concat());
                self.phase = Phase::Proof(first.to_owned(), answer);
            }
            Phase::Asked | Phase::Ready => self.greet(),
            Phase::Proof(first, answer) => {
                let said = String::from_utf8_lossy(body).into_owned();
                let Some((last, proof)) = said.split_once(",p=") else { return self.fail("28P01") };
                let (expected, verifier) = proofs(&format!("{first},{answer},{last}"));
                if proof != expected {
                    return self.fail("28P01");
                }
                self.say(b'R', &[&[0, 0, 0, 12], format!("v={verifier}").as_bytes()].concat());
                self.greet();
            }
        }
    }
}

/// The client's proof and the server's, for an exchange.
pub(super) fn proofs(exchange: &str) -> (String, String) {
    let mut salted = [0; digest::SHA256_OUTPUT_LEN];
    let twice = std::num::NonZeroU32::new(2).expect("2 is not 0");
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, twice, SALT, PASSWORD.as_bytes(), &mut salted);
    let sign = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text);
    let client_key = sign(&salted, b"Client Key");
    let stored_key = digest::digest(&digest::SHA256, client_key.as_ref());
    let signature = sign(stored_key.as_ref(), exchange.as_bytes());
    let proof: Vec<u8> = client_key.as_ref().iter().zip(signature.as_ref()).map(|(a, b)| a ^ b).collect();
    let server_key = sign(&salted, b"Server Key");
    (base64(&proof), base64(sign(server_key.as_ref(), exchange.as_bytes()).as_ref()))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = three.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte)) << (8 * (3 - three.len()));
        for digit in 0..4 {
            match digit <= three.len() {
                true => text.push(char::from(DIGITS[number >> (18 - 6 * digit) & 63])),
                false => text.push('='),
            }
        }
    }
    text
}

impl Server for Honest {
    fn answer(&mut self, asked: &[u8]) -> Option<Batch> {
        self.asked.extend(asked);
        loop {
            // The first message is of no kind.
            let kind = usize::from(!matches!(self.phase, Phase::Startup));
            let Some(length) = self.asked.get(kind..kind + 4) else { break };
            let length = kind + length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            if self.asked.len() < length {
                break;
            }
            let message: Vec<u8> = self.asked.drain(..length).collect();
            let body = &message[kind + 4..];
            match self.phase {
                Phase::Ready => self.hear(message[0], body),
                _ => self.log_in(body),
            }
        }
        let out = std::mem::take(&mut self.out);
        (!out.is_empty()).then_some(out)
    }

    fn waits_for_a_question(&self) -> bool {
        self.copying.is_none() && !self.is_skipping
    }
}
