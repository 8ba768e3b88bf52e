//! How often an operation waits for the server: counted by a proxy, so that it holds for any network.
//!
//! The number of round trips is what an operation costs where the server is far away. Each goal is for an operation that was done
//! before, on a connection that is open.
#![cfg(any(feature = "postgres", feature = "mysql"))] // SQLite has no network

use std::time::Duration;

use orm_core::{BackendKind, prelude::*};
use orm_tests::{Bed, TestResult, ok, proxy::Proxy};

/// A row of the least kind.
#[derive(Model, Clone, Debug, PartialEq)]
struct Number {
    #[model(primary_key)]
    id: i64,
    name: Option<String>,
}

fn number(id: i64) -> Number {
    Number { id, name: Some(format!("number {id}")) }
}

#[cfg(feature = "mysql")]
orm_tests::on_mysql! { reads, a_stream_is_few, changes, transactions, bulk_operations, connecting }
#[cfg(feature = "postgres")]
orm_tests::on_postgres! {
    reads, a_stream_is_few, changes, transactions, bulk_operations, connecting, cursors_of_diesels_own_connection,
}

/// How long a client sends nothing when it waits.
const QUIET: Duration = Duration::from_millis(10);
/// An operation that takes more round trips than its goal is tried so often: noise only adds to them.
const ATTEMPTS: usize = 15;

/// The rows that are there.
const ROWS: i64 = 20_202;

/// An operation, and the most round trips that it may take.
struct Operation<'a> {
    name: &'a str,
    goal: Goal,
    run: &'a dyn Fn(&Database) -> orm_core::Result<()>,
}

/// The most round trips by backend.
#[derive(Clone, Copy)]
struct Goal {
    postgres: u64,
    mysql: u64,
}

fn operation<'a>(name: &'a str, goal: Goal, run: &'a dyn Fn(&Database) -> orm_core::Result<()>) -> Operation<'a> {
    Operation { name, goal, run }
}

const fn goal(postgres: u64, mysql: u64) -> Goal {
    Goal { postgres, mysql }
}

/// Counts the round trips of each operation, and fails with all that need more than their goal.
fn hold_to_goals(bed: &Bed, operations: &[Operation<'_>]) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Number,)>()?;
    Number::bulk_create(&db, (1..=ROWS).map(number))?;
    let mut over = Vec::new();
    for Operation { name, goal, run } in operations {
        let proxy = Proxy::counting_round_trips(bed.url(), QUIET);
        let db = Database::builder().pool_size(1).connect(proxy.url())?;
        run(&db)?;
        let goal = if bed.backend() == BackendKind::Postgres { goal.postgres } else { goal.mysql };
        let mut fewest = u64::MAX;
        for _ in 0..ATTEMPTS {
            let before = proxy.round_trips();
            run(&db)?;
            fewest = fewest.min(proxy.round_trips() - before);
            if fewest <= goal {
                break;
            }
        }
        assert!(fewest > 0, "{name}: the proxy counts nothing");
        if fewest > goal {
            over.push(format!("{name}: {fewest} instead of {goal}"));
        }
    }
    assert!(over.is_empty(), "{over:#?}");
    Ok(())
}

/// A key that no row has yet.
fn fresh() -> i64 {
    use std::sync::atomic::{AtomicI64, Ordering};
    static LAST: AtomicI64 = AtomicI64::new(1_000_000);
    LAST.fetch_add(100_000, Ordering::Relaxed)
}

fn reads(bed: &Bed) -> TestResult {
    hold_to_goals(
        bed,
        &[
            operation("get", goal(1, 1), &|db| Number::objects(db).filter(|n| n.id.eq(7)).get().map(drop)),
            operation("count", goal(1, 1), &|db| Number::objects(db).filter(|n| n.id.lt(50)).count().map(drop)),
            operation("load", goal(1, 1), &|db| Number::objects(db).filter(|n| n.id.lt(50)).load().map(drop)),
        ],
    )
}

fn a_stream_is_few(bed: &Bed) -> TestResult {
    hold_to_goals(
        bed,
        &[
            operation("iterator over 100 rows", goal(1, 1), &|db| {
                assert_eq!(Number::objects(db).filter(|n| n.id.le(100)).iterator(2000)?.count(), 100);
                Ok(())
            }),
            operation("iterator over 20,202 rows", goal(1, 1), &|db| {
                assert_eq!(Number::objects(db).filter(|n| n.id.le(ROWS)).iterator(2000)?.count() as i64, ROWS);
                Ok(())
            }),
            operation("iterator over 20,202 rows in a transaction", goal(9, 3), &|db| {
                let read = |tx: &Transaction| Ok::<_, orm_core::Error>(Number::objects(tx).iterator(2000)?.count());
                assert_eq!(db.transaction(read)? as i64, ROWS);
                Ok(())
            }),
            operation("iterator, 10 rows, dropped", goal(3, 3), &|db| {
                assert_eq!(Number::objects(db).filter(|n| n.id.le(ROWS)).iterator(2000)?.take(10).count(), 10);
                Ok(())
            }),
        ],
    )
}

fn changes(bed: &Bed) -> TestResult {
    hold_to_goals(
        bed,
        &[
            operation("create", goal(1, 1), &|db| Number::create(db, number(fresh())).map(drop)),
            operation("save", goal(1, 1), &|db| number(7).save(db)),
            operation("update", goal(1, 1), &|db| {
                Number::objects(db).filter(|n| n.id.eq(7)).update(|n| n.name.set("seven")).map(drop)
            }),
            operation("delete", goal(1, 1), &|db| Number::objects(db).filter(|n| n.id.eq(-7)).delete().map(drop)),
            operation("get_or_create, row is new", goal(2, 2), &|db| {
                let id = fresh();
                let (_, is_new) = Number::objects(db).filter(|n| n.id.eq(id)).get_or_create(|| number(id))?;
                assert!(is_new);
                Ok(())
            }),
        ],
    )
}

fn transactions(bed: &Bed) -> TestResult {
    hold_to_goals(
        bed,
        &[operation("transaction with one update", goal(2, 2), &|db| {
            db.transaction(|tx| {
                Number::objects(tx).filter(|n| n.id.eq(7)).update(|n| n.name.set("seven"))?;
                ok(())
            })
        })],
    )
}

fn bulk_operations(bed: &Bed) -> TestResult {
    let create = |db: &Database, rows: i64| {
        let first = fresh();
        assert_eq!(Number::bulk_create(db, (first..first + rows).map(number))?, rows.unsigned_abs());
        ok(())
    };
    hold_to_goals(
        bed,
        &[
            operation("bulk_create of 100 rows", goal(1, 1), &|db| create(db, 100)),
            operation("bulk_create of 10,000 rows", goal(3, 5), &|db| create(db, 10_000)),
            operation("bulk_update of 2,000 rows", goal(3, 3), &|db| {
                let rows: Vec<_> = (1..=2000).map(number).collect();
                Number::bulk_update(db, &rows, |n| n.name).map(drop)
            }),
        ],
    )
}

/// Without the round trip of TCP itself, which the proxy does not see.
///
/// PostgreSQL is asked for TLS first, and SCRAM, by which the tests' server lets users in, takes three.
fn connecting(bed: &Bed) -> TestResult {
    let goal = if bed.backend() == BackendKind::Postgres { 4 } else { 2 };
    let proxy = Proxy::counting_round_trips(bed.url(), QUIET);
    let mut fewest = u64::MAX;
    for _ in 0..ATTEMPTS {
        let before = proxy.round_trips();
        Database::<orm_core::Any>::builder().pool_size(1).connect(proxy.url())?;
        fewest = fewest.min(proxy.round_trips() - before);
        if fewest <= goal {
            break;
        }
    }
    assert!((1..=goal).contains(&fewest), "{fewest} round trips instead of {goal}");
    Ok(())
}

/// A FETCH for each chunk, of which those of full chunks are prepared once.
#[cfg(feature = "postgres")]
fn cursors_of_diesels_own_connection(bed: &Bed) -> TestResult {
    use orm_core::diesel::{self, r2d2};

    let db = bed.db()?;
    db.create_tables::<(Number,)>()?;
    Number::bulk_create(&db, (1..=ROWS).map(number))?;
    let proxy = Proxy::counting_round_trips(bed.url(), QUIET);
    let manager = r2d2::ConnectionManager::<diesel::PgConnection>::new(proxy.url());
    let pool = r2d2::Pool::builder().max_size(1).test_on_check_out(false).build(manager)?;
    let db = Database::<Pg>::from(pool);
    let read = || Number::objects(&db).iterator(2000).map(Iterator::count);
    assert_eq!(read()? as i64, ROWS);
    let mut fewest = u64::MAX;
    for _ in 0..ATTEMPTS {
        let before = proxy.round_trips();
        assert_eq!(read()? as i64, ROWS);
        fewest = fewest.min(proxy.round_trips() - before);
    }
    // 10 of full chunks, 2 for each smaller one and for DECLARE, and the ends of the transaction.
    let goal = 21;
    assert!(fewest <= goal, "{fewest} round trips instead of {goal}");
    Ok(())
}
