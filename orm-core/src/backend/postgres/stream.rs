//! Streams on PostgreSQL: portals.
//!
//! From a pool, the portal has a read-only transaction of its own, and all rows are on their way; in a transaction of the
//! user's, it is one more statement there, read piece by piece, and other statements and streams may run between its rows.
//! (`DECLARE` and `FETCH` do the same in SQL, at the price of a copy of each chunk on the server, and of rows that wait until
//! the whole chunk is made.)

use diesel::{QueryResult, pg::Pg};

use super::PgLink;
#[cfg(not(feature = "libpq"))]
use crate::database::adopted::is_foreign;
use crate::{
    backend::Driver,
    diesel_error,
    error::{Error, Result},
    postgres::{PgConnection, Portal},
    queryset::shape::ShapeOn,
    session::{Lease, Session, Shared},
    statement::Statement,
    stream::{
        load::in_statement,
        source::{Decoder, End, Fetched, Limit, Opened, Source},
    },
};

pub(super) fn open<S: ShapeOn<Pg>, Q: Statement<Pg>>(
    session: Session<'_, Pg>,
    select: &Q,
    chunk_size: usize,
) -> Result<Opened<S::Row>> {
    let sql = Pg::sql(select).map_err(|error| diesel_error::ours(error, Pg::KIND))?;
    let mut way = match session.share() {
        Some(shared) => Way::Shared(shared),
        None => Way::Own(Box::new(session.lease()?)),
    };
    // One is open on a connection that the program lends with a test transaction of Diesel's.
    let opened = way.run(|link| {
        let Some(connection) = link.ours_mut() else { return Ok(None) };
        connection.open_portal(select, !connection.in_transaction(), chunk_size).map(Some)
    });
    match opened {
        Ok(Some(portal)) => Ok(Opened::new(Reading::<S> { way, portal, sql, decoder: Decoder::new::<Pg>() })),
        #[cfg(feature = "libpq")]
        Ok(None) => super::cursor::open::<S, Q>(way, select, sql, chunk_size),
        #[cfg(not(feature = "libpq"))]
        Ok(None) => Err(is_foreign::<Pg>().in_statement(sql)),
        Err(error) => Err(in_statement(error, Ok(sql))),
    }
}

struct Reading<S: ShapeOn<Pg>> {
    way: Way,
    portal: Portal,
    sql: String,
    decoder: Decoder<S>,
}

/// How a stream reaches its connection.
pub(super) enum Way {
    /// A connection of the pool, in a transaction of the stream's own.
    Own(Box<Lease<Pg>>),
    /// The user's transaction.
    Shared(Shared<Pg>),
}

impl Way {
    pub(super) fn run<T>(&mut self, f: impl FnOnce(&mut PgLink) -> QueryResult<T>) -> Result<T> {
        match self {
            Way::Own(lease) => lease.run(f),
            Way::Shared(shared) => shared.lease()?.run(f),
        }
    }
}

impl<S: ShapeOn<Pg>> Source<S::Row> for Reading<S> {
    fn fetch(&mut self, limit: Limit, out: &mut Vec<S::Row>) -> Fetched {
        let Reading { way, portal, sql, decoder } = self;
        decoder.start();
        let read = way.run(|link| {
            let connection = opened_on(link)?;
            connection.limit_bytes_ahead(portal, limit.bytes);
            for _ in 0..limit.rows {
                if !connection.next_of_portal(portal)? {
                    return Ok(End::Done);
                }
                if let Err(error) = decoder.read::<Pg, _>(&connection.row(), out) {
                    return Ok(End::Broken(error));
                }
                if decoder.bytes() >= limit.bytes {
                    break;
                }
            }
            Ok(End::More)
        });
        decoder.fetched(match read {
            Ok(End::Broken(error)) => {
                if matches!(way, Way::Own(_)) {
                    // The name of a type cannot be asked for while rows come.
                    close(way, portal);
                }
                End::Broken(in_statement(name_type(way, error), Ok(sql.clone())))
            }
            Err(error) => End::Broken(in_statement(error, Ok(sql.clone()))),
            Ok(end) => end,
        })
    }
}

/// The error with the name of the type that it is about.
pub(super) fn name_type(way: &mut Way, error: Error) -> Error {
    let mut error = Some(error);
    let named = way.run(|link| Ok(error.take().map(|error| Pg::explain(link, error))));
    error.or(named.ok().flatten()).unwrap_or_else(|| unreachable!("it is either left or returned"))
}

impl<S: ShapeOn<Pg>> Drop for Reading<S> {
    fn drop(&mut self) {
        if std::thread::panicking() && matches!(self.way, Way::Own(_)) {
            return; // the pool discards the connection in any case
        }
        close(&mut self.way, &mut self.portal);
    }
}

fn close(way: &mut Way, portal: &mut Portal) {
    // After a failure in a transaction the portal is gone, with all that the transaction did.
    if let Err(error) = way.run(|link| opened_on(link)?.close_portal(portal)) {
        log::debug!("closing a stream failed: {error:?}");
    }
}

/// The connection that the portal was opened on.
#[inline]
fn opened_on(link: &mut PgLink) -> QueryResult<&mut PgConnection> {
    link.ours_mut().ok_or(diesel::result::Error::BrokenTransactionManager)
}
