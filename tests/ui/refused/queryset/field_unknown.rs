#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Flight::objects(db).filter(|f| f.delay.gt(5.0));
}

fn main() {}
