#[path = "../related_models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) {
    let _ = Airport::objects(db).filter(|a| orm_core::reverse::one::<models::flights::relations::origin, _>(&a).seats.gt(1));
}

fn main() {}
