#[path = "../related_models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Airport::objects(db).filter(|a| {
        let _ = a.departures().first(|f| f.id, |f| f.seats);
        a.departures().exists()
    });
}

fn main() {}
