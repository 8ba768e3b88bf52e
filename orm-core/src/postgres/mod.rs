//! A connection of our own to PostgreSQL, which reads message by message.
//!
//! `options.rs` reads the URL, `login.rs` logs in, `messages.rs` cuts the bytes into messages, `wire.rs` sends requests and
//! reads answers, `column.rs` and `row.rs` are what comes, `session.rs` makes a session what it shall be,
//! `transaction.rs` says what failures mean, `abandon.rs` ends results that are not wanted any more, `cancel.rs` ends them
//! from elsewhere, `portal.rs` is what streams are made of, `copy.rs` stores many rows; here it becomes a connection of Diesel's, and in `roles.rs`
//! whatever else Diesel's programs want of one.

mod abandon;
mod authentication;
mod cancel;
mod channel_binding;
mod column;
mod copy;
mod cursor;
mod error;
mod login;
mod messages;
mod options;
mod portal;
mod reach;
mod reader;
mod refusal;
mod roles;
mod row;
mod session;
mod transaction;
mod wire;

use std::{ffi::CString, fmt, result::Result as StdResult, sync::Arc};

use diesel::{
    ConnectionError, ConnectionResult, QueryResult,
    connection::{
        AnsiTransactionManager, CacheSize, Connection, ConnectionSealed, DebugQuery, DefaultLoadingMode,
        DynInstrumentation, Instrumentation, InstrumentationEvent, LoadConnection, SimpleConnection, StrQueryHelper,
    },
    debug_query,
    expression::QueryMetadata,
    pg::{GetPgMetadataCache, Pg, PgMetadataCache, PgQueryBuilder, PgTypeMetadata},
    query_builder::{Query, QueryBuilder, QueryFragment, QueryId, bind_collector::RawBytesBindCollector},
    result::Error as DieselError,
};

pub use self::{
    cancel::PgCancelToken,
    cursor::PgCursor,
    row::{PgField, PgRow},
};
use self::{
    column::Column,
    error::Failure,
    wire::{Parameters, Statement, StatementId, Status, Wire},
};
pub(crate) use self::{
    copy::{Copied, CopyTarget},
    error::kind_of_information,
    options::Options,
    portal::Portal,
    row::RowRef,
};
use crate::{
    database::{Settings, url::DatabaseUrl},
    error::{Error, ErrorKind, Result},
    net::{
        socket::Deadline,
        statements::{Kept, Statements},
        tls::Tls,
    },
};

/// A connection to PostgreSQL that reads each row from the wire when it is asked for.
///
/// It is a full [`diesel::Connection`] of the backend [`Pg`], in Rust from end to end: no C library is needed.
pub struct PgConnection {
    // What is large is boxed, so that the connection itself is small to move.
    wire: Box<Wire>,
    options: Arc<Options>,
    statements: Statements<Prepared>,
    /// How many statements have been prepared, by which they are named.
    prepared: u64,
    types: PgMetadataCache,
    transaction: AnsiTransactionManager,
    /// The last statement does nothing but read, so that it may be ended before its end.
    only_reads: bool,
    instrumentation: DynInstrumentation,
}

/// A statement that the server has prepared.
#[derive(Clone, Debug)]
struct Prepared {
    id: StatementId,
    /// The types of its parameters.
    types: Arc<[u32]>,
    columns: Arc<[Column]>,
}

impl PgConnection {
    /// Connects and logs in.
    pub(crate) fn open(options: Options) -> Result<Self> {
        let tls = Tls::new(options.tls())?;
        let deadline = Deadline::after(options.timeouts.connect);
        let mut wire = Wire::new(login::log_in(&options, tls.as_ref(), deadline)?);
        wire.set_timeouts(&options.timeouts).map_err(|failure| {
            Error::new(ErrorKind::Connection, "the connection's time limits cannot be set").with_source(failure)
        })?;
        Ok(PgConnection {
            wire: Box::new(wire),
            statements: Statements::new(options.statement_cache_size),
            options: Arc::new(options),
            prepared: 0,
            types: PgMetadataCache::new(),
            transaction: AnsiTransactionManager::default(),
            only_reads: false,
            instrumentation: DynInstrumentation::default_instrumentation(),
        })
    }

    /// The server's version as it writes it, such as `17.2 (Debian 17.2-1)`.
    pub fn server_version(&self) -> &str {
        self.wire.version()
    }

    /// What cancels a statement of this connection from another thread.
    pub fn cancel_token(&self) -> PgCancelToken {
        self.wire.cancel().clone()
    }

    /// Reads the next row of the statement; `false` after the last one.
    #[inline]
    fn next_row(&mut self) -> QueryResult<bool> {
        let row = self.wire.next_row();
        if let Ok(true) = row { Ok(true) } else { self.checked(row) }
    }

    /// The row in hand, where it was received.
    #[inline]
    pub(crate) fn row(&self) -> RowRef<'_> {
        self.wire.row()
    }

    /// The SQL of a statement and its values.
    fn written<T: QueryFragment<Pg>>(&mut self, source: &T) -> QueryResult<(String, Parameters)> {
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
    fn send<T: QueryFragment<Pg>>(&mut self, source: &T) -> QueryResult<()> {
        self.finish();
        let (sql, parameters) = self.written(source)?;
        let keep = source.is_safe_to_cache_prepared(&Pg)? && self.statements.keeps();
        self.only_reads = abandon::only_reads(&sql);
        let answer = if keep { self.execute_kept(&sql, &parameters) } else { self.execute_once(&sql, &parameters) };
        self.checked(answer)
    }

    fn execute_once(&mut self, sql: &str, parameters: &Parameters) -> StdResult<(), Failure> {
        let statement = Statement { id: StatementId::UNNAMED, columns: None };
        self.wire.execute(&statement, parameters, sql)?.failure.map_or(Ok(()), Err)
    }

    fn execute_kept(&mut self, sql: &str, parameters: &Parameters) -> StdResult<(), Failure> {
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
            if self.wire.status() != Status::Idle {
                return Err(failure.with_hint(
                    "a table of this statement was changed since it was prepared; run the transaction again",
                ));
            }
        }
        self.instrumentation.on_connection_event(InstrumentationEvent::cache_query(sql));
        self.prepared += 1;
        let id = StatementId::new(self.prepared);
        let executed = self.wire.execute(&Statement { id, columns: None }, parameters, sql)?;
        if let Some(columns) = executed.prepared {
            let prepared = Prepared { id, types: parameters.types.as_slice().into(), columns };
            if let Kept::Yes { instead_of: Some(old) } = self.statements.keep(sql, prepared) {
                self.wire.forget(old.id);
            }
        }
        executed.failure.map_or(Ok(()), Err)
    }

    /// Tells the instrumentation of a statement.
    fn observed<T>(&mut self, query: &dyn DebugQuery, f: impl FnOnce(&mut Self) -> QueryResult<T>) -> QueryResult<T> {
        self.instrumentation.on_connection_event(InstrumentationEvent::start_query(query));
        let answer = f(self);
        self.instrumentation.on_connection_event(InstrumentationEvent::finish_query(query, answer.as_ref().err()));
        answer
    }
}

/// Whether a prepared statement cannot be executed any more: its result would be another one ("cached plan must not
/// change result type"), or the server does not know it.
fn is_stale(failure: &Failure) -> bool {
    matches!(failure.sqlstate(), Some("0A000" | "26000"))
}

/// The SQL, unless it has a NUL, with which it would end for the server.
fn without_nul<T: AsRef<str>>(sql: T) -> QueryResult<T> {
    match sql.as_ref().find('\0') {
        None => Ok(sql),
        Some(_) => CString::new(sql.as_ref()).map(|_| sql).map_err(DieselError::InvalidCString),
    }
}

impl ConnectionSealed for PgConnection {}

impl SimpleConnection for PgConnection {
    fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        self.observed(&StrQueryHelper::new(query), |connection| {
            connection.finish();
            without_nul(query)?;
            let answer = connection.wire.query(query);
            connection.checked(answer)
        })
    }
}

impl Connection for PgConnection {
    type Backend = Pg;
    type TransactionManager = AnsiTransactionManager;

    fn establish(url: &str) -> ConnectionResult<Self> {
        let mut instrumentation = DynInstrumentation::default_instrumentation();
        // With `…` in place of the password.
        let shown = DatabaseUrl::parse(url).map_or_else(|_| "postgres:…".to_owned(), |url| format!("{url:?}"));
        instrumentation.on_connection_event(InstrumentationEvent::start_establish_connection(&shown));
        let connection = DatabaseUrl::parse(url)
            .and_then(|url| Options::new(&url, &Settings::default()))
            .and_then(Self::open)
            .map_err(|error| match error.kind() {
                ErrorKind::Configuration => ConnectionError::InvalidConnectionUrl(format!("{error:?}")),
                _ => ConnectionError::BadConnection(format!("{error:?}")),
            });
        let error = connection.as_ref().err();
        instrumentation.on_connection_event(InstrumentationEvent::finish_establish_connection(&shown, error));
        connection.map(|connection| PgConnection { instrumentation, ..connection })
    }

    fn execute_returning_count<T>(&mut self, source: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        self.observed(&debug_query::<Pg, _>(source), |connection| {
            connection.send(source)?;
            let rest = connection.wire.skip_all();
            connection.checked(rest)?;
            let affected = connection.wire.affected().unwrap_or(0);
            Ok(usize::try_from(affected).unwrap_or(usize::MAX))
        })
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        &mut self.transaction
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        &mut *self.instrumentation
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.instrumentation = instrumentation.into();
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        for statement in self.statements.resize(size) {
            self.wire.forget(statement.id);
        }
    }
}

impl LoadConnection<DefaultLoadingMode> for PgConnection {
    type Cursor<'conn, 'query> = PgCursor<'conn>;
    type Row<'conn, 'query> = PgRow;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> QueryResult<PgCursor<'conn>>
    where
        T: Query + QueryFragment<Pg> + QueryId + 'query,
        Pg: QueryMetadata<T::SqlType>,
    {
        self.observed(&debug_query::<Pg, _>(&source), |connection| connection.send(&source))?;
        Ok(PgCursor { connection: self, ended: false })
    }
}

impl GetPgMetadataCache for PgConnection {
    fn get_metadata_cache(&mut self) -> &mut PgMetadataCache {
        &mut self.types
    }
}

impl fmt::Debug for PgConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgConnection")
            .field("version", &self.server_version())
            .field("lost", &self.wire.is_lost())
            .finish_non_exhaustive()
    }
}
