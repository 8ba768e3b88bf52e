use orm_core::prelude::*;

#[derive(Model)]
#[model(unique(emial, id))]
struct Customer {
    #[model(primary_key)]
    id: i64,
    email: String,
}

fn main() {}
