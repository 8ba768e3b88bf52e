//! Rows that are there already, and rows that are wanted back.

use std::cell::Cell;

use itertools::Itertools;
use orm_core::prelude::*;
use orm_tests::{Bed, Pick, TestResult, ok, on_each_backend};

use crate::models::{Airport, Flight, Leg, NewVisit, Visit, airport, flight, leg, pairs, tables, unstorable, visits};

on_each_backend! {
    new_rows, new_rows_lazily, ignored, ignored_by_one_key_alone, ignored_in_great_number, other_failures_are_not_ignored,
    updated, updated_by_another_key, updated_by_a_composite_key, updated_in_great_number, one_row_twice, updated_by_generated_keys,
    generated_fields_of_new_rows, unique_and_written, returned, returned_after_updates, returned_of_ignored, returned_in_great_number,
    all_or_none, in_a_transaction, errors_name_the_rows, a_key_that_is_null, a_key_that_is_null_and_another,
    fields_that_are_no_key, keys_in_any_order,
}

fn new(guest: &str, rating: i32) -> NewVisit {
    NewVisit { guest: guest.into(), rating: Some(rating) }
}

fn ratings(bed: &Bed) -> Vec<String> {
    pairs(bed, "guest", "rating", "visits")
}

fn new_rows(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    assert_eq!(Visit::insert_into(&db).bulk_create([new("Ada", 1), new("Ben", 2)])?, 2);
    assert_eq!(Visit::insert_into(&db).bulk_create(Vec::<NewVisit>::new())?, 0);
    assert_eq!(Visit::insert_into(&db).bulk_create((0..1500).map(|n| new(&format!("guest {n:04}"), n)))?, 1500);
    assert_eq!(ratings(bed)[..3], ["Ada=1", "Ben=2", "guest 0000=0"]);
    assert_eq!(bed.number("SELECT count(DISTINCT id) FROM visits WHERE id > 0 AND state = 'new'"), 1502);
    Ok(())
}

fn new_rows_lazily(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    db.transaction(|tx| {
        let (pulled, ahead) = (Cell::new(0_u64), Cell::new(0));
        let rows = (0..4000).map(|n| {
            if n % 100 == 0 {
                let stored = Visit::objects(tx).count().unwrap_or_else(|error| panic!("{error:?}"));
                ahead.set(ahead.get().max(pulled.get() - stored));
            }
            pulled.set(pulled.get() + 1);
            new(&format!("guest {n}"), n)
        });
        assert_eq!(Visit::insert_into(tx).ignore_conflicts().bulk_create(rows)?, 4000);
        let most = bed.pick(Pick { postgres: 1000, mysql: 3000, sqlite: 1000 });
        assert!((1..most).contains(&ahead.get()), "{} rows were held", ahead.get());
        ok(())
    })?;
    Ok(())
}

fn ignored(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    Visit::insert_into(&db).bulk_create([new("Ada", 1), new("Ben", 2)])?;
    let rows = [new("Cy", 3), new("Ben", 4), new("Dee", 5), new("Cy", 6)];
    assert_eq!(Visit::insert_into(&db).ignore_conflicts().bulk_create(rows)?, 2);
    assert_eq!(ratings(bed), ["Ada=1", "Ben=2", "Cy=3", "Dee=5"]);
    let rows = [new("Ada", 7), new("Eve", 8)];
    assert_eq!(Visit::insert_into(&db).ignore_conflicts_on(|v| v.guest).bulk_create(rows)?, 1);
    assert_eq!(Visit::insert_into(&db).ignore_conflicts().bulk_create([new("Ada", 7), new("Eve", 8)])?, 0);
    assert_eq!(ratings(bed), ["Ada=1", "Ben=2", "Cy=3", "Dee=5", "Eve=8"]);
    Ok(())
}

/// A table whose rows have two unique keys.
fn seats(bed: &Bed) -> orm_core::Result<Database> {
    bed.execute(
        "CREATE TABLE seats (id BIGINT PRIMARY KEY, label VARCHAR(10) NOT NULL, code VARCHAR(10), price INT NOT NULL, \
         UNIQUE (label), UNIQUE (code), CHECK (price >= 0))",
    );
    bed.execute("INSERT INTO seats VALUES (1, '1A', 'x', 10), (2, '2A', 'y', 20), (3, '3A', NULL, 30)");
    bed.db()
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Seat {
    #[model(primary_key)]
    id: i64,
    label: String,
    code: Option<String>,
    price: i32,
}

fn seat(id: i64, label: &str, price: i32) -> Seat {
    Seat { id, label: label.into(), code: None, price }
}

fn ignored_by_one_key_alone(bed: &Bed) -> TestResult {
    let db = seats(bed)?;
    let by_id = || Seat::insert_into(&db).ignore_conflicts_on(|s| s.id);
    assert_eq!(by_id().bulk_create([seat(2, "other", 1), seat(4, "4A", 40)])?, 1);
    let error = by_id().bulk_create([seat(5, "5A", 1), seat(6, "1A", 1), seat(7, "7A", 1)]).expect_err("1A is seat 1");
    assert_eq!((error.kind(), error.model()), (ErrorKind::UniqueViolation, Some("Seat")));
    assert_eq!(pairs(bed, "id", "price", "seats"), ["1=10", "2=20", "3=30", "4=40"]);
    assert_eq!(Seat::insert_into(&db).ignore_conflicts().bulk_create([seat(6, "1A", 1), seat(7, "7A", 70)])?, 1);
    assert_eq!(pairs(bed, "id", "price", "seats"), ["1=10", "2=20", "3=30", "4=40", "7=70"]);
    Ok(())
}

fn ignored_in_great_number(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    Visit::insert_into(&db).bulk_create((0..3000).step_by(3).map(|n| new(&format!("guest {n}"), -1)))?;
    let stored =
        Visit::insert_into(&db).ignore_conflicts().bulk_create((0..3000).map(|n| new(&format!("guest {n}"), n)))?;
    assert_eq!(stored, 2000);
    assert_eq!(bed.number("SELECT count(*) FROM visits"), 3000);
    assert_eq!(bed.number("SELECT count(*) FROM visits WHERE rating = -1"), 1000);
    Ok(())
}

/// MySQL's INSERT IGNORE would store something, or leave the row out, without a word.
fn other_failures_are_not_ignored(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let error = Flight::insert_into(&db).ignore_conflicts().bulk_create([flight(7, None, "XXX", "JFK")]);
    assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::ForeignKeyViolation));
    let db = seats(bed)?;
    let error = Seat::insert_into(&db).ignore_conflicts().bulk_create([seat(1, "1A", 5), seat(8, "8A", -1)]);
    assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::CheckViolation));
    let long = "much too long for the column";
    if bed.pick(Pick { postgres: true, mysql: true, sqlite: false }) {
        Seat::insert_into(&db)
            .ignore_conflicts()
            .bulk_create([seat(8, long, 1)])
            .expect_err("it is cut by INSERT IGNORE");
    }
    assert_eq!(bed.number("SELECT count(*) FROM seats"), 3);
    Ok(())
}

fn updated(bed: &Bed) -> TestResult {
    let db = seats(bed)?;
    let rows = [seat(1, "new label", 11), seat(4, "4A", 40), seat(3, "3A", 30)];
    assert_eq!(Seat::insert_into(&db).update_conflicts(|s| s.id, |s| s.price).bulk_create(rows)?, 3);
    assert_eq!(pairs(bed, "id", "price", "seats"), ["1=11", "2=20", "3=30", "4=40"]);
    assert_eq!(pairs(bed, "id", "label", "seats"), ["1=1A", "2=2A", "3=3A", "4=4A"]);
    let rows = [Seat { code: Some("z".into()), ..seat(77, "2A", 22) }, seat(5, "5A", 50)];
    let by_label = Seat::insert_into(&db).update_conflicts(|s| s.label, |s| (s.price, s.code));
    assert_eq!(by_label.bulk_create(rows)?, 2);
    assert_eq!(pairs(bed, "id", "price", "seats"), ["1=11", "2=22", "3=30", "4=40", "5=50"]);
    assert_eq!(pairs(bed, "id", "code", "seats"), ["1=x", "2=z", "3=NULL", "4=NULL", "5=NULL"]);
    Ok(())
}

/// MySQL would change the row that is there by whichever key.
fn updated_by_another_key(bed: &Bed) -> TestResult {
    let db = seats(bed)?;
    let rows = [seat(1, "1A", 99), seat(9, "2A", 98)];
    let error =
        Seat::insert_into(&db).update_conflicts(|s| s.id, |s| s.price).bulk_create(rows).expect_err("2A is seat 2");
    assert_eq!((error.kind(), error.model()), (ErrorKind::UniqueViolation, Some("Seat")), "{error:?}");
    assert!(error.sql().is_some_and(|sql| sql.contains("(rows 1 to 2)")), "{error}");
    assert_eq!(pairs(bed, "id", "price", "seats"), ["1=10", "2=20", "3=30"], "nothing is changed");
    Ok(())
}

fn updated_by_a_composite_key(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let rows = [leg("UA", 1, 1, None), leg("UA", 9, 9, Some("ORD")), leg("AA", 2, 2, None)];
    let stored = Leg::insert_into(&db).update_conflicts(|l| (l.carrier, l.number), |l| (l.miles, l.origin_code));
    assert_eq!(stored.bulk_create(rows)?, 3);
    assert_eq!(
        bed.texts("SELECT miles FROM legs ORDER BY carrier, number").into_iter().flatten().join(" "),
        "100 2 1 400 500 9"
    );
    assert_eq!(bed.number("SELECT count(*) FROM legs WHERE origin_code IS NULL"), 3);
    Ok(())
}

fn updated_in_great_number(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    Visit::insert_into(&db).bulk_create((0..3000).step_by(3).map(|n| new(&format!("guest {n}"), -1)))?;
    let rows = (0..3000).map(|n| new(&format!("guest {n}"), n));
    assert_eq!(Visit::insert_into(&db).update_conflicts(|v| v.guest, |v| v.rating).bulk_create(rows)?, 3000);
    assert_eq!(bed.number("SELECT count(*) FROM visits"), 3000);
    assert_eq!(bed.number("SELECT count(*) FROM visits WHERE guest = concat('guest ', rating)"), 3000);
    Ok(())
}

fn one_row_twice(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    let rows =
        || [new("Ada", 1), new("Ben", 2), new("Ada", 3), new("Ben", 4), new("Ada", 5), new("None", 6), new("Cy", 7)];
    assert_eq!(Visit::insert_into(&db).update_conflicts(|v| v.guest, |v| v.rating).bulk_create(rows())?, 7);
    assert_eq!(ratings(bed), ["Ada=5", "Ben=4", "Cy=7", "None=6"]);
    let returned = Visit::insert_into(&db).update_conflicts(|v| v.guest, |v| v.rating).bulk_create_returning(rows())?;
    assert_eq!(returned.last().map(|v| v.guest.as_str()), Some("Cy"));
    let rows = (0..1200).map(|n| new(&format!("guest {}", n % 400), n));
    assert_eq!(Visit::insert_into(&db).update_conflicts(|v| v.guest, |v| v.rating).bulk_create(rows)?, 1200);
    assert_eq!(bed.number("SELECT count(*) FROM visits WHERE rating >= 800"), 400);
    Ok(())
}

/// Whole models bring the keys that the database would make.
fn updated_by_generated_keys(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    let ada = Visit::create(&db, new("Ada", 1))?;
    let ben = Visit { id: 900, guest: "Ben".into(), rating: None, state: String::new() };
    let rows = [Visit { rating: Some(5), guest: "Ada L.".into(), ..ada.clone() }, ben];
    let stored = Visit::insert_into(&db).update_conflicts(|v| v.id, |v| (v.guest, v.rating)).bulk_create(rows)?;
    assert_eq!(stored, 2);
    assert_eq!(ratings(bed), ["Ada L.=5", "Ben=NULL"]);
    assert_eq!(bed.number("SELECT max(id) FROM visits"), 900);
    assert_eq!(bed.number("SELECT min(id) FROM visits"), ada.id);
    assert_eq!(bed.number("SELECT count(*) FROM visits WHERE state = 'new'"), 2);
    Ok(())
}

fn generated_fields_of_new_rows(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    let error = Visit::insert_into(&db).ignore_conflicts_on(|v| v.id).bulk_create([new("Ada", 1)]);
    let error = error.expect_err("they have no id");
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidQuery, Some("id")));
    let error = Visit::insert_into(&db).update_conflicts(|v| v.guest, |v| v.state).bulk_create([new("Ada", 1)]);
    assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::InvalidQuery));
    Ok(())
}

fn unique_and_written(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    let error =
        Visit::insert_into(&db).update_conflicts(|v| v.guest, |v| (v.rating, v.guest)).bulk_create([new("Ada", 1)]);
    let error = error.expect_err("it has that guest already");
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidQuery, Some("guest")));
    Ok(())
}

fn returned(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    let rows = Visit::insert_into(&db).bulk_create_returning([new("Ada", 1), new("Zoë", 2)])?;
    assert_eq!(
        rows.iter().map(|v| (v.guest.as_str(), v.rating, v.state.as_str())).collect_vec(),
        [("Ada", Some(1), "new"), ("Zoë", Some(2), "new")]
    );
    assert_eq!(Visit::objects(&db).order_by(|v| v.id.asc()).load()?, rows);
    assert_eq!(Visit::insert_into(&db).bulk_create_returning(Vec::<NewVisit>::new())?, []);
    let db = tables(bed)?;
    let full = Flight { note: Some("é".into()), ..flight(77, Some(-5), "JFK", "ORD") };
    assert_eq!(Flight::insert_into(&db).bulk_create_returning([full.clone()])?, [full]);
    Ok(())
}

fn returned_after_updates(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    let ada = Visit::create(&db, new("Ada", 1))?;
    let rows = [new("Ben", 2), new("Ada", 3)];
    let rows = Visit::insert_into(&db).update_conflicts(|v| v.guest, |v| v.rating).bulk_create_returning(rows)?;
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1], Visit { rating: Some(3), ..ada });
    assert_eq!((rows[0].guest.as_str(), rows[0].rating), ("Ben", Some(2)));
    let db = seats(bed)?;
    let by_id = Seat::insert_into(&db).update_conflicts(|s| s.id, |s| s.price);
    let error = by_id.bulk_create_returning([seat(1, "1A", 99), seat(9, "2A", 98)]).expect_err("2A is seat 2");
    assert_eq!(error.kind(), ErrorKind::UniqueViolation);
    assert_eq!(pairs(bed, "id", "price", "seats"), ["1=10", "2=20", "3=30"]);
    Ok(())
}

fn returned_of_ignored(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    Visit::create(&db, new("Ada", 1))?;
    let rows = Visit::insert_into(&db).ignore_conflicts().bulk_create_returning([new("Ada", 2), new("Ben", 3)]);
    if bed.pick(Pick { postgres: false, mysql: true, sqlite: false }) {
        let error = rows.expect_err("MariaDB returns Ada as well");
        assert_eq!((error.kind(), error.model()), (ErrorKind::InvalidQuery, Some("Visit")));
        assert_eq!(ratings(bed), ["Ada=1"]);
    } else {
        assert_eq!(rows?.iter().map(|v| v.guest.as_str()).collect_vec(), ["Ben"]);
        assert_eq!(ratings(bed), ["Ada=1", "Ben=3"]);
    }
    Ok(())
}

fn returned_in_great_number(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    let rows = Visit::insert_into(&db).bulk_create_returning((0..2345).map(|n| new(&format!("guest {n}"), n)))?;
    assert!(
        rows.iter().zip(0..).all(|(v, n)| v.rating == Some(n) && v.guest == format!("guest {n}")),
        "in their order"
    );
    assert!(rows.iter().tuple_windows().all(|(a, b)| a.id < b.id));
    assert_eq!(rows.len(), 2345);
    Ok(())
}

fn all_or_none(bed: &Bed) -> TestResult {
    let db = seats(bed)?;
    let rows = || (10..2000).map(|id| seat(id, &format!("s{id}"), 1)).chain([seat(2000, "z", -1)]);
    for error in [
        Seat::insert_into(&db).ignore_conflicts().bulk_create(rows()).map(drop),
        Seat::insert_into(&db).update_conflicts(|s| s.id, |s| s.price).bulk_create(rows()).map(drop),
        Seat::insert_into(&db).bulk_create_returning(rows()).map(drop),
    ] {
        assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::CheckViolation));
        assert_eq!(bed.number("SELECT count(*) FROM seats"), 3);
    }
    Ok(())
}

fn in_a_transaction(bed: &Bed) -> TestResult {
    let db = seats(bed)?;
    db.transaction(|tx| {
        Seat::insert_into(tx).ignore_conflicts().bulk_create([seat(1, "1A", 0), seat(4, "4A", 40)])?;
        let bad = Seat::insert_into(tx).ignore_conflicts_on(|s| s.id).bulk_create([seat(5, "5A", 1), seat(6, "1A", 0)]);
        assert_eq!(bad.map_err(|error| error.kind()), Err(ErrorKind::UniqueViolation));
        Seat::insert_into(tx).update_conflicts(|s| s.id, |s| s.price).bulk_create([seat(4, "4A", 41)])
    })?;
    assert_eq!(pairs(bed, "id", "price", "seats"), ["1=10", "2=20", "3=30", "4=41"]);
    Ok(())
}

fn errors_name_the_rows(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let (bad, field) = unstorable(bed, flight(11, None, "JFK", "ORD"));
    let rows = [flight(10, None, "JFK", "ORD"), bad];
    let error = Flight::insert_into(&db).ignore_conflicts().bulk_create(rows).expect_err("it cannot be stored");
    assert_eq!((error.kind(), error.field(), error.row()), (ErrorKind::InvalidValue, Some(field), Some(2)));
    assert_eq!(error.key(), Some("11"));
    let secret = Flight { remark: "a secret".into(), ..flight(12, None, "XXX", "ORD") };
    let error = Flight::insert_into(&db).bulk_create_returning([secret]).expect_err("no airport is XXX");
    let sql = error.sql().unwrap_or_default();
    assert!(sql.starts_with("INSERT INTO") && sql.ends_with("VALUES … (rows 1 to 1)"), "{sql}");
    assert!(!format!("{error} {error:?}").contains("a secret"), "{error:?}");
    assert_eq!(bed.number("SELECT count(*) FROM flights"), 6);
    Airport::insert_into(&db).ignore_conflicts().bulk_create([airport("a'b", "%_\\", None)])?;
    assert_eq!(bed.number("SELECT count(*) FROM airports WHERE code = 'a''b'"), 1);
    Ok(())
}

/// NULL is in conflict with nothing.
fn a_key_that_is_null(bed: &Bed) -> TestResult {
    let db = seats(bed)?;
    let by_code = || Seat::insert_into(&db).update_conflicts(|s| s.code, |s| s.price);
    assert_eq!(by_code().bulk_create([seat(4, "4A", 40), seat(5, "5A", 50)])?, 2);
    assert_eq!(by_code().bulk_create([Seat { code: Some("x".into()), ..seat(6, "6A", 60) }])?, 1);
    assert_eq!(pairs(bed, "id", "price", "seats"), ["1=60", "2=20", "3=30", "4=40", "5=50"]);
    Ok(())
}

/// What is in conflict by another key is not the row that was meant.
fn a_key_that_is_null_and_another(bed: &Bed) -> TestResult {
    let db = seats(bed)?;
    let update = Seat::insert_into(&db).update_conflicts(|s| s.code, |s| s.price);
    let error = update.bulk_create([seat(3, "3A", 99)]).expect_err("there is a seat 3");
    assert_eq!((error.kind(), error.model()), (ErrorKind::UniqueViolation, Some("Seat")));
    let ignore = Seat::insert_into(&db).ignore_conflicts_on(|s| s.code);
    let error = ignore.bulk_create([seat(4, "4A", 1), seat(3, "5A", 99)]).expect_err("there is a seat 3");
    assert_eq!(error.kind(), ErrorKind::UniqueViolation);
    assert_eq!(pairs(bed, "id", "price", "seats"), ["1=10", "2=20", "3=30"]);
    Ok(())
}

/// MySQL would store every row again.
fn fields_that_are_no_key(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let city = bed.pick(Pick { postgres: "city", mysql: "city(20)", sqlite: "city" });
    bed.execute(&format!("CREATE INDEX by_city ON airports ({city})"));
    if bed.pick(Pick { postgres: false, mysql: true, sqlite: false }) {
        bed.execute("CREATE UNIQUE INDEX by_part_of_remark ON flights (remark(200))");
    }
    let err = "it is no key";
    let again = || [airport("XXX", "Chicago", None)];
    Airport::insert_into(&db).ignore_conflicts_on(|a| a.city).bulk_create(again()).expect_err(err);
    Airport::insert_into(&db).update_conflicts(|a| a.city, |a| a.hub_code).bulk_create(again()).expect_err(err);
    let returned = Airport::insert_into(&db).update_conflicts(|a| a.city, |a| a.hub_code);
    returned.bulk_create_returning(again()).expect_err(err);
    let more = Airport::insert_into(&db).ignore_conflicts_on(|a| (a.code, a.city));
    more.bulk_create(again()).expect_err(err);
    let less = Leg::insert_into(&db).ignore_conflicts_on(|l| l.carrier);
    let error = less.bulk_create([leg("XX", 1, 1, None)]).expect_err(err);
    if bed.pick(Pick { postgres: false, mysql: true, sqlite: false }) {
        assert_eq!((error.kind(), error.model()), (ErrorKind::InvalidQuery, Some("Leg")));
        assert!(error.to_string().contains("exactly these columns (carrier)"), "{error}");
    }
    let part = Flight::insert_into(&db).ignore_conflicts_on(|f| f.remark);
    part.bulk_create([flight(9, None, "JFK", "ORD")]).expect_err(err);
    assert_eq!(bed.number("SELECT (SELECT count(*) FROM airports) + (SELECT count(*) FROM legs)"), 9);
    assert_eq!(bed.number("SELECT count(*) FROM flights"), 6);
    Ok(())
}

fn keys_in_any_order(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let rows = [leg("UA", 1, 1, None), leg("UA", 9, 9, None)];
    let stored = Leg::insert_into(&db).ignore_conflicts_on(|l| (l.number, l.carrier)).bulk_create(rows.clone())?;
    assert_eq!(stored, 1);
    assert_eq!(Leg::insert_into(&db).update_conflicts(|l| (l.number, l.carrier), |l| l.miles).bulk_create(rows)?, 2);
    assert_eq!(bed.number("SELECT miles FROM legs WHERE carrier = 'UA' AND number = 1"), 1);
    Ok(())
}

#[cfg(feature = "mysql")]
mod of_mysql {
    use super::*;

    orm_tests::on_mysql! { temporary_tables, statements_stay_prepared }

    /// The server's catalogs do not tell of them.
    fn temporary_tables(bed: &Bed) -> TestResult {
        let db = bed.db()?;
        db.transaction(|tx| {
            tx.batch_execute(
                "CREATE TEMPORARY TABLE seats (id BIGINT, LABEL VARCHAR(10), code VARCHAR(10), price INT, UNIQUE (LABEL))",
            )?;
            let by_label = || Seat::insert_into(tx).ignore_conflicts_on(|s| s.label);
            assert_eq!(by_label().bulk_create([seat(1, "1A", 1), seat(2, "1A", 2), seat(3, "3A", 3)])?, 2);
            let by_id = Seat::insert_into(tx).ignore_conflicts_on(|s| s.id).bulk_create([seat(1, "4A", 1)]);
            assert_eq!(by_id.map_err(|error| error.kind()), Err(ErrorKind::InvalidQuery));
            ok(())
        })?;
        Ok(())
    }

    fn statements_stay_prepared(bed: &Bed) -> TestResult {
        let db = seats(bed)?;
        db.transaction(|tx| {
            let sql = "SELECT CAST(VARIABLE_VALUE AS SIGNED) FROM information_schema.SESSION_STATUS \
                       WHERE VARIABLE_NAME = 'COM_STMT_PREPARE'";
            seat(1, "1A", 0).save(tx)?;
            let before: i64 = tx.raw_values(sql).get()?;
            for price in 1..=10 {
                seat(1, "1A", price).save(tx)?;
            }
            let prepared = tx.raw_values::<i64>(sql).get()? - before;
            assert_eq!(prepared, 0, "not even the question");
            ok(())
        })?;
        assert_eq!(pairs(bed, "id", "price", "seats"), ["1=10", "2=20", "3=30"]);
        Ok(())
    }
}
