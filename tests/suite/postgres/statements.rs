//! The prepared statements that a `PgConnection` keeps, what may change under them, and what a statement may hold.

use diesel::{
    Connection, ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl,
    connection::{CacheSize, SimpleConnection},
    dsl::sql,
    result::Error as DieselError,
    sql_query,
    sql_types::{Array, BigInt, Binary, Integer, Nullable, Text},
};
use orm_core::diesel;
use orm_tests::{Bed, TestResult, on_postgres, proxy::Proxy};

use super::{PgConnection, raw};

on_postgres! {
    prepared_once, none_kept, many_statements, other_types_of_the_same_text, a_table_changes, a_table_changes_in_a_transaction,
    the_server_has_forgotten, a_failed_statement_is_kept, several_results_in_a_batch, an_empty_query, too_many_values,
    nul_in_sql, a_long_value, copy_is_refused, cancelled_from_another_thread,
}

diesel::table! {
    t (id) {
        id -> BigInt,
        v -> Text,
    }
}

const TABLE: &str = "CREATE TABLE t (id BIGINT PRIMARY KEY, v TEXT NOT NULL); INSERT INTO t VALUES (1, 'a'), (2, 'b')";

/// What the server holds for this connection; asked by a query that is not kept itself.
fn held(connection: &mut PgConnection) -> QueryResult<i64> {
    sql_query("SELECT count(*) AS value FROM pg_prepared_statements")
        .get_result::<Value>(connection)
        .map(|row| row.value)
}

#[derive(diesel::QueryableByName)]
struct Value {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

fn is_usable(connection: &mut PgConnection) -> bool {
    sql::<Integer>("SELECT 7").get_result::<i32>(connection).is_ok_and(|seven| seven == 7)
}

fn prepared_once(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut PgConnection::establish(bed.url())?;
    assert_eq!(held(connection)?, 0);
    for id in 0..50 {
        let read = t::table.filter(t::id.gt(id % 3)).load::<(i64, String)>(connection)?;
        assert_eq!(i64::try_from(read.len()), Ok(2 - id % 3));
        diesel::insert_into(t::table).values((t::id.eq(id + 100), t::v.eq("c"))).execute(connection)?;
        diesel::delete(t::table.find(id + 100)).execute(connection)?;
        // A list of any length is one value.
        t::table.filter(t::id.eq_any(vec![id; usize::try_from(id)?])).load::<(i64, String)>(connection)?;
        // SQL of the user's own is not kept, as with Diesel's own connections.
        sql_query("SELECT 1").execute(connection)?;
    }
    assert_eq!(held(connection)?, 4);
    Ok(())
}

fn none_kept(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let query = |connection: &mut PgConnection| t::table.find(1).first::<(i64, String)>(connection).map(drop);
    let connection = &mut PgConnection::establish(bed.url())?;
    (0..5).try_for_each(|_| query(connection))?;
    assert_eq!(held(connection)?, 1);
    connection.set_prepared_statement_cache_size(CacheSize::Disabled);
    (0..5).try_for_each(|_| query(connection))?;
    assert_eq!(held(connection)?, 0);
    connection.set_prepared_statement_cache_size(CacheSize::Unbounded);
    (0..5).try_for_each(|_| query(connection))?;
    assert_eq!(held(connection)?, 1);
    // As the URL says it.
    for (size, expected) in [(0, 0), (2, 2)] {
        let connection = &mut PgConnection::establish(&bed.url_with(&format!("statement_cache_size={size}")))?;
        for n in 1..=5 {
            assert_eq!(of_number(connection, n)?, 2);
        }
        assert!(is_usable(connection));
        assert_eq!(held(connection)?, expected, "of {size}");
    }
    Ok(())
}

/// Reads both rows by one of very many texts.
fn of_number(connection: &mut PgConnection, number: u32) -> QueryResult<usize> {
    let mut query = t::table.select(t::id).into_boxed();
    for bit in 0..14 {
        query = if number >> bit & 1 == 0 { query.filter(t::id.gt(0)) } else { query.filter(t::id.ne(0)) };
    }
    query.load::<i64>(connection).map(|rows| rows.len())
}

fn many_statements(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut PgConnection::establish(bed.url())?;
    for number in 0..10_000 {
        assert_eq!(of_number(connection, number)?, 2);
        if number % 1_000 == 999 {
            assert!(held(connection)? <= 101, "after {number}: {}", held(connection)?);
        }
    }
    assert!((90..=101).contains(&held(connection)?), "{} are kept", held(connection)?);
    Ok(())
}

/// The types that the parameters were prepared with are part of a statement.
fn other_types_of_the_same_text(bed: &Bed) -> TestResult {
    let connection = &mut PgConnection::establish(bed.url())?;
    for _ in 0..3 {
        let read = |connection: &mut PgConnection| {
            sql::<Text>("SELECT pg_typeof(").bind::<Integer, _>(1).sql(")::text").get_result::<String>(connection)
        };
        assert_eq!(read(connection)?, "integer");
        let read = |connection: &mut PgConnection| {
            sql::<Text>("SELECT pg_typeof(").bind::<BigInt, _>(1).sql(")::text").get_result::<String>(connection)
        };
        assert_eq!(read(connection)?, "bigint");
        let null = sql::<Text>("SELECT pg_typeof(").bind::<Nullable<Text>, _>(None::<&str>).sql(")::text");
        assert_eq!(null.get_result::<String>(connection)?, "text");
        let list = sql::<Text>("SELECT pg_typeof(").bind::<Array<Integer>, _>(vec![1]).sql(")::text");
        assert_eq!(list.get_result::<String>(connection)?, "integer[]");
    }
    assert!(held(connection)? <= 4);
    Ok(())
}

const CHANGES: [&str; 5] = [
    "ALTER TABLE t ADD w INT",
    "ALTER TABLE t ALTER v TYPE VARCHAR(20)",
    "ALTER TABLE t RENAME TO other; CREATE VIEW t AS SELECT id, v || '' AS v FROM other",
    "DROP VIEW t; ALTER TABLE other RENAME TO t; ALTER TABLE t ALTER v TYPE TEXT",
    "CREATE TABLE copy (v TEXT, id BIGINT); INSERT INTO copy SELECT v, id FROM t; DROP TABLE t; ALTER TABLE copy RENAME TO t",
];

/// Outside of a transaction, a kept statement whose result has changed is prepared anew, and nobody notices.
fn a_table_changes(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut PgConnection::establish(bed.url())?;
    let read = |connection: &mut PgConnection| t::table.order(t::id).load::<(i64, String)>(connection);
    let all = |connection: &mut PgConnection| {
        sql::<Text>("SELECT row_to_json(t)::text FROM t ORDER BY id LIMIT 1").get_result::<String>(connection)
    };
    let star = |connection: &mut PgConnection| {
        let query = sql::<diesel::sql_types::Untyped>("SELECT * FROM t ORDER BY id");
        raw::rows(connection, query).map(|rows| rows[0].len())
    };
    let rows = || vec![(1, "a".to_owned()), (2, "b".to_owned())];
    assert_eq!((read(connection)?, star(connection)?), (rows(), 2));
    all(connection)?;
    for (change, columns) in CHANGES.into_iter().zip([3, 3, 2, 3, 2]) {
        bed.execute(change);
        assert_eq!(read(connection)?, rows(), "{change}");
        assert_eq!(star(connection)?, columns, "{change}");
        assert!(all(connection)?.contains("\"a\""));
    }
    bed.execute("ALTER TABLE t RENAME COLUMN v TO x");
    assert!(read(connection).is_err());
    bed.execute("ALTER TABLE t RENAME COLUMN x TO v");
    assert_eq!(read(connection)?, rows());
    assert!(held(connection)? <= 4);
    Ok(())
}

/// Inside of one, the server has failed the transaction: the error says what to do, and doing it works.
fn a_table_changes_in_a_transaction(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut PgConnection::establish(bed.url())?;
    let read = |connection: &mut PgConnection| t::table.load::<(i64, String)>(connection);
    assert_eq!(read(connection)?.len(), 2);
    bed.execute("ALTER TABLE t ALTER v TYPE VARCHAR(20)");
    let run = |connection: &mut PgConnection| {
        connection.transaction(|connection| {
            sql_query("INSERT INTO t (id, v) VALUES (3, 'c')").execute(connection)?;
            read(connection)
        })
    };
    let Err(DieselError::DatabaseError(_, information)) = run(connection) else { panic!("the plan is another") };
    assert_eq!(information.details(), Some("SQLSTATE 0A000"), "{information:?}");
    assert!(information.hint().is_some_and(|hint| hint.contains("again")), "{information:?}");
    assert_eq!(bed.number("SELECT count(*) FROM t"), 2);
    assert_eq!(run(connection)?.len(), 3);
    Ok(())
}

/// Somebody has told the server to forget all, behind the connection's back.
fn the_server_has_forgotten(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut PgConnection::establish(bed.url())?;
    let read = |connection: &mut PgConnection| t::table.find(1).first::<(i64, String)>(connection);
    for forget in ["DEALLOCATE ALL", "DISCARD ALL"] {
        read(connection)?;
        connection.batch_execute(forget)?;
        if forget == "DISCARD ALL" {
            assert_eq!(held(connection)?, 0);
        }
        assert_eq!(read(connection)?.0, 1, "{forget}");
        assert_eq!(held(connection)?, 1);
    }
    Ok(())
}

fn a_failed_statement_is_kept(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut PgConnection::establish(bed.url())?;
    for id in [1, 2, 1, 3] {
        let answer = diesel::insert_into(t::table).values((t::id.eq(id), t::v.eq("c"))).execute(connection);
        assert_eq!(answer.is_ok(), id == 3);
    }
    assert_eq!(held(connection)?, 1);
    // One that cannot be prepared is not.
    for _ in 0..3 {
        assert!(sql::<Integer>("SELECT * FROM nothing").load::<i32>(connection).is_err());
    }
    assert_eq!(held(connection)?, 1);
    Ok(())
}

fn several_results_in_a_batch(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut PgConnection::establish(bed.url())?;
    connection.batch_execute(
        "INSERT INTO t VALUES (3, 'c'); SELECT 1; SELECT n, repeat('x', 100) FROM generate_series(1, 5000) AS n; ; \
         SELECT; INSERT INTO t VALUES (4, 'd');",
    )?;
    assert_eq!(bed.number("SELECT count(*) FROM t"), 4);
    // All of it is one transaction for the server.
    let error = connection
        .batch_execute(
            "INSERT INTO t VALUES (5, 'e'); SELECT n / (n - 3) FROM generate_series(1, 9) AS n; DELETE FROM t",
        )
        .expect_err("it divides by zero");
    assert!(error.to_string().contains("zero"), "{error}");
    assert_eq!(bed.number("SELECT count(*) FROM t"), 4);
    assert!(is_usable(connection));
    // In a prepared statement there is room for one.
    assert!(sql_query("SELECT 1; SELECT 2").execute(connection).is_err());
    assert!(is_usable(connection));
    Ok(())
}

fn an_empty_query(bed: &Bed) -> TestResult {
    let connection = &mut PgConnection::establish(bed.url())?;
    for empty in ["", "  ", ";", "-- nothing", "/* nothing */"] {
        assert!(sql_query(empty).execute(connection).is_err(), "{empty}");
        assert!(raw::rows(connection, sql_query(empty)).is_err(), "{empty}");
        // A file of migrations may well be.
        let _ = connection.batch_execute(empty);
        assert!(is_usable(connection), "{empty}");
    }
    Ok(())
}

/// Bind counts them in 16 bits; what it could not count right is not sent.
fn too_many_values(bed: &Bed) -> TestResult {
    let proxy = Proxy::listening_in(bed.url());
    let connection = &mut PgConnection::establish(proxy.url())?;
    let query = |count: usize| {
        let sql = (1..=count).map(|n| format!("${n}")).collect::<Vec<_>>().join(",");
        let mut query = sql_query(format!("SELECT 'marked{count}', cardinality(ARRAY[{sql}]::int[])"))
            .into_boxed::<diesel::pg::Pg>();
        for n in 0..count {
            query = query.bind::<Integer, _>(i32::try_from(n).unwrap_or(0));
        }
        query
    };
    for count in [65_536, 65_537, 131_072, 131_073] {
        let error = query(count).execute(connection).expect_err("they cannot be counted");
        assert!(error.to_string().contains("65535"), "{error}");
        assert!(!proxy.has_heard(&format!("marked{count}")), "{count}: something was sent");
        assert!(is_usable(connection));
    }
    connection.transaction(|connection| {
        assert!(query(65_536).execute(connection).is_err());
        assert!(is_usable(connection), "nothing was sent, so the transaction goes on");
        Ok::<_, DieselError>(())
    })?;
    let rows = raw::rows(connection, query(65_535))?;
    assert_eq!(rows[0][1].value, Some((23, 65_535_i32.to_be_bytes().to_vec())));
    assert!(proxy.has_heard("marked65535"));
    Ok(())
}

fn nul_in_sql(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut PgConnection::establish(bed.url())?;
    for sql in ["DELETE FROM t\0 WHERE id = 1", "\0", "SELECT 1\0"] {
        assert!(matches!(sql_query(sql).execute(connection), Err(DieselError::InvalidCString(_))));
        assert!(matches!(connection.batch_execute(sql), Err(DieselError::InvalidCString(_))));
    }
    assert_eq!(bed.number("SELECT count(*) FROM t"), 2);
    assert!(is_usable(connection));
    Ok(())
}

fn a_long_value(bed: &Bed) -> TestResult {
    let connection = &mut PgConnection::establish(bed.url())?;
    let bytes = vec![0xA5_u8; 100_000_000];
    let query = sql::<(Integer, Binary)>("SELECT length(v), substr(v, 99999999) FROM (SELECT ")
        .bind::<Binary, _>(&bytes)
        .sql(" AS v) AS q");
    assert_eq!(query.get_result::<(i32, Vec<u8>)>(connection)?, (100_000_000, vec![0xA5, 0xA5]));
    let back = sql::<Binary>("SELECT ").bind::<Binary, _>(&bytes).get_result::<Vec<u8>>(connection)?;
    assert!(back == bytes);
    // More than the server takes in one value: 1 GB; it says so, or ends the connection. Nothing of it is read as right.
    let error = sql::<Integer>("SELECT length(repeat(")
        .bind::<Text, _>("x")
        .sql(", 1073741823))")
        .get_result::<i32>(connection);
    assert!(error.is_err(), "{error:?}");
    assert!(is_usable(connection));
    Ok(())
}

/// A statement that wants data from the program, or gives it some, is refused, and the connection goes on.
fn copy_is_refused(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut PgConnection::establish(bed.url())?;
    for copy in [
        "COPY t FROM STDIN",
        "COPY t TO STDOUT",
        "COPY (SELECT n FROM generate_series(1, 100000) AS n) TO STDOUT BINARY",
    ] {
        for _ in 0..2 {
            let error = connection.batch_execute(copy).expect_err(copy);
            assert!(error.to_string().contains("COPY"), "{error}");
            let error = sql_query(copy).execute(connection).expect_err(copy);
            assert!(error.to_string().contains("COPY"), "{error}");
            assert!(raw::rows(connection, sql_query(copy)).is_err());
            assert!(is_usable(connection), "{copy}");
        }
    }
    assert!(connection.batch_execute("SELECT 1; COPY t FROM STDIN; DELETE FROM t").is_err());
    assert_eq!(bed.number("SELECT count(*) FROM t"), 2);
    assert!(is_usable(connection));
    Ok(())
}

fn cancelled_from_another_thread(bed: &Bed) -> TestResult {
    let connection = &mut PgConnection::establish(bed.url())?;
    let token = connection.cancel_token();
    let pid: i64 = sql::<BigInt>("SELECT pg_backend_pid()::bigint").get_result(connection)?;
    for statement in ["SELECT pg_sleep(60)", "SELECT n, pg_sleep((n - 1) * 60) FROM generate_series(1, 2) AS n"] {
        let answer = std::thread::scope(|scope| {
            let token = token.clone();
            scope.spawn(move || {
                let sleeps =
                    format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid} AND wait_event = 'PgSleep'");
                while bed.number(&sleeps) == 0 {
                    std::thread::sleep(std::time::Duration::from_millis(5));
                }
                token.cancel().expect("the server is there");
            });
            sql_query(statement).execute(connection)
        });
        let Err(DieselError::DatabaseError(_, information)) = answer else { panic!("{answer:?}") };
        assert_eq!(information.details(), Some("SQLSTATE 57014"));
        assert!(is_usable(connection));
    }
    // Where nothing runs, nothing happens; and a token may outlive its connection.
    token.cancel()?;
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert!(is_usable(connection));
    assert!(!format!("{token:?}").contains("secret"));
    Ok(())
}
