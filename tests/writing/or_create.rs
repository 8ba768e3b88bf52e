//! `get_or_create` and `update_or_create`.

use std::{cell::Cell, sync::Barrier, thread};

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, ok, on_each_backend};

use crate::models::{Airport, Leg, NewVisit, Visit, airport, leg, pairs, tables, visits};

on_each_backend! {
    get_what_is_there, create_what_is_not, several, another_key, get_in_a_transaction, a_failure_leaves_the_transaction,
    what_the_database_fills, gets_at_once, gets_at_once_in_transactions, update_what_is_there, update_creates,
    update_across_relations, update_of_a_composite_key, update_of_the_key, update_of_several, update_in_a_transaction,
    update_that_fails, updates_at_once, updates_at_once_in_transactions, a_row_of_an_older_snapshot, locks_that_cannot_be_had,
    get_and_lock,
}

fn new(guest: &str, rating: i32) -> NewVisit {
    NewVisit { guest: guest.into(), rating: Some(rating) }
}

fn ratings(bed: &Bed) -> Vec<String> {
    pairs(bed, "guest", "rating", "visits")
}

fn get_what_is_there(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let unasked = || -> Airport { panic!("the row is there") };
    let found = Airport::objects(&db).filter(|a| a.code.eq("LGA")).get_or_create(unasked)?;
    assert_eq!(found, (airport("LGA", "New York", Some("JFK")), false));
    let found = Airport::objects(&db).filter(|a| a.hub().city.eq("Chicago")).get_or_create(unasked)?;
    assert_eq!(found, (airport("MDW", "Chicago", Some("ORD")), false));
    Ok(())
}

fn create_what_is_not(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let ewr = Airport::objects(&db).filter(|a| a.code.eq("EWR"));
    assert_eq!(ewr.get_or_create(|| airport("EWR", "Newark", None))?, (airport("EWR", "Newark", None), true));
    assert_eq!(ewr.get_or_create(|| airport("EWR", "other", None))?, (airport("EWR", "Newark", None), false));
    assert_eq!(bed.number("SELECT count(*) FROM airports"), 5);
    Ok(())
}

fn several(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let both = Airport::objects(&db).filter(|a| a.city.eq("New York"));
    let error = both.get_or_create(|| airport("x", "x", None)).expect_err("there are two");
    assert_eq!((error.kind(), error.model()), (ErrorKind::MultipleRows, Some("Airport")));
    let error = both.update_or_create(|a| a.city.set("x"), || airport("x", "x", None)).expect_err("there are two");
    assert_eq!((error.kind(), error.model()), (ErrorKind::MultipleRows, Some("Airport")));
    assert_eq!(bed.number("SELECT count(*) FROM airports WHERE city = 'New York'"), 2);
    Ok(())
}

/// The new row has the key of one that the conditions do not find.
fn another_key(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let nowhere = Airport::objects(&db).filter(|a| a.city.eq("nowhere"));
    let error = nowhere.get_or_create(|| airport("JFK", "nowhere", None)).expect_err("JFK is there");
    assert_eq!((error.kind(), error.key()), (ErrorKind::UniqueViolation, Some("\"JFK\"")));
    let error = nowhere.update_or_create(|a| a.hub_code.set(None), || airport("JFK", "nowhere", None));
    assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::UniqueViolation));
    assert_eq!(bed.texts("SELECT city FROM airports WHERE code = 'JFK'"), [Some("New York".to_owned())]);
    Ok(())
}

fn get_in_a_transaction(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    let answer: orm_core::Result<()> = db.transaction(|tx| {
        let ada = Visit::objects(tx).filter(|v| v.guest.eq("Ada"));
        let (row, is_new) = ada.get_or_create(|| new("Ada", 1))?;
        assert!(is_new && row.id > 0);
        assert_eq!(ada.get_or_create(|| new("Ada", 2))?, (row, false));
        tx.batch_execute("this is no SQL")
    });
    answer.expect_err("it is rolled back");
    assert_eq!(bed.number("SELECT count(*) FROM visits"), 0);
    Ok(())
}

/// On PostgreSQL a failed statement would be the end of the transaction.
fn a_failure_leaves_the_transaction(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    db.transaction(|tx| {
        let nowhere = Airport::objects(tx).filter(|a| a.city.eq("nowhere"));
        let error = nowhere.get_or_create(|| airport("JFK", "nowhere", None)).expect_err("JFK is there");
        assert_eq!(error.kind(), ErrorKind::UniqueViolation);
        let error = nowhere.update_or_create(|a| a.hub_code.set(None), || airport("JFK", "nowhere", None));
        assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::UniqueViolation));
        airport("EWR", "Newark", None).save(tx)
    })?;
    assert_eq!(bed.number("SELECT count(*) FROM airports"), 5);
    Ok(())
}

fn what_the_database_fills(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    let ada = Visit::objects(&db).filter(|v| v.guest.eq("Ada"));
    let (row, is_new) = ada.update_or_create(|v| v.rating.set(9), || new("Ada", 1))?;
    assert!(is_new);
    assert_eq!((row.rating, row.state.as_str()), (Some(1), "new"));
    let (again, is_new) = ada.update_or_create(|v| v.rating.set(9), || new("Ada", 1))?;
    assert_eq!((again, is_new), (Visit { rating: Some(9), ..row }, false));
    Ok(())
}

/// Runs `work` in several threads at once, so often, with the number of the round.
fn at_once(rounds: i64, work: impl Fn(i64) -> orm_core::Result<bool> + Sync) -> orm_core::Result<Vec<usize>> {
    let threads = 4;
    let barrier = Barrier::new(threads);
    let work = |round| {
        barrier.wait();
        work(round)
    };
    // All rounds, whatever happens, or the others would wait.
    let all = || (0..rounds).map(work).collect();
    let answers: Vec<Vec<orm_core::Result<bool>>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(all)).collect();
        threads.into_iter().map(|thread| thread.join().expect("it does not panic")).collect()
    });
    let mut new = vec![0; usize::try_from(rounds).unwrap_or(0)];
    for answers in answers {
        for (round, answer) in answers.into_iter().enumerate() {
            new[round] += usize::from(answer?);
        }
    }
    Ok(new)
}

fn gets_at_once(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    let new_in_each = at_once(15, |round| {
        let guest = format!("guest {round}");
        let (visit, is_new) = Visit::objects(&db).filter(|v| v.guest.eq(&guest)).get_or_create(|| new(&guest, 1))?;
        assert_eq!(visit.guest, guest);
        Ok(is_new)
    })?;
    assert_eq!(new_in_each, [1; 15], "one of them stored it");
    assert_eq!(bed.number("SELECT count(*) FROM visits"), 15);
    Ok(())
}

/// Each in a transaction that goes on after it; a deadlock is what a program runs its own transaction again for.
fn gets_at_once_in_transactions(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    let new_in_each = at_once(10, |round| {
        let guest = format!("guest {round}");
        db.build_transaction().immediate().retries(20).run(|tx| {
            let visits = Visit::objects(tx).filter(|v| v.guest.eq(&guest));
            let (visit, is_new) = visits.get_or_create(|| new(&guest, 1))?;
            assert_eq!(visit.guest, guest);
            visits.update(|v| v.rating.set(v.rating + 1))?;
            ok(is_new)
        })
    })?;
    assert_eq!(new_in_each, [1; 10]);
    assert_eq!(bed.number("SELECT count(*) FROM visits WHERE rating = 5"), 10);
    Ok(())
}

fn update_what_is_there(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let unasked = || -> Airport { panic!("the row is there") };
    let lga = Airport::objects(&db).filter(|a| a.code.eq("LGA"));
    let (row, is_new) = lga.update_or_create(|a| (a.city.set("Queens"), a.hub_code.set(None)), unasked)?;
    assert_eq!((row, is_new), (airport("LGA", "Queens", None), false));
    assert_eq!(bed.number("SELECT count(*) FROM airports WHERE city = 'Queens' AND hub_code IS NULL"), 1);
    // What is written may be what the conditions ask for.
    let queens = Airport::objects(&db).filter(|a| a.city.eq("Queens"));
    let (row, is_new) = queens.update_or_create(|a| (a.hub_code.set(a.code), a.city.set("Q")), unasked)?;
    assert_eq!((row, is_new), (airport("LGA", "Q", Some("LGA")), false));
    Ok(())
}

fn update_creates(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let asked = Cell::new(0);
    let ewr = Airport::objects(&db).filter(|a| a.code.eq("EWR"));
    let answer = ewr.update_or_create(
        |a| a.city.set("not this"),
        || {
            asked.set(asked.get() + 1);
            airport("EWR", "Newark", None)
        },
    )?;
    assert_eq!((answer, asked.get()), ((airport("EWR", "Newark", None), true), 1));
    assert_eq!(bed.texts("SELECT city FROM airports WHERE code = 'EWR'"), [Some("Newark".to_owned())]);
    Ok(())
}

fn update_across_relations(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let branch = Airport::objects(&db).filter(|a| a.hub().city.eq("Chicago")).order_by(|a| a.hub().code.asc());
    let (row, is_new) = branch.update_or_create(|a| a.city.set("Midway"), || airport("x", "x", None))?;
    assert_eq!((row, is_new), (airport("MDW", "Midway", Some("ORD")), false));
    Ok(())
}

fn update_of_a_composite_key(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let one = Leg::objects(&db).filter(|l| l.carrier.eq("UA").and(l.number.eq(2)));
    let (row, is_new) = one.update_or_create(|l| l.miles.set(l.miles + 1), || leg("UA", 2, 0, None))?;
    assert_eq!((row, is_new), (leg("UA", 2, 401, None), false));
    let one = Leg::objects(&db).filter(|l| l.carrier.eq("UA").and(l.number.eq(7)));
    assert!(one.update_or_create(|l| l.miles.set(l.miles + 1), || leg("UA", 7, 0, None))?.1);
    assert_eq!(bed.number("SELECT sum(miles) FROM legs"), 1501);
    Ok(())
}

fn update_of_the_key(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let one = Airport::objects(&db).filter(|a| a.code.eq("JFK"));
    let error = one.update_or_create(|a| a.code.set("NYC"), || airport("x", "x", None)).expect_err("it is the key");
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidQuery, Some("code")));
    Ok(())
}

fn update_of_several(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    // The first of several is one.
    let first = Airport::objects(&db).filter(|a| a.city.eq("New York")).order_by(|a| a.code.asc()).limit(1);
    let (row, is_new) = first.update_or_create(|a| a.city.set("first"), || airport("x", "x", None))?;
    assert_eq!((row, is_new), (airport("JFK", "first", None), false));
    Ok(())
}

fn update_in_a_transaction(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    let answer: orm_core::Result<()> = db.transaction(|tx| {
        let ada = Visit::objects(tx).filter(|v| v.guest.eq("Ada"));
        assert!(ada.update_or_create(|v| v.rating.set(v.rating + 1), || new("Ada", 1))?.1);
        let (row, is_new) = ada.update_or_create(|v| v.rating.set(v.rating + 1), || new("Ada", 1))?;
        assert_eq!((row.rating, is_new), (Some(2), false));
        tx.batch_execute("this is no SQL")
    });
    answer.expect_err("it is rolled back");
    assert_eq!(ratings(bed), [""; 0]);
    Ok(())
}

fn update_that_fails(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let lga = Airport::objects(&db).filter(|a| a.code.eq("LGA"));
    let error =
        lga.update_or_create(|a| a.hub_code.set("XXX"), || airport("x", "x", None)).expect_err("no XXX is there");
    assert_eq!(
        (error.kind(), error.model(), error.key()),
        (ErrorKind::ForeignKeyViolation, Some("Airport"), Some("\"LGA\""))
    );
    assert_eq!(bed.texts("SELECT hub_code FROM airports WHERE code = 'LGA'"), [Some("JFK".to_owned())]);
    Ok(())
}

fn updates_at_once(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    let new_in_each = at_once(15, |round| {
        let guest = format!("guest {round}");
        let visits = Visit::objects(&db).filter(|v| v.guest.eq(&guest));
        Ok(visits.update_or_create(|v| v.rating.set(v.rating + 1), || new(&guest, 1))?.1)
    })?;
    assert_eq!(new_in_each, [1; 15]);
    assert_eq!(bed.number("SELECT count(*) FROM visits WHERE rating = 4"), 15, "no update is lost");
    Ok(())
}

fn updates_at_once_in_transactions(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    let new_in_each = at_once(10, |round| {
        let guest = format!("guest {round}");
        db.build_transaction().immediate().retries(20).run(|tx| {
            let visits = Visit::objects(tx).filter(|v| v.guest.eq(&guest));
            ok(visits.update_or_create(|v| v.rating.set(v.rating + 1), || new(&guest, 1))?.1)
        })
    })?;
    assert_eq!(new_in_each, [1; 10]);
    assert_eq!(bed.number("SELECT count(*) FROM visits WHERE rating = 4"), 10);
    Ok(())
}

/// A transaction of MySQL's reads what was there when it first read.
fn a_row_of_an_older_snapshot(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    db.build_transaction().run(|tx| {
        if bed.backend() != orm_core::BackendKind::Sqlite {
            assert_eq!(Visit::objects(tx).count()?, 0);
        }
        Visit::create(&db, new("Ada", 1))?;
        let ada = Visit::objects(tx).filter(|v| v.guest.eq("Ada"));
        let (row, is_new) = ada.get_or_create(|| new("Ada", 2))?;
        assert_eq!((row.rating, is_new), (Some(1), false));
        let (row, is_new) = ada.update_or_create(|v| v.rating.set(3), || new("Ada", 2))?;
        assert_eq!((row.rating, is_new), (Some(3), false));
        ok(())
    })?;
    assert_eq!(ratings(bed), ["Ada=3"]);
    Ok(())
}

/// Before anything is sent: a row that is left out because it is locked is not missing.
fn locks_that_cannot_be_had(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let unasked = || -> Airport { panic!("nothing is stored") };
    db.transaction(|tx| {
        let ewr = Airport::objects(tx).filter(|a| a.code.eq("EWR"));
        let refused = |error: orm_core::Error, method: &str| {
            assert_eq!((error.kind(), error.model()), (ErrorKind::InvalidQuery, Some("Airport")), "{error:?}");
            assert!(error.to_string().contains(&format!("`{method}`")), "{error}");
        };
        for queryset in
            [ewr.clone().for_update().skip_locked(), ewr.clone().for_update().nowait(), ewr.clone().nowait()]
        {
            refused(queryset.get_or_create(unasked).expect_err("it could store what is there"), "get_or_create");
        }
        for queryset in [ewr.clone().for_update(), ewr.clone().for_share(), ewr.clone().for_update().skip_locked()] {
            let error = queryset.update_or_create(|a| a.city.set("x"), unasked).expect_err("it locks by itself");
            refused(error, "update_or_create");
        }
        ok(())
    })?;
    assert_eq!(bed.number("SELECT count(*) FROM airports"), 4);
    Ok(())
}

fn get_and_lock(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    if bed.backend() == orm_core::BackendKind::Sqlite {
        let jfk = Airport::objects(&db).filter(|a| a.code.eq("JFK")).for_update();
        let error = jfk.get_or_create(|| airport("JFK", "x", None)).expect_err("it locks no rows");
        assert_eq!(error.kind(), ErrorKind::InvalidQuery);
        return Ok(());
    }
    db.transaction(|tx| {
        let ewr = Airport::objects(tx).filter(|a| a.code.eq("EWR")).for_update();
        assert!(ewr.get_or_create(|| airport("EWR", "Newark", None))?.1);
        let jfk = Airport::objects(tx).filter(|a| a.code.eq("JFK")).for_update();
        assert!(!jfk.get_or_create(|| airport("JFK", "x", None))?.1);
        let others = db.transaction(|other| {
            Airport::objects(other).filter(|a| a.code.eq("JFK")).for_update().skip_locked().load()
        })?;
        assert_eq!(others, []);
        ok(())
    })?;
    Ok(())
}
