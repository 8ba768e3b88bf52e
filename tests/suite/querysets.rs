//! Querysets as values, and what their terminals answer.

use std::num::NonZeroUsize;

use itertools::Itertools;
use orm_core::prelude::*;
use orm_tests::{Bed, Pick, TestResult, on_each_backend};

use crate::models::{Airport, Flight, Number, ids, named, schedule};

on_each_backend! {
    first, first_without_an_order, get, count_of_everything, exists, an_empty_table, sql_is_what_is_sent, sql_of_a_bad_queryset, debug_of_a_queryset, clones_are_equal_and_apart, a_queryset_crosses_threads, a_function_may_take_and_return_one, order_of_calls_does_not_matter, fetch_bytes_is_no_limit,
}

fn first(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = named(&db)?;
    assert_eq!(Number::objects(&db).order_by(|n| n.id.desc()).first()?.as_ref(), rows.last());
    assert_eq!(Number::objects(&db).filter(|n| n.id.gt(6)).first()?, None);
    assert_eq!(Number::objects(&db).order_by(|n| n.id.asc()).values(|n| n.name).offset(1).first()?, Some(None));
    Ok(())
}

fn first_without_an_order(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Airport,)>()?;
    let airport = |code: &str| crate::models::airport(code, "City", None);
    Airport::bulk_create(&db, ["M", "C", "A", "X"].map(airport))?;
    assert_eq!(Airport::objects(&db).first()?, Some(airport("A")), "the smallest primary key");
    assert_eq!(Airport::objects(&db).offset(1).first()?, Some(airport("C")));
    assert_eq!(Airport::objects(&db).select_related(|a| a.hub()).first()?, Some((airport("A"), None)));
    Ok(())
}

fn get(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = named(&db)?;
    assert_eq!(Number::objects(&db).filter(|n| n.id.eq(3)).get()?, rows[2]);
    let none = Number::objects(&db).filter(|n| n.id.eq(33)).get().expect_err("there is none");
    assert_eq!((none.kind(), none.model()), (ErrorKind::NotFound, Some("Number")));
    let many = Number::objects(&db).filter(|n| n.name.eq("a")).get().expect_err("there are two");
    assert_eq!((many.kind(), many.model()), (ErrorKind::MultipleRows, Some("Number")));
    assert!(many.sql().is_some_and(|sql| sql.contains("WHERE")), "{many:?}");
    assert_eq!(Number::objects(&db).filter(|n| n.name.eq("a")).order_by(|n| n.id.asc()).limit(1).get()?.id, 3);
    Ok(())
}

fn count_of_everything(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    assert_eq!(Flight::objects(&db).count()?, 6);
    assert_eq!(Flight::objects(&db).order_by(|f| f.dest().city.asc()).count()?, 6, "an order drops no row");
    assert_eq!(Flight::objects(&db).select_related(|f| (f.origin(), f.dest())).count()?, 6);
    assert_eq!(Flight::objects(&db).filter(|f| f.dest().city.eq("Chicago")).count()?, 2);
    assert_eq!(Flight::objects(&db).filter(|f| f.dest().city.is_null()).count()?, 1);
    assert_eq!(Flight::objects(&db).exclude(|f| f.dest().city.eq("Chicago")).count()?, 4);
    assert_eq!(Flight::objects(&db).values(|f| f.origin().city).distinct().count()?, 2);
    assert_eq!(Flight::objects(&db).values(|f| f.dest().city).count()?, 6);
    Ok(())
}

fn exists(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    assert!(Flight::objects(&db).exists()?);
    assert!(!Flight::objects(&db).limit(0).exists()?);
    assert!(!Flight::objects(&db).filter(|f| f.id.gt(6)).exists()?);
    assert!(Flight::objects(&db).filter(|f| f.origin().hub().city.eq("Chicago")).exists()?);
    assert!(!Flight::objects(&db).filter(|f| f.origin().hub().city.eq("Boston")).exists()?);
    assert!(Flight::objects(&db).order_by(|f| f.id.desc()).offset(5).exists()?);
    assert!(!Flight::objects(&db).offset(6).exists()?);
    Ok(())
}

fn an_empty_table(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Number,)>()?;
    let query = Number::objects(&db);
    assert_eq!((query.count()?, query.exists()?, query.first()?, query.load()?), (0, false, None, vec![]));
    assert_eq!(query.get().map_err(|error| error.kind()), Err(ErrorKind::NotFound));
    assert_eq!(query.iterator(5)?.next(), None);
    Ok(())
}

fn sql_is_what_is_sent(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let query =
        Flight::objects(&db).filter(|f| f.origin().city.eq("New York")).order_by(|f| f.id.desc()).limit(3).offset(1);
    let expected = bed.pick(Pick {
        postgres: r#"SELECT "flights"."id", "flights"."scheduled_at", "flights"."dep_delay", "flights"."origin_code", "flights"."dest_code", "flights"."seats" FROM "flights" INNER JOIN "airports" AS "flights__origin" ON "flights__origin"."code" = "flights"."origin_code" WHERE (("flights__origin"."city" = $1)) ORDER BY "flights"."id" DESC LIMIT 3 OFFSET 1"#,
        mysql: "SELECT `flights`.`id`, `flights`.`scheduled_at`, `flights`.`dep_delay`, `flights`.`origin_code`, `flights`.`dest_code`, `flights`.`seats` FROM `flights` INNER JOIN `airports` AS `flights__origin` ON `flights__origin`.`code` = `flights`.`origin_code` WHERE ((`flights__origin`.`city` = ?)) ORDER BY `flights`.`id` DESC LIMIT 3 OFFSET 1",
        sqlite: "SELECT `flights`.`id`, `flights`.`scheduled_at`, `flights`.`dep_delay`, `flights`.`origin_code`, `flights`.`dest_code`, `flights`.`seats` FROM `flights` INNER JOIN `airports` AS `flights__origin` ON `flights__origin`.`code` = `flights`.`origin_code` WHERE ((`flights__origin`.`city` = ?)) ORDER BY `flights`.`id` DESC LIMIT 3 OFFSET 1",
    });
    assert_eq!(query.sql()?, expected);
    Ok(())
}

fn sql_of_a_bad_queryset(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let query = Number::objects(&db).reverse();
    assert_eq!(query.sql().map_err(|error| error.kind()), Err(ErrorKind::InvalidQuery));
    assert!(format!("{query:?}").contains("cannot be reversed"), "{query:?}");
    Ok(())
}

fn debug_of_a_queryset(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let query = Number::objects(&db).filter(|n| n.id.eq(77));
    assert_eq!(format!("{query:?}"), format!("QuerySet({})", query.sql()?));
    assert!(!format!("{query:?}").contains("77"), "{query:?}");
    Ok(())
}

fn clones_are_equal_and_apart(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    named(&db)?;
    let base = Number::objects(&db).filter(|n| n.id.gt(1)).order_by(|n| n.id.asc());
    let narrow = base.clone().filter(|n| n.id.lt(4));
    assert_eq!(ids(narrow)?, [2, 3]);
    assert_eq!(ids(base.clone().limit(1))?, [2]);
    assert_eq!(ids(base.clone())?, [2, 3, 4, 5, 6]);
    assert_eq!((ids(base.clone())?, base.count()?), (ids(base.clone())?, 5));
    Ok(())
}

fn a_queryset_crosses_threads(bed: &Bed) -> TestResult {
    fn is_send_and_sync<T: Send + Sync + Clone>(_: &T) {}
    let db = bed.db()?;
    named(&db)?;
    let query = Number::objects(&db).filter(|n| n.id.gt(2)).order_by(|n| n.id.asc());
    is_send_and_sync(&query);
    is_send_and_sync(&db);
    let counts: Vec<_> = std::thread::scope(|scope| {
        let threads = (0..4).map(|_| {
            let query = query.clone();
            scope.spawn(move || ids(query))
        });
        threads
            .collect_vec()
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| panic!("it panicked")))
            .collect()
    });
    for count in counts {
        assert_eq!(count?, [3, 4, 5, 6]);
    }
    Ok(())
}

fn a_function_may_take_and_return_one(bed: &Bed) -> TestResult {
    fn late(db: &Database) -> QuerySet<'_, Flight> {
        Flight::objects(db).filter(|f| f.dep_delay.gt(15.0))
    }
    fn from<'a>(query: QuerySet<'a, Flight>, code: &'a str) -> QuerySet<'a, Flight> {
        query.filter(|f| f.origin_code.eq(code))
    }
    let db = bed.db()?;
    schedule(&db)?;
    assert_eq!(from(late(&db), "JFK").values(|f| f.id).load()?, [1]);
    Ok(())
}

fn order_of_calls_does_not_matter(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    named(&db)?;
    let one = Number::objects(&db).limit(2).order_by(|n| n.id.desc()).filter(|n| n.name.is_not_null()).offset(1);
    let other = Number::objects(&db).filter(|n| n.name.is_not_null()).offset(1).order_by(|n| n.id.desc()).limit(2);
    assert_eq!(one.sql()?, other.sql()?);
    assert_eq!(ids(one)?, [4, 3]);
    let values = Number::objects(&db).values(|n| n.id).filter(|n| n.id.gt(4)).order_by(|n| n.name.asc()).load()?;
    assert_eq!(values.into_iter().sorted().collect_vec(), [5, 6]);
    Ok(())
}

fn fetch_bytes_is_no_limit(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    named(&db)?;
    assert_eq!(Number::objects(&db).fetch_bytes(NonZeroUsize::MIN).load()?.len(), 6);
    assert_eq!(Number::objects(&db).fetch_bytes(NonZeroUsize::MIN).iterator(100)?.count(), 6);
    Ok(())
}
