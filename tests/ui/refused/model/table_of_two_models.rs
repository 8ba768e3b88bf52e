use orm_core::prelude::*;

#[derive(Model)]
pub struct Flight {
    #[model(primary_key)]
    pub id: i64,
    pub number: i32,
}

#[derive(Model)]
#[model(table = "flights")]
pub struct Slim {
    #[model(primary_key)]
    pub id: i64,
}

fn main() {
    let _ = (flight_table::id, slim_table::id);
    let _ = flights::id;
}
