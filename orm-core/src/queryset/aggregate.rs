//! `aggregate`: values that are computed of all rows.

use std::sync::Arc;

use diesel::expression::{AppearsOnTable, ValidGrouping, is_aggregate};

use super::{QuerySet, ReadableOn, Selected, Shape, Use, Values};
use crate::{
    backend::{Backend, IntoPart},
    error::{Error, ErrorKind, Result},
    field::{RootedAt, Selection},
    model::Model,
    path::Root,
};

impl<'a, M: Model, B: Backend, S: Shape> QuerySet<'a, M, B, S> {
    /// Computes values of all rows, by one statement: one aggregate, or a tuple of up to 16.
    ///
    /// The [aggregates](crate::dsl) are `count_star()`, `count(…)`, `sum(…)`, `avg(…)`, `min(…)`, `max(…)`, `stddev(…)`,
    /// `variance(…)`, and what is computed of them; each may have a `.filter(condition)`, and `.distinct()`. Of a queryset
    /// with a [`limit`](Self::limit), an [`offset`](Self::offset) or [`distinct_on`](Self::distinct_on) they are of exactly
    /// those rows.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// use orm_core::dsl::{count_star, max, sum};
    /// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64, seats: i32, delay: Option<i32> }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Flight,)>()?;
    /// # Flight::bulk_create(&db, (1..=3).map(|id| Flight { id, seats: 100, delay: (id > 1).then_some(5) }))?;
    ///
    /// let (flights, seats, delay) = Flight::objects(&db).aggregate(|f| (count_star(), sum(f.seats), max(f.delay)))?;
    /// assert_eq!((flights, seats, delay), (3, Some(300), Some(5)));
    /// let late: i64 = Flight::objects(&db).aggregate(|f| count_star().filter(f.delay.gt(0)))?;
    /// assert_eq!(late, 2);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Whatever the database says, also of a sum that its type cannot hold; [`ErrorKind::Decode`]
    /// where the value fits no `i64`. [`ErrorKind::InvalidQuery`] of a queryset of distinct
    /// values, whose rows have no other fields, and of `values_as`.
    pub fn aggregate<E>(&self, f: impl FnOnce(M::Fields<Root<M>>) -> E + GivesAggregates<'a, M, B, E>) -> Result<E::Row>
    where
        E: Selection + 'static,
        Values<E>: ReadableOn<B, Row = E::Row>,
    {
        // One row, however many it is of.
        let mut rows = self.aggregated(f).load()?;
        rows.pop().ok_or_else(|| Error::new(ErrorKind::NotFound, "aggregates gave no row").on_model(M::TABLE.model))
    }

    fn aggregated<E, F>(&self, f: F) -> QuerySet<'a, M, B, Values<E>>
    where
        F: FnOnce(M::Fields<Root<M>>) -> E + GivesAggregates<'a, M, B, E>,
    {
        let mut rows = self.rows_for_aggregates("`aggregate`");
        let expression = rows.scoped(Use::Condition, f);
        rows.selecting(Selected::Expressions(F::keep(expression)))
    }

    /// The rows, without what is in them.
    pub(super) fn rows_for_aggregates(&self, what: &str) -> Self {
        let mut rows = self.clone().settled().without_idle_joins();
        // Whole rows differ in their keys.
        rows.distinct = false;
        rows.order.clear();
        rows.reversed = false;
        rows.more.refused = match self.columns {
            Selected::Fields(_) if self.distinct => Some(format!(
                "{what} of distinct values cannot be said: the values that are there once have no other fields; take whole \
                 models, and `count(f.x).distinct()` or `sum(f.x).distinct()`"
            )),
            Selected::Expressions(_) => {
                Some(format!("{what} is of rows, and `values_as` may have made one of many; leave it out"))
            }
            _ => rows.more.refused,
        };
        rows
    }
}

/// A closure that gives aggregates; the compiler points at the closure.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`aggregate` takes aggregates over fields of `{M}`, and this closure does not give any",
    label = "gives neither an aggregate nor a tuple of up to 16",
    note = "an aggregate is `count_star()`, `sum(f.seats)`, or what is computed of aggregates; see `orm_core::dsl`",
    note = "for fields use `values`; for aggregates of groups `group_by(|f| keys).aggregate(…)`"
)]
pub trait GivesAggregates<'a, M, B: Backend, E> {
    fn keep(aggregates: E) -> Arc<B::Part<'a>>;
}

#[diagnostic::do_not_recommend]
impl<'a, M, B: Backend, E, F> GivesAggregates<'a, M, B, E> for F
where
    E: Selection + AppearsOnTable<RootedAt<M>> + ValidGrouping<(), IsAggregate = is_aggregate::Yes> + IntoPart<'a, B>,
{
    fn keep(aggregates: E) -> Arc<B::Part<'a>> {
        aggregates.into_part()
    }
}
