//! The collations by which SQLite compares decimals, times and instants, and JSON documents, which are text there.

use std::{cmp::Ordering, ffi::c_int, sync::OnceLock};

use diesel::{QueryResult, RunQueryDsl, SqliteConnection, dsl::sql, sql_types::Bool};
use libsqlite3_sys::SQLITE_OK;

use super::{
    instant,
    raw::{Collation, Opened},
};

/// `orm_instant`
struct Instants;

impl Collation for Instants {
    fn compare(a: &[u8], b: &[u8]) -> Ordering {
        instant::compare(a, b)
    }
}

/// `orm_decimal`
#[cfg(feature = "numeric")]
struct Decimals;

#[cfg(feature = "numeric")]
impl Collation for Decimals {
    fn compare(a: &[u8], b: &[u8]) -> Ordering {
        crate::types::numeral::compare(a, b)
    }
}

/// `orm_json`
#[cfg(feature = "serde_json")]
struct Documents;

#[cfg(feature = "serde_json")]
impl Collation for Documents {
    fn compare(a: &[u8], b: &[u8]) -> Ordering {
        crate::types::compare_documents(a, b)
    }
}

/// Registers them with a connection that is being opened; returns SQLite's result code.
pub(super) fn register_raw(connection: &Opened) -> c_int {
    let codes = [
        connection.collation::<Instants>(c"orm_instant"),
        #[cfg(feature = "numeric")]
        connection.collation::<Decimals>(c"orm_decimal"),
        #[cfg(feature = "serde_json")]
        connection.collation::<Documents>(c"orm_json"),
    ];
    codes.into_iter().find(|code| *code != SQLITE_OK).unwrap_or(SQLITE_OK)
}

/// Registers them by Diesel, with a connection that the program has opened.
pub(super) fn register(connection: &mut SqliteConnection) -> QueryResult<()> {
    let swapped = arguments_are_swapped(connection)?;
    register_one::<Instants>(connection, "orm_instant", swapped)?;
    #[cfg(feature = "numeric")]
    register_one::<Decimals>(connection, "orm_decimal", swapped)?;
    #[cfg(feature = "serde_json")]
    register_one::<Documents>(connection, "orm_json", swapped)?;
    Ok(())
}

fn register_one<C: Collation>(connection: &mut SqliteConnection, name: &str, swapped: bool) -> QueryResult<()> {
    connection.register_collation(name, move |a, b| {
        let (a, b) = if swapped { (b, a) } else { (a, b) };
        C::compare(a.as_bytes(), b.as_bytes())
    })
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
    use crate::backend::sqlite::raw;

    fn check(connection: &mut SqliteConnection) {
        for (comparison, expected) in [
            ("'9' < '10.5' COLLATE orm_decimal", true),
            ("'-9' < '-10.5' COLLATE orm_decimal", false),
            ("'1.0' = '1.00' COLLATE orm_decimal", true),
            ("'2020-01-01T00:00' < '2020-01-01 00:00:01Z' COLLATE orm_instant", true),
            ("'2020-01-01 02:00+02:00' = '2020-01-01' COLLATE orm_instant", true),
            #[cfg(feature = "serde_json")]
            (r#"'{"b": 1, "a": [2.0]}' = '{"a":[2],"b":1}' COLLATE orm_json"#, true),
            #[cfg(feature = "serde_json")]
            ("'[1]' = '[2]' COLLATE orm_json", false),
        ] {
            let answer: bool = diesel::select(sql::<Bool>(comparison)).get_result(connection).expect("SQLite compares");
            assert_eq!(answer, expected, "{comparison}");
        }
    }

    #[test]
    fn sqlite_compares_text_by_what_it_spells() {
        let (connection, registered) = raw::opening(|| SqliteConnection::establish(":memory:"));
        assert!(registered);
        check(&mut connection.expect("SQLite opens a database in memory"));
        let mut theirs = SqliteConnection::establish(":memory:").expect("SQLite opens a database in memory");
        register(&mut theirs).expect("they are registered");
        check(&mut theirs);
    }
}
