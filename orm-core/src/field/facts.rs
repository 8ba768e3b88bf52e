//! What an expression reads, reported by the expression itself while it is written.
//!
//! Expressions are kept without their types, and may hold parts of Diesel's or of the program's own, which write whatever
//! they like. So each of our expressions reports two things when it is written: that it is one of ours
//! ([`known`]), and which parts it is about to write ([`expect`]). A part that was expected and did not report itself is
//! not ours: the expression is [opaque](Facts::opaque), and what it reads is unknown. Fields report their column, and
//! SELECT reports its tables.

use std::{any::type_name, cell::RefCell};

use diesel::{QueryResult, query_builder::QueryFragment};

use crate::{backend::Driver, model::Table};

/// What an expression reads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// Columns, by the alias of their table.
    columns: Vec<(String, &'static str)>,
    /// The tables of its subqueries.
    tables: Vec<&'static Table>,
    /// It has a window of ours.
    pub(crate) window: bool,
    /// It has an aggregate of ours, of the rows of its own query.
    pub(crate) aggregate: bool,
    /// It has parts that are not ours, which may read anything.
    pub(crate) opaque: bool,
}

impl Facts {
    /// Whether it may read this column of the table with this alias.
    pub(crate) fn may_read(&self, alias: &str, column: &str) -> bool {
        self.opaque || self.columns.iter().any(|(a, c)| a == alias && *c == column)
    }

    /// Whether it may read any column of the table with this alias.
    pub(crate) fn may_read_alias(&self, alias: &str) -> bool {
        self.opaque || self.columns.iter().any(|(a, _)| a == alias)
    }

    /// Whether one of its subqueries that are known is of this table.
    pub(crate) fn selects_from(&self, table: &Table) -> bool {
        self.tables.iter().any(|selected| selected.is(table))
    }
}

#[derive(Default)]
struct Recorder {
    facts: Facts,
    /// The types of the parts that have not reported themselves yet.
    expected: Vec<&'static str>,
    /// How many subqueries are being written.
    depth: usize,
}

thread_local! {
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

/// What an expression reads; the expression itself has to be one that calls [`expect`] for its parts.
pub(crate) fn facts_of<DB: Driver>(expression: &(impl QueryFragment<DB> + ?Sized)) -> QueryResult<Facts> {
    let _restore = Restore(RECORDER.replace(Some(Recorder::default())));
    DB::sql(expression)?;
    let Recorder { mut facts, expected, .. } = RECORDER.take().unwrap_or_default();
    facts.opaque |= !expected.is_empty();
    Ok(facts)
}

/// The recorder outside, which goes on when an expression was written, or has panicked.
struct Restore(Option<Recorder>);

impl Drop for Restore {
    fn drop(&mut self) {
        RECORDER.set(self.0.take());
    }
}

fn record(note: impl FnOnce(&mut Recorder)) {
    RECORDER.with_borrow_mut(|recorder| {
        if let Some(recorder) = recorder {
            note(recorder);
        }
    });
}

/// Reports an expression of ours, when it is written.
// A type is identified by its name, because the types are not `'static`. Two types with one name would be mistaken for each other, but
// the names of ours begin with this crate's, so that no foreign type has one.
pub(crate) fn known<E: ?Sized>() {
    record(|recorder| {
        let name = type_name::<E>();
        if let Some(at) = recorder.expected.iter().position(|expected| *expected == name) {
            recorder.expected.swap_remove(at);
        }
    });
}

/// Reports a part that is about to be written.
pub(crate) fn expect<E: ?Sized>() {
    record(|recorder| {
        if !is_bound(type_name::<E>()) {
            recorder.expected.push(type_name::<E>());
        }
    });
}

/// Whether it is Diesel's bind parameter, which reads nothing and reports nothing.
fn is_bound(name: &str) -> bool {
    let bound = type_name::<crate::__private::Bound<(), ()>>();
    bound.split_once('<').is_some_and(|(bound, _)| name.strip_prefix(bound).is_some_and(|rest| rest.starts_with('<')))
}

/// Reports a window.
pub(crate) fn window() {
    record(|recorder| recorder.facts.window = true);
}

/// Reports an aggregate.
pub(crate) fn aggregate() {
    record(|recorder| recorder.facts.aggregate |= recorder.depth == 0);
}

/// Reports a subquery, which is written until this is dropped.
pub(crate) fn subquery() -> Subquery {
    record(|recorder| recorder.depth += 1);
    Subquery
}

pub(crate) struct Subquery;

impl Drop for Subquery {
    fn drop(&mut self) {
        record(|recorder| recorder.depth = recorder.depth.saturating_sub(1));
    }
}

/// Reports that a column is read.
pub(crate) fn reads(alias: impl FnOnce() -> String, column: &'static str) {
    record(|recorder| recorder.facts.columns.push((alias(), column)));
}

/// Reports that rows of a table are read.
pub(crate) fn selects_from(table: &'static Table) {
    record(|recorder| recorder.facts.tables.push(table));
}
