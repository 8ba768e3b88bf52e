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
        BackendKind::Sqlite => database.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?,
        _ => {}
    }
    Ok(())
}

/// What the backends write differently.
struct Dialect {
    text: &'static str,
    double: &'static str,
    timestamp: &'static str,
    /// A table `n` of the numbers from 1 on, as the column `i`.
    numbers: fn(u64) -> String,
    /// A number as a double.
    seven: &'static str,
    /// 61 seconds and 37 microseconds apart.
    departs_at: &'static str,
    concat: fn(&str, &str) -> String,
    /// Run at the end.
    settings: &'static str,
}

fn with_bars(a: &str, b: &str) -> String {
    format!("{a} || {b}")
}

const POSTGRES: Dialect = Dialect {
    text: "TEXT",
    double: "DOUBLE PRECISION",
    timestamp: "TIMESTAMP",
    numbers: |rows| format!("generate_series(1::bigint, {rows}) AS n(i)"),
    seven: "7.0::double precision",
    departs_at: "TIMESTAMP '2013-01-01' + i * INTERVAL '61 seconds' + i * 37 % 1000000 * INTERVAL '1 microsecond'",
    concat: with_bars,
    // Otherwise a scan of a big table begins where the one before it stopped, and no two programs read the same.
    settings: "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronize_seqscans = off', current_database()); \
               END $$;",
};

const MYSQL: Dialect = Dialect {
    text: "VARCHAR(100)",
    double: "DOUBLE",
    timestamp: "DATETIME(6)",
    numbers: |rows| format!("(SELECT seq AS i FROM seq_1_to_{rows}) AS n"),
    seven: "7e0",
    departs_at: "TIMESTAMP '2013-01-01 00:00:00' + INTERVAL i * 61 SECOND + INTERVAL i * 37 % 1000000 MICROSECOND",
    concat: |a, b| format!("CONCAT({a}, {b})"),
    settings: "ANALYZE TABLE flights, aircraft, airlines;",
};

const SQLITE: Dialect = Dialect {
    text: "TEXT",
    double: "DOUBLE",
    timestamp: "TIMESTAMP",
    numbers: |rows| {
        format!("(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {rows}) SELECT i FROM n)")
    },
    seven: "7.0",
    departs_at: "strftime('%Y-%m-%d %H:%M:%S', '2013-01-01', (i * 61) || ' seconds') \
                 || printf('.%06d', i * 37 % 1000000)",
    concat: with_bars,
    settings: "",
};

fn script(kind: BackendKind, rows: u64) -> Result<String, std::fmt::Error> {
    let dialect = match kind {
        BackendKind::Postgres => POSTGRES,
        BackendKind::Mysql => MYSQL,
        _ => SQLITE,
    };
    let Dialect { text, double, timestamp, numbers, seven, departs_at, concat, settings } = dialect;
    // The records of the cases that write refer to aircraft.
    let mut sql = "DROP TABLE IF EXISTS records; DROP TABLE IF EXISTS flights; DROP TABLE IF EXISTS aircraft; \
         DROP TABLE IF EXISTS airlines;"
        .to_owned();
    write!(
        sql,
        "CREATE TABLE airlines (id BIGINT PRIMARY KEY, name {text} NOT NULL);\
         CREATE TABLE aircraft (id BIGINT PRIMARY KEY, airline_id BIGINT, kind {text} NOT NULL);\
         CREATE TABLE flights (id BIGINT PRIMARY KEY, aircraft_id BIGINT NOT NULL, title {text} NOT NULL, \
         remark {text}, distance {double} NOT NULL, departs_at {timestamp} NOT NULL);\
         INSERT INTO airlines SELECT i, {airline} FROM {airlines};\
         INSERT INTO aircraft SELECT i, NULLIF(i % {optional}, 0), {kind} FROM {aircraft};\
         INSERT INTO flights SELECT i, 1 + i % {AIRCRAFT}, {title}, \
         CASE WHEN i % 3 = 0 THEN {remark} END, i / {seven}, {departs_at} FROM {flights};{settings}",
        airline = concat("'airline '", "i"),
        kind = concat("'aircraft of type '", "(i % 17)"),
        title = concat("'flight number '", "i"),
        remark = concat("'late by '", &concat("(i % 100)", "' minutes'")),
        optional = AIRLINES + 1,
        airlines = numbers(AIRLINES),
        aircraft = numbers(AIRCRAFT),
        flights = numbers(rows),
    )?;
    Ok(sql)
}
