//! Types and COPY: its bytes are those of the columns' own types, or it is an INSERT.

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use diesel::{
    deserialize::{self, FromSql},
    pg::{Pg, PgValue},
    serialize::{self, IsNull, Output, ToSql},
    sql_types::{Array, Integer, Interval, Json, Nullable, SqlType, Text, Uuid as PgUuid},
};
use itertools::Itertools;
use orm_core::{
    diesel::{self, pg::data_types::PgInterval},
    prelude::*,
    sql_types::{ColumnSql, ColumnType, SqlKind, Standard},
};
use orm_tests::{Bed, TestResult, ok, on_postgres};
use serde_json::json;
use uuid::Uuid;

use super::copy::{Heard, ROWS};
use crate::{
    field_types::{at, date, decimal, instant, time},
    models::{Number, number},
};

on_postgres! {
    every_type_is_stored_as_by_insert, types_that_differ, types_of_the_same_bytes, modifiers, an_enum,
    a_table_that_others_change, a_table_that_is_changed_between_batches,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Everything {
    #[model(primary_key)]
    id: i64,
    i8s: i8,
    i16s: Option<i16>,
    i32s: i32,
    u8s: u8,
    u16s: u16,
    u32s: u32,
    u64s: u64,
    f32s: Option<f32>,
    f64s: f64,
    yes: Option<bool>,
    text: Option<String>,
    bytes: Vec<u8>,
    date: NaiveDate,
    time: NaiveTime,
    at: NaiveDateTime,
    instant: Option<DateTime<Utc>>,
    amount: BigDecimal,
    uuid: Uuid,
    json: serde_json::Value,
    #[model(sql_type = Array<Integer>)]
    numbers: Vec<i32>,
    #[model(sql_type = Nullable<Array<Text>>)]
    texts: Option<Vec<String>>,
    #[model(sql_type = Array<PgUuid>)]
    uuids: Vec<Uuid>,
    #[model(sql_type = Interval)]
    interval: PgInterval,
    #[model(sql_type = Json)]
    plain_json: serde_json::Value,
}

/// Rows of which the first have the ends of each type, and the others something between.
fn everything(id: i64) -> Everything {
    let n = u32::try_from(id).expect("it is small");
    let part = f64::from(n) / 3.0;
    let pick = |low: i64, high: i64| match id {
        1 => low,
        2 => high,
        _ => id % 100,
    };
    Everything {
        id,
        i8s: pick((-128).into(), 127).try_into().expect("it fits"),
        i16s: (id % 5 != 0).then(|| pick(i16::MIN.into(), i16::MAX.into()).try_into().expect("it fits")),
        i32s: pick(i32::MIN.into(), i32::MAX.into()).try_into().expect("it fits"),
        u8s: pick(0, u8::MAX.into()).try_into().expect("it fits"),
        u16s: pick(0, u16::MAX.into()).try_into().expect("it fits"),
        u32s: pick(0, u32::MAX.into()).try_into().expect("it fits"),
        u64s: pick(0, i64::MAX).unsigned_abs(),
        f32s: (id % 7 != 0).then_some([f32::MAX, f32::MIN_POSITIVE, -0.0, 0.1][n as usize % 4]),
        f64s: [f64::MAX, f64::MIN_POSITIVE, f64::INFINITY, part][n as usize % 4],
        yes: [None, Some(true), Some(false)][n as usize % 3],
        text: (id % 4 != 0).then(|| ["", "naïve 🛫\n\t\\N\"", "x"][n as usize % 3].repeat(n as usize % 50)),
        bytes: (0..=u8::MAX).cycle().skip(n as usize).take(n as usize % 300).collect(),
        date: if id == 1 { date("-4712-01-01") } else { date("2013-01-31") + chrono::TimeDelta::days(id) },
        time: time("10:00:00.25") + chrono::TimeDelta::microseconds(id),
        at: at("1999-12-31T23:59:59.999999") + chrono::TimeDelta::microseconds(id),
        instant: (id % 6 != 0).then(|| instant("2013-01-31T10:00:00+05:30") + chrono::TimeDelta::hours(id)),
        amount: [decimal("-12345678901234567890.50"), decimal("0.000000000000000001"), decimal("10000"), id.into()]
            [n as usize % 4]
            .clone(),
        uuid: Uuid::from_u128(u128::from(n) << 64 | 7),
        json: json!({"a": [1, null, "naïve"], "n": id}),
        numbers: (0..i32::try_from(id % 4).expect("it is small")).map(|n| n - 1).collect(),
        texts: (id % 3 != 0).then(|| vec!["a \"b\"".into(), String::new(), "{,}".into()]),
        uuids: vec![Uuid::from_u128(n.into())],
        interval: PgInterval::new(id - 50, 3, -2),
        plain_json: json!({"b": 1,  "a": id}),
    }
}

fn every_type_is_stored_as_by_insert(bed: &Bed) -> TestResult {
    let (copying, inserting) = (Heard::on(bed)?, Heard::on(bed)?);
    copying.db.create_tables::<(Everything,)>()?;
    Everything::bulk_create(&copying.db, (1..=ROWS).map(everything))?;
    assert!(copying.copied() && !copying.inserted());
    let rows = Everything::objects(&copying.db).order_by(|e| e.id.asc()).load()?;
    assert!(rows.into_iter().eq((1..=ROWS).map(everything)));

    bed.execute("ALTER TABLE everythings RENAME TO copied");
    inserting.db.create_tables::<(Everything,)>()?;
    // A few at a time are inserted.
    for rows in &(1..=ROWS).chunks(50) {
        Everything::bulk_create(&inserting.db, rows.map(everything))?;
    }
    assert!(inserting.inserted() && !inserting.copied());
    let texts = |table| bed.texts(&format!("SELECT t::text FROM {table} t ORDER BY id"));
    assert_eq!(texts("copied"), texts("everythings"));
    // And what SQL by hand makes of some of it.
    let right = "SELECT count(*) FROM copied WHERE u32s = CASE id WHEN 1 THEN 0 WHEN 2 THEN 4294967295 ELSE id % 100 END \
        AND at = timestamp '1999-12-31 23:59:59.999999' + id * interval '1 us' \
        AND (instant = timestamptz '2013-01-31 10:00:00+05:30' + id * interval '1 hour') IS NOT DISTINCT FROM (CASE WHEN id % 6 <> 0 THEN true END) \
        AND json->>'n' = id::text AND cardinality(numbers) = id % 4";
    assert_eq!(bed.number(right), ROWS);
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Measure {
    #[model(primary_key)]
    id: i64,
    value: Option<i32>,
}

fn measure(id: i64) -> Measure {
    Measure { id, value: i32::try_from(1_000_000 + id).ok().filter(|_| id % 10 != 0) }
}

/// Some are as long as the value is, and would be taken for another value.
fn types_that_differ(bed: &Bed) -> TestResult {
    for (sql, is_taken) in [
        ("REAL", true),
        ("BIGINT", true),
        ("DOUBLE PRECISION", true),
        ("NUMERIC", true),
        ("OID", true),
        ("DATE", false),
        ("TEXT", true),
        ("BOOLEAN", false),
        ("INTEGER[]", false),
        ("BYTEA", false),
    ] {
        bed.execute(&format!(
            "DROP TABLE IF EXISTS measures; CREATE TABLE measures (id BIGINT PRIMARY KEY, value {sql})"
        ));
        let heard = Heard::on(bed)?;
        let few =
            Measure::bulk_create(&heard.db, (-9..0).map(measure)).map_err(|error| error.sqlstate().map(str::to_owned));
        let many = Measure::bulk_create(&heard.db, (1..=ROWS).map(measure));
        let many = many.map_err(|error| error.sqlstate().map(str::to_owned));
        assert!(!heard.copied(), "{sql}");
        if is_taken {
            assert_eq!((few, many), (Ok(9), Ok(ROWS.unsigned_abs())), "{sql}");
            let right = format!(
                "SELECT count(*) FROM measures \
                 WHERE value IS NOT DISTINCT FROM CAST(CASE WHEN id % 10 <> 0 THEN 1000000 + id END AS {sql})"
            );
            assert_eq!(bed.number(&right), 9 + ROWS, "{sql}");
        } else {
            assert_eq!((&few, &many), (&Err(Some("42804".into())), &few), "{sql}");
        }
    }
    Ok(())
}

fn types_of_the_same_bytes(bed: &Bed) -> TestResult {
    bed.execute(
        "CREATE DOMAIN code AS VARCHAR(12) CHECK (VALUE <> 'bad'); CREATE DOMAIN codes AS code NOT NULL; \
         CREATE DOMAIN key AS BIGINT CHECK (VALUE > 0)",
    );
    for (sql, is_copied) in [
        ("TEXT COLLATE \"C\"", true),
        ("VARCHAR", true),
        ("VARCHAR(12)", true),
        ("CHAR(12)", true),
        ("BPCHAR", true),
        ("code", true),
        ("codes", true),
        ("NAME", false),
        ("\"char\"", false),
    ] {
        bed.execute(&format!("DROP TABLE IF EXISTS numbers; CREATE TABLE numbers (id key PRIMARY KEY, name {sql})"));
        let heard = Heard::on(bed)?;
        // Spaces beyond the length are cut off.
        let spaced = |id| Number { id, name: Some(format!("{id:11}       ")) };
        Number::bulk_create(&heard.db, (1..=ROWS).map(spaced))?;
        assert_eq!(heard.copied(), is_copied, "{sql}");
        bed.execute(&format!("DROP TABLE IF EXISTS theirs; CREATE TABLE theirs (id BIGINT, name {sql})"));
        bed.execute(&format!(
            "INSERT INTO theirs SELECT n, lpad(n::text, 11) || '       ' FROM generate_series(1, {ROWS}) n"
        ));
        let texts = |table| {
            bed.texts(&format!("SELECT concat(id, ':', name, ':', octet_length(name::text)) FROM {table} ORDER BY id"))
        };
        assert_eq!(texts("numbers"), texts("theirs"), "{sql}");
    }
    Ok(())
}

/// What is declared behind a type is applied by both.
fn modifiers(bed: &Bed) -> TestResult {
    #[derive(Model, Clone, Debug)]
    struct Rounded {
        #[model(primary_key)]
        id: i64,
        amount: BigDecimal,
        time: NaiveTime,
        at: NaiveDateTime,
        instant: DateTime<Utc>,
        #[model(sql_type = Interval)]
        interval: PgInterval,
    }
    let row = |id: i64| Rounded {
        id,
        amount: BigDecimal::new(id.into(), 4),
        time: time("23:59:59.995") + chrono::TimeDelta::microseconds(id - ROWS / 2),
        at: at("1999-12-31T23:59:59.995") + chrono::TimeDelta::microseconds(id),
        instant: instant("1999-12-31T23:59:59.4Z") + chrono::TimeDelta::milliseconds(id),
        interval: PgInterval::new(id * 1_000, 3, 14),
    };
    let columns = "id BIGINT, amount NUMERIC(5, 2), time TIME(2), at TIMESTAMP(2), instant TIMESTAMPTZ(0), \
                   interval INTERVAL DAY TO SECOND (1)";
    bed.execute(&format!("CREATE TABLE roundeds ({columns}); CREATE TABLE exacts (LIKE roundeds)"));
    bed.execute(
        "ALTER TABLE exacts ALTER amount TYPE NUMERIC, ALTER time TYPE TIME, ALTER at TYPE TIMESTAMP, \
         ALTER instant TYPE TIMESTAMPTZ, ALTER interval TYPE INTERVAL",
    );
    let heard = Heard::on(bed)?;
    Rounded::bulk_create(&heard.db, (1..=ROWS).map(row))?;
    assert!(heard.copied() && !heard.inserted());
    bed.execute("ALTER TABLE roundeds RENAME TO copied; ALTER TABLE exacts RENAME TO roundeds");
    Rounded::bulk_create(&heard.db, (1..=ROWS).map(row))?;
    // What SQL's own assignment makes of the exact values.
    bed.execute(&format!("CREATE TABLE expected ({columns}); INSERT INTO expected SELECT * FROM roundeds"));
    let texts = |table| bed.texts(&format!("SELECT t::text FROM {table} t ORDER BY id"));
    assert_eq!(texts("copied"), texts("expected"));
    assert_ne!(texts("copied"), texts("roundeds"), "nothing was rounded");
    let too_large = |id: i64| Rounded { amount: decimal("1000"), ..row(id) };
    bed.execute("DROP TABLE roundeds; ALTER TABLE copied RENAME TO roundeds");
    for rows in [9, ROWS] {
        let error = Rounded::bulk_create(&heard.db, (1..=rows).map(too_large)).expect_err("it has three digits");
        assert_eq!(error.sqlstate(), Some("22003"), "{error:?}");
    }
    Ok(())
}

#[derive(Clone, Debug, SqlType, diesel::query_builder::QueryId)]
#[diesel(postgres_type(name = "mood"))]
struct MoodType;

impl ColumnSql for MoodType {
    const COLUMN: ColumnType = ColumnType { postgres: "mood", mysql: "LONGTEXT", sqlite: "TEXT" };
}
impl SqlKind for MoodType {
    type Kind = Standard;
}

#[derive(Clone, Copy, Debug, PartialEq, diesel::expression::AsExpression)]
#[diesel(sql_type = MoodType)]
enum Mood {
    Sad,
    Happy,
}

impl ToSql<MoodType, Pg> for Mood {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        std::io::Write::write_all(out, if *self == Mood::Sad { b"sad" } else { b"happy" })?;
        Ok(IsNull::No)
    }
}

impl FromSql<MoodType, Pg> for Mood {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes() {
            b"sad" => Ok(Mood::Sad),
            b"happy" => Ok(Mood::Happy),
            other => Err(format!("{other:?} is no mood").into()),
        }
    }
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Guest {
    #[model(primary_key)]
    id: i64,
    #[model(sql_type = MoodType)]
    mood: Mood,
}

fn an_enum(bed: &Bed) -> TestResult {
    bed.execute("CREATE TYPE mood AS ENUM ('sad', 'happy')");
    let guest = |id| Guest { id, mood: if id % 3 == 0 { Mood::Sad } else { Mood::Happy } };
    let heard = Heard::on(bed)?;
    heard.db.create_tables::<(Guest,)>()?;
    Guest::bulk_create(&heard.db, (1..=ROWS).map(guest))?;
    assert!(heard.copied() && !heard.inserted());
    let right = "SELECT count(*) FROM guests WHERE mood = CASE WHEN id % 3 = 0 THEN 'sad' ELSE 'happy' END::mood";
    assert_eq!(bed.number(right), ROWS);
    // Text is inserted, and has to be one of the labels.
    bed.execute("CREATE TABLE numbers (id BIGINT PRIMARY KEY, name mood)");
    for rows in [9, ROWS] {
        let error = Number::bulk_create(&heard.db, (1..=rows).map(number)).expect_err("it is no label");
        assert_eq!(error.sqlstate(), Some("22P02"), "{error:?}");
    }
    let heard = Heard::on(bed)?;
    Number::bulk_create(&heard.db, (1..=ROWS).map(|id| Number { id, name: Some("happy".into()) }))?;
    assert!(!heard.copied() && heard.inserted());
    assert_eq!(bed.number("SELECT count(*) FROM numbers WHERE name = 'happy'"), ROWS);
    Ok(())
}

/// Between one transaction and the next, on the same connection.
fn a_table_that_others_change(bed: &Bed) -> TestResult {
    let heard = Heard::on(bed)?;
    heard.db.create_tables::<(Measure,)>()?;
    for (at, sql) in (0..).zip(["INTEGER", "REAL", "INTEGER", "BIGINT", "TEXT"]) {
        bed.execute(&format!("ALTER TABLE measures ALTER value TYPE {sql} USING value::{sql}"));
        Measure::bulk_create(&heard.db, (at * ROWS..(at + 1) * ROWS).map(measure))?;
        assert_eq!(heard.inserted(), at > 0);
    }
    let right = "SELECT count(*) FROM measures \
                 WHERE value::numeric IS NOT DISTINCT FROM CASE WHEN id % 10 <> 0 THEN 1000000 + id END";
    assert_eq!(bed.number(right), 5 * ROWS);
    assert!(heard.copied());
    Ok(())
}

/// By the transaction itself, which no lock keeps from it.
fn a_table_that_is_changed_between_batches(bed: &Bed) -> TestResult {
    let heard = Heard::on(bed)?;
    heard.db.create_tables::<(Measure,)>()?;
    heard.db.transaction(|tx| {
        let rows = (1..=6_000).map(|id| {
            let change = match id {
                1_500 => "ALTER TABLE measures ALTER value TYPE REAL",
                2_500 => "ALTER TABLE measures ALTER value TYPE INTEGER; ALTER TABLE measures ALTER id TYPE INTEGER",
                3_500 => "ALTER TABLE measures ALTER id TYPE BIGINT; ALTER TABLE measures ADD extra TEXT DEFAULT 'new'",
                4_500 => "ALTER TABLE measures DROP value; ALTER TABLE measures ADD value REAL",
                5_500 => "ALTER TABLE measures RENAME TO olds; CREATE TABLE measures (value INTEGER, id BIGINT)",
                _ => return measure(id),
            };
            tx.batch_execute(change).expect("it can be changed");
            measure(id)
        });
        assert_eq!(Measure::bulk_create(tx, rows)?, 6_000);
        ok(())
    })?;
    assert!(heard.copied() && heard.inserted());
    let right = "WHERE value IS NOT DISTINCT FROM CASE WHEN id % 10 <> 0 THEN 1000000 + id END";
    // What had been stored of the dropped column is gone.
    assert_eq!(bed.number(&format!("SELECT count(*) FROM olds {right} AND id > 4000")), 1_000);
    assert_eq!(bed.number("SELECT count(*) FROM olds WHERE id <= 4000 AND value IS NULL"), 4_000);
    assert_eq!(bed.number(&format!("SELECT count(*) FROM measures {right}")), 1_000);
    Ok(())
}
