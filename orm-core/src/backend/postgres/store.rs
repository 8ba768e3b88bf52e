//! Storing many rows: by COPY where that means the same as INSERT, and by INSERT otherwise.

use diesel::pg::Pg;

use super::link::PgLink;
use crate::{
    model::{Model as _, ToRow},
    postgres::{Copied, CopyTarget, PgConnection},
    statement::{
        copy::{Target, Values},
        insert::{Batch, Conflict, Unstored, insert},
    },
};

/// The rows of a batch, to begin with.
const LEAST_OF_BATCH: usize = 1_000;
/// And in the end; more make it no faster.
const MOST_OF_BATCH: usize = 8_000;
/// Fewer rows are not worth the questions that go before a COPY.
const LEAST_COPIED: usize = 200;

/// How many rows make a batch: the more there have been, the more there will be.
///
/// The user's iterator is ahead of what is stored by an eighth of it at most, once it is past the beginning.
pub(super) fn batch_rows(sent: u64) -> usize {
    usize::try_from(sent / 8).map_or(MOST_OF_BATCH, |rows| rows.clamp(LEAST_OF_BATCH, MOST_OF_BATCH))
}

pub(super) fn store<M: ToRow<Pg>>(link: &mut PgLink, batch: &Batch<'_, M>) -> Result<usize, Unstored> {
    if batch.rows.len() >= LEAST_COPIED
        && matches!(batch.conflict, Conflict::Fail)
        && let Some(connection) = link.ours_mut()
    {
        match copy(connection, batch) {
            Ok(Copied::Stored(rows)) => return Ok(rows),
            Ok(Copied::Failed { error, row }) => {
                // A server that names a row that there is not is not believed.
                let row = row.filter(|row| *row < batch.rows.len());
                return Err(Unstored { error, rows: 0..batch.rows.len(), row });
            }
            Ok(Copied::ByInsert) => {}
            Err(error) => return Err(Unstored { error, rows: 0..batch.rows.len(), row: None }),
        }
    }
    insert::<Pg, M>(link, batch)
}

fn copy<M: ToRow<Pg>>(connection: &mut PgConnection, batch: &Batch<'_, M>) -> diesel::QueryResult<Copied> {
    let target = Target::of(batch);
    let target = CopyTarget {
        name: M::Model::TABLE.name,
        table: target.table()?,
        insert: target.insert()?,
        select: target.select()?,
        copy: target.copy()?,
    };
    connection.copy_in(&target, Values::of(batch))
}
