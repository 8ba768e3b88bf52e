//! Streams: iterators over the rows of a queryset, in constant memory, on every backend.
//!
//! # What a stream costs on PostgreSQL
//!
//! A stream opened on a [`Database`](crate::Database) has a connection to itself, and is one request: BEGIN READ ONLY, the statement,
//! COMMIT. The server executes the statement in one pass and sends rows as fast as they are read; no round trip is needed up to
//! the end. A stream opened on a [`Transaction`](crate::Transaction) shares its connection with other statements, so its rows
//! are asked for in pieces of about 64 KiB (and of no more rows than a chunk), two of them ahead. Whenever the consumer has to
//! wait for a piece that was asked for, twice as many are asked for from then on, up to the bytes of a chunk
//! ([`fetch_bytes`](crate::QuerySet::fetch_bytes)); so a distant server is not waited for either.
//!
//! | | on a `Database` | on a `Transaction` |
//! | --- | --- | --- |
//! | plan | as for `load`, parallel workers included | the same plan, but pieces run without its workers |
//! | round trips | 1 for all rows | 1 for each 128 KiB at first, for each 8 MiB later |
//! | held in memory | a chunk, and the receive buffer (256 KiB, or the largest row) | a chunk and the buffer; while another statement runs, also the rows in flight: at most the bytes of a chunk, if no row is wider than those before |
//! | the server sends ahead | what the sockets' buffers hold, some MiB | the pieces in flight |
//! | while the consumer is slow | the session is `active` and waits in `ClientWrite` | the session is `idle in transaction` |
//! | dropped early | cancelled over a second connection, unless little is left; what was sent by then is discarded | the portal is closed |
//!
//! **Buffering.** The server sends rows when it has 8 KiB of them, or all. A statement that takes a second for each small row gives
//! its first row later than one small fetch would; in a transaction the first piece has 4 rows.
//!
//! **Locks and the snapshot** are held until the last row was sent, so for as long as the consumer takes, except for a result
//! that fits into the buffers: that transaction is committed before its rows are read. `ALTER TABLE` waits for the stream, and
//! vacuum keeps the rows that it may still read.
//!
//! **`statement_timeout`.** In a session that has one, by the role, the URL or
//! [`Builder::statement_timeout`](crate::Builder::statement_timeout), the limit stays, and a stream on a `Database` is read
//! in pieces too, so that it is for each piece: it ends a statement that takes too long for its next rows, and no export
//! whose consumer is slow. Such a stream is planned without parallel workers, and no more than two pieces are ever ahead (the limit
//! runs while the server waits for a slow consumer, so what is in flight must fit into the buffers): 128 KiB a round trip.
//! The setting is asked for with each stream; where it is the role's, the first stream of a connection is begun a second
//! time. For long exports from far away, connect as a role without it.
//!
//! **Other limits.** `idle_in_transaction_session_timeout` does not concern a stream on a `Database` without `statement_timeout`,
//! and ends a slow one that is read in pieces. PostgreSQL 17's `transaction_timeout` is for the whole stream. `read_timeout`
//! of the URL is for the server's silence while a row is waited for; it does not run while the consumer works.
//!
//! **While the server waits for a slow consumer** it reacts to nothing but the end of the session: `pg_cancel_backend` takes
//! effect when the consumer reads on (`pg_terminate_backend` at once). On a standby, replay that conflicts with the stream
//! waits for the consumer, beyond `max_standby_streaming_delay`, and then the stream fails with SQLSTATE 40001; a slow consumer should
//! read from the primary, or in a transaction. If the server has a `tcp_user_timeout`, a consumer that reads nothing
//! for longer than that loses its connection, which is an error and not an end.
//!
//! **Poolers.** PgBouncer in transaction or session mode passes all of this on. Its `query_timeout`, if set, is for the whole
//! stream.
//!
//! **In a transaction**, an error in a row ahead may fail the transaction although the stream was dropped before it, as it
//! would with any larger fetch.
//!
//! # Threads
//!
//! A stream is `Send` if its rows are, on every backend, and may move to another thread at any time, half read as well. It
//! borrows its [`Database`](crate::Database) or [`Transaction`](crate::Transaction), so it moves to scoped threads:
//!
//! ```
//! # use orm_core::prelude::*;
//! # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
//! # let db = orm_core::connect("sqlite::memory:")?;
//! # db.create_tables::<(Airport,)>()?;
//! # Airport::bulk_create(&db, ["JFK", "SFO"].map(|code| Airport { code: code.into(), city: String::new() }))?;
//! let mut rows = Airport::objects(&db).iterator(2000)?;
//! let first = rows.next();
//! let rest = std::thread::scope(|scope| scope.spawn(move || rows.count()).join().unwrap());
//! assert_eq!((first.is_some(), rest), (true, 1));
//! # Ok::<(), orm_core::Error>(())
//! ```
//!
//! While a nested transaction is open on one thread, other threads cannot fetch in the same transaction
//! ([`ErrorKind::ConnectionInUse`]).
//!
//! # Writing while a stream is open, on SQLite
//!
//! A file is in WAL mode, so rows can be written on other connections while a stream reads. As long as it does, what they
//! commit stays in the log (the file `…-wal`): each commit adds the pages that it has changed, of 4 KiB unless the database
//! was made with others. To save 50,000 rows of a stream one by one makes a log of some 200 to 400 MB; to save them in
//! batches, by [`bulk_update`](crate::Model::bulk_update), of a fraction of that.
//!
//! When the last stream or transaction ends that was open in this process, the log is checkpointed on its connection,
//! which takes as long as to write so many pages, and cut off. Without readers the log is checkpointed at 1000 pages, as
//! SQLite does it. SQLite would also try at each commit while the log cannot be emptied, which takes longer the longer the
//! log is; so our connections have `wal_autocheckpoint = 0`, and try when a connection goes back to the pool and the log has
//! doubled since the last try. No try waits for other connections, or keeps their readers waiting. While a connection is
//! lent to the program ([`Database::connection`](crate::Database::connection)) it has SQLite's own setting. The
//! connections of [a pool of the program's own](crate::Database#a-pool-of-your-own) keep the program's settings.
//!
//! A database in memory has no log: while a stream reads it, a write on another connection fails with
//! [`ErrorKind::LockTimeout`].
//!
//! # What lives here
//!
//! `source.rs` says what a backend has to bring, `chunk.rs` how much of it at a time, `row.rs` how one row is read,
//! `arranged.rs` a row whose columns come in another order, and `load.rs` reads a small result whole.

mod arranged;
mod chunk;
pub(crate) mod load;
pub mod row;
pub(crate) mod source;

use std::{collections::VecDeque, fmt, iter::FusedIterator, marker::PhantomData, mem, num::NonZeroUsize};

use self::{
    chunk::ChunkSize,
    source::{End, Fetched, Opened, Source},
};
use crate::error::{Error, ErrorKind, Result};

/// The rows of a queryset; made by [`QuerySet::iterator`](crate::QuerySet::iterator).
///
/// It owns its connection (or uses its transaction's) and gives it back when it ends or is dropped. After the end it
/// stays at the end. It is `Send` if `T` is, so it can move to [another thread](crate::stream#threads) half read.
///
/// # Panics
///
/// `next` panics if the stream breaks midway, with the error and the number of rows given.
#[must_use = "a stream holds a connection; it does nothing unless it is consumed"]
pub struct Rows<'a, T> {
    rows: TryRows<'a, T>,
}

/// The rows of a queryset, each a [`Result`]; made by [`QuerySet::try_iterator`](crate::QuerySet::try_iterator).
///
/// After an `Err` there is only `None`. It is `Send` if `T` is.
#[must_use = "a stream holds a connection; it does nothing unless it is consumed"]
pub struct TryRows<'a, T> {
    /// `None` once it has ended, so that the connection is free before the last rows are taken.
    source: Option<Box<dyn Source<T>>>,
    /// The chunk in hand; rows are taken from the front. Its memory serves the next chunk, too: freed and taken again
    /// each time, so large a piece makes the allocator tidy up all the small ones.
    chunk: VecDeque<T>,
    /// Met behind the chunk in hand.
    error: Option<Error>,
    size: ChunkSize,
    given: u64,
    /// The database or transaction that it was opened on.
    on: PhantomData<&'a ()>,
}

impl<'a, T> TryRows<'a, T> {
    pub(crate) fn new(opened: Opened<T>, chunk_size: usize, fetch_bytes: NonZeroUsize) -> Self {
        let size = ChunkSize::new(chunk_size, fetch_bytes);
        let mut rows = TryRows { size, ..Self::empty() };
        match opened.first {
            Some((first, fetched)) => rows.take_in(opened.source, first, fetched),
            None => rows.source = Some(opened.source),
        }
        rows
    }

    /// A stream of no rows.
    pub(crate) fn empty() -> Self {
        TryRows {
            source: None,
            chunk: VecDeque::new(),
            error: None,
            size: ChunkSize::new(1, NonZeroUsize::MIN),
            given: 0,
            on: PhantomData,
        }
    }

    /// The number of rows given so far.
    pub fn rows_given(&self) -> u64 {
        self.given
    }

    /// Fetches the next chunk; afterwards there are rows in hand, or an error, or the end.
    #[cold]
    fn refill(&mut self) {
        while self.chunk.is_empty() && self.error.is_none() {
            // Out of its place while it works: if it panics, there is nothing to go on with.
            let Some(mut source) = self.source.take() else { return };
            // It is empty, so that nothing is moved from one to the other and back.
            let mut rows = Vec::from(mem::take(&mut self.chunk));
            rows.reserve(self.size.capacity());
            let fetched = source.fetch(self.size.next(), &mut rows);
            self.take_in(source, rows, fetched);
        }
    }

    /// Takes over what was fetched; the source is dropped where there is no more.
    fn take_in(&mut self, source: Box<dyn Source<T>>, rows: Vec<T>, fetched: Fetched) {
        self.size.learn(&fetched, rows.len());
        self.chunk = rows.into();
        match fetched.end {
            End::More => self.source = Some(source),
            End::Done => {}
            End::Broken(error) => self.error = Some(error),
        }
    }
}

impl<T> Iterator for TryRows<'_, T> {
    type Item = Result<T>;

    #[inline]
    fn next(&mut self) -> Option<Result<T>> {
        if self.chunk.is_empty() {
            self.refill();
        }
        match self.chunk.pop_front() {
            Some(row) => {
                self.given += 1;
                Some(Ok(row))
            }
            None => self.error.take().map(Err),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let in_hand = self.chunk.len() + usize::from(self.error.is_some());
        (in_hand, if self.source.is_some() { None } else { Some(in_hand) })
    }
}

impl<T> FusedIterator for TryRows<'_, T> {}

impl<T> fmt::Debug for TryRows<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryRows")
            .field("rows_given", &self.given)
            .field("in_hand", &self.chunk.len())
            .field("open", &self.source.is_some())
            .finish()
    }
}

impl<'a, T> Rows<'a, T> {
    pub(crate) fn new(rows: TryRows<'a, T>) -> Self {
        Rows { rows }
    }

    /// The number of rows given so far.
    pub fn rows_given(&self) -> u64 {
        self.rows.rows_given()
    }
}

impl<T> Iterator for Rows<'_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        match self.rows.next() {
            Some(Ok(row)) => Some(row),
            None => None,
            Some(Err(error)) => broken(self.rows.given, &error),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.size_hint()
    }
}

/// Refuses a stream that would never come to its end.
pub(crate) fn check_chunk_size(chunk_size: usize) -> Result<()> {
    if chunk_size > 0 {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidQuery, "a chunk of 0 rows would never end; give `iterator` at least 1"))
}

#[cold]
fn broken(given: u64, error: &Error) -> ! {
    panic!("the stream broke after {given} rows: {error:?}")
}

impl<T> FusedIterator for Rows<'_, T> {}

/// Streams are `Send` if their rows are: this does not compile otherwise.
const _: () = {
    const fn is_send<T: Send>() {}
    const fn streams_are_send<T: Send>() {
        is_send::<Rows<'_, T>>();
        is_send::<TryRows<'_, T>>();
    }
    streams_are_send::<()>();
};

impl<T> fmt::Debug for Rows<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rows").field(&self.rows).finish()
    }
}
