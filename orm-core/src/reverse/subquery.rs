//! What is asked of related rows, as expressions: subqueries that are bound to the row that they are about.

use std::{fmt, marker::PhantomData};

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
    result::Error::QueryBuilderError,
    sql_types::{Bool, IntoNullable, SingleValue, SqlType},
};

use super::conditions::{Conditions, Keys};
use crate::{
    backend::Driver,
    field::{Place, Readable, RootedAt, collation::push_compared, facts},
    path::{Correlation, Join, ManyPath, Path},
    statement::{
        more::More,
        push_column,
        select::{Columns, Select},
    },
    types::{Native, nullable::Optionality},
};

/// Rows of the path `Q` for which the conditions `C` hold.
pub(super) struct Related<Q, C> {
    pub(super) correlation: Correlation,
    pub(super) joins: Vec<Join>,
    pub(super) conditions: C,
    /// A closure over these rows was called within a closure over the same.
    pub(super) nested: bool,
    pub(super) path: PhantomData<fn() -> Q>,
}

impl<Q, C: Clone> Clone for Related<Q, C> {
    fn clone(&self) -> Self {
        Related {
            correlation: self.correlation.clone(),
            joins: self.joins.clone(),
            conditions: self.conditions.clone(),
            nested: self.nested,
            path: PhantomData,
        }
    }
}

impl<Q, C> fmt::Debug for Related<Q, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Related").field("rows", &self.correlation.alias).finish_non_exhaustive()
    }
}

impl<Q, C> Related<Q, C> {
    /// `SELECT columns FROM … WHERE …`
    fn select<'b, DB: Driver>(&'b self, columns: Columns<'b, DB>) -> QueryResult<Select<'b, DB>>
    where
        C: Conditions<DB>,
    {
        let Correlation { table, alias, outer, .. } = &self.correlation;
        if self.nested {
            return Err(QueryBuilderError(
                format!(
                    "a closure over the related rows `{alias}` is called within a closure over the same rows of \
                     `{outer}`, where a field of the one cannot be told from a field of the other; in the inner \
                     closure's place, step back from the row that the outer closure is given"
                )
                .into(),
            ));
        }
        let mut filters: Vec<(&'b dyn QueryFragment<DB>, bool)> = vec![(&self.correlation, false)];
        self.conditions.parts(&mut filters);
        Ok(Select {
            columns,
            distinct: false,
            table,
            alias,
            joins: self.joins.iter().collect(),
            filters,
            order: Vec::new(),
            limit: None,
            offset: 0,
            place: Place::Elsewhere,
            more: More::default(),
        })
    }
}

impl<DB: Driver> QueryFragment<DB> for Correlation {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        facts::reads(|| self.outer.clone(), self.outer_column);
        push_compared(&mut out, &self.alias, self.table, self.column)?;
        out.push_sql(" = ");
        push_column(&mut out, &self.outer, self.outer_column)
    }
}

/// Whether there are related rows: `EXISTS (SELECT 1 …)`, or `NOT EXISTS`.
#[derive(Clone, Debug)]
#[must_use = "a condition does nothing until it is used in a query"]
pub struct Exists<Q, C> {
    pub(super) related: Related<Q, C>,
    pub(super) negated: bool,
}

impl<Q, C> Expression for Exists<Q, C> {
    type SqlType = Bool;
}
impl<Q, C> Readable for Exists<Q, C> {
    type Rust = bool;
    type Codec = Native;
}
impl<Q, C, DB: Driver> QueryFragment<DB> for Exists<Q, C>
where
    C: Conditions<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        facts::known::<Self>();
        out.push_sql(if self.negated { "(NOT EXISTS (" } else { "EXISTS (" });
        self.related.select(Columns::Nothing)?.write(out.reborrow())?;
        facts::known::<Self>();
        out.push_sql(if self.negated { "))" } else { ")" });
        Ok(())
    }
}

/// An aggregate of related rows: `(SELECT aggregate …)`.
#[derive(Clone, Debug)]
#[must_use = "an expression does nothing until it is used in a query"]
pub struct Computed<Q, C, E> {
    pub(super) related: Related<Q, C>,
    pub(super) value: E,
}

impl<Q, C, E: Expression> Expression for Computed<Q, C, E> {
    type SqlType = E::SqlType;
}
impl<Q, C, E: Readable> Readable for Computed<Q, C, E> {
    type Rust = E::Rust;
    type Codec = E::Codec;
}
impl<Q, C, E, DB: Driver> QueryFragment<DB> for Computed<Q, C, E>
where
    C: Conditions<DB>,
    E: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        facts::known::<Self>();
        facts::expect::<E>();
        out.push_sql("(");
        self.related.select(Columns::Expression(&self.value))?.write(out.reborrow())?;
        out.push_sql(")");
        Ok(())
    }
}

/// A value of the first related row in an order: `(SELECT value … ORDER BY … LIMIT 1)`.
#[derive(Clone, Debug)]
#[must_use = "an expression does nothing until it is used in a query"]
pub struct FirstOf<Q, C, O, E> {
    pub(super) related: Related<Q, C>,
    pub(super) order: O,
    pub(super) value: E,
}

impl<Q, C, O, E> Expression for FirstOf<Q, C, O, E>
where
    E: Expression<SqlType: IntoNullable<Nullable: SqlType + SingleValue>>,
{
    type SqlType = <E::SqlType as IntoNullable>::Nullable;
}
impl<Q, C, O, E> Readable for FirstOf<Q, C, O, E>
where
    E: Readable<SqlType: SqlType + IntoNullable<Nullable: SqlType + SingleValue>>,
    <E::SqlType as SqlType>::IsNull: Optionality<E::Rust, E::Codec>,
{
    type Rust = <<E::SqlType as SqlType>::IsNull as Optionality<E::Rust, E::Codec>>::Rust;
    type Codec = <<E::SqlType as SqlType>::IsNull as Optionality<E::Rust, E::Codec>>::Codec;
}
impl<Q, C, O, E, DB: Driver> QueryFragment<DB> for FirstOf<Q, C, O, E>
where
    C: Conditions<DB>,
    O: Keys<DB>,
    E: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        facts::known::<Self>();
        facts::expect::<E>();
        let mut select = self.related.select(Columns::Expression(&self.value))?;
        self.order.keys(&mut select.order);
        select.limit = Some(1);
        out.push_sql("(");
        select.write(out.reborrow())?;
        out.push_sql(")");
        Ok(())
    }
}

// What stands inside was checked when it was given.
macro_rules! about_the_row_outside {
    ($($name:ident<$($parameter:ident),*>)*) => { $(
        impl<Q: ManyPath, $($parameter),*> AppearsOnTable<RootedAt<<Q as Path>::Root>> for $name<Q, $($parameter),*>
        where
            Self: Expression,
        {
        }
        impl<Q: ManyPath, $($parameter),*> SelectableExpression<RootedAt<<Q as Path>::Root>> for $name<Q, $($parameter),*>
        where
            Self: Expression,
        {
        }
        // An aggregate inside is one of other rows than those of the query outside.
        impl<Q, $($parameter),*> ValidGrouping<()> for $name<Q, $($parameter),*> {
            type IsAggregate = is_aggregate::No;
        }
        impl<Q, $($parameter),*> QueryId for $name<Q, $($parameter),*> {
            type QueryId = ();
            const HAS_STATIC_QUERY_ID: bool = false;
        }
    )* };
}
about_the_row_outside! {
    Exists<C>
    Computed<C, E>
    FirstOf<C, O, E>
}

/// What an aggregate of related rows is of.
///
/// SQL takes an aggregate that names no column of its own query for one of the query outside. Such an expression is bound
/// to the rows inside by naming the column that binds them, which is never NULL there.
#[derive(Clone, Debug)]
pub struct OfEach<E> {
    pub(super) value: E,
    pub(super) alias: String,
    pub(super) column: &'static str,
}

impl<E: Expression> Expression for OfEach<E> {
    type SqlType = E::SqlType;
}
impl<E: Readable> Readable for OfEach<E> {
    type Rust = E::Rust;
    type Codec = E::Codec;
}
impl<QS, E: AppearsOnTable<QS>> AppearsOnTable<QS> for OfEach<E> {}
impl<G, E: ValidGrouping<G>> ValidGrouping<G> for OfEach<E> {
    type IsAggregate = E::IsAggregate;
}
impl<DB: Driver, E: QueryFragment<DB>> QueryFragment<DB> for OfEach<E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        facts::known::<Self>();
        facts::expect::<E>();
        if names_alias(&DB::sql(&self.value)?, &self.alias) {
            return self.value.walk_ast(out);
        }
        out.push_sql("CASE WHEN ");
        push_column(&mut out, &self.alias, self.column)?;
        out.push_sql(" IS NOT NULL THEN ");
        self.value.walk_ast(out.reborrow())?;
        out.push_sql(" END");
        Ok(())
    }
}

/// Whether SQL has a column of this alias, or of one that begins with it and goes on by a step.
///
/// An alias that was shortened is not recognized; then a column is named that need not be.
fn names_alias(sql: &str, alias: &str) -> bool {
    sql.match_indices(alias).any(|(at, _)| {
        let (before, behind) = (&sql[..at], &sql[at + alias.len()..]);
        // No name begins with `_`.
        let step = behind.strip_prefix("__").is_some_and(|name| !name.starts_with('_'));
        before.ends_with(['"', '`']) && (behind.starts_with(['"', '`']) || step)
    })
}

/// Each value once: `DISTINCT value`.
#[derive(Clone, Debug)]
pub struct Different<E>(pub(super) E);

impl<E: Expression> Expression for Different<E> {
    type SqlType = E::SqlType;
}
impl<QS, E: AppearsOnTable<QS>> AppearsOnTable<QS> for Different<E> {}
impl<G, E: ValidGrouping<G>> ValidGrouping<G> for Different<E> {
    type IsAggregate = E::IsAggregate;
}
impl<DB: Driver, E: QueryFragment<DB>> QueryFragment<DB> for Different<E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        facts::known::<Self>();
        facts::expect::<E>();
        out.push_sql("DISTINCT ");
        self.0.walk_ast(out.reborrow())
    }
}

#[cfg(test)]
mod tests {
    use super::names_alias;

    #[test]
    fn an_alias_is_told_from_one_that_only_begins_alike() {
        let of = |sql| names_alias(sql, "airports__departures");
        assert!(of("`airports__departures`.`seats`") && of("(1 + \"airports__departures__legs\".\"id\")"));
        assert!(!of("`airports`.`gates`") && !of("`airports__departures_board`.`id`"));
        assert!(!of("`airports__departures___x`.`id`") && !of("`old_airports__departures`.`id`"));
    }
}
