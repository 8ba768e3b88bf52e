#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) -> Result<u64, Box<dyn std::error::Error>> {
    let flights = db.transaction(|tx| {
        let flights = Flight::objects(tx).count()?;
        Ok(flights)
    })?;
    Ok(flights)
}

fn main() {}
