use orm_core::prelude::*;

#[derive(Model)]
pub struct Flight {
    #[model(primary_key)]
    pub id: i64,
    pub number: i32,
    pub number: i64,
}

fn main() {
    let db = orm_core::connect("sqlite::memory:").unwrap();
    let _ = Flight::objects(&db).filter(|f| f.number.eq(3)).get();
    let _ = Flight::objects(&db).order_by(|f| f.number.asc()).try_iterator(1);
}
