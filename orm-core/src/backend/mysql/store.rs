//! Storing many rows on MySQL and MariaDB.

use diesel::mysql::Mysql;

use crate::{
    model::ToRow,
    mysql::MysqlConnection,
    statement::insert::{self, Answers, Batch, Conflict, Insert, Unstored},
};

/// The rows of a batch, to begin with.
const LEAST_OF_BATCH: usize = 900;
/// And in the end. An error names no smaller part of the rows.
const MOST_OF_BATCH: usize = 5_000;
/// Fewer rows are a statement of their own.
const LEAST_AT_ONCE: usize = 4;

/// How many rows make a batch: three times as many as there have been.
pub(super) fn batch_rows(sent: u64) -> usize {
    usize::try_from(sent.saturating_mul(3)).map_or(MOST_OF_BATCH, |rows| rows.clamp(LEAST_OF_BATCH, MOST_OF_BATCH))
}

/// Stores rows: on MariaDB by an INSERT of one row that is executed for all of them by one command, which spares the server a
/// text of thousands of values.
pub(super) fn store<M: ToRow<Mysql>>(
    connection: &mut MysqlConnection,
    batch: &Batch<'_, M>,
    answers: &mut Answers<Mysql>,
) -> Result<(), Unstored> {
    if batch.rows.len() >= LEAST_AT_ONCE && matches!(batch.conflict, Conflict::Fail) {
        let Batch { columns, conflict, text_keys, .. } = *batch;
        let insert = |rows| Insert { rows, columns, conflict, text_keys, returning: false, recurs: true };
        let (one, all) = (insert(&batch.rows[..1]), insert(batch.rows));
        let stored = connection.execute_for_rows(&one, &all, columns.len());
        if let Some(stored) = stored.map_err(|error| batch.unstored(0..batch.rows.len(), error))? {
            answers.stored += stored;
            return Ok(());
        }
    }
    insert::insert::<Mysql, M>(connection, batch, answers)
}
