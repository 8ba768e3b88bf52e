//! Values of the portable SQL types, as expressions.

use std::marker::PhantomData;

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, TypedExpressionType, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
    result::Error,
    serialize::ToSql,
    sql_types::{HasSqlType, SqlType},
};

use crate::{
    backend::{BackendKind, Driver},
    error::BoxError,
    field::Place,
    sql_types::ColumnSql,
};

/// A value of a portable SQL type: a bind parameter, made what the column is where the server would not see it as that.
#[derive(Debug)]
#[must_use = "an expression does nothing until it is used in a query"]
pub struct PortableValue<ST, V> {
    value: V,
    check: Check<V>,
    sql_type: PhantomData<fn() -> ST>,
}

/// Says why a backend has no such value.
type Check<V> = fn(&V, BackendKind) -> Result<(), BoxError>;

impl<ST, V: Clone> Clone for PortableValue<ST, V> {
    fn clone(&self) -> Self {
        PortableValue { value: self.value.clone(), check: self.check, sql_type: PhantomData }
    }
}
impl<ST, V: Copy> Copy for PortableValue<ST, V> {}

impl<ST, V> PortableValue<ST, V> {
    /// A value that every backend has.
    #[doc(hidden)]
    pub fn new(value: V) -> Self {
        Self::checked(value, |_, _| Ok(()))
    }

    /// A value that is refused where the backend would change it.
    #[doc(hidden)]
    pub fn checked(value: V, check: Check<V>) -> Self {
        PortableValue { value, check, sql_type: PhantomData }
    }
}

impl<ST: SqlType + TypedExpressionType, V> Expression for PortableValue<ST, V> {
    type SqlType = ST;
}
impl<QS, ST, V> AppearsOnTable<QS> for PortableValue<ST, V> where Self: Expression {}
impl<QS, ST, V> SelectableExpression<QS> for PortableValue<ST, V> where Self: AppearsOnTable<QS> {}
impl<G, ST, V> ValidGrouping<G> for PortableValue<ST, V> {
    type IsAggregate = is_aggregate::Never;
}

impl<ST, V> crate::field::Readable for PortableValue<ST, V>
where
    Self: Expression,
    V: super::FieldType<SqlType = ST>,
{
    type Rust = V;
    type Codec = super::Native;
}

impl<ST: QueryId, V> QueryId for PortableValue<ST, V> {
    type QueryId = PortableValue<ST::QueryId, ()>;
    const HAS_STATIC_QUERY_ID: bool = ST::HAS_STATIC_QUERY_ID;
}

impl<DB: Driver, ST: ColumnSql, V> QueryFragment<DB> for PortableValue<ST, V>
where
    DB: HasSqlType<ST>,
    V: ToSql<ST, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        crate::field::facts::known::<Self>();
        // MySQL takes text that is compared with a document for a document that is one string. MariaDB, which keeps
        // documents as text, has no such type, and skips these comments.
        let cast = DB::KIND == BackendKind::Mysql && ST::COLUMN.on(DB::KIND, false) == "JSON";
        if cast {
            out.push_sql("/*!80000 CAST( */ ");
        }
        (self.check)(&self.value, DB::KIND).map_err(Error::SerializationError)?;
        Place::write(ST::COLUMN, String::new, out.reborrow(), |mut out| out.push_bind_param::<ST, V>(&self.value))?;
        if cast {
            out.push_sql(" /*!80000 AS JSON) */");
        }
        Ok(())
    }
}

#[cfg(all(test, feature = "mysql", feature = "serde_json"))]
mod tests {
    use crate::{backend::Mysql, sql_types::Json, types::operand::PortableOperand};

    fn sql<ST, T: PortableOperand<ST, Expression: diesel::query_builder::QueryFragment<Mysql>>>(value: T) -> String {
        use crate::backend::Driver as _;
        Mysql::sql(&value.into_expression()).expect("it can be written")
    }

    #[test]
    fn a_document_is_compared_as_one() {
        let cast = "/*!80000 CAST( */ ? /*!80000 AS JSON) */";
        assert_eq!(sql::<Json, _>(serde_json::json!(1)), cast);
        assert_eq!(sql::<diesel::sql_types::Nullable<Json>, _>(Some(serde_json::json!(1))), cast);
        assert_eq!(sql::<crate::sql_types::U32, _>(1_u32), "?");
    }
}
