//! The tables: the same rows on every backend, made by the database itself.

use std::fmt::Write;

use orm_core::backend::BackendKind;

use crate::{Error, backend};

/// How many aircraft there are.
pub const AIRCRAFT: u64 = 5000;
/// How many airlines there are.
pub const AIRLINES: u64 = 40;

/// Makes the tables anew, with as many flights as `rows` says.
///
/// # Errors
///
/// Whatever the database says.
pub fn prepare(url: &str, rows: u64) -> Result<(), Error> {
    let kind = backend(url)?;
    let database = orm_core::connect(url)?;
    database.batch_execute(&script(kind, rows)?)?;
    // Neither may run in a transaction, and several statements in one text are one.
    match kind {
        BackendKind::Postgres => database.batch_execute("VACUUM (ANALYZE)")?,
        _ => database.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?,
    }
    Ok(())
}

fn script(kind: BackendKind, rows: u64) -> Result<String, std::fmt::Error> {
    let postgres = kind == BackendKind::Postgres;
    let (double, timestamp) = if postgres { ("DOUBLE PRECISION", "TIMESTAMP") } else { ("DOUBLE", "TIMESTAMP") };
    let numbers = |rows: u64| match postgres {
        true => format!("generate_series(1::bigint, {rows}) AS n(i)"),
        false => {
            format!("(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {rows}) SELECT i FROM n)")
        }
    };
    // 61 seconds and 37 microseconds apart.
    let departs_at = match postgres {
        true => "TIMESTAMP '2013-01-01' + i * INTERVAL '61 seconds' + i * 37 % 1000000 * INTERVAL '1 microsecond'",
        false => {
            "strftime('%Y-%m-%d %H:%M:%S', '2013-01-01', (i * 61) || ' seconds') \
             || printf('.%06d', i * 37 % 1000000)"
        }
    };
    let mut sql = "DROP TABLE IF EXISTS flights; DROP TABLE IF EXISTS aircraft; DROP TABLE IF EXISTS airlines;\
                   CREATE TABLE airlines (id BIGINT PRIMARY KEY, name TEXT NOT NULL);\
                   CREATE TABLE aircraft (id BIGINT PRIMARY KEY, airline_id BIGINT, kind TEXT NOT NULL);"
        .to_owned();
    write!(
        sql,
        "CREATE TABLE flights (id BIGINT PRIMARY KEY, aircraft_id BIGINT NOT NULL, title TEXT NOT NULL, \
         remark TEXT, distance {double} NOT NULL, departs_at {timestamp} NOT NULL);\
         INSERT INTO airlines SELECT i, 'airline ' || i FROM {airlines};\
         INSERT INTO aircraft SELECT i, NULLIF(i % {optional}, 0), 'aircraft of type ' || (i % 17) FROM {aircraft};\
         INSERT INTO flights SELECT i, 1 + i % {AIRCRAFT}, 'flight number ' || i, \
         CASE WHEN i % 3 = 0 THEN 'late by ' || (i % 100) || ' minutes' END, i / {seven}, {departs_at} FROM {flights};",
        optional = AIRLINES + 1,
        airlines = numbers(AIRLINES),
        aircraft = numbers(AIRCRAFT),
        flights = numbers(rows),
        seven = if postgres { "7.0::double precision" } else { "7.0" },
    )?;
    if postgres {
        // Otherwise a scan of a big table begins where the one before it stopped, and no two programs read the same.
        sql.push_str(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronize_seqscans = off', current_database()); END $$;",
        );
    }
    Ok(sql)
}
