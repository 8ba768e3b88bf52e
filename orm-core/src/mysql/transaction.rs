//! What failures mean for a transaction, and what is not sent for that reason.

use std::num::NonZeroU32;

use diesel::{
    QueryResult,
    connection::{AnsiTransactionManager, InstrumentationEvent, TransactionDepthChange, TransactionManager},
    result::Error as DieselError,
};

use super::{Begin, MysqlConnection, error::Failure};

impl MysqlConnection {
    /// Does something on the wire, when it is free, unless it would do so outside of a transaction by mistake.
    pub(super) fn run<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T, Failure>) -> QueryResult<T> {
        self.finish();
        if self.rolled_back {
            return Err(Failure::Ended.into());
        }
        let answer = f(self);
        self.checked(answer)
    }

    /// Begins a transaction: with its first statement, in the same round trip. One in which nothing is sent costs none.
    pub(crate) fn begin(&mut self, begin: Begin) -> QueryResult<()> {
        if self.depth()?.is_some() {
            return Err(DieselError::AlreadyInTransaction);
        }
        let depth = NonZeroU32::MIN;
        self.instrumentation.on_connection_event(InstrumentationEvent::begin_transaction(depth));
        self.run(|connection| {
            connection.wire.begin_with_next(begin);
            Ok(())
        })?;
        let status = AnsiTransactionManager::transaction_manager_status_mut(self);
        status.transaction_state()?.change_transaction_depth(TransactionDepthChange::IncreaseDepth)
    }

    /// Diesel's error for ours, which is taken in.
    pub(super) fn checked<T>(&mut self, answer: Result<T, Failure>) -> QueryResult<T> {
        answer.map_err(|failure| {
            self.failed(&failure);
            match failure {
                // The last message of a server that hangs up, such as "disconnected because of inactivity".
                last if self.wire.is_lost() && last.may_be_the_reason() => Failure::Lost(last.loss()).into(),
                other => other.into(),
            }
        })
    }

    /// Takes in what a failure means for the transaction.
    pub(super) fn failed(&mut self, failure: &Failure) {
        if self.wire.is_lost() {
            return self.give_up(failure);
        }
        if !matches!(failure, Failure::Server(_)) {
            return;
        }
        let was_open = self.wire.in_transaction();
        let state = self.within_connect_timeout(|connection| connection.ask_for_state(was_open));
        if let Err(silence) = state {
            // What the server said before it hung up says more than that it has.
            self.give_up(&silence);
            if failure.may_be_the_reason() {
                self.wire.was_lost_by(failure);
            }
        }
    }

    /// Asks for the state of the transaction, which an error does not tell; it also tells whether the server has hung up.
    pub(super) fn ask_for_state(&mut self, was_open: bool) -> Result<(), Failure> {
        self.wire.ping()?;
        self.take_state(was_open);
        Ok(())
    }

    /// Takes in the state of the transaction that the server has just told.
    pub(super) fn take_state(&mut self, was_open: bool) {
        if was_open && !self.wire.in_transaction() && matches!(self.depth(), Ok(Some(_))) {
            self.rolled_back = true;
            AnsiTransactionManager::transaction_manager_status_mut(self)
                .set_requires_rollback_maybe_up_to_top_level(true);
        }
    }

    /// How many transactions and savepoints Diesel knows to be open.
    pub(super) fn depth(&mut self) -> QueryResult<Option<NonZeroU32>> {
        AnsiTransactionManager::transaction_manager_status_mut(self).transaction_depth()
    }

    /// Why the connection is lost, if it is.
    pub(crate) fn loss(&self) -> Option<diesel::result::Error> {
        self.wire.is_lost().then(|| self.wire.lost_before().into())
    }

    /// Whether the server has a transaction open that Diesel knows nothing of.
    pub(super) fn has_unknown_transaction(&mut self) -> bool {
        self.wire.in_transaction() && matches!(self.depth(), Ok(None))
    }

    pub(super) fn give_up(&mut self, why: &Failure) {
        self.wire.close(why);
        AnsiTransactionManager::transaction_manager_status_mut(self).set_in_error();
    }
}

/// Whether this is what Diesel's transaction manager sends, for us or by itself.
pub(super) fn is_of_transactions(sql: &str) -> bool {
    const WORDS: [&str; 6] = ["BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"];
    sql.split(';').all(|statement| {
        let word = statement.split_whitespace().next().unwrap_or_default();
        WORDS.contains(&word) || statement.trim_start().starts_with("SET TRANSACTION ISOLATION LEVEL ")
    })
}

/// Whether this rolls a transaction back, all of it.
pub(super) fn is_rollback(sql: &str) -> bool {
    is_word(sql, "ROLLBACK")
}

/// Whether this ends a transaction, and does nothing else.
pub(super) fn is_end(sql: &str) -> bool {
    is_rollback(sql) || is_word(sql, "COMMIT")
}

fn is_word(sql: &str, word: &str) -> bool {
    sql.trim().trim_end_matches(';').trim_end().eq_ignore_ascii_case(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollback_is_known_however_it_is_written() {
        assert!(["ROLLBACK", "rollback;", " Rollback ; "].iter().all(|sql| is_rollback(sql)));
        assert!(!["ROLLBACK TO SAVEPOINT x", "ROLLBACK; SELECT 1", ""].iter().any(|sql| is_rollback(sql)));
    }

    #[test]
    fn what_may_change_the_session_is_not_of_transactions() {
        let of_transactions = [
            "BEGIN",
            "ROLLBACK TO SAVEPOINT diesel_savepoint_1",
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION READ ONLY",
        ];
        assert!(of_transactions.iter().all(|sql| is_of_transactions(sql)));
        let others =
            ["USE other", "BEGIN; USE other", "SET x = 1", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; USE x", ""];
        assert!(!others.iter().any(|sql| is_of_transactions(sql)));
    }
}
