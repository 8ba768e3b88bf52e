#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &diesel::SqliteConnection) {
    let _ = Flight::objects(db);
}

fn main() {}
