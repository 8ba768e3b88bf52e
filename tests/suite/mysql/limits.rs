//! What is too large for MySQL and MariaDB: statements, values, rows, and lists of values.

use itertools::Itertools;
use orm_core::{dsl::any_of, prelude::*};
use orm_tests::{Bed, TestResult, on_mysql};

use crate::{
    models::{Number, numbers},
    stream_mysql::{one_connection, scalar},
};

on_mysql! { max_allowed_packet, a_row_over_max_allowed_packet, bind_limits }

const ID: &str = "CAST(CONNECTION_ID() AS SIGNED)";

/// What the server would not take is not sent: it would end the connection over it.
fn max_allowed_packet(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    bed.execute("CREATE TABLE numbers (id BIGINT PRIMARY KEY, name LONGTEXT)");
    let limit = usize::try_from(scalar(&db, "@@max_allowed_packet")?)?;
    let id = scalar(&db, ID)?;
    let of = |size| Number { id: 1, name: Some("x".repeat(size)) };
    let error = Number::bulk_create(&db, [of(limit)]).expect_err("it is too large");
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error:?}");
    let shown = format!("{error:?}");
    assert!(shown.contains("max_allowed_packet") && shown.contains(&limit.to_string()), "{shown:.500}");
    assert!(shown.len() < 5_000, "the value itself is not in the error");
    let error = db.batch_execute(&format!("SELECT '{}'", "x".repeat(limit))).expect_err("it is too large");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(Number::objects(&db).count()?, 0);
    // And what is just small enough is stored.
    Number::bulk_create(&db, [of(limit - 1_000)])?;
    assert_eq!(bed.number("SELECT LENGTH(name) FROM numbers"), i64::try_from(limit - 1_000)?);
    let read = Number::objects(&db).get()?.name.map(|name| name.len());
    assert_eq!(read, Some(limit - 1_000));
    assert_eq!(scalar(&db, ID)?, id, "the connection is as good as before");
    Ok(())
}

/// A row that is larger than one packet may be, of values that are not: it comes whole, or is an error.
fn a_row_over_max_allowed_packet(bed: &Bed) -> TestResult {
    bed.execute("CREATE TABLE wide (a LONGTEXT, b LONGTEXT); INSERT INTO wide VALUES (REPEAT('a', 40000000), REPEAT('b', 40000000))");
    bed.execute("CREATE VIEW numbers AS SELECT CAST(1 AS SIGNED) AS id, CONCAT(LEFT(a, 20000000), LEFT(b, 20000000)) AS name FROM wide");
    let db = one_connection(bed.url())?;
    let rows = Number::objects(&db).iterator(10)?.collect_vec();
    let [Number { name: Some(name), .. }] = &rows[..] else { panic!("one row with a name") };
    assert!(name.len() == 40_000_000 && name.starts_with('a') && name.ends_with('b'));
    // Here the server gives NULL for what is over the limit, and an error where a value must not be NULL.
    bed.execute("CREATE OR REPLACE VIEW numbers AS SELECT CAST(1 AS SIGNED) AS id, CONCAT(a, b) AS name FROM wide");
    match Number::objects(&db).try_iterator(10).and_then(Iterator::collect::<orm_core::Result<Vec<_>>>) {
        Ok(rows) => assert_eq!(rows, [Number { id: 1, name: None }]),
        Err(error) => assert_eq!(error.kind(), ErrorKind::TooLarge, "{error:?}"),
    }
    assert_eq!(scalar(&db, "42")?, 42);
    Ok(())
}

/// The protocol counts the values of a statement in 16 bits.
fn bind_limits(bed: &Bed) -> TestResult {
    let db = one_connection(bed.url())?;
    let id = scalar(&db, ID)?;
    numbers(&bed.db()?, 10)?;
    // A long list is written without placeholders; many short ones are not.
    let one_list =
        |values: i64| Number::objects(&db).filter(|n| n.id.eq_any(1..=values)).count().map_err(|error| error.kind());
    let lists = |values: i64| {
        let starts = (1..=values).step_by(1_000);
        let numbers =
            Number::objects(&db).filter(|n| any_of(starts.map(|start| n.id.eq_any(start..=values.min(start + 999)))));
        numbers.count().map_err(|error| error.kind())
    };
    assert_eq!((one_list(65_535), lists(65_535)), (Ok(10), Ok(10)));
    for values in [65_536, 131_072 + 3, 250_001] {
        assert_eq!(one_list(values), Ok(10));
        assert!(lists(values).is_err(), "{values} values: {:?}", lists(values));
        assert_eq!(Number::objects(&db).count()?, 10);
    }
    assert_eq!(scalar(&db, ID)?, id, "nothing was sent, or the connection is as good as before");
    Ok(())
}
