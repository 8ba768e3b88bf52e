//! A model of each field type: the field once as it is and once as an `Option`, with a parent of the same model.

use std::{fmt::Debug, str::FromStr};

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use orm_core::{
    dsl::{BoxedCondition, condition, count_star, max, min},
    field::Unit,
    path::Root,
    prelude::*,
    queryset::{ReadableOn, Whole},
};
use orm_tests::{Bed, TestResult, on_each_backend};
use serde_json::json;
use uuid::Uuid;

use super::condition::{At, Leaf};
use crate::{asked::compared, naive::compared as is_so, question::Comparison};

/// The truth of a condition: `None` where it is not known here, and `Some(None)` where it is NULL.
pub(super) type Truth = Option<Option<bool>>;

/// A condition that can be asked again.
pub(super) type ConditionOf<'f, M> = dyn Fn(&<M as Model>::Fields<Root<M>>) -> BoxedCondition<'static, M> + 'f;

pub(super) trait Thing:
    Model<New = Self>
    + orm_core::model::Insertable<Model = Self>
    + orm_core::WritableOn<Any>
    + orm_core::StorableOn<Any>
    + Clone
    + Debug
    + PartialEq
where
    Whole<Self>: ReadableOn<Any, Row = Self>,
{
    /// Whether two rows can be the same in a union.
    const HAS_EQUALITY: bool;

    fn id(&self) -> i64;
    fn rows() -> Vec<Self>;
    fn create_table(db: &Database) -> orm_core::Result<()>;
    fn leaf(f: &Self::Fields<Root<Self>>, leaf: &Leaf) -> BoxedCondition<'static, Self>;
    /// In the order of the key.
    fn ids(rows: QuerySet<'_, Self>) -> orm_core::Result<Vec<i64>>;
    /// The truth of a condition for each row.
    fn flags(rows: QuerySet<'_, Self>, condition: &ConditionOf<'_, Self>)
    -> orm_core::Result<Vec<(i64, Option<bool>)>>;
    /// That a row has these values, and also this key.
    fn itself(f: &Self::Fields<Root<Self>>, row: &Self, with_key: bool) -> BoxedCondition<'static, Self>;
    fn is_alike(a: &Self, b: &Self) -> bool;
    /// The keys in the order of the field.
    fn ordered(db: &Database) -> orm_core::Result<Vec<i64>>;
    /// How many rows are less than this one by the field.
    fn less_than(db: &Database, row: &Self) -> orm_core::Result<u64>;
    /// The values of the field, how many rows are in the group of each, and how many `eq` finds.
    fn groups(db: &Database) -> orm_core::Result<Vec<(String, i64, i64)>>;
    /// The truth of a condition by hand, where Rust knows it.
    fn holds(&self, leaf: &Leaf, rows: &[Self]) -> Truth;
    fn check_ends(db: &Database, first: Option<Self>, last: Option<Self>) -> TestResult;
}

macro_rules! at {
    ($f:ident, $at:expr, $field:ident => $body:expr) => {
        match $at {
            At::Always => {
                let $field = $f.a;
                $body
            }
            At::Maybe => {
                let $field = $f.b;
                $body
            }
            At::OfParent => {
                let $field = $f.parent().a;
                $body
            }
        }
    };
}

macro_rules! ends {
    (ordered, $db:ident, $first:ident, $last:ident) => {{
        let (least, greatest) = Row::objects($db).aggregate(|f| (min(f.a), max(f.a)))?;
        let (first, last) = ($first.map(|row: Row| row.a), $last.map(|row: Row| row.a));
        if (&least, &greatest) == (&first, &last) {
            Ok(())
        } else {
            Err(format!("the least and greatest are {least:?} and {greatest:?}, and the ends {first:?} and {last:?}")
                .into())
        }
    }};
    // SQL has no `min` and `max` of these.
    (unordered, $db:ident, $first:ident, $last:ident) => {{
        let _ = ($db, $first, $last);
        Ok(())
    }};
}

/// The least or the greatest value of the children.
macro_rules! of_children {
    (ordered, $f:ident, $which:ident, $by:ident, $v:expr) => {
        compared!($f.children().$which(|c| c.b), $by, $v)
    };
    (unordered, $f:ident, $which:ident, $by:ident, $v:expr) => {{
        let _ = $v;
        compared!($f.children().count(), $by, 1)
    }};
}

/// The same, by hand.
macro_rules! of_children_by_hand {
    (ordered, $children:ident, $which:ident, $by:ident, $v:expr) => {{
        let mut values: Vec<_> = $children.iter().filter_map(|child| child.b.clone()).collect();
        values.sort_by(|a, b| a.partial_cmp(b).expect("the values have an order"));
        // The database may have another order.
        if values.windows(2).any(|pair| compares(&pair[0], Comparison::Le, &pair[1]).is_none()) {
            return None;
        }
        let ends = [values.first(), values.last()];
        let end = ends[usize::from(stringify!($which) == "max")];
        end.map_or(Some(None), |end| known(compares(end, *$by, &$v)))
    }};
    (unordered, $children:ident, $which:ident, $by:ident, $v:expr) => {{
        let _ = $v;
        Some(Some(is_so($children.len() as i64, *$by, 1)))
    }};
}

/// Compares two values: by the order of the Rust type, or where the database has another, only whether they are equal.
macro_rules! compares {
    (rust, $type:ty) => {
        fn compares(a: &$type, by: Comparison, b: &$type) -> Option<bool> {
            let order = a.partial_cmp(b)?;
            Some(is_so(order, by, std::cmp::Ordering::Equal))
        }
    };
    (equality, $type:ty) => {
        fn compares(a: &$type, by: Comparison, b: &$type) -> Option<bool> {
            match by {
                Comparison::Eq => Some(a == b),
                Comparison::Ne => Some(a != b),
                _ => None,
            }
        }
    };
}

/// A truth that is known, if it is.
fn known(truth: Option<bool>) -> Truth {
    truth.map(Some)
}

/// A model and a test for each type. What is special of it is a list of conditions on fields.
macro_rules! things {
    ($($name:ident: $type:ty, $ends:ident by $order:ident, $table:literal, |$f:ident, $v:ident| [$($special:expr),* $(,)?], $values:expr;)*) => {
        $( mod $name {
            use super::*;

            #[derive(Model, Clone, Debug, PartialEq)]
            #[model(table = $table)]
            pub(super) struct Row {
                #[model(primary_key)]
                id: i64,
                a: $type,
                b: Option<$type>,
                #[model(belongs_to(Row, name = parent, reverse = children))]
                parent_id: Option<i64>,
            }

            compares! { $order, $type }

            fn values() -> Vec<$type> {
                $values.into_iter().collect()
            }

            fn value(number: usize) -> $type {
                let values = values();
                values[number % values.len()].clone()
            }

            impl Thing for Row {
                const HAS_EQUALITY: bool = true;

                fn id(&self) -> i64 {
                    self.id
                }

                fn rows() -> Vec<Row> {
                    let count = values().len() * 2 + 6;
                    let row = |n: usize| Row {
                        id: n as i64 + 1,
                        a: value(n),
                        // Equal to the other, another value, or NULL.
                        b: match n % 5 {
                            0 => None,
                            1 => Some(value(n)),
                            n => Some(value(n * 7 + 3)),
                        },
                        parent_id: (n % 3 > 0).then_some(n as i64 / 2 + 1).filter(|parent| *parent <= n as i64),
                    };
                    (0..count).map(row).collect()
                }

                fn create_table(db: &Database) -> orm_core::Result<()> {
                    db.create_tables::<(Row,)>()
                }

                fn leaf(f: &Self::Fields<Root<Self>>, leaf: &Leaf) -> BoxedCondition<'static, Self> {
                    match leaf {
                        Leaf::Compared(at, by, v) => at!(f, at, x => compared!(x, by, value(*v))),
                        Leaf::WithParent(by, false) => compared!(f.b, by, f.parent().b),
                        Leaf::WithParent(by, true) => compared!(f.b, by, f.parent().a),
                        Leaf::In(at, list) => at!(f, at, x => condition(x.is_in(list.iter().map(|v| value(*v))))),
                        Leaf::NotIn(at, list) => at!(f, at, x => condition(x.not_in(list.iter().map(|v| value(*v))))),
                        Leaf::Between(at, low, high) => at!(f, at, x => condition(x.between(value(*low), value(*high)))),
                        Leaf::NotBetween(at, low, high) => {
                            at!(f, at, x => condition(x.not_between(value(*low), value(*high))))
                        }
                        Leaf::IsNull(at, true) => at!(f, at, x => condition(x.is_null())),
                        Leaf::IsNull(at, false) => at!(f, at, x => condition(x.is_not_null())),
                        Leaf::AnyChild(by, v) => condition(f.children().any(|c| -> BoxedCondition<'static, Row> {
                            compared!(c.b, by, value(*v))
                        })),
                        Leaf::NoChild(by, v) => condition(f.children().none(|c| -> BoxedCondition<'static, Row> {
                            compared!(c.b, by, value(*v))
                        })),
                        Leaf::AllChildren(by, v) => condition(f.children().all(|c| -> BoxedCondition<'static, Row> {
                            compared!(c.b, by, value(*v))
                        })),
                        Leaf::Children(by, n) => compared!(f.children().count(), by, *n),
                        Leaf::LeastOfChildren(by, v) => of_children!($ends, f, min, by, value(*v)),
                        Leaf::GreatestOfChildren(by, v) => of_children!($ends, f, max, by, value(*v)),
                        Leaf::LastChild(by, v) => {
                            compared!(f.children().first(|c| c.id.desc(), |c| c.b), by, value(*v))
                        }
                        Leaf::Special(n, v) => special(f, *n, value(*v)),
                    }
                }

                fn ids(rows: QuerySet<'_, Self>) -> orm_core::Result<Vec<i64>> {
                    rows.order_by(|f| f.id.asc()).values(|f| f.id).load()
                }

                fn flags(
                    rows: QuerySet<'_, Self>,
                    condition: &ConditionOf<'_, Self>,
                ) -> orm_core::Result<Vec<(i64, Option<bool>)>> {
                    rows.values_as::<(i64, Option<bool>), _>(|f| (f.id, condition(&f))).load()
                }

                fn itself(f: &Self::Fields<Root<Self>>, row: &Self, with_key: bool) -> BoxedCondition<'static, Self> {
                    let same = match &row.b {
                        Some(b) => condition(f.a.eq(row.a.clone()).and(f.b.eq(b.clone()))),
                        None => condition(f.a.eq(row.a.clone()).and(f.b.is_null())),
                    };
                    if with_key { condition(f.id.eq(row.id).and(same)) } else { same }
                }

                fn is_alike(a: &Self, b: &Self) -> bool {
                    (&a.a, &a.b) == (&b.a, &b.b)
                }

                fn ordered(db: &Database) -> orm_core::Result<Vec<i64>> {
                    Row::objects(db).order_by(|f| (f.a.asc(), f.id.asc())).values(|f| f.id).load()
                }

                fn less_than(db: &Database, row: &Self) -> orm_core::Result<u64> {
                    Row::objects(db).filter(|f| f.a.lt(row.a.clone())).count()
                }

                fn groups(db: &Database) -> orm_core::Result<Vec<(String, i64, i64)>> {
                    let groups = Row::objects(db).group_by(|f| f.b).aggregate(|_| count_star()).load()?;
                    groups
                        .into_iter()
                        .map(|(key, count)| {
                            let found = match &key {
                                Some(key) => Row::objects(db).filter(|f| f.b.eq(key.clone())).count()?,
                                None => Row::objects(db).filter(|f| f.b.is_null()).count()?,
                            };
                            Ok((format!("{key:?}"), count, found as i64))
                        })
                        .collect()
                }

                fn holds(&self, leaf: &Leaf, rows: &[Self]) -> Truth {
                    let parent = rows.iter().find(|row| Some(row.id) == self.parent_id);
                    let children: Vec<&Row> = rows.iter().filter(|row| row.parent_id == Some(self.id)).collect();
                    let at = |at: &At| match at {
                        At::Always => Some(&self.a),
                        At::Maybe => self.b.as_ref(),
                        At::OfParent => parent.map(|parent| &parent.a),
                    };
                    // NULL where either is, and not known where Rust cannot compare them.
                    let by_hand = |a: Option<&$type>, by: Comparison, b: Option<&$type>| match (a, b) {
                        (Some(a), Some(b)) => known(compares(a, by, b)),
                        _ => Some(None),
                    };
                    let is_in = |at: Option<&$type>, list: &[usize]| match at {
                        _ if list.is_empty() => Some(Some(false)),
                        None => Some(None),
                        Some(at) => Some(Some(list.iter().any(|v| *at == value(*v)))),
                    };
                    let negated = |truth: Truth| truth.map(|truth| truth.map(|truth| !truth));
                    let between = |at: Option<&$type>, low: usize, high: usize| match at {
                        None => Some(None),
                        Some(at) => {
                            let above = compares(at, Comparison::Ge, &value(low))?;
                            Some(Some(above && compares(at, Comparison::Le, &value(high))?))
                        }
                    };
                    // Whether the condition is true of any child.
                    let any_child = |wanted: Option<bool>, by: Comparison, v: usize| {
                        let truths: Option<Vec<Option<bool>>> =
                            children.iter().map(|child| by_hand(child.b.as_ref(), by, Some(&value(v)))).collect();
                        truths.map(|truths| truths.iter().any(|truth| (*truth == Some(true)) == (wanted == Some(true))))
                    };
                    match leaf {
                        Leaf::Compared(field, by, v) => by_hand(at(field), *by, Some(&value(*v))),
                        Leaf::WithParent(by, false) => {
                            by_hand(self.b.as_ref(), *by, parent.and_then(|parent| parent.b.as_ref()))
                        }
                        Leaf::WithParent(by, true) => by_hand(self.b.as_ref(), *by, parent.map(|parent| &parent.a)),
                        Leaf::In(field, list) => is_in(at(field), list),
                        Leaf::NotIn(field, list) => negated(is_in(at(field), list)),
                        Leaf::Between(field, low, high) => between(at(field), *low, *high),
                        Leaf::NotBetween(field, low, high) => negated(between(at(field), *low, *high)),
                        Leaf::IsNull(field, is) => Some(Some(at(field).is_none() == *is)),
                        Leaf::AnyChild(by, v) => known(any_child(Some(true), *by, *v)),
                        Leaf::NoChild(by, v) => negated(known(any_child(Some(true), *by, *v))),
                        Leaf::AllChildren(by, v) => negated(known(any_child(None, *by, *v))),
                        Leaf::Children(by, n) => Some(Some(is_so(children.len() as i64, *by, *n))),
                        Leaf::LeastOfChildren(by, v) => of_children_by_hand!($ends, children, min, by, value(*v)),
                        Leaf::GreatestOfChildren(by, v) => of_children_by_hand!($ends, children, max, by, value(*v)),
                        Leaf::LastChild(by, v) => {
                            let last = children.iter().max_by_key(|child| child.id);
                            by_hand(last.and_then(|last| last.b.as_ref()), *by, Some(&value(*v)))
                        }
                        Leaf::Special(..) => None,
                    }
                }

                fn check_ends(db: &Database, first: Option<Self>, last: Option<Self>) -> TestResult {
                    ends!($ends, db, first, last)
                }
            }

            fn special($f: &<Row as Model>::Fields<Root<Row>>, n: usize, $v: $type) -> BoxedCondition<'static, Row> {
                type Special = fn(&<Row as Model>::Fields<Root<Row>>, $type) -> BoxedCondition<'static, Row>;
                let all: &[Special] = &[$( |$f, $v| { let _ = &$v; condition($special) } ),*];
                match all.len() {
                    0 => condition($f.a.eq($v)),
                    count => all[n % count]($f, $v),
                }
            }
        } )*

        on_each_backend! { $($name),* }
        $( fn $name(bed: &Bed) -> TestResult { super::hold::<$name::Row>(bed) } )*
    };
}

fn decimal(text: &str) -> BigDecimal {
    BigDecimal::from_str(text).expect("it is a number")
}

things! {
    booleans: bool, unordered by rust, "laws_bool", |f, v| [f.a.eq(v).and(f.b.eq(!v))], [false, true];
    i8s: i8, ordered by rust, "laws_i8", |f, v| [], [i8::MIN, -1, 0, 1, i8::MAX];
    i16s: i16, ordered by rust, "laws_i16", |f, v| [f.a.cast::<i64>().gt(i64::from(v))], [i16::MIN, -1, 0, 1, i16::MAX];
    i32s: i32, ordered by rust, "laws_i32", |f, v| [
        (f.a / 2).lt(v), (f.b % 7).eq(v), (f.b - f.a).eq(v), f.b.abs().gt(5),
        f.children().sum(|c| c.b).gt(i64::from(v)), f.children().max(|c| c.b).lt(v),
    ], [-2_000_000_000, -7, -1, 0, 1, 2, 7, 2_000_000_000];
    i64s: i64, ordered by rust, "laws_i64", |f, v| [(f.b / 3).le(v), f.a.cast::<f64>().lt(0.5)],
        [i64::MIN + 1, -1, 0, 1, (1 << 53) + 1, 1 << 53, i64::MAX];
    u8s: u8, ordered by rust, "laws_u8", |f, v| [], [0, 1, 200, u8::MAX];
    u16s: u16, ordered by rust, "laws_u16", |f, v| [], [0, 1, u16::MAX];
    u32s: u32, ordered by rust, "laws_u32", |f, v| [], [0, 1, u32::MAX];
    u64s: u64, ordered by rust, "laws_u64", |f, v| [], [0, 1, (1 << 53) + 1, i64::MAX.unsigned_abs()];
    f32s: f32, ordered by rust, "laws_f32", |f, v| [], [f32::MIN, -0.1, 0.0, 0.1, f32::MIN_POSITIVE, 16_777_217.0, f32::MAX];
    f64s: f64, ordered by rust, "laws_f64", |f, v| [(f.b / 2.0).lt(v), f.b.abs().ge(v), f.children().min(|c| c.a).gt(v)],
        [-1e300, -0.1, 0.0, 0.1, 0.3, 1e-300, 9_007_199_254_740_993.0, 1e300];
    texts: String, ordered by equality, "laws_text", |f, v| [
        f.b.contains(v), f.b.starts_with(v), f.a.ends_with(v), f.b.icontains(v), f.b.iexact(v), f.a.istarts_with(v),
        f.b.regex("^a"), f.b.length().gt(1), f.b.lower().eq(v), f.b.trim().eq(v), f.b.contains(f.a), f.b.concat(f.a.nullable()).gt("a"),
        f.a.replace("a", "b").eq(v), f.b.substr(1, 1).eq(v), f.children().max(|c| c.b).ge(v),
    ], ["", " ", "a", "A", "a ", " a", "ab", "é", "e\u{301}", "%", "_", "\\", "'", "ß", "0", "1.0", "☃"].map(String::from);
    bytes: Vec<u8>, unordered by rust, "laws_bytes", |f, v| [], [vec![], vec![0], vec![0, 0], vec![97], vec![97, 32], vec![255; 40]];
    dates: NaiveDate, ordered by rust, "laws_date", |f, v| [
        f.b.year().eq(2024), f.b.month().gt(2), f.b.in_year(2024), f.b.trunc(Unit::Month).eq(v), f.children().min(|c| c.b).lt(v),
    ], ["0001-01-01", "1969-12-31", "2024-02-29", "2024-03-01", "9999-12-31"].map(|d| d.parse().expect("a date"));
    times: NaiveTime, ordered by rust, "laws_time", |f, v| [f.b.hour().eq(10), f.b.second().gt(0)],
        ["00:00:00", "10:00:00", "10:00:00.000001", "10:00:00.5", "23:59:59.999999"].map(|t| t.parse().expect("a time"));
    dates_and_times: NaiveDateTime, ordered by rust, "laws_date_time", |f, v| [
        f.b.hour().eq(0), f.b.in_year(2024), f.b.later(TimeDelta::days(1)).gt(v), f.b.date().eq(v.date()),
        f.b.trunc(Unit::Hour).eq(v), f.children().max(|c| c.b).gt(v),
    ], ["0001-01-02T00:00:00", "1969-12-31T23:59:59.5", "2024-02-29T00:00:00", "2024-02-29T00:00:00.000001",
        "2024-02-29T00:00:00.100000", "9999-12-30T23:59:59.999999"].map(|t| t.parse().expect("a date and time"));
    instants: DateTime<Utc>, ordered by rust, "laws_instant", |f, v| [
        f.b.hour().eq(0), f.b.in_year(2024), f.b.earlier(TimeDelta::hours(1)).lt(v), f.children().min(|c| c.a).le(v),
    ], ["0001-01-02T00:00:00Z", "1969-12-31T23:59:59.5Z", "2024-02-29T00:00:00Z", "2024-02-29T01:00:00+01:00",
        "2024-02-29T00:00:00.000001Z", "9999-12-30T23:59:59.999999Z"].map(|t| t.parse().expect("an instant"));
    decimals: BigDecimal, ordered by rust, "laws_decimal", |f, v| [
        (f.b + f.a).gt(v), (f.b - f.a).eq(v), (f.b * f.b).ge(v), f.b.abs().lt(v), f.children().max(|c| c.b).gt(v),
        f.children().min(|c| c.a).lt(v), f.children().sum(|c| c.b).ge(v), f.b.round_to(1).eq(v),
    ], ["0", "1", "1.0", "1.00", "9.5", "9.50", "10", "-1.50", "-10", "0.005", "123456789012345.678901234567",
        "0.00000000000000000001"].map(decimal);
    uuids: Uuid, unordered by rust, "laws_uuid", |f, v| [],
        [Uuid::nil(), Uuid::from_u128(1), Uuid::from_u128(0x6f96_19ff_8b86_d011_b42d_00c0_4fc9_64ff), Uuid::max()];
    documents: serde_json::Value, unordered by equality, "laws_json", |f, v| [],
        [json!(null), json!(1), json!(1.5), json!("a"), json!({"b": 1, "a": [true, null]}), json!([]), json!({})];
}
