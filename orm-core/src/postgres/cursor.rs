//! The rows of a statement, as Diesel iterates over them.

use diesel::QueryResult;

use super::{PgConnection, row::PgRow};

/// The rows of a statement, each read from the wire when it is asked for.
///
/// Dropped early, it ends the statement on the server where that undoes nothing, or else reads its rows to their end.
#[must_use = "rows are only read when they are asked for"]
#[derive(Debug)]
pub struct PgCursor<'conn> {
    pub(super) connection: &'conn mut PgConnection,
    pub(super) ended: bool,
}

impl Iterator for PgCursor<'_> {
    type Item = QueryResult<PgRow>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.connection.next_row() {
            Ok(true) => Some(Ok(self.connection.wire.owned_row())),
            Ok(false) => {
                self.ended = true;
                None
            }
            Err(error) => {
                self.ended = true;
                Some(Err(error))
            }
        }
    }
}

impl Drop for PgCursor<'_> {
    fn drop(&mut self) {
        self.connection.finish();
    }
}
