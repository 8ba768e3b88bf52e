#[path = "../related_models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Airport::objects(db).values(|a| a.departures().first(|f| f.id, |f| f.seats));
}

fn main() {}
