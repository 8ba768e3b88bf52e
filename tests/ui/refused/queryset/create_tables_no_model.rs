#[path = "../models.rs"]
mod models;
use models::*;

struct Plane {
    id: i64,
}

fn mistake(db: &Database) {
    let _ = db.create_tables::<(Airport, Plane)>();
}

fn main() {}
