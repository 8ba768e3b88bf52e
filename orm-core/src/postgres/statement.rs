//! Diesel's statements: what is sent of them, and which of them the server keeps prepared.

use std::{ffi::CString, result::Result as StdResult, sync::Arc};

use diesel::{
    QueryResult,
    connection::{InstrumentationEvent, StrQueryHelper},
    debug_query,
    pg::{Pg, PgQueryBuilder, PgTypeMetadata},
    query_builder::{QueryBuilder, QueryFragment, bind_collector::RawBytesBindCollector},
    result::Error as DieselError,
};

use super::{
    PgConnection,
    column::Column,
    copy::failed_row,
    error::Failure,
    wire::{AheadId, Deferred, INFERRED, Parameters, Statement, StatementId, Status},
};
use crate::net::statements::Kept;

/// A statement that was sent ahead.
#[derive(Debug)]
#[doc(hidden)]
pub struct Ticket {
    pub(super) id: AheadId,
    pub(super) sql: String,
    /// Whether the server's error may show a value.
    pub(super) hides_value: bool,
    /// The table of a COPY.
    pub(super) copied_to: Option<&'static str>,
}

/// A statement that the server has prepared.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub(super) id: StatementId,
    /// The types of its parameters.
    types: Arc<[u32]>,
    columns: Arc<[Column]>,
    /// Whether the program has read a row of its result. The server refuses to execute it once the result has other types.
    was_read: bool,
}

impl PgConnection {
    /// The SQL of a statement and its values.
    pub(super) fn written<T: QueryFragment<Pg>>(&mut self, source: &T) -> QueryResult<(String, Parameters)> {
        let mut sql = PgQueryBuilder::default();
        source.to_sql(&mut sql, &Pg)?;
        let sql = without_nul(sql.finish())?;
        let mut binds = RawBytesBindCollector::<Pg>::new();
        // It may ask for the numbers of the user's own types.
        source.collect_binds(&mut binds, self, &Pg)?;
        let types = binds.metadata.iter().map(PgTypeMetadata::oid).collect::<StdResult<_, _>>();
        let types = types.map_err(|error| DieselError::SerializationError(Box::new(error)))?;
        Ok((sql, Parameters { types, values: binds.binds }))
    }

    /// Runs a statement up to its first row.
    pub(super) fn send<T: QueryFragment<Pg>>(&mut self, source: &T) -> QueryResult<()> {
        self.finish();
        let (sql, parameters) = self.written(source)?;
        let deferred: Vec<_> = self.wire.deferred().iter().map(Deferred::sql).collect();
        for sql in &deferred {
            let query = StrQueryHelper::new(sql);
            self.instrumentation.on_connection_event(InstrumentationEvent::start_query(&query));
            self.instrumentation.on_connection_event(InstrumentationEvent::finish_query(&query, None));
        }
        let keep = source.is_safe_to_cache_prepared(&Pg)? && self.statements.keeps();
        let answer = if keep { self.execute_kept(&sql, &parameters) } else { self.execute_once(&sql, &parameters) };
        self.checked(answer.map_err(|failure| parameters.without_value(failure)))
    }

    /// Sends a statement that gives no rows, without waiting for its answer; `None` if it has to be executed and waited for,
    /// because no transaction is open, or because it is to be kept prepared and is not yet.
    pub(crate) fn send_ahead<T: QueryFragment<Pg>>(&mut self, source: &T) -> QueryResult<Option<Ticket>> {
        self.finish();
        if self.wire.status() != Status::Open {
            return Ok(None);
        }
        let (sql, parameters) = self.written(source)?;
        let statement = if source.is_safe_to_cache_prepared(&Pg)? && self.statements.keeps() {
            match self.statements.get(&sql) {
                Some(known) if *known.types == *parameters.types => {
                    Statement { id: known.id, columns: Some(known.columns) }
                }
                _ => return Ok(None),
            }
        } else {
            Statement { id: StatementId::UNNAMED, columns: None }
        };
        self.instrumentation.on_connection_event(InstrumentationEvent::start_query(&debug_query::<Pg, _>(source)));
        let sent = self.wire.execute_ahead(&statement, &parameters, &sql);
        let hides_value = parameters.types.contains(&INFERRED);
        let id = self.checked(sent.map_err(|failure| parameters.without_value(failure)))?;
        Ok(Some(Ticket { id, sql, hides_value, copied_to: None }))
    }

    /// Whether a row of this statement was read, since it was prepared.
    pub(crate) fn was_read(&mut self, sql: &str) -> bool {
        self.statements.get_mut(sql).is_some_and(|statement| statement.was_read)
    }

    /// Takes note that a row of this statement was read.
    pub(crate) fn note_read(&mut self, sql: &str) {
        if let Some(statement) = self.statements.get_mut(sql) {
            statement.was_read = true;
        }
    }

    /// Whether the answer to what was sent ahead is there.
    pub(crate) fn has_answer(&mut self, ticket: &Ticket) -> QueryResult<bool> {
        self.finish();
        let answer = self.wire.has_answer(ticket.id);
        self.checked(answer)
    }

    /// Waits for the answer to what was sent ahead: how many rows it has changed, or why it failed, and at which row of a COPY.
    pub(crate) fn answer(&mut self, ticket: &Ticket) -> Result<usize, (DieselError, Option<usize>)> {
        self.finish();
        let answer = self.wire.answer(ticket.id);
        let row = match (&answer, ticket.copied_to) {
            (Err(Failure::Server(word)), Some(table)) => failed_row(word, table),
            _ => None,
        };
        let answer = answer.map_err(|failure| if ticket.hides_value { failure.without_value() } else { failure });
        let answer = self.checked(answer);
        let event = StrQueryHelper::new(&ticket.sql);
        self.instrumentation.on_connection_event(InstrumentationEvent::finish_query(&event, answer.as_ref().err()));
        answer.map(|rows| usize::try_from(rows).unwrap_or(usize::MAX)).map_err(|error| (error, row))
    }

    fn execute_once(&mut self, sql: &str, parameters: &Parameters) -> StdResult<(), Failure> {
        let statement = Statement { id: StatementId::UNNAMED, columns: None };
        self.wire.execute(&statement, parameters, sql)?.failure.map_or(Ok(()), Err)
    }

    fn execute_kept(&mut self, sql: &str, parameters: &Parameters) -> StdResult<(), Failure> {
        let deferred = if self.wire.has_unsent_begin() { self.wire.deferred().to_vec() } else { Vec::new() };
        if let Some(known) = self.statements.get(sql)
            && *known.types == *parameters.types
        {
            let statement = Statement { id: known.id, columns: Some(known.columns) };
            let Some(failure) = self.wire.execute(&statement, parameters, sql)?.failure else { return Ok(()) };
            if !is_stale(&failure) {
                return Err(failure);
            }
            // Nothing has been done yet: a table was changed meanwhile, or the server has forgotten the statement.
            self.statements.remove(sql);
            self.wire.forget(known.id);
            if !deferred.is_empty() && self.wire.status() == Status::Failed {
                // The transaction began with this statement, and holds nothing else.
                self.wire.query("ROLLBACK")?;
                deferred.into_iter().for_each(|command| self.wire.defer(command));
            } else if self.wire.status() != Status::Idle {
                return Err(failure.with_hint(
                    "a table of this statement was changed since it was prepared; run the transaction again",
                ));
            }
        }
        self.instrumentation.on_connection_event(InstrumentationEvent::cache_query(sql));
        self.prepared = self.prepared.checked_add(1).unwrap_or(1);
        let id = StatementId::new(self.prepared);
        let executed = self.wire.execute(&Statement { id, columns: None }, parameters, sql)?;
        if let Some(columns) = executed.prepared {
            let prepared = Prepared { id, types: parameters.types.as_slice().into(), columns, was_read: false };
            if let Kept::Yes { instead_of: Some(old) } = self.statements.keep(sql, prepared) {
                self.wire.forget(old.id);
            }
        }
        executed.failure.map_or(Ok(()), Err)
    }
}

/// Whether a prepared statement cannot be executed any more: its result would be another one ("cached plan must not
/// change result type"), or the server does not know it.
fn is_stale(failure: &Failure) -> bool {
    matches!(failure.sqlstate(), Some("0A000" | "26000"))
}

/// The SQL, unless it has a NUL, with which it would end for the server.
pub(super) fn without_nul<T: AsRef<str>>(sql: T) -> QueryResult<T> {
    match sql.as_ref().find('\0') {
        None => Ok(sql),
        Some(_) => CString::new(sql.as_ref()).map(|_| sql).map_err(DieselError::InvalidCString),
    }
}
