#[path = "../related_models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Airport::objects(db).filter(|a| {
        let _ = a.departures().sum(|f| f.origin_code);
        a.departures().exists()
    });
}

fn main() {}
