#[path = "../models.rs"]
mod models;
use models::*;

#[derive(PartialModel)]
#[model(of = Flight)]
struct Number {
    number: i32,
}

fn mistake(db: &Database) {
    let _ = Airport::objects(db).only::<Number>();
}

fn main() {}
