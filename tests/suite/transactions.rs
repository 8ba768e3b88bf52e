//! Transactions: `Ok` means committed, everything else leaves nothing behind.

use itertools::Itertools;
use orm_core::prelude::*;
use orm_tests::{Bed, Pick, TestResult, ok, on_each_backend, panics};

use crate::models::{Number, number, numbers};

on_each_backend! {
    commit, rollback_on_err, rollback_on_panic, the_users_own_error_comes_back, silent_rollback,
    after_an_error_nothing_is_allowed, an_error_in_a_savepoint_is_undone, nested_savepoints, nested_transaction,
    panic_in_a_savepoint, an_error_in_a_savepoint_that_was_swallowed, drop_drain_error, a_stream_in_a_transaction,
    bulk_create_in_a_transaction_is_one_part_of_it, a_failed_batch_execute_counts,
    others_see_nothing_before_the_commit, a_decode_error_fails_no_transaction, debug_shows_the_backend,
    many_levels, threads_that_wait_hear_of_a_failure,
}

/// An error type of the user's.
#[derive(Debug, PartialEq)]
enum Mine {
    Stop(i32),
    Orm(ErrorKind),
}
impl From<orm_core::Error> for Mine {
    fn from(error: orm_core::Error) -> Self {
        Mine::Orm(error.kind())
    }
}

fn ids(bed: &Bed) -> Vec<i64> {
    bed.texts("SELECT id FROM numbers ORDER BY id")
        .into_iter()
        .flatten()
        .map(|id| id.parse().expect("it is an integer"))
        .collect()
}

fn commit(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 1)?;
    let answer = db.transaction(|tx| {
        Number::bulk_create(tx, [number(2)])?;
        assert_eq!(Number::objects(tx).count()?, 2, "a transaction sees what it wrote");
        ok("done")
    })?;
    assert_eq!((answer, ids(bed)), ("done", vec![1, 2]));
    Ok(())
}

fn rollback_on_err(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 1)?;
    let answer: Result<(), Mine> = db.transaction(|tx| {
        Number::bulk_create(tx, [number(2)])?;
        Err(Mine::Stop(7))
    });
    assert_eq!(answer, Err(Mine::Stop(7)));
    assert_eq!(ids(bed), [1]);
    Ok(())
}

fn the_users_own_error_comes_back(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 1)?;
    let answer: Result<(), Mine> = db.transaction(|tx| {
        Number::bulk_create(tx, [number(1)])?;
        Ok(())
    });
    assert_eq!(answer, Err(Mine::Orm(ErrorKind::UniqueViolation)));
    Ok(())
}

fn rollback_on_panic(bed: &Bed) -> TestResult {
    let db: Database = Database::builder().pool_size(1).connect(bed.url())?;
    numbers(&db, 1)?;
    let message = panics::message(|| {
        db.transaction(|tx| {
            Number::bulk_create(tx, [number(2)])?;
            if Number::objects(tx).count()? == 2 {
                panic!("two rows");
            }
            ok(())
        })
    });
    assert_eq!((message.as_str(), ids(bed)), ("two rows", vec![1]));
    db.transaction(|tx| Number::bulk_create(tx, [number(3)]))?;
    assert_eq!(ids(bed), [1, 3], "the pool's connection is good");
    Ok(())
}

/// `Ok` after an error that was swallowed is no `Ok`.
fn silent_rollback(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 1)?;
    let answer = db.transaction(|tx| {
        Number::bulk_create(tx, [number(2)])?;
        let _ = tx.batch_execute("INSERT INTO numbers (id) VALUES (1)");
        ok(())
    });
    let error = answer.expect_err("a statement has failed");
    assert_eq!(error.kind(), ErrorKind::TransactionAborted, "{error:?}");
    assert!(std::error::Error::source(&error).is_some(), "it tells what failed: {error:?}");
    assert_eq!(ids(bed), [1], "nothing of it is stored");
    Ok(())
}

fn after_an_error_nothing_is_allowed(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 1)?;
    let answer = db.transaction(|tx| {
        let failed = tx.batch_execute("INSERT INTO no_such_table VALUES (1)").expect_err("there is no such table");
        assert_eq!(failed.kind(), ErrorKind::UndefinedTable);
        let kinds = [
            Number::objects(tx).count().err(),
            Number::objects(tx).load().err(),
            Number::objects(tx).exists().err(),
            Number::objects(tx).iterator(5).err(),
            Number::bulk_create(tx, [number(2)]).err(),
            tx.batch_execute("INSERT INTO numbers (id) VALUES (3)").err(),
            tx.transaction(|_| ok(())).err(),
        ];
        for (at, kind) in kinds.into_iter().map(|error| error.map(|error| error.kind())).enumerate() {
            assert_eq!(kind, Some(ErrorKind::TransactionAborted), "statement {at}");
        }
        // Where no transaction may create tables, that is said first.
        let refused = if bed.undoes_create_table() { ErrorKind::TransactionAborted } else { ErrorKind::InvalidQuery };
        assert_eq!(tx.create_tables::<(Number,)>().map_err(|error| error.kind()), Err(refused));
        ok(())
    });
    assert_eq!(answer.map_err(|error| error.kind()), Err(ErrorKind::TransactionAborted));
    assert_eq!(ids(bed), [1]);
    Ok(())
}

fn a_failed_batch_execute_counts(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 1)?;
    let answer = db.transaction(|tx| {
        let _ = tx.batch_execute("INSERT INTO numbers (id) VALUES (2); INSERT INTO numbers (id) VALUES (1)");
        ok(())
    });
    assert_eq!(answer.map_err(|error| error.kind()), Err(ErrorKind::TransactionAborted));
    assert_eq!(ids(bed), [1]);
    Ok(())
}

fn an_error_in_a_savepoint_is_undone(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 1)?;
    db.transaction(|tx| {
        Number::bulk_create(tx, [number(2)])?;
        let inner: orm_core::Result<()> = tx.transaction(|inner| {
            inner.batch_execute("INSERT INTO numbers (id) VALUES (3)")?;
            inner.batch_execute("INSERT INTO numbers (id) VALUES (1)")
        });
        assert_eq!(inner.map_err(|error| error.kind()), Err(ErrorKind::UniqueViolation));
        assert_eq!(Number::objects(tx).count()?, 2, "the outer transaction goes on");
        Number::bulk_create(tx, [number(4)])
    })?;
    assert_eq!(ids(bed), [1, 2, 4]);
    Ok(())
}

fn an_error_in_a_savepoint_that_was_swallowed(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 1)?;
    db.transaction(|tx| {
        Number::bulk_create(tx, [number(2)])?;
        let inner = tx.transaction(|inner| {
            Number::bulk_create(inner, [number(3)])?;
            let _ = inner.batch_execute("INSERT INTO numbers (id) VALUES (1)");
            ok(())
        });
        assert_eq!(inner.map_err(|error| error.kind()), Err(ErrorKind::TransactionAborted));
        ok(())
    })?;
    assert_eq!(ids(bed), [1, 2]);
    Ok(())
}

fn nested_savepoints(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 0)?;
    db.transaction(|tx| {
        Number::bulk_create(tx, [number(1)])?;
        let outer: Result<(), Mine> = tx.transaction(|a| {
            Number::bulk_create(a, [number(2)])?;
            a.transaction(|b| Number::bulk_create(b, [number(3)]))?;
            Err(Mine::Stop(1))
        });
        assert_eq!(outer, Err(Mine::Stop(1)));
        tx.transaction(|a| {
            Number::bulk_create(a, [number(4)])?;
            let inner: Result<(), Mine> = a.transaction(|b| {
                Number::bulk_create(b, [number(5)])?;
                Err(Mine::Stop(2))
            });
            assert_eq!(inner, Err(Mine::Stop(2)));
            ok(())
        })
    })?;
    assert_eq!(ids(bed), [1, 4]);
    Ok(())
}

fn many_levels(bed: &Bed) -> TestResult {
    fn down(tx: &Transaction, level: i64) -> Result<(), Mine> {
        Number::bulk_create(tx, [number(level)])?;
        if level == 20 {
            return Err(Mine::Stop(20));
        }
        match tx.transaction(|inner| down(inner, level + 1)) {
            // Every third level passes it on.
            Err(Mine::Stop(_)) if level % 3 == 0 => Err(Mine::Stop(0)),
            Err(Mine::Orm(kind)) => Err(Mine::Orm(kind)),
            _ => Ok(()),
        }
    }
    let db = bed.db()?;
    numbers(&db, 0)?;
    assert_eq!(db.transaction(|tx| down(tx, 1)), Ok(()));
    // Level 20 is undone, level 19 keeps itself; nothing is passed on from there.
    assert_eq!(ids(bed), (1..=19).collect_vec());
    Ok(())
}

fn panic_in_a_savepoint(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 0)?;
    db.transaction(|tx| {
        Number::bulk_create(tx, [number(1)])?;
        let message = panics::message(|| {
            tx.transaction(|inner| {
                Number::bulk_create(inner, [number(2)])?;
                if Number::objects(inner).exists()? {
                    panic!("inside");
                }
                ok(())
            })
        });
        assert_eq!(message, "inside");
        Number::bulk_create(tx, [number(3)])
    })?;
    assert_eq!(ids(bed), [1, 3]);
    Ok(())
}

/// A stream inside nested transactions, dropped early, ends neither of them.
fn nested_transaction(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 100)?;
    db.transaction(|tx| {
        Number::bulk_create(tx, [number(101)])?;
        tx.transaction(|inner| {
            Number::bulk_create(inner, [number(102)])?;
            let mut rows = Number::objects(inner).order_by(|n| n.id.asc()).iterator(7)?;
            assert_eq!(rows.by_ref().take(10).map(|row| row.id).collect_vec(), (1..=10).collect_vec());
            drop(rows);
            assert_eq!(Number::objects(inner).iterator(7)?.count(), 102);
            Number::bulk_create(inner, [number(103)])
        })?;
        Number::bulk_create(tx, [number(104)])
    })?;
    assert_eq!(ids(bed), (1..=104).collect_vec());
    Ok(())
}

/// A stream that is dropped early may hide an error, but never one that makes COMMIT lie.
fn drop_drain_error(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 100)?;
    bed.execute("CREATE TABLE written (id INTEGER PRIMARY KEY)");
    #[derive(Model, Debug)]
    #[model(table = "failing")]
    struct Failing {
        #[model(primary_key)]
        id: i64,
    }
    bed.execute(&format!(
        "CREATE VIEW failing AS SELECT CASE WHEN id = 60 THEN {} ELSE id END AS id FROM numbers",
        bed.failure("id").0
    ));
    for taken in [1, 15, 16, 17, 59, 60] {
        bed.execute("DELETE FROM written");
        let answer = db.transaction(|tx| {
            tx.batch_execute("INSERT INTO written VALUES (1)")?;
            let read = Failing::objects(tx).order_by(|f| f.id.asc()).try_iterator(16)?.take(taken).flatten().count();
            let _ = read;
            tx.batch_execute("INSERT INTO written VALUES (2)")?;
            ok(())
        });
        let stored = bed.number("SELECT count(*) FROM written");
        assert_eq!(stored, if answer.is_ok() { 2 } else { 0 }, "{taken} rows taken, and the answer was {answer:?}");
    }
    Ok(())
}

fn a_stream_in_a_transaction(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 50)?;
    db.transaction(|tx| {
        Number::bulk_create(tx, [number(51)])?;
        let mut rows = Number::objects(tx).order_by(|n| n.id.asc()).iterator(8)?;
        let first = rows.next();
        assert_eq!(first, Some(number(1)));
        let beside = Number::objects(tx).count().map_err(|error| error.kind());
        if bed.shares_a_connection_with_a_stream() {
            assert_eq!(beside, Ok(51));
        } else {
            assert_eq!(beside, Err(ErrorKind::ConnectionInUse));
        }
        assert_eq!(rows.collect_vec(), (2..=51).map(number).collect_vec());
        assert_eq!(Number::objects(tx).count()?, 51);
        ok(())
    })?;
    Ok(())
}

fn bulk_create_in_a_transaction_is_one_part_of_it(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 5)?;
    db.transaction(|tx| {
        // Row 5 is there already; all that this call wrote before it is undone, and no more.
        Number::bulk_create(tx, [number(6)])?;
        let failed = Number::bulk_create(tx, (2000..4000).chain([5]).map(number)).expect_err("5 is there");
        assert_eq!(failed.kind(), ErrorKind::UniqueViolation);
        assert_eq!(Number::objects(tx).count()?, 6);
        Number::bulk_create(tx, [number(7)])
    })?;
    assert_eq!(ids(bed), (1..=7).collect_vec());
    Ok(())
}

fn others_see_nothing_before_the_commit(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 1)?;
    db.transaction(|tx| {
        Number::bulk_create(tx, [number(2)])?;
        assert_eq!((Number::objects(tx).count()?, Number::objects(&db).count()?), (2, 1));
        ok(())
    })?;
    assert_eq!(Number::objects(&db).count()?, 2);
    Ok(())
}

/// A value that does not fit its field is no failure of the database's: the transaction goes on.
fn a_decode_error_fails_no_transaction(bed: &Bed) -> TestResult {
    #[derive(Model, Debug)]
    #[model(table = "numbers")]
    struct Small {
        #[model(primary_key)]
        id: i8,
    }
    let db = bed.db()?;
    numbers(&db, 130)?;
    db.transaction(|tx| {
        let error = Small::objects(tx).order_by(|s| s.id.asc()).try_iterator(10)?.find_map(Result::err);
        assert_eq!(error.map(|error| (error.kind(), error.row())), Some((ErrorKind::Decode, Some(128))));
        assert_eq!(Small::objects(tx).load().map(|_| ()).map_err(|error| error.kind()), Err(ErrorKind::Decode));
        Number::bulk_create(tx, [number(131)])
    })?;
    assert_eq!(Number::objects(&db).count()?, 131);
    Ok(())
}

fn debug_shows_the_backend(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let shown = db.transaction(|tx| ok(format!("{tx:?}")))?;
    assert!(shown.contains(bed.pick(Pick { postgres: "Postgres", mysql: "Mysql", sqlite: "Sqlite" })), "{shown}");
    Ok(())
}

/// While one thread's statement fails, others wait for the connection; each of them is told.
fn threads_that_wait_hear_of_a_failure(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 1)?;
    let slow_and_wrong = bed.pick(Pick {
        postgres: "SELECT pg_sleep(0.3); SELECT * FROM no_such_table",
        mysql: "DO SLEEP(0.3); SELECT * FROM no_such_table",
        sqlite: "INSERT INTO numbers (id) WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n LIMIT 400000) \
                 SELECT i FROM n; SELECT * FROM no_such_table",
    });
    let (tell, told) = std::sync::mpsc::channel();
    let sql = slow_and_wrong.to_owned();
    // Its own thread, so that this test can end where the others wait for ever.
    std::thread::spawn(move || {
        let answer = db.transaction(|tx| {
            std::thread::scope(|scope| {
                let failing = scope.spawn(|| tx.batch_execute(&sql).map_err(|error| error.kind()));
                std::thread::sleep(std::time::Duration::from_millis(100));
                let waiting: Vec<_> =
                    (0..4).map(|_| scope.spawn(|| Number::objects(tx).count().map_err(|error| error.kind()))).collect();
                let waited: Vec<_> = waiting.into_iter().map(|thread| thread.join()).collect();
                let _ = tell.send((failing.join(), waited));
            });
            ok(())
        });
        answer.map_err(|error| error.kind())
    });
    let (failed, waited) =
        told.recv_timeout(std::time::Duration::from_secs(60)).map_err(|_| "a thread waits for ever")?;
    assert!(matches!(failed, Ok(Err(ErrorKind::UndefinedTable))), "{failed:?}");
    for answer in waited {
        // One that came before the failing statement has counted.
        assert!(matches!(answer, Ok(Err(ErrorKind::TransactionAborted) | Ok(1))), "{answer:?}");
    }
    Ok(())
}
