#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Flight::objects(db).group_by(|f| f.origin_code).aggregate(|f| f.number);
}

fn main() {}
