//! One field type over one column type, as a primary key and as a reference to it.

use std::fmt::Debug;

use orm_core::{
    dsl::BoxedCondition,
    path::Root,
    prelude::*,
    queryset::{ReadableOn, Whole},
};
use orm_tests::Pick;

use crate::{
    cell::{Write, told},
    columns::Key,
    lab::Lab,
};

/// A model of the table `keyed`: the key under test, and a number.
pub(crate) trait Keyed:
    Model<New = Self>
    + orm_core::model::Insertable<Model = Self>
    + Clone
    + Debug
    + orm_core::WritableOn<Any>
    + orm_core::StorableOn<Any>
where
    Whole<Self>: ReadableOn<Any, Row = Self>,
{
    type Value: Clone + Debug;

    fn new(value: Self::Value, n: i32) -> Self;
    fn value(&self) -> &Self::Value;
    fn n(&self) -> i32;
    fn is(f: &Self::Fields<Root<Self>>, value: &Self::Value) -> BoxedCondition<'static, Self>;
    /// How many rows `in_bulk` gives; `None` where the key cannot be hashed.
    fn in_bulk(db: &Database, value: &Self::Value) -> Option<orm_core::Result<usize>>;
    fn save_n(&self, db: &Database) -> orm_core::Result<()>;
    fn update_n(&self, db: &Database) -> orm_core::Result<u64>;
    fn upsert(&self, db: &Database) -> orm_core::Result<u64>;
    /// The rows that refer to a key, with what `select_related` gives for it.
    fn joined(db: &Database) -> orm_core::Result<Vec<(i64, i32)>>;
    fn same(a: &Self::Value, b: &Self::Value) -> bool;
}

/// Uses each of these values as a key; returns what went wrong.
pub(crate) fn examine<K: Keyed>(lab: &mut Lab<'_>, values: &[(&'static str, K::Value)]) -> Vec<String>
where
    Whole<K>: ReadableOn<Any, Row = K>,
{
    let mut failures = Vec::new();
    for (literal, value) in values {
        lab.witness.execute("DELETE FROM keyed");
        lab.witness.execute("DELETE FROM referring");
        // SQLite's `INTEGER PRIMARY KEY` takes integers alone.
        if lab.witness.try_execute(&format!("INSERT INTO keyed (v, n, tag) VALUES ({literal}, 0, 1)")).is_err() {
            continue;
        }
        // Another row, which nothing may change; what is equal to the key in the database cannot be one.
        let other = values.iter().find(|(_, other)| !K::same(other, value));
        let has_other = other.is_some_and(|(other, _)| {
            lab.witness.try_execute(&format!("INSERT INTO keyed (v, n, tag) VALUES ({other}, 0, 2)")).is_ok()
        });
        let equal: Vec<_> =
            values.iter().filter(|(_, other)| K::same(other, value)).map(|(literal, _)| *literal).collect();
        for (id, literal) in equal.iter().enumerate() {
            lab.witness.execute(&format!("INSERT INTO referring (id, v) VALUES ({id}, {literal})"));
        }
        let mut fail = |what: &str, error: String| failures.push(format!("key {literal}: {what} {error}"));
        // A type that cannot be a key is refused wherever a row is found by it.
        let mut is_no_key = false;
        match K::joined(&lab.db) {
            Err(error) if error.kind() == ErrorKind::InvalidQuery => is_no_key = true,
            Ok(joined) if joined.len() == equal.len() => {}
            Ok(joined) => fail("join", format!("gives {} rows of {}", joined.len(), equal.len())),
            Err(error) => fail("join", told(&error)),
        }
        match K::objects(&lab.db).filter(|f| K::is(&f, value)).get() {
            Ok(row) if K::same(row.value(), value) && row.n() == 0 => {}
            Ok(row) => fail("get", format!("gives {row:?}")),
            Err(error) => fail("get", told(&error)),
        }
        let is_refused = |error: &orm_core::Error| is_no_key && error.kind() == ErrorKind::InvalidQuery;
        match K::in_bulk(&lab.db, value) {
            Some(Err(error)) if is_refused(&error) => {}
            None | Some(Ok(1)) => {}
            Some(Ok(rows)) => fail("in_bulk", format!("gives {rows} rows")),
            Some(Err(error)) => fail("in_bulk", told(&error)),
        }
        let mut row = K::new(value.clone(), 99);
        match row.refresh(&lab.db) {
            Err(error) if is_refused(&error) => {}
            Ok(()) if row.n() == 0 && !is_no_key => {}
            Ok(()) => fail("refresh", format!("gives {row:?}")),
            Err(error) => fail("refresh", told(&error)),
        }
        let row = |n| K::new(value.clone(), n);
        let db = lab.db.clone();
        let steps: [(&str, i32, Write); 6] = [
            ("save", 1, {
                let (db, row) = (db.clone(), row(1));
                Box::new(move || row.save(&db).map(|()| 1))
            }),
            ("save in a transaction", 2, {
                let (db, row) = (db.clone(), row(2));
                Box::new(move || db.transaction(|tx| row.save(tx)).map(|()| 1))
            }),
            ("save_fields", 3, {
                let (db, row) = (db.clone(), row(3));
                Box::new(move || row.save_n(&db).map(|()| 1))
            }),
            ("bulk_update", 4, {
                let (db, row) = (db.clone(), row(4));
                Box::new(move || row.update_n(&db))
            }),
            ("upsert", 5, {
                let (db, row) = (db.clone(), row(5));
                Box::new(move || row.upsert(&db))
            }),
            ("delete", 0, {
                let (db, row) = (db.clone(), row(0));
                Box::new(move || row.delete(&db).map(u64::from))
            }),
        ];
        // MySQL has no row in conflict by a key that is unique only with what follows its first characters.
        let whole = matches!(lab.column.key, Key::Whole);
        for (step, n, run) in steps.into_iter().filter(|(step, ..)| whole || *step != "upsert") {
            match run() {
                // What cannot be written is refused by each of them, and nothing is changed.
                Err(error) if error.kind() == ErrorKind::InvalidValue || is_refused(&error) => continue,
                Err(error) => fail(step, told(&error)),
                Ok(1) if !is_no_key => {}
                Ok(rows) => fail(step, format!("answers {rows}")),
            }
            let mut expected = if step == "delete" { vec![] } else { vec![format!("1: {n}")] };
            expected.extend(has_other.then(|| "2: 0".to_owned()));
            let concatenated = "coalesce(CAST(tag AS TEXT), 'none') || ': ' || CAST(n AS TEXT)";
            let rows = lab.bed.pick(Pick {
                postgres: concatenated,
                mysql: "concat(coalesce(tag, 'none'), ': ', n)",
                sqlite: concatenated,
            });
            let mut stored: Vec<_> =
                lab.witness.texts(&format!("SELECT {rows} FROM keyed")).into_iter().flatten().collect();
            stored.sort();
            if stored != expected {
                fail(step, format!("leaves {stored:?} instead of {expected:?}"));
                break;
            }
        }
    }
    failures
}
