//! MySQL and MariaDB, through a connection of our own: streams read row by row as the server sends.

mod catalog;
mod connect;
mod store;
mod stream;
pub(crate) mod value;

use std::convert::Infallible;

use diesel::{
    QueryResult,
    dsl::sql,
    mysql::{Mysql, MysqlQueryBuilder},
    query_builder::{QueryBuilder, QueryFragment},
    sql_types::BigInt,
};

use super::{BackendKind, Driver, fixed_backend, integer_of, texts_of};
use crate::{
    database::{Settings, pool::Target, url::DatabaseUrl},
    diesel_error,
    error::{Error, ErrorKind, Result},
    field::membership::many::without_values,
    model::{Column, Table, ToRow},
    mysql::{Begin, MysqlConnection, Version},
    queryset::shape::ShapeOn,
    schema::{
        live::{LiveColumn, LiveTable, Name},
        stored::{Misfit, misfit, on_mysql},
        uuids,
    },
    session::Session,
    statement::{
        Statement,
        begin::{begin, guarded_begin},
        explain::Texts,
        insert::{Answers, Batch, Unstored},
    },
    stream::source::Opened,
    transaction::Options,
};

fixed_backend!(Mysql);

/// The name of the lock on a database's schema; names of locks are the server's, and of up to 64 characters.
const SCHEMA_LOCK: &str = "CONCAT('orm_core_schema_', MD5(COALESCE(DATABASE(), '')))";

impl Driver for Mysql {
    type Connection = MysqlConnection;
    type Ticket = Infallible;
    type Bulk = ();
    type Link = MysqlConnection;
    type Companion = ();

    const KIND: BackendKind = BackendKind::Mysql;
    // The protocol counts them in 16 bits.
    const PARAMETERS: usize = 65_535;
    const MOST_ROWS: usize = 1000;
    // OFFSET cannot stand alone; this is the number that MySQL's manual gives for "all rows".
    const NO_LIMIT: Option<&'static str> = Some(" LIMIT 18446744073709551615");
    // InnoDB's, with pages of 16 KiB.
    const LONGEST_KEY: Option<u32> = Some(3072);
    const INLINE_FOREIGN_KEYS: bool = false;
    const GENERATED_KEY: &'static str = " AUTO_INCREMENT";
    // Text is compared by its code points, spaces at the end included, as on SQLite, whatever the server's default is.
    // The collation has another name on either server, so each reads its own in a comment that the other skips.
    const TABLE_OPTIONS: &'static str = " ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 \
         /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */";
    const NULLS_FIRST_AND_LAST: bool = false;
    const ALIKE_COLUMNS: bool = false;
    // Every CREATE TABLE commits the transaction that it stands in.
    const TRANSACTIONAL_SCHEMAS: bool = false;

    fn sql<F: QueryFragment<Mysql> + ?Sized>(fragment: &F) -> QueryResult<String> {
        let mut out = MysqlQueryBuilder::default();
        without_values(|| fragment.to_sql(&mut out, &Mysql))?;
        Ok(out.finish())
    }

    fn target(url: &DatabaseUrl, settings: &Settings) -> Result<Target> {
        connect::target(url, settings)
    }

    fn establish(target: &Target, settings: &Settings) -> Result<MysqlConnection> {
        connect::establish(target, settings)
    }

    fn companion(_: &mut MysqlConnection, _: &Target) -> Result<()> {
        Ok(())
    }

    fn connection(link: &MysqlConnection) -> Option<&MysqlConnection> {
        Some(link)
    }

    fn connection_mut(link: &mut MysqlConnection) -> Option<&mut MysqlConnection> {
        Some(link)
    }

    fn begin_transaction(connection: &mut MysqlConnection, options: &Options) -> QueryResult<Option<&'static str>> {
        let begin = Begin { plain: begin(Self::KIND, options), guarded: guarded_begin(options) };
        connection.begin(begin).map(|()| None)
    }

    fn reset(connection: &mut MysqlConnection) -> QueryResult<()> {
        connection.renew()
    }

    fn in_transaction(connection: &mut MysqlConnection) -> bool {
        connection.in_transaction()
    }

    fn has_unknown_transaction(connection: &mut MysqlConnection) -> QueryResult<bool> {
        Ok(connection.in_transaction())
    }

    fn prepare(connection: &mut MysqlConnection) -> Result<()> {
        connect::check_version(connection)
    }

    fn answer(
        _: &mut Self::Link,
        ticket: Infallible,
    ) -> std::result::Result<usize, (diesel::result::Error, Option<usize>)> {
        match ticket {}
    }

    fn live_tables(connection: &mut MysqlConnection, wanted: &[Name]) -> QueryResult<Vec<Option<LiveTable>>> {
        catalog::live_tables(connection, wanted)
    }

    fn misfit(column: &Column, live: &LiveColumn) -> Option<Misfit> {
        let (model, live) = (column.declared(Self::KIND, false), &live.declared);
        uuids::misfit(column.sql, live, true)
            .unwrap_or_else(|| misfit(Self::KIND, &on_mysql(&model), column.integers, &on_mysql(live)))
    }

    fn loss(connection: &MysqlConnection) -> Option<diesel::result::Error> {
        connection.loss()
    }

    fn is_closed(connection: &mut MysqlConnection) -> bool {
        connection.is_closed()
    }

    fn check_transaction(_: &mut MysqlConnection) -> QueryResult<()> {
        Ok(()) // a failed statement does not fail MySQL's transactions
    }

    fn lock_schema(connection: &mut MysqlConnection) -> Result<()> {
        let lock = sql::<BigInt>(&format!("SELECT COALESCE(GET_LOCK({SCHEMA_LOCK}, @@lock_wait_timeout), 0)"));
        match Self::read_integer(connection, lock).map_err(|error| diesel_error::ours(error, Self::KIND))? {
            1 => Ok(()),
            _ => Err(Error::new(ErrorKind::LockTimeout, "another connection has been creating tables for too long")),
        }
    }

    fn unlock_schema(connection: &mut MysqlConnection) -> Result<()> {
        let unlock = sql::<BigInt>(&format!("SELECT COALESCE(RELEASE_LOCK({SCHEMA_LOCK}), 0)"));
        Self::read_integer(connection, unlock).map(drop).map_err(|error| diesel_error::ours(error, Self::KIND))
    }

    fn read_integer<F: QueryFragment<Mysql>>(connection: &mut MysqlConnection, statement: F) -> QueryResult<i64> {
        integer_of(connection, statement)
    }

    fn read_texts<F: QueryFragment<Mysql>>(link: &mut Self::Link, statement: F) -> QueryResult<Vec<Texts>> {
        texts_of::<Mysql, F>(link, statement, value::as_text)
    }

    fn unique_keys(connection: &mut MysqlConnection, table: &Table) -> QueryResult<Option<Vec<Vec<String>>>> {
        catalog::unique_keys(connection, table).map(Some)
    }

    fn made_key(connection: &mut MysqlConnection) -> u64 {
        connection.last_insert_id()
    }

    fn batch_rows(_: usize, sent: u64) -> usize {
        store::batch_rows(sent)
    }

    fn store<M: ToRow<Mysql>>(
        connection: &mut MysqlConnection,
        (): &mut (),
        batch: &Batch<'_, M>,
        answers: &mut Answers<Mysql>,
    ) -> std::result::Result<(), Unstored> {
        store::store(connection, batch, answers)
    }

    fn was_read(connection: &mut MysqlConnection, sql: &str) -> bool {
        connection.was_read(sql)
    }

    fn note_read(connection: &mut MysqlConnection, sql: &str) {
        connection.note_read(sql);
    }

    fn execute_with_next(connection: &mut MysqlConnection, sql: &'static str) -> QueryResult<()> {
        connection.execute_with_next(sql);
        Ok(())
    }

    fn unites_values(connection: &mut MysqlConnection) -> bool {
        Version::parse(connection.server_version()).unites_values()
    }

    fn returns_rows(connection: &mut MysqlConnection) -> bool {
        Version::parse(connection.server_version()).returns_rows()
    }

    fn stream<S: ShapeOn<Mysql>, Q: Statement<Mysql>>(
        session: Session<'_, Mysql>,
        select: &Q,
        _: usize,
    ) -> Result<Opened<S::Row>> {
        stream::open::<S, Q>(session, select)
    }
}
