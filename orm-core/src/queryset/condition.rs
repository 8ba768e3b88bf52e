//! What `filter` and `exclude` take.

use std::sync::Arc;

use diesel::{
    expression::{AppearsOnTable, ValidGrouping, is_aggregate},
    sql_types::BoolOrNullableBool,
};

use crate::{
    backend::{Backend, IntoPart},
    field::RootedAt,
};

/// A condition on rows rooted at `M`: any boolean Diesel expression over the fields that the closure is given.
pub trait Condition<'a, M, B: Backend>: IntoPart<'a, B> {}

#[diagnostic::do_not_recommend]
impl<'a, M, B, E> Condition<'a, M, B> for E
where
    B: Backend,
    E: AppearsOnTable<RootedAt<M>> + ValidGrouping<(), IsAggregate: NoAggregate> + IntoPart<'a, B>,
    E::SqlType: BoolOrNullableBool,
{
}

/// A closure that gives a condition. The bound is on the closure and not on what it gives, so that the compiler points
/// at it.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this closure does not give a condition on `{M}`: a boolean expression over the fields that it is given, \
               such as `f.name.eq(\"x\").or(f.id.gt(5))`, without aggregates, and without windows, which `qualify` takes",
    label = "gives none, or one that not every database of the backend `{B}` has (for PostgreSQL alone: `Database<Pg>`)"
)]
pub trait GivesCondition<'a, M, B: Backend, E> {
    fn keep(condition: E) -> Arc<B::Part<'a>>;
}

#[diagnostic::do_not_recommend]
impl<'a, M, B: Backend, E: Condition<'a, M, B>, F> GivesCondition<'a, M, B, E> for F {
    fn keep(condition: E) -> Arc<B::Part<'a>> {
        condition.into_part()
    }
}

/// Aggregates have no place in a condition on rows.
#[doc(hidden)]
pub trait NoAggregate {}
impl NoAggregate for is_aggregate::No {}
impl NoAggregate for is_aggregate::Never {}

/// Windows have no place in a condition: it decides which rows there are before they are looked through.
#[doc(hidden)]
pub trait NoWindow {}
impl NoWindow for is_aggregate::No {}
impl NoWindow for is_aggregate::Never {}
impl NoWindow for is_aggregate::Yes {}

/// What each row has a value of: anything but an aggregate.
#[doc(hidden)]
pub trait OfOneRow {}
impl OfOneRow for is_aggregate::No {}
impl OfOneRow for is_aggregate::Never {}

/// A closure that gives a condition for `qualify`; the compiler points at the closure.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this closure does not give a condition on `{M}`: a boolean expression over windows and the fields that it is \
               given, such as `row_number().over(|w| w.order_by(f.id.asc())).le(3)`",
    label = "gives none, or one that not every database of the backend `{B}` has (for PostgreSQL alone: `Database<Pg>`)"
)]
pub trait GivesQualification<'a, M, B: Backend, E> {
    fn keep(condition: E) -> Arc<B::Part<'a>>;
}

#[diagnostic::do_not_recommend]
impl<'a, M, B, E, F> GivesQualification<'a, M, B, E> for F
where
    B: Backend,
    E: AppearsOnTable<RootedAt<M>> + ValidGrouping<(), IsAggregate: OfOneRow> + IntoPart<'a, B>,
    E::SqlType: BoolOrNullableBool,
{
    fn keep(condition: E) -> Arc<B::Part<'a>> {
        condition.into_part()
    }
}

/// A condition as a queryset keeps it.
pub(super) struct Filter<'a, B: Backend> {
    pub(super) part: Arc<B::Part<'a>>,
    /// Keeps the rows for which it is not true.
    pub(super) negated: bool,
}

impl<B: Backend> Clone for Filter<'_, B> {
    fn clone(&self) -> Self {
        Filter { part: self.part.clone(), negated: self.negated }
    }
}
