//! JSON documents that are compared.

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, TypedExpressionType, ValidGrouping},
    query_builder::{AstPass, QueryFragment, QueryId},
};

use super::{facts, function::Words};
use crate::backend::Driver;

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
const MARIADB_EQUAL_FORM: &str = replacing! {
    r#"JSON_NORMALIZE(JSON_UNQUOTE(CONCAT('"', REPLACE("#,
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
    r#", '"', X'5C22'), '"')))"#
};

/// A JSON document in the form in which two that say the same are equal.
///
/// PostgreSQL's `JSON` has no `=`, and a cast of `JSONB` to itself is none. MySQL's documents are compared by what they say;
/// only MariaDB, which keeps their text, reads these comments.
const EQUAL_FORM: Words = Words::each(
    "CAST({0} AS JSONB)",
    MARIADB_EQUAL_FORM,
    // The function is registered with the type that needs it.
    if cfg!(feature = "serde_json") { "orm_json({0})" } else { "{0}" },
);

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
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(behind);
        Ok(())
    }
}
