//! Streams on SQLite: the statement is stepped through, so that nothing is held but the chunk in hand.

use diesel::{
    SqliteConnection,
    connection::{DefaultLoadingMode, LoadConnection},
    query_builder::{CollectedQuery, MoveableBindCollector, QueryFragment},
    sqlite::Sqlite,
};
use self_cell::{MutBorrow, self_cell};

use crate::{
    backend::Driver,
    diesel_error,
    error::{ErrorKind, Result},
    queryset::shape::ShapeOn,
    session::{Lease, Reporter, Session},
    statement::Statement,
    stream::{
        load::in_statement,
        source::{Decoder, End, Fetched, Limit, Source},
    },
};

/// Diesel's iterator over the rows of a statement, which borrows the connection.
type Steps<'c> = <SqliteConnection as LoadConnection<DefaultLoadingMode>>::Cursor<'c, 'static>;

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
    /// The first row, or the lack of one, until it is asked for.
    first: Option<(Vec<S::Row>, Fetched)>,
}

pub(super) fn open<S: ShapeOn<Sqlite>, Q: Statement<Sqlite>>(
    session: Session<'_, Sqlite>,
    select: &Q,
) -> Result<Box<dyn Source<S::Row>>> {
    let sql = Sqlite::sql(select).map_err(|error| diesel_error::ours(error, Sqlite::KIND))?;
    let query = owned(select, sql.clone()).map_err(|error| diesel_error::ours(error, Sqlite::KIND))?;
    let lease = session.lease_for_stream()?;
    let reporter = lease.reporter();
    let scan = Scan::try_new(MutBorrow::new(lease), |lease| {
        LoadConnection::<DefaultLoadingMode>::load(&mut **lease.borrow_mut(), query)
    })
    .map_err(|error| in_statement(reporter.failed(error), Ok(sql.clone())))?;
    let mut stepping = Stepping::<S> { scan, reporter, sql, decoder: Decoder::new::<Sqlite>(), first: None };
    // SQLite runs the statement, takes its snapshot and meets locks at the first step, and not before.
    let mut rows = Vec::new();
    let fetched = stepping.fetch(Limit { rows: 1, bytes: usize::MAX }, &mut rows);
    match fetched.end {
        End::Broken(error) if error.kind() != ErrorKind::Decode => return Err(error),
        _ => stepping.first = Some((rows, fetched)),
    }
    Ok(Box::new(stepping))
}

/// The values of a statement, as Diesel collects them.
type Binds<'b> = <Sqlite as diesel::backend::Backend>::BindCollector<'b>;

/// The statement with its values copied, so that it owns all it needs for as long as it is stepped through.
fn owned(
    select: &impl QueryFragment<Sqlite>,
    sql: String,
) -> diesel::QueryResult<CollectedQuery<<Binds<'static> as MoveableBindCollector<Sqlite>>::BindData>> {
    let mut binds = Binds::default();
    select.collect_binds(&mut binds, &mut (), &Sqlite)?;
    Ok(CollectedQuery::new(sql, false, binds.moveable()))
}

impl<S: ShapeOn<Sqlite>> Source<S::Row> for Stepping<S> {
    fn fetch(&mut self, limit: Limit, out: &mut Vec<S::Row>) -> Fetched {
        let Stepping { scan, reporter, sql, decoder, first } = self;
        if let Some((rows, fetched)) = first.take() {
            out.extend(rows);
            return fetched;
        }
        decoder.start();
        let end = scan.with_dependent_mut(|_, steps| {
            for _ in 0..limit.rows {
                match steps.next() {
                    // The iterator would start again after this; the stream never asks again.
                    None => return End::Done,
                    Some(Ok(row)) => {
                        if let Err(error) = decoder.read::<Sqlite, _>(&row, out) {
                            return End::Broken(error);
                        }
                    }
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
