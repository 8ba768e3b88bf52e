//! Streams on MySQL and MariaDB: rows are read as the server sends them, so that nothing is held but the chunk in hand.

use diesel::{
    connection::{DefaultLoadingMode, LoadConnection},
    mysql::Mysql,
    query_builder::{CollectedQuery, MoveableBindCollector, QueryFragment},
};
use self_cell::{MutBorrow, self_cell};

use crate::{
    backend::Driver,
    diesel_error,
    error::Result,
    mysql::MysqlConnection,
    queryset::shape::ShapeOn,
    session::{Lease, Reporter, Session},
    statement::select::Select,
    stream::{
        load::in_statement,
        source::{Decoder, End, Fetched, Limit, Source},
    },
};

/// Diesel's iterator over the rows of a statement, which borrows the connection.
type Steps<'c> = <MysqlConnection as LoadConnection<DefaultLoadingMode>>::Cursor<'c, 'static>;

self_cell! {
    /// A connection, and the statement whose rows are being read on it.
    struct Scan {
        owner: MutBorrow<Lease<Mysql>>,
        #[not_covariant]
        dependent: Steps,
    }
}

struct Reading<S: ShapeOn<Mysql>> {
    scan: Scan,
    reporter: Reporter<Mysql>,
    sql: String,
    decoder: Decoder<S>,
}

pub(super) fn open<S: ShapeOn<Mysql>>(
    session: Session<'_, Mysql>,
    select: &Select<'_, Mysql>,
) -> Result<Box<dyn Source<S::Row>>> {
    let sql = Mysql::sql(select).map_err(|error| diesel_error::ours(error, Mysql::KIND))?;
    let query = owned(select, sql.clone()).map_err(|error| diesel_error::ours(error, Mysql::KIND))?;
    let lease = session.lease_for_stream()?;
    let reporter = lease.reporter();
    let scan = Scan::try_new(MutBorrow::new(lease), |lease| {
        LoadConnection::<DefaultLoadingMode>::load(&mut **lease.borrow_mut(), query)
    })
    .map_err(|error| in_statement(reporter.failed(error), Ok(sql.clone())))?;
    Ok(Box::new(Reading::<S> { scan, reporter, sql, decoder: Decoder::new::<Mysql>() }))
}

/// The values of a statement, as Diesel collects them.
type Binds<'b> = <Mysql as diesel::backend::Backend>::BindCollector<'b>;

/// The statement with its values copied, so that it owns all it needs for as long as it is stepped through.
fn owned(
    select: &Select<'_, Mysql>,
    sql: String,
) -> diesel::QueryResult<CollectedQuery<<Binds<'static> as MoveableBindCollector<Mysql>>::BindData>> {
    let mut binds = Binds::default();
    select.collect_binds(&mut binds, &mut (), &Mysql)?;
    Ok(CollectedQuery::new(sql, false, binds.moveable()))
}

impl<S: ShapeOn<Mysql>> Source<S::Row> for Reading<S> {
    fn fetch(&mut self, limit: Limit, out: &mut Vec<S::Row>) -> Fetched {
        let Reading { scan, reporter, sql, decoder } = self;
        decoder.start();
        let end = scan.with_dependent_mut(|_, steps| {
            for _ in 0..limit.rows {
                match steps.next() {
                    None => return End::Done,
                    Some(Ok(row)) => {
                        if let Err(error) = decoder.read::<Mysql, _>(&row, out) {
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
