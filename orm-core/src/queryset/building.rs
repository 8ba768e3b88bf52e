//! Building: methods that return another queryset. None of them goes to the database.

use std::{num::NonZeroUsize, sync::Arc};

use diesel::expression::{AppearsOnTable, Expression, ValidGrouping};

use super::{
    Expressions, Joined, QuerySet, ReadableOn, Related, Selected, Use, UsedJoin, Values,
    condition::{Filter, GivesCondition, GivesQualification, OfOneRow},
};
use crate::{
    backend::{Backend, IntoPart},
    field::{GivesOrder, RootedAt, Selection},
    model::{Accessors, Model, Table},
    path::{Path, Root, Scope},
};

impl<'a, M: Model, B: Backend> QuerySet<'a, M, B> {
    /// Reads related models with each row, by joins: a row becomes a tuple of the model and each relation's.
    ///
    /// The closure names one relation or a tuple of up to 12, of any depth. Where a relation may have no row (its key
    /// is an `Option`, it was declared `optional`, or a step before it may have none), its place in the tuple is an
    /// `Option`, and the model's row is there in any case.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
    /// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64,
    /// # #[model(belongs_to(Airport, name = origin))] origin_code: String,
    /// # #[model(belongs_to(Airport, name = dest, optional))] dest_code: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Airport, Flight)>()?;
    /// for (flight, origin, dest) in Flight::objects(&db).select_related(|f| (f.origin(), f.dest())).iterator(2000)? {
    ///     let (origin, dest): (Airport, Option<Airport>) = (origin, dest);
    ///     println!("{}: {} to {:?}", flight.id, origin.city, dest.map(|dest| dest.city));
    /// }
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn select_related<R, F, T>(mut self, f: F) -> QuerySet<'a, M, B, Joined<M, T>>
    where
        F: FnOnce(M::Fields<Root<M>>) -> R + GivesRelations<M, R, T>,
    {
        self.scoped(Use::Relation, f);
        let mut tables = vec![(M::TABLE.name.to_owned(), M::TABLE)];
        F::tables(&mut tables);
        self.selecting(Selected::Tables(tables))
    }
}

impl<'a, M: Model, B: Backend, S> QuerySet<'a, M, B, S> {
    /// Keeps the rows for which the condition is true.
    ///
    /// Several calls keep the rows for which all conditions are true. The condition may use fields of related models,
    /// whose joins it brings along: `f.origin().city.eq("New York")`.
    pub fn filter<E>(self, f: impl FnOnce(M::Fields<Root<M>>) -> E + GivesCondition<'a, M, B, E>) -> Self {
        self.condition(f, false)
    }

    /// Keeps the rows for which the condition is not true: those for which it is false, and those for which it is NULL.
    ///
    /// `filter(c)` and `exclude(c)` share no row, and together they give them all, whatever is NULL in the rows or in the
    /// values: of `f.x.is_in([None, Some(2)])`, which is true where `x` is 2 and else NULL, `exclude` keeps every row but those.
    /// (Django leaves out rows whose `x` is NULL there.) To keep only the rows for which the condition is false, use
    /// `filter(|f| not(c))`. (A relation that the condition steps
    /// along is joined; where a key may have no row at its end, declare it `optional`, so that no row is lost.)
    pub fn exclude<E>(self, f: impl FnOnce(M::Fields<Root<M>>) -> E + GivesCondition<'a, M, B, E>) -> Self {
        self.condition(f, true)
    }

    /// Keeps the rows for which a condition on windows is true: the first or the last of each set, the greatest few, those
    /// above the average of their group.
    ///
    /// The windows are of the rows that are left by everything that was said before: conditions, and limits. What is said
    /// afterwards is of the rows that it keeps, and the order is to be said again. (`filter` takes no windows: its conditions
    /// decide which rows there are.)
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// use orm_core::dsl::row_number;
    /// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64, carrier: String, seats: i32 }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Flight,)>()?;
    /// # let flight = |(id, carrier, seats): (i64, &str, i32)| Flight { id, carrier: carrier.into(), seats };
    /// # let flights = [(1, "UA", 100), (2, "UA", 300), (3, "UA", 200), (4, "AA", 50)];
    /// # Flight::bulk_create(&db, flights.map(flight))?;
    /// // The two largest flights of each carrier.
    /// let largest = Flight::objects(&db)
    ///     .qualify(|f| row_number().over(|w| w.partition_by(f.carrier).order_by(f.seats.desc())).le(2))
    ///     .order_by(|f| f.id.asc());
    /// assert_eq!(largest.values(|f| f.id).load()?, [2, 3, 4]);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn qualify<E>(self, f: impl FnOnce(M::Fields<Root<M>>) -> E + GivesQualification<'a, M, B, E>) -> Self {
        self.qualified(f)
    }

    fn qualified<E, F>(self, f: F) -> Self
    where
        F: FnOnce(M::Fields<Root<M>>) -> E + GivesQualification<'a, M, B, E>,
    {
        let mut rows = self.settled();
        let condition = rows.scoped(Use::Condition, f);
        rows.order.clear();
        rows.reversed = false;
        rows.more.qualify = Some(F::keep(condition));
        rows.chosen()
    }

    /// Orders the rows: `|f| f.id.asc()`, or a tuple of up to eight keys, the most significant first. Keys that are
    /// chosen when the program runs go into a `Vec`, [boxed](crate::field::BoxedOrder).
    ///
    /// A later call replaces the order of an earlier one. Without an order, rows come as the database likes, and not
    /// twice alike. Say where NULLs go with `nulls_first` and `nulls_last`; backends differ.
    pub fn order_by<O>(self, f: impl FnOnce(M::Fields<Root<M>>) -> O + GivesOrder<'a, M, B, O>) -> Self {
        self.ordered(f)
    }

    /// Turns the order round, NULLs included; a second call turns it back.
    ///
    /// A queryset without an order, or ordered by Diesel's own `asc()` and `desc()` of an expression, cannot be
    /// turned round: its terminals return an error that says so.
    pub fn reverse(mut self) -> Self {
        self.reversed = !self.reversed;
        self
    }

    /// Drops rows that are equal in everything that is selected, and in the keys of the order.
    ///
    /// A row can only be ordered by what it has, so the keys of [`order_by`](Self::order_by) are selected unseen where there are
    /// any: `values(|f| f.carrier).distinct().order_by(|f| f.delay.asc())` gives a carrier once for each of its delays, and
    /// [`count`](Self::count) counts it so. In `is_in(queryset)` and in unions an order without a limit has no meaning, and is
    /// left out.
    ///
    /// # Errors
    ///
    /// Of the terminals, [`ErrorKind::InvalidQuery`](crate::ErrorKind::InvalidQuery), before anything is sent, where it is
    /// ordered by Diesel's own `asc()` or `desc()`, which cannot be selected; use [`asc`](crate::asc) and
    /// [`desc`](crate::desc).
    pub fn distinct(mut self) -> Self {
        self.distinct = true;
        self
    }

    /// Keeps the first `rows` rows.
    pub fn limit(mut self, rows: u64) -> Self {
        self.limit = Some(rows);
        self
    }

    /// Skips the first `rows` rows. The database reads them all the same: for pages of a big table it is slow.
    pub fn offset(mut self, rows: u64) -> Self {
        self.offset = rows;
        self
    }

    /// Bounds how many bytes of rows one fetch of a stream brings; 8 MiB unless it is set.
    ///
    /// A fetch ends with the row that reaches it. A row that is larger by itself is fetched alone. Fields with an explicit `sql_type` are not
    /// counted.
    pub fn fetch_bytes(mut self, bytes: NonZeroUsize) -> Self {
        self.fetch_bytes = bytes;
        self
    }

    /// Reads a field or a tuple of up to 16 fields in place of whole models; their Rust types follow from the fields.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String, tz: Option<i32> }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Airport,)>()?;
    /// let rows: Vec<(String, Option<i32>)> = Airport::objects(&db).values(|a| (a.city, a.tz)).load()?;
    /// let cities: Vec<String> = Airport::objects(&db).values(|a| a.city).distinct().load()?;
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn values<E>(
        self,
        f: impl FnOnce(M::Fields<Root<M>>) -> E + GivesFields<'a, M, B, E>,
    ) -> QuerySet<'a, M, B, Values<E>> {
        self.fields(f)
    }

    /// Reads any Diesel expression, or a tuple of up to 16, as the Rust types named.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// use orm_core::diesel::dsl::{count_star, max};
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, tz: Option<i32> }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Airport,)>()?;
    ///
    /// let (number, most_eastern) =
    ///     Airport::objects(&db).values_as::<(i64, Option<i32>), _>(|a| (count_star(), max(a.tz))).get()?;
    /// assert_eq!((number, most_eastern), (0, None));
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn values_as<T, E: Expression>(
        self,
        f: impl FnOnce(M::Fields<Root<M>>) -> E + GivesExpressions<'a, M, B, T, E>,
    ) -> QuerySet<'a, M, B, Expressions<T, E::SqlType>> {
        self.expressions(f)
    }

    fn condition<E, F>(mut self, f: F, negated: bool) -> Self
    where
        F: FnOnce(M::Fields<Root<M>>) -> E + GivesCondition<'a, M, B, E>,
    {
        let condition = self.scoped(Use::Condition, f);
        self.filters.push(Filter { part: F::keep(condition), negated });
        self
    }

    fn ordered<O, F>(mut self, f: F) -> Self
    where
        F: FnOnce(M::Fields<Root<M>>) -> O + GivesOrder<'a, M, B, O>,
    {
        let order = self.scoped(Use::Order, f);
        self.order.clear();
        F::keys(order, &mut self.order);
        self
    }

    fn fields<E, F>(mut self, f: F) -> QuerySet<'a, M, B, Values<E>>
    where
        F: FnOnce(M::Fields<Root<M>>) -> E + GivesFields<'a, M, B, E>,
    {
        let expression = self.scoped(Use::Relation, f);
        self.selecting(Selected::Fields(F::keep(expression)))
    }

    fn expressions<T, E: Expression, F>(mut self, f: F) -> QuerySet<'a, M, B, Expressions<T, E::SqlType>>
    where
        F: FnOnce(M::Fields<Root<M>>) -> E + GivesExpressions<'a, M, B, T, E>,
    {
        let expression = self.scoped(Use::Condition, f);
        self.selecting(Selected::Expressions(F::keep(expression)))
    }

    /// Calls a closure with the root's accessors, and adds the joins of the paths that it touches.
    pub(super) fn scoped<E>(&mut self, used_by: Use, f: impl FnOnce(M::Fields<Root<M>>) -> E) -> E {
        let scope = Scope::default();
        let value = f(M::fields::<Root<M>>(&scope));
        for join in scope.take() {
            let (by_condition, by_order) = (used_by == Use::Condition, used_by == Use::Order);
            match self.joins.iter_mut().find(|known| known.join.alias == join.alias) {
                Some(known) => {
                    known.by_condition |= by_condition;
                    known.by_order |= by_order;
                }
                None => self.joins.push(UsedJoin { join, by_condition, by_order }),
            }
        }
        value
    }
}

/// A closure that gives fields for `values`; the compiler points at the closure.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`values` takes fields of `{M}`, and this closure does not give any",
    label = "gives neither a field nor a tuple of up to 16 fields",
    note = "for any other expression use `values_as` and name the types: `values_as::<(i64, String), _>(|f| …)`",
    note = "for whole related models use `select_related`"
)]
pub trait GivesFields<'a, M, B: Backend, E> {
    fn keep(fields: E) -> Arc<B::Part<'a>>;
}

#[diagnostic::do_not_recommend]
impl<'a, M, B: Backend, E, F> GivesFields<'a, M, B, E> for F
where
    E: Selection + AppearsOnTable<RootedAt<M>> + ValidGrouping<(), IsAggregate: OfOneRow> + IntoPart<'a, B>,
{
    fn keep(fields: E) -> Arc<B::Part<'a>> {
        fields.into_part()
    }
}

/// A closure that gives expressions for `values_as`; the compiler points at the closure.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "what this closure gives cannot be read as `{T}`",
    label = "gives no expression of `{M}` that is read as `{T}`",
    note = "for a tuple of expressions name a tuple of as many types, in the same order",
    note = "what may be NULL is read as an `Option`; aggregates such as `max` and `sum` are NULL where there are no rows"
)]
pub trait GivesExpressions<'a, M, B: Backend, T, E> {
    fn keep(expressions: E) -> Arc<B::Part<'a>>;
}

#[diagnostic::do_not_recommend]
impl<'a, M, B: Backend, T, E, F> GivesExpressions<'a, M, B, T, E> for F
where
    E: AppearsOnTable<RootedAt<M>> + ValidGrouping<()> + IntoPart<'a, B>,
    Expressions<T, E::SqlType>: ReadableOn<B>,
{
    fn keep(expressions: E) -> Arc<B::Part<'a>> {
        expressions.into_part()
    }
}

/// A closure that gives relations for `select_related`; the compiler points at the closure.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`select_related` takes relations of `{M}`, and this closure does not give any",
    label = "gives neither a relation of `{M}` nor a tuple of up to 12",
    note = "a relation is what `belongs_to` made, such as `f.airline()` or `f.origin().hub()`"
)]
pub trait GivesRelations<M: Model, R, T> {
    fn tables(out: &mut Vec<(String, &'static Table)>);
}

#[diagnostic::do_not_recommend]
impl<M: Model, R: IntoRelated<M, Related = T>, T: Related<M>, F> GivesRelations<M, R, T> for F {
    fn tables(out: &mut Vec<(String, &'static Table)>) {
        T::tables(out);
    }
}

/// What the closure of `select_related` returns: a relation, or a tuple of up to 12.
pub trait IntoRelated<M: Model> {
    /// The relations as a tuple.
    type Related: Related<M>;
}

#[diagnostic::do_not_recommend]
impl<M: Model, T: Accessors<Path: Path<Root = M>> + 'static> IntoRelated<M> for T
where
    (T,): Related<M>,
{
    type Related = (T,);
}
