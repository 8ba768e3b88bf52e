//! A connection of our own to PostgreSQL, which reads message by message.
//!
//! `options.rs` reads the URL, `login.rs` logs in with its neighbours `reach.rs`, `authentication.rs`, `channel_binding.rs`
//! and `refusal.rs`, `messages.rs` cuts the bytes into messages, `wire.rs` sends requests and
//! reads answers, `column.rs` and `row.rs` are what comes, `session.rs` makes a session what it shall be,
//! `statement.rs` runs Diesel's statements, `transaction.rs` says what failures mean, `abandon.rs` ends results that are not wanted any more, `cancel.rs` ends them
//! from elsewhere, `portal.rs` is what streams are made of, `user_types.rs` looks up types made by users, `copy.rs` stores many rows; here it becomes a connection of Diesel's, and in `roles.rs`
//! whatever else Diesel's programs want of one.

mod abandon;
mod authentication;
mod cancel;
mod channel_binding;
mod column;
mod copy;
mod cursor;
mod error;
#[cfg(test)]
mod hostile;
mod login;
mod messages;
mod options;
mod portal;
mod reach;
mod refusal;
mod roles;
mod row;
mod session;
mod statement;
mod transaction;
pub(crate) mod user_types;
mod wire;

use std::{
    fmt,
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
};

use diesel::{
    ConnectionResult, QueryResult,
    connection::{
        AnsiTransactionManager, CacheSize, Connection, ConnectionSealed, DebugQuery, DefaultLoadingMode,
        DynInstrumentation, Instrumentation, InstrumentationEvent, LoadConnection, SimpleConnection, StrQueryHelper,
    },
    debug_query,
    expression::QueryMetadata,
    pg::{GetPgMetadataCache, Pg, PgMetadataCache},
    query_builder::{Query, QueryFragment, QueryId},
};

pub use self::{
    cancel::PgCancelToken,
    cursor::PgCursor,
    row::{PgField, PgRow},
};
pub(crate) use self::{
    copy::{Copied, CopyTarget, Lookup},
    error::kind_of_information,
    options::Options,
    portal::Portal,
    row::RowRef,
    statement::Ticket,
};
#[cfg(feature = "libpq")]
pub(crate) use self::{error::unknown_outcome, wire::WORDS};
use self::{
    statement::{Prepared, without_nul},
    wire::Wire,
};
use crate::{
    database::{Settings, url::DatabaseUrl},
    error::{Error, ErrorKind, Result},
    net::{established::establish, socket::Deadline, statements::Statements, tls::Tls},
};

/// A connection to PostgreSQL that reads each row from the wire when it is asked for.
///
/// It is a full [`diesel::Connection`] of the backend [`Pg`], in Rust from end to end: no C library is needed. `load`
/// and `load_iter` never hold more than the row in hand and the next one; collecting rows is the caller's choice. A statement
/// is executed to its end, as with Diesel's own connection, so an iterator that is dropped early reads what is left. The
/// streams of this crate's querysets, which only read, end at once; and [`cancel_token`](Self::cancel_token) ends any
/// statement.
///
/// The state of a transaction is what the server says it is. `COMMIT` is an error where the server answers it with
/// `ROLLBACK`, because a statement of the transaction had failed, and nobody noticed.
///
/// # URLs
///
/// `postgres://user:password@host:port/database?option=value`, or `postgresql://`, or libpq's
/// `host=localhost dbname=flights password='s3 cret'`. Several hosts are separated by commas; a host that begins with
/// `/` (in a URL `%2F`) is the folder of a Unix socket. What is not said is taken from libpq's variables (`PGHOST`,
/// `PGUSER`, `PGSSLMODE` …) and files (`~/.pgpass`, `~/.postgresql`); the user is then whoever runs the program, the
/// database is called as the user, and the host is `/var/run/postgresql`, if it is there, or `localhost`. An unknown
/// option is an error, and so is one of libpq's that asks for what is not done here.
///
/// | option | |
/// | --- | --- |
/// | `user`, `password`, `host`, `hostaddr`, `port`, `dbname`, `passfile` | as in libpq; they go before what stands before the `?` |
/// | `sslmode` | `disable`; `allow`: encrypted if the server insists; `prefer` (the default): encrypted if the server can; `require`: encrypted; `verify-ca`: and the certificate is signed by an authority of `sslrootcert`; `verify-full`: and it is for this host |
/// | `sslrootcert` | a file of authorities, or `system`; `~/.postgresql/root.crt` where nothing is said, and where that is not there, `verify-full` takes the system's |
/// | `sslcert`, `sslkey`, `sslcertmode` | the client's own certificate and key; `sslcertmode=disable` shows none |
/// | `sslnegotiation` | `direct` begins TLS at once, as PostgreSQL 17 can |
/// | `sslsni`, `ssl_min_protocol_version`, `ssl_max_protocol_version` | as in libpq; TLS 1.2 and 1.3 are spoken |
/// | `channel_binding` | `prefer` (the default), `require` or `disable`: whether SCRAM is bound to the server's certificate |
/// | `require_auth` | the ways to log in that the server may ask for, of `password`, `md5`, `scram-sha-256` and `none`; or, each with a `!`, those that it may not |
/// | `target_session_attrs` | `any` (the default), `read-write`, `read-only`, `primary`, `standby`, `prefer-standby` |
/// | `load_balance_hosts` | `random` tries hosts, and their addresses, in any order |
/// | `connect_timeout` | in seconds, for all hosts together, each of which has its share, and without the look-up of their names; 10 where nothing else is said, and `0` waits for ever |
/// | `read_timeout`, `write_timeout` | in seconds, for the server's silence; none where nothing is said |
/// | `keepalives`, `keepalives_idle`, `keepalives_interval`, `keepalives_count`, `tcp_user_timeout` | as in libpq; where nothing is said, the system asks after a minute of silence, and gives up two minutes after data that nobody acknowledges |
/// | `application_name`, `fallback_application_name`, `options` | as in libpq; a limit that `options` sets goes before [`Builder`](crate::Builder)'s |
/// | `statement_cache_size` | how many prepared statements are kept, 100 unless it is said; `0` is for what stands before a server and gives each transaction another session |
///
/// TLS differs from libpq's in two ways. A handshake that fails is an error, also with `prefer`: nothing goes over that
/// server's wire in the clear instead, unless the server says that it has no TLS, or lets nobody in who comes by TLS. And
/// a file of authorities that is named while nothing is checked, with `allow` or `prefer`, is an error. As with libpq, a
/// Unix socket is never encrypted, and `require` is like `verify-ca` where there is a file of authorities.
///
/// # Logging in
///
/// By SCRAM-SHA-256 (of at most 100,000 iterations), with and without channel binding, by MD5, by a certificate, and by
/// the password itself. That is sent over TLS or a Unix socket, and over an open network only where `require_auth` names
/// `password`; only `verify-full`, or a Unix socket, makes sure that it is this server that gets it. A server that offers
/// channel binding gets it, or no login. Kerberos (GSSAPI, SSPI), OAuth and client keys with a password are not known.
///
/// Whoever refuses the user, the password or the database ends the search for a server; who is not there, not ready, full
/// or not of the kind that is wanted does not.
///
/// # Poolers
///
/// By way of PgBouncer in transaction mode, all goes as on the server itself: streams, transactions, ending a result
/// early, cancelling. The releases before 1.21, and those that `max_prepared_statements = 0` tells so, have no prepared
/// statements for clients: with them the URL says `statement_cache_size=0`. Without it a statement may fail there, in a
/// transaction above all, but none runs in another's place. The limits of [`Builder`](crate::Builder) and `options` are
/// refused by PgBouncer, which would lose them; they can be set for the user, by `ALTER ROLE`. What raw SQL sets, locks or
/// prepares for a session, it does for whoever has the server's session next.
///
/// # Beside Diesel's own
///
/// Whatever is written for `diesel::PgConnection` works with this type in its place, in Diesel's pool, its migrations and
/// `#[derive(MultiConnection)]` as well. These are the differences:
///
/// - Options of libpq that are not done here are refused, as said above.
/// - At most `statement_cache_size` prepared statements are kept; those that have not been used for longest make room.
///   Diesel keeps all. One that the server refuses, because a table was changed or the server has forgotten it, is prepared
///   again; in a transaction, which such a refusal has failed, the error says so.
/// - `batch_execute` of nothing is no error.
/// - `PgRowByRowLoadingMode`, `copy_from`, `copy_to` and notifications are Diesel's connection's alone (rows are read one by
///   one here in any case). A statement that would copy is an error.
/// - A pool is told that the connection is broken while a transaction is open that SQL of the caller's own has begun.
/// - Notices go to the crate `log`: warnings as such, and others for debugging.
/// - `client_encoding` must stay `UTF8`; the connection is given up where it is changed.
/// - Instrumentation is told the URL without its password.
///
/// # Errors
///
/// An error's `message`, `hint`, table, column, constraint and position are the server's own; `details` is its detail and
/// its SQLSTATE, as in `Key (id)=(1) already exists. (SQLSTATE 23505)`.
///
/// A connection that is lost is `DatabaseErrorKind::ClosedConnection`, with the server's reason and its SQLSTATE if it gave one,
/// also where the reason was received after a write had failed. If a COMMIT, or a write outside of a transaction, was sent and
/// not answered, `details` begins with `the outcome is unknown`.
///
/// ```no_run
/// use diesel::{Connection, QueryableByName, RunQueryDsl, sql_query, sql_types::BigInt};
///
/// #[derive(QueryableByName)]
/// struct Number {
///     #[diesel(sql_type = BigInt)]
///     n: i64,
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut connection = orm_core::PgConnection::establish("postgres://me:secret@localhost/flights")?;
/// let numbers = sql_query("SELECT n FROM generate_series(1, 1000000::bigint) AS n");
/// for number in numbers.load_iter::<Number, _>(&mut connection)? {
///     println!("{}", number?.n);
/// }
/// # Ok(())
/// # }
/// ```
pub struct PgConnection {
    // What is large is boxed, so that the connection itself is small to move.
    wire: Box<Wire>,
    options: Arc<Options>,
    statements: Box<Statements<Prepared>>,
    /// The number in the name of the statement that was prepared last. The first is chosen at random: poolers give
    /// several connections one session, and none may run the statement that another has prepared there.
    prepared: u64,
    types: PgMetadataCache,
    transaction: AnsiTransactionManager,
    instrumentation: DynInstrumentation,
}

impl PgConnection {
    /// Connects and logs in.
    pub(crate) fn open(options: Options) -> Result<Self> {
        let tls = Tls::new(options.tls())?;
        let deadline = Deadline::after(options.timeouts.connect);
        let mut wire = Wire::new(login::log_in(&options, tls.as_ref(), deadline)?);
        if options.parameters.iter().any(|(name, _)| *name == "statement_timeout") {
            wire.begin_with_time_limit();
        }
        wire.set_timeouts(&options.timeouts).map_err(|failure| {
            Error::new(ErrorKind::Connection, "the connection's time limits cannot be set").with_source(failure)
        })?;
        Ok(PgConnection {
            wire: Box::new(wire),
            statements: Box::new(Statements::new(options.statement_cache_size)),
            options: Arc::new(options),
            prepared: RandomState::new().build_hasher().finish(),
            types: PgMetadataCache::new(),
            transaction: AnsiTransactionManager::default(),
            instrumentation: DynInstrumentation::default_instrumentation(),
        })
    }

    /// The server's version as it writes it, such as `17.2 (Debian 17.2-1)`.
    pub fn server_version(&self) -> &str {
        self.wire.version()
    }

    /// What cancels a statement of this connection from another thread.
    ///
    /// ```no_run
    /// use diesel::{Connection, RunQueryDsl, sql_query};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut connection = orm_core::PgConnection::establish("postgres://me:secret@localhost/flights")?;
    /// let token = connection.cancel_token();
    /// std::thread::spawn(move || token.cancel());
    /// // It ends with an error, whose `details` tells SQLSTATE 57014.
    /// let _ = sql_query("SELECT pg_sleep(3600)").execute(&mut connection);
    /// # Ok(())
    /// # }
    /// ```
    pub fn cancel_token(&self) -> PgCancelToken {
        self.wire.cancel().clone()
    }

    /// Reads the next row of the statement; `false` after the last one.
    #[inline]
    fn next_row(&mut self) -> QueryResult<bool> {
        let row = self.wire.next_row();
        if let Ok(true) = row { Ok(true) } else { self.checked(row) }
    }

    /// Reads on to the next row, or to the end, without letting go of the row that was given last.
    fn look_ahead(&mut self) -> QueryResult<()> {
        let ahead = self.wire.look_ahead();
        if ahead.is_ok() && self.wire.is_busy() { Ok(()) } else { self.checked(ahead) }
    }

    /// The row in hand, where it was received.
    #[inline]
    pub(crate) fn row(&self) -> RowRef<'_> {
        self.wire.row()
    }

    /// Tells the instrumentation of a statement.
    /// Runs a statement up to its first row.
    fn execute_observed<T: QueryFragment<Pg>>(&mut self, source: &T) -> QueryResult<()> {
        self.observed(&debug_query::<Pg, _>(source), |connection| connection.send(source))
    }

    fn observed<T>(&mut self, query: &dyn DebugQuery, f: impl FnOnce(&mut Self) -> QueryResult<T>) -> QueryResult<T> {
        self.instrumentation.on_connection_event(InstrumentationEvent::start_query(query));
        let answer = f(self);
        self.instrumentation.on_connection_event(InstrumentationEvent::finish_query(query, answer.as_ref().err()));
        answer
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
        let open = |url: DatabaseUrl| Options::new(&url, &Settings::default()).and_then(Self::open);
        let (connection, instrumentation) = establish(url, "postgres", open)?;
        Ok(PgConnection { instrumentation, ..connection })
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
        self.execute_observed(&source)?;
        Ok(PgCursor::new(self))
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
