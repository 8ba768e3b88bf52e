//! What raw statements set and lock: nobody else meets it.

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, ok};

/// A pool whose every statement has the same connection.
fn narrow(bed: &Bed) -> orm_core::Result<Database> {
    Database::builder().pool_size(1).connect(bed.url())
}

#[cfg(feature = "postgres")]
mod on_postgres {
    use super::*;

    orm_tests::on_postgres! { settings, locks, of_a_transaction }

    const SET: &str = "SELECT set_config('search_path', 'nowhere', false)";
    const ASK: &str = "SELECT current_setting('search_path')";

    fn settings(bed: &Bed) -> TestResult {
        let db = narrow(bed)?;
        let before: String = db.raw_values(ASK).get()?;
        let set = || db.raw_values::<String>(SET);
        assert_eq!(set().load()?, ["nowhere"]);
        assert_eq!(db.raw_values::<String>(ASK).get()?, before);
        assert_eq!(set().iterator(5)?.count(), 1);
        assert_eq!(db.raw_values::<String>(ASK).get()?, before);
        assert_eq!(set().first()?.as_deref(), Some("nowhere"));
        assert_eq!(db.raw_values::<String>(ASK).get()?, before);
        set().explain_with(orm_core::queryset::Explain::new().analyze())?;
        assert_eq!(db.raw_values::<String>(ASK).get()?, before);
        Ok(())
    }

    fn locks(bed: &Bed) -> TestResult {
        let db = narrow(bed)?;
        let taken = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 \
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        let lock = || db.raw_values::<bool>("SELECT pg_try_advisory_lock(4711)");
        assert!(lock().get()?);
        assert_eq!(bed.number(taken), 0);
        assert_eq!(lock().load()?, [true]);
        assert_eq!(bed.number(taken), 0);
        let mut open = lock().try_iterator(1)?;
        assert!(matches!(open.next(), Some(Ok(true))));
        assert_eq!(bed.number(taken), 1, "the stream is open");
        drop(open);
        assert_eq!(bed.number(taken), 0);
        Ok(())
    }

    fn of_a_transaction(bed: &Bed) -> TestResult {
        let db = narrow(bed)?;
        let before: String = db.raw_values(ASK).get()?;
        db.transaction(|tx| {
            tx.raw_values::<String>(SET).load()?;
            assert_eq!(tx.raw_values::<String>(ASK).get()?, "nowhere");
            ok(())
        })?;
        assert_eq!(db.raw_values::<String>(ASK).get()?, before);
        db.transaction(|tx| tx.raw_values::<String>(SET).iterator(1).map(|rows| assert_eq!(rows.count(), 1)))?;
        assert_eq!(db.raw_values::<String>(ASK).get()?, before);
        Ok(())
    }
}

#[cfg(feature = "mysql")]
mod on_mysql {
    use super::*;

    orm_tests::on_mysql! { locks, variables }

    fn locks(bed: &Bed) -> TestResult {
        let db = narrow(bed)?;
        let name = bed.texts("SELECT DATABASE()").remove(0).expect("there is one");
        let is_free = || bed.number(&format!("SELECT IS_FREE_LOCK('{name}')"));
        let lock = || db.raw_values::<i64>("SELECT CAST(GET_LOCK(?, 0) AS SIGNED)").bind(name.as_str());
        assert_eq!(lock().load()?, [1]);
        assert_eq!(is_free(), 1);
        let mut open = lock().try_iterator(1)?;
        assert!(matches!(open.next(), Some(Ok(1))));
        assert_eq!(is_free(), 0, "the stream is open");
        drop(open);
        assert_eq!(is_free(), 1);
        db.transaction(|tx| {
            tx.raw_values::<i64>("SELECT CAST(GET_LOCK(?, 0) AS SIGNED)").bind(name.as_str()).load()?;
            assert_eq!(is_free(), 0, "the transaction is open");
            ok(())
        })?;
        assert_eq!(is_free(), 1);
        Ok(())
    }

    fn variables(bed: &Bed) -> TestResult {
        let db = narrow(bed)?;
        assert_eq!(db.raw_values::<i64>("SELECT @left := 5").load()?, [5]);
        assert_eq!(db.raw_values::<Option<String>>("SELECT CAST(@left AS CHAR)").load()?, [None]);
        Ok(())
    }
}
