#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Flight::objects(db).group_by(|f| orm_core::dsl::max(f.number));
}

fn main() {}
