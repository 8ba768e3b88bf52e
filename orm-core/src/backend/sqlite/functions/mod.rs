//! Functions that SQLite lacks, or knows for ASCII alone: written in Rust, and registered with each connection.

#[cfg(feature = "numeric")]
mod decimal;
mod math;
pub(crate) mod text;
#[cfg(feature = "chrono")]
mod time;

use diesel::{QueryResult, SqliteConnection, dsl::sql, prelude::*, sql_types::Bool};

/// Registers the functions.
pub(super) fn register(connection: &mut SqliteConnection) -> QueryResult<()> {
    text::register(connection)?;
    math::register(connection)?;
    #[cfg(feature = "numeric")]
    decimal::register(connection)?;
    #[cfg(feature = "chrono")]
    time::register(connection)?;
    // The last one: where it is known, all are.
    ready_utils::register_impl(connection, || true)
}

/// Registers them where they are missing: to register one anew makes SQLite prepare all of the connection's statements
/// again.
pub(super) fn register_once(connection: &mut SqliteConnection) -> QueryResult<()> {
    match diesel::select(sql::<Bool>("orm_ready()")).get_result::<bool>(connection) {
        Err(diesel::result::Error::DatabaseError(..)) => {
            super::collations::register(connection)?;
            register(connection)
        }
        other => other.map(|_| ()),
    }
}

#[diesel::declare_sql_function]
extern "SQL" {
    #[sql_name = "orm_ready"]
    fn ready() -> Bool;
}

/// What a function gives: a value, or a reason why there is none, which fails the statement.
#[derive(Debug)]
pub(super) struct Outcome<T>(pub(super) Result<T, String>);

impl<T, ST> diesel::serialize::ToSql<ST, diesel::sqlite::Sqlite> for Outcome<T>
where
    T: diesel::serialize::ToSql<ST, diesel::sqlite::Sqlite> + std::fmt::Debug,
{
    fn to_sql<'b>(
        &'b self,
        out: &mut diesel::serialize::Output<'b, '_, diesel::sqlite::Sqlite>,
    ) -> diesel::serialize::Result {
        match &self.0 {
            Ok(value) => value.to_sql(out),
            Err(reason) => Err(reason.clone().into()),
        }
    }
}
