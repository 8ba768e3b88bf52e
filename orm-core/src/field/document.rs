//! JSON documents that are compared.
//!
//! Documents are equal where they say the same. PostgreSQL's `JSONB`, MySQL's `JSON` and the collation `orm_json` on SQLite
//! compare them so, wherever they stand. PostgreSQL's `JSON` has no comparisons, and MariaDB compares the text. So on these
//! backends a document is written in another form where it is compared: in conditions by [`SameDocument`], elsewhere by the
//! [`Place`] where it stands.

use std::cell::Cell;

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, TypedExpressionType, ValidGrouping},
    query_builder::{AstPass, QueryFragment, QueryId},
    result::Error::QueryBuilderError,
};

use super::{facts, function::Words};
use crate::{
    backend::{BackendKind, Driver},
    model::{Column, Table},
    sql_types::ColumnType,
};

/// The first argument, which is repeated, in place of the second.
macro_rules! for_each {
    ($_each:literal, $text:literal) => {
        $text
    };
}

/// An expression of `{0}`, each of whose results is the text in which the next replacement is made. All texts are written in
/// hexadecimal digits, because what a backslash means in a literal depends on `sql_mode`.
macro_rules! replacing {
    (
        $before:literal,
        replace { $($from:literal => $to:literal,)+ }
        match { $($pattern:literal => $by:literal,)+ }
        $behind:literal
    ) => {
        concat!(
            "/*M!100700 ", $before,
            $( for_each!($pattern, "REGEXP_REPLACE("), )+
            $( for_each!($from, "REPLACE("), )+
            "CONVERT( */ {0} /*M!100700 USING utf8mb4) COLLATE utf8mb4_bin",
            $( ", X'", $from, "', X'", $to, "')", )+
            $( ", X'", $pattern, "', X'", $by, "')", )+
            $behind, " */"
        )
    };
}

/// How MariaDB, which keeps the text of a document, compares it; no other server reads these comments.
///
/// `JSON_NORMALIZE` takes away spaces, the order of keys and the spelling of numbers, and leaves strings as they are spelled.
/// So `JSON_UNQUOTE` reads the document first, as if it were one string, and replaces escapes by the characters that they stand
/// for. Quotes, backslashes and control characters have to stay escapes: they are spelled `\u00xx`, in small letters, and have
/// another backslash before them. Once escaped backslashes are spelled so, every backslash is the beginning of an escape.
/// `JSON_NORMALIZE` reads beyond the end of a text that ends with an exponent, such as `1e3`, so a space is appended.
const MARIADB_EQUAL_FORM: &str = replacing! {
    r#"JSON_NORMALIZE(CONCAT(JSON_UNQUOTE(CONCAT('"', REPLACE("#,
    replace {
        "5C5C" => "5C7530303563", // \\ by \u005c
        "5C22" => "5C7530303232", // \" by \u0022
        "5C2F" => "2F", // \/ by /
        "5C62" => "5C7530303038", // \b by \u0008
        "5C66" => "5C7530303063", // \f by \u000c
        "5C6E" => "5C7530303061", // \n by \u000a
        "5C72" => "5C7530303064", // \r by \u000d
        "5C74" => "5C7530303039", // \t by \u0009
        "5C7530303543" => "5C7530303563", // \u005C by \u005c
    }
    match {
        "283F3C3D5C5C7530305B30315D2941" => "61", // (?<=\\u00[01])A by a
        "283F3C3D5C5C7530305B30315D2942" => "62",
        "283F3C3D5C5C7530305B30315D2943" => "63",
        "283F3C3D5C5C7530305B30315D2944" => "64",
        "283F3C3D5C5C7530305B30315D2945" => "65",
        "283F3C3D5C5C7530305B30315D2946" => "66",
        // \\u(00[01].|0022|005c) by \\\\u\1
        "5C5C752830305B30315D2E7C303032327C3030356329" => "5C5C5C5C755C31",
    }
    r#", '"', X'5C22'), '"')), ' '))"#
};

/// A JSON document in the form in which two that say the same are equal.
///
/// PostgreSQL ignores a cast of `JSONB` to itself. MySQL and the collation on SQLite compare documents by what they say.
const EQUAL_FORM: Words = Words::each("CAST({0} AS JSONB)", MARIADB_EQUAL_FORM, "{0}");

/// One document of a group of equal ones.
const ONE_OF_GROUP: Words = Words::each("CAST({0} AS JSONB)", "/*M!100700 MIN( */ {0} /*M!100700 ) */", "{0}");

/// Where an expression stands, as far as the form of a document depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Place {
    /// Where it is read, or where what stands around it says how it is compared.
    #[default]
    Elsewhere,
    /// Where values are compared and not read: ORDER BY, GROUP BY, PARTITION BY, a subquery of IN.
    Compared,
    /// Where values are compared and read: SELECT DISTINCT.
    ReadOnce,
    /// Where they are also compared with those of another column: UNION, INTERSECT, EXCEPT.
    United,
    /// The key of a group where it is read, or a part of an expression of the group.
    OfGroup,
}

thread_local! {
    static PLACE: Cell<Place> = const { Cell::new(Place::Elsewhere) };
}

impl Place {
    /// Runs `write`; the outermost expression of ours that it writes stands in this place.
    pub(crate) fn of<T>(self, write: impl FnOnce() -> T) -> T {
        struct Restore(Place);
        impl Drop for Restore {
            fn drop(&mut self) {
                PLACE.set(self.0);
            }
        }
        let _restore = Restore(PLACE.replace(self));
        write()
    }

    /// Whether an expression stands in this place, if it is one of ours and no part of another.
    pub(crate) fn is_here(self) -> bool {
        PLACE.get() == self
    }

    /// Writes an expression of this type in the form that its place wants; what it consists of stands elsewhere.
    pub(crate) fn write<'b, DB: Driver>(
        column: ColumnType,
        name: impl FnOnce() -> String,
        mut out: AstPass<'_, 'b, DB>,
        write: impl FnOnce(AstPass<'_, 'b, DB>) -> QueryResult<()>,
    ) -> QueryResult<()> {
        let place = PLACE.get();
        if place == Place::Elsewhere {
            return write(out);
        }
        let form = match place {
            _ if !column.is_document() => Words::alike("{0}"),
            Place::Elsewhere => Words::alike("{0}"),
            Place::ReadOnce | Place::United if DB::KIND == BackendKind::Mysql => {
                return Err(QueryBuilderError(
                    format!(
                        "{} holds JSON documents, which MariaDB compares as text, so that `distinct`, `union`, `intersection` and \
                         `difference` would keep documents that are equal; use `group_by` of the field, or select the primary \
                         key as well and compare the documents in the program",
                        name()
                    )
                    .into(),
                ));
            }
            Place::Compared | Place::ReadOnce | Place::United => EQUAL_FORM,
            Place::OfGroup => ONE_OF_GROUP,
        };
        let (before, behind) = form.around(DB::KIND);
        out.push_sql(before);
        Place::Elsewhere.of(|| write(out.reborrow()))?;
        out.push_sql(behind);
        Ok(())
    }
}

/// Why rows are not found by documents on MySQL and MariaDB, where an index compares the text.
pub(crate) fn no_key(table: &Table, column: &Column) -> diesel::result::Error {
    QueryBuilderError(
        format!(
            "`{}.{}` holds JSON documents, and a document cannot be a key on MySQL and MariaDB, nor refer to one: an index of \
             MariaDB's takes two texts of one document for two; make the field a `String`, or find the rows by `filter`",
            table.model, column.field
        )
        .into(),
    )
}

/// A JSON document that is compared with another.
#[derive(Clone, Copy, Debug)]
#[must_use = "an expression does nothing until it is used in a query"]
pub struct SameDocument<E>(E);

impl<E> SameDocument<E> {
    pub(crate) fn new(document: E) -> Self {
        SameDocument(document)
    }
}

impl<E: Expression<SqlType: TypedExpressionType>> Expression for SameDocument<E> {
    type SqlType = E::SqlType;
}
impl<QS, E: AppearsOnTable<QS>> AppearsOnTable<QS> for SameDocument<E> where Self: Expression {}
impl<QS, E: SelectableExpression<QS>> SelectableExpression<QS> for SameDocument<E> where Self: AppearsOnTable<QS> {}
impl<G, E: ValidGrouping<G>> ValidGrouping<G> for SameDocument<E> {
    type IsAggregate = E::IsAggregate;
}

impl<E> QueryId for SameDocument<E> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Driver, E: QueryFragment<DB>> QueryFragment<DB> for SameDocument<E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        facts::known::<Self>();
        facts::expect::<E>();
        let (before, behind) = EQUAL_FORM.around(DB::KIND);
        out.push_sql(before);
        Place::Elsewhere.of(|| self.0.walk_ast(out.reborrow()))?;
        out.push_sql(behind);
        Ok(())
    }
}
