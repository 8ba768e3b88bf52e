//! What statements run on: a connection of ours, or one that a pool of the program's lends.

use std::{borrow::Cow, fmt};

use diesel::{
    ConnectionResult, QueryResult,
    connection::{
        AnsiTransactionManager, CacheSize, Connection, ConnectionSealed, DefaultLoadingMode, Instrumentation,
        LoadConnection, SimpleConnection, TransactionManager,
    },
    expression::QueryMetadata,
    pg::Pg,
    query_builder::{Query, QueryFragment, QueryId, bind_collector::RawBytesBindCollector},
    r2d2::R2D2Connection,
};

use crate::{
    database::adopted::Lent,
    postgres::{
        PgConnection, PgRow,
        user_types::{self, Loaded},
    },
};
#[cfg(feature = "libpq")]
use {
    super::inferred::with_literals,
    crate::postgres::user_types::{texts_among, users_among},
    diesel::row::{Field as _, Row},
};

/// A connection that statements run on.
#[doc(hidden)]
pub enum PgLink {
    /// Of our own pool.
    Own(PgConnection),
    /// Ours, of the program's pool.
    Lent(Lent<PgConnection>),
    /// Diesel's, of the program's pool.
    #[cfg(feature = "libpq")]
    Diesels(Lent<diesel::PgConnection>),
}

/// The same on either connection.
macro_rules! on_either {
    ($link:expr, $connection:ident => $body:expr) => {
        match $link {
            PgLink::Own($connection) => $body,
            PgLink::Lent(lent) => {
                let $connection = &mut ***lent;
                $body
            }
            #[cfg(feature = "libpq")]
            PgLink::Diesels(lent) => {
                let $connection = &mut ***lent;
                $body
            }
        }
    };
}

impl PgLink {
    pub(super) fn ours(&self) -> Option<&PgConnection> {
        match self {
            PgLink::Own(connection) => Some(connection),
            PgLink::Lent(lent) => Some(lent),
            #[cfg(feature = "libpq")]
            PgLink::Diesels(_) => None,
        }
    }

    /// The name of a type made by a user, for an error.
    pub(super) fn name_of_type(&mut self, oid: u32) -> QueryResult<Option<String>> {
        on_either!(self, connection => user_types::name_of(connection, oid))
    }

    #[inline]
    pub(super) fn ours_mut(&mut self) -> Option<&mut PgConnection> {
        match self {
            PgLink::Own(connection) => Some(connection),
            PgLink::Lent(lent) => Some(lent),
            #[cfg(feature = "libpq")]
            PgLink::Diesels(_) => None,
        }
    }

    /// Diesel's own connection, where it is that.
    #[cfg(feature = "libpq")]
    pub(crate) fn diesels_mut(&mut self) -> Option<&mut diesel::PgConnection> {
        match self {
            PgLink::Diesels(lent) => Some(lent),
            PgLink::Own(_) | PgLink::Lent(_) => None,
        }
    }

    /// The values of a fragment, as they are sent; `None` is NULL.
    pub(super) fn written_values<F: QueryFragment<Pg>>(&mut self, values: &F) -> QueryResult<Vec<Option<Vec<u8>>>> {
        let mut binds = RawBytesBindCollector::<Pg>::new();
        on_either!(self, connection => values.collect_binds(&mut binds, connection, &Pg))?;
        Ok(binds.binds)
    }

    pub(super) fn reset(&mut self) -> QueryResult<()> {
        self.ours_mut().map_or(Ok(()), PgConnection::renew)
    }

    pub(super) fn begin_transaction(&mut self, sql: Cow<'static, str>) -> QueryResult<()> {
        match self.ours_mut() {
            Some(connection) => connection.begin_with_next(sql),
            None => AnsiTransactionManager::begin_transaction_sql(self, &sql),
        }
    }

    pub(super) fn begin_savepoint(&mut self) -> QueryResult<()> {
        match self.ours_mut() {
            Some(connection) => connection.begin_savepoint(),
            None => AnsiTransactionManager::begin_transaction(self),
        }
    }

    pub(super) fn commit(&mut self) -> QueryResult<()> {
        match self.ours_mut() {
            Some(connection) => connection.commit_last(),
            None => AnsiTransactionManager::commit_transaction(self),
        }
    }

    pub(super) fn roll_back(&mut self) -> QueryResult<()> {
        match self.ours_mut() {
            Some(connection) => connection.roll_back_last(),
            None => AnsiTransactionManager::rollback_transaction(self),
        }
    }

    pub(super) fn in_transaction(&mut self) -> bool {
        match self {
            PgLink::Own(connection) => connection.in_transaction(),
            PgLink::Lent(lent) => lent.in_transaction(),
            #[cfg(feature = "libpq")]
            PgLink::Diesels(lent) => diesels::in_transaction(lent),
        }
    }

    pub(super) fn has_unknown_transaction(&mut self) -> QueryResult<bool> {
        match self {
            PgLink::Own(connection) => Ok(connection.in_transaction()),
            PgLink::Lent(lent) => Ok(lent.in_transaction()),
            #[cfg(feature = "libpq")]
            PgLink::Diesels(lent) => diesels::has_unknown_transaction(lent),
        }
    }

    pub(super) fn check_transaction(&mut self) -> QueryResult<()> {
        match self {
            PgLink::Own(connection) => connection.check_transaction(),
            PgLink::Lent(lent) => lent.check_transaction(),
            // It does not tell, but the server does.
            #[cfg(feature = "libpq")]
            PgLink::Diesels(lent) => lent.batch_execute("SELECT 1"),
        }
    }
}

/// What Diesel's connection does not tell by itself.
#[cfg(feature = "libpq")]
mod diesels {
    use diesel::{
        PgConnection, QueryResult,
        connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
        result::Error,
    };

    use crate::{diesel_error, postgres::WORDS};

    /// Whether SQL as text may commit something.
    pub(super) fn commits(connection: &mut PgConnection, sql: &str) -> bool {
        WORDS.effects(sql, in_transaction(connection), true).commits
    }

    /// The error, with what a lost connection means for a statement that may have committed something. libpq does not tell
    /// whether it was sent, unless the connection was gone before.
    pub(super) fn with_outcome(error: Error, commits: bool) -> Error {
        match error {
            Error::DatabaseError(_, information)
                if commits
                    && diesel_error::is_lost(&*information)
                    && !information.message().contains("no connection to the server") =>
            {
                crate::postgres::unknown_outcome(information.message())
            }
            other => other,
        }
    }

    /// Fails in a transaction, where the time at which it began is not that of the statement. (So it is by the simple
    /// protocol alone: the extended one takes the statement's time anew for each of its messages.)
    const FAIL_IN_TRANSACTION: &str =
        "SELECT 1 / CASE WHEN transaction_timestamp() = statement_timestamp() THEN 1 ELSE 0 END";

    /// Diesel forgets a transaction that has ended by SQL.
    pub(super) fn in_transaction(connection: &mut PgConnection) -> bool {
        let depth = AnsiTransactionManager::transaction_manager_status_mut(connection).transaction_depth();
        // With a broken connection, the statement says so.
        !matches!(depth, Ok(None))
    }

    pub(super) fn has_unknown_transaction(connection: &mut PgConnection) -> QueryResult<bool> {
        let Err(error) = connection.batch_execute(FAIL_IN_TRANSACTION) else { return Ok(false) };
        // It may have failed because the connection is lost.
        match AnsiTransactionManager::transaction_manager_status_mut(connection).transaction_depth() {
            Ok(_) => Ok(true),
            Err(_) => Err(error),
        }
    }
}

impl fmt::Debug for PgLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PgLink").field(&self.ours()).finish()
    }
}

impl ConnectionSealed for PgLink {}

impl SimpleConnection for PgLink {
    fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        match self {
            #[cfg(feature = "libpq")]
            PgLink::Diesels(lent) => {
                let commits = diesels::commits(lent, query);
                lent.batch_execute(query).map_err(|error| diesels::with_outcome(error, commits))
            }
            link => on_either!(link, connection => connection.batch_execute(query)),
        }
    }
}

impl Connection for PgLink {
    type Backend = Pg;
    type TransactionManager = AnsiTransactionManager;

    fn establish(url: &str) -> ConnectionResult<Self> {
        PgConnection::establish(url).map(PgLink::Own)
    }

    fn execute_returning_count<T>(&mut self, source: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        match self {
            #[cfg(feature = "libpq")]
            PgLink::Diesels(lent) => {
                let commits = !diesels::in_transaction(lent);
                with_literals(|| lent.execute_returning_count(source))
                    .map_err(|error| diesels::with_outcome(error, commits))
            }
            link => on_either!(link, connection => connection.execute_returning_count(source)),
        }
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        on_either!(self, connection => connection.transaction_state())
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        on_either!(self, connection => connection.instrumentation())
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        on_either!(self, connection => connection.set_instrumentation(instrumentation));
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        on_either!(self, connection => connection.set_prepared_statement_cache_size(size));
    }
}

impl R2D2Connection for PgLink {
    fn ping(&mut self) -> QueryResult<()> {
        on_either!(self, connection => connection.ping())
    }

    fn is_broken(&mut self) -> bool {
        on_either!(self, connection => connection.is_broken())
    }
}

impl LoadConnection<DefaultLoadingMode> for PgLink {
    type Cursor<'conn, 'query> = PgLinkCursor<'conn>;
    type Row<'conn, 'query> = PgRow;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> QueryResult<PgLinkCursor<'conn>>
    where
        T: Query + QueryFragment<Pg> + QueryId + 'query,
        Pg: QueryMetadata<T::SqlType>,
    {
        match self {
            PgLink::Own(connection) => connection.load_known(&source).map(PgLinkCursor),
            PgLink::Lent(lent) => lent.load_known(&source).map(PgLinkCursor),
            #[cfg(feature = "libpq")]
            PgLink::Diesels(lent) => {
                // libpq has all of the result by now.
                let commits = !diesels::in_transaction(lent);
                let rows = with_literals(|| LoadConnection::<DefaultLoadingMode>::load(&mut ***lent, source));
                let rows = rows.map_err(|error| diesels::with_outcome(error, commits))?;
                let rows = rows.collect::<QueryResult<Vec<_>>>()?;
                let texts = texts_among(&mut ***lent, &user_types(&rows))?;
                let rows: Vec<_> = rows.iter().map(|row| PgRow::copy_of(row).with_texts(&texts)).collect();
                Ok(PgLinkCursor(Loaded::Read(rows.into_iter())))
            }
        }
    }
}

/// The users' types among the columns of a result of Diesel's own connection, which says the type of a value but not that
/// of a NULL.
#[cfg(feature = "libpq")]
pub(super) fn user_types<'r, R: Row<'r, Pg>>(rows: &[R]) -> Vec<u32> {
    let columns = rows.first().map_or(0, |row| row.field_count());
    let oid_of = |column| rows.iter().find_map(|row| Some(row.get(column)?.value()?.get_oid().get()));
    users_among((0..columns).filter_map(oid_of))
}

/// The rows of a statement.
#[doc(hidden)]
pub struct PgLinkCursor<'conn>(Loaded<'conn>);

impl fmt::Debug for PgLinkCursor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgLinkCursor").finish_non_exhaustive()
    }
}

impl Iterator for PgLinkCursor<'_> {
    type Item = QueryResult<PgRow>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Loaded::Reading(rows) => rows.next(),
            Loaded::Read(rows) => rows.next().map(Ok),
        }
    }
}
