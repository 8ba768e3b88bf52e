//! A connection of our own to MySQL and MariaDB, which reads packet by packet.
//!
//! `options.rs` reads the URL, `handshake.rs` logs in, `packets.rs` cuts the bytes into packets, `wire.rs` sends commands
//! and reads answers, and `wire/pipeline.rs` sends several in one write; `parameters.rs` and `row.rs` are the values in either direction,
//! `session.rs` sets up a session, `transaction.rs` says what failures mean, `abandon.rs` ends results early, by the connection of
//! `killer.rs`; here it becomes a connection of Diesel's, and in `roles.rs` whatever else Diesel's programs want of one.

mod abandon;
mod column;
mod cursor;
mod error;
mod handshake;
#[cfg(test)]
mod hostile;
mod killer;
mod options;
mod packets;
mod parameters;
mod reader;
mod roles;
mod row;
mod session;
mod transaction;
mod version;
mod wire;

use std::{fmt, result::Result as StdResult, sync::Arc};

use diesel::{
    ConnectionResult, QueryResult,
    connection::{
        AnsiTransactionManager, CacheSize, Connection, ConnectionSealed, DebugQuery, DefaultLoadingMode,
        DynInstrumentation, Instrumentation, InstrumentationEvent, LoadConnection, SimpleConnection, StrQueryHelper,
    },
    debug_query,
    expression::QueryMetadata,
    mysql::{Mysql, MysqlQueryBuilder},
    query_builder::{Query, QueryBuilder, QueryFragment, QueryId, bind_collector::RawBytesBindCollector},
    result::Error as DieselError,
};

pub use self::{
    cursor::MysqlCursor,
    row::{MysqlField, MysqlRow},
};
use self::{
    error::Failure,
    parameters::Parameter,
    session::Place,
    wire::{Answer, Prepared, UNKNOWN_STATEMENT, UNSUPPORTED, Values, Wire},
};
pub(crate) use self::{
    error::kind_of_details, killer::Killer, options::Options, parameters::literal_of_time, row::RowRef,
    version::Version, wire::Begin,
};
use crate::{
    database::{Settings, url::DatabaseUrl},
    error::{Error, ErrorKind, Result},
    net::{
        effects,
        established::establish,
        socket::Deadline,
        statements::{KEPT, Kept, Statements, begins_with},
        tls::Tls,
    },
};

/// The server prepares the statement again by itself when a table has changed; if that fails several times it says so.
const MUST_BE_PREPARED_AGAIN: u16 = 1615;

/// A connection to MySQL or MariaDB that reads each row from the wire when it is asked for.
///
/// It is a full [`diesel::Connection`] of the backend [`Mysql`], in Rust from end to end: no C library is needed. `load`
/// and `load_iter` never hold more than the row in hand; collecting rows is the caller's choice. An iterator that is
/// dropped early ends its SELECT on the server (by `KILL QUERY` from a second connection, which the server must accept; it is kept
/// for a minute, one for all connections of a [`Database`](crate::Database)), or else gives the connection up, so that a pool replaces it. A statement that may write, such as
/// `CALL`, `INSERT … RETURNING` or a SELECT that calls a function of the user's own, is not cut short: what it returns is read
/// to its end, and dropped.
///
/// After a deadlock, or whatever else makes the server roll back a transaction that Diesel has begun, the connection sends
/// nothing before the transaction is rolled back here as well: nothing that comes after the failure runs outside of a
/// transaction by mistake. (A CREATE TABLE that succeeds commits, here as ever, and Diesel's migrations count on it. The
/// transactions of this crate's own [`Database`](crate::Database) refuse whatever comes after one.)
///
/// # URLs
///
/// `mysql://user:password@host:port/database?option=value`, or `mariadb://`. An unknown option is an error.
///
/// | option | |
/// | --- | --- |
/// | `ssl_mode` | `disabled`; `preferred` (the default): encrypted where the server can; `required`: encrypted; `verify_ca`: and the certificate is signed by a known authority; `verify_identity`: and it is for this host |
/// | `ssl_ca` | a file of authorities, instead of the system's |
/// | `ssl_cert`, `ssl_key` | the client's own certificate and key |
/// | `connect_timeout` | in seconds, for all of connecting but the look-up of the host's name; 10 where nothing else is said |
/// | `read_timeout`, `write_timeout` | in seconds, for the server's silence; none where nothing is said |
/// | `compress` | `true` or `false` |
/// | `unix_socket` | the path of a socket, instead of host and port |
/// | `enable_cleartext_plugin` | `true` lets the server have the password itself, over TLS or a Unix socket |
///
/// # Sessions
///
/// Text is UTF-8 (utf8mb4) and the time zone UTC. `sql_mode` has STRICT_ALL_TABLES, so that a value that does not fit its
/// column is an error (fractions of seconds and of decimals are still rounded to the column's), and NO_AUTO_VALUE_ON_ZERO,
/// so that a key of 0 is stored as such (NULL and DEFAULT make a new one). `LOAD DATA LOCAL` is not supported: no server
/// gets a file of this machine.
///
/// # Logging in
///
/// By `mysql_native_password`, `caching_sha2_password` and `client_ed25519`; by `mysql_clear_password` where
/// `enable_cleartext_plugin` allows it. With `caching_sha2_password`, a server that does not remember the user wants the
/// password itself: it gets it over TLS or a Unix socket, and not otherwise (an exchange of RSA keys is not supported).
/// Only `verify_identity`, or a Unix socket, makes sure that it is this server that gets it.
///
/// # Beside Diesel's own
///
/// Whatever is written for `diesel::MysqlConnection` works with this type in its place, in Diesel's pool, its migrations
/// and `#[derive(MultiConnection)]` as well. These are the differences:
///
/// - `localhost` is reached by TCP as any host is; a Unix socket is named by `unix_socket`. Options that are not in the
///   table above are refused, where Diesel passes over them.
/// - Sessions are strict, as said above.
/// - At most 100 prepared statements are kept for each connection; those that have not been used for longest make room.
///   Diesel keeps all, and a server has room for 16,382 unless it is told otherwise. Statements that Diesel would prepare each
///   time, such as `sql_query` or lists of some length, are kept, too, unless they are longer than 1,900 bytes: in a quarter of
///   the room until they are repeated.
/// - On MariaDB, a statement is prepared and executed in one round trip, unless the statement that was prepared before may write.
/// - `batch_execute` gives errors their kinds, too. MariaDB's CHECK constraints have theirs, and a lost connection is
///   `DatabaseErrorKind::ClosedConnection`.
/// - After a deadlock nothing is sent before the transaction is rolled back here, as said above. A transaction that is
///   begun by SQL of the caller's own, and not by [`Connection::transaction`], is the caller's own to look after.
/// - A pool is told that the connection is broken while a transaction is open that SQL of the caller's own has begun, and
///   while `autocommit` is off.
/// - Of a statement with several results, such as `CALL`, `load` gives the first.
/// - Instrumentation is told the URL without its password.
///
/// Where a server waits for `net_write_timeout` (a minute, unless it is told otherwise) until the next row is asked for,
/// it ends the connection. Streams of this crate's querysets see to that by themselves; whoever takes his time over
/// `load_iter` sets it higher, as in `SET net_write_timeout = 3600`.
///
/// Diesel reads no negative TIME, and a date with a zero in it, such as `2024-00-10`, only as
/// [`MysqlTime`](diesel::mysql::data_types::MysqlTime); either is an error, and the connection goes on.
///
/// # Errors
///
/// An error's `message` is the server's own; `details` tells its number and SQLSTATE, as in
/// `error 1213, SQLSTATE 40001`.
///
/// A connection that is lost is `DatabaseErrorKind::ClosedConnection`, with the server's reason and its SQLSTATE if it gave one.
/// If a COMMIT, a write outside of a transaction, or a statement that commits implicitly, was sent and not answered, `details`
/// begins with `the outcome is unknown`.
///
/// ```no_run
/// use diesel::{Connection, QueryableByName, RunQueryDsl, sql_query, sql_types::BigInt};
///
/// #[derive(QueryableByName)]
/// struct Number {
///     #[diesel(sql_type = BigInt)]
///     seq: i64,
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut connection = orm_core::MysqlConnection::establish("mysql://me:secret@localhost/flights")?;
/// for number in sql_query("SELECT seq FROM seq_1_to_1000000000").load_iter::<Number, _>(&mut connection)?.take(10) {
///     println!("{}", number?.seq);
/// }
/// # Ok(())
/// # }
/// ```
pub struct MysqlConnection {
    // What is large is boxed, so that the connection itself is small to move.
    wire: Box<Wire>,
    /// Where a second connection finds this one; `None` where it cannot be told from others.
    place: Option<Place>,
    options: Box<Options>,
    tls: Option<Tls>,
    /// Ends statements early.
    killer: Arc<Killer>,
    statements: Statements<Prepared>,
    transaction: AnsiTransactionManager,
    /// The server has ended the transaction that is open here.
    rolled_back: bool,
    /// The last statement does nothing but read, so that it may be ended before its end.
    only_reads: bool,
    instrumentation: DynInstrumentation,
}

impl MysqlConnection {
    /// Connects, logs in, and makes the session what the documentation says.
    pub(crate) fn open(options: Options, killer: Arc<Killer>) -> Result<Self> {
        let tls = Tls::new(&options.tls)?;
        let deadline = Deadline::after(options.timeouts.connect);
        let mut wire = Wire::new(handshake::log_in(&options, tls.as_ref(), deadline)?);
        let place = session::set_up(&mut wire, &options).map_err(|failure| {
            Error::new(ErrorKind::Connection, "the session cannot be set up").with_source(DieselError::from(failure))
        })?;
        wire.set_timeouts(&options.timeouts).map_err(|failure| {
            Error::new(ErrorKind::Connection, "the connection's time limits cannot be set").with_source(failure)
        })?;
        Ok(MysqlConnection {
            wire: Box::new(wire),
            place,
            options: Box::new(options),
            tls,
            killer,
            statements: Statements::new(KEPT),
            transaction: AnsiTransactionManager::default(),
            rolled_back: false,
            only_reads: false,
            instrumentation: DynInstrumentation::default_instrumentation(),
        })
    }

    /// The server's version as it writes it, such as `8.4.3` or `10.11.19-MariaDB`.
    pub fn server_version(&self) -> &str {
        self.wire.version()
    }

    /// Whether a transaction is open, as the server said with its last answer, or begins with the next statement.
    pub(crate) fn in_transaction(&self) -> bool {
        self.wire.in_transaction() || self.wire.is_beginning()
    }

    /// The key that the last statement has stored in an `AUTO_INCREMENT` column, as the server's answer to it said; 0 if none.
    /// (`LAST_INSERT_ID()` may still tell of an earlier one.)
    pub(crate) fn last_insert_id(&self) -> u64 {
        self.wire.last_insert_id()
    }

    /// Whether a row of this statement was read, since it was prepared. (If a table is changed, the server prepares it anew by
    /// itself; then a row may be stored that cannot be read, and the error says so.)
    pub(crate) fn was_read(&mut self, sql: &str) -> bool {
        self.statements.get_mut(sql).is_some_and(|statement| statement.was_read)
    }

    /// Takes note that a row of this statement was read.
    pub(crate) fn note_read(&mut self, sql: &str) {
        if let Some(statement) = self.statements.get_mut(sql) {
            statement.was_read = true;
        }
    }

    /// Sends a queryset's query, whose rows are then to be had by [`next_row`](Self::next_row). It is taken to read, whichever
    /// functions it calls.
    pub(crate) fn start<T>(&mut self, source: &T) -> QueryResult<()>
    where
        T: QueryFragment<Mysql>,
    {
        self.observed(&debug_query::<Mysql, _>(source), |connection| connection.send_as(source, Some(true)))?;
        Ok(())
    }

    /// Reads the next row; `false` after the last one.
    #[inline]
    pub(crate) fn next_row(&mut self) -> QueryResult<bool> {
        match self.wire.next_row() {
            Ok(true) => Ok(true),
            other => self.no_row(other),
        }
    }

    /// The row in hand, where it was received.
    #[inline]
    pub(crate) fn row(&self) -> RowRef<'_> {
        self.wire.row()
    }

    /// The end, or an error.
    #[cold]
    fn no_row(&mut self, end: StdResult<bool, Failure>) -> QueryResult<bool> {
        let rest = end.and_then(|_| match self.only_reads {
            true => self.wire.check_single_result().map(|()| false),
            // A procedure may give several results; the first is what was asked for.
            false => self.wire.skip_all().map(|_| false),
        });
        self.checked(rest)
    }

    /// Runs a statement as a prepared one, and says how many rows it changed; `None` if it gives rows.
    fn send<T: QueryFragment<Mysql>>(&mut self, source: &T) -> QueryResult<Option<u64>> {
        self.send_as(source, None)
    }

    /// The same, of a statement of which it may be known whether it only reads.
    fn send_as<T: QueryFragment<Mysql>>(&mut self, source: &T, only_reads: Option<bool>) -> QueryResult<Option<u64>> {
        let (sql, values) = (sql_of(source)?, values_of(source)?);
        let keep = source.is_safe_to_cache_prepared(&Mysql)?;
        let answer = self.run(|connection| {
            connection.only_reads = only_reads.unwrap_or_else(|| effects::only_reads(&sql));
            connection.execute_prepared(&sql, Values::Once(&values), keep)
        });
        answer.map(|answer| match answer {
            Answer::Done { affected } => Some(affected),
            Answer::Rows => None,
        })
    }

    /// Executes a statement of one row for each row of another, which has all their values, at once; `None` if the server
    /// cannot.
    pub(crate) fn execute_for_rows<T, U>(&mut self, one: &T, all: &U, columns: usize) -> QueryResult<Option<u64>>
    where
        T: QueryFragment<Mysql>,
        U: QueryFragment<Mysql>,
    {
        let values = values_of(all)?;
        let rows = Values::Rows(&values, columns);
        if columns == 0 || values.len() % columns != 0 || !self.wire.executes_for(&values) {
            return Ok(None);
        }
        let sql = sql_of(one)?;
        self.observed(&debug_query::<Mysql, _>(one), |connection| {
            let answer = connection.run(|connection| {
                connection.only_reads = false;
                match connection.execute_prepared(&sql, rows, true) {
                    Err(failure) if failure.number() == Some(UNSUPPORTED) => {
                        connection.wire.has_no_bulk();
                        Ok(None)
                    }
                    answer => answer.map(Some),
                }
            });
            let Some(answer) = answer? else { return Ok(None) };
            let rows = connection.wire.skip_all();
            let rows = connection.checked(rows)?;
            Ok(Some(if let Answer::Done { affected } = answer { affected } else { rows }))
        })
    }

    fn execute_prepared(&mut self, sql: &str, values: Values<'_>, recurs: bool) -> StdResult<Answer, Failure> {
        if changes_meaning(sql) {
            self.forget_all();
        }
        if let Some(known) = self.statements.get(sql) {
            match self.wire.execute(known, values, sql, self.only_reads) {
                // Nothing has been done yet; this happens where a table was changed meanwhile.
                Err(failure) if matches!(failure.number(), Some(MUST_BE_PREPARED_AGAIN | UNKNOWN_STATEMENT)) => {
                    self.statements.remove(sql);
                    self.wire.forget(known);
                }
                answer => return answer,
            }
        }
        if recurs && self.statements.keeps() {
            self.instrumentation.on_connection_event(InstrumentationEvent::cache_query(sql));
        }
        let (prepared, answer) = self.wire.prepare_and_execute(sql, values, self.only_reads);
        if let Some(statement) = prepared {
            // What Diesel would prepare anew each time, because it evicts nothing, may well come again.
            let kept = match recurs {
                true => self.statements.keep(sql, statement),
                false => self.statements.keep_on_trial(sql, statement),
            };
            match kept {
                Kept::Yes { instead_of: None } => {}
                Kept::Yes { instead_of: Some(old) } => self.wire.forget(old),
                Kept::No => self.wire.forget(statement),
            }
        }
        answer
    }

    /// Lets the server forget all prepared statements.
    fn forget_all(&mut self) {
        self.statements.clear().into_iter().for_each(|statement| self.wire.forget(statement));
    }

    /// Tells the instrumentation of a statement.
    fn observed<T>(&mut self, query: &dyn DebugQuery, f: impl FnOnce(&mut Self) -> QueryResult<T>) -> QueryResult<T> {
        self.instrumentation.on_connection_event(InstrumentationEvent::start_query(query));
        let answer = f(self);
        self.instrumentation.on_connection_event(InstrumentationEvent::finish_query(query, answer.as_ref().err()));
        answer
    }
}

fn sql_of<T: QueryFragment<Mysql>>(source: &T) -> QueryResult<String> {
    let mut sql = MysqlQueryBuilder::default();
    source.to_sql(&mut sql, &Mysql)?;
    Ok(sql.finish())
}

fn values_of<T: QueryFragment<Mysql>>(source: &T) -> QueryResult<Vec<Parameter>> {
    let mut binds = RawBytesBindCollector::<Mysql>::new();
    source.collect_binds(&mut binds, &mut (), &Mysql)?;
    Ok(binds.metadata.into_iter().zip(binds.binds).collect())
}

/// Whether other statements may mean something else after this one, so that what is prepared must not be used any more.
fn changes_meaning(sql: &str) -> bool {
    begins_with(sql, &["USE"]) || (begins_with(sql, &["SET"]) && sql.to_ascii_lowercase().contains("sql_mode"))
}

impl ConnectionSealed for MysqlConnection {}

impl SimpleConnection for MysqlConnection {
    fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        self.observed(&StrQueryHelper::new(query), |connection| {
            if transaction::is_rollback(query) {
                connection.rolled_back = false;
            }
            connection.run(|connection| {
                if transaction::is_end(query) && connection.wire.end_unsent() {
                    return Ok(());
                }
                if !transaction::is_of_transactions(query) {
                    // It may choose another database, and what is prepared would go on with the tables of this one.
                    connection.forget_all();
                }
                connection.wire.query(query)?;
                connection.wire.skip_all().map(drop)
            })
        })
    }
}

impl Connection for MysqlConnection {
    type Backend = Mysql;
    type TransactionManager = AnsiTransactionManager;

    fn establish(url: &str) -> ConnectionResult<Self> {
        let open = |url: DatabaseUrl| {
            let options = Options::new(&url, &Settings::default())?;
            Self::open(options, Arc::default())
        };
        let (connection, instrumentation) = establish(url, "mysql", open)?;
        Ok(MysqlConnection { instrumentation, ..connection })
    }

    fn execute_returning_count<T>(&mut self, source: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Mysql> + QueryId,
    {
        self.observed(&debug_query::<Mysql, _>(source), |connection| {
            let affected = connection.send(source)?;
            // What follows is read before anything else is sent, so that an error in it belongs to this statement.
            let rows = connection.wire.skip_all();
            let rows = connection.checked(rows)?;
            Ok(usize::try_from(affected.unwrap_or(rows)).unwrap_or(usize::MAX))
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
            self.wire.forget(statement);
        }
    }
}

impl LoadConnection<DefaultLoadingMode> for MysqlConnection {
    type Cursor<'conn, 'query> = MysqlCursor<'conn>;
    type Row<'conn, 'query> = MysqlRow;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> QueryResult<MysqlCursor<'conn>>
    where
        T: Query + QueryFragment<Mysql> + QueryId + 'query,
        Mysql: QueryMetadata<T::SqlType>,
    {
        self.observed(&debug_query::<Mysql, _>(&source), |connection| connection.send(&source))?;
        Ok(MysqlCursor { connection: self, ended: false })
    }
}

impl fmt::Debug for MysqlConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MysqlConnection")
            .field("server", &self.options.address)
            .field("version", &self.wire.version())
            .field("lost", &self.wire.is_lost())
            .finish_non_exhaustive()
    }
}
