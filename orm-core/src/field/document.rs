//! JSON documents that are compared.

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, TypedExpressionType, ValidGrouping},
    query_builder::{AstPass, QueryFragment, QueryId},
};

use super::{facts, function::Words};
use crate::backend::Driver;

/// A JSON document in the form in which two that say the same are equal.
///
/// PostgreSQL's `JSON` has no `=`, and a cast of `JSONB` to itself is none. MySQL's documents are compared by what they say;
/// only MariaDB, which keeps their text, reads these comments.
const EQUAL_FORM: Words = Words::each(
    "CAST({0} AS JSONB)",
    "/*M!100700 JSON_NORMALIZE( */ {0} /*M!100700 ) */",
    // The function is registered with the type that needs it.
    if cfg!(feature = "serde_json") { "orm_json({0})" } else { "{0}" },
);

/// A JSON document that is compared with another.
#[derive(Clone, Copy, Debug)]
#[must_use = "an expression does nothing until it is used in a query"]
pub struct SameDocument<E>(E);

impl<E> SameDocument<E> {
    pub(crate) fn new(document: E) -> Self {
        SameDocument(document)
    }
}

impl<E: Expression<SqlType: TypedExpressionType>> Expression for SameDocument<E> {
    type SqlType = E::SqlType;
}
impl<QS, E: AppearsOnTable<QS>> AppearsOnTable<QS> for SameDocument<E> where Self: Expression {}
impl<QS, E: SelectableExpression<QS>> SelectableExpression<QS> for SameDocument<E> where Self: AppearsOnTable<QS> {}
impl<G, E: ValidGrouping<G>> ValidGrouping<G> for SameDocument<E> {
    type IsAggregate = E::IsAggregate;
}

impl<E> QueryId for SameDocument<E> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Driver, E: QueryFragment<DB>> QueryFragment<DB> for SameDocument<E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        facts::known::<Self>();
        facts::expect::<E>();
        let (before, behind) = EQUAL_FORM.around(DB::KIND);
        out.push_sql(before);
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(behind);
        Ok(())
    }
}
