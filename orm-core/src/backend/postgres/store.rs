//! Storing many rows: by COPY where that means the same as INSERT, and by INSERT otherwise.

use diesel::pg::Pg;

use super::link::PgLink;
use crate::{
    model::{Model as _, ToRow},
    postgres::{Copied, CopyTarget, Lookup, PgConnection},
    statement::{
        copy::{Target, Values},
        insert::{Answers, Batch, Conflict, Unstored, insert},
    },
};

/// The rows of a batch, to begin with.
const LEAST_OF_BATCH: usize = 1_000;
/// And in the end; more make it no faster.
const MOST_OF_BATCH: usize = 8_000;
/// Fewer rows are not worth the questions that go before the first COPY.
const LEAST_COPIED: usize = 200;

/// Whether a batch is worth a COPY, if that is the same as to insert it.
pub(super) fn is_copied<M>(batch: &Batch<'_, M>) -> bool {
    batch.rows.len() >= LEAST_COPIED && matches!(batch.conflict, Conflict::Fail)
}

/// How many rows make a batch: the more there have been, the more there will be.
///
/// The user's iterator is ahead of what is sent by an eighth of it at most, once it is past the beginning.
pub(super) fn batch_rows(sent: u64) -> usize {
    usize::try_from(sent / 8).map_or(MOST_OF_BATCH, |rows| rows.clamp(LEAST_OF_BATCH, MOST_OF_BATCH))
}

pub(super) fn store<M: ToRow<Pg>>(
    link: &mut PgLink,
    lookup: &mut Lookup,
    batch: &Batch<'_, M>,
    answers: &mut Answers<Pg>,
) -> Result<(), Unstored> {
    if (is_copied(batch) || matches!(lookup, Lookup::Copy { .. }))
        && let Some(connection) = link.ours_mut()
    {
        let sent = copy(connection, lookup, batch);
        match sent.map_err(|error| batch.unstored(0..batch.rows.len(), error))? {
            Copied::Begun(ticket) => answers.expect(ticket, batch.positions(0..batch.rows.len())),
            Copied::WithTheLast => answers.expect_more(batch.rows.len()),
            Copied::No => return insert::<Pg, M>(link, batch, answers),
        }
        return Ok(());
    }
    insert::<Pg, M>(link, batch, answers)
}

fn copy<M: ToRow<Pg>>(
    connection: &mut PgConnection,
    lookup: &mut Lookup,
    batch: &Batch<'_, M>,
) -> diesel::QueryResult<Copied> {
    let target = Target::of(batch);
    let target = CopyTarget {
        name: M::Model::TABLE.name,
        table: target.table()?,
        insert: target.insert()?,
        select: target.select()?,
        copy: target.copy()?,
    };
    connection.copy_ahead(lookup, &target, Values::of(batch))
}
