//! EXPLAIN, and what it answers as text.

use diesel::{
    QueryResult,
    query_builder::{AstPass, QueryFragment},
};

use super::Statement;
use crate::{
    backend::{BackendKind, Driver},
    queryset::Explain,
};

/// The question how a statement would be executed.
pub(crate) struct Explained<Q> {
    pub(crate) statement: Q,
    pub(crate) options: Explain,
}

impl<Q: Statement<DB>, DB: Driver> QueryFragment<DB> for Explained<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        let Explain { analyze, json } = self.options;
        out.push_sql(match (DB::KIND, analyze, json) {
            (BackendKind::Sqlite, ..) => "EXPLAIN QUERY PLAN ",
            (_, false, false) => "EXPLAIN ",
            (BackendKind::Postgres, true, false) => "EXPLAIN (ANALYZE) ",
            (BackendKind::Postgres, false, true) => "EXPLAIN (FORMAT JSON) ",
            (BackendKind::Postgres, true, true) => "EXPLAIN (ANALYZE, FORMAT JSON) ",
            (BackendKind::Mysql, false, true) => "EXPLAIN FORMAT=JSON ",
            // MySQL and MariaDB each read their own words, in a comment that the other skips.
            (BackendKind::Mysql, true, false) => "/*!80000 EXPLAIN ANALYZE */ /*M! ANALYZE */ ",
            (BackendKind::Mysql, true, true) => "/*!80000 EXPLAIN ANALYZE FORMAT=JSON */ /*M! ANALYZE FORMAT=JSON */ ",
        });
        self.statement.walk_ast(out)
    }
}

/// A row of an answer: the names of its columns, and their values as text.
pub(crate) type Texts = Vec<(String, Option<String>)>;

/// The answer as text, a line for each row of it.
pub(crate) fn text(rows: Vec<Texts>, backend: BackendKind) -> String {
    if backend == BackendKind::Sqlite {
        return tree(&rows);
    }
    let line = |cells: Vec<String>| cells.join(" | ");
    let head =
        rows.first().filter(|row| row.len() > 1).map(|row| line(row.iter().map(|(name, _)| name.clone()).collect()));
    let value = |(_, value): (String, Option<String>)| value.unwrap_or_else(|| "NULL".to_owned());
    let lines = rows.into_iter().map(|row| line(row.into_iter().map(value).collect()));
    head.into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

/// SQLite numbers its steps, and says of each of them which one it is part of.
fn tree(rows: &[Texts]) -> String {
    let mut depths: Vec<(&str, usize)> = Vec::new();
    let mut lines = Vec::new();
    for row in rows {
        let cell = |name: &str| row.iter().find(|(n, _)| n == name).and_then(|(_, value)| value.as_deref());
        let parent = cell("parent").unwrap_or_default();
        let depth = depths.iter().find(|(id, _)| *id == parent).map_or(0, |(_, depth)| depth + 1);
        depths.push((cell("id").unwrap_or_default(), depth));
        lines.push(format!("{}{}", "  ".repeat(depth), cell("detail").unwrap_or_default()));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[(&str, Option<&str>)]) -> Texts {
        cells.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect()
    }

    #[test]
    fn steps_are_indented_below_those_that_they_are_part_of() {
        let step = |id, parent, detail| row(&[("id", Some(id)), ("parent", Some(parent)), ("detail", Some(detail))]);
        let steps = vec![step("2", "0", "a"), step("5", "2", "b"), step("9", "5", "c"), step("12", "0", "d")];
        assert_eq!(text(steps, BackendKind::Sqlite), "a\n  b\n    c\nd");
    }

    #[test]
    fn columns_have_a_head_where_there_are_several() {
        assert_eq!(
            text(vec![row(&[("QUERY PLAN", Some("a"))]), row(&[("QUERY PLAN", Some(" b"))])], BackendKind::Postgres),
            "a\n b"
        );
        let table = vec![row(&[("id", Some("1")), ("key", None)])];
        assert_eq!(text(table, BackendKind::Mysql), "id | key\n1 | NULL");
    }
}
