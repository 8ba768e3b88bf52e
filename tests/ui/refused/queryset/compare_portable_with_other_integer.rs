#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let seats: i64 = 5;
    let _ = Flight::objects(db).filter(|f| f.seats.eq(seats));
}

fn main() {}
