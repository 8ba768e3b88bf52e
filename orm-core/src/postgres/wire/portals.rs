//! Portals: results that are asked for piece by piece.
//!
//! A piece is small, whatever the chunks of a stream are, and while one is read the next ones are on their way: the server
//! works while rows are used, and whoever stops early has little left to read. What is in flight
//! when something else is to be sent is taken in, and kept with its portal.

use std::sync::Arc;

use postgres_protocol::message::frontend;

use super::{
    Parameters, Request, StatementId, Wire,
    answers::{Reading, kind, unanswered, unexpected, unexpected_kind},
    bind,
};
use crate::postgres::{
    column::Column,
    error::{Failure, ServerWord},
};

/// The rows of the first piece: the first row comes at once, and then the width of a row is known.
const FIRST: i32 = 4;
/// How much larger a piece may be than the one before.
const GROWTH: i32 = 2;
/// About the bytes of a piece. It is in the system's buffers while the rows before it are used, so that the server does not
/// wait for a slow reader with its statement timeout running.
const PIECE: usize = 64 << 10;

/// The number in the name of a portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::postgres) struct PortalId(u64);

impl PortalId {
    pub(in crate::postgres) fn name(self) -> String {
        format!("orm_core_{}", self.0)
    }
}

/// A request for a portal: to open it and fetch its first rows, to fetch more, or to close it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PortalRequest {
    id: PortalId,
    awaits: Awaits,
    /// How many of the rows that were asked for may still come.
    rows: i32,
}

/// What a request for a portal is to be answered with next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaits {
    Parsed,
    Bound,
    Columns,
    Rows,
    Closed,
    Ready,
    /// The end, after an error.
    ReadyAfterError,
}

impl PortalRequest {
    /// Takes in a message of this kind, unless it has no place in the answer: whatever may come comes a limited number of
    /// times, so that every answer ends.
    #[inline]
    fn follow(&mut self, kind: u8) -> Result<(), Failure> {
        self.awaits = match (self.awaits, kind) {
            (Awaits::Rows, kind::ROW) if self.rows > 0 => {
                self.rows -= 1;
                return Ok(());
            }
            (Awaits::Rows, kind::ROW) => {
                return Err(Failure::protocol("it sent more rows of a portal than were asked for"));
            }
            (Awaits::Rows, kind::SUSPENDED) if self.rows > 0 => {
                return Err(Failure::protocol("it suspended a portal before it had sent the rows that were asked for"));
            }
            (Awaits::Rows, kind::SUSPENDED | kind::COMPLETE) => Awaits::Ready,
            (Awaits::Rows, kind::READY) => return Err(unanswered()),
            (Awaits::Ready | Awaits::ReadyAfterError, kind::READY) => self.awaits,
            (Awaits::Parsed, kind::PARSED) => Awaits::Bound,
            (Awaits::Bound, kind::BOUND) => Awaits::Columns,
            (Awaits::Columns, kind::COLUMNS | kind::NO_ROWS) => Awaits::Rows,
            (Awaits::Closed, kind::CLOSED) => Awaits::Ready,
            (_, kind::ERROR) => Awaits::ReadyAfterError,
            _ => return Err(unexpected_kind(kind)),
        };
        Ok(())
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
}

#[derive(Debug)]
struct Portal {
    id: PortalId,
    columns: Arc<[Column]>,
    /// Requests for rows that are in flight.
    in_flight: usize,
    /// The most rows of a piece.
    most: i32,
    /// The rows of the next piece.
    next: i32,
    /// Whether pieces grow no more.
    has_full_size: bool,
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
        self.has_full_size = self.next == most;
        self.next
    }

    /// Whether another piece is to be asked for: one is on its way while one is read, and two once they have their full size,
    /// so that the server has something to do whenever it has done one.
    #[inline]
    fn wants_more(&self) -> bool {
        self.in_flight < if self.has_full_size { 3 } else { 2 }
    }
}

impl Portals {
    fn find(&mut self, id: PortalId) -> Option<&mut Portal> {
        self.open.iter_mut().find(|portal| portal.id == id)
    }

    pub(super) fn are_none(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.open.clear();
        self.in_hand = None;
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
    /// Opens a portal, behind `begin` if a transaction is to be begun for it, and asks for its first rows, all in one.
    pub(in crate::postgres) fn open_portal(
        &mut self,
        begin: Option<&str>,
        sql: &str,
        parameters: &Parameters,
        most_rows: i32,
    ) -> Result<PortalId, Failure> {
        self.take_in_and_check()?;
        self.portals.made += 1;
        let id = PortalId(self.portals.made);
        let statement = StatementId::UNNAMED.name();
        let first = FIRST.min(most_rows);
        self.send(|out| {
            parameters.are_few_enough()?;
            if let Some(begin) = begin {
                frontend::query(begin, out)?;
            }
            frontend::parse(&statement, sql, parameters.types.iter().copied(), out)?;
            bind(&id.name(), &statement, parameters, out)?;
            frontend::describe(b'P', &id.name(), out)?;
            frontend::execute(&id.name(), first, out)?;
            frontend::sync(out);
            Ok(())
        })?;
        if begin.is_some() {
            self.in_flight.push_back(Request::Statement);
        }
        self.in_flight.push_back(Request::Portal(PortalRequest { id, awaits: Awaits::Parsed, rows: first }));
        self.portals.open.push(Portal {
            id,
            columns: Arc::new([]),
            in_flight: 1,
            most: most_rows,
            next: first,
            has_full_size: false,
            widest: 0,
            stash: Stash::default(),
            is_done: false,
            failure: None,
        });
        let opened = self.guarded(|wire| wire.read_opening(begin, id));
        if opened.is_err() {
            self.drop_portal(id);
        }
        opened.map(|()| id)
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

    fn read_opening(&mut self, begin: Option<&str>, id: PortalId) -> Result<(), Failure> {
        if let Some(begin) = begin {
            self.reading = Some(Reading::command(begin));
            if let Err(failure) = self.skip_all() {
                // What was sent behind it has failed as well, or has opened a portal that ended at once.
                if !self.is_lost() {
                    self.drop_portal(id);
                    self.take_in_portal()?;
                }
                return Err(failure);
            }
        }
        loop {
            let kind = self.next_message()?;
            if kind != kind::ERROR {
                self.follow(kind)?;
            }
            match kind {
                kind::PARSED | kind::BOUND => {}
                kind::COLUMNS => {
                    let columns = Column::parse_all(self.messages.body())?;
                    if let Some(portal) = self.portals.find(id) {
                        portal.columns = columns;
                    }
                    return Ok(());
                }
                kind::NO_ROWS => {
                    self.drop_portal(id);
                    self.take_in_portal()?;
                    return Err(Failure::Value("a statement that gives no rows cannot be streamed".into()));
                }
                kind::ERROR => {
                    let failure = self.server_failure();
                    if !self.is_lost() {
                        self.follow(kind)?;
                        self.drop_portal(id);
                        self.take_in_portal()?;
                    }
                    return Err(failure);
                }
                _ => return Err(unexpected()),
            }
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
                Some(Request::Statement) => return Err(Failure::Value("another statement is being read".into())),
                None => self.ask(id)?,
            }
        }
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

    /// Asks for the next piece of a portal.
    #[cold]
    fn ask(&mut self, id: PortalId) -> Result<(), Failure> {
        let Some(portal) = self.portals.find(id) else { return Ok(()) };
        portal.in_flight += 1;
        let rows = portal.next_piece();
        self.send(|out| {
            frontend::execute(&id.name(), rows, out)?;
            frontend::sync(out);
            Ok(())
        })?;
        self.in_flight.push_back(Request::Portal(PortalRequest { id, awaits: Awaits::Rows, rows }));
        Ok(())
    }

    /// Takes in that a message of this kind answers the first request in flight, which is one to a portal; says which portal,
    /// and whether an error had come before.
    #[inline]
    fn follow(&mut self, kind: u8) -> Result<(PortalId, bool), Failure> {
        let Some(Request::Portal(request)) = self.in_flight.front_mut() else { return Err(unexpected()) };
        let has_failed = request.awaits == Awaits::ReadyAfterError;
        request.follow(kind)?;
        Ok((request.id, has_failed))
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
        let (id, has_failed) = self.follow(kind)?;
        match kind {
            kind::COMPLETE => {
                if let Some(portal) = self.portals.find(id) {
                    portal.is_done = true;
                }
            }
            kind::ERROR => {
                let failure = self.server_failure();
                if self.is_lost() {
                    return Err(failure);
                }
                if has_failed {
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
                    portal.in_flight -= 1;
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
        self.in_flight.push_back(Request::Portal(PortalRequest { id, awaits: Awaits::Closed, rows: 0 }));
        self.take_in()?;
        match self.portals.late_failure.take() {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    /// Forgets a portal whose transaction ends; what is still to come of it is thrown away.
    pub(in crate::postgres) fn drop_portal(&mut self, id: PortalId) {
        self.portals.open.retain(|portal| portal.id != id);
        self.portals.in_hand = None;
        self.portals.late_failure = None;
    }
}
