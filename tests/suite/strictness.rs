//! Values that do not fit: refused when they are written, and an error when they are read, with the place named.

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use itertools::Itertools;
use orm_core::prelude::*;
use orm_tests::{Bed, Pick, TestResult, on_each_backend};

on_each_backend! {
    narrowing, null_in_a_field_that_is_no_option, bad_values, a_stream_stops_at_a_bad_value, values_name_their_field,
    joined_models_name_theirs, nanoseconds_are_refused, far_years, nan, large_u64, a_leap_second_is_refused, time_zones,
    a_refused_row_is_named_in_a_late_batch, conditions_are_strict_too, invalid_utf8,
}

/// A table `stored` of one column, which holds one value that was written by hand.
fn stored(bed: &Bed, postgres: &str, mysql: &str, sqlite: &str) {
    let (column, value) =
        bed.pick(Pick { postgres, mysql, sqlite }).split_once('=').expect("the type, =, and the value");
    bed.execute(&format!("DROP TABLE IF EXISTS stored; CREATE TABLE stored (id BIGINT PRIMARY KEY, value {column})"));
    // Such values come from sessions with other settings.
    let mode = bed.pick(Pick { postgres: "", mysql: "SET sql_mode = 'ALLOW_INVALID_DATES'; ", sqlite: "" });
    bed.execute(&format!("{mode}INSERT INTO stored VALUES (41, {value})"));
}

/// The value cannot be read as `$type`, nor as an `Option` of it, and the error says so.
macro_rules! misfit {
    ($db:expr, $type:ty) => {
        misfit!($db, $type, "")
    };
    ($db:expr, $type:ty, $says:expr) => {{
        #[derive(Model, Clone, Debug)]
        #[model(table = "stored")]
        struct Stored {
            #[model(primary_key)]
            id: i64,
            value: $type,
        }
        let shown = |rows: Vec<Stored>| rows.into_iter().map(|row| format!("{:?}", (row.id, row.value))).collect_vec();
        let what = stringify!($type);
        let error = match Stored::objects($db).load() {
            Err(error) => error,
            Ok(rows) => panic!("it was read as {what}: {:?}", shown(rows)),
        };
        assert_eq!(
            (error.kind(), error.model(), error.field(), error.row(), error.key()),
            (ErrorKind::Decode, Some("Stored"), Some("value"), Some(1), Some("41")),
            "{what}: {error:?}"
        );
        let by_stream = Stored::objects($db).try_iterator(10)?.next().expect("there is a row").expect_err("as by load");
        assert_eq!((by_stream.kind(), by_stream.key()), (ErrorKind::Decode, Some("41")));
        assert!(format!("{error:?}").contains($says), "{error:?}");
    }};
}

fn narrowing(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    stored(bed, "BIGINT=5000000000", "BIGINT=5000000000", "INTEGER=5000000000");
    misfit!(&db, i32, "5000000000");
    misfit!(&db, u32, "5000000000");
    misfit!(&db, i8, "5000000000");
    stored(bed, "BIGINT=-1", "BIGINT=-1", "INTEGER=-1");
    misfit!(&db, u64, "-1");
    misfit!(&db, u32);
    misfit!(&db, u8);
    stored(bed, "TEXT='abc'", "TEXT='abc'", "INTEGER='abc'");
    misfit!(&db, i32);
    misfit!(&db, i64);
    misfit!(&db, f64);
    misfit!(&db, bool);
    stored(bed, "DOUBLE PRECISION=1.5", "DOUBLE=1.5", "INTEGER=1.5");
    misfit!(&db, i64);
    misfit!(&db, String);
    stored(bed, "BIGINT=128", "BIGINT=128", "INTEGER=128");
    misfit!(&db, i8);
    misfit!(&db, String);
    misfit!(&db, Vec<u8>);
    misfit!(&db, bool);
    stored(bed, "TEXT='1'", "TEXT='1'", "TEXT='1'");
    misfit!(&db, i64);
    misfit!(&db, Vec<u8>);
    stored(bed, "DOUBLE PRECISION=0.1", "DOUBLE=0.1", "REAL=0.1");
    misfit!(&db, f32, "0.1");
    stored(bed, "BYTEA='\\x61'", "BLOB=x'61'", "BLOB=x'61'");
    misfit!(&db, String);
    Ok(())
}

fn null_in_a_field_that_is_no_option(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    stored(bed, "TEXT=NULL", "TEXT=NULL", "TEXT=NULL");
    misfit!(&db, String, "null");
    stored(bed, "BIGINT=NULL", "BIGINT=NULL", "INTEGER=NULL");
    misfit!(&db, i64);
    misfit!(&db, u32);
    Ok(())
}

fn bad_values(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    stored(bed, "TIMESTAMP='infinity'", "DATETIME='0000-00-00 00:00:00'", "TEXT='infinity'");
    misfit!(&db, NaiveDateTime);
    stored(bed, "TIMESTAMPTZ='-infinity'", "DATETIME='2013-01-00 00:00:00'", "TEXT='2013-01-31'");
    misfit!(&db, DateTime<Utc>);
    stored(bed, "DATE='infinity'", "DATE='0000-00-00'", "TEXT='0000-00-00'");
    misfit!(&db, NaiveDate);
    stored(bed, "TIMESTAMP='294276-12-31 23:59:59'", "DATETIME='2013-02-30 10:00:00'", "TEXT='2013-02-30 10:00:00'");
    misfit!(&db, NaiveDateTime);
    stored(bed, "TIME='24:00:00'", "TIME='24:00:00'", "TEXT='24:00:00'");
    misfit!(&db, NaiveTime);
    stored(bed, "NUMERIC='NaN'", "TEXT='NaN'", "TEXT='NaN'");
    misfit!(&db, BigDecimal);
    stored(bed, "TEXT='{'", "TEXT='{'", "TEXT='{'");
    misfit!(&db, serde_json::Value);
    stored(bed, "TEXT='0123'", "TEXT='0123'", "TEXT='0123'");
    misfit!(&db, uuid::Uuid);
    stored(bed, "BIGINT=2", "BIGINT=2", "INTEGER=2");
    misfit!(&db, bool);
    // Between a time in no zone and an instant nothing is guessed.
    stored(
        bed,
        "TIMESTAMPTZ='2013-01-31 10:00:00+00'",
        "TEXT='2013-01-31 10:00:00+00:00'",
        "TEXT='2013-01-31 10:00:00+00:00'",
    );
    misfit!(&db, NaiveDateTime);
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "stored")]
struct Small {
    #[model(primary_key)]
    id: i64,
    value: i16,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Parent {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Small, name = small))]
    small_id: i64,
}

/// Rows 1 to 50, of which row 30 holds what no `i16` can.
fn small_rows(bed: &Bed) {
    bed.execute("CREATE TABLE stored (id BIGINT PRIMARY KEY, value BIGINT)");
    let values = (1..=50).map(|id| format!("({id}, {})", if id == 30 { 40_000 } else { id })).join(", ");
    bed.execute(&format!("INSERT INTO stored VALUES {values}"));
}

fn a_stream_stops_at_a_bad_value(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    small_rows(bed);
    for chunk in [1, 7, 16, 29, 30, 31, 1000] {
        let mut rows = Small::objects(&db).order_by(|s| s.id.asc()).try_iterator(chunk)?;
        let read = rows.by_ref().take(29).collect::<orm_core::Result<Vec<_>>>()?;
        assert_eq!(read.into_iter().map(|row| row.id).collect_vec(), (1..=29).collect_vec());
        let error = rows.next().expect("row 30 is there").expect_err("row 30 is bad");
        assert_eq!(
            (error.row(), error.key(), error.field()),
            (Some(30), Some("30"), Some("value")),
            "in chunks of {chunk}"
        );
        assert!((0..5).all(|_| rows.next().is_none()));
        drop(rows);
        assert_eq!(Small::objects(&db).filter(|s| s.id.lt(30)).iterator(chunk)?.count(), 29, "the connection is good");
    }
    Ok(())
}

fn values_name_their_field(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    small_rows(bed);
    let error =
        Small::objects(&db).order_by(|s| s.id.asc()).values(|s| (s.id, s.value)).load().expect_err("row 30 is bad");
    assert_eq!((error.model(), error.field(), error.row()), (Some("Small"), Some("value"), Some(30)));
    assert!(error.sql().is_some_and(|sql| sql.starts_with("SELECT")), "{error:?}");
    let error = Small::objects(&db).order_by(|s| s.id.asc()).values_as::<(i64, i16), _>(|s| (s.id, s.value)).load();
    assert_eq!(error.map_err(|e| (e.kind(), e.row())).map(|_| ()), Err((ErrorKind::Decode, Some(30))));
    Ok(())
}

fn joined_models_name_theirs(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    small_rows(bed);
    db.create_tables::<(Parent,)>()?;
    Parent::bulk_create(&db, [Parent { id: 7, small_id: 1 }, Parent { id: 8, small_id: 30 }])?;
    let rows = Parent::objects(&db).order_by(|p| p.id.asc()).select_related(|p| p.small());
    let error = rows.load().expect_err("the second parent's row is bad");
    assert_eq!(
        (error.model(), error.field(), error.row(), error.key()),
        (Some("Small"), Some("value"), Some(2), Some("8"))
    );
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Moment {
    #[model(primary_key)]
    id: i64,
    time: NaiveTime,
    at: NaiveDateTime,
    instant: Option<DateTime<Utc>>,
    double: f64,
    wide: u64,
}

fn moment(id: i64) -> Moment {
    let at = crate::models::minute(id);
    Moment { id, time: at.time(), at, instant: Some(at.and_utc()), double: 0.5, wide: 1 }
}

/// The row is refused, named, and nothing is stored, also not the good rows before it.
fn refused(bed: &Bed, bad: Moment, field: &str, says: &str) -> TestResult {
    let db = bed.db()?;
    db.batch_execute("DROP TABLE IF EXISTS moments")?;
    db.create_tables::<(Moment,)>()?;
    let key = bad.id.to_string();
    let error = Moment::bulk_create(&db, [moment(1), moment(2), bad, moment(4)]).expect_err("the third is bad");
    assert_eq!(
        (error.kind(), error.model(), error.field(), error.row(), error.key()),
        (ErrorKind::InvalidValue, Some("Moment"), Some(field), Some(3), Some(key.as_str())),
        "{error:?}"
    );
    assert!(format!("{error:?}").contains(says), "{error:?}");
    assert_eq!(bed.number("SELECT count(*) FROM moments"), 0);
    Ok(())
}

fn nanoseconds_are_refused(bed: &Bed) -> TestResult {
    let nano = TimeDelta::nanoseconds(1);
    let good = moment(3);
    refused(bed, Moment { time: good.time + nano, ..good.clone() }, "time", "nanoseconds")?;
    refused(bed, Moment { at: good.at + nano, ..good.clone() }, "at", "trunc_subsecs(6)")?;
    refused(bed, Moment { instant: good.instant.map(|i| i + nano), ..good }, "instant", "nanoseconds")
}

fn a_leap_second_is_refused(bed: &Bed) -> TestResult {
    let leap = NaiveTime::from_hms_micro_opt(23, 59, 59, 1_500_000).expect("chrono knows leap seconds");
    refused(bed, Moment { time: leap, ..moment(3) }, "time", "leap second")
}

/// Where dates are text, a year of five digits or before 0 would sort wrong; MySQL knows no such year.
fn far_years(bed: &Bed) -> TestResult {
    let far =
        NaiveDate::from_ymd_opt(12_013, 1, 1).and_then(|date| date.and_hms_opt(0, 0, 0)).expect("chrono knows it");
    let bad = Moment { at: far, ..moment(3) };
    if !bed.keeps_far_years() {
        return refused(bed, bad, "at", "9999");
    }
    let db = bed.db()?;
    db.create_tables::<(Moment,)>()?;
    Moment::bulk_create(&db, [bad])?;
    assert_eq!(Moment::objects(&db).filter(|m| m.at.gt(moment(4).at)).get()?.at, far);
    Ok(())
}

fn nan(bed: &Bed) -> TestResult {
    let bad = Moment { double: f64::NAN, ..moment(3) };
    if !bed.keeps_nan() {
        return refused(bed, bad, "double", "NaN");
    }
    let db = bed.db()?;
    db.create_tables::<(Moment,)>()?;
    Moment::bulk_create(&db, [bad])?;
    assert!(Moment::objects(&db).get()?.double.is_nan());
    Ok(())
}

fn large_u64(bed: &Bed) -> TestResult {
    if bed.keeps_u64() {
        let db = bed.db()?;
        db.create_tables::<(Moment,)>()?;
        let stored = Moment { wide: u64::MAX, ..moment(3) };
        Moment::bulk_create(&db, [stored.clone()])?;
        assert_eq!(bed.texts("SELECT wide FROM moments"), [Some("18446744073709551615".to_owned())]);
        assert_eq!(Moment::objects(&db).filter(|m| m.wide.gt(u64::MAX - 1)).get()?, stored);
        return Ok(());
    }
    refused(bed, Moment { wide: i64::MAX.unsigned_abs() + 1, ..moment(3) }, "wide", "9223372036854775807")?;
    refused(bed, Moment { wide: u64::MAX, ..moment(3) }, "wide", "BigDecimal")
}

fn a_refused_row_is_named_in_a_late_batch(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Moment,)>()?;
    let nanoseconds = NaiveTime::from_num_seconds_from_midnight_opt(0, 1).expect("chrono knows nanoseconds");
    let rows = (1..=3000).map(|id| if id == 2345 { Moment { time: nanoseconds, ..moment(id) } } else { moment(id) });
    let error = Moment::bulk_create(&db, rows).expect_err("row 2345 is bad");
    assert_eq!((error.kind(), error.row(), error.key()), (ErrorKind::InvalidValue, Some(2345), Some("2345")));
    assert_eq!(Moment::objects(&db).count()?, 0);
    Ok(())
}

/// A value that cannot be sent is an error in a condition as well, and not another value.
fn conditions_are_strict_too(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Moment,)>()?;
    Moment::bulk_create(&db, [moment(1)])?;
    if bed.keeps_u64() {
        assert_eq!(Moment::objects(&db).filter(|m| m.wide.lt(u64::MAX)).count()?, 1);
        return Ok(());
    }
    let error = Moment::objects(&db).filter(|m| m.wide.lt(u64::MAX)).load().expect_err("it is too large");
    assert_eq!(error.kind(), ErrorKind::InvalidValue, "{error:?}");
    let error = Moment::objects(&db)
        .filter(|m| m.wide.lt(u64::MAX))
        .iterator(5)
        .map(Iterator::count)
        .expect_err("it is too large");
    assert_eq!(error.kind(), ErrorKind::InvalidValue, "{error:?}");
    assert_eq!(Moment::objects(&db).filter(|m| m.wide.lt(2)).count()?, 1, "the connection is good");
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Instant {
    #[model(primary_key)]
    id: i64,
    instant: DateTime<Utc>,
    wall: NaiveDateTime,
}

/// An instant stays one, whatever the zones of the server, the session and the writer, and whatever DST does.
fn time_zones(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Instant,)>()?;
    // Around the gap and the overlap of New York, and midnight in Kolkata.
    let texts = [
        "2013-03-10T06:59:59Z",
        "2013-03-10T07:00:00Z",
        "2013-11-03T05:30:00Z",
        "2013-11-03T06:30:00Z",
        "2013-01-31T18:30:00Z",
    ];
    let rows = texts
        .iter()
        .zip(1..)
        .map(|(text, id)| {
            let instant: DateTime<Utc> = text.parse().expect("it is an instant");
            // A wall clock may show what never was in New York: 02:30 in the gap.
            Instant {
                id,
                instant,
                wall: NaiveDateTime::parse_from_str("2013-03-10 02:30:00", "%F %T").expect("it is a time"),
            }
        })
        .collect_vec();
    Instant::bulk_create(&db, rows.clone())?;
    assert_eq!(Instant::objects(&db).order_by(|i| i.id.asc()).load()?, rows);
    for row in &rows {
        assert_eq!(Instant::objects(&db).filter(|i| i.instant.eq(row.instant)).get()?, *row);
    }
    // By hand, in other zones.
    bed.execute(bed.pick(Pick {
        postgres: "SET TimeZone = 'Asia/Kolkata'; INSERT INTO instants VALUES (10, '2013-02-01 00:00:00', '2013-02-01 00:00:00'), \
         (11, '2013-02-01 00:00:00+05:30', '2013-02-01 00:00:00'), (12, '2013-01-31 13:30:00-05', '2013-02-01 00:00:00')",
        mysql: "SET time_zone = '+00:00'; \
         INSERT INTO instants VALUES (10, '2013-01-31 18:30:00', '2013-02-01 00:00:00'), \
         (11, convert_tz('2013-02-01 00:00:00', '+05:30', '+00:00'), '2013-02-01 00:00:00'), \
         (12, convert_tz('2013-01-31 13:30:00', '-05:00', '+00:00'), '2013-02-01 00:00:00')",
        sqlite: "INSERT INTO instants VALUES (10, '2013-01-31 18:30:00', '2013-02-01 00:00:00'), \
         (11, '2013-02-01 00:00:00+05:30', '2013-02-01 00:00:00'), (12, '2013-01-31T13:30:00-05:00', '2013-02-01 00:00:00')",
    }));
    let (midnight, wall) = (rows[4].instant, NaiveDate::from_ymd_opt(2013, 2, 1).and_then(|d| d.and_hms_opt(0, 0, 0)));
    for row in Instant::objects(&db).filter(|i| i.id.ge(10)).iterator(2)? {
        assert_eq!((row.instant, Some(row.wall)), (midnight, wall), "row {}", row.id);
    }
    Ok(())
}

fn invalid_utf8(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let sql = bed.pick(Pick {
        postgres: "SELECT convert_from('\\xff', 'UTF8')",
        mysql: "SELECT x'ff'",
        sqlite: "SELECT CAST(x'ff' AS TEXT)",
    });
    let (series, sql) = (bed.series(1), format!("({sql})"));
    bed.execute(&format!("CREATE VIEW stored AS SELECT n AS id, {sql} AS value FROM ({series}) AS s"));
    #[derive(Model, Clone, Debug)]
    #[model(table = "stored")]
    struct Stored {
        #[model(primary_key)]
        #[allow(dead_code)]
        id: i64,
        #[allow(dead_code)]
        value: String,
    }
    let error = Stored::objects(&db).load().expect_err("it is no UTF-8");
    assert!(matches!(error.kind(), ErrorKind::Decode | ErrorKind::Database), "{error:?}");
    assert!(Stored::objects(&db).try_iterator(5)?.any(|row| row.is_err()));
    Ok(())
}
