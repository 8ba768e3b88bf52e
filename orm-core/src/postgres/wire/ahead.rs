//! Statements that are sent without waiting for the answers of those before them: the batches of a bulk operation.
//!
//! Their answers come in order. They are taken in when they are asked for, or before anything else is sent, and kept until
//! somebody asks.

use std::collections::VecDeque;

use bytes::BytesMut;
use postgres_protocol::message::frontend;

use super::{
    Parameters, Request, Statement, Status, Wire,
    answers::{Reading, Taken, is_asynchronous, kind, unexpected},
};
use crate::postgres::{
    copy::Rows,
    error::{Failure, ServerWord},
};

/// The number of a statement that was sent ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::postgres) struct AheadId(u64);

/// A statement that has not been answered.
#[derive(Debug)]
struct Sent {
    id: AheadId,
    /// What has come of its answer.
    reading: Option<Reading>,
    /// The columns of a COPY, whose data was sent with it, until the server has said that it takes them.
    copied_columns: Option<usize>,
}

#[derive(Debug)]
struct Answer {
    id: AheadId,
    /// The rows that were changed.
    affected: Result<u64, Failure>,
}

/// Statements that were sent ahead, in order.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    sent: VecDeque<Sent>,
    answers: VecDeque<Answer>,
    last: u64,
}

impl Ahead {
    pub(super) fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.sent.clear();
        self.answers.clear();
    }

    /// The error of a statement, which nobody has asked for.
    pub(super) fn failure(&self) -> Option<&ServerWord> {
        self.answers.iter().find_map(|answer| match &answer.affected {
            Err(Failure::Server(word)) => Some(&**word),
            _ => None,
        })
    }

    /// Forgets errors of a transaction, or a part of one, that was rolled back: the caller that sent the statements no longer waits for them.
    pub(super) fn forget_failures(&mut self) {
        if !self.answers.is_empty() {
            self.answers.retain(|answer| answer.affected.is_ok());
        }
    }
}

/// Writes the end of a COPY's rows.
pub(super) fn write_copy_end(out: &mut BytesMut) {
    out.unsplit(Rows::end());
    frontend::copy_done(out);
}

impl Wire {
    /// Sends a statement that gives no rows, in a transaction. It has to be prepared already, or without a name.
    pub(in crate::postgres) fn execute_ahead(
        &mut self,
        statement: &Statement,
        parameters: &Parameters,
        sql: &str,
    ) -> Result<AheadId, Failure> {
        self.check_failures()?;
        let generation = self.generation;
        let reading = self.send_execute(statement, parameters, sql)?;
        self.generation = generation;
        Ok(self.was_sent_ahead(reading, None))
    }

    /// Sends a COPY with its first rows, in a transaction, without waiting until the server asks for them: if it fails before
    /// that, the server drops what follows. The COPY goes on until something else is sent or waited for.
    pub(in crate::postgres) fn begin_copy(&mut self, sql: &str, rows: Rows) -> Result<AheadId, Failure> {
        self.check_failures()?;
        let columns = rows.columns();
        self.send_deferred()?;
        let generation = self.generation;
        self.send_statement(sql, |out| {
            frontend::query(sql, out)?;
            out.unsplit(Rows::beginning());
            Ok(())
        })?;
        let id = self.was_sent_ahead(Reading::simple(sql), Some(columns));
        self.generation = generation;
        self.open_copy = Some(0);
        self.go_on_copying(rows)?;
        Ok(id)
    }

    /// Sends more rows of the COPY that was begun last.
    pub(in crate::postgres) fn go_on_copying(&mut self, rows: Rows) -> Result<(), Failure> {
        let message = rows.into_message();
        let Some(sent) = self.open_copy.take() else { return Err(Failure::Value("no COPY is open".into())) };
        let all = sent + message.len();
        let generation = self.generation;
        self.send(|out| {
            // Nothing is in line before it, so that it is not copied.
            out.unsplit(message);
            Ok(())
        })?;
        self.generation = generation;
        self.open_copy = Some(all);
        Ok(())
    }

    /// How many bytes the COPY has been sent that may be sent more.
    pub(in crate::postgres) fn open_copy(&self) -> Option<usize> {
        self.open_copy
    }

    /// Ends the COPY that is open, if one is.
    pub(in crate::postgres) fn end_copy(&mut self) -> Result<(), Failure> {
        if self.open_copy.is_none() {
            return Ok(());
        }
        let generation = self.generation;
        let sent = self.send(|_| Ok(()));
        self.generation = generation;
        sent
    }

    fn was_sent_ahead(&mut self, reading: Reading, copied_columns: Option<usize>) -> AheadId {
        self.ahead.last += 1;
        let id = AheadId(self.ahead.last);
        self.in_flight.push_back(Request::Ahead);
        self.ahead.sent.push_back(Sent { id, reading: Some(reading), copied_columns });
        id
    }

    /// Takes in what has come, without waiting for more; whether the answer to this statement is there.
    pub(in crate::postgres) fn has_answer(&mut self, id: AheadId) -> Result<bool, Failure> {
        if matches!(self.in_flight.front(), Some(Request::Ahead)) {
            self.guarded(|wire| {
                wire.messages.receive_all_now()?;
                while matches!(wire.in_flight.front(), Some(Request::Ahead)) && wire.messages.has_one() {
                    let kind = wire.messages.next()?;
                    if is_asynchronous(kind) {
                        wire.note_unasked(kind)?;
                    } else {
                        wire.take_in_ahead_message(kind)?;
                    }
                }
                Ok(())
            })?;
        }
        Ok(self.ahead.answers.iter().any(|answer| answer.id == id))
    }

    /// Waits for the answer to a statement, and returns how many rows it has changed. Answers to those before it are dropped.
    pub(in crate::postgres) fn answer(&mut self, id: AheadId) -> Result<u64, Failure> {
        loop {
            while let Some(answer) = self.ahead.answers.pop_front() {
                if answer.id == id {
                    return answer.affected;
                }
                if answer.id > id {
                    self.ahead.answers.push_front(answer);
                    break;
                }
            }
            if let Some(why) = &self.lost {
                return Err(Failure::Lost(why.before()));
            }
            if !self.ahead.sent.iter().any(|sent| sent.id == id) {
                return Err(Failure::Value("the answer to this statement has been dropped".into()));
            }
            self.take_in_first()?;
        }
    }

    /// Takes in the answer to the first request in flight, which was sent ahead.
    pub(super) fn take_in_ahead(&mut self) -> Result<(), Failure> {
        self.end_copy()?;
        loop {
            let kind = self.next_message()?;
            if self.take_in_ahead_message(kind)? {
                return Ok(());
            }
        }
    }

    /// Takes in a message of that answer; whether it was the last one.
    pub(super) fn take_in_ahead_message(&mut self, kind: u8) -> Result<bool, Failure> {
        let Some(sent) = self.ahead.sent.front_mut() else { return Err(unexpected()) };
        if kind == kind::COPY_IN
            && let Some(columns) = sent.copied_columns.take()
        {
            return self.check_format(columns).map(|()| false);
        }
        if kind == kind::COLUMNS {
            self.portals.in_hand = None;
        }
        let (id, reading) = (sent.id, sent.reading.take());
        let other = std::mem::replace(&mut self.reading, reading);
        let taken = self.take_in_statement(kind)?;
        let is_last = matches!(taken, Taken::End);
        if is_last {
            let affected = self.end_reading().map(|_| self.affected.unwrap_or(0));
            self.ahead.sent.pop_front();
            if self.ahead.sent.is_empty() {
                // One that has failed takes no more rows.
                self.open_copy = None;
            }
            self.ahead.answers.push_back(Answer { id, affected });
        } else if let Some(sent) = self.ahead.sent.front_mut() {
            sent.reading = self.reading.take();
        }
        self.reading = other;
        Ok(is_last)
    }

    /// Fails if the transaction has failed with something that was sent ahead, and nobody has asked for its answer yet:
    /// whatever is sent now would fail for that reason, and not say so.
    pub(super) fn check_failures(&mut self) -> Result<(), Failure> {
        if self.status != Status::Failed {
            return Ok(());
        }
        let (word, hint) = if let Some(word) = self.portals.failure() {
            (
                word,
                "this is the error of a stream that is open in the transaction, in rows which had been asked for ahead",
            )
        } else if let Some(word) = self.ahead.failure() {
            (word, "this is the error of a bulk operation that is going on in the transaction")
        } else {
            return Ok(());
        };
        Err(Failure::Server(Box::new(word.clone())).with_hint(hint))
    }
}
