#[path = "../related_models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Airport::objects(db).select_related(|a| a.departures());
}

fn main() {}
