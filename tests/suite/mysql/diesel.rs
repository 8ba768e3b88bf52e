//! `MysqlConnection` where Diesel's programs put a connection, and what of that MySQL alone has.

use std::sync::{Arc, Mutex, PoisonError};

use diesel::{
    Connection, ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl,
    connection::{
        DefaultLoadingMode, Instrumentation, InstrumentationEvent, LoadConnection, SimpleConnection,
        set_default_instrumentation,
    },
    dsl::sql,
    mysql::Mysql,
    r2d2::{ConnectionManager, Pool},
    sql_query,
    sql_types::BigInt,
};
use orm_core::{MysqlConnection, diesel};
use orm_tests::{Bed, TestResult, on_mysql};

on_mysql! {
    what_a_pool_does_not_hand_on, instrumented, no_password_is_told,
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
