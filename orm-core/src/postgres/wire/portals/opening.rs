//! Opening portals: the streams of a pool with their transaction, and those in a user's.

use bytes::BytesMut;
use postgres_protocol::message::frontend;

use super::{
    PortalId,
    request::{ALL, Awaits, PortalRequest},
};
use crate::{
    net::reader::Reader,
    postgres::{
        column::Column,
        error::Failure,
        wire::{
            Parameters, Request, StatementId, Unsendable, Wire,
            answers::{kind, unexpected},
            bind, deferred,
        },
    },
};

/// Begins the transaction of a stream, and asks for the limit that the session has for each Execute.
const BEGIN: &str = "BEGIN READ ONLY; SHOW statement_timeout";
/// The same for a stream that is read in pieces. The server executes a piece without parallel workers, so a plan that counts
/// on them would be a bad one ("When Can Parallel Query Be Used?" in PostgreSQL's documentation).
const BEGIN_IN_PIECES: &str = "BEGIN READ ONLY; SHOW statement_timeout; SET LOCAL max_parallel_workers_per_gather = 0";
const COMMIT: &str = "COMMIT";
/// Asks for that limit in a user's transaction.
const SHOW: &str = "SHOW statement_timeout";

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
        // A session that has not been asked yet mostly has none; else this is opened anew, once for a connection.
        let has_limit = self.portals.has_time_limit.unwrap_or(false);
        let limit = if has_limit { first } else { ALL };
        self.send(|out| {
            parameters.are_few_enough()?;
            frontend::query(if has_limit { BEGIN_IN_PIECES } else { BEGIN }, out)?;
            open(id, sql, parameters, limit, out)?;
            if !has_limit {
                frontend::query(COMMIT, out)?;
            }
            Ok(())
        })?;
        self.in_flight.push_back(Request::Portal(PortalRequest::begin(id, limit)));
        self.in_flight.push_back(Request::Portal(PortalRequest::open(id, limit)));
        if !has_limit {
            self.in_flight.push_back(Request::Portal(PortalRequest::new(id, Awaits::Committed)));
        }
        self.guarded(|wire| wire.read_begin(id))?;
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
        self.take_in_and_check_failure()?;
        let (id, first) = self.portals.add(most_rows);
        let opened = self.open_in_pieces(id, first, sql, parameters);
        if opened.is_err() {
            self.drop_portal(id);
            if !self.is_lost() {
                self.take_in()?;
            }
        }
        opened.map(|()| id)
    }

    fn open_in_pieces(&mut self, id: PortalId, first: i32, sql: &str, parameters: &Parameters) -> Result<(), Failure> {
        let deferred = self.deferred.clone();
        self.send(|out| {
            parameters.are_few_enough()?;
            frontend::query(SHOW, out)?;
            deferred::write(&deferred, out)?;
            open(id, sql, parameters, first, out)
        })?;
        self.in_flight.push_back(Request::Portal(PortalRequest::new(id, Awaits::Setting)));
        self.in_flight.push_back(Request::Portal(PortalRequest::open(id, first).behind(deferred.len())));
        let shown = self.guarded(|wire| wire.read_begin(id));
        self.deferred_were_sent();
        shown?;
        if let Some(portal) = self.portals.find(id) {
            portal.in_flight = 1;
        }
        self.guarded(|wire| wire.read_opening(id))
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
                kind::PARSED | kind::BOUND | kind::COMPLETE | kind::COLUMNS | kind::NO_ROWS | kind::ERROR => {
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
