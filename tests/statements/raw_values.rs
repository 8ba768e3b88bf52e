//! Raw statements that are read as values, and values of every type that are bound.

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_each_backend};
use uuid::Uuid;

use crate::models::schedule;

on_each_backend! {
    by_position, the_number_of_columns, types_are_strict, null_needs_an_option, every_type_finds_its_row,
    streamed, what_writes_in_secret,
}

#[cfg(feature = "postgres")]
mod operators {
    use orm_tests::on_postgres;

    use super::*;

    on_postgres! { question_marks, dollar_quotes, carriage_returns, a_stream_is_read_only }

    fn question_marks(bed: &Bed) -> TestResult {
        let db = bed.db()?;
        let sql = "SELECT CAST(? AS jsonb) ?? 'k', CAST(? AS jsonb) ??| ARRAY['z', ?], E'\\'?' ";
        let json = || serde_json::json!({ "k": 1 });
        let row: (bool, bool, String) = db.raw_values(sql).bind(json()).bind(json()).bind("k").get()?;
        assert_eq!(row, (true, true, "'?".to_owned()));
        Ok(())
    }

    fn dollar_quotes(bed: &Bed) -> TestResult {
        let db = bed.db()?;
        let row: (String, i32) = db.raw_values("SELECT $q$ '?' $$ $q$, CAST(? AS integer)").bind(5).get()?;
        assert_eq!(row, (" '?' $$ ".to_owned(), 5));
        Ok(())
    }

    /// A line ends at one.
    fn carriage_returns(bed: &Bed) -> TestResult {
        let db = bed.db()?;
        let row: (i32, String) = db.raw_values("SELECT 1 -- ?\r + CAST(? AS integer), E'a'\r'\\'?'").bind(5).get()?;
        assert_eq!(row, (6, "a'?".to_owned()));
        Ok(())
    }

    /// A function that writes: a stream's own transaction is read-only, `load` is a statement like any other.
    fn a_stream_is_read_only(bed: &Bed) -> TestResult {
        let db = bed.db()?;
        bed.execute("CREATE SEQUENCE tickets");
        let next = db.raw_values::<i64>("SELECT nextval('tickets')");
        let refused = next.clone().try_iterator(5).map(|mut rows| rows.next());
        let error = match refused {
            Err(error) | Ok(Some(Err(error))) => error,
            Ok(other) => panic!("it wrote {other:?}"),
        };
        assert_eq!(error.kind(), ErrorKind::ReadOnly);
        assert_eq!(next.load()?, [1]);
        Ok(())
    }
}

fn by_position(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let rows: Vec<(String, i64)> =
        db.raw_values("SELECT origin_code, COUNT(*) FROM flights GROUP BY origin_code ORDER BY 1").load()?;
    assert_eq!(rows, [("JFK".to_owned(), 2), ("LGA".to_owned(), 1), ("ZRH".to_owned(), 2)]);
    let rows: Vec<Option<f64>> = db.raw_values("SELECT delay FROM flights ORDER BY id").load()?;
    assert_eq!(rows, [Some(61.5), None, Some(-3.0), Some(120.0), None]);
    Ok(())
}

fn the_number_of_columns(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let error = db.raw_values::<(i64, String)>("SELECT id, delay, remark_text FROM flights").load().expect_err("3");
    assert_eq!(error.kind(), ErrorKind::Decode);
    let says = "gives 3 columns (`id`, `delay`, `remark_text`), and a row is to be read as 2 values";
    assert!(error.to_string().contains(says), "{error}");
    assert!(db.raw_values::<(i64, i64)>("SELECT id FROM flights").first().is_err());
    Ok(())
}

fn types_are_strict(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let sql = "SELECT id, remark_text FROM flights ORDER BY id";
    let error = db.raw_values::<(i64, i64)>(sql).load().expect_err("text is no integer");
    assert_eq!((error.kind(), error.row()), (ErrorKind::Decode, Some(1)));
    assert!(error.to_string().contains("a value of the column `remark_text` does not fit"), "{error}");
    Ok(())
}

fn null_needs_an_option(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let sql = "SELECT delay FROM flights ORDER BY id";
    assert_eq!(db.raw_values::<f64>(sql).load().expect_err("NULL").row(), Some(2));
    assert_eq!(db.raw_values::<f64>(sql).first()?, Some(61.5));
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Kind {
    #[model(primary_key)]
    id: i64,
    small: i16,
    byte: u8,
    wide: u64,
    ratio: f32,
    yes: bool,
    bytes: Vec<u8>,
    day: NaiveDate,
    time: NaiveTime,
    at: NaiveDateTime,
    instant: DateTime<Utc>,
    uuid: Uuid,
    json: serde_json::Value,
    price: BigDecimal,
    absent: Option<String>,
}

fn every_type_finds_its_row(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Kind,)>()?;
    let at =
        NaiveDate::from_ymd_opt(2013, 1, 2).and_then(|day| day.and_hms_micro_opt(3, 4, 5, 678_900)).ok_or("a time")?;
    let kind = Kind {
        id: i64::MIN,
        small: -7,
        byte: 255,
        wide: 5_000_000_000,
        ratio: 0.5,
        yes: true,
        bytes: vec![0, 255, b'\''],
        day: at.date(),
        time: at.time(),
        at,
        instant: at.and_utc(),
        uuid: Uuid::from_u128(7),
        json: serde_json::json!({ "a": [1, "é"] }),
        price: "12.50".parse()?,
        absent: None,
    };
    Kind::bulk_create(&db, [kind.clone(), Kind { id: 1, small: 8, uuid: Uuid::nil(), ..kind.clone() }])?;
    let conditions = "id = ? AND small = ? AND byte = ? AND wide = ? AND yes = ? AND bytes = ? AND day = ? AND time = ? \
                      AND at = ? AND instant = ? AND uuid = ? AND price = ? AND (absent = ? OR absent IS NULL)";
    let raw = Kind::raw(&db, &format!("SELECT * FROM kinds WHERE ratio = 0.5 AND {conditions}"))
        .bind(kind.id)
        .bind(kind.small)
        .bind(kind.byte)
        .bind(kind.wide)
        .bind(kind.yes)
        .bind(kind.bytes.as_slice())
        .bind(kind.day)
        .bind(kind.time)
        .bind(kind.at)
        .bind(kind.instant)
        .bind(kind.uuid)
        .bind(kind.price.clone())
        .bind(None::<String>);
    assert_eq!(raw.get()?, kind);
    assert_eq!(raw.iterator(5)?.collect::<Vec<_>>(), [kind]);
    Ok(())
}

fn streamed(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let sql = format!("SELECT n, n FROM ({}) s WHERE n > ?", bed.series(5000));
    let sum: i64 = db.raw_values::<(i64, i64)>(&sql).bind(10).iterator(100)?.map(|(a, b)| a + b).sum();
    assert_eq!(sum, 2 * (11..=5000).sum::<i64>());
    Ok(())
}

/// A statement that writes behind a WITH is seen.
fn what_writes_in_secret(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let sql = "WITH gone AS (DELETE FROM flights RETURNING id) SELECT id FROM gone";
    assert_eq!(db.raw_values::<i64>(sql).load().expect_err("it writes").kind(), ErrorKind::InvalidQuery);
    assert_eq!(bed.number("SELECT COUNT(*) FROM flights"), 5);
    Ok(())
}
