#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = db.create_tables::<Airport>();
}

fn main() {}
