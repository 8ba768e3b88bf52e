#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Flight::bulk_create(db, ["JFK"]);
}

fn main() {}
