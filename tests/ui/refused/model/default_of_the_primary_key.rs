use orm_core::prelude::*;

#[derive(Model)]
struct Customer {
    #[model(primary_key, default = 0)]
    id: i64,
}

fn main() {}
