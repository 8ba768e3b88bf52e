//! What Diesel asks of a connection beyond statements: a place in a pool, migrations, `save_changes`, and
//! `#[derive(MultiConnection)]`.

use std::any::Any;

use diesel::{
    QueryResult, RunQueryDsl, Table,
    associations::{HasTable, Identifiable},
    connection::{AnsiTransactionManager, MultiConnectionHelper, TransactionManager},
    dsl::{Find, Update},
    expression::{MixedAggregates, ValidGrouping, is_aggregate},
    migration::{CREATE_MIGRATIONS_TABLE, MigrationConnection},
    mysql::Mysql,
    query_builder::{AsChangeset, IntoUpdateTarget},
    query_dsl::{
        LoadQuery, UpdateAndFetchResults,
        methods::{ExecuteDsl, FindDsl},
    },
    r2d2::R2D2Connection,
    result::Error as DieselError,
    sql_query,
    sql_types::TypeMetadata,
};

use super::MysqlConnection;

impl R2D2Connection for MysqlConnection {
    fn ping(&mut self) -> QueryResult<()> {
        // A pool asks before it hands the connection out, and its user waits for it.
        self.run(|connection| connection.within_connect_timeout(|connection| connection.wire.ping()))?;
        if self.has_unknown_transaction() { Err(DieselError::AlreadyInTransaction) } else { Ok(()) }
    }

    /// Whether it must not be handed on: it is lost, or a transaction is open on it, be it by SQL of the user's own, or
    /// nothing that the next user writes would be committed.
    fn is_broken(&mut self) -> bool {
        self.wire.is_lost()
            || self.has_unknown_transaction()
            || !self.wire.autocommits()
            || AnsiTransactionManager::is_broken_transaction_manager(self)
    }
}

impl MysqlConnection {
    /// Whether the server has closed the connection, as far as that is known without a round trip.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.wire.is_lost() || self.wire.check_connection().is_err()
    }
}

impl MigrationConnection for MysqlConnection {
    fn setup(&mut self) -> QueryResult<usize> {
        sql_query(CREATE_MIGRATIONS_TABLE).execute(self)
    }
}

/// In two statements: an UPDATE here returns no rows.
impl<'b, Changes, Output> UpdateAndFetchResults<Changes, Output> for MysqlConnection
where
    Changes: Copy + Identifiable + AsChangeset<Target = <Changes as HasTable>::Table> + IntoUpdateTarget,
    Changes::Table: FindDsl<Changes::Id>,
    Update<Changes, Changes>: ExecuteDsl<MysqlConnection>,
    Find<Changes::Table, Changes::Id>: LoadQuery<'b, MysqlConnection, Output>,
    <Changes::Table as Table>::AllColumns: ValidGrouping<()>,
    <<Changes::Table as Table>::AllColumns as ValidGrouping<()>>::IsAggregate:
        MixedAggregates<is_aggregate::No, Output = is_aggregate::No>,
{
    fn update_and_fetch(&mut self, changes: Changes) -> QueryResult<Output> {
        diesel::update(changes).set(changes).execute(self)?;
        FindDsl::find(Changes::table(), changes.id()).get_result(self)
    }
}

impl MultiConnectionHelper for MysqlConnection {
    fn to_any<'a>(lookup: &mut <Mysql as TypeMetadata>::MetadataLookup) -> &mut (dyn Any + 'a) {
        lookup
    }

    fn from_any(lookup: &mut dyn Any) -> Option<&mut <Mysql as TypeMetadata>::MetadataLookup> {
        lookup.downcast_mut()
    }
}
