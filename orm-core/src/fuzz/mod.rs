//! Fuzzing: connections are told what no honest server says, and each must end in an error or in what was said.
//!
//! A server is played in memory (`feed.rs`), and what it says is changed on the way (`mutate.rs`). It is a fuzzer without
//! feedback: nothing tells it which code an input has reached, so it lives by the number of its inputs and by what it
//! knows of the protocol. Each input is made from a seed, which is told where it fails: `ORM_FUZZ_SEED=<seed>` begins with
//! it. `ORM_FUZZ_MINUTES` goes on for so long; without it there are as many inputs as a test has time for.

mod feed;
mod mutate;

use std::{
    any::Any,
    env,
    fmt::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

pub(crate) use self::feed::{Batch, Server, Shared};
use self::feed::{Source, Transcript};

/// What is fuzzed.
pub(crate) trait Target {
    /// An honest server.
    fn server(seed: u64) -> Box<dyn Server>;
    /// Uses a connection to the server as its users do; an error says what must not be.
    fn drive(seed: u64, feed: &Shared) -> Result<(), String>;
}

/// No input takes as long as this, however busy the machine is.
const HANGS: Duration = Duration::from_secs(120);
/// How often shrinking tries.
const MOST_TRIES: usize = 2_000;

/// Feeds the target with so many inputs, or for as long as the environment says.
pub(crate) fn fuzz<T: Target>(inputs: u64) {
    let given = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let seed = given("ORM_FUZZ_SEED").map(|seed| seed.parse().expect("ORM_FUZZ_SEED is a number"));
    let seed: u64 = seed.unwrap_or_else(|| fastrand::u64(..u64::MAX / 2));
    let minutes = given("ORM_FUZZ_MINUTES").map(|minutes| minutes.parse().expect("ORM_FUZZ_MINUTES is a number"));
    let end = minutes.map(|minutes: f64| Instant::now() + Duration::from_secs_f64(minutes * 60.0));
    eprintln!("the first input is that of ORM_FUZZ_SEED={seed}");
    let current = Arc::new(AtomicU64::new(seed));
    let (done, ended) = mpsc::channel();
    let counter = current.clone();
    thread::spawn(move || {
        let mut now = seed;
        while end.map_or(now - seed < inputs, |end| Instant::now() < end) {
            counter.store(now, Ordering::Relaxed);
            if let Err(complaint) = one::<T>(now) {
                let _ = done.send(Err(complaint));
                return;
            }
            now += 1;
        }
        let _ = done.send(Ok(now - seed));
    });
    let (mut before, mut since) = (seed, Instant::now());
    loop {
        match ended.recv_timeout(Duration::from_secs(1)) {
            Ok(Ok(inputs)) => return eprintln!("{inputs} inputs have passed"),
            Ok(Err(complaint)) => panic!("{complaint}"),
            Err(RecvTimeoutError::Disconnected) => panic!("the fuzzer itself has panicked"),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let now = current.load(Ordering::Relaxed);
        if now != before {
            (before, since) = (now, Instant::now());
        }
        assert!(since.elapsed() < HANGS, "the input of ORM_FUZZ_SEED={now} does not come to an end");
    }
}

/// Runs one input; its failure is told with the fewest messages that still fail.
fn one<T: Target>(seed: u64) -> Result<(), String> {
    let (transcript, complaint) = run::<T>(seed, Source::mutated(seed));
    let Some(complaint) = complaint else { return Ok(()) };
    let (transcript, last) = shrink::<T>(seed, transcript);
    let mut told = format!("ORM_FUZZ_SEED={seed}: {complaint}\nwhat is left of what the server said:\n");
    for message in transcript.iter().flatten() {
        let _ = match message.len() {
            0..=400 => writeln!(told, "  \"{}\"", message.escape_ascii()),
            length => writeln!(told, "  \"{}\"… ({length} bytes)", message[..400].escape_ascii()),
        };
    }
    if let Some(last) = last {
        let _ = writeln!(told, "and with it: {last}");
    }
    Err(told)
}

/// What the server said, and what was wrong with what became of it.
fn run<T: Target>(seed: u64, source: Source) -> (Transcript, Option<String>) {
    let feed = Shared::new(T::server(seed), source, seed);
    let complaint = match catch_unwind(AssertUnwindSafe(|| T::drive(seed, &feed))) {
        Ok(answer) => answer.err(),
        Err(panic) => Some(format!("a panic: {}", words(&*panic))),
    };
    (feed.lock().said(), complaint)
}

fn words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without words")
}

/// Drops messages for as long as what is left still fails, be it in another way.
fn shrink<T: Target>(seed: u64, mut transcript: Transcript) -> (Transcript, Option<String>) {
    let mut last = None;
    let mut tries = 0;
    let mut size = transcript.iter().map(Vec::len).sum::<usize>().max(1);
    while size > 0 {
        let mut at = 0;
        while at < transcript.iter().map(Vec::len).sum() && tries < MOST_TRIES {
            tries += 1;
            let fewer = without(&transcript, at, size);
            match run::<T>(seed, Source::recorded(fewer.clone())) {
                (_, Some(complaint)) => (transcript, last) = (fewer, Some(complaint)),
                (_, None) => at += size,
            }
        }
        size /= 2;
    }
    (transcript, last)
}

/// The transcript without so many messages.
fn without(transcript: &[Batch], start: usize, count: usize) -> Transcript {
    let mut index = 0;
    let mut keep = |_: &&Vec<u8>| {
        index += 1;
        !(start..start + count).contains(&(index - 1))
    };
    transcript.iter().map(|batch| batch.iter().filter(&mut keep).cloned().collect()).collect()
}

mod tests {
    use super::*;

    /// A target that fails where the server says `bad` anywhere.
    struct Bad;

    impl Server for Vec<Batch> {
        fn answer(&mut self, _: &[u8]) -> Option<Batch> {
            self.pop()
        }

        fn waits_for_a_question(&self) -> bool {
            true
        }
    }

    impl Target for Bad {
        fn server(_: u64) -> Box<dyn Server> {
            let batch = |said: &str| said.split(' ').map(|word| word.as_bytes().to_vec()).collect();
            Box::new(vec![batch("e f"), batch("c bad d"), batch("a b")])
        }

        fn drive(_: u64, feed: &Shared) -> Result<(), String> {
            let mut heard = Vec::new();
            std::io::Read::read_to_end(&mut feed.clone(), &mut heard).map_err(|error| error.to_string())?;
            match heard.windows(3).any(|three| three == b"bad") {
                true => panic!("it said bad"),
                false => Ok(()),
            }
        }
    }

    #[test]
    fn a_panic_is_found_and_shrunk_to_the_message_that_makes_it() {
        let (transcript, complaint) = run::<Bad>(1, Source::Honest);
        assert_eq!(transcript.iter().flatten().count(), 7);
        assert_eq!(complaint.as_deref(), Some("a panic: it said bad"));
        let (transcript, _) = shrink::<Bad>(1, transcript);
        assert_eq!(transcript.concat(), [b"bad"]);
    }

    #[test]
    fn a_seed_is_the_same_input_each_time() {
        for seed in 0..100 {
            let said = |_| run::<Bad>(seed, Source::mutated(seed)).0;
            assert_eq!(said(()), said(()));
        }
    }
}
