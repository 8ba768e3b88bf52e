//! What runs after the commit, in which order, and what never runs.

use std::sync::{Arc, Mutex};

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, ok, on_each_backend, panics};

use crate::models::{Counter, add, value, values, with_counters};

on_each_backend! {
    they_run_in_order_after_the_commit, nothing_runs_after_a_rollback, a_savepoint_takes_its_own_along,
    a_savepoint_that_panics, savepoints_in_savepoints, one_that_panics_keeps_no_other_from_running,
    they_may_use_the_database, a_statement_that_failed, another_threads_belong_to_the_transaction,
    what_they_hold_is_dropped_with_a_rollback, the_value_is_there_when_they_have_run,
}

/// What has happened, in order.
#[derive(Clone, Default)]
struct Story(Arc<Mutex<Vec<&'static str>>>);

impl Story {
    fn tell(&self, what: &'static str) {
        self.0.lock().expect("nobody panics with it").push(what);
    }
    fn hook(&self, what: &'static str) -> impl FnOnce() + Send + 'static {
        let story = self.clone();
        move || story.tell(what)
    }
    fn told(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.0.lock().expect("nobody panics with it"))
    }
}

fn they_run_in_order_after_the_commit(bed: &Bed) -> TestResult {
    let (db, story) = (with_counters(bed, 1, 2)?, Story::default());
    let committed = Arc::new(Mutex::new(None));
    db.transaction(|tx| {
        let (elsewhere, seen) = (db.clone(), committed.clone());
        tx.on_commit(move || {
            let row = Counter::objects(&elsewhere).get().map(|counter| counter.value);
            *seen.lock().expect("nobody panics with it") = row.ok();
        });
        tx.on_commit(story.hook("first"));
        add(tx, 1)?;
        tx.on_commit(story.hook("second"));
        story.tell("the end");
        ok(())
    })?;
    assert_eq!(story.told(), ["the end", "first", "second"]);
    assert_eq!(*committed.lock().expect("nobody panics with it"), Some(1), "others see what was written");
    Ok(())
}

fn nothing_runs_after_a_rollback(bed: &Bed) -> TestResult {
    let (db, story) = (with_counters(bed, 1, 1)?, Story::default());
    let failed: Result<(), Box<dyn std::error::Error>> = db.transaction(|tx| {
        tx.on_commit(story.hook("never"));
        Err("no".into())
    });
    assert!(failed.is_err());
    panics::message(|| {
        db.transaction(|tx| {
            tx.on_commit(story.hook("never"));
            assert_eq!(value(tx, 1)?, -1);
            ok(())
        })
    });
    assert_eq!(story.told(), [""; 0]);
    Ok(())
}

fn a_statement_that_failed(bed: &Bed) -> TestResult {
    let (db, story) = (with_counters(bed, 1, 1)?, Story::default());
    let answer = db.transaction(|tx| {
        tx.on_commit(story.hook("never"));
        let _ = tx.batch_execute("SELECT * FROM no_such_table");
        ok(())
    });
    assert_eq!(answer.map_err(|error| error.kind()), Err(ErrorKind::TransactionAborted));
    assert_eq!(story.told(), [""; 0]);
    Ok(())
}

fn a_savepoint_takes_its_own_along(bed: &Bed) -> TestResult {
    let (db, story) = (with_counters(bed, 1, 1)?, Story::default());
    db.transaction(|tx| {
        tx.on_commit(story.hook("1"));
        tx.transaction(|inner| {
            inner.on_commit(story.hook("2"));
            add(inner, 1)
        })?;
        let undone: Result<(), Box<dyn std::error::Error>> = tx.transaction(|inner| {
            inner.on_commit(story.hook("never"));
            tx.on_commit(story.hook("never either: it was registered in there"));
            Err("no".into())
        });
        assert!(undone.is_err());
        let failed = tx.transaction(|inner| {
            inner.on_commit(story.hook("nor this"));
            inner.batch_execute("SELECT * FROM no_such_table")
        });
        assert!(failed.is_err());
        tx.on_commit(story.hook("3"));
        assert_eq!(story.told(), [""; 0], "nothing runs before the outermost commit");
        ok(())
    })?;
    assert_eq!(story.told(), ["1", "2", "3"]);
    assert_eq!(values(bed), [1]);
    Ok(())
}

fn savepoints_in_savepoints(bed: &Bed) -> TestResult {
    let (db, story) = (with_counters(bed, 1, 1)?, Story::default());
    type Answer = Result<(), Box<dyn std::error::Error>>;
    db.transaction(|tx| {
        let outer: Answer = tx.transaction(|a| {
            a.on_commit(story.hook("a"));
            a.transaction(|b| {
                b.on_commit(story.hook("b, which was released into a"));
                ok(())
            })?;
            Err("a is undone".into())
        });
        assert!(outer.is_err());
        tx.transaction(|a| {
            a.on_commit(story.hook("1"));
            let inner: Answer = a.transaction(|b| {
                b.on_commit(story.hook("b"));
                Err("b is undone".into())
            });
            assert!(inner.is_err());
            a.transaction(|b| {
                b.transaction(|c| {
                    c.on_commit(story.hook("2"));
                    ok(())
                })?;
                b.on_commit(story.hook("3"));
                ok(())
            })
        })
    })?;
    assert_eq!(story.told(), ["1", "2", "3"]);
    Ok(())
}

fn a_savepoint_that_panics(bed: &Bed) -> TestResult {
    let (db, story) = (with_counters(bed, 1, 1)?, Story::default());
    db.transaction(|tx| {
        let message = panics::message(|| {
            tx.transaction(|inner| {
                inner.on_commit(story.hook("never"));
                if value(inner, 1)? == 0 {
                    panic!("inside");
                }
                ok(())
            })
        });
        assert_eq!(message, "inside");
        tx.on_commit(story.hook("1"));
        ok(())
    })?;
    assert_eq!(story.told(), ["1"]);
    Ok(())
}

fn one_that_panics_keeps_no_other_from_running(bed: &Bed) -> TestResult {
    let (db, story) = (with_counters(bed, 1, 1)?, Story::default());
    let message = panics::message(|| {
        db.transaction(|tx| {
            tx.on_commit(story.hook("1"));
            tx.on_commit(|| panic!("the first"));
            tx.on_commit(story.hook("2"));
            tx.on_commit(|| panic!("the second"));
            tx.on_commit(story.hook("3"));
            add(tx, 1)
        })
    });
    assert_eq!((message.as_str(), story.told()), ("the first", vec!["1", "2", "3"]));
    assert_eq!(values(bed), [1], "it is committed");
    db.transaction(|tx| add(tx, 1))?;
    assert_eq!(values(bed), [2], "the pool's only connection is good");
    Ok(())
}

/// The pool has one connection, which is free by then.
fn they_may_use_the_database(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 2, 1)?;
    db.transaction(|tx| {
        let again = db.clone();
        tx.on_commit(move || {
            let nested = again.transaction(|tx| {
                let last = again.clone();
                tx.on_commit(move || {
                    last.batch_execute("UPDATE counters SET value = value * 10").expect("it is free");
                });
                add(tx, 2)
            });
            nested.expect("the connection is free");
        });
        add(tx, 1)
    })?;
    assert_eq!(values(bed), [10, 10]);
    Ok(())
}

fn another_threads_belong_to_the_transaction(bed: &Bed) -> TestResult {
    let (db, story) = (with_counters(bed, 1, 1)?, Story::default());
    db.transaction(|tx| {
        let undone: Result<(), Box<dyn std::error::Error>> = tx.transaction(|inner| {
            std::thread::scope(|scope| {
                scope.spawn(|| tx.on_commit(story.hook("from elsewhere")));
            });
            inner.on_commit(story.hook("never"));
            Err("no".into())
        });
        assert!(undone.is_err());
        ok(())
    })?;
    assert_eq!(story.told(), ["from elsewhere"], "what another thread does is not of this thread's savepoint");
    Ok(())
}

fn what_they_hold_is_dropped_with_a_rollback(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 1, 1)?;
    let held = Arc::new(());
    db.transaction(|tx| {
        let undone: Result<(), Box<dyn std::error::Error>> = tx.transaction(|inner| {
            let held = held.clone();
            inner.on_commit(move || drop(held));
            Err("no".into())
        });
        assert!(undone.is_err());
        assert_eq!(Arc::strong_count(&held), 1);
        ok(())
    })?;
    Ok(())
}

fn the_value_is_there_when_they_have_run(bed: &Bed) -> TestResult {
    let (db, story) = (with_counters(bed, 1, 1)?, Story::default());
    let value = db.transaction(|tx| {
        tx.on_commit(story.hook("1"));
        value(tx, 1)
    })?;
    assert_eq!((value, story.told()), (0, vec!["1"]));
    Ok(())
}

/// What is checked at COMMIT, and so makes it fail.
mod deferred {
    use super::*;

    #[cfg(feature = "postgres")]
    orm_tests::on_postgres! { a_commit_that_fails }
    #[cfg(feature = "sqlite")]
    orm_tests::on_sqlite! { a_commit_that_fails }

    fn a_commit_that_fails(bed: &Bed) -> TestResult {
        let (db, story) = (with_counters(bed, 1, 1)?, Story::default());
        bed.execute(
            "CREATE TABLE checked (id BIGINT PRIMARY KEY, counter BIGINT NOT NULL \
             REFERENCES counters (id) DEFERRABLE INITIALLY DEFERRED)",
        );
        let mut calls = 0;
        let answer = db.build_transaction().retries(5).run(|tx| {
            calls += 1;
            tx.on_commit(story.hook("never"));
            tx.batch_execute("INSERT INTO checked VALUES (1, 99)")
        });
        assert_eq!(answer.map_err(|error| error.kind()), Err(ErrorKind::ForeignKeyViolation));
        assert_eq!((story.told(), calls), (vec![], 1));
        assert_eq!(bed.number("SELECT count(*) FROM checked"), 0);
        db.transaction(|tx| add(tx, 1))?;
        Ok(())
    }
}

/// A connection that is lost before COMMIT is answered.
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod lost {
    use orm_tests::proxy::Proxy;

    use super::*;

    #[cfg(feature = "mysql")]
    orm_tests::on_mysql! { nothing_runs_and_nothing_is_tried_again }
    #[cfg(feature = "postgres")]
    orm_tests::on_postgres! { nothing_runs_and_nothing_is_tried_again }

    fn nothing_runs_and_nothing_is_tried_again(bed: &Bed) -> TestResult {
        with_counters(bed, 1, 1)?;
        let proxy = Proxy::to(bed.url());
        let db: Database = Database::builder().pool_size(1).connect(proxy.url())?;
        let story = Story::default();
        let mut calls = 0;
        let answer = db.build_transaction().retries(5).run(|tx| {
            calls += 1;
            add(tx, 1)?;
            tx.on_commit(story.hook("never"));
            // COMMIT reaches the server, and its answer does not reach us.
            proxy.cut_after(1);
            ok(())
        });
        let error = answer.expect_err("nobody knows");
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::OutcomeUnknown, None), "{error:?}");
        assert_eq!((story.told(), calls), (vec![], 1));
        Ok(())
    }
}
