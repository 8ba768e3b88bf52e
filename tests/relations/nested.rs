//! Related rows of related rows.

use orm_core::{ErrorKind, prelude::*};
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Airport, Flight, schedule};

on_each_backend! {
    two_levels, an_aggregate_of_an_aggregate, onward_and_back, the_same_rows_within_themselves,
    the_same_rows_by_the_way_back,
}

fn two_levels(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    let found = Airport::objects(&db)
        .filter(|a| a.departures().any(|f| f.legs().count().gt(1).and(f.seats.gt(a.gates))))
        .order_by(|a| a.code.asc())
        .values(|a| a.code);
    let holds = |a: &Airport| rows.departures(a).iter().any(|f| rows.legs(f).len() > 1 && f.seats > a.gates);
    assert_eq!(found.load()?, rows.codes(holds));
    let found = Airport::objects(&db)
        .filter(|a| a.departures().all(|f| f.legs().none(|l| l.minutes.gt(100).and(f.delay.ge(0)))))
        .order_by(|a| a.code.asc())
        .values(|a| a.code);
    let long = |f: &&Flight| rows.legs(f).iter().any(|l| l.minutes > 100 && f.delay >= Some(0));
    assert_eq!(found.load()?, rows.codes(|a| !rows.departures(a).iter().any(long)));
    Ok(())
}

fn an_aggregate_of_an_aggregate(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    let found: Vec<(Option<i64>, Option<i64>)> = Airport::objects(&db)
        .order_by(|a| a.code.asc())
        .values(|a| (a.departures().sum(|f| f.legs().count()), a.departures().max(|f| f.legs().sum(|l| l.minutes))))
        .load()?;
    let expected = rows.airports.iter().map(|a| {
        let flights = rows.departures(a);
        let legs = flights.iter().map(|f| i64::try_from(rows.legs(f).len()).expect("they are few")).sum();
        let minutes = |f: &&Flight| {
            let legs = rows.legs(f);
            (!legs.is_empty()).then(|| legs.iter().map(|l| i64::from(l.minutes)).sum::<i64>())
        };
        (if flights.is_empty() { None } else { Some(legs) }, flights.iter().filter_map(minutes).max())
    });
    assert_eq!(found, expected.collect::<Vec<_>>());
    Ok(())
}

/// Joins of the inner rows stay within; what is related to their ends is one level deeper.
fn onward_and_back(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    let found = Airport::objects(&db)
        .filter(|a| a.departures().any(|f| f.dest().arrivals().filter(|g| g.id.ne(f.id)).any(|g| g.delay.gt(f.delay))))
        .order_by(|a| a.code.asc())
        .values(|a| a.code);
    let holds = |f: &&Flight| {
        rows.flights.iter().any(|g| {
            g.id != f.id
                && g.dest_code.is_some()
                && g.dest_code == f.dest_code
                && rows.airports.iter().any(|a| Some(&a.code) == g.dest_code.as_ref())
                && g.delay.zip(f.delay).is_some_and(|(g, f)| g > f)
        })
    };
    let expected = rows.codes(|a| rows.departures(a).iter().any(holds));
    assert!(!expected.is_empty() && expected.len() < rows.airports.len(), "{expected:?}");
    assert_eq!(found.load()?, expected);
    Ok(())
}

/// Fields of the two could not be told apart, so nothing is sent.
fn the_same_rows_within_themselves(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let twice = Airport::objects(&db).filter(|a| a.departures().any(|f| a.departures().any(|g| g.delay.gt(f.delay))));
    let error = twice.load().expect_err("it cannot be written");
    assert_eq!(error.kind(), ErrorKind::InvalidQuery);
    let text = format!("{error}: {}", std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default());
    assert!(text.contains("`airports__departures`") && text.contains("step back from the row"), "{text}");
    assert_eq!(twice.count().map_err(|error| error.kind()), Err(ErrorKind::InvalidQuery));
    // Nothing of the inner ones is named, so they may be counted.
    let counted = Airport::objects(&db).filter(|a| a.departures().any(|f| f.id.eq(a.departures().count())));
    assert_eq!(counted.values(|a| a.code).load()?, ["JFK"]);
    // And one after the other is no nesting.
    let apart = Airport::objects(&db).filter(|a| {
        let late = a.departures().filter(|f| f.delay.gt(20)).count();
        a.departures().any(|f| f.id.eq(late + 5))
    });
    // LGA has none that is late, and flight 5; ORD has one, and flight 6.
    assert_eq!(apart.order_by(|a| a.code.asc()).values(|a| a.code).load()?, ["LGA", "ORD"]);
    Ok(())
}

fn the_same_rows_by_the_way_back(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    let found = Airport::objects(&db)
        .filter(|a| a.departures().any(|f| f.origin().departures().any(|g| g.delay.gt(f.delay))))
        .order_by(|a| a.code.asc())
        .values(|a| a.code);
    let holds = |a: &Airport| {
        let delays: Vec<i32> = rows.departures(a).iter().filter_map(|f| f.delay).collect();
        delays.iter().any(|one| delays.iter().any(|other| other > one))
    };
    assert_eq!(found.load()?, rows.codes(holds));
    Ok(())
}
