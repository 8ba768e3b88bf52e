//! Random unit tests, which are repeated by their seed.

use proptest::test_runner::{Config, RngSeed};

/// The settings of a random test with so many cases. It prints its seed; the variable `PROPTEST_RNG_SEED` repeats it.
pub(crate) fn config(cases: u32) -> Config {
    let from_environment = Config::default();
    let seed = match from_environment.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => fastrand::u64(..),
    };
    eprintln!("PROPTEST_RNG_SEED={seed} repeats this test");
    Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(seed), ..from_environment }
}
