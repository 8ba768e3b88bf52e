//! Ending a result that is not wanted any more.

use super::PgConnection;
use crate::net::statements::begins_with;

impl PgConnection {
    /// Ends what is left of the last statement's result.
    pub(crate) fn finish(&mut self) {
        if !self.wire.is_busy() {
            return;
        }
        let rest = self.wire.skip_all();
        if let Err(error) = self.checked(rest) {
            log::warn!("a statement failed after some of its rows were read, and its other rows were not: {error}");
        }
    }
}

/// Whether a statement does nothing but read, by its first word; whoever is in doubt is taken to write, as is what begins
/// with `WITH`.
pub(super) fn only_reads(sql: &str) -> bool {
    begins_with(sql, &["SELECT", "SHOW", "TABLE", "VALUES"])
}
