//! Searching in text: every character of the needle stands for itself, and case counts unless it is said, on every
//! backend.
//!
//! PostgreSQL and MySQL search with `LIKE … ESCAPE '!'`: their default escape character depends on settings. On MySQL it
//! is the collation that says whether case and accents count, so one by which they do is named there. SQLite's LIKE
//! ignores case, so there it is `GLOB`, which does not, and which an index can serve as well. GLOB ends at the character
//! NUL, so for a needle that is computed there is a function of ours.
//!
//! Where case is ignored, two texts match if they are equal in small letters and in capitals: `İ` is `i` in small letters on
//! some servers, and `ı` is `I` in capitals, and neither is the other.

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping},
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{Bool, Nullable, Text},
};

use super::{Expr, Readable, expr::on_expressions, facts};
use crate::{
    backend::{BackendKind, Driver},
    types::{Inferred, IntoText, Native, PortableValue},
};

/// SQL types that can be searched in: text, nullable or not.
#[diagnostic::on_unimplemented(message = "only text can be searched in", label = "not a field of text")]
pub trait Searchable {}
impl Searchable for Text {}
impl Searchable for Nullable<Text> {}

/// Which ends of the text the needle is tied to.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Anchor {
    Nowhere,
    Start,
    End,
    Both,
}

impl Anchor {
    fn open(self) -> (bool, bool) {
        match self {
            Anchor::Nowhere => (true, true),
            Anchor::Start => (false, true),
            Anchor::End => (true, false),
            Anchor::Both => (false, false),
        }
    }

    /// What SQLite's `orm_search` is told.
    fn number(self) -> &'static str {
        match self {
            Anchor::Nowhere => "0",
            Anchor::Start => "1",
            Anchor::End => "2",
            Anchor::Both => "3",
        }
    }
}

/// A search in a text; made by [`Field::contains`](super::Field::contains) and its neighbours.
#[derive(Clone, Debug)]
#[must_use = "a condition does nothing until it is used in a query"]
pub struct Search<E, N = Literal> {
    text: E,
    needle: N,
    anchor: Anchor,
    ignore_case: bool,
}

/// A needle that is known, as the patterns that find it.
#[derive(Clone, Debug)]
pub struct Literal {
    like: Inferred<Text, PortableValue<Text, String>>,
    glob: PortableValue<Text, String>,
    has_nul: bool,
}

impl Literal {
    pub(crate) fn new(needle: &str, anchor: Anchor) -> Self {
        Literal {
            like: Inferred::new(PortableValue::new(like(needle, anchor))),
            glob: PortableValue::new(glob(needle, anchor)),
            has_nul: needle.contains('\0'),
        }
    }
}

/// The pattern of LIKE, with `!` before what would not stand for itself.
fn like(needle: &str, anchor: Anchor) -> String {
    pattern(needle, anchor, '%', |out, c| {
        if matches!(c, '%' | '_' | '!') {
            out.push('!');
        }
        out.push(c);
    })
}

/// The pattern of GLOB, with brackets round what would not stand for itself.
fn glob(needle: &str, anchor: Anchor) -> String {
    pattern(needle, anchor, '*', |out, c| {
        if matches!(c, '*' | '?' | '[') {
            out.extend(['[', c, ']']);
        } else {
            out.push(c);
        }
    })
}

fn pattern(needle: &str, anchor: Anchor, any: char, escape: fn(&mut String, char)) -> String {
    let (before, behind) = anchor.open();
    let mut pattern = String::with_capacity(needle.len() + 2);
    pattern.extend(before.then_some(any));
    needle.chars().for_each(|c| escape(&mut pattern, c));
    pattern.extend(behind.then_some(any));
    pattern
}

/// A needle that the database computes.
#[derive(Clone, Copy, Debug)]
pub struct Computed<E>(pub(crate) E);

// The bound stands on each method and not here, so that the compiler says why a field cannot be searched in.
on_expressions! {
    /// Whether the text has `needle` in it, taken literally, case and all.
    ///
    /// The needle may be computed: `f.name.contains(f.other)`. Where it is NULL, so is the answer.
    pub fn contains<T: IntoText>(self, needle: T) -> Expr<Search<Self, T::Needle>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        search(self, needle, Anchor::Nowhere, false)
    }

    /// Whether the text begins with `needle`, taken literally, case and all.
    ///
    /// An index serves it, on PostgreSQL only one with `text_pattern_ops` unless the collation is `C`.
    pub fn starts_with<T: IntoText>(self, needle: T) -> Expr<Search<Self, T::Needle>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        search(self, needle, Anchor::Start, false)
    }

    /// Whether the text ends with `needle`, taken literally, case and all.
    pub fn ends_with<T: IntoText>(self, needle: T) -> Expr<Search<Self, T::Needle>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        search(self, needle, Anchor::End, false)
    }

    /// Whether the text has `needle` in it, taken literally, without regard to case.
    ///
    /// Both are compared in lower case, character by character, of every alphabet on MySQL, MariaDB and SQLite. Which
    /// letters PostgreSQL knows the case of is the locale's to say that the database was created with; the locale `C`
    /// knows ASCII. No ordinary index serves such a search: PostgreSQL has `pg_trgm` for it.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Airport,)>()?;
    /// # Airport::bulk_create(&db, [Airport { code: "ZRH".into(), city: "ZÜRICH".into() }])?;
    /// assert_eq!(Airport::objects(&db).filter(|a| a.city.icontains("üri")).values(|a| a.code).load()?, ["ZRH"]);
    /// assert_eq!(Airport::objects(&db).filter(|a| a.city.contains("üri")).count()?, 0);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn icontains<T: IntoText>(self, needle: T) -> Expr<Search<Self, T::Needle>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        search(self, needle, Anchor::Nowhere, true)
    }

    /// Whether the text begins with `needle`, taken literally, without regard to case.
    pub fn istarts_with<T: IntoText>(self, needle: T) -> Expr<Search<Self, T::Needle>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        search(self, needle, Anchor::Start, true)
    }

    /// Whether the text ends with `needle`, taken literally, without regard to case.
    pub fn iends_with<T: IntoText>(self, needle: T) -> Expr<Search<Self, T::Needle>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        search(self, needle, Anchor::End, true)
    }

    /// Whether the text is `needle`, taken literally, without regard to case.
    pub fn iexact<T: IntoText>(self, needle: T) -> Expr<Search<Self, T::Needle>>
    where
        Self: Expression<SqlType: Searchable>,
    {
        search(self, needle, Anchor::Both, true)
    }
}

fn search<E, T: IntoText>(text: E, needle: T, anchor: Anchor, ignore_case: bool) -> Expr<Search<E, T::Needle>> {
    Expr(Search { text, needle: needle.into_needle(anchor), anchor, ignore_case })
}

impl<E: Expression, N> Expression for Search<E, N> {
    type SqlType = Nullable<Bool>;
}
impl<E: Expression, N> Readable for Search<E, N> {
    type Rust = Option<bool>;
    type Codec = Native;
}
impl<QS, E: AppearsOnTable<QS>> AppearsOnTable<QS> for Search<E, Literal> {}
impl<QS, E: AppearsOnTable<QS>> SelectableExpression<QS> for Search<E, Literal> {}
impl<G, E: ValidGrouping<G>> ValidGrouping<G> for Search<E, Literal> {
    type IsAggregate = E::IsAggregate;
}
impl<QS, E: AppearsOnTable<QS>, N: AppearsOnTable<QS>> AppearsOnTable<QS> for Search<E, Computed<N>> {}
impl<QS, E: AppearsOnTable<QS>, N: AppearsOnTable<QS>> SelectableExpression<QS> for Search<E, Computed<N>> {}
impl<G, E, N> ValidGrouping<G> for Search<E, Computed<N>>
where
    (E, N): ValidGrouping<G>,
{
    type IsAggregate = <(E, N) as ValidGrouping<G>>::IsAggregate;
}
impl<E, N> QueryId for Search<E, N> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Driver, E: QueryFragment<DB>> QueryFragment<DB> for Search<E, Literal>
where
    PortableValue<Text, String>: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        facts::known::<Self>();
        facts::expect::<E>();
        let Literal { like, glob, has_nul } = &self.needle;
        if *has_nul && DB::KIND != BackendKind::Mysql {
            // PostgreSQL has no text with NUL, and SQLite's GLOB takes it for the end of the pattern, so that it would
            // find more.
            let error = "text with the character NUL cannot be searched for";
            return Err(diesel::result::Error::QueryBuilderError(error.into()));
        }
        out.push_sql("(");
        if DB::KIND == BackendKind::Mysql && matches!(self.anchor, Anchor::Start) && !self.ignore_case {
            // By the column's own collation, which finds no less, and which its index can serve.
            self.text.walk_ast(out.reborrow())?;
            out.push_sql(" LIKE ");
            like.walk_ast(out.reborrow())?;
            out.push_sql(" ESCAPE '!' AND ");
        }
        let comparisons: &[[&str; 3]] = match (DB::KIND, self.ignore_case) {
            (BackendKind::Postgres, false) => &[["", " LIKE ", " ESCAPE '!')"]],
            (BackendKind::Postgres, true) => {
                &[["", " ILIKE ", " ESCAPE '!' AND "], ["UPPER(", ") LIKE UPPER(", ") ESCAPE '!')"]]
            }
            (BackendKind::Mysql, false) => &[["", " LIKE ", " COLLATE utf8mb4_bin ESCAPE '!')"]],
            (BackendKind::Mysql, true) => &[
                ["LOWER(", ") LIKE LOWER(", ") COLLATE utf8mb4_bin ESCAPE '!' AND "],
                ["UPPER(", ") LIKE UPPER(", ") COLLATE utf8mb4_bin ESCAPE '!')"],
            ],
            (BackendKind::Sqlite, false) => &[["", " GLOB ", ")"]],
            (BackendKind::Sqlite, true) => &[["orm_fold(", ") GLOB orm_fold(", "))"]],
        };
        for [open, between, behind] in comparisons {
            out.push_sql(open);
            self.text.walk_ast(out.reborrow())?;
            out.push_sql(between);
            match DB::KIND {
                BackendKind::Sqlite => glob.walk_ast(out.reborrow())?,
                BackendKind::Postgres | BackendKind::Mysql => like.walk_ast(out.reborrow())?,
            }
            out.push_sql(behind);
        }
        Ok(())
    }
}

impl<DB: Driver, E: QueryFragment<DB>, N: QueryFragment<DB>> QueryFragment<DB> for Search<E, Computed<N>> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        facts::known::<Self>();
        facts::expect::<E>();
        facts::expect::<N>();
        if DB::KIND == BackendKind::Sqlite {
            out.push_sql("orm_search(");
            self.text.walk_ast(out.reborrow())?;
            out.push_sql(", ");
            self.needle.0.walk_ast(out.reborrow())?;
            out.push_sql(", ");
            out.push_sql(self.anchor.number());
            out.push_sql(if self.ignore_case { ", 1)" } else { ", 0)" });
            return Ok(());
        }
        let comparisons: &[[&str; 3]] = match (DB::KIND, self.ignore_case) {
            (BackendKind::Postgres, true) => &[["", " ILIKE ", ""], ["UPPER(", ") LIKE UPPER", ""]],
            (_, true) => &[["LOWER(", ") LIKE LOWER", BINARY], ["UPPER(", ") LIKE UPPER", BINARY]],
            (BackendKind::Postgres, false) => &[["", " LIKE ", ""]],
            (_, false) => &[["", " LIKE ", BINARY]],
        };
        let (before, behind) = self.anchor.open();
        let any = |there: bool| if there { "'%'" } else { "''" };
        // Unlike PostgreSQL's CONCAT, `||` and MySQL's CONCAT are NULL where the needle is.
        let (concat, comma, open, close) = match DB::KIND {
            BackendKind::Postgres => ("(", " || ", ESCAPED.0, ESCAPED.1),
            _ => ("(CONCAT(", ", ", ESCAPED.0, ESCAPED.1),
        };
        let end = if DB::KIND == BackendKind::Postgres { ")" } else { "))" };
        for (i, [text, between, collation]) in comparisons.iter().enumerate() {
            out.push_sql(if i == 0 { "(" } else { " AND " });
            out.push_sql(text);
            self.text.walk_ast(out.reborrow())?;
            out.push_sql(&format!("{between}{concat}{}{comma}{open}", any(before)));
            self.needle.0.walk_ast(out.reborrow())?;
            out.push_sql(&format!("{close}{comma}{}{end}{collation} ESCAPE '!'", any(behind)));
        }
        out.push_sql(")");
        Ok(())
    }
}

/// By which case and accents count.
const BINARY: &str = " COLLATE utf8mb4_bin";
/// Puts `!` before what would not stand for itself.
const ESCAPED: (&str, &str) = ("REPLACE(REPLACE(REPLACE(", ", '!', '!!'), '%', '!%'), '_', '!_')");

// `and` and `or` are Diesel's, by its blanket implementations on boolean expressions.

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_character_is_escaped() {
        let needle = "100%_[a]*?!";
        assert_eq!(like(needle, Anchor::Nowhere), "%100!%!_[a]*?!!%");
        assert_eq!(glob(needle, Anchor::Nowhere), "*100%_[[]a][*][?]!*");
    }

    #[test]
    fn an_anchor_leaves_one_end_open() {
        assert_eq!(like("a", Anchor::Start), "a%");
        assert_eq!((glob("a", Anchor::End), like("a", Anchor::Both)), ("*a".to_owned(), "a".to_owned()));
    }
}
