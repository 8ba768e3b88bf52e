//! A SQLite file that is deleted or replaced while it is open.

use std::{fs, path::PathBuf};

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, ok, on_sqlite};

use crate::models::{Number, number, numbers};

on_sqlite! {
    a_deleted_file, a_replaced_file, a_link_that_leads_elsewhere, a_transaction_is_not_interrupted,
    a_file_that_is_written_by_others,
}

fn path(bed: &Bed) -> PathBuf {
    bed.url().trim_start_matches("sqlite://").into()
}

#[track_caller]
fn refused<T>(result: orm_core::Result<T>, how: &str) {
    let Err(error) = result else { panic!("the file is another one") };
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error:?}");
    assert!(error.to_string().contains(how) && error.to_string().contains("test.db"), "{error}");
}

fn a_deleted_file(bed: &Bed) -> TestResult {
    let db: Database = Database::builder().pool_size(3).connect(bed.url())?;
    numbers(&db, 3)?;
    let rows = Number::objects(&db).iterator(1)?;
    fs::remove_file(path(bed))?;
    for _ in 0..2 {
        refused(Number::bulk_create(&db, [number(4)]), "was deleted");
        refused(Number::objects(&db).load(), "was deleted");
        refused(Number::objects(&db).iterator(10), "was deleted");
        refused(db.transaction(|tx| Number::bulk_create(tx, [number(4)])), "was deleted");
        refused(db.batch_execute("DELETE FROM numbers"), "was deleted");
    }
    assert_eq!(rows.count(), 3, "a stream that is open goes on");
    assert!(!path(bed).exists(), "no new file is made");
    drop(db);
    // Connecting anew makes one.
    let db = bed.db()?;
    numbers(&db, 1)?;
    assert_eq!(bed.number("SELECT count(*) FROM numbers"), 1);
    Ok(())
}

fn a_replaced_file(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 3)?;
    let other = Bed::sqlite();
    numbers(&other.db()?, 7)?;
    fs::rename(path(&other), path(bed))?;
    refused(Number::bulk_create(&db, [number(4)]), "was replaced");
    refused(Number::objects(&db).count(), "was replaced");
    drop(db);
    // SQLite leaves the log of a file that has moved, which is not the new file's.
    for suffix in ["-wal", "-shm"] {
        let mut left = path(bed).into_os_string();
        left.push(suffix);
        fs::remove_file(left)?;
    }
    assert_eq!(Number::objects(&bed.db()?).count()?, 7, "what is there now is as it was");
    Ok(())
}

#[cfg(unix)]
fn a_link_that_leads_elsewhere(bed: &Bed) -> TestResult {
    let folder = tempfile::tempdir()?;
    let link = folder.path().join("link to test.db");
    std::os::unix::fs::symlink(path(bed), &link)?;
    let url = format!("sqlite://{}", link.display().to_string().replace(' ', "%20"));
    let db = orm_core::connect(&url)?;
    numbers(&db, 3)?;
    assert_eq!(bed.number("SELECT count(*) FROM numbers"), 3);
    // The same file by another way.
    fs::remove_file(&link)?;
    fs::hard_link(path(bed), &link)?;
    assert_eq!(Number::objects(&db).count()?, 3);
    fs::remove_file(&link)?;
    let other = Bed::sqlite();
    numbers(&other.db()?, 7)?;
    std::os::unix::fs::symlink(path(&other), &link)?;
    refused(Number::objects(&db).count(), "was replaced");
    Ok(())
}

/// Where it ends: the file is looked at when a connection is taken from the pool.
fn a_transaction_is_not_interrupted(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 3)?;
    let seen = db.transaction(|tx| {
        Number::bulk_create(tx, [number(4)])?;
        fs::remove_file(path(bed)).expect("it is there");
        Number::bulk_create(tx, [number(5)])?;
        ok(Number::objects(tx).count()?)
    })?;
    assert_eq!(seen, 5);
    refused(Number::objects(&db).count(), "was deleted");
    Ok(())
}

fn a_file_that_is_written_by_others(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 3)?;
    bed.execute("VACUUM");
    bed.execute("INSERT INTO numbers (id) VALUES (4)");
    assert_eq!(Number::objects(&db).count()?, 4);
    Ok(())
}
