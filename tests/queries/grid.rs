//! Every clause with every other, and every terminal: each works, or is refused before anything is sent.

use orm_core::{
    dsl::{count_star, exists, lag, rank, row_number, sum},
    prelude::*,
};
use orm_tests::{Bed, TestResult, on_each_backend};

use crate::models::{Flight, schedule};

on_each_backend! { clauses_and_terminals }

type Clause = for<'t> fn(QuerySet<'t, Flight>) -> QuerySet<'t, Flight>;
type Terminal = for<'t> fn(&'t Transaction, QuerySet<'t, Flight>) -> orm_core::Result<()>;

const CLAUSES: [(&str, Clause); 24] = [
    ("filter", |q| q.filter(|f| f.delay.gt(f.seats).or(f.origin().city.contains("New")))),
    ("exclude", |q| q.exclude(|f| f.dest().hub().city.eq("Chicago"))),
    ("is_in", |q| q.clone().filter(|f| f.id.is_in(q.order_by(|f| f.delay.asc()).limit(3).values(|f| f.id)))),
    ("order_by", |q| q.order_by(|f| (f.dest().city.desc().nulls_last(), (f.seats % 3).asc(), f.id.asc()))),
    ("order_by a condition", |q| q.order_by(|f| (f.delay.gt(5).asc().nulls_first(), f.id.desc()))),
    ("order_by a window", |q| {
        q.order_by(|f| rank().over(|w| w.partition_by(f.carrier).order_by(f.delay.asc())).desc())
    }),
    ("reverse", |q| q.reverse()),
    ("distinct", |q| q.distinct()),
    ("distinct_on", |q| q.distinct_on(|f| f.carrier)),
    ("limit", |q| q.limit(4)),
    ("limit 0", |q| q.limit(0)),
    ("limit of a u64", |q| q.limit(u64::MAX)),
    ("offset", |q| q.offset(2)),
    ("offset of a u64", |q| q.offset(u64::MAX)),
    ("none", |q| q.none()),
    ("qualify", |q| q.qualify(|f| row_number().over(|w| w.partition_by(f.carrier).order_by(f.id.asc())).le(2))),
    ("union", |q| q.clone().union([q])),
    ("union_all of a limit", |q| q.clone().union_all([q.order_by(|f| f.seats.desc()).limit(2)])),
    ("intersection", |q| q.clone().intersection([q.filter(|f| f.id.gt(2))])),
    ("difference", |q| q.clone().difference([q.filter(|f| f.carrier.eq("UA"))])),
    ("for_update", |q| q.for_update()),
    ("for_share skip_locked", |q| q.for_share().skip_locked()),
    ("for_no_key_update", |q| q.for_no_key_update()),
    ("nowait", |q| q.nowait()),
];

const TERMINALS: [(&str, Terminal); 28] = [
    ("load", |_, q| q.load().map(drop)),
    ("iterator", |_, q| q.try_iterator(2)?.try_for_each(|row| row.map(drop))),
    ("first", |_, q| q.first().map(drop)),
    ("last", |_, q| q.last().map(drop)),
    ("get_or_none", |_, q| q.limit(1).get_or_none().map(drop)),
    ("earliest", |_, q| q.earliest(|f| f.delay).map(drop)),
    ("count", |_, q| q.count().map(drop)),
    ("exists", |_, q| q.exists().map(drop)),
    ("sql", |_, q| q.sql().map(drop)),
    ("explain", |_, q| q.explain().map(drop)),
    ("contains", |_, q| q.contains(&crate::models::flights()[0]).map(drop)),
    ("in_bulk", |_, q| q.in_bulk([1, 2, 99]).map(drop)),
    ("in_bulk_by", |_, q| q.in_bulk_by(|f| f.id, [1, 2]).map(drop)),
    ("aggregate", |_, q| q.aggregate(|f| (count_star(), sum(f.delay))).map(drop)),
    ("group_by", |_, q| {
        let groups = q.group_by(|f| (f.carrier, f.seats.gt(105))).aggregate(|_| count_star());
        let groups = groups.having(|_, n| n.gt(0)).order_by(|(carrier, many), n| (n.desc(), many.asc(), carrier.asc()));
        groups.count()?;
        groups.load().map(drop)
    }),
    ("select_related", |_, q| q.select_related(|f| (f.origin(), f.dest())).load().map(drop)),
    ("annotate", |_, q| q.annotate(|f| (f.delay.is_null(), f.origin().city)).load().map(drop)),
    ("annotate a window", |_, q| {
        q.annotate(|f| (lag(f.delay, u32::MAX).over(|w| w.order_by(f.id.asc())), sum(f.seats).over(|w| w)))
            .load()
            .map(drop)
    }),
    ("values", |_, q| q.values(|f| (f.carrier, f.dest().city)).load().map(drop)),
    ("values distinct", |_, q| {
        let values = q.values(|f| (f.carrier, f.seats / 4)).distinct();
        values.count()?;
        values.exists()?;
        values.first()?;
        values.load().map(drop)
    }),
    ("union of values", |_, q| {
        let delays = q.clone().values(|f| f.delay).union_all([q.values(|f| f.seats)]);
        delays.count()?;
        delays.order_by(|n| n.asc()).load().map(drop)
    }),
    ("values in a condition", |tx, q| {
        let carriers = q.values(|f| f.carrier);
        Flight::objects(tx).filter(|f| f.carrier.is_in(carriers.clone())).count()?;
        Flight::objects(tx).filter(|f| f.carrier.is_in(carriers.distinct())).count().map(drop)
    }),
    ("exists in a condition", |tx, q| Flight::objects(tx).filter(|_| exists(q)).count().map(drop)),
    ("update", |_, q| q.update(|f| (f.seats.set(f.seats + 1), f.carrier.set(f.origin().city))).map(drop)),
    ("delete", |_, q| q.delete().map(drop)),
    ("qualify", |_, q| q.qualify(|f| rank().over(|w| w.order_by(f.delay.desc())).lt(4)).load().map(drop)),
    ("update_or_create", |_, q| {
        let new = || crate::models::flights()[2].clone();
        q.filter(|f| f.id.eq(3)).update_or_create(|f| f.seats.set(5), new).map(drop)
    }),
    ("get_or_create", |_, q| q.filter(|f| f.id.eq(3)).get_or_create(|| crate::models::flights()[2].clone()).map(drop)),
];

/// Why a transaction was rolled back: nothing failed, or this.
#[derive(Debug)]
struct RolledBack(Option<orm_core::Error>);

impl From<orm_core::Error> for RolledBack {
    fn from(error: orm_core::Error) -> Self {
        RolledBack(Some(error))
    }
}

fn clauses_and_terminals(bed: &Bed) -> TestResult {
    let db = bed.db()?;
    schedule(&db)?;
    let mut wrong = Vec::new();
    let mut worked = 0;
    for (one, first) in CLAUSES {
        for (two, second) in CLAUSES {
            for (terminal, run) in TERMINALS {
                let tried: Result<(), RolledBack> = db.transaction(|tx| {
                    run(tx, second(first(Flight::objects(tx))))?;
                    Err(RolledBack(None))
                });
                match tried {
                    Ok(()) | Err(RolledBack(None)) => worked += 1,
                    Err(RolledBack(Some(error))) if error.kind() == ErrorKind::InvalidQuery => {
                        assert_eq!(error.model(), Some("Flight"), "{one}, {two}: {terminal}: {error:?}");
                    }
                    // The row with the key may be left out of the queryset.
                    Err(RolledBack(Some(error))) if error.kind() == ErrorKind::UniqueViolation => {}
                    Err(RolledBack(Some(error))) => wrong.push(format!("{one}, {two}: {terminal}: {error:?}")),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of them: {:#?}", wrong.len(), &wrong[..wrong.len().min(12)]);
    assert!(worked > 4000, "only {worked} combinations worked");
    Ok(())
}
