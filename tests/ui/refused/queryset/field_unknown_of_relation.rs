#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Flight::objects(db).filter(|f| f.origin().town.eq("Chicago"));
}

fn main() {}
