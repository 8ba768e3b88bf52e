//! Written by hand on Diesel's `PgConnection`: a cursor, fetched chunk by chunk until a chunk comes short.

use std::{marker::PhantomData, ops::ControlFlow};

use diesel::{
    Connection, PgConnection, QueryResult, RunQueryDsl,
    connection::{DefaultLoadingMode, SimpleConnection},
    deserialize::FromSqlRow,
    expression::QueryMetadata,
    pg::Pg,
    query_builder::{AsQuery, AstPass, Query, QueryFragment, QueryId},
    query_dsl::CompatibleType,
};

use crate::{
    Error,
    cases::{CHUNK, Joined, Program},
    models::Flight,
    schema::{count_airlines, flights, joined},
};

pub(crate) struct Cursor(PgConnection);

impl Cursor {
    pub(crate) fn connect(url: &str) -> Result<Self, Error> {
        Ok(Cursor(PgConnection::establish(url)?))
    }

    fn each<ST, T>(
        &mut self,
        query: impl Query<SqlType = ST> + QueryFragment<Pg>,
        mut take: impl FnMut(T) -> ControlFlow<()>,
    ) -> Result<(), Error>
    where
        ST: CompatibleType<T, Pg, SqlType = ST> + 'static,
        Pg: QueryMetadata<ST>,
        T: FromSqlRow<ST, Pg> + 'static,
    {
        let connection = &mut self.0;
        // A cursor is planned for its first tenth unless this says that all of it is wanted.
        connection.batch_execute("BEGIN READ ONLY; SET LOCAL cursor_tuple_fraction = 1.0")?;
        Declare(query).execute(connection)?;
        loop {
            let mut rows = 0;
            for row in Fetch::<ST>(PhantomData).load_iter::<T, DefaultLoadingMode>(connection)? {
                rows += 1;
                if take(row?).is_break() {
                    rows = 0;
                    break;
                }
            }
            if rows < CHUNK {
                break;
            }
        }
        connection.batch_execute("COMMIT")?;
        Ok(())
    }
}

impl Program for Cursor {
    fn scan(&mut self, take: impl FnMut(Flight) -> ControlFlow<()>) -> Result<(), Error> {
        self.each(flights::table.as_query(), take)
    }

    fn join(&mut self, take: impl FnMut(Joined) -> ControlFlow<()>) -> Result<(), Error> {
        self.each(joined!(), take)
    }

    fn count_airlines(&mut self) -> Result<u64, Error> {
        count_airlines!(&mut self.0)
    }
}

struct Declare<Q>(Q);

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Declare<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql("DECLARE by_hand NO SCROLL CURSOR FOR ");
        self.0.walk_ast(out)
    }
}
impl<Q> QueryId for Declare<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<Q> RunQueryDsl<PgConnection> for Declare<Q> {}

/// The next chunk of the cursor, with columns of the SQL type `ST`.
struct Fetch<ST>(PhantomData<ST>);

impl<ST> Query for Fetch<ST> {
    type SqlType = ST;
}
impl<ST> QueryFragment<Pg> for Fetch<ST> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql(&format!("FETCH FORWARD {CHUNK} FROM by_hand"));
        Ok(())
    }
}
impl<ST> QueryId for Fetch<ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<ST> RunQueryDsl<PgConnection> for Fetch<ST> {}
