#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Flight::objects(db).update(|f| f.origin().city.set("x"));
}

fn main() {}
