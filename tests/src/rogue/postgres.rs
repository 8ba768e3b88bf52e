//! What a rogue says in PostgreSQL's protocol.

use std::io;

use super::Client;

/// The codes that stand in the place of a version in the first message.
const TLS_REQUEST: i32 = 80_877_103;
const GSS_REQUEST: i32 = 80_877_104;
const CANCEL_REQUEST: i32 = 80_877_102;

/// The number of the type `text`.
pub const OID_OF_TEXT: u32 = 25;

/// What is said instead of the answer to each request of a kind, once the client's SQL has the word `rogue` in it.
pub type Instead = (u8, Vec<u8>);

impl Client {
    /// Receives the first message, refusing to encrypt; returns the settings in it.
    pub fn startup(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let (code, body) = self.first_message()?;
            match code {
                TLS_REQUEST | GSS_REQUEST => self.raw(b"N")?,
                CANCEL_REQUEST => return Err(io::Error::other("this is a request to cancel")),
                _ => return Ok(body),
            }
        }
    }

    /// Receives a message without a kind; returns its code and what follows it.
    pub fn first_message(&mut self) -> io::Result<(i32, Vec<u8>)> {
        let mut length = [0; 4];
        self.read_exact(&mut length)?;
        let length = usize::try_from(i32::from_be_bytes(length)).map_err(io::Error::other)?;
        let mut code = [0; 4];
        self.read_exact(&mut code)?;
        let mut body = vec![0; length.saturating_sub(8)];
        self.read_exact(&mut body)?;
        Ok((i32::from_be_bytes(code), body))
    }

    /// Sends a message.
    pub fn say(&mut self, kind: u8, body: &[u8]) -> io::Result<()> {
        self.raw(&message(kind, body))
    }

    /// Receives a message: its kind and its body.
    pub fn hear(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut header = [0; 5];
        self.read_exact(&mut header)?;
        let [kind, length @ ..] = header;
        let length = usize::try_from(i32::from_be_bytes(length)).map_err(io::Error::other)?;
        let mut body = vec![0; length.saturating_sub(4)];
        self.read_exact(&mut body)?;
        Ok((kind, body))
    }

    /// Lets any client in.
    pub fn let_in(&mut self) -> io::Result<()> {
        self.startup()?;
        self.say(b'R', &[0; 4])?;
        self.settings()?;
        self.say(b'Z', b"I")
    }

    /// What a server tells of itself once somebody is logged in.
    pub fn settings(&mut self) -> io::Result<()> {
        for setting in [
            "server_version\x0015.0-rogue\0",
            "server_encoding\0UTF8\0",
            "client_encoding\0UTF8\0",
            "standard_conforming_strings\0on\0",
            "integer_datetimes\0on\0",
            "TimeZone\0UTC\0",
        ] {
            self.say(b'S', setting.as_bytes())?;
        }
        self.say(b'K', &[0, 0, 0, 7, 1, 2, 3, 4])
    }

    /// Answers all requests as a server does whose every statement without `rogue` in it is a command, and every other
    /// one gives these rows; but for what is to be said instead, after which it does not go on where `ends`.
    pub fn behave(&mut self, row: &[&[u8]], instead: &[Instead], ends: bool) -> io::Result<()> {
        let mut rogue = false;
        let mut in_transaction = false;
        // A portal that has given its rows gives none when it is executed again.
        let mut is_executed = false;
        loop {
            let (kind, body) = self.hear()?;
            let says = |word: &str| body.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
            if matches!(kind, b'P' | b'Q') {
                rogue = says("rogue");
                in_transaction = (in_transaction || says("BEGIN")) && !says("ROLLBACK") && !says("COMMIT");
            }
            if rogue && let Some((_, bytes)) = instead.iter().find(|(of, _)| *of == kind) {
                self.raw(bytes)?;
                if ends {
                    return Ok(());
                }
                continue;
            }
            let ready = message(b'Z', if in_transaction { b"T" } else { b"I" });
            let rows =
                [data_row(&row.iter().map(|value| Some(*value)).collect::<Vec<_>>()), message(b'C', b"SELECT 1\0")]
                    .concat();
            match kind {
                b'Q' if says("BEGIN READ ONLY; SHOW") => self.raw(&stream_begun(says("; SET"), "0"))?,
                b'Q' if says("SHOW statement_timeout") => self.raw(&[shown("0"), ready].concat())?,
                b'Q' if body == b"\0" => self.raw(&[message(b'I', b""), ready].concat())?,
                b'Q' if rogue => self.raw(&[row_description(row.len(), OID_OF_TEXT), rows, ready].concat())?,
                b'Q' => self.raw(&[message(b'C', b"SET\0"), ready].concat())?,
                b'P' => self.say(b'1', b"")?,
                b'B' => {
                    is_executed = false;
                    self.say(b'2', b"")?;
                }
                b'D' => {
                    if body.first() == Some(&b'S') {
                        self.say(b't', &[0, 0])?;
                    }
                    if rogue { self.raw(&row_description(row.len(), OID_OF_TEXT))? } else { self.say(b'n', b"")? }
                }
                b'E' if rogue && is_executed => self.say(b'C', b"SELECT 0\0")?,
                b'E' if rogue => {
                    is_executed = true;
                    self.raw(&rows)?;
                }
                b'E' => self.say(b'C', b"SET\0")?,
                b'C' => self.say(b'3', b"")?,
                b'S' => self.raw(&ready)?,
                b'H' => {}
                _ => return Ok(()),
            }
        }
    }
}

/// The answer to what begins the transaction of a stream, and asks for the session's time limit; with the end of a SET
/// behind it perhaps.
pub fn stream_begun(sets: bool, statement_timeout: &str) -> Vec<u8> {
    let set = if sets { message(b'C', b"SET\0") } else { Vec::new() };
    [message(b'C', b"BEGIN\0"), shown(statement_timeout), set, message(b'Z', b"T")].concat()
}

/// The answer to `SHOW statement_timeout`, but for its end.
fn shown(statement_timeout: &str) -> Vec<u8> {
    [row_description(1, OID_OF_TEXT), data_row(&[Some(statement_timeout.as_bytes())]), message(b'C', b"SHOW\0")]
        .concat()
}

/// A message with its header.
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = i32::try_from(body.len() + 4).unwrap_or(i32::MAX).to_be_bytes();
    [&[kind], &length[..], body].concat()
}

/// The description of so many columns `a` of a type.
pub fn row_description(columns: usize, oid: u32) -> Vec<u8> {
    let column = [&b"a\0\0\0\0\0\0\0"[..], &oid.to_be_bytes(), &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 1]].concat();
    let count = u16::try_from(columns).unwrap_or(u16::MAX).to_be_bytes();
    message(b'T', &[&count[..], &column.repeat(columns)].concat())
}

/// A row of these values.
pub fn data_row(values: &[Option<&[u8]>]) -> Vec<u8> {
    let mut body = u16::try_from(values.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec();
    for value in values {
        let length = value.map_or(-1, |value| i32::try_from(value.len()).unwrap_or(i32::MAX));
        body.extend(length.to_be_bytes());
        body.extend(value.unwrap_or_default());
    }
    message(b'D', &body)
}

/// An error of this severity and state.
pub fn error_response(severity: &str, sqlstate: &str, text: &str) -> Vec<u8> {
    message(b'E', format!("S{severity}\0V{severity}\0C{sqlstate}\0M{text}\0\0").as_bytes())
}
