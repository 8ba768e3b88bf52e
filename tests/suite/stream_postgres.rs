//! Streams on PostgreSQL: portals, and a network that fails.

use std::time::Duration;

use diesel::{RunQueryDsl, sql_types::BigInt};
use itertools::Itertools;
use orm_core::{diesel, prelude::*};
use orm_tests::{Bed, TestResult, ok, on_postgres, panics, proxy::Proxy};

use crate::models::{Number, number, numbers};

on_postgres! {
    early_drop_o1, first_row_latency, no_leaked_cursor, no_leaked_cursor_in_a_transaction, terminate_backend,
    kill_query, truncation_never_silent, slow_consumer_pg, statement_timeout, killed_while_idle,
    user_commit_mid_stream, stmt_cache_bounded, query_id_distinct, many_cursors_one_conn, savepoint_retry,
    streams_are_read_only, locks_are_gone_after_a_drop, ddl_between_streams, idle_in_transaction,
}

pub(crate) fn one_connection(url: &str) -> orm_core::Result<Database<Pg>> {
    Database::<Pg>::builder().pool_size(1).checkout_timeout(Duration::from_secs(5)).connect(url)
}

pub(crate) fn scalar(db: &Database<Pg>, sql: &str) -> Result<i64, Box<dyn std::error::Error>> {
    let expression = diesel::dsl::sql::<BigInt>(sql);
    Ok(diesel::select(expression).get_result(&mut *db.connection()?)?)
}

/// The bed's URL with a setting of the session, as `name=value`.
pub(crate) fn with_setting(bed: &Bed, setting: &str) -> String {
    let setting = format!("-c%20{}", setting.replace('=', "%3D"));
    bed.url().replace("options=", &format!("options={setting}%20"))
}

/// Makes `numbers` a view of `rows` rows of about 100 bytes.
pub(crate) fn wide_view(bed: &Bed, rows: i64) {
    bed.execute(&format!(
        "CREATE OR REPLACE VIEW numbers AS SELECT generate_series(1, {rows}::bigint) AS id, repeat('x', 100) AS name"
    ));
}

/// What the buffers on the way may hold of a result that is not read.
const BUFFERS: u64 = 32 << 20;

/// What the server sends for ten rows does not depend on how many there are.
fn early_drop_o1(bed: &Bed) -> TestResult {
    let proxy = Proxy::to(bed.url());
    let db = one_connection(proxy.url())?;
    let pid = scalar(&db, "pg_backend_pid()::bigint")?;
    for rows in [1_000, 100_000, 10_000_000_000] {
        wide_view(bed, rows);
        let before = proxy.received();
        assert_eq!(Number::objects(&db).iterator(1000)?.take(10).count(), 10);
        assert_eq!(scalar(&db, "pg_backend_pid()::bigint")?, pid, "the connection goes on");
        let bytes = proxy.received() - before;
        assert!(bytes < BUFFERS, "{bytes} bytes for 10 of {rows} rows");
    }
    // In a transaction, rows are asked for in pieces.
    let before = proxy.received();
    db.transaction(|tx| {
        assert_eq!(Number::objects(tx).iterator(1000)?.take(10).count(), 10);
        ok(())
    })?;
    let bytes = proxy.received() - before;
    assert!(bytes < 500_000, "{bytes} bytes for 10 rows in a transaction");
    Ok(())
}

fn first_row_latency(bed: &Bed) -> TestResult {
    let proxy = Proxy::to(bed.url());
    let db = one_connection(proxy.url())?;
    wide_view(bed, 10_000_000_000);
    let before = proxy.received();
    let mut rows = Number::objects(&db).iterator(2000)?;
    assert_eq!(rows.next().map(|row| row.id), Some(1));
    assert_eq!(rows.by_ref().take(5_000).count(), 5_000);
    let bytes = proxy.received() - before;
    assert!((500_000..BUFFERS).contains(&bytes), "{bytes} bytes for some 5,000 rows of 100 bytes");
    drop(rows);
    let before = proxy.received();
    db.transaction(|tx| {
        let mut rows = Number::objects(tx).iterator(2000)?;
        assert_eq!(rows.next().map(|row| row.id), Some(1));
        let first = proxy.received() - before;
        assert!(first < 20_000, "{first} bytes came before the first row");
        assert_eq!(rows.by_ref().take(5_000).count(), 5_000);
        let more = proxy.received() - before;
        assert!((500_000..2_000_000).contains(&more), "{more} bytes for some 5,000 rows of 100 bytes");
        ok(())
    })?;
    Ok(())
}

const CURSORS: &str = "(SELECT count(*) FROM pg_cursors WHERE name LIKE 'orm%')";

fn no_leaked_cursor(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    db.create_tables::<(Number,)>()?;
    Number::bulk_create(&db, (1..=100).map(number))?;
    let pid = scalar(&db, "pg_backend_pid()::bigint")?;
    let none = || -> TestResult {
        assert_eq!(scalar(&db, CURSORS)?, 0);
        let open =
            format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid} AND state LIKE 'idle in transaction%'");
        assert_eq!(bed.number(&open), 0, "a transaction is open");
        Ok(())
    };
    let mut rows = Number::objects(&db).iterator(10)?;
    rows.next();
    drop(rows);
    none()?;
    assert_eq!(Number::objects(&db).iterator(10)?.count(), 100);
    none()?;
    // At its end it has given the connection back although it is not dropped.
    let mut rows = Number::objects(&db).iterator(10)?;
    assert_eq!(rows.by_ref().count(), 100);
    none()?;
    drop(rows);
    bed.execute("DROP TABLE numbers; CREATE VIEW numbers AS SELECT 10 / (20 - n) AS id, 'x' AS name FROM generate_series(1::bigint, 30) AS n");
    assert!(Number::objects(&db).try_iterator(3)?.any(|row| row.is_err()));
    none()
}

fn no_leaked_cursor_in_a_transaction(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    db.create_tables::<(Number,)>()?;
    Number::bulk_create(&db, (1..=100).map(number))?;
    let count = |tx: &Transaction<Pg>| {
        tx.with_connection(|connection| {
            diesel::select(diesel::dsl::sql::<BigInt>(CURSORS)).get_result::<i64>(connection)
        })
    };
    db.transaction(|tx| {
        let mut rows = Number::objects(tx).iterator(10)?;
        rows.next();
        assert_eq!(count(tx)?, 1);
        drop(rows);
        assert_eq!(count(tx)?, 0);
        let mut rows = Number::objects(tx).iterator(10)?;
        assert_eq!(rows.by_ref().count(), 100);
        assert_eq!(count(tx)?, 0, "a stream at its end has closed its cursor");
        ok(())
    })?;
    Ok(())
}

/// Ends the server's side of the only connection of `db`.
fn terminate(bed: &Bed, pid: i64) {
    assert_eq!(bed.texts(&format!("SELECT pg_terminate_backend({pid}, 5000)")), [Some("true".into())]);
}

fn terminate_backend(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    wide_view(bed, 100_000);
    let pid = scalar(&db, "pg_backend_pid()::bigint")?;
    let mut rows = Number::objects(&db).try_iterator(50)?;
    assert!(rows.next().is_some_and(|row| row.is_ok()));
    terminate(bed, pid);
    let error = rows.find_map(Result::err).expect("the server is gone");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error:?}");
    assert!(rows.next().is_none());
    drop(rows);
    // The dead connection is discarded, and the pool's next one is another.
    assert_ne!(scalar(&db, "pg_backend_pid()::bigint")?, pid);
    Ok(())
}

fn kill_query(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    bed.execute("CREATE VIEW numbers AS SELECT n AS id, pg_sleep(CASE n WHEN 1 THEN 0 ELSE 60 END)::text AS name FROM generate_series(1::bigint, 2) AS n");
    let pid = scalar(&db, "pg_backend_pid()::bigint")?;
    let rows = Number::objects(&db).try_iterator(1)?;
    let error = std::thread::scope(|scope| {
        scope.spawn(move || {
            // As soon as it sleeps.
            let sleeps = format!("SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE pid = {pid} AND wait_event = 'PgSleep'");
            while bed.texts(&sleeps) != [Some("1".to_owned())] {
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        rows.filter_map(Result::err).next()
    });
    assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::Cancelled));
    assert_eq!(scalar(&db, "pg_backend_pid()::bigint")?, pid, "the connection is as good as before");
    Ok(())
}

fn truncation_never_silent(bed: &Bed) -> TestResult {
    wide_view(bed, 2_000);
    for cut in [1, 100, 1_000, 5_000, 20_000, 100_000, 180_000] {
        let proxy = Proxy::to(bed.url());
        let db = one_connection(proxy.url())?;
        proxy.cut_after(cut);
        let (mut rows, mut failed) = (0, false);
        match Number::objects(&db).try_iterator(500) {
            Err(error) => {
                assert!(
                    matches!(error.kind(), ErrorKind::ConnectionLost | ErrorKind::Connection | ErrorKind::PoolTimeout),
                    "{error:?}"
                );
                failed = true;
            }
            Ok(stream) => {
                for row in stream {
                    match row {
                        Ok(_) => rows += 1,
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::ConnectionLost, "cut after {cut}: {error:?}");
                            failed = true;
                        }
                    }
                }
            }
        }
        assert!(failed && rows < 2_000, "cut after {cut} bytes: {rows} rows and no error");
        proxy.heal();
        assert_eq!(scalar(&db, "42::bigint")?, 42, "the pool recovers");
    }
    let proxy = Proxy::to(bed.url());
    let db = one_connection(proxy.url())?;
    let rows = Number::objects(&db).iterator(100)?;
    proxy.cut_after(30_000);
    let message = panics::message(|| rows.count());
    assert!(message.contains("the stream broke after"), "{message}");
    Ok(())
}

/// The server's limit is for a statement, and where there is one, each piece of a stream is a statement.
fn slow_consumer_pg(bed: &Bed) -> TestResult {
    let limit = Duration::from_millis(150);
    let db = Database::<Pg>::builder().statement_timeout(limit).connect(bed.url())?;
    wide_view(bed, 100);
    let mut read = Vec::new();
    for row in Number::objects(&db).iterator(10)? {
        if row.id % 40 == 0 {
            std::thread::sleep(limit * 2);
        }
        read.push(row.id);
    }
    assert_eq!(read, (1..=100).collect_vec());
    Ok(())
}

/// A server that ends idle transactions ends a slow reader's stream in a transaction: an error, not an end. A stream of a pool
/// is never idle.
fn idle_in_transaction(bed: &Bed) -> TestResult {
    // The role's own setting would outlive the test, so the connection is told.
    let db = one_connection(&with_setting(bed, "idle_in_transaction_session_timeout=100"))?;
    wide_view(bed, 100_000);
    let mut rows = Number::objects(&db).iterator(10)?;
    assert!(rows.next().is_some());
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(rows.count(), 99_999);
    let answer = db.transaction(|tx| {
        let mut rows = Number::objects(tx).try_iterator(10)?;
        assert!(rows.next().is_some_and(|row| row.is_ok()));
        std::thread::sleep(Duration::from_millis(500));
        let error = rows.find_map(Result::err).expect("the server has ended the transaction");
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error:?}");
        ok(())
    });
    assert!(answer.is_err());
    assert_eq!(scalar(&db, "42::bigint")?, 42);
    Ok(())
}

fn statement_timeout(bed: &Bed) -> TestResult {
    let db = Database::<Pg>::builder().pool_size(1).statement_timeout(Duration::from_millis(100)).connect(bed.url())?;
    bed.execute(
        "CREATE VIEW numbers AS SELECT n AS id, pg_sleep(60)::text AS name FROM generate_series(1::bigint, 2) AS n",
    );
    let pid = scalar(&db, "pg_backend_pid()::bigint")?;
    let error = Number::objects(&db).load().expect_err("it sleeps for a minute");
    assert_eq!(error.kind(), ErrorKind::StatementTimeout, "{error:?}");
    let error = Number::objects(&db).try_iterator(1)?.find_map(Result::err).expect("it sleeps for a minute");
    assert_eq!(error.kind(), ErrorKind::StatementTimeout, "{error:?}");
    assert_eq!(scalar(&db, "pg_backend_pid()::bigint")?, pid, "the connection is as good as before");
    Ok(())
}

fn killed_while_idle(bed: &Bed) -> TestResult {
    for test in [true, false] {
        let db = Database::<Pg>::builder().pool_size(1).test_on_checkout(test).connect(bed.url())?;
        let pid = scalar(&db, "pg_backend_pid()::bigint")?;
        terminate(bed, pid);
        let answers = (0..3).map(|_| scalar(&db, "42::bigint").is_ok()).collect_vec();
        assert_eq!(answers, [test, true, true], "tried on checkout: {test}");
    }
    Ok(())
}

fn user_commit_mid_stream(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    wide_view(bed, 1000);
    for end in ["COMMIT", "ROLLBACK"] {
        let answer = db.transaction(|tx| {
            let mut rows = Number::objects(tx).try_iterator(10)?;
            assert!(rows.next().is_some_and(|row| row.is_ok()));
            tx.batch_execute(end)?;
            let error = rows.find_map(Result::err).expect("the cursor is gone");
            assert_eq!(error.kind(), ErrorKind::TransactionAborted, "{error:?}");
            assert!(rows.next().is_none());
            ok(())
        });
        assert_eq!(answer.map_err(|error| error.kind()), Err(ErrorKind::TransactionAborted));
        assert_eq!(scalar(&db, "42::bigint")?, 42);
    }
    Ok(())
}

const PREPARED: &str = "(SELECT count(*) FROM pg_prepared_statements)";

/// However many streams, chunk sizes and conditions there were, the server keeps no statement of theirs.
fn stmt_cache_bounded(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    db.create_tables::<(Number,)>()?;
    Number::bulk_create(&db, (1..=50).map(number))?;
    let run = |n: i64| -> TestResult {
        let (chunk, many) = (usize::try_from(n % 23 + 1)?, usize::try_from(n % 5)?);
        assert_eq!(Number::objects(&db).filter(|r| r.id.le(n % 50)).iterator(chunk)?.count() as i64, n % 50);
        assert_eq!(Number::objects(&db).limit(n.unsigned_abs() % 9).count()?, n.unsigned_abs() % 9);
        assert_eq!(Number::objects(&db).filter(|r| r.id.eq_any(vec![n % 50; many])).limit(0).load()?, []);
        Ok(())
    };
    (0..20).try_for_each(run)?;
    let before = scalar(&db, PREPARED)?;
    (20..300).try_for_each(run)?;
    assert_eq!(scalar(&db, PREPARED)?, before);
    assert!(before < 10, "{before} statements are kept");
    Ok(())
}

/// Two statements of one type and another text: a cache by type would run the first one twice.
fn query_id_distinct(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    wide_view(bed, 100);
    for chunk in [1, 2, 3] {
        let mut rows = Number::objects(&db).iterator(chunk)?;
        rows.next();
        assert!(format!("{rows:?}").contains(&format!("in_hand: {}", chunk - 1)), "{rows:?}");
    }
    for limit in [5, 2, 9] {
        assert_eq!(Number::objects(&db).limit(limit).load()?.len() as u64, limit);
        assert_eq!(Number::objects(&db).offset(95 + limit % 5).order_by(|n| n.id.asc()).count()?, 5 - limit % 5);
    }
    Ok(())
}

fn many_cursors_one_conn(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    wide_view(bed, 60);
    db.transaction(|tx| {
        let streams: orm_core::Result<Vec<_>> =
            (1..=10_u64).map(|n| Number::objects(tx).order_by(|r| r.id.asc()).offset(n).iterator(4)).collect();
        let merged = streams?.into_iter().kmerge_by(|a, b| a.id < b.id).map(|row| row.id).collect_vec();
        let oracle = (1..=10).flat_map(|n| n + 1..=60).sorted().collect_vec();
        assert_eq!(merged, oracle);
        ok(())
    })?;
    Ok(())
}

/// A consumer that fails in a savepoint, and tries again, loses no row and sees none twice.
fn savepoint_retry(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    wide_view(bed, 100);
    bed.execute("CREATE TABLE copies (id BIGINT PRIMARY KEY)");
    let mut attempts = 0;
    db.transaction(|tx| {
        for row in Number::objects(tx).order_by(|n| n.id.asc()).iterator(7)? {
            let copy = || {
                tx.transaction(|inner| {
                    attempts += 1;
                    inner.batch_execute(&format!("INSERT INTO copies VALUES ({})", row.id))?;
                    if attempts % 10 == 0 {
                        inner.batch_execute("SELECT 1 / 0")?;
                    }
                    ok(())
                })
            };
            let mut copy = copy;
            if copy().is_err() {
                copy()?;
            }
        }
        ok(())
    })?;
    assert!(attempts > 100);
    let copies = bed.texts("SELECT id FROM copies ORDER BY id").into_iter().flatten();
    assert!(copies.eq((1..=100).map(|id| id.to_string())));
    Ok(())
}

/// A stream of a pool writes nothing, also where its query would.
fn streams_are_read_only(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    bed.execute("CREATE SEQUENCE s; CREATE VIEW numbers AS SELECT nextval('s') AS id, 'x' AS name");
    let error = Number::objects(&db).try_iterator(5)?.find_map(Result::err).expect("nextval writes");
    assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error:?}");
    assert_eq!(scalar(&db, "nextval('s')")?, 1, "outside of a stream it may");
    Ok(())
}

fn locks_are_gone_after_a_drop(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 100)?;
    let mut rows = Number::objects(&db).iterator(10)?;
    rows.next();
    drop(rows);
    bed.execute("SET lock_timeout = '2s'; ALTER TABLE numbers ADD COLUMN extra INTEGER");
    Ok(())
}

/// A type that was changed behind a pooled connection hurts no later query: no plan of it is kept.
fn ddl_between_streams(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    db.create_tables::<(Number,)>()?;
    Number::bulk_create(&db, (1..=5).map(number))?;
    for column_type in ["INTEGER", "BIGINT", "SMALLINT"] {
        bed.execute(&format!("ALTER TABLE numbers ALTER COLUMN id TYPE {column_type}"));
        assert_eq!(Number::objects(&db).iterator(2)?.count(), 5);
        assert_eq!(Number::objects(&db).load()?.len(), 5);
        assert_eq!(Number::bulk_create(&db, [])?, 0);
    }
    Ok(())
}
