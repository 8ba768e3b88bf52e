//! One field type over one column type, as an ordinary field.

use std::{cmp::Ordering, fmt::Debug};

use orm_core::{
    dsl::BoxedCondition,
    path::Root,
    prelude::*,
    queryset::{ReadableOn, Whole},
};

use crate::lab::{Lab, Verdict};

/// A write, and the number of rows that it changed.
pub(crate) type Write = Box<dyn Fn() -> orm_core::Result<u64>>;

/// A condition on the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Eq,
    Ne,
    Lt,
    Gt,
    /// `>=` and `<=` the same value.
    Within,
    Between,
    In,
    /// One of so many values that they are not bound one by one.
    InMany,
    NotIn,
    NotInMany,
}

/// A model of the table `held` or `maybe`: a key, the field under test, and a number.
pub(crate) trait Held:
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
    const TABLE_NAME: &'static str;
    /// Whether the values have an order that means something; documents have none.
    const HAS_ORDER: bool;

    fn new(id: i64, value: Self::Value) -> Self;
    fn id(&self) -> i64;
    fn value(&self) -> &Self::Value;

    fn has_id(f: &Self::Fields<Root<Self>>, id: i64) -> BoxedCondition<'static, Self>;
    fn condition(f: &Self::Fields<Root<Self>>, by: By, value: &Self::Value) -> BoxedCondition<'static, Self>;
    fn ids(rows: QuerySet<'_, Self>) -> orm_core::Result<Vec<i64>>;
    /// In the ascending order of the values.
    fn sorted(rows: QuerySet<'_, Self>) -> orm_core::Result<Vec<(i64, Self::Value)>>;
    fn distinct(rows: QuerySet<'_, Self>) -> orm_core::Result<Vec<Self::Value>>;
    fn groups(rows: QuerySet<'_, Self>) -> orm_core::Result<Vec<(Self::Value, i64)>>;
    fn set(rows: QuerySet<'_, Self>, value: Self::Value) -> orm_core::Result<u64>;
    fn save_value(&self, db: &Database) -> orm_core::Result<()>;
    fn update_value(&self, db: &Database) -> orm_core::Result<u64>;
    fn verdict(db: &Database) -> Verdict;

    fn same(a: &Self::Value, b: &Self::Value) -> bool;
    /// The order of the Rust type, where the database's is the same by its definition.
    fn order(a: &Self::Value, b: &Self::Value) -> Option<Ordering>;
    fn is_null(value: &Self::Value) -> bool;
    /// Values to write.
    fn samples() -> Vec<Self::Value>;
}

/// What came of a cell.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The literals whose values are read.
    pub(crate) read: Vec<&'static str>,
    /// Those whose reading is refused.
    pub(crate) refused: Vec<&'static str>,
    /// Those that are read, and whose writing is refused before anything is sent.
    pub(crate) write_only_refused: Vec<&'static str>,
    /// Whether every condition on the field is refused, by the server: it has no comparison of the column's type.
    pub(crate) find_refused: bool,
    /// Values that are stored as others, without an error.
    pub(crate) altered: Vec<String>,
    pub(crate) failures: Vec<String>,
}

/// A row that was read.
struct Good<V> {
    id: i64,
    literal: &'static str,
    value: V,
}

pub(crate) fn examine<H: Held>(lab: &mut Lab<'_>) -> Outcome
where
    Whole<H>: ReadableOn<Any, Row = H>,
{
    let mut cell = Cell { outcome: Outcome::default(), lab };
    let good = cell.read::<H>();
    if !good.is_empty() {
        cell.outcome.find_refused = cell.refuses_conditions(&good);
        if !cell.outcome.find_refused {
            cell.find(&good);
            cell.order_and_group(&good);
        }
        cell.write_back(&good);
    }
    if !good.is_empty() || H::verdict(&cell.lab.db) != Verdict::Unfit {
        cell.write_samples::<H>();
    }
    cell.outcome
}

struct Cell<'l, 'b> {
    outcome: Outcome,
    lab: &'l mut Lab<'b>,
}

impl Cell<'_, '_> {
    fn fail(&mut self, what: impl Into<String>) {
        self.outcome.failures.push(what.into());
    }

    fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.fail(what());
        }
    }

    /// The value of a step, or a failure.
    fn done<T>(&mut self, what: &str, result: orm_core::Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.fail(format!("{what}: {}", told(&error)));
                None
            }
        }
    }

    fn with_id<H: Held>(&self, id: i64) -> QuerySet<'_, H>
    where
        Whole<H>: ReadableOn<Any, Row = H>,
    {
        H::objects(&self.lab.db).filter(|f| H::has_id(&f, id))
    }

    /// Reads each row, and removes those whose reading is refused.
    fn read<H: Held>(&mut self) -> Vec<Good<H::Value>>
    where
        Whole<H>: ReadableOn<Any, Row = H>,
    {
        self.lab.fill(H::TABLE_NAME);
        let mut good = Vec::new();
        for (id, literal) in self.lab.rows() {
            let read = self.with_id::<H>(id).get();
            match read {
                Ok(row) => {
                    self.outcome.read.push(literal);
                    good.push(Good { id, literal, value: row.value().clone() });
                }
                Err(error) => {
                    self.outcome.refused.push(literal);
                    let told_of = (error.kind(), error.model(), error.field(), error.row(), error.key());
                    let key = id.to_string();
                    let right = (ErrorKind::Decode, Some(H::TABLE.model), Some("v"), Some(1), Some(key.as_str()));
                    self.check(told_of == right, || format!("reading {literal} is refused with {}", told(&error)));
                }
            }
        }
        if !self.outcome.refused.is_empty() {
            let good: Vec<_> = good.iter().map(|row| row.id.to_string()).chain(["0".to_owned()]).collect();
            self.lab.witness.execute(&format!("DELETE FROM {} WHERE id NOT IN ({})", H::TABLE_NAME, good.join(", ")));
        }
        let as_read = |rows: &[H]| {
            rows.len() == good.len()
                && rows.iter().all(|row| good.iter().any(|g| g.id == row.id() && H::same(&g.value, row.value())))
        };
        if let Some(rows) = {
            let rows = H::objects(&self.lab.db).load();
            self.done("load", rows)
        } {
            self.check(as_read(&rows), || "load gives other rows than get".into());
        }
        let streamed = H::objects(&self.lab.db).try_iterator(3).and_then(Iterator::collect::<orm_core::Result<Vec<_>>>);
        if let Some(rows) = self.done("iterator", streamed) {
            self.check(as_read(&rows), || "a stream gives other rows than get".into());
        }
        good
    }

    /// Whether the first condition is refused as one that the server cannot compute; then all have to be.
    fn refuses_conditions<H: Held>(&mut self, good: &[Good<H::Value>]) -> bool
    where
        Whole<H>: ReadableOn<Any, Row = H>,
    {
        let Some(row) = good.iter().find(|row| !H::is_null(&row.value)) else { return false };
        let refused = |by| {
            let ids = H::ids(H::objects(&self.lab.db).filter(|f| H::condition(&f, by, &row.value)));
            matches!(ids, Err(error) if error.kind() == ErrorKind::InvalidQuery)
        };
        if !refused(By::Eq) {
            return false;
        }
        let all = [By::Ne, By::Lt, By::Gt, By::Within, By::Between, By::In, By::InMany, By::NotIn, By::NotInMany]
            .map(refused);
        self.check(all == [true; 9], || format!("eq is refused, and of the other conditions {all:?}"));
        true
    }

    /// Every condition finds the row, and no row that is not equal.
    fn find<H: Held>(&mut self, good: &[Good<H::Value>])
    where
        Whole<H>: ReadableOn<Any, Row = H>,
    {
        let all: Vec<i64> = good.iter().map(|row| row.id).collect();
        let nulls: Vec<i64> = good.iter().filter(|row| H::is_null(&row.value)).map(|row| row.id).collect();
        for row in good.iter().filter(|row| !H::is_null(&row.value)) {
            let equal: Vec<i64> =
                good.iter().filter(|other| H::same(&other.value, &row.value)).map(|row| row.id).collect();
            let mut allowed = equal.clone();
            if self.lab.column.loose {
                allowed.extend(self.lab.equal_to(H::TABLE_NAME, row.id));
            }
            let Some(found) = self.found::<H>(By::Eq, row) else { continue };
            let right = equal.iter().all(|id| found.contains(id)) && found.iter().all(|id| allowed.contains(id));
            self.check(right, || format!("eq({}) finds rows {found:?} instead of {equal:?}", row.literal));
            let others: Vec<i64> =
                all.iter().filter(|id| !found.contains(id) && !nulls.contains(id)).copied().collect();
            // Long lists take their time.
            let is_one_of_few = good.iter().take(3).any(|other| other.id == row.id);
            let wanted = |by: &By| is_one_of_few || !matches!(by, By::InMany | By::NotInMany);
            let orders = if H::HAS_ORDER { &[By::Between, By::Within][..] } else { &[] };
            for by in [By::In, By::InMany].iter().chain(orders).copied().filter(wanted) {
                if let Some(by_another) = self.found::<H>(by, row) {
                    self.check(by_another == found, || {
                        format!("{by:?}({}) finds rows {by_another:?}, and eq {found:?}", row.literal)
                    });
                }
            }
            for by in [By::Ne, By::NotIn, By::NotInMany].into_iter().filter(wanted) {
                if let Some(not_equal) = self.found::<H>(by, row) {
                    self.check(not_equal == others, || {
                        format!("{by:?}({}) finds rows {not_equal:?} instead of {others:?}", row.literal)
                    });
                }
            }
            let excluded = H::ids(H::objects(&self.lab.db).exclude(|f| H::condition(&f, By::Ne, &row.value)));
            if let Some(excluded) = self.done("exclude", excluded) {
                let right: Vec<i64> =
                    all.iter().filter(|id| found.contains(id) || nulls.contains(id)).copied().collect();
                self.check(excluded == right, || {
                    format!("exclude(ne({})) gives rows {excluded:?} instead of {right:?}", row.literal)
                });
            }
            let count = H::objects(&self.lab.db).filter(|f| H::condition(&f, By::Eq, &row.value)).count();
            if let Some(count) = self.done("count", count) {
                self.check(count == found.len() as u64, || format!("count(eq({})) is {count}", row.literal));
            }
            if !H::HAS_ORDER {
                continue;
            }
            // One of <, = and > holds of each row.
            let (less, greater) = (self.found::<H>(By::Lt, row), self.found::<H>(By::Gt, row));
            if let (Some(less), Some(greater)) = (less, greater) {
                let mut together = [&less[..], &found, &greater, &nulls].concat();
                together.sort_unstable();
                self.check(together == all, || {
                    format!("lt({0}) finds {less:?}, eq {found:?} and gt {greater:?} of {all:?}", row.literal)
                });
                let by_rust = |wanted| {
                    let others = good.iter().filter(|other| H::order(&other.value, &row.value) == Some(wanted));
                    others.map(|row| row.id).collect::<Vec<_>>()
                };
                if H::order(&row.value, &row.value).is_some() {
                    let right = by_rust(Ordering::Less);
                    self.check(less == right, || format!("lt({}) finds {less:?} instead of {right:?}", row.literal));
                }
            }
        }
    }

    fn found<H: Held>(&mut self, by: By, row: &Good<H::Value>) -> Option<Vec<i64>>
    where
        Whole<H>: ReadableOn<Any, Row = H>,
    {
        let ids = H::ids(H::objects(&self.lab.db).filter(|f| H::condition(&f, by, &row.value)));
        match ids {
            // Long lists of some types are refused before anything is sent.
            Err(error) if error.kind() == ErrorKind::InvalidQuery && matches!(by, By::InMany | By::NotInMany) => None,
            ids => self.done(&format!("{by:?}({})", row.literal), ids),
        }
    }

    fn order_and_group<H: Held>(&mut self, good: &[Good<H::Value>])
    where
        Whole<H>: ReadableOn<Any, Row = H>,
    {
        let sorted = H::sorted(H::objects(&self.lab.db));
        let values: Vec<&Good<H::Value>> = good.iter().filter(|row| !H::is_null(&row.value)).collect();
        if let Some(sorted) = self.done("order_by", sorted) {
            let sorted: Vec<_> = sorted.into_iter().filter(|(_, value)| !H::is_null(value)).collect();
            self.check(sorted.len() == values.len(), || "order_by gives another number of rows".into());
            let wrong = sorted.windows(2).find(|pair| H::order(&pair[0].1, &pair[1].1) == Some(Ordering::Greater));
            self.check(wrong.is_none(), || format!("order_by gives {wrong:?} in this order"));
        }
        // The rows that each value is equal to, as the database is asked.
        let mut classes: Vec<(usize, Vec<i64>)> = Vec::new();
        for (at, row) in values.iter().enumerate() {
            let Some(found) = self.found::<H>(By::Eq, row) else { return };
            if !classes.iter().any(|(_, class)| *class == found) {
                classes.push((at, found));
            }
        }
        let class_of = |value: &H::Value| {
            let at = values.iter().find(|row| H::same(&row.value, value)).map(|row| row.id)?;
            classes.iter().find(|(_, class)| class.contains(&at)).map(|(_, class)| class.len() as i64)
        };
        let distinct = H::distinct(H::objects(&self.lab.db));
        // Documents are text to MariaDB, and of equal ones none could be chosen.
        let is_refused = !H::HAS_ORDER && distinct.as_ref().is_err_and(|error| error.kind() == ErrorKind::InvalidQuery);
        if !is_refused && let Some(distinct) = self.done("distinct", distinct) {
            let distinct: Vec<_> = distinct.into_iter().filter(|value| !H::is_null(value)).collect();
            let right = distinct.len() == classes.len() && distinct.iter().all(|value| class_of(value).is_some());
            self.check(right, || format!("distinct gives {distinct:?}, of {} values that differ", classes.len()));
        }
        let groups = H::groups(H::objects(&self.lab.db));
        if let Some(groups) = self.done("group_by", groups) {
            let groups: Vec<_> = groups.into_iter().filter(|(value, _)| !H::is_null(value)).collect();
            let right =
                groups.len() == classes.len() && groups.iter().all(|(value, count)| class_of(value) == Some(*count));
            self.check(right, || format!("group_by gives {groups:?}, of {} values that differ", classes.len()));
        }
    }

    /// Each value that was read is written, to its own row and to a new one.
    fn write_back<H: Held>(&mut self, good: &[Good<H::Value>])
    where
        Whole<H>: ReadableOn<Any, Row = H>,
    {
        let all = good.len() as i64;
        for row in good {
            let (id, literal) = (row.id, row.literal);
            let model = H::new(id, row.value.clone());
            let new = H::new(1_000_000, row.value.clone());
            let another = H::new(1_000_001, row.value.clone());
            let db = self.lab.db.clone();
            let steps: [(&str, i64, Write); 6] = [
                ("update", id, {
                    let value = row.value.clone();
                    let db = db.clone();
                    Box::new(move || H::set(H::objects(&db).filter(|f| H::has_id(&f, id)), value.clone()))
                }),
                ("save", id, {
                    let (db, model) = (db.clone(), model.clone());
                    Box::new(move || model.save(&db).map(|()| 1))
                }),
                ("save_fields", id, {
                    let (db, model) = (db.clone(), model.clone());
                    Box::new(move || model.save_value(&db).map(|()| 1))
                }),
                ("bulk_update", id, {
                    let (db, model) = (db.clone(), model.clone());
                    Box::new(move || model.update_value(&db))
                }),
                ("create", 1_000_000, {
                    let db = db.clone();
                    Box::new(move || H::create(&db, new.clone()).map(|_| 1))
                }),
                ("bulk_create", 1_000_001, {
                    let db = db.clone();
                    Box::new(move || H::bulk_create(&db, [another.clone()]))
                }),
            ];
            let mut refused = 0;
            for (step, at, run) in &steps {
                let is_new = *at >= 1_000_000;
                match run() {
                    Err(error) if error.kind() == ErrorKind::InvalidValue => refused += 1,
                    Err(error) => self.fail(format!("{step} of {literal}: {}", told(&error))),
                    Ok(rows) => {
                        self.check(rows == 1, || format!("{step} of {literal} answers {rows}"));
                        let read = self.with_id::<H>(*at).get();
                        if let Some(read) = self.done(&format!("reading again after {step} of {literal}"), read) {
                            self.check(H::same(read.value(), &row.value), || {
                                format!("{step} of {literal} stores {:?}", read.value())
                            });
                        }
                    }
                }
                let table = H::TABLE_NAME;
                if is_new {
                    self.lab.witness.execute(&format!("DELETE FROM {table} WHERE id >= 1000000"));
                }
                let count = self.lab.numbers(&format!("SELECT count(*) FROM {table}"));
                self.check(count == [all], || format!("{step} of {literal} leaves {count:?} rows of {all}"));
            }
            if refused == steps.len() {
                self.outcome.write_only_refused.push(literal);
            } else if refused > 0 {
                self.fail(format!("{refused} of {} ways to write {literal} refuse it", steps.len()));
            }
        }
    }

    /// Each value of the Rust type is stored as it is, or there is an error.
    fn write_samples<H: Held>(&mut self)
    where
        Whole<H>: ReadableOn<Any, Row = H>,
    {
        for sample in H::samples() {
            self.lab.witness.execute(&format!("DELETE FROM {}", H::TABLE_NAME));
            let stored = H::bulk_create(&self.lab.db, [H::new(1, sample.clone())]);
            let rows = self.lab.numbers(&format!("SELECT count(*) FROM {}", H::TABLE_NAME));
            let read = self.with_id::<H>(1).get();
            match stored {
                Err(_) => self.check(rows == [0], || format!("{sample:?} is refused, and stored")),
                Ok(_) => match read {
                    Ok(read) if H::same(read.value(), &sample) => {
                        if H::is_null(&sample) {
                            continue;
                        }
                        let found = H::ids(H::objects(&self.lab.db).filter(|f| H::condition(&f, By::Eq, &sample)));
                        if self.outcome.find_refused {
                            continue;
                        }
                        if let Some(found) = self.done(&format!("eq({sample:?})"), found) {
                            self.check(found == [1], || format!("{sample:?} is stored, and not found"));
                        }
                    }
                    Ok(read) => {
                        let read = read.value().clone();
                        self.outcome.altered.push(format!("{sample:?} is stored as {read:?}"));
                    }
                    Err(_) => self.outcome.altered.push(format!("{sample:?} is stored, and cannot be read")),
                },
            }
        }
    }
}

/// An error in a line.
pub(crate) fn told(error: &orm_core::Error) -> String {
    let text = format!("{error:?}").replace('\n', " ");
    let text: String = text.chars().take(240).collect();
    format!("{:?}: {text}", error.kind())
}
