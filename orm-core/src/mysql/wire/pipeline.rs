//! Statements whose commands are written together, so that they take one round trip.
//!
//! The server executes what it receives in order, and answers in order. So settings of the session, the beginning of a
//! transaction, and the preparation of a statement travel in the same write as the statement that needs them.
//!
//! # The beginning of a transaction
//!
//! If START TRANSACTION fails, the server executes the command behind it all the same, and commits it. A KILL QUERY can do
//! that, as can a cluster's node that is not ready. So what travels behind it is harmless outside of a transaction:
//!
//! - a statement that only reads, or SAVEPOINT, behind `START TRANSACTION` itself;
//! - an INSERT, UPDATE, DELETE or REPLACE behind two commands: `SET TRANSACTION READ ONLY`, which holds for the next transaction
//!   alone, and `START TRANSACTION READ WRITE`, which overrides it. Where the second fails, the statement is a
//!   transaction of its own that the first makes fail (error 1792). Where the first fails, the second has begun the
//!   transaction. Both are in packets of their own: several statements in one text would all be skipped after the first failure;
//! - anything else, such as CREATE TABLE or CALL, waits for the answer to `START TRANSACTION`.
//!
//! If any of them fails, the connection is closed, and the server rolls back.
//!
//! # Preparing and executing
//!
//! MariaDB executes the statement that was prepared last by the number -1. If PREPARE fails, no statement has that number,
//! with one exception: a server that has reached `max_prepared_stmt_count` (or has no memory) leaves it to the statement prepared
//! before. So the two commands only travel together if that one does nothing but read, or is closed.

use std::borrow::Cow;

use super::{Answer, COM_QUERY, COM_STMT_PREPARE, Prepared, State, Wire};
use crate::{
    mysql::{error::Failure, parameters, parameters::Parameter},
    net::{effects::Effects, loss::Loss, statements::begins_with},
};

/// The number of the statement that was prepared last.
const LAST_PREPARED: u32 = u32::MAX;

/// Parameters up to which a statement is executed in the same write as it is prepared, however long its values are. The
/// answer to PREPARE has some 30 bytes for each, and a server that cannot send it reads nothing more.
const MOST_PARAMETERS: usize = 256;
/// The longest packet that is written behind a PREPARE with more parameters: it fits the system's buffers.
const MOST_BEHIND_PREPARE: usize = 16 << 10;

/// How a transaction begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Begin {
    /// SQL that begins it: one statement, or two.
    pub(crate) plain: Cow<'static, str>,
    /// The same in two commands, of which the first makes the next statement fail to write unless the second succeeds.
    pub(crate) guarded: [Cow<'static, str>; 2],
}

/// The values that a prepared statement is executed with.
#[derive(Clone, Copy)]
pub(in crate::mysql) enum Values<'a> {
    Once(&'a [Parameter]),
    /// Rows of so many columns: the statement is executed for each of them, by one command.
    Rows(&'a [Parameter], usize),
}

impl Values<'_> {
    /// How many parameters the statement has.
    pub(super) fn parameters(self) -> usize {
        match self {
            Values::Once(values) => values.len(),
            Values::Rows(_, columns) => columns,
        }
    }

    /// The packet that executes a statement with them.
    pub(super) fn packet(self, statement: u32) -> Result<Vec<u8>, Failure> {
        let command = match self {
            Values::Once(_) => super::COM_STMT_EXECUTE,
            Values::Rows(..) => super::COM_STMT_BULK_EXECUTE,
        };
        let mut packet = vec![command];
        packet.extend(statement.to_le_bytes());
        match self {
            Values::Once(values) => {
                packet.push(0); // no cursor
                packet.extend(1u32.to_le_bytes()); // once
                parameters::write(values, &mut packet)?;
            }
            Values::Rows(values, columns) => {
                packet.extend(128u16.to_le_bytes()); // the types follow
                parameters::write_rows(values, columns, &mut packet)?;
            }
        }
        Ok(packet)
    }
}

/// A statement to be sent, and what is known of it.
pub(super) struct Command<'a> {
    pub(super) packet: Cow<'a, [u8]>,
    pub(super) sql: &'a str,
    pub(super) only_reads: bool,
    /// Whether its rows come in the binary protocol.
    pub(super) binary: bool,
    /// How many statements it may have.
    pub(super) statements: usize,
}

/// The statement that the server has prepared last, if it has it still.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastPrepared {
    pub(super) id: u32,
    only_reads: bool,
}

/// What was written before a statement.
#[derive(Default)]
struct Ahead {
    texts: Vec<Cow<'static, str>>,
    begins: bool,
}

impl Wire {
    /// Begins a transaction with the next statement.
    pub(in crate::mysql) fn begin_with_next(&mut self, begin: Begin) {
        self.begin = Some(begin);
    }

    /// Whether a transaction is to begin with the next statement.
    pub(in crate::mysql) fn is_beginning(&self) -> bool {
        self.begin.is_some()
    }

    /// Forgets a transaction in which nothing was sent; whether there was one.
    pub(in crate::mysql) fn end_unsent(&mut self) -> bool {
        self.begin.take().is_some()
    }

    /// Sends SQL without rows ahead of the next statement, once.
    pub(in crate::mysql) fn execute_with_next(&mut self, sql: Cow<'static, str>) {
        if !self.settings.contains(&sql) {
            self.settings.push(sql);
        }
    }

    /// Takes back what was not sent yet; whether there was anything.
    pub(in crate::mysql) fn take_back(&mut self, sql: &str) -> bool {
        let before = self.settings.len();
        self.settings.retain(|setting| setting != sql);
        self.settings.len() < before
    }

    /// Prepares a statement and executes it, in one round trip if the server can. `None` if it was not prepared.
    pub(in crate::mysql) fn prepare_and_execute(
        &mut self,
        sql: &str,
        values: Values<'_>,
        only_reads: bool,
    ) -> (Option<Prepared>, Result<Answer, Failure>) {
        let packet = match values.packet(LAST_PREPARED) {
            Ok(packet) => packet,
            Err(failure) => return (None, Err(failure)),
        };
        if !self.may_pipeline(sql, values.parameters(), &packet) {
            return match self.prepare(sql, only_reads) {
                Err(failure) => (None, Err(failure)),
                Ok(prepared) => (Some(prepared), self.execute(prepared, values, sql, only_reads)),
            };
        }
        let command = Command { packet: packet.into(), sql, only_reads, binary: true, statements: 1 };
        let mut prepared = None;
        let answer = self.run(Some((sql, &mut prepared)), command);
        match (&answer, prepared) {
            // What stands between knows no such number, and has executed nothing.
            (Err(failure), Some(statement)) if failure.number() == Some(super::UNKNOWN_STATEMENT) => {
                self.pipelines = false;
                (prepared, self.execute(statement, values, sql, only_reads))
            }
            _ => (prepared, answer),
        }
    }

    fn may_pipeline(&self, sql: &str, values: usize, packet: &[u8]) -> bool {
        self.pipelines
            && !self.packets.is_compressed()
            && self.last_prepared.is_none_or(|last| last.only_reads)
            && (values <= MOST_PARAMETERS || packet.len() <= MOST_BEHIND_PREPARE)
            && sql.len() < self.max_allowed_packet.min(MOST_SQL)
            && has_parameters(sql, values)
    }

    /// Sends a statement, behind whatever is to travel before it, and reads the answers up to its own.
    pub(super) fn run(
        &mut self,
        mut prepare: Option<(&str, &mut Option<Prepared>)>,
        command: Command<'_>,
    ) -> Result<Answer, Failure> {
        self.can_send(command.packet.len())?;
        let is_open = self.is_beginning() || self.in_transaction() || !self.autocommits();
        let effects = match command.only_reads {
            true => Effects { writes: false, commits: false },
            false => super::WORDS.effects(command.sql, is_open, self.has_written),
        };
        let ahead = self.ahead(effects, &command)?;
        self.stake(effects)?;
        self.transmit(prepare.as_ref().map(|(sql, _)| *sql), &ahead.texts, &command.packet)?;
        let last_number = self.packets.number();
        let mut failed = None;
        if let Some((_, prepared)) = &mut prepare {
            self.packets.expect(1);
            match self.pass(|wire| wire.prepared(command.only_reads))? {
                Ok(statement) => **prepared = Some(statement),
                Err(failure) => failed = Some(failure),
            }
        }
        let not_prepared = failed.is_some();
        for _ in &ahead.texts {
            self.packets.expect(1);
            if let Err(failure) = self.pass(Wire::done_ahead)? {
                failed.get_or_insert(failure);
            }
        }
        self.packets.expect(last_number);
        self.done_left = command.statements;
        let answer = self.answer(command.binary);
        match failed {
            None => answer,
            Some(failure) if not_prepared => Err(self.not_prepared(failure, &answer)),
            Some(failure) => Err(self.not_begun(failure, &answer, ahead.begins && effects.writes)),
        }
    }

    /// Sends the beginning of a transaction by itself where the statement must not follow unless it succeeds; returns what
    /// travels with the statement.
    fn ahead(&mut self, effects: Effects, command: &Command<'_>) -> Result<Ahead, Failure> {
        let mut ahead = Ahead::default();
        ahead.texts.append(&mut self.settings);
        if let Some(begin) = self.begin.take() {
            let is_one = command.statements == 1;
            if !effects.writes && !effects.commits && is_one {
                ahead.texts.push(begin.plain);
            } else if is_one
                && !effects.commits
                && !self.packets.is_compressed()
                && begins_with(command.sql, &["INSERT", "UPDATE", "DELETE", "REPLACE"])
            {
                ahead.texts.extend(begin.guarded);
            } else {
                self.alone(begin.plain)?;
                return Ok(ahead);
            }
            ahead.begins = true;
        }
        if self.packets.is_compressed() {
            // Each command is a compressed packet of its own, and its answer is read before the next one is sent.
            for text in ahead.texts.drain(..) {
                self.alone(text)?;
            }
        }
        Ok(ahead)
    }

    /// Runs SQL without rows by itself; the connection is closed if it fails.
    fn alone(&mut self, sql: Cow<'static, str>) -> Result<(), Failure> {
        self.transmit(None, &[], &text(&sql))?;
        self.pass(Wire::done_ahead)?.inspect_err(|failure| self.close(failure))
    }

    /// Writes commands, in this order.
    fn transmit(&mut self, prepare: Option<&str>, ahead: &[Cow<'_, str>], packet: &[u8]) -> Result<(), Failure> {
        self.write(|wire| {
            if let Some(sql) = prepare {
                wire.packets.begin()?;
                wire.packets.put(&[&[COM_STMT_PREPARE], sql.as_bytes()].concat());
            }
            for sql in ahead {
                wire.packets.begin()?;
                wire.packets.put(&text(sql));
            }
            wire.packets.begin()?;
            wire.packets.put(packet);
            Ok(())
        })
    }

    /// Reads an answer behind which others follow: an error of the server's is for later, unless the connection is lost by it.
    fn pass<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<Result<T, Failure>, Failure> {
        match read(self) {
            Err(failure) if failure.is_loss() => Err(self.failed(failure)),
            answer => Ok(answer),
        }
    }

    /// Reads the answers to a text without rows.
    fn done_ahead(&mut self) -> Result<(), Failure> {
        loop {
            self.next_packet()?;
            if !self.take_ok()? {
                return Ok(());
            }
        }
    }

    /// Reads the answer to PREPARE.
    pub(super) fn prepared(&mut self, only_reads: bool) -> Result<Prepared, Failure> {
        let prepared = self.read_prepared()?;
        self.last_prepared = Some(LastPrepared { id: prepared.id, only_reads });
        Ok(prepared)
    }

    /// A statement was to be executed that could not be prepared.
    #[cold]
    fn not_prepared(&mut self, failure: Failure, answer: &Result<Answer, Failure>) -> Failure {
        // It was the one before, which only reads.
        if self.state != State::Lost && (answer.is_ok() || self.is_busy()) {
            self.close(&failure);
        }
        failure
    }

    /// What travelled ahead of a statement has failed, and that was answered like this.
    #[cold]
    fn not_begun(&mut self, failure: Failure, answer: &Result<Answer, Failure>, begins: bool) -> Failure {
        let committed = begins && answer.is_ok() && !self.in_transaction();
        self.close(&failure);
        if !committed {
            return failure;
        }
        let why = format!("no transaction was begun ({failure}), and the statement behind it was committed by itself");
        Failure::Lost(Loss { is_unknown: true, ..Loss::from(why) })
    }
}

/// Longer SQL is prepared by itself.
const MOST_SQL: usize = 8 << 20;

fn text(sql: &str) -> Vec<u8> {
    [&[COM_QUERY], sql.as_bytes()].concat()
}

/// Whether SQL surely has so many parameters: a statement that is given more values than it has parameters is executed with
/// some of them. In doubt, as with literals and comments, it is prepared first and the server's number is compared.
fn has_parameters(sql: &str, count: usize) -> bool {
    let mut in_name = false;
    let mut found = 0;
    let mut previous = 0;
    for byte in sql.bytes() {
        match (byte, previous) {
            (b'`', _) => in_name = !in_name,
            _ if in_name => {}
            (b'\'' | b'"' | b'#', _) | (b'-', b'-') | (b'*', b'/') => return false,
            (b'?', _) => found += 1,
            _ => {}
        }
        previous = byte;
    }
    found == count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_only_counted_where_that_is_certain() {
        assert!(has_parameters("SELECT `a?`, ? FROM `t` WHERE x - ? = 1", 2));
        assert!(has_parameters("SELECT COUNT(*) FROM t", 0));
        for doubtful in
            ["SELECT '?', ?", "SELECT \"?\", ?", "SELECT ? -- ?", "SELECT ? # ?", "SELECT ? /* ? */", "SELECT ?"]
        {
            assert!(!has_parameters(doubtful, 2), "{doubtful}");
        }
    }
}
