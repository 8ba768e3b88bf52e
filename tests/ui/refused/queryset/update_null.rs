#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Flight::objects(db).update(|f| f.id.set(None));
}

fn main() {}
