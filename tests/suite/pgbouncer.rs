//! PostgreSQL by way of PgBouncer in transaction mode: its clients share fewer sessions of the server than there are
//! clients, and have another one for each transaction.
//!
//! Each test but the last ones runs without named prepared statements, which every release of PgBouncer can carry, and,
//! where the release knows them, with them as well.

use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, Instant},
};

use diesel::{
    Connection, ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl,
    connection::SimpleConnection,
    dsl::sql,
    sql_types::{BigInt, Text},
};
use itertools::Itertools;
use orm_core::{PgConnection, diesel, prelude::*};
use orm_tests::{TestResult, ok, pgbouncer::Pgbouncer};

use crate::models::{Number, ids, number, numbers};

/// A test of each function, which runs once for each way in which statements may be prepared.
macro_rules! each_way {
    ($($name:ident),+ $(,)?) => {
        mod each_way {
            $(
                #[test]
                fn $name() -> orm_tests::TestResult {
                    super::in_each_way(&[], super::$name)
                }
            )+
        }
    };
}
each_way! {
    streams, early_drops, a_broken_stream, a_stream_beside_other_clients, a_stream_between_other_statements,
    transactions, failed_transactions, many_threads, results_ended_early, cancelled_from_elsewhere, many_statements, bulk_create, a_transaction_left_open,
    sessions_are_set_up_for_each_client,
}

/// In session mode, where a client keeps its session.
#[test]
fn streams_in_session_mode() -> TestResult {
    for test in [streams, early_drops, a_broken_stream, a_stream_between_other_statements] {
        in_each_way(&["pool_mode=session", "default_pool_size=5"], test)?;
    }
    Ok(())
}

/// PgBouncer, and how the test reaches its database.
struct Way {
    pgbouncer: Pgbouncer,
    url: String,
}

impl Way {
    /// As every program connects.
    fn any(&self) -> orm_core::Result<Database> {
        orm_core::connect(&self.url)
    }

    /// As a program that holds several connections.
    fn pool(&self, size: u32) -> orm_core::Result<Database<Pg>> {
        Database::<Pg>::builder().pool_size(size).checkout_timeout(Duration::from_secs(30)).connect(&self.url)
    }

    /// Nothing that a stream or a transaction needs is left on the server.
    fn assert_nothing_is_open(&self) {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
                   AND state LIKE 'idle in transaction%'";
        // The server tells of the end of a transaction a moment after the client knows it.
        let start = Instant::now();
        while self.pgbouncer.bed().number(sql) != 0 {
            assert!(start.elapsed() < Duration::from_secs(10), "a transaction is still open");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The numbers that are stored, asked past PgBouncer.
    fn stored(&self) -> Vec<i64> {
        let ids = self.pgbouncer.bed().texts("SELECT id FROM numbers ORDER BY id");
        ids.into_iter().map(|id| id.expect("it is a key").parse().expect("it is a number")).collect()
    }
}

fn in_each_way(settings: &[&str], test: fn(&Way) -> TestResult) -> TestResult {
    let pgbouncer = Pgbouncer::start(settings);
    let url = pgbouncer.url_without_statements();
    let knows_statements = pgbouncer.knows_statements();
    test(&Way { pgbouncer, url })?;
    if knows_statements {
        let pgbouncer = Pgbouncer::start(settings);
        let url = pgbouncer.url();
        test(&Way { pgbouncer, url })?;
    }
    Ok(())
}

/// What a connection answers to a query by hand.
fn scalar(db: &Database<Pg>, query: &str) -> Result<i64, Box<dyn std::error::Error>> {
    Ok(diesel::select(sql::<BigInt>(query)).get_result(&mut *db.connection()?)?)
}

const SESSION: &str = "pg_backend_pid()::bigint";

fn streams(way: &Way) -> TestResult {
    let db = way.any()?;
    numbers(&db, 5_000)?;
    let expected = (1..=5_000).map(number).collect_vec();
    for chunk in [1, 499, 2_000, 5_000, 9_000] {
        let rows: Vec<Number> = Number::objects(&db).order_by(|n| n.id.asc()).iterator(chunk)?.collect();
        assert!(rows == expected, "in chunks of {chunk} there are {} rows", rows.len());
    }
    let fixed = way.pool(1)?;
    let rows: Vec<Number> = Number::objects(&fixed).order_by(|n| n.id.desc()).iterator(700)?.collect();
    assert!(rows.iter().rev().eq(&expected));
    assert_eq!(Number::objects(&fixed).filter(|n| n.id.gt(5_000)).iterator(10)?.count(), 0);
    way.assert_nothing_is_open();
    Ok(())
}

/// A stream that is dropped early leaves nothing behind for the client that has the session next.
fn early_drops(way: &Way) -> TestResult {
    let first = way.pool(1)?;
    let second = way.pool(1)?;
    let db = way.any()?;
    numbers(&db, 3_000)?;
    for (round, taken) in [1, 2, 9, 10, 11, 500, 2_999, 3_000].into_iter().cycle().take(40).enumerate() {
        let (mine, others) = if round % 2 == 0 { (&first, &second) } else { (&second, &first) };
        let rows = Number::objects(mine).order_by(|n| n.id.asc()).iterator(10)?;
        let read = rows.take(taken).map(|row| row.id).collect_vec();
        assert!(read.iter().copied().eq((1..).take(taken)), "{read:?}");
        assert_eq!(Number::objects(others).filter(|n| n.id.le(round as i64)).count()?, round as u64);
        assert_eq!(Number::objects(mine).count()?, 3_000);
        // One that has given no row at all.
        drop(Number::objects(others).iterator(10)?);
    }
    way.assert_nothing_is_open();
    Ok(())
}

/// A statement that fails in the middle of its rows, and what comes after it.
fn a_broken_stream(way: &Way) -> TestResult {
    let db = way.pool(1)?;
    way.pgbouncer.bed().execute(
        "CREATE VIEW numbers AS SELECT n AS id, (10 / (20 - n))::text AS name FROM generate_series(1::bigint, 30) AS n",
    );
    for chunk in [1, 7, 100] {
        let mut rows = Number::objects(&db).try_iterator(chunk)?;
        let read = rows.by_ref().map_while(Result::ok).map(|row| row.id).collect_vec();
        assert!(read.iter().copied().eq((1..).take(read.len())) && read.len() < 20, "{read:?}");
        assert!(rows.next().is_none());
        drop(rows);
        let error = Number::objects(&db).load().expect_err("20 - 20 is 0");
        assert!(std::error::Error::source(&error).is_some_and(|source| source.to_string().contains("zero")));
        assert_eq!(Number::objects(&db).filter(|n| n.id.lt(20)).count()?, 19);
    }
    way.assert_nothing_is_open();
    Ok(())
}

/// A stream keeps its session while it is read; the other clients have the one that is left.
fn a_stream_beside_other_clients(way: &Way) -> TestResult {
    let (reader, writer) = (way.pool(1)?, way.pool(1)?);
    numbers(&way.any()?, 1_000)?;
    let mut expected = 1..;
    for row in Number::objects(&reader).filter(|n| n.id.le(1_000)).order_by(|n| n.id.asc()).iterator(3)? {
        assert_eq!(Some(row.id), expected.next());
        if row.id % 50 == 0 {
            writer.transaction(|tx| {
                assert_eq!(Number::bulk_create(tx, [number(10_000 + row.id)])?, 1);
                ok(())
            })?;
            assert_eq!(Number::objects(&writer).filter(|n| n.id.gt(1_000)).count()?, row.id.unsigned_abs() / 50);
        }
    }
    assert_eq!(expected.next(), Some(1_001), "it has read what was there when it began");
    way.assert_nothing_is_open();
    assert_eq!(way.stored().len(), 1_020);
    Ok(())
}

fn a_stream_between_other_statements(way: &Way) -> TestResult {
    let db = way.pool(1)?;
    numbers(&way.any()?, 300)?;
    db.transaction(|tx| {
        let mut other = Number::objects(tx).order_by(|n| n.id.desc()).iterator(4)?;
        let mut expected = 1..;
        for row in Number::objects(tx).filter(|n| n.id.le(300)).order_by(|n| n.id.asc()).iterator(7)? {
            assert_eq!(Some(row.id), expected.next());
            if row.id % 3 == 0 {
                assert_eq!(other.next().map(|row| row.id), Some(301 - row.id / 3));
                Number::bulk_create(tx, [number(1_000 + row.id)])?;
                assert_eq!(Number::objects(tx).count()?, 300 + row.id.unsigned_abs() / 3);
            }
            if row.id % 50 == 0 {
                tx.batch_execute("UPDATE numbers SET name = 'seen' WHERE id = 1")?;
                assert_eq!(Number::objects(tx).iterator(2)?.take(3).count(), 3, "dropped within the transaction");
            }
        }
        assert_eq!(expected.next(), Some(301));
        ok(())
    })?;
    way.assert_nothing_is_open();
    assert_eq!(way.stored(), (1..=300).chain((1..=100).map(|n| 1_000 + 3 * n)).collect_vec());
    Ok(())
}

fn transactions(way: &Way) -> TestResult {
    let db = way.any()?;
    numbers(&db, 10)?;
    for id in 11..=30 {
        let answer = db.transaction(|tx| {
            Number::bulk_create(tx, [number(id)])?;
            // A nested one that fails is undone alone.
            let nested = tx.transaction(|tx| {
                Number::bulk_create(tx, [number(1_000 + id)])?;
                Err::<(), orm_core::Error>(Number::bulk_create(tx, [number(1)]).expect_err("the key is taken"))
            });
            assert_eq!(nested.map_err(|error| error.kind()), Err(ErrorKind::UniqueViolation));
            ok(Number::objects(tx).count()?)
        })?;
        assert_eq!(answer, id.unsigned_abs());
    }
    way.assert_nothing_is_open();
    assert_eq!(way.stored(), (1..=30).collect_vec());
    Ok(())
}

/// What fails is undone, and the session goes to the next client as good as new.
fn failed_transactions(way: &Way) -> TestResult {
    let (first, second) = (way.pool(1)?, way.pool(1)?);
    numbers(&way.any()?, 10)?;
    for db in [&first, &second].into_iter().cycle().take(20) {
        let answer = db.transaction(|tx| {
            Number::bulk_create(tx, [number(11)])?;
            Number::bulk_create(tx, [number(5)])
        });
        assert_eq!(answer.map_err(|error| error.kind()), Err(ErrorKind::UniqueViolation));
        for db in [&first, &second] {
            assert_eq!(Number::objects(db).count()?, 10);
        }
        let error = Number::bulk_create(db, [number(3)]).expect_err("the key is taken");
        assert_eq!(error.kind(), ErrorKind::UniqueViolation);
    }
    way.assert_nothing_is_open();
    assert_eq!(way.stored(), (1..=10).collect_vec());
    Ok(())
}

/// Sixteen connections of one pool on two sessions.
fn many_threads(way: &Way) -> TestResult {
    const THREADS: i64 = 16;
    const ROUNDS: i64 = 25;
    let db = way.pool(16)?;
    numbers(&way.any()?, 200)?;
    let sessions = thread::scope(|scope| {
        let work = |thread: i64| {
            let db = &db;
            move || -> Result<BTreeSet<i64>, String> {
                let round = |round: i64| -> Result<i64, Box<dyn std::error::Error>> {
                    let last = (thread * 7 + round * 13) % 200 + 1;
                    let small = Number::objects(db).filter(|n| n.id.le(last)).order_by(|n| n.id.asc());
                    let read =
                        small.iterator(usize::try_from(1 + round.unsigned_abs() % 9)?)?.map(|row| row.id).collect_vec();
                    if !read.iter().copied().eq(1..=last) {
                        return Err(format!("{read:?} is not all up to {last}").into());
                    }
                    let first = Number::objects(db).filter(|n| n.id.ge(last)).order_by(|n| n.id.asc());
                    let taken = first.iterator(2)?.take(3).map(|row| row.id).collect_vec();
                    if taken.first() != Some(&last) {
                        return Err(format!("{taken:?} does not begin with {last}").into());
                    }
                    let key = 1_000 + thread * 100 + round;
                    db.transaction(|tx| {
                        Number::bulk_create(tx, [number(key)])?;
                        ok(())
                    })?;
                    let mine = Number::objects(db).filter(|n| n.id.eq(key)).get()?;
                    if mine != number(key) {
                        return Err(format!("{mine:?} is not what was stored").into());
                    }
                    scalar(db, SESSION)
                };
                (0..ROUNDS).map(round).collect::<Result<_, _>>().map_err(|error| error.to_string())
            }
        };
        let running = (0..THREADS).map(|thread| scope.spawn(work(thread))).collect_vec();
        running.into_iter().map(|thread| thread.join().expect("it does not panic")).collect::<Result<Vec<_>, _>>()
    })?;
    let sessions: BTreeSet<i64> = sessions.into_iter().flatten().collect();
    assert_eq!(sessions.len(), 2, "the connections share two sessions");
    let added = (0..THREADS).flat_map(|thread| (0..ROUNDS).map(move |round| 1_000 + thread * 100 + round));
    assert_eq!(way.stored(), (1..=200).chain(added).collect_vec());
    way.assert_nothing_is_open();
    Ok(())
}

/// Whoever drops a result early has his own statement ended, and no other client's that has the session by then.
fn results_ended_early(way: &Way) -> TestResult {
    let db = way.pool(6)?;
    numbers(&way.any()?, 100)?;
    let impatient = || -> Result<(), String> {
        let mut connection = db.connection().map_err(|error| error.to_string())?;
        let long = "SELECT generate_series(1, 5000)::bigint AS number, repeat('x', 500) AS filling";
        let rows = diesel::sql_query(long).load_iter::<Session, _>(&mut *connection);
        let read = rows.and_then(|rows| rows.take(20).map_ok(|row| row.number).collect::<Result<Vec<_>, _>>());
        let read = read.map_err(|error| error.to_string())?;
        if read.iter().copied().eq(1..=20) { Ok(()) } else { Err(format!("{read:?} are the first 20")) }
    };
    let patient = |thread: u64| -> Result<(), String> {
        for n in 0..100 {
            let count =
                Number::objects(&db).filter(|row| row.id.gt(n)).count().map_err(|error| format!("{error:?}"))?;
            if count != 100 - n.unsigned_abs() {
                return Err(format!("thread {thread} counted {count} above {n}"));
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let dropping = (0..2).map(|_| scope.spawn(|| (0..15).try_for_each(|_| impatient()))).collect_vec();
        let counting = (0..4).map(|thread| scope.spawn(move || patient(thread))).collect_vec();
        dropping.into_iter().chain(counting).try_for_each(|thread| thread.join().expect("it does not panic"))
    })?;
    way.assert_nothing_is_open();
    Ok(())
}

/// What a token cancels is the statement of its own connection, whichever session runs it.
fn cancelled_from_elsewhere(way: &Way) -> TestResult {
    let connection = &mut PgConnection::establish(&way.url)?;
    let db = way.pool(1)?;
    numbers(&way.any()?, 10)?;
    let token = connection.cancel_token();
    for _ in 0..3 {
        let slept = thread::scope(|scope| {
            let (token, bed) = (token.clone(), way.pgbouncer.bed());
            let cancelling = scope.spawn(move || {
                let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                                AND wait_event = 'PgSleep'";
                while bed.number(sleeping) == 0 {
                    thread::sleep(Duration::from_millis(10));
                }
                token.cancel()
            });
            let counting = scope.spawn(|| (0..50).try_for_each(|_| Number::objects(&db).count().map(|_| ())));
            let slept = diesel::sql_query("SELECT pg_sleep(60)").execute(connection);
            (slept, cancelling.join().expect("it does not panic"), counting.join().expect("it does not panic"))
        });
        slept.1?;
        slept.2?;
        assert!(format!("{:?}", slept.0).contains("due to user request"), "{:?}", slept.0);
        // Nothing is running any more, so nothing is cancelled.
        token.cancel()?;
        assert_eq!(Number::objects(&db).count()?, 10);
        assert_eq!(diesel::select(sql::<BigInt>("42::bigint")).get_result::<i64>(connection)?, 42);
    }
    Ok(())
}

/// Statements of many texts, each by two clients on any of the sessions.
fn many_statements(way: &Way) -> TestResult {
    let (first, second) = (way.any()?, way.any()?);
    numbers(&first, 400)?;
    for round in 0..150_i64 {
        let many = usize::try_from(round)?;
        for db in [&first, &second, &first] {
            let wanted = (1..=round).map(|n| n * 2).collect_vec();
            let found = Number::objects(db).filter(|n| n.id.eq_any(wanted.clone())).order_by(|n| n.id.asc());
            assert_eq!(ids(found)?, wanted);
            let page = Number::objects(db).order_by(|n| n.id.asc()).limit(3).offset(round.unsigned_abs());
            assert_eq!(ids(page)?, (round + 1..=round + 3).collect_vec());
            let named = Number::objects(db).filter(|n| n.name.eq(format!("number {}", round + 1)));
            assert_eq!(named.get()?, number(round + 1));
            assert_eq!(Number::objects(db).iterator(many + 1)?.take(many).count(), many);
        }
    }
    way.assert_nothing_is_open();
    Ok(())
}

fn bulk_create(way: &Way) -> TestResult {
    let db = way.any()?;
    db.create_tables::<(Number,)>()?;
    // Several statements: one takes no more than 65,535 values.
    assert_eq!(Number::bulk_create(&db, (1..=40_000).map(number))?, 40_000);
    let fixed = way.pool(2)?;
    assert_eq!(Number::bulk_create(&fixed, (40_001..=40_007).map(number))?, 7);
    let bed = way.pgbouncer.bed();
    assert_eq!(bed.number("SELECT count(*) FROM numbers WHERE name = 'number ' || id"), 40_007);
    // All of it or nothing, however many statements it took.
    let error = Number::bulk_create(&fixed, (50_000..=90_000).chain([17]).map(number)).expect_err("17 is taken");
    assert_eq!(error.kind(), ErrorKind::UniqueViolation);
    assert_eq!(bed.number("SELECT max(id) FROM numbers"), 40_007);
    way.assert_nothing_is_open();
    Ok(())
}

/// A program that begins by hand and does not end has not got the session for good.
fn a_transaction_left_open(way: &Way) -> TestResult {
    let (first, second) = (way.pool(1)?, way.pool(1)?);
    numbers(&way.any()?, 5)?;
    for db in [&first, &second, &first] {
        db.batch_execute("BEGIN; INSERT INTO numbers (id) VALUES (6)")?;
        way.assert_nothing_is_open();
        assert_eq!(Number::objects(db).count()?, 5);
        db.connection()?.batch_execute("BEGIN; INSERT INTO numbers (id) VALUES (7); SAVEPOINT mine")?;
        assert_eq!(Number::objects(&second).count()?, 5);
    }
    way.assert_nothing_is_open();
    assert_eq!(way.stored(), [1, 2, 3, 4, 5]);
    Ok(())
}

/// Whichever session it has, a client finds the settings there that it asked for, although the server's own time zone is
/// another.
fn sessions_are_set_up_for_each_client(way: &Way) -> TestResult {
    let clients = [way.pool(1)?, way.pool(1)?, way.pool(1)?];
    let ask = |db: &Database<Pg>| -> Result<String, Box<dyn std::error::Error>> {
        let noon = "TIMESTAMPTZ '2020-01-02 12:00:00+00'::text || ' ' || current_setting('client_encoding')";
        Ok(diesel::select(sql::<Text>(noon)).get_result(&mut *db.connection()?)?)
    };
    for round in 0..30 {
        for db in &clients {
            assert_eq!(ask(db)?, "2020-01-02 12:00:00+00 UTF8", "in round {round}");
        }
        // What a program sets by hand holds neither for the others nor for the pool's next user.
        clients[round % 3].batch_execute("SET TIME ZONE 'Asia/Tokyo'; SET DateStyle = 'German'")?;
    }
    Ok(())
}

diesel::table! {
    #[sql_name = "numbers"]
    counted (id) {
        id -> BigInt,
        name -> Nullable<Text>,
    }
}

/// A client that prepares statements with names although the release does not know them may be told that something is
/// wrong; it never gets what another client's statement of the same name answers.
#[test]
fn nobody_runs_the_statement_of_another() -> TestResult {
    let pgbouncer = Pgbouncer::start(&["default_pool_size=2"]);
    pgbouncer.bed().execute(
        "CREATE TABLE numbers (id BIGINT PRIMARY KEY, name TEXT); INSERT INTO numbers SELECT generate_series(1, 100)",
    );
    let connect = || PgConnection::establish(&pgbouncer.url());
    let (first, second, holder) = (&mut connect()?, &mut connect()?, &mut connect()?);
    let session = |connection: &mut PgConnection| {
        diesel::sql_query("SELECT pg_backend_pid()::bigint AS number").get_result::<Session>(connection)
    };
    let up_to = |connection: &mut PgConnection, n: i64| -> QueryResult<i64> {
        counted::table.filter(counted::id.le(n)).count().get_result(connection)
    };
    let above = |connection: &mut PgConnection, n: i64| -> QueryResult<i64> {
        counted::table.filter(counted::id.gt(n)).count().get_result(connection)
    };
    // Each prepares a statement in a session of its own, its first and so of the same name if names are only counted.
    first.batch_execute("BEGIN")?;
    second.batch_execute("BEGIN")?;
    let sessions = [session(first)?, session(second)?];
    assert_ne!(sessions[0], sessions[1]);
    assert_eq!((up_to(first, 30)?, above(second, 30)?), (30, 70));
    first.batch_execute("COMMIT")?;
    second.batch_execute("COMMIT")?;
    // With one session held, both clients have the other one.
    for _ in 0..2 {
        holder.batch_execute("BEGIN")?;
        let held = session(holder)?;
        for (n, round) in (1..=10).zip(0..) {
            let answers = [(up_to(first, n), n), (above(second, n), 100 - n)];
            for (answer, expected) in answers {
                match answer {
                    Ok(answer) => assert_eq!(answer, expected, "in round {round} beside {held:?}"),
                    Err(error) => assert!(!pgbouncer.knows_statements(), "{error:?}"),
                }
            }
        }
        // The one that was held is the last to be used, and so the next.
        first.batch_execute("BEGIN")?;
        holder.batch_execute("COMMIT")?;
        second.batch_execute("BEGIN")?;
        first.batch_execute("COMMIT")?;
        second.batch_execute("COMMIT")?;
    }
    Ok(())
}

#[derive(diesel::QueryableByName, Debug, PartialEq)]
struct Session {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// A setting that PgBouncer would have to make anew for each transaction is refused, and not lost.
#[test]
fn limits_are_not_lost() -> TestResult {
    let pgbouncer = Pgbouncer::start(&[]);
    let limited = Database::<Pg>::builder()
        .statement_timeout(Duration::from_millis(200))
        .checkout_timeout(Duration::from_secs(1))
        .connect(&pgbouncer.url_without_statements());
    let error = limited.map(|_| ()).expect_err("PgBouncer does not take it");
    assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
    assert!(format!("{error:?}").contains("startup parameter"), "{error:?}");
    Ok(())
}
