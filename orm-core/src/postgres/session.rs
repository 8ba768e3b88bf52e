//! What a session is made again when somebody has had it who may have changed it.

use super::{PgConnection, error::Failure};
use crate::net::socket::Deadline;

impl PgConnection {
    /// Makes the session as new, for the next who has the connection: what somebody has set, locked, prepared or left
    /// open in it is gone.
    pub(crate) fn renew(&mut self) -> diesel::QueryResult<()> {
        self.finish();
        self.wire.clear_deferred();
        let renewed = self.within_connect_timeout(|connection| {
            if connection.in_transaction() {
                connection.wire.query("ROLLBACK")?;
            }
            connection.wire.query("DISCARD ALL")?;
            // What the login asked for is what the session goes back to; but behind a pooler it is what the pooler's own
            // login asked for.
            if connection.wire.is_as_asked() {
                return Ok(());
            }
            connection.wire.query("SET DateStyle = 'ISO'; SET TimeZone = 'UTC'")
        });
        drop(self.statements.clear()); // the server did so by itself
        self.wire.forgot_all();
        self.types = diesel::pg::PgMetadataCache::new();
        self.checked(renewed)
    }

    /// Does what a user does not know of, and shall not wait for on a server that hangs.
    pub(super) fn within_connect_timeout<T>(
        &mut self,
        f: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.wire.set_deadline(Deadline::after(self.options.timeouts.connect));
        let answer = f(self);
        self.set_timeouts()?;
        answer
    }

    /// The time limits that the user has asked for.
    pub(super) fn set_timeouts(&mut self) -> Result<(), Failure> {
        if self.wire.is_lost() { Ok(()) } else { self.wire.set_timeouts(&self.options.timeouts) }
    }
}
