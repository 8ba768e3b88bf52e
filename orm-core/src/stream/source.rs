//! What a backend brings to a stream.

use std::fmt;

use diesel::row::{Field as _, Row};

use super::{
    arranged::Arranged,
    row::{ColumnError, ColumnName, RowReader},
};
use crate::{
    backend::Driver,
    error::{Error, ErrorKind},
    queryset::shape::ShapeOn,
};

/// A result set that is being read. Dropping it ends it, at the cost of a chunk at most.
///
/// It can move to another thread between two fetches, whatever its rows are: it holds none of them.
pub(crate) trait Source<T>: Send {
    /// Adds rows to `out`, up to `limit`.
    fn fetch(&mut self, limit: Limit, out: &mut Vec<T>) -> Fetched;
}

/// A stream that was opened.
#[doc(hidden)]
pub struct Opened<T> {
    pub(crate) source: Box<dyn Source<T>>,
    /// What was fetched already, by backends that report errors with the first row.
    pub(crate) first: Option<(Vec<T>, Fetched)>,
}

impl<T> fmt::Debug for Opened<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").finish_non_exhaustive()
    }
}

impl<T> Opened<T> {
    /// A stream of which nothing was fetched.
    #[cfg(any(feature = "mysql", feature = "postgres"))]
    pub(crate) fn new(source: impl Source<T> + 'static) -> Self {
        Opened { source: Box::new(source), first: None }
    }
}

/// How much one fetch may bring.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    /// In rows; at least 1, at most `i32::MAX`.
    pub(crate) rows: usize,
    /// In bytes, where the source can stop between rows: after the row that reaches it.
    pub(crate) bytes: usize,
}

/// What a fetch brought.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// The bytes that the widest row holds.
    pub(crate) widest: usize,
    pub(crate) end: End,
}

/// How a fetch ended.
#[derive(Debug)]
pub(crate) enum End {
    /// There may be more.
    More,
    /// That was all.
    Done,
    /// There will be no more.
    Broken(Error),
}

/// Reads rows as a shape, and says of a row that does not fit which one it is.
pub(crate) struct Decoder<S> {
    names: Vec<ColumnName>,
    /// Where the columns are in a row, once the first one has come; where they have to be found.
    columns: Option<Vec<usize>>,
    rows: u64,
    widest: usize,
    bytes: usize,
    shape: std::marker::PhantomData<fn() -> S>,
}

impl<S> Decoder<S> {
    pub(crate) fn new<DB: Driver>() -> Self
    where
        S: ShapeOn<DB>,
    {
        let mut names = Vec::new();
        S::names(&mut names);
        Decoder { names, columns: None, rows: 0, widest: 0, bytes: 0, shape: std::marker::PhantomData }
    }

    /// Begins a fetch.
    pub(crate) fn start(&mut self) {
        self.widest = 0;
        self.bytes = 0;
    }

    /// The bytes of the rows of this fetch.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Ends a fetch.
    pub(crate) fn fetched(&self, end: End) -> Fetched {
        Fetched { widest: self.widest, end }
    }

    #[inline]
    pub(crate) fn read<'r, DB: Driver, R: Row<'r, DB>>(&mut self, row: &R, out: &mut Vec<S::Row>) -> Result<(), Error>
    where
        S: ShapeOn<DB>,
    {
        if !S::ARRANGED {
            return self.read_in_order(row, out);
        }
        let columns = match self.columns.take() {
            Some(columns) => columns,
            None => S::arrange(row)?,
        };
        let read = self.read_in_order(&Arranged { row, columns: &columns }, out);
        self.columns = Some(columns);
        read
    }

    #[inline]
    fn read_in_order<'r, DB: Driver, R: Row<'r, DB>>(&mut self, row: &R, out: &mut Vec<S::Row>) -> Result<(), Error>
    where
        S: ShapeOn<DB>,
    {
        let mut reader = RowReader::new(row);
        self.rows += 1;
        match S::read(&mut reader) {
            Ok(value) => {
                let width = size_of::<S::Row>() + reader.width();
                self.widest = self.widest.max(width);
                self.bytes += width;
                out.push(value);
                Ok(())
            }
            Err(error) => Err(self.misfit::<DB, R>(row, error)),
        }
    }

    #[cold]
    fn misfit<'r, DB: Driver, R: Row<'r, DB>>(&self, row: &R, error: ColumnError) -> Error
    where
        S: ShapeOn<DB>,
    {
        let name = self.names.get(error.column).copied().unwrap_or_default();
        let column = row.get(error.column).filter(|_| S::ARRANGED && name.field.is_none());
        let what = match column.as_ref().and_then(|column| column.field_name()) {
            Some(name) => format!("a value of the column `{name}` does not fit its type"),
            None => "a stored value does not fit its field".to_owned(),
        };
        let mut ours = Error::new(ErrorKind::Decode, what)
            .with_source(error.source)
            .on_backend(DB::KIND)
            .on_row(self.rows)
            .with_key(S::key(row));
        if let Some(model) = name.model {
            ours = ours.on_model(model);
        }
        if let Some(field) = name.field {
            ours = ours.on_field(field);
        }
        ours
    }
}
