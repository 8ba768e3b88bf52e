//! Rows of `MysqlConnection` while they come: read as they are asked for, dropped early, forgotten, and compressed.

use diesel::{
    Connection, QueryableByName, RunQueryDsl,
    connection::{DefaultLoadingMode, SimpleConnection},
    dsl::sql,
    sql_query,
    sql_types::{BigInt, Integer, Nullable, Text},
};
use orm_core::{MysqlConnection, diesel};
use orm_tests::{Bed, TestResult, on_mysql, private_server::PrivateServer, proxy::Proxy};

on_mysql! {
    rows_come_when_they_are_asked_for, what_is_asked_for_is_all_that_is_sent, an_iterator_that_is_forgotten,
    what_writes_is_not_cut_short, a_row_of_its_own_needs_no_other_connection, compressed,
}

#[derive(QueryableByName, Debug, PartialEq)]
struct Named {
    #[diesel(sql_type = Nullable<Text>)]
    word: Option<String>,
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// A connection, with the table `items`.
fn with_items(bed: &Bed) -> Result<MysqlConnection, Box<dyn std::error::Error>> {
    bed.execute(
        "CREATE TABLE items (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(50) UNIQUE, amount INT NOT NULL DEFAULT 7)",
    );
    Ok(MysqlConnection::establish(bed.url())?)
}

/// `get_result` looks at the first row alone.
fn what_writes_is_not_cut_short(bed: &Bed) -> TestResult {
    let connection = &mut with_items(bed)?;
    let id = number_of_connection(connection)?;
    connection.batch_execute(
        "CREATE PROCEDURE slow() BEGIN SELECT 'one' AS word, 1 AS number; DO SLEEP(0.2); \
           INSERT INTO items (name) VALUES ('a'); SELECT seq FROM seq_1_to_100000; INSERT INTO items (name) VALUES ('b'); \
         END;
         CREATE PROCEDURE slow_and_failing() BEGIN SELECT 'one' AS word, 1 AS number; DO SLEEP(0.2); \
           INSERT INTO items (name) VALUES ('a'); END",
    )?;
    assert_eq!(sql_query("CALL slow()").get_result::<Named>(connection)?.number, 1);
    let names = bed.texts("SELECT name FROM items ORDER BY id");
    assert_eq!(names, ["a", "b"].map(|name| Some(name.to_owned())), "the procedure has come to its end");
    sql_query("CALL slow_and_failing()").get_result::<Named>(connection)?;
    assert_eq!(number_of_connection(connection)?, id, "an error that nobody asked for is of no consequence");
    let many = "INSERT INTO items (amount) SELECT seq FROM seq_1_to_100000 RETURNING 'x' AS word, amount AS number";
    let mut rows = sql_query(many).load_iter::<Named, _>(connection)?;
    assert_eq!(rows.next().transpose()?.map(|row| row.number), Some(1));
    drop(rows);
    assert_eq!(bed.number("SELECT COUNT(*) FROM items"), 100_002);
    assert_eq!(number_of_connection(connection)?, id);
    Ok(())
}

/// The end of a result may come a little later than its last row; that is no reason to have the statement killed.
fn a_row_of_its_own_needs_no_other_connection(_: &Bed) -> TestResult {
    let server = PrivateServer::mysql(&[]);
    server.execute(
        "CREATE TABLE t (id INT, v LONGTEXT); INSERT INTO t SELECT seq, REPEAT('x', seq * 1000) FROM seq_1_to_100",
    );
    let connections = || {
        let sql = "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'CONNECTIONS'";
        server.texts(sql)[0].as_deref().unwrap_or_default().parse::<i64>()
    };
    let connection = &mut MysqlConnection::establish(server.url())?;
    let before = connections()?;
    for id in 1..=100 {
        let query = sql_query("SELECT id AS number, v AS word FROM t WHERE id = ?").bind::<Integer, _>(id);
        assert_eq!(query.get_result::<Named>(connection)?.number, i64::from(id));
    }
    assert_eq!(connections()?, before + 1, "the witness's own");
    Ok(())
}

const LONG: &str = "SELECT seq AS number, REPEAT('x', 200) AS word FROM seq_1_to_1000000000000";

fn number_of_connection(connection: &mut MysqlConnection) -> diesel::QueryResult<i64> {
    diesel::select(sql::<BigInt>("CONNECTION_ID()")).get_result(connection)
}

/// Whether the server is at this connection's long statement.
fn running(bed: &Bed, id: i64) -> i64 {
    let sql =
        format!("SELECT COUNT(*) FROM information_schema.processlist WHERE id = {id} AND info LIKE '%1000000000000%'");
    bed.number(&sql)
}

fn rows_come_when_they_are_asked_for(bed: &Bed) -> TestResult {
    let connection = &mut MysqlConnection::establish(bed.url())?;
    let id = number_of_connection(connection)?;
    for _ in 0..3 {
        let mut rows = sql_query(LONG).load_iter::<Named, DefaultLoadingMode>(connection)?;
        for expected in 1..=1000 {
            assert_eq!(rows.next().transpose()?.map(|row| row.number), Some(expected));
        }
        assert_eq!(running(bed, id), 1, "the server has not sent all that there is");
        drop(rows);
        assert_eq!(running(bed, id), 0, "the statement has ended");
        assert_eq!(number_of_connection(connection)?, id, "and the connection goes on");
    }
    // One whose rows are all in the receive buffer is simply read to its end.
    let short = "SELECT seq AS number, 'x' AS word FROM seq_1_to_10";
    let mut rows = sql_query(short).load_iter::<Named, _>(connection)?;
    assert!(rows.next().is_some());
    drop(rows);
    assert_eq!(number_of_connection(connection)?, id);
    let mut rows = sql_query(short).load_iter::<Named, _>(connection)?;
    assert_eq!(rows.by_ref().count(), 10);
    assert!(rows.next().is_none() && rows.next().is_none(), "it stays at its end");
    Ok(())
}

fn what_is_asked_for_is_all_that_is_sent(bed: &Bed) -> TestResult {
    let proxy = Proxy::to(bed.url());
    let connection = &mut MysqlConnection::establish(proxy.url())?;
    let before = proxy.received();
    let mut rows = sql_query(LONG).load_iter::<Named, DefaultLoadingMode>(connection)?;
    assert_eq!(rows.by_ref().take(1000).map(|row| row.map_or(0, |row| row.number)).sum::<i64>(), 500_500);
    let received = proxy.received() - before;
    assert!(received < 32 << 20, "{received} bytes came for 1000 rows: more than buffers hold");
    drop(rows);
    assert!(number_of_connection(connection).is_ok());
    assert!(proxy.received() - before < 32 << 20, "{received} bytes, and to drop the rest was more");
    Ok(())
}

fn an_iterator_that_is_forgotten(bed: &Bed) -> TestResult {
    let connection = &mut with_items(bed)?;
    let id = number_of_connection(connection)?;
    for _ in 0..2 {
        let mut rows = sql_query(LONG).load_iter::<Named, DefaultLoadingMode>(connection)?;
        assert!(rows.next().is_some());
        std::mem::forget(rows);
        assert_eq!(sql_query("INSERT INTO items VALUES ()").execute(connection)?, 1);
    }
    std::mem::forget(sql_query(LONG).load_iter::<Named, DefaultLoadingMode>(connection)?);
    connection.transaction(|connection| sql_query("INSERT INTO items VALUES ()").execute(connection))?;
    assert_eq!((number_of_connection(connection)?, bed.number("SELECT COUNT(*) FROM items")), (id, 3));
    Ok(())
}

/// The same on a compressed connection, whose packets are numbered in another way.
fn compressed(bed: &Bed) -> TestResult {
    let connection = &mut MysqlConnection::establish(&bed.url_with("compress=true"))?;
    let compression = sql_query("SHOW STATUS LIKE 'Compression'");
    let rows: Vec<Status> = compression.load(connection)?;
    assert_eq!(rows.first().map(|row| row.value.as_str()), Some("ON"));
    // What is prepared for once is closed together with the next command.
    for number in 0..300 {
        let read: Named = sql_query(format!("SELECT {number} AS number, ? AS word"))
            .bind::<Text, _>("x".repeat(number % 100))
            .get_result(connection)?;
        assert_eq!((read.number, read.word.map(|word| word.len())), (i64::try_from(number)?, Some(number % 100)));
    }
    let long = "y".repeat(1 << 20);
    for rows in [1, 3] {
        let query = sql_query(format!("SELECT seq AS number, ? AS word FROM seq_1_to_{rows}"));
        let read: Vec<Named> = query.bind::<Text, _>(&long).load(connection)?;
        assert!(read.len() == rows && read.iter().all(|row| row.word.as_ref() == Some(&long)));
    }
    let id = number_of_connection(connection)?;
    let mut rows = sql_query(LONG).load_iter::<Named, DefaultLoadingMode>(connection)?;
    assert_eq!(rows.by_ref().take(10_000).filter(Result::is_ok).count(), 10_000);
    drop(rows);
    assert_eq!(number_of_connection(connection)?, id);
    Ok(())
}

#[derive(QueryableByName)]
struct Status {
    #[diesel(sql_type = Text, column_name = "Value")]
    value: String,
}
