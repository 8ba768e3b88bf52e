//! Errors of `MysqlConnection`, each provoked on a server: what the server said is kept, it has Diesel's kind and ours,
//! and the connection can be used afterwards.

use std::time::Duration;

use diesel::{
    Connection, QueryResult, RunQueryDsl,
    connection::SimpleConnection,
    dsl::sql,
    r2d2::R2D2Connection,
    result::{DatabaseErrorKind, Error as DieselError},
    sql_query,
    sql_types::{BigInt, Binary, Integer},
};
use orm_core::{Database, ErrorKind, Mysql, MysqlConnection, diesel};
use orm_tests::{Bed, TestResult, on_mysql};

on_mysql! {
    constraints, other_refusals, read_only_transactions, lock_timeouts, statement_timeouts, deadlocks, cancelled, killed,
    killed_under_a_stream, killed_in_a_transaction, larger_than_the_server_takes, not_connected,
}

/// What an error tells: Diesel's kind, the server's number and SQLSTATE, and its message.
fn told(answer: QueryResult<usize>) -> Result<(String, String, String), String> {
    match answer {
        Err(DieselError::DatabaseError(kind, information)) => Ok((
            format!("{kind:?}"),
            information.details().unwrap_or_default().to_owned(),
            information.message().to_owned(),
        )),
        other => Err(format!("{other:?} is no error of the server's")),
    }
}

fn is_usable(connection: &mut MysqlConnection) -> bool {
    sql::<Integer>("SELECT 7").get_result::<i32>(connection).is_ok_and(|seven| seven == 7)
        && connection.ping().is_ok()
        && !connection.is_broken()
}

/// The kind that orm-core gives to the error of the same statement.
fn kind_of(bed: &Bed, before: &str, statement: &str) -> Result<Option<ErrorKind>, orm_core::Error> {
    let db = Database::<Mysql>::connect(bed.url())?;
    let answer = db.transaction(|tx| {
        if !before.is_empty() {
            tx.batch_execute(before)?;
        }
        tx.with_connection(|connection| sql_query(statement).execute(connection))
    });
    Ok(answer.err().map(|error| error.kind()))
}

const TABLES: &str = "CREATE TABLE parents (id INT PRIMARY KEY, word VARCHAR(10) NOT NULL UNIQUE, \
                      amount INT NOT NULL CHECK (amount > 0));
                      CREATE TABLE children (id INT PRIMARY KEY, parent INT REFERENCES parents (id));
                      INSERT INTO parents VALUES (1, 'a', 1); INSERT INTO children VALUES (1, 1)";

fn constraints(bed: &Bed) -> TestResult {
    bed.execute(TABLES);
    let connection = &mut MysqlConnection::establish(bed.url())?;
    for (statement, diesels, details, message, ours) in [
        (
            "INSERT INTO parents VALUES (1, 'b', 1)",
            DatabaseErrorKind::UniqueViolation,
            "error 1062, SQLSTATE 23000",
            "Duplicate entry '1' for key 'PRIMARY'",
            ErrorKind::UniqueViolation,
        ),
        (
            "UPDATE parents SET id = id + 1, word = NULL",
            DatabaseErrorKind::NotNullViolation,
            "error 1048, SQLSTATE 23000",
            "Column 'word' cannot be null",
            ErrorKind::NotNullViolation,
        ),
        (
            "INSERT INTO parents (id, word) VALUES (2, 'b')",
            DatabaseErrorKind::NotNullViolation,
            "error 1364, SQLSTATE HY000",
            "Field 'amount' doesn't have a default value",
            ErrorKind::NotNullViolation,
        ),
        (
            "INSERT INTO children VALUES (2, 9)",
            DatabaseErrorKind::ForeignKeyViolation,
            "error 1452, SQLSTATE 23000",
            "Cannot add or update a child row",
            ErrorKind::ForeignKeyViolation,
        ),
        (
            "DELETE FROM parents",
            DatabaseErrorKind::ForeignKeyViolation,
            "error 1451, SQLSTATE 23000",
            "Cannot delete or update a parent row",
            ErrorKind::ForeignKeyViolation,
        ),
        (
            "INSERT INTO parents VALUES (2, 'b', 0)",
            DatabaseErrorKind::CheckViolation,
            "error 4025, SQLSTATE 23000",
            "CONSTRAINT `parents.amount` failed",
            ErrorKind::CheckViolation,
        ),
    ] {
        // As a prepared statement, and as text.
        let prepared = sql_query(statement).execute(connection);
        assert!(is_usable(connection), "{statement}");
        let text = connection.batch_execute(statement).map(|()| 0);
        assert!(is_usable(connection), "{statement}");
        for answer in [prepared, text] {
            let (kind, number, said) = told(answer)?;
            assert_eq!((kind, &*number), (format!("{diesels:?}"), details), "{statement}");
            assert!(said.starts_with(message), "{statement}: {said}");
        }
        assert_eq!(kind_of(bed, "", statement)?, Some(ours), "{statement}");
    }
    assert_eq!(bed.number("SELECT COUNT(*) FROM parents"), 1);
    Ok(())
}

fn other_refusals(bed: &Bed) -> TestResult {
    let connection = &mut MysqlConnection::establish(bed.url())?;
    for (statement, details, error_kind) in [
        ("SELEC 1", "error 1064, SQLSTATE 42000", ErrorKind::Database),
        ("SELECT * FROM nothing", "error 1146, SQLSTATE 42S02", ErrorKind::UndefinedTable),
        ("SELECT nothing", "error 1054, SQLSTATE 42S22", ErrorKind::UndefinedColumn),
        (
            "SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 31001, MESSAGE_TEXT = 'é'",
            "error 31001, SQLSTATE 45000",
            ErrorKind::Database,
        ),
    ] {
        let (kind, number, _) = told(sql_query(statement).execute(connection))?;
        assert_eq!((&*kind, &*number), ("Unknown", details));
        assert!(is_usable(connection), "{statement}");
        assert_eq!(kind_of(bed, "", statement)?, Some(error_kind));
    }
    // After some rows have been read.
    let rows =
        sql::<BigInt>("SELECT CAST(seq AS SIGNED) + 9223372036854775000 FROM seq_1_to_2000").load::<i64>(connection);
    let (_, number, _) = told(rows.map(|rows| rows.len()))?;
    assert_eq!(number, "error 1690, SQLSTATE 22003");
    assert!(is_usable(connection));
    Ok(())
}

fn read_only_transactions(bed: &Bed) -> TestResult {
    bed.execute(TABLES);
    let connection = &mut MysqlConnection::establish(bed.url())?;
    connection.batch_execute("START TRANSACTION READ ONLY")?;
    let (kind, details, _) = told(sql_query("DELETE FROM children").execute(connection))?;
    assert_eq!((&*kind, &*details), ("ReadOnlyTransaction", "error 1792, SQLSTATE 25006"));
    connection.batch_execute("ROLLBACK")?;
    assert!(is_usable(connection));
    let kind = kind_of(bed, "COMMIT; START TRANSACTION READ ONLY", "DELETE FROM children")?;
    assert_eq!(kind, Some(ErrorKind::ReadOnly));
    Ok(())
}

fn lock_timeouts(bed: &Bed) -> TestResult {
    bed.execute(TABLES);
    let holder = &mut MysqlConnection::establish(bed.url())?;
    holder.batch_execute("BEGIN; UPDATE parents SET amount = 2")?;
    let connection = &mut MysqlConnection::establish(bed.url())?;
    connection.batch_execute("SET innodb_lock_wait_timeout = 0")?;
    for statement in ["UPDATE parents SET amount = 3", "SELECT * FROM parents FOR UPDATE NOWAIT"] {
        let (kind, details, _) = told(sql_query(statement).execute(connection))?;
        assert_eq!((&*kind, &*details), ("Unknown", "error 1205, SQLSTATE HY000"));
        assert!(is_usable(connection));
        let kind = kind_of(bed, "SET innodb_lock_wait_timeout = 0", statement)?;
        assert_eq!(kind, Some(ErrorKind::LockTimeout));
    }
    Ok(())
}

fn statement_timeouts(bed: &Bed) -> TestResult {
    let long = "SELECT COUNT(*) FROM seq_1_to_1000000000000 WHERE seq % 2 = 0";
    let connection = &mut MysqlConnection::establish(bed.url())?;
    connection.batch_execute("SET max_statement_time = 0.05")?;
    let (kind, details, _) = told(sql_query(long).execute(connection))?;
    assert_eq!((&*kind, &*details), ("Unknown", "error 1969, SQLSTATE 70100"));
    // While rows come.
    let rows = sql::<BigInt>("SELECT seq FROM seq_1_to_1000000000000").load::<i64>(connection);
    assert_eq!(told(rows.map(|rows| rows.len()))?.1, "error 1969, SQLSTATE 70100");
    assert!(is_usable(connection));
    assert_eq!(kind_of(bed, "SET max_statement_time = 0.05", long)?, Some(ErrorKind::StatementTimeout));
    let db = Database::<Mysql>::builder().statement_timeout(Duration::from_millis(50)).connect(bed.url())?;
    let (kind, ..) = told(sql_query(long).execute(&mut *db.connection()?))?;
    assert_eq!(kind, "Unknown");
    Ok(())
}

/// Two transactions, each of which waits for the other; the server ends the one that has changed fewer rows.
fn deadlocks(bed: &Bed) -> TestResult {
    bed.execute("CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t SELECT seq, 0 FROM seq_1_to_100");
    let winner = &mut MysqlConnection::establish(bed.url())?;
    let connection = &mut MysqlConnection::establish(bed.url())?;
    winner.batch_execute("BEGIN; UPDATE t SET v = 1 WHERE id > 1")?;
    connection.batch_execute("BEGIN; UPDATE t SET v = 2 WHERE id = 1")?;
    let answer = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| winner.batch_execute("UPDATE t SET v = 1 WHERE id = 1"));
        // Whichever of them waits first, it is this one that has changed less.
        let answer = sql_query("UPDATE t SET v = 2 WHERE id = 2").execute(connection);
        (answer, waiting.join())
    });
    let (kind, details, _) = told(answer.0)?;
    assert_eq!((&*kind, &*details), ("SerializationFailure", "error 1213, SQLSTATE 40001"));
    answer.1.map_err(|_| "the winner has panicked")??;
    assert!(is_usable(connection), "without a transaction of Diesel's there is nothing to keep it from");
    winner.batch_execute("COMMIT")?;
    assert_eq!(bed.number("SELECT SUM(v) FROM t"), 100);
    Ok(())
}

fn id_of(connection: &mut MysqlConnection) -> QueryResult<i64> {
    sql::<BigInt>("SELECT CONNECTION_ID()").get_result(connection)
}

/// Ends a connection's statement from outside, once it runs.
fn kill_when_it_runs(bed: &Bed, id: i64, kill: &str) {
    let runs = format!("SELECT COUNT(*) FROM information_schema.processlist WHERE id = {id} AND info LIKE '%SLEEP(%'");
    while bed.number(&runs) == 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    bed.execute(&format!("{kill} {id}"));
}

fn cancelled(bed: &Bed) -> TestResult {
    let connection = &mut MysqlConnection::establish(bed.url())?;
    let id = id_of(connection)?;
    let statement = "SELECT seq FROM seq_1_to_10 WHERE SLEEP(100) = 0";
    let answer = std::thread::scope(|scope| {
        scope.spawn(|| kill_when_it_runs(bed, id, "KILL QUERY"));
        sql_query(statement).execute(connection)
    });
    let (kind, details, _) = told(answer)?;
    assert_eq!((&*kind, &*details), ("Unknown", "error 1317, SQLSTATE 70100"));
    assert!(is_usable(connection));
    let db = Database::<Mysql>::connect(bed.url())?;
    let answer = db.transaction(|tx| {
        tx.with_connection(|connection| {
            let id = id_of(connection)?;
            std::thread::scope(|scope| {
                scope.spawn(|| kill_when_it_runs(bed, id, "KILL QUERY"));
                sql_query(statement).execute(connection)
            })
        })
    });
    assert_eq!(answer.err().map(|error| error.kind()), Some(ErrorKind::Cancelled));
    Ok(())
}

/// Whatever is asked of it, it says that it is lost.
fn is_lost(connection: &mut MysqlConnection) -> TestResult {
    assert!(connection.is_broken());
    for _ in 0..2 {
        let answers = [
            sql_query("DO 0").execute(connection),
            connection.batch_execute("ROLLBACK").map(|()| 0),
            sql::<Integer>("SELECT 1").load::<i32>(connection).map(|rows| rows.len()),
            connection.ping().map(|()| 0),
        ];
        for answer in answers {
            assert_eq!(told(answer)?.0, "ClosedConnection");
        }
    }
    let transaction = connection.transaction(|_| Ok::<_, DieselError>(()));
    assert!(matches!(transaction, Err(DieselError::BrokenTransactionManager)), "{transaction:?}");
    Ok(())
}

fn killed(bed: &Bed) -> TestResult {
    // While it waits for a statement's answer, and between statements.
    let connection = &mut MysqlConnection::establish(bed.url())?;
    let id = id_of(connection)?;
    let answer = std::thread::scope(|scope| {
        scope.spawn(|| kill_when_it_runs(bed, id, "KILL"));
        sql_query("SELECT SLEEP(100)").execute(connection)
    });
    assert_eq!(told(answer)?.0, "ClosedConnection");
    is_lost(connection)?;
    let connection = &mut MysqlConnection::establish(bed.url())?;
    bed.execute(&format!("KILL {}", id_of(connection)?));
    assert_eq!(told(sql_query("DO 0").execute(connection))?.0, "ClosedConnection");
    is_lost(connection)?;
    let db = Database::<Mysql>::connect(bed.url())?;
    let answer = db.transaction(|tx| {
        tx.with_connection(|connection| {
            bed.execute(&format!("KILL {}", id_of(connection)?));
            sql_query("DO 0").execute(connection)
        })
    });
    assert_eq!(answer.err().map(|error| error.kind()), Some(ErrorKind::ConnectionLost));
    Ok(())
}

fn killed_under_a_stream(bed: &Bed) -> TestResult {
    let connection = &mut MysqlConnection::establish(bed.url())?;
    let id = id_of(connection)?;
    let mut rows = sql::<BigInt>("SELECT seq FROM seq_1_to_1000000000000").load_iter::<i64, _>(connection)?;
    assert_eq!(rows.next().transpose()?, Some(1));
    bed.execute(&format!("KILL {id}"));
    let mut last = 1;
    let error = loop {
        match rows.next() {
            Some(Ok(row)) => {
                assert_eq!(row, last + 1);
                last = row;
            }
            Some(Err(error)) => break error,
            None => panic!("the rows end after {last} as if these were all"),
        }
    };
    assert_eq!(told(Err(error))?.0, "ClosedConnection");
    assert!(rows.next().is_none());
    drop(rows);
    is_lost(connection)
}

fn killed_in_a_transaction(bed: &Bed) -> TestResult {
    bed.execute("CREATE TABLE t (id INT)");
    let connection = &mut MysqlConnection::establish(bed.url())?;
    let mut inner = None;
    let answer = connection.transaction(|connection| {
        sql_query("INSERT INTO t VALUES (1)").execute(connection)?;
        bed.execute(&format!("KILL {}", id_of(connection)?));
        inner = Some(sql_query("INSERT INTO t VALUES (2)").execute(connection));
        Ok::<_, DieselError>(())
    });
    assert_eq!(told(inner.ok_or("it was run")?)?.0, "ClosedConnection");
    assert!(answer.is_err(), "though the error was passed over");
    is_lost(connection)?;
    assert_eq!(bed.number("SELECT COUNT(*) FROM t"), 0);
    Ok(())
}

fn larger_than_the_server_takes(bed: &Bed) -> TestResult {
    bed.execute("CREATE TABLE t (v LONGBLOB)");
    let limit = usize::try_from(bed.number("SELECT @@max_allowed_packet"))?;
    let connection = &mut MysqlConnection::establish(bed.url())?;
    let send = |size: usize, connection: &mut MysqlConnection| {
        sql_query("DO ?").bind::<Binary, _>(vec![0; size]).execute(connection)
    };
    let (kind, _, message) = told(send(limit, connection))?;
    assert_eq!(kind, "UnableToSendCommand");
    assert!(message.contains(&limit.to_string()) && message.contains("max_allowed_packet"), "{message}");
    assert!(is_usable(connection));
    // The largest that the server takes is one less than its limit, with what stands before the value.
    let before = 1 + 4 + 1 + 4 + 1 + 1 + 2 + 9;
    assert_eq!(send(limit - 1 - before, connection)?, 0);
    assert!(told(send(limit - before, connection)).is_ok());
    let text = format!("DO '{}'", "x".repeat(limit));
    assert_eq!(told(connection.batch_execute(&text).map(|()| 0))?.0, "UnableToSendCommand");
    assert_eq!(told(sql_query(text).execute(connection))?.0, "UnableToSendCommand");
    assert!(is_usable(connection));
    connection.transaction(|connection| {
        sql_query("INSERT INTO t VALUES ('a')").execute(connection)?;
        assert!(send(limit, connection).is_err());
        sql_query("INSERT INTO t VALUES ('b')").execute(connection)
    })?;
    assert_eq!(bed.number("SELECT COUNT(*) FROM t"), 2, "nothing was sent, so the transaction goes on");
    let db = Database::<Mysql>::connect(bed.url())?;
    let answer = db.transaction(|tx| tx.with_connection(|connection| send(limit, connection)));
    assert_eq!(answer.map_err(|error| error.kind()), Err(ErrorKind::TooLarge));
    Ok(())
}

fn not_connected(bed: &Bed) -> TestResult {
    use diesel::ConnectionError::{BadConnection, InvalidConnectionUrl};
    let elsewhere = bed.url().rsplit_once('/').map(|(server, _)| format!("{server}/nothing_of_this_name"));
    for (url, is_the_urls_fault, part) in [
        ("mysql://root@127.0.0.1:1/db".to_owned(), false, "127.0.0.1:1"),
        (elsewhere.ok_or("a URL has slashes")?, false, "nothing_of_this_name"),
        (bed.url_with("nothing=1"), true, "nothing"),
        ("sqlite://file".to_owned(), true, "mysql"),
    ] {
        match (MysqlConnection::establish(&url).map(drop), is_the_urls_fault) {
            (Err(BadConnection(text)), false) | (Err(InvalidConnectionUrl(text)), true) => {
                assert!(text.contains(part), "{text}");
            }
            other => panic!("{part}: {other:?}"),
        }
    }
    Ok(())
}
