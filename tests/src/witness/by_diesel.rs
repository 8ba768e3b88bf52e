//! The witness on PostgreSQL and SQLite: Diesel's own connections.

#[cfg(feature = "postgres")]
use diesel::PgConnection;
#[cfg(feature = "sqlite")]
use diesel::SqliteConnection;
use diesel::{
    Connection, QueryableByName, RunQueryDsl,
    connection::{LoadConnection, SimpleConnection},
    sql_types::{Nullable, Text},
};

use super::Answer;

#[derive(QueryableByName)]
pub(super) struct Value {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

pub(super) fn texts<C>(connection: &mut C, sql: &str) -> Answer<Vec<Option<String>>>
where
    C: LoadConnection,
    C::Backend: diesel::backend::DieselReserveSpecialization + 'static,
    Value: QueryableByName<C::Backend>,
{
    let sql = format!("WITH query (value) AS ({sql}) SELECT CAST(value AS TEXT) AS value FROM query");
    let rows: Vec<Value> = diesel::sql_query(sql).load(connection).map_err(|error| error.to_string())?;
    Ok(rows.into_iter().map(|row| row.value).collect())
}

pub(super) fn execute(connection: &mut impl SimpleConnection, sql: &str) -> Answer<()> {
    connection.batch_execute(sql).map_err(|error| error.to_string())
}

#[cfg(feature = "sqlite")]
pub(super) fn sqlite(url: &str) -> Answer<SqliteConnection> {
    let path = url.strip_prefix("sqlite://").and_then(|path| path.split('?').next()).expect("the URL names a file");
    let mut connection = SqliteConnection::establish(path).map_err(|error| error.to_string())?;
    execute(&mut connection, "PRAGMA busy_timeout = 5000")?;
    Ok(connection)
}

#[cfg(feature = "postgres")]
pub(super) fn postgres(url: &str) -> Answer<PgConnection> {
    PgConnection::establish(url).map_err(|error| format!("the server does not answer the witness: {error}"))
}
