#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Flight::objects(db).values_as::<(i64, i32, f64), _>(|f| (f.id, f.number));
}

fn main() {}
