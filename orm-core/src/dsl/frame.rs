//! Windows: which rows a value is computed of.

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment},
    result::Error::QueryBuilderError,
    sql_types::Untyped,
};

use crate::{
    backend::Driver,
    field::{Ordered, Place},
    sql_types::{ColumnSql, ColumnType},
    statement::select::push_ordered,
};

/// The rows that a value is computed of; the closure of [`over`](crate::field::Expr::over) is given one that has all rows.
#[derive(Clone, Debug)]
#[must_use = "a window does nothing unless it is returned to `over`"]
pub struct Window<P, O> {
    partitions: P,
    partitioned: bool,
    order: O,
    ordered: bool,
    frame: Option<(Unit, Frame, Frame)>,
}

impl Window<Nothing, Nothing> {
    pub(super) fn of_all_rows() -> Self {
        Window { partitions: Nothing, partitioned: false, order: Nothing, ordered: false, frame: None }
    }
}

impl<O> Window<Nothing, O> {
    /// Only the rows that are equal to this one in an expression, or in each of a tuple.
    pub fn partition_by<P: Expression>(self, expressions: P) -> Window<P, O> {
        let Window { order, ordered, frame, .. } = self;
        Window { partitions: expressions, partitioned: true, order, ordered, frame }
    }
}

impl<P> Window<P, Nothing> {
    /// The rows in this order: `w.order_by(f.id.asc())`, or a tuple of up to eight.
    ///
    /// Aggregates over a window with an order are of the rows up to this one, and those that are equal to it in the order,
    /// unless [`rows`](Self::rows) or [`range`](Self::range) says otherwise.
    pub fn order_by<O: WindowOrder>(self, order: O) -> Window<P, O> {
        let Window { partitions, partitioned, frame, .. } = self;
        Window { partitions, partitioned, order, ordered: true, frame }
    }
}

impl<P, O> Window<P, O> {
    /// Only rows so near to this one: `w.rows(Frame::Preceding(6), Frame::CurrentRow)` is the row and the six before it.
    ///
    /// # Errors
    ///
    /// Of the terminals, [`ErrorKind::InvalidQuery`](crate::ErrorKind::InvalidQuery), before anything is sent, where the frame
    /// ends before it begins, as one from `Following` to `Preceding` does.
    pub fn rows(self, from: Frame, to: Frame) -> Self {
        Window { frame: Some((Unit::Rows, from, to)), ..self }
    }

    /// Only rows whose value in the order is so near to this one's.
    ///
    /// # Errors
    ///
    /// As of [`rows`](Self::rows); also where `Preceding` or `Following` has nothing to be counted from: without an order,
    /// with an order of several keys, and with one by something else than a number; on SQLite also with one by decimals,
    /// whose distances SQLite does not know: cast them to `f64`.
    pub fn range(self, from: Frame, to: Frame) -> Self {
        Window { frame: Some((Unit::Range, from, to)), ..self }
    }
}

/// What a frame is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Rows,
    Range,
}

impl<P, O> Window<P, O> {
    /// Fails unless every backend has such a frame.
    fn check_frame<DB: Driver>(&self) -> QueryResult<()>
    where
        O: WindowOrderOn<DB>,
    {
        let Some((unit, from, to)) = self.frame else { return Ok(()) };
        if from == Frame::UnboundedFollowing || to == Frame::UnboundedPreceding || from.place() > to.place() {
            return Err(QueryBuilderError(
                "the window's frame ends before it begins; say its earlier end first, such as `Preceding(1)` before `CurrentRow`"
                    .into(),
            ));
        }
        let is_distance = |end| matches!(end, Frame::Preceding(_) | Frame::Following(_));
        if unit == Unit::Rows || !(is_distance(from) || is_distance(to)) {
            return Ok(());
        }
        let mut columns = Vec::new();
        O::columns(&mut columns);
        check_distances(&columns, DB::collation)
    }
}

/// An end of a window's frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The first row of the partition.
    UnboundedPreceding,
    /// So many rows, or so much, before this row.
    Preceding(u32),
    /// This row; by `range`, also those that are equal to it in the order.
    CurrentRow,
    /// So many rows, or so much, behind this row.
    Following(u32),
    /// The last row of the partition.
    UnboundedFollowing,
}

impl Frame {
    /// Where it stands: before the row, at it, or behind it.
    fn place(self) -> i8 {
        match self {
            Frame::UnboundedPreceding | Frame::Preceding(_) => -1,
            Frame::CurrentRow => 0,
            Frame::Following(_) | Frame::UnboundedFollowing => 1,
        }
    }
}

impl std::fmt::Display for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Frame::UnboundedPreceding => f.write_str("UNBOUNDED PRECEDING"),
            Frame::Preceding(by) => write!(f, "{by} PRECEDING"),
            Frame::CurrentRow => f.write_str("CURRENT ROW"),
            Frame::Following(by) => write!(f, "{by} FOLLOWING"),
            Frame::UnboundedFollowing => f.write_str("UNBOUNDED FOLLOWING"),
        }
    }
}

/// The order of a window: what `asc()` and `desc()` make of an expression, or a tuple of up to eight.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the order of a window",
    label = "neither an order nor a tuple of up to eight",
    note = "an order is `f.name.asc()`, `f.name.desc()`, or a tuple of them"
)]
pub trait WindowOrder {
    /// What is ordered.
    #[doc(hidden)]
    type Of;
}

/// It can be written for the backend `DB`.
#[doc(hidden)]
pub trait WindowOrderOn<DB: Driver> {
    fn write<'b>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>;

    /// The types of what is ordered.
    fn columns(out: &mut Vec<ColumnType>);
}

impl WindowOrder for Nothing {
    type Of = Nothing;
}
impl<DB: Driver> WindowOrderOn<DB> for Nothing {
    fn write<'b>(&'b self, _: &mut AstPass<'_, 'b, DB>) -> QueryResult<()> {
        Ok(())
    }
    fn columns(_: &mut Vec<ColumnType>) {}
}
impl<E> WindowOrder for Ordered<E> {
    type Of = E;
}
impl<DB: Driver, E: QueryFragment<DB> + Expression<SqlType: ColumnSql>> WindowOrderOn<DB> for Ordered<E> {
    fn write<'b>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let (expression, direction) = self.key();
        push_ordered(out, expression, direction)
    }
    fn columns(out: &mut Vec<ColumnType>) {
        out.push(<E::SqlType as ColumnSql>::COLUMN);
    }
}

macro_rules! tuples {
    ($(($T:ident $S:ident $at:tt))+) => {
        impl<$($T: WindowOrder),+> WindowOrder for ($($T,)+) {
            type Of = ($($T::Of,)+);
        }
        impl<DB: Driver, $($T: WindowOrderOn<DB>),+> WindowOrderOn<DB> for ($($T,)+) {
            fn write<'b>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()> {
                $(
                    if $at > 0 {
                        out.push_sql(", ");
                    }
                    self.$at.write(out)?;
                )+
                Ok(())
            }
            fn columns(out: &mut Vec<ColumnType>) {
                $( $T::columns(out); )+
            }
        }
    };
}
crate::tuples::for_each_tuple!(8 tuples);

impl<DB: Driver, P: QueryFragment<DB>, O: WindowOrderOn<DB>> QueryFragment<DB> for Window<P, O> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.check_frame::<DB>()?;
        let mut space = "";
        if self.partitioned {
            out.push_sql("PARTITION BY ");
            Place::Compared.of(|| self.partitions.walk_ast(out.reborrow()))?;
            space = " ";
        }
        if self.ordered {
            out.push_sql(space);
            out.push_sql("ORDER BY ");
            self.order.write(&mut out)?;
            space = " ";
        }
        if let Some((unit, from, to)) = self.frame {
            let unit = match unit {
                Unit::Rows => "ROWS",
                Unit::Range => "RANGE",
            };
            out.push_sql(&format!("{space}{unit} BETWEEN {from} AND {to}"));
        }
        Ok(())
    }
}

/// Fails unless the values of these types have distances: those of numbers that are not compared by a collation.
fn check_distances(columns: &[ColumnType], collation: fn(ColumnType) -> Option<&'static str>) -> QueryResult<()> {
    if columns.len() != 1 {
        let reason = if columns.is_empty() {
            "the frame of a window is a distance from a value in its order, and it has none; call `order_by` on the window, or \
             say the frame in rows"
        } else {
            "the frame of a window is a distance from one value, and its order has several keys; order it by one, or say the \
             frame in rows"
        };
        return Err(QueryBuilderError(reason.into()));
    }
    for column in columns {
        let is_decimal = column.is_decimal();
        let reason = if is_decimal && collation(*column).is_some() {
            "the frame of a window is a distance between decimals, which SQLite keeps as text; order the window by \
             `cast::<f64>()` of them, or say the frame in rows"
        } else if is_decimal || column.is_integer() || column.sqlite == "REAL" {
            continue;
        } else {
            "the frame of a window is a distance between values that are not numbers; say it in rows, or order the window \
             by a number"
        };
        return Err(QueryBuilderError(reason.into()));
    }
    Ok(())
}

/// Nothing is there: no argument, no partitions, no order.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl Expression for Nothing {
    type SqlType = Untyped;
}
impl<QS> AppearsOnTable<QS> for Nothing {}
impl<G> ValidGrouping<G> for Nothing {
    type IsAggregate = is_aggregate::Never;
}
impl<DB: diesel::backend::Backend> QueryFragment<DB> for Nothing {
    fn walk_ast<'b>(&'b self, _: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        Ok(())
    }
}
