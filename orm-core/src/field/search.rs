//! Searching in text: every character of the needle stands for itself, and case counts, on every backend.
//!
//! PostgreSQL and MySQL search with `LIKE … ESCAPE '!'`: their default escape character depends on settings. On MySQL it
//! is the collation that says whether case and accents count, so one by which they do is named there. SQLite's LIKE
//! ignores case, so there it is `GLOB`, which does not, and which an index can serve as well.

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping},
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{Bool, Text},
};

use super::expr::on_expressions;

/// SQL types that can be searched in: text, nullable or not.
#[diagnostic::on_unimplemented(message = "only text can be searched in", label = "not a field of text")]
pub trait Searchable {}
impl Searchable for Text {}
impl Searchable for diesel::sql_types::Nullable<Text> {}

/// Which end of the text the needle is tied to.
#[derive(Clone, Copy, Debug)]
enum Anchor {
    Nowhere,
    Start,
    End,
}

/// A search in a text; made by [`Field::contains`], [`Field::starts_with`] and [`Field::ends_with`].
#[derive(Clone, Debug)]
#[must_use = "a condition does nothing until it is used in a query"]
pub struct Search<E> {
    text: E,
    #[cfg_attr(not(feature = "mysql"), allow(dead_code))]
    anchor: Anchor,
    #[cfg_attr(not(any(feature = "postgres", feature = "mysql")), allow(dead_code))]
    like: String,
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code))]
    glob: String,
}

// The bound stands on each method and not here, so that the compiler says why a field cannot be searched in.
on_expressions! {
    /// Whether the text has `needle` in it, taken literally, case and all.
    pub fn contains(self, needle: impl AsRef<str>) -> Search<Self>
    where
        Self: Expression<SqlType: Searchable>,
    {
        Search::new(self, needle.as_ref(), Anchor::Nowhere)
    }

    /// Whether the text begins with `needle`, taken literally, case and all.
    pub fn starts_with(self, needle: impl AsRef<str>) -> Search<Self>
    where
        Self: Expression<SqlType: Searchable>,
    {
        Search::new(self, needle.as_ref(), Anchor::Start)
    }

    /// Whether the text ends with `needle`, taken literally, case and all.
    pub fn ends_with(self, needle: impl AsRef<str>) -> Search<Self>
    where
        Self: Expression<SqlType: Searchable>,
    {
        Search::new(self, needle.as_ref(), Anchor::End)
    }
}

impl<E> Search<E> {
    fn new(text: E, needle: &str, anchor: Anchor) -> Self {
        let pattern = |any: char, escape: fn(&mut String, char)| {
            let mut pattern = String::with_capacity(needle.len() + 2);
            if !matches!(anchor, Anchor::Start) {
                pattern.push(any);
            }
            needle.chars().for_each(|c| escape(&mut pattern, c));
            if !matches!(anchor, Anchor::End) {
                pattern.push(any);
            }
            pattern
        };
        let like = pattern('%', |out, c| {
            if matches!(c, '%' | '_' | '!') {
                out.push('!');
            }
            out.push(c);
        });
        let glob = pattern('*', |out, c| {
            if matches!(c, '*' | '?' | '[') {
                out.extend(['[', c, ']']);
            } else {
                out.push(c);
            }
        });
        Search { text, anchor, like, glob }
    }
}

impl<E: Expression> Expression for Search<E> {
    type SqlType = diesel::sql_types::Nullable<Bool>;
}
impl<QS, E: AppearsOnTable<QS>> AppearsOnTable<QS> for Search<E> {}
impl<QS, E: SelectableExpression<QS>> SelectableExpression<QS> for Search<E> {}
impl<G, E: ValidGrouping<G>> ValidGrouping<G> for Search<E> {
    type IsAggregate = E::IsAggregate;
}
impl<E> QueryId for Search<E> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

#[cfg(feature = "mysql")]
impl<E: QueryFragment<diesel::mysql::Mysql>> QueryFragment<diesel::mysql::Mysql> for Search<E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, diesel::mysql::Mysql>) -> QueryResult<()> {
        out.push_sql("(");
        if matches!(self.anchor, Anchor::Start) {
            // By the column's own collation, which finds no less, and which its index can serve.
            self.text.walk_ast(out.reborrow())?;
            out.push_sql(" LIKE ");
            out.push_bind_param::<Text, _>(&self.like)?;
            out.push_sql(" ESCAPE '!' AND ");
        }
        self.text.walk_ast(out.reborrow())?;
        out.push_sql(" LIKE ");
        out.push_bind_param::<Text, _>(&self.like)?;
        out.push_sql(" COLLATE utf8mb4_bin ESCAPE '!')");
        Ok(())
    }
}

#[cfg(feature = "postgres")]
impl<E: QueryFragment<diesel::pg::Pg>> QueryFragment<diesel::pg::Pg> for Search<E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, diesel::pg::Pg>) -> QueryResult<()> {
        no_nul(&self.like)?;
        out.push_sql("(");
        self.text.walk_ast(out.reborrow())?;
        out.push_sql(" LIKE ");
        out.push_bind_param::<Text, _>(&self.like)?;
        out.push_sql(" ESCAPE '!')");
        Ok(())
    }
}

#[cfg(feature = "sqlite")]
impl<E: QueryFragment<diesel::sqlite::Sqlite>> QueryFragment<diesel::sqlite::Sqlite> for Search<E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, diesel::sqlite::Sqlite>) -> QueryResult<()> {
        no_nul(&self.glob)?;
        out.push_sql("(");
        self.text.walk_ast(out.reborrow())?;
        out.push_sql(" GLOB ");
        out.push_bind_param::<Text, _>(&self.glob)?;
        out.push_sql(")");
        Ok(())
    }
}

/// PostgreSQL has no text with NUL, and SQLite's GLOB takes it for the end of the pattern, so that it would find more.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
fn no_nul(pattern: &str) -> QueryResult<()> {
    if pattern.contains('\0') {
        let error = "text with the character NUL cannot be searched for";
        return Err(diesel::result::Error::QueryBuilderError(error.into()));
    }
    Ok(())
}

// `and`, `or` and `not` are Diesel's, by its blanket implementations on boolean expressions.

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_character_is_escaped() {
        let search = Search::new((), "100%_[a]*?!", Anchor::Nowhere);
        assert_eq!(search.like, "%100!%!_[a]*?!!%");
        assert_eq!(search.glob, "*100%_[[]a][*][?]!*");
    }

    #[test]
    fn an_anchor_leaves_one_end_open() {
        assert_eq!(Search::new((), "a", Anchor::Start).like, "a%");
        assert_eq!(Search::new((), "a", Anchor::End).glob, "*a");
    }
}
