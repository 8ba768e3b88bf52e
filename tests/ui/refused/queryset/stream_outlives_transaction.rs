#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) -> orm_core::Result<()> {
    let rows = db.transaction(|tx| Flight::objects(tx).iterator(100))?;
    drop(rows);
    Ok(())
}

fn main() {}
