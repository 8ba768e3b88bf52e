use orm_core::prelude::*;

#[derive(Model)]
struct Customer {
    #[model(primary_key)]
    id: i64,
    #[model(default = random())]
    state: String,
}

fn main() {}
