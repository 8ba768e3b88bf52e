//! The same on databases whose backend is fixed, and on Diesel's own connection to PostgreSQL, whose streams are cursors.

use diesel::r2d2::{ConnectionManager, Pool};
use itertools::Itertools;
use orm_core::{backend::Backend, prelude::*, queryset::Explain};
use orm_tests::{Bed, TestResult, ok, on_postgres};

use crate::models::{Flight, flight, schedule};

on_postgres! { a_fixed_backend, diesels_connection, any_of_diesels_connection }

fn a_fixed_backend(bed: &Bed) -> TestResult {
    schedule(&bed.db()?)?;
    let db = Database::<Pg>::connect(bed.url())?;
    assert_eq!(Flight::raw(&db, "SELECT * FROM flights WHERE id = ?").bind(1_i64).get()?.origin_code, "JFK");
    all(&db)
}

fn diesels_connection(bed: &Bed) -> TestResult {
    let (_, flights) = schedule(&bed.db()?)?;
    let db = Database::<Pg>::from(pool(bed)?);
    let raw = Flight::raw(&db, "SELECT * FROM flights WHERE id > ? ORDER BY id -- all\n;").bind(1_i64);
    assert_eq!(raw.load()?, flights[1..]);
    assert_eq!(raw.clone().iterator(2)?.collect_vec(), flights[1..]);
    assert_eq!(raw.first()?, Some(flights[1].clone()));
    let missing = Flight::raw(&db, "SELECT id FROM flights").try_iterator(2)?.next().expect("an error");
    assert_eq!(missing.expect_err("no remark").kind(), ErrorKind::Decode);
    bed.execute("CREATE SEQUENCE tickets");
    let written = db.raw_values::<i64>("SELECT nextval('tickets')").try_iterator(2)?.next().expect("an error");
    assert_eq!(written.expect_err("it writes").kind(), ErrorKind::ReadOnly);
    all(&db)
}

fn any_of_diesels_connection(bed: &Bed) -> TestResult {
    schedule(&bed.db()?)?;
    let db: Database = pool(bed)?.into();
    all(&db)?;
    db.transaction(|tx| {
        let streamed =
            Flight::objects(tx).order_by(|f| f.id.asc()).for_update().iterator(2)?.map(|f| f.id).collect_vec();
        assert_eq!(streamed, [1, 2, 3, 4, 5]);
        let other = bed.db()?;
        let failed = other.transaction(|tx| Flight::objects(tx).for_update().nowait().load());
        assert_eq!(failed.expect_err("they are locked").kind(), ErrorKind::LockTimeout);
        ok(())
    })?;
    Ok(())
}

fn pool(bed: &Bed) -> Result<Pool<ConnectionManager<diesel::PgConnection>>, diesel::r2d2::PoolError> {
    Pool::builder().max_size(2).build(ConnectionManager::new(bed.url()))
}

/// What needs no column of its own.
fn all<B: Backend>(db: &Database<B>) -> TestResult
where
    orm_core::queryset::Whole<Flight>: orm_core::queryset::ReadableOn<B>,
{
    assert_eq!(Flight::objects(db).none().load()?, []);
    assert!(Flight::objects(db).explain()?.contains("flights"));
    assert!(Flight::objects(db).explain_with(Explain::new().json().analyze())?.starts_with('['));
    let first = db.transaction(|tx| Flight::objects(tx).for_update().skip_locked().first())?;
    assert_eq!(first, Some(flight(1, Some(61.5), "", "JFK")));
    Ok(())
}
