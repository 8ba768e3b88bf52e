//! Small results, read whole.

use diesel::{
    QueryResult,
    connection::{DefaultLoadingMode, LoadConnection},
};

use super::source::Decoder;
use crate::{
    backend::Driver,
    error::{Error, Result},
    queryset::shape::ShapeOn,
    session::{Lease, Session},
    statement::{Statement, select::Select},
};

/// All rows of a statement.
pub(crate) fn all<DB, S, Q>(session: Session<'_, DB>, select: Q) -> Result<Vec<S::Row>>
where
    DB: Driver,
    S: ShapeOn<DB>,
    Q: Statement<DB>,
{
    rows::<DB, S, _>(&mut session.lease()?, select)
}

/// All rows of a statement of any kind, on this connection.
pub(crate) fn rows<DB, S, Q>(lease: &mut Lease<DB>, statement: Q) -> Result<Vec<S::Row>>
where
    DB: Driver,
    S: ShapeOn<DB>,
    Q: Statement<DB>,
{
    let sql = DB::sql(&statement);
    read::<DB, S, Q>(lease, statement).map_err(|error| in_statement(error, sql))
}

/// As [`rows`], for a statement that an error shall not show in full.
pub(crate) fn read<DB, S, Q>(lease: &mut Lease<DB>, statement: Q) -> Result<Vec<S::Row>>
where
    DB: Driver,
    S: ShapeOn<DB>,
    Q: Statement<DB>,
{
    let mut decoder = Decoder::<S>::new();
    let mut out = Vec::new();
    let mut misfit = None;
    let read = lease.run(|connection| {
        for row in LoadConnection::<DefaultLoadingMode>::load(connection, statement)? {
            if let Err(error) = decoder.read::<DB, _>(&row?, &mut out) {
                misfit = Some(error);
                break;
            }
        }
        Ok(())
    });
    match misfit {
        None => read.map(|()| out),
        Some(error) => Err(lease.run(|link| Ok(DB::explain(link, error)))?),
    }
}

/// Whether a statement gives any row.
pub(crate) fn any<DB: Driver>(session: Session<'_, DB>, select: Select<'_, DB>) -> Result<bool> {
    let sql = DB::sql(&select);
    let found = session.lease()?.run(|connection| {
        let mut rows = LoadConnection::<DefaultLoadingMode>::load(connection, select)?;
        rows.next().transpose().map(|row| row.is_some())
    });
    found.map_err(|error| in_statement(error.of_read(), sql))
}

/// The error with the statement that it happened in.
pub(crate) fn in_statement(error: Error, sql: QueryResult<String>) -> Error {
    match sql {
        Ok(sql) => error.in_statement(sql),
        Err(_) => error,
    }
}
