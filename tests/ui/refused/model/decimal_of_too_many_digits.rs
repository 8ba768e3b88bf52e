use orm_core::prelude::*;

#[derive(Model)]
struct Customer {
    #[model(primary_key)]
    id: i64,
    #[model(decimal(2, 10))]
    balance: String,
}

fn main() {}
