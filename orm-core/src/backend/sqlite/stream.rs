//! Streams on SQLite: the statement is stepped through, so that nothing is held but the chunk in hand.

use diesel::{
    query_builder::{CollectedQuery, MoveableBindCollector, QueryFragment},
    sqlite::Sqlite,
};
use self_cell::{MutBorrow, self_cell};

use super::steps::Steps;
use crate::{
    backend::Driver,
    diesel_error,
    error::{ErrorKind, Result},
    queryset::shape::ShapeOn,
    session::{Lease, Reporter, Session},
    statement::Statement,
    stream::{
        load::in_statement,
        source::{Decoder, End, Fetched, Limit, Opened, Source},
    },
};

self_cell! {
    /// A connection, and the statement that is being stepped through on it.
    struct Scan {
        owner: MutBorrow<Lease<Sqlite>>,
        #[not_covariant]
        dependent: Steps,
    }
}

struct Stepping<S: ShapeOn<Sqlite>> {
    scan: Scan,
    reporter: Reporter<Sqlite>,
    sql: String,
    decoder: Decoder<S>,
}

pub(super) fn open<S: ShapeOn<Sqlite>, Q: Statement<Sqlite>>(
    session: Session<'_, Sqlite>,
    select: &Q,
) -> Result<Opened<S::Row>> {
    let sql = Sqlite::sql(select).map_err(|error| diesel_error::ours(error, Sqlite::KIND))?;
    let query = owned(select, sql.clone()).map_err(|error| diesel_error::ours(error, Sqlite::KIND))?;
    let lease = session.lease_for_stream()?;
    let reporter = lease.reporter();
    let scan = Scan::try_new(MutBorrow::new(lease), |lease| Steps::open(lease.borrow_mut(), query))
        .map_err(|error| in_statement(reporter.failed(error), Ok(sql.clone())))?;
    let mut stepping = Stepping::<S> { scan, reporter, sql, decoder: Decoder::new::<Sqlite>() };
    // SQLite runs the statement, takes its snapshot and meets locks at the first step, and not before.
    let mut rows = Vec::new();
    let fetched = stepping.fetch(Limit { rows: 1, bytes: usize::MAX }, &mut rows);
    match fetched.end {
        End::Broken(error) if error.kind() != ErrorKind::Decode => Err(error),
        _ => Ok(Opened { source: Box::new(stepping), first: Some((rows, fetched)) }),
    }
}

/// A statement that owns its values.
type OwnedQuery = CollectedQuery<<Binds<'static> as MoveableBindCollector<Sqlite>>::BindData>;

/// The values of a statement, as Diesel collects them.
type Binds<'b> = <Sqlite as diesel::backend::Backend>::BindCollector<'b>;

/// The statement with its values copied, so that it owns all it needs for as long as it is stepped through.
fn owned(select: &impl QueryFragment<Sqlite>, sql: String) -> diesel::QueryResult<OwnedQuery> {
    let mut binds = Binds::default();
    select.collect_binds(&mut binds, &mut (), &Sqlite)?;
    Ok(CollectedQuery::new(sql, false, binds.moveable()))
}

impl<S: ShapeOn<Sqlite>> Source<S::Row> for Stepping<S> {
    fn fetch(&mut self, limit: Limit, out: &mut Vec<S::Row>) -> Fetched {
        let Stepping { scan, reporter, sql, decoder } = self;
        decoder.start();
        let end = scan.with_dependent_mut(|_, steps| {
            for _ in 0..limit.rows {
                match steps.next(|row| decoder.read::<Sqlite, _>(row, out)) {
                    // The statement would start again after this; the stream never asks again.
                    None => return End::Done,
                    Some(Ok(Ok(()))) => {}
                    Some(Ok(Err(error))) => return End::Broken(error),
                    Some(Err(error)) => return End::Broken(reporter.failed(error)),
                }
                if decoder.bytes() >= limit.bytes {
                    break;
                }
            }
            End::More
        });
        decoder.fetched(match end {
            End::Broken(error) => End::Broken(in_statement(error, Ok(sql.clone()))),
            end => end,
        })
    }
}
