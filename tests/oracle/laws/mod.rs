//! Laws that hold of any condition and any order, whatever the field's type; and where Rust can compare the values as the
//! database does, the rows themselves.
//!
//! The rows for which a condition is true, those for which its negation is, and those for which it is NULL are together
//! all rows, each once (Rigger and Su, "Finding Bugs in Database Systems via Query Partitioning", 2020). `thing.rs` has a
//! model of each field type, `condition.rs` generates the conditions.

mod condition;
mod thing;

use std::collections::BTreeSet;

use orm_core::{
    dsl::{BoxedCondition, not},
    prelude::*,
    queryset::{ReadableOn, Whole},
};
use orm_tests::{Bed, TestResult};

use self::{
    condition::{Leaf, leaf},
    thing::Thing,
};
use crate::{
    asked,
    asking::runner,
    naive::truth,
    question::{Tree, tree},
};

/// How many pairs of conditions each type is asked.
const QUESTIONS: u32 = 40;

type Ids = BTreeSet<i64>;

/// Checks all laws for one field type.
fn hold<T: Thing>(bed: &Bed) -> TestResult
where
    Whole<T>: ReadableOn<Any, Row = T>,
{
    let db = bed.db()?;
    let rows = T::rows();
    T::create_table(&db)?;
    T::bulk_create(&db, rows.clone())?;
    each_row_is_found::<T>(&db, &rows)?;
    orders_agree_with_comparisons::<T>(&db, &rows)?;
    groups_add_up::<T>(&db, &rows)?;
    let questions = (tree(leaf()), tree(leaf()));
    runner(QUESTIONS).check(&questions, |(p, q)| partitions::<T>(&db, &rows, p, q))
}

fn ask<T: Thing>(f: &T::Fields<orm_core::path::Root<T>>, tree: &Tree<Leaf>) -> BoxedCondition<'static, T>
where
    Whole<T>: ReadableOn<Any, Row = T>,
{
    asked::tree(tree, &|leaf| T::leaf(f, leaf))
}

fn unlike(what: &str, found: &impl std::fmt::Debug, right: &impl std::fmt::Debug, sql: &str) -> TestResult {
    Err(format!("{what} gives {found:?} instead of {right:?} for {sql}").into())
}

/// True, false and unknown are three parts of all rows, however they are asked for.
fn partitions<T: Thing>(db: &Database, rows: &[T], p: &Tree<Leaf>, q: &Tree<Leaf>) -> TestResult
where
    Whole<T>: ReadableOn<Any, Row = T>,
{
    let all: Ids = rows.iter().map(Thing::id).collect();
    let objects = || T::objects(db);
    let sql = objects().filter(|f| ask::<T>(&f, p)).sql()?;
    let ids = |what: &str, rows: QuerySet<'_, T>| -> Result<Ids, Box<dyn std::error::Error>> {
        let list = T::ids(rows).map_err(|error| format!("{what}: {error:?}"))?;
        let set: Ids = list.iter().copied().collect();
        if set.len() == list.len() { Ok(set) } else { Err(format!("{what} repeats rows: {list:?} for {sql}").into()) }
    };
    let is_true = ids("filter", objects().filter(|f| ask::<T>(&f, p)))?;
    let is_false = ids("filter(not)", objects().filter(|f| not(ask::<T>(&f, p))))?;
    let is_null = ids("filter(is_null)", objects().filter(|f| ask::<T>(&f, p).is_null()))?;
    if is_known(p, rows) {
        let by_hand = |wanted: Option<bool>| -> Ids {
            let truth_of = |row: &&T| truth(p, &|leaf| row.holds(leaf, rows).flatten()) == wanted;
            rows.iter().filter(truth_of).map(Thing::id).collect()
        };
        let right = (by_hand(Some(true)), by_hand(Some(false)), by_hand(None));
        if (&is_true, &is_false, &is_null) != (&right.0, &right.1, &right.2) {
            return unlike("the partition", &(&is_true, &is_false, &is_null), &right, &sql);
        }
    }
    if !is_true.is_disjoint(&is_false) || !is_true.is_disjoint(&is_null) || !is_false.is_disjoint(&is_null) {
        return unlike("the partition", &(&is_true, &is_false, &is_null), &"three parts without a row in common", &sql);
    }
    let together: Ids = is_true.iter().chain(&is_false).chain(&is_null).copied().collect();
    if together != all {
        let missing: Ids = all.difference(&together).copied().collect();
        return unlike("the partition", &(&is_true, &is_false, &is_null), &format!("one with {missing:?}"), &sql);
    }

    let complement = |of: &Ids| all.difference(of).copied().collect::<Ids>();
    let excluded = ids("exclude", objects().exclude(|f| ask::<T>(&f, p)))?;
    if excluded != complement(&is_true) {
        return unlike("exclude", &excluded, &complement(&is_true), &sql);
    }
    let excluded = ids("exclude(not)", objects().exclude(|f| not(ask::<T>(&f, p))))?;
    if excluded != complement(&is_false) {
        return unlike("exclude(not)", &excluded, &complement(&is_false), &sql);
    }
    let twice = ids("not(not)", objects().filter(|f| not(not(ask::<T>(&f, p)))))?;
    if twice != is_true {
        return unlike("not(not)", &twice, &is_true, &sql);
    }
    let kept = objects().filter(|f| ask::<T>(&f, p));
    let counts = (kept.count()?, kept.exists()?, kept.load()?.len(), kept.clone().try_iterator(7)?.count());
    let right = (is_true.len() as u64, !is_true.is_empty(), is_true.len(), is_true.len());
    if counts != right {
        return unlike("count, exists, load and iterator", &counts, &right, &sql);
    }
    // The condition as a value of each row.
    let values = T::flags(objects(), &|f| ask::<T>(f, p))?;
    let flagged = |wanted| values.iter().filter(|(_, flag)| *flag == wanted).map(|(id, _)| *id).collect::<Ids>();
    let flags = (flagged(Some(true)), flagged(Some(false)), flagged(None));
    if (&flags.0, &flags.1, &flags.2) != (&is_true, &is_false, &is_null) {
        return unlike("values", &flags, &(is_true, is_false, is_null), &sql);
    }

    let other = ids("filter", objects().filter(|f| ask::<T>(&f, q)))?;
    let (both, either) = (&is_true & &other, &is_true | &other);
    let of_p = || T::objects(db).filter(|f| ask::<T>(&f, p));
    let of_q = || T::objects(db).filter(|f| ask::<T>(&f, q));
    let two = Tree::All(vec![p.clone(), q.clone()]);
    let one = Tree::Any(vec![p.clone(), q.clone()]);
    let combined = [
        ("filter of both", ids("filter of both", of_p().filter(|f| ask::<T>(&f, q)))?, &both),
        ("and", ids("and", objects().filter(|f| ask::<T>(&f, &two)))?, &both),
        ("or", ids("or", objects().filter(|f| ask::<T>(&f, &one)))?, &either),
    ];
    for (what, found, right) in combined {
        if found != *right {
            return unlike(what, &found, right, &sql);
        }
    }
    if T::HAS_EQUALITY {
        let sets = [
            ("union", ids("union", of_p().union([of_q()]))?, either),
            ("intersection", ids("intersection", of_p().intersection([of_q()]))?, both),
            ("difference", ids("difference", of_p().difference([of_q()]))?, &is_true - &other),
        ];
        for (what, found, right) in sets {
            if found != right {
                return unlike(what, &found, &right, &sql);
            }
        }
    }
    // A limit and an offset cut the same list.
    let list: Vec<i64> = is_true.iter().copied().collect();
    let cut = T::ids(of_p().limit(3).offset(2))?;
    let right: Vec<i64> = list.into_iter().skip(2).take(3).collect();
    if cut != right {
        return unlike("limit and offset", &cut, &right, &sql);
    }
    Ok(())
}

/// Whether Rust can tell the truth of a condition for each row.
fn is_known<T: Thing>(tree: &Tree<Leaf>, rows: &[T]) -> bool
where
    Whole<T>: ReadableOn<Any, Row = T>,
{
    match tree {
        Tree::Is(leaf) => rows.iter().all(|row| row.holds(leaf, rows).is_some()),
        Tree::All(trees) | Tree::Any(trees) => trees.iter().all(|tree| is_known(tree, rows)),
        Tree::Not(tree) => is_known(tree, rows),
    }
}

/// A row that was loaded is found by its values, all of them and each.
fn each_row_is_found<T: Thing>(db: &Database, rows: &[T]) -> TestResult
where
    Whole<T>: ReadableOn<Any, Row = T>,
{
    let loaded = T::objects(db).load()?;
    if loaded.len() != rows.len() {
        return Err(format!("{} rows of {} are loaded", loaded.len(), rows.len()).into());
    }
    for row in &loaded {
        let Some(stored) = rows.iter().find(|stored| stored.id() == row.id()) else {
            return Err(format!("{row:?} was never stored").into());
        };
        if stored != row {
            return Err(format!("{stored:?} was stored, and {row:?} is loaded").into());
        }
        let found = T::ids(T::objects(db).filter(|f| T::itself(&f, row, true)))?;
        if found != [row.id()] {
            return Err(format!("by all its fields {row:?} is found as {found:?}").into());
        }
        let found = T::ids(T::objects(db).filter(|f| T::itself(&f, row, false)))?;
        let right: Vec<i64> = loaded.iter().filter(|other| T::is_alike(other, row)).map(Thing::id).collect();
        if found.iter().copied().collect::<Ids>() != right.iter().copied().collect() {
            return Err(format!("by its values {row:?} is found as {found:?} instead of {right:?}").into());
        }
    }
    Ok(())
}

/// Rows in the order of a field are in the order of `lt`, and the first and the last are the least and the greatest.
fn orders_agree_with_comparisons<T: Thing>(db: &Database, rows: &[T]) -> TestResult
where
    Whole<T>: ReadableOn<Any, Row = T>,
{
    let ordered = T::ordered(db)?;
    let mut ranks = Vec::new();
    for id in &ordered {
        let row = rows.iter().find(|row| row.id() == *id).ok_or("no such row")?;
        ranks.push(T::less_than(db, row)?);
    }
    if ordered.len() != rows.len() || !ranks.is_sorted() {
        return Err(format!("the rows {ordered:?} come after {ranks:?} lesser ones each").into());
    }
    let first = |ids: &[i64]| ids.first().and_then(|id| rows.iter().find(|row| row.id() == *id)).cloned();
    let reversed: Vec<i64> = ordered.iter().rev().copied().collect();
    T::check_ends(db, first(&ordered), first(&reversed))
}

/// The counts of groups are those of the rows that are equal to their keys.
fn groups_add_up<T: Thing>(db: &Database, rows: &[T]) -> TestResult
where
    Whole<T>: ReadableOn<Any, Row = T>,
{
    let groups = T::groups(db)?;
    let total: i64 = groups.iter().map(|(_, count, _)| count).sum();
    if total != rows.len() as i64 {
        return Err(format!("{} rows are counted as {total} in groups", rows.len()).into());
    }
    for (key, count, found) in groups {
        if count != found {
            return Err(format!("the group of {key} has {count} rows, and eq finds {found}").into());
        }
    }
    Ok(())
}
