//! What is asked of a table before rows are copied to it.

use std::sync::Arc;

use postgres_protocol::message::frontend;

use super::{Parameters, Request, Wire, answers::Reading, bind, deferred};
use crate::{
    net::reader::Reader,
    postgres::{column::Column, copy::CopyTarget, error::Failure},
};

/// Gives a row if the table `$1` may be copied to, and a second one if there is no limit to how long a COPY may take.
///
/// Rules are not applied by COPY, and it refuses views, foreign tables and tables with row-level security; partitions may be
/// foreign tables. What this asks is read as of the statement's beginning, which is after the table was locked; in a transaction
/// of a higher isolation it would be as of the transaction's beginning.
const MAY_BE_COPIED_TO: &str = "SELECT c.oid FROM pg_catalog.pg_class c CROSS JOIN pg_catalog.generate_series(1, \
     CASE pg_catalog.current_setting('statement_timeout') WHEN '0' THEN 2 ELSE 1 END) \
     WHERE c.oid = CAST(CAST($1 AS pg_catalog.text) AS pg_catalog.regclass) \
     AND c.relkind = 'r' AND NOT c.relhasrules AND NOT c.relrowsecurity \
     AND pg_catalog.current_setting('transaction_isolation') IN ('read committed', 'read uncommitted')";
/// The type of `$1`.
const TEXT: u32 = 25;

/// A table that may be copied to.
pub(in crate::postgres) struct Copiable {
    pub(in crate::postgres) columns: Arc<[Column]>,
    /// Whether a COPY may wait for its rows: the server does not limit a statement's time.
    pub(in crate::postgres) may_wait: bool,
}

impl Wire {
    /// The table, if it may be copied to. That holds until the end of the transaction, but for what the transaction itself does:
    /// the INSERT, of values of these types, is analyzed but not executed, so that the table is locked as INSERT and COPY lock
    /// it, and what is wrong with it is reported in the same words.
    pub(in crate::postgres) fn look_at(
        &mut self,
        target: &CopyTarget,
        types: &[u32],
    ) -> Result<Option<Copiable>, Failure> {
        self.take_in_and_check_failure()?;
        let deferred = self.deferred.clone();
        let table = Parameters { types: vec![TEXT], values: vec![Some(target.table.clone().into_bytes())] };
        self.send(|out| {
            deferred::write(&deferred, out)?;
            frontend::parse("", &target.insert, types.iter().copied(), out)?;
            frontend::parse("", MAY_BE_COPIED_TO, table.types.iter().copied(), out)?;
            frontend::describe(b'S', "", out)?;
            bind("", "", &table, out)?;
            frontend::execute("", 0, out)?;
            // Last, so that its columns are those that stay in hand.
            frontend::parse("", &target.select, [], out)?;
            frontend::describe(b'S', "", out)?;
            frontend::sync(out);
            Ok(())
        })?;
        self.portals.in_hand = None;
        self.columns = Arc::new([]);
        self.in_flight.push_back(Request::Statement);
        self.reading = Some(Reading::look(3).behind(self.deferred_were_sent()));
        if let Some(failure) = self.begin_reading().failure {
            return Err(failure);
        }
        let (may_be_copied_to, may_wait) = (self.next_row()?, self.next_row()?);
        self.skip_all()?;
        Ok(may_be_copied_to.then(|| Copiable { columns: self.columns.clone(), may_wait }))
    }

    /// Whether the server waits for what is going to be sent: so many columns, all of them in binary.
    pub(super) fn check_format(&self, columns: usize) -> Result<(), Failure> {
        let mut body = Reader::new(self.messages.body());
        let [overall] = body.array()?;
        let count = usize::from(u16::from_be_bytes(body.array()?));
        let formats = body.bytes(2 * count)?;
        if overall == 1 && count == columns && formats.chunks_exact(2).all(|format| format == [0, 1]) {
            Ok(())
        } else {
            Err(Failure::protocol("it waits for other columns than COPY has named, or for text"))
        }
    }
}
