//! `MysqlConnection` where Diesel's programs put a connection: in its pool, in generic code, in migrations.

use std::{
    fs,
    sync::{Arc, Mutex, PoisonError},
};

use diesel::{
    AsChangeset, Connection, ExpressionMethods, Identifiable, QueryDsl, QueryResult, Queryable, RunQueryDsl,
    SaveChangesDsl,
    connection::{
        BoxableConnection, DefaultLoadingMode, Instrumentation, InstrumentationEvent, LoadConnection, SimpleConnection,
        set_default_instrumentation,
    },
    dsl::sql,
    mysql::Mysql,
    r2d2::{ConnectionManager, Pool, TestCustomizer},
    sql_query,
    sql_types::BigInt,
};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use orm_core::{MysqlConnection, diesel};
use orm_tests::{Bed, TestResult, on_mysql};

on_mysql! {
    in_diesels_pool, a_pool_of_test_transactions, what_a_pool_does_not_hand_on, generic_code, behind_a_box, any_connection,
    saved_changes, migrations, instrumented, no_password_is_told,
}

diesel::table! {
    items (id) {
        id -> BigInt,
        name -> Text,
    }
}

const ITEMS: &str = "CREATE TABLE items (id BIGINT PRIMARY KEY, name VARCHAR(50) NOT NULL)";

fn pool(bed: &Bed, size: u32) -> Result<Pool<ConnectionManager<MysqlConnection>>, Box<dyn std::error::Error>> {
    Ok(Pool::builder().max_size(size).build(ConnectionManager::new(bed.url()))?)
}

fn in_diesels_pool(bed: &Bed) -> TestResult {
    bed.execute(ITEMS);
    let pool = pool(bed, 3)?;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|thread| {
                let pool = pool.clone();
                scope.spawn(move || {
                    for n in 0..20 {
                        let connection = &mut pool.get().map_err(|error| error.to_string())?;
                        let row = (items::id.eq(thread * 100 + n), items::name.eq("x"));
                        let inserted = connection.transaction::<_, diesel::result::Error, _>(|connection| {
                            diesel::insert_into(items::table).values(row).execute(connection)
                        });
                        inserted.map_err(|error| error.to_string())?;
                    }
                    Ok::<_, String>(())
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread has panicked".to_owned())?)
    })?;
    assert_eq!(bed.number("SELECT COUNT(*) FROM items"), 120);
    Ok(())
}

fn a_pool_of_test_transactions(bed: &Bed) -> TestResult {
    bed.execute(ITEMS);
    let pool = Pool::builder()
        .max_size(1)
        .connection_customizer(Box::new(TestCustomizer))
        .build(ConnectionManager::<MysqlConnection>::new(bed.url()))?;
    for expected in 1..=3 {
        let connection = &mut pool.get()?;
        diesel::insert_into(items::table).values((items::id.eq(expected), items::name.eq("x"))).execute(connection)?;
        assert_eq!(items::table.count().get_result::<i64>(connection)?, expected, "it is the same transaction");
    }
    drop(pool);
    assert_eq!(bed.number("SELECT COUNT(*) FROM items"), 0);
    Ok(())
}

fn id_of<C: LoadConnection<Backend = Mysql>>(connection: &mut C) -> QueryResult<i64> {
    let id = sql::<BigInt>("SELECT CONNECTION_ID()").load_iter::<i64, DefaultLoadingMode>(connection)?.next();
    id.unwrap_or(Err(diesel::result::Error::NotFound))
}

fn what_a_pool_does_not_hand_on(bed: &Bed) -> TestResult {
    bed.execute(ITEMS);
    let pool = pool(bed, 1)?;
    let mut last = id_of(&mut pool.get()?)?;
    assert_eq!(id_of(&mut pool.get()?)?, last, "a good one is used again");
    for sql in [
        "BEGIN; INSERT INTO items VALUES (1, 'a')",
        "SET autocommit = 0",
        "SET autocommit = 0; INSERT INTO items VALUES (1, 'a')",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT",
    ] {
        pool.get()?.batch_execute(sql)?;
        let next = id_of(&mut pool.get()?)?;
        assert_ne!(next, last, "{sql}");
        last = next;
    }
    // One that the server has ended.
    bed.execute(&format!("KILL {last}"));
    let next = id_of(&mut pool.get()?)?;
    assert_ne!(next, last);
    for sql in ["SELECT seq FROM seq_1_to_1000000000000", "BEGIN; COMMIT", "SET autocommit = 0; SET autocommit = 1"] {
        if sql.starts_with("SELECT") {
            std::mem::forget(diesel::dsl::sql::<BigInt>(sql).load_iter::<i64, DefaultLoadingMode>(&mut pool.get()?)?);
        } else {
            pool.get()?.batch_execute(sql)?;
        }
        assert_eq!(id_of(&mut pool.get()?)?, next, "{sql}");
    }
    assert_eq!(bed.number("SELECT COUNT(*) FROM items"), 0);
    Ok(())
}

fn generic_code(bed: &Bed) -> TestResult {
    fn in_two_steps<C>(connection: &mut C) -> QueryResult<Vec<i64>>
    where
        C: Connection<Backend = Mysql> + LoadConnection,
    {
        connection.transaction(|connection| {
            connection.batch_execute("INSERT INTO items VALUES (1, 'a'), (2, 'b')")?;
            diesel::update(items::table.find(2)).set(items::name.eq("c")).execute(connection)?;
            items::table.filter(items::name.ne("b")).select(items::id).order(items::id).load(connection)
        })
    }
    bed.execute(ITEMS);
    assert_eq!(in_two_steps(&mut MysqlConnection::establish(bed.url())?)?, [1, 2]);
    bed.execute("DELETE FROM items");
    assert_eq!(in_two_steps(&mut pool(bed, 1)?.get()?)?, [1, 2], "a pooled connection is one, too");
    Ok(())
}

fn behind_a_box(bed: &Bed) -> TestResult {
    bed.execute(ITEMS);
    let mut boxed: Box<dyn BoxableConnection<Mysql>> = Box::new(MysqlConnection::establish(bed.url())?);
    boxed.batch_execute("INSERT INTO items VALUES (1, 'a')")?;
    let connection = boxed.downcast_mut::<MysqlConnection>().ok_or("it is ours")?;
    assert_eq!(items::table.load::<(i64, String)>(connection)?, [(1, "a".to_owned())]);
    Ok(())
}

#[derive(diesel::MultiConnection)]
enum AnyConnection {
    Mysql(MysqlConnection),
}

fn any_connection(bed: &Bed) -> TestResult {
    bed.execute(ITEMS);
    let connection = &mut AnyConnection::establish(bed.url())?;
    diesel::insert_into(items::table).values((items::id.eq(1), items::name.eq("a"))).execute(connection)?;
    assert_eq!(items::table.load::<(i64, String)>(connection)?, [(1, "a".to_owned())]);
    Ok(())
}

#[derive(Queryable, Identifiable, AsChangeset, Clone, Debug, PartialEq)]
#[diesel(table_name = items)]
struct Item {
    id: i64,
    name: String,
}

fn saved_changes(bed: &Bed) -> TestResult {
    bed.execute(ITEMS);
    bed.execute("INSERT INTO items VALUES (1, 'a'), (2, 'b')");
    let connection = &mut MysqlConnection::establish(bed.url())?;
    let item = Item { id: 2, name: "new".into() };
    assert_eq!(item.save_changes::<Item>(connection)?, item);
    assert_eq!(item.save_changes::<Item>(connection)?, item, "nothing changes, and the row is found");
    let nobody = Item { id: 3, name: "new".into() }.save_changes::<Item>(connection);
    assert_eq!(nobody, Err(diesel::result::Error::NotFound));
    assert_eq!(bed.texts("SELECT name FROM items ORDER BY id"), [Some("a".to_owned()), Some("new".to_owned())]);
    Ok(())
}

/// Diesel runs each of them in a transaction, which CREATE TABLE commits on this server.
fn migrations(bed: &Bed) -> TestResult {
    let folder = tempfile::tempdir()?;
    for (name, up, down) in [
        ("2024-01-01-000000_first", ITEMS, "DROP TABLE items"),
        (
            "2024-01-02-000000_second",
            "ALTER TABLE items ADD more INT; INSERT INTO items VALUES (1, 'a', 2); CREATE INDEX by_name ON items (name)",
            "ALTER TABLE items DROP more",
        ),
    ] {
        let migration = folder.path().join(name);
        fs::create_dir(&migration)?;
        fs::write(migration.join("up.sql"), up)?;
        fs::write(migration.join("down.sql"), down)?;
    }
    let migrations = FileBasedMigrations::from_path(folder.path())?;
    let connection = &mut MysqlConnection::establish(bed.url())?;
    let text = |error: Box<dyn std::error::Error + Send + Sync>| error.to_string();
    assert!(connection.has_pending_migration(migrations.clone()).map_err(text)?);
    assert_eq!(connection.run_pending_migrations(migrations.clone()).map_err(text)?.len(), 2);
    assert_eq!(bed.texts("SELECT more FROM items"), [Some("2".to_owned())]);
    assert!(!connection.has_pending_migration(migrations.clone()).map_err(text)?);
    connection.revert_last_migration(migrations.clone()).map_err(text)?;
    assert_eq!(connection.applied_migrations().map_err(text)?.len(), 1);
    assert_eq!(
        bed.number(
            "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND \
                           table_name = 'items'"
        ),
        2
    );
    // One that fails leaves the connection usable.
    let broken = folder.path().join("2024-01-03-000000_third");
    fs::create_dir(&broken)?;
    fs::write(broken.join("up.sql"), "CREATE TABLE items (id INT)")?;
    let migrations = FileBasedMigrations::from_path(folder.path())?;
    assert!(connection.run_pending_migrations(migrations).is_err());
    assert_eq!(items::table.count().get_result::<i64>(connection)?, 1);
    Ok(())
}

type Events = Arc<Mutex<Vec<String>>>;

fn recorder(events: &Events) -> impl Instrumentation + 'static {
    let events = events.clone();
    move |event: InstrumentationEvent<'_>| {
        let line = match event {
            InstrumentationEvent::StartQuery { query, .. } => format!("start {query}"),
            InstrumentationEvent::FinishQuery { query, error, .. } => {
                format!("finish {query}{}", error.map_or_else(String::new, |error| format!(" failed: {error}")))
            }
            InstrumentationEvent::CacheQuery { sql, .. } => format!("cache {sql}"),
            InstrumentationEvent::BeginTransaction { depth, .. } => format!("begin {depth}"),
            InstrumentationEvent::CommitTransaction { depth, .. } => format!("commit {depth}"),
            InstrumentationEvent::RollbackTransaction { depth, .. } => format!("rollback {depth}"),
            other => format!("{other:?}"),
        };
        events.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

fn instrumented(bed: &Bed) -> TestResult {
    bed.execute(ITEMS);
    let events = Events::default();
    let taken = || std::mem::take(&mut *events.lock().unwrap_or_else(PoisonError::into_inner));
    let connection = &mut MysqlConnection::establish(bed.url())?;
    connection.set_instrumentation(recorder(&events));
    for round in 0..2 {
        items::table.select(items::id).filter(items::name.eq("a")).load::<i64>(connection)?;
        let sql = "SELECT `items`.`id` FROM `items` WHERE (`items`.`name` = ?)";
        let mut expected = vec![
            format!("start {sql} -- binds: [\"a\"]"),
            format!("cache {sql}"),
            format!("finish {sql} -- binds: [\"a\"]"),
        ];
        if round > 0 {
            expected.remove(1);
        }
        assert_eq!(taken(), expected);
    }
    sql_query("DO 0").execute(connection)?;
    assert_eq!(taken(), ["start DO 0 -- binds: []", "finish DO 0 -- binds: []"], "it is not kept");
    connection.batch_execute("SELECT * FROM nothing").expect_err("there is no such table");
    let failed = taken();
    assert_eq!(failed[0], "start SELECT * FROM nothing");
    assert!(failed[1].starts_with("finish SELECT * FROM nothing failed: Table"), "{failed:?}");
    let answer = connection.transaction(|connection| {
        sql_query("DO 1").execute(connection)?;
        connection.transaction(|_| Err::<(), _>(diesel::result::Error::RollbackTransaction))
    });
    assert_eq!(answer, Err(diesel::result::Error::RollbackTransaction));
    assert_eq!(
        taken(),
        [
            "begin 1",
            "start BEGIN",
            "finish BEGIN",
            "start DO 1 -- binds: []",
            "finish DO 1 -- binds: []",
            "begin 2",
            "start SAVEPOINT diesel_savepoint_1",
            "finish SAVEPOINT diesel_savepoint_1",
            "rollback 2",
            "start ROLLBACK TO SAVEPOINT diesel_savepoint_1",
            "finish ROLLBACK TO SAVEPOINT diesel_savepoint_1",
            "rollback 1",
            "start ROLLBACK",
            "finish ROLLBACK",
        ]
    );
    Ok(())
}

static ALL: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn record_all() -> Option<Box<dyn Instrumentation>> {
    Some(Box::new(|event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartEstablishConnection { .. }
        | InstrumentationEvent::FinishEstablishConnection { .. } = event
        {
            ALL.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{event:?}"));
        }
    }))
}

/// Diesel's own connections tell their URLs, passwords and all.
fn no_password_is_told(bed: &Bed) -> TestResult {
    set_default_instrumentation(record_all)?;
    let (scheme, rest) = bed.url().split_once("://").ok_or("a URL has a scheme")?;
    let (account, server) = rest.split_once('@').ok_or("it names a user")?;
    let (user, password) = account.split_once(':').ok_or("it has a password")?;
    let database = server.rsplit('/').next().ok_or("it names a database")?;
    let answers = [
        MysqlConnection::establish(bed.url()).map(|_| ()),
        MysqlConnection::establish(&format!("{scheme}://{user}:s3cr%65t-word@{server}")).map(|_| ()),
        MysqlConnection::establish(&format!("{scheme}://{user}:s3cret-word@{server}?nothing=s3cret")).map(|_| ()),
        MysqlConnection::establish(&format!("{scheme}//{user}:s3cret-word@{server}")).map(|_| ()),
    ];
    assert!(answers[0].is_ok() && answers[1..].iter().all(Result::is_err));
    let events = ALL.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(events.iter().filter(|event| event.contains(database)).count() >= 6, "{events:?}");
    let errors: Vec<_> =
        answers.iter().filter_map(|answer| answer.as_ref().err()).map(|error| format!("{error} {error:?}")).collect();
    for text in events.iter().chain(&errors) {
        assert!(!text.contains(password) && !text.contains("s3cr"), "{text}");
    }
    Ok(())
}
