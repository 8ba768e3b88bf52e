//! Opening a SQLite file whose journal is not yet a write-ahead log, while another connection writes.

use std::{thread, time::Duration};

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_sqlite};

on_sqlite! { another_connection_is_waited_for, many_at_once }

fn open(bed: &Bed, lock_timeout: Duration) -> orm_core::Result<Database> {
    Database::builder().lock_timeout(lock_timeout).connect(bed.url())
}

fn journal_mode(bed: &Bed) -> String {
    bed.texts("SELECT journal_mode FROM pragma_journal_mode").into_iter().flatten().collect()
}

fn another_connection_is_waited_for(bed: &Bed) -> TestResult {
    let mut writer = bed.witness();
    writer.execute("CREATE TABLE numbers (id INTEGER); BEGIN IMMEDIATE; INSERT INTO numbers VALUES (1)");
    let error = open(bed, Duration::from_millis(20)).expect_err("another connection writes");
    assert_eq!(error.kind(), ErrorKind::LockTimeout, "{error:?}");
    let opened = thread::scope(|scope| {
        let opened = scope.spawn(|| open(bed, Duration::from_secs(60)));
        // So that it has to wait.
        thread::sleep(Duration::from_millis(200));
        writer.execute("COMMIT");
        opened.join()
    });
    assert!(matches!(opened, Ok(Ok(_))), "{opened:?}");
    assert_eq!(journal_mode(bed), "wal");
    assert_eq!(bed.number("SELECT count(*) FROM numbers"), 1);
    Ok(())
}

fn many_at_once(_: &Bed) -> TestResult {
    for _ in 0..10 {
        let bed = Bed::sqlite();
        let opened = thread::scope(|scope| {
            let callers: Vec<_> = (0..8).map(|_| scope.spawn(|| open(&bed, Duration::from_secs(60)))).collect();
            callers.into_iter().map(|caller| caller.join()).collect::<Vec<_>>()
        });
        assert!(opened.iter().all(|opened| matches!(opened, Ok(Ok(_)))), "{opened:?}");
    }
    Ok(())
}
