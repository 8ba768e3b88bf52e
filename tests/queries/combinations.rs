//! Set operations, against the same of sets of ids.

use std::collections::BTreeSet;

use itertools::Itertools;
use orm_core::{
    dsl::{count_star, sum},
    prelude::*,
};
use orm_tests::{Bed, Pick, TestResult, on_each_backend};

use crate::models::{Flight, ids, schedule};

on_each_backend! {
    of_models, union_all_keeps_what_is_there_twice, limits_of_operands_are_kept, the_whole_is_a_queryset, of_several,
    of_unions, values, values_are_ordered_by_their_columns, optional_values, of_nothing, streamed, written_through, the_statements,
}

fn late<'a>(db: &'a Database) -> QuerySet<'a, Flight> {
    Flight::objects(db).filter(|f| f.delay.gt(0))
}

fn united<'a>(db: &'a Database) -> QuerySet<'a, Flight> {
    Flight::objects(db).filter(|f| f.carrier.eq("UA"))
}

fn of_models(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let set =
        |keep: &dyn Fn(&Flight) -> bool| flights.iter().filter(|f| keep(f)).map(|f| f.id).collect::<BTreeSet<_>>();
    let (a, b) = (set(&|f| f.delay > Some(0)), set(&|f| f.carrier == "UA"));
    let got = |query: QuerySet<'_, Flight>| ids(&query.order_by(|f| f.id.asc()));
    assert_eq!(got(late(&db).union([united(&db)]))?, a.union(&b).copied().collect_vec());
    assert_eq!(got(late(&db).intersection([united(&db)]))?, a.intersection(&b).copied().collect_vec());
    assert_eq!(got(late(&db).difference([united(&db)]))?, a.difference(&b).copied().collect_vec());
    // The rows are whole models.
    let rows = late(&db).union([united(&db)]).order_by(|f| f.id.asc()).load()?;
    assert_eq!(rows, flights.into_iter().filter(|f| a.contains(&f.id) || b.contains(&f.id)).collect_vec());
    Ok(())
}

fn union_all_keeps_what_is_there_twice(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let all = late(&db).union_all([united(&db)]);
    assert_eq!(ids(&all.clone().order_by(|f| f.id.asc()))?, [1, 1, 2, 4, 5, 8, 8, 10]);
    assert_eq!((all.count()?, late(&db).union([united(&db)]).count()?), (8, 6));
    Ok(())
}

fn limits_of_operands_are_kept(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let first = Flight::objects(&db).order_by(|f| f.id.asc()).limit(2);
    let last = Flight::objects(&db).order_by(|f| f.id.desc()).limit(2).offset(1);
    let both = first.clone().union([last.clone()]).order_by(|f| f.id.asc());
    assert_eq!(ids(&both)?, [1, 2, 8, 9]);
    assert_eq!(ids(&both.limit(3).offset(1))?, [2, 8, 9]);
    let others = Flight::objects(&db).difference([first, last]);
    assert_eq!(ids(&others.order_by(|f| f.id.asc()))?, [3, 4, 5, 6, 7, 10]);
    // An order without a limit says nothing of the whole.
    let ordered = Flight::objects(&db).order_by(|f| f.id.desc()).union([united(&db).order_by(|f| f.seats.asc())]);
    assert_eq!(ordered.count()?, 10);
    Ok(())
}

fn the_whole_is_a_queryset(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let both = late(&db).union([united(&db)]);
    let city = both.clone().filter(|f| f.origin().city.eq("New York")).order_by(|f| f.id.desc());
    assert_eq!(ids(&city)?, [10, 8, 5, 2, 1]);
    assert_eq!(city.count()?, 5);
    assert_eq!(city.clone().exclude(|f| f.dest().code.eq("ZRH")).count()?, 3);
    let joined = both.clone().select_related(|f| (f.origin(), f.dest())).order_by(|f| f.id.asc()).load()?;
    assert_eq!(joined.iter().filter(|(_, _, dest)| dest.is_none()).map(|(f, ..)| f.id).collect_vec(), [5]);
    assert_eq!(both.aggregate(|f| (count_star(), sum(f.id)))?, (6, Some(1 + 2 + 4 + 5 + 8 + 10)));
    let carriers = both.clone().group_by(|f| f.carrier).aggregate(|_| count_star()).order_by(|c, _| c.asc()).load()?;
    assert_eq!(carriers, [("AA".into(), 2), ("UA".into(), 4)]);
    let codes = both.clone().values(|f| f.carrier).distinct().order_by(|f| f.carrier.desc()).load()?;
    assert_eq!(codes, ["UA", "AA"]);
    assert_eq!(both.first()?.map(|f| f.id), Some(1));
    assert_eq!(both.last()?.map(|f| f.id), Some(10));
    Ok(())
}

fn of_several(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let of = |carrier: &'static str| Flight::objects(&db).filter(move |f| f.carrier.eq(carrier));
    assert_eq!(of("DL").union([of("B6"), of("AA"), of("DL")]).count()?, 6);
    assert_eq!(Flight::objects(&db).difference(["UA", "AA", "B6"].map(of)).get()?.id, 9);
    assert_eq!(of("DL").union([]).count()?, 1);
    Ok(())
}

fn of_unions(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let both = late(&db).union([united(&db)]);
    let some = both.difference([Flight::objects(&db).filter(|f| f.id.gt(4))]);
    assert_eq!(ids(&some.order_by(|f| f.id.asc()))?, [1, 2, 4]);
    let cut = late(&db).union([united(&db)]).order_by(|f| f.id.asc()).limit(3).union_all([united(&db)]);
    assert_eq!(ids(&cut.order_by(|f| f.id.asc()))?, [1, 1, 2, 2, 4, 5, 8]);
    Ok(())
}

fn values(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let from = late(&db).values(|f| (f.origin_code, f.origin().city));
    let to = late(&db).values(|f| (f.dest_code, f.origin().city));
    let codes: Vec<(String, String)> =
        from.clone().union([to.clone()]).order_by(|(code, city)| (code.asc(), city.desc())).load()?;
    let flights = late(&db).select_related(|f| f.origin()).load()?;
    let expected = flights
        .iter()
        .flat_map(|(f, origin)| [&f.origin_code, &f.dest_code].map(|code| (code.clone(), origin.city.clone())))
        .sorted_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)))
        .dedup()
        .collect_vec();
    assert_eq!(codes, expected);
    assert_eq!(from.clone().union([to.clone()]).count()?, u64::try_from(expected.len())?);
    assert_eq!(from.union_all([to]).count()?, 8);
    Ok(())
}

fn values_are_ordered_by_their_columns(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let delays =
        |carrier: &'static str| Flight::objects(&db).filter(move |f| f.carrier.eq(carrier)).values(|f| f.delay);
    let all = delays("UA").union_all([delays("AA")]).order_by(|delay| delay.desc().nulls_first());
    assert_eq!(all.load()?, [None, None, Some(120), Some(20), Some(20), Some(7), Some(-3)]);
    assert_eq!(all.clone().offset(2).limit(2).load()?, [Some(120), Some(20)]);
    assert_eq!(all.clone().limit(2).count()?, 2);
    assert_eq!(all.first()?, Some(None));
    assert_eq!(all.iterator(2)?.collect_vec().len(), 7);
    let cut =
        delays("UA").order_by(|f| f.id.asc()).limit(1).union_all([delays("AA").order_by(|f| f.id.desc()).limit(1)]);
    assert_eq!(cut.order_by(|delay| delay.asc()).load()?, [Some(7), Some(20)]);
    let computed = late(&db).values(|f| f.id * 2).difference([united(&db).values(|f| f.id + 1)]);
    assert_eq!(computed.order_by(|id| id.asc()).load()?, [8, 16, 20]);
    Ok(())
}

/// A value is an `Option` where either queryset's is.
fn optional_values(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let flights = schedule(&db)?;
    let seats = || Flight::objects(&db).filter(|f| f.id.le(4)).values(|f| f.seats);
    let delays = || Flight::objects(&db).filter(|f| f.id.le(4)).values(|f| f.delay);
    let (seats_of, delays_of): (BTreeSet<Option<i32>>, BTreeSet<Option<i32>>) =
        flights.iter().take(4).map(|f| (Some(f.seats), f.delay)).unzip();
    let both: Vec<Option<i32>> = seats().union([delays()]).order_by(|n| n.asc().nulls_first()).load()?;
    assert_eq!(both, seats_of.union(&delays_of).copied().collect_vec());
    let both: Vec<Option<i32>> = delays().union([seats()]).order_by(|n| n.asc().nulls_first()).load()?;
    assert_eq!(both, seats_of.union(&delays_of).copied().collect_vec());
    assert_eq!(seats().union_all([delays()]).load()?.into_iter().flatten().count(), 7);
    let only: Vec<Option<i32>> = delays().difference([seats()]).order_by(|n| n.asc().nulls_first()).load()?;
    assert_eq!(only, delays_of.difference(&seats_of).copied().collect_vec());
    let common: Vec<Option<i32>> = seats().intersection([delays()]).load()?;
    assert_eq!(common, seats_of.intersection(&delays_of).copied().collect_vec());
    // In tuples each value by itself, also along a relation that may find no row.
    let origins = Flight::objects(&db).filter(|f| f.id.eq(5)).values(|f| (f.id, f.origin().city, f.delay));
    let dests = Flight::objects(&db).filter(|f| f.id.eq(5)).values(|f| (f.id, f.dest().city, f.seats));
    let rows: Vec<(i64, Option<String>, Option<i32>)> =
        origins.union([dests]).order_by(|(_, city, _)| city.asc().nulls_first()).load()?;
    assert_eq!(rows, [(5, None, Some(105)), (5, Some("New York".into()), None)]);
    Ok(())
}

fn of_nothing(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let none = || Flight::objects(&db).filter(|f| f.id.lt(0));
    assert_eq!(ids(&none().union([none()]))?, Vec::<i64>::new());
    assert!(!none().union_all([none()]).exists()?);
    assert_eq!(none().union([united(&db)]).count()?, 4);
    assert_eq!(united(&db).values(|f| f.id).intersection([none().values(|f| f.id)]).load()?, Vec::<i64>::new());
    Ok(())
}

fn streamed(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let rows = late(&db).union([united(&db)]).order_by(|f| f.id.asc()).iterator(2)?;
    assert_eq!(rows.map(|f| f.id).collect_vec(), [1, 2, 4, 5, 8, 10]);
    Ok(())
}

/// What changes rows changes those of the union.
fn written_through(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let first = Flight::objects(&db).order_by(|f| f.id.asc()).limit(1);
    let last = Flight::objects(&db).order_by(|f| f.id.desc()).limit(1);
    assert_eq!(first.union([last]).update(|f| f.seats.set(7))?, 2);
    assert_eq!(bed.number("SELECT SUM(id) FROM flights WHERE seats = 7"), 11);
    assert_eq!(late(&db).intersection([united(&db)]).delete()?, 2);
    assert_eq!(ids(&Flight::objects(&db).order_by(|f| f.id.asc()))?, [2, 3, 4, 5, 6, 7, 9, 10]);
    Ok(())
}

fn the_statements(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    let plain = |sql: String| sql.replace(['"', '`'], "");
    let codes = Flight::objects(&db).values(|f| f.carrier).union([Flight::objects(&db).values(|f| f.dest_code)]);
    assert_eq!(
        plain(codes.order_by(|code| code.asc()).limit(3).sql()?),
        "WITH __combined (__c1) AS (SELECT flights.carrier FROM flights UNION SELECT flights.dest_code FROM flights) SELECT \
         __combined.__c1 FROM __combined ORDER BY __combined.__c1 ASC LIMIT 3"
    );
    let columns = "flights.id, flights.carrier, flights.delay, flights.seats, flights.share, flights.origin_code, \
                   flights.dest_code";
    let cut = Flight::objects(&db).limit(1);
    let (open, close) = bed.pick(Pick { postgres: ("(", ")"), mysql: ("(", ")"), sqlite: ("SELECT * FROM (", ")") });
    assert_eq!(
        plain(Flight::objects(&db).difference([cut]).sql()?),
        format!(
            "SELECT {columns} FROM (SELECT {columns} FROM flights EXCEPT {open}SELECT {columns} FROM flights LIMIT \
             1{close}) AS flights"
        )
    );
    Ok(())
}
