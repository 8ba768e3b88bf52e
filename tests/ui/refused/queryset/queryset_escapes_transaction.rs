#[path = "../models.rs"]
mod models;
use models::*;

fn mistake(db: &Database) -> orm_core::Result<()> {
    let mut kept = None;
    db.transaction(|tx| {
        kept = Some(Flight::objects(tx));
        orm_core::Result::Ok(())
    })?;
    drop(kept);
    Ok(())
}

fn main() {}
