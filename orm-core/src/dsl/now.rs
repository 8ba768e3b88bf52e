//! The time that it is.

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
};

use crate::{
    backend::{BackendKind, Driver},
    field::{Expr, Readable, facts},
    sql_types::UtcTimestamp,
    types::Native,
};

/// The instant at which the statement began, by the database's clock: to the microsecond on PostgreSQL, MySQL and MariaDB,
/// to the millisecond on SQLite.
///
/// ```
/// use chrono::{DateTime, TimeDelta, Utc};
/// use orm_core::{dsl::now, prelude::*};
/// # #[derive(Model)] struct Visit { #[model(primary_key)] id: i64, at: DateTime<Utc> }
/// # let db = orm_core::connect("sqlite::memory:")?;
/// # db.create_tables::<(Visit,)>()?;
/// # Visit::bulk_create(&db, [Visit { id: 1, at: DateTime::UNIX_EPOCH }])?;
/// assert_eq!(Visit::objects(&db).filter(|v| v.at.lt(now().earlier(TimeDelta::days(30)))).count()?, 1);
/// # Ok::<(), orm_core::Error>(())
/// ```
pub fn now() -> Expr<Now> {
    Expr(Now)
}

/// [`now`]
#[derive(Clone, Copy, Debug)]
#[must_use = "an expression does nothing until it is used in a query"]
pub struct Now;

impl Expression for Now {
    type SqlType = UtcTimestamp;
}
impl Readable for Now {
    type Rust = chrono::DateTime<chrono::Utc>;
    type Codec = Native;
}
impl<QS> AppearsOnTable<QS> for Now {}
impl<QS> SelectableExpression<QS> for Now {}
impl<G> ValidGrouping<G> for Now {
    type IsAggregate = is_aggregate::Never;
}
impl QueryId for Now {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<DB: Driver> QueryFragment<DB> for Now {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        facts::known::<Self>();
        out.push_sql(match DB::KIND {
            BackendKind::Postgres => "STATEMENT_TIMESTAMP()",
            BackendKind::Mysql => "UTC_TIMESTAMP(6)",
            // As an instant is written here: with six digits of a fraction, or none.
            BackendKind::Sqlite => "REPLACE(STRFTIME('%Y-%m-%d %H:%M:%f000+00:00', 'now'), '.000000', '')",
        });
        Ok(())
    }
}
