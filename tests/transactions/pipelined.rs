//! The first statement of a transaction travels with its beginning: what happens on MySQL and MariaDB where that fails, or the
//! connection is cut anywhere.

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, ok, on_mysql, proxy::Proxy};

on_mysql! {
    a_beginning_that_fails, a_connection_that_is_cut, nothing_is_sent_where_nothing_is_done, a_reset_forgets_what_was_to_be_sent,
    a_stream_is_the_first_statement,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Entry {
    #[model(primary_key)]
    id: i64,
    amount: i64,
}

fn entry(id: i64) -> Entry {
    Entry { id, amount: 10 }
}

/// A table of one row, and a pool of one connection by way of a proxy.
fn entries(bed: &Bed) -> Result<(Proxy, Database<Mysql>), Box<dyn std::error::Error>> {
    let db = bed.db()?;
    db.create_tables::<(Entry,)>()?;
    Entry::create(&db, entry(1))?;
    let proxy = Proxy::to(bed.url());
    let db = Database::<Mysql>::builder().pool_size(1).connect(proxy.url())?;
    Ok((proxy, db))
}

fn stored(bed: &Bed) -> i64 {
    bed.number("SELECT CAST(COALESCE(SUM(id * 1000 + amount), 0) AS SIGNED) FROM entries")
}

/// What rolls a transaction back.
fn undo() -> TestResult {
    Err("it is not wanted".into())
}

type Work = fn(&Transaction<Mysql>) -> orm_core::Result<()>;

/// Parts of a beginning, with what the server rejects in their place.
type Parts = &'static [(&'static str, &'static str)];

const GUARDED: Parts = &[
    ("START TRANSACTION READ WRITE", "START TRANSACTION READ RIGHT"),
    ("SET TRANSACTION READ ONLY", "SET TRANSACTION READ LESS"),
];
const PLAIN: Parts = &[("BEGIN", "BEGIM")];

const FIRST: [(&str, Parts, Work); 8] = [
    ("create", GUARDED, |tx| Entry::create(tx, entry(2)).map(drop)),
    ("save", GUARDED, |tx| Entry { id: 1, amount: 11 }.save(tx)),
    ("update", GUARDED, |tx| Entry::objects(tx).update(|e| e.amount.set(12)).map(drop)),
    ("delete", GUARDED, |tx| Entry::objects(tx).delete().map(drop)),
    ("a savepoint, for bulk_create", PLAIN, |tx| Entry::bulk_create(tx, (2..10).map(entry)).map(drop)),
    ("a statement that reads", PLAIN, |tx| Entry::objects(tx).count().map(drop)),
    ("a stream", PLAIN, |tx| Entry::objects(tx).iterator(1).map(drop)),
    ("SQL of the program's own", PLAIN, |tx| {
        tx.batch_execute("UPDATE entries SET amount = 13; CREATE TABLE made (id INT)")
    }),
];

/// The server rejects a part of the beginning, and executes what travels behind it: that is not committed by itself.
fn a_beginning_that_fails(bed: &Bed) -> TestResult {
    let (proxy, db) = entries(bed)?;
    let before = stored(bed);
    for (name, parts, work) in FIRST {
        // The statement is not prepared yet, and then it is.
        for _ in 0..2 {
            for (from, to) in parts {
                proxy.replace(from, to);
                let answer = db.transaction(work);
                assert_eq!(stored(bed), before, "{name}, {from}: {answer:?}");
                assert_eq!(bed.number("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME = 'made'"), 0);
                assert!(answer.is_err(), "{name}, {from}");
                proxy.heal();
                assert_eq!(Entry::objects(&db).count()?, 1, "{name}: the pool goes on");
            }
            if !name.starts_with("SQL") {
                // CREATE TABLE would commit.
                assert!(db.transaction(|tx| work(tx).map_err(Into::into).and(undo())).is_err());
            }
        }
    }
    Ok(())
}

/// Cut at each byte in either direction: all of the transaction is done, or nothing.
fn a_connection_that_is_cut(bed: &Bed) -> TestResult {
    let (proxy, db) = entries(bed)?;
    let run = |db: &Database<Mysql>| {
        db.transaction(|tx| {
            Entry::objects(tx).filter(|e| e.id.eq(1)).update(|e| e.amount.set(e.amount + 1))?;
            Entry::objects(tx).filter(|e| e.id.eq(1)).update(|e| e.amount.set(e.amount + 1))?;
            ok(())
        })
    };
    run(&db)?;
    let amount = || bed.number("SELECT amount FROM entries WHERE id = 1");
    for direction in ["to the server", "from the server"] {
        let counted = || if direction == "to the server" { proxy.sent() } else { proxy.received() };
        // As the statements are prepared, and as they were before.
        for is_new in [true, false] {
            let mut all = None;
            for cut in 0.. {
                let db = Database::<Mysql>::builder().pool_size(1).test_on_checkout(false).connect(proxy.url())?;
                if !is_new {
                    run(&db)?;
                }
                let all = *all.get_or_insert_with(|| {
                    let start = counted();
                    run(&db).map(|()| counted() - start).unwrap_or_default()
                });
                if cut >= all {
                    break;
                }
                if cut == 0 {
                    continue; // this one was measured
                }
                let before = amount();
                match direction {
                    "to the server" => proxy.cut_after_sent(cut),
                    _ => proxy.cut_after(cut),
                }
                let answer = run(&db);
                proxy.heal();
                let done = amount() - before;
                match answer.map_err(|error| error.kind()) {
                    Ok(()) => assert_eq!(done, 2, "{direction}, {cut} of {all}"),
                    Err(ErrorKind::ConnectionLost) => assert_eq!(done, 0, "{direction}, {cut} of {all}"),
                    Err(ErrorKind::OutcomeUnknown) => assert!([0, 2].contains(&done), "{direction}, {cut} of {all}"),
                    Err(other) => panic!("{direction}, {cut} of {all}: {other:?}"),
                }
            }
        }
    }
    Ok(())
}

fn nothing_is_sent_where_nothing_is_done(bed: &Bed) -> TestResult {
    let (proxy, db) = entries(bed)?;
    assert_eq!(Entry::objects(&db).count()?, 1);
    let before = proxy.sent();
    db.transaction(|_| ok(()))?;
    assert!(db.transaction(|_| undo()).is_err());
    db.transaction(|tx| tx.transaction(|_| ok(())))?;
    let sent = proxy.sent() - before;
    db.transaction(|tx| Entry::create(tx, entry(5)).map(drop))?;
    assert_eq!(Entry::objects(&db).count()?, 2, "it goes on");
    // The savepoint is begun and released, and the transaction around it with it.
    assert!(sent < 200, "{sent} bytes");
    Ok(())
}

/// What was to travel with the next statement does not survive a session that was made as new.
fn a_reset_forgets_what_was_to_be_sent(bed: &Bed) -> TestResult {
    let (_proxy, db) = entries(bed)?;
    let timeout =
        |db: &Database<Mysql>| db.raw_values::<i64>("SELECT CAST(@@SESSION.net_write_timeout AS SIGNED)").get();
    let usual = timeout(&db)?;
    assert_eq!(Entry::objects(&db).iterator(5)?.count(), 1);
    db.connection()?; // its session is made as new
    assert_eq!(timeout(&db)?, usual);
    assert_eq!(Entry::objects(&db).iterator(5)?.count(), 1);
    assert_eq!(Entry::objects(&db).iterator(5)?.count(), 1);
    assert_eq!(timeout(&db)?, usual);
    Ok(())
}

fn a_stream_is_the_first_statement(bed: &Bed) -> TestResult {
    let (_proxy, db) = entries(bed)?;
    db.transaction(|tx| {
        assert_eq!(Entry::objects(tx).iterator(5)?.count(), 1);
        bed.execute("INSERT INTO entries VALUES (2, 20)");
        assert_eq!(Entry::objects(tx).count()?, 1, "its snapshot is the stream's");
        ok(())
    })?;
    assert_eq!(Entry::objects(&db).count()?, 2);
    Ok(())
}
