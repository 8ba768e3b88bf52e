#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Flight::objects(db).filter(|_| {
        let airport = Airport::fields::<orm_core::path::Root<Airport>>(&Default::default());
        airport.city.eq("Chicago")
    });
}

fn main() {}
