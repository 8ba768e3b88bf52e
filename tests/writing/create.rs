//! A row that is stored, and cannot be read as it is then.

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, ok, on_each_backend};

use crate::models::{NewVisit, Visit, visits};

on_each_backend! { by_the_database, after_one_that_was_read, in_a_transaction, in_a_nested_transaction, by_get_or_create }

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

/// Rows of this table were read before, and this one has a NULL: whether it is stored then, the error says.
fn after_one_that_was_read(bed: &Bed) -> TestResult {
    visits(bed)?;
    let db: Database = Database::builder().pool_size(1).connect(bed.url())?;
    for guest in ["Ada", "Ben"] {
        assert_eq!(Visit::create(&db, new(guest))?.state, "new");
    }
    bed.execute("ALTER TABLE visits DROP COLUMN state");
    let types_changed = Visit::create(&db, new("Cy")).map_err(|error| error.kind());
    assert!(types_changed.is_err() && number(bed) == 2, "{types_changed:?}");
    bed.execute("ALTER TABLE visits ADD COLUMN state VARCHAR(50)");
    for guest in ["Dee", "Eve"] {
        let before = number(bed);
        let error = Visit::create(&db, new(guest)).expect_err("NULL is no String");
        assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("state")));
        let is_stored = number(bed) > before;
        assert_eq!(error.to_string().contains("the row was stored"), is_stored, "{error}");
    }
    assert!(Visit::create(&db, new("Ada")).is_err_and(|error| error.kind() == ErrorKind::UniqueViolation));
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
