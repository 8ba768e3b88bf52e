//! What errors and diagnostics advise, as programs: each piece of advice compiles, and the queries run.

use orm_core::{
    diesel::{dsl::sql, sql_types::Integer},
    dsl::{count, count_star, not, row_number, sum},
    prelude::*,
};

#[derive(Model, Clone, Debug, PartialEq)]
struct Airline {
    #[model(primary_key)]
    code: String,
    name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Flight {
    #[model(primary_key)]
    id: i64,
    seats: i32,
    delay: Option<i32>,
    share: f64,
    cancelled: bool,
    #[model(belongs_to(Airline, name = airline, reverse = flights))]
    carrier: String,
}

/// Some of a flight's fields.
#[derive(PartialModel)]
#[model(of = Flight)]
struct Seats {
    id: i64,
    seats: i32,
}

fn flights() -> orm_core::Result<Database> {
    let db = orm_core::connect("sqlite::memory:")?;
    db.create_tables::<(Airline, Flight)>()?;
    Airline::bulk_create(&db, [Airline { code: "UA".into(), name: "United".into() }])?;
    let flight = |id| Flight { id, seats: 100, delay: Some(5), share: 0.5, cancelled: false, carrier: "UA".into() };
    Flight::bulk_create(&db, (1..=3).map(flight))?;
    Ok(db)
}

#[test]
fn conditions() -> orm_core::Result<()> {
    let db = flights()?;
    let all = || Flight::objects(&db);
    // A condition is a boolean expression, `f.name.eq("x").or(f.id.gt(5))`; of NULL there is `is_null`.
    assert_eq!(all().filter(|f| f.carrier.eq("x").or(f.id.gt(1))).count()?, 2);
    assert_eq!(all().filter(|f| f.delay.is_null()).count()?, 0);
    assert_eq!(all().filter(|f| f.delay.is_in([1, 2]).or(f.delay.is_null())).count()?, 0);
    assert_eq!(all().exclude(|f| f.delay.is_in([None, Some(5)])).count()?, 0);
    assert_eq!(all().filter(|f| not(f.cancelled.eq(true)).and(!f.cancelled)).count()?, 3);
    // `distinct_on`, and conditions on windows.
    let first = all().qualify(|f| row_number().over(|w| w.partition_by(f.carrier).order_by(f.id.asc())).eq(1));
    assert_eq!(first.values(|f| f.id).load()?, [1]);
    assert_eq!(all().qualify(|f| row_number().over(|w| w.order_by(f.id.asc())).le(3)).count()?, 3);
    // Of groups.
    let groups = all().filter(|f| f.seats.gt(5)).group_by(|f| f.carrier).aggregate(|_| count_star());
    assert_eq!(groups.having(|_, flights| flights.gt(1)).count()?, 1);
    Ok(())
}

#[test]
fn orders() -> orm_core::Result<()> {
    let db = flights()?;
    let all = || Flight::objects(&db);
    assert_eq!(all().order_by(|f| asc(f.seats - f.delay)).reverse().count()?, 3);
    assert_eq!(all().order_by(|_| asc(sql::<Integer>("seats"))).distinct().reverse().load()?.len(), 3);
    assert_eq!(all().order_by(|f| (f.carrier.asc(), orm_core::desc(f.id))).values(|f| f.id).first()?, Some(3));
    assert_eq!(all().order_by(|f| f.id.asc()).last()?.map(|f| f.id), Some(3));
    Ok(())
}

#[test]
fn values_and_aggregates() -> orm_core::Result<()> {
    let db = flights()?;
    let all = || Flight::objects(&db);
    assert_eq!(all().values_as::<(i64, String), _>(|f| (f.id, f.carrier)).load()?.len(), 3);
    assert_eq!(all().values(|f| (f.id, f.seats)).load()?.len(), 3);
    assert_eq!(all().select_related(|f| f.airline()).load()?[0].1.name, "United");
    assert_eq!(all().aggregate(|f| (count_star(), sum(f.seats)))?, (3, Some(300)));
    assert_eq!(all().aggregate(|f| (count(f.carrier).distinct(), sum(f.seats).distinct()))?, (1, Some(100)));
    assert_eq!(all().values(|f| sum(f.seats).over(|w| w.partition_by(f.carrier))).first()?, Some(Some(300)));
    assert_eq!(all().only::<Seats>().load()?.iter().map(|s| i64::from(s.seats) + s.id).sum::<i64>(), 306);
    assert_eq!(all().values(|f| f.seats.cast::<f64>().sqrt()).first()?, Some(10.0));
    assert_eq!(Airline::objects(&db).values(|a| a.flights().count()).get()?, 3);
    Ok(())
}

#[test]
fn changes() -> orm_core::Result<()> {
    let db = flights()?;
    let all = || Flight::objects(&db);
    // An assignment is of a value of the field's type, a reference to one, or an expression; an `Option` takes `None`.
    assert_eq!(all().update(|f| (f.delay.set(None), f.seats.set(&7), f.carrier.set("UA")))?, 3);
    assert_eq!(all().update(|f| (f.delay.set(f.seats), f.seats.set(f.seats + 1)))?, 3);
    // Related rows are updated by a queryset of their own model, and read in assignments.
    assert_eq!(Airline::objects(&db).update(|a| a.name.set("Untied"))?, 1);
    assert_eq!(all().update(|f| f.carrier.set(f.airline().code))?, 3);
    let changed = all().load()?.into_iter().map(|flight| Flight { seats: 9, ..flight });
    assert_eq!(Flight::bulk_update(&db, changed, |f| (f.seats, f.delay))?, 3);
    // Rows are locked, and SQLite's transactions are begun, as the refusal of `for_update` says.
    let error = db.transaction(|tx| Flight::objects(tx).for_update().load()).expect_err("SQLite has no row locks");
    assert!(error.to_string().contains("build_transaction().immediate()"), "{error}");
    let read = db.build_transaction().immediate().run(|tx| Flight::objects(tx).load())?;
    assert_eq!(read.len(), 3);
    Ok(())
}
