//! Reads what was asked and what was said by itself, and judges what came of it.

use std::collections::{HashMap, VecDeque};

use diesel::row::{Field as _, Row as _};

use crate::{
    fuzz::Shared,
    postgres::{
        row::PgRow,
        wire::{Status, Wire},
    },
};

/// A message, and where it ends.
pub(super) struct Token<'a> {
    pub(super) kind: u8,
    pub(super) body: &'a [u8],
    pub(super) end: usize,
}

/// The message that begins there, if it is all there.
pub(super) fn token(bytes: &[u8], start: usize) -> Option<Token<'_>> {
    let [kind, a, b, c, d, rest @ ..] = bytes.get(start..)? else { return None };
    let length = usize::try_from(i32::from_be_bytes([*a, *b, *c, *d])).ok()?.checked_sub(4)?;
    Some(Token { kind: *kind, body: rest.get(..length)?, end: start + 5 + length })
}

/// What was heard in answer to a statement, or to all requests for a portal's rows.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// Those that were heard and are still to be told.
    rows: VecDeque<Vec<u8>>,
    pub(super) completed: bool,
    pub(super) failed: bool,
    /// Something that a statement here does not do: to copy, or to be empty.
    refused: bool,
    empty: bool,
    /// What the server says of the last statement that was completed, and whether it rolled back for any.
    tag: Vec<u8>,
    rolled_back: bool,
    ended: bool,
    /// Whether the answer to the request that is being answered has its end, and whether one had none.
    is_over: bool,
    lacks_end: bool,
}

/// The requests' owner that is no portal.
const STATEMENT: &str = "";

pub(super) struct Witness {
    feed: Shared,
    /// How much of what was asked and heard it has seen.
    asked: usize,
    heard: usize,
    /// For whom each request was, by the name of a portal, and how many have been answered.
    owners: Vec<String>,
    answered: usize,
    current: String,
    after_refusal: bool,
    answers: HashMap<String, Answer>,
    state: u8,
    is_utc: bool,
    is_iso: bool,
}

/// A complaint, unless it is so.
pub(super) fn must(is_so: bool, what: &str) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(what.to_owned()) }
}

impl Witness {
    /// From here on: what was said and asked before is the login.
    pub(super) fn new(feed: &Shared, wire: &Wire) -> Self {
        let (asked, heard) = {
            let feed = feed.lock();
            (feed.questions().len(), feed.heard() - wire.messages().held().0)
        };
        Witness {
            feed: feed.clone(),
            asked,
            heard,
            owners: Vec::new(),
            answered: 0,
            current: String::new(),
            after_refusal: false,
            answers: HashMap::new(),
            state: b'I',
            is_utc: true,
            is_iso: true,
        }
    }

    /// Takes in what was asked and read since.
    pub(super) fn look(&mut self, wire: &Wire) -> Result<(), String> {
        let shared = self.feed.clone();
        let feed = shared.lock();
        while let Some(question) = token(feed.questions(), self.asked) {
            self.asked = question.end;
            self.question(&question);
        }
        let (unread, size) = wire.messages().held();
        must(size <= 4 * feed.heard().max(64 << 10), "the buffer is much larger than what was received")?;
        let read = feed.heard() - unread;
        while self.heard < read {
            let Some(token) = token(&feed.bytes()[..read], self.heard) else { break };
            self.heard = token.end;
            let was_asked = self.hear(&token);
            must(was_asked || wire.is_lost(), "it takes in an answer to nothing")?;
        }
        if wire.is_lost() {
            return Ok(());
        }
        must(self.heard == read, "it goes on in the middle of a message")?;
        let state = match wire.status() {
            Status::Idle => b'I',
            Status::Open => b'T',
            Status::Failed => b'E',
        };
        must(state == self.state, "the state of the transaction is not what the server said")?;
        must(wire.is_as_asked() == (self.is_utc && self.is_iso), "the settings are not what the server said")?;
        must(wire.is_settled() == (self.answered == self.owners.len()), "it has lost count of its requests")
    }

    fn question(&mut self, question: &Token<'_>) {
        let name = |body: &[u8]| {
            let end = body.iter().position(|byte| *byte == 0).unwrap_or(body.len());
            String::from_utf8_lossy(&body[..end]).into_owned()
        };
        match question.kind {
            b'Q' => self.owners.push(STATEMENT.to_owned()),
            b'E' => self.current = name(question.body),
            b'C' if question.body.first() == Some(&b'P') => self.current = name(&question.body[1..]),
            // The Sync behind a refusal to copy is there for the one that was passed over.
            b'S' if !self.after_refusal => self.owners.push(std::mem::take(&mut self.current)),
            _ => {}
        }
        self.after_refusal = question.kind == b'f';
    }

    /// Takes in a message; whether there was a request that it answers.
    fn hear(&mut self, token: &Token<'_>) -> bool {
        match token.kind {
            b'N' | b'A' => return true,
            b'S' => {
                let mut texts = token.body.split(|byte| *byte == 0);
                let (name, value) = (texts.next().unwrap_or_default(), texts.next().unwrap_or_default());
                match name {
                    b"TimeZone" => self.is_utc = value == b"UTC",
                    b"DateStyle" => self.is_iso = value.starts_with(b"ISO"),
                    _ => {}
                }
                return true;
            }
            _ => {}
        }
        let Some(owner) = self.owners.get(self.answered) else { return false };
        let answer = self.answers.entry(owner.clone()).or_default();
        if owner == STATEMENT && answer.ended {
            *answer = Answer::default();
        }
        answer.is_over |= matches!(token.kind, b'C' | b's' | b'E');
        match token.kind {
            b'D' => answer.rows.push_back(token.body.to_vec()),
            b'C' => {
                answer.completed = true;
                answer.tag = token.body.to_vec();
                answer.rolled_back |= token.body.starts_with(b"ROLLBACK\0");
            }
            b'E' => answer.failed = true,
            b'G' | b'H' => answer.refused = true,
            b'I' => answer.empty = true,
            b'Z' => {
                answer.ended = true;
                answer.lacks_end |= !std::mem::take(&mut answer.is_over);
                self.answered += 1;
                self.state = token.body.first().copied().unwrap_or(0);
            }
            _ => {}
        }
        true
    }

    /// What was heard of a portal, or of the last statement.
    pub(super) fn answer(&mut self, owner: &str) -> &mut Answer {
        self.answers.entry(owner.to_owned()).or_default()
    }

    /// Judges a row: it must be the next of those that were heard.
    pub(super) fn row(&mut self, owner: &str, row: &PgRow) -> Result<(), String> {
        let Some(body) = self.answer(owner).rows.pop_front() else {
            return Err("a row that the server has not sent".to_owned());
        };
        must(*row.body == *body, "a row that is not the next of those that the server has sent")?;
        let Some(values) = values(&body) else { return Err("a row that cannot be read".to_owned()) };
        must(row.field_count() == values.len(), "a row of another number of columns")?;
        for (index, value) in values.iter().enumerate() {
            let Some(field) = row.get(index) else { return Err("a value is missing".to_owned()) };
            must(field.value().map(|value| value.as_bytes().to_vec()) == *value, "a value that was not sent")?;
        }
        must(row.get(values.len()).is_none(), "a value too many")
    }

    /// Judges that a statement came to a good end.
    pub(super) fn good_end(&mut self, is_simple: bool, affected: Option<u64>) -> Result<(), String> {
        let answer = self.answer(STATEMENT);
        must(answer.ended, "a statement has ended, and the server has not said so")?;
        must(answer.completed || is_simple && answer.empty, "a statement was done that the server has not completed")?;
        must(!answer.failed && !answer.refused, "a statement was done that has failed")?;
        must(is_simple || answer.rows.is_empty(), "a statement's last rows are missing")?;
        let tag = String::from_utf8_lossy(&answer.tag).into_owned();
        let count = tag.split('\0').next().and_then(|tag| tag.rsplit(' ').next()?.parse().ok());
        must(affected == count, "the number of rows is not what the server said")
    }

    /// Judges that a statement has failed and the connection can go on.
    pub(super) fn bad_end(&mut self) -> Result<(), String> {
        let answer = self.answer(STATEMENT);
        must(answer.ended, "a statement has failed, and its answer was not read to its end")?;
        must(
            answer.failed || answer.refused || answer.empty || answer.rolled_back,
            "a statement has failed, of which nobody has said so",
        )
    }

    /// Judges that a portal came to a good end.
    pub(super) fn good_end_of_portal(&mut self, name: &str) -> Result<(), String> {
        let answer = self.answer(name);
        must(answer.completed, "a stream has ended that the server has not completed")?;
        must(!answer.lacks_end, "a stream has ended whose pieces have not")?;
        must(!answer.failed, "a stream has ended well that has failed")?;
        must(answer.rows.is_empty(), "a stream's last rows are missing")
    }
}

/// The values of a DataRow.
fn values(body: &[u8]) -> Option<Vec<Option<Vec<u8>>>> {
    let (count, mut rest) = body.split_at_checked(2)?;
    let mut values = Vec::new();
    for _ in 0..u16::from_be_bytes(count.try_into().ok()?) {
        let (length, after) = rest.split_at_checked(4)?;
        rest = after;
        match i32::from_be_bytes(length.try_into().ok()?) {
            -1 => values.push(None),
            length => {
                let (value, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
                values.push(Some(value.to_vec()));
                rest = after;
            }
        }
    }
    rest.is_empty().then_some(values)
}
