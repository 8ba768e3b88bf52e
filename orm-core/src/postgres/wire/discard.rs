//! Discarding the answers that are in flight.

use super::{
    Request, Wire,
    answers::{Taken, is_asynchronous, unexpected},
};
use crate::postgres::error::Failure;

impl Wire {
    /// Discards the messages that have been received whole, without waiting for more and until `budget` bytes are used up;
    /// returns whether nothing is in flight any more. Fails if an answer to a statement is an error.
    pub(in crate::postgres) fn discard_received(&mut self, budget: &mut usize) -> Result<bool, Failure> {
        self.guarded(|wire| {
            while !wire.in_flight.is_empty() && *budget > 0 && wire.messages.has_one() {
                wire.discard_message()?;
                *budget = budget.saturating_sub(wire.messages.body().len());
            }
            Ok(wire.in_flight.is_empty())
        })
    }

    /// Reads and discards all that is in flight; more than `most` bytes are a server that does not stop, and the connection is
    /// lost. Fails if an answer to a statement is an error.
    pub(in crate::postgres) fn discard_in_flight(&mut self, most: usize) -> Result<(), Failure> {
        self.guarded(|wire| {
            let (mut failure, mut left) = (None, most);
            while !wire.in_flight.is_empty() {
                // Before the message is received, for it may be of any size.
                let size = wire.messages.next_size()?;
                left = left.checked_sub(size).ok_or_else(|| {
                    Failure::Lost("the server goes on sending the result of a stream that was cancelled".into())
                })?;
                match wire.discard_message() {
                    Err(lost) if lost.is_loss() => return Err(lost),
                    Err(other) => failure = failure.or(Some(other)),
                    Ok(()) => {}
                }
            }
            failure.map_or(Ok(()), Err)
        })
    }

    /// Whether no statement runs any more, and all that is in flight is the end of its transaction.
    pub(in crate::postgres) fn only_ends(&self) -> bool {
        self.in_flight.iter().all(|request| match request {
            Request::Statement | Request::Ahead => true,
            Request::Portal(request) => !request.may_run(),
        })
    }

    fn discard_message(&mut self) -> Result<(), Failure> {
        let kind = self.messages.next()?;
        if is_asynchronous(kind) {
            return self.note(kind);
        }
        match self.in_flight.front() {
            Some(Request::Portal(_)) => self.take_in_message(kind).map(drop),
            Some(Request::Ahead) => self.take_in_ahead_message(kind).map(drop),
            Some(Request::Statement) => match self.take_in_statement(kind)? {
                Taken::End => self.end_reading().map(drop),
                Taken::Row | Taken::Other => Ok(()),
            },
            None => Err(unexpected()),
        }
    }
}
