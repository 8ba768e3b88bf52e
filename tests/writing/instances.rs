//! One row: `create`, `save`, `save_fields`, `refresh`, `delete`.

use std::{sync::Barrier, thread};

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Airport, Flight, Leg, NewVisit, Visit, airport, flight, leg, pairs, tables, unstorable, visits};

on_each_backend! {
    create_gives_the_key, create_gives_what_the_database_made_of_it, create_of_the_model_itself, create_of_a_composite_key,
    create_refuses, create_in_a_transaction, create_of_nothing, a_new_row_keeps_its_attributes, save_inserts_and_updates,
    save_of_a_generated_key, save_writes_no_generated_column, save_of_a_key_alone, save_of_a_composite_key,
    save_by_another_unique_key, save_in_a_transaction, save_refuses, saves_at_once, save_fields, save_fields_of_a_row_that_is_gone,
    save_fields_of_the_key, refresh, refresh_of_a_row_that_is_gone, delete, delete_of_a_composite_key,
    delete_what_is_referred_to, a_key_that_no_row_can_have,
}

fn new(guest: &str) -> NewVisit {
    NewVisit { guest: guest.into(), rating: None }
}

fn create_gives_the_key(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    let first = Visit::create(&db, new("Ada"))?;
    let second = Visit::create(&db, NewVisit { rating: Some(5), ..new("Zoë '漢' \\%") })?;
    assert!(first.id > 0 && second.id > first.id, "{first:?} {second:?}");
    assert_eq!((first.guest.as_str(), first.rating), ("Ada", None));
    assert_eq!(second, Visit { id: second.id, guest: "Zoë '漢' \\%".into(), rating: Some(5), state: "new".into() });
    assert_eq!(Visit::objects(&db).order_by(|v| v.id.asc()).load()?, [first, second]);
    Ok(())
}

fn create_gives_what_the_database_made_of_it(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    assert_eq!(Visit::create(&db, new("Ada"))?.state, "new");
    assert_eq!(bed.texts("SELECT state FROM visits"), [Some("new".to_owned())]);
    Ok(())
}

fn create_of_the_model_itself(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let made = Airport::create(&db, airport("EWR", "Newark", Some("JFK")))?;
    assert_eq!(made, airport("EWR", "Newark", Some("JFK")));
    assert_eq!(bed.texts("SELECT city FROM airports WHERE code = 'EWR'"), [Some("Newark".to_owned())]);
    let full = Flight { note: Some("é".into()), ..flight(77, Some(-5), "JFK", "ORD") };
    assert_eq!(Flight::create(&db, full.clone())?, full);
    Ok(())
}

fn create_of_a_composite_key(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    assert_eq!(Leg::create(&db, leg("ZZ", 9, 1, None))?, leg("ZZ", 9, 1, None));
    let error = Leg::create(&db, leg("ZZ", 9, 2, None)).expect_err("it is there");
    assert_eq!((error.kind(), error.key()), (ErrorKind::UniqueViolation, Some("(\"ZZ\", 9)")));
    Ok(())
}

fn create_refuses(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let (bad, field) = unstorable(bed, flight(8, None, "JFK", "ORD"));
    let error = Flight::create(&db, bad).expect_err("it cannot be stored");
    assert_eq!((error.kind(), error.field(), error.key()), (ErrorKind::InvalidValue, Some(field), Some("8")));
    assert!(error.to_string().contains("nothing was stored"), "{error}");
    let error = Flight::create(&db, flight(8, None, "XXX", "ORD")).expect_err("no airport is XXX");
    assert_eq!((error.kind(), error.model(), error.key()), (ErrorKind::ForeignKeyViolation, Some("Flight"), Some("8")));
    let secret = Flight { remark: "a secret".into(), ..flight(1, None, "JFK", "ORD") };
    let error = Flight::create(&db, secret).expect_err("1 is there");
    assert_eq!(error.kind(), ErrorKind::UniqueViolation);
    assert!(error.sql().is_some_and(|sql| sql.starts_with("INSERT INTO")), "{error}");
    assert!(!format!("{error} {error:?}").contains("a secret"), "{error:?}");
    assert_eq!(bed.number("SELECT count(*) FROM flights"), 6);
    Ok(())
}

fn create_in_a_transaction(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    let answer: orm_core::Result<()> = db.transaction(|tx| {
        let visit = Visit::create(tx, new("Ada"))?;
        assert_eq!(Visit::objects(tx).get()?, visit);
        let again = tx.transaction(|inner| Visit::create(inner, new("Ada")));
        assert_eq!(again.map_err(|error| error.kind()), Err(ErrorKind::UniqueViolation));
        Visit::create(tx, new("Ben"))?;
        Visit::create(tx, new("Ben")).map(drop)
    });
    assert_eq!(answer.map_err(|error| error.kind()), Err(ErrorKind::UniqueViolation));
    assert_eq!(bed.number("SELECT count(*) FROM visits"), 0);
    Ok(())
}

fn create_of_nothing(bed: &Bed) -> TestResult {
    #[derive(Model, Debug)]
    struct Ticket {
        #[model(primary_key, generated)]
        id: i64,
    }
    let db = bed.db()?;
    db.create_tables::<(Ticket,)>()?;
    let error = Ticket::create(&db, NewTicket {}).map(|ticket| ticket.id).expect_err("there is nothing to write");
    assert_eq!((error.kind(), error.model()), (ErrorKind::InvalidQuery, Some("Ticket")));
    Ok(())
}

fn a_new_row_keeps_its_attributes(bed: &Bed) -> TestResult {
    #[derive(Model, Debug)]
    #[model(table = "visits", new = Guest, new_derive(Clone, Default, PartialEq))]
    struct Visit {
        #[model(primary_key, generated)]
        id: i64,
        guest: String,
        rating: Option<i32>,
    }
    let db = visits(bed)?;
    let guest = Guest { guest: "Ada".into(), ..Guest::default() };
    assert_eq!(guest, guest.clone());
    let visit = Visit::create(&db, guest)?;
    assert_eq!((visit.id, visit.guest.as_str(), visit.rating), (1, "Ada", None));
    Ok(())
}

fn save_inserts_and_updates(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let mut row = airport("EWR", "Newark", None);
    row.save(&db)?;
    assert_eq!(bed.texts("SELECT city FROM airports WHERE code = 'EWR'"), [Some("Newark".to_owned())]);
    row = airport("EWR", "Newark, \"NJ\" 100%", Some("JFK"));
    row.save(&db)?;
    row.save(&db)?; // which changes nothing, and finds the row all the same
    assert_eq!(Airport::objects(&db).filter(|a| a.code.eq("EWR")).get()?, row);
    row = Airport { hub_code: None, ..row };
    row.save(&db)?;
    assert_eq!(Airport::objects(&db).filter(|a| a.code.eq("EWR")).get()?, row);
    assert_eq!(bed.number("SELECT count(*) FROM airports"), 5, "no other is touched");
    assert_eq!(bed.number("SELECT count(*) FROM airports WHERE city = 'New York'"), 2);
    Ok(())
}

fn save_of_a_generated_key(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    let mut visit = Visit::create(&db, new("Ada"))?;
    visit.rating = Some(3);
    visit.save(&db)?;
    Visit { id: 500, guest: "Ben".into(), rating: None, state: "anything".into() }.save(&db)?;
    assert_eq!(pairs(bed, "id", "rating", "visits"), [format!("{}=3", visit.id), "500=NULL".to_owned()]);
    Ok(())
}

/// The database fills it, so it is not overwritten by what was read once.
fn save_writes_no_generated_column(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    let mut visit = Visit::create(&db, new("Ada"))?;
    bed.execute("UPDATE visits SET state = 'done'");
    visit.rating = Some(1);
    visit.save(&db)?;
    assert_eq!(bed.texts("SELECT state FROM visits"), [Some("done".to_owned())]);
    assert_eq!(visit.state, "new");
    visit.refresh(&db)?;
    assert_eq!((visit.state.as_str(), visit.rating), ("done", Some(1)));
    Ok(())
}

fn save_of_a_key_alone(bed: &Bed) -> TestResult {
    #[derive(Model)]
    #[model(primary_key(a, b))]
    struct Link {
        a: i64,
        b: i64,
    }
    let db = bed.db()?;
    db.create_tables::<(Link,)>()?;
    for (a, b) in [(1, 1), (1, 2), (1, 1), (1, 2)] {
        Link { a, b }.save(&db)?;
    }
    assert_eq!(bed.number("SELECT count(*) FROM links"), 2);
    assert!(Link { a: 1, b: 2 }.delete(&db)?);
    assert_eq!(bed.number("SELECT b FROM links"), 1);
    Ok(())
}

fn save_of_a_composite_key(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    leg("UA", 1, 7, None).save(&db)?;
    leg("UA", 10, 8, None).save(&db)?;
    assert_eq!(bed.texts("SELECT miles FROM legs WHERE carrier = 'UA' ORDER BY number").len(), 4);
    assert_eq!(bed.number("SELECT miles FROM legs WHERE carrier = 'UA' AND number = 1"), 7);
    assert_eq!(bed.number("SELECT miles FROM legs WHERE carrier = 'AA' AND number = 1"), 100);
    Ok(())
}

/// A row that has another one's unique key takes nothing from it.
fn save_by_another_unique_key(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    let ada = Visit::create(&db, new("Ada"))?;
    let impostor = Visit { id: ada.id + 1, rating: Some(1), ..ada.clone() };
    let error = impostor.save(&db).expect_err("Ada is another row");
    assert_eq!((error.kind(), error.model()), (ErrorKind::UniqueViolation, Some("Visit")));
    assert_eq!(Visit::objects(&db).load()?, [ada]);
    Ok(())
}

fn save_in_a_transaction(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    db.transaction(|tx| {
        let ada = Visit { id: 1, guest: "Ada".into(), rating: None, state: String::new() };
        ada.save(tx)?;
        let error = tx.transaction(|inner| Visit { id: 2, ..ada.clone() }.save(inner)).expect_err("Ada is there");
        assert_eq!(error.kind(), ErrorKind::UniqueViolation);
        Visit { id: 2, guest: "Ben".into(), rating: Some(2), state: String::new() }.save(tx)?;
        Visit { rating: Some(9), ..ada }.save(tx)
    })?;
    assert_eq!(pairs(bed, "id", "rating", "visits"), ["1=9", "2=2"]);
    Ok(())
}

fn save_refuses(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let (bad, field) = unstorable(bed, flight(1, None, "JFK", "ORD"));
    let error = bad.save(&db).expect_err("it cannot be stored");
    assert_eq!((error.kind(), error.field(), error.key()), (ErrorKind::InvalidValue, Some(field), Some("1")));
    let error = flight(1, None, "XXX", "ORD").save(&db).expect_err("no airport is XXX");
    assert_eq!((error.kind(), error.key()), (ErrorKind::ForeignKeyViolation, Some("1")));
    Ok(())
}

/// Of many that save one new row, each succeeds, and one row is there.
fn saves_at_once(bed: &Bed) -> TestResult {
    let db = visits(bed)?;
    let (threads, rounds) = (4, 12);
    let barrier = Barrier::new(threads);
    thread::scope(|scope| {
        let (db, barrier) = (&db, &barrier);
        let savers: Vec<_> = (0..i32::try_from(threads).unwrap_or(0))
            .map(|thread| {
                scope.spawn(move || {
                    let save = |id| {
                        barrier.wait();
                        let visit =
                            Visit { id, guest: format!("guest {id}"), rating: Some(thread), state: String::new() };
                        if id % 2 == 0 { db.transaction(|tx| visit.save(tx)) } else { visit.save(db) }
                    };
                    // All of them, or the others would wait.
                    (1..=rounds).map(save).collect::<Vec<orm_core::Result<()>>>()
                })
            })
            .collect();
        savers.into_iter().flat_map(|saver| saver.join().expect("it does not panic")).collect::<orm_core::Result<()>>()
    })?;
    assert_eq!(bed.number("SELECT count(*) FROM visits"), rounds);
    assert_eq!(
        bed.number("SELECT count(*) FROM visits WHERE rating IS NOT NULL AND guest = concat('guest ', id)"),
        rounds
    );
    Ok(())
}

fn save_fields(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let row = Flight { delay: Some(77), remark: "saved".into(), planned: -1, ..flight(2, None, "LGA", "ORD") };
    row.save_fields(&db, |f| (f.delay, f.remark))?;
    assert_eq!(bed.texts("SELECT delay FROM flights WHERE id = 2"), [Some("77".to_owned())]);
    assert_eq!(bed.texts("SELECT remark FROM flights WHERE id = 2"), [Some("saved".to_owned())]);
    assert_eq!(bed.number("SELECT planned FROM flights WHERE id = 2"), 20, "it was not named");
    row.save_fields(&db, |f| f.planned)?;
    row.save_fields(&db, |f| f.planned)?;
    assert_eq!(pairs(bed, "id", "planned", "flights"), ["1=10", "2=-1", "3=30", "4=40", "5=50", "6=60"]);
    Ok(())
}

fn save_fields_of_a_row_that_is_gone(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let error = flight(99, None, "JFK", "ORD").save_fields(&db, |f| f.delay).expect_err("there is no 99");
    assert_eq!((error.kind(), error.model(), error.key()), (ErrorKind::NotFound, Some("Flight"), Some("99")));
    assert_eq!(bed.number("SELECT count(*) FROM flights"), 6);
    Ok(())
}

fn save_fields_of_the_key(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let error = leg("UA", 1, 1, None).save_fields(&db, |l| (l.miles, l.number)).expect_err("it says which row");
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidQuery, Some("number")));
    assert_eq!(bed.number("SELECT count(*) FROM legs WHERE miles = 1"), 0);
    Ok(())
}

fn refresh(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let mut row = flight(4, None, "x", "y");
    row.refresh(&db)?;
    assert_eq!(row, flight(4, Some(120), "ORD", "JFK"));
    bed.execute("UPDATE flights SET delay = NULL, remark = 'é' WHERE id = 4");
    row.refresh(&db)?;
    assert_eq!(row, Flight { remark: "é".into(), ..flight(4, None, "ORD", "JFK") });
    let mut leg_row = leg("UA", 3, 0, None);
    db.transaction(|tx| leg_row.refresh(tx))?;
    assert_eq!(leg_row, leg("UA", 3, 500, Some("LGA")));
    Ok(())
}

fn refresh_of_a_row_that_is_gone(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let mut row = airport("a'b\"c", "anything", None);
    let error = row.refresh(&db).expect_err("there is none");
    assert_eq!(
        (error.kind(), error.model(), error.key()),
        (ErrorKind::NotFound, Some("Airport"), Some("\"a'b\\\"c\""))
    );
    assert_eq!(row, airport("a'b\"c", "anything", None));
    Ok(())
}

fn delete(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    assert!(flight(3, None, "", "").delete(&db)?);
    assert!(!flight(3, None, "", "").delete(&db)?);
    assert_eq!(bed.number("SELECT count(*) FROM flights WHERE id <> 3"), 5);
    assert_eq!(bed.number("SELECT count(*) FROM flights"), 5);
    Ok(())
}

fn delete_of_a_composite_key(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    assert!(leg("UA", 2, 0, None).delete(&db)?);
    assert!(!leg("UA", 4, 0, None).delete(&db)?);
    assert_eq!(bed.number("SELECT count(*) FROM legs"), 4);
    Ok(())
}

fn delete_what_is_referred_to(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let error = airport("JFK", "", None).delete(&db).expect_err("flights start there");
    assert_eq!((error.kind(), error.key()), (ErrorKind::ForeignKeyViolation, Some("\"JFK\"")));
    Ok(())
}

fn a_key_that_no_row_can_have(bed: &Bed) -> TestResult {
    let db = tables(bed)?;
    let answer = airport("a\0b", "", None).delete(&db);
    match bed.keeps_nul_in_text() {
        true => assert!(!answer?),
        false => assert_eq!(answer.map_err(|error| error.kind()), Err(ErrorKind::InvalidValue)),
    }
    Ok(())
}
