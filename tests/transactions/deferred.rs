//! Transactions and savepoints that begin with their first statement.

use std::cell::RefCell;

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, ok, on_each_backend, random};
use proptest::{prelude::*, test_runner::TestRunner};

use crate::models::{Counter, with_counters};

on_each_backend! { nested_transactions_of_every_shape }

/// What is done in a transaction.
#[derive(Clone, Debug)]
enum Step {
    Insert,
    /// Inserts a row that is there, in a savepoint of its own, and goes on.
    Violate,
    Read,
    /// A transaction inside, which is committed or rolled back.
    Nested(Vec<Step>, bool),
}

/// An error of the program's own, before anything is sent.
fn stop() -> orm_core::Error {
    orm_core::connect("no-such-scheme://").expect_err("there is no such scheme")
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let leaf = prop_oneof![3 => Just(Step::Insert), 1 => Just(Step::Violate), 1 => Just(Step::Read)];
    let step = leaf.prop_recursive(4, 24, 4, |inner| {
        (prop::collection::vec(inner, 0..4), any::<bool>()).prop_map(|(steps, commits)| Step::Nested(steps, commits))
    });
    prop::collection::vec(step, 0..5)
}

/// Does the steps, and adds the rows that they should leave to `rows`.
fn run(tx: &Transaction, steps: &[Step], next: &mut i64, rows: &mut Vec<i64>) -> orm_core::Result<()> {
    for step in steps {
        match step {
            Step::Insert => {
                *next += 1;
                Counter::create(tx, Counter { id: *next, value: 0 })?;
                rows.push(*next);
            }
            Step::Violate => {
                let error = tx.atomic(|tx| Counter::create(tx, Counter { id: 1, value: 0 })).expect_err("it is there");
                assert_eq!(error.kind(), ErrorKind::UniqueViolation);
            }
            Step::Read => {
                let seen = Counter::objects(tx).order_by(|c| c.id.asc()).values(|c| c.id).load()?;
                assert_eq!(&seen, rows);
            }
            Step::Nested(steps, commits) => {
                let mut inner_rows = rows.clone();
                let answer = tx.atomic(|tx| {
                    run(tx, steps, next, &mut inner_rows)?;
                    if *commits { Ok(()) } else { Err(stop()) }
                });
                match commits {
                    true => {
                        answer?;
                        *rows = inner_rows;
                    }
                    false => assert_eq!(answer.map_err(|error| error.kind()), Err(ErrorKind::Configuration)),
                }
            }
        }
    }
    Ok(())
}

/// The rows that stay are those of the parts that were committed, whichever of them were empty.
fn nested_transactions_of_every_shape(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 1, 1)?;
    let known = RefCell::new((1, vec![1]));
    let mut runner = TestRunner::new(random::config(60));
    runner.run(&(steps(), any::<bool>()), |(steps, commits)| {
        let (next, rows) = &mut *known.borrow_mut();
        let mut inner = Vec::new();
        let answer = db.transaction(|tx| {
            inner.clone_from(rows);
            run(tx, &steps, next, &mut inner)?;
            if commits { ok(()) } else { Err(stop()) }
        });
        if commits {
            answer.expect("nothing fails");
            *rows = inner;
        } else {
            assert_eq!(answer.map_err(|error| error.kind()), Err(ErrorKind::Configuration));
        }
        let stored = bed.texts("SELECT id FROM counters ORDER BY id");
        let stored: Vec<i64> = stored.into_iter().flatten().filter_map(|id| id.parse().ok()).collect();
        prop_assert_eq!(&stored, &*rows);
        Ok(())
    })?;
    Ok(())
}

#[cfg(feature = "postgres")]
mod on_the_wire {
    use orm_core::IsolationLevel;
    use orm_tests::{on_postgres, proxy::Proxy};

    use super::*;

    on_postgres! {
        a_begin_that_fails_runs_nothing, a_savepoint_that_fails_runs_nothing, without_statements_nothing_is_sent,
        a_statement_that_is_stale_begins_again,
    }

    fn by_proxy(bed: &Bed) -> orm_core::Result<(Proxy, Database)> {
        with_counters(bed, 2, 1)?;
        let proxy = Proxy::to(bed.url());
        let db = Database::builder().pool_size(1).test_on_checkout(false).connect(proxy.url())?;
        Ok((proxy, db))
    }

    type Statement = fn(&Transaction) -> orm_core::Result<()>;

    /// Each would change the table by itself, if it ran outside of the transaction.
    const STATEMENTS: [(&str, Statement); 6] = [
        ("save", |tx| Counter { id: 7, value: 1 }.save(tx)),
        ("update", |tx| Counter::objects(tx).update(|c| c.value.set(9)).map(drop)),
        ("delete", |tx| Counter::objects(tx).delete().map(drop)),
        ("bulk_create", |tx| Counter::bulk_create(tx, (10..700).map(|id| Counter { id, value: 1 })).map(drop)),
        ("raw SQL", |tx| tx.batch_execute("INSERT INTO counters VALUES (8, 8)")),
        ("get_or_create", |tx| {
            Counter::objects(tx).filter(|c| c.id.eq(6)).get_or_create(|| Counter { id: 6, value: 0 }).map(drop)
        }),
    ];

    /// The proxy makes nonsense of BEGIN on its way to the server.
    fn a_begin_that_fails_runs_nothing(bed: &Bed) -> TestResult {
        let (proxy, db) = by_proxy(bed)?;
        for round in 0..2 {
            // In the second round, statements are prepared.
            for (name, statement) in STATEMENTS {
                proxy.replace("BEGIN", "BEGIX");
                let error = db.transaction(statement).expect_err(name);
                let shown = format!("{error:?}");
                assert!(shown.contains("the statement was not run") && shown.contains("BEGIX"), "{name}: {shown}");
                let swallowed = db.transaction(|tx| {
                    statement(tx).expect_err(name);
                    ok(())
                });
                assert_eq!(swallowed.map_err(|error| error.kind()), Err(ErrorKind::TransactionAborted), "{name}");
                proxy.heal();
                assert_eq!(bed.texts("SELECT id || ' ' || value FROM counters ORDER BY id").len(), 2, "{name}");
                assert_eq!(bed.number("SELECT sum(value) FROM counters"), 0, "{name}");
                let undone = db.transaction(|tx| {
                    statement(tx)?;
                    Err::<(), _>(stop())
                });
                let undone = undone.map_err(|error| error.kind());
                assert_eq!(undone, Err(ErrorKind::Configuration), "{name}, round {round}: the connection goes on");
            }
        }
        Ok(())
    }

    fn a_savepoint_that_fails_runs_nothing(bed: &Bed) -> TestResult {
        let (proxy, db) = by_proxy(bed)?;
        for (name, statement) in STATEMENTS {
            proxy.replace("SAVEPOINT", "SAVEPOIMT");
            let answer = db.transaction(|tx| {
                Counter { id: 5, value: 0 }.save(tx)?;
                let error = tx.atomic(statement).expect_err(name);
                let shown = format!("{error:?}");
                assert!(shown.contains("the statement was not run") && shown.contains("SAVEPOIMT"), "{name}: {shown}");
                ok(())
            });
            proxy.heal();
            assert_eq!(answer.map_err(|error| error.kind()), Err(ErrorKind::TransactionAborted), "{name}");
            assert_eq!(bed.texts("SELECT id FROM counters").len(), 2, "{name}");
            db.transaction(|tx| Counter::objects(tx).count())?;
        }
        Ok(())
    }

    fn without_statements_nothing_is_sent(bed: &Bed) -> TestResult {
        let (proxy, db) = by_proxy(bed)?;
        let before = proxy.sent();
        db.transaction(|_| ok(()))?;
        db.build_transaction().isolation(IsolationLevel::Serializable).read_only().atomic(|_| ok(()))?;
        db.transaction(|tx| tx.atomic(|tx| tx.atomic(|_| ok(()))))?;
        let failed = db.transaction(|tx| {
            tx.atomic(|_| ok(()))?;
            tx.atomic(|_| Err::<(), _>(stop()))
        });
        assert_eq!(failed.map_err(|error| error.kind()), Err(ErrorKind::Configuration));
        assert_eq!(Counter::bulk_create(&db, [])?, 0);
        assert_eq!(proxy.sent(), before, "nothing was sent");
        assert_eq!(Counter::objects(&db).count()?, 2);
        Ok(())
    }

    /// A prepared statement whose table was changed: nothing else has been done in the transaction, so it begins again.
    fn a_statement_that_is_stale_begins_again(bed: &Bed) -> TestResult {
        let db = with_counters(bed, 0, 1)?;
        Counter::create(&db, Counter { id: 1, value: 1 })?;
        bed.execute("ALTER TABLE counters ALTER COLUMN value TYPE INTEGER");
        let level = IsolationLevel::RepeatableRead;
        let (created, isolation) = db.build_transaction().isolation(level).atomic(|tx| {
            let created = Counter::create(tx, Counter { id: 2, value: 2 })?;
            let isolation = tx.raw_values::<String>("SELECT current_setting('transaction_isolation')").load()?;
            Ok((created.id, isolation))
        })?;
        assert_eq!((created, isolation), (2, vec!["repeatable read".to_owned()]));
        assert_eq!(bed.texts("SELECT id FROM counters").len(), 2);
        Ok(())
    }
}
