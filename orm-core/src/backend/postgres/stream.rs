//! Streams on PostgreSQL: a server-side cursor, fetched chunk by chunk.
//!
//! From a pool, the cursor has a read-only transaction of its own; in a transaction of the user's, it is one more
//! statement there, and other statements may run between fetches. `WITH HOLD` is never used: it runs the query to its
//! end first. The statements are never cached: Diesel does not evict, and a `FETCH` cached by its type would fetch
//! another number of rows than it says.

use std::sync::atomic::{AtomicU64, Ordering};

use diesel::{
    QueryResult,
    connection::{
        AnsiTransactionManager, Connection, DefaultLoadingMode, LoadConnection, SimpleConnection, TransactionManager,
    },
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::Untyped,
};

use crate::{
    backend::Driver,
    error::{Error, Result},
    queryset::shape::ShapeOn,
    session::{Lease, Session, Shared},
    statement::select::Select,
    stream::{
        load::in_statement,
        source::{Decoder, End, Fetched, Limit, Source},
    },
};

/// A cursor is planned for its first tenth unless this says that all of it is wanted.
const BEGIN: &str = "BEGIN READ ONLY; SET LOCAL cursor_tuple_fraction = 1.0";

pub(super) fn open<S: ShapeOn<Pg>>(
    session: Session<'_, Pg>,
    select: &Select<'_, Pg>,
) -> Result<Box<dyn Source<S::Row>>> {
    let link = match session.share() {
        Some(shared) => Link::Shared(shared),
        None => {
            let mut lease = session.lease()?;
            lease.run(|connection| AnsiTransactionManager::begin_transaction_sql(connection, BEGIN))?;
            Link::Own(Box::new(lease))
        }
    };
    let sql = Pg::sql(select);
    let mut cursor =
        Cursor::<S> { link, name: unique_name(), sql: sql.unwrap_or_default(), decoder: Decoder::new::<Pg>() };
    let declare = Declare { name: &cursor.name, select };
    let declared = cursor.link.run(|connection| connection.execute_returning_count(&declare));
    match declared {
        Ok(_) => Ok(Box::new(cursor)),
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
    link: Link,
    /// Empty where there is nothing to close.
    name: String,
    sql: String,
    decoder: Decoder<S>,
}

enum Link {
    /// A connection of the pool, in a transaction of the stream's own.
    Own(Box<Lease<Pg>>),
    /// The user's transaction.
    Shared(Shared<Pg>),
}

impl Link {
    fn run<T>(&mut self, f: impl FnOnce(&mut <Pg as Driver>::Connection) -> QueryResult<T>) -> Result<T> {
        match self {
            Link::Own(lease) => lease.run(f),
            Link::Shared(shared) => shared.lease()?.run(f),
        }
    }
}

impl<S: ShapeOn<Pg>> Source<S::Row> for Cursor<S> {
    fn fetch(&mut self, limit: Limit, out: &mut Vec<S::Row>) -> Fetched {
        let Cursor { link, name, sql, decoder } = self;
        decoder.start();
        let mut misfit: Option<Error> = None;
        let fetched = link.run(|connection| {
            let mut rows = 0;
            for row in LoadConnection::<DefaultLoadingMode>::load(connection, Fetch { name, rows: limit.rows })? {
                rows += 1;
                if let Err(error) = decoder.read::<Pg, _>(&row?, out) {
                    misfit = Some(error);
                    break;
                }
            }
            Ok(rows)
        });
        let end = match (misfit, fetched) {
            (Some(error), _) | (None, Err(error)) => End::Broken(in_statement(error, Ok(sql.clone()))),
            (None, Ok(rows)) if rows < limit.rows => End::Done,
            (None, Ok(_)) => End::More,
        };
        decoder.fetched(end)
    }
}

impl<S: ShapeOn<Pg>> Drop for Cursor<S> {
    fn drop(&mut self) {
        let closed = match &mut self.link {
            // Ending the transaction ends the cursor.
            Link::Own(lease) => {
                AnsiTransactionManager::rollback_transaction(&mut ***lease).map_err(|e| lease.failed(e))
            }
            Link::Shared(_) if self.name.is_empty() => Ok(()),
            Link::Shared(shared) => {
                // After a failure the cursor is gone, with all that the transaction did.
                let Ok(mut lease) = shared.lease() else { return };
                let may_be_gone = shared.may_be_gone();
                lease.run(|connection| {
                    // A savepoint takes the cursors that were opened in it along.
                    if may_be_gone && Pg::read_integer(connection, IsOpen(&self.name))? == 0 {
                        return Ok(());
                    }
                    connection.batch_execute(&format!("CLOSE {}", self.name))
                })
            }
        };
        if let Err(error) = closed {
            log::debug!("closing a stream failed; its connection is discarded: {error:?}");
        }
    }
}

struct Declare<'q, 'p> {
    name: &'q str,
    select: &'q Select<'p, Pg>,
}

impl QueryFragment<Pg> for Declare<'_, '_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql("DECLARE ");
        out.push_sql(self.name);
        out.push_sql(" NO SCROLL CURSOR FOR ");
        self.select.walk_ast(out)
    }
}

impl QueryId for Declare<'_, '_> {
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
}

impl Query for Fetch<'_> {
    type SqlType = Untyped;
}

impl QueryFragment<Pg> for Fetch<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql(&format!("FETCH FORWARD {} FROM {}", self.rows, self.name));
        Ok(())
    }
}

impl QueryId for Fetch<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
