//! SELECT.

use std::fmt;

use diesel::{
    QueryResult,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::Untyped,
};

use super::{
    Part,
    combined::{COMBINED, combined_name},
    more::{More, QUALIFIES, Source, key_name, push_chosen, push_list},
    push_column, push_table,
};
use crate::{
    backend::{BackendKind, Driver},
    field::{Nulls, Place, collation::push_compared, facts, order::Direction},
    model::Table,
    path::Join,
};

/// A queryset written for one backend.
///
/// Its SQL type is Diesel's `Untyped`: how rows are read is the shape's to know, and was checked when it was built.
pub(crate) struct Select<'q, DB: Driver> {
    pub(crate) columns: Columns<'q, DB>,
    pub(crate) distinct: bool,
    pub(crate) table: &'static Table,
    /// What the table is called here.
    pub(crate) alias: &'q str,
    pub(crate) joins: Vec<&'q Join>,
    /// Conditions, and whether each is to be not true.
    pub(crate) filters: Vec<(Part<'q, DB>, bool)>,
    pub(crate) order: Vec<(Part<'q, DB>, Direction)>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: u64,
    /// Where its columns stand.
    pub(crate) place: Place,
    /// What few have.
    pub(crate) more: More<'q, DB>,
}

/// What stands behind SELECT.
pub(crate) enum Columns<'q, DB: Driver> {
    /// All columns of these tables, by alias.
    Tables(&'q [(String, &'static Table)]),
    /// An expression, or a tuple of them.
    Expression(Part<'q, DB>),
    /// All columns of these tables, by alias, and behind them an expression, or a tuple of them.
    Annotated(&'q [(String, &'static Table)], Part<'q, DB>),
    /// The primary key, by names that do not depend on the table.
    Keys,
    /// The keys of groups, and what was computed of each group.
    Groups,
    /// The keys of groups alone, by names that differ.
    GroupKeys,
    /// This many columns of a union.
    Combined(usize),
    /// Nothing of the rows is wanted but that they are there.
    Nothing,
}

impl<DB: Driver> Columns<'_, DB> {
    /// How many columns they are.
    pub(super) fn number(&self) -> QueryResult<usize> {
        match self {
            Columns::Tables(tables) => Ok(tables.iter().map(|(_, table)| table.columns.len()).sum()),
            // A part has no type left that would tell.
            Columns::Expression(part) => Ok(listed(&DB::sql(*part)?)),
            Columns::Annotated(tables, part) => {
                Ok(tables.iter().map(|(_, table)| table.columns.len()).sum::<usize>() + listed(&DB::sql(*part)?))
            }
            Columns::Combined(columns) => Ok(*columns),
            Columns::Nothing | Columns::Keys | Columns::Groups | Columns::GroupKeys => Ok(1),
        }
    }
}

/// The number of expressions in a list of SQL: its commas outside of brackets and quotes, and one.
fn listed(sql: &str) -> usize {
    let (mut quote, mut depth, mut commas) = (None, 0_usize, 0);
    for c in sql.chars() {
        match (quote, c) {
            // A doubled quote ends it and begins it again.
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => commas += 1,
            (None, _) => {}
        }
    }
    commas + 1
}

impl<DB: Driver> fmt::Debug for Select<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&DB::sql(self).unwrap_or_default())
    }
}

impl<DB: Driver> Query for Select<'_, DB> {
    type SqlType = Untyped;
}
impl<DB: Driver> QueryId for Select<'_, DB> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Driver> QueryFragment<DB> for Select<'_, DB> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.write(out)
    }
}

impl<'q, DB: Driver> Select<'q, DB> {
    /// Writes it, also inside of another statement: what is bound lives as long as the parts do, and not as this.
    pub(crate) fn write<'b>(&self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        'q: 'b,
    {
        // Diesel's own connections never evict a cached statement, so a program with many querysets would fill the server. Our
        // connections to MySQL, whose cache has a bound, keep it nevertheless.
        out.unsafe_to_cache_prepared();
        let _subquery = facts::subquery();
        facts::selects_from(self.table);
        self.more.push_list(&mut out)?;
        out.push_sql(if self.distinct { "SELECT DISTINCT " } else { "SELECT " });
        for (i, part) in self.more.distinct_on.iter().enumerate() {
            out.push_sql(if i == 0 { "DISTINCT ON (" } else { ", " });
            Place::Compared.of(|| (*part).walk_ast(out.reborrow()))?;
        }
        if !self.more.distinct_on.is_empty() {
            out.push_sql(") ");
        }
        self.push_columns(&mut out)?;
        for at in 0..self.hidden_columns() {
            out.push_sql(", ");
            Place::Compared.of(|| self.order[at].0.walk_ast(out.reborrow()))?;
            out.push_sql(" AS ");
            out.push_identifier(&order_name(at))?;
        }
        out.push_sql(" FROM ");
        self.push_source(&mut out)?;
        push_joins(&mut out, &self.joins)?;
        if let Some(groups) = &self.more.groups {
            groups.push_computed_keys(&mut out)?;
        }
        push_conditions(&mut out, &self.filters)?;
        if let Some(groups) = &self.more.groups {
            groups.push_behind_conditions(&mut out)?;
        }
        for (i, &(part, direction)) in self.order.iter().enumerate() {
            out.push_sql(if i == 0 { " ORDER BY " } else { ", " });
            if i < self.hidden_columns() {
                push_directed(&mut out, direction, |out| out.push_identifier(&order_name(i)))?;
            } else {
                push_ordered(&mut out, part, direction)?;
            }
        }
        match (self.limit, self.offset, DB::NO_LIMIT) {
            (Some(limit), _, _) => out.push_sql(&format!(" LIMIT {limit}")),
            (None, 1.., Some(no_limit)) => out.push_sql(no_limit),
            _ => {}
        }
        if self.offset > 0 {
            out.push_sql(&format!(" OFFSET {}", self.offset));
        }
        Ok(())
    }

    /// How many columns follow those that are read: the keys of the order of a DISTINCT, by which it can only be ordered
    /// where they are selected, too.
    pub(super) fn hidden_columns(&self) -> usize {
        if self.distinct { self.order.len() } else { 0 }
    }

    /// What a column is called outside, where the hidden ones are left out.
    fn narrow_name(&self, at: usize) -> String {
        match self.columns {
            Columns::Tables([(_, table)]) if at < table.columns.len() => table.columns[at].name.to_owned(),
            _ => combined_name(at),
        }
    }

    /// Writes it for a place that takes its first `columns` columns alone, as IN and UNION do.
    pub(crate) fn write_narrow<'b>(&self, mut out: AstPass<'_, 'b, DB>, columns: usize) -> QueryResult<()>
    where
        'q: 'b,
    {
        if self.hidden_columns() == 0 {
            return self.write(out);
        }
        // The list of names stands before the query: few servers take it behind one.
        out.push_sql("WITH ");
        out.push_identifier(NARROWED)?;
        out.push_sql(" (");
        push_list(&mut out, columns + self.hidden_columns(), |out, at| out.push_identifier(&self.narrow_name(at)))?;
        out.push_sql(") AS (");
        self.write(out.reborrow())?;
        out.push_sql(") SELECT ");
        push_list(&mut out, columns, |out, at| out.push_identifier(&self.narrow_name(at)))?;
        out.push_sql(" FROM ");
        out.push_identifier(NARROWED)
    }

    fn push_columns<'b>(&self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        'q: 'b,
    {
        let place = match self.place {
            Place::Elsewhere if self.distinct => Place::ReadOnce,
            place => place,
        };
        match &self.columns {
            Columns::Tables(tables) => push_tables(out, tables, place),
            Columns::Expression(part) => place.of(|| (*part).walk_ast(out.reborrow())),
            Columns::Annotated(tables, part) => {
                push_tables(out, tables, place)?;
                out.push_sql(", ");
                place.of(|| (*part).walk_ast(out.reborrow()))
            }
            Columns::Keys => {
                push_list(out, self.table.primary_key.len(), |out, at| {
                    push_column(out, self.alias, self.table.columns[self.table.primary_key[at]].name)?;
                    out.push_sql(" AS ");
                    out.push_identifier(&key_name(at))
                })?;
                let Some(qualify) = self.more.qualify else { return Ok(()) };
                out.push_sql(", ");
                qualify.walk_ast(out.reborrow())?;
                out.push_sql(" AS ");
                out.push_identifier(QUALIFIES)
            }
            Columns::Groups | Columns::GroupKeys => {
                let Some(groups) = &self.more.groups else { return Ok(()) };
                groups.push_columns(out, matches!(self.columns, Columns::Groups))
            }
            Columns::Combined(columns) => {
                push_list(out, *columns, |out, at| push_column(out, COMBINED, &combined_name(at)))
            }
            Columns::Nothing => {
                out.push_sql("1");
                Ok(())
            }
        }
    }

    /// What stands behind FROM, before the joins.
    fn push_source<'b>(&self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        'q: 'b,
    {
        match &self.more.source {
            Source::Table => {
                push_table(out, self.table)?;
                // Columns are named by the alias, without a schema.
                if self.table.schema.is_some() || self.table.name != self.alias {
                    out.push_sql(" AS ");
                    out.push_identifier(self.alias)?;
                }
                Ok(())
            }
            Source::Chosen(chosen) => push_chosen(out, chosen, self.table),
            Source::Combined(combined) => {
                out.push_sql("(");
                combined.write(out)?;
                out.push_sql(") AS ");
                out.push_identifier(self.table.name)
            }
            Source::Listed(..) => out.push_identifier(COMBINED),
        }
    }
}

/// All columns of these tables.
fn push_tables<DB: Driver>(
    out: &mut AstPass<'_, '_, DB>,
    tables: &[(String, &'static Table)],
    place: Place,
) -> QueryResult<()> {
    let columns = tables.iter().flat_map(|(alias, table)| table.columns.iter().map(move |column| (alias, column)));
    for (i, (alias, column)) in columns.enumerate() {
        if i > 0 {
            out.push_sql(", ");
        }
        // Where documents are compared as text, two rows of one key still have the same text.
        if place == Place::Elsewhere || DB::KIND != BackendKind::Postgres || !column.sql.is_document() {
            push_column(out, alias, column.name)?;
            continue;
        }
        place.of(|| {
            let push = |mut out: AstPass<'_, '_, DB>| push_column(&mut out, alias, column.name);
            Place::write(column.sql, String::new, out.reborrow(), push)
        })?;
        out.push_sql(" AS ");
        out.push_identifier(column.name)?;
    }
    Ok(())
}

/// The name of a DISTINCT whose columns are not all wanted.
pub(super) const NARROWED: &str = "__distinct";

/// What a key of the order of a DISTINCT is called in its list of columns.
fn order_name(at: usize) -> String {
    format!("__o{}", at + 1)
}

/// One key of an order.
pub(crate) fn push_ordered<'b, DB: Driver>(
    out: &mut AstPass<'_, 'b, DB>,
    part: Part<'b, DB>,
    direction: Direction,
) -> QueryResult<()> {
    push_directed(out, direction, |out| Place::Compared.of(|| part.walk_ast(out.reborrow())))
}

/// One key of an order, which `push` writes.
fn push_directed<'b, DB: Driver>(
    out: &mut AstPass<'_, 'b, DB>,
    direction: Direction,
    push: impl Fn(&mut AstPass<'_, 'b, DB>) -> QueryResult<()>,
) -> QueryResult<()> {
    if let Direction::Ours { descending, nulls: Some(nulls) } = direction
        && !DB::NULLS_FIRST_AND_LAST
        && descending == matches!(nulls, Nulls::First)
    {
        // A key of its own, where NULLs do not stand there by themselves.
        out.push_sql("(");
        push(out)?;
        out.push_sql(if descending { ") IS NULL DESC, " } else { ") IS NULL, " });
    }
    push(out)?;
    if let Direction::Ours { descending, nulls } = direction {
        out.push_sql(if descending { " DESC" } else { " ASC" });
        match nulls {
            Some(Nulls::First) if DB::NULLS_FIRST_AND_LAST => out.push_sql(" NULLS FIRST"),
            Some(Nulls::Last) if DB::NULLS_FIRST_AND_LAST => out.push_sql(" NULLS LAST"),
            _ => {}
        }
    }
    Ok(())
}

/// A condition that is true of no row.
pub(crate) struct Never;

impl<DB: Driver> QueryFragment<DB> for Never {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("1 = 0");
        Ok(())
    }
}

/// `INNER JOIN … ON …`
pub(super) fn push_joins<DB: Driver>(out: &mut AstPass<'_, '_, DB>, joins: &[&Join]) -> QueryResult<()> {
    for join in joins {
        out.push_sql(if join.outer { " LEFT JOIN " } else { " INNER JOIN " });
        push_joined_table(out, join)?;
        out.push_sql(" ON ");
        push_join_condition(out, join)?;
    }
    Ok(())
}

/// `"carriers" AS "trips__carrier"`
pub(super) fn push_joined_table<DB: Driver>(out: &mut AstPass<'_, '_, DB>, join: &Join) -> QueryResult<()> {
    facts::selects_from(join.table);
    push_table(out, join.table)?;
    out.push_sql(" AS ");
    out.push_identifier(&join.alias)
}

/// `"trips__carrier"."code" = "trips"."carrier_code"`
pub(super) fn push_join_condition<DB: Driver>(out: &mut AstPass<'_, '_, DB>, join: &Join) -> QueryResult<()> {
    facts::reads(|| join.from.clone(), join.from_column);
    push_compared(out, &join.alias, join.table, join.to_column)?;
    out.push_sql(" = ");
    push_column(out, &join.from, join.from_column)
}

/// `WHERE (…) AND (…)`
pub(super) fn push_conditions<'b, DB: Driver>(
    out: &mut AstPass<'_, 'b, DB>,
    filters: &[(Part<'b, DB>, bool)],
) -> QueryResult<()> {
    for (i, &(filter, negated)) in filters.iter().enumerate() {
        out.push_sql(if i == 0 { " WHERE (" } else { " AND (" });
        filter.walk_ast(out.reborrow())?;
        // Unlike NOT, this is true where the condition is NULL.
        out.push_sql(if negated { ") IS NOT TRUE" } else { ")" });
    }
    Ok(())
}

/// `SELECT COUNT(*)` of the rows of a SELECT.
pub(crate) struct Count<'q, DB: Driver>(pub(crate) Select<'q, DB>);

impl<DB: Driver> Query for Count<'_, DB> {
    type SqlType = diesel::sql_types::BigInt;
}
impl<DB: Driver> QueryId for Count<'_, DB> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Driver> QueryFragment<DB> for Count<'_, DB> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let named =
            matches!(self.0.columns, Columns::Nothing | Columns::Keys | Columns::GroupKeys | Columns::Combined(_));
        if !DB::ALIKE_COLUMNS && !named {
            // The list of names stands before the query: few servers take it behind one.
            out.push_sql("WITH ");
            out.push_identifier("counted")?;
            for at in 1..=self.0.columns.number()? + self.0.hidden_columns() {
                out.push_sql(if at == 1 { " (" } else { ", " });
                out.push_identifier(&format!("c{at}"))?;
            }
            out.push_sql(") AS (");
            self.0.walk_ast(out.reborrow())?;
            out.push_sql(") SELECT COUNT(*) FROM ");
            return out.push_identifier("counted");
        }
        out.push_sql("SELECT COUNT(*) FROM (");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(") AS ");
        out.push_identifier("counted")
    }
}

#[cfg(test)]
mod tests {
    use super::listed;

    #[test]
    fn expressions_are_counted_by_the_commas_between_them() {
        assert_eq!(listed("`a`.`b`"), 1);
        assert_eq!(listed("COALESCE(a, b), `c, ``d`, '(', \"e,\", f"), 5);
    }
}
