//! What is run again, and what is not; each against a second connection that really is in the way.

use std::{
    sync::{Barrier, Mutex},
    time::Duration,
};

use orm_core::{BackendKind, IsolationLevel, TransactionBuilder, prelude::*};
use orm_tests::{Bed, TestResult, ok, on_each_backend};

use crate::models::{Counter, add, counters, value, values, with_counters};

on_each_backend! {
    what_lost_is_run_again, increments_are_never_lost, the_last_error_says_how_many_attempts_there_were,
    without_retries_there_is_one_attempt, other_errors_are_not_tried_again, hooks_of_attempts_that_failed_are_forgotten,
    a_conflict_in_a_savepoint_that_is_passed_on, a_conflict_that_was_dealt_with_is_none,
    a_panic_is_not_tried_again, two_that_wait_for_each_other, the_users_own_error_of_an_attempt,
    a_conflict_in_bulk_create,
}

/// A transaction that cannot write what somebody else has written since it began to read.
fn snapshot(db: &Database) -> TransactionBuilder<'_> {
    db.build_transaction().isolation(IsolationLevel::RepeatableRead).backoff(Duration::ZERO, Duration::ZERO)
}

/// Makes a write to counter 1 in this transaction fail.
fn get_in_the_way(tx: &Transaction, elsewhere: &Database) -> orm_core::Result<()> {
    if tx_kind(elsewhere) == BackendKind::Mysql {
        // Without it, MariaDB writes to what is committed now, whatever was read before.
        tx.batch_execute("SET SESSION innodb_snapshot_isolation = ON")?;
    }
    value(tx, 1)?;
    elsewhere.transaction(|other| add(other, 1))
}

fn tx_kind(db: &Database) -> BackendKind {
    db.backend()
}

fn expected(bed: &Bed) -> ErrorKind {
    if bed.backend() == BackendKind::Sqlite { ErrorKind::LockTimeout } else { ErrorKind::SerializationFailure }
}

fn what_lost_is_run_again(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 1, 3)?;
    let mut calls = 0;
    let answer = snapshot(&db).retries(5).run(|tx| {
        calls += 1;
        if calls <= 2 {
            get_in_the_way(tx, &db)?;
        }
        add(tx, 1)?;
        Ok::<_, orm_core::Error>(calls)
    })?;
    assert_eq!((answer, calls), (3, 3));
    assert_eq!(values(bed), [3], "two by the others, one by us");
    Ok(())
}

fn the_last_error_says_how_many_attempts_there_were(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 1, 3)?;
    let mut calls = 0;
    let answer = snapshot(&db).retries(2).run(|tx| {
        calls += 1;
        get_in_the_way(tx, &db)?;
        add(tx, 1)
    });
    let error = answer.expect_err("somebody is always in the way");
    assert_eq!((calls, error.kind(), error.attempts()), (3, expected(bed), Some(3)));
    assert!(error.to_string().contains("in the last of 3 attempts"), "{error}");
    assert_eq!(values(bed), [3], "only the others have written");
    Ok(())
}

fn without_retries_there_is_one_attempt(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 1, 3)?;
    let answer = snapshot(&db).run(|tx| {
        get_in_the_way(tx, &db)?;
        add(tx, 1)
    });
    let error = answer.expect_err("somebody is in the way");
    assert_eq!((error.kind(), error.attempts()), (expected(bed), None));
    assert!(!error.to_string().contains("attempts"), "{error}");
    if bed.backend() == BackendKind::Sqlite {
        assert!(error.to_string().contains("build_transaction().immediate()"), "{error}");
    }
    Ok(())
}

/// The error of the user's own, whatever it keeps of ours.
#[derive(Debug, PartialEq)]
enum Mine {
    Stop,
    Orm(ErrorKind),
}
impl From<orm_core::Error> for Mine {
    fn from(error: orm_core::Error) -> Self {
        Mine::Orm(error.kind())
    }
}

fn the_users_own_error_of_an_attempt(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 1, 3)?;
    let mut calls = 0;
    let answer: Result<(), Mine> = snapshot(&db).retries(1).run(|tx| {
        calls += 1;
        get_in_the_way(tx, &db)?;
        Ok(add(tx, 1)?)
    });
    assert_eq!((answer, calls), (Err(Mine::Orm(expected(bed))), 2));
    Ok(())
}

fn other_errors_are_not_tried_again(bed: &Bed) -> TestResult {
    let db: Database = Database::builder().lock_timeout(Duration::from_secs(1)).connect(bed.url())?;
    counters(&db, 1)?;
    let mut calls = 0;
    let stopped: Result<(), Mine> = db.build_transaction().retries(5).run(|tx| {
        calls += 1;
        add(tx, 1)?;
        Err(Mine::Stop)
    });
    assert_eq!((stopped, calls), (Err(Mine::Stop), 1));
    let twice = db.build_transaction().retries(5).run(|tx| {
        calls += 1;
        Counter::bulk_create(tx, [Counter { id: 1, value: 0 }])
    });
    assert_eq!((twice.map_err(|error| error.kind()), calls), (Err(ErrorKind::UniqueViolation), 2));
    let missing = db.build_transaction().retries(5).run(|tx| {
        calls += 1;
        value(tx, 99)
    });
    assert_eq!((missing.map_err(|error| error.kind()), calls), (Err(ErrorKind::NotFound), 3));
    if bed.backend() != BackendKind::Sqlite {
        // A lock that was waited for in vain.
        let waited = db.transaction(|holder| {
            add(holder, 1)?;
            let waited = db.build_transaction().retries(5).run(|tx| {
                calls += 1;
                add(tx, 1)
            });
            ok(waited.map_err(|error| error.kind()))
        })?;
        assert_eq!((waited, calls), (Err(ErrorKind::LockTimeout), 4));
    }
    Ok(())
}

fn hooks_of_attempts_that_failed_are_forgotten(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 1, 3)?;
    let (tell, told) = std::sync::mpsc::channel();
    let mut calls = 0;
    snapshot(&db).retries(5).run(|tx| {
        calls += 1;
        let (tell, call) = (tell.clone(), calls);
        tx.on_commit(move || {
            let _ = tell.send(call);
        });
        if calls <= 2 {
            get_in_the_way(tx, &db)?;
        }
        add(tx, 1)
    })?;
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [3]);
    Ok(())
}

fn a_conflict_in_a_savepoint_that_is_passed_on(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 1, 3)?;
    let mut calls = 0;
    snapshot(&db).retries(5).run(|tx| {
        calls += 1;
        if calls == 1 {
            get_in_the_way(tx, &db)?;
        }
        tx.transaction(|inner| inner.transaction(|inmost| add(inmost, 1)))
    })?;
    assert_eq!((calls, values(bed)), (2, vec![2]));
    Ok(())
}

/// `bulk_create` is a savepoint by itself.
fn a_conflict_in_bulk_create(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 1, 3)?;
    let mut calls = 0;
    let stored = db.build_transaction().isolation(IsolationLevel::Serializable).retries(5).run(|tx| {
        calls += 1;
        let all = Counter::objects(tx).count()?;
        if calls == 1 && bed.backend() != BackendKind::Mysql {
            // Who counts them and adds one meets somebody who does so, too.
            db.build_transaction().isolation(IsolationLevel::Serializable).run(|other| {
                let all = Counter::objects(other).count()?;
                Counter::bulk_create(other, [Counter { id: 100 + i64::try_from(all).unwrap_or(0), value: 0 }])
            })?;
        }
        Counter::bulk_create(tx, [Counter { id: 200 + i64::try_from(all).unwrap_or(0), value: 0 }])
    })?;
    assert_eq!(stored, 1);
    // On MySQL the other would wait for the locks of this one.
    let (attempts, ids) = if bed.backend() == BackendKind::Mysql { (1, vec![1, 201]) } else { (2, vec![1, 101, 202]) };
    let found: Vec<i64> = Counter::objects(&db).order_by(|c| c.id.asc()).values(|c| c.id).load()?;
    assert_eq!((calls, found), (attempts, ids));
    Ok(())
}

/// Whoever goes on after a conflict and stops for another reason means to stop.
fn a_conflict_that_was_dealt_with_is_none(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 2, 3)?;
    let mut calls = 0;
    let answer: Result<(), Mine> = snapshot(&db).retries(5).run(|tx| {
        calls += 1;
        get_in_the_way(tx, &db)?;
        let lost = tx.transaction(|inner| add(inner, 1));
        assert_eq!(lost.map_err(|error| error.kind()), Err(expected(bed)));
        value(tx, 2)?;
        Err(Mine::Stop)
    });
    if answer == Err(Mine::Stop) {
        assert_eq!(calls, 1);
    } else {
        // A server that has ended the transaction with the conflict lets nobody go on.
        assert_eq!((answer, calls), (Err(Mine::Orm(ErrorKind::TransactionAborted)), 6));
    }
    Ok(())
}

fn a_panic_is_not_tried_again(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 1, 3)?;
    let calls = Mutex::new(0);
    let message = orm_tests::panics::message(|| {
        snapshot(&db).retries(5).run(|tx| {
            *calls.lock().expect("nobody panics with it") += 1;
            get_in_the_way(tx, &db)?;
            add(tx, 1).expect("nobody is in the way");
            ok(())
        })
    });
    assert!(message.contains("nobody is in the way"), "{message}");
    assert_eq!(*calls.lock().expect("nobody panics with it"), 1);
    assert_eq!(values(bed), [1]);
    Ok(())
}

/// Two transactions write to two rows in either order: a deadlock on a server, a locked file on SQLite.
fn two_that_wait_for_each_other(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 2, 3)?;
    let both_have_begun = Barrier::new(2);
    let calls = Mutex::new(Vec::new());
    let run = |first: i64, second: i64| {
        let mut attempt = 0;
        db.build_transaction().retries(20).run(|tx| {
            attempt += 1;
            calls.lock().expect("nobody panics with it").push(first);
            if bed.backend() == BackendKind::Sqlite {
                value(tx, first)?; // there is one lock for all; who has read and then writes is in the other's way
            } else {
                add(tx, first)?;
            }
            if attempt == 1 {
                both_have_begun.wait();
            }
            if bed.backend() == BackendKind::Sqlite {
                add(tx, first)?;
            }
            add(tx, second)
        })
    };
    let (one, other) = std::thread::scope(|scope| {
        let other = scope.spawn(|| run(2, 1));
        (run(1, 2), other.join().expect("it does not panic"))
    });
    one?;
    other?;
    assert_eq!(values(bed), [2, 2], "each of them has written once");
    assert!(calls.lock().expect("nobody panics with it").len() >= 3, "one of them was run again");
    Ok(())
}

/// Each reads a counter, and writes what it has read and one more.
fn increments_are_never_lost(bed: &Bed) -> TestResult {
    const THREADS: i64 = 4;
    const EACH: i64 = 15;
    let db = with_counters(bed, 1, 4)?;
    let add_all = || {
        for _ in 0..EACH {
            db.build_transaction().isolation(IsolationLevel::Serializable).retries(1000).run(|tx| {
                let value = value(tx, 1)?;
                tx.batch_execute(&format!("UPDATE counters SET value = {} WHERE id = 1", value + 1))
            })?;
        }
        ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(add_all)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
    })?;
    assert_eq!(values(bed), [THREADS * EACH]);
    Ok(())
}

/// PostgreSQL finds out at the latest when it is asked to commit.
#[cfg(feature = "postgres")]
#[test]
fn write_skew_is_found_at_commit() -> TestResult {
    let bed = Bed::postgres();
    let db = with_counters(&bed, 2, 3)?;
    let serializable = || db.build_transaction().isolation(IsolationLevel::Serializable);
    let sum = |tx: &Transaction| Ok::<_, orm_core::Error>(value(tx, 1)? + value(tx, 2)?);
    let skewed = |retries: u32| {
        let mut calls = 0;
        let mut returned = 0;
        let answer = serializable().retries(retries).run(|tx| {
            calls += 1;
            if sum(tx)? == 0 {
                add(tx, 1)?;
            }
            if calls == 1 {
                serializable().run(|other| if sum(other)? == 0 { add(other, 2) } else { Ok(()) })?;
            }
            returned += 1;
            ok(())
        });
        (answer, calls, returned)
    };
    let (answer, calls, returned) = skewed(0);
    let error = answer.expect_err("the other has committed");
    assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::SerializationFailure, Some("40001")), "{error:?}");
    assert_eq!((calls, returned), (1, 1), "it was COMMIT that failed");
    assert_eq!(values(&bed), [0, 1]);

    bed.execute("UPDATE counters SET value = 0");
    let (answer, calls, returned) = skewed(3);
    answer?;
    assert_eq!((calls, returned), (2, 2));
    assert_eq!(values(&bed), [0, 1], "the second attempt saw what the other had written");
    Ok(())
}

/// A writer that says so waits for the other one, and loses nothing.
#[cfg(feature = "sqlite")]
mod on_sqlite {
    use super::*;

    #[test]
    fn an_immediate_transaction_is_not_in_anybodys_way() -> TestResult {
        let bed = Bed::sqlite();
        let db = with_counters(&bed, 1, 4)?;
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        for _ in 0..10 {
                            db.build_transaction().immediate().run(|tx| {
                                let value = value(tx, 1)?;
                                tx.batch_execute(&format!("UPDATE counters SET value = {}", value + 1))
                            })?;
                        }
                        ok(())
                    })
                })
                .collect();
            threads.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
        })?;
        assert_eq!(values(&bed), [40]);
        Ok(())
    }

    #[test]
    fn a_begin_that_finds_the_database_locked_is_tried_again() -> TestResult {
        let bed = Bed::sqlite();
        with_counters(&bed, 1, 1)?;
        let db: Database = Database::builder().lock_timeout(Duration::from_millis(1)).connect(bed.url())?;
        let holder = bed.db()?;
        let mut calls = 0;
        let answer = holder.build_transaction().immediate().run(|_| {
            let builder = db.build_transaction().immediate().retries(2).backoff(Duration::ZERO, Duration::ZERO);
            ok(builder.run(|tx| {
                calls += 1;
                add(tx, 1)
            }))
        })?;
        let error = answer.expect_err("another one writes");
        assert_eq!((calls, error.kind(), error.attempts()), (0, ErrorKind::LockTimeout, Some(3)), "{error:?}");
        db.build_transaction().immediate().run(|tx| add(tx, 1))?;
        assert_eq!(values(&bed), [1]);
        Ok(())
    }
}
