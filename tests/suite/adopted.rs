//! Databases made of a program's own pool of connections, be they ours or Diesel's: one text for each kind.

use std::time::Duration;

use diesel::{
    connection::{AnsiTransactionManager, Connection, SimpleConnection, TransactionManager},
    r2d2::{ConnectionManager, CustomizeConnection, Pool, PoolError, R2D2Connection, TestCustomizer},
};
use orm_core::prelude::*;
use orm_tests::{Bed, Pick, TestResult, ok, panics};

use crate::models::{Number, number, numbers};

type PoolOf<C> = Pool<ConnectionManager<C>>;

/// What `ConnectionManager` takes: for SQLite that is a path.
fn manager<C: R2D2Connection + Send + 'static>(bed: &Bed) -> ConnectionManager<C> {
    ConnectionManager::new(bed.url().strip_prefix("sqlite://").unwrap_or(bed.url()))
}

/// The program's own pool, as it would make it.
fn pool<C: R2D2Connection + Send + 'static>(bed: &Bed, size: u32) -> Result<PoolOf<C>, PoolError> {
    Pool::builder().max_size(size).build(manager(bed))
}

/// A pool whose connections are changed when they are made.
fn customized<C: R2D2Connection + Send + 'static>(
    bed: &Bed,
    customizer: impl CustomizeConnection<C, diesel::r2d2::Error>,
) -> Result<PoolOf<C>, PoolError> {
    Pool::builder().max_size(1).connection_customizer(Box::new(customizer)).build(manager(bed))
}

fn ids(bed: &Bed) -> Vec<i64> {
    bed.texts("SELECT id FROM numbers ORDER BY id")
        .into_iter()
        .flatten()
        .map(|id| id.parse().expect("it is an integer"))
        .collect()
}

/// Runs SQL on each connection that is made.
#[derive(Debug)]
struct Says(&'static str);

impl<C: Connection> CustomizeConnection<C, diesel::r2d2::Error> for Says {
    fn on_acquire(&self, connection: &mut C) -> Result<(), diesel::r2d2::Error> {
        connection.batch_execute(self.0).map_err(diesel::r2d2::Error::QueryError)
    }
}

/// Begins a transaction that nobody ends, with Diesel's knowledge.
#[derive(Debug)]
struct Begins;

impl<C: Connection<TransactionManager = AnsiTransactionManager>> CustomizeConnection<C, diesel::r2d2::Error>
    for Begins
{
    fn on_acquire(&self, connection: &mut C) -> Result<(), diesel::r2d2::Error> {
        AnsiTransactionManager::begin_transaction(connection).map_err(diesel::r2d2::Error::QueryError)
    }
}

/// The same for each kind of connection.
macro_rules! adopted {
    ($module:ident: $connection:ty, $backend:ty, $bed:expr, lent in a transaction by $with:ident, $pool_finds_begin:expr) => {
        mod $module {
            use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};

            use super::*;
            use crate::models::numbers as table;

            type Theirs = $connection;

            fn pool(bed: &Bed, size: u32) -> Result<PoolOf<Theirs>, PoolError> {
                super::pool(bed, size)
            }

            /// A table with so many rows, and the program's pool.
            fn with_numbers(last: i64, size: u32) -> Result<(Bed, PoolOf<Theirs>), Box<dyn std::error::Error>> {
                let bed = $bed;
                numbers(&bed.db()?, last)?;
                let pool = pool(&bed, size)?;
                Ok((bed, pool))
            }

            #[test]
            fn everything_works_on_it() -> TestResult {
                let bed = $bed;
                let db: Database = pool(&bed, 2)?.into();
                assert_eq!(db.backend(), bed.backend());
                numbers(&db, 3000)?;
                assert_eq!(bed.number("SELECT count(*) FROM numbers"), 3000);
                Number::bulk_create(&db, [Number { id: 3001, name: None }])?;
                let all = || Number::objects(&db).order_by(|n| n.id.asc());
                let expected: Vec<Number> = (1..=3000).map(number).chain([Number { id: 3001, name: None }]).collect();
                assert_eq!(all().load()?, expected);
                assert_eq!(all().iterator(700)?.collect::<Vec<_>>(), expected);
                assert_eq!(Number::objects(&db).filter(|n| n.name.is_null()).get()?.id, 3001);
                assert_eq!(Number::objects(&db).filter(|n| n.name.ends_with("99")).count()?, 30);
                assert_eq!(all().values(|n| n.name).limit(1).load()?, [Some("number 1".to_owned())]);
                let twice = Number::bulk_create(&db, [number(4000), number(1)]).map_err(|error| error.kind());
                assert_eq!(twice, Err(ErrorKind::UniqueViolation));
                assert_eq!(Number::objects(&db).count()?, 3001);
                Ok(())
            }

            #[test]
            fn a_stream_that_is_dropped_early() -> TestResult {
                let (_bed, pool) = with_numbers(20_000, 1)?;
                let db = Database::<$backend>::from(pool.clone());
                for taken in [0, 1, 5, 700] {
                    let mut rows = Number::objects(&db).order_by(|n| n.id.asc()).iterator(500)?;
                    assert!(rows.by_ref().take(taken).map(|n| n.id).eq(1..=taken as i64));
                    drop(rows);
                    // It is the pool's only connection, and nothing is open on it.
                    let connection = &mut *pool.get()?;
                    assert_eq!(table::table.count().get_result::<i64>(connection)?, 20_000);
                    connection.batch_execute("BEGIN; DELETE FROM numbers; ROLLBACK")?;
                }
                let panicked = panics::message(|| {
                    for _ in Number::objects(&db).iterator(500).expect("it opens") {
                        panic!("in the middle");
                    }
                });
                assert_eq!(panicked, "in the middle");
                assert_eq!(Number::objects(&db).count()?, 20_000);
                Ok(())
            }

            #[test]
            fn a_stream_has_the_snapshot_of_when_it_was_opened() -> TestResult {
                let (bed, pool) = with_numbers(5000, 2)?;
                let db = Database::<$backend>::from(pool);
                bed.db()?; // on SQLite it puts the file into WAL mode, so that writers need not wait
                let mut rows = Number::objects(&db).order_by(|n| n.id.asc()).iterator(100)?;
                assert_eq!(rows.next().map(|n| n.id), Some(1));
                Number::bulk_create(&db, [number(9000)])?;
                assert_eq!(rows.count(), 4999);
                assert_eq!(Number::objects(&db).count()?, 5001);
                Ok(())
            }

            #[test]
            fn a_half_read_stream_moves_to_another_thread() -> TestResult {
                let (_bed, pool) = with_numbers(3000, 1)?;
                let db = Database::<$backend>::from(pool);
                let mut rows = Number::objects(&db).order_by(|n| n.id.asc()).iterator(100)?;
                assert_eq!(rows.by_ref().take(150).count(), 150);
                let rest =
                    std::thread::scope(|scope| scope.spawn(move || rows.map(|n| n.id).collect::<Vec<_>>()).join());
                assert!(rest.is_ok_and(|rest| rest.into_iter().eq(151..=3000)));
                assert_eq!(Number::objects(&db).count()?, 3000);
                Ok(())
            }

            #[test]
            fn missing_and_existing_tables() -> TestResult {
                let (_bed, pool) = with_numbers(1, 1)?;
                let db = Database::<$backend>::from(pool);
                for (sql, kind) in [
                    ("SELECT * FROM no_such_table", ErrorKind::UndefinedTable),
                    ("DROP TABLE no_such_table", ErrorKind::UndefinedTable),
                    ("SELECT no_such_column FROM numbers", ErrorKind::UndefinedColumn),
                    ("INSERT INTO numbers (id, no_such_column) VALUES (2, 2)", ErrorKind::UndefinedColumn),
                    ("CREATE TABLE numbers (id INTEGER)", ErrorKind::DuplicateTable),
                ] {
                    assert_eq!(db.batch_execute(sql).map_err(|error| error.kind()), Err(kind), "{sql}");
                }
                db.create_tables_if_missing::<(Number,)>()?;
                Ok(())
            }

            #[test]
            fn transactions() -> TestResult {
                let (bed, pool) = with_numbers(1, 1)?;
                let db = Database::<$backend>::from(pool.clone());
                db.transaction(|tx| Number::bulk_create(tx, [number(2)]))?;
                let undone = db.transaction(|tx| {
                    Number::bulk_create(tx, [number(3)])?;
                    Number::bulk_create(tx, [number(1)])
                });
                assert_eq!(undone.map_err(|error| error.kind()), Err(ErrorKind::UniqueViolation));
                let panicked = panics::message(|| {
                    let _ = db.transaction(|tx| {
                        Number::bulk_create(tx, [number(4)])?;
                        if ids(&bed).len() == 2 { panic!("in the middle") } else { ok(()) }
                    });
                });
                assert_eq!(panicked, "in the middle");
                db.transaction(|tx| {
                    Number::bulk_create(tx, [number(5)])?;
                    let inner = tx.transaction(|inner| {
                        Number::bulk_create(inner, [number(6)])?;
                        inner.transaction(|innermost| Number::bulk_create(innermost, [number(7)]))?;
                        Number::bulk_create(inner, [number(5)])
                    });
                    assert_eq!(inner.map_err(|error| error.kind()), Err(ErrorKind::UniqueViolation));
                    tx.transaction(|inner| Number::bulk_create(inner, [number(8)]))?;
                    assert!(Number::objects(tx).order_by(|n| n.id.asc()).iterator(2)?.map(|n| n.id).eq([1, 2, 5, 8]));
                    ok(())
                })?;
                assert_eq!(ids(&bed), [1, 2, 5, 8]);
                let failed = db.transaction(|tx| {
                    let _ = Number::bulk_create(tx, [number(9)]);
                    let _ = tx.batch_execute("nonsense");
                    ok(())
                });
                assert_eq!(failed.map_err(|error| error.kind()), Err(ErrorKind::TransactionAborted));
                assert_eq!(ids(&bed), [1, 2, 5, 8]);
                assert_eq!(table::table.count().get_result::<i64>(&mut *pool.get()?)?, 4);
                Ok(())
            }

            #[test]
            fn the_programs_statements_between_ours() -> TestResult {
                let (bed, pool) = with_numbers(1, 1)?;
                let db = Database::<$backend>::from(pool.clone());
                let insert = |id: i64, connection: &mut Theirs| {
                    diesel::insert_into(table::table).values(table::id.eq(id)).execute(connection)
                };
                insert(2, &mut *pool.get()?)?;
                Number::bulk_create(&db, [number(3)])?;
                pool.get()?.transaction(|connection| insert(4, connection))?;
                assert!(Number::objects(&db).order_by(|n| n.id.asc()).iterator(2)?.map(|n| n.id).eq(1..=4));
                let theirs: Vec<i64> = table::table.order(table::id).select(table::id).load(&mut *pool.get()?)?;
                assert_eq!(theirs, [1, 2, 3, 4]);

                // And in one transaction.
                db.transaction(|tx| {
                    Number::bulk_create(tx, [number(5)])?;
                    tx.$with(|connection| insert(6, connection))?;
                    assert_eq!(Number::objects(tx).count()?, 6);
                    ok(())
                })?;
                let undone = db.transaction(|tx| {
                    Number::bulk_create(tx, [number(7)])?;
                    tx.$with(|connection| insert(8, connection))?;
                    tx.$with(|connection| insert(1, connection))
                });
                assert_eq!(undone.map_err(|error| error.kind()), Err(ErrorKind::UniqueViolation));
                assert_eq!(ids(&bed), [1, 2, 3, 4, 5, 6]);
                Ok(())
            }

            #[test]
            fn an_exhausted_pool() -> TestResult {
                let bed = $bed;
                numbers(&bed.db()?, 100)?;
                let builder = Pool::builder().max_size(1).connection_timeout(Duration::from_secs(3));
                let pool = builder.build(manager::<Theirs>(&bed))?;
                let db = Database::<$backend>::from(pool.clone());
                let rows = Number::objects(&db).iterator(10)?;
                assert!(pool.try_get().is_none(), "the stream has the connection");
                let error = Number::objects(&db).count().expect_err("the stream has the connection");
                assert_eq!(error.kind(), ErrorKind::PoolTimeout);
                assert!(error.to_string().contains("3s: 1 of 1 are in use"), "{error}");
                assert!(error.to_string().contains("`max_size` of the program's pool"), "{error}");
                assert_eq!(rows.count(), 100);
                let theirs = pool.get()?;
                let error = db.transaction(|_| ok(())).expect_err("the program has the connection");
                assert_eq!(error.kind(), ErrorKind::PoolTimeout);
                drop(theirs);
                assert_eq!(Number::objects(&db).count()?, 100);
                Ok(())
            }

            /// A transaction that Diesel knows nothing of: nothing of ours may be lost with it.
            #[test]
            fn a_dirty_connection() -> TestResult {
                let (bed, pool) = with_numbers(1, 1)?;
                let db = Database::<$backend>::from(pool.clone());
                let attempts: [(i64, fn(&Database<$backend>, i64) -> orm_core::Result<()>); 3] = [
                    (2, |db, id| Number::bulk_create(db, [number(id)]).map(|_| ())),
                    (3, |db, id| db.batch_execute(&format!("INSERT INTO numbers VALUES ({id}, NULL)"))),
                    (4, |db, id| db.transaction(|tx| Number::bulk_create(tx, [number(id)]).map(|_| ()))),
                ];
                for (id, write) in attempts {
                    pool.get()?.batch_execute("BEGIN")?;
                    let answer = write(&db, id).map_err(|error| error.kind());
                    if $pool_finds_begin {
                        assert_eq!(answer, Ok(()), "the pool has discarded the connection");
                    } else {
                        assert_eq!(answer, Err(ErrorKind::ConnectionInUse));
                        assert!(!ids(&bed).contains(&id), "what failed is not there");
                        write(&db, id)?;
                    }
                    assert!(ids(&bed).contains(&id), "what is said to be done is there");
                }
                pool.get()?.batch_execute("BEGIN")?;
                let rows = Number::objects(&db).iterator(2).map(Iterator::count).map_err(|error| error.kind());
                assert_eq!(rows, if $pool_finds_begin { Ok(4) } else { Err(ErrorKind::ConnectionInUse) });
                assert_eq!(Number::objects(&db).iterator(2)?.count(), 4);
                Ok(())
            }

            /// A transaction that Diesel knows of is the program's: ours does not become a part of it.
            #[test]
            fn a_transaction_of_diesels_is_open() -> TestResult {
                let bed = $bed;
                numbers(&bed.db()?, 1)?;
                let db = Database::<$backend>::from(customized::<Theirs>(&bed, Begins)?);
                for _ in 0..2 {
                    let error = Number::bulk_create(&db, [number(2)]).expect_err("it would be a part of the other");
                    assert_eq!(error.kind(), ErrorKind::ConnectionInUse);
                    assert!(error.to_string().contains("a transaction was open already"), "{error}");
                }
                assert_eq!(ids(&bed), [1]);
                Ok(())
            }

            /// But in a test transaction of Diesel's, all works and all is undone.
            #[test]
            fn a_test_transaction() -> TestResult {
                let bed = $bed;
                numbers(&bed.db()?, 1000)?;
                let pool = customized::<Theirs>(&bed, TestCustomizer)?;
                let db = Database::<$backend>::from(pool.clone());
                Number::bulk_create(&db, [number(2000)])?;
                assert_eq!(Number::objects(&db).count()?, 1001);
                db.transaction(|tx| Number::bulk_create(tx, [number(2001)]))?;
                let undone = db.transaction(|tx| {
                    Number::bulk_create(tx, [number(2002)])?;
                    tx.transaction(|inner| Number::bulk_create(inner, [number(2003)]))?;
                    Number::bulk_create(tx, [number(1)])
                });
                assert_eq!(undone.map_err(|error| error.kind()), Err(ErrorKind::UniqueViolation));
                db.batch_execute("INSERT INTO numbers VALUES (2004, NULL)")?;
                db.transaction(|tx| {
                    tx.$with(|connection| connection.batch_execute("DELETE FROM numbers WHERE id < 11"))
                })?;
                for taken in [3, 600, usize::MAX] {
                    let rows = Number::objects(&db).order_by(|n| n.id.asc()).iterator(100)?.take(taken);
                    let expected = (11..=1000).chain([2000, 2001, 2004]).take(taken);
                    assert!(rows.map(|n| n.id).eq(expected));
                }
                assert_eq!(table::table.count().get_result::<i64>(&mut *pool.get()?)?, 993);
                drop((db, pool));
                assert!(ids(&bed).into_iter().eq(1..=1000), "nothing of it remains");
                Ok(())
            }

            /// Raw SQL may leave a transaction open, which is ended; what the program has set stays.
            #[test]
            fn the_session_stays_as_the_program_made_it() -> TestResult {
                let bed = $bed;
                numbers(&bed.db()?, 1)?;
                let (set, show) = bed.pick(Pick {
                    postgres: ("SET work_mem = '7MB'", "SELECT 1 / (current_setting('work_mem') = '7MB')::int"),
                    mysql: ("SET @mine = 7", "SELECT * FROM numbers WHERE id = 1 / (@mine = 7)"),
                    sqlite: ("CREATE TEMPORARY TABLE mine (seven)", "SELECT seven FROM mine"),
                });
                let pool = customized::<Theirs>(&bed, Says(set))?;
                let db = Database::<$backend>::from(pool.clone());
                db.batch_execute("BEGIN; INSERT INTO numbers VALUES (2, NULL)")?;
                assert_eq!(ids(&bed), [1]);
                Number::bulk_create(&db, [number(2)])?;
                db.transaction(|tx| tx.batch_execute("UPDATE numbers SET name = 'two' WHERE id = 2"))?;
                assert_eq!(Number::objects(&db).iterator(10)?.count(), 2);
                pool.get()?.batch_execute(show)?;
                assert_eq!(ids(&bed), [1, 2]);
                Ok(())
            }
        }
    };
}

#[cfg(feature = "sqlite")]
adopted! { sqlite: diesel::SqliteConnection, Sqlite, Bed::sqlite(), lent in a transaction by with_connection, false }
#[cfg(feature = "mysql")]
adopted! { mysql: orm_core::MysqlConnection, Mysql, Bed::mysql(), lent in a transaction by with_connection, true }
#[cfg(feature = "postgres")]
adopted! { postgres: orm_core::PgConnection, Pg, Bed::postgres(), lent in a transaction by with_connection, true }
#[cfg(feature = "postgres")]
adopted! { libpq: diesel::PgConnection, Pg, Bed::postgres(), lent in a transaction by with_diesel_connection, false }

/// What only Diesel's `PgConnection` has to show.
#[cfg(feature = "postgres")]
mod diesels_own {
    use super::*;

    fn database(bed: &Bed, size: u32) -> Result<Database<Pg>, Box<dyn std::error::Error>> {
        numbers(&bed.db()?, 1000)?;
        Ok(pool::<diesel::PgConnection>(bed, size)?.into())
    }

    #[test]
    fn statements_run_between_the_rows_of_a_transactions_stream() -> TestResult {
        let bed = Bed::postgres();
        let db = database(&bed, 1)?;
        db.transaction(|tx| {
            let rows = || Number::objects(tx).order_by(|n| n.id.asc()).iterator(7);
            for (one, other) in rows()?.zip(rows()?) {
                assert_eq!(one, other);
                if one.id % 100 == 0 {
                    Number::bulk_create(tx, [number(10_000 + one.id)])?;
                }
            }
            // A savepoint takes the cursors along that were opened in it.
            let mut outlived = None;
            let undone: Result<(), _> = tx.transaction(|_| {
                outlived = Some(rows()?);
                Err(Number::objects(tx).filter(|n| n.id.eq(-1)).get().expect_err("no such row"))
            });
            assert!(undone.is_err());
            drop(outlived);
            assert_eq!(Number::objects(tx).count()?, 1010);
            ok(())
        })?;
        assert_eq!(bed.number("SELECT count(*) FROM numbers"), 1010);
        Ok(())
    }

    #[test]
    fn a_transaction_that_was_ended_by_sql() -> TestResult {
        let bed = Bed::postgres();
        let db = database(&bed, 1)?;
        let answer = db.transaction(|tx| {
            tx.batch_execute("COMMIT")?;
            Number::bulk_create(tx, [number(2000)])
        });
        assert_eq!(answer.map_err(|error| error.kind()), Err(ErrorKind::TransactionAborted));
        assert_eq!(bed.number("SELECT count(*) FROM numbers"), 1000);
        Ok(())
    }

    #[test]
    fn a_connection_of_ours_is_not_to_be_had_of_it() -> TestResult {
        let bed = Bed::postgres();
        let db = database(&bed, 1)?;
        let error = db.connection().expect_err("it is Diesel's");
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("take one from that pool"), "{error}");
        let error = db.transaction(|tx| tx.with_connection(|_| Ok(()))).expect_err("it is Diesel's");
        assert_eq!(error.kind(), ErrorKind::Configuration);
        let error =
            bed.db()?.postgres().expect("it is PostgreSQL").transaction(|tx| tx.with_diesel_connection(|_| Ok(())));
        assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::Configuration));
        assert_eq!(Number::objects(&db).count()?, 1000);
        Ok(())
    }

    #[test]
    fn a_server_that_goes_away() -> TestResult {
        let bed = Bed::postgres();
        numbers(&bed.db()?, 1000)?;
        let manager = ConnectionManager::<diesel::PgConnection>::new(bed.url_with("application_name=going"));
        let db = Database::<Pg>::from(Pool::builder().max_size(1).build(manager)?);
        let mut rows = Number::objects(&db).order_by(|n| n.id.asc()).try_iterator(10)?;
        for id in 1..=20 {
            assert_eq!(rows.next().transpose()?.map(|n| n.id), Some(id));
        }
        bed.texts("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'going'");
        let error = rows.find_map(Result::err).expect("the connection is gone");
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error:?}");
        assert!(rows.next().is_none());
        drop(rows);
        assert_eq!(Number::objects(&db).count()?, 1000, "the pool has made another connection");
        Ok(())
    }

    #[test]
    fn streams_in_constant_memory() -> TestResult {
        let bed = Bed::postgres();
        crate::memory::constant_memory_of(&bed, &format!("diesel+{}", bed.url()))
    }
}
