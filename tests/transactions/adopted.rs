//! The same on a program's own pool: what is set for a transaction is gone when the program has the connection again.

use diesel::{
    connection::SimpleConnection,
    r2d2::{ConnectionManager, Pool, R2D2Connection, TestCustomizer},
};
use orm_core::{IsolationLevel, prelude::*};
use orm_tests::{Bed, Pick, TestResult, ok};

use crate::models::{Counter, add, counters, value, values};

fn manager<C: R2D2Connection + Send + 'static>(bed: &Bed) -> ConnectionManager<C> {
    ConnectionManager::new(bed.url().strip_prefix("sqlite://").unwrap_or(bed.url()))
}

macro_rules! adopted {
    ($module:ident: $connection:ty, $bed:expr) => {
        mod $module {
            use super::*;

            #[test]
            fn the_programs_connection_is_as_it_was() -> TestResult {
                let bed = $bed;
                counters(&bed.db()?, 1)?;
                let pool = Pool::builder().max_size(1).build(manager::<$connection>(&bed))?;
                let db: Database = pool.clone().into();
                let builder = || db.build_transaction().isolation(IsolationLevel::Serializable).read_only();
                assert_eq!(builder().run(|tx| value(tx, 1))?, 0);
                pool.get()?.batch_execute("UPDATE counters SET value = value + 1")?;
                let refused = builder().run(|tx| add(tx, 1)).map_err(|error| error.kind());
                assert_eq!(refused, Err(ErrorKind::ReadOnly));
                pool.get()?.batch_execute("UPDATE counters SET value = value + 1")?;
                assert_eq!(values(&bed), [2]);
                let elsewhere = bed.db()?;
                let seen = db.transaction(|tx| {
                    let before = value(tx, 1)?;
                    elsewhere.transaction(|other| add(other, 1))?;
                    Ok::<_, orm_core::Error>(value(tx, 1)? - before)
                })?;
                assert_eq!(seen, bed.pick(Pick { postgres: 1, mysql: 0, sqlite: 0 }), "the usual level");
                Ok(())
            }

            #[test]
            fn what_lost_is_run_again() -> TestResult {
                let bed = $bed;
                counters(&bed.db()?, 1)?;
                let pool = Pool::builder().max_size(2).build(manager::<$connection>(&bed))?;
                let db: Database = pool.into();
                let mut calls = 0;
                let serializable = || db.build_transaction().isolation(IsolationLevel::RepeatableRead);
                serializable().retries(3).run(|tx| {
                    calls += 1;
                    if bed.backend() == orm_core::BackendKind::Mysql {
                        tx.batch_execute("SET SESSION innodb_snapshot_isolation = ON")?;
                    }
                    value(tx, 1)?;
                    if calls == 1 {
                        db.transaction(|other| add(other, 1))?;
                    }
                    add(tx, 1)
                })?;
                assert_eq!((calls, values(&bed)), (2, vec![2]));
                Ok(())
            }

            /// A test transaction has begun already, so its level is what it is.
            #[test]
            fn in_a_test_transaction() -> TestResult {
                let bed = $bed;
                counters(&bed.db()?, 1)?;
                let customizer = Box::new(TestCustomizer);
                let pool = Pool::builder()
                    .max_size(1)
                    .connection_customizer(customizer)
                    .build(manager::<$connection>(&bed))?;
                let db: Database = pool.clone().into();
                let (tell, told) = std::sync::mpsc::channel();
                let builder = || db.build_transaction().isolation(IsolationLevel::Serializable).immediate();
                builder().run(|tx| {
                    let tell = tell.clone();
                    tx.on_commit(move || {
                        let _ = tell.send(());
                    });
                    add(tx, 1)
                })?;
                assert_eq!(told.try_iter().count(), 1);
                db.build_transaction().read_only().run(|tx| Counter::objects(tx).count().map(drop))?;
                assert_eq!(db.transaction(|tx| value(tx, 1))?, 1);
                drop((db, pool));
                assert_eq!(values(&bed), [0], "nothing of it remains");
                ok(())?;
                Ok(())
            }
        }
    };
}

#[cfg(feature = "sqlite")]
adopted! { sqlite: diesel::SqliteConnection, Bed::sqlite() }
#[cfg(feature = "mysql")]
adopted! { mysql: orm_core::MysqlConnection, Bed::mysql() }
#[cfg(feature = "postgres")]
adopted! { postgres: orm_core::PgConnection, Bed::postgres() }
#[cfg(feature = "postgres")]
adopted! { libpq: diesel::PgConnection, Bed::postgres() }

/// Whoever has made his connections so that they do not write keeps them so.
#[cfg(feature = "sqlite")]
#[test]
fn a_connection_that_does_not_write_at_all() -> TestResult {
    #[derive(Debug)]
    struct QueryOnly;
    impl diesel::r2d2::CustomizeConnection<diesel::SqliteConnection, diesel::r2d2::Error> for QueryOnly {
        fn on_acquire(&self, connection: &mut diesel::SqliteConnection) -> Result<(), diesel::r2d2::Error> {
            connection.batch_execute("PRAGMA query_only = ON").map_err(diesel::r2d2::Error::QueryError)
        }
    }
    let bed = Bed::sqlite();
    counters(&bed.db()?, 1)?;
    let pool = Pool::builder().max_size(1).connection_customizer(Box::new(QueryOnly)).build(manager(&bed))?;
    let db: Database = pool.into();
    assert_eq!(db.build_transaction().read_only().run(|tx| value(tx, 1))?, 0);
    assert_eq!(db.transaction(|tx| add(tx, 1)).map_err(|error| error.kind()), Err(ErrorKind::ReadOnly));
    Ok(())
}
