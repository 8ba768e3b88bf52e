#[path = "../models.rs"]
mod models;
use models::*;
use diesel::PgTextExpressionMethods;

fn mistake(db: &Database) {
    let _ = Flight::objects(db).filter(|f| f.origin_code.ilike("j%"));
}

fn main() {}
