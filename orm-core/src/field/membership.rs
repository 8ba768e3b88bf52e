//! `IN`: whether a field is one of many values.

use diesel::{
    QueryResult,
    backend::Backend,
    dsl,
    expression::{AppearsOnTable, AsExpression, Expression, TypedExpressionType, ValidGrouping, is_aggregate},
    expression_methods::ExpressionMethods,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{Bool, Nullable, SqlType},
};

use super::expr::on_expressions;
use crate::{
    sql_types::{Portable, SqlKind, Standard},
    types::operand::PortableOperand,
};

type SqlTypeOf<E> = <E as Expression>::SqlType;
type KindOf<E> = <SqlTypeOf<E> as SqlKind>::Kind;

on_expressions! {
    /// `IN`: whether the field is one of the values, which may be any iterator; of none, it is never one.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, runways: u8 }
    /// # fn queries(db: &Database) {
    /// Airport::objects(db).filter(|a| a.code.eq_any(["JFK", "LGA"]).and(a.runways.ne_all(1..=3)));
    /// # }
    /// ```
    pub fn eq_any<T>(self, values: T) -> T::Is
    where
        Self: Expression<SqlType: SqlKind>,
        T: OneOf<Self, KindOf<Self>>,
    {
        values.any(self)
    }

    /// `NOT IN`: whether the field is none of the values; of none, it is always so.
    pub fn ne_all<T>(self, values: T) -> T::IsNot
    where
        Self: Expression<SqlType: SqlKind>,
        T: OneOf<Self, KindOf<Self>>,
    {
        values.none(self)
    }
}

/// Values of which the field `F` may be one: an iterator of what it may be compared with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` are no values that this field can be one of",
    label = "not an iterator of values of the field's type"
)]
pub trait OneOf<F, Kind> {
    /// The condition that it is.
    type Is;
    /// The condition that it is not.
    type IsNot;
    #[doc(hidden)]
    fn any(self, field: F) -> Self::Is;
    #[doc(hidden)]
    fn none(self, field: F) -> Self::IsNot;
}

#[diagnostic::do_not_recommend]
impl<F, I> OneOf<F, Standard> for I
where
    F: ExpressionMethods + Expression<SqlType: SqlType + TypedExpressionType>,
    I: IntoIterator<Item: AsExpression<SqlTypeOf<F>>>,
{
    type Is = dsl::EqAny<F, I>;
    type IsNot = dsl::NeAny<F, I>;
    fn any(self, field: F) -> Self::Is {
        ExpressionMethods::eq_any(field, self)
    }
    fn none(self, field: F) -> Self::IsNot {
        ExpressionMethods::ne_all(field, self)
    }
}

#[diagnostic::do_not_recommend]
impl<F, I> OneOf<F, Portable> for I
where
    F: Expression,
    I: IntoIterator<Item: PortableOperand<SqlTypeOf<F>>>,
{
    type Is = In<F, <I::Item as PortableOperand<SqlTypeOf<F>>>::Expression>;
    type IsNot = Self::Is;
    fn any(self, field: F) -> Self::Is {
        In { field, values: self.into_iter().map(PortableOperand::into_expression).collect(), negated: false }
    }
    fn none(self, field: F) -> Self::Is {
        In { negated: true, ..self.any(field) }
    }
}

/// `IN` on the portable types, which Diesel's own cannot take.
#[derive(Clone, Debug)]
#[must_use = "a condition does nothing until it is used in a query"]
pub struct In<F, E> {
    field: F,
    values: Vec<E>,
    negated: bool,
}

impl<F: Expression, E> Expression for In<F, E> {
    type SqlType = Nullable<Bool>;
}
impl<QS, F: AppearsOnTable<QS>, E: AppearsOnTable<QS>> AppearsOnTable<QS> for In<F, E> {}
impl<F, E> ValidGrouping<()> for In<F, E> {
    type IsAggregate = is_aggregate::No;
}
impl<F, E> QueryId for In<F, E> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Backend, F: QueryFragment<DB>, E: QueryFragment<DB>> QueryFragment<DB> for In<F, E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if self.values.is_empty() {
            // `IN ()` is no SQL.
            out.push_sql(if self.negated { "1=1" } else { "1=0" });
            return Ok(());
        }
        out.push_sql("(");
        self.field.walk_ast(out.reborrow())?;
        out.push_sql(if self.negated { " NOT IN (" } else { " IN (" });
        for (i, value) in self.values.iter().enumerate() {
            if i > 0 {
                out.push_sql(", ");
            }
            value.walk_ast(out.reborrow())?;
        }
        out.push_sql("))");
        Ok(())
    }
}
