//! `IN`: whether a field is one of many values, or of the values of another queryset.

pub(crate) mod many;
mod query;

use std::marker::PhantomData;

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, ValidGrouping},
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{Bool, Nullable},
};

use self::many::{Elements, WriteMany};
pub use self::query::{Exists, InQuery, exists};
use super::{Expr, Readable, expr::on_expressions, facts, operators::Compared};
use crate::{
    sql_types::{Comparison, SqlKind},
    types::{Native, operand::Operand},
};

type SqlTypeOf<E> = <E as Expression>::SqlType;
type KindOf<E> = <SqlTypeOf<E> as SqlKind>::Kind;

/// Above this, values are no bind parameters one by one: a statement can have 32766 to 65535 of them, and may have several
/// lists.
const MANY: usize = 2000;

on_expressions! {
    /// `IN`: whether the field is one of the values, which may be any iterator, or a queryset of one field.
    ///
    /// Of no values it is never one. There may be any number of them: long lists are sent in a form of their own, an array
    /// on PostgreSQL and literals on the others. NULL is equal to nothing, so `None` among the values finds no row; add
    /// `.or(f.x.is_null())`.
    ///
    /// A queryset becomes a subquery, with its order and limit, and nothing of it is read by the program. It has to be on
    /// the same database; one on another backend is refused when the statement is written.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String, runways: u8 }
    /// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64, origin: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Airport, Flight)>()?;
    /// # Airport::bulk_create(&db, [Airport { code: "JFK".into(), city: "New York".into(), runways: 4 }])?;
    /// # Flight::bulk_create(&db, [Flight { id: 1, origin: "JFK".into() }, Flight { id: 2, origin: "ORD".into() }])?;
    /// assert_eq!(Airport::objects(&db).filter(|a| a.code.is_in(["JFK", "LGA"])).count()?, 1);
    /// assert_eq!(Airport::objects(&db).filter(|a| a.runways.not_in(1..=3)).count()?, 1);
    ///
    /// let new_york = Airport::objects(&db).filter(|a| a.city.eq("New York")).values(|a| a.code);
    /// assert_eq!(Flight::objects(&db).filter(|f| f.origin.is_in(new_york)).values(|f| f.id).load()?, [1]);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn is_in<T: OneOf<Self, K>, K>(self, values: T) -> Expr<T::In>
    where
        Self: Expression,
    {
        Expr(values.any(self))
    }

    /// `NOT IN`: whether the field is none of the values, or none of a queryset's; of none, it is always so.
    ///
    /// As in SQL, this is never true where NULL is among the values: the field might be equal to what is unknown. Leave
    /// `None` out of the values, and NULL out of the queryset, or use `exclude(|f| f.x.is_in(…))`. Nor is it true where the
    /// field is NULL, unless there are no values.
    pub fn not_in<T: OneOf<Self, K>, K>(self, values: T) -> Expr<T::In>
    where
        Self: Expression,
    {
        Expr(values.none(self))
    }

    /// As [`is_in`](Self::is_in), by Diesel's name.
    pub fn eq_any<T: OneOf<Self, K>, K>(self, values: T) -> Expr<T::In>
    where
        Self: Expression,
    {
        self.is_in(values)
    }

    /// As [`not_in`](Self::not_in), by Diesel's name.
    pub fn ne_all<T: OneOf<Self, K>, K>(self, values: T) -> Expr<T::In>
    where
        Self: Expression,
    {
        self.not_in(values)
    }
}

/// That the field may be one of values, which are operands of the kind `K`.
#[derive(Debug)]
pub struct Values<K>(PhantomData<K>);

/// Values of which the field `F` may be one: an iterator of what it may be compared with, or a queryset.
#[diagnostic::on_unimplemented(
    message = "`{Self}` are no values that this field can be one of",
    label = "neither an iterator of values of the field's type, nor a queryset of one such field"
)]
pub trait OneOf<F, Kind> {
    /// The condition.
    type In;
    #[doc(hidden)]
    fn any(self, field: F) -> Self::In;
    #[doc(hidden)]
    fn none(self, field: F) -> Self::In;
}

#[diagnostic::do_not_recommend]
impl<F, I, K> OneOf<F, Values<K>> for I
where
    F: Expression<SqlType: SqlKind>,
    I: IntoIterator<Item: Operand<SqlTypeOf<F>, K>>,
{
    type In = In<Compared<F>, Compared<F, <I::Item as Operand<SqlTypeOf<F>, K>>::Expression>>;
    fn any(self, field: F) -> Self::In {
        let values = self.into_iter().map(|value| KindOf::<F>::compared(value.into_expression())).collect();
        In { field: KindOf::<F>::compared(field), values: Elements::new(values), negated: false }
    }
    fn none(self, field: F) -> Self::In {
        In { negated: true, ..self.any(field) }
    }
}

/// `IN` and `NOT IN` of values.
#[derive(Clone, Debug)]
#[must_use = "a condition does nothing until it is used in a query"]
pub struct In<F, E> {
    field: F,
    values: Elements<E>,
    negated: bool,
}

impl<F: Expression, E> Expression for In<F, E> {
    type SqlType = Nullable<Bool>;
}
impl<F: Expression, E> Readable for In<F, E> {
    type Rust = Option<bool>;
    type Codec = Native;
}
impl<QS, F: AppearsOnTable<QS>, E: AppearsOnTable<QS>> AppearsOnTable<QS> for In<F, E> {}
impl<QS, F: AppearsOnTable<QS>, E: AppearsOnTable<QS>> diesel::SelectableExpression<QS> for In<F, E> {}
impl<G, F: ValidGrouping<G>, E> ValidGrouping<G> for In<F, E> {
    type IsAggregate = F::IsAggregate;
}
impl<F, E> QueryId for In<F, E> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: WriteMany<E>, F: QueryFragment<DB>, E: QueryFragment<DB>> QueryFragment<DB> for In<F, E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        facts::known::<Self>();
        let values = &self.values.values;
        if values.is_empty() {
            // `IN ()` is no SQL.
            out.push_sql(if self.negated { "1=1" } else { "1=0" });
            return Ok(());
        }
        facts::expect::<F>();
        out.push_sql("(");
        self.field.walk_ast(out.reborrow())?;
        if values.len() > MANY {
            facts::expect::<E>();
            DB::write_many(&self.values, self.negated, out.reborrow())?;
        } else {
            out.push_sql(if self.negated { " NOT IN (" } else { " IN (" });
            for (i, value) in values.iter().enumerate() {
                if i > 0 {
                    out.push_sql(", ");
                }
                facts::expect::<E>();
                value.walk_ast(out.reborrow())?;
            }
            out.push_sql(")");
        }
        out.push_sql(")");
        Ok(())
    }
}
