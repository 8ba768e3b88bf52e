//! `bulk_update`: many rows, each with values of its own.

use std::cell::Cell;

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use itertools::Itertools;
use orm_core::prelude::*;
use orm_tests::{Bed, Pick, TestResult, ok, on_each_backend, panics};
use uuid::Uuid;

use crate::models::{Flight, Leg, Visit, airport, flight, leg, pairs, tables, unstorable, visits};

on_each_backend! {
    owned_and_borrowed, nothing, null_in_and_out, number_is_of_rows_found, of_a_composite_key, one_row_twice, more_than_a_batch,
    of_every_type, keys_of_other_types, lazily_consumed, wide_values_are_sent_early, atomic_in_a_late_batch,
    atomic_when_the_iterator_panics, values_that_cannot_be_stored, a_field_of_the_key, generated_fields, in_a_transaction,
    from_a_stream, odd_texts, a_table_of_another_collation, errors_name_the_rows, one_row_twice_by_other_words,
    one_row_twice_in_a_collation, one_row_twice_by_a_composite_key, booleans_in_bits,
}

fn planned(bed: &Bed) -> Vec<String> {
    pairs(bed, "id", "planned", "flights")
}

fn with_planned(id: i64, planned: i32) -> Flight {
    Flight { planned, ..flight(id, None, "no", "such") }
}

fn owned_and_borrowed(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    assert_eq!(Flight::bulk_update(&db, [with_planned(2, -2), with_planned(5, -5)], |f| f.planned)?, 2);
    assert_eq!(planned(bed), ["1=10", "2=-2", "3=30", "4=40", "5=-5", "6=60"]);
    let rows = vec![with_planned(6, -6), with_planned(1, -1)];
    assert_eq!(Flight::bulk_update(&db, &rows, |f| (f.planned, f.delay))?, 2);
    assert_eq!(Flight::bulk_update(&db, rows.iter().rev(), |f| f.planned)?, 2);
    assert_eq!(planned(bed), ["1=-1", "2=-2", "3=30", "4=40", "5=-5", "6=-6"]);
    assert_eq!(bed.texts("SELECT origin_code FROM flights WHERE id = 6"), [Some("LGA".to_owned())], "it was not named");
    Ok(())
}

fn nothing(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    assert_eq!(Flight::bulk_update(&db, Vec::<Flight>::new(), |f| f.planned)?, 0);
    assert_eq!(Flight::bulk_update(&db, [with_planned(99, 1)], |f| f.planned)?, 0);
    Ok(())
}

fn null_in_and_out(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let delayed = |id, delay| flight(id, delay, "", "");
    let rows = [delayed(1, None), delayed(2, None), delayed(3, Some(3)), delayed(4, Some(4))];
    assert_eq!(Flight::bulk_update(&db, &rows, |f| f.delay)?, 4);
    assert_eq!(pairs(bed, "id", "delay", "flights"), ["1=NULL", "2=NULL", "3=3", "4=4", "5=NULL", "6=0"]);
    assert_eq!(Flight::bulk_update(&db, [delayed(4, None)], |f| (f.delay, f.note))?, 1, "nothing but NULL");
    assert_eq!(bed.number("SELECT count(*) FROM flights WHERE delay IS NULL"), 4);
    Ok(())
}

fn number_is_of_rows_found(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let rows = [with_planned(1, 1), with_planned(77, 1), with_planned(2, 1)];
    for _ in 0..2 {
        assert_eq!(Flight::bulk_update(&db, &rows, |f| f.planned)?, 2, "also where they have the values already");
    }
    assert_eq!(bed.number("SELECT count(*) FROM flights"), 6);
    Ok(())
}

fn of_a_composite_key(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let rows = [leg("UA", 1, -1, None), leg("AA", 1, -2, Some("LGA")), leg("UA", 4, -3, None)];
    assert_eq!(Leg::bulk_update(&db, &rows, |l| (l.origin_code, l.miles))?, 2);
    assert_eq!(
        bed.texts("SELECT miles FROM legs ORDER BY carrier, number").into_iter().flatten().join(" "),
        "-2 200 -1 400 500"
    );
    assert_eq!(bed.texts("SELECT origin_code FROM legs WHERE miles = -2"), [Some("LGA".to_owned())]);
    assert_eq!(bed.texts("SELECT origin_code FROM legs WHERE miles = -1"), [None]);
    Ok(())
}

/// The last one stays, in one batch as in several.
fn one_row_twice(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let rows = [with_planned(1, 1), with_planned(2, 2), with_planned(1, 3), with_planned(1, 4), with_planned(3, 5)];
    assert_eq!(Flight::bulk_update(&db, &rows, |f| f.planned)?, 5);
    assert_eq!(planned(bed)[..3], ["1=4", "2=2", "3=5"]);
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Number {
    #[model(primary_key)]
    id: i64,
    name: Option<String>,
    square: i64,
}

fn number(id: i64) -> Number {
    Number { id, name: (id % 3 > 0).then(|| format!("number {id}")), square: id * id }
}

fn numbers(bed: &Bed, last: i64) -> orm_core::Result<Database> {
    let db = bed.db()?;
    db.create_tables::<(Number,)>()?;
    Number::bulk_create(&db, (1..=last).map(|id| Number { name: Some("old".into()), square: -1, ..number(id) }))?;
    Ok(db)
}

fn more_than_a_batch(bed: &Bed) -> TestResult {
    let db = numbers(bed, 2600)?;
    assert_eq!(Number::bulk_update(&db, (1..=2500).rev().map(number), |n| (n.name, n.square))?, 2500);
    let stored = Number::objects(&db).filter(|n| n.id.le(2500)).order_by(|n| n.id.asc()).load()?;
    assert_eq!(stored, (1..=2500).map(number).collect_vec());
    assert_eq!(bed.number("SELECT count(*) FROM numbers WHERE square = -1 AND name = 'old'"), 100);
    Ok(())
}

#[derive(FieldType, Clone, Copy, Debug, PartialEq)]
enum Kind {
    Cargo,
    Passengers,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Everything {
    #[model(primary_key)]
    id: i32,
    flag: bool,
    tiny: i8,
    byte: u8,
    small: i16,
    unsigned: u32,
    large: u64,
    single: f32,
    double: Option<f64>,
    text: String,
    bytes: Option<Vec<u8>>,
    day: NaiveDate,
    at: Option<NaiveTime>,
    local: NaiveDateTime,
    instant: Option<DateTime<Utc>>,
    token: Uuid,
    document: Option<serde_json::Value>,
    price: Option<BigDecimal>,
    kind: Option<Kind>,
}

fn everything(id: i32) -> Everything {
    let day = NaiveDate::from_ymd_opt(2013, 1, 1).expect("it is a date") + chrono::Days::new(id.unsigned_abs().into());
    let local = day.and_hms_micro_opt(1, 2, 3, 456_789).expect("it is a time");
    let filled = id % 2 == 1;
    Everything {
        id,
        flag: filled,
        tiny: -7,
        byte: 255,
        small: -30_000,
        unsigned: u32::MAX,
        large: i64::MAX.unsigned_abs(),
        single: 0.1,
        double: filled.then_some(1.0 / 3.0),
        text: format!("é 漢 '\\% {id}"),
        bytes: filled.then(|| vec![0, 255, 39, 92, 128]),
        day,
        at: filled.then(|| local.time()),
        local,
        instant: filled.then(|| local.and_utc()),
        token: Uuid::from_u128(0xFF00_0000_0000_0000_0000_0000_0000_0001),
        document: filled.then(|| serde_json::json!({"a": [1, null, "x'y"]})),
        price: filled.then(|| "12345678901234567890.123456789".parse().expect("it is a number")),
        kind: filled.then_some(if id % 4 == 1 { Kind::Cargo } else { Kind::Passengers }),
    }
}

fn of_every_type(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Everything,)>()?;
    // Stored as the other one, so that what was NULL gets values, and the other way round.
    let blank = |id| Everything { id, ..everything(id + 1) };
    Everything::bulk_create(&db, (1..=6).map(blank))?;
    let found = Everything::bulk_update(&db, (1..=6).map(everything), |e| {
        (
            (e.flag, e.tiny, e.byte, e.small, e.unsigned, e.large, e.single, e.double, e.text),
            (e.bytes, e.day, e.at, e.local, e.instant, e.token, e.document, e.price, e.kind),
        )
    })?;
    assert_eq!(found, 6);
    let stored = Everything::objects(&db).order_by(|e| e.id.asc()).load()?;
    assert_eq!(stored, (1..=6).map(everything).collect_vec());
    Ok(())
}

/// Keys are compared as the columns compare them.
fn keys_of_other_types(bed: &Bed) -> TestResult {
    #[derive(Model, Clone, Debug, PartialEq)]
    struct Item {
        #[model(primary_key)]
        token: Uuid,
        name: String,
    }
    #[derive(Model, Clone, Debug, PartialEq)]
    struct Rate {
        #[model(primary_key)]
        day: NaiveDateTime,
        rate: BigDecimal,
    }
    #[derive(Model, Clone, Debug, PartialEq)]
    struct Price {
        #[model(primary_key)]
        amount: BigDecimal,
        count: i32,
    }
    let db = bed.db()?;
    db.create_tables::<(Item, Rate, Price)>()?;
    let item = |n: u128, name: &str| Item { token: Uuid::from_u128(n << 100 | n), name: name.into() };
    Item::bulk_create(&db, [item(1, "a"), item(2, "b"), item(3, "c")])?;
    assert_eq!(Item::bulk_update(&db, [item(3, "C"), item(1, "A")], |i| i.name)?, 2);
    assert_eq!(Item::objects(&db).order_by(|i| i.token.asc()).values(|i| i.name).load()?, ["A", "b", "C"]);
    let rate = |id, rate: &str| Rate { day: everything(id).local, rate: rate.parse().expect("it is a number") };
    Rate::bulk_create(&db, [rate(1, "1.5"), rate(2, "2.5")])?;
    assert_eq!(Rate::bulk_update(&db, [rate(2, "-0.000000000000000001")], |r| r.rate)?, 1);
    assert_eq!(
        Rate::objects(&db).order_by(|r| r.day.asc()).load()?,
        [rate(1, "1.5"), rate(2, "-0.000000000000000001")]
    );
    let price = |amount: &str, count| Price { amount: amount.parse().expect("it is a number"), count };
    Price::bulk_create(&db, [price("9.5", 1), price("10.25", 2)])?;
    assert_eq!(Price::bulk_update(&db, [price("9.500", 3)], |p| p.count)?, 1);
    assert_eq!(bed.number("SELECT max(count) FROM prices"), 3);
    Ok(())
}

fn lazily_consumed(bed: &Bed) -> TestResult {
    let db = numbers(bed, 3000)?;
    db.transaction(|tx| {
        let (pulled, ahead) = (Cell::new(0_u64), Cell::new(0));
        let rows = (1..=3000).map(|id| {
            if id % 100 == 0 {
                let written =
                    Number::objects(tx).filter(|n| n.square.ge(0)).count().unwrap_or_else(|e| panic!("{e:?}"));
                ahead.set(ahead.get().max(pulled.get() - written));
            }
            pulled.set(pulled.get() + 1);
            number(id)
        });
        assert_eq!(Number::bulk_update(tx, rows, |n| n.square)?, 3000);
        assert!((1..1000).contains(&ahead.get()), "{} rows were held", ahead.get());
        ok(())
    })?;
    Ok(())
}

fn wide_values_are_sent_early(bed: &Bed) -> TestResult {
    let db = numbers(bed, 30)?;
    db.transaction(|tx| {
        let ahead = Cell::new(0);
        let rows = (1..=30_u64).map(|id| {
            let written = Number::objects(tx).filter(|n| n.name.ne("old")).count().unwrap_or_else(|e| panic!("{e:?}"));
            ahead.set(ahead.get().max(id - 1 - written));
            Number { name: Some("x".repeat(1 << 20)), ..number(id.cast_signed()) }
        });
        assert_eq!(Number::bulk_update(tx, rows, |n| n.name)?, 30);
        assert!(ahead.get() <= 2, "{} rows of 1 MiB were held", ahead.get());
        ok(())
    })?;
    Ok(())
}

fn atomic_in_a_late_batch(bed: &Bed) -> TestResult {
    bed.execute("CREATE TABLE numbers (id BIGINT PRIMARY KEY, name VARCHAR(20), square BIGINT NOT NULL CHECK (square < 4000000))");
    let db = bed.db()?;
    Number::bulk_create(&db, (1..=2100).map(|id| Number { square: 0, ..number(id) }))?;
    let error = Number::bulk_update(&db, (1..=2100).map(number), |n| n.square).expect_err("2000 is refused");
    assert_eq!((error.kind(), error.model()), (ErrorKind::CheckViolation, Some("Number")), "{error:?}");
    assert_eq!(bed.number("SELECT sum(square) FROM numbers"), 0);
    Ok(())
}

fn atomic_when_the_iterator_panics(bed: &Bed) -> TestResult {
    let db = numbers(bed, 1500)?;
    let rows = (1..=1500).map(|id| if id < 1400 { number(id) } else { panic!("row {id}") });
    assert_eq!(panics::message(|| Number::bulk_update(&db, rows, |n| n.square)), "row 1400");
    assert_eq!(bed.number("SELECT count(*) FROM numbers WHERE square = -1"), 1500);
    Ok(())
}

fn values_that_cannot_be_stored(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let (bad, field) = unstorable(bed, with_planned(2, -2));
    let rows = [with_planned(1, -1), bad];
    let error = Flight::bulk_update(&db, &rows, |f| (f.planned, f.seats, f.share)).expect_err("one cannot be stored");
    assert_eq!((error.kind(), error.field(), error.row()), (ErrorKind::InvalidValue, Some(field), Some(2)));
    assert_eq!(error.key(), Some("2"));
    assert_eq!(planned(bed)[..2], ["1=10", "2=20"]);
    Ok(())
}

fn a_field_of_the_key(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let error =
        Leg::bulk_update(&db, [leg("UA", 1, 1, None)], |l| (l.miles, l.carrier)).expect_err("it says which row");
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidQuery, Some("carrier")));
    Ok(())
}

/// What is named is written, whoever fills it.
fn generated_fields(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    bed.execute("INSERT INTO visits (id, guest) VALUES (7, 'Ada'), (8, 'Ben')");
    let mut rows = Visit::objects(&db).load()?;
    rows.iter_mut().for_each(|visit| visit.state = format!("done {}", visit.id));
    assert_eq!(Visit::bulk_update(&db, &rows, |v| v.state)?, 2);
    assert_eq!(pairs(bed, "id", "state", "visits"), ["7=done 7", "8=done 8"]);
    Ok(())
}

fn in_a_transaction(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    db.transaction(|tx| {
        assert_eq!(Flight::bulk_update(tx, [with_planned(1, -1)], |f| f.planned)?, 1);
        let bad = Flight { origin_code: "XXX".into(), ..with_planned(2, -2) };
        let error = Flight::bulk_update(tx, [with_planned(3, -3), bad], |f| (f.planned, f.origin_code));
        assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::ForeignKeyViolation));
        Flight::bulk_update(tx, [with_planned(4, -4)], |f| f.planned)
    })?;
    assert_eq!(planned(bed), ["1=-1", "2=20", "3=30", "4=-4", "5=50", "6=60"]);
    Ok(())
}

fn from_a_stream(bed: &Bed) -> TestResult {
    let db = numbers(bed, 1200)?;
    let rows = Number::objects(&db).iterator(100)?.map(|row| Number { square: row.id * row.id, ..row });
    assert_eq!(Number::bulk_update(&db, rows, |n| n.square)?, 1200);
    assert_eq!(bed.number("SELECT count(*) FROM numbers WHERE square = id * id"), 1200);
    Ok(())
}

fn odd_texts(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let odd = "100%_'\"`\\ é 漢 🛫; DROP TABLE flights --";
    orm_core::Model::save(&airport(odd, odd, None), &db)?;
    let renamed = airport(odd, "renamed", Some("JFK"));
    assert_eq!(crate::models::Airport::bulk_update(&db, [&renamed], |a| (a.city, a.hub_code))?, 1);
    assert_eq!(crate::models::Airport::objects(&db).filter(|a| a.code.eq(odd)).get()?, renamed);
    Ok(())
}

/// MySQL refuses to compare texts of two collations.
fn a_table_of_another_collation(bed: &Bed) -> TestResult {
    bed.execute(bed.pick(Pick {
        postgres: "CREATE TABLE airports (code CHAR(3) COLLATE \"C\" PRIMARY KEY, city VARCHAR(50) NOT NULL, hub_code VARCHAR(3))",
        mysql: "CREATE TABLE airports (code CHAR(3) PRIMARY KEY, city VARCHAR(50) NOT NULL, hub_code VARCHAR(3)) \
                CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci",
        sqlite: "CREATE TABLE airports (code CHAR(3) PRIMARY KEY COLLATE NOCASE, city VARCHAR(50) NOT NULL, hub_code TEXT)",
    }));
    bed.execute("INSERT INTO airports VALUES ('JFK', 'Queens', NULL), ('ORD', 'Chicago', NULL)");
    let db = bed.db()?;
    let rows = [airport("JFK", "New York", None), airport("ORD", "Chicago", Some("JFK"))];
    assert_eq!(crate::models::Airport::bulk_update(&db, &rows, |a| (a.city, a.hub_code))?, 2);
    assert_eq!(crate::models::Airport::objects(&db).order_by(|a| a.code.asc()).load()?, rows);
    Ok(())
}

fn errors_name_the_rows(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let secret = Flight { remark: "a secret".into(), origin_code: "XXX".into(), ..with_planned(2, 2) };
    let error = Flight::bulk_update(&db, [with_planned(99, 1), secret], |f| (f.remark, f.origin_code));
    let error = error.expect_err("no airport is XXX");
    assert_eq!((error.kind(), error.model()), (ErrorKind::ForeignKeyViolation, Some("Flight")));
    let sql = error.sql().unwrap_or_default();
    assert!(sql.starts_with("UPDATE") && sql.contains("(rows 1 to 2)"), "{sql}");
    assert!(!format!("{error} {error:?}").contains("a secret"), "{error:?}");
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Amount {
    #[model(primary_key)]
    amount: BigDecimal,
    count: i32,
}

fn amount(amount: &str, count: i32) -> Amount {
    Amount { amount: amount.parse().expect("it is a number"), count }
}

/// Keys that differ in Rust, and are one to the database; others are missing.
fn one_row_twice_by_other_words(bed: &Bed) -> TestResult {
    #[derive(Model, Clone, Debug, PartialEq)]
    struct Part {
        #[model(primary_key)]
        share: f32,
        count: i32,
    }
    let db = bed.db()?;
    db.create_tables::<(Amount, Part)>()?;
    Amount::bulk_create(&db, (0..100).map(|id| amount(&format!("{id}.5"), -1)))?;
    let twice = (0..100).flat_map(|id| [amount(&format!("{id}.5"), id), amount(&format!("{id}.50"), id + 1000)]);
    let missing = (0..50).map(|id| amount(&format!("{id}.25"), -2));
    let back = (0..10).map(|id| amount(&format!("{id}.500"), id + 2000));
    assert_eq!(Amount::bulk_update(&db, twice.chain(missing).chain(back), |a| a.count)?, 210);
    assert_eq!(
        bed.number("SELECT count(*) FROM amounts WHERE count BETWEEN 2000 AND 2009 AND count = amount + 1999.5"),
        10
    );
    assert_eq!(
        bed.number("SELECT count(*) FROM amounts WHERE count BETWEEN 1010 AND 1099 AND count = amount + 999.5"),
        90
    );
    let part = |share, count| Part { share, count };
    Part::bulk_create(&db, [part(0.0, 1), part(0.5, 2)])?;
    let rows = [part(-0.0, 10), part(0.5, 20), part(0.0, 30), part(7.0, 40)];
    assert_eq!(Part::bulk_update(&db, &rows, |p| p.count)?, 3);
    assert_eq!(pairs(bed, "share", "count", "parts").len(), 2);
    assert_eq!(bed.texts("SELECT count FROM parts ORDER BY share"), [Some("30".to_owned()), Some("20".to_owned())]);
    Ok(())
}

fn one_row_twice_in_a_collation(bed: &Bed) -> TestResult {
    bed.execute(bed.pick(Pick {
        postgres: "CREATE COLLATION no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false); \
                   CREATE TABLE airports (code TEXT COLLATE no_case PRIMARY KEY, city TEXT NOT NULL, hub_code TEXT)",
        mysql: "CREATE TABLE airports (code VARCHAR(3) PRIMARY KEY, city VARCHAR(50) NOT NULL, hub_code VARCHAR(3)) \
                CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
        sqlite: "CREATE TABLE airports (code TEXT PRIMARY KEY COLLATE NOCASE, city TEXT NOT NULL, hub_code TEXT)",
    }));
    bed.execute("INSERT INTO airports VALUES ('AB', 'a', NULL), ('CD', 'c', NULL)");
    let db = bed.db()?;
    let rows = [airport("ab", "first", None), airport("CD", "one", None), airport("AB", "last", Some("CD"))];
    assert_eq!(crate::models::Airport::bulk_update(&db, &rows, |a| (a.city, a.hub_code))?, 3);
    assert_eq!(crate::models::Airport::bulk_update(&db, rows.iter().rev(), |a| a.city)?, 3);
    assert_eq!(pairs(bed, "city", "hub_code", "airports"), ["first=CD", "one=NULL"]);
    Ok(())
}

fn one_row_twice_by_a_composite_key(bed: &Bed) -> TestResult {
    #[derive(Model, Clone, Debug, PartialEq)]
    #[model(primary_key(amount, place))]
    struct Stock {
        amount: BigDecimal,
        place: i32,
        count: i32,
    }
    let db = bed.db()?;
    db.create_tables::<(Stock,)>()?;
    let stock = |amount: &str, place, count| Stock { amount: amount.parse().expect("it is a number"), place, count };
    Stock::bulk_create(&db, [stock("1.5", 1, 0), stock("1.5", 2, 0)])?;
    let rows = [stock("1.50", 1, 1), stock("1.5", 2, 2), stock("1.5", 3, 3), stock("1.5", 1, 4)];
    assert_eq!(Stock::bulk_update(&db, &rows, |s| s.count)?, 3);
    assert_eq!(pairs(bed, "place", "count", "stocks"), ["1=4", "2=2"]);
    Ok(())
}

/// MySQL's other type for what is true or false.
fn booleans_in_bits(bed: &Bed) -> TestResult {
    #[derive(Model, Clone, Debug, PartialEq)]
    struct Switch {
        #[model(primary_key)]
        id: i64,
        on: bool,
        stuck: Option<bool>,
    }
    let db = bed.db()?;
    if bed.backend() == orm_core::BackendKind::Mysql {
        bed.execute("CREATE TABLE switches (id BIGINT PRIMARY KEY, `on` BIT(1) NOT NULL, stuck BIT(1))");
    } else {
        db.create_tables::<(Switch,)>()?;
    }
    let switch = |id, on, stuck| Switch { id, on, stuck };
    Switch::bulk_create(&db, [switch(1, true, None), switch(2, false, Some(true)), switch(3, true, Some(false))])?;
    let rows = [switch(1, false, Some(true)), switch(2, true, Some(false)), switch(3, true, None)];
    assert_eq!(Switch::bulk_update(&db, &rows, |s| (s.on, s.stuck))?, 3);
    assert_eq!(Switch::objects(&db).order_by(|s| s.id.asc()).load()?, rows);
    Ok(())
}
