//! Bodies that name a connection of our own `OurConnection`, and its backend `B`.

use std::fs;

use diesel::{
    AsChangeset, Connection, ExpressionMethods, Identifiable, QueryDsl, QueryResult, Queryable, RunQueryDsl,
    SaveChangesDsl,
    connection::{BoxableConnection, LoadConnection, SimpleConnection},
    r2d2::{ConnectionManager, Pool, TestCustomizer},
};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use orm_core::diesel;
use orm_tests::{Bed, Pick, TestResult};

use super::{B, OurConnection, bed};

diesel::table! {
    items (id) {
        id -> BigInt,
        name -> Text,
    }
}

const ITEMS: &str = "CREATE TABLE items (id BIGINT PRIMARY KEY, name VARCHAR(50) NOT NULL)";

fn pool(bed: &Bed, size: u32) -> Result<Pool<ConnectionManager<OurConnection>>, Box<dyn std::error::Error>> {
    Ok(Pool::builder().max_size(size).build(ConnectionManager::new(bed.url()))?)
}

#[test]
fn in_diesels_pool() -> TestResult {
    let bed = &bed();
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

#[test]
fn a_pool_of_test_transactions() -> TestResult {
    let bed = &bed();
    bed.execute(ITEMS);
    let pool = Pool::builder()
        .max_size(1)
        .connection_customizer(Box::new(TestCustomizer))
        .build(ConnectionManager::<OurConnection>::new(bed.url()))?;
    for expected in 1..=3 {
        let connection = &mut pool.get()?;
        diesel::insert_into(items::table).values((items::id.eq(expected), items::name.eq("x"))).execute(connection)?;
        assert_eq!(items::table.count().get_result::<i64>(connection)?, expected, "it is the same transaction");
    }
    drop(pool);
    assert_eq!(bed.number("SELECT COUNT(*) FROM items"), 0);
    Ok(())
}

#[test]
fn generic_code() -> TestResult {
    let bed = &bed();
    fn in_two_steps<C>(connection: &mut C) -> QueryResult<Vec<i64>>
    where
        C: Connection<Backend = B> + LoadConnection,
    {
        connection.transaction(|connection| {
            connection.batch_execute("INSERT INTO items VALUES (1, 'a'), (2, 'b')")?;
            diesel::update(items::table.find(2)).set(items::name.eq("c")).execute(connection)?;
            items::table.filter(items::name.ne("b")).select(items::id).order(items::id).load(connection)
        })
    }
    bed.execute(ITEMS);
    assert_eq!(in_two_steps(&mut OurConnection::establish(bed.url())?)?, [1, 2]);
    bed.execute("DELETE FROM items");
    assert_eq!(in_two_steps(&mut pool(bed, 1)?.get()?)?, [1, 2], "a pooled connection is one, too");
    Ok(())
}

#[test]
fn behind_a_box() -> TestResult {
    let bed = &bed();
    bed.execute(ITEMS);
    let mut boxed: Box<dyn BoxableConnection<B>> = Box::new(OurConnection::establish(bed.url())?);
    boxed.batch_execute("INSERT INTO items VALUES (1, 'a')")?;
    let connection = boxed.downcast_mut::<OurConnection>().ok_or("it is ours")?;
    assert_eq!(items::table.load::<(i64, String)>(connection)?, [(1, "a".to_owned())]);
    Ok(())
}

#[derive(diesel::MultiConnection)]
enum AnyConnection {
    Ours(OurConnection),
}

#[test]
fn any_connection() -> TestResult {
    let bed = &bed();
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

#[test]
fn saved_changes() -> TestResult {
    let bed = &bed();
    bed.execute(ITEMS);
    bed.execute("INSERT INTO items VALUES (1, 'a'), (2, 'b')");
    let connection = &mut OurConnection::establish(bed.url())?;
    let item = Item { id: 2, name: "new".into() };
    assert_eq!(item.save_changes::<Item>(connection)?, item);
    assert_eq!(item.save_changes::<Item>(connection)?, item, "nothing changes, and the row is found");
    let nobody = Item { id: 3, name: "new".into() }.save_changes::<Item>(connection);
    assert_eq!(nobody, Err(diesel::result::Error::NotFound));
    assert_eq!(bed.texts("SELECT name FROM items ORDER BY id"), [Some("a".to_owned()), Some("new".to_owned())]);
    Ok(())
}

/// Diesel runs each of them in a transaction, which CREATE TABLE commits on MySQL.
#[test]
fn migrations() -> TestResult {
    let bed = &bed();
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
    let connection = &mut OurConnection::establish(bed.url())?;
    let text = |error: Box<dyn std::error::Error + Send + Sync>| error.to_string();
    assert!(connection.has_pending_migration(migrations.clone()).map_err(text)?);
    assert_eq!(connection.run_pending_migrations(migrations.clone()).map_err(text)?.len(), 2);
    assert_eq!(bed.texts("SELECT more FROM items"), [Some("2".to_owned())]);
    assert!(!connection.has_pending_migration(migrations.clone()).map_err(text)?);
    connection.revert_last_migration(migrations.clone()).map_err(text)?;
    assert_eq!(connection.applied_migrations().map_err(text)?.len(), 1);
    let schema = bed.pick(Pick { postgres: "current_schema()", mysql: "DATABASE()", sqlite: "" });
    let columns = format!(
        "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = {schema} AND table_name = 'items'"
    );
    assert_eq!(bed.number(&columns), 2);
    // One that fails leaves the connection usable.
    let broken = folder.path().join("2024-01-03-000000_third");
    fs::create_dir(&broken)?;
    fs::write(broken.join("up.sql"), "CREATE TABLE items (id INT)")?;
    let migrations = FileBasedMigrations::from_path(folder.path())?;
    assert!(connection.run_pending_migrations(migrations).is_err());
    assert_eq!(items::table.count().get_result::<i64>(connection)?, 1);
    Ok(())
}
