//! Requests; their answers are read in `wire/answers.rs`, and those of portals in `wire/portals.rs`; `wire/copying.rs`
//! sends rows by COPY, `wire/deferred.rs` keeps commands such as BEGIN until they can travel with a statement, and
//! `wire/discard.rs` ends what nobody reads.
//!
//! Each request ends with a `Sync` (or is a simple query, which ends by itself), so that each has one ReadyForQuery, and
//! an error of one is none of the next. Requests may be sent ahead: a [`Wire`] knows which are in flight, and in which
//! state the server said its transaction is; it knows nothing of Diesel's queries.

mod ahead;
mod answers;
mod copying;
mod deferred;
mod discard;
mod portals;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, io, sync::Arc};

use bytes::{BufMut, BytesMut};
use postgres_protocol::{
    IsNull,
    message::frontend::{self, BindError},
};

use self::{
    ahead::Ahead,
    answers::Reading,
    portals::{PortalRequest, Portals},
};
pub(super) use self::{
    ahead::AheadId,
    deferred::Deferred,
    portals::{OpenedStream, PortalId, Step},
};
use super::{cancel::PgCancelToken, column::Column, error::Failure, login::Greeted, messages::Messages, row::Spans};
use crate::net::{
    effects::Words,
    loss::Loss,
    socket::{Deadline, Timeouts},
    statements::begins_with,
};

/// Values of parameters, and the types that they were written as.
#[derive(Debug)]
pub(super) struct Parameters {
    pub(super) types: Vec<u32>,
    /// `None` is NULL.
    pub(super) values: Vec<Option<Vec<u8>>>,
}

impl Parameters {
    /// A failure of the statement, without the value that an input function could not read.
    pub(super) fn without_value(&self, failure: Failure) -> Failure {
        if self.types.contains(&INFERRED) { failure.without_value() } else { failure }
    }

    fn are_few_enough(&self) -> Result<(), Unsendable> {
        match self.values.len() {
            0..=MOST_PARAMETERS => Ok(()),
            count => Err(Unsendable(
                format!(
                    "the statement has {count} values, and PostgreSQL takes {MOST_PARAMETERS} at most; nothing was sent"
                )
                .into(),
            )),
        }
    }
}

/// Bind counts them in 16 bits.
const MOST_PARAMETERS: usize = 65_535;
/// A request that no server has to read before it is sent whole.
const SMALL: usize = 4 << 10;
/// The format of results, and of parameters with a declared type.
const BINARY: i16 = 1;
/// The format of parameters whose type the server infers.
const TEXT: i16 = 0;
/// In place of the OID of a parameter's type: the server infers the type.
pub(super) const INFERRED: u32 = 0;

/// A connection that is logged in.
#[derive(Debug)]
pub(super) struct Wire {
    messages: Messages,
    cancel: PgCancelToken,
    version: String,
    /// What the server said last of its transaction.
    status: Status,
    /// Whose answers are still to come, in their order.
    in_flight: VecDeque<Request>,
    /// The result that is being read row by row.
    reading: Option<Reading>,
    portals: Portals,
    ahead: Ahead,
    /// How many bytes of rows a COPY has been sent whose end was not; it ends before anything else is sent.
    open_copy: Option<usize>,
    /// Counts requests, but for those that were sent ahead.
    generation: u64,
    /// The columns of the row in hand.
    columns: Arc<[Column]>,
    spans: Spans,
    /// Where the row in hand lies, if not in the message that was received last.
    stashed: Option<Vec<u8>>,
    /// What the last statement says that it changed or gave.
    affected: Option<u64>,
    /// Whether the server has prepared the last statement when it was executed.
    prepared_now: bool,
    /// Whether the server says that the session has the time zone and the style of dates that the login asked for.
    is_utc: bool,
    is_iso: bool,
    /// Commands that are sent in one request with the next statement, before it.
    deferred: Vec<Deferred>,
    /// Statements that the server shall forget, once something is sent.
    useless: Vec<StatementId>,
    /// Whether the transaction that is open may have changed something.
    has_written: bool,
    /// Whether something was sent that may commit, and has not been answered.
    is_at_stake: bool,
    /// Why the connection is gone.
    lost: Option<Loss>,
}

/// What PostgreSQL's statements do. In a transaction nothing commits but what ends it: a procedure that tries is an error.
pub(crate) const WORDS: Words = Words {
    harmless: &[
        "ABORT",
        "BEGIN",
        "CLOSE",
        "DEALLOCATE",
        "DECLARE",
        "DISCARD",
        "LISTEN",
        "LOCK",
        "MOVE",
        "RELEASE",
        "RESET",
        "ROLLBACK",
        "SAVEPOINT",
        "SET",
        "SHOW",
        "START",
        "UNLISTEN",
    ],
    stay: None,
    ends: &["COMMIT", "END", "PREPARE"],
};

/// The state of a transaction, by ReadyForQuery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// There is none.
    Idle,
    Open,
    /// It can only be rolled back.
    Failed,
}

/// Something that was sent, and is answered up to its ReadyForQuery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    /// A statement, whose answer is read by [`Reading`].
    Statement,
    /// A statement that was sent ahead.
    Ahead,
    /// A portal is opened, fetched from or closed.
    Portal(PortalRequest),
}

/// The number in the name of a prepared statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StatementId(u64);

impl StatementId {
    /// The statement without a name, which the next one of its kind replaces.
    pub(super) const UNNAMED: StatementId = StatementId(0);

    pub(super) fn new(number: u64) -> Self {
        StatementId(number)
    }

    fn name(self) -> String {
        if self == StatementId::UNNAMED { String::new() } else { format!("orm_core_{}", self.0) }
    }
}

/// A statement to execute.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) id: StatementId,
    /// Of its result, where the server has prepared it before; it is prepared now where this is `None`.
    pub(super) columns: Option<Arc<[Column]>>,
}

/// What has come of a statement so far.
#[derive(Debug)]
pub(super) struct Executed {
    /// The columns of its result, if the server has prepared it now, and keeps it.
    pub(super) prepared: Option<Arc<[Column]>>,
    pub(super) failure: Option<Failure>,
}

impl Wire {
    pub(super) fn new(greeted: Greeted) -> Self {
        Wire {
            messages: greeted.messages,
            cancel: greeted.cancel,
            version: greeted.version,
            status: Status::Idle,
            in_flight: VecDeque::new(),
            reading: None,
            portals: Portals::default(),
            ahead: Ahead::default(),
            open_copy: None,
            generation: 0,
            columns: Arc::new([]),
            spans: Spans::default(),
            stashed: None,
            affected: None,
            prepared_now: false,
            is_utc: true,
            is_iso: true,
            deferred: Vec::new(),
            useless: Vec::new(),
            has_written: false,
            is_at_stake: false,
            lost: None,
        }
    }

    /// Takes note that the session begins with a `statement_timeout`.
    pub(super) fn begin_with_time_limit(&mut self) {
        self.portals.begin_with_time_limit();
    }

    /// Whether the session still has what the login asked for, of all that the server tells when it changes.
    pub(super) fn is_as_asked(&self) -> bool {
        self.is_utc && self.is_iso
    }

    pub(super) fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn cancel(&self) -> &PgCancelToken {
        &self.cancel
    }

    /// The state of the transaction, which counts as open from when its BEGIN was deferred.
    pub(super) fn status(&self) -> Status {
        if self.has_unsent_begin() { Status::Open } else { self.status }
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.is_some()
    }

    /// Whether the rows of a statement have not been read to their end.
    pub(super) fn is_busy(&self) -> bool {
        self.reading.is_some()
    }

    /// Limits for each piece that is read or written from here on.
    pub(super) fn set_timeouts(&mut self, timeouts: &Timeouts) -> Result<(), Failure> {
        Ok(self.messages.socket_mut().set_timeouts(timeouts.read, timeouts.write)?)
    }

    /// A deadline for all that is read and written, until [`Wire::set_timeouts`].
    pub(super) fn set_deadline(&mut self, deadline: Deadline) {
        self.messages.socket_mut().set_deadline(deadline);
    }

    /// Receives once more, if something comes before the deadline; whether it did.
    pub(super) fn receive_by(&mut self, deadline: Deadline) -> Result<bool, Failure> {
        self.guarded(|wire| wire.messages.receive_by(deadline))
    }

    /// Gives the connection up; whoever uses it after this is told why.
    pub(super) fn close(&mut self, why: &Failure) {
        if self.lost.is_none() {
            self.messages.close();
            self.in_flight.clear();
            self.reading = None;
            self.portals.clear();
            self.ahead.clear();
            self.open_copy = None;
            self.deferred.clear();
            self.lost = Some(why.loss());
        }
    }

    /// Runs SQL as text: one statement, or several with semicolons between; their rows are thrown away.
    pub(super) fn query(&mut self, sql: &str) -> Result<(), Failure> {
        if begins_with(sql, &["ROLLBACK", "ABORT"]) {
            self.take_in()?;
            if self.status == Status::Failed {
                self.deferred.clear();
            }
            self.send_deferred()?;
        } else {
            self.take_in_and_check()?;
        }
        self.send_query(sql, Reading::simple(sql))?;
        self.skip_all()
    }

    /// Runs a command that returns no rows, such as COMMIT; it is sent before what is in flight is taken in.
    pub(super) fn command_ahead(&mut self, sql: &str) -> Result<(), Failure> {
        self.send_command(sql)?;
        self.take_in()?;
        self.skip_all()
    }

    /// Sends a command that returns no rows, such as COMMIT, whatever is in flight.
    pub(super) fn send_command(&mut self, sql: &str) -> Result<(), Failure> {
        self.send_query(sql, Reading::command(sql))
    }

    fn send_query(&mut self, sql: &str, reading: Reading) -> Result<(), Failure> {
        self.send_statement(sql, |out| Ok(frontend::query(sql, out)?))?;
        self.in_flight.push_back(Request::Statement);
        self.reading = Some(reading);
        Ok(())
    }

    /// Asks whether the server is there, and for its state.
    pub(super) fn ping(&mut self) -> Result<(), Failure> {
        self.query("")
    }

    /// Executes a statement; its rows are then to be had by [`Wire::next_row`].
    pub(super) fn execute(
        &mut self,
        statement: &Statement,
        parameters: &Parameters,
        sql: &str,
    ) -> Result<Executed, Failure> {
        self.take_in_and_check_failure()?;
        let reading = self.send_execute(statement, parameters, sql)?;
        self.portals.in_hand = None;
        self.columns = statement.columns.clone().unwrap_or_else(|| Arc::new([]));
        self.in_flight.push_back(Request::Statement);
        self.reading = Some(reading);
        Ok(self.begin_reading())
    }

    /// Sends a statement behind the deferred commands, and returns what to expect of the answer.
    fn send_execute(&mut self, statement: &Statement, parameters: &Parameters, sql: &str) -> Result<Reading, Failure> {
        let useless = std::mem::take(&mut self.useless);
        let deferred = self.deferred.clone();
        let name = statement.id.name();
        let sent = self.send_statement(sql, |out| {
            parameters.are_few_enough()?;
            deferred::write(&deferred, out)?;
            for statement in &useless {
                frontend::close(b'S', &statement.name(), out)?;
            }
            if statement.columns.is_none() {
                frontend::parse(&name, sql, parameters.types.iter().copied(), out)?;
                frontend::describe(b'S', &name, out)?;
            }
            bind("", &name, parameters, out)?;
            frontend::execute("", 0, out)?;
            frontend::sync(out);
            Ok(())
        });
        if let Err(failure) = sent {
            self.useless = useless;
            return Err(failure);
        }
        Ok(Reading::extended(sql, useless.len()).behind(self.deferred_were_sent()))
    }

    /// For tests that look at how much was received and read.
    #[cfg(test)]
    pub(super) fn messages(&self) -> &Messages {
        &self.messages
    }

    /// A number that changes with each request, but not with those that are sent ahead.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether nothing is in flight.
    #[cfg(test)]
    pub(super) fn is_settled(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Lets the server forget a statement, with the next request.
    pub(super) fn forget(&mut self, statement: StatementId) {
        if statement != StatementId::UNNAMED {
            self.useless.push(statement);
        }
    }

    /// Forgets which statements the server shall forget: it has forgotten all.
    pub(super) fn forgot_all(&mut self) {
        self.useless.clear();
    }

    /// Sends a statement, keeping in mind what is at stake until it is answered.
    fn send_statement(
        &mut self,
        sql: &str,
        f: impl FnOnce(&mut BytesMut) -> Result<(), Unsendable>,
    ) -> Result<(), Failure> {
        let effects = WORDS.effects(sql, self.status() != Status::Idle, self.has_written);
        let commits = effects.commits && self.status != Status::Failed;
        if commits && self.lost.is_none() {
            self.check_connection()?;
        }
        self.is_at_stake = commits;
        self.has_written |= effects.writes;
        self.send(f)
    }

    /// Looks at what the server has said since its last answer: a connection that it has closed is lost before anything is
    /// sent that may commit, and not with an unknown outcome after it.
    pub(super) fn check_connection(&mut self) -> Result<(), Failure> {
        if !self.in_flight.is_empty() {
            return Ok(());
        }
        self.guarded(|wire| {
            wire.messages.receive_now()?;
            while wire.messages.has_one() {
                match wire.messages.next()? {
                    answers::kind::ERROR => {
                        let failure = wire.server_failure();
                        return Err(if wire.is_lost() { failure } else { answers::unexpected() });
                    }
                    kind => wire.note_unasked(kind)?,
                }
            }
            Ok(())
        })
    }

    /// Sends what `f` writes; if that fails, nothing is sent.
    fn send(&mut self, f: impl FnOnce(&mut BytesMut) -> Result<(), Unsendable>) -> Result<(), Failure> {
        if let Some(why) = &self.lost {
            self.is_at_stake = false;
            return Err(Failure::Lost(why.before()));
        }
        let before = self.messages.out().len();
        if self.open_copy.is_some() {
            ahead::write_copy_end(self.messages.out());
        }
        if let Err(why) = f(self.messages.out()) {
            self.messages.out().truncate(before);
            self.is_at_stake = false;
            return Err(Failure::Value(why.0));
        }
        self.open_copy = None;
        self.generation += 1;
        // A request for more rows of a portal fits into any buffer.
        let may_block = !self.ahead.is_empty() || (!self.in_flight.is_empty() && self.messages.out().len() > SMALL);
        self.guarded(|wire| {
            let sent = if may_block { wire.messages.flush_and_receive() } else { wire.messages.flush() };
            if sent.is_err() {
                wire.is_at_stake &= wire.messages.was_sent();
            }
            sent
        })
    }

    /// Does something, and keeps in mind what an error means for the connection.
    #[inline]
    fn guarded<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, Failure> {
        match f(self) {
            Err(failure) if failure.is_loss() => Err(self.lose(failure)),
            answer => answer,
        }
    }

    /// Gives the connection up, and returns the failure with what it means for a statement that was not answered.
    #[cold]
    fn lose(&mut self, failure: Failure) -> Failure {
        self.close(&failure);
        match std::mem::take(&mut self.is_at_stake) {
            true => Failure::Lost(Loss { is_unknown: true, ..failure.loss() }),
            false => failure,
        }
    }

    /// Why the connection is lost, if it is.
    pub(super) fn loss(&self) -> Option<&Loss> {
        self.lost.as_ref()
    }
}

/// Binds values to a statement: in the binary format, except for those whose type the server infers.
fn bind(portal: &str, statement: &str, parameters: &Parameters, out: &mut BytesMut) -> Result<(), Unsendable> {
    let Parameters { types, values } = parameters;
    let format = |oid: &u32| if *oid == INFERRED { TEXT } else { BINARY };

    let write = |value: &Option<Vec<u8>>, out: &mut BytesMut| {
        Ok(match value {
            None => IsNull::Yes,
            Some(bytes) => {
                out.put_slice(bytes);
                IsNull::No
            }
        })
    };
    // A single format is that of all values.
    let formats = if types.contains(&INFERRED) { types.iter().map(format).collect() } else { vec![BINARY] };
    frontend::bind(portal, statement, formats, values, write, [BINARY], out).map_err(|error| match error {
        BindError::Serialization(error) => error.into(),
        BindError::Conversion(error) => Unsendable(error.to_string().into()),
    })
}

/// Why a message cannot be written.
struct Unsendable(std::borrow::Cow<'static, str>);

impl From<io::Error> for Unsendable {
    fn from(error: io::Error) -> Self {
        Unsendable(
            format!("the statement cannot be written as a message to the server: {error}; nothing was sent").into(),
        )
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.lost.is_none() && self.in_flight.is_empty() {
            // So that the server does not log a connection that was broken off.
            let _ = self.send(|out| {
                frontend::terminate(out);
                Ok(())
            });
        }
    }
}
