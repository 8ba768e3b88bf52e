//! What streams are made of.

use diesel::{QueryResult, debug_query, pg::Pg, query_builder::QueryFragment};

use super::{
    PgConnection,
    error::Failure,
    wire::{OpenedStream, PortalId, Step},
};

/// A statement whose rows are streamed.
#[derive(Debug)]
pub(crate) struct Portal {
    pub(super) id: PortalId,
    transaction: PortalTransaction,
    /// The transaction has ended, if it is the portal's own.
    has_ended: bool,
}

/// The transaction of a portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PortalTransaction {
    /// Another one, which goes on after it.
    Users,
    /// Its own; rows are asked for in pieces, and then it is committed.
    Own,
    /// Its own, whose COMMIT is sent already.
    OwnCommitted,
}

impl PgConnection {
    /// Opens a stream of a statement's rows; in a transaction of its own, or in the one that is open. Where rows are asked for
    /// in pieces, these have so many rows at most.
    pub(crate) fn open_portal<T: QueryFragment<Pg>>(
        &mut self,
        source: &T,
        owns_transaction: bool,
        most_rows: usize,
    ) -> QueryResult<Portal> {
        let most_rows = i32::try_from(most_rows).unwrap_or(i32::MAX).max(1);
        let mut portal = self.open_once(source, owns_transaction, most_rows)?;
        if let Some(unknown) = self.unknown_types_of(&portal) {
            // Once for a type and a connection. The catalog cannot be asked while all rows of a stream come.
            let is_exclusive = portal.transaction == PortalTransaction::OwnCommitted;
            if is_exclusive {
                self.close_portal(&mut portal)?;
            }
            if let Err(error) = self.look_up_types(&unknown) {
                let _ = self.close_portal(&mut portal);
                return Err(error);
            }
            if is_exclusive {
                portal = self.open_once(source, owns_transaction, most_rows)?;
            }
        }
        self.set_types_of(&portal);
        Ok(portal)
    }

    fn open_once<T: QueryFragment<Pg>>(
        &mut self,
        source: &T,
        owns_transaction: bool,
        most_rows: i32,
    ) -> QueryResult<Portal> {
        self.observed(&debug_query::<Pg, _>(source), |connection| {
            connection.finish();
            let (sql, parameters) = connection.written(source)?;
            let opened = if owns_transaction {
                connection.open_stream(|connection| connection.wire.open_stream(&sql, &parameters, most_rows))
            } else {
                let opened = connection.wire.open_portal(&sql, &parameters, most_rows);
                opened.map(|id| Portal { id, transaction: PortalTransaction::Users, has_ended: false })
            };
            connection.checked(opened.map_err(|failure| parameters.without_value(failure)))
        })
    }

    fn open_stream(
        &mut self,
        mut open: impl FnMut(&mut Self) -> Result<OpenedStream, Failure>,
    ) -> Result<Portal, Failure> {
        loop {
            let (id, transaction) = match open(self) {
                Ok(OpenedStream::Whole(id)) => (id, PortalTransaction::OwnCommitted),
                Ok(OpenedStream::InPieces(id)) => (id, PortalTransaction::Own),
                Ok(OpenedStream::Limited(id)) => {
                    self.wire.drop_portal(id);
                    self.abandon()?;
                    continue;
                }
                Err(failure) => {
                    if !self.wire.is_lost() {
                        let _ = self.abandon_and_roll_back();
                    }
                    return Err(failure);
                }
            };
            return Ok(Portal { id, transaction, has_ended: false });
        }
    }

    /// Sets how many bytes may be in flight of a portal whose rows are asked for in pieces.
    pub(crate) fn limit_bytes_ahead(&mut self, portal: &Portal, bytes: usize) {
        self.wire.set_most_bytes(portal.id, bytes);
    }

    /// Reads the next row of a portal; `false` after the last one.
    #[inline]
    pub(crate) fn next_of_portal(&mut self, portal: &mut Portal) -> QueryResult<bool> {
        match self.wire.next_of_portal(portal.id) {
            Ok(Step::Row) => Ok(true),
            other => self.no_row(portal, other.map(|_| ())),
        }
    }

    /// The end, or an error.
    #[cold]
    fn no_row(&mut self, portal: &mut Portal, end: Result<(), Failure>) -> QueryResult<bool> {
        // What a serializable transaction has read counts only once it is committed.
        let end = match portal.transaction {
            PortalTransaction::OwnCommitted if !portal.has_ended => {
                portal.has_ended = true;
                let committed = self.wire.end_stream(portal.id);
                end.and(committed)
            }
            PortalTransaction::Own if !portal.has_ended && end.is_ok() => {
                portal.has_ended = true;
                self.wire.command_ahead("COMMIT")
            }
            _ => end,
        };
        self.checked(end).map(|()| false)
    }

    /// Closes a portal, and ends the transaction that is its own; what is left of its rows is not read.
    pub(crate) fn close_portal(&mut self, portal: &mut Portal) -> QueryResult<()> {
        self.finish();
        let has_ended = std::mem::replace(&mut portal.has_ended, true);
        let closed = match portal.transaction {
            _ if has_ended || self.wire.is_lost() => Ok(()),
            PortalTransaction::Users => self.wire.close_portal(portal.id),
            PortalTransaction::Own | PortalTransaction::OwnCommitted => {
                self.wire.drop_portal(portal.id);
                self.abandon_and_roll_back()
            }
        };
        self.checked(closed)
    }

    /// Ends a stream and its transaction, whether COMMIT was sent for it or not.
    fn abandon_and_roll_back(&mut self) -> Result<(), Failure> {
        if !self.wire.is_committing() && self.in_transaction() {
            self.wire.send_command("ROLLBACK")?;
        }
        self.abandon()
    }
}
