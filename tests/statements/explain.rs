//! Plans, as the database tells them: that indexes are used, and that asking changes nothing.

use orm_core::{prelude::*, queryset::Explain};
use orm_tests::{Bed, Pick, TestResult, ok, on_each_backend};

use crate::models::{Airport, Flight, Leg, airport, flight, schedule};

on_each_backend! {
    a_row_is_found_by_its_primary_key, rows_are_found_by_the_key_of_their_relation, rows_are_found_by_their_relations_key,
    no_index_is_used_where_there_is_none, times, plans_in_json, raw_statements, in_a_transaction, the_database_says_no,
    asking_changes_nothing,
}

/// So many rows that no planner reads all of them for one.
fn many(bed: &Bed) -> orm_core::Result<Database> {
    let db = bed.db()?;
    db.create_tables::<(Airport, Flight, Leg)>()?;
    Airport::bulk_create(&db, (0..3000).map(|at| airport(&format!("A{at}"), &format!("City {at}"), None)))?;
    Flight::bulk_create(
        &db,
        (0..6000_i64).map(|id| flight(id, Some(1.5), &format!("r{id}"), &format!("A{}", id % 3000))),
    )?;
    Leg::bulk_create(&db, (0..3000).map(|number| Leg { carrier: format!("C{}", number % 50), number, miles: number }))?;
    bed.execute(bed.pick(Pick {
        postgres: "ANALYZE",
        mysql: "ANALYZE TABLE airports, flights, legs",
        sqlite: "ANALYZE",
    }));
    Ok(db)
}

fn a_row_is_found_by_its_primary_key(bed: &Bed) -> TestResult {
    let db = many(bed)?;
    let plan = Flight::objects(&db).filter(|f| f.id.eq(7)).explain()?;
    let by_key = bed.pick(Pick {
        postgres: "Index Scan using flights_pkey on flights",
        mysql: "| const | PRIMARY | PRIMARY |",
        sqlite: "SEARCH flights USING INTEGER PRIMARY KEY",
    });
    assert!(plan.contains(by_key), "{plan}");

    let plan = Leg::objects(&db).filter(|l| l.carrier.eq("C7").and(l.number.eq(7))).explain()?;
    let by_key = bed.pick(Pick {
        postgres: "Index Scan using legs_pkey on legs",
        mysql: "| const | PRIMARY | PRIMARY |",
        sqlite: "SEARCH legs USING INDEX sqlite_autoindex_legs_1 (carrier=? AND number=?)",
    });
    assert!(plan.contains(by_key), "{plan}");
    Ok(())
}

/// The index of flights that `create_tables` made.
fn rows_are_found_by_the_key_of_their_relation(bed: &Bed) -> TestResult {
    let db = many(bed)?;
    let from = Flight::objects(&db).filter(|f| f.origin().code.eq("A7").and(f.origin().city.eq("City 7")));
    let plan = from.explain()?;
    assert!(plan.contains("flights__origin_code"), "{plan}");
    let all = bed.pick(Pick { postgres: "Seq Scan on flights", mysql: "| ALL |", sqlite: "SCAN flights" });
    assert!(!plan.contains(all), "{plan}");
    assert_eq!(from.count()?, 2);
    Ok(())
}

/// The index of airports that is their primary key.
fn rows_are_found_by_their_relations_key(bed: &Bed) -> TestResult {
    let db = many(bed)?;
    let one = Flight::objects(&db).filter(|f| f.id.eq(7)).select_related(|f| f.origin());
    let plan = one.explain()?;
    let by_key = bed.pick(Pick {
        postgres: "Index Scan using airports_pkey on airports",
        mysql: "| PRIMARY |",
        sqlite: "SEARCH flights__origin USING INDEX sqlite_autoindex_airports_1 (code=?)",
    });
    assert!(plan.contains(by_key), "{plan}");
    let all = bed.pick(Pick { postgres: "Seq Scan", mysql: "| ALL |", sqlite: "SCAN" });
    assert!(!plan.contains(all), "{plan}");
    Ok(())
}

/// The other tests would see it.
fn no_index_is_used_where_there_is_none(bed: &Bed) -> TestResult {
    let db = many(bed)?;
    let plan = Flight::objects(&db).filter(|f| f.remark.eq("r7")).explain()?;
    let all = bed.pick(Pick { postgres: "Seq Scan on flights", mysql: "| ALL |", sqlite: "SCAN flights" });
    assert!(plan.contains(all), "{plan}");
    Ok(())
}

fn times(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let explained = Flight::objects(&db).filter(|f| f.delay.gt(0.0)).explain_with(Explain::new().analyze());
    match bed.pick(Pick { postgres: Some("actual time="), mysql: Some("r_rows"), sqlite: None }) {
        Some(times) => {
            let plan = explained?;
            assert!(plan.contains(times), "{plan}");
        }
        None => {
            let error = explained.expect_err("it has no times");
            assert_eq!((error.kind(), error.model()), (ErrorKind::InvalidQuery, Some("Flight")));
            assert!(error.to_string().contains("executes nothing to explain it"), "{error}");
        }
    }
    Ok(())
}

fn plans_in_json(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let flights = Flight::objects(&db).filter(|f| f.delay.gt(0.0));
    for options in [Explain::new().json(), Explain::new().json().analyze()] {
        let explained = flights.explain_with(options);
        match bed.pick(Pick { postgres: Some("/0/Plan"), mysql: Some("/query_block"), sqlite: None }) {
            Some(at) => {
                let plan: serde_json::Value = serde_json::from_str(&explained?)?;
                assert!(plan.pointer(at).is_some(), "{plan}");
            }
            None => assert_eq!(explained.expect_err("it has no JSON").kind(), ErrorKind::InvalidQuery),
        }
    }
    Ok(())
}

fn raw_statements(bed: &Bed) -> TestResult {
    let db = many(bed)?;
    let plan = Flight::raw(&db, "SELECT * FROM flights WHERE id = ?").bind(7_i64).explain()?;
    let by_key = bed.pick(Pick { postgres: "flights_pkey", mysql: "PRIMARY", sqlite: "PRIMARY KEY" });
    assert!(plan.contains(by_key), "{plan}");
    assert!(db.raw_values::<i64>("SELECT 1 WHERE 1 = ?").explain().is_err());
    Ok(())
}

fn in_a_transaction(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    db.transaction(|tx| {
        // What is so small is read whole, unless that is forbidden.
        tx.batch_execute(bed.pick(Pick {
            postgres: "SET LOCAL enable_seqscan = off",
            mysql: "SET @unused = 1",
            sqlite: "PRAGMA user_version",
        }))?;
        let plan = Flight::objects(tx).filter(|f| f.id.eq(3)).explain()?;
        let by_key = bed.pick(Pick { postgres: "flights_pkey", mysql: "PRIMARY", sqlite: "PRIMARY KEY" });
        assert!(plan.contains(by_key), "{plan}");
        assert_eq!(Flight::objects(tx).count()?, 5);
        ok(())
    })?;
    Ok(())
}

fn the_database_says_no(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let error = Flight::objects(&db).explain().expect_err("there is no table");
    assert_eq!((error.kind(), error.model()), (ErrorKind::UndefinedTable, Some("Flight")));
    assert!(error.sql().is_some_and(|sql| sql.starts_with("EXPLAIN ")), "{error}");
    Ok(())
}

fn asking_changes_nothing(bed: &Bed) -> TestResult {
    let db = Database::builder().pool_size(1).connect(bed.url())?;
    schedule(&db)?;
    if bed.backend() == orm_core::BackendKind::Postgres {
        bed.execute("CREATE SEQUENCE tickets");
        let next = db.raw_values::<i64>("SELECT nextval('tickets')");
        let refused = next.explain_with(Explain::new().analyze());
        assert_eq!(refused.expect_err("it writes").kind(), ErrorKind::ReadOnly);
        assert!(next.explain()?.contains("Result"));
        assert_eq!(next.get().map_err(|error| error.kind()), Err(ErrorKind::ReadOnly));
        assert_eq!(next.load()?, [1]);
    }
    // The connection can write again.
    let _ = Flight::objects(&db).explain_with(Explain::new().analyze());
    assert_eq!(Flight::objects(&db).filter(|f| f.id.eq(1)).delete()?, 1);
    Ok(())
}
