//! `for_update` and its relatives, with two transactions at once.

use itertools::Itertools;
use orm_core::prelude::*;
#[cfg(feature = "mysql")]
use orm_tests::on_mysql;
#[cfg(feature = "postgres")]
use orm_tests::on_postgres;
use orm_tests::{Bed, Pick, TestResult, ok};

use crate::models::{Flight, schedule};

#[cfg(feature = "postgres")]
on_postgres! {
    a_lock_is_waited_for, nowait_fails, skip_locked_skips, shared_locks_are_shared, streams_lock_what_they_read,
    first_and_get_lock, a_row_without_a_relation_is_locked, joins_lock_the_root, the_words, the_words_of_postgresql,
    a_lock_ends_with_its_transaction, a_read_only_transaction, a_key_may_be_referred_to,
}

#[cfg(feature = "mysql")]
on_mysql! {
    a_lock_is_waited_for, nowait_fails, skip_locked_skips, shared_locks_are_shared, streams_lock_what_they_read,
    first_and_get_lock, a_row_without_a_relation_is_locked, the_words, the_words_of_mysql, a_lock_ends_with_its_transaction,
}

/// Sets how long this transaction waits for a lock.
fn wait_briefly(bed: &Bed, tx: &Transaction) -> orm_core::Result<()> {
    tx.batch_execute(bed.pick(Pick {
        postgres: "SET LOCAL lock_timeout = '200ms'",
        mysql: "SET SESSION innodb_lock_wait_timeout = 1",
        sqlite: "",
    }))
}

fn ids(flights: &[Flight]) -> Vec<i64> {
    flights.iter().map(|flight| flight.id).sorted().collect()
}

fn one<'t>(tx: &'t Transaction, id: i64) -> QuerySet<'t, Flight> {
    Flight::objects(tx).filter(move |f| f.id.eq(id))
}

fn a_lock_is_waited_for(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    db.transaction(|tx| {
        assert_eq!(ids(&one(tx, 1).for_update().load()?), [1]);
        // Who only reads does not wait.
        assert_eq!(Flight::objects(&db).count()?, 5);
        let waited = db.transaction(|other| {
            wait_briefly(bed, other)?;
            assert_eq!(ids(&one(other, 2).for_update().load()?), [2]);
            one(other, 1).for_update().load()
        });
        assert_eq!(waited.expect_err("it waits for the first").kind(), ErrorKind::LockTimeout);
        let waited = db.transaction(|other| {
            wait_briefly(bed, other)?;
            one(other, 1).update(|f| f.remark.set("changed"))
        });
        assert_eq!(waited.expect_err("it waits for the first").kind(), ErrorKind::LockTimeout);
        ok(())
    })?;
    Ok(())
}

fn nowait_fails(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    db.transaction(|tx| {
        one(tx, 1).for_update().get()?;
        db.transaction(|other| {
            let failed = other.transaction(|inner| one(inner, 1).for_update().nowait().get());
            let error = failed.expect_err("it is locked");
            assert_eq!(error.kind(), ErrorKind::LockTimeout);
            assert!(error.sql().is_some_and(|sql| sql.ends_with(" FOR UPDATE NOWAIT")), "{error}");
            // The outer one goes on.
            assert_eq!(one(other, 2).for_update().nowait().get()?.id, 2);
            ok(())
        })?;
        let streamed = db.transaction(|other| {
            one(other, 1).for_update().nowait().try_iterator(5)?.collect::<orm_core::Result<Vec<_>>>()
        });
        assert_eq!(streamed.expect_err("it is locked").kind(), ErrorKind::LockTimeout);
        ok(())
    })?;
    Ok(())
}

fn skip_locked_skips(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    db.transaction(|tx| {
        let first_two = Flight::objects(tx).order_by(|f| f.id.asc()).limit(2).for_update().skip_locked();
        assert_eq!(ids(&first_two.load()?), [1, 2]);
        db.transaction(|other| {
            let free = Flight::objects(other).order_by(|f| f.id.asc()).for_update().skip_locked();
            assert_eq!(free.clone().limit(1).load()?[0].id, 3);
            assert_eq!(free.first()?.map(|f| f.id), Some(3));
            assert_eq!(free.clone().iterator(2)?.map(|f| f.id).collect_vec(), [3, 4, 5]);
            assert_eq!(free.filter(|f| f.id.lt(3)).load()?, []);
            ok(())
        })
    })?;
    Ok(())
}

fn shared_locks_are_shared(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    db.transaction(|tx| {
        one(tx, 1).for_share().get()?;
        db.transaction(|other| {
            assert_eq!(one(other, 1).for_share().nowait().get()?.id, 1);
            assert_eq!(one(other, 1).for_share().skip_locked().load()?.len(), 1);
            assert_eq!(one(other, 1).for_update().skip_locked().load()?, []);
            // A joined row is read, and not in the way.
            assert_eq!(one(other, 1).for_share().skip_locked().select_related(|f| f.origin()).load()?.len(), 1);
            ok(())
        })?;
        let failed = db.transaction(|other| one(other, 1).for_update().nowait().get());
        assert_eq!(failed.expect_err("it is shared").kind(), ErrorKind::LockTimeout);
        ok(())
    })?;
    Ok(())
}

fn streams_lock_what_they_read(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let (_, flights) = schedule(&db)?;
    db.transaction(|tx| {
        let all = Flight::objects(tx).order_by(|f| f.id.asc()).for_update().iterator(2)?.collect_vec();
        assert_eq!(all, flights);
        db.transaction(|other| {
            assert_eq!(Flight::objects(other).for_update().skip_locked().load()?, []);
            ok(())
        })
    })?;
    Ok(())
}

fn first_and_get_lock(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    db.transaction(|tx| {
        assert_eq!(one(tx, 2).for_update().first()?.map(|f| f.id), Some(2));
        assert_eq!(one(tx, 3).for_update().get()?.id, 3);
        assert_eq!(one(tx, 4).values(|f| f.remark).for_update().get()?, "Grüezi");
        db.transaction(|other| {
            assert_eq!(ids(&Flight::objects(other).for_update().skip_locked().load()?), [1, 5]);
            ok(())
        })
    })?;
    Ok(())
}

/// An outer join, which PostgreSQL does not lock.
fn a_row_without_a_relation_is_locked(bed: &Bed) -> TestResult {
    use crate::models::Airport;
    let db = bed.db()?;
    schedule(&db)?;
    db.transaction(|tx| {
        let airports = Airport::objects(tx).order_by(|a| a.code.asc()).for_update();
        let hubs = airports.select_related(|a| a.hub()).load()?;
        assert_eq!(
            hubs.iter().map(|(a, hub)| (a.code.as_str(), hub.is_some())).collect_vec(),
            [("JFK", false), ("LGA", true), ("ZRH", false)]
        );
        db.transaction(|other| {
            assert_eq!(Airport::objects(other).for_update().skip_locked().load()?, []);
            ok(())
        })
    })?;
    Ok(())
}

#[cfg(feature = "postgres")]
fn joins_lock_the_root(bed: &Bed) -> TestResult {
    use crate::models::Airport;
    let db = bed.db()?;
    schedule(&db)?;
    db.transaction(|tx| {
        Flight::objects(tx).filter(|f| f.origin().city.eq("New York")).for_update().load()?;
        db.transaction(|other| {
            assert_eq!(ids(&Flight::objects(other).for_update().skip_locked().load()?), [3, 5]);
            assert_eq!(Airport::objects(other).for_update().skip_locked().load()?.len(), 3);
            ok(())
        })
    })?;
    Ok(())
}

fn the_words(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let some = Flight::objects(&db).filter(|f| f.id.gt(1)).values(|f| f.id).order_by(|f| f.id.asc()).limit(2).offset(1);
    let from = "SELECT flights.id FROM flights WHERE ((flights.id > <>)) ORDER BY flights.id ASC LIMIT 2 OFFSET 1";
    let from = from.replace("<>", bed.pick(Pick { postgres: "$1", mysql: "?", sqlite: "?" }));
    for (locked, words) in [
        (some.clone().for_update(), "FOR UPDATE"),
        (some.clone().nowait().for_update(), "FOR UPDATE NOWAIT"),
        (some.clone().for_share().for_update().skip_locked(), "FOR UPDATE SKIP LOCKED"),
    ] {
        assert_eq!(locked.sql()?.replace(['"', '`'], ""), format!("{from} {words}"));
    }
    Ok(())
}

#[cfg(feature = "postgres")]
fn the_words_of_postgresql(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let joined = Flight::objects(&db).select_related(|f| f.origin());
    let words = |queryset: QuerySet<'_, Flight>| -> orm_core::Result<String> {
        let sql = queryset.sql()?;
        Ok(sql.rsplit_once(" FOR ").map_or_else(String::new, |(_, words)| words.to_owned()))
    };
    assert!(joined.for_share().skip_locked().sql()?.ends_with(" FOR SHARE OF \"flights\" SKIP LOCKED"));
    assert_eq!(words(Flight::objects(&db).for_share())?, "SHARE");
    assert_eq!(words(Flight::objects(&db).for_no_key_update().nowait())?, "NO KEY UPDATE NOWAIT");
    Ok(())
}

#[cfg(feature = "mysql")]
fn the_words_of_mysql(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let joined = Flight::objects(&db).select_related(|f| f.origin());
    let ends = |sql: String, words: &str| assert!(sql.ends_with(words), "{sql}");
    ends(joined.clone().for_update().nowait().sql()?, " FOR UPDATE /*!80000 OF `flights` */ NOWAIT");
    ends(
        joined.for_share().skip_locked().sql()?,
        " /*!80000 FOR SHARE OF `flights` SKIP LOCKED */ /*M! LOCK IN SHARE MODE SKIP LOCKED */",
    );
    ends(Flight::objects(&db).for_share().sql()?, " /*!80000 FOR SHARE */ /*M! LOCK IN SHARE MODE */");
    Ok(())
}

fn a_lock_ends_with_its_transaction(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let rolled_back: orm_core::Result<()> = db.transaction(|tx| {
        one(tx, 1).for_update().get()?;
        one(tx, 9).for_update().get().map(drop)
    });
    assert_eq!(rolled_back.expect_err("there is no flight 9").kind(), ErrorKind::NotFound);
    db.transaction(|tx| one(tx, 1).for_update().nowait().get())?;
    db.transaction(|tx| one(tx, 1).for_update().nowait().get())?;
    Ok(())
}

#[cfg(feature = "postgres")]
fn a_read_only_transaction(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let read_only = || db.build_transaction().read_only();
    let refused = read_only().run(|tx| one(tx, 1).for_update().load());
    assert_eq!(refused.expect_err("a lock is a write").kind(), ErrorKind::ReadOnly);
    let refused = read_only().run(|tx| one(tx, 1).for_update().iterator(2).map(drop));
    assert_eq!(refused.expect_err("a lock is a write").kind(), ErrorKind::ReadOnly);
    Ok(())
}

#[cfg(feature = "postgres")]
fn a_key_may_be_referred_to(bed: &Bed) -> TestResult {
    use crate::models::{Airport, flight};
    let db = bed.db()?;
    schedule(&db)?;
    db.transaction(|tx| {
        Airport::objects(tx).for_no_key_update().load()?;
        db.transaction(|other| {
            wait_briefly(bed, other)?;
            Flight::bulk_create(other, [flight(6, None, "new", "JFK")])
        })?;
        Airport::objects(tx).for_update().load()?;
        let waited = db.transaction(|other| {
            wait_briefly(bed, other)?;
            Flight::bulk_create(other, [flight(7, None, "new", "JFK")])
        });
        assert_eq!(waited.expect_err("the key is locked").kind(), ErrorKind::LockTimeout);
        ok(())
    })?;
    Ok(())
}
