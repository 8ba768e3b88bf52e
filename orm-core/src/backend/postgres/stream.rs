//! Streams on PostgreSQL: a portal, read piece by piece.
//!
//! From a pool, the portal has a read-only transaction of its own; in a transaction of the user's, it is one more
//! statement there, and other statements and streams may run between its rows. (`DECLARE` and `FETCH` do the same in
//! SQL, at the price of a copy of each chunk on the server, and of rows that wait until the whole chunk is made.)

use diesel::{QueryResult, pg::Pg};

use crate::{
    backend::Driver,
    diesel_error,
    error::Result,
    postgres::{PgConnection, Portal},
    queryset::shape::ShapeOn,
    session::{Lease, Session, Shared},
    statement::select::Select,
    stream::{
        load::in_statement,
        source::{Decoder, End, Fetched, Limit, Source},
    },
};

pub(super) fn open<S: ShapeOn<Pg>>(
    session: Session<'_, Pg>,
    select: &Select<'_, Pg>,
    chunk_size: usize,
) -> Result<Box<dyn Source<S::Row>>> {
    let sql = Pg::sql(select).map_err(|error| diesel_error::ours(error, Pg::KIND))?;
    let (mut link, owns_transaction) = match session.share() {
        Some(shared) => (Link::Shared(shared), false),
        None => (Link::Own(Box::new(session.lease()?)), true),
    };
    match link.run(|connection| connection.open_portal(select, owns_transaction, chunk_size)) {
        Ok(portal) => Ok(Box::new(Reading::<S> { link, portal, sql, decoder: Decoder::new::<Pg>() })),
        Err(error) => Err(in_statement(error, Ok(sql))),
    }
}

struct Reading<S: ShapeOn<Pg>> {
    link: Link,
    portal: Portal,
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
    fn run<T>(&mut self, f: impl FnOnce(&mut PgConnection) -> QueryResult<T>) -> Result<T> {
        match self {
            Link::Own(lease) => lease.run(f),
            Link::Shared(shared) => shared.lease()?.run(f),
        }
    }
}

impl<S: ShapeOn<Pg>> Source<S::Row> for Reading<S> {
    fn fetch(&mut self, limit: Limit, out: &mut Vec<S::Row>) -> Fetched {
        let Reading { link, portal, sql, decoder } = self;
        decoder.start();
        let read = link.run(|connection| {
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
            Err(error) | Ok(End::Broken(error)) => End::Broken(in_statement(error, Ok(sql.clone()))),
            Ok(end) => end,
        })
    }
}

impl<S: ShapeOn<Pg>> Drop for Reading<S> {
    fn drop(&mut self) {
        if std::thread::panicking() && matches!(self.link, Link::Own(_)) {
            return; // the pool discards the connection in any case
        }
        let closed = match &mut self.link {
            Link::Own(lease) => lease.close_portal(&self.portal).map_err(|error| lease.failed(error)),
            // After a failure the portal is gone, with all that the transaction did.
            Link::Shared(shared) => {
                shared.lease().and_then(|mut lease| lease.run(|connection| connection.close_portal(&self.portal)))
            }
        };
        if let Err(error) = closed {
            log::debug!("closing a stream failed: {error:?}");
        }
    }
}
