#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Flight::insert_into(db).ignore_conflicts_on(|f| f.origin().code);
}

fn main() {}
