//! Related rows, as closures are given them: `a.departures()`.

use std::{fmt, marker::PhantomData};

use diesel::{
    expression::Expression,
    sql_types::{IntoNullable, SingleValue, SqlOrd, SqlType},
};

use super::{
    conditions::{Excluded, GivesRowCondition, GivesRowOrder, GivesRowValue, Kept},
    subquery::{Computed, Different, Exists, FirstOf, OfEach, Related},
};
use crate::{
    dsl::{self, Aggregate, Avg, Count, Max, Min, Sum, Summable},
    field::{Expr, Readable},
    model::Model,
    path::{Join, ManyPath, Path, Scope},
};

/// The accessors at the end of a path.
type FieldsOf<Q> = <<Q as Path>::Target as Model>::Fields<Q>;

/// An aggregate of the related rows.
type Of<Q, C, K, E> = Expr<Computed<Q, C, Expr<Aggregate<K, E>>>>;

/// The rows that are related to a row, as `a.departures()` gives them.
///
/// Its methods give expressions with a field's methods, which may stand wherever a field may: in conditions, orders,
/// values, arithmetic. Each is one subquery about the row; see [the module](crate::reverse) for what that means, and for
/// NULL. Closures are given the accessors of a related row. They may use the fields of the row outside, too, and ask
/// further: `a.departures().any(|f| f.legs().count().gt(2).and(f.seats.gt(a.gates)))`.
///
/// ```
/// # use orm_core::prelude::*;
/// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String }
/// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64, seats: i32, delay: Option<f64>,
/// # #[model(belongs_to(Airport, name = origin, reverse = departures))] origin_code: String }
/// # fn queries(db: &Database) {
/// let airports = Airport::objects(db);
/// airports.clone().filter(|a| a.departures().filter(|f| f.delay.is_null()).count().gt(10));
/// airports.clone().exclude(|a| a.departures().all(|f| f.delay.le(0.0)));
/// airports.clone().order_by(|a| (a.departures().sum(|f| f.seats).desc().nulls_last(), a.code.asc()));
/// airports.values(|a| (a.code, a.departures().avg(|f| f.delay), a.departures().first(|f| f.id.asc(), |f| f.seats)));
/// # }
/// ```
///
/// A `sum`, `avg`, `min`, `max` or `first` is nullable, because there may be no rows; a field that is not is compared with
/// it as `f.seats.nullable()`: `f.seats.nullable().eq(f.origin().departures().max(|g| g.seats))`.
///
/// # Errors
///
/// A closure over `a.departures()` that is called within a closure over the same `a.departures()` could not tell its
/// fields from those of the outer one. The terminal of such a queryset gives
/// [`ErrorKind::InvalidQuery`](crate::ErrorKind::InvalidQuery). Step back from the inner row in place of the outer:
/// `a.departures().any(|f| f.origin().departures().any(|g| g.seats.gt(f.seats)))`.
#[must_use = "related rows do nothing until something is asked of them, such as `any` or `count`"]
pub struct Many<Q, C = ()> {
    /// Where the row is that they are related to.
    outer: Scope,
    joins: Vec<Join>,
    conditions: C,
    nested: bool,
    path: PhantomData<fn() -> Q>,
}

impl<Q, C: Clone> Clone for Many<Q, C> {
    fn clone(&self) -> Self {
        Many {
            outer: self.outer.clone(),
            joins: self.joins.clone(),
            conditions: self.conditions.clone(),
            nested: self.nested,
            path: PhantomData,
        }
    }
}

impl<Q: ManyPath, C> fmt::Debug for Many<Q, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Many({})", Q::alias())
    }
}

impl<Q: ManyPath> Many<Q> {
    pub(super) fn new(outer: &Scope) -> Self {
        let mut joins = Vec::new();
        Q::required_joins(&mut joins);
        Many { outer: outer.clone(), joins, conditions: (), nested: false, path: PhantomData }
    }
}

impl<Q: ManyPath, C> Many<Q, C> {
    /// Those for which the condition is true.
    pub fn filter<E>(self, f: impl FnOnce(FieldsOf<Q>) -> E + GivesRowCondition<Q, E>) -> Many<Q, (C, Kept<E>)> {
        let (many, condition) = self.call(f);
        many.and(Kept(condition))
    }

    /// Those for which the condition is not true: it is false or NULL.
    pub fn exclude<E>(self, f: impl FnOnce(FieldsOf<Q>) -> E + GivesRowCondition<Q, E>) -> Many<Q, (C, Excluded<E>)> {
        let (many, condition) = self.call(f);
        many.and(Excluded(condition))
    }

    /// Whether there are any.
    pub fn exists(self) -> Expr<Exists<Q, C>> {
        Expr(Exists { related: self.related(), negated: false })
    }

    /// Whether there are none.
    // Not of a container: it is an expression.
    #[allow(clippy::wrong_self_convention)]
    pub fn is_empty(self) -> Expr<Exists<Q, C>> {
        Expr(Exists { related: self.related(), negated: true })
    }

    /// Whether the condition is true for any of them.
    pub fn any<E>(self, f: impl FnOnce(FieldsOf<Q>) -> E + GivesRowCondition<Q, E>) -> Expr<Exists<Q, (C, Kept<E>)>> {
        self.filter(f).exists()
    }

    /// Whether the condition is true for none of them: for each it is false or NULL, or there are none.
    pub fn none<E>(self, f: impl FnOnce(FieldsOf<Q>) -> E + GivesRowCondition<Q, E>) -> Expr<Exists<Q, (C, Kept<E>)>> {
        self.filter(f).is_empty()
    }

    /// Whether the condition is true for all of them: for none it is false or NULL. So it is where there are none.
    pub fn all<E>(
        self,
        f: impl FnOnce(FieldsOf<Q>) -> E + GivesRowCondition<Q, E>,
    ) -> Expr<Exists<Q, (C, Excluded<E>)>> {
        self.exclude(f).is_empty()
    }

    /// How many they are: an `i64`, 0 where there are none.
    pub fn count(self) -> Of<Q, C, Count, dsl::Everything> {
        self.computed(dsl::count_star())
    }

    /// How many different values there are, NULL not being one: an `i64`.
    pub fn count_distinct<E: Expression>(
        self,
        f: impl FnOnce(FieldsOf<Q>) -> E + GivesRowValue<Q, E>,
    ) -> Of<Q, C, Count, Different<OfEach<E>>> {
        let (many, value) = self.of_each(f);
        many.computed(dsl::count(Different(value)))
    }

    /// The sum, as of [`dsl::sum`]: `None` where no row has a value.
    pub fn sum<E: Expression<SqlType: Summable>>(
        self,
        f: impl FnOnce(FieldsOf<Q>) -> E + GivesRowValue<Q, E>,
    ) -> Of<Q, C, Sum, OfEach<E>> {
        let (many, value) = self.of_each(f);
        many.computed(dsl::sum(value))
    }

    /// The average, as of [`dsl::avg`]: an `f64`, `None` where no row has a value.
    pub fn avg<E: Expression<SqlType: Summable>>(
        self,
        f: impl FnOnce(FieldsOf<Q>) -> E + GivesRowValue<Q, E>,
    ) -> Of<Q, C, Avg, OfEach<E>> {
        let (many, value) = self.of_each(f);
        many.computed(dsl::avg(value))
    }

    /// The least value, `None` where no row has one.
    pub fn min<E: Readable<SqlType: SqlOrd>>(
        self,
        f: impl FnOnce(FieldsOf<Q>) -> E + GivesRowValue<Q, E>,
    ) -> Of<Q, C, Min, OfEach<E>> {
        let (many, value) = self.of_each(f);
        many.computed(dsl::min(value))
    }

    /// The greatest value, `None` where no row has one.
    pub fn max<E: Readable<SqlType: SqlOrd>>(
        self,
        f: impl FnOnce(FieldsOf<Q>) -> E + GivesRowValue<Q, E>,
    ) -> Of<Q, C, Max, OfEach<E>> {
        let (many, value) = self.of_each(f);
        many.computed(dsl::max(value))
    }

    /// A value of the first of them in an order; `None` where there are none, or where it is NULL.
    ///
    /// Of rows that the order does not tell apart, any may be the first.
    pub fn first<O, E>(
        self,
        order: impl FnOnce(FieldsOf<Q>) -> O + GivesRowOrder<Q, O>,
        value: impl FnOnce(FieldsOf<Q>) -> E + GivesRowValue<Q, E>,
    ) -> Expr<FirstOf<Q, C, O, E>>
    where
        E: Expression<SqlType: IntoNullable<Nullable: SqlType + SingleValue>>,
    {
        let (many, order) = self.call(order);
        let (many, value) = many.call(value);
        Expr(FirstOf { related: many.related(), order, value })
    }

    /// Calls a closure with the accessors of a related row, and keeps the joins of the paths that it touches.
    fn call<T>(mut self, f: impl FnOnce(FieldsOf<Q>) -> T) -> (Self, T) {
        let scope = self.outer.inner();
        let (value, nested) = self.outer.within(&Q::correlation().alias, || f(Q::Target::fields::<Q>(&scope)));
        for join in scope.take() {
            join.add_to(&mut self.joins);
        }
        self.nested |= nested;
        (self, value)
    }

    fn of_each<E>(self, f: impl FnOnce(FieldsOf<Q>) -> E) -> (Self, OfEach<E>) {
        let (many, value) = self.call(f);
        let rows = Q::correlation();
        (many, OfEach { value, alias: rows.alias, column: rows.column })
    }

    fn and<E>(self, condition: E) -> Many<Q, (C, E)> {
        Many {
            outer: self.outer,
            joins: self.joins,
            conditions: (self.conditions, condition),
            nested: self.nested,
            path: PhantomData,
        }
    }

    fn computed<E>(self, value: E) -> Expr<Computed<Q, C, E>> {
        Expr(Computed { related: self.related(), value })
    }

    fn related(self) -> Related<Q, C> {
        Related {
            correlation: Q::correlation(),
            joins: self.joins,
            conditions: self.conditions,
            nested: self.nested,
            path: PhantomData,
        }
    }
}
