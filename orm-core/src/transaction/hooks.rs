//! What is to be done when a transaction has been committed.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

/// Something to be done after the commit.
pub(crate) type Hook = Box<dyn FnOnce() + Send>;

/// What was registered and not yet forgotten, in order, each with the savepoint that it belongs to.
#[derive(Default)]
pub(crate) struct Hooks(Vec<(usize, Hook)>);

impl Hooks {
    /// Registers one in the savepoint of this level; level 0 is the transaction itself.
    pub(crate) fn push(&mut self, level: usize, hook: Hook) {
        self.0.push((level, hook));
    }

    /// Hands those of a savepoint to what it stands in.
    pub(crate) fn release(&mut self, level: usize) {
        for (of, _) in &mut self.0 {
            *of = (*of).min(level.saturating_sub(1));
        }
    }

    /// Takes out those of a savepoint that is rolled back, and of all within it.
    #[must_use = "what users capture should not be dropped while a lock is held"]
    pub(crate) fn forget(&mut self, level: usize) -> Hooks {
        Hooks(self.0.extract_if(.., |(of, _)| *of >= level).collect())
    }

    /// Runs all, in order. One that panics keeps none of the others from running; the first panic goes on afterwards.
    pub(crate) fn run(self) {
        let mut panicked = None;
        for (_, hook) in self.0 {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(hook)) {
                panicked.get_or_insert(panic);
            }
        }
        if let Some(panic) = panicked {
            resume_unwind(panic);
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hooks").field(&self.0.len()).finish()
    }
}
