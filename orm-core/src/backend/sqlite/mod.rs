//! SQLite, through Diesel's `SqliteConnection`: streams step through the statement.

pub(crate) mod affinity;
mod aggregates;
mod automatic_indexes;
mod catalog;
mod collations;
mod connect;
pub(crate) mod file;
pub(crate) mod functions;
mod instant;
mod raw;
mod steps;
mod stream;
pub(crate) mod value;
mod wal;

use std::convert::Infallible;

use diesel::{
    QueryResult, SqliteConnection,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
    dsl::sql,
    query_builder::{QueryBuilder, QueryFragment},
    sql_types::Integer,
    sqlite::{Sqlite, query_builder::SqliteQueryBuilder},
};

use super::{BackendKind, Driver, fixed_backend, integer_of, texts_of};
use crate::{
    database::{Settings, pool::Target, url::DatabaseUrl},
    diesel_error,
    error::Result,
    field::membership::many::without_values,
    model::{Column, Table},
    queryset::shape::ShapeOn,
    schema::{
        live::{LiveColumn, LiveTable, Name},
        stored::Misfit,
        uuids,
    },
    session::Session,
    sql_types::ColumnType,
    statement::{Statement, begin::begin, explain::Texts, text_keys::TextKey},
    stream::source::Opened,
    transaction::Options,
};

fixed_backend!(Sqlite);

/// Registers collations and aggregates with a connection that is being opened; returns SQLite's result code.
fn register_raw(connection: &raw::Opened) -> std::ffi::c_int {
    match collations::register_raw(connection) {
        libsqlite3_sys::SQLITE_OK => {}
        code => return code,
    }
    match connection.keep() {
        libsqlite3_sys::SQLITE_OK => aggregates::register_raw(connection),
        code => code,
    }
}

impl Driver for Sqlite {
    type Connection = SqliteConnection;
    type Ticket = Infallible;
    type Bulk = ();
    type Link = SqliteConnection;
    type Companion = wal::Companion;

    const KIND: BackendKind = BackendKind::Sqlite;
    // SQLITE_MAX_VARIABLE_NUMBER, unless it was built with another.
    const PARAMETERS: usize = 32_766;
    const NO_LIMIT: Option<&'static str> = Some(" LIMIT -1");
    const INLINE_FOREIGN_KEYS: bool = true;
    const CONVERTS_TEXT: bool = true;
    // An INTEGER PRIMARY KEY is the row id, which SQLite fills.
    const GENERATED_KEY: &'static str = "";

    fn collation(column: ColumnType) -> Option<&'static str> {
        column.sqlite_collation()
    }

    fn exact_function(column: ColumnType) -> Option<&'static str> {
        (column.is_decimal() && Self::collation(column).is_some()).then_some("orm_exact")
    }

    fn kept(table: &Table, column: &Column) -> Option<(&'static str, String)> {
        Some(affinity::kept(table, column))
    }

    fn sql<F: QueryFragment<Sqlite> + ?Sized>(fragment: &F) -> QueryResult<String> {
        let mut out = SqliteQueryBuilder::default();
        without_values(|| fragment.to_sql(&mut out, &Sqlite))?;
        Ok(out.finish())
    }

    fn target(url: &DatabaseUrl, _: &Settings) -> Result<Target> {
        connect::target(url)
    }

    fn establish(target: &Target, settings: &Settings) -> Result<SqliteConnection> {
        connect::establish(target, settings)
    }

    fn companion(connection: &mut SqliteConnection, target: &Target) -> Result<wal::Companion> {
        let log = target.file.as_ref().map(|file| file.log()).transpose()?;
        // It may have been replaced while it was opened.
        Self::check_target(target)?;
        let may_write = !connect::is_read_only(target);
        wal::Companion::of(connection, log, may_write).map_err(|error| diesel_error::ours(error, Self::KIND))
    }

    fn check_target(target: &Target) -> Result<()> {
        target.file.as_ref().map_or(Ok(()), |file| file.check())
    }

    fn begin_reading(companion: &mut wal::Companion) {
        companion.begin_reading();
    }

    fn release(connection: &mut SqliteConnection, companion: &mut wal::Companion) {
        companion.release(connection);
    }

    fn lend(connection: &mut SqliteConnection) -> QueryResult<()> {
        connection.batch_execute(wal::AUTOMATIC)
    }

    fn connection(link: &SqliteConnection) -> Option<&SqliteConnection> {
        Some(link)
    }

    fn connection_mut(link: &mut SqliteConnection) -> Option<&mut SqliteConnection> {
        Some(link)
    }

    fn begin_transaction(connection: &mut SqliteConnection, options: &Options) -> QueryResult<Option<&'static str>> {
        // Whoever has set it for himself, on a connection of his own, finds it so.
        let is_set = options.read_only && Self::read_integer(connection, sql::<Integer>("PRAGMA query_only"))? != 0;
        let undo = (options.read_only && !is_set).then_some("PRAGMA query_only = OFF");
        if undo.is_some() {
            connection.batch_execute("PRAGMA query_only = ON")?;
        }
        let begun = AnsiTransactionManager::begin_transaction_sql(connection, &begin(Self::KIND, options));
        if begun.is_err()
            && let Some(undo) = undo
            && connection.batch_execute(undo).is_err()
        {
            AnsiTransactionManager::transaction_manager_status_mut(connection).set_in_error();
        }
        begun.map(|()| undo)
    }

    fn reset(connection: &mut SqliteConnection) -> QueryResult<()> {
        // Diesel cannot ask whether there is a transaction. BEGIN fails where there is one, and takes no lock where
        // there was none; either way there is one now.
        let _ = connection.batch_execute("BEGIN");
        connection.batch_execute("ROLLBACK")?;
        connection.batch_execute(wal::MANUAL)
    }

    fn has_unknown_transaction(connection: &mut SqliteConnection) -> QueryResult<bool> {
        // BEGIN takes no lock, and fails in a transaction alone.
        if connection.batch_execute("BEGIN").is_err() {
            return Ok(true);
        }
        connection.batch_execute("ROLLBACK").map(|()| false)
    }

    fn prepare(connection: &mut SqliteConnection) -> Result<()> {
        functions::register_once(connection).map_err(|error| diesel_error::ours(error, Self::KIND))?;
        aggregates::register_once(connection).map_err(|error| diesel_error::ours(error, Self::KIND))?;
        automatic_indexes::turn_off_if_wrong(connection).map_err(|error| diesel_error::ours(error, Self::KIND))
    }

    fn answer(
        _: &mut Self::Link,
        ticket: Infallible,
    ) -> std::result::Result<usize, (diesel::result::Error, Option<usize>)> {
        match ticket {}
    }

    fn live_tables(connection: &mut SqliteConnection, wanted: &[Name]) -> QueryResult<Vec<Option<LiveTable>>> {
        catalog::live_tables(connection, wanted)
    }

    fn misfit(column: &Column, live: &LiveColumn) -> Option<Misfit> {
        uuids::misfit(column.sql, &live.declared, false).flatten().or_else(|| catalog::misfit(column, live))
    }

    fn is_same_name(a: &str, b: &str) -> bool {
        a.eq_ignore_ascii_case(b)
    }

    fn check_transaction(_: &mut SqliteConnection) -> QueryResult<()> {
        Ok(()) // a failed statement does not fail SQLite's transactions
    }

    fn text_keys(connection: &mut SqliteConnection, table: &Table) -> QueryResult<Vec<TextKey>> {
        catalog::text_keys(connection, table)
    }

    fn text_bounds(column: ColumnType) -> Option<[(&'static str, &'static str); 2]> {
        match (Self::collation(column), column.postgres) {
            // Each begins with the hour and the minute; `;` follows `:`.
            (Some("orm_instant"), "TIME") => Some([("MIN(SUBSTR(", ", 1, 5))"), ("MAX(SUBSTR(", ", 1, 5)) || ';'")]),
            // Each begins with a date, which an offset moves by less than a day. SQLite's dates end with the year 9999.
            (Some("orm_instant"), _) => {
                Some([("MIN(COALESCE(DATE(", ", '-1 day'), ''))"), ("MAX(COALESCE(DATE(", ", '+2 days'), ':'))")])
            }
            _ => None,
        }
    }

    fn read_integer<F: QueryFragment<Sqlite>>(connection: &mut SqliteConnection, statement: F) -> QueryResult<i64> {
        integer_of(connection, statement)
    }

    fn read_texts<F: QueryFragment<Sqlite>>(link: &mut Self::Link, statement: F) -> QueryResult<Vec<Texts>> {
        texts_of::<Sqlite, F>(link, statement, value::as_text)
    }

    fn stream<S: ShapeOn<Sqlite>, Q: Statement<Sqlite>>(
        session: Session<'_, Sqlite>,
        select: &Q,
        _: usize,
    ) -> Result<Opened<S::Row>> {
        stream::open::<S, Q>(session, select)
    }
}
