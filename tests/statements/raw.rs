//! Raw statements that are read as models.

use itertools::Itertools;
use orm_core::prelude::*;
use orm_tests::{Bed, Pick, TestResult, ok, on_each_backend};

use crate::models::{Airport, Flight, Leg, flight, schedule};

on_each_backend! {
    columns_are_found_by_name, values_are_bound_in_order, values_are_text_that_nobody_reads, a_missing_column,
    a_column_that_is_there_twice, case_of_columns, a_value_that_does_not_fit, nulls_are_refused_where_none_may_be, one_row,
    too_few_and_too_many_values, statements_that_write, two_statements, placeholders_of_others, values_that_cannot_be_sent,
    streams_are_streams, dropping_a_stream_early, in_a_transaction, no_rows_are_not_checked, the_database_says_no,
    composite_keys, the_statement_can_be_seen, functions_that_fail_midway,
}

const ALL: &str = "SELECT origin_code, remark_text, id, 7 AS extra, delay FROM flights";

fn columns_are_found_by_name(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let (airports, flights) = schedule(&db)?;
    assert_eq!(Flight::raw(&db, &format!("{ALL} ORDER BY id")).load()?, flights);
    assert_eq!(Flight::raw(&db, "SELECT * FROM flights ORDER BY id").iterator(2)?.collect_vec(), flights);
    let renamed = "SELECT a.code AS hub_code, b.city, b.code FROM airports b LEFT JOIN airports a ON a.code = b.hub_code ORDER BY b.code";
    assert_eq!(Airport::raw(&db, renamed).load()?, airports);
    Ok(())
}

fn values_are_bound_in_order(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let (_, flights) = schedule(&db)?;
    let sql =
        "SELECT * FROM flights /* ? */ WHERE delay > ? AND remark_text <> '?' AND origin_code = ? -- ?\n ORDER BY id";
    let late = Flight::raw(&db, sql).bind(60.0).bind("JFK");
    assert_eq!(late.load()?, [flights[0].clone(), flights[3].clone()]);
    assert_eq!(late.clone().iterator(1)?.map(|f| f.id).collect_vec(), [1, 4]);
    assert_eq!(late.first()?, Some(flights[0].clone()));
    Ok(())
}

fn values_are_text_that_nobody_reads(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let (_, flights) = schedule(&db)?;
    for flight in &flights {
        let same = Flight::raw(&db, "SELECT * FROM flights WHERE remark_text = ?").bind(flight.remark.as_str());
        assert_eq!(same.get()?, *flight);
    }
    let hostile = Flight::raw(&db, "SELECT * FROM flights WHERE remark_text = ?").bind("' OR 1 = 1 -- ");
    assert_eq!(hostile.get_or_none()?, None);
    Ok(())
}

fn a_missing_column(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let raw = Flight::raw(&db, "SELECT id, delay, origin_code FROM flights ORDER BY id");
    for error in [
        raw.load().expect_err("it has no remark"),
        raw.first().expect_err("it has no remark"),
        raw.clone().try_iterator(2)?.next().expect("an error").expect_err("it has no remark"),
    ] {
        assert_eq!((error.kind(), error.model(), error.field()), (ErrorKind::Decode, Some("Flight"), Some("remark")));
        let text = error.to_string();
        assert!(text.contains("no column `remark_text`; it gives `id`, `delay`, `origin_code`"), "{text}");
        assert!(text.contains("SELECT id, delay"), "{text}");
    }
    // The connection is whole.
    assert_eq!(Flight::objects(&db).count()?, 5);
    Ok(())
}

fn a_column_that_is_there_twice(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let error = Flight::raw(&db, "SELECT *, 1 AS id, 2 AS id FROM flights").load().expect_err("which `id`?");
    assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("id")));
    assert!(error.to_string().contains("3 columns that are called `id`"), "{error}");
    // What is not the model's may be there as often as it likes.
    assert_eq!(Flight::raw(&db, "SELECT f.*, 1 AS a, 2 AS a FROM flights f").load()?.len(), 5);
    Ok(())
}

fn case_of_columns(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let sql = format!("SELECT id AS {}, delay, remark_text, origin_code FROM flights", bed.quoted("ID"));
    let read = Flight::raw(&db, &sql).load();
    match bed.backend() {
        orm_core::BackendKind::Postgres => assert_eq!(read.expect_err("`ID` is not `id`").field(), Some("id")),
        _ => assert_eq!(read?.len(), 5),
    }
    Ok(())
}

fn a_value_that_does_not_fit(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let sql = "SELECT origin_code, remark_text AS delay, id, remark_text FROM flights WHERE id > 1 ORDER BY id";
    for error in [
        Flight::raw(&db, sql).load().expect_err("text is no float"),
        Flight::raw(&db, sql).try_iterator(3)?.find_map(Result::err).expect("text is no float"),
    ] {
        assert_eq!((error.kind(), error.model(), error.field()), (ErrorKind::Decode, Some("Flight"), Some("delay")));
        assert_eq!((error.row(), error.key()), (Some(1), Some("2")));
    }
    Ok(())
}

fn nulls_are_refused_where_none_may_be(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let sql = "SELECT id, delay, NULLIF(remark_text, 'NULL') AS remark_text, origin_code FROM flights ORDER BY id";
    let error = Flight::raw(&db, sql).load().expect_err("row 5 has NULL");
    assert_eq!((error.row(), error.field(), error.key()), (Some(5), Some("remark"), Some("5")));
    let stream = Flight::raw(&db, sql).try_iterator(2)?.collect_vec();
    assert_eq!(stream.len(), 5);
    assert_eq!(stream.iter().filter(|row| row.is_ok()).count(), 4);
    Ok(())
}

fn one_row(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let by_id = |id: i64| Flight::raw(&db, "SELECT * FROM flights WHERE id >= ? ORDER BY id").bind(id);
    assert_eq!(by_id(5).get()?.remark, "NULL");
    assert_eq!(by_id(5).get_or_none()?.map(|f| f.id), Some(5));
    assert_eq!(by_id(6).get_or_none()?, None);
    assert_eq!(by_id(6).first()?, None);
    assert_eq!(by_id(2).first()?.map(|f| f.id), Some(2));
    let none = by_id(6).get().expect_err("there is none");
    assert_eq!((none.kind(), none.model()), (ErrorKind::NotFound, Some("Flight")));
    let several = by_id(4).get().expect_err("there are two");
    assert_eq!(several.kind(), ErrorKind::MultipleRows);
    assert_eq!(by_id(3).get_or_none().expect_err("there are three").kind(), ErrorKind::MultipleRows);
    Ok(())
}

/// There is no table, so that what is sent would fail otherwise.
fn too_few_and_too_many_values(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let raw = Flight::raw(&db, "SELECT * FROM flights WHERE id = ? OR id = ?");
    let few = raw.clone().bind(1_i64).load().expect_err("one of two");
    assert_eq!((few.kind(), few.model()), (ErrorKind::InvalidQuery, Some("Flight")));
    assert!(few.to_string().contains("2 `?` in the statement for values, and 1 was bound"), "{few}");
    let many = raw.bind(1_i64).bind(2_i64).bind(3_i64).iterator(5).expect_err("three of two");
    assert!(many.to_string().contains("2 `?` in the statement for values, and 3 were bound"), "{many}");
    let none = Flight::raw(&db, "SELECT '?'").bind(1_i64).first().expect_err("one of none");
    assert!(none.to_string().contains("0 `?`"), "{none}");
    Ok(())
}

fn statements_that_write(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    for sql in ["DELETE FROM flights RETURNING *", "INSERT INTO flights SELECT * FROM flights", "DROP TABLE flights"] {
        let error = Flight::raw(&db, sql).load().expect_err("it writes");
        assert_eq!(error.kind(), ErrorKind::InvalidQuery);
        assert!(error.to_string().contains("only reads"), "{error}");
    }
    assert_eq!(bed.number("SELECT COUNT(*) FROM flights"), 5);
    Ok(())
}

fn two_statements(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let error = Flight::raw(&db, "SELECT * FROM flights; DELETE FROM flights").load().expect_err("two");
    assert!(error.to_string().contains("more than one statement"), "{error}");
    assert_eq!(Flight::raw(&db, "SELECT * FROM flights ; -- one").load()?.len(), 5);
    assert_eq!(Flight::raw(&db, "SELECT * FROM flights ; -- one").iterator(2)?.count(), 5);
    Ok(())
}

fn placeholders_of_others(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let other = bed.pick(Pick { postgres: "$1", mysql: "?1", sqlite: ":id" });
    let error = Flight::raw(&db, &format!("SELECT * FROM flights WHERE id = {other}")).load().expect_err("not ours");
    assert_eq!(error.kind(), ErrorKind::InvalidQuery);
    assert!(error.to_string().contains(&format!("`{other}`: a value's place is written `?` here")), "{error}");
    Ok(())
}

fn values_that_cannot_be_sent(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let bound = Flight::raw(&db, "SELECT * FROM flights WHERE id > ? AND id < ?").bind(0_u64).bind(u64::MAX);
    if bed.keeps_u64() {
        assert!(!bound.load()?.is_empty());
        return Ok(());
    }
    let error = bound.load().expect_err("beyond the backend's integers");
    assert_eq!(error.kind(), ErrorKind::InvalidValue);
    assert!(error.to_string().contains("value 2 cannot be sent as it is"), "{error}");
    Ok(())
}

fn streams_are_streams(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let series = bed.series(20_000);
    db.create_tables::<(Airport, Flight, Leg)>()?;
    let text = bed.pick(Pick { postgres: "'x' || n", mysql: "CONCAT('x', n)", sqlite: "'x' || n" });
    let sql = format!("SELECT 2 * n AS number, {text} AS carrier, 5 AS miles FROM ({series}) s WHERE n > ? ORDER BY n");
    // Each number has the type of the field.
    let sql = bed.pick(Pick {
        postgres: sql.replace("2 * n", "CAST(2 * n AS INTEGER)"),
        mysql: sql.clone(),
        sqlite: sql.clone(),
    });
    let rows = Leg::raw(&db, &sql).bind(10_i64).iterator(300)?;
    for (n, leg) in (11_i32..).zip(rows) {
        assert_eq!(leg, Leg { carrier: format!("x{n}"), number: 2 * n, miles: 5 });
        assert!(n <= 20_000);
    }
    assert_eq!(Leg::raw(&db, &sql).bind(19_000_i64).iterator(300)?.count(), 1000);
    Ok(())
}

fn dropping_a_stream_early(bed: &Bed) -> TestResult {
    let db = Database::builder().pool_size(1).connect(bed.url())?;
    schedule(&db)?;
    for _ in 0..3 {
        let mut rows = Flight::raw(&db, "SELECT * FROM flights ORDER BY id").iterator(2)?;
        assert_eq!(rows.next().map(|f| f.id), Some(1));
    }
    assert_eq!(Flight::objects(&db).count()?, 5);
    Ok(())
}

fn in_a_transaction(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let undone: orm_core::Result<()> = db.transaction(|tx| {
        Flight::bulk_create(tx, [flight(6, None, "new", "JFK")])?;
        let raw = Flight::raw(tx, "SELECT * FROM flights WHERE id > ? ORDER BY id").bind(3_i64);
        assert_eq!(raw.load()?.iter().map(|f| f.id).collect_vec(), [4, 5, 6]);
        assert_eq!(raw.clone().iterator(1)?.map(|f| f.id).collect_vec(), [4, 5, 6]);
        assert_eq!(raw.first()?.map(|f| f.id), Some(4));
        // What is refused before it is sent harms nothing.
        assert!(raw.clone().bind(1).load().is_err());
        assert_eq!(tx.raw_values::<i64>("SELECT COUNT(*) FROM flights").get()?, 6);
        // What the database refuses fails the transaction.
        assert!(Flight::raw(tx, "SELECT * FROM nowhere").load().is_err());
        assert_eq!(raw.load().expect_err("it has failed").kind(), ErrorKind::TransactionAborted);
        ok(())
    });
    assert_eq!(undone.expect_err("it has failed").kind(), ErrorKind::TransactionAborted);
    assert_eq!(bed.number("SELECT COUNT(*) FROM flights"), 5);
    Ok(())
}

fn no_rows_are_not_checked(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    assert_eq!(Flight::raw(&db, "SELECT id FROM flights WHERE id > ?").bind(5).load()?, []);
    Ok(())
}

fn the_database_says_no(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let raw = Flight::raw(&db, "SELECT * FROM nowhere WHERE id = ?").bind(1);
    for error in [raw.load().expect_err("no table"), raw.iterator(2).expect_err("no table")] {
        assert_eq!((error.kind(), error.model()), (ErrorKind::UndefinedTable, Some("Flight")));
        assert!(error.sql().is_some_and(|sql| sql.starts_with("SELECT * FROM nowhere WHERE id = ")), "{error}");
    }
    Ok(())
}

fn composite_keys(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    Leg::bulk_create(&db, [Leg { carrier: "UA".into(), number: 1, miles: 5 }])?;
    let error = Leg::raw(&db, "SELECT 'x' AS miles, number, carrier FROM legs").load().expect_err("no integer");
    assert_eq!((error.field(), error.key()), (Some("miles"), Some("(\"UA\", 1)")));
    Ok(())
}

fn the_statement_can_be_seen(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let raw = Flight::raw(&db, "SELECT '?', ? FROM flights LIMIT?").bind("a").bind(1_i64);
    let expected = bed.pick(Pick {
        postgres: "SELECT '?', $1 FROM flights LIMIT $2",
        mysql: "SELECT '?', ? FROM flights LIMIT ?",
        sqlite: "SELECT '?', ? FROM flights LIMIT ?",
    });
    assert_eq!(raw.sql()?, expected);
    assert_eq!(format!("{raw:?}"), "RawQuery(SELECT '?', ? FROM flights LIMIT?)");
    Ok(())
}

fn functions_that_fail_midway(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let (failure, says) = bed.failure("n");
    let series = bed.series(1000);
    let sql = format!("SELECT CASE WHEN n = 700 THEN {failure} ELSE n END FROM ({series}) s");
    let stream = db.raw_values::<i64>(&sql).try_iterator(100)?.collect_vec();
    let error = stream.last().expect("rows").as_ref().expect_err("row 700 fails");
    assert!(format!("{error:?}").contains(says), "{error:?}");
    assert_eq!(stream.len(), 700);
    Ok(())
}
