//! Random tests, which are repeated by their seed.

use std::{sync::mpsc, thread, time::Duration};

use proptest::test_runner::{Config, RngSeed};

/// No input takes as long as this, however busy the machine is.
const HANGS: Duration = Duration::from_secs(120);

/// The settings of a random test with so many cases. It prints its seed, which the test harness shows where the test fails; the
/// variable `PROPTEST_RNG_SEED` repeats it.
pub fn config(cases: u32) -> Config {
    let from_environment = Config::default();
    let seed = match from_environment.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => rand_seed(),
    };
    eprintln!("PROPTEST_RNG_SEED={seed} repeats this test");
    Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(seed), ..from_environment }
}

fn rand_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(())
}

/// Runs `f` on another thread, so that a test fails, and does not hang, where it has no end.
///
/// # Panics
///
/// If `f` panics, or has not returned after two minutes.
pub fn in_time<T: Send + 'static>(what: &str, f: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, ended) = mpsc::channel();
    let worker = thread::spawn(move || drop(done.send(f())));
    match ended.recv_timeout(HANGS) {
        Ok(value) => value,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{what} does not come to an end"),
        Err(mpsc::RecvTimeoutError::Disconnected) => match worker.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => unreachable!("it ends without a value only by a panic"),
        },
    }
}
