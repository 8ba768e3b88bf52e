#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _: orm_core::Result<Airport> = Flight::objects(db).get();
}

fn main() {}
