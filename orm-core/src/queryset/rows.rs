//! Which rows a queryset is of: a table's, those that another queryset chose, or those of several querysets together.

use std::sync::Arc;

use super::{QuerySet, Selected, Shape, UsedJoin, locking::Locking, shape::Whole};
use crate::{
    backend::{Backend, BackendKind, Driver, PartsOf},
    error::{Error, ErrorKind, Result},
    field::{Place, order::Direction},
    model::Model,
    statement::{
        Part,
        combined::{Combined, Operation},
        groups,
        more::{self, Source},
        select::{Columns, Select},
        windows,
    },
};

/// What few querysets have.
pub(super) struct More<'a, M, B: Backend> {
    pub(super) rows: Rows<'a, M, B>,
    pub(super) distinct_on: Vec<Arc<B::Part<'a>>>,
    pub(super) groups: Option<Arc<GroupParts<'a, B>>>,
    /// A condition on windows; only of rows that are chosen for another queryset.
    pub(super) qualify: Option<Arc<B::Part<'a>>>,
    /// Why it cannot be sent.
    pub(super) refused: Option<String>,
}

pub(super) enum Rows<'a, M, B: Backend> {
    Table,
    /// Those of a queryset that a limit, or `distinct_on`, has cut.
    Chosen(Arc<QuerySet<'a, M, B>>),
    Combined(Arc<Operands<'a, M, B>>),
    /// Values, so many columns of them.
    Listed(Arc<Operands<'a, M, B>>, usize),
}

/// Querysets of one shape; what that is, the queryset of the whole knows.
pub(super) struct Operands<'a, M, B: Backend> {
    pub(super) operation: Operation,
    pub(super) querysets: Vec<QuerySet<'a, M, B>>,
}

pub(super) struct GroupParts<'a, B: Backend> {
    pub(super) keys: Vec<Arc<B::Part<'a>>>,
    pub(super) having: Vec<Arc<B::Part<'a>>>,
}

impl<M, B: Backend> Default for More<'_, M, B> {
    fn default() -> Self {
        More { rows: Rows::Table, distinct_on: Vec::new(), groups: None, qualify: None, refused: None }
    }
}

impl<M, B: Backend> Clone for More<'_, M, B> {
    fn clone(&self) -> Self {
        More {
            rows: match &self.rows {
                Rows::Table => Rows::Table,
                Rows::Chosen(chosen) => Rows::Chosen(chosen.clone()),
                Rows::Combined(operands) => Rows::Combined(operands.clone()),
                Rows::Listed(operands, columns) => Rows::Listed(operands.clone(), *columns),
            },
            distinct_on: self.distinct_on.clone(),
            groups: self.groups.clone(),
            qualify: self.qualify.clone(),
            refused: self.refused.clone(),
        }
    }
}

impl<M, B: Backend> More<'_, M, B> {
    /// How many columns a union of values has.
    pub(super) fn combined_columns(&self) -> usize {
        match self.rows {
            Rows::Listed(_, columns) => columns,
            _ => 0,
        }
    }
}

impl<M: Model, B: Backend, S: Shape> QuerySet<'_, M, B, S> {
    pub(super) fn invalid(&self, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::InvalidQuery, message).on_model(M::TABLE.model)
    }

    /// What few statements have.
    pub(super) fn more<DB: Driver>(&self, order: &[(Part<'_, DB>, Direction)]) -> Result<more::More<'_, DB>>
    where
        B: PartsOf<DB>,
    {
        if let Some(why) = &self.more.refused {
            return Err(self.invalid(why));
        }
        self.check_windows(order)?;
        Ok(more::More {
            distinct_on: self.first_of_each(order)?,
            source: self.source()?,
            groups: match (&self.more.groups, &self.columns) {
                (Some(parts), Selected::Groups(computed)) => Some(groups::Groups {
                    keys: parts.keys.iter().map(|part| B::part(part)).collect(),
                    computed: B::part(computed),
                    having: parts.having.iter().map(|part| B::part(part)).collect(),
                }),
                _ => None,
            },
            qualify: self.more.qualify.as_ref().map(|part| B::part(part)),
        })
    }

    /// Refuses windows that MariaDB would compute wrong values of.
    fn check_windows<DB: Driver>(&self, order: &[(Part<'_, DB>, Direction)]) -> Result<()>
    where
        B: PartsOf<DB>,
    {
        if DB::KIND != BackendKind::Mysql {
            return Ok(());
        }
        let selected = match &self.columns {
            Selected::Fields(part) | Selected::Expressions(part) | Selected::Annotated(_, part) => Some(B::part(part)),
            Selected::Tables(_) | Selected::Groups(_) | Selected::Combined => None,
        };
        let mut sql = String::new();
        let qualify = self.more.qualify.as_ref().map(|part| B::part(part));
        for part in selected.into_iter().chain(qualify).chain(order.iter().map(|(part, _)| *part)) {
            sql.push_str(&DB::sql(part).map_err(|error| crate::diesel_error::ours(error, DB::KIND))?);
        }
        if windows::clash(&sql) {
            return Err(self
                .invalid(
                    "MariaDB computes wrong values where one window's partitions begin both of two others that go on \
                     differently, such as `a` beside `a, b` and `a` ordered by `c`; ask for them by two querysets",
                )
                .on_backend(DB::KIND));
        }
        Ok(())
    }

    fn source<DB: Driver>(&self) -> Result<Source<'_, DB>>
    where
        B: PartsOf<DB>,
    {
        Ok(match &self.more.rows {
            Rows::Table => Source::Table,
            Rows::Chosen(chosen) => {
                let mut select = chosen.select()?;
                select.columns = Columns::Keys;
                select.distinct = false;
                select.joins = chosen.deciding_joins(true);
                Source::Chosen(Box::new(select))
            }
            Rows::Combined(operands) => Source::Combined(operands.combined()?),
            Rows::Listed(operands, columns) => Source::Listed(operands.combined()?, *columns),
        })
    }

    /// The expressions of `distinct_on`, which the order has to begin with.
    fn first_of_each<DB: Driver>(&self, order: &[(Part<'_, DB>, Direction)]) -> Result<Vec<Part<'_, DB>>>
    where
        B: PartsOf<DB>,
    {
        let parts: Vec<Part<'_, DB>> = self.more.distinct_on.iter().map(|part| B::part(part)).collect();
        if parts.is_empty() {
            return Ok(parts);
        }
        if DB::KIND != BackendKind::Postgres {
            return Err(self
                .invalid(
                    "`distinct_on` is PostgreSQL's alone; elsewhere keep the first rows by `qualify`: \
                     `row_number().over(|w| w.partition_by(…).order_by(…)).eq(1)`",
                )
                .on_backend(DB::KIND));
        }
        if self.distinct {
            return Err(self.invalid("a queryset has `distinct` or `distinct_on`, and not both; remove one"));
        }
        let written = |part: Part<'_, DB>| DB::sql(part).map_err(|error| crate::diesel_error::ours(error, DB::KIND));
        let mut wanted = parts.iter().map(|part| written(*part)).collect::<Result<Vec<_>>>()?;
        for (part, _) in order.iter().take(parts.len()) {
            let key = written(*part)?;
            let Some(at) = wanted.iter().position(|wanted| *wanted == key) else {
                return Err(self.invalid(
                    "`order_by` must begin with the expressions of `distinct_on`, in any order: the first row of each set \
                     is the first one in that order",
                ));
            };
            wanted.swap_remove(at);
        }
        Ok(parts)
    }
}

impl<M: Model, B: Backend> Operands<'_, M, B> {
    fn combined<DB: Driver>(&self) -> Result<Combined<'_, DB>>
    where
        B: PartsOf<DB>,
    {
        let operands = self.querysets.iter().map(|queryset| {
            queryset.without_lock::<DB>("a query inside of another one")?;
            let mut select: Select<'_, DB> = queryset.select()?;
            let cut = select.limit.is_some() || select.offset > 0 || !select.more.distinct_on.is_empty();
            if !cut {
                // It says nothing of the order of the whole.
                select.order.clear();
            }
            if self.operation != Operation::UnionAll {
                select.place = Place::United;
            }
            Ok(select)
        });
        Ok(Combined { operation: self.operation, operands: operands.collect::<Result<_>>()? })
    }
}

impl<'a, M: Model, B: Backend, S> QuerySet<'a, M, B, S> {
    /// Whether conditions that come now would choose among other rows than these.
    pub(super) fn is_cut(&self) -> bool {
        self.limit.is_some() || self.offset > 0 || !self.more.distinct_on.is_empty()
    }

    /// The same rows of the same columns, so that further conditions and orders are of exactly these. The order is lost.
    pub(super) fn settled(self) -> Self {
        if self.is_cut() { self.chosen() } else { self }
    }

    /// A queryset of the rows that this one chooses, without an order.
    pub(super) fn chosen(self) -> Self {
        let mut settled = self.clone();
        settled.filters.clear();
        settled.order.clear();
        settled.reversed = false;
        (settled.limit, settled.offset) = (None, 0);
        settled.more = More::default();
        for used in &mut settled.joins {
            (used.by_condition, used.by_order) = (false, false);
        }
        let chosen = QuerySet { locking: Locking::default(), ..self };
        settled.more.rows = Rows::Chosen(Arc::new(chosen.selecting::<Whole<M>>(Selected::Tables(Vec::new()))));
        settled
    }

    /// Leaves out the joins that decide nothing.
    pub(super) fn without_idle_joins(mut self) -> Self
    where
        S: Shape,
    {
        // Where the rows are chosen already, an inner join decides no more than an outer one.
        let chosen = matches!(self.more.rows, Rows::Chosen(_));
        let mut deciding: Vec<UsedJoin> = Vec::new();
        for used in self.joins.iter().rev() {
            let leads_on = deciding.iter().any(|deciding| deciding.join.from == used.join.alias);
            if used.by_condition || leads_on || !(chosen || used.join.outer) {
                deciding.push(used.clone());
            }
        }
        deciding.reverse();
        self.joins = deciding;
        self
    }
}
