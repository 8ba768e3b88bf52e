//! Picking rows: last, earliest, by keys, the first of each set.

use std::collections::HashMap;

use itertools::Itertools;
use orm_core::{
    BackendKind,
    dsl::{avg, row_number},
    prelude::*,
};
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Airport, Flight, Leg, airport, airports, ids, schedule};

on_each_backend! {
    last, last_of_a_cut_queryset, last_needs_an_order_or_a_key, earliest_and_latest, get_or_none, contains, in_bulk,
    in_bulk_of_composite_keys, in_bulk_beyond_the_limit_of_parameters, in_bulk_by_a_field, distinct_on, qualified, qualified_by_other_windows,
}

fn last(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    assert_eq!(Flight::objects(&db).last()?, flights.last().cloned());
    assert_eq!(Flight::objects(&db).order_by(|f| f.id.desc()).last()?, flights.first().cloned());
    assert_eq!(Flight::objects(&db).order_by(|f| f.id.desc()).reverse().last()?.map(|f| f.id), Some(10));
    let by_delay = Flight::objects(&db).order_by(|f| (f.delay.asc().nulls_last(), f.id.asc()));
    assert_eq!(by_delay.last()?.map(|f| f.id), Some(7));
    assert_eq!(Flight::objects(&db).filter(|f| f.id.lt(0)).last()?, None);
    assert_eq!(Flight::objects(&db).values(|f| f.carrier).last()?, Some("AA".into()));
    Ok(())
}

fn last_of_a_cut_queryset(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let some = Flight::objects(&db).order_by(|f| f.id.asc()).limit(4).offset(2);
    assert_eq!(some.last()?.map(|f| f.id), Some(6));
    let some = Flight::objects(&db).order_by(|f| f.id.desc()).reverse().limit(3);
    assert_eq!(some.last()?.map(|f| f.id), Some(3));
    assert_eq!(some.clone().limit(0).last()?, None);
    let joined = Flight::objects(&db).select_related(|f| f.dest()).order_by(|f| f.seats.desc()).limit(2);
    assert_eq!(joined.last()?.map(|(f, dest)| (f.id, dest)), Some((9, None)));
    Ok(())
}

fn last_needs_an_order_or_a_key(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let values = Flight::objects(&db).values(|f| f.carrier).distinct();
    let error = values.last().expect_err("there is no order");
    assert_eq!(error.kind(), ErrorKind::InvalidQuery);
    assert!(error.to_string().contains("call `order_by` first"), "{error}");
    assert_eq!(values.order_by(|f| f.carrier.asc()).last()?, Some("UA".into()));
    Ok(())
}

fn earliest_and_latest(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let all = Flight::objects(&db).order_by(|f| f.seats.desc());
    assert_eq!(all.earliest(|f| (f.delay, f.id))?.map(|f| f.id), Some(2));
    assert_eq!(all.latest(|f| f.delay)?.map(|f| f.id), Some(4), "NULL is never the latest");
    assert_eq!(all.latest(|f| f.delay * 2)?.map(|f| f.id), Some(4));
    // Of a queryset that is cut: of its rows.
    let two = Flight::objects(&db).order_by(|f| f.id.asc()).limit(2);
    assert_eq!(two.latest(|f| f.delay)?.map(|f| f.id), Some(1));
    let none = Flight::objects(&db).filter(|f| f.carrier.eq("B6"));
    assert_eq!(none.latest(|f| (f.delay, f.id))?.map(|f| f.id), Some(7));
    assert_eq!(none.filter(|f| f.id.lt(0)).earliest(|f| f.id)?, None);
    Ok(())
}

fn get_or_none(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    assert_eq!(
        Airport::objects(&db).filter(|a| a.code.eq("JFK")).get_or_none()?,
        Some(airport("JFK", "New York", None))
    );
    assert_eq!(Airport::objects(&db).filter(|a| a.code.eq("XXX")).get_or_none()?, None);
    let several = Airport::objects(&db).get_or_none().expect_err("there are four");
    assert_eq!(several.kind(), ErrorKind::MultipleRows);
    Ok(())
}

fn contains(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let united = Flight::objects(&db).filter(|f| f.carrier.eq("UA"));
    assert!(united.contains(&flights[0])?);
    assert!(!united.contains(&flights[2])?);
    let first = Flight::objects(&db).order_by(|f| f.id.asc()).limit(2);
    assert_eq!((first.contains(&flights[1])?, first.contains(&flights[2])?), (true, false));
    // It is the key that counts.
    assert!(united.contains(&Flight { carrier: "XX".into(), ..flights[0].clone() })?);
    legs(&db, 3)?;
    assert!(Leg::objects(&db).contains(&Leg { carrier: "UA".into(), number: 2, miles: 0 })?);
    assert!(!Leg::objects(&db).contains(&Leg { carrier: "AA".into(), number: 2, miles: 0 })?);
    Ok(())
}

fn legs(db: &Database, number: i32) -> orm_core::Result<()> {
    db.create_tables::<(Leg,)>()?;
    Leg::bulk_create(db, (0..number).map(|number| Leg { carrier: "UA".into(), number, miles: i64::from(number) * 2 }))?;
    Ok(())
}

fn in_bulk(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let keys = ["ZRH", "JFK", "JFK", "'; --"].map(str::to_owned);
    let found = Airport::objects(&db).in_bulk(keys)?;
    let expected: HashMap<String, Airport> =
        airports().into_iter().filter(|a| ["ZRH", "JFK"].contains(&&*a.code)).map(|a| (a.code.clone(), a)).collect();
    assert_eq!(found, expected);
    assert_eq!(Airport::objects(&db).in_bulk([])?, HashMap::new());
    let hubs = Airport::objects(&db).filter(|a| a.hub_code.is_null()).in_bulk(["LGA".to_owned(), "ORD".to_owned()])?;
    assert_eq!(hubs.into_keys().collect_vec(), ["ORD"]);
    // Of a queryset that is cut: of its rows.
    let first = Flight::objects(&db).order_by(|f| f.id.asc()).limit(3).in_bulk(2..=5)?;
    assert_eq!(first.into_keys().sorted().collect_vec(), [2, 3]);
    Ok(())
}

fn in_bulk_of_composite_keys(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    legs(&db, 10)?;
    let key = |carrier: &str, number| (carrier.to_owned(), number);
    let found = Leg::objects(&db).in_bulk([key("UA", 3), key("AA", 3), key("UA", 7), key("UA", 99)])?;
    assert_eq!(found.len(), 2);
    assert_eq!((found[&key("UA", 3)].miles, found[&key("UA", 7)].miles), (6, 14));
    Ok(())
}

fn in_bulk_beyond_the_limit_of_parameters(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    legs(&db, 1500)?;
    schedule(&db)?;
    let found = Leg::objects(&db).in_bulk((0..40_000).map(|number| ("UA".to_owned(), number)))?;
    assert_eq!(found.len(), 1500);
    assert!(found.iter().all(|((_, number), leg)| leg.miles == i64::from(*number) * 2));
    assert_eq!(Flight::objects(&db).in_bulk(0..70_000)?.len(), 10);
    Ok(())
}

fn in_bulk_by_a_field(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let found = Flight::objects(&db).in_bulk_by(|f| f.seats, [101, 103, 999])?;
    assert_eq!(found.iter().map(|(seats, f)| (*seats, f.id)).sorted().collect_vec(), [(101, 1), (103, 3)]);
    let by_code = Airport::objects(&db).in_bulk_by(|a| a.code, ["JFK", "ZRH"])?;
    assert_eq!(by_code["JFK"].city, "New York");
    let error = Flight::objects(&db).in_bulk_by(|f| f.carrier, ["DL", "UA"]).expect_err("there are several");
    assert_eq!((error.kind(), error.model()), (ErrorKind::MultipleRows, Some("Flight")));
    assert!(error.to_string().contains("two rows have the same value of what `in_bulk_by` names"), "{error}");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("UA") && !shown.contains("DL"), "{shown}");
    Ok(())
}

fn distinct_on(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let worst = Flight::objects(&db)
        .distinct_on(|f| f.carrier)
        .order_by(|f| (f.carrier.asc(), f.delay.desc().nulls_last(), f.id.asc()));
    if bed.backend() != BackendKind::Postgres {
        let error = worst.load().expect_err("it is PostgreSQL's alone");
        assert_eq!((error.kind(), error.backend()), (ErrorKind::InvalidQuery, Some(bed.backend())));
        assert!(
            error.to_string().contains("`qualify`: `row_number().over(|w| w.partition_by(…).order_by(…)).eq(1)`"),
            "{error}"
        );
        assert!(worst.count().is_err() && worst.sql().is_err());
        return Ok(());
    }
    assert_eq!(ids(&worst)?, [4, 6, 9, 1]);
    assert_eq!((worst.count()?, worst.exists()?), (4, true));
    assert_eq!(worst.first()?.map(|f| f.id), Some(4));
    assert_eq!(worst.last()?.map(|f| f.id), Some(1));
    assert_eq!(worst.aggregate(|f| orm_core::dsl::sum(f.id))?, Some(20));
    let two = Flight::objects(&db)
        .distinct_on(|f| (f.carrier, f.origin().city))
        .order_by(|f| (f.origin().city.asc(), f.carrier.asc(), f.id.asc()));
    assert_eq!(two.count()?, 6);
    let error = worst.order_by(|f| f.id.asc()).load().expect_err("the order begins with something else");
    assert_eq!(error.kind(), ErrorKind::InvalidQuery);
    assert!(error.to_string().contains("must begin with the expressions of `distinct_on`"), "{error}");
    Ok(())
}

/// The advice of `distinct_on` where it is refused.
fn qualified(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let worst = Flight::objects(&db).qualify(|f| {
        row_number().over(|w| w.partition_by(f.carrier).order_by((f.delay.desc().nulls_last(), f.id.asc()))).eq(1)
    });
    let ordered = || worst.clone().order_by(|f| f.carrier.asc());
    assert_eq!(ids(&ordered())?, [4, 6, 9, 1]);
    assert_eq!((worst.count()?, worst.exists()?), (4, true));
    assert_eq!(ordered().first()?.map(|f| f.id), Some(4));
    assert_eq!(ordered().last()?.map(|f| f.id), Some(1));
    assert_eq!(worst.aggregate(|f| orm_core::dsl::sum(f.id))?, Some(20));
    assert_eq!(ordered().values(|f| (f.id, f.origin().city)).load()?[0], (4, "Chicago".to_owned()));
    // What is said afterwards is of the rows that are kept, and what was said before of the windows' rows.
    assert_eq!(ids(&ordered().filter(|f| f.delay.is_not_null()).limit(2))?, [4, 9]);
    let few = Flight::objects(&db).order_by(|f| f.id.asc()).limit(5).filter(|f| f.carrier.ne("B6"));
    let few = few.qualify(|f| row_number().over(|w| w.partition_by(f.carrier).order_by(f.id.desc())).le(2));
    assert_eq!(ids(&few.clone().order_by(|f| f.id.asc()))?, [2, 3, 4, 5]);
    // Twice.
    let last = few.qualify(|f| row_number().over(|w| w.order_by(f.id.desc())).eq(1));
    assert_eq!(ids(&last)?, [5]);
    assert_eq!(last.update(|f| f.seats.set(0))?, 1);
    assert_eq!(bed.number("SELECT id FROM flights WHERE seats = 0"), 5);
    assert_eq!(worst.delete()?, 4);
    assert_eq!(bed.number("SELECT COUNT(*) FROM flights WHERE id IN (4, 6, 9, 1)"), 0);
    Ok(())
}

fn qualified_by_other_windows(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    // Above the average of their carrier; of no value, or beside NULL, it is not true.
    let above = Flight::objects(&db)
        .qualify(|f| f.share.gt(avg(f.share).over(|w| w.partition_by(f.carrier))))
        .order_by(|f| f.id.asc());
    let mean = |carrier: &str| {
        let shares: Vec<f64> = flights.iter().filter(|f| f.carrier == carrier).filter_map(|f| f.share).collect();
        shares.iter().sum::<f64>() / f64::from(u32::try_from(shares.len()).unwrap_or(1))
    };
    let expected = flights.iter().filter(|f| f.share.is_some_and(|share| share > mean(&f.carrier))).map(|f| f.id);
    assert_eq!(ids(&above)?, expected.collect_vec());
    // Related fields, and conditions beside windows.
    let cities = Flight::objects(&db)
        .qualify(|f| {
            row_number()
                .over(|w| w.partition_by(f.origin().city).order_by(f.id.asc()))
                .eq(1)
                .and(f.dest().code.is_not_null())
        })
        .order_by(|f| f.id.asc());
    assert_eq!(ids(&cities)?, [1, 4, 6]);
    // Of a key of two columns.
    db.create_tables::<(Leg,)>()?;
    let leg = |carrier: &str, number, miles| Leg { carrier: carrier.into(), number, miles };
    Leg::bulk_create(&db, [leg("UA", 1, 10), leg("UA", 2, 30), leg("AA", 1, 20)])?;
    let longest = Leg::objects(&db)
        .qualify(|l| row_number().over(|w| w.partition_by(l.carrier).order_by(l.miles.desc())).eq(1))
        .order_by(|l| l.miles.asc());
    assert_eq!(longest.load()?, [leg("AA", 1, 20), leg("UA", 2, 30)]);
    Ok(())
}
