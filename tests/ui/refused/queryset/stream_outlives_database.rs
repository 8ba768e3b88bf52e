#[path = "../models.rs"]
mod models;
use models::*;

fn mistake() -> orm_core::Result<Rows<'static, Flight>> {
    let db = orm_core::connect("sqlite::memory:")?;
    Flight::objects(&db).iterator(100)
}

fn main() {}
