//! What Diesel asks of a connection beyond statements: a place in a pool, migrations, `save_changes`, and
//! `#[derive(MultiConnection)]`.

use std::any::Any;

use diesel::{
    QueryResult, RunQueryDsl, Table,
    associations::HasTable,
    connection::{AnsiTransactionManager, MultiConnectionHelper, TransactionManager},
    dsl::Update,
    expression::{MixedAggregates, ValidGrouping, is_aggregate},
    migration::{CREATE_MIGRATIONS_TABLE, MigrationConnection},
    pg::{Pg, PgMetadataLookup},
    query_builder::{AsChangeset, IntoUpdateTarget},
    query_dsl::{LoadQuery, UpdateAndFetchResults},
    r2d2::R2D2Connection,
    result::Error as DieselError,
    sql_query,
    sql_types::TypeMetadata,
};

use super::PgConnection;

impl R2D2Connection for PgConnection {
    fn ping(&mut self) -> QueryResult<()> {
        // A pool asks before it hands the connection out, and its user waits for it.
        self.finish();
        let pinged = self.within_connect_timeout(|connection| connection.wire.ping());
        self.checked(pinged)?;
        if self.has_unknown_transaction() { Err(DieselError::AlreadyInTransaction) } else { Ok(()) }
    }

    /// Whether it must not be handed on: it is lost, or a transaction is open on it, be it by SQL of the user's own.
    fn is_broken(&mut self) -> bool {
        self.wire.is_lost()
            || self.has_unknown_transaction()
            || AnsiTransactionManager::is_broken_transaction_manager(self)
    }
}

impl PgConnection {
    /// Whether the server has closed the connection, as far as that is known without a round trip.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.wire.is_lost() || self.wire.check_connection().is_err()
    }
}

impl MigrationConnection for PgConnection {
    fn setup(&mut self) -> QueryResult<usize> {
        sql_query(CREATE_MIGRATIONS_TABLE).execute(self)
    }
}

impl<'b, Changes, Output> UpdateAndFetchResults<Changes, Output> for PgConnection
where
    Changes: Copy + AsChangeset<Target = <Changes as HasTable>::Table> + IntoUpdateTarget,
    Update<Changes, Changes>: LoadQuery<'b, PgConnection, Output>,
    <Changes::Table as Table>::AllColumns: ValidGrouping<()>,
    <<Changes::Table as Table>::AllColumns as ValidGrouping<()>>::IsAggregate:
        MixedAggregates<is_aggregate::No, Output = is_aggregate::No>,
{
    fn update_and_fetch(&mut self, changes: Changes) -> QueryResult<Output> {
        diesel::update(changes).set(changes).get_result(self)
    }
}

impl MultiConnectionHelper for PgConnection {
    fn to_any<'a>(lookup: &mut <Pg as TypeMetadata>::MetadataLookup) -> &mut (dyn Any + 'a) {
        lookup.as_any()
    }

    fn from_any(lookup: &mut dyn Any) -> Option<&mut <Pg as TypeMetadata>::MetadataLookup> {
        lookup.downcast_mut::<Self>().map(|connection| connection as &mut dyn PgMetadataLookup)
    }
}
