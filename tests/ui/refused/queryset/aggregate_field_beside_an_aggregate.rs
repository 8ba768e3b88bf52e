#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Flight::objects(db).aggregate(|f| (orm_core::dsl::count_star(), f.number));
}

fn main() {}
