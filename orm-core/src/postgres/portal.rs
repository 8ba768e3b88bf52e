//! What streams are made of: a statement whose rows are asked for piece by piece.

use diesel::{QueryResult, debug_query, pg::Pg, query_builder::QueryFragment};

use super::{
    PgConnection,
    error::Failure,
    wire::{PortalId, Step},
};

/// A portal lives as long as its transaction. One that is fetched in pieces is executed without parallel workers, so a
/// plan that counts on them would be a bad one ("When Can Parallel Query Be Used?" in PostgreSQL's documentation).
const BEGIN: &str = "BEGIN READ ONLY; SET LOCAL max_parallel_workers_per_gather = 0";

/// A statement whose rows are asked for piece by piece.
#[derive(Debug)]
pub(crate) struct Portal {
    pub(super) id: PortalId,
    /// It has a transaction of its own, which ends with it.
    owns_transaction: bool,
    /// That transaction has ended.
    has_ended: bool,
}

impl PgConnection {
    /// Opens a portal for a statement, whose pieces are of so many rows at most; in a transaction of its own, or in the one
    /// that is open.
    pub(crate) fn open_portal<T: QueryFragment<Pg>>(
        &mut self,
        source: &T,
        owns_transaction: bool,
        most_rows: usize,
    ) -> QueryResult<Portal> {
        self.observed(&debug_query::<Pg, _>(source), |connection| {
            connection.finish();
            let (sql, parameters) = connection.written(source)?;
            let most_rows = i32::try_from(most_rows).unwrap_or(i32::MAX);
            let opened =
                connection.wire.open_portal(owns_transaction.then_some(BEGIN), &sql, &parameters, most_rows.max(1));
            if opened.is_err() && owns_transaction && !connection.wire.is_lost() && connection.in_transaction() {
                let _ = connection.wire.command_ahead("ROLLBACK");
            }
            let id = connection.checked(opened.map_err(|failure| parameters.without_value(failure)))?;
            Ok(Portal { id, owns_transaction, has_ended: false })
        })
        .and_then(|portal| match self.look_up_types_of(&portal) {
            Ok(()) => Ok(portal),
            Err(error) => {
                let _ = self.close_portal(&portal);
                Err(error)
            }
        })
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
        let end = if end.is_ok() && portal.owns_transaction && !portal.has_ended {
            portal.has_ended = true;
            // What a serializable transaction has read counts only once it is committed.
            self.wire.command_ahead("COMMIT")
        } else {
            end
        };
        self.checked(end).map(|()| false)
    }

    /// Closes a portal, and ends the transaction that is its own; what was asked for and has not come yet is read and thrown
    /// away.
    pub(crate) fn close_portal(&mut self, portal: &Portal) -> QueryResult<()> {
        self.finish();
        let closed = if self.wire.is_lost() || portal.has_ended {
            Ok(())
        } else if portal.owns_transaction {
            // Nothing but this portal is of the transaction, so that it may be cancelled.
            self.wire.drop_portal(portal.id);
            self.wire.send_command("ROLLBACK").and_then(|()| self.end_soon())
        } else {
            self.wire.close_portal(portal.id)
        };
        self.checked(closed)
    }
}
