//! Streams of a pool: all rows in one pass of the server, whatever the consumer does.

use std::{
    thread,
    time::{Duration, Instant},
};

use diesel::{
    connection::SimpleConnection,
    r2d2::{ConnectionManager, Pool},
};
use itertools::Itertools;
use orm_core::{diesel, prelude::*};
use orm_tests::{Bed, TestResult, ok, on_postgres, proxy::Proxy};

use super::PgConnection;
use crate::{
    models::{Number, number, numbers},
    stream_postgres::{one_connection, scalar, wide_view, with_setting},
};

on_postgres! {
    never_idle_in_transaction, a_parallel_plan_gets_its_workers, a_time_limit_is_for_a_piece,
    a_time_limit_that_is_set_later, early_drop_at_every_row, many_early_drops, dropped_while_the_server_works,
    cut_at_any_byte_that_is_sent, cut_in_an_early_drop, a_type_that_is_not_known_yet, a_value_that_does_not_fit,
    large_rows_are_dropped, two_streams_in_one_transaction,
    pieces_ahead_are_bounded, cursors_of_many_shapes,
}

const PID: &str = "pg_backend_pid()::bigint";
const ENDLESS: i64 = 1_000_000_000_000;

/// Waits until a query gives this.
#[track_caller]
fn until(bed: &Bed, sql: &str, expected: i64) {
    let start = Instant::now();
    while bed.number(sql) != expected {
        assert!(start.elapsed() < Duration::from_secs(30), "{sql} is {} for a long time", bed.number(sql));
        thread::sleep(Duration::from_millis(5));
    }
}

/// The server waits for its reader, within a statement.
fn never_idle_in_transaction(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    wide_view(bed, 1_000_000);
    let pid = scalar(&db, PID)?;
    let mut rows = Number::objects(&db).iterator(100)?;
    assert!(rows.next().is_some());
    let waits = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE pid = {pid} AND state = 'active' AND wait_event = 'ClientWrite'"
    );
    until(bed, &waits, 1);
    assert_eq!(rows.count(), 999_999);
    // What fits into the buffers is committed before it is read.
    wide_view(bed, 10);
    let mut rows = Number::objects(&db).iterator(2)?;
    assert!(rows.next().is_some());
    until(bed, &format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid} AND state = 'idle'"), 1);
    assert_eq!(rows.count(), 9);
    Ok(())
}

/// In pieces, a plan with workers would run without them.
fn a_parallel_plan_gets_its_workers(bed: &Bed) -> TestResult {
    bed.execute(
        "CREATE TABLE numbers (id BIGINT PRIMARY KEY, name TEXT); \
         INSERT INTO numbers SELECT n, repeat('x', 100) FROM generate_series(1, 200000) AS n",
    );
    let settings = "parallel_setup_cost=0 -c parallel_tuple_cost=0 -c min_parallel_table_scan_size=0";
    let url = with_setting(bed, &settings.replace(' ', "%20"));
    let db = one_connection(&url)?;
    let pid = scalar(&db, PID)?;
    let workers = format!("SELECT count(*) FROM pg_stat_activity WHERE leader_pid = {pid}");
    let start = Instant::now();
    // Other tests may have all of the server's workers at times.
    loop {
        let mut rows = Number::objects(&db).filter(|n| n.name.eq("x".repeat(100))).iterator(100)?;
        assert!(rows.next().is_some());
        // The leader waits for the reader, and the workers for the leader.
        if bed.number(&workers) > 0 {
            assert_eq!(rows.count(), 199_999);
            return Ok(());
        }
        assert!(start.elapsed() < Duration::from_secs(30), "there is no worker");
    }
}

/// A `statement_timeout` is for each piece, so that it ends no long export because its consumer is slow, and does end a
/// statement that takes too long for its next rows.
fn a_time_limit_is_for_a_piece(bed: &Bed) -> TestResult {
    let db = one_connection(&with_setting(bed, "statement_timeout=200"))?;
    wide_view(bed, 300_000);
    let pid = scalar(&db, PID)?;
    for _ in 0..2 {
        let mut rows = Number::objects(&db).iterator(1_000)?;
        assert_eq!(rows.by_ref().take(10).count(), 10);
        thread::sleep(Duration::from_millis(500));
        assert_eq!(rows.count(), 299_990);
    }
    bed.execute(
        "CREATE OR REPLACE VIEW numbers AS SELECT n AS id, pg_sleep(CASE n WHEN 100 THEN 60 ELSE 0 END)::text AS name \
         FROM generate_series(1::bigint, 200) AS n",
    );
    let error = Number::objects(&db).try_iterator(10)?.find_map(Result::err).expect("it sleeps for a minute");
    assert_eq!(error.kind(), ErrorKind::StatementTimeout, "{error:?}");
    assert_eq!(scalar(&db, PID)?, pid, "the connection is as good as before");
    // Early ends of a stream in pieces.
    wide_view(bed, ENDLESS);
    for taken in [0, 1, 5, 5_000] {
        assert_eq!(Number::objects(&db).iterator(20)?.take(taken).count(), taken);
    }
    assert_eq!(scalar(&db, PID)?, pid);
    Ok(())
}

/// A program sets the limit on a connection of its own pool, behind streams that were read without one.
fn a_time_limit_that_is_set_later(bed: &Bed) -> TestResult {
    let pool = Pool::builder().max_size(1).build(ConnectionManager::<PgConnection>::new(bed.url()))?;
    let db = Database::<Pg>::from(pool.clone());
    wide_view(bed, 300_000);
    for limit in ["0", "200", "200", "0", "200"] {
        pool.get()?.batch_execute(&format!("SET statement_timeout = {limit}"))?;
        let mut rows = Number::objects(&db).iterator(1_000)?;
        assert_eq!(rows.by_ref().take(10).count(), 10);
        if limit != "0" {
            thread::sleep(Duration::from_millis(500));
        }
        assert_eq!(rows.count(), 299_990, "with a limit of {limit} ms");
    }
    Ok(())
}

fn early_drop_at_every_row(bed: &Bed) -> TestResult {
    numbers(&bed.db()?, 30)?;
    let db = one_connection(bed.url())?;
    let pid = scalar(&db, PID)?;
    for chunk in [1, 7, 100] {
        for taken in 0..=31 {
            let read = Number::objects(&db).order_by(|n| n.id.asc()).iterator(chunk)?.take(taken);
            assert_eq!(read.map(|row| row.id).collect_vec(), (1..=30).take(taken).collect_vec());
            db.transaction(|tx| {
                let read = Number::objects(tx).order_by(|n| n.id.asc()).iterator(chunk)?.take(taken);
                assert_eq!(read.map(|row| row.id).collect_vec(), (1..=30).take(taken).collect_vec());
                assert_eq!(Number::objects(tx).count()?, 30);
                ok(())
            })?;
            assert_eq!(scalar(&db, PID)?, pid);
        }
    }
    Ok(())
}

/// Nothing is left of a stream that was dropped, on the server or in the connection.
fn many_early_drops(bed: &Bed) -> TestResult {
    numbers(&bed.db()?, 100)?;
    let db = one_connection(&bed.url_with("application_name=drops"))?;
    let pid = scalar(&db, PID)?;
    for n in 0..5_000 {
        assert_eq!(Number::objects(&db).iterator(10)?.take(n % 20).count(), n % 20);
    }
    // And of those that have to be cancelled.
    bed.execute("DROP TABLE numbers");
    wide_view(bed, ENDLESS);
    for n in 0..200 {
        assert_eq!(Number::objects(&db).iterator(10)?.take(n).count(), n);
    }
    assert_eq!(scalar(&db, PID)?, pid, "all of that on one connection");
    assert_eq!(scalar(&db, "(SELECT count(*) FROM pg_cursors WHERE name LIKE 'orm%')")?, 0);
    until(bed, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'drops'", 1);
    Ok(())
}

/// Before its first row, while it sorts, and while it waits for a lock.
fn dropped_while_the_server_works(bed: &Bed) -> TestResult {
    bed.execute(
        "CREATE VIEW numbers AS SELECT n AS id, pg_sleep(60)::text AS name FROM generate_series(1::bigint, 10) AS n",
    );
    let db = one_connection(bed.url())?;
    let pid = scalar(&db, PID)?;
    drop(Number::objects(&db).iterator(10)?);
    assert_eq!(scalar(&db, PID)?, pid);
    wide_view(bed, 100_000_000);
    drop(Number::objects(&db).order_by(|n| n.id.desc()).iterator(10)?);
    assert_eq!(scalar(&db, PID)?, pid);
    let idle = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid} AND state = 'idle'");
    until(bed, &idle, 1);
    Ok(())
}

/// The request of a stream reaches the server up to any byte of it.
fn cut_at_any_byte_that_is_sent(bed: &Bed) -> TestResult {
    numbers(&bed.db()?, 3)?;
    let proxy = Proxy::to(bed.url());
    let db = Database::<Pg>::builder().pool_size(1).test_on_checkout(false).connect(proxy.url())?;
    let read = || -> orm_core::Result<Vec<Number>> {
        Number::objects(&db).order_by(|n| n.id.asc()).try_iterator(2)?.collect()
    };
    assert_eq!(read()?.len(), 3);
    let before = proxy.sent();
    assert_eq!(read()?.len(), 3);
    let all = proxy.sent() - before;
    for cut in (0..all).step_by(5).chain(all - 10..all) {
        // A connection on which a stream was read before sends all in one.
        while read().is_err() {}
        proxy.cut_after_sent(cut);
        let error = read().expect_err("the server has not got all of it");
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "cut after {cut} of {all}: {error:?}");
        proxy.heal();
    }
    assert_eq!(read()?, (1..=3).map(number).collect_vec());
    Ok(())
}

/// The network fails while a stream is ended: the connection is not used again, unless all of the end has come.
fn cut_in_an_early_drop(bed: &Bed) -> TestResult {
    wide_view(bed, ENDLESS);
    let proxy = Proxy::to(bed.url());
    let limit = Duration::from_secs(5);
    let db = Database::<Pg>::builder().pool_size(1).connect_timeout(limit).connect(proxy.url())?;
    for cut in [0, 1, 5, 100, 5_000, 100_000, 1_000_000, 3_000_000] {
        let mut rows = Number::objects(&db).iterator(10)?;
        assert_eq!(rows.by_ref().take(5).count(), 5);
        proxy.cut_after(cut);
        drop(rows);
        proxy.heal();
        assert_eq!(scalar(&db, "42::bigint")?, 42, "cut after {cut}");
    }
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "moods")]
struct Mood {
    #[model(primary_key)]
    id: i64,
    mood: String,
}

/// What a type is has to be asked before the rows are read, and cannot be asked while they come.
fn a_type_that_is_not_known_yet(bed: &Bed) -> TestResult {
    bed.execute("CREATE TYPE mood AS ENUM ('sad', 'happy')");
    bed.execute(
        "CREATE VIEW moods AS SELECT n AS id, CASE n % 2 WHEN 0 THEN 'sad' ELSE 'happy' END::mood AS mood \
         FROM generate_series(1::bigint, 300000) AS n",
    );
    let db = one_connection(bed.url())?;
    for _ in 0..2 {
        let mut rows = Mood::objects(&db).iterator(1_000)?;
        assert_eq!(rows.next(), Some(Mood { id: 1, mood: "happy".to_owned() }));
        assert_eq!(rows.filter(|row| row.mood == "sad").count(), 150_000);
    }
    // It is another type by then, of the same name.
    bed.execute(
        "DROP VIEW moods; DROP TYPE mood; CREATE TYPE mood AS ENUM ('sad', 'happy'); \
         CREATE VIEW moods AS SELECT n AS id, 'sad'::mood AS mood FROM generate_series(1::bigint, 300000) AS n",
    );
    assert_eq!(Mood::objects(&db).iterator(1_000)?.count(), 300_000);
    assert_eq!(Mood::objects(&db).iterator(1_000)?.take(3).count(), 3);
    Ok(())
}

/// The error names the type, although rows are coming.
fn a_value_that_does_not_fit(bed: &Bed) -> TestResult {
    bed.execute("CREATE TYPE pair AS (a INT, b INT)");
    bed.execute(
        "CREATE VIEW moods AS SELECT n AS id, (n, n)::pair AS mood FROM generate_series(1, 300000::bigint) AS n",
    );
    let db = one_connection(bed.url())?;
    let pid = scalar(&db, PID)?;
    for _ in 0..2 {
        let error = Mood::objects(&db).try_iterator(1_000)?.find_map(Result::err).expect("it is no text");
        assert_eq!(error.kind(), ErrorKind::Decode, "{error:?}");
        assert!(format!("{error:?}").contains("pair"), "{error:?}");
        assert_eq!(scalar(&db, PID)?, pid);
    }
    Ok(())
}

/// A row that is larger than what is read behind a cancel costs the connection, and no memory.
fn large_rows_are_dropped(bed: &Bed) -> TestResult {
    bed.execute(
        "CREATE VIEW numbers AS SELECT n AS id, repeat('x', CASE n WHEN 3 THEN 100000000 ELSE 10000 END) AS name \
         FROM generate_series(1::bigint, 1000000) AS n",
    );
    let db = one_connection(bed.url())?;
    for taken in [1, 2] {
        assert_eq!(Number::objects(&db).iterator(1)?.take(taken).count(), taken);
        assert_eq!(scalar(&db, "42::bigint")?, 42);
    }
    Ok(())
}

fn two_streams_in_one_transaction(bed: &Bed) -> TestResult {
    numbers(&bed.db()?, 5_000)?;
    let db = one_connection(bed.url())?;
    db.transaction(|tx| {
        let up = Number::objects(tx).order_by(|n| n.id.asc()).iterator(100)?;
        let down = Number::objects(tx).order_by(|n| n.id.desc()).iterator(100)?;
        assert!(up.zip(down).map(|(up, down)| (up.id, down.id)).eq((1..=5_000).map(|n| (n, 5_001 - n))));
        ok(())
    })?;
    Ok(())
}

/// The further away the server is, the more pieces are on their way: up to the bytes of a chunk, which is what another statement
/// has to wait for and keep.
fn pieces_ahead_are_bounded(bed: &Bed) -> TestResult {
    const WIDTH: u64 = 123;
    let proxy = Proxy::counting_round_trips(bed.url(), Duration::from_millis(5));
    let db = one_connection(proxy.url())?;
    wide_view(bed, 100_000);
    for budget in [500_000_usize, 2_000_000] {
        db.transaction(|tx| {
            tx.batch_execute("SELECT 1")?;
            let (before, mut read) = (proxy.received(), 0);
            let budget = std::num::NonZeroUsize::new(budget).unwrap_or(std::num::NonZeroUsize::MIN);
            let mut rows = Number::objects(tx).fetch_bytes(budget).iterator(2_000)?;
            for taken in [10, 1_000, 20_000, 70_000] {
                read += rows.by_ref().take(taken).count() as u64;
                // It is answered behind them.
                tx.batch_execute("SELECT 1")?;
                let ahead = (proxy.received() - before).saturating_sub(read * WIDTH);
                // There is a chunk in hand, too, of 2,000 rows.
                let most = budget.get() as u64 + 2_000 * WIDTH + 100_000;
                assert!(ahead < most, "{ahead} bytes ahead of {read} rows, with {budget} bytes for a chunk");
            }
            assert_eq!(rows.count() as u64, 100_000 - read);
            ok(())
        })?;
    }
    Ok(())
}

/// A FETCH that is kept prepared gives the rows of whichever cursor is open.
fn cursors_of_many_shapes(bed: &Bed) -> TestResult {
    numbers(&bed.db()?, 500)?;
    let manager = ConnectionManager::<diesel::PgConnection>::new(bed.url());
    let db = Database::<Pg>::from(Pool::builder().max_size(1).build(manager)?);
    for _ in 0..2 {
        for chunk in [7, 100, 500] {
            let all = || Number::objects(&db).order_by(|n| n.id.asc());
            assert!(all().iterator(chunk)?.eq((1..=500).map(number)));
            assert!(all().values(|n| n.id).iterator(chunk)?.eq(1..=500));
            assert!(all().values(|n| (n.name, n.id)).iterator(chunk)?.eq((1..=500).map(|n| (number(n).name, n))));
            assert_eq!(all().iterator(chunk)?.take(300).count(), 300);
        }
    }
    Ok(())
}
