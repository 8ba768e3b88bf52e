//! Sessions on MySQL: nothing of one user's reaches the next.

use diesel::{Connection, RunQueryDsl, connection::SimpleConnection, dsl::sql, sql_types::Text};
use orm_core::{MysqlConnection, prelude::*};
use orm_tests::{Bed, TestResult, on_mysql};

use crate::models::{Number, number, numbers};

on_mysql! {
    a_session_is_renewed, another_database_is_left, a_statement_that_is_kept_follows_the_database,
    settings_are_made_again, a_ping_tells_of_a_transaction_that_is_not_ours,
}

fn ask(connection: &mut MysqlConnection, expression: &str) -> diesel::QueryResult<String> {
    diesel::select(sql::<Text>(&format!("CAST({expression} AS CHAR)"))).get_result(connection)
}

fn one_connection(bed: &Bed) -> orm_core::Result<Database<Mysql>> {
    Database::builder().pool_size(1).connect(bed.url())
}

fn a_session_is_renewed(bed: &Bed) -> TestResult {
    let db = one_connection(bed)?;
    numbers(&bed.db()?, 30)?;
    let id = ask(&mut *db.connection()?, "CONNECTION_ID()")?;
    db.connection()?.batch_execute(
        "SET sql_select_limit = 10, time_zone = '+09:00', autocommit = 0, sql_mode = ''; SET @mine = 1; SET NAMES latin1;
         DO GET_LOCK('of the suite', 0); CREATE TEMPORARY TABLE mine (id INT)",
    )?;
    assert_eq!(Number::objects(&db).iterator(7)?.count(), 30);
    let mut connection = db.connection()?;
    assert_eq!(ask(&mut connection, "CONNECTION_ID()")?, id, "it is the same connection");
    assert_eq!(ask(&mut connection, "@@time_zone")?, "+00:00");
    assert_eq!(ask(&mut connection, "@@character_set_client")?, "utf8mb4");
    assert_eq!(ask(&mut connection, "IF(@@autocommit, 'on', 'off')")?, "on");
    assert!(ask(&mut connection, "@@sql_mode")?.contains("STRICT_ALL_TABLES"));
    assert_eq!(ask(&mut connection, "IFNULL(@mine, 'nothing')")?, "nothing");
    assert_eq!(ask(&mut connection, "IFNULL(IS_USED_LOCK('of the suite'), 'nobody')")?, "nobody");
    assert!(connection.batch_execute("INSERT INTO mine VALUES (1)").is_err(), "the temporary table is gone");
    Ok(())
}

fn another_database_is_left(bed: &Bed) -> TestResult {
    let db = one_connection(bed)?;
    numbers(&bed.db()?, 3)?;
    db.batch_execute("USE mysql")?;
    assert_eq!(Number::objects(&db).count()?, 3);
    // Where the URL names none there is no way back, so the connection is replaced.
    let (server, _) = bed.url().rsplit_once('/').ok_or("the bed's URL names a database")?;
    let db: Database<Mysql> = Database::builder().pool_size(1).connect(server)?;
    let id = ask(&mut *db.connection()?, "CONNECTION_ID()")?;
    db.batch_execute("USE mysql")?;
    assert_eq!(ask(&mut *db.connection()?, "IFNULL(DATABASE(), 'none')")?, "none");
    assert_ne!(ask(&mut *db.connection()?, "CONNECTION_ID()")?, id);
    Ok(())
}

/// What is prepared belongs to the database that it was prepared in.
fn a_statement_that_is_kept_follows_the_database(bed: &Bed) -> TestResult {
    let other = Bed::mysql();
    let (_, name) = other.url().rsplit_once('/').ok_or("the bed's URL names a database")?;
    numbers(&other.db()?, 0)?;
    let db = bed.db()?;
    numbers(&db, 0)?;
    db.transaction(|tx| {
        Number::bulk_create(tx, (0..1000).map(number))?;
        tx.batch_execute(&format!("USE {name}"))?;
        Number::bulk_create(tx, (0..1200).map(number))
    })?;
    assert_eq!(bed.number("SELECT count(*) FROM numbers"), 1000);
    assert_eq!(other.number("SELECT count(*) FROM numbers"), 1200);
    Ok(())
}

/// Those that the pool was told are there again, too.
fn settings_are_made_again(bed: &Bed) -> TestResult {
    let db: Database<Mysql> =
        Database::builder().pool_size(1).lock_timeout(std::time::Duration::from_secs(7)).connect(bed.url())?;
    db.batch_execute("SET innodb_lock_wait_timeout = 77")?;
    assert_eq!(ask(&mut *db.connection()?, "@@innodb_lock_wait_timeout")?, "7");
    Ok(())
}

/// The error of a procedure does not say that it has left a transaction open.
fn a_ping_tells_of_a_transaction_that_is_not_ours(bed: &Bed) -> TestResult {
    use diesel::r2d2::R2D2Connection;

    bed.execute("CREATE PROCEDURE half() BEGIN START TRANSACTION; SELECT * FROM no_such_table; END");
    let mut connection = MysqlConnection::establish(bed.url())?;
    connection.ping()?;
    assert!(diesel::sql_query("CALL half()").execute(&mut connection).is_err());
    assert!(connection.is_broken(), "a pool throws it away");
    assert!(connection.ping().is_err());
    connection.batch_execute("ROLLBACK")?;
    assert!(!connection.is_broken());
    connection.ping()?;
    Ok(())
}
