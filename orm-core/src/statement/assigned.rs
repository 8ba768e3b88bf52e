//! The assignments of an UPDATE.
//!
//! Every expression reads the row as it was before the UPDATE. MySQL and MariaDB assign one column after the other, and an
//! expression reads the new value of a column that was assigned before it; SQLite runs a subquery of the table that it
//! updates when it comes to a row, and so after it has updated others. There the assignments are put in an order, or,
//! where no order will do, a subquery computes all values before any row is changed.

use diesel::{QueryResult, query_builder::AstPass};

use super::{Part, push_column, push_table, select::push_joins};
use crate::{
    backend::{BackendKind, Driver},
    field::{
        collation::push_compared,
        facts::{Facts, facts_of},
    },
    model::Table,
    path::Join,
};

/// The name of the rows that are changed.
pub(super) const MATCHED: &str = "matched";

/// What a column shall be.
pub(crate) struct Assigned<'q, DB: Driver> {
    /// The position of the column.
    pub(crate) column: usize,
    value: Part<'q, DB>,
    /// It is an expression, and not a bound value.
    computed: bool,
    /// The relations that it reads.
    joins: Vec<&'q Join>,
    facts: Facts,
}

impl<'q, DB: Driver> Assigned<'q, DB> {
    /// An assignment of a bound value.
    pub(crate) fn value(column: usize, value: Part<'q, DB>) -> Self {
        Assigned { column, value, computed: false, joins: Vec::new(), facts: Facts::default() }
    }

    /// An assignment of an expression, which may need some of these joins.
    pub(crate) fn computed(column: usize, value: Part<'q, DB>, joins: &'q [Join]) -> QueryResult<Self> {
        let facts = facts_of::<DB>(value)?;
        let mut needed: Vec<&Join> = Vec::new();
        for join in joins.iter().rev() {
            if facts.may_read_alias(&join.alias) || needed.iter().any(|needed| needed.from == join.alias) {
                needed.push(join);
            }
        }
        needed.reverse();
        Ok(Assigned { column, value, computed: true, joins: needed, facts })
    }

    /// Whether it may read the old value of this column.
    fn may_read(&self, table: &Table, column: usize) -> bool {
        let name = table.columns[column].name;
        // What the database computes may depend on any column. (A key that it made does not.)
        let generated = || {
            let mut generated = table.columns.iter().enumerate().filter(|(_, column)| column.generated);
            generated
                .any(|(at, column)| !table.primary_key.contains(&at) && self.facts.may_read(table.name, column.name))
        };
        self.computed
            && (self.facts.may_read(table.name, name)
                || self.joins.iter().any(|join| join.from == table.name && join.from_column == name)
                || generated())
    }

    /// Whether it has a subquery of this table that is known.
    fn selects_from(&self, table: &Table) -> bool {
        self.facts.selects_from(table) || self.joins.iter().any(|join| join.table.is(table))
    }

    /// Writes the value. Related rows are looked up in a subquery, which is NULL where there is none.
    pub(super) fn push_value<'b>(&self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        'q: 'b,
    {
        if self.joins.is_empty() {
            return self.value.walk_ast(out.reborrow());
        }
        out.push_sql("(SELECT ");
        self.value.walk_ast(out.reborrow())?;
        out.push_sql(" FROM (SELECT 1) AS ");
        out.push_identifier("one")?;
        push_joins(out, &self.joins)?;
        out.push_sql(")");
        Ok(())
    }
}

/// The assignments of one UPDATE, as they have to be written.
pub(crate) struct Assignments<'q, DB: Driver> {
    pub(super) sets: Vec<Assigned<'q, DB>>,
    /// The values have to be computed before any row is changed.
    pub(super) values_first: bool,
}

impl<'q, DB: Driver> Assignments<'q, DB> {
    pub(crate) fn new(table: &'static Table, sets: Vec<Assigned<'q, DB>>) -> Self {
        let selects_from_table = sets.iter().any(|set| set.selects_from(table));
        match DB::KIND {
            BackendKind::Postgres => Assignments { sets, values_first: false },
            BackendKind::Sqlite => {
                let values_first = selects_from_table || sets.iter().any(|set| set.facts.opaque);
                Assignments { sets, values_first }
            }
            BackendKind::Mysql if selects_from_table => Assignments { sets, values_first: true },
            BackendKind::Mysql => in_order(table, sets),
        }
    }

    /// Whether a column of the primary key is assigned.
    pub(super) fn change_key(&self, table: &Table) -> bool {
        self.sets.iter().any(|set| table.primary_key.contains(&set.column))
    }

    /// ` SET column = value, …`, with the columns' table where `qualified`.
    pub(super) fn push<'b>(&self, out: &mut AstPass<'_, 'b, DB>, table: &Table, qualified: bool) -> QueryResult<()>
    where
        'q: 'b,
    {
        for (at, set) in self.sets.iter().enumerate() {
            out.push_sql(if at == 0 { " SET " } else { ", " });
            let name = table.columns[set.column].name;
            if qualified {
                push_column(out, table.name, name)?;
            } else {
                out.push_identifier(name)?;
            }
            out.push_sql(" = ");
            if self.values_first && set.computed {
                push_column(out, MATCHED, &value_name(at))?;
            } else {
                set.push_value(out)?;
            }
        }
        Ok(())
    }

    /// What follows `UPDATE`, where the values have to be computed first: a subquery finds the rows by what `push_rows`
    /// writes behind `WHERE`, and gives the new values with the rows' keys.
    pub(super) fn push_values_first<'b>(
        &self,
        out: &mut AstPass<'_, 'b, DB>,
        table: &'static Table,
        push_rows: impl FnOnce(&mut AstPass<'_, 'b, DB>) -> QueryResult<()>,
    ) -> QueryResult<()>
    where
        'q: 'b,
    {
        push_aliased(out, table)?;
        if DB::KIND == BackendKind::Mysql {
            out.push_sql(" INNER JOIN ");
        } else {
            self.push(out, table, false)?;
            out.push_sql(" FROM ");
        }
        out.push_sql("(SELECT ");
        for (at, column) in table.primary_key.iter().enumerate() {
            out.push_sql(if at == 0 { "" } else { ", " });
            push_column(out, table.name, table.columns[*column].name)?;
            out.push_sql(" AS ");
            out.push_identifier(&key_name(at))?;
        }
        for (at, set) in self.sets.iter().enumerate().filter(|(_, set)| set.computed) {
            out.push_sql(", ");
            set.push_value(out)?;
            out.push_sql(" AS ");
            out.push_identifier(&value_name(at))?;
        }
        out.push_sql(" FROM ");
        push_aliased(out, table)?;
        out.push_sql(" WHERE ");
        push_rows(out)?;
        if DB::KIND == BackendKind::Mysql {
            // With a limit it is a table of its own, and is not merged with the one that is updated.
            out.push_sql(DB::NO_LIMIT.unwrap_or_default());
            out.push_sql(" FOR UPDATE");
        }
        out.push_sql(") AS ");
        out.push_identifier(MATCHED)?;
        for (at, column) in table.primary_key.iter().enumerate() {
            out.push_sql(match (at, DB::KIND) {
                (0, BackendKind::Mysql) => " ON ",
                (0, _) => " WHERE ",
                _ => " AND ",
            });
            push_compared(out, table.name, table, table.columns[*column].name)?;
            out.push_sql(" = ");
            push_column(out, MATCHED, &key_name(at))?;
        }
        if DB::KIND == BackendKind::Mysql {
            self.push(out, table, true)?;
        }
        Ok(())
    }
}

fn key_name(at: usize) -> String {
    format!("k{at}")
}

fn value_name(at: usize) -> String {
    format!("v{at}")
}

/// `"schema"."table" AS "table"`: columns are named without a schema.
fn push_aliased<DB: Driver>(out: &mut AstPass<'_, '_, DB>, table: &'static Table) -> QueryResult<()> {
    push_table(out, table)?;
    if table.schema.is_some() {
        out.push_sql(" AS ");
        out.push_identifier(table.name)?;
    }
    Ok(())
}

/// Puts assignments in an order in which each expression reads old values, if there is one.
fn in_order<'q, DB: Driver>(table: &'static Table, mut sets: Vec<Assigned<'q, DB>>) -> Assignments<'q, DB> {
    let mut ordered = Vec::with_capacity(sets.len());
    while !sets.is_empty() {
        // One whose column no other reads any more.
        let is_read =
            |at: usize| sets.iter().enumerate().any(|(other, set)| other != at && set.may_read(table, sets[at].column));
        let Some(free) = (0..sets.len()).find(|at| !is_read(*at)) else {
            ordered.append(&mut sets);
            return Assignments { sets: ordered, values_first: true };
        };
        ordered.push(sets.remove(free));
    }
    Assignments { sets: ordered, values_first: false }
}
