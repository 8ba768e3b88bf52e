//! Two models, a relation between them, and streams of any length in constant memory.
//!
//! `cargo run --example quickstart [-- URL]`

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
    #[model(belongs_to(Airport, name = origin))]
    origin_code: String,
    delay: Option<i32>,
}

// SELECT flights.id, flights.origin_code, flights.delay
// FROM flights INNER JOIN airports AS flights__origin ON flights__origin.code = flights.origin_code
// WHERE flights.delay > 15 AND flights__origin.city = 'New York'
// ORDER BY flights.origin_code ASC, flights.id ASC
fn late(db: &Database) -> QuerySet<'_, Flight> {
    Flight::objects(db)
        .filter(|f| f.delay.gt(15).and(f.origin().city.eq("New York")))
        .order_by(|f| (f.origin_code.asc(), f.id.asc()))
}

fn main() -> orm_core::Result<()> {
    let db = orm_core::connect(&std::env::args().nth(1).unwrap_or("sqlite::memory:".into()))?;
    db.create_tables::<(Airport, Flight)>()?;
    let airports = [("JFK", "New York"), ("LGA", "New York"), ("ORD", "Chicago")];
    Airport::bulk_create(&db, airports.map(|(code, city)| Airport { code: code.into(), city: city.into() }))?;
    let flights =
        [(1, "JFK", Some(20)), (2, "LGA", Some(90)), (3, "ORD", Some(45)), (4, "JFK", Some(31)), (5, "LGA", None)];
    Flight::bulk_create(&db, flights.map(|(id, code, delay)| Flight { id, origin_code: code.into(), delay }))?;

    for (code, flights) in &late(&db).iterator(2000)?.chunk_by(|flight| flight.origin_code.clone()) {
        println!("{code}: {} late", flights.count());
    }
    // The same query, which reads the airports' columns too: flights__origin.code, flights__origin.city
    for (flight, origin) in late(&db).select_related(|f| f.origin()).iterator(2000)? {
        println!("flight {} left {} {} minutes late", flight.id, origin.city, flight.delay.unwrap_or_default());
    }
    db.batch_execute("DROP TABLE flights; DROP TABLE airports")
}
