//! What ends the program: one line for the user.

use std::{error::Error, fmt};

/// A sentence, and the causes behind it.
pub(crate) struct Failure {
    sentences: Vec<String>,
}

impl Failure {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Failure { sentences: vec![sentence.into()] }
    }

    /// For `map_err`: the sentence says what failed, the error why.
    pub(crate) fn with<E: Error>(sentence: impl Into<String>) -> impl FnOnce(E) -> Self {
        |error| {
            let mut failure = Failure::new(sentence);
            failure.add(&error);
            failure
        }
    }

    fn add(&mut self, error: &dyn Error) {
        let mut next = Some(error);
        while let Some(error) = next {
            let sentence = error.to_string();
            // Many errors repeat their cause in their own text.
            if !self.sentences.last().is_some_and(|before| before.ends_with(&sentence)) {
                self.sentences.push(sentence);
            }
            next = error.source();
        }
    }
}

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut failure = Failure { sentences: Vec::new() };
        failure.add(&error);
        failure
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Some databases answer in several lines.
        let line: Vec<&str> = self.sentences.iter().flat_map(|sentence| sentence.lines()).map(str::trim).collect();
        f.write_str(&line.join(": "))
    }
}
