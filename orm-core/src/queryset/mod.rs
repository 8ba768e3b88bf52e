//! Querysets: lazy, cloneable descriptions of a query, typed by what a row reads as.
//!
//! `mod.rs` holds what a queryset is, `building.rs` its methods that return another queryset, `none.rs` the queryset
//! without rows, `locking.rs` those that lock what they read, `terminals.rs` those that
//! go to the database, `writing.rs` those that change what is there, and `shape.rs` what rows read as. `aggregate.rs`,
//! `grouped.rs`, `annotate.rs`, `partial.rs`, `combined.rs` and `picking.rs` have a subject each; `rows.rs` says which rows
//! they are of, where these are not simply a table's.

mod aggregate;
mod annotate;
mod building;
mod combined;
pub(crate) mod condition;
pub(crate) mod explain;
pub(crate) mod group_keys;
mod grouped;
pub(crate) mod keys;
mod locking;
mod none;
mod or_create;
pub(crate) mod partial;
mod picking;
mod rows;
pub(crate) mod shape;
mod terminals;
mod united;
mod writing;

use std::{fmt, marker::PhantomData, num::NonZeroUsize, sync::Arc};

pub use self::{
    annotate::Annotatable,
    building::IntoRelated,
    combined::CombinedValues,
    condition::Condition,
    explain::Explain,
    group_keys::{Column, Key, Keys},
    grouped::{Grouping, Groups},
    keys::HasKey,
    partial::{Partial, PartialModel, ReadPartial},
    shape::{Annotated, Expressions, Grouped, Joined, ReadableOn, Related, Shape, Values, Whole},
    united::{United, Unites},
};
use self::{condition::Filter, locking::Locking, rows::More};
use crate::{
    backend::{Any, Backend, Handle},
    database::Executor,
    field::OrderKey,
    model::{Model, Table},
    path::Join,
};

/// A query for rows rooted at the model `M`, on a database or transaction that lives for `'a`.
///
/// It is a value: nothing is sent before a terminal such as [`iterator`](Self::iterator) or [`load`](Self::load) is
/// called, and it can be cloned, kept, passed on and sent to another thread. A function that takes or returns one names
/// it `QuerySet<'_, Flight>`. `B` is the backend, [`Any`] unless it was fixed; `S` is what a row reads as: the model, a
/// tuple with related models, or values.
///
/// The order in which methods are called does not matter: conditions are joined by AND, and `limit` and `offset` count
/// the rows that are left by all of them, in the order given.
///
/// ```
/// use orm_core::prelude::*;
/// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String, altitude: i32 }
///
/// fn high(db: &Database) -> QuerySet<'_, Airport> {
///     Airport::objects(db).filter(|a| a.altitude.gt(1000))
/// }
/// # let db = orm_core::connect("sqlite::memory:")?;
/// # db.create_tables::<(Airport,)>()?;
///
/// let first_three: Vec<Airport> = high(&db).order_by(|a| a.altitude.desc()).limit(3).load()?;
/// for airport in high(&db).exclude(|a| a.city.eq("Denver")).iterator(2000)? {
///     println!("{}", airport.code);
/// }
/// # Ok::<(), orm_core::Error>(())
/// ```
#[must_use = "a queryset is lazy: nothing is sent before `iterator`, `load` or another terminal is called"]
pub struct QuerySet<'a, M, B: Backend = Any, S = Whole<M>> {
    on: Handle<'a, B>,
    joins: Vec<UsedJoin>,
    columns: Selected<'a, B>,
    filters: Vec<Filter<'a, B>>,
    order: Vec<OrderKey<'a, B>>,
    reversed: bool,
    distinct: bool,
    /// It has no rows, whatever is there.
    none: bool,
    locking: Locking,
    limit: Option<u64>,
    offset: u64,
    fetch_bytes: NonZeroUsize,
    more: More<'a, M, B>,
    shape: PhantomData<fn() -> (M, S)>,
}

/// How much of a result one fetch of a stream brings, unless it is set.
pub(crate) const FETCH_BYTES: NonZeroUsize = NonZeroUsize::new(8 << 20).unwrap();

/// A join, and what needs it.
#[derive(Clone)]
struct UsedJoin {
    join: Join,
    /// A condition, or what is selected.
    by_condition: bool,
    by_order: bool,
}

/// What a closure is called for.
#[derive(Clone, Copy, PartialEq)]
enum Use {
    Relation,
    Condition,
    Order,
}

/// What stands behind SELECT.
enum Selected<'a, B: Backend> {
    /// All columns of these tables, by alias.
    Tables(Vec<(String, &'static Table)>),
    /// Fields, which each row has.
    Fields(Arc<B::Part<'a>>),
    /// Any expressions; aggregates make one row of many.
    Expressions(Arc<B::Part<'a>>),
    /// All columns of these tables, and what is computed for each row.
    Annotated(Vec<(String, &'static Table)>, Arc<B::Part<'a>>),
    /// The keys of groups, and what is computed of each.
    Groups(Arc<B::Part<'a>>),
    /// All columns of a union of values.
    Combined,
}

impl<B: Backend> Clone for Selected<'_, B> {
    fn clone(&self) -> Self {
        match self {
            Selected::Tables(tables) => Selected::Tables(tables.clone()),
            Selected::Fields(part) => Selected::Fields(part.clone()),
            Selected::Expressions(part) => Selected::Expressions(part.clone()),
            Selected::Annotated(tables, part) => Selected::Annotated(tables.clone(), part.clone()),
            Selected::Groups(part) => Selected::Groups(part.clone()),
            Selected::Combined => Selected::Combined,
        }
    }
}

impl<'a, M: Model, B: Backend> QuerySet<'a, M, B> {
    /// All rows of the model's table; `Model::objects` is this.
    pub fn new<X: Executor<Backend = B> + ?Sized>(on: &'a X) -> Self {
        QuerySet {
            on: on.handle(),
            joins: Vec::new(),
            columns: Selected::Tables(vec![(M::TABLE.name.to_owned(), M::TABLE)]),
            filters: Vec::new(),
            order: Vec::new(),
            reversed: false,
            distinct: false,
            none: false,
            locking: Locking::default(),
            limit: None,
            offset: 0,
            fetch_bytes: FETCH_BYTES,
            more: More::default(),
            shape: PhantomData,
        }
    }
}

impl<'a, M, B: Backend, S> QuerySet<'a, M, B, S> {
    /// The same query with other columns.
    fn selecting<S2>(self, columns: Selected<'a, B>) -> QuerySet<'a, M, B, S2> {
        QuerySet {
            on: self.on,
            joins: self.joins,
            columns,
            filters: self.filters,
            order: self.order,
            reversed: self.reversed,
            distinct: self.distinct,
            none: self.none,
            locking: self.locking,
            limit: self.limit,
            offset: self.offset,
            fetch_bytes: self.fetch_bytes,
            more: self.more,
            shape: PhantomData,
        }
    }
}

impl<M, B: Backend, S> Clone for QuerySet<'_, M, B, S> {
    fn clone(&self) -> Self {
        QuerySet {
            on: self.on,
            joins: self.joins.clone(),
            columns: self.columns.clone(),
            filters: self.filters.clone(),
            order: self.order.clone(),
            reversed: self.reversed,
            distinct: self.distinct,
            none: self.none,
            locking: self.locking,
            limit: self.limit,
            offset: self.offset,
            fetch_bytes: self.fetch_bytes,
            more: self.more.clone(),
            shape: PhantomData,
        }
    }
}

/// The statement, without its values.
impl<M: Model, B: Backend, S: Shape> fmt::Debug for QuerySet<'_, M, B, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sql() {
            Ok(sql) => write!(f, "QuerySet({sql})"),
            Err(error) => write!(f, "QuerySet({error})"),
        }
    }
}
