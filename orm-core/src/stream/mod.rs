//! Streams: iterators over the rows of a queryset, in constant memory, on every backend.
//!
//! # What a portal costs on PostgreSQL
//!
//! A stream on PostgreSQL is a portal of the protocol: the statement is planned for all of its rows (a cursor of SQL's is
//! planned for a tenth of them, unless `cursor_tuple_fraction` says otherwise), and executed piece by piece. The server
//! executes what is asked for in pieces without parallel workers, and a stream from a pool is planned so, too. Where the
//! work before the first row is what takes long, as in an aggregate or a sort over a big table, and the result is small,
//! [`load`](crate::QuerySet::load) asks for all of it at once and may have workers. Where both are big, the workers'
//! part can be made a table or a materialized view first, and that be streamed.
//!
//! While rows are used, the next pieces (two of some 64 KiB, and no more rows than a chunk) are on their way. So an error in a row
//! ahead may fail a transaction in which a stream was dropped before it, as it would with any larger fetch. A consumer may
//! take his time: the limits of `statement_timeout` are for each piece. But the transaction is idle meanwhile, as
//! `idle_in_transaction_session_timeout` sees it, and keeps vacuum from removing what it may still read.
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
