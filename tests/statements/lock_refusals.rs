//! What `for_update` and its relatives refuse, before anything is sent.

use orm_core::{BackendKind, prelude::*};
use orm_tests::{Bed, TestResult, ok, on_each_backend};

use crate::models::{Flight, schedule};

on_each_backend! {
    a_database_is_no_transaction, options_without_a_lock, options_that_contradict, rows_that_are_no_tables_rows,
    terminals_that_read_no_rows, no_key_is_postgresqls, nothing_is_sent_for_none,
}

#[cfg(feature = "sqlite")]
mod on_sqlite {
    use orm_tests::on_sqlite;

    use super::*;

    on_sqlite! { the_whole_database_is_locked }

    fn the_whole_database_is_locked(bed: &Bed) -> TestResult {
        let db = bed.db()?;
        schedule(&db)?;
        db.transaction(|tx| {
            let all = || Flight::objects(tx);
            for locked in
                [all().for_update(), all().for_share(), all().for_update().skip_locked(), all().for_update().nowait()]
            {
                let error = locked.load().expect_err("it has no row locks");
                assert_eq!((error.kind(), error.model()), (ErrorKind::InvalidQuery, Some("Flight")));
                assert!(error.to_string().contains("build_transaction().immediate()"), "{error}");
                assert_eq!(locked.sql().expect_err("it cannot be written").kind(), ErrorKind::InvalidQuery);
            }
            // What was refused was not sent.
            assert_eq!(all().count()?, 5);
            ok(())
        })?;
        Ok(())
    }
}

/// The error of a locking queryset in a transaction.
fn refused(
    bed: &Bed,
    lock: impl for<'t> FnOnce(QuerySet<'t, Flight>) -> orm_core::Result<()>,
) -> orm_core::Result<orm_core::Error> {
    let db = bed.db()?;
    db.transaction(|tx| {
        let error = lock(Flight::objects(tx)).expect_err("it is refused");
        assert_eq!((error.kind(), error.model()), (ErrorKind::InvalidQuery, Some("Flight")));
        // There is no table, and nothing was sent.
        assert_eq!(Flight::objects(tx).none().count()?, 0);
        ok(error)
    })
}

/// Whether the error is about SQLite, which says so whatever else is wrong.
fn is_about_sqlite(bed: &Bed) -> bool {
    bed.backend() == BackendKind::Sqlite
}

fn a_database_is_no_transaction(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let locked = Flight::objects(&db).for_update();
    for error in [
        locked.load().expect_err("no transaction"),
        locked.first().expect_err("no transaction"),
        locked.get().expect_err("no transaction"),
        locked.clone().iterator(5).expect_err("no transaction"),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidQuery);
        let says = if is_about_sqlite(bed) { "SQLite locks the whole database" } else { "db.transaction(|tx| …)" };
        assert!(error.to_string().contains(says), "{error}");
    }
    Ok(())
}

fn options_without_a_lock(bed: &Bed) -> TestResult {
    for error in [
        refused(bed, |all| all.skip_locked().load().map(drop))?,
        refused(bed, |all| all.nowait().iterator(5).map(drop))?,
    ] {
        assert!(error.to_string().contains("call `for_update` or `for_share`, too"), "{error}");
    }
    Ok(())
}

fn options_that_contradict(bed: &Bed) -> TestResult {
    let error = refused(bed, |all| all.for_update().nowait().skip_locked().load().map(drop))?;
    assert!(error.to_string().contains("leave one of the two out"), "{error}");
    Ok(())
}

fn rows_that_are_no_tables_rows(bed: &Bed) -> TestResult {
    use orm_core::diesel::dsl::count_star;
    if is_about_sqlite(bed) {
        return Ok(());
    }
    let error = refused(bed, |all| all.for_update().values(|f| f.remark).distinct().load().map(drop))?;
    assert!(error.to_string().contains("`distinct`"), "{error}");
    let error = refused(bed, |all| all.for_update().values_as::<i64, _>(|_| count_star()).get().map(drop))?;
    assert!(error.to_string().contains("computed from many rows"), "{error}");
    Ok(())
}

fn terminals_that_read_no_rows(bed: &Bed) -> TestResult {
    for (name, error) in [
        ("count", refused(bed, |all| all.for_update().count().map(drop))?),
        ("exists", refused(bed, |all| all.for_share().exists().map(drop))?),
        ("update", refused(bed, |all| all.for_update().update(|f| f.remark.set("")).map(drop))?),
        ("delete", refused(bed, |all| all.for_update().skip_locked().limit(1).delete().map(drop))?),
    ] {
        assert!(error.to_string().contains(&format!("`{name}` does not lock the rows")), "{error}");
    }
    Ok(())
}

fn no_key_is_postgresqls(bed: &Bed) -> TestResult {
    if bed.backend() == BackendKind::Mysql {
        let error = refused(bed, |all| all.for_no_key_update().load().map(drop))?;
        assert!(error.to_string().contains("PostgreSQL alone"), "{error}");
    }
    Ok(())
}

fn nothing_is_sent_for_none(bed: &Bed) -> TestResult {
    if !is_about_sqlite(bed) {
        let rows = bed.db()?.transaction(|tx| Flight::objects(tx).for_update().none().load())?;
        assert_eq!(rows, []);
    }
    Ok(())
}
