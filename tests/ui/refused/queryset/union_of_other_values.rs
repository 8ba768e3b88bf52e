#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Flight::objects(db).values(|f| f.id).union([Flight::objects(db).values(|f| f.origin_code)]);
}

fn main() {}
