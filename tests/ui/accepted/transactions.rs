//! Transactions in functions of every return type: the closure's error type needs no annotation.

use std::error::Error;

use orm_core::prelude::*;

#[derive(Model, Clone, Debug, PartialEq)]
struct Counter {
    #[model(primary_key)]
    id: i64,
    value: i64,
}

fn add(tx: &Transaction, id: i64) -> orm_core::Result<()> {
    Counter::objects(tx).filter(|c| c.id.eq(id)).update(|c| c.value.set(c.value + 1))?;
    Ok(())
}

/// A `main` that returns a boxed error, with `?` in the closure and behind it.
fn boxed(db: &Database) -> Result<i64, Box<dyn Error>> {
    let value = db.atomic(|tx| {
        add(tx, 1)?;
        let counter = Counter::objects(tx).get()?;
        Ok(counter.value)
    })?;
    db.build_transaction().retries(3).atomic(|tx| {
        add(tx, 1)?;
        tx.atomic(|inner| {
            add(inner, 1)?;
            Ok(())
        })?;
        Ok(())
    })?;
    Ok(value)
}

fn boxed_send(db: &Database) -> Result<(), Box<dyn Error + Send + Sync>> {
    db.atomic(|tx| {
        add(tx, 1)?;
        Ok(())
    })?;
    Ok(())
}

/// As `anyhow::Error`: it takes any error, and is none itself.
struct Anyhow(Box<dyn Error + Send + Sync>);

impl<E: Error + Send + Sync + 'static> From<E> for Anyhow {
    fn from(error: E) -> Self {
        Anyhow(error.into())
    }
}

fn anyhow(db: &Database) -> Result<i64, Anyhow> {
    let value = db.atomic(|tx| {
        add(tx, 1)?;
        let counter = Counter::objects(tx).get()?;
        Ok(counter.value)
    })?;
    // With errors of other types in the closure.
    db.transaction(|tx| -> Result<_, Anyhow> {
        add(tx, "1".parse()?)?;
        Ok(())
    })?;
    Ok(value)
}

fn ours(db: &Database) -> orm_core::Result<i64> {
    db.transaction(|tx| {
        add(tx, 1)?;
        Ok(())
    })?;
    db.atomic(|tx| add(tx, 1))?;
    let value = db.atomic(|tx| {
        let counter = Counter::objects(tx).get()?;
        Ok(counter.value)
    })?;
    Ok(value)
}

#[derive(Debug)]
enum Refused {
    TooHigh(i64),
    Database(orm_core::Error),
}

impl From<orm_core::Error> for Refused {
    fn from(error: orm_core::Error) -> Self {
        Refused::Database(error)
    }
}

fn of_its_own(db: &Database) -> Result<i64, Refused> {
    db.transaction(|tx| {
        add(tx, 1)?;
        tx.transaction(|inner| {
            add(inner, 1)?;
            let value = inner.atomic(|innermost| Ok(Counter::objects(innermost).get()?.value))?;
            if value > 3 { Err(Refused::TooHigh(value)) } else { Ok(value) }
        })
    })
}

/// What the compiler's message says, where nothing tells the type.
fn named(db: &Database) -> Result<(), Box<dyn Error>> {
    db.transaction(|tx| {
        add(tx, 1)?;
        Ok::<_, orm_core::Error>(())
    })?;
    db.transaction(|tx| -> Result<_, Refused> { Ok(add(tx, 1)?) }).map_err(|refused| format!("{refused:?}"))?;
    Ok(())
}

#[test]
fn each_of_them_commits() -> Result<(), Box<dyn Error>> {
    let db = orm_core::connect("sqlite::memory:")?;
    db.create_tables::<(Counter,)>()?;
    Counter::create(&db, Counter { id: 1, value: 0 })?;
    let value = || Counter::objects(&db).get().map(|counter| counter.value);
    assert_eq!(of_its_own(&db).ok(), Some(2));
    assert_eq!(boxed(&db)?, 3);
    assert_eq!(value()?, 5);
    boxed_send(&db).map_err(|error| error.to_string())?;
    assert_eq!(anyhow(&db).map_err(|error| error.0.to_string())?, 7);
    assert_eq!(value()?, 8);
    assert_eq!(ours(&db)?, 10);
    named(&db)?;
    assert!(matches!(of_its_own(&db), Err(Refused::TooHigh(14))));
    let nothing = orm_core::connect("sqlite::memory:")?;
    assert!(matches!(of_its_own(&nothing), Err(Refused::Database(error)) if error.kind() == ErrorKind::UndefinedTable));
    assert_eq!(value()?, 12);
    Ok(())
}
