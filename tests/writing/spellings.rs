//! Rows in conflict by a key that another program has spelled otherwise: SQLite keeps times and decimals as text, and a
//! unique index of another program's compares the text.

use std::thread;

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveTime, Utc};
use orm_core::{BackendKind, prelude::*};
use orm_tests::{Bed, Pick, TestResult, on_each_backend};

on_each_backend! {
    updated, at_the_ends_of_time, times_of_the_day, updated_by_a_composite_key, one_key_twice, ignored, ignored_by_any_key, returned, in_great_number, saved,
    got_or_created, created_at_once, a_key_that_is_null, of_two_rows_the_same_text,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "readings")]
struct Reading {
    #[model(primary_key)]
    at: DateTime<Utc>,
    sensor: Option<i32>,
    level: BigDecimal,
    n: i32,
}

/// A table as other programs make it, with two rows as they spell them.
fn readings(bed: &Bed) -> orm_core::Result<Database> {
    let (instant, decimal) = bed.pick(Pick {
        postgres: ("TIMESTAMPTZ", "NUMERIC(20, 4)"),
        mysql: ("DATETIME(6)", "DECIMAL(20, 4)"),
        sqlite: ("TEXT", "TEXT"),
    });
    bed.execute(&format!(
        "CREATE TABLE readings (at {instant} NOT NULL PRIMARY KEY, sensor INTEGER NULL, level {decimal} NOT NULL, \
         n INTEGER NOT NULL, UNIQUE (sensor, level))"
    ));
    let [first, second] = bed.pick(Pick {
        postgres: ["2020-01-01T00:00Z", "2020-01-02 05:30:00.5+05:30"],
        mysql: ["2020-01-01 00:00:00", "2020-01-02 00:00:00.5"],
        sqlite: ["2020-01-01T00:00Z", "2020-01-02 05:30:00.5+05:30"],
    });
    bed.execute(&format!("INSERT INTO readings VALUES ('{first}', 1, '1.50', 1), ('{second}', 1, '20e-1', 2)"));
    bed.db()
}

fn reading(at: &str, sensor: i32, level: &str, n: i32) -> Reading {
    Reading { at: instant(at), sensor: Some(sensor), level: decimal(level), n }
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("it is an instant")
}

fn decimal(text: &str) -> BigDecimal {
    text.parse().expect("it is a number")
}

const FIRST: &str = "2020-01-01T00:00:00Z";
const SECOND: &str = "2020-01-02T00:00:00.5Z";
const THIRD: &str = "2020-01-03T00:00:00Z";

/// The rows' numbers, in their order.
fn numbers(bed: &Bed) -> Vec<i64> {
    bed.texts("SELECT n FROM readings ORDER BY n").into_iter().flatten().filter_map(|n| n.parse().ok()).collect()
}

fn updated(bed: &Bed) -> TestResult {
    let db = readings(bed)?;
    let texts = bed.texts("SELECT at FROM readings ORDER BY n");
    let rows = [reading(FIRST, 8, "8", 11), reading(THIRD, 9, "9", 33), reading(SECOND, 7, "7", 22)];
    let insertion = Reading::insert_into(&db).update_conflicts(|r| r.at, |r| r.n);
    assert_eq!(insertion.bulk_create(rows)?, 3);
    assert_eq!(numbers(bed), [11, 22, 33]);
    assert_eq!(bed.texts("SELECT at FROM readings WHERE n < 33 ORDER BY n"), texts, "keys stay as they are stored");
    assert_eq!(bed.number("SELECT count(*) FROM readings WHERE sensor = 1"), 2, "nothing else is written");
    Ok(())
}

/// The first and the last year, and offsets that lead to another day.
fn at_the_ends_of_time(bed: &Bed) -> TestResult {
    let db = readings(bed)?;
    let stored = bed.pick(Pick {
        postgres: ["9999-12-31 23:59:59Z", "0001-01-01 00:00:00Z", "2024-02-29 23:30:00Z", "2024-03-01 00:30:00Z"],
        mysql: ["9999-12-31 23:59:59", "0001-01-01 00:00:00", "2024-02-29 23:30:00", "2024-03-01 00:30:00"],
        sqlite: [
            "9999-12-31T00:00:59-23:59",
            "0001-01-01T23:59+23:59",
            "2024-03-01 23:29:00+23:59",
            "2024-02-29 00:31-23:59",
        ],
    });
    let rows: Vec<_> = stored.iter().zip(10..).map(|(at, n)| format!("('{at}', 1, {n}, {n})")).collect();
    bed.execute(&format!("DELETE FROM readings; INSERT INTO readings VALUES {}", rows.join(", ")));
    let at = ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2024-02-29T23:30:00Z", "2024-03-01T00:30:00Z"];
    // All by one statement, and each by one of its own.
    let rows = |first: i32| at.iter().zip(first..).map(|(at, n)| reading(at, 2, "7", n)).collect::<Vec<_>>();
    let insertion = || Reading::insert_into(&db).update_conflicts(|r| r.at, |r| r.n);
    assert_eq!(insertion().bulk_create(rows(20))?, 4);
    assert_eq!(numbers(bed), [20, 21, 22, 23]);
    for row in rows(30) {
        assert_eq!(insertion().bulk_create([row])?, 1);
    }
    assert_eq!(numbers(bed), [30, 31, 32, 33]);
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "alarms")]
struct Alarm {
    #[model(primary_key)]
    time: NaiveTime,
    n: i32,
}

fn times_of_the_day(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let time = bed.pick(Pick { postgres: "TIME", mysql: "TIME(6)", sqlite: "TEXT" });
    bed.execute(&format!("CREATE TABLE alarms (time {time} NOT NULL PRIMARY KEY, n INTEGER NOT NULL)"));
    bed.execute("INSERT INTO alarms VALUES ('00:00', 1), ('10:00', 2), ('10:00:30.50', 3), ('23:59:59.9', 4)");
    let alarms = ["00:00:00", "10:00:00", "10:00:30.5", "23:59:59.9", "10:01:00"];
    let alarms = alarms.iter().zip(11..).map(|(time, n)| Alarm { time: time.parse().expect("it is a time"), n });
    assert_eq!(Alarm::insert_into(&db).update_conflicts(|a| a.time, |a| a.n).bulk_create(alarms)?, 5);
    let stored = bed.texts("SELECT n FROM alarms ORDER BY n");
    assert_eq!(stored.into_iter().flatten().collect::<Vec<_>>(), ["11", "12", "13", "14", "15"]);
    Ok(())
}

fn updated_by_a_composite_key(bed: &Bed) -> TestResult {
    let db = readings(bed)?;
    let rows = [reading("2021-01-01T00:00:00Z", 1, "1.5", 11), reading("2021-01-02T00:00:00Z", 2, "1.5", 33)];
    let insertion = Reading::insert_into(&db).update_conflicts(|r| (r.sensor, r.level), |r| r.n);
    assert_eq!(insertion.bulk_create(rows)?, 2);
    assert_eq!(numbers(bed), [2, 11, 33]);
    Ok(())
}

/// The last of several rows with one key stays, also where they are spelled in several ways.
fn one_key_twice(bed: &Bed) -> TestResult {
    let db = readings(bed)?;
    let levels = ["4", "4.0", "4.00", "2", "2.0", "40e-1"];
    let rows = levels.iter().zip(10..).map(|(level, n)| reading(&format!("2021-01-{n}T00:00:00Z"), 1, level, n));
    let insertion = Reading::insert_into(&db).update_conflicts(|r| (r.sensor, r.level), |r| r.n);
    if bed.backend() == BackendKind::Postgres {
        // It changes no row twice by one statement.
        assert_eq!(insertion.bulk_create(rows).expect_err("4 and 4.0 are one key").kind(), ErrorKind::Database);
        return Ok(());
    }
    assert_eq!(insertion.bulk_create(rows)?, 6);
    assert_eq!(numbers(bed), [1, 14, 15]);
    Ok(())
}

fn ignored(bed: &Bed) -> TestResult {
    let db = readings(bed)?;
    let rows = || [reading(FIRST, 8, "8", 11), reading(THIRD, 9, "9", 3)];
    assert_eq!(Reading::insert_into(&db).ignore_conflicts_on(|r| r.at).bulk_create(rows())?, 1);
    assert_eq!(Reading::insert_into(&db).ignore_conflicts_on(|r| r.at).bulk_create(rows())?, 0);
    assert_eq!(numbers(bed), [1, 2, 3]);
    Ok(())
}

fn ignored_by_any_key(bed: &Bed) -> TestResult {
    let db = readings(bed)?;
    let rows = [
        reading(FIRST, 8, "8", 11),
        reading("2021-01-01T00:00:00Z", 1, "1.500", 12),
        reading("2021-01-01T00:00:00Z", 1, "5", 3),
        reading("2021-01-02T00:00:00Z", 1, "5.0", 13),
        reading("2021-01-03T00:00:00Z", 2, "5.0", 4),
    ];
    assert_eq!(Reading::insert_into(&db).ignore_conflicts().bulk_create(rows)?, 2);
    assert_eq!(numbers(bed), [1, 2, 3, 4]);
    Ok(())
}

fn returned(bed: &Bed) -> TestResult {
    let db = readings(bed)?;
    let rows = [reading(THIRD, 9, "9", 33), reading(FIRST, 8, "8", 11)];
    let insertion = Reading::insert_into(&db).update_conflicts(|r| r.at, |r| r.n);
    let rows: Vec<Reading> = insertion.bulk_create_returning(rows)?;
    assert_eq!(rows, [reading(THIRD, 9, "9", 33), reading(FIRST, 1, "1.5", 11)]);
    Ok(())
}

/// More rows than a statement has, each second of which is there.
fn in_great_number(bed: &Bed) -> TestResult {
    let db = readings(bed)?;
    bed.execute("DELETE FROM readings");
    let at = |n: i32| instant("2020-01-01T00:00:00Z") + chrono::TimeDelta::minutes(n.into());
    let separator = bed.pick(Pick { postgres: "T", mysql: " ", sqlite: "T" });
    let stored: Vec<String> = (0..1300)
        .step_by(2)
        .map(|n| format!("('{}', 1, '{n}.0', {n})", at(n).format(&format!("%F{separator}%H:%M"))))
        .collect();
    bed.execute(&format!("INSERT INTO readings VALUES {}", stored.join(", ")));
    let rows = (0..1300).map(|n| Reading { at: at(n), sensor: Some(1), level: n.into(), n: n + 5000 });
    let insertion = Reading::insert_into(&db).update_conflicts(|r| r.at, |r| r.n);
    assert_eq!(insertion.bulk_create(rows)?, 1300);
    assert_eq!(numbers(bed), (5000..6300).collect::<Vec<_>>());
    Ok(())
}

fn saved(bed: &Bed) -> TestResult {
    let db = readings(bed)?;
    reading(FIRST, 1, "1.5", 11).save(&db)?;
    db.transaction(|tx| reading(SECOND, 1, "2", 22).save(tx))?;
    reading(THIRD, 1, "3", 33).save(&db)?;
    reading(THIRD, 1, "3", 34).save(&db)?;
    assert_eq!(numbers(bed), [11, 22, 34]);
    Ok(())
}

fn got_or_created(bed: &Bed) -> TestResult {
    let db = readings(bed)?;
    let queries = [
        Reading::objects(&db).filter(|r| r.at.eq(instant(FIRST))),
        Reading::objects(&db).filter(|r| r.sensor.eq(1).and(r.level.eq(decimal("1.5")))),
    ];
    for query in queries {
        let (row, is_new) = query.get_or_create(|| reading(FIRST, 1, "1.5", 50))?;
        assert!(!is_new && row.n % 10 == 1, "{row:?}");
        let (row, is_new) = query.update_or_create(|r| r.n.set(r.n + 10), || reading(FIRST, 1, "1.5", 50))?;
        assert!(!is_new && row.n % 10 == 1, "{row:?}");
    }
    assert_eq!(numbers(bed), [2, 21]);
    let query = Reading::objects(&db).filter(|r| r.at.eq(instant(THIRD)));
    assert!(query.get_or_create(|| reading(THIRD, 1, "3", 3))?.1);
    assert!(!query.get_or_create(|| reading(THIRD, 1, "3", 4))?.1);
    db.transaction(|tx| {
        let query = Reading::objects(tx).filter(|r| r.level.eq(decimal("7")));
        assert!(query.get_or_create(|| reading("2021-01-01T00:00:00Z", 1, "7.0", 7))?.1);
        assert!(!query.get_or_create(|| reading("2021-01-01T00:00:00Z", 1, "7", 8))?.1);
        orm_tests::ok(())
    })?;
    assert_eq!(numbers(bed), [2, 3, 7, 21]);
    Ok(())
}

/// Each spells the key in another way, and one of them makes the row.
fn created_at_once(bed: &Bed) -> TestResult {
    let db = readings(bed)?;
    let made = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let db = db.clone();
                scope.spawn(move || -> orm_core::Result<bool> {
                    let level = decimal(&format!("6.{}", "0".repeat(thread % 4 + 1)));
                    let query = Reading::objects(&db).filter(|r| r.level.eq(level.clone()));
                    let row = || Reading {
                        level: level.clone(),
                        ..reading(&format!("2022-01-0{}T00:00:00Z", thread + 1), 1, "0", 6)
                    };
                    if thread < 4 {
                        return Ok(query.get_or_create(row)?.1);
                    }
                    Ok(query.update_or_create(|r| r.n.set(6), row)?.1)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("it does not panic"))
            .collect::<orm_core::Result<Vec<_>>>()
    })?;
    assert_eq!(made.into_iter().filter(|made| *made).count(), 1);
    assert_eq!(numbers(bed), [1, 2, 6]);
    Ok(())
}

/// NULL is in conflict with nothing, and the other columns of such a key keep their values.
fn a_key_that_is_null(bed: &Bed) -> TestResult {
    let db = readings(bed)?;
    bed.execute("UPDATE readings SET sensor = NULL");
    let rows = [("2021-01-01T00:00:00Z", "1.5", 3), ("2021-01-02T00:00:00Z", "1.50", 4)]
        .map(|(at, level, n)| Reading { sensor: None, ..reading(at, 1, level, n) });
    let insertion = Reading::insert_into(&db).update_conflicts(|r| (r.sensor, r.level), |r| r.n);
    assert_eq!(insertion.bulk_create(rows)?, 2);
    assert_eq!(numbers(bed), [1, 2, 3, 4]);
    assert_eq!(Reading::objects(&db).filter(|r| r.level.eq(decimal("1.5"))).count()?, 3);
    Ok(())
}

/// Where the index has let in two rows of one key, it is the one with the same text that is in conflict.
fn of_two_rows_the_same_text(bed: &Bed) -> TestResult {
    let db = readings(bed)?;
    if bed.backend() == BackendKind::Sqlite {
        bed.execute("INSERT INTO readings VALUES ('2020-01-01 00:00:00+00:00', 1, '8', 3)");
    } else {
        bed.execute("UPDATE readings SET n = 3 WHERE n = 1");
    }
    Reading::insert_into(&db).update_conflicts(|r| r.at, |r| r.n).bulk_create([reading(FIRST, 9, "9", 33)])?;
    assert_eq!(bed.number("SELECT count(*) FROM readings WHERE n = 33"), 1);
    assert_eq!(bed.number("SELECT count(*) FROM readings WHERE n = 3"), 0);
    Ok(())
}
