//! `group_by`: values of each group, against groups that are made of a Vec.

use std::collections::BTreeMap;

use itertools::Itertools;
use orm_core::{
    dsl::{avg, count, count_star, max, min, sum},
    prelude::*,
};
use orm_tests::{Bed, Pick, TestResult, on_each_backend};

use crate::models::{Flight, schedule};

on_each_backend! {
    by_one_key, by_several_keys, having_is_of_groups, keys_with_values, keys_that_are_null, ordered_and_cut, streamed,
    counted, of_a_cut_queryset, of_no_rows, conditions_stand_before, one_group, the_statement, filtered_aggregates,
    of_distinct_values_is_refused,
}

type Counted = BTreeMap<String, (i64, Option<i64>)>;

fn oracle(flights: &[Flight]) -> Counted {
    let mut groups = Counted::new();
    for flight in flights {
        let group = groups.entry(flight.carrier.clone()).or_default();
        group.0 += 1;
        if let Some(delay) = flight.delay {
            *group.1.get_or_insert(0) += i64::from(delay);
        }
    }
    groups
}

fn by_one_key(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let carriers = Flight::objects(&db).group_by(|f| f.carrier).aggregate(|f| (count_star(), sum(f.delay)));
    let rows: Vec<(String, (i64, Option<i64>))> = carriers.load()?;
    assert_eq!(rows.into_iter().collect::<Counted>(), oracle(&flights));
    let one: Vec<(String, i64)> = Flight::objects(&db)
        .group_by(|f| f.carrier)
        .aggregate(|_| count_star())
        .order_by(|carrier, _| carrier.asc())
        .load()?;
    assert_eq!(one, [("AA".into(), 3), ("B6".into(), 2), ("DL".into(), 1), ("UA".into(), 4)]);
    Ok(())
}

fn by_several_keys(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let rows: Vec<((String, String, Option<String>), (i64, Option<f64>))> = Flight::objects(&db)
        .group_by(|f| (f.carrier, f.origin().city, f.dest().code))
        .aggregate(|f| (count_star(), avg(f.delay)))
        .having(|_, (flights, _)| flights.ge(1))
        .order_by(|(carrier, _, dest), _| (carrier.desc(), dest.asc().nulls_first()))
        .limit(4)
        .load()?;
    let text = |text: &str| text.to_owned();
    assert_eq!(
        rows,
        [
            ((text("UA"), text("New York"), None), (1, None)),
            ((text("UA"), text("New York"), Some(text("ORD"))), (2, Some(8.5))),
            ((text("UA"), text("New York"), Some(text("ZRH"))), (1, Some(20.0))),
            ((text("DL"), text("Chicago"), None), (1, Some(0.0))),
        ]
    );
    Ok(())
}

fn having_is_of_groups(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let carriers = Flight::objects(&db).group_by(|f| f.carrier).aggregate(|f| (count_star(), sum(f.delay)));
    let kept = |groups: orm_core::Result<Vec<(String, (i64, Option<i64>))>>| -> orm_core::Result<Vec<String>> {
        Ok(groups?.into_iter().map(|group| group.0).sorted().collect())
    };
    let expected = |keep: &dyn Fn(&str, (i64, Option<i64>)) -> bool| {
        oracle(&flights).into_iter().filter(|(carrier, group)| keep(carrier, *group)).map(|(c, _)| c).collect_vec()
    };
    assert_eq!(kept(carriers.clone().having(|_, (n, _)| n.gt(2)).load())?, expected(&|_, (n, _)| n > 2));
    assert_eq!(
        kept(carriers.clone().having(|_, (_, delay)| delay.is_null()).load())?,
        expected(&|_, (_, delay)| delay.is_none())
    );
    let several = carriers.clone().having(|carrier, (n, _)| n.gt(1).and(carrier.ne("UA"))).having(|_, (n, _)| n.lt(3));
    assert_eq!(kept(several.load())?, ["B6"]);
    assert_eq!(several.count()?, 1);
    let either = carriers.having(|carrier, (n, delay)| carrier.eq("DL").or(n.gt(3)).or(delay.gt(100)));
    assert_eq!(kept(either.load())?, ["AA", "DL", "UA"]);
    Ok(())
}

/// A key with bind parameters is written once, and is one key wherever it is used.
fn keys_with_values(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let groups = Flight::objects(&db)
        .filter(|f| f.id.gt(1))
        .group_by(|f| ((f.id + 1) / 3, f.carrier, f.seats * 0))
        .aggregate(|f| (count_star(), max(f.id + 5)))
        .having(|(third, _, zero), (n, _)| third.ge(1).and(n.ge(1)).and(zero.eq(0)))
        .order_by(|(third, carrier, _), (n, _)| (third.desc(), n.desc(), carrier.asc()));
    let mut expected: BTreeMap<(i64, String), (i64, i64)> = BTreeMap::new();
    for flight in flights.iter().filter(|f| f.id > 1) {
        let group = expected.entry(((flight.id + 1) / 3, flight.carrier.clone())).or_default();
        *group = (group.0 + 1, group.1.max(flight.id + 5));
    }
    let expected = expected
        .into_iter()
        .sorted_by_key(|((third, carrier), (n, _))| (-third, -n, carrier.clone()))
        .map(|((third, carrier), (n, most))| ((third, carrier, 0), (n, Some(most))))
        .collect_vec();
    assert_eq!(groups.load()?, expected);
    assert_eq!(groups.clone().iterator(2)?.collect_vec(), expected);
    assert_eq!(groups.count()?, u64::try_from(expected.len())?);
    assert!(groups.exists()?);
    Ok(())
}

fn keys_that_are_null(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let rows = Flight::objects(&db)
        .group_by(|f| f.delay)
        .aggregate(|f| (count_star(), min(f.id)))
        .order_by(|delay, _| delay.asc().nulls_last())
        .load()?;
    let expected = [(Some(-3), 2), (Some(0), 9), (Some(7), 10), (Some(20), 1), (Some(120), 4), (None, 3)];
    assert_eq!(
        rows,
        expected.map(|(delay, first)| {
            let n = if delay == Some(20) {
                2
            } else if delay.is_none() {
                4
            } else {
                1
            };
            (delay, (n, Some(first)))
        })
    );
    Ok(())
}

fn ordered_and_cut(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let groups = Flight::objects(&db)
        .group_by(|f| f.carrier)
        .aggregate(|f| (count_star(), sum(f.delay)))
        .order_by(|carrier, (n, delay)| (delay.desc().nulls_first(), n.asc(), carrier.asc()));
    let names = |groups: orm_core::Result<Vec<(String, (i64, Option<i64>))>>| -> orm_core::Result<Vec<String>> {
        Ok(groups?.into_iter().map(|group| group.0).collect())
    };
    assert_eq!(names(groups.load())?, ["B6", "AA", "UA", "DL"]);
    assert_eq!(names(groups.clone().offset(1).limit(2).load())?, ["AA", "UA"]);
    assert_eq!(groups.clone().offset(1).count()?, 3);
    assert_eq!(groups.clone().limit(2).count()?, 2);
    assert_eq!(groups.first()?.map(|group| group.0), Some("B6".into()));
    assert_eq!(groups.get().map_err(|error| error.kind()).err(), Some(ErrorKind::MultipleRows));
    Ok(())
}

fn streamed(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    db.create_tables::<(crate::models::Leg,)>()?;
    let leg = |number: i32| crate::models::Leg { carrier: "UA".into(), number, miles: i64::from(number % 700) };
    crate::models::Leg::bulk_create(&db, (0..2100).map(leg))?;
    let groups = crate::models::Leg::objects(&db)
        .group_by(|l| l.miles)
        .aggregate(|_| count_star())
        .order_by(|miles, _| miles.asc());
    let rows: Vec<(i64, i64)> = groups.clone().iterator(64)?.collect();
    assert_eq!(rows, (0..700).map(|miles| (miles, 3)).collect_vec());
    let rows = groups.clone().try_iterator(1)?.take(3).collect::<orm_core::Result<Vec<_>>>()?;
    assert_eq!(rows, [(0, 3), (1, 3), (2, 3)]);
    assert_eq!(groups.iterator(0).map(|_| ()).map_err(|error| error.kind()), Err(ErrorKind::InvalidQuery));
    Ok(())
}

fn counted(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let groups = Flight::objects(&db).group_by(|f| (f.carrier, f.delay)).aggregate(|_| count_star());
    assert_eq!(groups.count()?, 8);
    assert!(groups.exists()?);
    assert!(!groups.clone().having(|_, n| n.gt(100)).exists()?);
    assert_eq!(groups.having(|_, n| n.gt(1)).count()?, 2);
    Ok(())
}

/// The groups are of exactly the rows that a limit leaves.
fn of_a_cut_queryset(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let last = Flight::objects(&db).order_by(|f| f.id.desc()).limit(5);
    let rows = last.group_by(|f| f.carrier).aggregate(|f| (count_star(), sum(f.delay))).load()?;
    assert_eq!(rows.into_iter().collect::<Counted>(), oracle(&flights[5..]));
    Ok(())
}

fn of_no_rows(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let none = Flight::objects(&db).filter(|f| f.id.lt(0)).group_by(|f| f.carrier).aggregate(|_| count_star());
    assert_eq!((none.load()?, none.count()?, none.exists()?), (vec![], 0, false));
    Ok(())
}

fn conditions_stand_before(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let rows = Flight::objects(&db)
        .filter(|f| f.delay.gt(0))
        .exclude(|f| f.dest().city.eq("Chicago"))
        .group_by(|f| f.carrier)
        .aggregate(|f| (count_star(), max(f.delay)))
        .order_by(|carrier, _| carrier.asc())
        .load()?;
    assert_eq!(rows, [("AA".into(), (2, Some(120))), ("UA".into(), (1, Some(20)))]);
    Ok(())
}

fn one_group(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let groups = Flight::objects(&db).group_by(|f| f.carrier).aggregate(|f| count(f.delay));
    assert_eq!(groups.having(|carrier, _| carrier.eq("DL")).get()?, ("DL".to_owned(), 1));
    Ok(())
}

fn the_statement(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let plain = |sql: String| sql.replace(['"', '`'], "");
    let groups = Flight::objects(&db).order_by(|f| f.id.asc()).group_by(|f| f.carrier).aggregate(|_| count_star());
    assert_eq!(plain(groups.sql()?), "SELECT flights.carrier, COUNT(*) FROM flights GROUP BY flights.carrier");
    let limited = groups.having(|_, n| n.gt(1)).order_by(|carrier, _| carrier.asc()).limit(2);
    let one = bed.pick(Pick { postgres: "$1", mysql: "?", sqlite: "?" });
    assert_eq!(
        plain(limited.sql()?),
        format!(
            "SELECT flights.carrier, COUNT(*) FROM flights GROUP BY flights.carrier HAVING ((COUNT(*) > {one})) ORDER BY \
             flights.carrier ASC LIMIT 2"
        )
    );
    let computed = Flight::objects(&db).group_by(|f| f.seats / 10).aggregate(|_| count_star());
    assert_eq!(
        plain(computed.order_by(|tens, _| tens.asc()).sql()?),
        bed.pick(Pick {
            postgres: "SELECT __keys.__g1, COUNT(*) FROM flights CROSS JOIN LATERAL (SELECT (flights.seats / $1) AS __g1) \
                       AS __keys GROUP BY __keys.__g1 ORDER BY __keys.__g1 ASC",
            mysql: "SELECT (flights.seats DIV ?) AS __g1, COUNT(*) FROM flights GROUP BY __g1 ORDER BY __g1 ASC",
            sqlite: "SELECT (flights.seats / ?) AS __g1, COUNT(*) FROM flights GROUP BY __g1 ORDER BY __g1 ASC",
        })
    );
    Ok(())
}

fn filtered_aggregates(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let rows = Flight::objects(&db)
        .group_by(|f| f.carrier)
        .aggregate(|f| (count_star().filter(f.delay.gt(10)), sum(f.seats).filter(f.dest().city.eq("Chicago"))))
        .order_by(|carrier, _| carrier.asc())
        .load()?;
    let row = |carrier: &str, n, seats| (carrier.to_owned(), (n, seats));
    assert_eq!(rows, [row("AA", 1, None), row("B6", 0, Some(107)), row("DL", 0, None), row("UA", 2, Some(203))]);
    Ok(())
}

fn of_distinct_values_is_refused(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let groups =
        Flight::objects(&db).values(|f| f.carrier).distinct().group_by(|f| f.seats).aggregate(|_| count_star());
    let error = groups.load().expect_err("the values have no seats");
    assert_eq!(error.kind(), ErrorKind::InvalidQuery);
    Ok(())
}
