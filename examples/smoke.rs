use chrono::NaiveDateTime;
use itertools::Itertools;
use orm_core::prelude::*;

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Airport {
    #[model(primary_key)]
    pub code: String,
    pub city: String,
    #[model(belongs_to(Airport, name = hub))]
    pub hub_code: Option<String>,
}

#[derive(Model, Clone, Debug)]
#[model(table = "flights")]
pub struct Flight {
    #[model(primary_key)]
    pub id: i64,
    pub scheduled_at: NaiveDateTime,
    pub dep_delay: Option<f64>,
    #[model(belongs_to(Airport, name = origin, reverse = departures))]
    pub origin_code: String,
    #[model(belongs_to(Airport, name = dest, reverse = arrivals, optional))]
    pub dest_code: String,
    pub seats: u32,
}

fn late(db: &Database) -> QuerySet<'_, Flight> {
    Flight::objects(db).filter(|f| f.dep_delay.gt(15.0).or(f.dep_delay.is_null()))
}

fn main() -> orm_core::Result<()> {
    let db = orm_core::connect(&std::env::args().nth(1).unwrap_or("sqlite::memory:".into()))?;
    let _ = db.batch_execute("DROP TABLE IF EXISTS flights; DROP TABLE IF EXISTS airports");
    db.create_tables::<(Flight, Airport)>()?;
    let airport = |code: &str, city: &str, hub: Option<&str>| Airport {
        code: code.into(),
        city: city.into(),
        hub_code: hub.map(Into::into),
    };
    Airport::bulk_create(
        &db,
        [airport("JFK", "New York", None), airport("LGA", "New York", Some("JFK")), airport("ORD", "Chicago", None)],
    )?;
    let at = chrono::DateTime::from_timestamp(1_357_034_400, 0).unwrap().naive_utc();
    let n = Flight::bulk_create(
        &db,
        [
            (1, "JFK", "ORD", Some(20.)),
            (2, "LGA", "SJU", Some(30.)),
            (3, "JFK", "LGA", None),
            (4, "LGA", "ORD", Some(1.)),
        ]
        .map(|(id, o, d, delay)| Flight {
            id,
            scheduled_at: at,
            dep_delay: delay,
            origin_code: o.into(),
            dest_code: d.into(),
            seats: 5,
        }),
    )?;
    println!("{n}");
    let query = late(&db)
        .filter(|f| f.origin().city.eq("New York").and(f.seats.eq(5)))
        .order_by(|f| (f.origin_code.asc(), f.id.asc()));
    println!("{}", query.sql()?);
    for (code, group) in &query.clone().iterator(2)?.chunk_by(|flight| flight.origin_code.clone()) {
        println!("{code}: {:?}", group.map(|flight| flight.id).collect_vec());
    }
    let related = query.clone().select_related(|f| (f.origin(), f.dest(), f.origin().hub()));
    println!("{}", related.sql()?);
    for (flight, origin, dest, hub) in related.iterator(2)? {
        let (origin, dest, hub): (Airport, Option<Airport>, Option<Airport>) = (origin, dest, hub);
        println!("{} {} -> {:?}, hub {:?}", flight.id, origin.code, dest.map(|d| d.city), hub.map(|h| h.code));
    }
    for (id, city, dest_city) in query.clone().values(|f| (f.id, f.origin().city, f.dest().city)).iterator(2)? {
        let (id, city, dest_city): (i64, String, Option<String>) = (id, city, dest_city);
        println!("{id} {city} {dest_city:?}");
    }
    println!("{} {}", query.count()?, query.exists()?);
    println!("{:?}", query.first()?);
    println!("{:?}", query.get());
    println!(
        "{:?}",
        Flight::objects(&db)
            .values_as::<(i64, Option<f64>), _>(|f| (
                orm_core::diesel::dsl::count_star(),
                orm_core::diesel::dsl::max(f.dep_delay)
            ))
            .load()?
    );
    let r: orm_core::Result<()> = db.transaction(|tx| {
        let mut s = Flight::objects(tx).iterator(1)?;
        s.next();
        println!("in tx: {:?}", Flight::objects(tx).count());
        Ok(())
    });
    println!("{r:?}");
    Ok(())
}
