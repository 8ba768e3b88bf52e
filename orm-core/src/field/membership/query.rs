//! Subqueries that are conditions: `IN (SELECT …)` and `EXISTS (SELECT …)`.

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
    result::Error,
    sql_types::{Bool, IntoNotNullable, Nullable},
};

use super::{OneOf, SqlTypeOf};
use crate::{
    backend::{Backend, BackendKind, Driver, PartsOf},
    field::{Expr, Place, Readable},
    model::Model,
    queryset::{QuerySet, Shape, Values},
    types::Native,
};

/// That the field may be one of a queryset's values.
#[derive(Debug)]
pub struct Rows;

#[diagnostic::do_not_recommend]
impl<'a, F, M, B, E> OneOf<F, Rows> for QuerySet<'a, M, B, Values<E>>
where
    F: Expression<SqlType: IntoNotNullable>,
    B: Backend,
    E: Expression<SqlType: IntoNotNullable<NotNullable = <SqlTypeOf<F> as IntoNotNullable>::NotNullable>>,
{
    type In = InQuery<F, Self>;
    fn any(self, field: F) -> Self::In {
        InQuery { field, query: self, negated: false }
    }
    fn none(self, field: F) -> Self::In {
        InQuery { field, query: self, negated: true }
    }
}

/// `IN` and `NOT IN` of a queryset's values.
#[derive(Clone, Debug)]
#[must_use = "a condition does nothing until it is used in a query"]
pub struct InQuery<F, Q> {
    field: F,
    query: Q,
    negated: bool,
}

impl<F: Expression, Q> Expression for InQuery<F, Q> {
    type SqlType = Nullable<Bool>;
}
impl<F: Expression, Q> Readable for InQuery<F, Q> {
    type Rust = Option<bool>;
    type Codec = Native;
}
impl<QS, F: AppearsOnTable<QS>, Q> AppearsOnTable<QS> for InQuery<F, Q> {}
impl<QS, F: AppearsOnTable<QS>, Q> SelectableExpression<QS> for InQuery<F, Q> {}
impl<F: ValidGrouping<()>, Q> ValidGrouping<()> for InQuery<F, Q> {
    type IsAggregate = F::IsAggregate;
}
impl<F, Q> QueryId for InQuery<F, Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB, F, M, B, S> QueryFragment<DB> for InQuery<F, QuerySet<'_, M, B, S>>
where
    DB: Driver,
    F: QueryFragment<DB>,
    M: Model,
    B: PartsOf<DB>,
    S: Shape,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        check_backend::<DB, _, _, _>(&self.query)?;
        let mut select = self.query.select::<DB>().map_err(|error| Error::QueryBuilderError(error.into()))?;
        let is_limited = select.limit.is_some() || select.offset > 0;
        if !is_limited {
            select.order.clear();
        }
        select.place = Place::Compared;
        // MySQL and MariaDB take no LIMIT in such a subquery, but in one of its own.
        let is_wrapped = is_limited && DB::KIND == BackendKind::Mysql;
        out.push_sql("(");
        Place::Compared.of(|| self.field.walk_ast(out.reborrow()))?;
        out.push_sql(if self.negated { " NOT IN (" } else { " IN (" });
        if is_wrapped {
            out.push_sql("SELECT * FROM (");
        }
        select.write_narrow(out.reborrow(), 1)?;
        if is_wrapped {
            out.push_sql(") AS ");
            out.push_identifier("limited")?;
        }
        out.push_sql("))");
        Ok(())
    }
}

/// Whether the queryset has any row: `EXISTS (SELECT …)`, as a condition of another query on the same database.
///
/// The queryset knows nothing of the rows outside: for rows that are related to a row there are reverse relations. One on
/// another backend is refused when the statement is written.
///
/// ```
/// use orm_core::{dsl::exists, prelude::*};
/// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, closed: bool }
/// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64 }
/// # let db = orm_core::connect("sqlite::memory:")?;
/// # db.create_tables::<(Airport, Flight)>()?;
/// # Flight::bulk_create(&db, [Flight { id: 1 }])?;
/// let closed = Airport::objects(&db).filter(|a| a.closed.eq(true));
/// assert_eq!(Flight::objects(&db).filter(|_| exists(closed.clone())).count()?, 0);
/// assert_eq!(Flight::objects(&db).filter(|_| !exists(closed)).count()?, 1);
/// # Ok::<(), orm_core::Error>(())
/// ```
pub fn exists<M, B: Backend, S>(query: QuerySet<'_, M, B, S>) -> Expr<Exists<QuerySet<'_, M, B, S>>> {
    Expr(Exists(query))
}

/// `EXISTS`; made by [`exists`].
#[derive(Clone, Debug)]
#[must_use = "a condition does nothing until it is used in a query"]
pub struct Exists<Q>(Q);

impl<Q> Expression for Exists<Q> {
    type SqlType = Bool;
}
impl<Q> Readable for Exists<Q> {
    type Rust = bool;
    type Codec = Native;
}
impl<QS, Q> AppearsOnTable<QS> for Exists<Q> {}
impl<QS, Q> SelectableExpression<QS> for Exists<Q> {}
impl<Q> ValidGrouping<()> for Exists<Q> {
    type IsAggregate = is_aggregate::Never;
}
impl<Q> QueryId for Exists<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB, M, B, S> QueryFragment<DB> for Exists<QuerySet<'_, M, B, S>>
where
    DB: Driver,
    M: Model,
    B: PartsOf<DB>,
    S: Shape,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        check_backend::<DB, _, _, _>(&self.0)?;
        let select = self.0.select_presence::<DB>().map_err(|error| Error::QueryBuilderError(error.into()))?;
        out.push_sql("EXISTS (");
        select.write(out.reborrow())?;
        out.push_sql(")");
        Ok(())
    }
}

/// Fails if the queryset was made on a database of another backend than the statement is written for.
fn check_backend<DB: Driver, M: Model, B: Backend, S: Shape>(query: &QuerySet<'_, M, B, S>) -> QueryResult<()> {
    let kind = query.backend();
    if kind == DB::KIND {
        return Ok(());
    }
    let (model, statement) = (M::TABLE.model, DB::KIND);
    let reason = format!(
        "the queryset of `{model}` in the condition is on {kind}, and the statement is for {statement}; load its values and \
         give those"
    );
    Err(Error::QueryBuilderError(reason.into()))
}
