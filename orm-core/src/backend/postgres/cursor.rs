//! Streams on Diesel's own connection: a cursor of SQL's, fetched chunk by chunk, for libpq keeps every result whole.
//!
//! From a pool, the cursor has a read-only transaction of its own; in a transaction of the user's, it is one more
//! statement there, and other statements and streams may run between its rows.
//!
//! Each chunk is a round trip, which libpq lets nobody send ahead. Diesel prepares a statement first that it shall not keep, which is
//! another round trip; so the FETCH of full chunks is kept, whose text is the same for each stream of a pool.

use std::sync::atomic::{AtomicU64, Ordering};

use diesel::{
    Connection, QueryResult,
    connection::{AnsiTransactionManager, DefaultLoadingMode, LoadConnection, SimpleConnection, TransactionManager},
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::Untyped,
};

use super::{
    integer_of,
    link::user_types,
    stream::{Way, name_type},
};
use crate::{
    error::{Error, Result},
    postgres::{PgRow, user_types::texts_among},
    queryset::shape::ShapeOn,
    statement::Statement,
    stream::{
        load::in_statement,
        source::{Decoder, End, Fetched, Limit, Opened, Source},
    },
};

/// A cursor is planned for its first tenth unless `cursor_tuple_fraction` says that all of it is wanted.
const BEGIN: &str = "BEGIN READ ONLY; SET LOCAL cursor_tuple_fraction = 1.0";
const ALL_IS_WANTED: &str = "SET LOCAL cursor_tuple_fraction = 1.0";
/// The cursor of a transaction that is there for it alone.
const ONLY: &str = "orm_core";

pub(super) fn open<S: ShapeOn<Pg>, Q: Statement<Pg>>(
    mut way: Way,
    select: &Q,
    sql: String,
    chunk_size: usize,
) -> Result<Opened<S::Row>> {
    if let Way::Own(lease) = &mut way {
        lease.run(|link| {
            let known = AnsiTransactionManager::transaction_manager_status_mut(link).transaction_depth()?;
            match known {
                None => AnsiTransactionManager::begin_transaction_sql(link, BEGIN),
                // Diesel's test transaction.
                Some(_) => {
                    AnsiTransactionManager::begin_transaction(link)?;
                    link.batch_execute(ALL_IS_WANTED)
                }
            }
        })?;
    }
    let name = if matches!(way, Way::Own(_)) { ONLY.to_owned() } else { unique_name() };
    let mut cursor = Cursor::<S> { way, name, sql, decoder: Decoder::new::<Pg>(), chunk_size };
    let declare = Declare { name: &cursor.name, select };
    let declared = cursor.way.run(|link| link.execute_returning_count(&declare));
    match declared {
        Ok(_) => Ok(Opened::new(cursor)),
        Err(error) => {
            let error = in_statement(error, Ok(std::mem::take(&mut cursor.sql)));
            // A cursor that was not declared cannot be closed.
            cursor.name.clear();
            Err(error)
        }
    }
}

/// Cursors of one transaction must differ; the name is well under PostgreSQL's 63 bytes.
fn unique_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("orm_core_{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

struct Cursor<S: ShapeOn<Pg>> {
    way: Way,
    /// Empty where there is nothing to close.
    name: String,
    sql: String,
    decoder: Decoder<S>,
    /// The rows of a full chunk.
    chunk_size: usize,
}

impl<S: ShapeOn<Pg>> Source<S::Row> for Cursor<S> {
    fn fetch(&mut self, limit: Limit, out: &mut Vec<S::Row>) -> Fetched {
        let Cursor { way, name, sql, decoder, chunk_size } = self;
        decoder.start();
        // Other sizes are many, and Diesel forgets no statement that it keeps.
        let is_kept = name == ONLY && limit.rows == *chunk_size;
        let mut misfit: Option<Error> = None;
        let fetched = way.run(|link| {
            let Some(connection) = link.diesels_mut() else { return Ok(0) };
            // Read where they lie, rather than through the link, which copies them.
            let rows =
                LoadConnection::<DefaultLoadingMode>::load(connection, Fetch { name, rows: limit.rows, is_kept })?;
            let rows = rows.collect::<QueryResult<Vec<_>>>()?;
            let texts = texts_among(connection, &user_types(&rows))?;
            for row in &rows {
                let read = if texts.is_empty() {
                    decoder.read::<Pg, _>(row, out)
                } else {
                    decoder.read::<Pg, _>(&PgRow::copy_of(row).with_texts(&texts), out)
                };
                if let Err(error) = read {
                    misfit = Some(error);
                    break;
                }
            }
            Ok(rows.len())
        });
        let end = match (misfit, fetched) {
            (Some(error), _) => End::Broken(in_statement(name_type(way, error), Ok(sql.clone()))),
            (None, Err(error)) => End::Broken(in_statement(error, Ok(sql.clone()))),
            (None, Ok(rows)) if rows < limit.rows => End::Done,
            (None, Ok(_)) => End::More,
        };
        decoder.fetched(end)
    }
}

impl<S: ShapeOn<Pg>> Drop for Cursor<S> {
    fn drop(&mut self) {
        let name = &self.name;
        let closed = match &mut self.way {
            // Ending the transaction ends the cursor. It is done while a panic unwinds, too: what the program's pool does
            // then is not known.
            Way::Own(lease) => {
                AnsiTransactionManager::rollback_transaction(&mut ***lease).map_err(|error| lease.failed(error))
            }
            Way::Shared(_) if name.is_empty() => Ok(()),
            // After a failure the cursor is gone, with all that the transaction did.
            Way::Shared(shared) => shared.lease().and_then(|mut lease| {
                lease.run(|link| {
                    // A savepoint takes the cursors along that were opened in it.
                    if integer_of::<Pg, _>(link, IsOpen(name))? == 0 {
                        return Ok(());
                    }
                    link.batch_execute(&format!("CLOSE {name}"))
                })
            }),
        };
        if let Err(error) = closed {
            log::debug!("closing a stream failed: {error:?}");
        }
    }
}

struct Declare<'q, Q> {
    name: &'q str,
    select: &'q Q,
}

impl<Q: Statement<Pg>> QueryFragment<Pg> for Declare<'_, Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql("DECLARE ");
        out.push_sql(self.name);
        out.push_sql(" NO SCROLL CURSOR FOR ");
        self.select.walk_ast(out)
    }
}

impl<Q> QueryId for Declare<'_, Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// The number of open cursors of this name.
struct IsOpen<'q>(&'q str);

impl QueryFragment<Pg> for IsOpen<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql(&format!("SELECT COUNT(*) FROM pg_cursors WHERE name = '{}'", self.0));
        Ok(())
    }
}

struct Fetch<'q> {
    name: &'q str,
    rows: usize,
    is_kept: bool,
}

impl Query for Fetch<'_> {
    type SqlType = Untyped;
}

impl QueryFragment<Pg> for Fetch<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        if !self.is_kept {
            out.unsafe_to_cache_prepared();
        }
        out.push_sql(&format!("FETCH FORWARD {} FROM {}", self.rows, self.name));
        Ok(())
    }
}

impl QueryId for Fetch<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
