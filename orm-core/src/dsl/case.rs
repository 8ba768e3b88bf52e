//! `CASE WHEN … THEN … ELSE … END`.

use std::marker::PhantomData;

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping},
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{BoolOrNullableBool, IntoNotNullable, SqlType, is_nullable},
};

use crate::{
    backend::Driver,
    field::{
        Expr, Readable, facts,
        function::{Nullness, Plain, Refit},
    },
    types::{Inferred, Term, Typed},
};

/// The SQL type of an expression, not nullable.
type Base<E> = <<E as Expression>::SqlType as IntoNotNullable>::NotNullable;
/// Whether a type may be NULL.
type NullOf<ST> = <ST as SqlType>::IsNull;

/// `CASE WHEN condition THEN value`, to be continued by [`when`](CaseWhen::when) and ended by
/// [`otherwise`](CaseWhen::otherwise) or [`or_null`](CaseWhen::or_null).
///
/// The first value decides the type. The value is that of the first condition that is true.
///
/// ```
/// use orm_core::{dsl::case_when, prelude::*};
/// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64, delay: Option<i32> }
/// # let db = orm_core::connect("sqlite::memory:")?;
/// # db.create_tables::<(Flight,)>()?;
/// # let delays = [Some(90), Some(20), Some(0), None];
/// # Flight::bulk_create(&db, delays.into_iter().zip(1..).map(|(delay, id)| Flight { id, delay }))?;
/// let words: Vec<String> = Flight::objects(&db)
///     .order_by(|f| f.id.asc())
///     .values(|f| case_when(f.delay.gt(60), "very late").when(f.delay.gt(0), "late").otherwise("in time"))
///     .load()?;
/// assert_eq!(words, ["very late", "late", "in time", "in time"]);
/// # Ok::<(), orm_core::Error>(())
/// ```
pub fn case_when<C, T>(condition: C, value: T) -> CaseWhen<(C, TypedValue<T>), T::Expression>
where
    C: Expression<SqlType: BoolOrNullableBool>,
    T: Typed,
{
    CaseWhen { whens: (condition, Inferred::new(value.into_typed())), of: PhantomData }
}

/// The expression that a value of a `CASE` becomes.
type TypedValue<T> = Inferred<<T as Typed>::SqlType, <T as Typed>::Expression>;

/// A `CASE` that is not ended yet; made by [`case_when`].
// `F` is the first value, which decides the type, and `N` whether any of the values may be NULL.
#[derive(Debug)]
#[must_use = "it is no expression before `otherwise` or `or_null` has ended it"]
pub struct CaseWhen<W, F, N = NullOf<<F as Expression>::SqlType>> {
    whens: W,
    of: PhantomData<fn() -> (F, N)>,
}

/// What stands for a value beside the first value.
type Beside<T, F> = Inferred<<T as Term<Base<F>>>::SqlType, <T as Term<Base<F>>>::Expression>;
/// Whether `N` or such a value may be NULL.
type OrNull<N, T, F> = <N as Nullness>::Or<NullOf<<T as Term<Base<F>>>::SqlType>>;
/// With one more condition.
type Longer<W, C, T, F, N> = CaseWhen<(W, C, Beside<T, F>), F, OrNull<N, T, F>>;
/// With its end.
type Ending<W, T, F, N> = Expr<Case<(W, Beside<T, F>), F, OrNull<N, T, F>>>;

impl<W, F, N> CaseWhen<W, F, N>
where
    F: Expression<SqlType: IntoNotNullable>,
    N: Nullness,
{
    /// `WHEN condition THEN value`, where none of the conditions before is true.
    pub fn when<C, T>(self, condition: C, value: T) -> Longer<W, C, T, F, N>
    where
        C: Expression<SqlType: BoolOrNullableBool>,
        T: Term<Base<F>>,
    {
        CaseWhen { whens: (self.whens, condition, Inferred::new(value.into_term())), of: PhantomData }
    }

    /// `ELSE value`: what it is where no condition is true.
    pub fn otherwise<T>(self, value: T) -> Ending<W, T, F, N>
    where
        T: Term<Base<F>>,
    {
        Expr(Case { parts: (self.whens, Inferred::new(value.into_term())), of: PhantomData })
    }

    /// NULL where no condition is true.
    pub fn or_null(self) -> Expr<Case<(W,), F, is_nullable::IsNullable>> {
        Expr(Case { parts: (self.whens,), of: PhantomData })
    }
}

/// `CASE … END`; made by [`case_when`].
#[derive(Debug)]
#[must_use = "an expression does nothing until it is used in a query"]
pub struct Case<I, F, N> {
    parts: I,
    of: PhantomData<fn() -> (F, N)>,
}

impl<I: Clone, F, N> Clone for Case<I, F, N> {
    fn clone(&self) -> Self {
        Case { parts: self.parts.clone(), of: PhantomData }
    }
}
impl<I: Copy, F, N> Copy for Case<I, F, N> {}

/// What a `CASE` gives.
#[doc(hidden)]
pub trait Given {
    type SqlType: crate::sql_types::ColumnSql + diesel::expression::TypedExpressionType;
    type Rust: 'static;
    type Codec;
}
impl<F, N> Given for (F, N)
where
    F: Readable<SqlType: SqlType<IsNull: Nullness> + IntoNotNullable<NotNullable: Plain>>,
    N: Nullness,
    (NullOf<F::SqlType>, N): Refit<F::Rust, F::Codec>,
{
    type SqlType = N::Of<Base<F>>;
    type Rust = <(NullOf<F::SqlType>, N) as Refit<F::Rust, F::Codec>>::Rust;
    type Codec = <(NullOf<F::SqlType>, N) as Refit<F::Rust, F::Codec>>::Codec;
}

impl<I, F, N> Expression for Case<I, F, N>
where
    (F, N): Given,
{
    type SqlType = <(F, N) as Given>::SqlType;
}
impl<I, F, N> Readable for Case<I, F, N>
where
    (F, N): Given,
{
    type Rust = <(F, N) as Given>::Rust;
    type Codec = <(F, N) as Given>::Codec;
}
impl<QS, I: AppearsOnTable<QS>, F, N> AppearsOnTable<QS> for Case<I, F, N> where Self: Expression {}
impl<QS, I: AppearsOnTable<QS>, F, N> SelectableExpression<QS> for Case<I, F, N> where Self: Expression {}
impl<G, I: ValidGrouping<G>, F, N> ValidGrouping<G> for Case<I, F, N> {
    type IsAggregate = I::IsAggregate;
}
impl<I, F, N> QueryId for Case<I, F, N> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// The parts of a `CASE`, nested to the left.
#[doc(hidden)]
pub trait Whens<DB: Driver> {
    fn write<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()>;
}

fn when<'b, DB: Driver, C: QueryFragment<DB>, V: QueryFragment<DB>>(
    mut out: AstPass<'_, 'b, DB>,
    condition: &'b C,
    value: &'b V,
) -> QueryResult<()> {
    facts::expect::<C>();
    facts::expect::<V>();
    out.push_sql(" WHEN ");
    condition.walk_ast(out.reborrow())?;
    out.push_sql(" THEN ");
    value.walk_ast(out.reborrow())
}

impl<DB: Driver, C: QueryFragment<DB>, V: QueryFragment<DB>> Whens<DB> for (C, V) {
    fn write<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        when(out, &self.0, &self.1)
    }
}
impl<DB: Driver, W: Whens<DB>, C: QueryFragment<DB>, V: QueryFragment<DB>> Whens<DB> for (W, C, V) {
    fn write<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.write(out.reborrow())?;
        when(out, &self.1, &self.2)
    }
}

/// The parts of a `CASE` with their end.
#[doc(hidden)]
pub trait Ended<DB: Driver> {
    fn write<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()>;
}
impl<DB: Driver, W: Whens<DB>> Ended<DB> for (W,) {
    fn write<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.write(out)
    }
}
impl<DB: Driver, W: Whens<DB>, E: QueryFragment<DB>> Ended<DB> for (W, E) {
    fn write<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.write(out.reborrow())?;
        out.push_sql(" ELSE ");
        facts::expect::<E>();
        self.1.walk_ast(out)
    }
}

impl<DB: Driver, I: Ended<DB>, F, N> QueryFragment<DB> for Case<I, F, N>
where
    (F, N): Given,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        facts::known::<Self>();
        out.push_sql("(CASE");
        self.parts.write(out.reborrow())?;
        out.push_sql(" END)");
        Ok(())
    }
}
