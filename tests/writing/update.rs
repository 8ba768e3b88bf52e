//! `update` and `delete` of a queryset's rows.

use orm_core::prelude::*;
use orm_tests::{Bed, Pick, TestResult, ok, on_each_backend};

use crate::models::{Airport, Flight, Leg, pairs, tables};

on_each_backend! {
    every_row, values_and_expressions, null_in_and_out, conditions_that_are_null, number_is_of_rows_found,
    across_relations, across_optional_relations, across_a_relation_to_its_own_table,
    a_composite_key, limited, limited_across_relations, an_order_alone_means_nothing, of_no_row, excluded,
    delete_across_relations, delete_limited, delete_of_composite_keys, delete_everything, delete_what_is_referred_to,
    assigned_twice, values_that_cannot_be_stored, odd_texts, in_a_transaction, rolled_back,
    a_violation_names_the_statement, subqueries_of_the_same_table, reversed_without_an_order, keys_may_change,
}

fn delays(bed: &Bed) -> Vec<String> {
    pairs(bed, "id", "delay", "flights")
}

fn every_row(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    assert_eq!(Flight::objects(&db).update(|f| f.planned.set(7))?, 6);
    assert_eq!(bed.number("SELECT count(*) FROM flights WHERE planned = 7"), 6);
    assert_eq!(
        bed.number("SELECT count(*) FROM flights WHERE remark = concat('flight ', id)"),
        6,
        "the rest is as it was"
    );
    Ok(())
}

fn values_and_expressions(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let rows = Flight::objects(&db).filter(|f| f.id.le(2)).update(|f| {
        (
            f.delay.set(f.planned + 5),
            f.planned.set(f.planned * 2 - 1),
            f.remark.set("late"),
            f.share.set(0.25),
            f.seats.set(5),
        )
    })?;
    assert_eq!(rows, 2);
    let flight = Flight::objects(&db).filter(|f| f.id.eq(2)).get()?;
    assert_eq!((flight.delay, flight.planned), (Some(25), 39));
    assert_eq!((flight.remark.as_str(), flight.share, flight.seats), ("late", 0.25, 5));
    assert_eq!(bed.number("SELECT count(*) FROM flights WHERE remark = 'late'"), 2);
    Ok(())
}

fn null_in_and_out(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let note: Option<String> = Some("of one's own".into());
    Flight::objects(&db).filter(|f| f.id.eq(1)).update(|f| (f.note.set(&note), f.delay.set(None)))?;
    Flight::objects(&db).filter(|f| f.id.eq(2)).update(|f| (f.note.set("plain"), f.delay.set(Some(9))))?;
    Flight::objects(&db).filter(|f| f.id.eq(3)).update(|f| (f.note.set(f.remark), f.delay.set(f.delay + 1)))?;
    Flight::objects(&db).filter(|f| f.id.eq(4)).update(|f| (f.note.set(String::from("owned")), f.delay.set(8)))?;
    assert_eq!(
        pairs(bed, "id", "note", "flights"),
        ["1=of one's own", "2=plain", "3=flight 3", "4=owned", "5=NULL", "6=NULL"]
    );
    assert_eq!(delays(bed), ["1=NULL", "2=9", "3=NULL", "4=8", "5=NULL", "6=0"]);
    Ok(())
}

fn conditions_that_are_null(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    assert_eq!(Flight::objects(&db).filter(|f| f.delay.gt(0)).update(|f| f.remark.set("late"))?, 2);
    assert_eq!(Flight::objects(&db).exclude(|f| f.delay.gt(0)).update(|f| f.remark.set("not late"))?, 4);
    let remarks = pairs(bed, "id", "remark", "flights");
    assert_eq!(remarks, ["1=late", "2=not late", "3=not late", "4=late", "5=not late", "6=not late"]);
    Ok(())
}

/// Also of those that have the values already.
fn number_is_of_rows_found(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    for _ in 0..2 {
        assert_eq!(Flight::objects(&db).filter(|f| f.id.gt(2)).update(|f| f.remark.set("x"))?, 4);
        let across = Flight::objects(&db).filter(|f| f.origin().city.eq("New York"));
        assert_eq!(across.update(|f| f.note.set("y"))?, 4);
        assert_eq!(Flight::objects(&db).order_by(|f| f.id.asc()).limit(2).update(|f| f.planned.set(1))?, 2);
    }
    Ok(())
}

fn across_relations(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let from_new_york = Flight::objects(&db).filter(|f| f.origin().city.eq("New York").and(f.delay.is_not_null()));
    assert_eq!(from_new_york.update(|f| f.delay.set(f.delay + 100))?, 3);
    assert_eq!(delays(bed), ["1=120", "2=97", "3=NULL", "4=120", "5=NULL", "6=100"]);
    let by_hub = Flight::objects(&db).filter(|f| f.origin().hub().city.eq("Chicago"));
    assert_eq!(by_hub.update(|f| f.delay.set(1))?, 1);
    assert_eq!(delays(bed), ["1=120", "2=97", "3=NULL", "4=120", "5=1", "6=100"]);
    Ok(())
}

fn across_optional_relations(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    assert_eq!(Flight::objects(&db).filter(|f| f.dest().city.is_null()).update(|f| f.delay.set(1000))?, 1);
    assert_eq!(Flight::objects(&db).exclude(|f| f.dest().city.eq("Chicago")).update(|f| f.note.set("not Chicago"))?, 4);
    assert_eq!(bed.number("SELECT delay FROM flights WHERE id = 6"), 1000);
    assert_eq!(bed.number("SELECT count(*) FROM flights WHERE note IS NULL AND id IN (1, 2)"), 2);
    Ok(())
}

/// MySQL refuses to read what it changes, unless it is made to make a table of it.
fn across_a_relation_to_its_own_table(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let branches = Airport::objects(&db).filter(|a| a.hub().city.eq("Chicago"));
    assert_eq!(branches.update(|a| a.city.set("Chicago Midway"))?, 1);
    assert_eq!(bed.texts("SELECT code FROM airports WHERE city = 'Chicago Midway'"), [Some("MDW".to_owned())]);
    assert_eq!(Airport::objects(&db).filter(|a| a.hub().city.eq("New York")).limit(5).update(|a| a.city.set("x"))?, 1);
    assert_eq!(bed.texts("SELECT code FROM airports WHERE city = 'x'"), [Some("LGA".to_owned())]);
    Ok(())
}

fn a_composite_key(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    assert_eq!(Leg::objects(&db).filter(|l| l.carrier.eq("UA").and(l.number.ne(2))).update(|l| l.miles.set(1))?, 2);
    assert_eq!(Leg::objects(&db).filter(|l| l.origin().city.eq("New York")).update(|l| l.miles.set(l.miles + 7))?, 3);
    let longest = Leg::objects(&db).order_by(|l| l.miles.desc()).limit(2);
    assert_eq!(longest.update(|l| l.miles.set(0))?, 2);
    assert_eq!(bed.texts("SELECT miles FROM legs ORDER BY carrier, number"), texts([107, 0, 8, 0, 8]));
    Ok(())
}

fn texts<const N: usize>(numbers: [i64; N]) -> [Option<String>; N] {
    numbers.map(|number| Some(number.to_string()))
}

fn limited(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let by_delay = Flight::objects(&db).order_by(|f| (f.delay.desc().nulls_last(), f.id.asc()));
    assert_eq!(by_delay.clone().limit(2).update(|f| f.remark.set("first two"))?, 2);
    assert_eq!(by_delay.clone().limit(1).offset(2).update(|f| f.remark.set("third"))?, 1);
    assert_eq!(by_delay.clone().offset(4).update(|f| f.remark.set("NULL"))?, 2);
    assert_eq!(by_delay.limit(0).update(|f| f.remark.set("none"))?, 0);
    let remarks = pairs(bed, "id", "remark", "flights");
    assert_eq!(remarks, ["1=first two", "2=flight 2", "3=NULL", "4=first two", "5=NULL", "6=third"]);
    assert_eq!(Flight::objects(&db).filter(|f| f.id.gt(3)).limit(2).update(|f| f.remark.set("any two"))?, 2);
    assert_eq!(bed.number("SELECT count(*) FROM flights WHERE remark = 'any two' AND id > 3"), 2);
    Ok(())
}

fn limited_across_relations(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let by_city = Flight::objects(&db)
        .filter(|f| f.origin().city.eq("New York"))
        .order_by(|f| (f.dest().city.asc().nulls_first(), f.id.desc()));
    assert_eq!(by_city.clone().limit(2).update(|f| f.planned.set(-1))?, 2);
    assert_eq!(by_city.reverse().limit(1).update(|f| f.planned.set(-2))?, 1);
    assert_eq!(pairs(bed, "id", "planned", "flights"), ["1=10", "2=-1", "3=-2", "4=40", "5=50", "6=-1"]);
    Ok(())
}

fn an_order_alone_means_nothing(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    // An order by what no row has must not lose any.
    let ordered = Flight::objects(&db).order_by(|f| (f.dest().hub().city.asc(), f.id.asc()));
    assert_eq!(ordered.clone().distinct().update(|f| f.planned.set(3))?, 6);
    assert_eq!(ordered.delete()?, 6);
    Ok(())
}

fn of_no_row(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let none = Flight::objects(&db).filter(|f| f.id.eq_any(Vec::<i64>::new()));
    assert_eq!(none.update(|f| f.planned.set(3))?, 0);
    assert_eq!(none.delete()?, 0);
    assert_eq!(none.filter(|f| f.origin().city.eq("x")).delete()?, 0);
    assert_eq!(bed.number("SELECT count(*) FROM flights WHERE planned <> 3"), 6);
    Ok(())
}

fn excluded(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    assert_eq!(Flight::objects(&db).exclude(|f| f.delay.lt(50)).delete()?, 3, "NULL is not below 50");
    assert_eq!(delays(bed), ["1=20", "2=-3", "6=0"]);
    Ok(())
}

fn delete_across_relations(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    assert_eq!(Flight::objects(&db).filter(|f| f.origin().hub().city.eq("New York")).delete()?, 2);
    assert_eq!(delays(bed), ["1=20", "3=NULL", "4=120", "5=NULL"]);
    assert_eq!(Leg::objects(&db).filter(|l| l.origin().city.is_null()).delete()?, 1);
    assert_eq!(bed.number("SELECT count(*) FROM legs"), 4);
    assert_eq!(bed.number("SELECT count(*) FROM airports"), 4);
    Ok(())
}

fn delete_limited(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    assert_eq!(Flight::objects(&db).order_by(|f| f.delay.asc().nulls_first()).limit(3).delete()?, 3);
    assert_eq!(delays(bed), ["1=20", "4=120", "6=0"]);
    assert_eq!(Flight::objects(&db).order_by(|f| f.origin().code.desc()).offset(1).delete()?, 2);
    assert_eq!(delays(bed), ["4=120"]);
    Ok(())
}

fn delete_of_composite_keys(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    assert_eq!(Leg::objects(&db).filter(|l| l.origin().code.eq("JFK")).delete()?, 2);
    assert_eq!(Leg::objects(&db).order_by(|l| (l.carrier.asc(), l.number.asc())).limit(1).delete()?, 1);
    assert_eq!(bed.texts("SELECT miles FROM legs ORDER BY miles"), texts([400, 500]));
    Ok(())
}

fn delete_everything(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    assert_eq!(Flight::objects(&db).delete()?, 6);
    assert_eq!(Flight::objects(&db).delete()?, 0);
    assert_eq!(Flight::objects(&db).count()?, 0);
    Ok(())
}

fn delete_what_is_referred_to(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let error = Airport::objects(&db).filter(|a| a.code.eq("JFK")).delete().expect_err("flights start there");
    assert_eq!((error.kind(), error.model()), (ErrorKind::ForeignKeyViolation, Some("Airport")), "{error:?}");
    let error = Flight::objects(&db).update(|f| f.origin_code.set("XXX")).expect_err("no airport is XXX");
    assert_eq!(error.kind(), ErrorKind::ForeignKeyViolation);
    Ok(())
}

fn assigned_twice(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let error = Flight::objects(&db).update(|f| (f.planned.set(1), f.delay.set(2), f.planned.set(3)));
    let error = error.expect_err("backends differ in what that is");
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidQuery, Some("planned")));
    assert_eq!(bed.number("SELECT count(*) FROM flights WHERE planned = id * 10"), 6);
    Ok(())
}

fn values_that_cannot_be_stored(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    if !bed.keeps_u64() {
        let error =
            Flight::objects(&db).update(|f| (f.planned.set(1), f.seats.set(u64::MAX))).expect_err("it is too large");
        assert_eq!(
            (error.kind(), error.model(), error.field()),
            (ErrorKind::InvalidValue, Some("Flight"), Some("seats"))
        );
        assert!(error.to_string().contains("nothing was changed"), "{error}");
    }
    if !bed.keeps_nan() {
        let error = Flight::objects(&db).update(|f| f.share.set(f64::NAN)).expect_err("NaN has no place there");
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidValue, Some("share")));
    }
    if !bed.keeps_nul_in_text() {
        let error = Flight::objects(&db).update(|f| f.note.set("a\0b")).expect_err("NUL has no place there");
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidValue, Some("note")));
    }
    assert_eq!(bed.number("SELECT count(*) FROM flights WHERE planned = 1"), 0);
    Ok(())
}

fn odd_texts(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let odd = "100%_'\"`\\ é 漢 🛫; DROP TABLE flights --";
    assert_eq!(Flight::objects(&db).filter(|f| f.id.eq(1)).update(|f| (f.remark.set(odd), f.note.set(odd)))?, 1);
    assert_eq!(bed.texts("SELECT remark FROM flights WHERE id = 1"), [Some(odd.to_owned())]);
    assert_eq!(Flight::objects(&db).filter(|f| f.note.eq(odd)).delete()?, 1);
    Ok(())
}

fn in_a_transaction(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    db.transaction(|tx| {
        assert_eq!(Flight::objects(tx).update(|f| f.planned.set(5))?, 6);
        assert_eq!(Flight::objects(tx).filter(|f| f.planned.eq(5)).limit(4).delete()?, 4);
        ok(())
    })?;
    assert_eq!(bed.number("SELECT count(*) FROM flights WHERE planned = 5"), 2);
    Ok(())
}

fn rolled_back(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let answer: orm_core::Result<()> = db.transaction(|tx| {
        Flight::objects(tx).update(|f| f.planned.set(5))?;
        Flight::objects(tx).filter(|f| f.id.gt(1)).delete()?;
        Flight::objects(tx).update(|f| f.origin_code.set("XXX")).map(drop)
    });
    assert_eq!(answer.map_err(|error| error.kind()), Err(ErrorKind::ForeignKeyViolation));
    assert_eq!(bed.number("SELECT count(*) FROM flights WHERE planned = id * 10"), 6);
    Ok(())
}

fn a_violation_names_the_statement(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let error =
        Flight::objects(&db).update(|f| (f.id.set(1), f.remark.set("secret"))).expect_err("a key is a row's own");
    assert_eq!((error.kind(), error.model()), (ErrorKind::UniqueViolation, Some("Flight")));
    let quoted = |name| bed.quoted(name).replace('"', bed.pick(Pick { postgres: "\"", mysql: "`", sqlite: "`" }));
    let update = format!("UPDATE {} SET {} = ", quoted("flights"), quoted("id"));
    assert!(error.sql().is_some_and(|sql| sql.starts_with(&update)), "{error}");
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    Ok(())
}

fn subqueries_of_the_same_table(bed: &Bed) -> TestResult {
    use orm_core::diesel::{dsl::sql, sql_types::Bool};
    let db = tables(bed)?;
    let quoted = bed.pick(Pick { postgres: "\"flights\"", mysql: "`flights`", sqlite: "`flights`" });
    let condition = format!("planned > (SELECT avg(planned) FROM {quoted})");
    let above = Flight::objects(&db).filter(|_| sql::<Bool>(&condition));
    assert_eq!(above.update(|f| f.remark.set("above"))?, 3);
    assert_eq!(above.delete()?, 3);
    Ok(())
}

fn reversed_without_an_order(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let error = Flight::objects(&db).reverse().limit(1).delete().expect_err("there is nothing to turn round");
    assert_eq!(error.kind(), ErrorKind::InvalidQuery);
    Ok(())
}

fn keys_may_change(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    assert_eq!(Flight::objects(&db).filter(|f| f.id.eq(6)).update(|f| f.id.set(f.id * 10))?, 1);
    assert_eq!(bed.number("SELECT max(id) FROM flights"), 60);
    Ok(())
}
