//! The collation by which SQLite compares decimals, which are text there, as numbers.

use std::sync::OnceLock;

use diesel::{QueryResult, RunQueryDsl, SqliteConnection, dsl::sql, sql_types::Bool};

use crate::types::compare_text;

/// Registers the collation `orm_decimal`, which `create_tables` declares decimal columns with.
pub(super) fn register(connection: &mut SqliteConnection) -> QueryResult<()> {
    if arguments_are_swapped(connection)? {
        connection.register_collation("orm_decimal", |a, b| compare_text(b, a))
    } else {
        connection.register_collation("orm_decimal", compare_text)
    }
}

/// Diesel 2.3.14 hands a collation its arguments in the wrong order. Asked rather than assumed, once in a process,
/// so that a mended Diesel does not turn every order round.
fn arguments_are_swapped(connection: &mut SqliteConnection) -> QueryResult<bool> {
    static SWAPPED: OnceLock<bool> = OnceLock::new();
    if let Some(swapped) = SWAPPED.get() {
        return Ok(*swapped);
    }
    connection.register_collation("orm_probe", |a: &str, b: &str| a.cmp(b))?;
    let in_order: bool = diesel::select(sql::<Bool>("'a' < 'b' COLLATE orm_probe")).get_result(connection)?;
    Ok(*SWAPPED.get_or_init(|| !in_order))
}

#[cfg(test)]
mod tests {
    use diesel::Connection;

    use super::*;

    #[test]
    fn sqlite_compares_decimals_as_numbers() {
        let mut connection = SqliteConnection::establish(":memory:").expect("SQLite opens a database in memory");
        register(&mut connection).expect("it is registered");
        for (comparison, expected) in [("'9' < '10.5'", true), ("'-9' < '-10.5'", false), ("'1.0' = '1.00'", true)] {
            let sql = sql::<Bool>(&format!("{comparison} COLLATE orm_decimal"));
            let answer: bool = diesel::select(sql).get_result(&mut connection).expect("SQLite compares");
            assert_eq!(answer, expected, "{comparison}");
        }
    }
}
