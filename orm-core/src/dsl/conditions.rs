//! Conditions that are made when the program runs.

use std::{fmt, marker::PhantomData, sync::Arc};

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{Bool, BoolOrNullableBool, Nullable, SqlType},
};

use crate::{
    backend::{Any, Backend, Driver, PartsOf},
    field::{
        Expr, Readable, RootedAt, facts,
        function::{Function, Words, calls},
    },
    queryset::Condition,
    types::Native,
};

/// Any condition on rows of the model `M`, in a box: conditions of different Rust types, such as those of a form's
/// fields that were filled in, go into one `Vec`.
///
/// It is made within the closure of `filter`, by [`condition`], because a path such as `f.origin().city` tells the query
/// which joins it needs.
///
/// ```
/// use orm_core::{dsl::{BoxedCondition, all_of, condition}, prelude::*};
/// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String, altitude: i32 }
/// # let db = orm_core::connect("sqlite::memory:")?;
/// # db.create_tables::<(Airport,)>()?;
/// # let airport = |code: &str, city: &str, altitude| Airport { code: code.into(), city: city.into(), altitude };
/// # Airport::bulk_create(&db, [airport("JFK", "New York", 13), airport("DEN", "Denver", 5434)])?;
/// # let (city, above) = (None::<&str>, Some(1000));
///
/// let airports = Airport::objects(&db).filter(|a| {
///     let mut wanted: Vec<BoxedCondition<'_, Airport>> = Vec::new();
///     if let Some(city) = city {
///         wanted.push(condition(a.city.eq(city)));
///     }
///     if let Some(feet) = above {
///         wanted.push(condition(a.altitude.gt(feet)));
///     }
///     all_of(wanted)
/// });
/// assert_eq!(airports.values(|a| a.code).load()?, ["DEN"]);
/// # Ok::<(), orm_core::Error>(())
/// ```
#[must_use = "a condition does nothing until it is used in a query"]
pub struct BoxedCondition<'a, M, B: Backend = Any> {
    part: Arc<B::Part<'a>>,
    model: PhantomData<fn() -> M>,
}

/// Puts a condition into a box.
pub fn condition<'a, M, B: Backend>(condition: impl Condition<'a, M, B>) -> BoxedCondition<'a, M, B> {
    BoxedCondition { part: condition.into_part(), model: PhantomData }
}

impl<M, B: Backend> Clone for BoxedCondition<'_, M, B> {
    fn clone(&self) -> Self {
        BoxedCondition { part: self.part.clone(), model: PhantomData }
    }
}
impl<M, B: Backend> fmt::Debug for BoxedCondition<'_, M, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxedCondition").finish_non_exhaustive()
    }
}

impl<M, B: Backend> Expression for BoxedCondition<'_, M, B> {
    type SqlType = Nullable<Bool>;
}
impl<M, B: Backend> AppearsOnTable<RootedAt<M>> for BoxedCondition<'_, M, B> {}
impl<M, B: Backend> SelectableExpression<RootedAt<M>> for BoxedCondition<'_, M, B> {}
impl<M, B: Backend> ValidGrouping<()> for BoxedCondition<'_, M, B> {
    type IsAggregate = is_aggregate::No;
}
impl<M, B: Backend> QueryId for BoxedCondition<'_, M, B> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<DB: Driver, M, B: PartsOf<DB>> QueryFragment<DB> for BoxedCondition<'_, M, B> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("(");
        B::part(&self.part).walk_ast(out.reborrow())?;
        out.push_sql(")");
        Ok(())
    }
}

/// Whether all of the conditions are true: they are joined by AND. Of no condition it is true.
///
/// As in SQL it is false where one of them is false, and else NULL where one is NULL. For conditions of different Rust
/// types there is [`BoxedCondition`].
///
/// ```
/// use orm_core::{dsl::{all_of, any_of}, prelude::*};
/// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
/// # let db = orm_core::connect("sqlite::memory:")?;
/// # db.create_tables::<(Airport,)>()?;
/// # Airport::bulk_create(&db, [Airport { code: "JFK".into(), city: "New York".into() }])?;
///
/// let words = ["New", "York"];
/// let found = Airport::objects(&db).filter(|a| all_of(words.iter().map(|word| a.city.contains(word))));
/// assert_eq!(found.count()?, 1);
/// let nothing: [&str; 0] = [];
/// assert_eq!(Airport::objects(&db).filter(|a| all_of(nothing.map(|word| a.city.contains(word)))).count()?, 1);
/// assert_eq!(Airport::objects(&db).filter(|a| any_of(nothing.map(|word| a.city.contains(word)))).count()?, 0);
/// # Ok::<(), orm_core::Error>(())
/// ```
pub fn all_of<C>(conditions: impl IntoIterator<Item = C>) -> Expr<Several<C>>
where
    C: Expression<SqlType: BoolOrNullableBool>,
{
    Expr(Several { conditions: conditions.into_iter().collect(), all: true })
}

/// Whether any of the conditions is true: they are joined by OR. Of no condition it is false.
///
/// As in SQL it is true where one of them is true, and else NULL where one is NULL.
pub fn any_of<C>(conditions: impl IntoIterator<Item = C>) -> Expr<Several<C>>
where
    C: Expression<SqlType: BoolOrNullableBool>,
{
    Expr(Several { conditions: conditions.into_iter().collect(), all: false })
}

/// Conditions of one Rust type, joined; made by [`all_of`] and [`any_of`].
#[derive(Clone, Debug)]
#[must_use = "a condition does nothing until it is used in a query"]
pub struct Several<C> {
    conditions: Vec<C>,
    all: bool,
}

impl<C: Expression> Expression for Several<C> {
    type SqlType = Nullable<Bool>;
}
impl<C: Expression> Readable for Several<C> {
    type Rust = Option<bool>;
    type Codec = Native;
}
impl<QS, C: AppearsOnTable<QS>> AppearsOnTable<QS> for Several<C> {}
impl<QS, C: AppearsOnTable<QS>> SelectableExpression<QS> for Several<C> {}
impl<G, C: ValidGrouping<G>> ValidGrouping<G> for Several<C> {
    type IsAggregate = C::IsAggregate;
}
impl<C> QueryId for Several<C> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<DB: Driver, C: QueryFragment<DB>> QueryFragment<DB> for Several<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        facts::known::<Self>();
        if self.conditions.is_empty() {
            out.push_sql(if self.all { "1=1" } else { "1=0" });
            return Ok(());
        }
        for (i, condition) in self.conditions.iter().enumerate() {
            out.push_sql(match (i, self.all) {
                (0, _) => "((",
                (_, true) => ") AND (",
                (_, false) => ") OR (",
            });
            facts::expect::<C>();
            condition.walk_ast(out.reborrow())?;
        }
        out.push_sql("))");
        Ok(())
    }
}

/// Whether the condition is false; NULL where it is NULL, so that `filter(not(c))` and `exclude(c)` differ: what
/// `exclude` keeps are also the rows for which the condition is NULL.
///
/// `!` is the same, on every condition but those that Diesel's own methods and functions return.
///
/// ```
/// use orm_core::{dsl::not, prelude::*};
/// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, tz: Option<i32> }
/// # let db = orm_core::connect("sqlite::memory:")?;
/// # db.create_tables::<(Airport,)>()?;
/// # let airport = |code: &str, tz| Airport { code: code.into(), tz };
/// # Airport::bulk_create(&db, [airport("JFK", Some(-5)), airport("DEN", Some(-7)), airport("XXX", None)])?;
///
/// assert_eq!(Airport::objects(&db).filter(|a| not(a.tz.eq(-5))).values(|a| a.code).load()?, ["DEN"]);
/// assert_eq!(Airport::objects(&db).exclude(|a| a.tz.eq(-5)).count()?, 2);
/// # Ok::<(), orm_core::Error>(())
/// ```
pub fn not<C>(condition: C) -> Expr<Function<Negation, (C,)>>
where
    C: Expression<SqlType: BoolOrNullableBool + SqlType>,
{
    Function::expression(Negation, (condition,))
}

calls! {
    /// [`not`].
    Negation: Bool, Words::alike("(NOT ({0}))");
}
