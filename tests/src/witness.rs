//! The witness: plain Diesel connections that orm-core knows nothing of.

#[cfg(feature = "postgres")]
use diesel::PgConnection;
#[cfg(feature = "sqlite")]
use diesel::SqliteConnection;
use diesel::{
    Connection, QueryableByName, RunQueryDsl,
    sql_types::{Nullable, Text},
};
use orm_core::BackendKind;

#[derive(QueryableByName)]
struct Value {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

/// Does something on a connection of either type.
macro_rules! on_connection {
    ($backend:expr, $url:expr, |$connection:ident| $body:expr) => {
        match $backend {
            #[cfg(feature = "postgres")]
            BackendKind::Postgres => {
                let mut $connection = postgres($url);
                $body
            }
            #[cfg(feature = "sqlite")]
            BackendKind::Sqlite => {
                let mut $connection = sqlite($url);
                $body
            }
            other => unreachable!("no test runs on {other}"),
        }
    };
}

pub(crate) fn texts(backend: BackendKind, url: &str, sql: &str) -> Vec<Option<String>> {
    let rows: Vec<Value> = on_connection!(backend, url, |connection| diesel::sql_query(sql)
        .load(&mut connection)
        .unwrap_or_else(|e| panic!("`{sql}` failed: {e}")));
    rows.into_iter().map(|row| row.value).collect()
}

pub(crate) fn execute(backend: BackendKind, url: &str, sql: &str) {
    on_connection!(backend, url, |connection| batch(&mut connection, sql));
}

fn batch(connection: &mut impl diesel::connection::SimpleConnection, sql: &str) {
    connection.batch_execute(sql).unwrap_or_else(|error| panic!("`{sql}` failed: {error}"));
}

#[cfg(feature = "sqlite")]
fn sqlite(url: &str) -> SqliteConnection {
    use diesel::connection::SimpleConnection;

    let path = url.strip_prefix("sqlite://").and_then(|path| path.split('?').next()).expect("the URL names a file");
    let mut connection = SqliteConnection::establish(path).expect("the file can be opened");
    connection.batch_execute("PRAGMA busy_timeout = 5000").expect("the timeout can be set");
    connection
}

#[cfg(feature = "postgres")]
fn postgres(url: &str) -> PgConnection {
    PgConnection::establish(url).unwrap_or_else(|error| panic!("the server does not answer the witness: {error}"))
}

/// Runs SQL on the server's own database.
#[cfg(feature = "postgres")]
pub(crate) fn on_server(sql: &str) {
    batch(&mut postgres(&crate::bed::server_url()), sql);
}

/// As [`on_server`], for cleaning up: a failure is told and passed over.
#[cfg(feature = "postgres")]
pub(crate) fn try_on_server(sql: &str) {
    use diesel::connection::SimpleConnection;

    let done = PgConnection::establish(&crate::bed::server_url())
        .map_err(|error| error.to_string())
        .and_then(|mut connection| connection.batch_execute(sql).map_err(|error| error.to_string()));
    if let Err(error) = done {
        log::warn!("`{sql}` failed: {error}");
    }
}
