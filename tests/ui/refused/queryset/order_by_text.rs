#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Flight::objects(db).order_by(|_| "id; DROP TABLE flights");
}

fn main() {}
