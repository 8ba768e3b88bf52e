use orm_core::prelude::*;

#[derive(Model)]
struct Customer {
    #[model(primary_key)]
    id: i64,
    #[model(default = "2013-02-30")]
    day: chrono::NaiveDate,
}

fn main() {}
