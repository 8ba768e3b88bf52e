#[path = "../models.rs"]
mod models;
use models::*;

#[derive(PartialModel)]
#[model(of = Flight)]
struct Number {
    number: i64,
}

fn mistake(db: &Database) {
    let _ = Flight::objects(db).only::<Number>();
}

fn main() {}
