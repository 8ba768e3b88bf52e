//! Parts of dates and times, against chrono.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};
use orm_core::{BackendKind, dsl::now, field::Unit, prelude::*};
use orm_tests::{Bed, Pick, TestResult, on_each_backend};

on_each_backend! {
    parts, parts_of_null, truncation, dates_and_times_of_both, years, durations, durations_that_are_refused, the_time_that_it_is, zones_of_sessions, forms_of_other_programs, a_year_is_a_range,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Moment {
    #[model(primary_key)]
    id: i64,
    day: NaiveDate,
    time: NaiveTime,
    at: NaiveDateTime,
    instant: DateTime<Utc>,
    maybe: Option<DateTime<Utc>>,
}

/// Ends of years, weeks and days, leap years, and times before 1970.
fn moments(db: &Database) -> orm_core::Result<Vec<Moment>> {
    let ends = [
        "2012-12-31 23:59:59.999999",
        "2013-01-01 00:00:00",
        "2012-02-29 12:30:45.000001",
        "1900-02-28 23:59:59.999500",
        "1900-03-01 00:00:00",
        "2000-02-29 00:00:59.5",
        "1969-12-31 23:59:59.999999",
        "1970-01-01 00:00:00",
        "0001-01-01 00:00:00.000001",
        "1000-06-15 01:02:03",
        "9999-12-31 23:59:59.999999",
        "2016-01-03 08:00:00",
        "2016-01-04 08:00:00",
        "2020-12-31 10:10:10.1",
        "2021-01-01 10:10:10.12",
        "2021-01-03 10:10:10.123",
    ];
    let more = (0..120).map(|n| {
        DateTime::UNIX_EPOCH.naive_utc() + TimeDelta::microseconds(n * 41_345_678_901_234 - 2_000_000_000_000_000)
    });
    let parse = |text: &str| NaiveDateTime::parse_from_str(text, "%F %T%.f").expect("it is a time");
    let rows: Vec<Moment> = ends
        .into_iter()
        .map(parse)
        .chain(more)
        .zip(1..)
        .map(|(at, id)| Moment {
            id,
            day: at.date(),
            time: at.time(),
            at,
            instant: at.and_utc(),
            maybe: (id % 2 == 0).then(|| at.and_utc()),
        })
        .collect();
    db.create_tables::<(Moment,)>()?;
    Moment::bulk_create(db, rows.clone())?;
    Ok(rows)
}

fn all(db: &Database) -> QuerySet<'_, Moment> {
    Moment::objects(db).order_by(|m| m.id.asc())
}

macro_rules! agrees {
    ($db:ident, $rows:ident, |$m:ident| $expression:expr, |$row:ident| $oracle:expr) => {
        let found = all(&$db).values(|$m| $expression).load()?;
        for (found, $row) in found.into_iter().zip(&$rows) {
            assert_eq!(found, $oracle, "{} of {:?}", stringify!($expression), $row);
        }
    };
}

fn parts(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = moments(&db)?;
    macro_rules! dates {
        ($($field:ident)*) => { $(
            agrees!(db, rows,
                |m| (m.$field.year(), m.$field.quarter(), m.$field.month(), m.$field.day()),
                |row| (row.at.year(), row.at.month0() as i32 / 3 + 1, row.at.month() as i32, row.at.day() as i32));
            agrees!(db, rows,
                |m| (m.$field.iso_year(), m.$field.week(), m.$field.iso_week_day(), m.$field.week_day()),
                |row| (
                    row.at.iso_week().year(),
                    row.at.iso_week().week() as i32,
                    row.at.weekday().number_from_monday() as i32,
                    row.at.weekday().number_from_sunday() as i32,
                ));
        )* };
    }
    dates! { day at instant }
    macro_rules! times {
        ($($field:ident)*) => { $(
            agrees!(db, rows,
                |m| (m.$field.hour(), m.$field.minute(), m.$field.second()),
                |row| (row.at.hour() as i32, row.at.minute() as i32, row.at.second() as i32));
        )* };
    }
    times! { time at instant }
    let late: Vec<i64> =
        rows.iter().filter(|row| row.at.hour() > 20 && row.at.year() < 1970).map(|row| row.id).collect();
    assert_eq!(all(&db).filter(|m| m.at.hour().gt(20).and(m.day.year().lt(1970))).values(|m| m.id).load()?, late);
    Ok(())
}

fn parts_of_null(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = moments(&db)?;
    agrees!(db, rows, |m| m.maybe.year(), |row| row.maybe.map(|at| at.year()));
    agrees!(db, rows, |m| m.maybe.second(), |row| row.maybe.map(|at| at.second() as i32));
    agrees!(db, rows, |m| m.maybe.date(), |row| row.maybe.map(|at| at.date_naive()));
    agrees!(db, rows, |m| m.maybe.trunc(Unit::Hour).hour(), |row| row.maybe.map(|at| at.hour() as i32));
    Ok(())
}

fn truncated(at: NaiveDateTime, unit: Unit) -> NaiveDateTime {
    let (day, time) = (at.date(), at.time());
    let midnight = |day: Option<NaiveDate>| day.expect("it is a date").and_time(NaiveTime::MIN);
    let of = |h, m, s| day.and_time(NaiveTime::from_hms_opt(h, m, s).expect("it is a time"));
    match unit {
        Unit::Year => midnight(day.with_ordinal(1)),
        Unit::Quarter => midnight(NaiveDate::from_ymd_opt(day.year(), [1, 4, 7, 10][day.month0() as usize / 3], 1)),
        Unit::Month => midnight(day.with_day(1)),
        Unit::Week => midnight(Some(day.week(chrono::Weekday::Mon).first_day())),
        Unit::Day => midnight(Some(day)),
        Unit::Hour => of(time.hour(), 0, 0),
        Unit::Minute => of(time.hour(), time.minute(), 0),
        Unit::Second => of(time.hour(), time.minute(), time.second()),
    }
}

fn truncation(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = moments(&db)?;
    for unit in [Unit::Year, Unit::Quarter, Unit::Month, Unit::Week, Unit::Day, Unit::Hour, Unit::Minute, Unit::Second]
    {
        agrees!(db, rows, |m| (m.at.trunc(unit), m.instant.trunc(unit)), |row| {
            (truncated(row.at, unit), truncated(row.at, unit).and_utc())
        });
        if matches!(unit, Unit::Hour | Unit::Minute | Unit::Second) {
            let error = all(&db).values(|m| m.day.trunc(unit)).load().expect_err("a date has none");
            assert!(format!("{error:?}").contains("a date has no `"), "{error:?}");
        } else {
            agrees!(db, rows, |m| m.day.trunc(unit), |row| truncated(row.at, unit).date());
        }
    }
    // What is truncated is compared with what is stored.
    let first = all(&db).filter(|m| m.instant.eq(m.instant.trunc(Unit::Month)).and(m.at.eq(m.at.trunc(Unit::Month))));
    let wanted: Vec<i64> =
        rows.iter().filter(|row| row.at == truncated(row.at, Unit::Month)).map(|row| row.id).collect();
    assert_eq!(first.values(|m| m.id).load()?, wanted);
    assert!(wanted.len() >= 3);
    Ok(())
}

fn dates_and_times_of_both(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = moments(&db)?;
    agrees!(db, rows, |m| (m.at.date(), m.instant.date()), |row| (row.day, row.day));
    agrees!(db, rows, |m| (m.at.time(), m.instant.time()), |row| (row.time, row.time));
    let same = all(&db).filter(|m| m.at.date().eq(m.day).and(m.instant.time().eq(m.time)));
    assert_eq!(same.count()?, rows.len() as u64);
    Ok(())
}

fn years(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = moments(&db)?;
    for year in [1, 1900, 1969, 1970, 2012, 2013, 9999, 1234] {
        let wanted: Vec<i64> = rows.iter().filter(|row| row.at.year() == year).map(|row| row.id).collect();
        assert_eq!(all(&db).filter(|m| m.day.in_year(year)).values(|m| m.id).load()?, wanted, "{year}");
        assert_eq!(all(&db).filter(|m| m.at.in_year(year)).values(|m| m.id).load()?, wanted, "{year}");
        assert_eq!(all(&db).filter(|m| m.instant.in_year(year)).values(|m| m.id).load()?, wanted, "{year}");
    }
    let error = all(&db).filter(|m| m.day.in_year(i32::MAX)).count().expect_err("there is no such year");
    assert_eq!(error.kind(), ErrorKind::InvalidQuery);
    if bed.backend() != BackendKind::Postgres {
        assert!(all(&db).filter(|m| m.day.in_year(10_000)).count().is_err());
    }
    Ok(())
}

fn durations(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows: Vec<Moment> = moments(&db)?;
    let inner: Vec<Moment> = rows.iter().filter(|row| (1001..9000).contains(&row.at.year())).cloned().collect();
    let query = || all(&db).filter(|m| m.at.year().between(1001, 8999));
    for by in [
        TimeDelta::zero(),
        TimeDelta::microseconds(1),
        TimeDelta::microseconds(-1),
        TimeDelta::seconds(59),
        TimeDelta::days(-366),
        TimeDelta::days(36_525) + TimeDelta::microseconds(86_399_999_999),
        -(TimeDelta::days(100_000) + TimeDelta::microseconds(86_399_999_999)),
    ] {
        let found = query().values(|m| (m.at.later(by), m.instant.earlier(by))).load()?;
        let wanted: Vec<_> = inner.iter().map(|row| (row.at + by, row.instant - by)).collect();
        assert_eq!(found, wanted, "{by}");
    }
    let week = TimeDelta::days(7);
    let found = query().values(|m| (m.day.later(week), m.day.earlier(week), m.maybe.later(week))).load()?;
    let wanted: Vec<_> =
        inner.iter().map(|row| (row.day + week, row.day - week, row.maybe.map(|at| at + week))).collect();
    assert_eq!(found, wanted);
    let hour = TimeDelta::hours(1);
    assert_eq!(all(&db).filter(|m| m.at.later(hour).gt(m.at).and(m.id.gt(20))).count()?, rows.len() as u64 - 20);
    assert_eq!(query().filter(|m| m.at.later(hour).earlier(hour).eq(m.at)).count()?, inner.len() as u64);
    Ok(())
}

fn durations_that_are_refused(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    moments(&db)?;
    let says = |result: orm_core::Result<u64>, what: &str| {
        let error = result.expect_err("it is refused");
        assert!(format!("{error:?}").contains(what), "{error:?}");
    };
    says(all(&db).filter(|m| m.at.later(TimeDelta::nanoseconds(1)).gt(m.at)).count(), "has nanoseconds");
    says(all(&db).filter(|m| m.day.later(TimeDelta::hours(1)).gt(m.day)).count(), "by whole days alone");
    says(all(&db).filter(|m| m.at.later(TimeDelta::MAX).gt(m.at)).count(), "a duration of more than 100000 days");
    // Beyond the last year that the backend knows.
    let beyond = all(&db).filter(|m| m.at.year().eq(9999)).values(|m| m.at.later(TimeDelta::days(1))).load();
    match bed.backend() {
        BackendKind::Mysql => assert_eq!(beyond.expect_err("it is NULL").kind(), ErrorKind::Decode),
        BackendKind::Postgres => assert_eq!(beyond?.len(), 1),
        _ => assert!(format!("{:?}", beyond.expect_err("it is text")).contains("outside the years 0 to 9999")),
    }
    Ok(())
}

fn the_time_that_it_is(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = moments(&db)?;
    let before = Utc::now() - TimeDelta::seconds(60);
    let it_is = all(&db).limit(1).values(|_| now()).get()?;
    assert!(before < it_is && it_is < before + TimeDelta::seconds(120), "{it_is}");
    let past = rows.iter().filter(|row| row.instant < it_is).count() as u64;
    assert_eq!(all(&db).filter(|m| m.instant.lt(now())).count()?, past);
    assert_eq!(all(&db).filter(|m| m.instant.gt(now().later(TimeDelta::days(1)))).count()?, rows.len() as u64 - past);
    Ok(())
}

/// Instants are in UTC, whatever the session says.
fn zones_of_sessions(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = moments(&db)?;
    if bed.backend() == BackendKind::Sqlite {
        return Ok(());
    }
    db.transaction(|tx| {
        let zone = bed.pick(Pick {
            postgres: "SET LOCAL TimeZone = 'America/New_York'",
            mysql: "SET time_zone = '-05:00'",
            sqlite: "",
        });
        tx.batch_execute(zone)?;
        let query = Moment::objects(tx).order_by(|m| m.id.asc());
        let found = query.values(|m| (m.instant.hour(), m.instant.date(), m.instant.trunc(Unit::Day))).load()?;
        for (found, row) in found.into_iter().zip(&rows) {
            assert_eq!(found, (row.at.hour() as i32, row.day, truncated(row.at, Unit::Day).and_utc()));
        }
        let found = Moment::objects(tx)
            .filter(|m| m.id.eq(1))
            .values(|m| (m.instant.later(TimeDelta::days(90)), now()))
            .get()?;
        assert_eq!(found.0, rows[0].instant + TimeDelta::days(90));
        assert!((found.1 - Utc::now()).abs() < TimeDelta::minutes(2));
        orm_tests::ok(())
    })?;
    Ok(())
}

/// SQLite has text: what another program wrote is read as this crate reads it, and what is no time is an error.
fn forms_of_other_programs(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Moment,)>()?;
    if bed.backend() != BackendKind::Sqlite {
        return Ok(());
    }
    bed.execute(
        "INSERT INTO moments (id, day, time, at, instant) VALUES
         (1, '2013-05-17', '10:30', '2013-05-17T10:30', '2013-05-17T23:30:00-05:30'),
         (2, 'never', '10:30', '2013-05-17 10:30:00', '2013-05-17T23:30:00')",
    );
    let found =
        all(&db).limit(1).values(|m| (m.time.minute(), m.at.hour(), m.instant.day(), m.instant.hour())).get()?;
    assert_eq!(found, (30, 10, 18, 5));
    let error = all(&db).filter(|m| m.day.year().eq(2013)).count().expect_err("there is no such date");
    let text = format!("{error:?}");
    assert!(text.contains("a text that is computed with is not a date") && !text.contains("never"), "{text}");
    Ok(())
}

/// The field stands by itself, so that an index of it can serve the condition.
fn a_year_is_a_range(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let sql = Moment::objects(&db).filter(|m| m.day.in_year(2013)).sql()?.replace('`', "\"");
    let wanted = bed.pick(Pick {
        postgres: r#" WHERE (("moments"."day" BETWEEN $1 AND $2))"#,
        mysql: r#" WHERE (("moments"."day" BETWEEN ? AND ?))"#,
        sqlite: r#" WHERE (("moments"."day" BETWEEN ? AND ?))"#,
    });
    assert!(sql.ends_with(wanted), "{sql}");
    Ok(())
}
