//! Asking many questions, each in several worlds.

use std::{env, fmt::Debug};

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

/// Asks generated questions.
pub(crate) struct Runner {
    cases: u32,
    seed: u64,
}

/// A runner of so many cases. They are the same in each run, so that a failure is there again; the variable
/// `ORM_TEST_SEED`, a number, chooses others.
///
/// # Panics
///
/// If the variable is not a number.
pub(crate) fn runner(cases: u32) -> Runner {
    let seed = env::var("ORM_TEST_SEED").map_or(0, |seed| seed.parse().expect("ORM_TEST_SEED is a number"));
    Runner { cases, seed }
}

impl Runner {
    /// Generates questions until one fails, and returns the simplest that does, with the seed.
    pub(crate) fn check<Q: Debug>(
        &self,
        questions: &impl Strategy<Value = Q>,
        ask: impl Fn(&Q) -> TestResult,
    ) -> TestResult {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seed.to_le_bytes());
        let config = Config { cases: self.cases, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
        let asked = runner.run(questions, |question| {
            ask(&question).map_err(|difference| TestCaseError::fail(difference.to_string()))
        });
        asked.map_err(|failure| format!("with ORM_TEST_SEED={}: {failure}", self.seed).into())
    }
}

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
        runner(QUESTIONS).check(&questions, |question| same(&world, &db, question))?;
        bed.execute("DROP TABLE oracle_entries");
        bed.execute("DROP TABLE oracle_authors");
    }
    Ok(())
}
