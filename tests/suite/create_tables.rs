//! `create_tables`: keys, indices and constraints, as the database enforces and lists them.

use itertools::Itertools;
use orm_core::prelude::*;
use orm_tests::{Bed, Pick, TestResult, on_each_backend};

use crate::models::{Airport, Flight, airport, flight, schedule};

on_each_backend! {
    primary_keys, composite_primary_keys, foreign_keys_are_enforced, self_references_are_enforced, a_cycle_of_two,
    optional_has_no_foreign_key, indices_on_keys, not_null, a_table_that_is_there, all_or_none, any_order,
    rows_that_are_referred_to_stay, create_tables_in_a_transaction,
    kinds_of_missing_and_existing_tables, only_missing_tables_are_created, missing_tables_all_or_none,
    concurrent_callers_create_tables_once, missing_tables_in_a_transaction, a_table_made_by_others_in_between,
}

fn kind<T>(result: orm_core::Result<T>) -> Result<(), ErrorKind> {
    result.map(|_| ()).map_err(|error| error.kind())
}

fn primary_keys(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Airport,)>()?;
    Airport::bulk_create(&db, [airport("A", "x", None)])?;
    assert_eq!(kind(Airport::bulk_create(&db, [airport("A", "y", None)])), Err(ErrorKind::UniqueViolation));
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(primary_key(year, number))]
struct Invoice {
    number: i32,
    year: i16,
    text: Option<String>,
}

fn composite_primary_keys(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Invoice,)>()?;
    let invoice = |year, number| Invoice { number, year, text: None };
    Invoice::bulk_create(&db, [invoice(2013, 2), invoice(2012, 2), invoice(2013, 1)])?;
    assert_eq!(kind(Invoice::bulk_create(&db, [invoice(2013, 1)])), Err(ErrorKind::UniqueViolation));
    assert_eq!(Invoice::objects(&db).first()?, Some(invoice(2012, 2)), "the first by year, then number");
    let bad = Invoice { number: 5, year: 2013, text: Some("é".into()) };
    Invoice::bulk_create(&db, [bad])?;
    bed.execute("UPDATE invoices SET year = 2014, number = 7 WHERE number = 5");
    let rows =
        Invoice::objects(&db).order_by(|i| (i.year.desc(), i.number.desc())).values(|i| (i.year, i.number)).load()?;
    assert_eq!(rows, [(2014, 7), (2013, 2), (2013, 1), (2012, 2)]);
    Ok(())
}

fn foreign_keys_are_enforced(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    assert_eq!(kind(Flight::bulk_create(&db, [flight(9, "XXX", "JFK", None)])), Err(ErrorKind::ForeignKeyViolation));
    assert_eq!(
        kind(db.batch_execute("INSERT INTO airports (code, city, hub_code) VALUES ('Y', 'y', 'XXX')")),
        Err(ErrorKind::ForeignKeyViolation)
    );
    Ok(())
}

fn rows_that_are_referred_to_stay(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    assert_eq!(kind(db.batch_execute("DELETE FROM airports WHERE code = 'MDW'")), Err(ErrorKind::ForeignKeyViolation));
    assert_eq!(Airport::objects(&db).count()?, 4);
    Ok(())
}

fn self_references_are_enforced(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Airport,)>()?;
    assert_eq!(kind(Airport::bulk_create(&db, [airport("A", "x", Some("B"))])), Err(ErrorKind::ForeignKeyViolation));
    Airport::bulk_create(&db, [airport("A", "x", Some("A"))])?;
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Team {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Player, name = captain))]
    captain_id: Option<i64>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Player {
    #[model(primary_key)]
    id: i64,
    #[model(belongs_to(Team))]
    team_id: i64,
}

fn a_cycle_of_two(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Team, Player)>()?;
    assert_eq!(
        kind(Team::bulk_create(&db, [Team { id: 1, captain_id: Some(1) }])),
        Err(ErrorKind::ForeignKeyViolation)
    );
    assert_eq!(kind(Player::bulk_create(&db, [Player { id: 1, team_id: 1 }])), Err(ErrorKind::ForeignKeyViolation));
    Team::bulk_create(&db, [Team { id: 1, captain_id: None }])?;
    Player::bulk_create(&db, [Player { id: 5, team_id: 1 }])?;
    bed.execute("UPDATE teams SET captain_id = 5");
    let row =
        Player::objects(&db).select_related(|p| (p.team(), p.team().captain(), p.team().captain().team())).get()?;
    let (team, player) = (Team { id: 1, captain_id: Some(5) }, Player { id: 5, team_id: 1 });
    assert_eq!(row, (player.clone(), team.clone(), Some(player), Some(team)));
    Ok(())
}

fn optional_has_no_foreign_key(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    assert_eq!(Flight::bulk_create(&db, [flight(9, "JFK", "nowhere", None)])?, 1);
    let constraints = bed.number(bed.pick(Pick {
        postgres: "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = 'flights'::regclass",
        mysql: "SELECT count(*) FROM information_schema.table_constraints WHERE constraint_schema = database() \
                AND table_name = 'flights' AND constraint_type = 'FOREIGN KEY'",
        sqlite: "SELECT count(*) FROM pragma_foreign_key_list('flights')",
    }));
    assert_eq!(constraints, 1, "of two keys, one may dangle");
    Ok(())
}

fn indices_on_keys(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let columns = bed.texts(bed.pick(Pick {
        postgres: "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] \
         WHERE i.indrelid IN ('flights'::regclass, 'airports'::regclass) ORDER BY 1",
        mysql: "SELECT column_name FROM information_schema.statistics WHERE table_schema = database() \
                AND table_name IN ('flights', 'airports') AND seq_in_index = 1 ORDER BY 1",
        sqlite: "SELECT c.name FROM sqlite_master t, pragma_index_list(t.name) i, pragma_index_info(i.name) c \
         WHERE t.name IN ('flights', 'airports') ORDER BY 1",
    }));
    let columns = columns.into_iter().flatten().filter(|column| column != "id").collect_vec();
    assert_eq!(columns, ["code", "dest_code", "hub_code", "origin_code"]);
    Ok(())
}

fn not_null(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let sql = "INSERT INTO airports (code, city) VALUES ('Z', NULL)";
    assert_eq!(kind(db.batch_execute(sql)), Err(ErrorKind::NotNullViolation));
    db.batch_execute("INSERT INTO airports (code, city) VALUES ('Z', 'z')")?;
    assert_eq!(Airport::objects(&db).filter(|a| a.code.eq("Z")).get()?, airport("Z", "z", None));
    Ok(())
}

fn a_table_that_is_there(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let error = db.create_tables::<(Airport,)>().expect_err("it is there");
    assert_eq!((error.kind(), error.model()), (ErrorKind::DuplicateTable, Some("Airport")));
    assert!(error.sql().is_some_and(|sql| sql.starts_with("CREATE TABLE")), "{error:?}");
    assert_eq!(Airport::objects(&db).count()?, 4, "it is as it was");
    Ok(())
}

fn all_or_none(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    bed.execute("CREATE TABLE players (id INTEGER)");
    let error = db.create_tables::<(Team, Invoice, Player)>().expect_err("one is there");
    if bed.undoes_create_table() {
        assert!(Invoice::objects(&db).count().is_err(), "no other table was made");
    } else {
        assert!(error.to_string().contains("which stay: `teams`, `invoices`"), "{error}");
        assert_eq!((error.kind(), error.model()), (ErrorKind::DuplicateTable, Some("Player")));
        bed.execute("DROP TABLE teams; DROP TABLE invoices");
    }
    bed.execute("DROP TABLE players");
    db.create_tables::<(Team, Invoice, Player)>()?;
    Ok(())
}

fn any_order(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Player, Flight, Team, Airport)>()?;
    bed.execute("DROP TABLE flights; DROP TABLE airports");
    db.create_tables::<(Airport, Flight)>()?;
    assert_eq!(Flight::objects(&db).count()?, 0);
    Ok(())
}

/// A transaction that is rolled back takes its tables with it; where it could not, it makes none.
fn create_tables_in_a_transaction(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    if !bed.undoes_create_table() {
        return no_tables_in_a_transaction(&db);
    }
    let answer: Result<(), Box<dyn std::error::Error>> = db.transaction(|tx| {
        tx.create_tables::<(Airport,)>()?;
        Airport::bulk_create(tx, [airport("A", "x", None)])?;
        Err("the end".into())
    });
    assert_eq!(answer.map_err(|error| error.to_string()), Err("the end".to_owned()));
    assert!(Airport::objects(&db).count().is_err(), "the table is gone with the transaction");
    db.transaction(|tx| tx.create_tables::<(Airport,)>())?;
    assert_eq!(Airport::objects(&db).count()?, 0);
    Ok(())
}

fn no_tables_in_a_transaction(db: &Database) -> TestResult {
    db.create_tables::<(Airport,)>()?;
    let answer: Result<(), Box<dyn std::error::Error>> = db.transaction(|tx| {
        Airport::bulk_create(tx, [airport("A", "x", None)])?;
        assert_eq!(kind(tx.create_tables::<(Invoice,)>()), Err(ErrorKind::InvalidQuery));
        assert_eq!(Airport::objects(tx).count()?, 1);
        Err("the end".into())
    });
    assert_eq!(answer.map_err(|error| error.to_string()), Err("the end".to_owned()));
    assert_eq!(Airport::objects(db).count()?, 0, "what was refused has committed nothing");
    assert!(Invoice::objects(db).count().is_err(), "there is no such table");
    db.transaction(|tx| {
        assert_eq!(kind(tx.create_tables::<(Invoice,)>()), Err(ErrorKind::InvalidQuery));
        Airport::bulk_create(tx, [airport("A", "x", None)])
    })?;
    assert_eq!(Airport::objects(db).count()?, 1, "what was refused has failed nothing");
    Ok(())
}

fn kinds_of_missing_and_existing_tables(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    bed.execute("CREATE TABLE airports (code VARCHAR(3) PRIMARY KEY)");
    assert_eq!(kind(Invoice::objects(&db).load()), Err(ErrorKind::UndefinedTable));
    assert_eq!(kind(Invoice::objects(&db).iterator(10)), Err(ErrorKind::UndefinedTable));
    assert_eq!(kind(Airport::objects(&db).load()), Err(ErrorKind::UndefinedColumn));
    assert_eq!(kind(Airport::bulk_create(&db, [airport("A", "x", None)])), Err(ErrorKind::UndefinedColumn));
    assert_eq!(kind(Airport::objects(&db).update(|a| a.city.set("y"))), Err(ErrorKind::UndefinedColumn));
    assert_eq!(kind(Airport::raw(&db, "SELECT code, town FROM airports").load()), Err(ErrorKind::UndefinedColumn));
    assert_eq!(kind(db.create_tables::<(Airport,)>()), Err(ErrorKind::DuplicateTable));
    let mut kinds = Vec::new();
    for sql in ["DROP TABLE nowhere", "CREATE INDEX i ON airports (town)", "DELETE FROM nowhere WHERE id = 1"] {
        kinds.push(kind(db.batch_execute(sql)));
    }
    let missing = [ErrorKind::UndefinedTable, ErrorKind::UndefinedColumn, ErrorKind::UndefinedTable];
    assert_eq!(kinds, missing.map(Err));
    Ok(())
}

fn only_missing_tables_are_created(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Airport,)>()?;
    Airport::bulk_create(&db, [airport("A", "x", None)])?;
    bed.execute("CREATE TABLE invoices (id INTEGER)"); // it is not the model's, and stays as it is
    for _ in 0..2 {
        db.create_tables_if_missing::<(Flight, Invoice, Airport, Team, Player)>()?;
        assert_eq!(Airport::objects(&db).count()?, 1);
        assert_eq!(bed.number("SELECT count(*) FROM invoices"), 0);
        db.check_schema::<(Flight, Airport, Team, Player)>()?;
        assert_eq!(kind(db.check_schema::<(Invoice,)>()), Err(ErrorKind::SchemaMismatch));
    }
    // With their keys, also of tables that refer to each other, or to one that existed.
    assert_eq!(kind(Flight::bulk_create(&db, [flight(9, "B", "A", None)])), Err(ErrorKind::ForeignKeyViolation));
    assert_eq!(Flight::bulk_create(&db, [flight(9, "A", "A", None)])?, 1);
    assert_eq!(kind(Player::bulk_create(&db, [Player { id: 1, team_id: 1 }])), Err(ErrorKind::ForeignKeyViolation));
    Ok(())
}

fn missing_tables_all_or_none(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    // An index of the name that `Player`'s would have.
    bed.execute("CREATE TABLE invoices (team_id INTEGER)");
    let name = bed.pick(Pick { postgres: "players__team_id", mysql: "", sqlite: "players__team_id" });
    if name.is_empty() {
        return Ok(()); // names of indexes are a table's own there, and what was created stays in any case
    }
    bed.execute(&format!("CREATE INDEX {name} ON invoices (team_id)"));
    let error = db.create_tables_if_missing::<(Invoice, Team, Player)>().expect_err("the index exists");
    assert_eq!(error.kind(), ErrorKind::DuplicateTable, "{error:?}");
    assert_eq!(kind(Team::objects(&db).count()), Err(ErrorKind::UndefinedTable));
    bed.execute(&format!("DROP INDEX {name}"));
    db.create_tables_if_missing::<(Invoice, Team, Player)>()?;
    assert_eq!(Team::objects(&db).count()?, 0);
    Ok(())
}

/// Threads with pools of their own are to the database what processes are.
fn concurrent_callers_create_tables_once(bed: &Bed) -> TestResult {
    for round in 0..5 {
        let barrier = std::sync::Barrier::new(8);
        let answers = std::thread::scope(|scope| {
            let callers = (0..8).map(|_| {
                scope.spawn(|| {
                    let db = bed.db();
                    barrier.wait();
                    let db = db?;
                    db.create_tables_if_missing::<(Flight, Airport, Team, Player)>()?;
                    db.check_schema::<(Flight, Airport, Team, Player)>()
                })
            });
            callers.collect_vec().into_iter().map(|caller| caller.join()).collect_vec()
        });
        for answer in answers {
            assert!(matches!(answer, Ok(Ok(()))), "round {round}: {answer:?}");
        }
        bed.execute("DROP TABLE flights; DROP TABLE airports");
        bed.execute(bed.pick(Pick {
            postgres: "DROP TABLE players, teams CASCADE",
            mysql: "SET FOREIGN_KEY_CHECKS = 0; DROP TABLE players, teams",
            sqlite: "PRAGMA foreign_keys = OFF; DROP TABLE players; DROP TABLE teams",
        }));
    }
    Ok(())
}

/// A program that does not wait for ours creates a table just before ours does.
fn a_table_made_by_others_in_between(bed: &Bed) -> TestResult {
    let barrier = std::sync::Barrier::new(2);
    for _ in 0..10 {
        let db = bed.db()?;
        let (theirs, ours) = std::thread::scope(|scope| {
            let theirs = scope.spawn(|| {
                barrier.wait();
                kind(db.create_tables::<(Invoice,)>())
            });
            let ours = scope.spawn(|| {
                barrier.wait();
                kind(db.create_tables_if_missing::<(Invoice,)>())
            });
            (theirs.join(), ours.join())
        });
        assert!(matches!(ours, Ok(Ok(()))), "{ours:?}");
        // PostgreSQL reports the race by its catalog's unique index.
        let is_known =
            |kind| matches!(kind, ErrorKind::DuplicateTable | ErrorKind::UniqueViolation | ErrorKind::LockTimeout);
        assert!(matches!(theirs, Ok(theirs) if theirs.is_ok() || theirs.is_err_and(is_known)), "{theirs:?}");
        bed.execute("DROP TABLE invoices");
    }
    Ok(())
}

fn missing_tables_in_a_transaction(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    if !bed.undoes_create_table() {
        let refused = db.atomic(|tx| Ok(kind(tx.create_tables_if_missing::<(Airport,)>())))?;
        assert_eq!(refused, Err(ErrorKind::InvalidQuery));
        assert_eq!(kind(Airport::objects(&db).count()), Err(ErrorKind::UndefinedTable));
        return Ok(());
    }
    let answer: Result<(), Box<dyn std::error::Error>> = db.build_transaction().immediate().run(|tx| {
        tx.create_tables_if_missing::<(Airport,)>()?;
        tx.create_tables_if_missing::<(Airport, Flight)>()?;
        Flight::bulk_create(tx, [])?;
        Err("the end".into())
    });
    assert_eq!(answer.map_err(|error| error.to_string()), Err("the end".to_owned()));
    assert_eq!(kind(Airport::objects(&db).count()), Err(ErrorKind::UndefinedTable));
    db.build_transaction().immediate().atomic(|tx| tx.create_tables_if_missing::<(Airport, Flight)>())?;
    assert_eq!(Flight::objects(&db).count()?, 0);
    Ok(())
}

/// A schema has a name of its own on the server, so this has a database of its own.
#[cfg(feature = "postgres")]
#[test]
fn a_table_in_a_schema() -> TestResult {
    #[derive(Model, Clone, Debug, PartialEq)]
    #[model(schema = "old \"stock\"", table = "crates")]
    struct Crate {
        #[model(primary_key)]
        id: i64,
        #[model(belongs_to(Crate, name = inside))]
        inside_id: Option<i64>,
    }
    let bed = Bed::postgres_database();
    let db = bed.db()?;
    bed.execute("CREATE SCHEMA \"old \"\"stock\"\"\"; CREATE TABLE crates (id TEXT)");
    db.create_tables::<(Crate,)>()?;
    let item = |id, inside_id| Crate { id, inside_id };
    Crate::bulk_create(&db, [item(1, None), item(2, Some(1))])?;
    assert_eq!(bed.number("SELECT count(*) FROM \"old \"\"stock\"\"\".crates"), 2);
    let rows =
        Crate::objects(&db).filter(|c| c.inside().id.eq(1)).select_related(|c| c.inside()).iterator(5)?.collect_vec();
    assert_eq!(rows, [(item(2, Some(1)), Some(item(1, None)))]);
    assert_eq!(Crate::objects(&db).order_by(|c| c.id.desc()).values(|c| c.id).load()?, [2, 1]);
    assert_eq!(kind(Crate::bulk_create(&db, [item(3, Some(9))])), Err(ErrorKind::ForeignKeyViolation));
    Ok(())
}
