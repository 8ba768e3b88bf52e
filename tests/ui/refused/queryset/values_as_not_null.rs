#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Flight::objects(db).values_as::<f64, _>(|f| diesel::dsl::max(f.dep_delay));
}

fn main() {}
