//! SQLite's write-ahead log: when it is checkpointed, and how long it gets, by counting checkpoints and bytes.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use diesel::{
    connection::{Connection, InstrumentationEvent, SimpleConnection},
    prelude::*,
    sqlite::SqliteConnection,
};
use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, ok, on_sqlite};

use crate::models::{Number, number, numbers};

on_sqlite! {
    a_log_is_checkpointed_without_readers, saving_each_row_of_a_stream, a_stream_of_another_pool, a_stream_in_a_transaction,
    a_reader_that_is_not_ours, a_file_that_is_only_read, connections_that_are_lent, adopted_pools_keep_their_settings,
    a_database_in_memory_needs_no_log,
}

/// 1000 pages of 4096 bytes, with their headers.
const LIMIT: u64 = 32 + 1000 * (4096 + 24);

fn path(bed: &Bed) -> PathBuf {
    bed.url().trim_start_matches("sqlite://").into()
}

fn log_length(bed: &Bed) -> u64 {
    let mut path = path(bed).into_os_string();
    path.push("-wal");
    fs::metadata(path).map_or(0, |information| information.len())
}

/// A pool of `size` connections, and the number of checkpoints that they have tried.
fn counted(bed: &Bed, size: u32) -> Result<(Database, Arc<AtomicUsize>), Box<dyn std::error::Error>> {
    let db: Database = Database::builder().pool_size(size).connect(bed.url())?;
    let sqlite = db.sqlite().ok_or("it is SQLite")?;
    let count = Arc::new(AtomicUsize::new(0));
    let mut all = (0..size).map(|_| sqlite.connection()).collect::<Result<Vec<_>, _>>()?;
    for connection in &mut all {
        let count = count.clone();
        connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event
                && query.to_string().contains("wal_checkpoint(PASSIVE)")
            {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    drop(all);
    Ok((db, count))
}

/// Changes each row in a commit of its own. (SQLite writes no page that would be as it was.)
fn save_each(db: &Database, rows: impl Iterator<Item = Number>) -> orm_core::Result<()> {
    for mut row in rows {
        let before = row.name.as_deref().map_or(0, str::len);
        row.name = Some(format!("changed {}{}", row.id, " again".repeat(before % 7)));
        row.save(db)?;
    }
    Ok(())
}

fn changed(bed: &Bed) -> i64 {
    bed.number("SELECT count(*) FROM numbers WHERE name LIKE 'changed %'")
}

fn a_log_is_checkpointed_without_readers(bed: &Bed) -> TestResult {
    let (db, checkpoints) = counted(bed, 2)?;
    numbers(&db, 5000)?;
    let rows = Number::objects(&db).load()?;
    let before = checkpoints.load(Ordering::SeqCst);
    save_each(&db, rows.into_iter())?;
    let tried = checkpoints.load(Ordering::SeqCst) - before;
    // 5000 commits of a page or two, each time up to 1000 pages.
    assert!((3..=15).contains(&tried), "{tried} checkpoints");
    assert!(log_length(bed) < 2 * LIMIT, "{} bytes", log_length(bed));
    assert_eq!(changed(bed), 5000);
    Ok(())
}

fn saving_each_row_of_a_stream(bed: &Bed) -> TestResult {
    let (db, checkpoints) = counted(bed, 2)?;
    numbers(&db, 8000)?;
    // A reader of an empty log, whose frames all could be moved but for its lock, costs SQLite's own policy the most.
    db.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
    let before = checkpoints.load(Ordering::SeqCst);
    let mut rows = Number::objects(&db).order_by(|n| n.id.asc()).iterator(100)?;
    save_each(&db, rows.by_ref().take(7500))?;
    let length = log_length(bed);
    assert!(length > 6 * LIMIT, "the log cannot begin anew: {length} bytes");
    let tried = checkpoints.load(Ordering::SeqCst) - before;
    assert!((1..=4).contains(&tried), "{tried} checkpoints while the log grew to {length} bytes");
    // The end of the stream cuts off the log.
    save_each(&db, rows)?;
    assert_eq!(checkpoints.load(Ordering::SeqCst) - before, tried + 1);
    assert!(log_length(bed) < LIMIT, "{} bytes", log_length(bed));
    save_each(&db, Number::objects(&db).limit(3000).load()?.into_iter())?;
    assert!(log_length(bed) < 2 * LIMIT, "{} bytes", log_length(bed));
    assert_eq!(changed(bed), 8000);
    Ok(())
}

fn a_stream_of_another_pool(bed: &Bed) -> TestResult {
    let (db, checkpoints) = counted(bed, 2)?;
    let (reading, checkpoints_of_reading) = counted(bed, 1)?;
    numbers(&db, 6000)?;
    let tried = || checkpoints.load(Ordering::SeqCst) + checkpoints_of_reading.load(Ordering::SeqCst);
    let before = tried();
    let mut rows = Number::objects(&reading).order_by(|n| n.id.asc()).iterator(100)?;
    let first = rows.next().ok_or("there are rows")?;
    save_each(&db, std::iter::once(first).chain(rows.by_ref().take(5000)))?;
    let length = log_length(bed);
    assert!(length > 4 * LIMIT, "{length} bytes");
    assert!(tried() - before <= 4, "{} checkpoints", tried() - before);
    drop(rows);
    assert!(log_length(bed) < LIMIT, "{} bytes", log_length(bed));
    assert_eq!(changed(bed), 5001);
    Ok(())
}

/// A transaction that reads holds the log as well; the end of the transaction cuts it off.
fn a_stream_in_a_transaction(bed: &Bed) -> TestResult {
    let (db, checkpoints) = counted(bed, 2)?;
    numbers(&db, 6000)?;
    let before = checkpoints.load(Ordering::SeqCst);
    db.transaction(|tx| {
        let rows = Number::objects(tx).order_by(|n| n.id.asc()).iterator(100)?;
        save_each(&db, rows)?;
        assert!(log_length(bed) > 4 * LIMIT, "{} bytes", log_length(bed));
        ok(())
    })?;
    let tried = checkpoints.load(Ordering::SeqCst) - before;
    assert!((2..=5).contains(&tried), "{tried} checkpoints");
    assert!(log_length(bed) < LIMIT, "{} bytes", log_length(bed));
    assert_eq!(changed(bed), 6000);
    Ok(())
}

/// Nothing tells when a reader of another program ends: checkpoints are tried as the log doubles, and wait for nobody.
fn a_reader_that_is_not_ours(bed: &Bed) -> TestResult {
    let (db, checkpoints) = counted(bed, 2)?;
    numbers(&db, 6000)?;
    let theirs = &mut SqliteConnection::establish(&path(bed).to_string_lossy())?;
    theirs.batch_execute("BEGIN")?;
    let unchanged = "SELECT count(*) FROM numbers WHERE name NOT LIKE 'changed %'";
    let count = |connection: &mut SqliteConnection| {
        diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(&format!("({unchanged})")))
            .get_result::<i64>(connection)
    };
    assert_eq!(count(theirs)?, 6000);
    let before = checkpoints.load(Ordering::SeqCst);
    let rows = Number::objects(&db).order_by(|n| n.id.asc()).iterator(100)?;
    save_each(&db, rows)?;
    let tried = checkpoints.load(Ordering::SeqCst) - before;
    assert!((2..=5).contains(&tried), "{tried} checkpoints");
    assert!(log_length(bed) > 4 * LIMIT, "{} bytes", log_length(bed));
    assert_eq!(count(theirs)?, 6000, "their snapshot is as it was");
    theirs.batch_execute("COMMIT")?;
    assert_eq!(count(theirs)?, 0);
    // The log begins anew once it has doubled again.
    for _ in 0..3 {
        save_each(&db, Number::objects(&db).load()?.into_iter())?;
    }
    assert!(log_length(bed) < 3 * LIMIT, "{} bytes", log_length(bed));
    Ok(())
}

fn a_file_that_is_only_read(bed: &Bed) -> TestResult {
    let (db, checkpoints) = counted(bed, 2)?;
    numbers(&db, 4000)?;
    let reading = orm_core::connect(&bed.url_with("mode=ro"))?;
    let mut rows = Number::objects(&reading).order_by(|n| n.id.asc()).iterator(100)?;
    let first = rows.next().ok_or("there are rows")?;
    save_each(&db, std::iter::once(first).chain(rows))?;
    assert!(checkpoints.load(Ordering::SeqCst) <= 4);
    // The reader cannot write, so the next writer begins the log anew.
    save_each(&db, Number::objects(&db).limit(10).load()?.into_iter())?;
    save_each(&db, Number::objects(&reading).limit(2000).load()?.into_iter())?;
    assert!(log_length(bed) < 3 * LIMIT, "{} bytes", log_length(bed));
    assert_eq!(changed(bed), 4000);
    Ok(())
}

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    wal_autocheckpoint: i32,
}

fn autocheckpoint(connection: &mut SqliteConnection) -> diesel::QueryResult<i32> {
    let setting: Setting = diesel::sql_query("PRAGMA wal_autocheckpoint").get_result(connection)?;
    Ok(setting.wal_autocheckpoint)
}

/// The setting of the only connection of a pool, where nothing is lent.
fn our_autocheckpoint(db: &Database<Sqlite>) -> orm_core::Result<i32> {
    db.transaction(|tx| tx.with_connection(autocheckpoint))
}

/// What a program does on a connection of ours is seen by SQLite alone, which checkpoints the log as always.
fn connections_that_are_lent(bed: &Bed) -> TestResult {
    let db = Database::<Sqlite>::builder().pool_size(1).connect(bed.url())?;
    assert_eq!(our_autocheckpoint(&db)?, 0);
    let mut connection = db.connection()?;
    assert_eq!(autocheckpoint(&mut connection)?, 1000);
    connection.batch_execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x BLOB)")?;
    for _ in 0..3000 {
        connection.batch_execute("INSERT INTO t (x) VALUES (zeroblob(4000))")?;
    }
    assert!(log_length(bed) < 2 * LIMIT, "{} bytes", log_length(bed));
    drop(connection);
    assert_eq!(our_autocheckpoint(&db)?, 0);
    Ok(())
}

fn adopted_pools_keep_their_settings(bed: &Bed) -> TestResult {
    bed.db()?; // puts the file into WAL mode
    let manager = diesel::r2d2::ConnectionManager::<SqliteConnection>::new(path(bed).to_string_lossy());
    let pool = diesel::r2d2::Pool::builder().max_size(1).build(manager)?;
    let db: Database = pool.clone().into();
    numbers(&db, 3000)?;
    save_each(&db, Number::objects(&db).load()?.into_iter())?;
    assert_eq!(autocheckpoint(&mut *pool.get()?)?, 1000);
    assert!(log_length(bed) < 2 * LIMIT, "{} bytes", log_length(bed));
    Ok(())
}

fn a_database_in_memory_needs_no_log(_: &Bed) -> TestResult {
    let db = orm_core::connect("sqlite::memory:")?;
    numbers(&db, 100)?;
    save_each(&db, Number::objects(&db).load()?.into_iter())?;
    assert_eq!(Number::objects(&db).filter(|n| n.name.starts_with("changed")).count()?, 100);
    Number::bulk_create(&db, [number(101)])?;
    Ok(())
}
