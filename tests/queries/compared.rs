//! Decimals and times compare as what they are, wherever an expression of them stands: each kind of expression in each
//! position, against a Vec. On SQLite, where they are text, also in tables that other programs have made.

use std::collections::BTreeSet;

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDateTime, NaiveTime, Utc};
use itertools::Itertools;
use orm_core::{
    BackendKind,
    dsl::{case_when, coalesce, count, count_star, first_value, greatest, lag, least, max, min, rank, sum, value},
    prelude::*,
};
use orm_tests::{Bed, TestResult, on_each_backend};

on_each_backend! {
    decimals_in_every_position, instants_in_every_position, local_times_in_every_position,
    times_of_a_day_in_every_position, rows_are_found_by_their_keys, windows_of_decimals, joins_by_what_is_spelled,
    unions_of_numbers_and_texts,
    nanoseconds_are_not_cut_off_in_conditions,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Shop {
    #[model(primary_key)]
    id: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Item {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Shop, name = shop, reverse = items))]
    shop_id: i64,
    price: BigDecimal,
    instant: DateTime<Utc>,
    local: NaiveDateTime,
    time: NaiveTime,
}

/// What each row holds, as other programs spell it: the decimal, the instant, the local time, the time of the day.
const SPELLED: [[&str; 4]; 8] = [
    ["9", "2020-01-01 00:00:00", "2020-01-01 00:00:00", "10:00"],
    ["10.5", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00", "10:00:00"],
    ["9.0", "2020-01-01 05:30:00+05:30", "2020-01-01 00:00", "10:00:00.000"],
    ["-1", "2019-12-31 23:59:59.999999", "2019-12-31 23:59:59.999999", "09:59:59.999999"],
    ["10.50", "2020-01-01 00:00:00.25+00:00", "2020-01-01 00:00:00.25", "10:00:00.25"],
    ["-10", "2020-01-01T02:00:00.250000+02:00", "2020-01-01T00:00:00.250", "10:00:00.250"],
    ["100", "2020-01-01 23:00:00-01:00", "2020-01-02 00:00:00", "00:00"],
    ["0.5", "2020-01-02 00:00:00+00:00", "2020-01-02 00:00", "23:59:59"],
];

fn items() -> Vec<Item> {
    let instant = |text: &str| {
        text.replace('T', " ")
            .parse::<DateTime<Utc>>()
            .or_else(|_| format!("{text}Z").parse::<DateTime<Utc>>())
            .unwrap_or_else(|error| panic!("`{text}`: {error}"))
    };
    let local = |text: &str| {
        let text = text.replace('T', " ");
        ["%F %T%.f", "%F %H:%M"]
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok())
            .unwrap_or_else(|| panic!("`{text}`"))
    };
    let time = |text: &str| {
        ["%T%.f", "%H:%M"]
            .iter()
            .find_map(|form| NaiveTime::parse_from_str(text, form).ok())
            .unwrap_or_else(|| panic!("`{text}`"))
    };
    (1..)
        .zip(SPELLED)
        .map(|(id, [price, at, here, of_day])| Item {
            id,
            shop_id: id % 2,
            price: price.parse().expect("it is a number"),
            instant: instant(at),
            local: local(here),
            time: time(of_day),
        })
        .collect()
}

/// The tables with these rows: one after the other, as they are made here, and on SQLite as others have made them.
fn each_table(bed: &Bed, mut check: impl FnMut(&Database, &str) -> TestResult) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Shop, Item)>()?;
    Shop::bulk_create(&db, [Shop { id: 0 }, Shop { id: 1 }])?;
    Item::bulk_create(&db, items())?;
    check(&db, "of our own")?;
    if bed.backend() != BackendKind::Sqlite {
        return Ok(());
    }
    let columns = [
        ("TEXT", "TEXT"),
        ("NUMERIC", "DATETIME"),
        ("DECIMAL(10, 2)", "TIMESTAMP"),
        ("VARCHAR(20) COLLATE NOCASE", "VARCHAR(40)"),
        ("TEXT COLLATE orm_decimal", "TEXT COLLATE orm_instant"),
    ];
    for (decimal, time) in columns {
        let rows = SPELLED.iter().zip(1..).map(|([price, instant, local, time], id)| {
            format!("({id}, {}, '{price}', '{instant}', '{local}', '{time}')", id % 2)
        });
        db.batch_execute(&format!(
            "DROP TABLE items; CREATE TABLE items (id INTEGER PRIMARY KEY, shop_id INTEGER NOT NULL, \
             price {decimal} NOT NULL, instant {time} NOT NULL, local {time} NOT NULL, time {time} NOT NULL); \
             CREATE INDEX i1 ON items (price); CREATE INDEX i2 ON items (instant); CREATE INDEX i3 ON items (local); \
             INSERT INTO items VALUES {}",
            rows.collect_vec().join(", ")
        ))?;
        check(&db, &format!("of {decimal} and {time}"))?;
    }
    Ok(())
}

fn ids(query: QuerySet<'_, Item>) -> orm_core::Result<Vec<i64>> {
    query.order_by(|i| i.id.asc()).values(|i| i.id).load()
}

/// Puts an expression in every position: `check!(db, what, T, |i| expression, |item| what it is of the row)`.
macro_rules! check {
    ($db:ident, $table:ident, $type:ty, |$i:ident| $expression:expr, |$item:ident| $expected:expr) => {{
        check!(@rows $db, $table, $type, |$i| $expression, |$item| $expected);
        let what = format!("{} in a table {}", stringify!($expression), $table);
        let rows: Vec<(i64, $type)> = items().iter().map(|$item| ($item.id, $expected)).collect();
        let sorted: BTreeSet<$type> = rows.iter().map(|(_, value)| value.clone()).collect();
        let count_of = |value: &$type| rows.iter().filter(|(_, other)| other == value).count() as i64;
        let groups = Item::objects($db).group_by(|$i| $expression).aggregate(|_| count_star()).load()?;
        let groups = groups.into_iter().filter_map(|(key, count)| Some((Option::<$type>::from(key)?, count))).sorted();
        assert_eq!(groups.collect_vec(), sorted.iter().map(|v| (v.clone(), count_of(v))).collect_vec(), "groups of {what}");
        let from_third = Item::objects($db).filter(|i| i.id.gt(2)).values(|$i| $expression);
        let union = Item::objects($db).values(|$i| $expression).union([from_third]);
        assert_eq!(union.load()?.len(), sorted.len(), "UNION of {what}");
        let none = Item::objects($db).values(|$i| $expression).difference([Item::objects($db).values(|$i| $expression)]);
        assert_eq!(none.load()?.len(), 0, "EXCEPT of {what}");
        let windows = Item::objects($db).order_by(|i| i.id.asc()).values(|$i| {
            (
                count_star().over(|w| w.partition_by($expression)),
                rank().over(|w| w.order_by($expression.asc())),
                rank().over(|w| w.order_by($expression.desc())),
            )
        });
        let ranks = rows.iter().map(|(_, value)| {
            let before = rows.iter().filter(|(_, other)| other < value).count() as i64;
            let behind = rows.iter().filter(|(_, other)| other > value).count() as i64;
            (count_of(value), before + 1, behind + 1)
        });
        assert_eq!(windows.load()?, ranks.collect_vec(), "windows of {what}");
    }};
    // What is asked of subqueries, too.
    (@rows $db:ident, $table:ident, $type:ty, |$i:ident| $expression:expr, |$item:ident| $expected:expr) => {{
        let what = format!("{} in a table {}", stringify!($expression), $table);
        let rows: Vec<(i64, $type)> = items().iter().map(|$item| ($item.id, $expected)).collect();
        let of = |is: &dyn Fn(&$type) -> bool| rows.iter().filter(|(_, v)| is(v)).map(|(id, _)| *id).collect_vec();
        let all = || Item::objects($db);
        let read = all().order_by(|i| i.id.asc()).values(|$i| $expression).load()?;
        let read = read.into_iter().filter_map(Option::<$type>::from).collect_vec();
        assert_eq!(read, rows.iter().map(|(_, value)| value.clone()).collect_vec(), "{what} is read");
        let sorted: BTreeSet<$type> = rows.iter().map(|(_, value)| value.clone()).collect();
        let greatest_value = sorted.last().cloned().expect("there are rows");
        for v in &sorted {
            let what = format!("{what} and {v}");
            assert_eq!(ids(all().filter(|$i| $expression.eq(v.clone())))?, of(&|x| x == v), "= of {what}");
            assert_eq!(ids(all().filter(|$i| $expression.ne(v.clone())))?, of(&|x| x != v), "<> of {what}");
            assert_eq!(ids(all().filter(|$i| $expression.lt(v.clone())))?, of(&|x| x < v), "< of {what}");
            assert_eq!(ids(all().filter(|$i| $expression.le(v.clone())))?, of(&|x| x <= v), "<= of {what}");
            assert_eq!(ids(all().filter(|$i| $expression.gt(v.clone())))?, of(&|x| x > v), "> of {what}");
            assert_eq!(ids(all().filter(|$i| $expression.ge(v.clone())))?, of(&|x| x >= v), ">= of {what}");
            let between = ids(all().filter(|$i| $expression.between(v.clone(), greatest_value.clone())))?;
            assert_eq!(between, of(&|x| x >= v), "BETWEEN of {what}");
            let outside = ids(all().filter(|$i| $expression.not_between(v.clone(), greatest_value.clone())))?;
            assert_eq!(outside, of(&|x| x < v), "NOT BETWEEN of {what}");
            let in_list = ids(all().filter(|$i| $expression.is_in([v.clone(), greatest_value.clone()])))?;
            assert_eq!(in_list, of(&|x| x == v || *x == greatest_value), "IN of {what}");
            let not_in = ids(all().filter(|$i| $expression.not_in([v.clone()])))?;
            assert_eq!(not_in, of(&|x| x != v), "NOT IN of {what}");
            let long = ids(all().filter(|$i| $expression.is_in(std::iter::repeat_n(v.clone(), 2500))))?;
            assert_eq!(long, of(&|x| x == v), "IN a long list of {what}");
            let excluded = ids(all().exclude(|$i| $expression.eq(v.clone())))?;
            assert_eq!(excluded, of(&|x| x != v), "exclude of {what}");
            let nullif = ids(all().filter(|$i| $expression.nullif(v.clone()).is_null()))?;
            assert_eq!(nullif, of(&|x| x == v), "NULLIF of {what}");
            let case = ids(all().filter(|$i| case_when($expression.gt(v.clone()), 1_i64).otherwise(0_i64).eq(1)))?;
            assert_eq!(case, of(&|x| x > v), "CASE of {what}");
            let at_most = ids(all().filter(|$i| least(($expression, v.clone())).lt(v.clone())))?;
            assert_eq!(at_most, of(&|x| x < v), "LEAST of {what}");
            let at_least = ids(all().filter(|$i| greatest(($expression, v.clone())).gt(v.clone())))?;
            assert_eq!(at_least, of(&|x| x > v), "GREATEST of {what}");
        }
        let up = all().order_by(|$i| ($expression.asc(), $i.id.asc())).values(|i| i.id).load()?;
        let expected = rows.iter().sorted_by(|a, b| a.1.cmp(&b.1).then(a.0.cmp(&b.0))).map(|row| row.0).collect_vec();
        assert_eq!(up, expected, "ascending order of {what}");
        let down = all().order_by(|$i| ($expression.desc(), $i.id.asc())).values(|i| i.id).load()?;
        let expected = rows.iter().sorted_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0))).map(|row| row.0).collect_vec();
        assert_eq!(down, expected, "descending order of {what}");
        let distinct = all().values(|$i| $expression).distinct();
        assert_eq!(distinct.load()?.len(), sorted.len(), "DISTINCT of {what}");
        assert_eq!(distinct.count()?, sorted.len() as u64, "number of DISTINCT of {what}");
        let ends = all().aggregate(|$i| (min($expression), max($expression), count($expression).distinct()))?;
        let expected = (sorted.first().cloned(), sorted.last().cloned(), sorted.len() as i64);
        assert_eq!(ends, expected, "MIN, MAX and COUNT DISTINCT of {what}");
        let below = Shop::objects($db)
            .filter(|s| s.items().any(|$i| $expression.lt(greatest_value.clone())))
            .count()?;
        let expected = rows.iter().filter(|(_, v)| *v < greatest_value).map(|(id, _)| id % 2).unique().count();
        assert_eq!(below, expected as u64, "EXISTS of {what}");
    }};
}

/// The items of the item's shop.
fn of_shop(item: &Item) -> Vec<Item> {
    items().into_iter().filter(|other| other.shop_id == item.shop_id).collect()
}

fn decimal(text: &str) -> BigDecimal {
    text.parse().expect("it is a number")
}

fn decimals_in_every_position(bed: &Bed) -> TestResult {
    each_table(bed, |db, table| {
        check!(db, table, BigDecimal, |i| i.price, |item| item.price.clone());
        check!(db, table, BigDecimal, |i| i.price + decimal("0.25"), |item| item.price.clone() + decimal("0.25"));
        check!(db, table, BigDecimal, |i| i.price.abs(), |item| item.price.abs());
        check!(db, table, BigDecimal, |i| -i.price, |item| -item.price.clone());
        check!(db, table, BigDecimal, |i| coalesce((i.price.nullif(decimal("9")), decimal("10.5"))), |item| {
            if item.price == decimal("9") { decimal("10.5") } else { item.price.clone() }
        });
        check!(db, table, BigDecimal, |i| least((i.price, decimal("9.5"))), |item| {
            item.price.clone().min(decimal("9.5"))
        });
        check!(
            db,
            table,
            BigDecimal,
            |i| case_when(i.price.gt(decimal("9.5")), i.price).otherwise(decimal("9.50")),
            |item| item.price.clone().max(decimal("9.5"))
        );
        check!(@rows db, table, BigDecimal, |i| i.shop().items().max(|o| o.price), |item| {
            of_shop(item).into_iter().map(|o| o.price).max().expect("it is there")
        });
        check!(@rows db, table, BigDecimal, |i| i.shop().items().sum(|o| o.price), |item| {
            of_shop(item).into_iter().map(|o| o.price).sum()
        });
        check!(@rows db, table, BigDecimal, |i| i.shop().items().first(|o| o.id.desc(), |o| o.price), |item| {
            of_shop(item).into_iter().max_by_key(|o| o.id).expect("it is there").price
        });
        Ok(())
    })
}

fn instants_in_every_position(bed: &Bed) -> TestResult {
    each_table(bed, |db, table| {
        let middle: DateTime<Utc> = "2020-01-01T00:00:00Z".parse()?;
        check!(db, table, DateTime<Utc>, |i| i.instant, |item| item.instant);
        check!(db, table, DateTime<Utc>, |i| coalesce((i.instant.nullif(middle), middle)), |item| item.instant);
        check!(db, table, DateTime<Utc>, |i| greatest((i.instant, middle)), |item| item.instant.max(middle));
        check!(db, table, DateTime<Utc>, |i| case_when(i.instant.lt(middle), i.instant).otherwise(middle), |item| item
            .instant
            .min(middle));
        check!(@rows db, table, DateTime<Utc>, |i| i.shop().items().min(|o| o.instant), |item| {
            of_shop(item).into_iter().map(|o| o.instant).min().expect("it is there")
        });
        check!(@rows db, table, DateTime<Utc>, |i| i.shop().items().first(|o| o.id.asc(), |o| o.instant), |item| {
            of_shop(item).into_iter().min_by_key(|o| o.id).expect("it is there").instant
        });
        Ok(())
    })
}

fn local_times_in_every_position(bed: &Bed) -> TestResult {
    each_table(bed, |db, table| {
        let middle: NaiveDateTime = "2020-01-01T00:00:00".parse()?;
        check!(db, table, NaiveDateTime, |i| i.local, |item| item.local);
        check!(db, table, NaiveDateTime, |i| greatest((i.local, middle)), |item| item.local.max(middle));
        check!(@rows db, table, NaiveDateTime, |i| i.shop().items().max(|o| o.local), |item| {
            of_shop(item).into_iter().map(|o| o.local).max().expect("it is there")
        });
        Ok(())
    })
}

fn times_of_a_day_in_every_position(bed: &Bed) -> TestResult {
    each_table(bed, |db, table| {
        let ten: NaiveTime = "10:00:00".parse()?;
        check!(db, table, NaiveTime, |i| i.time, |item| item.time);
        check!(db, table, NaiveTime, |i| greatest((i.time, ten)), |item| item.time.max(ten));
        check!(@rows db, table, NaiveTime, |i| i.shop().items().max(|o| o.time), |item| {
            of_shop(item).into_iter().map(|o| o.time).max().expect("it is there")
        });
        Ok(())
    })
}

/// A value that is compared with a field, and values of other rows.
fn windows_of_decimals(bed: &Bed) -> TestResult {
    each_table(bed, |db, table| {
        let rows = items();
        let below = ids(Item::objects(db).filter(|i| value(decimal("9")).lt(i.price)))?;
        assert_eq!(below, rows.iter().filter(|i| i.price > decimal("9")).map(|i| i.id).collect_vec(), "{table}");
        let by_neighbour = Item::objects(db)
            .order_by(|i| (lag(i.price, 1).over(|w| w.order_by(i.id.asc())).asc().nulls_first(), i.id.asc()))
            .values(|i| i.id)
            .load()?;
        let neighbours = rows.iter().map(|i| (rows.iter().find(|o| o.id + 1 == i.id).map(|o| o.price.clone()), i.id));
        assert_eq!(by_neighbour, neighbours.sorted().map(|(_, id)| id).collect_vec(), "{table}");
        let values = Item::objects(db)
            .order_by(|i| i.id.asc())
            .values(|i| {
                (
                    sum(i.price).over(|w| w.order_by(i.id.asc())),
                    sum(i.price).over(|w| w.partition_by(i.shop_id)),
                    first_value(i.price).over(|w| w.order_by(i.price.desc())),
                )
            })
            .load()?;
        for (item, found) in rows.iter().zip_eq(values) {
            let running = rows.iter().filter(|o| o.id <= item.id).map(|o| o.price.clone()).sum();
            let of_shop = of_shop(item).into_iter().map(|o| o.price).sum();
            assert_eq!(found, (Some(running), Some(of_shop), Some(decimal("100"))), "{table}");
        }
        Ok(())
    })
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Tick {
    #[model(primary_key)]
    at: DateTime<Utc>,
    amount: BigDecimal,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Weight {
    #[model(primary_key)]
    amount: BigDecimal,
    note: String,
}

/// A row that was read is found by its key, in another program's spelling too.
fn rows_are_found_by_their_keys(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    if bed.backend() == BackendKind::Sqlite {
        bed.execute(
            "CREATE TABLE ticks (at DATETIME PRIMARY KEY, amount NUMERIC NOT NULL); \
             INSERT INTO ticks VALUES ('2020-01-01T05:30+05:30', 1.5), ('2020-01-02 00:00:00', 2); \
             CREATE TABLE weights (amount TEXT PRIMARY KEY, note TEXT NOT NULL); \
             INSERT INTO weights VALUES ('1.50', 'a'), ('2.0', 'b')",
        );
    } else {
        db.create_tables::<(Tick, Weight)>()?;
        let at = |text: &str| text.parse::<DateTime<Utc>>();
        let tick = |at, amount: &str| Tick { at, amount: decimal(amount) };
        Tick::bulk_create(&db, [tick(at("2020-01-01T00:00:00Z")?, "1.5"), tick(at("2020-01-02T00:00:00Z")?, "2")])?;
        let weight = |amount: &str, note: &str| Weight { amount: decimal(amount), note: note.into() };
        Weight::bulk_create(&db, [weight("1.5", "a"), weight("2", "b")])?;
    }
    let ticks = Tick::objects(&db).order_by(|t| t.at.asc()).load()?;
    let keys = ticks.iter().map(|tick| tick.at).collect_vec();
    assert_eq!(Tick::objects(&db).in_bulk(keys)?.len(), 2);
    for mut tick in ticks {
        assert_eq!(Tick::objects(&db).filter(|t| t.at.eq(tick.at)).get()?, tick);
        assert_eq!(Tick::objects(&db).filter(|t| t.amount.eq(tick.amount.clone())).get()?, tick);
        tick.refresh(&db)?;
        tick.amount += decimal("1");
        tick.save(&db)?;
        assert_eq!(Tick::objects(&db).filter(|t| t.amount.eq(tick.amount.clone())).get()?, tick);
        tick.amount += decimal("1");
        assert_eq!(Tick::bulk_update(&db, [&tick], |t| t.amount)?, 1);
        assert_eq!(Tick::objects(&db).filter(|t| t.amount.eq(tick.amount.clone())).get()?, tick);
    }
    assert_eq!(bed.number("SELECT COUNT(*) FROM ticks"), 2);
    let weights = Weight::objects(&db).order_by(|w| w.amount.asc()).load()?;
    assert_eq!(Weight::objects(&db).in_bulk(weights.iter().map(|w| w.amount.clone()))?.len(), 2);
    for mut weight in weights {
        weight.note.push('!');
        weight.amount = weight.amount.normalized();
        weight.save(&db)?;
        weight.note.push('!');
        assert_eq!(Weight::bulk_update(&db, [&weight], |w| w.note)?, 1);
        weight.refresh(&db)?;
        assert_eq!(weight.note.len(), 3);
        weight.delete(&db)?;
    }
    assert_eq!(bed.number("SELECT COUNT(*) FROM weights"), 0);
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Event {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Tick, name = tick, reverse = events))]
    at: DateTime<Utc>,
}

/// Joins and subqueries by columns that spell one value in two ways.
fn joins_by_what_is_spelled(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let at: DateTime<Utc> = "2020-01-01T00:00:00Z".parse()?;
    if bed.backend() == BackendKind::Sqlite {
        bed.execute(
            "CREATE TABLE ticks (at DATETIME PRIMARY KEY, amount NUMERIC NOT NULL); \
             INSERT INTO ticks VALUES ('2020-01-01T00:00:00Z', 1.5); \
             CREATE TABLE events (id INTEGER PRIMARY KEY, at TEXT NOT NULL); \
             INSERT INTO events VALUES (1, '2020-01-01 00:00:00'), (2, '2020-01-01T01:00+01:00')",
        );
    } else {
        db.create_tables::<(Tick, Event)>()?;
        Tick::bulk_create(&db, [Tick { at, amount: decimal("1.5") }])?;
        Event::bulk_create(&db, [Event { id: 1, at }, Event { id: 2, at }])?;
    }
    let joined = Event::objects(&db).filter(|e| e.tick().amount.eq(decimal("1.50"))).order_by(|e| e.id.asc());
    assert_eq!(joined.values(|e| e.id).load()?, [1, 2]);
    assert_eq!(Tick::objects(&db).values(|t| t.events().count()).get()?, 2);
    let ticks = Tick::objects(&db).values(|t| t.at);
    assert_eq!(Event::objects(&db).filter(|e| e.at.is_in(ticks)).count()?, 2);
    assert_eq!(Event::objects(&db).filter(|e| e.tick().amount.gt(decimal("1"))).update(|e| e.at.set(at))?, 2);
    Ok(())
}

/// A column of numbers, and what is computed of it, which is text on SQLite.
fn unions_of_numbers_and_texts(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let at: DateTime<Utc> = "2020-01-01T00:00:00Z".parse()?;
    db.create_tables::<(Tick,)>()?;
    if bed.backend() == BackendKind::Sqlite {
        bed.execute("DROP TABLE ticks; CREATE TABLE ticks (at TEXT PRIMARY KEY, amount NUMERIC NOT NULL)");
    }
    Tick::bulk_create(&db, [Tick { at, amount: decimal("1.5") }])?;
    let (stored, computed) =
        (|| Tick::objects(&db).values(|t| t.amount), || Tick::objects(&db).values(|t| t.amount.abs()));
    assert_eq!(stored().union([computed()]).load()?, [decimal("1.5")]);
    assert_eq!(computed().union([stored()]).count()?, 1);
    assert_eq!(stored().intersection([computed()]).count()?, 1);
    assert_eq!(computed().difference([stored()]).count()?, 0);
    Ok(())
}

/// Databases keep microseconds: a condition on more is refused before it is sent, and never answered of another time.
fn nanoseconds_are_not_cut_off_in_conditions(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Shop, Item)>()?;
    let instant: DateTime<Utc> = "2020-01-01T00:00:00.000000001Z".parse()?;
    let (local, time) = (instant.naive_utc(), instant.time());
    let all = || Item::objects(&db);
    let errors = [
        all().filter(|i| i.instant.eq(instant)).load().err(),
        all().filter(|i| i.local.eq(local)).load().err(),
        all().filter(|i| i.local.ne(&local)).load().err(),
        all().filter(|i| i.local.between(local, local)).load().err(),
        all().filter(|i| i.local.is_in([local])).load().err(),
        all().filter(|i| i.local.is_in(std::iter::repeat_n(local, 2500))).load().err(),
        all().filter(|i| i.local.nullif(local).is_null()).load().err(),
        all().filter(|i| greatest((i.local, local)).eq(i.local)).load().err(),
        all().filter(|i| value(local).eq(i.local)).load().err(),
        all().filter(|i| i.time.lt(time)).load().err(),
        all().filter(|i| i.time.not_in([time])).load().err(),
        all().update(|i| i.time.set(time)).err(),
    ];
    for (at, error) in errors.into_iter().enumerate() {
        let error = error.unwrap_or_else(|| panic!("nanoseconds were sent by way {at}"));
        assert_eq!(error.kind(), ErrorKind::InvalidValue, "by way {at}: {error:?}");
        assert!(format!("{error:?}").contains("nanoseconds"), "{error:?}");
    }
    let whole = local - chrono::TimeDelta::nanoseconds(1);
    assert_eq!(all().filter(|i| i.local.eq(whole).or(i.time.gt(whole.time()))).count()?, 0);
    Ok(())
}
