//! Defaults of dates and times: as `create_tables` declares them, and as every way of inserting a row uses them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use orm_core::prelude::*;
use orm_tests::{Bed, Pick, TestResult, on_each_backend};

on_each_backend! { literals, now_is_the_databases, columns_without_their_default }

#[derive(FieldType, Clone, Copy, Debug, PartialEq)]
struct Created(DateTime<Utc>);

#[derive(Model, Clone, Debug, PartialEq)]
#[model(new_derive(Clone))]
struct Event {
    #[model(primary_key)]
    id: i64,
    #[model(generated, default = "2024-02-29")]
    day: NaiveDate,
    #[model(generated, default = "10:00:00.25")]
    time: Option<NaiveTime>,
    #[model(generated, default = "1999-12-31 23:59:59.999999")]
    local: NaiveDateTime,
    #[model(generated, default = "2013-01-31T10:00:00Z")]
    at: DateTime<Utc>,
    #[model(generated, default = "2013-01-31 10:00:00.500+00:00", fractional_seconds = 3)]
    precise: DateTime<Utc>,
    #[model(generated, default = now())]
    today: NaiveDate,
    #[model(generated, default = now())]
    local_now: Option<NaiveDateTime>,
    #[model(generated, default = now())]
    created: Created,
    #[model(generated, default = now(), fractional_seconds = 0)]
    second: DateTime<Utc>,
    #[model(generated, default = now(), fractional_seconds = 2)]
    hundredth: NaiveDateTime,
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("it is a date or time")
}

fn literals(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Event,)>()?;
    db.check_schema::<(Event,)>()?;
    let event = Event::create(&db, NewEvent { id: 1 })?;
    assert_eq!(event.day, parsed("2024-02-29"));
    assert_eq!(event.time, Some(parsed("10:00:00.25")));
    assert_eq!(event.local, parsed("1999-12-31T23:59:59.999999"));
    assert_eq!(event.at, parsed::<DateTime<Utc>>("2013-01-31T10:00:00Z"));
    assert_eq!(event.precise, parsed::<DateTime<Utc>>("2013-01-31T10:00:00.5Z"));
    // By every way of inserting, and found by what the program compares with.
    assert_eq!(Event::insert_into(&db).bulk_create([2, 3].map(|id| NewEvent { id }))?, 2);
    Event::insert_into(&db).ignore_conflicts().bulk_create([NewEvent { id: 4 }])?;
    bed.execute("INSERT INTO events (id) VALUES (5)");
    let same = Event::objects(&db)
        .filter(|e| e.day.eq(event.day).and(e.time.eq(event.time)))
        .filter(|e| e.local.eq(event.local).and(e.at.eq(event.at)).and(e.precise.eq(event.precise)));
    assert_eq!(same.order_by(|e| e.id.asc()).values(|e| e.id).load()?, [1, 2, 3, 4, 5]);
    assert_eq!(Event::objects(&db).filter(|e| e.id.eq(1)).get()?, event);
    // Text is stored as this crate spells it.
    let spelled = bed.texts(bed.pick(Pick {
        postgres: "SELECT to_char(precise AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS') FROM events WHERE id = 5",
        mysql: "SELECT CAST(precise AS CHAR) FROM events WHERE id = 5",
        sqlite: "SELECT precise FROM events WHERE id = 5",
    }));
    let expected = bed.pick(Pick {
        postgres: "2013-01-31 10:00:00.500",
        mysql: "2013-01-31 10:00:00.500",
        sqlite: "2013-01-31 10:00:00.500000+00:00",
    });
    assert_eq!(spelled, [Some(expected.to_owned())]);
    // What is read can be stored again.
    event.save(&db)?;
    assert_eq!(Event::objects(&db).filter(|e| e.id.eq(1)).get()?, event);
    Ok(())
}

fn now_is_the_databases(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Event,)>()?;
    let before = Utc::now();
    Event::insert_into(&db).bulk_create([NewEvent { id: 1 }])?;
    bed.execute("INSERT INTO events (id) VALUES (2)");
    let after = Utc::now();
    for event in Event::objects(&db).load()? {
        // The server's clock is that of this machine; a column of fewer digits rounds or cuts.
        let is_now = |at: DateTime<Utc>, digits: TimeDelta| before - digits <= at && at <= after + digits;
        let (millisecond, second) = (TimeDelta::milliseconds(1), TimeDelta::seconds(1));
        assert!(is_now(event.created.0, millisecond), "{event:?}, and not between {before} and {after}");
        assert!(event.local_now.is_some_and(|at| is_now(at.and_utc(), millisecond)), "{event:?}");
        assert!(is_now(event.second, second), "{event:?}");
        assert!(is_now(event.hundredth.and_utc(), TimeDelta::milliseconds(10)), "{event:?}");
        assert!([before.date_naive(), after.date_naive()].contains(&event.today), "{event:?}");
        assert_eq!(event.second.timestamp_subsec_nanos(), 0);
        assert_eq!(event.hundredth.and_utc().timestamp_subsec_micros() % 10_000, 0);
        let found = Event::objects(&db).filter(|e| e.created.eq(event.created).and(e.local_now.eq(event.local_now)));
        assert!(found.filter(|e| e.second.eq(event.second).and(e.id.eq(event.id))).exists()?, "{event:?}");
        event.save(&db)?;
    }
    Ok(())
}

#[derive(Model)]
#[model(table = "plain")]
struct Plain {
    #[model(primary_key)]
    id: i64,
    #[model(default = now())]
    at: DateTime<Utc>,
    #[model(default = 3)]
    n: Option<i32>,
}

fn columns_without_their_default(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let instant = bed.pick(Pick { postgres: "TIMESTAMPTZ", mysql: "DATETIME(6)", sqlite: "TEXT" });
    let integer = bed.pick(Pick { postgres: "INT", mysql: "INT", sqlite: "INTEGER" });
    bed.execute(&format!("CREATE TABLE plain (id BIGINT PRIMARY KEY, at {instant} NOT NULL, n {integer})"));
    let error = db.check_schema::<(Plain,)>().expect_err("they have no defaults").to_string();
    assert!(error.contains("`Plain::at` (column `at` of `plain`) is declared with a `default`"), "{error}");
    assert!(error.contains("`Plain::n` (column `n` of `plain`) is declared with a `default`"), "{error}");
    assert!(error.contains("2 differences"), "{error}");
    db.check_schema_for_reading::<(Plain,)>()?;
    // NULL is what is stored without any default.
    bed.execute("DROP TABLE plain");
    bed.execute(&format!(
        "CREATE TABLE plain (id BIGINT PRIMARY KEY, at {instant} NOT NULL, n {integer} DEFAULT NULL)"
    ));
    assert!(db.check_schema::<(Plain,)>().expect_err("nor have these").to_string().contains("2 differences"));
    bed.execute("DROP TABLE plain");
    db.create_tables::<(Plain,)>()?;
    db.check_schema::<(Plain,)>()?;
    // A field that is not `generated` stores its value.
    let at = DateTime::from_timestamp(1_000_000, 0).ok_or("it is a time")?;
    Plain::bulk_create(&db, [Plain { id: 1, at, n: None }])?;
    assert_eq!(Plain::objects(&db).values(|p| (p.at, p.n)).load()?, [(at, None)]);
    Ok(())
}
