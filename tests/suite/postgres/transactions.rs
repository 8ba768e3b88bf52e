//! Transactions of `PgConnection`: what has failed is never taken for committed, and nothing stays open unseen.

use diesel::{
    Connection, QueryResult, RunQueryDsl,
    connection::{AnsiTransactionManager, DefaultLoadingMode, SimpleConnection, TransactionManager},
    dsl::sql,
    r2d2::R2D2Connection,
    result::Error as DieselError,
    sql_query,
    sql_types::{BigInt, Text},
};
use orm_core::diesel;
use orm_tests::{Bed, TestResult, on_postgres};

use super::PgConnection;

on_postgres! {
    commits_and_rollbacks, savepoints, test_transactions, an_error_that_is_passed_over,
    an_error_that_is_passed_over_in_a_savepoint, an_error_behind_the_first_row, a_constraint_that_is_checked_late,
    begin_by_hand, a_transaction_of_a_certain_kind, a_panic_in_a_transaction, rows_that_are_dropped_early,
    what_writes_is_not_cut_short,
}

fn with_table(bed: &Bed) -> Result<PgConnection, Box<dyn std::error::Error>> {
    bed.execute("CREATE TABLE t (id BIGINT PRIMARY KEY)");
    Ok(PgConnection::establish(bed.url())?)
}

fn insert(connection: &mut PgConnection, id: i64) -> QueryResult<usize> {
    sql_query("INSERT INTO t VALUES ($1)").bind::<BigInt, _>(id).execute(connection)
}

fn ids(bed: &Bed) -> Vec<i64> {
    bed.texts("SELECT id FROM t ORDER BY id").iter().flatten().filter_map(|id| id.parse().ok()).collect()
}

fn open(connection: &mut PgConnection) -> Option<u32> {
    let status = AnsiTransactionManager::transaction_manager_status_mut(connection);
    status.transaction_depth().ok().flatten().map(Into::into)
}

fn commits_and_rollbacks(bed: &Bed) -> TestResult {
    let connection = &mut with_table(bed)?;
    connection.transaction(|connection| insert(connection, 1))?;
    assert_eq!(ids(bed), [1]);
    let answer = connection.transaction(|connection| {
        insert(connection, 2)?;
        Err::<(), _>(DieselError::NotFound)
    });
    assert_eq!((answer, ids(bed)), (Err(DieselError::NotFound), vec![1]));
    assert!(!connection.is_broken());
    insert(connection, 3)?;
    assert_eq!(ids(bed), [1, 3]);
    Ok(())
}

fn savepoints(bed: &Bed) -> TestResult {
    let connection = &mut with_table(bed)?;
    connection.transaction(|connection| {
        insert(connection, 1)?;
        let inner = connection.transaction(|connection| {
            insert(connection, 2)?;
            connection.transaction(|connection| insert(connection, 3))?;
            assert_eq!(open(connection), Some(2));
            // An error of the server's is undone with the savepoint.
            insert(connection, 1)
        });
        assert!(matches!(inner, Err(DieselError::DatabaseError(..))), "{inner:?}");
        assert_eq!(open(connection), Some(1));
        connection.transaction(|connection| insert(connection, 4))
    })?;
    assert_eq!(ids(bed), [1, 4]);
    Ok(())
}

fn test_transactions(bed: &Bed) -> TestResult {
    let connection = &mut with_table(bed)?;
    connection.test_transaction(|connection| {
        insert(connection, 1)?;
        connection.transaction(|connection| insert(connection, 2))?;
        Ok::<_, DieselError>(())
    });
    assert_eq!(ids(bed), Vec::<i64>::new());
    connection.begin_test_transaction()?;
    connection.transaction(|connection| insert(connection, 2))?;
    assert!(connection.transaction(|connection| insert(connection, 2)).is_err());
    assert_eq!(insert(connection, 3)?, 1);
    assert!(!connection.is_broken());
    assert_eq!(sql::<BigInt>("SELECT count(*) FROM t").get_result::<i64>(connection)?, 2);
    assert_eq!(ids(bed), Vec::<i64>::new());
    Ok(())
}

/// The server answers COMMIT with ROLLBACK; Diesel's own connection takes that for a commit.
fn an_error_that_is_passed_over(bed: &Bed) -> TestResult {
    let connection = &mut with_table(bed)?;
    insert(connection, 1)?;
    for how in 0..3 {
        let answer = connection.transaction(|connection| {
            insert(connection, 2)?;
            match how {
                0 => assert!(insert(connection, 1).is_err()),
                1 => assert!(connection.batch_execute("SELECT 1 / 0").is_err()),
                _ => assert!(sql::<BigInt>("SELECT 1 / 0").load::<i64>(connection).is_err()),
            }
            Ok::<_, DieselError>(())
        });
        assert!(answer.is_err(), "{how}: nothing of it is stored, so it has not succeeded");
        assert_eq!(ids(bed), [1]);
        assert!(!connection.is_broken() && open(connection).is_none());
        assert_eq!(connection.transaction(|connection| insert(connection, 100 + how))?, 1);
        sql_query("DELETE FROM t WHERE id >= 100").execute(connection)?;
    }
    // And where there is no Diesel to know of it.
    connection.batch_execute("BEGIN")?;
    insert(connection, 2)?;
    assert!(insert(connection, 1).is_err());
    assert!(connection.batch_execute("COMMIT").is_err(), "it was answered with ROLLBACK");
    assert_eq!(ids(bed), [1]);
    connection.batch_execute("BEGIN")?;
    assert!(insert(connection, 1).is_err());
    assert!(sql_query("COMMIT").execute(connection).is_err(), "it was answered with ROLLBACK");
    insert(connection, 3)?;
    assert_eq!(ids(bed), [1, 3]);
    Ok(())
}

fn an_error_that_is_passed_over_in_a_savepoint(bed: &Bed) -> TestResult {
    let connection = &mut with_table(bed)?;
    let answer = connection.transaction(|connection| {
        insert(connection, 1)?;
        let inner = connection.transaction(|connection| {
            let _ = insert(connection, 1);
            Ok::<_, DieselError>(())
        });
        assert!(inner.is_err(), "the savepoint cannot be released");
        insert(connection, 2)
    });
    assert_eq!((answer.is_ok(), ids(bed)), (true, vec![1, 2]), "the rest goes on");
    Ok(())
}

/// A statement may fail after its first row was read, when nobody looks any more.
fn an_error_behind_the_first_row(bed: &Bed) -> TestResult {
    let connection = &mut with_table(bed)?;
    let failing = "SELECT repeat('x', 1000) || (1 / (n - 50)) FROM generate_series(1, 100) AS n";
    for taken in [1, 5, 49, 50] {
        let answer = connection.transaction(|connection| {
            insert(connection, 1)?;
            let mut rows = sql::<Text>(failing).load_iter::<String, DefaultLoadingMode>(connection)?;
            for _ in 0..taken {
                let _ = rows.next();
            }
            drop(rows);
            Ok::<_, DieselError>(())
        });
        let stored = ids(bed);
        assert_eq!(stored.len(), usize::from(answer.is_ok()), "{taken} taken, and the answer was {answer:?}");
        assert!(!connection.is_broken());
        sql_query("DELETE FROM t").execute(connection)?;
    }
    Ok(())
}

fn a_constraint_that_is_checked_late(bed: &Bed) -> TestResult {
    bed.execute("CREATE TABLE t (id BIGINT UNIQUE DEFERRABLE INITIALLY DEFERRED)");
    let connection = &mut PgConnection::establish(bed.url())?;
    let answer = connection.transaction(|connection| {
        insert(connection, 1)?;
        insert(connection, 1)
    });
    assert!(answer.is_err(), "COMMIT finds it");
    assert_eq!(ids(bed), Vec::<i64>::new());
    assert!(!connection.is_broken() && open(connection).is_none());
    insert(connection, 1)?;
    assert!(insert(connection, 1).is_err(), "so does the commit of a statement by itself");
    assert_eq!(ids(bed), [1]);
    Ok(())
}

/// Diesel does not see it, so the connection has to.
fn begin_by_hand(bed: &Bed) -> TestResult {
    let connection = &mut with_table(bed)?;
    for begin in ["BEGIN", "START TRANSACTION", "SELECT 1; BEGIN", "BEGIN; SAVEPOINT s"] {
        connection.batch_execute(begin)?;
        assert!(connection.is_broken(), "`{begin}`: no pool hands that on");
        insert(connection, 1)?;
        assert_eq!(ids(bed), Vec::<i64>::new());
        connection.batch_execute("ROLLBACK")?;
        assert!(!connection.is_broken());
    }
    sql_query("BEGIN").execute(connection)?;
    assert!(connection.is_broken());
    assert!(connection.batch_execute("SELECT 1 / 0").is_err());
    assert!(connection.is_broken());
    sql_query("ROLLBACK").execute(connection)?;
    assert!(!connection.is_broken());
    // The user's own COMMIT within Diesel's transaction.
    let answer = connection.transaction(|connection| {
        insert(connection, 1)?;
        connection.batch_execute("COMMIT")?;
        Ok::<_, DieselError>(())
    });
    assert_eq!(ids(bed), [1], "{answer:?}");
    assert!(open(connection).is_none());
    assert_eq!(connection.transaction(|connection| insert(connection, 2))?, 1);
    Ok(())
}

fn a_transaction_of_a_certain_kind(bed: &Bed) -> TestResult {
    let connection = &mut with_table(bed)?;
    AnsiTransactionManager::begin_transaction_sql(
        connection,
        "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE",
    )?;
    let level = sql::<Text>("SELECT current_setting('transaction_isolation')").get_result::<String>(connection)?;
    assert_eq!(level, "serializable");
    assert!(matches!(
        insert(connection, 1),
        Err(DieselError::DatabaseError(diesel::result::DatabaseErrorKind::ReadOnlyTransaction, _))
    ));
    AnsiTransactionManager::rollback_transaction(connection)?;
    assert!(!connection.is_broken());
    Ok(())
}

fn a_panic_in_a_transaction(bed: &Bed) -> TestResult {
    let connection = &mut with_table(bed)?;
    let message = orm_tests::panics::message(|| {
        let _ = connection.transaction(|connection| -> QueryResult<()> {
            insert(connection, 1)?;
            panic!("in the midst of it")
        });
    });
    assert!(message.contains("in the midst"));
    assert!(connection.is_broken(), "no pool hands on what is open");
    assert_eq!(ids(bed), Vec::<i64>::new());
    Ok(())
}

fn pid_of(connection: &mut PgConnection) -> QueryResult<i64> {
    sql::<BigInt>("SELECT pg_backend_pid()::bigint").get_result(connection)
}

/// After FROM, the function would be called to its end before the first row.
const LONG: &str = "SELECT repeat('x', 200) FROM (SELECT generate_series(1, 20000)) AS s";

/// What is left of a result is read, out of a transaction and in one.
fn rows_that_are_dropped_early(bed: &Bed) -> TestResult {
    let connection = &mut with_table(bed)?;
    let pid = pid_of(connection)?;
    for taken in [0, 1, 10, 5_000] {
        let mut rows = sql::<Text>(LONG).load_iter::<String, DefaultLoadingMode>(connection)?;
        assert_eq!(rows.by_ref().take(taken).filter(Result::is_ok).count(), taken);
        drop(rows);
        assert_eq!(pid_of(connection)?, pid, "and the connection goes on");
        assert!(!connection.is_broken());
    }
    std::mem::forget(sql::<Text>(LONG).load_iter::<String, DefaultLoadingMode>(connection)?);
    assert_eq!(pid_of(connection)?, pid);
    // The end of it is the end of nothing else.
    connection.transaction(|connection| {
        insert(connection, 1)?;
        for taken in [0, 1, 10] {
            let middling = "SELECT repeat('x', 200) FROM generate_series(1, 50000)";
            let mut rows = sql::<Text>(middling).load_iter::<String, DefaultLoadingMode>(connection)?;
            assert_eq!(rows.by_ref().take(taken).filter(Result::is_ok).count(), taken);
        }
        insert(connection, 2)
    })?;
    assert_eq!((ids(bed), pid_of(connection)?), (vec![1, 2], pid));
    // At its end, it stays there.
    let mut rows = sql::<BigInt>("SELECT n FROM generate_series(1::bigint, 3) AS n")
        .load_iter::<i64, DefaultLoadingMode>(connection)?;
    assert_eq!(rows.by_ref().count(), 3);
    assert!(rows.next().is_none() && rows.next().is_none());
    Ok(())
}

/// `get_result` looks at the first row alone; what was to be written is written.
fn what_writes_is_not_cut_short(bed: &Bed) -> TestResult {
    let connection = &mut with_table(bed)?;
    let pid = pid_of(connection)?;
    let many = "INSERT INTO t SELECT n FROM generate_series(1, 50000) AS n RETURNING id";
    assert_eq!(sql::<BigInt>(many).get_result::<i64>(connection)?, 1);
    assert_eq!(bed.number("SELECT count(*) FROM t"), 50_000);
    let mut rows =
        sql::<BigInt>("DELETE FROM t WHERE id > 10 RETURNING id").load_iter::<i64, DefaultLoadingMode>(connection)?;
    assert!(rows.next().is_some());
    drop(rows);
    assert_eq!(bed.number("SELECT count(*) FROM t"), 10);
    let with = "WITH gone AS (DELETE FROM t RETURNING id) SELECT id FROM gone, generate_series(1, 50000)";
    sql::<BigInt>(with).get_result::<i64>(connection)?;
    assert_eq!(bed.number("SELECT count(*) FROM t"), 0);
    // Functions may write wherever they are called; in a transaction they come to their end.
    bed.execute("CREATE FUNCTION add(n BIGINT) RETURNS TEXT LANGUAGE sql AS $$ INSERT INTO t VALUES (n) RETURNING repeat('x', 9000) $$");
    let calls = "SELECT add(n) FROM generate_series(1::bigint, 500) AS n";
    connection.transaction(|connection| sql::<Text>(calls).get_result::<String>(connection).map(drop))?;
    assert_eq!(bed.number("SELECT count(*) FROM t"), 500);
    assert_eq!(pid_of(connection)?, pid);
    Ok(())
}
