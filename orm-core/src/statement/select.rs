//! SELECT.

use std::fmt;

use diesel::{
    QueryResult,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::Untyped,
};

use super::{Part, push_column, push_table};
use crate::{backend::Driver, field::Nulls, field::order::Direction, model::Table, path::Join};

/// A queryset written for one backend.
///
/// Its SQL type is Diesel's `Untyped`: how rows are read is the shape's to know, and was checked when it was built.
pub struct Select<'q, DB: Driver> {
    pub(crate) columns: Columns<'q, DB>,
    pub(crate) distinct: bool,
    pub(crate) table: &'static Table,
    pub(crate) joins: Vec<&'q Join>,
    /// Conditions, and whether each is to be not true.
    pub(crate) filters: Vec<(Part<'q, DB>, bool)>,
    pub(crate) order: Vec<(Part<'q, DB>, Direction)>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: u64,
}

/// What stands behind SELECT.
pub(crate) enum Columns<'q, DB: Driver> {
    /// All columns of these tables, by alias.
    Tables(&'q [(String, &'static Table)]),
    /// An expression, or a tuple of them.
    Expression(Part<'q, DB>),
    /// Nothing of the rows is wanted but that they are there.
    Nothing,
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
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        // Diesel never evicts a cached statement, so a program that makes many querysets would fill the server.
        out.unsafe_to_cache_prepared();
        out.push_sql(if self.distinct { "SELECT DISTINCT " } else { "SELECT " });
        match &self.columns {
            Columns::Tables(tables) => {
                let columns =
                    tables.iter().flat_map(|(alias, table)| table.columns.iter().map(move |c| (alias, c.name)));
                for (i, (alias, name)) in columns.enumerate() {
                    if i > 0 {
                        out.push_sql(", ");
                    }
                    push_column(&mut out, alias, name)?;
                }
            }
            Columns::Expression(part) => part.walk_ast(out.reborrow())?,
            Columns::Nothing => out.push_sql("1"),
        }
        out.push_sql(" FROM ");
        push_table(&mut out, self.table)?;
        if self.table.schema.is_some() {
            // Columns are named by the table alone.
            out.push_sql(" AS ");
            out.push_identifier(self.table.name)?;
        }
        for join in &self.joins {
            out.push_sql(if join.outer { " LEFT JOIN " } else { " INNER JOIN " });
            push_table(&mut out, join.table)?;
            out.push_sql(" AS ");
            out.push_identifier(&join.alias)?;
            out.push_sql(" ON ");
            push_column(&mut out, &join.alias, join.to_column)?;
            out.push_sql(" = ");
            push_column(&mut out, &join.from, join.from_column)?;
        }
        for (i, (filter, negated)) in self.filters.iter().enumerate() {
            out.push_sql(if i == 0 { " WHERE (" } else { " AND (" });
            filter.walk_ast(out.reborrow())?;
            // Unlike NOT, this is true where the condition is NULL.
            out.push_sql(if *negated { ") IS NOT TRUE" } else { ")" });
        }
        for (i, (part, direction)) in self.order.iter().enumerate() {
            out.push_sql(if i == 0 { " ORDER BY " } else { ", " });
            part.walk_ast(out.reborrow())?;
            if let Direction::Ours { descending, nulls } = direction {
                out.push_sql(if *descending { " DESC" } else { " ASC" });
                match nulls {
                    Some(Nulls::First) => out.push_sql(" NULLS FIRST"),
                    Some(Nulls::Last) => out.push_sql(" NULLS LAST"),
                    None => {}
                }
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
        out.push_sql("SELECT COUNT(*) FROM (");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(") AS ");
        out.push_identifier("counted")
    }
}
