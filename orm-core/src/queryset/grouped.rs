//! `group_by`: values that are computed of each group of rows.

use std::{fmt, num::NonZeroUsize, sync::Arc};

use diesel::{
    expression::{AppearsOnTable, ValidGrouping},
    sql_types::BoolOrNullableBool,
};

use super::{
    Grouped, QuerySet, ReadableOn, Selected, Shape, Use,
    aggregate::GivesAggregates,
    condition::NoWindow,
    group_keys::{GivesKeys, Keys},
    rows::GroupParts,
};
use crate::{
    backend::{Backend, IntoPart},
    error::Result,
    field::{GivesOrder, RootedAt, Selection},
    model::Model,
    path::Root,
    stream::{Rows, TryRows},
};

impl<'a, M: Model, B: Backend, S: Shape> QuerySet<'a, M, B, S> {
    /// Makes groups of the rows that are equal in an expression, or in each of a tuple of up to 16.
    ///
    /// What is computed of each group, [`aggregate`](Grouping::aggregate) says. Conditions on rows stand before it. Of a
    /// queryset with a limit, the groups are of exactly those rows. NULLs make a group of their own.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// use orm_core::dsl::{avg, count_star};
    /// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64, carrier: String, delay: Option<i32> }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Flight,)>()?;
    /// # let flight = |id, carrier: &str| Flight { id, carrier: carrier.into(), delay: Some(10) };
    /// # Flight::bulk_create(&db, [flight(1, "UA"), flight(2, "UA"), flight(3, "AA")])?;
    ///
    /// let carriers = Flight::objects(&db)
    ///     .filter(|f| f.delay.gt(0))
    ///     .group_by(|f| f.carrier)
    ///     .aggregate(|f| (count_star(), avg(f.delay)))
    ///     .having(|_carrier, (flights, _delay)| flights.gt(1))
    ///     .order_by(|carrier, (flights, _delay)| (flights.desc(), carrier.asc()));
    /// let rows: Vec<(String, (i64, Option<f64>))> = carriers.load()?;
    /// assert_eq!(rows, [("UA".to_owned(), (2, Some(10.0)))]);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn group_by<K>(
        self,
        f: impl FnOnce(M::Fields<Root<M>>) -> K + GivesKeys<'a, M, B, K>,
    ) -> Grouping<'a, M, B, K, S> {
        self.grouped(f)
    }

    fn grouped<K, F>(self, f: F) -> Grouping<'a, M, B, K, S>
    where
        F: FnOnce(M::Fields<Root<M>>) -> K + GivesKeys<'a, M, B, K>,
    {
        let mut rows = self.rows_for_aggregates("`group_by`");
        let keys = rows.scoped(Use::Condition, f);
        let mut parts = Vec::new();
        F::keep(&keys, &mut parts);
        Grouping { rows, keys, parts }
    }
}

/// Rows in groups, of which nothing is computed yet; made by [`QuerySet::group_by`].
#[must_use = "groups are lazy: say what to compute of each by `aggregate`"]
pub struct Grouping<'a, M, B: Backend, K, S> {
    rows: QuerySet<'a, M, B, S>,
    keys: K,
    parts: Vec<Arc<B::Part<'a>>>,
}

impl<M: Model, B: Backend, K, S> fmt::Debug for Grouping<'_, M, B, K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grouping").field("model", &M::TABLE.model).finish_non_exhaustive()
    }
}

impl<'a, M: Model, B: Backend, K: Keys, S: Shape> Grouping<'a, M, B, K, S> {
    /// Says what is computed of each group: an aggregate, or a tuple of up to 16.
    ///
    /// A row is then a pair of the keys and of the aggregates: `((carrier, city), (flights, delay))`.
    pub fn aggregate<A>(
        self,
        f: impl FnOnce(M::Fields<Root<M>>) -> A + GivesAggregates<'a, M, B, A>,
    ) -> Groups<'a, M, B, K, A>
    where
        A: Selection + Clone + 'static,
    {
        self.aggregated(f)
    }

    fn aggregated<A, F>(self, f: F) -> Groups<'a, M, B, K, A>
    where
        F: FnOnce(M::Fields<Root<M>>) -> A + GivesAggregates<'a, M, B, A>,
        A: Selection + Clone + 'static,
    {
        let Grouping { mut rows, keys, parts } = self;
        let computed = rows.scoped(Use::Condition, f);
        rows.more.groups = Some(Arc::new(GroupParts { keys: parts, having: Vec::new() }));
        let rows = rows.selecting(Selected::Groups(F::keep(computed.clone())));
        Groups { rows, keys: keys.named(), computed }
    }
}

/// Groups of rows, and what is computed of each; a row is a pair of keys and aggregates.
///
/// It is a queryset of its own, lazy and cloneable: [`load`](Self::load) and [`iterator`](Self::iterator) read its rows,
/// [`count`](Self::count) is the number of groups.
#[must_use = "groups are lazy: nothing is sent before `iterator`, `load` or another terminal is called"]
pub struct Groups<'a, M, B: Backend, K: Keys, A> {
    rows: QuerySet<'a, M, B, Grouped<K, A>>,
    keys: K::Named,
    computed: A,
}

impl<M, B: Backend, K: Keys, A: Clone> Clone for Groups<'_, M, B, K, A> {
    fn clone(&self) -> Self {
        Groups { rows: self.rows.clone(), keys: self.keys.clone(), computed: self.computed.clone() }
    }
}

impl<M: Model, B: Backend, K: Keys, A: Selection + 'static> fmt::Debug for Groups<'_, M, B, K, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows.fmt(f)
    }
}

impl<'a, M: Model, B: Backend, K: Keys, A: Selection + Clone + 'static> Groups<'a, M, B, K, A> {
    /// Keeps the groups for which the condition is true: SQL's `HAVING`.
    ///
    /// The closure is given the keys and the aggregates, and no field besides: `|carrier, (flights, delay)| flights.gt(10)`.
    /// Several calls keep the groups for which all conditions are true.
    pub fn having<C>(self, f: impl FnOnce(K::Named, A) -> C + GivesGroupCondition<'a, M, B, C>) -> Self {
        self.kept(f)
    }

    fn kept<C, F>(mut self, f: F) -> Self
    where
        F: FnOnce(K::Named, A) -> C + GivesGroupCondition<'a, M, B, C>,
    {
        let condition = F::keep(f(self.keys.clone(), self.computed.clone()));
        if let Some(groups) = &mut self.rows.more.groups {
            let mut having = groups.having.clone();
            having.push(condition);
            *groups = Arc::new(GroupParts { keys: groups.keys.clone(), having });
        }
        self
    }

    /// Orders the groups, by keys and aggregates: `|carrier, (flights, delay)| (flights.desc(), carrier.asc())`.
    ///
    /// A later call replaces the order of an earlier one.
    pub fn order_by<O>(self, f: impl FnOnce(K::Named, A) -> O + GivesOrder<'a, M, B, O>) -> Self {
        self.ordered(f)
    }

    fn ordered<O, F>(mut self, f: F) -> Self
    where
        F: FnOnce(K::Named, A) -> O + GivesOrder<'a, M, B, O>,
    {
        self.rows.order.clear();
        F::keys(f(self.keys.clone(), self.computed.clone()), &mut self.rows.order);
        self
    }

    /// Keeps the first `groups` groups.
    pub fn limit(mut self, groups: u64) -> Self {
        self.rows.limit = Some(groups);
        self
    }

    /// Skips the first `groups` groups.
    pub fn offset(mut self, groups: u64) -> Self {
        self.rows.offset = groups;
        self
    }

    /// As [`QuerySet::fetch_bytes`].
    pub fn fetch_bytes(mut self, bytes: NonZeroUsize) -> Self {
        self.rows.fetch_bytes = bytes;
        self
    }

    /// Streams the groups, as [`QuerySet::iterator`] does rows.
    ///
    /// # Errors
    ///
    /// As [`QuerySet::iterator`].
    ///
    /// # Panics
    ///
    /// As [`QuerySet::iterator`].
    pub fn iterator(self, chunk_size: usize) -> Result<Rows<'a, (K::Row, A::Row)>>
    where
        Grouped<K, A>: ReadableOn<B, Row = (K::Row, A::Row)>,
    {
        self.rows.iterator(chunk_size)
    }

    /// Streams the groups, as [`QuerySet::try_iterator`] does rows.
    ///
    /// # Errors
    ///
    /// As [`QuerySet::try_iterator`].
    pub fn try_iterator(self, chunk_size: usize) -> Result<TryRows<'a, (K::Row, A::Row)>>
    where
        Grouped<K, A>: ReadableOn<B, Row = (K::Row, A::Row)>,
    {
        self.rows.try_iterator(chunk_size)
    }

    /// All groups, in a `Vec`.
    ///
    /// # Errors
    ///
    /// As [`QuerySet::load`].
    pub fn load(&self) -> Result<Vec<(K::Row, A::Row)>>
    where
        Grouped<K, A>: ReadableOn<B, Row = (K::Row, A::Row)>,
    {
        self.rows.load()
    }

    /// The first group, if there is one.
    ///
    /// # Errors
    ///
    /// As [`QuerySet::load`].
    pub fn first(&self) -> Result<Option<(K::Row, A::Row)>>
    where
        Grouped<K, A>: ReadableOn<B, Row = (K::Row, A::Row)>,
    {
        self.rows.first()
    }

    /// The only group.
    ///
    /// # Errors
    ///
    /// As [`QuerySet::get`].
    pub fn get(&self) -> Result<(K::Row, A::Row)>
    where
        Grouped<K, A>: ReadableOn<B, Row = (K::Row, A::Row)>,
    {
        self.rows.get()
    }

    /// The number of groups, counted by the database.
    ///
    /// # Errors
    ///
    /// Whatever the database says.
    pub fn count(&self) -> Result<u64> {
        self.rows.count()
    }

    /// Whether there is any group.
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

/// A closure that gives a condition on groups; the compiler points at the closure.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this closure does not give a condition on groups: a boolean expression over the keys and aggregates that it \
               is given, such as `flights.gt(10)`",
    label = "gives none",
    note = "a condition on rows stands in `filter`, before `group_by`"
)]
pub trait GivesGroupCondition<'a, M, B: Backend, C> {
    fn keep(condition: C) -> Arc<B::Part<'a>>;
}

#[diagnostic::do_not_recommend]
impl<'a, M, B: Backend, C, F> GivesGroupCondition<'a, M, B, C> for F
where
    C: AppearsOnTable<RootedAt<M>> + ValidGrouping<(), IsAggregate: NoWindow> + IntoPart<'a, B>,
    C::SqlType: BoolOrNullableBool,
{
    fn keep(condition: C) -> Arc<B::Part<'a>> {
        condition.into_part()
    }
}
