//! Terminals: methods that go to the database.

use std::sync::Arc;

use diesel::query_builder::QueryFragment;

use super::{
    QuerySet, ReadableOn, Selected, Shape,
    shape::{ReadTask, ShapeOn},
};
use crate::{
    backend::{Backend, Driver, PartsOf, Task},
    error::{Error, ErrorKind, Result},
    field::{Place, facts::facts_of, order::Direction},
    model::Model,
    session::Session,
    statement::{
        Part,
        lock::Locked,
        select::{Columns, Count, Never, Select},
    },
    stream::{self, Rows, TryRows, load},
};

// The bound stands on each method and not here, so that the compiler says what cannot be read, and why.
impl<'a, M: Model, B: Backend, S: Shape> QuerySet<'a, M, B, S> {
    /// Streams the rows, in constant memory: an ordinary `Iterator<Item = Row>`.
    ///
    /// `chunk_size` is the most rows that one fetch brings; the first fetch is small, so that the first row comes at
    /// once, and [`fetch_bytes`](Self::fetch_bytes) bounds wide rows. There is one statement and one snapshot, however
    /// many fetches. The connection is taken, and the statement sent, here; rows come as the iterator is pulled.
    /// Dropping it early costs no more than a chunk, and the connection goes back to the pool.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidQuery`] for a `chunk_size` of 0; whatever opening meets.
    ///
    /// # Panics
    ///
    /// Not this method, but `next` on what it returns: if the stream breaks midway, it panics with the error and the
    /// number of rows given, so that an export never looks complete when it is not. For code that handles the failure
    /// there is [`try_iterator`](Self::try_iterator).
    pub fn iterator(self, chunk_size: usize) -> Result<Rows<'a, S::Row>>
    where
        S: ReadableOn<B>,
    {
        self.try_iterator(chunk_size).map(Rows::new)
    }

    /// The same stream as [`iterator`](Self::iterator) for code that handles a failure: `Item = Result<Row, Error>`.
    ///
    /// After an `Err` there is only `None`. With itertools' `process_results`, adaptors that want bare rows work on it.
    ///
    /// # Errors
    ///
    /// As [`iterator`](Self::iterator).
    pub fn try_iterator(self, chunk_size: usize) -> Result<TryRows<'a, S::Row>>
    where
        S: ReadableOn<B>,
    {
        stream::check_chunk_size(chunk_size).map_err(|error| error.on_model(M::TABLE.model))?;
        struct Open<'q, 'a, M, B: Backend, S>(&'q QuerySet<'a, M, B, S>, usize);
        impl<'a, M: Model, B: Backend, S: ReadableOn<B>> ReadTask<B, S::Row> for Open<'_, 'a, M, B, S> {
            type Output = Result<TryRows<'a, S::Row>>;
            fn on<DB: Driver, S2: ShapeOn<DB, Row = S::Row>>(self, session: Session<'_, DB>) -> Self::Output
            where
                B: PartsOf<DB>,
            {
                let statement = Locked { lock: self.0.lock(Some(session))?, select: self.0.select()? };
                if self.0.has_no_rows() {
                    return Ok(TryRows::empty());
                }
                let source = DB::stream::<S2, _>(session, &statement, self.1)?;
                Ok(TryRows::new(source, self.1, self.0.fetch_bytes))
            }
        }
        of_model::<M, _>(S::run(self.on, Open(&self, chunk_size)))
    }

    /// All rows, in a `Vec`. For results that are small; [`iterator`](Self::iterator) is for the others.
    ///
    /// # Errors
    ///
    /// Whatever the database says; [`ErrorKind::Decode`] where a value does not fit its field.
    pub fn load(&self) -> Result<Vec<S::Row>>
    where
        S: ReadableOn<B>,
    {
        self.load_up_to(None, false)
    }

    /// The first row, if there is one.
    ///
    /// Without an order it is the one with the smallest primary key, unless expressions are selected, or distinct
    /// values: those have no key.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn first(&self) -> Result<Option<S::Row>>
    where
        S: ReadableOn<B>,
    {
        Ok(self.load_up_to(Some(1), false)?.pop())
    }

    /// The only row.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] where there is none, [`ErrorKind::MultipleRows`] where there are several; as
    /// [`load`](Self::load).
    pub fn get(&self) -> Result<S::Row>
    where
        S: ReadableOn<B>,
    {
        let mut rows = self.load_up_to(Some(2), false)?;
        let wrong = |kind, found: &str| {
            let error = Error::new(kind, format!("`get` expects one row and found {found}")).on_model(M::TABLE.model);
            match self.sql() {
                Ok(sql) => error.in_statement(sql),
                Err(_) => error,
            }
        };
        match (rows.pop(), rows.is_empty()) {
            (Some(row), true) => Ok(row),
            (Some(_), false) => Err(wrong(ErrorKind::MultipleRows, "several")),
            (None, _) => Err(wrong(ErrorKind::NotFound, "none")),
        }
    }

    /// So many rows; of one row and no order, the row with the least key, or with the greatest.
    pub(super) fn load_up_to(&self, rows: Option<u64>, last: bool) -> Result<Vec<S::Row>>
    where
        S: ReadableOn<B>,
    {
        struct Load<'q, 'a, M, B: Backend, S>(&'q QuerySet<'a, M, B, S>, Option<u64>, bool);
        impl<M: Model, B: Backend, S: ReadableOn<B>> ReadTask<B, S::Row> for Load<'_, '_, M, B, S> {
            type Output = Result<Vec<S::Row>>;
            fn on<DB: Driver, S2: ShapeOn<DB, Row = S::Row>>(self, session: Session<'_, DB>) -> Self::Output
            where
                B: PartsOf<DB>,
            {
                let lock = self.0.lock(Some(session))?;
                let mut select = self.0.select()?;
                if self.0.has_no_rows() {
                    return Ok(Vec::new());
                }
                if let Some(rows) = self.1 {
                    select.limit = Some(select.limit.map_or(rows, |limit| limit.min(rows)));
                }
                let key = primary_key::<M>();
                let has_key = match self.0.columns {
                    Selected::Tables(_) | Selected::Annotated(..) => true,
                    // DISTINCT may only be ordered by what is selected.
                    Selected::Fields(_) => !self.0.distinct,
                    Selected::Expressions(_) | Selected::Groups(_) | Selected::Combined => false,
                };
                // What comes first of each set is ordered by what makes a set.
                let has_key = has_key && self.0.more.distinct_on.is_empty();
                if self.1 == Some(1) && select.order.is_empty() && has_key {
                    let direction = Direction::Ours { descending: self.2, nulls: None };
                    select.order.extend(key.iter().map(|column| (column as &dyn QueryFragment<DB>, direction)));
                }
                load::all::<DB, S2, _>(session, Locked { select, lock })
            }
        }
        of_model::<M, _>(S::run(self.on, Load(self, rows, last)))
    }
}

impl<M: Model, B: Backend, S: Shape> QuerySet<'_, M, B, S> {
    /// The number of rows, counted by the database.
    ///
    /// # Errors
    ///
    /// Whatever the database says.
    pub fn count(&self) -> Result<u64> {
        struct CountRows<'q, 'a, M, B: Backend, S>(&'q QuerySet<'a, M, B, S>);
        impl<M: Model, B: Backend, S: Shape> Task<B> for CountRows<'_, '_, M, B, S> {
            type Output = Result<u64>;
            fn on<DB: Driver>(self, session: Session<'_, DB>) -> Result<u64>
            where
                B: PartsOf<DB>,
            {
                self.0.without_lock::<DB>("count")?;
                let count = Count(self.0.select_presence()?);
                if self.0.has_no_rows() {
                    return Ok(0);
                }
                let mut lease = session.lease()?;
                let sql = DB::sql(&count);
                let rows = lease
                    .run(|connection| DB::read_integer(connection, count))
                    .map_err(|error| load::in_statement(error.of_read(), sql))?;
                u64::try_from(rows).map_err(|_| Error::new(ErrorKind::Decode, format!("COUNT(*) gave {rows}")))
            }
        }
        of_model::<M, _>(B::run(self.on, CountRows(self)))
    }

    /// Whether there is any row.
    ///
    /// # Errors
    ///
    /// Whatever the database says.
    pub fn exists(&self) -> Result<bool> {
        self.exists_with(None)
    }

    /// Whether there is any row for which this condition is true as well.
    pub(super) fn exists_with<'m>(&self, condition: Option<Arc<B::Part<'m>>>) -> Result<bool> {
        struct AnyRow<'q, 'a, 'm, M, B: Backend, S>(&'q QuerySet<'a, M, B, S>, Option<Arc<B::Part<'m>>>);
        impl<M: Model, B: Backend, S: Shape> Task<B> for AnyRow<'_, '_, '_, M, B, S> {
            type Output = Result<bool>;
            fn on<DB: Driver>(self, session: Session<'_, DB>) -> Result<bool>
            where
                B: PartsOf<DB>,
            {
                self.0.without_lock::<DB>("exists")?;
                let mut select = self.0.select_presence()?;
                if self.0.has_no_rows() {
                    return Ok(false);
                }
                // Which rows a limit leaves of distinct ones depends on the order.
                if !select.distinct || (select.limit.is_none() && select.offset == 0) {
                    select.order.clear();
                }
                select.limit = Some(select.limit.unwrap_or(1).min(1));
                if let Some(condition) = &self.1 {
                    select.filters.push((B::part(condition), false));
                }
                load::any(session, select)
            }
        }
        of_model::<M, _>(B::run(self.on, AnyRow(self, condition)))
    }

    /// The statement as the backend in use will see it, with placeholders in place of values.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidQuery`] where the queryset cannot be written.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// let sql = Airport::objects(&db).filter(|a| a.city.eq("Denver")).values(|a| a.code).sql()?;
    /// assert_eq!(sql, "SELECT `airports`.`code` FROM `airports` WHERE ((`airports`.`city` = ?))");
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn sql(&self) -> Result<String> {
        struct Write<'q, 'a, M, B: Backend, S>(&'q QuerySet<'a, M, B, S>);
        impl<M: Model, B: Backend, S: Shape> Task<B> for Write<'_, '_, M, B, S> {
            type Output = Result<String>;
            fn on<DB: Driver>(self, _: Session<'_, DB>) -> Result<String>
            where
                B: PartsOf<DB>,
            {
                let statement = Locked { lock: self.0.lock::<DB>(None)?, select: self.0.select()? };
                DB::sql(&statement).map_err(|error| crate::diesel_error::ours(error, DB::KIND))
            }
        }
        of_model::<M, _>(B::run(self.on, Write(self)))
    }

    /// The backend that it was made on.
    pub(crate) fn backend(&self) -> crate::backend::BackendKind {
        struct Kind;
        impl<B: Backend> Task<B> for Kind {
            type Output = crate::backend::BackendKind;
            fn on<DB: Driver>(self, _: Session<'_, DB>) -> Self::Output
            where
                B: PartsOf<DB>,
            {
                DB::KIND
            }
        }
        B::run(self.on, Kind)
    }

    /// The statement for the driver `DB`.
    pub(crate) fn select<DB: Driver>(&self) -> Result<Select<'_, DB>>
    where
        B: PartsOf<DB>,
    {
        let order = self.directed_order()?;
        Ok(Select {
            columns: match &self.columns {
                Selected::Tables(tables) => Columns::Tables(tables),
                Selected::Fields(part) | Selected::Expressions(part) => Columns::Expression(B::part(part)),
                Selected::Annotated(tables, part) => Columns::Annotated(tables, B::part(part)),
                Selected::Groups(_) => Columns::Groups,
                Selected::Combined => Columns::Combined(self.more.combined_columns()),
            },
            distinct: self.distinct,
            table: M::TABLE,
            alias: M::TABLE.name,
            joins: self.joins.iter().map(|used| &used.join).collect(),
            filters: self.conditions(),
            more: self.more(&order)?,
            order,
            // No table has as many rows, and no backend takes a greater number.
            limit: self.limit.map(|limit| limit.min(i64::MAX as u64)),
            offset: self.offset.min(i64::MAX as u64),
            place: Place::Elsewhere,
        })
    }

    fn conditions<DB: Driver>(&self) -> Vec<(Part<'_, DB>, bool)>
    where
        B: PartsOf<DB>,
    {
        let never: Option<Part<'_, DB>> = if self.none { Some(&Never) } else { None };
        let given = self.filters.iter().map(|filter| (B::part(&filter.part), filter.negated));
        never.map(|never| (never, false)).into_iter().chain(given).collect()
    }

    /// The same rows without what is in them, for counting; joins that decide nothing are left out.
    pub(crate) fn select_presence<DB: Driver>(&self) -> Result<Select<'_, DB>>
    where
        B: PartsOf<DB>,
    {
        self.without_lock::<DB>("a query inside of another one")?;
        let mut select = self.select()?;
        let unlimited = self.limit.is_none() && self.offset == 0;
        if matches!(self.columns, Selected::Groups(_)) {
            select.columns = Columns::GroupKeys;
            if unlimited {
                select.order.clear();
            }
        } else if !self.distinct && !matches!(self.columns, Selected::Expressions(_)) {
            select.columns = Columns::Nothing;
            select.joins = self.deciding_joins(!unlimited);
            if unlimited {
                select.order.clear();
            }
        }
        Ok(select)
    }

    /// A LEFT JOIN decides nothing unless a condition uses it, an order that is kept, or a join that leads on from it.
    pub(super) fn deciding_joins(&self, ordered: bool) -> Vec<&crate::path::Join> {
        let mut needed: Vec<&str> = Vec::new();
        let mut joins = Vec::new();
        for used in self.joins.iter().rev() {
            let used_here = used.by_condition || (ordered && used.by_order);
            if used_here || !used.join.outer || needed.contains(&used.join.alias.as_str()) {
                needed.push(&used.join.from);
                joins.push(&used.join);
            }
        }
        joins.reverse();
        joins
    }

    fn directed_order<DB: Driver>(&self) -> Result<Vec<(&dyn QueryFragment<DB>, Direction)>>
    where
        B: PartsOf<DB>,
    {
        let cannot_reverse = |why: &str| {
            Error::new(ErrorKind::InvalidQuery, format!("the queryset cannot be reversed: {why}"))
                .on_model(M::TABLE.model)
        };
        let of_rows = matches!(self.columns, Selected::Tables(_) | Selected::Fields(_) | Selected::Annotated(..));
        for key in self.order.iter().filter(|_| of_rows) {
            let facts = facts_of::<DB>(B::part(&key.part));
            if facts.map_err(|error| crate::diesel_error::ours(error, DB::KIND).on_model(M::TABLE.model))?.aggregate {
                return Err(self.invalid(
                    "an aggregate makes one row of many, so that rows cannot be ordered by it; order groups, \
                     `group_by(…).aggregate(…).order_by(…)`, or order by an aggregate `over` a window",
                ));
            }
        }
        if self.reversed && self.order.is_empty() {
            return Err(cannot_reverse("it has no order; call `order_by` first"));
        }
        self.order
            .iter()
            .map(|key| {
                if self.distinct && matches!(key.direction, Direction::Diesels) {
                    return Err(self.invalid(
                        "a queryset with `distinct` cannot be ordered by Diesel's `asc()` or `desc()`; order an expression by \
                         `orm_core::asc(expression)` or `orm_core::desc(expression)`",
                    ));
                }
                let direction = if self.reversed {
                    key.direction.reversed().ok_or_else(|| {
                        cannot_reverse(
                            "it is ordered by Diesel's `asc()` or `desc()`; order an expression by \
                             `orm_core::asc(expression)` or `orm_core::desc(expression)`",
                        )
                    })?
                } else {
                    key.direction
                };
                Ok((B::part(&key.part), direction))
            })
            .collect()
    }
}

/// Names the model in the refusal of a query.
fn of_model<M: Model, T>(answer: Result<T>) -> Result<T> {
    answer.map_err(|error| match (error.kind(), error.model()) {
        (ErrorKind::InvalidQuery, None) => error.on_model(M::TABLE.model),
        _ => error,
    })
}

/// The primary key's columns, as an order.
fn primary_key<M: Model>() -> Vec<RootColumn> {
    M::PRIMARY_KEY.iter().map(|at| RootColumn(M::TABLE, M::COLUMNS[*at].name)).collect()
}

/// A column of the root's table.
struct RootColumn(&'static crate::model::Table, &'static str);

impl<DB: Driver> QueryFragment<DB> for RootColumn {
    fn walk_ast<'b>(&'b self, mut out: diesel::query_builder::AstPass<'_, 'b, DB>) -> diesel::QueryResult<()> {
        crate::field::collation::push_compared(&mut out, self.0.name, self.0, self.1)
    }
}
