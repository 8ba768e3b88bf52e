//! `none()`: no rows, and nothing sent.

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Flight, flight, schedule};

on_each_backend! {
    no_terminal_finds_a_row, nothing_is_changed, nothing_is_sent, a_later_condition_brings_nothing_back,
    aggregates_still_have_their_row, it_is_written_as_a_false_condition,
}

fn no_terminal_finds_a_row(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let none = Flight::objects(&db).filter(|f| f.id.gt(0)).none();
    assert_eq!(none.load()?, []);
    assert_eq!(none.first()?, None);
    assert_eq!(none.count()?, 0);
    assert!(!none.exists()?);
    assert_eq!(none.clone().iterator(2)?.count(), 0);
    assert_eq!(none.clone().try_iterator(2)?.count(), 0);
    assert_eq!(none.clone().values(|f| (f.id, f.remark)).load()?, []);
    assert_eq!(none.clone().select_related(|f| f.origin()).load()?, []);
    assert_eq!(none.clone().iterator(0).expect_err("no chunk").kind(), ErrorKind::InvalidQuery);
    let missing = none.get().expect_err("there is none");
    assert_eq!((missing.kind(), missing.model()), (ErrorKind::NotFound, Some("Flight")));
    Ok(())
}

fn nothing_is_changed(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let none = Flight::objects(&db).none();
    assert_eq!(none.update(|f| f.remark.set("gone"))?, 0);
    assert_eq!(none.clone().limit(3).delete()?, 0);
    assert_eq!(bed.number("SELECT COUNT(*) FROM flights WHERE remark_text <> 'gone'"), 5);
    // What cannot be assigned is refused all the same.
    let twice = none.update(|f| (f.remark.set("a"), f.remark.set("b"))).expect_err("assigned twice");
    assert_eq!(twice.kind(), ErrorKind::InvalidQuery);
    Ok(())
}

/// There is no table.
fn nothing_is_sent(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let none = Flight::objects(&db).none();
    assert!(Flight::objects(&db).load().is_err());
    assert_eq!(none.load()?, []);
    assert_eq!((none.count()?, none.exists()?, none.first()?), (0, false, None));
    assert_eq!(none.clone().iterator(2)?.next(), None);
    assert_eq!((none.update(|f| f.remark.set(""))?, none.delete()?), (0, 0));
    db.transaction(|tx| {
        assert_eq!(Flight::objects(tx).none().load()?, []);
        orm_tests::ok(())
    })?;
    Ok(())
}

fn a_later_condition_brings_nothing_back(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let none = Flight::objects(&db).none().filter(|f| f.id.eq(1)).exclude(|f| f.id.eq(2));
    let none = none.order_by(|f| f.id.desc()).reverse().distinct().limit(5).offset(0);
    assert_eq!(none.load()?, []);
    assert_eq!(none.values(|f| f.id).load()?, Vec::<i64>::new());
    assert_eq!(Flight::objects(&db).order_by(|f| f.id.asc()).first()?, Some(flight(1, Some(61.5), "", "JFK")));
    Ok(())
}

fn aggregates_still_have_their_row(bed: &Bed) -> TestResult {
    use orm_core::diesel::dsl::{count_star, max};
    let db = bed.db()?;
    schedule(&db)?;
    let row = Flight::objects(&db).none().values_as::<(i64, Option<i64>), _>(|f| (count_star(), max(f.id))).get()?;
    assert_eq!(row, (0, None));
    Ok(())
}

fn it_is_written_as_a_false_condition(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let sql = Flight::objects(&db).none().values(|f| f.id).sql()?.replace(['`', '"'], "");
    assert_eq!(sql, "SELECT flights.id FROM flights WHERE (1 = 0)");
    Ok(())
}
