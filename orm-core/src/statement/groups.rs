//! GROUP BY and HAVING.
//!
//! A key that has bind parameters cannot be written twice: to PostgreSQL, and to MySQL in its strict mode, `x + $1` and
//! `x + $2` are two expressions. Such a key is computed once, in a LATERAL subquery on PostgreSQL, and elsewhere in the list
//! of columns, and is then named.

use diesel::{
    QueryResult,
    query_builder::{AstPass, QueryFragment},
};

use super::{Part, more::push_list, push_column};
use crate::{
    backend::{BackendKind, Driver},
    field::Place,
};

/// How the rows of a SELECT become groups.
pub(crate) struct Groups<'q, DB: Driver> {
    pub(crate) keys: Vec<Part<'q, DB>>,
    /// What is computed of each group: an expression, or a tuple of them.
    pub(crate) computed: Part<'q, DB>,
    pub(crate) having: Vec<Part<'q, DB>>,
}

/// The subquery of keys that are computed, on PostgreSQL.
const KEYS: &str = "__keys";

fn key_name(at: usize) -> String {
    format!("__g{}", at + 1)
}

/// Whether an expression has bind parameters.
fn has_parameters<DB: Driver>(part: &(impl QueryFragment<DB> + ?Sized)) -> QueryResult<bool> {
    let sql = DB::sql(part)?;
    Ok(is_placed(&sql, if DB::KIND == BackendKind::Postgres { '$' } else { '?' }))
}

/// Whether the mark stands in the SQL, outside of quotes.
fn is_placed(sql: &str, mark: char) -> bool {
    let mut quote = None;
    sql.chars().any(|c| {
        match (quote, c) {
            // A doubled quote ends it and begins it again.
            (Some(open), _) if open == c => quote = None,
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, _) => return c == mark,
            (Some(_), _) => {}
        }
        false
    })
}

/// Writes the key, where it is not defined but used.
pub(crate) fn push_key<'b, DB: Driver>(
    out: &mut AstPass<'_, 'b, DB>,
    key: &'b (impl QueryFragment<DB> + ?Sized),
    at: usize,
) -> QueryResult<()> {
    match (has_parameters::<DB>(key)?, DB::KIND) {
        (false, _) => Place::OfGroup.of(|| key.walk_ast(out.reborrow())),
        (true, BackendKind::Postgres) => push_column(out, KEYS, &key_name(at)),
        (true, _) => out.push_identifier(&key_name(at)),
    }
}

impl<'q, DB: Driver> Groups<'q, DB> {
    /// The keys, and what was computed behind them.
    pub(super) fn push_columns<'b>(&self, out: &mut AstPass<'_, 'b, DB>, whole: bool) -> QueryResult<()>
    where
        'q: 'b,
    {
        push_list(out, self.keys.len(), |out, at| {
            let key = self.keys[at];
            let named = has_parameters::<DB>(key)?;
            if DB::KIND == BackendKind::Postgres {
                push_key(out, key, at)?;
            } else {
                // What is named is computed before the groups are made, and cannot be one of a group.
                let place = if named { Place::ReadOnce } else { Place::OfGroup };
                place.of(|| key.walk_ast(out.reborrow()))?;
            }
            if !whole || (named && DB::KIND != BackendKind::Postgres) {
                out.push_sql(" AS ");
                out.push_identifier(&key_name(at))?;
            }
            Ok(())
        })?;
        if whole {
            out.push_sql(", ");
            self.computed.walk_ast(out.reborrow())?;
        }
        Ok(())
    }

    /// ` CROSS JOIN LATERAL (SELECT … AS "__g1") AS "__keys"`, on PostgreSQL.
    pub(super) fn push_computed_keys<'b>(&self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        'q: 'b,
    {
        if DB::KIND != BackendKind::Postgres {
            return Ok(());
        }
        let mut first = true;
        for (at, key) in self.keys.iter().enumerate() {
            if !has_parameters::<DB>(*key)? {
                continue;
            }
            out.push_sql(if first { " CROSS JOIN LATERAL (SELECT " } else { ", " });
            first = false;
            Place::Compared.of(|| (*key).walk_ast(out.reborrow()))?;
            out.push_sql(" AS ");
            out.push_identifier(&key_name(at))?;
        }
        if !first {
            out.push_sql(") AS ");
            out.push_identifier(KEYS)?;
        }
        Ok(())
    }

    /// ` GROUP BY … HAVING …`
    pub(super) fn push_behind_conditions<'b>(&self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        'q: 'b,
    {
        out.push_sql(" GROUP BY ");
        push_list(out, self.keys.len(), |out, at| match has_parameters::<DB>(self.keys[at])? {
            false => Place::Compared.of(|| self.keys[at].walk_ast(out.reborrow())),
            true => push_key(out, self.keys[at], at),
        })?;
        for (i, condition) in self.having.iter().enumerate() {
            out.push_sql(if i == 0 { " HAVING (" } else { " AND (" });
            (*condition).walk_ast(out.reborrow())?;
            out.push_sql(")");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::is_placed;

    #[test]
    fn a_parameter_is_none_in_quotes() {
        assert!(is_placed("(`a` + ?)", '?') && is_placed("'?' || ?", '?') && is_placed("\"a\" - $1", '$'));
        assert!(!is_placed("`a?`.`b` || '?''?'", '?') && !is_placed("\"a$1\".\"b\"", '$'));
    }
}
