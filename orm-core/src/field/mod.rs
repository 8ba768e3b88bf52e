//! Fields: a column at the end of a path, as a Diesel expression.
//!
//! All of Diesel's operators and functions work on a [`Field`]. What is added here is what Diesel lacks: comparisons
//! that also take the portable types, arithmetic that is the same on every backend, text search that takes every
//! character literally, and orders that can be turned round.

mod arithmetic;
pub(crate) mod assignment;
mod cast;
pub(crate) mod collation;
pub(crate) mod document;
pub(crate) mod expr;
pub(crate) mod facts;
pub(crate) mod function;
pub(crate) mod list;
mod math;
pub(crate) mod membership;
mod operators;
pub(crate) mod order;
pub(crate) mod search;
mod selection;
mod text;
#[cfg(feature = "chrono")]
mod time;

use std::marker::PhantomData;

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, TypedExpressionType, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
};

#[cfg(feature = "chrono")]
pub use self::time::Unit;
pub use self::{
    arithmetic::{Difference, Product, Quotient, Sum},
    assignment::{Assignable, Assignment, Assignments},
    document::SameDocument,
    expr::Expr,
    function::Function,
    list::FieldsOf,
    membership::{Exists, In, InQuery, OneOf, exists},
    order::{BoxedOrder, GivesOrder, Nulls, OrderBy, Ordered, asc, desc},
    search::{Computed, Literal, Search},
    selection::{NativeRust, ReadAs, Readable, Selection, SelectionOn},
};
pub(crate) use self::{document::Place, order::OrderKey};
use crate::{
    backend::Driver,
    model::{Model, ModelColumn},
    path::{Path, Wrap},
    sql_types::ColumnSql,
    statement::push_column,
};

/// The column `C` at the end of the path `P`, as closures are given it: `f.origin().city`.
///
/// It is a Diesel expression of the column's SQL type, which is nullable where the path may find no row.
///
/// ```
/// # use orm_core::prelude::*;
/// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String, tz: Option<i32> }
/// # fn queries(db: &Database) {
/// Airport::objects(db).filter(|a| a.city.eq("New York").and(a.tz.lt(0)));
/// Airport::objects(db).filter(|a| a.city.contains("York").or(a.tz.is_null()));
/// Airport::objects(db).order_by(|a| (a.tz.desc().nulls_last(), a.code.asc()));
/// # }
/// ```
#[must_use = "a field does nothing until it is used in a query"]
pub struct Field<P, C>(PhantomData<fn() -> (P, C)>);

impl<P, C> Field<P, C> {
    /// The field; made by the derive's accessors.
    pub const fn new() -> Self {
        Field(PhantomData)
    }
}

impl<P, C> Default for Field<P, C> {
    fn default() -> Self {
        Self::new()
    }
}
impl<P, C> Clone for Field<P, C> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P, C> Copy for Field<P, C> {}

impl<P: Path, C: ModelColumn> std::fmt::Debug for Field<P, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Field({}.{})", P::alias(), C::NAME)
    }
}

/// Any FROM clause rooted at the model `M`: what a field may appear on.
///
/// Diesel asks of every expression which tables it may appear on. Fields answer with their root, so that there is no
/// need for `allow_tables_to_appear_in_same_query!` and `alias!`.
#[derive(Debug)]
pub struct RootedAt<M>(PhantomData<fn() -> M>);

/// The SQL type of a field.
pub type SqlTypeOf<P, C> = <<P as Path>::Null as Wrap<<C as ModelColumn>::SqlType>>::SqlType;

impl<P: Path, C: ModelColumn> Expression for Field<P, C>
where
    P::Null: Wrap<C::SqlType>,
    SqlTypeOf<P, C>: TypedExpressionType,
{
    type SqlType = SqlTypeOf<P, C>;
}

impl<P: Path, C> AppearsOnTable<RootedAt<P::Root>> for Field<P, C> where Self: Expression {}
impl<P: Path, C> SelectableExpression<RootedAt<P::Root>> for Field<P, C> where Self: Expression {}

impl<P, C> ValidGrouping<()> for Field<P, C> {
    type IsAggregate = is_aggregate::No;
}

// The alias depends on the path, not on the type alone, so nothing may be cached by type.
impl<P: 'static, C: 'static> QueryId for Field<P, C> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<P: Path, C: ModelColumn, DB: Driver> QueryFragment<DB> for Field<P, C> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        facts::known::<Self>();
        facts::reads(P::alias, C::NAME);
        let name = || {
            let table = <C::Model as Model>::TABLE;
            let field = table.position(C::NAME).map_or(C::NAME, |at| table.columns[at].field);
            format!("`{}.{field}`", table.model)
        };
        let push = |mut out: AstPass<'_, 'b, DB>| push_column(&mut out, &P::alias(), C::NAME);
        let is_united = Place::United.is_here();
        Place::write(C::SqlType::COLUMN, name, out, |out| {
            if is_united {
                // The column may hold numbers, and what is computed is text.
                collation::computed::<DB, C::SqlType>(out, push)
            } else {
                collation::collated::<DB, C::SqlType>(out, push)
            }
        })
    }
}
