//! The field types, each with a model for every position that a field can have.
#![allow(clippy::approx_constant)] // any number of many digits

use std::{cmp::Ordering, str::FromStr};

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use orm_core::{FieldType, prelude::*};
use serde_json::json;
use uuid::Uuid;

use crate::{
    cell::{self, Outcome},
    key,
    lab::{Lab, Verdict},
};

/// What came of a field type over a column type.
pub(crate) struct Examined {
    pub(crate) plain: Outcome,
    pub(crate) optional: Outcome,
    pub(crate) verdict: Verdict,
}

/// A field type, by name.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    /// Whether a value of a fitting column type can be read depends on the value.
    pub(crate) by_content: bool,
    pub(crate) examine: fn(&mut Lab<'_>) -> Examined,
}

/// The same value, for types with one value that is not equal to itself.
trait Same {
    fn same(&self, other: &Self) -> bool;
}

macro_rules! same {
    ($($type:ty),*) => { $(
        impl Same for $type {
            fn same(&self, other: &Self) -> bool {
                self == other
            }
        }
    )* };
}
same!(bool, i8, i16, i32, i64, u8, u16, u32, u64, String, Vec<u8>, NaiveDate, NaiveTime, NaiveDateTime, DateTime<Utc>);
same!(BigDecimal, Uuid, Code, Mood);

/// Databases compare numbers in documents by their values, `1` and `1.0` among them.
impl Same for serde_json::Value {
    fn same(&self, other: &Self) -> bool {
        use serde_json::Value::{Array, Number, Object};
        match (self, other) {
            (Number(a), Number(b)) => decimal(&a.to_string()) == decimal(&b.to_string()),
            (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b)),
            (Object(a), Object(b)) => {
                a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| a.same(b)))
            }
            (a, b) => a == b,
        }
    }
}
impl Same for f32 {
    fn same(&self, other: &Self) -> bool {
        self == other || (self.is_nan() && other.is_nan())
    }
}
impl Same for f64 {
    fn same(&self, other: &Self) -> bool {
        self == other || (self.is_nan() && other.is_nan())
    }
}
impl<T: Same> Same for Option<T> {
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Some(a), Some(b)) => a.same(b),
            (a, b) => a.is_none() && b.is_none(),
        }
    }
}

/// Whether a value is NULL.
trait IsNull {
    fn is_null(&self) -> bool;
}
impl<T> IsNull for Option<T> {
    fn is_null(&self) -> bool {
        self.is_none()
    }
}

#[derive(FieldType, Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Code(String);

#[derive(FieldType, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Mood {
    Happy,
    Sad,
}

/// A model of a table of numbered rows. `$null` says whether a value is NULL.
macro_rules! held {
    ($model:ident, $table:literal, $type:ty, $content:literal, $order:expr, $null:expr, $samples:expr) => {
        #[derive(Model, Clone, Debug)]
        #[model(table = $table)]
        pub(super) struct $model {
            #[model(primary_key)]
            id: i64,
            v: $type,
            n: i32,
        }

        impl Held for $model {
            type Value = $type;
            const TABLE_NAME: &'static str = $table;
            // Of what can be read depending on its content: documents, and enums.
            const HAS_ORDER: bool = !$content;

            fn new(id: i64, v: $type) -> Self {
                $model { id, v, n: 0 }
            }
            fn id(&self) -> i64 {
                self.id
            }
            fn value(&self) -> &$type {
                &self.v
            }
            fn has_id(f: &Self::Fields<Root<Self>>, id: i64) -> BoxedCondition<'static, Self> {
                condition(f.id.eq(id))
            }
            fn condition(f: &Self::Fields<Root<Self>>, by: By, value: &$type) -> BoxedCondition<'static, Self> {
                let (f, value) = (f.v, || value.clone());
                match by {
                    By::Eq => condition(f.eq(value())),
                    By::Ne => condition(f.ne(value())),
                    By::Lt => condition(f.lt(value())),
                    By::Gt => condition(f.gt(value())),
                    By::Within => condition(f.ge(value()).and(f.le(value()))),
                    By::Between => condition(f.between(value(), value())),
                    By::In => condition(f.is_in([value()])),
                    By::InMany => condition(f.is_in(vec![value(); 2001])),
                    By::NotIn => condition(f.not_in([value()])),
                    By::NotInMany => condition(f.not_in(vec![value(); 2001])),
                }
            }
            fn ids(rows: QuerySet<'_, Self>) -> orm_core::Result<Vec<i64>> {
                rows.order_by(|f| f.id.asc()).values(|f| f.id).load()
            }
            fn sorted(rows: QuerySet<'_, Self>) -> orm_core::Result<Vec<(i64, $type)>> {
                rows.order_by(|f| f.v.asc()).values(|f| (f.id, f.v)).load()
            }
            fn distinct(rows: QuerySet<'_, Self>) -> orm_core::Result<Vec<$type>> {
                rows.values(|f| f.v).distinct().load()
            }
            fn groups(rows: QuerySet<'_, Self>) -> orm_core::Result<Vec<($type, i64)>> {
                rows.group_by(|f| f.v).aggregate(|_| count_star()).load()
            }
            fn set(rows: QuerySet<'_, Self>, value: $type) -> orm_core::Result<u64> {
                rows.update(|f| f.v.set(value))
            }
            fn save_value(&self, db: &Database) -> orm_core::Result<()> {
                self.save_fields(db, |f| f.v)
            }
            fn update_value(&self, db: &Database) -> orm_core::Result<u64> {
                Self::bulk_update(db, [self], |f| f.v)
            }
            fn verdict(db: &Database) -> Verdict {
                Verdict::of(db.check_schema::<(Self,)>(), db.check_schema_for_reading::<(Self,)>())
            }
            fn same(a: &$type, b: &$type) -> bool {
                a.same(b)
            }
            fn order(a: &$type, b: &$type) -> Option<Ordering> {
                let order: fn(&$type, &$type) -> Option<Ordering> = $order;
                order(a, b)
            }
            fn is_null(value: &$type) -> bool {
                let null: fn(&$type) -> bool = $null;
                null(value)
            }
            fn samples() -> Vec<$type> {
                $samples
            }
        }
    };
}

macro_rules! in_bulk {
    (hashed, $db:ident, $value:ident) => {
        Some(KeyedRow::objects($db).in_bulk([$value.clone()]).map(|rows| rows.len()))
    };
    (float, $db:ident, $value:ident) => {{
        let _ = ($db, $value);
        None
    }};
}

macro_rules! subjects {
    ($($module:ident: $type:ty, $hash:tt, $content:literal, $order:expr, $samples:expr;)*) => {
        $( mod $module {
            use orm_core::{
                dsl::{BoxedCondition, condition, count_star},
                path::Root,
            };

            use super::*;
            use crate::{cell::{By, Held}, key::Keyed};

            held!(Plain, "held", $type, $content, $order, |_| false, $samples.into_iter().collect());
            held!(
                Optional,
                "maybe",
                Option<$type>,
                $content,
                |a, b| Plain::order(a.as_ref()?, b.as_ref()?),
                |value| value.is_null(),
                Plain::samples().into_iter().take(2).map(Some).chain([None]).collect()
            );

            #[derive(Model, Clone, Debug)]
            #[model(table = "keyed")]
            struct KeyedRow {
                #[model(primary_key)]
                v: $type,
                n: i32,
            }

            #[derive(Model, Clone, Debug)]
            #[model(table = "referring")]
            struct Referring {
                #[model(primary_key)]
                id: i64,
                #[model(belongs_to(KeyedRow, name = key))]
                v: $type,
            }

            impl Keyed for KeyedRow {
                type Value = $type;
                fn new(v: $type, n: i32) -> Self {
                    KeyedRow { v, n }
                }
                fn value(&self) -> &$type {
                    &self.v
                }
                fn n(&self) -> i32 {
                    self.n
                }
                fn is(f: &Self::Fields<Root<Self>>, value: &$type) -> BoxedCondition<'static, Self> {
                    condition(f.v.eq(value.clone()))
                }
                fn in_bulk(db: &Database, value: &$type) -> Option<orm_core::Result<usize>> {
                    in_bulk!($hash, db, value)
                }
                fn save_n(&self, db: &Database) -> orm_core::Result<()> {
                    self.save_fields(db, |f| f.n)
                }
                fn update_n(&self, db: &Database) -> orm_core::Result<u64> {
                    Self::bulk_update(db, [self], |f| f.n)
                }
                fn upsert(&self, db: &Database) -> orm_core::Result<u64> {
                    Self::insert_into(db).update_conflicts(|f| f.v, |f| f.n).bulk_create([self.clone()])
                }
                fn joined(db: &Database) -> orm_core::Result<Vec<(i64, i32)>> {
                    let rows = Referring::objects(db).filter(|f| f.key().n.ge(0)).select_related(|f| f.key()).load()?;
                    Ok(rows.into_iter().map(|(row, key)| (row.id, key.n)).collect())
                }
                fn same(a: &$type, b: &$type) -> bool {
                    a.same(b)
                }
            }

            pub(super) fn examine(lab: &mut Lab<'_>) -> Examined {
                let verdict = Plain::verdict(&lab.db);
                let mut plain = cell::examine::<Plain>(lab);
                if lab.has_key() && !plain.find_refused {
                    // What was read, by its literals.
                    lab.fill("held");
                    let values: Vec<_> = lab
                        .rows()
                        .into_iter()
                        .filter(|(_, literal)| plain.read.contains(literal))
                        .filter_map(|(id, literal)| {
                            let row = Plain::objects(&lab.db).filter(|f| f.id.eq(id)).get().ok()?;
                            Some((literal, row.v))
                        })
                        .collect();
                    plain.failures.extend(key::examine::<KeyedRow>(lab, &values));
                }
                Examined { plain, optional: cell::examine::<Optional>(lab), verdict }
            }
        } )*

        pub(crate) const SUBJECTS: &[Subject] = &[$(
            Subject { name: stringify!($type), by_content: $content, examine: $module::examine },
        )*];
    };
}

fn decimal(text: &str) -> BigDecimal {
    BigDecimal::from_str(text).expect("it is a number")
}

subjects! {
    of_bool: bool, hashed, false, |a, b| Some(a.cmp(b)), [false, true];
    of_i8: i8, hashed, false, |a, b| Some(a.cmp(b)), [i8::MIN, 0, i8::MAX];
    of_i16: i16, hashed, false, |a, b| Some(a.cmp(b)), [i16::MIN, 0, i16::MAX];
    of_i32: i32, hashed, false, |a, b| Some(a.cmp(b)), [i32::MIN, 0, i32::MAX];
    of_i64: i64, hashed, false, |a, b| Some(a.cmp(b)), [i64::MIN, 0, (1 << 53) + 1, i64::MAX];
    of_u8: u8, hashed, false, |a, b| Some(a.cmp(b)), [0, u8::MAX];
    of_u16: u16, hashed, false, |a, b| Some(a.cmp(b)), [0, u16::MAX];
    of_u32: u32, hashed, false, |a, b| Some(a.cmp(b)), [0, u32::MAX];
    of_u64: u64, hashed, false, |a, b| Some(a.cmp(b)), [0, (1 << 53) + 1, i64::MAX.unsigned_abs(), u64::MAX];
    of_f32: f32, float, false, |a, b| a.partial_cmp(b), [0.0, -0.5, 0.1, 2.5e-9, 16_777_217.0, 1e30];
    of_f64: f64, float, false, |a, b| a.partial_cmp(b), [0.0, -0.5, 0.1, 3.14159265358979, 1e-300, 1e300];
    of_text: String, hashed, false, |_, _| None,
        ["", "a", "A", "a ", " a", "0123", "1.0", "true", "é", "e\u{301}", "a\\b'c", "tab\t", "happy"].map(String::from);
    of_bytes: Vec<u8>, hashed, false, |a, b| Some(a.cmp(b)),
        [vec![], vec![0], vec![0, 255], vec![97, 0], b"a".to_vec(), b"a ".to_vec(), vec![7; 16], vec![7; 17]];
    of_date: NaiveDate, hashed, false, |a, b| Some(a.cmp(b)),
        ["0001-01-01", "1969-12-31", "2024-02-29", "9999-12-31"].map(|d| d.parse().expect("a date"));
    of_time: NaiveTime, hashed, false, |a, b| Some(a.cmp(b)),
        ["00:00:00", "10:00:00", "10:00:00.5", "23:59:59.999999"].map(|t| t.parse().expect("a time"));
    of_date_time: NaiveDateTime, hashed, false, |a, b| Some(a.cmp(b)),
        ["0001-01-01T00:00:00", "1969-12-31T23:59:59.5", "2024-02-29T10:00:00.000001", "9999-12-31T23:59:59.999999"]
            .map(|t| t.parse().expect("a date and time"));
    of_instant: DateTime<Utc>, hashed, false, |a, b| Some(a.cmp(b)),
        ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59.5Z", "2024-02-29T10:00:00.000001Z", "9999-12-31T23:59:59.999999Z"]
            .map(|t| t.parse().expect("an instant"));
    of_decimal: BigDecimal, hashed, false, |a, b| Some(a.cmp(b)),
        ["0", "1.0", "-1.50", "0.005", "3.14159", "1e20", "12345678901234567890.12345678901234567890", "1e-25"].map(decimal);
    of_uuid: Uuid, hashed, false, |_, _| None, [Uuid::nil(), Uuid::from_u128(0x6f96_19ff_8b86_d011_b42d_00c0_4fc9_64ff)];
    of_json: serde_json::Value, hashed, true, |_, _| None,
        [json!(null), json!({"b": [1, 0.1], "a": "x"}), json!("text"), json!(u64::MAX), json!(1e300), json!(-0.1), json!(" é ")];
    of_newtype: Code, hashed, false, |_, _| None, ["", "a", "A", "a "].map(|text| Code(text.to_owned()));
    of_enum: Mood, hashed, true, |_, _| None, [Mood::Happy, Mood::Sad];
}
