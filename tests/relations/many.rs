//! What may be asked of the rows that refer to a row, and where it may stand.

use orm_core::prelude::*;
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Airport, Flight, schedule};

on_each_backend! {
    any_none_all, exists_and_is_empty, any_is_true_only_of_what_matches, counts, sums_and_averages, least_and_greatest,
    values_are_read_as_their_types, different_values, filters_are_joined, excluded_rows, first_in_an_order,
    in_an_order, in_arithmetic_and_comparisons, along_a_path_and_back, of_an_optional_relation, self_reference,
    rows_are_never_multiplied, with_related_models, terminals, streamed, text_with_signs, without_any_rows,
    in_a_transaction, aggregate_of_outer_fields, values_as, of_the_row_outside, without_a_name,
}

fn codes(
    db: &Database,
    keep: impl FnOnce(QuerySet<'_, Airport>) -> QuerySet<'_, Airport>,
) -> orm_core::Result<Vec<String>> {
    keep(Airport::objects(db)).order_by(|a| a.code.asc()).values(|a| a.code).load()
}

fn any_none_all(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    let late = |f: &&Flight| f.delay.is_some_and(|delay| delay > 20);
    assert_eq!(
        codes(&db, |all| all.filter(|a| a.departures().any(|f| f.delay.gt(20))))?,
        rows.codes(|a| rows.departures(a).iter().any(late))
    );
    assert_eq!(
        codes(&db, |all| all.filter(|a| a.departures().none(|f| f.delay.gt(20))))?,
        rows.codes(|a| !rows.departures(a).iter().any(late))
    );
    assert_eq!(
        codes(&db, |all| all.filter(|a| a.departures().all(|f| f.delay.gt(20))))?,
        rows.codes(|a| rows.departures(a).iter().all(late))
    );
    // Each is the opposite of itself, and never NULL.
    assert_eq!(
        codes(&db, |all| all.exclude(|a| a.departures().all(|f| f.delay.gt(20))))?,
        rows.codes(|a| !rows.departures(a).iter().all(late))
    );
    assert_eq!(
        codes(&db, |all| all.exclude(|a| a.departures().none(|f| f.delay.gt(20))))?,
        rows.codes(|a| rows.departures(a).iter().any(late))
    );
    Ok(())
}

fn exists_and_is_empty(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    assert_eq!(
        codes(&db, |all| all.filter(|a| a.departures().exists()))?,
        rows.codes(|a| !rows.departures(a).is_empty())
    );
    assert_eq!(codes(&db, |all| all.filter(|a| a.departures().is_empty()))?, ["DEN"]);
    assert_eq!(codes(&db, |all| all.filter(|a| a.arrivals().is_empty()))?, ["MDW", "ZRH"]);
    assert_eq!(codes(&db, |all| all.filter(|a| a.departures().exists().and(a.arrivals().is_empty())))?, ["MDW", "ZRH"]);
    Ok(())
}

fn any_is_true_only_of_what_matches(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    // One flight that is both, against one flight that is the one and one that is the other.
    let one = codes(&db, |all| all.filter(|a| a.departures().any(|f| f.delay.gt(20).and(f.seats.lt(120)))))?;
    let two = codes(&db, |all| {
        all.filter(|a| a.departures().any(|f| f.delay.gt(20)).and(a.departures().any(|f| f.seats.lt(120))))
    })?;
    assert_eq!(one, rows.codes(|a| rows.departures(a).iter().any(|f| f.delay > Some(20) && f.seats < 120)));
    assert_eq!(
        two,
        rows.codes(|a| rows.departures(a).iter().any(|f| f.delay > Some(20))
            && rows.departures(a).iter().any(|f| f.seats < 120))
    );
    assert_ne!(one, two);
    Ok(())
}

fn counts(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    let found: Vec<(String, i64, i64)> = Airport::objects(&db)
        .order_by(|a| a.code.asc())
        .values(|a| (a.code, a.departures().count(), a.arrivals().filter(|f| f.delay.is_not_null()).count()))
        .load()?;
    let expected = rows.airports.iter().map(|a| {
        let known = rows.arrivals(a).iter().filter(|f| f.delay.is_some()).count();
        (a.code.clone(), len(rows.departures(a).len()), len(known))
    });
    assert_eq!(found, expected.collect::<Vec<_>>());
    let busy = codes(&db, |all| all.filter(|a| a.departures().count().ge(2)))?;
    assert_eq!(busy, rows.codes(|a| rows.departures(a).len() >= 2));
    assert_eq!(codes(&db, |all| all.filter(|a| a.departures().count().eq(0)))?, ["DEN"]);
    Ok(())
}

fn len(len: usize) -> i64 {
    i64::try_from(len).expect("it is short")
}

fn sums_and_averages(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    let found: Vec<(Option<i64>, Option<i64>, Option<f64>)> = Airport::objects(&db)
        .order_by(|a| a.code.asc())
        .values(|a| (a.departures().sum(|f| f.seats), a.departures().sum(|f| f.delay), a.departures().avg(|f| f.delay)))
        .load()?;
    let expected = rows.airports.iter().map(|a| {
        let seats: Vec<i64> = rows.departures(a).iter().map(|f| i64::from(f.seats)).collect();
        let delays: Vec<i64> = rows.departures(a).iter().filter_map(|f| f.delay).map(i64::from).collect();
        let sum = |of: &[i64]| if of.is_empty() { None } else { Some(of.iter().sum::<i64>()) };
        let number = f64::from(u32::try_from(delays.len()).expect("it is short"));
        let total = sum(&delays).map(|sum| f64::from(i32::try_from(sum).expect("it is small")));
        (sum(&seats), sum(&delays), total.map(|total| total / number))
    });
    assert_eq!(found, expected.collect::<Vec<_>>());
    Ok(())
}

fn least_and_greatest(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    type Row = (Option<i32>, Option<i32>, Option<String>);
    let found: Vec<Row> = Airport::objects(&db)
        .order_by(|a| a.code.asc())
        .values(|a| {
            (a.departures().min(|f| f.delay), a.departures().max(|f| f.seats), a.departures().max(|f| f.dest_code))
        })
        .load()?;
    let expected = rows.airports.iter().map(|a| {
        let flights = rows.departures(a);
        (
            flights.iter().filter_map(|f| f.delay).min(),
            flights.iter().map(|f| f.seats).max(),
            flights.iter().filter_map(|f| f.dest_code.clone()).max(),
        )
    });
    assert_eq!(found, expected.collect::<Vec<_>>());
    Ok(())
}

/// The types of what is read are those of the expressions: they are named here, and only here.
fn values_are_read_as_their_types(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let jfk = Airport::objects(&db).filter(|a| a.code.eq("JFK"));
    type Row = (bool, bool, bool, i64, i64, Option<i64>, Option<f64>, Option<i32>, Option<i32>);
    let row: Row = jfk
        .values(|a| {
            let departures = a.departures();
            (
                departures.clone().exists(),
                departures.clone().is_empty(),
                departures.clone().all(|f| f.delay.lt(0)),
                departures.clone().count(),
                departures.clone().count_distinct(|f| f.delay),
                departures.clone().sum(|f| f.delay),
                departures.clone().avg(|f| f.seats),
                departures.clone().max(|f| f.delay),
                departures.first(|f| f.id.desc(), |f| f.seats),
            )
        })
        .get()?;
    assert_eq!(row, (true, false, false, 3, 2, Some(85), Some(150.0), Some(90), Some(200)));
    Ok(())
}

fn different_values(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    let found = Airport::objects(&db)
        .order_by(|a| a.code.asc())
        .values(|a| a.departures().count_distinct(|f| f.seats))
        .load()?;
    let expected = rows
        .airports
        .iter()
        .map(|a| len(rows.departures(a).iter().map(|f| f.seats).collect::<std::collections::HashSet<_>>().len()));
    assert_eq!(found, expected.collect::<Vec<_>>());
    Ok(())
}

fn filters_are_joined(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    let found = codes(&db, |all| {
        all.filter(|a| a.departures().filter(|f| f.seats.ge(150)).filter(|f| f.delay.is_not_null()).any(|f| f.id.gt(3)))
    })?;
    let holds = |f: &&Flight| f.seats >= 150 && f.delay.is_some() && f.id > 3;
    assert_eq!(found, rows.codes(|a| rows.departures(a).iter().any(holds)));
    // `all` goes over those that are left.
    let found =
        codes(&db, |all| all.filter(|a| a.departures().filter(|f| f.delay.is_not_null()).all(|f| f.delay.ge(0))))?;
    assert_eq!(found, rows.codes(|a| rows.departures(a).iter().filter_map(|f| f.delay).all(|delay| delay >= 0)));
    Ok(())
}

fn excluded_rows(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    let found = Airport::objects(&db)
        .order_by(|a| a.code.asc())
        .values(|a| a.departures().exclude(|f| f.delay.gt(0)).count())
        .load()?;
    // A NULL is not greater than 0, and so it stays.
    let expected = rows.airports.iter().map(|a| len(rows.departures(a).iter().filter(|f| f.delay <= Some(0)).count()));
    assert_eq!(found, expected.collect::<Vec<_>>());
    Ok(())
}

fn first_in_an_order(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    let found: Vec<(Option<i64>, Option<i32>)> = Airport::objects(&db)
        .order_by(|a| a.code.asc())
        .values(|a| {
            let latest = a.departures().first(|f| (f.delay.desc().nulls_last(), f.id.asc()), |f| f.id);
            (latest, a.departures().first(|f| f.delay.asc().nulls_first(), |f| f.delay))
        })
        .load()?;
    let expected = rows.airports.iter().map(|a| {
        let mut flights = rows.departures(a);
        // `None` is less than all: it comes last when the order is turned round.
        flights.sort_by_key(|f| (std::cmp::Reverse(f.delay), f.id));
        (flights.first().map(|f| f.id), flights.iter().map(|f| f.delay).min().flatten())
    });
    assert_eq!(found, expected.collect::<Vec<_>>());
    let found = codes(&db, |all| {
        all.filter(|a| {
            a.departures().filter(|f| f.delay.is_not_null()).first(|f| f.delay.desc(), |f| f.dest().city).eq("Chicago")
        })
    })?;
    assert_eq!(found, ["JFK"], "LGA's latest goes nowhere, ORD's and ZRH's to New York");
    Ok(())
}

fn in_an_order(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    let found = Airport::objects(&db)
        .order_by(|a| (a.departures().count().desc(), a.departures().sum(|f| f.delay).asc().nulls_last(), a.code.asc()))
        .values(|a| a.code);
    let mut airports: Vec<_> = rows.airports.iter().collect();
    airports.sort_by_key(|a| {
        let delays: Vec<i32> = rows.departures(a).iter().filter_map(|f| f.delay).collect();
        let sum: i32 = delays.iter().sum();
        (std::cmp::Reverse(rows.departures(a).len()), delays.is_empty(), sum, a.code.clone())
    });
    let mut codes: Vec<_> = airports.iter().map(|a| a.code.clone()).collect();
    assert_eq!(found.load()?, codes);
    codes.reverse();
    // NULLs turn round as well.
    assert_eq!(found.reverse().load()?, codes);
    Ok(())
}

fn in_arithmetic_and_comparisons(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    let found = codes(&db, |all| all.filter(|a| a.departures().count().gt(a.arrivals().count())))?;
    assert_eq!(found, rows.codes(|a| rows.departures(a).len() > rows.arrivals(a).len()));
    let sums = Airport::objects(&db)
        .order_by(|a| a.code.asc())
        .values(|a| a.departures().count() * 10 + a.arrivals().count())
        .load()?;
    let expected = rows.airports.iter().map(|a| len(rows.departures(a).len() * 10 + rows.arrivals(a).len()));
    assert_eq!(sums, expected.collect::<Vec<_>>());
    assert_eq!(codes(&db, |all| all.filter(|a| a.departures().count().eq_any([1_i64, 3])))?, ["JFK", "ORD", "ZRH"]);
    assert_eq!(codes(&db, |all| all.filter(|a| a.departures().max(|f| f.seats).between(180, 200)))?, ["JFK", "ORD"]);
    assert_eq!(codes(&db, |all| all.filter(|a| a.departures().min(|f| f.delay).is_null()))?, ["DEN", "MDW"]);
    Ok(())
}

/// From a flight to its airport and back to all flights from there.
fn along_a_path_and_back(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    let found: Vec<(i64, bool, i64)> = Flight::objects(&db)
        .order_by(|f| f.id.asc())
        .values(|f| {
            let others = f.origin().departures().filter(|g| g.id.ne(f.id));
            (f.id, others.clone().any(|g| g.delay.gt(f.delay)), others.count())
        })
        .load()?;
    let expected = rows.flights.iter().map(|f| {
        let others = || rows.flights.iter().filter(|g| g.origin_code == f.origin_code && g.id != f.id);
        let later = others().any(|g| g.delay.zip(f.delay).is_some_and(|(g, f)| g > f));
        (f.id, later, len(others().count()))
    });
    assert_eq!(found, expected.collect::<Vec<_>>());
    Ok(())
}

/// Where the row outside may be missing, nothing is related to it, and it stays.
fn of_an_optional_relation(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    let found: Vec<(i64, i64, Option<i64>, bool)> = Flight::objects(&db)
        .order_by(|f| f.id.asc())
        .values(|f| {
            let onward = f.dest().departures();
            (f.id, onward.clone().count(), onward.clone().sum(|g| g.seats), onward.all(|g| g.seats.gt(150)))
        })
        .load()?;
    let expected = rows.flights.iter().map(|f| {
        let onward: Vec<_> = rows
            .flights
            .iter()
            .filter(|g| f.dest_code.as_ref() == Some(&g.origin_code))
            .filter(|g| rows.airports.iter().any(|a| a.code == g.origin_code))
            .collect();
        let seats = onward.iter().map(|g| i64::from(g.seats)).sum();
        let sum = if onward.is_empty() { None } else { Some(seats) };
        (f.id, len(onward.len()), sum, onward.iter().all(|g| g.seats > 150))
    });
    assert_eq!(found, expected.collect::<Vec<_>>());
    Ok(())
}

fn self_reference(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    let spokes = |a: &Airport| rows.airports.iter().filter(|s| s.hub_code.as_ref() == Some(&a.code)).count();
    assert_eq!(codes(&db, |all| all.filter(|a| a.spokes().exists()))?, rows.codes(|a| spokes(a) > 0));
    let found = Airport::objects(&db)
        .order_by(|a| a.code.asc())
        .values(|a| (a.spokes().count(), a.hub().spokes().any(|s| s.code.eq(a.code))))
        .load()?;
    let expected = rows.airports.iter().map(|a| (len(spokes(a)), a.hub_code.is_some()));
    assert_eq!(found, expected.collect::<Vec<_>>());
    Ok(())
}

/// However many related rows there are, and however often they are asked, each row comes once.
fn rows_are_never_multiplied(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    let found: Vec<(String, i64, i64, Option<i64>)> = Airport::objects(&db)
        .filter(|a| a.departures().exists().or(a.arrivals().exists()))
        .exclude(|a| a.departures().any(|f| f.seats.lt(0)))
        .order_by(|a| (a.departures().max(|f| f.seats).is_null().asc(), a.code.asc()))
        .values(|a| (a.code, a.departures().count(), a.arrivals().count(), a.arrivals().sum(|f| f.seats)))
        .load()?;
    let mut expected: Vec<_> = rows
        .airports
        .iter()
        .map(|a| {
            let (from, to) = (rows.departures(a), rows.arrivals(a));
            let seats = to.iter().map(|f| i64::from(f.seats)).sum();
            (a.code.clone(), len(from.len()), len(to.len()), if to.is_empty() { None } else { Some(seats) })
        })
        .collect();
    expected.sort_by_key(|(_, departures, ..)| *departures == 0);
    assert_eq!(found, expected);
    // What a join would have given.
    let joined = bed.number(
        "SELECT COUNT(*) FROM airports a JOIN flights f ON f.origin_code = a.code JOIN flights g ON g.dest_code = a.code",
    );
    assert!(joined > len(found.len()), "{joined}");
    Ok(())
}

fn with_related_models(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    let found: Vec<(Flight, Airport)> = Flight::objects(&db)
        .filter(|f| f.origin().departures().count().gt(1).and(f.legs().is_empty()))
        .order_by(|f| f.id.asc())
        .select_related(|f| f.origin())
        .load()?;
    let expected = rows.flights.iter().filter_map(|f| {
        let origin = rows.airports.iter().find(|a| a.code == f.origin_code)?;
        (rows.departures(origin).len() > 1 && rows.legs(f).is_empty()).then(|| (f.clone(), origin.clone()))
    });
    assert_eq!(found, expected.collect::<Vec<_>>());
    Ok(())
}

fn terminals(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let late = Airport::objects(&db).filter(|a| a.departures().any(|f| f.delay.gt(20)));
    assert_eq!(late.count()?, 3);
    assert!(late.exists()?);
    assert_eq!(late.first()?.map(|a| a.code), Some("JFK".into()));
    assert_eq!(late.clone().filter(|a| a.arrivals().is_empty()).get()?.code, "ZRH");
    assert_eq!(late.clone().order_by(|a| a.departures().count().asc()).limit(1).offset(2).get()?.code, "JFK");
    assert_eq!(late.clone().limit(2).count()?, 2);
    assert_eq!(late.values(|a| a.departures().max(|f| f.delay)).distinct().count()?, 2);
    Ok(())
}

fn streamed(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    let stream = Airport::objects(&db)
        .filter(|a| a.departures().any(|f| f.remark.is_not_null()))
        .order_by(|a| a.code.asc())
        .iterator(1)?;
    let expected = rows.airports.iter().filter(|a| rows.departures(a).iter().any(|f| f.remark.is_some()));
    assert_eq!(stream.collect::<Vec<_>>(), expected.cloned().collect::<Vec<_>>());
    let stream = Airport::objects(&db).order_by(|a| a.code.asc()).values(|a| a.departures().count()).try_iterator(2)?;
    let expected: Vec<_> = rows.airports.iter().map(|a| len(rows.departures(a).len())).collect();
    assert_eq!(stream.collect::<orm_core::Result<Vec<_>>>()?, expected);
    Ok(())
}

fn text_with_signs(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    for needle in ["%", "_", "'", "\\", "Zürich", "ä", "", "100%"] {
        let found = codes(&db, |all| all.filter(|a| a.departures().any(|f| f.remark.contains(needle))))?;
        let holds = |f: &&Flight| f.remark.as_ref().is_some_and(|remark| remark.contains(needle));
        assert_eq!(found, rows.codes(|a| rows.departures(a).iter().any(holds)), "{needle}");
    }
    Ok(())
}

fn without_any_rows(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(Airport, Flight)>()?;
    assert_eq!(codes(&db, |all| all.filter(|a| a.departures().is_empty()))?, [""; 0]);
    assert_eq!(Airport::objects(&db).filter(|a| a.departures().exists()).count()?, 0);
    let airport = Airport { code: "JFK".into(), city: String::new(), gates: 0, hub_code: None };
    Airport::bulk_create(&db, [airport])?;
    let row = Airport::objects(&db)
        .values(|a| (a.departures().count(), a.departures().sum(|f| f.seats), a.departures().all(|f| f.seats.gt(1))))
        .get()?;
    assert_eq!(row, (0, None, true));
    Ok(())
}

fn in_a_transaction(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let count =
        |on: &QuerySet<'_, Airport>| on.clone().filter(|a| a.code.eq("DEN")).values(|a| a.departures().count()).get();
    let undone = db.transaction(|tx| {
        let flight =
            Flight { id: 100, origin_code: "DEN".into(), dest_code: None, delay: None, seats: 1, remark: None };
        Flight::bulk_create(tx, [flight])?;
        assert_eq!(count(&Airport::objects(tx))?, 1);
        Airport::objects(tx).filter(|a| a.code.eq("no such airport")).get()
    });
    assert!(undone.is_err());
    assert_eq!(count(&Airport::objects(&db))?, 0);
    Ok(())
}

/// SQL takes an aggregate of nothing but outer columns for one of the outer query.
fn aggregate_of_outer_fields(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    let found: Vec<(Option<i64>, i64, Option<i32>)> = Airport::objects(&db)
        .order_by(|a| a.code.asc())
        .values(|a| {
            let departures = a.departures();
            (
                departures.clone().sum(|_| a.gates),
                departures.clone().count_distinct(|_| a.city),
                departures.max(|f| a.gates + f.seats),
            )
        })
        .load()?;
    let expected = rows.airports.iter().map(|a| {
        let flights = rows.departures(a);
        let gates = i64::from(a.gates) * len(flights.len());
        let sum = if flights.is_empty() { None } else { Some(gates) };
        (sum, i64::from(!flights.is_empty()), flights.iter().map(|f| f.seats + a.gates).max())
    });
    assert_eq!(found, expected.collect::<Vec<_>>());
    Ok(())
}

fn values_as(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let row = Airport::objects(&db)
        .filter(|a| a.code.eq("LGA"))
        .values_as::<(i64, bool, Option<i32>), _>(|a| {
            (a.departures().count(), a.departures().exists(), a.departures().min(|f| f.delay))
        })
        .get()?;
    assert_eq!(row, (2, true, Some(0)));
    Ok(())
}

fn of_the_row_outside(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let rows = schedule(&db)?;
    let found = codes(&db, |all| all.filter(|a| a.departures().any(|f| f.seats.gt(a.gates + 50))))?;
    assert_eq!(found, rows.codes(|a| rows.departures(a).iter().any(|f| f.seats > a.gates + 50)));
    // The join is the outer query's.
    let found = codes(&db, |all| all.filter(|a| a.departures().any(|f| f.dest_code.eq(a.hub().code))))?;
    assert_eq!(
        found,
        rows.codes(|a| rows.departures(a).iter().any(|f| f.dest_code.is_some() && f.dest_code == a.hub_code))
    );
    Ok(())
}

fn without_a_name(bed: &Bed) -> TestResult {
    use orm_core::reverse::many;

    use crate::models::flights::relations::origin;

    let db = bed.db()?;
    let rows = schedule(&db)?;
    let found = codes(&db, |all| all.filter(|a| many::<origin, _>(&a).any(|f| f.delay.gt(20))))?;
    assert_eq!(found, rows.codes(|a| rows.departures(a).iter().any(|f| f.delay > Some(20))));
    Ok(())
}
