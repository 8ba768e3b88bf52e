//! Which rows a queryset has, in which order, and how many.

use orm_tests::{Bed, TestResult, on_each_backend};
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::{
    asked,
    question::{Question, question},
    world::{Entry, World},
};

on_each_backend! { generated_questions_are_answered_as_by_hand }

/// The worlds, by number, and how many questions each is asked.
const WORLDS: [u64; 3] = [1, 2, 3];
const QUESTIONS: u32 = 300;

fn generated_questions_are_answered_as_by_hand(bed: &Bed) -> TestResult {
    for number in WORLDS {
        let world = World::new(number);
        let db = bed.db()?;
        world.store(&db)?;
        // The same questions each time, so that a failure is there again.
        let config = Config { cases: QUESTIONS, failure_persistence: None, ..Config::default() };
        let mut runner =
            TestRunner::new_with_rng(config, proptest::test_runner::TestRng::deterministic_rng(Default::default()));
        runner.run(&question(), |question| {
            same(&world, &db, &question).map_err(|difference| TestCaseError::fail(format!("{difference}")))
        })?;
        bed.execute("DROP TABLE oracle_entries");
        bed.execute("DROP TABLE oracle_authors");
    }
    Ok(())
}

fn same(world: &World, db: &orm_core::Database, question: &Question) -> TestResult {
    let (expected, asked) = (world.answer(question), asked::entries(db, question));
    let sql = || asked.sql().unwrap_or_default();
    let found = asked.load()?;
    if found != expected {
        return Err(format!("load gives {:?} instead of {:?} for {}", ids(&found), ids(&expected), sql()).into());
    }
    let streamed: Vec<_> = asked.clone().try_iterator(7)?.collect::<Result<_, _>>()?;
    if streamed != expected {
        let (streamed, expected) = (ids(&streamed), ids(&expected));
        return Err(format!("a stream gives {streamed:?} instead of {expected:?} for {}", sql()).into());
    }
    let (count, exists) = (asked.count()?, asked.exists()?);
    if count != expected.len() as u64 || exists == expected.is_empty() {
        return Err(
            format!("{} rows are counted as {count}, and exist: {exists}, for {}", expected.len(), sql()).into()
        );
    }
    Ok(())
}

fn ids(entries: &[Entry]) -> Vec<i64> {
    entries.iter().map(|entry| entry.id).collect()
}
