//! Levels of isolation, by what a transaction sees of others; and that the next transaction has the usual one.

use orm_core::{IsolationLevel, prelude::*};
use orm_tests::{Bed, Pick, TestResult, ok, on_each_backend};

use crate::models::{Counter, add, counters, value, values, with_counters};

on_each_backend! {
    what_others_commit_is_seen_or_not, what_others_have_not_committed, a_level_is_that_of_one_transaction,
    a_level_that_fails_is_left_behind, serializable_transactions_see_no_others, read_only_and_immediate_contradict_each_other,
    nested_in_it_all_is_as_ever,
}

/// What a counter is before and after another connection has added one to it.
fn seen(db: &Database, level: Option<IsolationLevel>, elsewhere: &Database) -> orm_core::Result<(i64, i64)> {
    let builder = db.build_transaction();
    level.map_or(db.build_transaction(), |level| builder.isolation(level)).run(|tx| {
        let before = value(tx, 1)?;
        elsewhere.transaction(|other| add(other, 1))?;
        Ok((before, value(tx, 1)?))
    })
}

fn what_others_commit_is_seen_or_not(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 1, 5)?;
    use IsolationLevel::{ReadCommitted, ReadUncommitted, RepeatableRead};
    let committed = bed.pick(Pick { postgres: true, mysql: true, sqlite: false });
    let usual = bed.pick(Pick { postgres: true, mysql: false, sqlite: false });
    for (at, (level, is_seen)) in [
        (None, usual),
        (Some(ReadUncommitted), committed),
        (Some(ReadCommitted), committed),
        (Some(RepeatableRead), false),
    ]
    .into_iter()
    .enumerate()
    {
        let before = at as i64;
        assert_eq!(seen(&db, level, &db)?, (before, before + i64::from(is_seen)), "{level:?}");
    }
    Ok(())
}

fn what_others_have_not_committed(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 1, 5)?;
    for level in [IsolationLevel::ReadUncommitted, IsolationLevel::ReadCommitted] {
        let seen = db.transaction(|writing| {
            add(writing, 1)?;
            db.build_transaction().isolation(level).run(|tx| value(tx, 1))
        })?;
        let is_seen = bed.backend() == orm_core::BackendKind::Mysql && level == IsolationLevel::ReadUncommitted;
        let committed = values(bed)[0] - 1;
        assert_eq!(seen, committed + i64::from(is_seen), "{level:?}");
    }
    Ok(())
}

/// On a pool's only connection, which everybody gets.
fn a_level_is_that_of_one_transaction(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 1, 1)?;
    let elsewhere = bed.db()?;
    let usual = bed.pick(Pick { postgres: 1, mysql: 0, sqlite: 0 });
    // On each backend one of the two is not the usual one.
    for level in [IsolationLevel::ReadCommitted, IsolationLevel::RepeatableRead] {
        db.build_transaction().isolation(level).run(|tx| value(tx, 1))?;
        let (before, after) = seen(&db, None, &elsewhere)?;
        assert_eq!(after - before, usual, "after {level}");
        let failed: Result<(), orm_core::Error> =
            db.build_transaction().isolation(level).run(|tx| tx.batch_execute("SELECT * FROM no_such_table"));
        assert!(failed.is_err());
        let (before, after) = seen(&db, None, &elsewhere)?;
        assert_eq!(after - before, usual, "after a failure in {level}");
    }
    Ok(())
}

fn a_level_that_fails_is_left_behind(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 1, 1)?;
    let message = orm_tests::panics::message(|| {
        db.build_transaction().isolation(IsolationLevel::ReadCommitted).read_only().run(|tx| {
            assert_eq!(value(tx, 1)?, -1, "it is none");
            ok(())
        })
    });
    assert!(message.contains("it is none"), "{message}");
    let (before, after) = seen(&db, None, &bed.db()?)?;
    assert_eq!(after - before, bed.pick(Pick { postgres: 1, mysql: 0, sqlite: 0 }));
    assert_eq!(values(bed), [1]);
    Ok(())
}

/// Two that each read what the other writes: one of them fails, or waits until it is told that it cannot be.
fn serializable_transactions_see_no_others(bed: &Bed) -> TestResult {
    let db: Database = Database::builder().lock_timeout(std::time::Duration::from_secs(1)).connect(bed.url())?;
    counters(&db, 2)?;
    let serializable = || db.build_transaction().isolation(IsolationLevel::Serializable);
    let skewed = serializable().run(|tx| {
        let sum = value(tx, 1)? + value(tx, 2)?;
        let other = serializable().run(|other| {
            let sum = value(other, 1)? + value(other, 2)?;
            if sum == 0 { add(other, 1) } else { Ok(()) }
        });
        if sum == 0 {
            add(tx, 2)?;
        }
        Ok::<_, orm_core::Error>(other.is_ok())
    });
    assert!(!matches!(skewed, Ok(true)), "both have written: {skewed:?}");
    assert_eq!(values(bed).iter().sum::<i64>(), 1, "only one of them saw nothing");
    Ok(())
}

fn read_only_and_immediate_contradict_each_other(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 1, 1)?;
    let answer = db.build_transaction().read_only().immediate().run(|tx| value(tx, 1));
    let error = answer.expect_err("it cannot be both");
    assert_eq!(error.kind(), ErrorKind::InvalidQuery);
    assert!(error.to_string().contains("leave one of them out"), "{error}");
    Ok(())
}

fn nested_in_it_all_is_as_ever(bed: &Bed) -> TestResult {
    let db = with_counters(bed, 2, 1)?;
    db.build_transaction().isolation(IsolationLevel::Serializable).immediate().run(|tx| {
        add(tx, 1)?;
        let undone: orm_core::Result<()> = tx.transaction(|inner| {
            add(inner, 2)?;
            inner.batch_execute("SELECT * FROM no_such_table")
        });
        assert!(undone.is_err());
        Counter::bulk_create(tx, [Counter { id: 3, value: 7 }])
    })?;
    assert_eq!(values(bed), [1, 0, 7]);
    Ok(())
}
