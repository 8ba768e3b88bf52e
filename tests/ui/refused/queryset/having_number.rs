#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let flights = Flight::objects(db).group_by(|f| f.origin_code).aggregate(|_| orm_core::dsl::count_star());
    let _ = flights.having(|_, flights| flights);
}

fn main() {}
