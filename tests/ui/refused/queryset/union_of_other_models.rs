#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Flight::objects(db).union([Airport::objects(db)]);
}

fn main() {}
