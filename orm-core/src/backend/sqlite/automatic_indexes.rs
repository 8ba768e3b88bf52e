//! Turns automatic indexes off where SQLite gives wrong answers by them.
//!
//! From 3.38 to 3.40, SQLite asks a Bloom filter before it looks into an index that it has made for one join. The filter is
//! by the length of a text, so that texts of different lengths are never found equal, though the collation says so.

use std::sync::OnceLock;

use diesel::{
    Connection, QueryResult, SqliteConnection, connection::SimpleConnection, dsl::sql, result::Error,
    sql_types::Integer,
};

use super::collations;
use crate::backend::integer_of;

/// Turns them off for this connection, if they are wrong.
pub(super) fn turn_off_if_wrong(connection: &mut SqliteConnection) -> QueryResult<()> {
    if are_wrong()? { connection.batch_execute("PRAGMA automatic_index = OFF") } else { Ok(()) }
}

/// Whether a join by texts of different lengths loses rows. Asked once in a process, in a database in memory: a version does
/// not tell what a distribution has mended.
fn are_wrong() -> QueryResult<bool> {
    static WRONG: OnceLock<bool> = OnceLock::new();
    if let Some(wrong) = WRONG.get() {
        return Ok(*wrong);
    }
    let mut connection = SqliteConnection::establish(":memory:")
        .map_err(|error| Error::QueryBuilderError(format!("SQLite opens no database in memory: {error}").into()))?;
    collations::register(&mut connection)?;
    connection.batch_execute(
        "CREATE TABLE a (at TEXT); INSERT INTO a VALUES ('2020-01-01'); \
         CREATE TABLE b (at TEXT PRIMARY KEY); INSERT INTO b VALUES ('2020-01-01T00:00')",
    )?;
    let joined = "(SELECT COUNT(*) FROM a CROSS JOIN b WHERE (b.at COLLATE orm_instant) = a.at)";
    let rows = integer_of::<diesel::sqlite::Sqlite, _>(&mut connection, diesel::select(sql::<Integer>(joined)))?;
    Ok(*WRONG.get_or_init(|| rows != 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With the automatic indexes as they are left, the join finds its row, whatever the version of SQLite is.
    #[test]
    fn joins_by_a_collation_find_their_rows() {
        let mut connection = SqliteConnection::establish(":memory:").expect("SQLite opens a database in memory");
        collations::register(&mut connection).expect("they are registered");
        turn_off_if_wrong(&mut connection).expect("it is asked");
        connection
            .batch_execute(
                "CREATE TABLE a (at TEXT); INSERT INTO a VALUES ('10:00'), ('11:00:00'); \
                 CREATE TABLE b (at TEXT PRIMARY KEY); INSERT INTO b VALUES ('10:00:00.0'), ('11:00')",
            )
            .expect("the tables are made");
        let joined = "(SELECT COUNT(*) FROM a CROSS JOIN b WHERE (b.at COLLATE orm_instant) = a.at)";
        let rows = integer_of::<diesel::sqlite::Sqlite, _>(&mut connection, diesel::select(sql::<Integer>(joined)));
        assert_eq!(rows, Ok(2));
    }
}
