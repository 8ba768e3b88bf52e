#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let rows = Flight::objects(db).values_as::<(i64, f64), _>(|f| (f.id, f.origin_code));
    let _ = rows.load();
}

fn main() {}
