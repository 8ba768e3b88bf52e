#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Flight::objects(db).filter(|f| f.number.gt(5) && true);
}

fn main() {}
