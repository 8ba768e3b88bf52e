use itertools::Itertools;
use orm_core::prelude::*;

#[derive(Model)]
struct Airport {
    #[model(primary_key)]
    code: String,
    city: String,
}

#[derive(Model)]
struct Flight {
    #[model(primary_key)]
    id: i64,
    delay: Option<i32>,
    #[model(belongs_to(Airport, name = origin))]
    origin_code: String,
}

fn late(db: &Database) -> QuerySet<'_, Flight> {
    Flight::objects(db)
        .filter(|f| f.delay.gt(15).and(f.origin().city.ne("Chicago")))
        .order_by(|f| (f.origin().city.asc(), f.id.asc()))
}

fn main() -> orm_core::Result<()> {
    let db = orm_core::connect("sqlite::memory:")?; // or postgres:// or mysql://user:password@host/name
    db.create_tables::<(Airport, Flight)>()?;
    let airports = [("JFK", "New York"), ("EWR", "Newark"), ("ORD", "Chicago")];
    Airport::bulk_create(&db, airports.map(|(code, city)| Airport { code: code.into(), city: city.into() }))?;
    let flights = [("JFK", Some(20)), ("EWR", Some(90)), ("ORD", Some(45)), ("JFK", Some(31)), ("EWR", None)];
    let flights = (1..).zip(flights).map(|(id, (origin, delay))| Flight { id, delay, origin_code: origin.into() });
    Flight::bulk_create(&db, flights)?;
    let rows = late(&db).select_related(|f| f.origin()).iterator(2000)?;
    for (city, rows) in &rows.chunk_by(|(_, origin)| origin.city.clone()) {
        println!("{city}: {:?}", rows.map(|(flight, _)| (flight.id, flight.delay)).collect_vec());
    }
    Ok(())
}
