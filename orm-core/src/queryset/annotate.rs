//! `annotate`: models with values that are computed for each.

use super::{Annotated, Joined, QuerySet, Selected, Shape, Use, Whole, building::GivesFields};
use crate::{backend::Backend, model::Model, path::Root};

/// A row of whole models, which `annotate` can add values to.
#[diagnostic::on_unimplemented(
    message = "`annotate` adds values to whole models, and these rows are none",
    note = "of values, select more of them: `values(|f| (f.id, …))`"
)]
pub trait Annotatable: Shape {}
impl<M: Model> Annotatable for Whole<M> {}
impl<M, R> Annotatable for Joined<M, R> where Self: Shape {}

impl<'a, M: Model, B: Backend, S: Annotatable> QuerySet<'a, M, B, S> {
    /// Reads computed values with each row: a row becomes a pair of the model and the values.
    ///
    /// The closure gives an expression or a tuple of up to 16. Behind [`select_related`](Self::select_related), the first of
    /// the pair is the tuple of models.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64, dep_delay: Option<i32>, arr_delay: Option<i32> }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Flight,)>()?;
    /// # Flight::bulk_create(&db, [Flight { id: 1, dep_delay: Some(20), arr_delay: Some(5) }])?;
    /// for (flight, gained) in Flight::objects(&db).annotate(|f| f.dep_delay - f.arr_delay).iterator(2000)? {
    ///     assert_eq!((flight.id, gained), (1, Some(15)));
    /// }
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn annotate<E>(
        self,
        f: impl FnOnce(M::Fields<Root<M>>) -> E + GivesFields<'a, M, B, E>,
    ) -> QuerySet<'a, M, B, Annotated<S, E>> {
        self.annotated(f)
    }

    fn annotated<E, F>(mut self, f: F) -> QuerySet<'a, M, B, Annotated<S, E>>
    where
        F: FnOnce(M::Fields<Root<M>>) -> E + GivesFields<'a, M, B, E>,
    {
        let part = F::keep(self.scoped(Use::Relation, f));
        let tables = match &self.columns {
            Selected::Tables(tables) => tables.clone(),
            // No other shape is annotatable.
            _ => Vec::new(),
        };
        self.selecting(Selected::Annotated(tables, part))
    }
}
