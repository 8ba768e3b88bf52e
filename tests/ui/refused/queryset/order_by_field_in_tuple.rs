#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Flight::objects(db).order_by(|f| (f.number.asc(), f.id));
}

fn main() {}
