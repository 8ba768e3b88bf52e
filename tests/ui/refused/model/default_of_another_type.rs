use orm_core::prelude::*;

#[derive(Model)]
struct Customer {
    #[model(primary_key)]
    id: i64,
    #[model(default = "0")]
    visits: i32,
}

fn main() {}
