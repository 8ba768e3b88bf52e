//! `bulk_create`: all rows or none, from an iterator that is consumed as rows are sent.

use std::{cell::Cell, collections::HashSet};

use itertools::Itertools;
use orm_core::prelude::*;
use orm_tests::{Bed, Pick, TestResult, ok, on_each_backend, panics};

use crate::models::{Number, number, numbers};

on_each_backend! {
    nothing, one, more_than_a_batch, more_parameters_than_a_statement_takes, atomic_in_a_late_batch,
    atomic_when_the_iterator_panics, lazily_consumed, wide_values_are_sent_early, generated_keys, generated_keys_are_left_out, a_key_of_zero,
    all_columns_generated, not_null_and_check_violations, foreign_key_violation, the_error_names_the_statement,
    from_a_stream_of_the_same_database, from_a_stream_of_the_same_transaction, in_a_nested_transaction, a_huge_value,
}

fn count(bed: &Bed, table: &str) -> i64 {
    bed.number(&format!("SELECT count(*) FROM {table}"))
}

fn nothing(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 0)?;
    assert_eq!(Number::bulk_create(&db, [])?, 0);
    assert_eq!(Number::bulk_create(&db, std::iter::empty())?, 0);
    assert_eq!(count(bed, "numbers"), 0);
    Ok(())
}

fn one(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 0)?;
    assert_eq!(Number::bulk_create(&db, [number(7)])?, 1);
    assert_eq!(Number::bulk_create(&db, Some(Number { id: 8, name: None }))?, 1);
    assert_eq!(bed.texts("SELECT name FROM numbers ORDER BY id"), [Some("number 7".to_owned()), None]);
    Ok(())
}

/// MySQL would make a new key of it.
fn a_key_of_zero(bed: &Bed) -> TestResult {
    bed.execute(bed.pick(Pick {
        postgres: "CREATE TABLE numbers (id BIGSERIAL PRIMARY KEY, name TEXT)",
        mysql: "CREATE TABLE numbers (id BIGINT PRIMARY KEY AUTO_INCREMENT, name TEXT)",
        sqlite: "CREATE TABLE numbers (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT)",
    }));
    Number::bulk_create(&bed.db()?, [number(0), number(7)])?;
    assert_eq!(bed.texts("SELECT id FROM numbers ORDER BY id"), [Some("0".to_owned()), Some("7".to_owned())]);
    Ok(())
}

fn more_than_a_batch(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Number,)>()?;
    for (at, rows) in [499, 500, 501, 1000, 1234].into_iter().enumerate() {
        let from = i64::try_from(at)? * 10_000;
        assert_eq!(Number::bulk_create(&db, (from..from + rows).map(number))?, rows.unsigned_abs());
        let stored = Number::objects(&db).filter(|n| n.id.ge(from)).order_by(|n| n.id.asc()).iterator(100)?;
        assert_eq!(stored.collect_vec(), (from..from + rows).map(number).collect_vec());
    }
    Ok(())
}

macro_rules! wide_model {
    ($($field:ident)*) => {
        #[derive(Model, Clone, Debug, PartialEq)]
        struct Wide {
            #[model(primary_key)]
            id: i64,
            $( $field: Option<i32>, )*
        }
        fn wide(id: i64) -> Wide {
            let value = i32::try_from(id).ok();
            Wide { id, $( $field: value, )* }
        }
        const WIDTH: usize = 1 + [$( stringify!($field) ),*].len();
    };
}
wide_model! { a b c d e f g h i j k l m n o p q r s t u v w x y z aa bb cc dd }

/// A statement of 500 rows would have 15,500 parameters; five such tables' rows pass every backend's limit.
fn more_parameters_than_a_statement_takes(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Wide,)>()?;
    let rows = 3_000;
    const { assert!(WIDTH * 3_000 > 65_535, "else nothing has to be split") };
    assert_eq!(Wide::bulk_create(&db, (1..=rows).map(wide))?, rows.unsigned_abs());
    assert!(Wide::objects(&db).order_by(|w| w.id.asc()).iterator(500)?.eq((1..=rows).map(wide)));
    Ok(())
}

fn atomic_in_a_late_batch(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 3)?;
    let error = Number::bulk_create(&db, (100..5000).chain([2]).map(number)).expect_err("2 is there");
    assert_eq!((error.kind(), error.model()), (ErrorKind::UniqueViolation, Some("Number")));
    assert_eq!(count(bed, "numbers"), 3, "the batches before it are undone");
    let error = Number::bulk_create(&db, (100..2000).chain([150]).map(number)).expect_err("150 comes twice");
    assert_eq!(error.kind(), ErrorKind::UniqueViolation);
    assert_eq!(count(bed, "numbers"), 3);
    Ok(())
}

fn atomic_when_the_iterator_panics(bed: &Bed) -> TestResult {
    let db: Database = Database::builder().pool_size(1).connect(bed.url())?;
    numbers(&db, 3)?;
    let rows = (100..5000).map(|id| if id < 3000 { number(id) } else { panic!("row {id}") });
    assert_eq!(panics::message(|| Number::bulk_create(&db, rows)), "row 3000");
    assert_eq!(Number::objects(&db).count()?, 3);
    Ok(())
}

/// The iterator is never further than a batch ahead of what is stored.
fn lazily_consumed(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 0)?;
    db.transaction(|tx| {
        let (pulled, furthest_ahead) = (Cell::new(0_u64), Cell::new(0));
        let rows = (1..=5000).map(|id| {
            // What is stored so far is seen by the transaction that stores it.
            if id % 100 == 0 {
                let stored = Number::objects(tx).count().unwrap_or_else(|error| panic!("{error:?}"));
                furthest_ahead.set(furthest_ahead.get().max(pulled.get() - stored));
            }
            pulled.set(pulled.get() + 1);
            number(id)
        });
        assert_eq!(Number::bulk_create(tx, rows)?, 5000);
        let most = bed.pick(orm_tests::Pick { postgres: 1000, mysql: 3000, sqlite: 1000 });
        assert!((1..most).contains(&furthest_ahead.get()), "{} rows were held", furthest_ahead.get());
        ok(())
    })?;
    Ok(())
}

/// Rows are sent when they are wide, however few they are.
fn wide_values_are_sent_early(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 0)?;
    db.transaction(|tx| {
        let furthest_ahead = Cell::new(0);
        let rows = (1..=40_u64).map(|id| {
            let stored = Number::objects(tx).count().unwrap_or_else(|error| panic!("{error:?}"));
            furthest_ahead.set(furthest_ahead.get().max(id - 1 - stored));
            Number { id: id.cast_signed(), name: Some("x".repeat(1 << 20)) }
        });
        Number::bulk_create(tx, rows)?;
        assert!(furthest_ahead.get() <= 10, "{} rows of 1 MiB were held", furthest_ahead.get());
        ok(())
    })?;
    assert_eq!(count(bed, "numbers"), 40);
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Entry {
    #[model(primary_key, generated)]
    id: i64,
    text: String,
}

fn generated_keys(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Entry,)>()?;
    let entry = |at: i64| Entry { id: 77, text: format!("entry {at}") };
    assert_eq!(Entry::bulk_create(&db, (0..1200).map(entry))?, 1200);
    let rows = Entry::objects(&db).order_by(|e| e.id.asc()).load()?;
    assert_eq!(rows.iter().map(|e| e.id).collect::<HashSet<_>>().len(), 1200);
    assert!(rows.iter().all(|e| e.id > 0));
    assert!(
        rows.iter().map(|e| &e.text).eq((0..1200).map(|at| format!("entry {at}")).collect_vec().iter()),
        "in the order given"
    );
    Ok(())
}

fn generated_keys_are_left_out(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    bed.execute("CREATE TABLE entrys (x INTEGER)");
    bed.execute(bed.pick(Pick {
        postgres: "CREATE TABLE entries (id BIGINT GENERATED ALWAYS AS IDENTITY (START 500), text TEXT NOT NULL)",
        mysql: "CREATE TABLE entries (id BIGINT PRIMARY KEY AUTO_INCREMENT, text TEXT NOT NULL) AUTO_INCREMENT = 500",
        sqlite: "CREATE TABLE entries (id INTEGER PRIMARY KEY, text TEXT NOT NULL); INSERT INTO entries VALUES (499, 'x')",
    }));
    Entry::bulk_create(&db, [Entry { id: -1, text: "a".into() }, Entry { id: -1, text: "b".into() }])?;
    let ids = Entry::objects(&db).filter(|e| e.text.ne("x")).order_by(|e| e.id.asc()).values(|e| e.id).load()?;
    assert_eq!(ids, [500, 501]);
    Ok(())
}

fn all_columns_generated(bed: &Bed) -> TestResult {
    #[derive(Model, Debug)]
    struct Ticket {
        #[model(primary_key, generated)]
        id: i64,
    }
    let db = bed.db()?;
    db.create_tables::<(Ticket,)>()?;
    let error = Ticket::bulk_create(&db, [Ticket { id: 1 }]).expect_err("there is nothing to write");
    assert_eq!((error.kind(), error.model()), (ErrorKind::InvalidQuery, Some("Ticket")));
    Ok(())
}

fn not_null_and_check_violations(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    bed.execute("CREATE TABLE numbers (id BIGINT PRIMARY KEY CHECK (id < 10), name TEXT NOT NULL)");
    let error = Number::bulk_create(&db, [number(1), Number { id: 2, name: None }]).expect_err("NULL is not allowed");
    assert_eq!(error.kind(), ErrorKind::NotNullViolation, "{error:?}");
    let error = Number::bulk_create(&db, [number(1), number(10)]).expect_err("10 is not below 10");
    assert_eq!(error.kind(), ErrorKind::CheckViolation, "{error:?}");
    assert_eq!(count(bed, "numbers"), 0);
    Ok(())
}

fn foreign_key_violation(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    crate::models::schedule(&db)?;
    let bad = crate::models::flight(7, "XXX", "ORD", None);
    let good = crate::models::flight(8, "JFK", "no such row", None);
    let error = crate::models::Flight::bulk_create(&db, [good.clone(), bad]).expect_err("no airport is XXX");
    assert_eq!(error.kind(), ErrorKind::ForeignKeyViolation, "{error:?}");
    assert_eq!(crate::models::Flight::bulk_create(&db, [good])?, 1, "an optional key may dangle");
    Ok(())
}

fn the_error_names_the_statement(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 3)?;
    let secret = Number { id: 3, name: Some("a secret name".into()) };
    let error = Number::bulk_create(&db, [number(9), secret]).expect_err("3 is there");
    let sql = error.sql().unwrap_or_default();
    assert!(sql.starts_with("INSERT INTO") && sql.contains("rows 1 to 2"), "{sql}");
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    Ok(())
}

fn from_a_stream_of_the_same_database(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 2000)?;
    let rows = Number::objects(&db).iterator(100)?.map(|row| Number { id: row.id + 10_000, ..row });
    assert_eq!(Number::bulk_create(&db, rows)?, 2000);
    assert_eq!(count(bed, "numbers"), 4000);
    Ok(())
}

/// Where a stream has the transaction's connection to itself, this is refused before anything is written.
fn from_a_stream_of_the_same_transaction(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 2000)?;
    let answer = db.transaction(|tx| {
        let rows = Number::objects(tx).iterator(100)?.map(|row| Number { id: row.id + 10_000, ..row });
        Number::bulk_create(tx, rows)
    });
    if bed.shares_a_connection_with_a_stream() {
        assert_eq!(answer?, 2000);
        assert_eq!(count(bed, "numbers"), 4000);
    } else {
        assert_eq!(answer.map_err(|error| error.kind()), Err(ErrorKind::ConnectionInUse));
        assert_eq!(count(bed, "numbers"), 2000);
    }
    Ok(())
}

fn in_a_nested_transaction(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 0)?;
    db.transaction(|tx| {
        Number::bulk_create(tx, (1..=600).map(number))?;
        let inner: orm_core::Result<u64> = tx.transaction(|inner| Number::bulk_create(inner, (500..700).map(number)));
        assert_eq!(inner.map_err(|error| error.kind()), Err(ErrorKind::UniqueViolation));
        Number::bulk_create(tx, (601..=602).map(number))
    })?;
    assert_eq!(count(bed, "numbers"), 602);
    Ok(())
}

fn a_huge_value(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    numbers(&db, 0)?;
    let huge = |id| Number { id, name: Some("é".repeat(10 << 20)) };
    Number::bulk_create(&db, [number(1), huge(2), number(3)])?;
    let length = bed.pick(Pick { postgres: "length", mysql: "char_length", sqlite: "length" });
    assert_eq!(bed.number(&format!("SELECT {length}(name) FROM numbers WHERE id = 2")), 10 << 20);
    assert_eq!(Number::objects(&db).filter(|n| n.id.eq(2)).get()?, huge(2));
    Ok(())
}
