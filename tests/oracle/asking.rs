//! Asking many questions, each in several worlds.

use std::fmt::Debug;

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult};
use proptest::{
    strategy::Strategy,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};

use crate::world::World;

/// The worlds, by number, and how many questions each is asked.
const WORLDS: [u64; 3] = [1, 2, 3];
const QUESTIONS: u32 = 300;

/// Generates questions, and looks in each world whether `same` finds one answer to each.
pub(crate) fn in_each_world<Q: Debug + 'static>(
    bed: &Bed,
    questions: impl Strategy<Value = Q>,
    same: impl Fn(&World, &Database, &Q) -> TestResult,
) -> TestResult {
    let db = bed.db()?;
    for number in WORLDS {
        let world = World::new(number);
        world.store(&db)?;
        // The same questions each time, so that a failure is there again.
        let config = Config { cases: QUESTIONS, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::default()));
        runner.run(&questions, |question| {
            same(&world, &db, &question).map_err(|difference| TestCaseError::fail(difference.to_string()))
        })?;
        bed.execute("DROP TABLE oracle_entries");
        bed.execute("DROP TABLE oracle_authors");
    }
    Ok(())
}
