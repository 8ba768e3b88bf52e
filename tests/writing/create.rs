//! A row that is stored, and cannot be read as it is then.

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, ok, on_each_backend};

use crate::models::{NewVisit, Visit, visits};

on_each_backend! { by_the_database, in_a_transaction, in_a_nested_transaction, by_get_or_create }

/// The database fills `state` with NULL, which is no `String`.
fn nothing_to_fill(bed: &Bed) -> orm_core::Result<Database> {
    let db = visits(bed)?;
    bed.execute("ALTER TABLE visits DROP COLUMN state");
    bed.execute("ALTER TABLE visits ADD COLUMN state VARCHAR(50)");
    Ok(db)
}

fn new(guest: &str) -> NewVisit {
    NewVisit { guest: guest.into(), rating: None }
}

fn number(bed: &Bed) -> i64 {
    bed.number("SELECT count(*) FROM visits")
}

fn by_the_database(bed: &Bed) -> TestResult {
    let db = nothing_to_fill(bed)?;
    let error = Visit::create(&db, new("Ada")).expect_err("NULL is no String");
    assert_eq!((error.kind(), error.model(), error.field()), (ErrorKind::Decode, Some("Visit"), Some("state")));
    assert_eq!(number(bed), 0, "it failed, so nothing is stored");
    Ok(())
}

fn in_a_transaction(bed: &Bed) -> TestResult {
    let db = nothing_to_fill(bed)?;
    let answer = db.transaction(|tx| {
        Visit::create(tx, new("Ada")).expect_err("NULL is no String");
        ok(())
    });
    assert_eq!(answer.map_err(|error| error.kind()), Err(ErrorKind::TransactionAborted));
    assert_eq!(number(bed), 0);
    Ok(())
}

fn in_a_nested_transaction(bed: &Bed) -> TestResult {
    let db = nothing_to_fill(bed)?;
    db.transaction(|tx| {
        let error = tx.transaction(|tx| Visit::create(tx, new("Ada"))).expect_err("NULL is no String");
        assert_eq!(error.kind(), ErrorKind::Decode);
        Visit::bulk_create(tx, [Visit { id: 1, guest: "Ben".into(), rating: None, state: String::new() }])
    })?;
    assert_eq!(bed.texts("SELECT guest FROM visits"), [Some("Ben".to_owned())]);
    Ok(())
}

fn by_get_or_create(bed: &Bed) -> TestResult {
    let db = nothing_to_fill(bed)?;
    let error = Visit::objects(&db).filter(|v| v.guest.eq("Ada")).get_or_create(|| new("Ada"));
    assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::Decode));
    assert_eq!(number(bed), 0);
    Ok(())
}
