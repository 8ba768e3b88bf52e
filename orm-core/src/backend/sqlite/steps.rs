//! Stepping through a statement from any thread.
//!
//! Diesel's iterator over a statement's rows is not `Send`, because it shares each row with the caller by an `Rc`. Here no
//! row reaches the caller, so that all parts of the iterator move to another thread together.
#![allow(unsafe_code)]

use diesel::{
    QueryResult, SqliteConnection,
    connection::{DefaultLoadingMode, Instrumentation, LoadConnection},
    query_builder::{Query, QueryFragment, QueryId},
    sqlite::Sqlite,
};

type Iter<'c> = <SqliteConnection as LoadConnection<DefaultLoadingMode>>::Cursor<'c, 'static>;

/// Diesel's row, which borrows the statement.
type Row<'c> = <SqliteConnection as LoadConnection<DefaultLoadingMode>>::Row<'c, 'static>;

/// A statement that is being stepped through, on the connection that it borrows.
pub(super) struct Steps<'c> {
    rows: Iter<'c>,
}

// SAFETY: `Iter` consists of
// - the prepared statement (Diesel's `Statement`, which is `Send`), owned or borrowed from the connection, which is
//   borrowed mutably for `'c` and `Send` itself: Diesel opens connections in SQLite's serialized mode, in which a statement
//   may be stepped on a thread other than the one that prepared it;
// - the connection's instrumentation, borrowed mutably, which is `Send`;
// - the query and its values, which are `Send + 'static` by the bounds of `open`, and of which Diesel keeps boxes;
// - `Rc`s of the current row and of the column names, and `Cell`s in them. Only the iterator and the rows that it yields
//   hold clones of these `Rc`s. `next` lends a row to its closure, for any lifetime of the reference, and drops it before
//   it returns; neither `SqliteRow` nor what is read from it can be cloned into something that outlives that reference.
//   So while a `Steps` moves to another thread, no clone of an `Rc` stays behind.
unsafe impl Send for Steps<'_> {}

const _: () = {
    const fn is_send<T: Send + ?Sized>() {}
    is_send::<SqliteConnection>();
    is_send::<dyn Instrumentation>();
};

impl<'c> Steps<'c> {
    /// Prepares the statement; nothing is stepped yet.
    pub(super) fn open<Q>(connection: &'c mut SqliteConnection, query: Q) -> QueryResult<Self>
    where
        Q: Query + QueryFragment<Sqlite> + QueryId + Send + 'static,
        Sqlite: diesel::expression::QueryMetadata<Q::SqlType>,
    {
        LoadConnection::<DefaultLoadingMode>::load(connection, query).map(|rows| Steps { rows })
    }

    /// Steps to the next row and lends it to `read`; `None` at the end.
    #[inline]
    pub(super) fn next<T>(&mut self, read: impl FnOnce(&Row<'c>) -> T) -> Option<QueryResult<T>> {
        self.rows.next().map(|row| row.map(|row| read(&row)))
    }
}
