//! A connection of our own to MySQL and MariaDB, which reads packet by packet.

use diesel::{
    ConnectionResult, QueryResult,
    connection::{
        AnsiTransactionManager, CacheSize, Connection, ConnectionSealed, DefaultLoadingMode, DynInstrumentation,
        Instrumentation, LoadConnection, SimpleConnection,
    },
    expression::QueryMetadata,
    mysql::Mysql,
    query_builder::{Query, QueryFragment, QueryId},
    r2d2::R2D2Connection,
};

mod row;

/// A connection to MySQL or MariaDB.
#[allow(missing_debug_implementations)]
pub struct MysqlConnection {
    transaction_state: AnsiTransactionManager,
    instrumentation: DynInstrumentation,
}

impl ConnectionSealed for MysqlConnection {}

impl SimpleConnection for MysqlConnection {
    fn batch_execute(&mut self, _query: &str) -> QueryResult<()> {
        Err(diesel::result::Error::NotFound)
    }
}

impl Connection for MysqlConnection {
    type Backend = Mysql;
    type TransactionManager = AnsiTransactionManager;

    fn establish(_url: &str) -> ConnectionResult<Self> {
        Ok(MysqlConnection { transaction_state: Default::default(), instrumentation: DynInstrumentation::none() })
    }

    fn execute_returning_count<T>(&mut self, _source: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Mysql> + QueryId,
    {
        Err(diesel::result::Error::NotFound)
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        &mut self.transaction_state
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        &mut *self.instrumentation
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.instrumentation = instrumentation.into();
    }

    fn set_prepared_statement_cache_size(&mut self, _size: CacheSize) {}
}

impl LoadConnection<DefaultLoadingMode> for MysqlConnection {
    type Cursor<'conn, 'query> = std::iter::Empty<QueryResult<row::Row>>;
    type Row<'conn, 'query> = row::Row;

    fn load<'conn, 'query, T>(&'conn mut self, _source: T) -> QueryResult<Self::Cursor<'conn, 'query>>
    where
        T: Query + QueryFragment<Mysql> + QueryId + 'query,
        Mysql: QueryMetadata<T::SqlType>,
    {
        Err(diesel::result::Error::NotFound)
    }
}

impl R2D2Connection for MysqlConnection {
    fn ping(&mut self) -> QueryResult<()> {
        Err(diesel::result::Error::NotFound)
    }
}
