//! Transactions of `MysqlConnection`: nothing runs outside of one by mistake, whatever the server makes of it.

use diesel::{
    Connection, QueryResult, RunQueryDsl,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
    dsl::sql,
    r2d2::R2D2Connection,
    result::Error as DieselError,
    sql_query,
    sql_types::BigInt,
};
use orm_core::{Database, Mysql, MysqlConnection, diesel};
use orm_tests::{Bed, TestResult, on_mysql};

on_mysql! {
    commits_and_rollbacks, savepoints, test_transactions, a_deadlock_that_is_passed_over,
    a_deadlock_under_a_savepoint, a_deadlock_under_a_stream, a_deadlock_without_a_transaction_of_diesels,
    a_lock_that_is_not_had, a_rollback_on_timeout, begin_by_hand, schemas_change_in_a_transaction,
    a_schema_that_cannot_change, no_autocommit, a_panic_in_a_transaction, a_stream_in_a_transaction,
}

const TABLE: &str = "CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t SELECT seq, 0 FROM seq_1_to_100";

fn insert(connection: &mut MysqlConnection, id: i64) -> QueryResult<usize> {
    sql_query("INSERT INTO t VALUES (?, 0)").bind::<BigInt, _>(id).execute(connection)
}

fn added(bed: &Bed) -> i64 {
    bed.number("SELECT COUNT(*) FROM t WHERE id > 100")
}

fn details(error: &DieselError) -> String {
    match error {
        DieselError::DatabaseError(_, information) => information.details().unwrap_or_default().to_owned(),
        other => format!("{other:?}"),
    }
}

fn commits_and_rollbacks(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut MysqlConnection::establish(bed.url())?;
    connection.transaction(|connection| insert(connection, 101))?;
    assert_eq!(added(bed), 1);
    let answer = connection.transaction(|connection| {
        insert(connection, 102)?;
        insert(connection, 103)?;
        Err::<(), _>(DieselError::NotFound)
    });
    assert_eq!((answer, added(bed)), (Err(DieselError::NotFound), 1));
    // An error of a statement, passed over, does not end a transaction here.
    connection.transaction(|connection| {
        insert(connection, 102)?;
        assert!(insert(connection, 1).is_err());
        insert(connection, 103)
    })?;
    assert_eq!(added(bed), 3);
    Ok(())
}

fn savepoints(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut MysqlConnection::establish(bed.url())?;
    connection.transaction(|connection| {
        insert(connection, 101)?;
        let inner = connection.transaction(|connection| {
            insert(connection, 102)?;
            connection.transaction(|connection| insert(connection, 103))?;
            Err::<(), _>(DieselError::RollbackTransaction)
        });
        assert_eq!(inner, Err(DieselError::RollbackTransaction));
        connection.transaction(|connection| insert(connection, 104))
    })?;
    let ids = bed.texts("SELECT id FROM t WHERE id > 100 ORDER BY id");
    assert_eq!(ids, [Some("101".to_owned()), Some("104".to_owned())]);
    Ok(())
}

fn test_transactions(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut MysqlConnection::establish(bed.url())?;
    connection.test_transaction(|connection| {
        insert(connection, 101)?;
        Ok::<_, DieselError>(())
    });
    assert_eq!(sql::<BigInt>("SELECT COUNT(*) FROM t").get_result::<i64>(connection)?, 100);
    connection.begin_test_transaction()?;
    connection.transaction(|connection| insert(connection, 102))?;
    assert!(!connection.is_broken());
    assert_eq!(sql::<BigInt>("SELECT COUNT(*) FROM t").get_result::<i64>(connection)?, 101);
    assert_eq!(added(bed), 0);
    Ok(())
}

/// Another session's transaction, which wins any deadlock: it has changed many rows.
fn winner(bed: &Bed) -> Result<MysqlConnection, Box<dyn std::error::Error>> {
    let mut winner = MysqlConnection::establish(bed.url())?;
    winner.batch_execute("BEGIN; UPDATE t SET v = 1 WHERE id BETWEEN 2 AND 50")?;
    Ok(winner)
}

/// Makes a deadlock between a transaction that has locked row 1, and the winner, which then commits.
fn deadlock(mut winner: MysqlConnection, loser: impl FnOnce() -> QueryResult<usize>) -> QueryResult<usize> {
    std::thread::scope(|scope| {
        scope.spawn(move || {
            winner.batch_execute("UPDATE t SET v = 1 WHERE id = 1; COMMIT").expect("it has changed more rows");
        });
        // Whichever of them waits first, it is this one that has changed less.
        loser()
    })
}

const LOCK_FIRST: &str = "UPDATE t SET v = 2 WHERE id = 1";
const LOCK_SECOND: &str = "UPDATE t SET v = 2 WHERE id = 2";
const LOST: &str = "error 1213, SQLSTATE 40001";
const ENDED: &str = "the transaction has ended";

fn a_deadlock_that_is_passed_over(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut MysqlConnection::establish(bed.url())?;
    let winner = winner(bed)?;
    let answer = connection.transaction(|connection| {
        insert(connection, 101)?;
        sql_query(LOCK_FIRST).execute(connection)?;
        let lost = deadlock(winner, || sql_query(LOCK_SECOND).execute(connection));
        assert_eq!(lost.as_ref().map_err(details), Err(LOST.to_owned()));
        // It would be committed at once.
        assert_eq!(insert(connection, 102).map_err(|error| details(&error)), Err(ENDED.to_owned()));
        let answers = [
            connection.batch_execute("INSERT INTO t VALUES (103, 0)").map(|()| 0),
            sql::<BigInt>("SELECT 1").load::<i64>(connection).map(|rows| rows.len()),
            connection.transaction(|connection| insert(connection, 104)),
        ];
        for answer in answers {
            assert_eq!(answer.map_err(|error| details(&error)), Err(ENDED.to_owned()));
        }
        Ok::<_, DieselError>(())
    });
    let error = answer.expect_err("nothing of it is stored, so it has not succeeded");
    assert_eq!(details(&error), ENDED);
    assert_eq!(added(bed), 0);
    assert_eq!(bed.number("SELECT SUM(v) FROM t"), 50, "the winner's");
    assert!(!connection.is_broken());
    connection.transaction(|connection| insert(connection, 105))?;
    assert_eq!(added(bed), 1);
    Ok(())
}

fn a_deadlock_under_a_savepoint(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut MysqlConnection::establish(bed.url())?;
    let winner = winner(bed)?;
    let answer = connection.transaction(|connection| {
        insert(connection, 101)?;
        let inner = connection.transaction(|connection| {
            sql_query(LOCK_FIRST).execute(connection)?;
            deadlock(winner, || sql_query(LOCK_SECOND).execute(connection))
        });
        assert_eq!(inner.as_ref().map_err(details), Err(LOST.to_owned()));
        // The savepoint is gone with the transaction that it was in.
        assert_eq!(insert(connection, 102).map_err(|error| details(&error)), Err(ENDED.to_owned()));
        Ok::<_, DieselError>(())
    });
    assert_eq!(answer.map_err(|error| details(&error)), Err(ENDED.to_owned()));
    assert_eq!(added(bed), 0);
    connection.transaction(|connection| {
        insert(connection, 103)?;
        connection.transaction(|connection| insert(connection, 104))
    })?;
    assert_eq!(added(bed), 2);
    Ok(())
}

/// The error comes with the rows, when the statement has long been answered.
fn a_deadlock_under_a_stream(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut MysqlConnection::establish(bed.url())?;
    let winner = winner(bed)?;
    let answer = connection.transaction(|connection| {
        insert(connection, 101)?;
        sql_query(LOCK_FIRST).execute(connection)?;
        let lost = deadlock(winner, || {
            let rows = sql::<BigInt>("SELECT id FROM t WHERE id < 50 FOR UPDATE").load::<i64>(connection);
            rows.map(|rows| rows.len())
        });
        assert_eq!(lost.as_ref().map_err(details), Err(LOST.to_owned()));
        assert_eq!(insert(connection, 102).map_err(|error| details(&error)), Err(ENDED.to_owned()));
        Ok::<_, DieselError>(())
    });
    assert!(answer.is_err());
    assert_eq!(added(bed), 0);
    Ok(())
}

fn a_deadlock_without_a_transaction_of_diesels(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut MysqlConnection::establish(bed.url())?;
    let winner = winner(bed)?;
    connection.batch_execute("BEGIN; INSERT INTO t VALUES (101, 0)")?;
    sql_query(LOCK_FIRST).execute(connection)?;
    let lost = deadlock(winner, || sql_query(LOCK_SECOND).execute(connection));
    assert_eq!(lost.as_ref().map_err(details), Err(LOST.to_owned()));
    // Diesel knows of no transaction that could be refused; the caller began it by hand, and ends it so.
    connection.batch_execute("ROLLBACK")?;
    assert!(!connection.is_broken());
    assert_eq!(insert(connection, 102)?, 1);
    assert_eq!(added(bed), 1);
    Ok(())
}

fn a_lock_that_is_not_had(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let _holder = winner(bed)?;
    let connection = &mut MysqlConnection::establish(bed.url())?;
    connection.batch_execute("SET innodb_lock_wait_timeout = 0")?;
    connection.transaction(|connection| {
        insert(connection, 101)?;
        let error = sql_query(LOCK_SECOND).execute(connection).expect_err("the row is locked");
        assert_eq!(details(&error), "error 1205, SQLSTATE HY000");
        insert(connection, 102)
    })?;
    assert_eq!(added(bed), 2, "only the statement was undone");
    Ok(())
}

/// What has ended the transaction is not in the error's number; the server's state tells.
fn a_rollback_on_timeout(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    bed.execute("CREATE PROCEDURE undo_all() BEGIN ROLLBACK; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'undone'; END");
    let connection = &mut MysqlConnection::establish(bed.url())?;
    let answer = connection.transaction(|connection| {
        insert(connection, 101)?;
        assert!(sql_query("CALL undo_all()").execute(connection).is_err());
        assert_eq!(insert(connection, 102).map_err(|error| details(&error)), Err(ENDED.to_owned()));
        Ok::<_, DieselError>(())
    });
    assert_eq!(answer.map_err(|error| details(&error)), Err(ENDED.to_owned()));
    assert_eq!(added(bed), 0);
    assert_eq!(insert(connection, 103)?, 1);
    Ok(())
}

fn begin_by_hand(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut MysqlConnection::establish(bed.url())?;
    for (sql, is_broken) in [
        ("BEGIN", true),
        ("COMMIT", false),
        ("START TRANSACTION READ ONLY", true),
        ("ROLLBACK", false),
        ("SET autocommit = 0", true),
        ("INSERT INTO t VALUES (101, 0)", true),
        ("ROLLBACK", true),
        ("SET autocommit = 1", false),
        ("XA START 'x'; INSERT INTO t VALUES (101, 0)", true),
        ("XA END 'x'; XA ROLLBACK 'x'", false),
    ] {
        connection.batch_execute(sql)?;
        assert_eq!(connection.is_broken(), is_broken, "{sql}");
    }
    AnsiTransactionManager::begin_transaction_sql(connection, "START TRANSACTION READ ONLY")?;
    assert!(connection.is_broken(), "Diesel's own is open, too");
    assert!(insert(connection, 102).is_err());
    AnsiTransactionManager::rollback_transaction(connection)?;
    assert!(!connection.is_broken());
    assert_eq!(added(bed), 0);
    Ok(())
}

/// Each of these statements commits what was done before it, and the transaction goes on as if it had not.
fn schemas_change_in_a_transaction(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut MysqlConnection::establish(bed.url())?;
    let answer = connection.transaction(|connection| {
        insert(connection, 101)?;
        connection.batch_execute("CREATE TABLE u (id INT); ALTER TABLE u ADD v INT")?;
        sql_query("INSERT INTO u VALUES (1, 2)").execute(connection)?;
        sql_query("CREATE INDEX by_id ON u (id)").execute(connection)?;
        insert(connection, 102)
    });
    assert_eq!(answer?, 1);
    assert_eq!((added(bed), bed.number("SELECT COUNT(*) FROM u")), (2, 1));
    Ok(())
}

/// The server has committed what was done before it; what follows would not be part of any transaction.
fn a_schema_that_cannot_change(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut MysqlConnection::establish(bed.url())?;
    let answer = connection.transaction(|connection| {
        insert(connection, 101)?;
        assert!(connection.batch_execute("CREATE TABLE t (id INT)").is_err());
        let error = insert(connection, 102).expect_err("it would be committed at once");
        assert!(error.to_string().contains("has ended this transaction"), "{error}");
        Ok::<_, DieselError>(())
    });
    assert!(answer.is_err());
    assert_eq!(added(bed), 1);
    assert_eq!(insert(connection, 103)?, 1);
    Ok(())
}

/// The pool of orm-core makes it good again; a transaction of Diesel's is one in any case.
fn no_autocommit(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut MysqlConnection::establish(bed.url())?;
    connection.batch_execute("SET autocommit = 0")?;
    connection.transaction(|connection| insert(connection, 101))?;
    assert_eq!(added(bed), 1);
    insert(connection, 102)?;
    assert_eq!(added(bed), 1, "it waits to be committed");
    let db = Database::<Mysql>::builder().pool_size(1).connect(bed.url())?;
    let id = |db: &Database<Mysql>| -> Result<i64, Box<dyn std::error::Error>> {
        Ok(sql::<BigInt>("SELECT CONNECTION_ID()").get_result(&mut *db.connection()?)?)
    };
    let before = id(&db)?;
    {
        let mut lent = db.connection()?;
        lent.batch_execute("SET autocommit = 0")?;
        insert(&mut lent, 103)?;
    }
    insert(&mut *db.connection()?, 104)?;
    assert_eq!(bed.texts("SELECT id FROM t WHERE id > 100 ORDER BY id"), ["101", "104"].map(|id| Some(id.to_owned())));
    assert_eq!(id(&db)?, before);
    Ok(())
}

fn a_panic_in_a_transaction(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let mut connection = MysqlConnection::establish(bed.url())?;
    let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        connection.transaction(|connection| {
            insert(connection, 101)?;
            // It is in the midst of rows.
            let mut rows = sql::<BigInt>("SELECT seq FROM seq_1_to_1000000000000").load_iter::<i64, _>(connection)?;
            assert!(rows.next().is_none(), "this is the panic");
            Ok::<_, DieselError>(())
        })
    }));
    assert!(unwound.is_err());
    assert!(connection.is_broken());
    drop(connection);
    assert_eq!(added(bed), 0);
    Ok(())
}

fn a_stream_in_a_transaction(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let connection = &mut MysqlConnection::establish(bed.url())?;
    connection.transaction(|connection| {
        insert(connection, 101)?;
        let mut rows = sql::<BigInt>("SELECT seq FROM seq_1_to_1000000000000").load_iter::<i64, _>(connection)?;
        assert_eq!(rows.next().transpose()?, Some(1));
        drop(rows);
        insert(connection, 102)?;
        let inner = connection.transaction(|connection| {
            insert(connection, 103)?;
            std::mem::forget(sql::<BigInt>("SELECT seq FROM seq_1_to_1000000000000").load_iter::<i64, _>(connection)?);
            Err::<(), _>(DieselError::RollbackTransaction)
        });
        assert_eq!(inner, Err(DieselError::RollbackTransaction));
        Ok::<_, DieselError>(())
    })?;
    assert_eq!(bed.texts("SELECT id FROM t WHERE id > 100 ORDER BY id"), ["101", "102"].map(|id| Some(id.to_owned())));
    Ok(())
}
