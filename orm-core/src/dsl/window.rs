//! Window functions: a value for each row, of the rows around it.

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, MixedAggregates, SelectableExpression, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{BigInt, Double, IntoNullable, SingleValue, SqlType},
};

use super::{
    aggregate::{Aggregate, OfRows},
    frame::{Nothing, Window, WindowOrder, WindowOrderOn},
    kinds::Kind,
};
use crate::{
    backend::Driver,
    field::{Expr, Readable, facts},
    queryset::condition::{NoAggregate, OfOneRow},
    types::{Native, nullable::Optionality},
};

/// `ROW_NUMBER()`: 1, 2, 3 … in the window's order.
///
/// ```
/// # use orm_core::prelude::*;
/// use orm_core::dsl::{row_number, sum};
/// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64, carrier: String, seats: i32 }
/// # let db = orm_core::connect("sqlite::memory:")?;
/// # db.create_tables::<(Flight,)>()?;
/// # let flight = |id, carrier: &str| Flight { id, carrier: carrier.into(), seats: 100 };
/// # Flight::bulk_create(&db, [flight(1, "UA"), flight(2, "UA"), flight(3, "AA")])?;
/// let rows: Vec<(i64, (i64, Option<i64>))> = Flight::objects(&db)
///     .order_by(|f| f.id.asc())
///     .annotate(|f| {
///         (
///             row_number().over(|w| w.partition_by(f.carrier).order_by(f.id.asc())),
///             sum(f.seats).over(|w| w.partition_by(f.carrier)),
///         )
///     })
///     .load()?
///     .into_iter()
///     .map(|(flight, values)| (flight.id, values))
///     .collect();
/// assert_eq!(rows, [(1, (1, Some(200))), (2, (2, Some(200))), (3, (1, Some(100)))]);
/// # Ok::<(), orm_core::Error>(())
/// ```
pub fn row_number() -> Expr<WindowFunction<RowNumber>> {
    function("ROW_NUMBER()")
}

/// `RANK()`: the number of rows before this one that differ from it in the window's order, and one.
pub fn rank() -> Expr<WindowFunction<RowNumber>> {
    function("RANK()")
}

/// `DENSE_RANK()`: as [`rank`], but without gaps.
pub fn dense_rank() -> Expr<WindowFunction<RowNumber>> {
    function("DENSE_RANK()")
}

/// `PERCENT_RANK()`: the rank as a part of the way from 0 to 1.
pub fn percent_rank() -> Expr<WindowFunction<Share>> {
    function("PERCENT_RANK()")
}

/// `CUME_DIST()`: the part of the rows that do not come behind this one.
pub fn cume_dist() -> Expr<WindowFunction<Share>> {
    function("CUME_DIST()")
}

/// `NTILE(parts)`: the rows cut into so many parts of the same size, as far as they can be; the first is 1. There is at least
/// one part.
pub fn ntile(parts: u32) -> Expr<WindowFunction<RowNumber>> {
    of("NTILE(", Nothing, format!("{})", most(parts.max(1))))
}

/// `LAG(expression, rows)`: the value of so many rows before this one, or `None` where there is none.
pub fn lag<E: Expression>(expression: E, rows: u32) -> Expr<WindowFunction<ValueOf, E>> {
    of("LAG(", expression, format!(", {})", most(rows)))
}

/// `LEAD(expression, rows)`: the value of so many rows behind this one, or `None` where there is none.
pub fn lead<E: Expression>(expression: E, rows: u32) -> Expr<WindowFunction<ValueOf, E>> {
    of("LEAD(", expression, format!(", {})", most(rows)))
}

/// `FIRST_VALUE(expression)`: the value in the first row of the frame; `None` where the frame is empty.
pub fn first_value<E: Expression>(expression: E) -> Expr<WindowFunction<ValueOf, E>> {
    of("FIRST_VALUE(", expression, ")".into())
}

/// `LAST_VALUE(expression)`: the value in the last row of the frame. In a window with an order the frame ends at the row
/// itself, and those that are equal in the order, unless [`rows`](Window::rows) or [`range`](Window::range) says otherwise.
pub fn last_value<E: Expression>(expression: E) -> Expr<WindowFunction<ValueOf, E>> {
    of("LAST_VALUE(", expression, ")".into())
}

/// `NTH_VALUE(expression, n)`: the value in the `n`-th row of the frame, the first of which is 1; `None` where it has fewer.
pub fn nth_value<E: Expression>(expression: E, n: u32) -> Expr<WindowFunction<ValueOf, E>> {
    of("NTH_VALUE(", expression, format!(", {})", most(n.max(1))))
}

/// PostgreSQL takes no greater number there.
fn most(rows: u32) -> i32 {
    i32::try_from(rows).unwrap_or(i32::MAX)
}

fn function<K>(name: &'static str) -> Expr<WindowFunction<K>> {
    of(name, Nothing, String::new())
}

fn of<K, E>(before: &'static str, of: E, behind: String) -> Expr<WindowFunction<K, E>> {
    Expr(WindowFunction { before, of, behind, kind: std::marker::PhantomData })
}

/// A function that has a value only over a window: [`over`](Expr::over) says which.
#[derive(Debug)]
#[must_use = "a window function needs a window: call `over`"]
pub struct WindowFunction<K, E = Nothing> {
    before: &'static str,
    of: E,
    behind: String,
    kind: std::marker::PhantomData<fn() -> K>,
}

impl<K, E: Clone> Clone for WindowFunction<K, E> {
    fn clone(&self) -> Self {
        WindowFunction { before: self.before, of: self.of.clone(), behind: self.behind.clone(), kind: self.kind }
    }
}

/// Functions that count rows.
#[derive(Clone, Copy, Debug)]
pub struct RowNumber;
/// Functions that give a share of the rows.
#[derive(Clone, Copy, Debug)]
pub struct Share;
/// Functions that give the value of another row.
#[derive(Clone, Copy, Debug)]
pub struct ValueOf;

/// What can be computed over a window: an aggregate, or a window function.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this has no value over a window",
    note = "aggregates and window functions have: `sum(f.seats).over(|w| w.partition_by(f.carrier))`"
)]
pub trait Windowed {
    type SqlType: SqlType + SingleValue;
    type Rust: 'static;
    type Codec;
}

/// It can be written for the backend `DB`.
#[doc(hidden)]
pub trait WindowedOn<DB: Driver> {
    fn write<'b>(&'b self, window: &'b dyn QueryFragment<DB>, out: AstPass<'_, 'b, DB>) -> QueryResult<()>;
}

impl<K: Kind<E>, E, F> Windowed for Aggregate<K, E, F> {
    type SqlType = K::SqlType;
    type Rust = K::Rust;
    type Codec = K::Codec;
}
impl<DB: Driver, K: Kind<E>, E: QueryFragment<DB>, F: OfRows<DB>> WindowedOn<DB> for Aggregate<K, E, F> {
    fn write<'b>(&'b self, window: &'b dyn QueryFragment<DB>, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        Aggregate::write(self, Some(window), out)
    }
}

impl Windowed for WindowFunction<RowNumber> {
    type SqlType = BigInt;
    type Rust = i64;
    type Codec = Native;
}
impl Windowed for WindowFunction<Share> {
    type SqlType = Double;
    type Rust = f64;
    type Codec = Native;
}
impl<E> Windowed for WindowFunction<ValueOf, E>
where
    E: Readable<SqlType: SqlType + IntoNullable<Nullable: SqlType + SingleValue>>,
    <E::SqlType as SqlType>::IsNull: Optionality<E::Rust, E::Codec>,
{
    type SqlType = <E::SqlType as IntoNullable>::Nullable;
    type Rust = <<E::SqlType as SqlType>::IsNull as Optionality<E::Rust, E::Codec>>::Rust;
    type Codec = <<E::SqlType as SqlType>::IsNull as Optionality<E::Rust, E::Codec>>::Codec;
}
impl<DB: Driver, K, E: QueryFragment<DB>> WindowedOn<DB> for WindowFunction<K, E> {
    fn write<'b>(&'b self, window: &'b dyn QueryFragment<DB>, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(self.before);
        self.of.walk_ast(out.reborrow())?;
        out.push_sql(&self.behind);
        out.push_sql(" OVER (");
        window.walk_ast(out.reborrow())?;
        out.push_sql(")");
        Ok(())
    }
}

impl<X: Windowed> Expr<X> {
    /// Computes it for each row, of the rows that the window says: `sum(f.seats).over(|w| w.partition_by(f.carrier))`.
    ///
    /// MariaDB sorts wrongly where one window's partitions begin both of two others that go on differently, such as `a` beside
    /// `a, b` and `a` ordered by `c`. A queryset with such windows is refused on MySQL and MariaDB; ask for them by two.
    ///
    /// An aggregate of distinct values has none: a window's rows come and go one by one. It is
    /// [`ErrorKind::InvalidQuery`](crate::ErrorKind::InvalidQuery) of the terminals, before anything is sent.
    ///
    /// It stands in `values`, `annotate` and `order_by`. A condition has no windows: it decides which rows there are before
    /// any are looked through.
    pub fn over<P, O>(self, window: impl FnOnce(Window<Nothing, Nothing>) -> Window<P, O>) -> Expr<Over<X, P, O>> {
        Expr(Over { function: self.0, window: window(Window::of_all_rows()) })
    }
}

/// A function over a window.
#[derive(Clone, Debug)]
#[must_use = "an expression does nothing until it is used in a query"]
pub struct Over<X, P, O> {
    function: X,
    window: Window<P, O>,
}

impl<X: Windowed, P, O> Expression for Over<X, P, O> {
    type SqlType = X::SqlType;
}
impl<X: Windowed, P, O> Readable for Over<X, P, O> {
    type Rust = X::Rust;
    type Codec = X::Codec;
}
impl<QS, X, P, O> AppearsOnTable<QS> for Over<X, P, O>
where
    X: Windowed + AppearsOnTable<QS>,
    P: AppearsOnTable<QS>,
    O: WindowOrder<Of: AppearsOnTable<QS>>,
{
}
impl<QS, X, P, O> SelectableExpression<QS> for Over<X, P, O> where Self: AppearsOnTable<QS> {}
impl<X, P, O> ValidGrouping<()> for Over<X, P, O>
where
    X: ValidGrouping<()>,
    P: ValidGrouping<(), IsAggregate: NoAggregate>,
    O: WindowOrder<Of: ValidGrouping<(), IsAggregate: NoAggregate>>,
{
    type IsAggregate = IsWindow;
}
impl<X, P, O> QueryId for Over<X, P, O> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<DB: Driver, X, P, O> QueryFragment<DB> for Over<X, P, O>
where
    X: WindowedOn<DB>,
    P: QueryFragment<DB>,
    O: WindowOrderOn<DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        facts::window();
        self.function.write(&self.window, out)
    }
}

/// What is computed over windows: each row has a value of it, but a condition has no place for it.
#[derive(Clone, Copy, Debug)]
pub struct IsWindow;

impl OfOneRow for IsWindow {}
impl MixedAggregates<IsWindow> for IsWindow {
    type Output = IsWindow;
}
impl MixedAggregates<is_aggregate::Never> for IsWindow {
    type Output = IsWindow;
}
impl MixedAggregates<is_aggregate::No> for IsWindow {
    type Output = IsWindow;
}
impl MixedAggregates<IsWindow> for is_aggregate::No {
    type Output = IsWindow;
}

impl<K, E> Expression for WindowFunction<K, E>
where
    Self: Windowed,
{
    type SqlType = <Self as Windowed>::SqlType;
}
impl<QS, K, E: AppearsOnTable<QS>> AppearsOnTable<QS> for WindowFunction<K, E> where Self: Windowed {}
impl<K, E: ValidGrouping<(), IsAggregate: NoAggregate>> ValidGrouping<()> for WindowFunction<K, E> {
    type IsAggregate = is_aggregate::Never;
}
