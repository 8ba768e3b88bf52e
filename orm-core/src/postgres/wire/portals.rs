//! Portals: the results of streams.
//!
//! A stream that owns its connection is sent in one packet: BEGIN, the statement, an Execute without a row limit, COMMIT. The
//! server sends rows as fast as they are read, TCP holds it back when they are not, and no round trip is needed up to the end.
//!
//! In a user's transaction other statements may run between rows, so rows are asked for in pieces: while one is read the next
//! ones are on their way. Rows in flight when something else is to be sent are received first, and kept with their portal. A
//! session with a `statement_timeout` reads its own streams in pieces, too, so that the limit is for a piece: a
//! consumer may take longer.

mod opening;
mod request;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use postgres_protocol::message::frontend;

pub(in crate::postgres) use self::opening::OpenedStream;
use self::request::Awaits;
pub(super) use self::request::PortalRequest;
use super::{
    Request, Wire,
    answers::{kind, unexpected, unexpected_kind},
};
use crate::postgres::{
    column::Column,
    error::{Failure, ServerWord},
};

/// SQLSTATE of a statement that was cancelled.
const QUERY_CANCELED: &str = "57014";

/// The rows of the first piece: the first row comes at once, and then the width of a row is known.
const FIRST: i32 = 4;
/// How much larger a piece may be than the one before.
const GROWTH: i32 = 4;
/// About the bytes of a piece. It is in the system's buffers while the rows before it are used, so that the server does not
/// wait for a slow reader with its statement timeout running.
const PIECE: usize = 64 << 10;
/// The pieces in flight to begin with: one is on its way while one is read, and two once they have their full size, so that the
/// server has something to do whenever it has done one.
const FEWEST_IN_FLIGHT: usize = 2;
const FULL_SIZE_IN_FLIGHT: usize = 3;
/// A piece that was asked for and is waited for longer than this was asked for too late: the network takes longer than the
/// server.
const TOO_LATE: Duration = Duration::from_micros(100);

/// The number in the name of a portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::postgres) struct PortalId(u64);

impl PortalId {
    pub(in crate::postgres) fn name(self) -> String {
        format!("orm_core_{}", self.0)
    }
}

/// What reading a portal came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::postgres) enum Step {
    /// A row is in hand.
    Row,
    /// There are no more.
    Done,
}

/// The portals that are open.
#[derive(Debug, Default)]
pub(super) struct Portals {
    open: Vec<Portal>,
    made: u64,
    /// Whose columns are those of the row in hand.
    pub(super) in_hand: Option<PortalId>,
    /// A failure of what was in flight for a portal when it was closed.
    late_failure: Option<Failure>,
    /// Whether the session has a `statement_timeout`, as it was when a stream asked last.
    has_time_limit: Option<bool>,
}

#[derive(Debug)]
struct Portal {
    id: PortalId,
    columns: Arc<[Column]>,
    /// It was executed without a row limit.
    is_whole: bool,
    /// Requests for rows that are in flight, and how many of them there may be.
    in_flight: usize,
    window: usize,
    /// The most bytes in flight.
    most_bytes: usize,
    /// How many pieces have come.
    received: usize,
    /// The most rows of a piece.
    most: i32,
    /// The rows of the next piece.
    next: i32,
    /// The bytes of the widest row so far.
    widest: usize,
    stash: Stash,
    /// The server has given all rows.
    is_done: bool,
    failure: Option<Failure>,
}

/// Rows that were taken in before they were asked for.
#[derive(Debug, Default)]
struct Stash {
    /// Each with its length before it.
    bytes: Vec<u8>,
    read: usize,
}

impl Stash {
    fn put(&mut self, row: &[u8]) {
        self.bytes.extend(row.len().to_ne_bytes());
        self.bytes.extend(row);
    }

    /// Takes the oldest row out, into `row`; whether there was one.
    fn take(&mut self, row: &mut Vec<u8>) -> bool {
        let Some((length, rest)) = self.bytes[self.read..].split_first_chunk() else {
            *self = Stash::default();
            return false;
        };
        let length = usize::from_ne_bytes(*length);
        row.clear();
        row.extend_from_slice(&rest[..length]);
        self.read += size_of::<usize>() + length;
        true
    }
}

impl Portal {
    /// The rows to ask for next.
    fn next_piece(&mut self) -> i32 {
        let by_width = i32::try_from(PIECE / self.widest.max(1)).unwrap_or(i32::MAX);
        let most = by_width.clamp(1, self.most);
        self.next = self.next.saturating_mul(GROWTH).min(most);
        if self.next == most {
            self.window = self.window.max(FULL_SIZE_IN_FLIGHT);
        }
        self.next
    }

    /// Whether another piece is to be asked for.
    #[inline]
    fn wants_more(&self) -> bool {
        !self.is_whole && self.in_flight < self.window
    }

    /// Has more pieces asked for ahead, as TCP does: twice as many each time, though no more than have come.
    #[cold]
    fn grow(&mut self) {
        let piece = usize::try_from(self.next).unwrap_or(1).saturating_mul(self.widest.max(1));
        let most = (self.most_bytes / piece).min(self.received);
        self.window = (2 * self.window).min(most).max(self.window);
    }
}

impl Portals {
    fn find(&mut self, id: PortalId) -> Option<&mut Portal> {
        self.open.iter_mut().find(|portal| portal.id == id)
    }

    /// Takes note that the session begins with a `statement_timeout`.
    pub(super) fn begin_with_time_limit(&mut self) {
        self.has_time_limit = Some(true);
    }

    pub(super) fn are_none(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.open.clear();
        self.in_hand = None;
    }

    /// A new portal, of pieces of so many rows at most; the first piece has so many.
    fn add(&mut self, most_rows: i32) -> (PortalId, i32) {
        self.made += 1;
        let id = PortalId(self.made);
        let first = FIRST.min(most_rows);
        self.open.push(Portal {
            id,
            columns: Arc::new([]),
            is_whole: false,
            in_flight: 0,
            window: FEWEST_IN_FLIGHT,
            most_bytes: 0,
            received: 0,
            most: most_rows,
            next: first,
            widest: 0,
            stash: Stash::default(),
            is_done: false,
            failure: None,
        });
        (id, first)
    }

    fn take_failure(&mut self, id: PortalId) -> Option<Failure> {
        self.find(id).and_then(|portal| portal.failure.take())
    }

    /// What the server said of a portal that has failed, and whose stream has not told it yet.
    pub(super) fn failure(&self) -> Option<&ServerWord> {
        self.open.iter().find_map(|portal| match &portal.failure {
            Some(Failure::Server(word)) => Some(&**word),
            _ => None,
        })
    }
}

impl Wire {
    /// Sets how many bytes of a portal's rows may be in flight.
    pub(in crate::postgres) fn set_most_bytes(&mut self, id: PortalId, bytes: usize) {
        if let Some(portal) = self.portals.find(id) {
            portal.most_bytes = bytes;
        }
    }

    /// The columns of a portal's rows.
    pub(in crate::postgres) fn columns_of(&mut self, id: PortalId) -> Option<Arc<[Column]>> {
        self.portals.find(id).map(|portal| Arc::clone(&portal.columns))
    }

    /// Has a portal's rows read by these columns, before the first of them is.
    pub(in crate::postgres) fn set_columns_of(&mut self, id: PortalId, columns: Arc<[Column]>) {
        if let Some(portal) = self.portals.find(id) {
            portal.columns = columns;
        }
    }

    /// Reads the next row of a portal.
    #[inline]
    pub(in crate::postgres) fn next_of_portal(&mut self, id: PortalId) -> Result<Step, Failure> {
        self.guarded(|wire| wire.step(id))
    }

    fn step(&mut self, id: PortalId) -> Result<Step, Failure> {
        loop {
            let Some(portal) = self.portals.open.iter_mut().find(|portal| portal.id == id) else {
                return Err(Failure::Value("the transaction of this stream has ended".into()));
            };
            if self.portals.in_hand != Some(id) {
                self.columns = portal.columns.clone();
                self.portals.in_hand = Some(id);
            }
            if !portal.stash.bytes.is_empty() {
                let row = self.stashed.get_or_insert_default();
                if portal.stash.take(row) {
                    self.spans.find(self.columns.len(), row)?;
                    return Ok(Step::Row);
                }
            }
            if let Some(failure) = portal.failure.take() {
                return Err(failure);
            }
            if portal.is_done {
                return Ok(Step::Done);
            }
            match self.in_flight.front() {
                Some(Request::Portal(front)) if front.id == id => {
                    let wants_more = portal.wants_more();
                    if front.is_untouched() && !self.messages.has_one() {
                        self.wait_for_piece(id)?;
                    }
                    let kind = self.next_message()?;
                    if kind == kind::ROW {
                        return self.portals_row(id, wants_more);
                    }
                    // The state of the transaction is known at the end of the answer.
                    if !self.take_in_message(kind)? && kind == kind::ERROR {
                        self.take_in_portal()?;
                    }
                }
                Some(Request::Portal(_)) => self.take_in_portal()?,
                Some(Request::Ahead) => self.take_in_ahead()?,
                Some(Request::Statement) => return Err(Failure::Value("another statement is being read".into())),
                None => self.ask(id)?,
            }
        }
    }

    /// Waits for a piece. If that takes long although it was asked for, more are asked for ahead from then on.
    ///
    /// Not in a session with a `statement_timeout`: more than the buffers hold would be in flight, so that the limit ran while the
    /// server waits for a slow consumer.
    #[cold]
    fn wait_for_piece(&mut self, id: PortalId) -> Result<(), Failure> {
        let start = Instant::now();
        self.messages.next_size()?;
        if start.elapsed() > TOO_LATE
            && self.portals.has_time_limit == Some(false)
            && let Some(portal) = self.portals.find(id)
        {
            portal.grow();
        }
        Ok(())
    }

    #[inline]
    fn portals_row(&mut self, id: PortalId, wants_more: bool) -> Result<Step, Failure> {
        self.follow(kind::ROW)?;
        self.stashed = None;
        let width = self.messages.body().len();
        self.spans.find(self.columns.len(), self.messages.body())?;
        if let Some(portal) = self.portals.find(id) {
            portal.widest = portal.widest.max(width);
        }
        if wants_more {
            self.ask(id)?;
        }
        Ok(Step::Row)
    }

    /// Asks for the next pieces of a portal.
    #[cold]
    fn ask(&mut self, id: PortalId) -> Result<(), Failure> {
        let Some(portal) = self.portals.open.iter_mut().find(|portal| portal.id == id) else { return Ok(()) };
        let mut pieces = Vec::new();
        while portal.wants_more() {
            portal.in_flight += 1;
            pieces.push(portal.next_piece());
        }
        self.send(|out| {
            for rows in &pieces {
                frontend::execute(&id.name(), *rows, out)?;
                frontend::sync(out);
            }
            Ok(())
        })?;
        self.in_flight.extend(pieces.into_iter().map(|rows| Request::Portal(PortalRequest::rows(id, rows))));
        Ok(())
    }

    /// Takes in that a message of this kind answers the first request in flight, which is one to a portal; returns the portal,
    /// and what was awaited.
    #[inline]
    fn follow(&mut self, kind: u8) -> Result<(PortalId, Awaits), Failure> {
        let Some(Request::Portal(request)) = self.in_flight.front_mut() else { return Err(unexpected()) };
        let awaited = request.awaits;
        request.follow(kind)?;
        Ok((request.id, awaited))
    }

    /// Takes in the answer to the first request in flight, which is one to a portal.
    pub(super) fn take_in_portal(&mut self) -> Result<(), Failure> {
        while !self.take_in_next()? {}
        Ok(())
    }

    /// Takes in the next message to a portal; its rows are kept until they are asked for. Whether it was the last of its answer.
    fn take_in_next(&mut self) -> Result<bool, Failure> {
        let kind = self.next_message()?;
        if kind != kind::ROW {
            return self.take_in_message(kind);
        }
        let (id, _) = self.follow(kind)?;
        if let Some(portal) = self.portals.open.iter_mut().find(|portal| portal.id == id) {
            let row = self.messages.body();
            portal.widest = portal.widest.max(row.len());
            portal.stash.put(row);
        }
        Ok(false)
    }

    /// Takes in a message to a portal, or to one that is closed, whose rows are thrown away; whether it was the last of its
    /// answer.
    pub(super) fn take_in_message(&mut self, kind: u8) -> Result<bool, Failure> {
        let (id, awaited) = self.follow(kind)?;
        match kind {
            kind::COMPLETE => {
                if let Some(portal) = self.portals.find(id) {
                    match awaited {
                        Awaits::Rows(_) | Awaits::AllRows => portal.is_done = true,
                        Awaits::Committed if self.messages.body().starts_with(b"ROLLBACK") => {
                            portal.failure.get_or_insert(Failure::RolledBack);
                        }
                        _ => {}
                    }
                }
            }
            kind::ERROR => {
                let failure = self.server_failure();
                if self.is_lost() {
                    return Err(failure);
                }
                if awaited == Awaits::ReadyAfterError {
                    return Err(unexpected_kind(kind));
                }
                match self.portals.find(id) {
                    Some(portal) => {
                        portal.failure.get_or_insert(failure);
                    }
                    None => {
                        self.portals.late_failure.get_or_insert(failure);
                    }
                }
            }
            kind::READY => {
                if let Some(portal) = self.portals.find(id) {
                    portal.in_flight = portal.in_flight.saturating_sub(1);
                    portal.received += 1;
                }
                self.ready()?;
                return Ok(true);
            }
            _ => {}
        }
        Ok(false)
    }

    /// Closes a portal, in a transaction that goes on; an error of what was sent ahead for it fails that transaction.
    pub(in crate::postgres) fn close_portal(&mut self, id: PortalId) -> Result<(), Failure> {
        let failure = self.portals.find(id).and_then(|portal| portal.failure.take());
        self.drop_portal(id);
        self.portals.late_failure = failure;
        self.send(|out| {
            frontend::close(b'P', &id.name(), out)?;
            frontend::sync(out);
            Ok(())
        })?;
        self.in_flight.push_back(Request::Portal(PortalRequest::new(id, Awaits::Closed)));
        self.take_in()?;
        match self.portals.late_failure.take() {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    /// Reads the end of a stream's transaction, behind its last row, where COMMIT was sent with it.
    pub(in crate::postgres) fn end_stream(&mut self, id: PortalId) -> Result<(), Failure> {
        self.take_in()?;
        let failure = self.portals.take_failure(id);
        self.drop_portal(id);
        failure.map_or(Ok(()), Err)
    }

    /// Whether the COMMIT of a stream is in flight.
    pub(in crate::postgres) fn is_committing(&self) -> bool {
        let commits =
            |request: &Request| matches!(request, Request::Portal(request) if request.awaits == Awaits::Committed);
        self.in_flight.iter().any(commits)
    }

    /// Whether what was in flight for the portal that was dropped last was cancelled on the server.
    pub(in crate::postgres) fn was_cancelled(&self) -> bool {
        self.portals.late_failure.as_ref().is_some_and(|failure| failure.sqlstate() == Some(QUERY_CANCELED))
    }

    /// Forgets a portal whose transaction ends; what is still to come of it is thrown away.
    pub(in crate::postgres) fn drop_portal(&mut self, id: PortalId) {
        self.portals.open.retain(|portal| portal.id != id);
        self.portals.in_hand = None;
        self.portals.late_failure = None;
    }
}
