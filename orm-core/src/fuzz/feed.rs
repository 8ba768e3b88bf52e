//! What a connection hears: an honest server's answers, as they are or changed.

use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fastrand::Rng;

use super::mutate::mutate;

/// What is said between two questions, message by message.
pub(crate) type Batch = Vec<Vec<u8>>;
pub(super) type Transcript = Vec<Batch>;

/// A server that keeps to its protocol.
pub(crate) trait Server: Send + Sync {
    /// The answer to what was asked since it was called before; `None` where that is not all of a question.
    fn answer(&mut self, asked: &[u8]) -> Option<Batch>;

    /// Whether it waits for a question. Where an answer was changed on the way, it may wait for data that nobody knows of.
    fn waits_for_a_question(&self) -> bool;
}

/// What becomes of the server's answers.
pub(super) enum Source {
    Honest,
    Mutated {
        rng: Rng,
        left: usize,
    },
    /// They are replaced.
    Recorded(VecDeque<Batch>),
}

impl Source {
    /// At most a few answers of a conversation are changed: most of what there is to find is behind some that are honest.
    pub(super) fn mutated(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let left = rng.usize(..4);
        Source::Mutated { rng, left }
    }

    pub(super) fn recorded(transcript: Transcript) -> Self {
        Source::Recorded(transcript.into())
    }
}

/// The other end of a connection.
pub(crate) struct Feed {
    server: Box<dyn Server>,
    source: Source,
    /// Whether answers are given as they are for now.
    is_honest: bool,
    /// Whether all answers were those of the server so far.
    was_honest: bool,
    asked: Vec<u8>,
    /// All that was asked, in one.
    questions: Vec<u8>,
    said: Transcript,
    /// All that was said, in one, and how much of it was heard.
    bytes: Vec<u8>,
    heard: usize,
    pieces: Rng,
    reads: usize,
}

/// More than any input needs, one byte at a time.
const MOST_READS: usize = 10_000_000;

impl Feed {
    /// Whether answers are to be given as the server gives them, from here on.
    pub(crate) fn be_honest(&mut self, honest: bool) {
        self.is_honest = honest;
    }

    pub(crate) fn was_honest(&self) -> bool {
        self.was_honest
    }

    /// All that was said so far, heard or not.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All that was asked so far.
    pub(crate) fn questions(&self) -> &[u8] {
        &self.questions
    }

    /// Whether all that was said was heard, nothing was asked since, and the server waits for a question.
    pub(crate) fn is_silent(&self) -> bool {
        self.heard == self.bytes.len() && self.asked.is_empty() && self.server.waits_for_a_question()
    }

    pub(crate) fn heard(&self) -> usize {
        self.heard
    }

    pub(super) fn said(&self) -> Transcript {
        self.said.clone()
    }

    /// Says what is to be said to what was asked meanwhile; whether there was an answer.
    fn speak(&mut self) -> bool {
        let asked = std::mem::take(&mut self.asked);
        let Some(honest) = self.server.answer(&asked) else { return false };
        let batch = match &mut self.source {
            _ if self.is_honest => honest.clone(),
            Source::Honest => honest.clone(),
            Source::Mutated { rng, left } => {
                let mut batch = honest.clone();
                if *left > 0 && rng.u8(..3) == 0 {
                    *left -= 1;
                    mutate(&mut batch, &self.said, rng);
                }
                batch
            }
            Source::Recorded(batches) => batches.pop_front().unwrap_or_default(),
        };
        self.was_honest &= batch == honest;
        if !self.is_honest {
            self.said.push(batch.clone());
        }
        self.bytes.extend(batch.concat());
        true
    }
}

/// A feed that a connection and its user share.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<Feed>>);

impl Shared {
    pub(super) fn new(server: Box<dyn Server>, source: Source, seed: u64) -> Self {
        Shared(Arc::new(Mutex::new(Feed {
            server,
            source,
            is_honest: false,
            was_honest: true,
            asked: Vec::new(),
            questions: Vec::new(),
            said: Vec::new(),
            bytes: Vec::new(),
            heard: 0,
            pieces: Rng::with_seed(!seed),
            reads: 0,
        })))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Feed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read for Shared {
    /// Gives what has been said and not been heard, in pieces of any size; where nothing more will come, that is the end.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut feed = self.lock();
        feed.reads += 1;
        assert!(feed.reads < MOST_READS, "it reads again and again");
        while feed.heard == feed.bytes.len() && feed.speak() {}
        let most = if feed.pieces.u8(..4) == 0 { feed.pieces.usize(1..16) } else { usize::MAX };
        let heard = feed.heard;
        let count = (feed.bytes.len() - heard).min(buffer.len()).min(most);
        buffer[..count].copy_from_slice(&feed.bytes[heard..heard + count]);
        feed.heard += count;
        Ok(count)
    }
}

impl Write for Shared {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let mut feed = self.lock();
        feed.asked.extend(data);
        feed.questions.extend(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
