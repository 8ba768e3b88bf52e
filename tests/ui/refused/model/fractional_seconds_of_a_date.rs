use orm_core::prelude::*;

#[derive(Model)]
struct Customer {
    #[model(primary_key)]
    id: i64,
    #[model(fractional_seconds = 0)]
    day: chrono::NaiveDate,
}

fn main() {}
