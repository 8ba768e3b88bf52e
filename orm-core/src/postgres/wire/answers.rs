//! Answers: what comes up to the ReadyForQuery that ends each request.

use std::sync::Arc;

use postgres_protocol::message::frontend;

use super::{Executed, Request, Status, Wire, deferred};
use crate::{
    net::{reader::Reader, statements::begins_with},
    postgres::{
        column::Column,
        error::{Failure, ServerWord},
        row::{PgRow, RowRef},
    },
};

/// The kinds of messages ("Message Formats").
pub(super) mod kind {
    pub(in super::super) const PARSED: u8 = b'1';
    pub(in super::super) const BOUND: u8 = b'2';
    pub(in super::super) const CLOSED: u8 = b'3';
    pub(in super::super) const NOTIFICATION: u8 = b'A';
    pub(in super::super) const COMPLETE: u8 = b'C';
    pub(in super::super) const ROW: u8 = b'D';
    pub(in super::super) const ERROR: u8 = b'E';
    pub(in super::super) const COPY_IN: u8 = b'G';
    pub(in super::super) const COPY_OUT: u8 = b'H';
    pub(in super::super) const EMPTY: u8 = b'I';
    pub(in super::super) const NOTICE: u8 = b'N';
    pub(in super::super) const PARAMETER: u8 = b'S';
    pub(in super::super) const COLUMNS: u8 = b'T';
    pub(in super::super) const READY: u8 = b'Z';
    pub(in super::super) const COPY_DONE: u8 = b'c';
    pub(in super::super) const COPY_DATA: u8 = b'd';
    pub(in super::super) const NO_ROWS: u8 = b'n';
    pub(in super::super) const SUSPENDED: u8 = b's';
    pub(in super::super) const PARAMETER_TYPES: u8 = b't';
}

/// The result that is being read.
#[derive(Debug)]
pub(super) struct Reading {
    /// Whether it is to commit a transaction; of several statements, the first.
    commits: bool,
    protocol: Protocol,
    /// Messages that answer deferred commands, and come before those of the statement.
    deferred_left: usize,
    /// Whether the first row is in hand already.
    has_first: bool,
    /// Whether the server has prepared the statement, in this request.
    was_prepared: bool,
    /// The last message of the answer, for they have an order.
    last: u8,
    /// The most messages that may still come of those that the request counts: statements that are done (of the simple
    /// protocol), prepared or closed. Without these limits a server could go on for ever without giving a row.
    done_left: usize,
    prepared_left: usize,
    closed_left: usize,
    affected: Option<u64>,
    failure: Option<Failure>,
}

/// How a statement was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    /// As text, whose rows are thrown away.
    Simple,
    /// As text, without rows.
    Command,
    /// By Parse, Bind and Execute.
    Extended,
    /// By several statements in one request, of which one is executed, and the last is described.
    Look,
    /// Nothing but deferred commands.
    Deferred,
}

impl Reading {
    /// SQL as text. Each statement of it is completed once.
    pub(super) fn simple(sql: &str) -> Self {
        let done_left = sql.matches(';').count() + 1;
        Reading { protocol: Protocol::Simple, done_left, ..Reading::extended(sql, 0) }
    }

    /// SQL as text that returns no rows.
    pub(super) fn command(sql: &str) -> Self {
        Reading { protocol: Protocol::Command, ..Reading::simple(sql) }
    }

    /// A statement behind so many that are closed.
    pub(super) fn extended(sql: &str, closed: usize) -> Self {
        Reading {
            commits: begins_with(sql, &["COMMIT", "END", "PREPARE"]),
            protocol: Protocol::Extended,
            deferred_left: 0,
            has_first: false,
            was_prepared: false,
            last: kind::READY,
            done_left: 1,
            prepared_left: 1,
            closed_left: closed,
            affected: None,
            failure: None,
        }
    }

    /// So many statements that are prepared in one request, of which one is executed, and the last is described.
    pub(super) fn look(prepared: usize) -> Self {
        Reading { protocol: Protocol::Look, prepared_left: prepared, ..Reading::extended("", 0) }
    }

    /// The same answer behind those of so many deferred commands.
    pub(super) fn behind(self, commands: usize) -> Self {
        Reading { deferred_left: deferred::messages(commands), ..self }
    }

    /// Deferred commands without a statement.
    pub(super) fn deferred(commands: usize) -> Self {
        Reading { protocol: Protocol::Deferred, ..Reading::extended("", 0) }.behind(commands)
    }

    /// Whether a message of this kind may come next of those that answer deferred commands.
    fn follow_deferred(&mut self, next: u8) -> bool {
        let follows = deferred::is_next(self.deferred_left, next);
        self.deferred_left -= 1;
        follows
    }

    /// Whether rows are thrown away.
    fn is_simple(&self) -> bool {
        matches!(self.protocol, Protocol::Simple | Protocol::Command)
    }

    /// Takes in the command tag that a statement was completed with, such as `UPDATE 3`.
    fn complete(&mut self, tag: &str) {
        self.affected = tag.rsplit(' ').next().and_then(|count| count.parse().ok());
        if std::mem::take(&mut self.commits) && tag == "ROLLBACK" {
            self.fail(Failure::RolledBack);
        }
    }

    /// Whether a message of this kind may follow the last one. Without that, an answer that lacks its end would be taken for
    /// a short one, the rest of another statement's for the beginning of this one's, and some answers would never end.
    #[inline]
    fn follow(&mut self, next: u8) -> bool {
        let follows = if self.is_simple() { self.follows_in_text(next) } else { self.follows(next) };
        self.last = next;
        follows
            && match next {
                kind::COMPLETE | kind::EMPTY => take_one(&mut self.done_left),
                kind::PARSED => take_one(&mut self.prepared_left),
                kind::CLOSED => take_one(&mut self.closed_left),
                _ => true,
            }
    }

    /// Of the extended protocol.
    #[inline]
    fn follows(&self, next: u8) -> bool {
        let last = self.last;
        match next {
            kind::ROW => matches!(last, kind::ROW | kind::BOUND),
            // After an error, the server passes over everything up to the end of the request.
            _ if last == kind::ERROR => matches!(next, kind::READY | kind::ERROR),
            kind::ERROR => true,
            kind::COMPLETE => matches!(last, kind::ROW | kind::BOUND | kind::COPY_DONE),
            kind::EMPTY => last == kind::BOUND,
            kind::READY if self.protocol == Protocol::Look => matches!(last, kind::COLUMNS | kind::NO_ROWS),
            kind::READY if self.protocol == Protocol::Deferred => last == kind::READY,
            kind::READY => matches!(last, kind::COMPLETE | kind::EMPTY),
            kind::PARSED if self.protocol == Protocol::Look => {
                matches!(last, kind::READY | kind::PARSED | kind::COMPLETE)
            }
            kind::CLOSED | kind::PARSED => matches!(last, kind::READY | kind::CLOSED),
            kind::PARAMETER_TYPES => last == kind::PARSED,
            kind::COLUMNS | kind::NO_ROWS => last == kind::PARAMETER_TYPES,
            kind::BOUND => matches!(last, kind::COLUMNS | kind::NO_ROWS | kind::READY | kind::CLOSED),
            kind::COPY_IN | kind::COPY_OUT => last == kind::BOUND,
            kind::COPY_DATA | kind::COPY_DONE => matches!(last, kind::COPY_OUT | kind::COPY_DATA),
            _ => false,
        }
    }

    /// Of the simple protocol.
    fn follows_in_text(&self, next: u8) -> bool {
        let last = self.last;
        let begins = matches!(last, kind::READY | kind::COMPLETE | kind::EMPTY);
        match next {
            _ if last == kind::ERROR => matches!(next, kind::READY | kind::ERROR),
            kind::ERROR => true,
            kind::READY => matches!(last, kind::COMPLETE | kind::EMPTY),
            kind::COLUMNS | kind::COPY_IN | kind::COPY_OUT => begins && self.protocol == Protocol::Simple,
            kind::ROW => matches!(last, kind::COLUMNS | kind::ROW),
            kind::COMPLETE => begins || matches!(last, kind::COLUMNS | kind::ROW | kind::COPY_DONE),
            kind::EMPTY => begins,
            kind::COPY_DATA | kind::COPY_DONE => matches!(last, kind::COPY_OUT | kind::COPY_DATA),
            _ => false,
        }
    }

    /// The first failure is the one that is told.
    fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
    }
}

/// Counts one down; `false` if none is left.
fn take_one(left: &mut usize) -> bool {
    let had = *left > 0;
    *left = left.saturating_sub(1);
    had
}

impl Wire {
    /// Reads the next message, and sees to those that may come at any time.
    #[inline]
    pub(super) fn next_message(&mut self) -> Result<u8, Failure> {
        loop {
            let kind = self.messages.next()?;
            if !is_asynchronous(kind) {
                return Ok(kind);
            }
            self.note(kind)?;
        }
    }

    /// Takes in a message that nobody has asked for.
    pub(super) fn note_unasked(&mut self, kind: u8) -> Result<(), Failure> {
        if is_asynchronous(kind) { self.note(kind) } else { Err(unexpected_kind(kind)) }
    }

    #[cold]
    pub(super) fn note(&mut self, kind: u8) -> Result<(), Failure> {
        match kind {
            kind::NOTICE => {
                let word = ServerWord::parse(self.messages.body())?;
                let level = if word.severity == "WARNING" { log::Level::Warn } else { log::Level::Debug };
                log::log!(level, "PostgreSQL says: {}: {} (SQLSTATE {})", word.severity, word.message, word.sqlstate);
            }
            kind::PARAMETER => {
                let mut body = Reader::new(self.messages.body());
                let (name, value) = (body.text()?, body.text()?);
                match name {
                    b"client_encoding" if value != b"UTF8" => {
                        return Err(Failure::Lost(
                            "its client_encoding was changed, and text is UTF-8 here; leave that setting alone".into(),
                        ));
                    }
                    b"TimeZone" => self.is_utc = value == b"UTC",
                    b"DateStyle" => self.is_iso = value.starts_with(b"ISO"),
                    _ => {}
                }
            }
            _ => log::debug!("a notification of PostgreSQL's is passed over"),
        }
        Ok(())
    }

    /// The failure that an ErrorResponse in hand tells; one that ends the connection does so at once, and so does one that
    /// cannot be read.
    #[cold]
    pub(super) fn server_failure(&mut self) -> Failure {
        let failure = Failure::server(self.messages.body());
        match &failure {
            Failure::Server(word) if !word.is_fatal() => {}
            _ => self.close(&failure),
        }
        failure
    }

    /// Takes in a ReadyForQuery: the first request in flight has been answered.
    pub(super) fn ready(&mut self) -> Result<(), Failure> {
        self.status = match self.messages.body() {
            b"I" => Status::Idle,
            b"T" => Status::Open,
            b"E" => Status::Failed,
            _ => return Err(unexpected()),
        };
        let answered = self.in_flight.pop_front();
        if answered == Some(Request::Statement) {
            self.is_at_stake = false;
        }
        self.has_written &= self.status != Status::Idle;
        if self.status != Status::Failed {
            self.ahead.forget_failures();
        }
        if self.status == Status::Idle && answered == Some(Request::Statement) {
            // They have ended with their transaction, whether they were closed or not.
            self.portals.clear();
        }
        Ok(())
    }

    /// Reads up to the first row of a statement, or to its end.
    pub(super) fn begin_reading(&mut self) -> Executed {
        let first = self.guarded(Wire::read_row_or_end);
        let mut executed = Executed { prepared: None, failure: None };
        match (&mut self.reading, first) {
            (Some(reading), Ok(has_first)) => {
                reading.has_first = has_first;
                self.prepared_now = reading.was_prepared;
            }
            (_, Err(failure)) => executed.failure = Some(failure),
            (None, Ok(_)) => {}
        }
        executed.prepared = std::mem::take(&mut self.prepared_now).then(|| self.columns.clone());
        executed
    }

    /// Reads the next row of the statement; `false` after the last one.
    #[inline]
    pub(in crate::postgres) fn next_row(&mut self) -> Result<bool, Failure> {
        match &mut self.reading {
            None => Ok(false),
            Some(reading) if reading.has_first => {
                reading.has_first = false;
                Ok(true)
            }
            Some(_) => self.guarded(Wire::read_row_or_end),
        }
    }

    /// Reads on to the next row or to the end, while the row before it is still to be given: what the end has to say may be
    /// that nothing of the statement is stored.
    pub(in crate::postgres) fn look_ahead(&mut self) -> Result<(), Failure> {
        if self.reading.as_ref().is_some_and(|reading| !reading.has_first) {
            let has_next = self.guarded(Wire::read_row_or_end)?;
            if let Some(reading) = &mut self.reading {
                reading.has_first = has_next;
            }
        }
        Ok(())
    }

    /// How many rows the last statement says that it changed or gave, once it was read to its end.
    pub(in crate::postgres) fn affected(&self) -> Option<u64> {
        self.affected
    }

    /// Reads the rest of the result, and throws it away.
    pub(in crate::postgres) fn skip_all(&mut self) -> Result<(), Failure> {
        while self.next_row()? {}
        Ok(())
    }

    fn read_row_or_end(&mut self) -> Result<bool, Failure> {
        loop {
            let kind = self.next_message()?;
            match self.take_in_statement(kind)? {
                Taken::Row => return Ok(true),
                Taken::End => return self.end_reading(),
                Taken::Other => {}
            }
        }
    }

    /// Takes in a message of a statement's answer.
    #[inline]
    pub(super) fn take_in_statement(&mut self, kind: u8) -> Result<Taken, Failure> {
        let Some(reading) = &mut self.reading else { return Err(unexpected()) };
        let of_deferred = reading.deferred_left > 0;
        if of_deferred && kind != kind::ERROR {
            return if reading.follow_deferred(kind) { Ok(Taken::Other) } else { Err(unexpected_kind(kind)) };
        }
        reading.deferred_left = 0;
        let is_second_error = kind == kind::ERROR && reading.last == kind::ERROR;
        if !reading.follow(kind) {
            return Err(unexpected_kind(kind));
        }
        match kind {
            kind::ROW if reading.is_simple() || reading.failure.is_some() => {}
            kind::ROW => {
                self.stashed = None;
                self.spans.find(self.columns.len(), self.messages.body())?;
                return Ok(Taken::Row);
            }
            kind::PARSED => {}
            kind::COLUMNS if reading.is_simple() => {}
            kind::COLUMNS => {
                // Not before: it may be prepared, and its description be lost to an error.
                reading.was_prepared = true;
                self.columns = Column::parse_all(self.messages.body())?;
            }
            kind::NO_ROWS => reading.was_prepared = true,
            kind::BOUND | kind::CLOSED | kind::PARAMETER_TYPES => {}
            kind::COMPLETE => {
                let tag = Reader::new(self.messages.body()).text()?;
                reading.complete(str::from_utf8(tag).map_err(|_| unexpected())?);
            }
            // A simple query may well be empty: it asks whether the server is there.
            kind::EMPTY if reading.is_simple() => {}
            kind::EMPTY => reading.fail(Failure::Empty),
            kind::COPY_OUT => reading.fail(Failure::Copy),
            kind::COPY_DATA | kind::COPY_DONE => {}
            kind::COPY_IN => {
                reading.fail(Failure::Copy);
                let is_simple = reading.is_simple();
                self.refuse_to_copy(is_simple)?;
            }
            kind::ERROR => {
                let mut failure = self.server_failure();
                if of_deferred {
                    failure = failure.of_another("the statement was not run, because its BEGIN or SAVEPOINT failed");
                }
                match &mut self.reading {
                    // Only one that ends the connection may come after another one.
                    Some(_) if is_second_error => return Err(unexpected_kind(kind)),
                    Some(reading) => reading.fail(failure),
                    None => return Err(failure), // it was the connection's last word
                }
            }
            kind::READY => {
                self.ready()?;
                return Ok(Taken::End);
            }
            _ => return Err(unexpected()),
        }
        Ok(Taken::Other)
    }

    fn refuse_to_copy(&mut self, is_simple: bool) -> Result<(), Failure> {
        self.send(|out| {
            frontend::copy_fail("the program sends no data", out)?;
            if !is_simple {
                // The one that was sent before is passed over by a server that waits for data.
                frontend::sync(out);
            }
            Ok(())
        })
    }

    pub(super) fn end_reading(&mut self) -> Result<bool, Failure> {
        let Some(reading) = self.reading.take() else { return Ok(false) };
        self.affected = reading.affected;
        self.prepared_now = reading.was_prepared;
        match reading.failure {
            None => Ok(false),
            Some(failure) => Err(failure),
        }
    }

    /// Takes in what is in flight, as [`Wire::take_in_and_check_failure`] does, and sends the deferred commands.
    pub(super) fn take_in_and_check(&mut self) -> Result<(), Failure> {
        self.take_in_and_check_failure()?;
        self.send_deferred()
    }

    /// Takes in what is in flight, and fails if the transaction has failed with something that was sent ahead.
    pub(super) fn take_in_and_check_failure(&mut self) -> Result<(), Failure> {
        self.take_in()?;
        self.check_failures()
    }

    /// Takes in what is in flight, so that a statement may be sent or read: rows of portals are kept for them, and so are
    /// answers to what was sent ahead.
    pub(super) fn take_in(&mut self) -> Result<(), Failure> {
        while let Some(Request::Portal(_) | Request::Ahead) = self.in_flight.front() {
            self.take_in_first()?;
        }
        Ok(())
    }

    /// Takes in the answer to the first request in flight, unless it is a statement whose rows are read one by one.
    pub(super) fn take_in_first(&mut self) -> Result<(), Failure> {
        match self.in_flight.front() {
            // It has the connection to itself, and its rows are not for the memory.
            Some(Request::Portal(request)) if request.is_unlimited() => {
                Err(Failure::Value("a stream of all rows is open on this connection".into()))
            }
            Some(Request::Portal(_)) => self.guarded(Wire::take_in_portal),
            Some(Request::Ahead) => self.guarded(Wire::take_in_ahead),
            Some(Request::Statement) => Err(Failure::Value("another statement is being read".into())),
            None => Ok(()),
        }
    }

    /// The row in hand.
    #[inline]
    pub(in crate::postgres) fn row(&self) -> RowRef<'_> {
        let body = match &self.stashed {
            None => self.messages.body(),
            Some(body) => body,
        };
        RowRef { columns: &self.columns, body, spans: &self.spans }
    }

    /// The row in hand, to be kept.
    pub(in crate::postgres) fn owned_row(&self) -> PgRow {
        PgRow { columns: Arc::clone(&self.columns), body: self.row().body.into(), spans: self.spans.clone() }
    }
}

/// What a message of a statement's answer was.
pub(super) enum Taken {
    /// A row, which is in hand.
    Row,
    /// The last message of the answer.
    End,
    Other,
}

/// Whether a message may come at any time.
#[inline]
pub(super) fn is_asynchronous(kind: u8) -> bool {
    matches!(kind, kind::NOTICE | kind::NOTIFICATION | kind::PARAMETER)
}

#[cold]
pub(super) fn unanswered() -> Failure {
    Failure::protocol("it is ready for the next statement without a word on how the last one went")
}

/// A message that may not follow those before it, or comes more often than was asked for.
#[cold]
pub(super) fn unexpected_kind(kind: u8) -> Failure {
    Failure::Lost(format!("{}`{}`", Failure::UNEXPECTED, kind.escape_ascii()).into())
}

#[cold]
pub(super) fn unexpected() -> Failure {
    Failure::protocol("a message of this kind has no place here")
}
