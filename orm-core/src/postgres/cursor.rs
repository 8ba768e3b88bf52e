//! The rows of a statement, as Diesel iterates over them.

use diesel::{QueryResult, result::Error as DieselError};

use super::{PgConnection, row::PgRow};

/// The rows of a statement, each read from the wire when it is asked for.
///
/// It is one row ahead: the server stores what a statement without a transaction has done at the end of its answer, and
/// whoever asks for one row, and no more, must hear if that fails. Dropped early, it reads the statement's rows to their
/// end.
#[must_use = "rows are only read when they are asked for"]
#[derive(Debug)]
pub struct PgCursor<'conn> {
    connection: &'conn mut PgConnection,
    given: bool,
    ended: bool,
    /// Met behind a row that was given.
    failure: Option<DieselError>,
}

impl<'conn> PgCursor<'conn> {
    pub(super) fn new(connection: &'conn mut PgConnection) -> Self {
        PgCursor { connection, given: false, ended: false, failure: None }
    }
}

impl Iterator for PgCursor<'_> {
    type Item = QueryResult<PgRow>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(failure) = self.failure.take() {
            return Some(Err(failure));
        }
        if self.ended {
            return None;
        }
        let row = match self.connection.next_row() {
            Ok(true) => self.connection.wire.owned_row(),
            Ok(false) => {
                self.ended = true;
                return None;
            }
            Err(error) => {
                self.ended = true;
                return Some(Err(error));
            }
        };
        let is_first = !std::mem::replace(&mut self.given, true);
        if let Err(error) = self.connection.look_ahead() {
            self.ended = true;
            if is_first {
                return Some(Err(error));
            }
            self.failure = Some(error);
        }
        Some(Ok(row))
    }
}

impl Drop for PgCursor<'_> {
    fn drop(&mut self) {
        self.connection.finish();
    }
}
