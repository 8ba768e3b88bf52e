//! The queryset without rows.

use super::{QuerySet, Selected};
use crate::{backend::Backend, model::Model};

impl<M: Model, B: Backend, S> QuerySet<'_, M, B, S> {
    /// A queryset without rows, whatever else is called on it, before or after.
    ///
    /// For functions that return a queryset and find that nothing can match. Its terminals send nothing:
    /// [`load`](Self::load) and the streams give no rows, [`first`](Self::first) gives `None`, [`get`](Self::get) finds
    /// none, [`count`](Self::count) is 0, [`exists`](Self::exists) is false, and [`update`](QuerySet::update) and
    /// [`delete`](QuerySet::delete) change nothing. Two kinds are sent, with a condition that is false, because they have rows
    /// all the same: those that select by [`values_as`](Self::values_as), where aggregates make one row of none, and those
    /// that stand inside of another one.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
    /// fn visible<'a>(db: &'a Database, cities: &[String]) -> QuerySet<'a, Airport> {
    ///     let all = Airport::objects(db);
    ///     if cities.is_empty() { all.none() } else { all.filter(|a| a.city.eq_any(cities.to_vec())) }
    /// }
    ///
    /// let db = orm_core::connect("sqlite::memory:")?;
    /// assert_eq!(visible(&db, &[]).order_by(|a| a.code.asc()).count()?, 0); // although there is no such table
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn none(mut self) -> Self {
        self.none = true;
        self
    }

    /// Whether it is known, without a look at the database, that there are no rows.
    pub(super) fn has_no_rows(&self) -> bool {
        self.none && matches!(self.columns, Selected::Tables(_) | Selected::Fields(_))
    }
}
