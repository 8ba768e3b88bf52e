//! Two models, a relation between them, and streams of any length in constant memory.

use itertools::Itertools;
use orm_core::prelude::*;

#[derive(Model, Debug)]
pub struct Airport {
    #[model(primary_key)]
    pub code: String,
    pub city: String,
}

#[derive(Model, Debug)]
pub struct Flight {
    #[model(primary_key)]
    pub id: i64,
    pub delay: Option<i32>,
    #[model(belongs_to(Airport, name = origin))]
    pub origin_code: String,
}

// SELECT flights.id, flights.delay, flights.origin_code
// FROM flights INNER JOIN airports AS flights__origin ON flights__origin.code = flights.origin_code
// WHERE flights.delay > ? AND flights__origin.city = ?
// ORDER BY flights.origin_code ASC, flights.id ASC
pub fn late(db: &Database) -> QuerySet<'_, Flight> {
    Flight::objects(db)
        .filter(|f| f.delay.gt(15).and(f.origin().city.eq("New York")))
        .order_by(|f| (f.origin_code.asc(), f.id.asc()))
}

fn main() -> orm_core::Result<()> {
    let db = orm_core::connect(&std::env::args().nth(1).unwrap_or("sqlite::memory:".into()))?;
    db.create_tables::<(Airport, Flight)>()?;
    let airports = [("JFK", "New York"), ("LGA", "New York"), ("ORD", "Chicago")];
    Airport::bulk_create(&db, airports.map(|(code, city)| Airport { code: code.into(), city: city.into() }))?;
    let flights = [("JFK", Some(20)), ("LGA", Some(90)), ("ORD", Some(45)), ("JFK", Some(31)), ("LGA", None)];
    let flights = (1..).zip(flights).map(|(id, (origin, delay))| Flight { id, delay, origin_code: origin.into() });
    Flight::bulk_create(&db, flights)?;

    for (code, flights) in &late(&db).iterator(2000)?.chunk_by(|flight| flight.origin_code.clone()) {
        println!("{code}: {} late", flights.count());
    }
    // The same query, with flights__origin.code and flights__origin.city among its columns.
    for (flight, origin) in late(&db).select_related(|f| f.origin()).iterator(2000)? {
        println!("flight {} left {} {} minutes late", flight.id, origin.city, flight.delay.unwrap_or_default());
    }
    db.batch_execute("DROP TABLE flights; DROP TABLE airports")
}
