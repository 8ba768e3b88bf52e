#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Flight::objects(db).values_as::<(i64, f64), _>(|f| (f.id, f.origin_code));
}

fn main() {}
