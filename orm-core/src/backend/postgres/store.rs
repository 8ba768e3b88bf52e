//! Storing many rows: by COPY where that means the same as INSERT, and by INSERT otherwise.

use diesel::pg::Pg;

use crate::{
    model::ToRow,
    postgres::{Copied, CopyTarget, PgConnection},
    statement::{
        copy::{Target, Values},
        insert::{Batch, Unstored, insert},
    },
};

/// The most rows of a batch.
pub(super) const BATCH_ROWS: usize = 1_000;
/// Fewer rows are not worth the questions that go before a COPY.
const LEAST_COPIED: usize = 100;

pub(super) fn store<M: ToRow<Pg>>(connection: &mut PgConnection, batch: &Batch<'_, M>) -> Result<usize, Unstored> {
    if batch.rows.len() >= LEAST_COPIED {
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
    insert::<Pg, M>(connection, batch)
}

fn copy<M: ToRow<Pg>>(connection: &mut PgConnection, batch: &Batch<'_, M>) -> diesel::QueryResult<Copied> {
    let target = Target::of(batch);
    let target = CopyTarget {
        name: M::TABLE.name,
        table: target.table()?,
        insert: target.insert()?,
        select: target.select()?,
        copy: target.copy()?,
    };
    connection.copy_in(&target, Values::of(batch))
}
