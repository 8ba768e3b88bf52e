//! Requests for portals, and what may answer them.

use super::PortalId;
use crate::postgres::{
    error::Failure,
    wire::{
        answers::{kind, unanswered, unexpected_kind},
        deferred,
    },
};

/// The row limit of an Execute that has none.
pub(super) const ALL: i32 = 0;

/// A request for a portal: to open it and fetch its first rows, to fetch more, or to close it; or to begin or commit the
/// transaction of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::postgres::wire) struct PortalRequest {
    pub(super) id: PortalId,
    pub(super) awaits: Awaits,
    /// The row limit of its Execute.
    limit: i32,
}

/// What a request for a portal is to be answered with next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaits {
    /// BEGIN is complete.
    Begun,
    /// The description, the row and the end of `SHOW statement_timeout`.
    Setting,
    SettingRow,
    SettingShown,
    /// The SET behind it is complete.
    PlanSet,
    /// So many messages that answer deferred commands, before those of the portal.
    Deferred(usize),
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
    pub(super) fn begin(id: PortalId, limit: i32) -> Self {
        PortalRequest { id, awaits: Awaits::Begun, limit }
    }

    pub(super) fn new(id: PortalId, awaits: Awaits) -> Self {
        PortalRequest { id, awaits, limit: ALL }
    }

    pub(super) fn open(id: PortalId, limit: i32) -> Self {
        PortalRequest { id, awaits: Awaits::Parsed, limit }
    }

    /// The same behind so many deferred commands.
    pub(super) fn behind(self, commands: usize) -> Self {
        if commands == 0 {
            self
        } else {
            PortalRequest { awaits: Awaits::Deferred(deferred::messages(commands)), ..self }
        }
    }

    pub(super) fn rows(id: PortalId, limit: i32) -> Self {
        PortalRequest { id, awaits: Awaits::Rows(limit), limit }
    }

    /// Whether the statement of this request may still run.
    pub(in crate::postgres::wire) fn may_run(&self) -> bool {
        matches!(
            self.awaits,
            Awaits::Deferred(_) | Awaits::Parsed | Awaits::Bound | Awaits::Columns | Awaits::Rows(_) | Awaits::AllRows
        )
    }

    /// Whether nothing has come of a piece.
    #[inline]
    pub(super) fn is_untouched(&self) -> bool {
        self.awaits == Awaits::Rows(self.limit)
    }

    /// Whether any number of rows may still come.
    pub(in crate::postgres::wire) fn is_unlimited(&self) -> bool {
        self.limit == ALL && self.may_run()
    }

    /// Takes in a message of this kind, unless it has no place in the answer: whatever may come comes a limited number of
    /// times, so that every answer ends. The rows of an Execute without a limit end with the statement.
    #[inline]
    pub(super) fn follow(&mut self, kind: u8) -> Result<(), Failure> {
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
            (Awaits::Deferred(1), kind::COMPLETE) => Awaits::Parsed,
            (Awaits::Deferred(left @ 1..), _) if deferred::is_next(left, kind) => Awaits::Deferred(left - 1),
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
