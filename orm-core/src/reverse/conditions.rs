//! What a subquery is asked for: its conditions and its order, typed, until a backend is known.

use diesel::{
    expression::{AppearsOnTable, ValidGrouping},
    query_builder::QueryFragment,
    sql_types::BoolOrNullableBool,
};

use crate::{
    backend::Driver,
    field::{Ordered, RootedAt, facts, order::Direction},
    path::{ManyPath, Path},
    queryset::condition::NoAggregate,
    statement::Part,
};

/// The conditions of a [`Many`](super::Many): none, or a pair of those before and one more.
#[doc(hidden)]
pub trait Conditions<DB: Driver> {
    /// Adds each, and whether it is to be not true.
    fn parts<'b>(&'b self, out: &mut Vec<(Part<'b, DB>, bool)>);
}

/// A condition that is to be not true.
#[derive(Clone, Copy, Debug)]
pub struct Excluded<E>(pub(super) E);

impl<DB: Driver> Conditions<DB> for () {
    fn parts<'b>(&'b self, _: &mut Vec<(Part<'b, DB>, bool)>) {}
}

impl<DB: Driver, C: Conditions<DB>, E: Conditions<DB>> Conditions<DB> for (C, E) {
    fn parts<'b>(&'b self, out: &mut Vec<(Part<'b, DB>, bool)>) {
        self.0.parts(out);
        self.1.parts(out);
    }
}

/// A condition that is to be true.
#[derive(Clone, Copy, Debug)]
pub struct Kept<E>(pub(super) E);

impl<DB: Driver, E: QueryFragment<DB>> Conditions<DB> for Kept<E> {
    fn parts<'b>(&'b self, out: &mut Vec<(Part<'b, DB>, bool)>) {
        facts::expect::<E>();
        out.push((&self.0, false));
    }
}

impl<DB: Driver, E: QueryFragment<DB>> Conditions<DB> for Excluded<E> {
    fn parts<'b>(&'b self, out: &mut Vec<(Part<'b, DB>, bool)>) {
        facts::expect::<E>();
        out.push((&self.0, true));
    }
}

/// A closure that gives a condition on rows of a subquery; the compiler points at the closure.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this closure does not give a condition on related rows: a boolean expression over the fields that it is \
               given and those of the row outside, without aggregates",
    label = "gives no condition"
)]
pub trait GivesRowCondition<Q, E> {}

#[diagnostic::do_not_recommend]
impl<Q, E, F> GivesRowCondition<Q, E> for F
where
    Q: ManyPath,
    E: AppearsOnTable<RootedAt<<Q as Path>::Root>> + ValidGrouping<(), IsAggregate: NoAggregate>,
    E::SqlType: BoolOrNullableBool,
{
}

/// A closure that gives a value of each row of a subquery; the compiler points at the closure.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this closure does not give a value of each related row: an expression over the fields that it is given \
               and those of the row outside, without aggregates",
    label = "gives no such expression"
)]
pub trait GivesRowValue<Q, E> {}

#[diagnostic::do_not_recommend]
impl<Q, E, F> GivesRowValue<Q, E> for F
where
    Q: ManyPath,
    E: AppearsOnTable<RootedAt<<Q as Path>::Root>> + ValidGrouping<(), IsAggregate: NoAggregate>,
{
}

/// A closure that gives an order of the rows of a subquery; the compiler points at the closure.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this closure does not give an order of related rows",
    label = "gives neither an order, such as `f.id.asc()`, nor a tuple of up to eight"
)]
pub trait GivesRowOrder<Q, O> {}

#[diagnostic::do_not_recommend]
impl<Q: ManyPath, O: RowOrder<RootedAt<<Q as Path>::Root>>, F> GivesRowOrder<Q, O> for F {}

/// An order on what `QS` stands for.
#[doc(hidden)]
pub trait RowOrder<QS> {}

/// An order that can be written.
#[doc(hidden)]
pub trait Keys<DB: Driver> {
    /// Adds the keys, the most significant first.
    fn keys<'b>(&'b self, out: &mut Vec<(Part<'b, DB>, Direction)>);
}

impl<QS, E: AppearsOnTable<QS> + ValidGrouping<(), IsAggregate: NoAggregate>> RowOrder<QS> for Ordered<E> {}

impl<DB: Driver, E: QueryFragment<DB>> Keys<DB> for Ordered<E> {
    fn keys<'b>(&'b self, out: &mut Vec<(Part<'b, DB>, Direction)>) {
        let (expression, direction) = self.key();
        facts::expect::<E>();
        out.push((expression, direction));
    }
}

/// No order.
impl<DB: Driver> Keys<DB> for () {
    fn keys<'b>(&'b self, _: &mut Vec<(Part<'b, DB>, Direction)>) {}
}

macro_rules! tuples {
    ($(($T:ident $S:ident $at:tt))+) => {
        impl<QS, $($T: RowOrder<QS>),+> RowOrder<QS> for ($($T,)+) {}

        impl<DB: Driver, $($T: Keys<DB>),+> Keys<DB> for ($($T,)+) {
            #[allow(non_snake_case)] // the type parameters name the values, too
            fn keys<'b>(&'b self, out: &mut Vec<(Part<'b, DB>, Direction)>) {
                let ($($T,)+) = self;
                $( $T.keys(out); )+
            }
        }
    };
}
crate::tuples::for_each_tuple!(8 tuples);
