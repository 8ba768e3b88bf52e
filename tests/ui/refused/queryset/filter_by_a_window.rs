#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Flight::objects(db).filter(|_| orm_core::dsl::row_number().over(|w| w).gt(1_i64));
}

fn main() {}
