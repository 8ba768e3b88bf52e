#[path = "../related_models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Airport::objects(db).values(|a| a.departures().sum(|f| f.origin_code));
}

fn main() {}
