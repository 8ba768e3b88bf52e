//! Portals: the results of streams.
//!
//! A stream that owns its connection is sent in one packet: BEGIN, the statement, an Execute without a row limit, COMMIT. The
//! server sends rows as fast as they are read, TCP holds it back when they are not, and no round trip is needed up to the end.
//!
//! In a user's transaction other statements may run between rows, so rows are asked for in pieces: while one is read the next
//! ones are on their way. Rows in flight when something else is to be sent are received first, and kept with their portal. A
//! session with a `statement_timeout` reads its own streams in pieces, too, so that the limit is for a piece: a
//! consumer may take longer.

use std::sync::Arc;

use bytes::BytesMut;
use postgres_protocol::message::frontend;

use super::{
    Parameters, Request, StatementId, Unsendable, Wire,
    answers::{kind, unanswered, unexpected, unexpected_kind},
    bind,
};
use crate::{
    net::reader::Reader,
    postgres::{
        column::Column,
        error::{Failure, ServerWord},
    },
};

/// Begins the transaction of a stream, and asks for the limit that the session has for each Execute.
const BEGIN: &str = "BEGIN READ ONLY; SHOW statement_timeout";
/// The same for a stream that is read in pieces. The server executes a piece without parallel workers, so a plan that counts
/// on them would be a bad one ("When Can Parallel Query Be Used?" in PostgreSQL's documentation).
const BEGIN_IN_PIECES: &str = "BEGIN READ ONLY; SHOW statement_timeout; SET LOCAL max_parallel_workers_per_gather = 0";
/// What [`BEGIN`] lacks of [`BEGIN_IN_PIECES`].
const PLAN_IN_PIECES: &str = "SET LOCAL max_parallel_workers_per_gather = 0";
const COMMIT: &str = "COMMIT";
/// The row limit of an Execute that has none.
const ALL: i32 = 0;

/// SQLSTATE of a statement that was cancelled.
const QUERY_CANCELED: &str = "57014";

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

/// A request for a portal: to open it and fetch its first rows, to fetch more, or to close it; or to begin or commit the
/// transaction of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PortalRequest {
    id: PortalId,
    awaits: Awaits,
    /// The row limit of its Execute.
    limit: i32,
}

/// What a request for a portal is to be answered with next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaits {
    /// BEGIN is complete.
    Begun,
    /// The description, the row and the end of `SHOW statement_timeout`.
    Setting,
    SettingRow,
    SettingShown,
    /// [`PLAN_IN_PIECES`] is complete.
    PlanSet,
    Parsed,
    Bound,
    Columns,
    /// At most so many rows.
    Rows(i32),
    AllRows,
    Closed,
    /// COMMIT is complete.
    Committed,
    Ready,
    /// The end, after an error.
    ReadyAfterError,
}

impl PortalRequest {
    fn begin(id: PortalId, limit: i32) -> Self {
        PortalRequest { id, awaits: Awaits::Begun, limit }
    }

    fn new(id: PortalId, awaits: Awaits) -> Self {
        PortalRequest { id, awaits, limit: ALL }
    }

    fn open(id: PortalId, limit: i32) -> Self {
        PortalRequest { id, awaits: Awaits::Parsed, limit }
    }

    fn rows(id: PortalId, limit: i32) -> Self {
        PortalRequest { id, awaits: Awaits::Rows(limit), limit }
    }

    /// Whether the statement of this request may still run.
    pub(super) fn may_run(&self) -> bool {
        matches!(self.awaits, Awaits::Parsed | Awaits::Bound | Awaits::Columns | Awaits::Rows(_) | Awaits::AllRows)
    }

    /// Whether any number of rows may still come.
    pub(super) fn is_unlimited(&self) -> bool {
        self.limit == ALL && self.may_run()
    }

    /// Takes in a message of this kind, unless it has no place in the answer: whatever may come comes a limited number of
    /// times, so that every answer ends. The rows of an Execute without a limit end with the statement.
    #[inline]
    fn follow(&mut self, kind: u8) -> Result<(), Failure> {
        self.awaits = match (self.awaits, kind) {
            (Awaits::AllRows, kind::ROW) => return Ok(()),
            (Awaits::Rows(left @ 1..), kind::ROW) => Awaits::Rows(left - 1),
            (Awaits::Rows(_), kind::ROW) => {
                return Err(Failure::protocol("it sent more rows of a portal than were asked for"));
            }
            (Awaits::Rows(1..), kind::SUSPENDED) => {
                return Err(Failure::protocol("it suspended a portal before it had sent the rows that were asked for"));
            }
            (Awaits::AllRows, kind::SUSPENDED) => {
                return Err(Failure::protocol("it suspended a portal that was executed without a row limit"));
            }
            (Awaits::Rows(_), kind::SUSPENDED | kind::COMPLETE) | (Awaits::AllRows, kind::COMPLETE) => Awaits::Ready,
            (Awaits::Rows(_) | Awaits::AllRows, kind::READY) => return Err(unanswered()),
            (Awaits::Ready | Awaits::ReadyAfterError, kind::READY) => self.awaits,
            (Awaits::Parsed, kind::PARSED) => Awaits::Bound,
            (Awaits::Bound, kind::BOUND) => Awaits::Columns,
            (Awaits::Columns, kind::COLUMNS | kind::NO_ROWS) if self.limit == ALL => Awaits::AllRows,
            (Awaits::Columns, kind::COLUMNS | kind::NO_ROWS) => Awaits::Rows(self.limit),
            (Awaits::Begun, kind::COMPLETE) => Awaits::Setting,
            (Awaits::Setting, kind::COLUMNS) => Awaits::SettingRow,
            (Awaits::SettingRow, kind::ROW) => Awaits::SettingShown,
            (Awaits::SettingShown, kind::COMPLETE) if self.limit != ALL => Awaits::PlanSet,
            (Awaits::SettingShown | Awaits::PlanSet | Awaits::Committed, kind::COMPLETE) => Awaits::Ready,
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
    /// Whether the session has a `statement_timeout`, as it was when a stream asked last.
    has_time_limit: Option<bool>,
}

/// A stream that was opened in a transaction of its own.
#[derive(Clone, Copy, Debug)]
pub(in crate::postgres) enum OpenedStream {
    /// It is executed without a row limit, and COMMIT is sent behind it.
    Whole(PortalId),
    /// It is read in pieces, and its transaction is still to be ended.
    InPieces(PortalId),
    /// The session has a `statement_timeout` that it did not have before, so it has to be opened anew.
    Limited(PortalId),
}

#[derive(Debug)]
struct Portal {
    id: PortalId,
    columns: Arc<[Column]>,
    /// It was executed without a row limit.
    is_whole: bool,
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
        !self.is_whole && self.in_flight < if self.has_full_size { 3 } else { 2 }
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
            most: most_rows,
            next: first,
            has_full_size: false,
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
    /// Opens a stream in a transaction of its own: of all rows at once, or in pieces where each Execute has a time limit.
    ///
    /// Where that fails, what was sent may still be in flight, and its transaction open.
    pub(in crate::postgres) fn open_stream(
        &mut self,
        sql: &str,
        parameters: &Parameters,
        most_rows: i32,
    ) -> Result<OpenedStream, Failure> {
        self.take_in_and_check()?;
        let (id, first) = self.portals.add(most_rows);
        let opened = self.begin_stream(id, first, sql, parameters);
        if opened.is_err() {
            self.drop_portal(id);
        }
        opened
    }

    fn begin_stream(
        &mut self,
        id: PortalId,
        first: i32,
        sql: &str,
        parameters: &Parameters,
    ) -> Result<OpenedStream, Failure> {
        let known = self.portals.has_time_limit;
        if known.is_none() {
            // Once for a connection, this is a round trip of its own.
            self.send(|out| {
                parameters.are_few_enough()?;
                Ok(frontend::query(BEGIN, out)?)
            })?;
            self.in_flight.push_back(Request::Portal(PortalRequest::begin(id, ALL)));
            self.guarded(|wire| wire.read_begin(id))?;
        }
        let has_limit = self.portals.has_time_limit == Some(true);
        let limit = if has_limit { first } else { ALL };
        let command = match (known, has_limit) {
            (None, false) => None,
            (None, true) => Some((PLAN_IN_PIECES, PortalRequest::new(id, Awaits::PlanSet))),
            (Some(_), false) => Some((BEGIN, PortalRequest::begin(id, limit))),
            (Some(_), true) => Some((BEGIN_IN_PIECES, PortalRequest::begin(id, limit))),
        };
        self.send(|out| {
            parameters.are_few_enough()?;
            if let Some((command, _)) = command {
                frontend::query(command, out)?;
            }
            open(id, sql, parameters, limit, out)?;
            if !has_limit {
                frontend::query(COMMIT, out)?;
            }
            Ok(())
        })?;
        self.in_flight.extend(command.map(|(_, request)| Request::Portal(request)));
        self.in_flight.push_back(Request::Portal(PortalRequest::open(id, limit)));
        if !has_limit {
            self.in_flight.push_back(Request::Portal(PortalRequest::new(id, Awaits::Committed)));
        }
        if command.is_some() {
            self.guarded(|wire| wire.read_begin(id))?;
        }
        if let Some(portal) = self.portals.find(id) {
            (portal.in_flight, portal.is_whole) = (1, !has_limit);
        }
        if !has_limit && self.portals.has_time_limit == Some(true) {
            return Ok(OpenedStream::Limited(id));
        }
        self.guarded(|wire| wire.read_opening(id))?;
        Ok(if has_limit { OpenedStream::InPieces(id) } else { OpenedStream::Whole(id) })
    }

    /// Opens a portal in the transaction that is open, and asks for its first rows, all in one.
    pub(in crate::postgres) fn open_portal(
        &mut self,
        sql: &str,
        parameters: &Parameters,
        most_rows: i32,
    ) -> Result<PortalId, Failure> {
        self.take_in_and_check()?;
        let (id, first) = self.portals.add(most_rows);
        let opened = self
            .send(|out| {
                parameters.are_few_enough()?;
                open(id, sql, parameters, first, out)
            })
            .and_then(|()| {
                self.in_flight.push_back(Request::Portal(PortalRequest::open(id, first)));
                if let Some(portal) = self.portals.find(id) {
                    portal.in_flight = 1;
                }
                self.guarded(|wire| {
                    let opened = wire.read_opening(id);
                    if opened.is_err() && !wire.is_lost() {
                        wire.take_in_portal()?;
                    }
                    opened
                })
            });
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

    /// Reads the answer to the command that begins a stream's transaction, or prepares it.
    fn read_begin(&mut self, id: PortalId) -> Result<(), Failure> {
        loop {
            let kind = self.next_message()?;
            if kind == kind::ROW {
                self.portals.has_time_limit = Some(setting(self.messages.body())? != b"0");
            }
            if self.take_in_message(kind)? {
                return self.portals.take_failure(id).map_or(Ok(()), Err);
            }
        }
    }

    /// Reads up to the columns of a portal. An error leaves the end of its answer in flight.
    fn read_opening(&mut self, id: PortalId) -> Result<(), Failure> {
        loop {
            let kind = self.next_message()?;
            match kind {
                kind::PARSED | kind::BOUND | kind::COLUMNS | kind::NO_ROWS | kind::ERROR => {
                    self.take_in_message(kind)?;
                }
                _ => return Err(unexpected()),
            }
            if let Some(failure) = self.portals.take_failure(id) {
                return Err(failure);
            }
            if kind == kind::COLUMNS {
                let columns = Column::parse_all(self.messages.body())?;
                self.set_columns_of(id, columns);
                return Ok(());
            }
            if kind == kind::NO_ROWS {
                return Err(Failure::Value("a statement that gives no rows cannot be streamed".into()));
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
                Some(Request::Ahead) => self.take_in_ahead()?,
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
        self.in_flight.push_back(Request::Portal(PortalRequest::rows(id, rows)));
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

/// Writes the messages that open a portal and ask for its first rows.
fn open(id: PortalId, sql: &str, parameters: &Parameters, limit: i32, out: &mut BytesMut) -> Result<(), Unsendable> {
    let statement = StatementId::UNNAMED.name();
    frontend::parse(&statement, sql, parameters.types.iter().copied(), out)?;
    bind(&id.name(), &statement, parameters, out)?;
    frontend::describe(b'P', &id.name(), out)?;
    if limit == ALL {
        // The columns are sent at once, and not with the first rows, which a sort may keep back for long.
        frontend::flush(out);
    }
    frontend::execute(&id.name(), limit, out)?;
    frontend::sync(out);
    Ok(())
}

/// The value in the only row of a `SHOW`.
fn setting(row: &[u8]) -> Result<&[u8], Failure> {
    let mut row = Reader::new(row);
    let [_, _, length @ ..]: [u8; 6] = row.array()?;
    Ok(row.bytes(usize::try_from(i32::from_be_bytes(length)).map_err(|_| unexpected())?)?)
}
