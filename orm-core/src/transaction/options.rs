//! What may be said of a transaction before it begins.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};

/// How far a transaction is kept apart from those that run at the same time.
///
/// A level is the least that is promised; where a backend does not have it, the transaction gets the next stronger one.
///
/// | | PostgreSQL | MySQL, MariaDB | SQLite |
/// | --- | --- | --- | --- |
/// | `ReadUncommitted` | as `ReadCommitted` | what others have not committed may be seen | as `Serializable` |
/// | `ReadCommitted` | each statement sees what was committed before it (the usual level) | each statement sees what was committed before it | as `Serializable` |
/// | `RepeatableRead` | all statements see what was committed before the first one; a row that somebody else has changed since cannot be written, which is a [`SerializationFailure`](ErrorKind::SerializationFailure) | reads see what was committed before the first one, and writes what is committed now (the usual level) | as `Serializable` |
/// | `Serializable` | as if transactions ran one after the other; one of those for which that cannot be fails with a [`SerializationFailure`](ErrorKind::SerializationFailure) | the same, by locks on all that is read | the same, by one writer at a time (the only level) |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IsolationLevel {
    /// Rows may be seen that are never committed.
    ReadUncommitted,
    /// What is committed is seen, by each statement anew.
    ReadCommitted,
    /// What was read once is read again.
    RepeatableRead,
    /// As if transactions ran one after the other.
    Serializable,
}

impl fmt::Display for IsolationLevel {
    /// As SQL has it: `READ COMMITTED`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            IsolationLevel::ReadUncommitted => "READ UNCOMMITTED",
            IsolationLevel::ReadCommitted => "READ COMMITTED",
            IsolationLevel::RepeatableRead => "REPEATABLE READ",
            IsolationLevel::Serializable => "SERIALIZABLE",
        })
    }
}

/// How a transaction begins.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    pub(crate) isolation: Option<IsolationLevel>,
    pub(crate) read_only: bool,
    pub(crate) immediate: bool,
    pub(crate) attempt: Option<Attempt>,
}

/// Which attempt at a transaction this is, of how many there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    pub(crate) number: u32,
    pub(crate) of: u32,
}

impl Options {
    /// Refuses what contradicts itself.
    pub(crate) fn check(&self) -> Result<()> {
        if self.read_only && self.immediate {
            return Err(Error::new(
                ErrorKind::InvalidQuery,
                "a transaction that is `read_only` cannot be `immediate`, which is to write from the beginning; leave one \
                 of them out",
            ));
        }
        Ok(())
    }
}
