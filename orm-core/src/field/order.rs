//! Orders: expressions with a direction and a place for NULLs, which can be turned round.

use std::{fmt, marker::PhantomData, sync::Arc};

use diesel::{
    dsl,
    expression::{AppearsOnTable, Expression, ValidGrouping},
};

use super::{RootedAt, expr::on_expressions};
use crate::backend::{Any, Backend, IntoPart};

/// Where NULLs stand in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nulls {
    /// Before every value.
    First,
    /// After every value.
    Last,
}

/// An expression with a direction; made by [`Field::asc`](super::Field::asc), [`Field::desc`](super::Field::desc), [`asc`]
/// and [`desc`].
#[derive(Clone, Copy, Debug)]
#[must_use = "an order does nothing until it is given to `order_by`"]
pub struct Ordered<E> {
    expression: E,
    descending: bool,
    nulls: Option<Nulls>,
}

/// The expression in ascending order: `asc(f.arr_delay - f.dep_delay)`.
pub fn asc<E: Expression>(expression: E) -> Ordered<E> {
    Ordered { expression, descending: false, nulls: None }
}

/// The expression in descending order.
pub fn desc<E: Expression>(expression: E) -> Ordered<E> {
    Ordered { expression, descending: true, nulls: None }
}

on_expressions! {
    /// The field in ascending order.
    ///
    /// Where NULLs stand is the backend's choice unless it is said: PostgreSQL puts them last, MySQL and
    /// SQLite first.
    pub fn asc(self) -> Ordered<Self> {
        Ordered { expression: self, descending: false, nulls: None }
    }

    /// The field in descending order; without a word on NULLs, they stand where ascending order does not put them.
    pub fn desc(self) -> Ordered<Self> {
        Ordered { expression: self, descending: true, nulls: None }
    }
}

/// Any order of rows of the model `M`, in a box: orders by different expressions, such as those that a user has chosen
/// when the program runs, go into one `Vec`, which [`order_by`](crate::QuerySet::order_by) takes. Of none, rows have no
/// order.
///
/// It is made within the closure, by [`Ordered::boxed`].
///
/// ```
/// # use orm_core::prelude::*;
/// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String, altitude: i32 }
/// # let db = orm_core::connect("sqlite::memory:")?;
/// # db.create_tables::<(Airport,)>()?;
/// # let airport = |code: &str, altitude| Airport { code: code.into(), city: "x".into(), altitude };
/// # Airport::bulk_create(&db, [airport("JFK", 13), airport("DEN", 5434)])?;
/// let chosen = ["city", "-altitude"];
/// let airports = Airport::objects(&db).order_by(|a| {
///     let key = |name: &&str| match *name {
///         "city" => a.city.asc().boxed(),
///         "-altitude" => a.altitude.desc().boxed(),
///         _ => a.code.asc().boxed(),
///     };
///     chosen.iter().map(key).collect::<Vec<_>>()
/// });
/// assert_eq!(airports.values(|a| a.code).load()?, ["DEN", "JFK"]);
/// # Ok::<(), orm_core::Error>(())
/// ```
#[must_use = "an order does nothing until it is given to `order_by`"]
pub struct BoxedOrder<'a, M, B: Backend = Any> {
    key: OrderKey<'a, B>,
    model: PhantomData<fn() -> M>,
}

impl<M, B: Backend> Clone for BoxedOrder<'_, M, B> {
    fn clone(&self) -> Self {
        BoxedOrder { key: self.key.clone(), model: PhantomData }
    }
}

impl<M, B: Backend> fmt::Debug for BoxedOrder<'_, M, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BoxedOrder").field(&self.key.direction).finish()
    }
}

impl<'a, M, B: Backend> OrderBy<'a, M, B> for BoxedOrder<'a, M, B> {
    fn keys(self, out: &mut Vec<OrderKey<'a, B>>) {
        out.push(self.key);
    }
}

impl<'a, M, B: Backend, O: OrderBy<'a, M, B>> OrderBy<'a, M, B> for Vec<O> {
    fn keys(self, out: &mut Vec<OrderKey<'a, B>>) {
        self.into_iter().for_each(|order| order.keys(out));
    }
}

impl<E> Ordered<E> {
    /// Puts the order into a box, with others of other types: see [`BoxedOrder`].
    pub fn boxed<'a, M, B: Backend>(self) -> BoxedOrder<'a, M, B>
    where
        E: AppearsOnTable<RootedAt<M>> + ValidGrouping<()> + IntoPart<'a, B>,
    {
        BoxedOrder { key: self.into_key(), model: PhantomData }
    }

    fn into_key<'a, B: Backend>(self) -> OrderKey<'a, B>
    where
        E: IntoPart<'a, B>,
    {
        let (_, direction) = self.key();
        OrderKey { part: self.expression.into_part(), direction }
    }

    /// The expression, and how it is ordered.
    pub(crate) fn key(&self) -> (&E, Direction) {
        (&self.expression, Direction::Ours { descending: self.descending, nulls: self.nulls })
    }

    /// NULLs before every value, on every backend.
    pub fn nulls_first(self) -> Self {
        Ordered { nulls: Some(Nulls::First), ..self }
    }

    /// NULLs after every value, on every backend.
    pub fn nulls_last(self) -> Self {
        Ordered { nulls: Some(Nulls::Last), ..self }
    }
}

/// One key of an order, as a queryset keeps it.
pub struct OrderKey<'a, B: Backend> {
    pub(crate) part: Arc<B::Part<'a>>,
    pub(crate) direction: Direction,
}

/// How one key is ordered.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub enum Direction {
    Ours {
        descending: bool,
        nulls: Option<Nulls>,
    },
    /// The part is Diesel's own `asc()` or `desc()`, which cannot be taken apart.
    Diesels,
}

impl Direction {
    /// The opposite order, if it can be said.
    pub(crate) fn reversed(self) -> Option<Self> {
        match self {
            Direction::Ours { descending, nulls } => Some(Direction::Ours {
                descending: !descending,
                nulls: nulls.map(|nulls| match nulls {
                    Nulls::First => Nulls::Last,
                    Nulls::Last => Nulls::First,
                }),
            }),
            Direction::Diesels => None,
        }
    }
}

impl<B: Backend> Clone for OrderKey<'_, B> {
    fn clone(&self) -> Self {
        OrderKey { part: self.part.clone(), direction: self.direction }
    }
}

impl<B: Backend> fmt::Debug for OrderKey<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrderKey").field("direction", &self.direction).finish_non_exhaustive()
    }
}

/// What `order_by` takes: an order on fields reached from `M`, a tuple of up to eight, or a `Vec`.
pub trait OrderBy<'a, M, B: Backend> {
    /// Adds the keys, the most significant first.
    fn keys(self, out: &mut Vec<OrderKey<'a, B>>);
}

/// A closure that gives an order; the compiler points at the closure.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this closure does not give an order on `{M}`",
    label = "gives neither an order nor a tuple of up to eight",
    note = "an order is `f.name.asc()`, `f.name.desc()`, or a tuple of them; an expression is ordered by \
            `asc(expression)` or `desc(expression)`"
)]
pub trait GivesOrder<'a, M, B: Backend, O> {
    fn keys(order: O, out: &mut Vec<OrderKey<'a, B>>);
}

#[diagnostic::do_not_recommend]
impl<'a, M, B: Backend, O: OrderBy<'a, M, B>, F> GivesOrder<'a, M, B, O> for F {
    fn keys(order: O, out: &mut Vec<OrderKey<'a, B>>) {
        order.keys(out);
    }
}

impl<'a, M, B: Backend, E> OrderBy<'a, M, B> for Ordered<E>
where
    E: AppearsOnTable<RootedAt<M>> + ValidGrouping<()> + IntoPart<'a, B>,
{
    fn keys(self, out: &mut Vec<OrderKey<'a, B>>) {
        out.push(self.into_key());
    }
}

macro_rules! diesel_orders {
    ($($order:ident)*) => { $(
        impl<'a, M, B: Backend, E> OrderBy<'a, M, B> for dsl::$order<E>
        where
            E: diesel::ExpressionMethods + AppearsOnTable<RootedAt<M>> + ValidGrouping<()>,
            Self: IntoPart<'a, B>,
        {
            fn keys(self, out: &mut Vec<OrderKey<'a, B>>) {
                out.push(OrderKey { part: self.into_part(), direction: Direction::Diesels });
            }
        }
    )* };
}
diesel_orders! { Asc Desc }

macro_rules! tuples {
    ($(($T:ident $S:ident $at:tt))+) => {
        impl<'a, M, B: Backend, $($T: OrderBy<'a, M, B>),+> OrderBy<'a, M, B> for ($($T,)+) {
            #[allow(non_snake_case)] // the type parameters name the values, too
            fn keys(self, out: &mut Vec<OrderKey<'a, B>>) {
                let ($($T,)+) = self;
                $( $T.keys(out); )+
            }
        }
    };
}
crate::tuples::for_each_tuple!(8 tuples);
