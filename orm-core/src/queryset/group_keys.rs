//! What groups are made by, and columns of unions: expressions that are named, and not written, where they are used.

use std::{marker::PhantomData, sync::Arc};

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
};

use super::condition::NoAggregate;
use crate::{
    backend::{Backend, Driver, IntoPart},
    field::{Expr, Field, Readable, RootedAt, Selection},
    statement::{
        combined::{COMBINED, combined_name},
        groups::push_key,
        push_column,
    },
};

/// The key of a group, as the closures of [`Groups`](super::Groups) are given it.
#[derive(Clone, Copy, Debug)]
#[must_use = "an expression does nothing until it is used in a query"]
pub struct Key<E> {
    expression: E,
    at: usize,
}

impl<E: Expression> Expression for Key<E> {
    type SqlType = E::SqlType;
}
impl<E: Readable> Readable for Key<E> {
    type Rust = E::Rust;
    type Codec = E::Codec;
}
impl<QS, E: AppearsOnTable<QS>> AppearsOnTable<QS> for Key<E> {}
impl<QS, E: SelectableExpression<QS>> SelectableExpression<QS> for Key<E> {}
// It has one value for each group, as an aggregate has.
impl<G, E> ValidGrouping<G> for Key<E> {
    type IsAggregate = is_aggregate::Yes;
}
impl<E> QueryId for Key<E> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<DB: Driver, E: QueryFragment<DB>> QueryFragment<DB> for Key<E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        push_key(&mut out, &self.expression, self.at)
    }
}

/// A column of a union of values, as the closure of its `order_by` is given it.
#[derive(Debug)]
#[must_use = "an expression does nothing until it is used in a query"]
pub struct Column<E> {
    at: usize,
    of: PhantomData<fn() -> E>,
}

impl<E> Clone for Column<E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E> Copy for Column<E> {}
impl<E: Expression> Expression for Column<E> {
    type SqlType = E::SqlType;
}
impl<QS, E: AppearsOnTable<QS>> AppearsOnTable<QS> for Column<E> {}
impl<G, E> ValidGrouping<G> for Column<E> {
    type IsAggregate = is_aggregate::No;
}
impl<E> QueryId for Column<E> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<DB: Driver, E> QueryFragment<DB> for Column<E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        push_column(&mut out, COMBINED, &combined_name(self.at))
    }
}

/// What groups are made by: an expression, or a tuple of up to 16.
pub trait Keys: Selection + Clone + 'static {
    /// The same as the closures of [`Groups`](super::Groups) are given it.
    type Named: Clone;
    /// The same as columns of a union.
    type Columns;
    #[doc(hidden)]
    fn named(self) -> Self::Named;
    #[doc(hidden)]
    fn columns() -> Self::Columns;
}

/// An expression by which groups are made.
#[doc(hidden)]
pub trait OneKey: Selection + Clone + 'static {}
impl<P: 'static, C: 'static> OneKey for Field<P, C> where Self: Selection {}
impl<E: Clone + 'static> OneKey for Expr<E> where Self: Selection {}

impl<E: OneKey> Keys for E {
    type Named = Expr<Key<E>>;
    fn named(self) -> Self::Named {
        Expr(Key { expression: self, at: 0 })
    }
    type Columns = Expr<Column<E>>;
    fn columns() -> Self::Columns {
        Expr(Column { at: 0, of: PhantomData })
    }
}

/// Keys that can be kept for the backend `B`.
#[doc(hidden)]
pub trait KeysOn<'a, B: Backend> {
    fn parts(&self, out: &mut Vec<Arc<B::Part<'a>>>);
}
impl<'a, B: Backend, E: OneKey + IntoPart<'a, B>> KeysOn<'a, B> for E {
    fn parts(&self, out: &mut Vec<Arc<B::Part<'a>>>) {
        out.push(self.clone().into_part());
    }
}

macro_rules! tuples {
    ($(($T:ident $S:ident $at:tt))+) => {
        impl<$($T: OneKey),+> Keys for ($($T,)+)
        where
            Self: Selection,
        {
            type Named = ($(Expr<Key<$T>>,)+);
            fn named(self) -> Self::Named {
                ($(Expr(Key { expression: self.$at, at: $at }),)+)
            }
            type Columns = ($(Expr<Column<$T>>,)+);
            fn columns() -> Self::Columns {
                ($(Expr(Column { at: $at, of: PhantomData }),)+)
            }
        }
        impl<'a, B: Backend, $($T: OneKey + IntoPart<'a, B>),+> KeysOn<'a, B> for ($($T,)+) {
            fn parts(&self, out: &mut Vec<Arc<B::Part<'a>>>) {
                $( out.push(self.$at.clone().into_part()); )+
            }
        }
    };
}
crate::tuples::for_each_tuple!(16 tuples);

/// A closure that gives keys; the compiler points at the closure.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`group_by` takes fields of `{M}`, or what is computed of them, and this closure does not give any",
    label = "gives neither a field nor a tuple of up to 16",
    note = "an aggregate is no key: what is computed of each group is said by `group_by(…).aggregate(…)`"
)]
pub trait GivesKeys<'a, M, B: Backend, K> {
    fn keep(keys: &K, out: &mut Vec<Arc<B::Part<'a>>>);
}

#[diagnostic::do_not_recommend]
impl<'a, M, B: Backend, K, F> GivesKeys<'a, M, B, K> for F
where
    K: Keys + KeysOn<'a, B> + AppearsOnTable<RootedAt<M>> + ValidGrouping<(), IsAggregate: NoAggregate>,
{
    fn keep(keys: &K, out: &mut Vec<Arc<B::Part<'a>>>) {
        keys.parts(out);
    }
}
