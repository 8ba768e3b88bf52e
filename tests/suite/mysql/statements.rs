//! The prepared statements that a `MysqlConnection` keeps: each is prepared once, and the server never has many.

use std::sync::atomic::{AtomicU32, Ordering};

use diesel::{
    Connection, ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl,
    connection::{CacheSize, SimpleConnection},
    dsl::sql,
    sql_query,
    sql_types::{Integer, Text},
};
use orm_core::{MysqlConnection, diesel};
use orm_tests::{Bed, TestResult, on_mysql, private_server::PrivateServer};

on_mysql! {
    prepared_once, kept_by_text_and_not_by_values, none_kept, many_statements, a_table_changes, a_failed_statement_is_kept,
    the_server_has_no_room, lists_of_every_length, a_long_list_twice, another_database, a_wrong_number_of_values, a_full_server_executes_no_other_statement,
}

diesel::table! {
    t (id) {
        id -> BigInt,
        v -> Text,
    }
}

const TABLE: &str =
    "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20) NOT NULL); INSERT INTO t VALUES (1, 'a'), (2, 'b')";

/// How many statements this session has prepared; to ask takes one, which is counted, and is another one each time.
fn prepared(connection: &mut MysqlConnection) -> Result<i64, Box<dyn std::error::Error>> {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let again = ASKED.fetch_add(1, Ordering::Relaxed);
    let query = sql::<(Text, Text)>(&format!("SHOW SESSION STATUS LIKE 'Com_stmt_prepare' -- {again}"));
    Ok(query.get_result::<(String, String)>(connection)?.1.parse()?)
}

/// How many are prepared while something is done.
fn prepared_by(
    connection: &mut MysqlConnection,
    f: impl FnOnce(&mut MysqlConnection) -> QueryResult<()>,
) -> Result<i64, Box<dyn std::error::Error>> {
    let before = prepared(connection)?;
    f(connection)?;
    Ok(prepared(connection)? - before - 1)
}

fn prepared_once(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut MysqlConnection::establish(bed.url())?;
    assert_eq!(prepared_by(connection, |_| Ok(()))?, 0);
    let count = prepared_by(connection, |connection| {
        for id in 0..50 {
            let read = t::table.filter(t::id.gt(id % 3)).load::<(i64, String)>(connection)?;
            assert_eq!(i64::try_from(read.len()), Ok(2 - id % 3));
            diesel::insert_into(t::table).values((t::id.eq(id + 100), t::v.eq("c"))).execute(connection)?;
            diesel::delete(t::table.find(id + 100)).execute(connection)?;
        }
        Ok(())
    })?;
    assert_eq!(count, 3);
    Ok(())
}

fn kept_by_text_and_not_by_values(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut MysqlConnection::establish(bed.url())?;
    let count = prepared_by(connection, |connection| {
        // SQL of the user's own is kept, too, which Diesel's own connections prepare each time.
        for _ in 0..10 {
            sql_query("SELECT 1").execute(connection)?;
        }
        // And what has a list of some length.
        for ids in [vec![1], vec![1, 2], vec![1, 2]] {
            t::table.filter(t::id.eq_any(ids)).load::<(i64, String)>(connection)?;
        }
        // And an UPDATE, which Diesel does not know to be the same.
        for _ in 0..2 {
            diesel::update(t::table.find(1)).set(t::v.eq("a")).execute(connection)?;
        }
        // Text that is put together at run time is one statement if it is the same.
        for _ in 0..10 {
            t::table.into_boxed().filter(t::v.eq("a")).load::<(i64, String)>(connection)?;
        }
        Ok(())
    })?;
    assert_eq!(count, 1 + 2 + 1 + 1);
    Ok(())
}

fn none_kept(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut MysqlConnection::establish(bed.url())?;
    let query = |connection: &mut MysqlConnection| t::table.find(1).first::<(i64, String)>(connection).map(drop);
    let five = |connection: &mut MysqlConnection| (0..5).try_for_each(|_| query(connection));
    assert_eq!(prepared_by(connection, five)?, 1);
    connection.set_prepared_statement_cache_size(CacheSize::Disabled);
    assert_eq!(prepared_by(connection, five)?, 5);
    connection.set_prepared_statement_cache_size(CacheSize::Unbounded);
    assert_eq!(prepared_by(connection, five)?, 1);
    Ok(())
}

/// How many statements the server has prepared, for all its connections.
fn held(server: &PrivateServer) -> Result<i64, Box<dyn std::error::Error>> {
    let sql = "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'PREPARED_STMT_COUNT'";
    Ok(server.texts(sql)[0].as_deref().ok_or("it is a number")?.parse()?)
}

fn many_statements(_: &Bed) -> TestResult {
    let server = PrivateServer::mysql(&[]);
    server.execute(TABLE);
    let connection = &mut MysqlConnection::establish(server.url())?;
    for round in 0..2 {
        // Each has one condition more than the last.
        for n in 0..300 {
            let mut query = t::table.select(t::id).into_boxed();
            for id in 0..=n {
                query = query.or_filter(t::id.eq(id));
            }
            assert_eq!(query.load::<i64>(connection)?.len(), usize::try_from(n)?.min(2));
            if n % 50 == 0 {
                assert!(held(&server)? <= 102, "round {round}, {n} conditions: {}", held(&server)?);
            }
        }
    }
    assert!((90..=102).contains(&held(&server)?), "{} are kept", held(&server)?);
    for n in 0..3000 {
        assert_eq!(sql_query(format!("SELECT {n}")).execute(connection)?, 1);
    }
    assert!(held(&server)? <= 102);
    connection.set_prepared_statement_cache_size(CacheSize::Disabled);
    connection.batch_execute("DO 0")?;
    assert_eq!(held(&server)?, 0);
    Ok(())
}

fn a_table_changes(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut MysqlConnection::establish(bed.url())?;
    let read = |connection: &mut MysqlConnection| t::table.order(t::id).load::<(i64, String)>(connection);
    let rows = || vec![(1, "a".to_owned()), (2, "b".to_owned())];
    assert_eq!(read(connection)?, rows());
    for change in [
        "ALTER TABLE t ADD w INT FIRST",
        "ALTER TABLE t MODIFY id BIGINT AFTER v",
        "ALTER TABLE t MODIFY v LONGTEXT CHARACTER SET latin1",
        "CREATE TABLE copy LIKE t; INSERT INTO copy SELECT * FROM t; DROP TABLE t; RENAME TABLE copy TO t",
        "RENAME TABLE t TO other; CREATE VIEW t AS SELECT CAST(id AS UNSIGNED) AS id, v FROM other",
    ] {
        bed.execute(change);
        let count = prepared_by(connection, |connection| {
            assert_eq!(read(connection)?, rows(), "{change}");
            Ok(())
        })?;
        assert!(count <= 1, "{change}");
    }
    bed.execute("ALTER TABLE other RENAME COLUMN v TO x");
    assert!(read(connection).is_err());
    bed.execute("ALTER TABLE other RENAME COLUMN x TO v");
    assert_eq!(read(connection)?, rows());
    // The server can be told to forget all that it has.
    bed.execute("FLUSH TABLES");
    assert_eq!(read(connection)?, rows());
    Ok(())
}

fn a_failed_statement_is_kept(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut MysqlConnection::establish(bed.url())?;
    let count = prepared_by(connection, |connection| {
        for id in [1, 2, 1, 3] {
            let answer = diesel::insert_into(t::table).values((t::id.eq(id), t::v.eq("c"))).execute(connection);
            assert_eq!(answer.is_ok(), id == 3);
        }
        Ok(())
    })?;
    assert_eq!(count, 1);
    Ok(())
}

/// A server has a limit for all its clients, and says so.
fn the_server_has_no_room(_: &Bed) -> TestResult {
    let server = PrivateServer::mysql(&["max_prepared_stmt_count=0"]);
    let connection = &mut MysqlConnection::establish(server.url())?;
    for _ in 0..2 {
        let error = sql::<Integer>("SELECT 1").load::<i32>(connection).expect_err("there is no room");
        assert!(error.to_string().contains("max_prepared_stmt_count"), "{error}");
    }
    server.execute("SET GLOBAL max_prepared_stmt_count = 1");
    for _ in 0..3 {
        assert_eq!(sql::<Integer>("SELECT 1").get_result::<i32>(connection)?, 1);
    }
    Ok(())
}

/// Statements that come once do not push out those that are repeated.
fn lists_of_every_length(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut MysqlConnection::establish(bed.url())?;
    let count = prepared_by(connection, |connection| {
        for length in 1..=200 {
            assert_eq!(t::table.filter(t::id.eq_any(vec![1; length])).load::<(i64, String)>(connection)?.len(), 1);
            diesel::update(t::table.find(1)).set(t::v.eq("a")).execute(connection)?;
        }
        Ok(())
    })?;
    assert_eq!(count, 200 + 1);
    Ok(())
}

/// MariaDB makes a list of 1,000 values a subquery, and crashes when the prepared statement is executed a second time.
fn a_long_list_twice(_: &Bed) -> TestResult {
    let server = PrivateServer::mysql(&[]);
    server.execute(TABLE);
    let connection = &mut MysqlConnection::establish(server.url())?;
    for length in [999, 1_000, 1_001, 3_000] {
        let list = vec!["1"; length].join(",");
        for _ in 0..3 {
            let query = sql::<Integer>(&format!("SELECT id FROM t WHERE id IN ({list})"));
            assert_eq!(query.load::<i32>(connection)?, [1], "{length}");
        }
    }
    Ok(())
}

/// A statement that was prepared in one database does not go on with its tables after USE.
fn another_database(_: &Bed) -> TestResult {
    let server = PrivateServer::mysql(&[]);
    server.execute("CREATE DATABASE one; CREATE DATABASE two");
    server.execute("CREATE TABLE one.t (v INT); INSERT INTO one.t VALUES (1); CREATE TABLE two.t (v INT); INSERT INTO two.t VALUES (2)");
    let connection = &mut MysqlConnection::establish(server.url())?;
    for (database, expected) in [("one", 1), ("two", 2), ("one", 1)] {
        sql_query(format!("USE {database}")).execute(connection)?;
        assert_eq!(sql::<Integer>("SELECT v FROM t").get_result::<i32>(connection)?, expected);
    }
    Ok(())
}

/// A statement with more or fewer values than parameters is an error, and is not executed.
fn a_wrong_number_of_values(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut MysqlConnection::establish(bed.url())?;
    for text in [
        "INSERT INTO t VALUES (?, 'c')",
        "INSERT INTO t VALUES (?, '?')",
        "INSERT INTO t VALUES (?, 'c') -- ?",
        "INSERT INTO t VALUES (?, 'c') # ?",
        "INSERT INTO t VALUES (?, /* ? */ 'c')",
        "INSERT INTO t VALUES (?, ?, ?)",
    ] {
        let insert = sql_query(text).bind::<Integer, _>(3).bind::<Integer, _>(4);
        assert!(insert.execute(connection).is_err(), "{text}");
        assert_eq!(bed.number("SELECT COUNT(*) FROM t"), 2, "{text}");
    }
    Ok(())
}

/// A server that cannot prepare another statement takes the one before for the last that was prepared.
fn a_full_server_executes_no_other_statement(_: &Bed) -> TestResult {
    let server = PrivateServer::mysql(&[]);
    server.execute(TABLE);
    let connection = &mut MysqlConnection::establish(server.url())?;
    // The last statement that was prepared is one that deletes.
    diesel::delete(t::table.find(2)).execute(connection)?;
    server.execute("INSERT INTO t VALUES (2, 'b'); SET GLOBAL max_prepared_stmt_count = 1");
    let error = t::table.find(2).first::<(i64, String)>(connection).expect_err("there is no room");
    assert!(error.to_string().contains("max_prepared_stmt_count"), "{error}");
    assert_eq!(server.texts("SELECT CAST(COUNT(*) AS CHAR) FROM t"), [Some("2".to_owned())]);
    // It is one that reads.
    server.execute("SET GLOBAL max_prepared_stmt_count = 2");
    assert_eq!(t::table.find(2).first::<(i64, String)>(connection)?.1, "b");
    let error = diesel::update(t::table.find(1)).set(t::v.eq("c")).execute(connection).expect_err("there is no room");
    assert!(error.to_string().contains("max_prepared_stmt_count"), "{error}");
    assert_eq!(server.texts("SELECT v FROM t ORDER BY id"), ["a", "b"].map(|v| Some(v.to_owned())));
    Ok(())
}
