#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Flight::objects(db).values(|f| diesel::dsl::max(f.number));
}

fn main() {}
