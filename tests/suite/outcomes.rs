//! A write whose connection is lost: it is known not to be stored, or its outcome is unknown. The proxy cuts it at each of
//! its bytes, in either direction, and the witness looks.

use std::{thread, time::Duration};

use diesel::{Connection as _, RunQueryDsl, connection::SimpleConnection, sql_query};
use orm_core::{BackendKind, diesel, prelude::*};
use orm_tests::{Bed, TestResult, proxy::Proxy};

#[cfg(feature = "postgres")]
orm_tests::on_postgres! { each_write_cut_anywhere, reads_have_no_outcome, diesels_commit, a_server_that_rejects }
#[cfg(feature = "mysql")]
orm_tests::on_mysql! { each_write_cut_anywhere, reads_have_no_outcome, diesels_commit, a_server_that_rejects }
#[cfg(feature = "postgres")]
mod adopted {
    orm_tests::on_postgres! { libpq_cut_anywhere }
    use super::libpq_cut_anywhere;
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "outcomes")]
struct Row {
    #[model(primary_key)]
    id: i64,
    value: i64,
}

type Write = fn(&Database, i64) -> orm_core::Result<()>;

/// Each stores a row of this number, and nothing else.
const WRITES: [(&str, Write); 7] = [
    ("a transaction", |db, id| db.transaction(|tx| Row { id, value: 1 }.save(tx))),
    ("retries", |db, id| db.build_transaction().retries(3).run(|tx| Row { id, value: 1 }.save(tx))),
    ("create", |db, id| Row::create(db, Row { id, value: 1 }).map(drop)),
    ("save", |db, id| Row { id, value: 1 }.save(db)),
    ("bulk_create", |db, id| Row::bulk_create(db, [Row { id, value: 1 }]).map(drop)),
    ("get_or_create", |db, id| {
        Row::objects(db).filter(|r| r.id.eq(id)).get_or_create(|| Row { id, value: 1 }).map(drop)
    }),
    ("raw SQL", |db, id| db.batch_execute(&format!("INSERT INTO outcomes VALUES ({id}, 1)"))),
];

/// What became of a write, at one cut.
#[derive(Debug, Default)]
struct Seen {
    known: usize,
    unknown_and_stored: usize,
    unknown_and_not_stored: usize,
}

/// A connection by way of the proxy, on which nothing has to be prepared for a write any more.
fn warm(url: &str) -> orm_core::Result<Database> {
    let db: Database = Database::builder().pool_size(1).test_on_checkout(false).connect(url)?;
    Row::objects(&db).count()?;
    Ok(db)
}

/// Waits until the server has noticed that the connections of a URL are gone, and done what had reached it.
fn settle(bed: &Bed) {
    let sessions = match bed.backend() {
        BackendKind::Postgres => {
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'outcomes-' || current_schema()"
        }
        _ => "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()",
    };
    while bed.number(sessions) > 0 {
        thread::sleep(Duration::from_millis(1));
    }
}

/// The bed's URL through a proxy, with a name by which the server shows the connections.
fn through_proxy(bed: &Bed) -> (Proxy, String) {
    let proxy = Proxy::to(bed.url());
    let url = match bed.backend() {
        BackendKind::Postgres => {
            let schema = bed.texts("SELECT current_schema()::text").pop().flatten().unwrap_or_default();
            format!("{}&application_name=outcomes-{schema}", proxy.url())
        }
        _ => proxy.url().to_owned(),
    };
    (proxy, url)
}

/// At least the bytes of COMMIT, and of its answer.
const COMMIT: u64 = 20;

fn cut_everywhere(
    bed: &Bed,
    name: &str,
    connect: impl Fn(&str) -> orm_core::Result<Database>,
    write: impl Fn(&Database, i64) -> orm_core::Result<()>,
    step: u64,
    next: &mut i64,
) -> Result<Seen, Box<dyn std::error::Error>> {
    let (proxy, url) = through_proxy(bed);
    let (up, down) = {
        let db = connect(&url)?;
        let before = (proxy.sent(), proxy.received());
        *next += 1;
        write(&db, *next)?;
        (proxy.sent() - before.0, proxy.received() - before.1)
    };
    let mut seen = Seen::default();
    // The end of either direction is COMMIT and its answer.
    let places = |bytes: u64| (0..=bytes).filter(move |cut| cut % step == 0 || cut + COMMIT > bytes);
    for (upward, cut) in places(up).map(|cut| (true, cut)).chain(places(down).map(|cut| (false, cut))) {
        proxy.heal();
        let db = connect(&url)?;
        *next += 1;
        let id = *next;
        if upward {
            proxy.cut_after_sent(cut);
        } else {
            proxy.cut_after(cut);
        }
        let answer = write(&db, id);
        drop(db);
        proxy.heal();
        if answer.is_err() {
            settle(bed);
        }
        let is_stored = bed.number(&format!("SELECT COUNT(*) FROM outcomes WHERE id = {id}")) == 1;
        let at = format!("{name}, {} {cut}", if upward { "up" } else { "down" });
        match answer.map_err(|error| (error.kind(), error)) {
            Ok(()) => assert!(is_stored, "{at}: Ok, and nothing is stored"),
            Err((ErrorKind::ConnectionLost, error)) => {
                assert!(!is_stored, "{at}: it is stored: {error:?}");
                seen.known += 1;
            }
            Err((ErrorKind::OutcomeUnknown, error)) => {
                assert!(error.to_string().contains("check whether it was"), "{at}: {error:?}");
                *(if is_stored { &mut seen.unknown_and_stored } else { &mut seen.unknown_and_not_stored }) += 1;
            }
            Err((_, error)) => panic!("{at}: {error:?}"),
        }
    }
    Ok(seen)
}

/// Where nothing is known it may be stored or not, and nothing that is known is wrong.
fn each_write_cut_anywhere(bed: &Bed) -> TestResult {
    bed.execute("CREATE TABLE outcomes (id BIGINT PRIMARY KEY, value BIGINT NOT NULL)");
    let mut next = 0;
    for (name, write) in WRITES {
        // Every byte of a single statement, and some of all others, which take many times longer.
        let step = match name {
            "raw SQL" => 1,
            "a transaction" => 3,
            _ => 19,
        };
        let seen = cut_everywhere(bed, name, warm, write, step, &mut next)?;
        assert!(seen.unknown_and_stored > 0 && seen.unknown_and_not_stored > 0, "{name}: {seen:?}");
        // A statement that commits by itself is not at stake only where none of it was sent.
        assert!(seen.known > 0 || name != "a transaction", "{name}: {seen:?}");
    }
    Ok(())
}

/// libpq does not tell what was sent, so it is taken to have been.
#[cfg(feature = "postgres")]
fn libpq_cut_anywhere(bed: &Bed) -> TestResult {
    use diesel::r2d2::{ConnectionManager, Pool};
    bed.execute("CREATE TABLE outcomes (id BIGINT PRIMARY KEY, value BIGINT NOT NULL)");
    let adopt = |url: &str| {
        let pool = Pool::builder()
            .max_size(1)
            .test_on_check_out(false)
            .build(ConnectionManager::<diesel::PgConnection>::new(url))
            .expect("there is a server");
        let db = Database::from(pool);
        Row::objects(&db).count()?;
        Ok(db)
    };
    let mut next = 0;
    for (name, write) in [WRITES[0], WRITES[3], WRITES[4]] {
        let seen = cut_everywhere(bed, name, adopt, write, 5, &mut next)?;
        assert!(seen.unknown_and_stored > 0, "{name}: {seen:?}");
    }
    Ok(())
}

/// What only reads, in a transaction or not, and by functions that nobody knows here, cannot have been stored.
fn reads_have_no_outcome(bed: &Bed) -> TestResult {
    bed.execute("CREATE TABLE outcomes (id BIGINT PRIMARY KEY, value BIGINT NOT NULL)");
    bed.execute("INSERT INTO outcomes VALUES (1, 1), (2, 2)");
    type Read = fn(&Database) -> orm_core::Result<()>;
    let reads: [(&str, Read); 6] = [
        ("count", |db| Row::objects(db).count().map(drop)),
        ("load", |db| Row::objects(db).order_by(|r| r.id.asc()).load().map(drop)),
        ("get", |db| Row::objects(db).filter(|r| r.id.eq(1)).get().map(drop)),
        ("aggregate", |db| Row::objects(db).aggregate(|r| orm_core::dsl::sum(r.value)).map(drop)),
        ("a transaction", |db| db.transaction(|tx| Row::objects(tx).load().map(drop))),
        ("a read-only transaction", |db| {
            db.build_transaction().read_only().run(|tx| Row::objects(tx).load().map(drop))
        }),
    ];
    for (name, read) in reads {
        let (proxy, url) = through_proxy(bed);
        let measured = {
            let db = warm(&url)?;
            let before = (proxy.sent(), proxy.received());
            read(&db)?;
            (proxy.sent() - before.0, proxy.received() - before.1)
        };
        let mut lost = 0;
        let cuts = (0..=measured.0).step_by(7).map(|cut| (true, cut));
        for (upward, cut) in cuts.chain((0..=measured.1).step_by(7).map(|cut| (false, cut))) {
            proxy.heal();
            let db = warm(&url)?;
            if upward {
                proxy.cut_after_sent(cut);
            } else {
                proxy.cut_after(cut);
            }
            if let Err(error) = read(&db) {
                assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{name}, {upward} {cut}: {error:?}");
                lost += 1;
            }
        }
        assert!(lost > 0, "{name}");
    }
    Ok(())
}

/// Diesel has no kind for it, so its error says so in `details`.
fn diesels_commit(bed: &Bed) -> TestResult {
    bed.execute("CREATE TABLE outcomes (id BIGINT PRIMARY KEY, value BIGINT NOT NULL)");
    let (proxy, url) = through_proxy(bed);
    macro_rules! check {
        ($connection:ty) => {{
            let mut connection = <$connection>::establish(&url)?;
            let answer: Result<(), diesel::result::Error> = connection.transaction(|connection| {
                sql_query("INSERT INTO outcomes VALUES (1, 1)").execute(connection)?;
                proxy.cut_after(0);
                Ok(())
            });
            let error = answer.expect_err("COMMIT is not answered");
            let diesel::result::Error::DatabaseError(kind, information) = error else { panic!("{error:?}") };
            assert!(matches!(kind, diesel::result::DatabaseErrorKind::ClosedConnection));
            assert!(information.details().is_some_and(|details| details.contains("the outcome is unknown")));
            proxy.heal();
            let mut connection = <$connection>::establish(&url)?;
            connection.batch_execute("SELECT 1")?;
            let answer: Result<(), diesel::result::Error> = connection.transaction(|connection| {
                proxy.cut_after(0);
                sql_query("INSERT INTO outcomes VALUES (2, 1)").execute(connection).map(drop)
            });
            let error = answer.expect_err("INSERT is not answered");
            let diesel::result::Error::DatabaseError(_, information) = error else { panic!("{error:?}") };
            assert_eq!(information.details(), None, "it is rolled back");
        }};
    }
    match bed.backend() {
        #[cfg(feature = "postgres")]
        BackendKind::Postgres => check!(orm_core::PgConnection),
        #[cfg(feature = "mysql")]
        BackendKind::Mysql => check!(orm_core::MysqlConnection),
        other => unreachable!("{other} has no server"),
    }
    settle(bed);
    assert_eq!(bed.texts("SELECT CAST(id AS CHAR(5)) FROM outcomes").len(), 1);
    Ok(())
}

/// An error that the server gives is an outcome.
fn a_server_that_rejects(bed: &Bed) -> TestResult {
    bed.execute("CREATE TABLE outcomes (id BIGINT PRIMARY KEY, value BIGINT NOT NULL)");
    bed.execute("INSERT INTO outcomes VALUES (1, 1)");
    let db = bed.db()?;
    let error = Row::create(&db, Row { id: 1, value: 2 }).expect_err("there is such a row");
    assert_eq!(error.kind(), ErrorKind::UniqueViolation, "{error:?}");
    let error = db.batch_execute("INSERT INTO outcomes VALUES (1, 3)").expect_err("there is such a row");
    assert_eq!(error.kind(), ErrorKind::UniqueViolation, "{error:?}");
    Ok(())
}
