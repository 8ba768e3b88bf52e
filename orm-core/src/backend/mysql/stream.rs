//! Streams on MySQL and MariaDB: rows are read as the server sends them, so that nothing is held but the chunk in hand.

use diesel::mysql::Mysql;

use crate::{
    backend::Driver,
    diesel_error,
    error::Result,
    queryset::shape::ShapeOn,
    session::{Lease, Session},
    statement::Statement,
    stream::{
        load::in_statement,
        source::{Decoder, End, Fetched, Limit, Opened, Source},
    },
};

struct Reading<S: ShapeOn<Mysql>> {
    lease: Lease<Mysql>,
    sql: String,
    decoder: Decoder<S>,
}

pub(super) fn open<S: ShapeOn<Mysql>, Q: Statement<Mysql>>(
    session: Session<'_, Mysql>,
    select: &Q,
) -> Result<Opened<S::Row>> {
    let sql = Mysql::sql(select).map_err(|error| diesel_error::ours(error, Mysql::KIND))?;
    let mut lease = session.lease_for_stream()?;
    lease.be_patient();
    let mut reading = Reading::<S> { lease, sql, decoder: Decoder::new::<Mysql>() };
    reading.lease.run(|connection| connection.start(select)).map_err(|error| reading.in_statement(error))?;
    Ok(Opened::new(reading))
}

impl<S: ShapeOn<Mysql>> Reading<S> {
    fn in_statement(&self, error: crate::Error) -> crate::Error {
        in_statement(error, Ok(self.sql.clone()))
    }

    fn fetch_rows(&mut self, limit: Limit, out: &mut Vec<S::Row>) -> End {
        let Reading { lease, decoder, .. } = self;
        for _ in 0..limit.rows {
            match lease.next_row() {
                Ok(true) => {}
                Ok(false) => return End::Done,
                Err(error) => return End::Broken(lease.failed(error)),
            }
            if let Err(error) = decoder.read::<Mysql, _>(&lease.row(), out) {
                return End::Broken(error);
            }
            if decoder.bytes() >= limit.bytes {
                break;
            }
        }
        End::More
    }
}

impl<S: ShapeOn<Mysql>> Source<S::Row> for Reading<S> {
    fn fetch(&mut self, limit: Limit, out: &mut Vec<S::Row>) -> Fetched {
        self.decoder.start();
        let end = self.fetch_rows(limit, out);
        self.decoder.fetched(match end {
            End::Broken(error) => End::Broken(self.in_statement(error)),
            end => end,
        })
    }
}

impl<S: ShapeOn<Mysql>> Drop for Reading<S> {
    fn drop(&mut self) {
        self.lease.finish();
        self.lease.be_as_before();
    }
}
