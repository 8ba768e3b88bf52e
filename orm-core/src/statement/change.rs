//! UPDATE and DELETE of the rows that a queryset gives.

use diesel::{
    QueryResult,
    query_builder::{AstPass, QueryFragment, QueryId},
};

use super::{
    Part, push_column, push_table,
    select::{Select, push_conditions, push_joins},
};
use crate::{
    backend::{BackendKind, Driver},
    model::Table,
};

/// What happens to the rows.
pub(crate) enum Action<'q, DB: Driver> {
    Delete,
    /// The positions of columns, and what each shall be.
    Update(Vec<(usize, Part<'q, DB>)>),
}

/// A statement that changes the rows of a SELECT, which has the primary key's columns alone.
pub(crate) struct Change<'q, DB: Driver> {
    pub(crate) action: Action<'q, DB>,
    pub(crate) rows: Select<'q, DB>,
}

/// How the rows are found.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// By the statement's own conditions, so that each row is looked at as it is when it is changed.
    Plain,
    /// By the statement's own joins, which only MySQL has.
    Joined,
    /// By their keys, which a subquery gives.
    Keyed,
}

impl<DB: Driver> QueryId for Change<'_, DB> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<'q, DB: Driver> QueryFragment<DB> for Change<'q, DB> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.write(out)
    }
}

impl<'q, DB: Driver> Change<'q, DB> {
    fn form(&self) -> QueryResult<Form> {
        let rows = &self.rows;
        if rows.limit.is_some()
            || rows.offset > 0
            || !rows.more.is_plain()
            || (DB::KIND == BackendKind::Mysql && self.reads_its_table()?)
        {
            Ok(Form::Keyed)
        } else if rows.joins.is_empty() {
            Ok(Form::Plain)
        } else if DB::KIND == BackendKind::Mysql {
            Ok(Form::Joined)
        } else {
            Ok(Form::Keyed)
        }
    }

    /// Whether a condition has a subquery of the table that is changed, which MySQL takes inside of a derived table alone.
    fn reads_its_table(&self) -> QueryResult<bool> {
        let table = DB::sql(&TableName(self.rows.table))?;
        for (filter, _) in &self.rows.filters {
            let sql = DB::sql(*filter)?;
            if sql.contains(&format!("FROM {table}")) || sql.contains(&format!("JOIN {table}")) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn write<'b>(&self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        'q: 'b,
    {
        out.unsafe_to_cache_prepared();
        let (form, rows) = (self.form()?, &self.rows);
        // The server may run a subquery again for each row, and then others may be the first; a list is made once.
        let listed =
            form == Form::Keyed && DB::KIND == BackendKind::Postgres && (rows.limit.is_some() || rows.offset > 0);
        if listed {
            out.push_sql("WITH ");
            out.push_identifier(MATCHED)?;
            out.push_sql(" AS MATERIALIZED (");
            rows.write(out.reborrow())?;
            out.push_sql(") ");
        }
        match (&self.action, form) {
            (Action::Delete, Form::Joined) => {
                out.push_sql("DELETE ");
                out.push_identifier(rows.table.name)?;
                out.push_sql(" FROM ");
            }
            (Action::Delete, _) => out.push_sql("DELETE FROM "),
            (Action::Update(_), _) => out.push_sql("UPDATE "),
        }
        push_table(&mut out, rows.table)?;
        if form == Form::Joined {
            if rows.table.schema.is_some() {
                out.push_sql(" AS ");
                out.push_identifier(rows.table.name)?;
            }
            push_joins(&mut out, &rows.joins)?;
        }
        if let Action::Update(sets) = &self.action {
            for (i, &(column, part)) in sets.iter().enumerate() {
                out.push_sql(if i == 0 { " SET " } else { ", " });
                let name = rows.table.columns[column].name;
                if form == Form::Joined {
                    push_column(&mut out, rows.table.name, name)?;
                } else {
                    out.push_identifier(name)?;
                }
                out.push_sql(" = ");
                part.walk_ast(out.reborrow())?;
            }
        }
        if form != Form::Keyed {
            return push_conditions(&mut out, &rows.filters);
        }
        out.push_sql(" WHERE ");
        push_key(&mut out, rows.table)?;
        out.push_sql(" IN (");
        if listed {
            out.push_sql("SELECT * FROM ");
            out.push_identifier(MATCHED)?;
        } else if DB::KIND == BackendKind::Mysql {
            // It takes neither a LIMIT nor the changed table right here, but both one level further in.
            out.push_sql("SELECT * FROM (");
            rows.write(out.reborrow())?;
            if rows.limit.is_none() && rows.offset == 0 {
                // With a limit it is a table of its own, and is not merged with what stands around it.
                out.push_sql(DB::NO_LIMIT.unwrap_or_default());
            }
            out.push_sql(") AS ");
            out.push_identifier(MATCHED)?;
        } else {
            rows.write(out.reborrow())?;
        }
        out.push_sql(")");
        Ok(())
    }
}

/// The name of the keys of the rows that are changed.
const MATCHED: &str = "matched";

/// The primary key: a column, or a row of columns.
fn push_key<DB: Driver>(out: &mut AstPass<'_, '_, DB>, table: &Table) -> QueryResult<()> {
    if let [column] = table.primary_key {
        return push_column(out, table.name, table.columns[*column].name);
    }
    out.push_sql("(");
    push_key_columns(out, table)?;
    out.push_sql(")");
    Ok(())
}

fn push_key_columns<DB: Driver>(out: &mut AstPass<'_, '_, DB>, table: &Table) -> QueryResult<()> {
    for (i, column) in table.primary_key.iter().enumerate() {
        if i > 0 {
            out.push_sql(", ");
        }
        push_column(out, table.name, table.columns[*column].name)?;
    }
    Ok(())
}

/// The columns of the primary key, to be selected.
pub(crate) struct KeyColumns(pub(crate) &'static Table);

impl<DB: Driver> QueryFragment<DB> for KeyColumns {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        push_key_columns(&mut out, self.0)
    }
}

/// `"schema"."table"`
struct TableName(&'static Table);

impl<DB: Driver> QueryFragment<DB> for TableName {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        push_table(&mut out, self.0)
    }
}

/// `"table"."column"`
struct ColumnOf(&'static Table, usize);

impl<DB: Driver> QueryFragment<DB> for ColumnOf {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        push_column(&mut out, self.0.name, self.0.columns[self.1].name)
    }
}

/// Puts assignments in an order in which each expression reads old values, where the backend assigns one after the other.
/// `Err` has the columns that read each other in a circle. `computed` says which assignments are expressions.
pub(crate) fn reading_old_values<'q, DB: Driver>(
    table: &'static Table,
    mut sets: Vec<(usize, Part<'q, DB>, bool)>,
) -> QueryResult<Result<Vec<(usize, Part<'q, DB>)>, Vec<usize>>> {
    let mut ordered = Vec::with_capacity(sets.len());
    if DB::KIND == BackendKind::Mysql && sets.len() > 1 {
        let names: Vec<String> =
            sets.iter().map(|(column, ..)| DB::sql(&ColumnOf(table, *column))).collect::<QueryResult<_>>()?;
        let mut left: Vec<(String, String, (usize, Part<'q, DB>, bool))> = Vec::new();
        for (name, set) in names.into_iter().zip(sets) {
            left.push((name, if set.2 { DB::sql(set.1)? } else { String::new() }, set));
        }
        while !left.is_empty() {
            // One whose column no other reads any more.
            let free = (0..left.len()).find(|at| {
                left.iter().enumerate().all(|(other, (_, sql, _))| other == *at || !sql.contains(&left[*at].0))
            });
            match free {
                Some(at) => ordered.push(left.remove(at).2),
                None => return Ok(Err(left.iter().map(|(_, _, (column, ..))| *column).collect())),
            }
        }
    } else {
        ordered.append(&mut sets);
    }
    Ok(Ok(ordered.into_iter().map(|(column, part, _)| (column, part)).collect()))
}
