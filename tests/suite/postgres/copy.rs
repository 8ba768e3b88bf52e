//! `bulk_create` by COPY: when it is one, and that it does what INSERT does. Its types are in `copy_types.rs`.

use std::{cell::Cell, thread};

use orm_core::{
    diesel::{
        RunQueryDsl,
        dsl::{select, sql},
        pg::Pg,
        sql_types::Integer,
    },
    prelude::*,
};
use orm_tests::{Bed, TestResult, ok, on_postgres, proxy::Proxy};

use crate::models::{Number, number};

on_postgres! {
    many_rows_are_copied_and_few_are_inserted, batches_grow, names_with_quotes, without_prepared_statements,
    a_violation_tells_its_row, errors_are_those_of_insert, the_outer_transaction_goes_on, rows_that_refer_to_none,
    triggers_that_talk, triggers_that_drop_rows, triggers_that_change_rows, generated_columns,
    rules_are_applied, other_relations_than_tables, row_level_security, a_higher_isolation, a_transaction_that_only_reads,
    other_statements_between, from_several_threads, connections_that_are_cut,
}

/// More than a batch.
pub(super) const ROWS: i64 = 1_500;

const TABLE: &str = "CREATE TABLE numbers (id BIGINT PRIMARY KEY, name TEXT)";

/// A database of one connection, whose words to the server are heard.
pub(super) struct Heard {
    pub(super) proxy: Proxy,
    pub(super) db: Database<Pg>,
}

impl Heard {
    pub(super) fn on(bed: &Bed) -> orm_core::Result<Self> {
        let proxy = Proxy::listening_in(bed.url());
        let db = Database::builder().pool_size(1).connect(proxy.url())?;
        Ok(Heard { proxy, db })
    }

    pub(super) fn copied(&self) -> bool {
        self.proxy.has_heard("COPY \"")
    }

    /// Whether an INSERT of several rows was sent.
    pub(super) fn inserted(&self) -> bool {
        self.proxy.has_heard("), ($")
    }
}

fn many_rows_are_copied_and_few_are_inserted(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let few = Heard::on(bed)?;
    assert_eq!(Number::bulk_create(&few.db, (1..=9).map(number))?, 9);
    assert!(few.inserted() && !few.copied());
    let many = Heard::on(bed)?;
    assert_eq!(Number::bulk_create(&many.db, (10..10 + ROWS).map(number))?, ROWS.unsigned_abs());
    assert!(many.copied() && !many.inserted());
    let expected = "SELECT count(*) FROM numbers JOIN generate_series(1, 1509) n ON id = n AND name = 'number ' || n";
    assert_eq!(bed.number(expected), 9 + ROWS);
    assert_eq!(bed.number("SELECT count(*) FROM numbers"), 9 + ROWS);
    Ok(())
}

/// The more rows there have been, the more go at once; the iterator is never further ahead than that.
fn batches_grow(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let heard = Heard::on(bed)?;
    heard.db.transaction(|tx| {
        let furthest_ahead = Cell::new(0);
        let rows = (0..30_000).map(|taken: u64| {
            if taken % 500 == 499 {
                let stored = Number::objects(tx).count().expect("it can be asked");
                assert!(taken - stored < 1_000.max(stored / 8), "{taken} rows were taken, and {stored} stored");
                furthest_ahead.set(furthest_ahead.get().max(taken - stored));
            }
            number(taken.cast_signed())
        });
        assert_eq!(Number::bulk_create(tx, rows)?, 30_000);
        assert!(furthest_ahead.get() > 1_500, "{} rows at most", furthest_ahead.get());
        ok(())
    })?;
    assert!(heard.copied() && !heard.inserted());
    assert_eq!(bed.number("SELECT count(*) FROM numbers WHERE name = 'number ' || id"), 30_000);
    Ok(())
}

fn names_with_quotes(bed: &Bed) -> TestResult {
    #[derive(Model, Debug)]
    #[model(schema = "a \"schema\"", table = "it's $1 \\ \"odd\"\nline 5")]
    struct Odd {
        #[model(primary_key, column = "the \"key\"\n")]
        id: i64,
    }
    bed.execute(
        "DROP SCHEMA IF EXISTS \"a \"\"schema\"\"\" CASCADE; CREATE SCHEMA \"a \"\"schema\"\"\"; \
         CREATE TABLE \"a \"\"schema\"\"\".\"it's $1 \\ \"\"odd\"\"\nline 5\" (\"the \"\"key\"\"\n\" BIGINT PRIMARY KEY)",
    );
    let heard = Heard::on(bed)?;
    assert_eq!(Odd::bulk_create(&heard.db, (1..=ROWS).map(|id| Odd { id }))?, ROWS.unsigned_abs());
    assert!(heard.copied() && !heard.inserted());
    let rows = (0..ROWS).map(|n| Odd { id: if n == 700 { 7 } else { -n } });
    let error = Odd::bulk_create(&heard.db, rows).expect_err("7 is there");
    assert_eq!((error.row(), error.key()), (Some(701), Some("7")), "{error:?}");
    bed.execute("DROP SCHEMA \"a \"\"schema\"\"\" CASCADE");
    Ok(())
}

fn without_prepared_statements(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let db: Database<Pg> = Database::builder().connect(&bed.url_with("statement_cache_size=0"))?;
    assert_eq!(Number::bulk_create(&db, (1..=ROWS).map(number))?, ROWS.unsigned_abs());
    assert_eq!(bed.number("SELECT count(*) FROM numbers"), ROWS);
    Ok(())
}

fn a_violation_tells_its_row(bed: &Bed) -> TestResult {
    bed.execute(&format!("{TABLE}; INSERT INTO numbers VALUES (7, 'x')"));
    let heard = Heard::on(bed)?;
    let rows = || (0..2_500).map(|n| number(if n == 1_700 { 7 } else { 1_000 + n }));
    let error = Number::bulk_create(&heard.db, rows()).expect_err("7 is there");
    assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::UniqueViolation, Some("23505")));
    assert_eq!((error.model(), error.row(), error.key()), (Some("Number"), Some(1_701), Some("7")));
    let sql = error.sql().unwrap_or_default();
    assert!(sql.starts_with("INSERT INTO \"numbers\"") && sql.contains("(rows 1001 to 2000)"), "{sql}");
    let cause = format!("{error:?}");
    assert!(cause.contains("numbers_pkey") && !cause.contains("number 7"), "{cause}");
    assert_eq!(bed.number("SELECT count(*) FROM numbers"), 1, "the batch before it is undone");
    // The connection goes on.
    bed.execute("DELETE FROM numbers");
    assert_eq!(Number::bulk_create(&heard.db, rows())?, 2_500);
    assert!(heard.copied() && !heard.inserted());
    Ok(())
}

/// Each of these is refused in the same way whether the rows are few, which are inserted, or many, which are copied.
fn errors_are_those_of_insert(bed: &Bed) -> TestResult {
    for (columns, name, kind, sqlstate) in [
        ("id BIGINT, name TEXT NOT NULL", None, ErrorKind::NotNullViolation, "23502"),
        ("id BIGINT, name TEXT CHECK (name <> 'bad')", Some("bad"), ErrorKind::CheckViolation, "23514"),
        ("id BIGINT, name VARCHAR(12)", Some("more than twelve"), ErrorKind::Database, "22001"),
        ("id BIGINT, name CHAR(12)", Some("more than twelve"), ErrorKind::Database, "22001"),
        ("id BIGINT, name proper", Some("bad"), ErrorKind::CheckViolation, "23514"),
        ("id BIGINT, name proper", None, ErrorKind::NotNullViolation, "23502"),
    ] {
        bed.execute(
            "DROP TABLE IF EXISTS numbers; DROP DOMAIN IF EXISTS proper; \
             CREATE DOMAIN proper AS TEXT NOT NULL CHECK (VALUE <> 'bad')",
        );
        bed.execute(&format!("CREATE TABLE numbers ({columns})"));
        let bad = || Number { id: 0, name: name.map(Into::into) };
        let heard = Heard::on(bed)?;
        for (rows, copied) in [(9, false), (900, true)] {
            let rows = (1..rows).map(number).chain([bad()]).chain((rows + 1..2 * rows).map(number));
            let error = Number::bulk_create(&heard.db, rows).expect_err(columns);
            assert_eq!((error.kind(), error.sqlstate()), (kind, Some(sqlstate)), "{columns}: {error:?}");
            assert_eq!(heard.copied(), copied, "{columns}");
            assert_eq!(error.row(), copied.then_some(900), "{columns}: {error:?}");
        }
        assert_eq!(bed.number("SELECT count(*) FROM numbers"), 0, "{columns}");
        Number::bulk_create(&heard.db, (1..=900).map(number))?;
    }
    // No table, and no such column.
    for change in ["ALTER TABLE numbers RENAME name TO other", "DROP TABLE numbers"] {
        bed.execute(change);
        let db = bed.db()?;
        let [few, many] =
            [1, 900].map(|rows| Number::bulk_create(&db, (1..=rows).map(number)).expect_err("it is not there"));
        assert_eq!((few.kind(), few.sqlstate()), (many.kind(), many.sqlstate()), "{many:?}");
        assert!(matches!(many.sqlstate(), Some("42703" | "42P01")), "{many:?}");
    }
    Ok(())
}

fn the_outer_transaction_goes_on(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let heard = Heard::on(bed)?;
    heard.db.transaction(|tx| {
        Number::bulk_create(tx, (1..=ROWS).map(number))?;
        let inner: orm_core::Result<u64> =
            tx.transaction(|inner| Number::bulk_create(inner, (500..500 + ROWS).map(number)));
        assert_eq!(inner.map_err(|error| error.row()), Err(Some(1)));
        Number::bulk_create(tx, (5_001..=5_000 + ROWS).map(number))
    })?;
    assert!(heard.copied() && !heard.inserted());
    assert_eq!(bed.number("SELECT count(*) FROM numbers"), 2 * ROWS);
    Ok(())
}

/// What is checked at the end of the statement is no row's in particular.
fn rows_that_refer_to_none(bed: &Bed) -> TestResult {
    bed.execute(
        "CREATE TABLE names (name TEXT PRIMARY KEY); INSERT INTO names VALUES ('number 1'); \
         CREATE TABLE numbers (id BIGINT PRIMARY KEY, name TEXT REFERENCES names)",
    );
    let heard = Heard::on(bed)?;
    let good = |id| Number { id, name: Some("number 1".into()) };
    let error = Number::bulk_create(&heard.db, (3..900).map(good).chain([number(2)])).expect_err("there is no 2");
    assert_eq!((error.kind(), error.row()), (ErrorKind::ForeignKeyViolation, None), "{error:?}");
    assert_eq!(Number::bulk_create(&heard.db, (3..900).map(good))?, 897);
    assert!(heard.copied() && !heard.inserted());
    Ok(())
}

/// Triggers that say far more than any buffer holds, while a row is sent that no buffer holds.
fn triggers_that_talk(bed: &Bed) -> TestResult {
    bed.execute(&format!(
        "{TABLE}; \
         CREATE FUNCTION talk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             FOR i IN 1 .. TG_ARGV[0]::int LOOP RAISE NOTICE '%', repeat('x', 8000); END LOOP; RETURN NEW; END $$; \
         CREATE TRIGGER a BEFORE INSERT ON numbers FOR EACH STATEMENT EXECUTE FUNCTION talk(2000); \
         CREATE TRIGGER b BEFORE INSERT ON numbers FOR EACH ROW EXECUTE FUNCTION talk(10); \
         CREATE TRIGGER c AFTER INSERT ON numbers FOR EACH ROW EXECUTE FUNCTION talk(1); \
         CREATE TRIGGER d AFTER INSERT ON numbers FOR EACH STATEMENT EXECUTE FUNCTION talk(1000)",
    ));
    let small = |id| Number { id, name: Some("é".repeat(500)) };
    let huge = |id| Number { id, name: Some("é".repeat(10_000_000)) };
    let heard = Heard::on(bed)?;
    assert_eq!(Number::bulk_create(&heard.db, (1..=200).map(small).chain([huge(201)]))?, 201);
    assert!(heard.copied() && !heard.inserted());
    assert!(heard.proxy.received() > 40_000_000, "{} bytes were said", heard.proxy.received());
    let rows = (301..=500).map(small).chain([small(200), huge(501)]);
    let error = Number::bulk_create(&heard.db, rows).expect_err("200 is there");
    assert_eq!((error.kind(), error.row()), (ErrorKind::UniqueViolation, Some(201)), "{error:?}");
    assert_eq!(bed.number("SELECT count(*) FROM numbers WHERE name = repeat('é', 500)"), 200);
    assert_eq!(bed.number("SELECT length(name) FROM numbers WHERE id = 201"), 10_000_000);
    Ok(())
}

fn triggers_that_drop_rows(bed: &Bed) -> TestResult {
    bed.execute(&format!(
        "{TABLE}; \
         CREATE FUNCTION thin() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF NEW.id = 777 THEN RAISE 'not this one'; END IF; \
             IF NEW.id % 3 = 0 THEN RETURN NULL; END IF; RETURN NEW; END $$; \
         CREATE TRIGGER thin BEFORE INSERT ON numbers FOR EACH ROW EXECUTE FUNCTION thin()",
    ));
    let heard = Heard::on(bed)?;
    assert_eq!(Number::bulk_create(&heard.db, (1_001..=1_000 + ROWS).map(number))?, 1_000);
    assert_eq!(bed.number("SELECT count(*) FROM numbers"), 1_000);
    let error = Number::bulk_create(&heard.db, (1..=ROWS).map(number)).expect_err("777 is refused");
    assert_eq!((error.sqlstate(), error.row(), error.key()), (Some("P0001"), Some(777), Some("777")), "{error:?}");
    assert!(heard.copied() && !heard.inserted());
    Ok(())
}

fn triggers_that_change_rows(bed: &Bed) -> TestResult {
    bed.execute(&format!(
        "{TABLE}; \
         CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             NEW.name := (SELECT count(*) FROM numbers); RETURN NEW; END $$; \
         CREATE TRIGGER change BEFORE INSERT ON numbers FOR EACH ROW EXECUTE FUNCTION change()",
    ));
    let heard = Heard::on(bed)?;
    Number::bulk_create(&heard.db, (1..=ROWS).map(number))?;
    assert!(heard.copied());
    // Each sees those before it, as with INSERT.
    assert_eq!(bed.number("SELECT count(*) FROM numbers WHERE name = (id - 1)::text"), ROWS);
    Ok(())
}

fn generated_columns(bed: &Bed) -> TestResult {
    #[derive(Model, Debug)]
    struct Entry {
        #[model(primary_key, generated)]
        id: i64,
        text: String,
    }
    let entry = |n: i64| Entry { id: -1, text: format!("entry {n}") };
    bed.execute(
        "CREATE TABLE entries (id BIGINT GENERATED ALWAYS AS IDENTITY (START 500), text TEXT NOT NULL, \
             kind TEXT NOT NULL DEFAULT 'new', double TEXT GENERATED ALWAYS AS (text || text) STORED)",
    );
    let heard = Heard::on(bed)?;
    assert_eq!(Entry::bulk_create(&heard.db, (0..ROWS).map(entry))?, ROWS.unsigned_abs());
    assert!(heard.copied() && !heard.inserted());
    let right =
        "SELECT count(*) FROM entries WHERE text = 'entry ' || (id - 500) AND kind = 'new' AND double = text || text";
    assert_eq!(bed.number(right), ROWS);
    // Values for them are refused, as by INSERT. COPY would take those for the key.
    for column in
        ["id BIGINT GENERATED ALWAYS AS IDENTITY, name TEXT", "id BIGINT, name TEXT GENERATED ALWAYS AS ('x') STORED"]
    {
        bed.execute(&format!("DROP TABLE IF EXISTS numbers; CREATE TABLE numbers ({column})"));
        for rows in [9, ROWS] {
            let error = Number::bulk_create(&heard.db, (1..=rows).map(number)).expect_err("it is generated always");
            assert_eq!(error.sqlstate(), Some("428C9"), "{column}: {error:?}");
        }
    }
    Ok(())
}

fn rules_are_applied(bed: &Bed) -> TestResult {
    bed.execute(&format!(
        "{TABLE}; CREATE TABLE log (id BIGINT); \
         CREATE RULE also AS ON INSERT TO numbers DO ALSO INSERT INTO log VALUES (NEW.id)"
    ));
    let heard = Heard::on(bed)?;
    Number::bulk_create(&heard.db, (1..=ROWS).map(number))?;
    assert!(!heard.copied());
    assert_eq!(bed.number("SELECT count(*) FROM numbers JOIN log USING (id)"), ROWS);
    Ok(())
}

fn other_relations_than_tables(bed: &Bed) -> TestResult {
    for relation in [
        "CREATE TABLE real (id BIGINT PRIMARY KEY, name TEXT); CREATE VIEW numbers AS SELECT * FROM real",
        "CREATE TABLE numbers (id BIGINT PRIMARY KEY, name TEXT) PARTITION BY RANGE (id); \
         CREATE TABLE low PARTITION OF numbers FOR VALUES FROM (MINVALUE) TO (700); \
         CREATE TABLE high PARTITION OF numbers DEFAULT",
    ] {
        bed.execute(&format!("DROP TABLE IF EXISTS real CASCADE; {relation}"));
        let heard = Heard::on(bed)?;
        assert_eq!(Number::bulk_create(&heard.db, (1..=ROWS).map(number))?, ROWS.unsigned_abs(), "{relation}");
        assert!(!heard.copied() && heard.inserted(), "{relation}");
        assert_eq!(bed.number("SELECT count(*) FROM numbers"), ROWS);
    }
    Ok(())
}

fn row_level_security(bed: &Bed) -> TestResult {
    bed.execute(&format!("{TABLE}; ALTER TABLE numbers ENABLE ROW LEVEL SECURITY"));
    let heard = Heard::on(bed)?;
    Number::bulk_create(&heard.db, (1..=ROWS).map(number))?;
    assert!(!heard.copied() && heard.inserted());
    Ok(())
}

/// There the catalog may be that of another time.
fn a_higher_isolation(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let heard = Heard::on(bed)?;
    heard.db.transaction(|tx| {
        tx.batch_execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")?;
        Number::bulk_create(tx, (1..=ROWS).map(number))
    })?;
    assert!(!heard.copied() && heard.inserted());
    assert_eq!(bed.number("SELECT count(*) FROM numbers"), ROWS);
    Ok(())
}

fn a_transaction_that_only_reads(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let heard = Heard::on(bed)?;
    let refused = heard.db.transaction(|tx| {
        tx.batch_execute("SET TRANSACTION READ ONLY")?;
        Number::bulk_create(tx, (1..=ROWS).map(number))
    });
    assert_eq!(refused.map_err(|error| error.kind()), Err(ErrorKind::ReadOnly));
    Ok(())
}

/// Queries and streams of the same transaction, between the batches and between the rows.
fn other_statements_between(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let heard = Heard::on(bed)?;
    Number::bulk_create(&heard.db, (1..=ROWS).map(number))?;
    heard.db.transaction(|tx| {
        let rows = Number::objects(tx).order_by(|n| n.id.asc()).iterator(10)?.map(|row| {
            if row.id % 100 == 0 {
                assert_eq!(Number::objects(tx).filter(|n| n.id.eq(row.id)).count().expect("it can be asked"), 1);
            }
            Number { id: -row.id, ..row }
        });
        assert_eq!(Number::bulk_create(tx, rows)?, ROWS.unsigned_abs());
        tx.batch_execute("UPDATE numbers SET name = 'late' WHERE id = -1500")?;
        ok(())
    })?;
    assert!(!heard.inserted());
    assert_eq!(
        bed.number("SELECT count(*) FROM numbers a JOIN numbers b ON a.id = -b.id AND a.name = b.name"),
        2 * ROWS - 2
    );
    Ok(())
}

fn from_several_threads(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let db = bed.db()?;
    thread::scope(|scope| {
        let threads = [0, 1, 2, 3].map(|thread| {
            let db = &db;
            scope.spawn(move || Number::bulk_create(db, (0..ROWS).map(|n| number(4 * n + thread))))
        });
        threads.into_iter().try_for_each(|thread| {
            assert_eq!(thread.join().expect("it does not panic")?, ROWS.unsigned_abs());
            ok(())
        })
    })?;
    assert_eq!(bed.number("SELECT count(*) FROM numbers WHERE name = 'number ' || id AND id < 6000"), 4 * ROWS);
    // And in one transaction, whose statements take turns.
    bed.execute("DELETE FROM numbers");
    db.transaction(|tx| {
        Number::bulk_create(tx, (0..ROWS).map(number))?;
        thread::scope(|scope| {
            let counted = scope.spawn(|| Number::objects(tx).count());
            assert_eq!(counted.join().expect("it does not panic")?, ROWS.unsigned_abs());
            ok(())
        })
    })?;
    Ok(())
}

/// Wherever it is cut: at the questions, before the data, and in the middle of the answer.
fn connections_that_are_cut(bed: &Bed) -> TestResult {
    bed.execute(TABLE);
    let proxy = Proxy::to(bed.url());
    let db: Database<Pg> = Database::builder().pool_size(1).connect(proxy.url())?;
    let mut cut = 0;
    for bytes in (0..).step_by(23) {
        Number::objects(&db).count()?;
        let answer = db.transaction(|tx| {
            proxy.cut_after(bytes);
            Number::bulk_create(tx, (1..=900).map(number))?;
            proxy.heal();
            ok(())
        });
        proxy.heal();
        match answer {
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionLost, "after {bytes} bytes: {error:?}"),
            Ok(()) => break,
        }
        cut += 1;
        assert_eq!(bed.number("SELECT count(*) FROM numbers"), 0, "after {bytes} bytes");
    }
    assert!(cut > 5, "{cut} answers were cut");
    assert_eq!(bed.number("SELECT count(*) FROM numbers"), 900);
    // A server that ends the connection between two batches.
    let answer = db.transaction(|tx| {
        let backend: i32 =
            tx.with_connection(|connection| select(sql::<Integer>("pg_backend_pid()")).get_result(connection))?;
        let rows = (1_001..5_000).map(|id| {
            if id == 3_500 {
                assert_eq!(bed.texts(&format!("SELECT pg_terminate_backend({backend}, 5000)")), [Some("true".into())]);
            }
            number(id)
        });
        Number::bulk_create(tx, rows)
    });
    let error = answer.expect_err("the connection was ended");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error:?}");
    assert_eq!(bed.number("SELECT count(*) FROM numbers"), 900);
    Ok(())
}
