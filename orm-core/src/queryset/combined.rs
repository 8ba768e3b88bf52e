//! Set operations: the rows of several querysets of one shape together.

use std::{fmt, marker::PhantomData, num::NonZeroUsize, sync::Arc};

use super::{
    QuerySet, ReadableOn, Selected, Values, Whole,
    group_keys::Keys,
    locking::Locking,
    rows::{More, Operands, Rows as Of},
    united::Unites,
};
use crate::{
    backend::Backend,
    error::Result,
    field::{GivesOrder, Selection},
    model::Model,
    statement::combined::Operation,
    stream::{Rows, TryRows, row::ColumnName},
};

impl<'a, M: Model, B: Backend> QuerySet<'a, M, B> {
    /// The rows of any of the querysets, each once: SQL's `UNION`.
    ///
    /// What comes of it is a queryset like any other: conditions, orders, limits, relations and aggregates are then of the
    /// whole. Limits of the querysets that go into it are kept, and their orders for these. Takes one other queryset, or several in an array. The statement
    /// is sent where this queryset was made.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String, altitude: i32 }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Airport,)>()?;
    /// let highest = Airport::objects(&db).order_by(|a| a.altitude.desc()).limit(3);
    /// let lowest = Airport::objects(&db).order_by(|a| a.altitude.asc()).limit(3);
    /// for airport in highest.union([lowest]).order_by(|a| a.city.asc()).iterator(2000)? {
    ///     println!("{} {}", airport.city, airport.altitude);
    /// }
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn union(self, others: impl IntoIterator<Item = Self>) -> Self {
        self.combined(Operation::Union, others)
    }

    /// The rows of all of the querysets, as often as they are there: SQL's `UNION ALL`.
    ///
    /// As [`union`](Self::union) besides.
    pub fn union_all(self, others: impl IntoIterator<Item = Self>) -> Self {
        self.combined(Operation::UnionAll, others)
    }

    /// The rows that are in all of the querysets, each once: SQL's `INTERSECT`.
    ///
    /// As [`union`](Self::union) besides.
    pub fn intersection(self, others: impl IntoIterator<Item = Self>) -> Self {
        self.combined(Operation::Intersection, others)
    }

    /// The rows of this queryset that are in none of the others, each once: SQL's `EXCEPT`.
    ///
    /// As [`union`](Self::union) besides.
    pub fn difference(self, others: impl IntoIterator<Item = Self>) -> Self {
        self.combined(Operation::Difference, others)
    }

    fn combined(self, operation: Operation, others: impl IntoIterator<Item = Self>) -> Self {
        let (on, fetch_bytes) = (self.on, self.fetch_bytes);
        let operands = Arc::new(Operands { operation, querysets: [self].into_iter().chain(others).collect() });
        QuerySet {
            on,
            fetch_bytes,
            columns: Selected::Tables(vec![(M::TABLE.name.to_owned(), M::TABLE)]),
            joins: Vec::new(),
            filters: Vec::new(),
            order: Vec::new(),
            reversed: false,
            distinct: false,
            none: false,
            locking: Locking::default(),
            limit: None,
            offset: 0,
            more: More { rows: Of::Combined(operands), ..More::default() },
            shape: PhantomData,
        }
    }
}

impl<'a, M: Model, B: Backend, E: Keys> QuerySet<'a, M, B, Values<E>> {
    /// The rows of any of the querysets, each once: SQL's `UNION`.
    ///
    /// The querysets select expressions of the same types; a value that is an `Option` in any of them is an `Option` in
    /// the result. What comes of it can be ordered by them, cut, counted and read.
    /// Takes one other queryset, or several in an array. The statement is sent where this queryset was made.
    pub fn union<E2>(
        self,
        others: impl IntoIterator<Item = QuerySet<'a, M, B, Values<E2>>>,
    ) -> CombinedValues<'a, M, B, E::United>
    where
        E: Unites<E2>,
    {
        CombinedValues::new(Operation::Union, self, others)
    }

    /// The rows of all of the querysets, as often as they are there: SQL's `UNION ALL`.
    ///
    /// As [`union`](Self::union) besides.
    pub fn union_all<E2>(
        self,
        others: impl IntoIterator<Item = QuerySet<'a, M, B, Values<E2>>>,
    ) -> CombinedValues<'a, M, B, E::United>
    where
        E: Unites<E2>,
    {
        CombinedValues::new(Operation::UnionAll, self, others)
    }

    /// The rows that are in all of the querysets, each once: SQL's `INTERSECT`.
    ///
    /// As [`union`](Self::union) besides.
    pub fn intersection<E2>(
        self,
        others: impl IntoIterator<Item = QuerySet<'a, M, B, Values<E2>>>,
    ) -> CombinedValues<'a, M, B, E::United>
    where
        E: Unites<E2>,
    {
        CombinedValues::new(Operation::Intersection, self, others)
    }

    /// The rows of this queryset that are in none of the others, each once: SQL's `EXCEPT`.
    ///
    /// As [`union`](Self::union) besides.
    pub fn difference<E2>(
        self,
        others: impl IntoIterator<Item = QuerySet<'a, M, B, Values<E2>>>,
    ) -> CombinedValues<'a, M, B, E::United>
    where
        E: Unites<E2>,
    {
        CombinedValues::new(Operation::Difference, self, others)
    }
}

/// The values of several querysets together; made by `union` and its like.
#[must_use = "a queryset is lazy: nothing is sent before `iterator`, `load` or another terminal is called"]
pub struct CombinedValues<'a, M, B: Backend, E> {
    rows: QuerySet<'a, M, B, Values<E>>,
}

impl<M, B: Backend, E> Clone for CombinedValues<'_, M, B, E> {
    fn clone(&self) -> Self {
        CombinedValues { rows: self.rows.clone() }
    }
}

impl<M: Model, B: Backend, E: Selection + 'static> fmt::Debug for CombinedValues<'_, M, B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows.fmt(f)
    }
}

impl<'a, M: Model, B: Backend, E: Keys> CombinedValues<'a, M, B, E> {
    fn new<E1, E2>(
        operation: Operation,
        first: QuerySet<'a, M, B, Values<E1>>,
        others: impl IntoIterator<Item = QuerySet<'a, M, B, Values<E2>>>,
    ) -> Self {
        let (on, fetch_bytes) = (first.on, first.fetch_bytes);
        let mut names: Vec<ColumnName> = Vec::new();
        E::names(&mut names);
        let columns = |queryset: QuerySet<'a, M, B, Values<E2>>| {
            let columns = queryset.columns.clone();
            queryset.selecting::<Whole<M>>(columns)
        };
        let columns_of_first = first.columns.clone();
        let first = first.selecting::<Whole<M>>(columns_of_first);
        let querysets = [first].into_iter().chain(others.into_iter().map(columns)).collect();
        let rows = Of::Listed(Arc::new(Operands { operation, querysets }), names.len());
        CombinedValues {
            rows: QuerySet {
                on,
                fetch_bytes,
                columns: Selected::Combined,
                joins: Vec::new(),
                filters: Vec::new(),
                order: Vec::new(),
                reversed: false,
                distinct: false,
                none: false,
                locking: Locking::default(),
                limit: None,
                offset: 0,
                more: More { rows, ..More::default() },
                shape: PhantomData,
            },
        }
    }

    /// Orders the values: the closure is given them, `|(city, country)| (country.asc(), city.asc())`.
    ///
    /// A later call replaces the order of an earlier one.
    pub fn order_by<O>(self, f: impl FnOnce(E::Columns) -> O + GivesOrder<'a, M, B, O>) -> Self {
        self.ordered(f)
    }

    fn ordered<O, F>(mut self, f: F) -> Self
    where
        F: FnOnce(E::Columns) -> O + GivesOrder<'a, M, B, O>,
    {
        self.rows.order.clear();
        F::keys(f(E::columns()), &mut self.rows.order);
        self
    }

    /// Keeps the first `rows` rows.
    pub fn limit(mut self, rows: u64) -> Self {
        self.rows.limit = Some(rows);
        self
    }

    /// Skips the first `rows` rows.
    pub fn offset(mut self, rows: u64) -> Self {
        self.rows.offset = rows;
        self
    }

    /// As [`QuerySet::fetch_bytes`].
    pub fn fetch_bytes(mut self, bytes: NonZeroUsize) -> Self {
        self.rows.fetch_bytes = bytes;
        self
    }

    /// Streams the rows, as [`QuerySet::iterator`] does.
    ///
    /// # Errors
    ///
    /// As [`QuerySet::iterator`].
    ///
    /// # Panics
    ///
    /// As [`QuerySet::iterator`].
    pub fn iterator(self, chunk_size: usize) -> Result<Rows<'a, E::Row>>
    where
        Values<E>: ReadableOn<B, Row = E::Row>,
    {
        self.rows.iterator(chunk_size)
    }

    /// Streams the rows, as [`QuerySet::try_iterator`] does.
    ///
    /// # Errors
    ///
    /// As [`QuerySet::try_iterator`].
    pub fn try_iterator(self, chunk_size: usize) -> Result<TryRows<'a, E::Row>>
    where
        Values<E>: ReadableOn<B, Row = E::Row>,
    {
        self.rows.try_iterator(chunk_size)
    }

    /// All rows, in a `Vec`.
    ///
    /// # Errors
    ///
    /// As [`QuerySet::load`].
    pub fn load(&self) -> Result<Vec<E::Row>>
    where
        Values<E>: ReadableOn<B, Row = E::Row>,
    {
        self.rows.load()
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    ///
    /// As [`QuerySet::load`].
    pub fn first(&self) -> Result<Option<E::Row>>
    where
        Values<E>: ReadableOn<B, Row = E::Row>,
    {
        self.rows.first()
    }

    /// The number of rows, counted by the database.
    ///
    /// # Errors
    ///
    /// Whatever the database says.
    pub fn count(&self) -> Result<u64> {
        self.rows.count()
    }

    /// Whether there is any row.
    ///
    /// # Errors
    ///
    /// Whatever the database says.
    pub fn exists(&self) -> Result<bool> {
        self.rows.exists()
    }

    /// The statement as the backend in use will see it.
    ///
    /// # Errors
    ///
    /// As [`QuerySet::sql`].
    pub fn sql(&self) -> Result<String> {
        self.rows.sql()
    }
}
