//! Bulk operations whose statements are sent without waiting for the answers of those before.

use std::cell::Cell;

use bigdecimal::BigDecimal;
use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, ok, on_each_backend};

on_each_backend! {
    a_late_batch_that_fails, statements_between_batches, alike_keys_in_several_batches, one_batch_is_all_or_nothing,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "parts")]
struct Part {
    #[model(primary_key)]
    id: i64,
    #[model(max_length = 50)]
    name: String,
    weight: i64,
}

fn part(id: i64) -> Part {
    Part { id, name: format!("part {id}"), weight: 1 }
}

/// The parts from 1 to `last`, of which none may be heavier than 100.
fn parts(bed: &Bed, last: i64) -> orm_core::Result<Database> {
    bed.execute(
        "CREATE TABLE parts (id BIGINT PRIMARY KEY, name VARCHAR(50) NOT NULL, weight BIGINT NOT NULL, \
         CHECK (weight <= 100))",
    );
    let db = Database::builder().pool_size(1).connect(bed.url())?;
    Part::bulk_create(&db, (1..=last).map(part))?;
    Ok(db)
}

fn heavy(id: i64, is_heavy: i64) -> Part {
    Part { weight: if id == is_heavy { 101 } else { 2 }, ..part(id) }
}

/// How many parts weigh so much.
fn of_weight(bed: &Bed, weight: i64) -> i64 {
    bed.number(&format!("SELECT COUNT(*) FROM parts WHERE weight = {weight}"))
}

type Bulk = fn(&Transaction, i64) -> orm_core::Result<u64>;

/// Each writes 3,000 rows, one of which may be refused.
const BULKS: [(&str, Bulk); 3] = [
    ("bulk_update", |tx, is_heavy| Part::bulk_update(tx, (1..=3000).map(|id| heavy(id, is_heavy)), |p| p.weight)),
    ("upsert", |tx, is_heavy| {
        let insertion = Part::insert_into(tx).update_conflicts(|p| p.id, |p| p.weight);
        insertion.bulk_create((1..=3000).map(|id| heavy(id, is_heavy)))
    }),
    ("bulk_create", |tx, is_heavy| Part::bulk_create(tx, (10_001..=13_000).map(|id| heavy(id, is_heavy + 10_000)))),
];

fn a_late_batch_that_fails(bed: &Bed) -> TestResult {
    let db = parts(bed, 3000)?;
    for (name, bulk) in BULKS {
        for is_heavy in [1, 700, 1600, 2999] {
            let error = db.transaction(|tx| bulk(tx, is_heavy)).expect_err("one is too heavy");
            assert_eq!((error.kind(), error.model()), (ErrorKind::CheckViolation, Some("Part")), "{name}: {error:?}");
            // The statement's rows, among them the one that was refused.
            let sql = error.sql().expect("it has a statement").to_owned();
            let (_, rows) = sql.rsplit_once("(rows ").expect(&sql);
            let (first, last) = rows.trim_end_matches(')').split_once(" to ").expect(rows);
            assert!((first.parse::<i64>()?..=last.parse()?).contains(&is_heavy), "{name}, row {is_heavy}: {sql}");
            assert_eq!((of_weight(bed, 1), of_weight(bed, 2)), (3000, 0), "{name}");
        }
        // An outer transaction goes on.
        db.transaction(|tx| {
            Part { weight: 3, ..part(5000) }.save(tx)?;
            assert!(tx.transaction(|tx| bulk(tx, 1600)).is_err());
            assert_eq!(Part::objects(tx).filter(|p| p.weight.eq(3)).count()?, 1);
            assert_eq!(bulk(tx, 0)?, 3000);
            ok(())
        })?;
        assert_eq!((of_weight(bed, 2), of_weight(bed, 3)), (3000, 1), "{name}");
        bed.execute("DELETE FROM parts WHERE id > 3000; UPDATE parts SET weight = 1");
    }
    Ok(())
}

/// The iterator reads what was sent before, and its own errors are not those of the bulk operation.
fn statements_between_batches(bed: &Bed) -> TestResult {
    let db = parts(bed, 3000)?;
    let seen = Cell::new(0);
    let watched = |tx: &Transaction, id: i64| {
        if id % 750 == 0 {
            let count = Part::objects(tx).filter(|p| p.weight.eq(2)).count().expect("it can be counted");
            assert!(count >= seen.get() && count < 3000, "{count}");
            seen.set(count);
            let inner = tx.transaction(|tx| Part::create(tx, Part { weight: 500, ..part(-id) }));
            assert_eq!(inner.map_err(|error| error.kind()), Err(ErrorKind::CheckViolation));
            tx.transaction(|tx| Part { weight: 7, ..part(-id) }.save(tx)).expect("it is light enough");
        }
    };
    let updated = db.transaction(|tx| {
        Part::bulk_update(
            tx,
            (1..=3000).map(|id| {
                watched(tx, id);
                heavy(id, 0)
            }),
            |p| p.weight,
        )
    })?;
    assert_eq!((updated, of_weight(bed, 2), of_weight(bed, 7)), (3000, 3000, 4));
    assert!(seen.get() >= 1000, "{} rows were sent before the end", seen.get());
    bed.execute("DELETE FROM parts");
    seen.set(0);
    let created = db.transaction(|tx| {
        Part::bulk_create(
            tx,
            (1..=3000).map(|id| {
                watched(tx, id);
                heavy(id, 0)
            }),
        )
    })?;
    assert_eq!((created, of_weight(bed, 2), of_weight(bed, 7)), (3000, 3000, 4));
    Ok(())
}

/// 9.5 and 9.50 are one key for the database. The last row stays, in whichever batch it is.
fn alike_keys_in_several_batches(bed: &Bed) -> TestResult {
    #[derive(Model, Clone, Debug, PartialEq)]
    struct Price {
        #[model(primary_key)]
        amount: BigDecimal,
        count: i32,
    }
    let db = bed.db()?;
    db.create_tables::<(Price,)>()?;
    let price = |amount: &str, count| Price { amount: amount.parse().expect("it is a number"), count };
    let others = |from: i32| (from..from + 700).map(move |n| price(&format!("{n}"), n));
    Price::bulk_create(&db, others(100).chain(others(1000)).chain([price("9.5", 0), price("7.25", 0)]))?;
    let rows = [price("9.5", 1), price("9.50", 2)].into_iter().chain(others(100)).chain([price("9.500", 3)]);
    let rows = rows.chain(others(1000)).chain([price("7.25", 4), price("7.250", 5), price("1.75", 6)]);
    assert_eq!(Price::bulk_update(&db, rows, |p| p.count)?, 1405);
    let counts = bed.texts("SELECT count FROM prices WHERE amount + 0 < 100 ORDER BY amount + 0");
    assert_eq!(counts, [Some("5".to_owned()), Some("3".to_owned())]);
    assert_eq!(bed.number("SELECT COUNT(*) FROM prices WHERE amount + 0 >= 100 AND count = amount + 0"), 1400);
    Ok(())
}

/// A single statement needs no transaction to be all or nothing.
fn one_batch_is_all_or_nothing(bed: &Bed) -> TestResult {
    let db = parts(bed, 10)?;
    let error = Part::bulk_create(&db, [part(11), part(12), part(3)]).expect_err("3 is there");
    assert_eq!((error.kind(), error.model()), (ErrorKind::UniqueViolation, Some("Part")));
    assert!(error.sql().is_some_and(|sql| sql.ends_with("(rows 1 to 3)")), "{error}");
    assert_eq!(bed.number("SELECT COUNT(*) FROM parts"), 10);
    let upsert = |rows: Vec<Part>| Part::insert_into(&db).update_conflicts(|p| p.id, |p| p.name).bulk_create(rows);
    assert_eq!(upsert(vec![part(11), Part { name: "three".into(), ..part(3) }, part(3)])?, 3, "3 comes twice");
    assert_eq!(upsert(vec![part(12), Part { name: "four".into(), ..part(4) }])?, 2);
    let names = bed.texts("SELECT name FROM parts WHERE id IN (3, 4) ORDER BY id");
    assert_eq!(names, [Some("part 3".to_owned()), Some("four".to_owned())]);
    assert_eq!(Part::insert_into(&db).ignore_conflicts().bulk_create([part(12), part(13)])?, 1);
    assert_eq!(bed.number("SELECT COUNT(*) FROM parts"), 13);
    Ok(())
}

#[cfg(feature = "postgres")]
mod cut {
    use std::time::Duration;

    use orm_tests::{on_postgres, proxy::Proxy};

    use super::*;

    on_postgres! { at_every_message, a_slow_iterator_and_a_statement_timeout }

    /// The ends of the messages of the PostgreSQL protocol in what a client has sent since this position.
    fn ends(heard: &[u8], from: usize) -> Vec<u64> {
        let mut ends = Vec::new();
        let mut at = from;
        while let Some(header) = heard.get(at..at + 5) {
            let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]);
            at += 1 + length as usize;
            ends.push((at - from) as u64);
        }
        ends
    }

    fn connected(url: &str) -> orm_core::Result<Database> {
        let db: Database = Database::builder().pool_size(1).connect(url)?;
        Part::objects(&db).count()?;
        Ok(db)
    }

    /// The server's limit is for what it does itself, and not for the program that makes the rows.
    fn a_slow_iterator_and_a_statement_timeout(bed: &Bed) -> TestResult {
        parts(bed, 10)?;
        let limit = Duration::from_millis(400);
        let db: Database = Database::builder().pool_size(1).statement_timeout(limit).connect(bed.url())?;
        let rows = (11..=4010).map(|id| {
            if id % 1300 == 0 {
                std::thread::sleep(limit * 2);
            }
            part(id)
        });
        assert_eq!(Part::bulk_create(&db, rows)?, 4000);
        assert_eq!(bed.number("SELECT COUNT(*) FROM parts WHERE id > 10"), 4000);
        Ok(())
    }

    /// Wherever the connection is lost: nothing is stored, or all of it, and the first where the error says so.
    fn at_every_message(bed: &Bed) -> TestResult {
        parts(bed, 3000)?;
        for (name, bulk) in BULKS {
            let undo =
                || bed.execute("DELETE FROM parts WHERE id > 3000; UPDATE parts SET weight = 1 WHERE weight = 2");
            let listening = Proxy::listening_in(bed.url());
            let db = connected(listening.url())?;
            let (before, received) = (listening.heard().len(), listening.received());
            db.transaction(|tx| bulk(tx, 0))?;
            let ends = ends(&listening.heard(), before);
            let answer = listening.received() - received;
            undo();
            assert!(ends.len() > 8, "{name}: {} messages", ends.len());
            let proxy = Proxy::to(bed.url());
            // Of hundreds of messages, some; always the last.
            let step = ends.len().div_ceil(24);
            let some = ends.iter().rev().step_by(step).flat_map(|end| [*end - 1, *end, *end + 3]);
            let upward = some.map(|cut| (true, cut));
            let downward = (0..=answer).rev().step_by(usize::try_from(answer / 24)?.max(1)).map(|cut| (false, cut));
            for (is_upward, cut) in upward.chain(downward) {
                let db = connected(proxy.url())?;
                match is_upward {
                    true => proxy.cut_after_sent(cut),
                    false => proxy.cut_after(cut),
                }
                let written = db.transaction(|tx| bulk(tx, 0));
                drop(db);
                proxy.heal();
                let at = format!("{name}, {} {cut}", if is_upward { "up" } else { "down" });
                // What the server has taken in, it does before it learns of the loss.
                let others =
                    "SELECT COUNT(*) FROM pg_locks WHERE relation = 'parts'::regclass AND pid <> pg_backend_pid()";
                while bed.number(others) > 0 {
                    std::thread::sleep(Duration::from_millis(2));
                }
                let stored = of_weight(bed, 2);
                match written.map_err(|error| (error.kind(), error)) {
                    Ok(rows) => assert_eq!((rows, stored), (3000, 3000), "{at}"),
                    Err((ErrorKind::ConnectionLost, error)) => assert_eq!(stored, 0, "{at}: {error:?}"),
                    Err((ErrorKind::OutcomeUnknown, error)) => {
                        assert!(stored == 0 || stored == 3000, "{at}: {stored} rows: {error:?}");
                    }
                    Err((_, error)) => panic!("{at}: {error:?}"),
                }
                undo();
            }
        }
        Ok(())
    }
}
