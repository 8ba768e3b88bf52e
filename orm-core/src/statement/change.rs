//! UPDATE and DELETE of the rows that a queryset gives.

use diesel::{
    QueryResult,
    query_builder::{AstPass, QueryFragment, QueryId},
};

use super::{
    Part,
    assigned::{Assignments, MATCHED},
    lock::{Held, Lock, Strength, push_lock},
    more::push_list,
    push_column, push_table,
    select::{Select, push_conditions, push_join_condition, push_joined_table, push_joins},
    windows,
};
use crate::{
    backend::{BackendKind, Driver},
    field::collation::push_compared,
    model::Table,
};

/// What happens to the rows.
pub(crate) enum Action<'q, DB: Driver> {
    Delete,
    Update(Assignments<'q, DB>),
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
    /// By a subquery of what the row belongs to, where it always belongs to something: `EXISTS (…)`. PostgreSQL joins it to the
    /// table by hashing or merging, and checks a row again that another transaction has changed.
    Related,
    /// By their keys, which a subquery gives.
    Keyed,
    /// By their keys, which a subquery gives together with what is assigned, before any row is changed.
    ValuesFirst,
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
        if matches!(&self.action, Action::Update(assignments) if assignments.values_first) {
            return Ok(Form::ValuesFirst);
        }
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
        } else if self.inner_join().is_some() {
            Ok(Form::Related)
        } else {
            Ok(Form::Keyed)
        }
    }

    /// Where the first join stands that starts at the changed table and always finds a row.
    fn inner_join(&self) -> Option<usize> {
        self.rows.joins.iter().position(|join| !join.outer && join.from == self.rows.alias)
    }

    /// How the list of keys locks its rows. Without that, a row that another transaction has changed meanwhile would be changed
    /// because its key is in the list, though it is none of the rows any more, and a limit would count it.
    fn lock(&self) -> QueryResult<Option<Lock>> {
        let rows = &self.rows;
        if DB::KIND == BackendKind::Sqlite || !rows.more.is_plain() {
            return Ok(None);
        }
        if DB::KIND == BackendKind::Postgres {
            // It locks no rows that a window was computed of.
            for (part, _) in &rows.order {
                if windows::has_any(&DB::sql(*part)?) {
                    return Ok(None);
                }
            }
        }
        let keeps_keys = match &self.action {
            Action::Delete => false,
            Action::Update(assignments) => !assignments.change_key(rows.table),
        };
        // As its UPDATE does, so that others may insert what refers to these rows.
        let strength =
            if keeps_keys && DB::KIND == BackendKind::Postgres { Strength::NoKeyUpdate } else { Strength::Update };
        Ok(Some(Lock { strength, held: Held::Wait }))
    }

    /// The keys of the rows, which are locked.
    fn push_keys<'b>(&self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        'q: 'b,
    {
        self.rows.write(out.reborrow())?;
        if DB::KIND == BackendKind::Mysql && self.rows.limit.is_none() && self.rows.offset == 0 {
            // With a limit it is a table of its own, and is not merged with what stands around it.
            out.push_sql(DB::NO_LIMIT.unwrap_or_default());
        }
        match self.lock()? {
            Some(lock) => push_lock(out, &self.rows, lock),
            None => Ok(()),
        }
    }

    /// Whether a condition has a subquery of the table that is changed, which MySQL takes inside of a derived table alone.
    fn reads_its_table(&self) -> QueryResult<bool> {
        self.read_its_table(self.rows.filters.iter().map(|(filter, _)| *filter))
    }

    fn read_its_table(&self, parts: impl Iterator<Item = Part<'q, DB>>) -> QueryResult<bool> {
        let table = DB::sql(&TableName(self.rows.table))?;
        for part in parts {
            let sql = DB::sql(part)?;
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
        if let (Action::Update(assignments), Form::ValuesFirst) = (&self.action, form) {
            out.push_sql("UPDATE ");
            return assignments.push_values_first(&mut out, rows.table, |out| self.push_is_found(out, false));
        }
        // The server may run a subquery again for each row, and then others may be the first; a list is made once.
        let listed = form == Form::Keyed && DB::KIND == BackendKind::Postgres;
        if listed {
            out.push_sql("WITH ");
            out.push_identifier(MATCHED)?;
            out.push_sql(" AS MATERIALIZED (");
            self.push_keys(&mut out)?;
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
        if let Action::Update(assignments) = &self.action {
            assignments.push(&mut out, rows.table, form == Form::Joined)?;
        }
        match (form, self.inner_join()) {
            (Form::Keyed, _) => {}
            (Form::Related, Some(first)) => return self.push_has_related(&mut out, first),
            _ => return push_conditions(&mut out, &rows.filters),
        }
        out.push_sql(" WHERE ");
        self.push_is_found(&mut out, listed)
    }

    /// ` WHERE EXISTS (SELECT 1 FROM …)`: whether the row meets the conditions with what it belongs to. The subquery begins with
    /// the table of one join, whose condition refers to the changed table, as those of the other joins may.
    fn push_has_related<'b>(&self, out: &mut AstPass<'_, 'b, DB>, first: usize) -> QueryResult<()>
    where
        'q: 'b,
    {
        let rows = &self.rows;
        let mut joins = rows.joins.clone();
        let first = joins.remove(first);
        out.push_sql(" WHERE EXISTS (SELECT 1 FROM ");
        push_joined_table(out, first)?;
        push_joins(out, &joins)?;
        push_conditions(out, &rows.filters)?;
        out.push_sql(if rows.filters.is_empty() { " WHERE " } else { " AND " });
        push_join_condition(out, first)?;
        out.push_sql(")");
        Ok(())
    }

    /// `key IN (SELECT …)`: whether a row of the table is one of the rows, whose keys may have been listed before.
    fn push_is_found<'b>(&self, out: &mut AstPass<'_, 'b, DB>, listed: bool) -> QueryResult<()>
    where
        'q: 'b,
    {
        push_key(out, self.rows.table)?;
        out.push_sql(" IN (");
        if listed {
            out.push_sql("SELECT * FROM ");
            out.push_identifier(MATCHED)?;
        } else if DB::KIND == BackendKind::Mysql {
            // It takes neither a LIMIT nor the changed table right here, but both one level further in.
            out.push_sql("SELECT * FROM (");
            self.push_keys(out)?;
            out.push_sql(") AS ");
            out.push_identifier(MATCHED)?;
        } else {
            self.push_keys(out)?;
        }
        out.push_sql(")");
        Ok(())
    }
}

/// The primary key: a column, or a row of columns.
fn push_key<DB: Driver>(out: &mut AstPass<'_, '_, DB>, table: &Table) -> QueryResult<()> {
    if let [column] = table.primary_key {
        return push_compared(out, table.name, table, table.columns[*column].name);
    }
    out.push_sql("(");
    push_list(out, table.primary_key.len(), |out, at| {
        push_compared(out, table.name, table, table.columns[table.primary_key[at]].name)
    })?;
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
