//! Streams on MySQL and MariaDB that are not read to their end: what is sent, and what becomes of the connection.

use std::time::Duration;

use diesel::{RunQueryDsl, dsl::sql, sql_query, sql_types::BigInt};
use itertools::Itertools;
use orm_core::{diesel, prelude::*};
use orm_tests::{Bed, TestResult, ok, on_mysql, panics, proxy::Proxy};
use proptest::test_runner::{RngAlgorithm, TestRng};

use crate::models::{Number, number, numbers};

on_mysql! {
    early_drop_o1, first_row_latency, an_early_drop_keeps_the_connection, behind_a_proxy_too, drops_at_random,
    drops_while_the_statement_ends, a_user_without_rights, a_user_without_a_second_connection,
    a_user_without_a_second_connection_in_a_transaction, a_transaction_is_worth_some_reading, forgotten_rows_of_diesel, a_panic_in_a_transaction,
    nothing_is_sent_beside_a_stream, stmt_cache_bounded, a_stream_takes_a_connection_of_its_own,
}

pub(crate) fn one_connection(url: &str) -> orm_core::Result<Database<Mysql>> {
    Database::<Mysql>::builder().pool_size(1).checkout_timeout(Duration::from_secs(20)).connect(url)
}

pub(crate) fn scalar(db: &Database<Mysql>, expression: &str) -> Result<i64, Box<dyn std::error::Error>> {
    Ok(diesel::select(sql::<BigInt>(expression)).get_result(&mut *db.connection()?)?)
}

pub(crate) fn scalar_in(tx: &Transaction<Mysql>, expression: &str) -> orm_core::Result<i64> {
    tx.with_connection(|connection| diesel::select(sql::<BigInt>(expression)).get_result(connection))
}

const ID: &str = "CAST(CONNECTION_ID() AS SIGNED)";

/// Makes `numbers` a view of so many rows of some 100 bytes.
pub(crate) fn wide_view(bed: &Bed, rows: i64) {
    bed.execute(&format!(
        "CREATE OR REPLACE VIEW numbers AS SELECT CAST(seq AS SIGNED) AS id, REPEAT('x', 100) AS name FROM seq_1_to_{rows}"
    ));
}

const ENDLESS: i64 = 1_000_000_000_000;

/// What the server sends for ten rows does not depend on how many there are. Between a server and its reader there are
/// the systems' buffers, which a small result fits in as a whole.
fn early_drop_o1(bed: &Bed) -> TestResult {
    let proxy = Proxy::to(bed.url());
    let db = one_connection(proxy.url())?;
    for rows in [1_000, 1_000_000, ENDLESS] {
        wide_view(bed, rows);
        let before = proxy.received();
        assert_eq!(Number::objects(&db).iterator(1000)?.take(10).count(), 10);
        assert_eq!(scalar(&db, "42")?, 42, "the connection goes on");
        let sent = proxy.received() - before;
        assert!(sent < 40 << 20, "{sent} bytes for ten of {rows} rows of 100 bytes");
    }
    Ok(())
}

fn first_row_latency(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    wide_view(bed, ENDLESS);
    let mut rows = Number::objects(&db).iterator(2000)?;
    assert_eq!(rows.next().map(|row| row.id), Some(1));
    assert_eq!(rows.by_ref().take(100_000).count(), 100_000);
    Ok(())
}

/// The same connection goes on after a stream was dropped, wherever that was.
pub(crate) fn early_drops_keep_the_connection(bed: &Bed, db: &Database<Mysql>) -> TestResult {
    bed.execute("CREATE TABLE IF NOT EXISTS written (id BIGINT PRIMARY KEY)");
    bed.execute("DELETE FROM written");
    wide_view(bed, ENDLESS);
    let id = scalar(db, ID)?;
    for taken in [0, 1, 16, 5_000] {
        let mut rows = Number::objects(db).iterator(100)?;
        assert_eq!(rows.by_ref().take(taken).count(), taken);
        drop(rows);
        assert_eq!(scalar(db, ID)?, id, "after {taken} rows");
        let running =
            format!("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = {id} AND INFO LIKE '%numbers%'");
        assert_eq!(bed.number(&running), 0, "the statement goes on");
    }
    // In a transaction, whose writes before and after it are kept.
    db.transaction(|tx| {
        tx.batch_execute("INSERT INTO written VALUES (1)")?;
        assert_eq!(Number::objects(tx).iterator(100)?.take(500).count(), 500);
        assert_eq!(scalar_in(tx, ID)?, id);
        tx.transaction(|inner| {
            inner.batch_execute("INSERT INTO written VALUES (2)")?;
            assert_eq!(Number::objects(inner).iterator(100)?.take(500).count(), 500);
            inner.batch_execute("INSERT INTO written VALUES (3)")
        })?;
        assert_eq!(scalar_in(tx, "(SELECT COUNT(*) FROM written)")?, 3);
        ok(())
    })?;
    assert_eq!(bed.number("SELECT COUNT(*) FROM written"), 3);
    assert_eq!(scalar(db, ID)?, id);
    Ok(())
}

fn an_early_drop_keeps_the_connection(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    early_drops_keep_the_connection(bed, &db)?;
    for options in ["compress=true", "read_timeout=9&write_timeout=9"] {
        early_drops_keep_the_connection(bed, &one_connection(&bed.url_with(options))?)?;
    }
    Ok(())
}

/// Where the server sees another port than the one of this side, as behind a tunnel or a container's network.
fn behind_a_proxy_too(bed: &Bed) -> TestResult {
    let proxy = Proxy::to(bed.url());
    early_drops_keep_the_connection(bed, &one_connection(proxy.url())?)
}

/// Thousands of streams dropped anywhere, many of them near their end: what ends one never hits the next statement.
fn drops_at_random(bed: &Bed) -> TestResult {
    let db: Database = Database::builder().pool_size(4).connect(bed.url())?;
    bed.execute("CREATE VIEW numbers AS SELECT CAST(seq AS SIGNED) AS id, REPEAT('x', 100) AS name FROM seq_1_to_3000");
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..4_u8)
            .map(|thread| {
                let db = &db;
                scope.spawn(move || -> orm_core::Result<()> {
                    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[thread; 32]);
                    for _ in 0..500 {
                        let rows = random_below(&mut random, 3_000) + 1;
                        let near_the_end = random_below(&mut random, 2) == 0;
                        let taken = if near_the_end {
                            rows - random_below(&mut random, 3).min(rows)
                        } else {
                            random_below(&mut random, rows)
                        };
                        let mut stream = Number::objects(db).limit(rows).iterator(64)?;
                        let read = stream.by_ref().take(usize::try_from(taken).unwrap_or(0)).count();
                        assert_eq!(read as u64, taken);
                        drop(stream);
                        assert_eq!(Number::objects(db).filter(|n| n.id.le(3)).count()?, 3, "after {taken} of {rows}");
                    }
                    Ok(())
                })
            })
            .collect();
        readers.into_iter().try_for_each(|reader| reader.join().expect("no reader panics"))
    })?;
    Ok(())
}

fn random_below(random: &mut TestRng, bound: u64) -> u64 {
    use proptest::prelude::Rng;

    random.next_u64() % bound
}

/// A statement that ends by itself about when it is killed: its rows come slowly, each as soon as it is there.
fn drops_while_the_statement_ends(bed: &Bed) -> TestResult {
    bed.execute(
        "CREATE VIEW numbers AS SELECT CAST(seq AS SIGNED) AS id, CONCAT(REPEAT('x', 20000), SLEEP(0.001)) AS name \
         FROM seq_1_to_1000",
    );
    let drops = &|seed: u8| -> TestResult {
        let db = one_connection(bed.url())?;
        let id = scalar(&db, ID)?;
        let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
        for _ in 0..150 {
            let rows = random_below(&mut random, 8) + 1;
            let mut stream = Number::objects(&db).limit(rows).iterator(1)?;
            stream.next();
            std::thread::sleep(Duration::from_micros(random_below(&mut random, 3_000)));
            drop(stream);
            assert_eq!(scalar(&db, ID)?, id, "after one of {rows} rows");
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let readers: Vec<_> =
            (0..4).map(|seed| scope.spawn(move || drops(seed).map_err(|error| error.to_string()))).collect();
        readers.into_iter().try_for_each(|reader| reader.join().expect("no reader panics"))
    })?;
    Ok(())
}

/// An account of the server, for as long as `f` runs with its URL.
fn with_user(bed: &Bed, limits: &str, f: impl FnOnce(&str) -> TestResult) -> TestResult {
    let (_, rest) = bed.url().split_once('@').expect("the server's URL names a user");
    let (_, database) = rest.split_once('/').expect("a URL has a path");
    let name = format!("v_{database}");
    bed.execute(&format!("CREATE USER {name} IDENTIFIED BY 'word' {limits}"));
    bed.execute(&format!("GRANT SELECT, INSERT ON {database}.* TO {name}"));
    let done = f(&format!("mysql://{name}:word@{rest}"));
    bed.execute(&format!("DROP USER {name}"));
    done
}

/// No right to see or to end others' statements is needed.
fn a_user_without_rights(bed: &Bed) -> TestResult {
    with_user(bed, "", |url| early_drops_keep_the_connection(bed, &one_connection(url)?))
}

/// Where the server takes no second connection, the first one is given up, and the pool goes on with another.
fn a_user_without_a_second_connection(bed: &Bed) -> TestResult {
    wide_view(bed, ENDLESS);
    with_user(bed, "WITH MAX_USER_CONNECTIONS 1", |url| {
        let db = one_connection(url)?;
        let name = url.split([':', '/']).nth(3).unwrap_or_default();
        let id = || bed.number(&format!("SELECT MAX(ID) FROM information_schema.PROCESSLIST WHERE USER = '{name}'"));
        for taken in [1, 1_000] {
            let before = id();
            assert_eq!(Number::objects(&db).iterator(100)?.take(taken).count(), taken);
            assert_eq!(Number::objects(&db).limit(3).load()?.len(), 3, "after {taken} rows");
            assert_ne!(id(), before, "after {taken} rows");
        }
        Ok(())
    })
}

/// A transaction would be lost with its connection, so a result that is not endless is read.
fn a_transaction_is_worth_some_reading(bed: &Bed) -> TestResult {
    wide_view(bed, 100_000);
    bed.execute("CREATE TABLE written (id BIGINT PRIMARY KEY)");
    with_user(bed, "WITH MAX_USER_CONNECTIONS 1", |url| {
        one_connection(url)?.transaction(|tx| {
            tx.batch_execute("INSERT INTO written VALUES (1)")?;
            assert_eq!(Number::objects(tx).iterator(100)?.take(500).count(), 500);
            tx.batch_execute("INSERT INTO written VALUES (2)")
        })?;
        Ok(())
    })?;
    assert_eq!(bed.number("SELECT COUNT(*) FROM written"), 2);
    Ok(())
}

fn a_user_without_a_second_connection_in_a_transaction(bed: &Bed) -> TestResult {
    wide_view(bed, ENDLESS);
    bed.execute("CREATE TABLE written (id BIGINT PRIMARY KEY)");
    with_user(bed, "WITH MAX_USER_CONNECTIONS 1", |url| {
        let db = one_connection(url)?;
        let answer = db.transaction(|tx| {
            tx.batch_execute("INSERT INTO written VALUES (1)")?;
            assert_eq!(Number::objects(tx).iterator(100)?.take(500).count(), 500);
            ok(())
        });
        let error = answer.expect_err("the transaction is gone with its connection");
        assert!(matches!(error.kind(), ErrorKind::ConnectionLost | ErrorKind::TransactionAborted), "{error:?}");
        assert_eq!(scalar(&db, "(SELECT COUNT(*) FROM written)")?, 0, "and the pool goes on");
        Ok(())
    })
}

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Diesel's own way to read row by row, forgotten or dropped in the middle.
fn forgotten_rows_of_diesel(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    wide_view(bed, ENDLESS);
    let id = scalar(&db, ID)?;
    for forget in [false, true] {
        let mut connection = db.connection()?;
        let mut rows = sql_query("SELECT id FROM numbers").load_iter::<Row, _>(&mut *connection)?;
        assert_eq!(rows.by_ref().take(3).map(|row| row.map(|row| row.id)).collect::<Result<Vec<_>, _>>()?, [1, 2, 3]);
        if forget {
            std::mem::forget(rows);
        } else {
            drop(rows);
        }
        let next: i64 = diesel::select(sql::<BigInt>(ID)).get_result(&mut *connection)?;
        assert_eq!(next, id);
        let mut rows = sql_query("SELECT id FROM numbers").load_iter::<Row, _>(&mut *connection)?;
        assert!(rows.next().is_some());
        std::mem::forget(rows);
        drop(connection);
        assert_eq!(scalar(&db, ID)?, id, "the pool's next user has a connection that is free");
    }
    Ok(())
}

fn a_panic_in_a_transaction(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    wide_view(bed, ENDLESS);
    bed.execute("CREATE TABLE written (id BIGINT PRIMARY KEY)");
    let message = panics::message(|| {
        db.transaction(|tx| {
            tx.batch_execute("INSERT INTO written VALUES (1)")?;
            Number::objects(tx).iterator(100)?.for_each(|row| assert!(row.id < 1_000, "row 1000 came"));
            ok(())
        })
    });
    assert_eq!(message, "row 1000 came");
    assert_eq!(scalar(&db, "(SELECT COUNT(*) FROM written)")?, 0);
    db.batch_execute("INSERT INTO written VALUES (2)")?;
    assert_eq!(bed.number("SELECT id FROM written"), 2, "no lock was left, and no transaction");
    Ok(())
}

/// A statement that cannot run because a stream has the connection is refused before a byte is sent.
fn nothing_is_sent_beside_a_stream(bed: &Bed) -> TestResult {
    let proxy = Proxy::listening_in(bed.url());
    numbers(&bed.db()?, 50)?;
    let db: Database = Database::builder().pool_size(1).connect(proxy.url())?;
    db.transaction(|tx| {
        let mut rows = Number::objects(tx).order_by(|n| n.id.asc()).iterator(5)?;
        rows.next();
        let refused = [
            tx.batch_execute("SELECT 'refused 1'").err(),
            Number::objects(tx).filter(|n| n.name.eq("refused 2")).count().err(),
            Number::objects(tx).filter(|n| n.name.eq("refused 3")).iterator(5).err(),
            Number::bulk_create(tx, [number(51)]).err(),
            tx.transaction(|inner| inner.batch_execute("SELECT 'refused 4'")).err(),
        ];
        for error in refused {
            assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::ConnectionInUse));
        }
        assert!(!proxy.has_heard("refused") && !proxy.has_heard("SAVEPOINT") && !proxy.has_heard("number 51"));
        assert_eq!(rows.map(|row| row.id).collect_vec(), (2..=50).collect_vec(), "the stream does not mind");
        Number::bulk_create(tx, [number(51)])
    })?;
    assert_eq!(bed.number("SELECT COUNT(*) FROM numbers"), 51);
    Ok(())
}

fn a_stream_takes_a_connection_of_its_own(bed: &Bed) -> TestResult {
    let db = Database::<Mysql>::builder().pool_size(2).connect(bed.url())?;
    wide_view(bed, ENDLESS);
    let id = scalar(&db, ID)?;
    let mut rows = Number::objects(&db).iterator(5)?;
    rows.next();
    let beside = scalar(&db, ID)?;
    assert_ne!(beside, id, "the stream has the first one");
    drop(rows);
    let both = std::iter::repeat_with(|| scalar(&db, ID)).take(4).collect::<Result<Vec<_>, _>>()?;
    assert!(both.iter().all(|now| [id, beside].contains(now)), "no third one was made: {both:?} of {id} and {beside}");
    Ok(())
}

/// The statements that the server keeps for a connection.
const KEPT: &str = "(SELECT CAST(SUM(IF(VARIABLE_NAME = 'COM_STMT_PREPARE', VARIABLE_VALUE, -VARIABLE_VALUE)) AS SIGNED) \
                    FROM information_schema.SESSION_STATUS \
                    WHERE VARIABLE_NAME IN ('COM_STMT_PREPARE', 'COM_STMT_CLOSE'))";

/// However many statements, lengths of lists and streams there were, the server keeps a bounded number of them.
fn stmt_cache_bounded(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    wide_view(bed, 40);
    for n in 0..300_usize {
        let rows = u64::try_from(n % 40)?;
        assert_eq!(Number::objects(&db).limit(rows).iterator(7)?.count() as u64, rows);
        let listed = Number::objects(&db).filter(|r| r.id.eq_any(vec![1; n])).load()?;
        assert_eq!(listed.len(), usize::from(n > 0));
    }
    let kept = scalar(&db, KEPT)?;
    assert!((1..=110).contains(&kept), "{kept} statements are kept");
    Ok(())
}
