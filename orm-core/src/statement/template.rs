//! SQL of the program's own, with places for values.
//!
//! A value's place is `?` on every backend. To find the places, and them alone, the text is read as the backend reads it: what
//! stands in quotes and comments is not looked at.

use diesel::{
    QueryResult,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::Untyped,
};

use super::{Part, scan};
use crate::backend::{BackendKind, Driver};

/// A statement, cut at the places of its values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template {
    /// Between each two of them stands a value.
    pub(crate) pieces: Vec<String>,
}

impl Template {
    /// Cuts a statement, or says why it cannot be sent.
    pub(crate) fn new(sql: &str, backend: BackendKind) -> Result<Self, String> {
        scan::scan(sql, backend).map(|pieces| Template { pieces })
    }

    /// How many values it takes.
    pub(crate) fn places(&self) -> usize {
        self.pieces.len() - 1
    }
}

/// A statement of the program's own, with its values.
#[derive(Clone)]
pub(crate) struct Filled<'q, DB: Driver> {
    pub(crate) template: Template,
    /// As many as there are places.
    pub(crate) values: Vec<Part<'q, DB>>,
}

impl<DB: Driver> Query for Filled<'_, DB> {
    type SqlType = Untyped;
}
impl<DB: Driver> QueryId for Filled<'_, DB> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Driver> QueryFragment<DB> for Filled<'_, DB> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        let mut values = self.values.iter();
        for (i, piece) in self.template.pieces.iter().enumerate() {
            if i > 0
                && let Some(value) = values.next()
            {
                value.walk_ast(out.reborrow())?;
            }
            out.push_sql(piece);
        }
        Ok(())
    }
}
