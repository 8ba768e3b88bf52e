#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) -> QuerySet<'_, Flight> {
    let code = String::from("JFK");
    Flight::objects(db).filter(|f| f.origin_code.eq(&code))
}

fn main() {}
